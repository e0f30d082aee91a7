#include "redirect/verify.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redirect/decide.h"
#include "sys/clock.h"
#include "sys/fd.h"

/* SO_ORIGINAL_DST of <linux/netfilter_ipv4.h>, IP6T_SO_ORIGINAL_DST of ip6_tables.h. */
#define ORIGINAL_DST 80

/* An absence is waited for so long, where it is the only proof. */
#define ABSENCE_MS 100

struct verifier {
	const struct settings *s;
	const struct ruleset *r;
	uint64_t timeout_ms;
	struct diag *d;
	struct verify_report *report;
	int at_proxy, elsewhere; /* listeners */
	struct addr here;	 /* where the second one is, with its port */
	struct error *e;
};

/* A connection to try, and by whom. */
struct probe {
	struct addr to;
	const char *out; /* interface, as far as the rules need to know */
	uint32_t uid, gid;
};

enum place {
	NOWHERE,
	AT_PROXY,
	ELSEWHERE,
	FAILED,
};

static struct addr any_of(uint8_t family)
{
	return (struct addr){.family = family};
}

static struct addr loopback_of(uint8_t family)
{
	struct addr a = {.family = family, .bytes = {127, 0, 0, 1}};

	if (family == 6)
		a = (struct addr){.family = 6, .bytes = {[15] = 1}};
	return a;
}

static struct addr name_of(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof ss;
	struct addr a = {0};

	if (ask(fd, (struct sockaddr *)&ss, &len) == 0)
		addr_from_sockaddr(&ss, &a);
	return a;
}

static int open_socket(uint8_t family, int type)
{
	return socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int listen_at(const struct addr *a)
{
	int fd = open_socket(a->family, SOCK_STREAM), on = 1, saved;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(a, &ss);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->family == 6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&ss, len) == 0 && listen(fd, 16) == 0)
		return fd;
	saved = errno;
	fd_close(&fd);
	errno = saved;
	return -1;
}

/* The address that packets to `to` leave with; family 0: there is no way. Nothing is sent. */
static struct addr source_towards(const struct addr *to)
{
	int fd = open_socket(to->family, SOCK_DGRAM);
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(to, &ss);
	struct addr a = {0};

	if (fd >= 0 && connect(fd, (struct sockaddr *)&ss, len) == 0)
		a = name_of(fd, getsockname);
	fd_close(&fd);
	return a;
}

/* ---- One connection --------------------------------------------------------------------- */

/*
 * The rules ask who opened the socket, by the file system's user id: that can be lent for one call,
 * without another process. False without the right to.
 */
static bool borrow_owner(uint32_t uid, uint32_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	return (uint32_t)setfsuid(UINT32_MAX) == uid && (uint32_t)setfsgid(UINT32_MAX) == gid;
}

static void return_owner(void)
{
	setfsuid(geteuid());
	setfsgid(getegid());
}

/* Takes what waits at the listener; was it `from`, and for the right destination? */
static enum place take(struct verifier *v, int listener, const struct addr *from,
		       const struct probe *p)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof ss;
	struct addr peer, to = {0};

	if (fd < 0)
		return NOWHERE;
	peer = name_of(fd, getpeername);
	if (getsockopt(fd, p->to.family == 4 ? SOL_IP : SOL_IPV6, ORIGINAL_DST, &ss, &len) == 0)
		addr_from_sockaddr(&ss, &to);
	fd_close(&fd);
	if (peer.port != from->port)
		return NOWHERE;
	if (listener != v->at_proxy)
		return ELSEWHERE;
	if (addr_eq(&to, &p->to))
		return AT_PROXY;
	error_set(v->e, "a connection came to the proxy without its original destination");
	return FAILED;
}

/* Waits for the connection at both listeners. */
static enum place await(struct verifier *v, const struct addr *from, const struct probe *p,
			uint64_t timeout_ms)
{
	uint64_t end_ms = clock_monotonic_ms() + timeout_ms;

	for (;;) {
		struct pollfd at[2] = {{v->at_proxy, POLLIN, 0}, {v->elsewhere, POLLIN, 0}};
		uint64_t now_ms = clock_monotonic_ms();

		if (now_ms >= end_ms || poll(at, 2, (int)(end_ms - now_ms)) == 0)
			return NOWHERE;
		for (int i = 0; i < 2; i++) {
			enum place where = at[i].revents != 0 ? take(v, at[i].fd, from, p)
							      : NOWHERE;

			if (where != NOWHERE)
				return where;
		}
	}
}

static enum place connect_as(struct verifier *v, const struct probe *p, uint64_t timeout_ms,
			     bool *may)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&p->to, &ss);
	enum place where = NOWHERE;
	struct addr from;
	int fd;

	*may = borrow_owner(p->uid, p->gid);
	fd = *may ? open_socket(p->to.family, SOCK_STREAM) : -1;
	return_owner();
	if (fd < 0)
		return NOWHERE;
	if (connect(fd, (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS) {
		from = name_of(fd, getsockname);
		where = await(v, &from, p, timeout_ms);
	}
	fd_close(&fd);
	return where;
}

static bool complain(struct verifier *v, const struct probe *p, const char *what)
{
	char storage[ADDR_TEXT_MAX];
	struct buf to;

	BUF_INIT_ARRAY(&to, storage);
	addr_format(&p->to, &to);
	return error_set(v->e, "a connection to %s by uid %u, gid %u %s", storage, (unsigned)p->uid,
			 (unsigned)p->gid, what);
}

/* Tries one, which the rules say something about. *may: there was the right to try. */
static bool try_one(struct verifier *v, const struct probe *p, bool *may)
{
	struct decide_packet packet = {IPPROTO_TCP, p->to, NULL, p->out, p->uid, p->gid};
	bool wanted = decide_port(v->r, RULESET_OUTPUT, &packet) != 0;
	bool arrives = wanted || p->out != NULL;
	enum place where = connect_as(v, p, arrives ? v->timeout_ms : ABSENCE_MS, may);

	if (!*may)
		return true;
	if (where == FAILED)
		return false;
	if (wanted && where != AT_PROXY)
		return complain(v, p, "was not redirected");
	if (!wanted && where == AT_PROXY)
		return complain(v, p, "was redirected, and must not be");
	if (arrives && where == NOWHERE)
		return complain(v, p, "did not arrive");
	v->report->redirected += wanted;
	v->report->direct += !wanted;
	return true;
}

/* ---- All of a family -------------------------------------------------------------------- */

/* An outside destination that is redirected for the caller: documentation's, or an included one. */
static bool find_outside(const struct verifier *v, struct probe *p)
{
	static const struct addr v4 = {.family = 4, .bytes = {192, 0, 2, 2}};
	static const struct addr v6 = {.family = 6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 2}};
	const struct ranges_cidrs *include = &v->s->include[v->r->family == 6];
	const struct ranges_ports *ports = &v->s->include_ports;
	struct addr candidates[3] = {v->r->family == 4 ? v4 : v6, v4, v4};
	size_t count = 1;

	if (include->count > 0) {
		candidates[count] = include->items[0].network;
		candidates[count + 1] = include->items[include->count - 1].network;
		count += 2;
	}
	for (size_t i = 0; i < count; i++) {
		struct decide_packet packet = {
			.protocol = IPPROTO_TCP, .to = candidates[i], .uid = p->uid, .gid = p->gid};

		packet.to.port = ports->count > 0 ? ports->items[0].first : 1404;
		if (decide_port(v->r, RULESET_OUTPUT, &packet) == 0)
			continue;
		p->to = packet.to;
		return true;
	}
	return false;
}

static bool try_proxy_users(struct verifier *v, struct probe own, bool *may)
{
	const struct settings *s = v->s;
	struct probe p = own;

	*may = true;
	for (size_t i = 0; i < s->uids.count && *may; i++) {
		p.uid = s->uids.ids[i];
		if (!try_one(v, &p, may))
			return false;
	}
	p = own;
	for (size_t i = 0; i < s->gids.count && *may; i++) {
		p.gid = s->gids.ids[i];
		if (!try_one(v, &p, may))
			return false;
	}
	return true;
}

static bool try_all(struct verifier *v)
{
	struct probe own = {.out = "lo", .uid = geteuid(), .gid = getegid()};
	struct probe outside = {.uid = own.uid, .gid = own.gid};
	struct probe inside = own;
	bool may, has_outside = find_outside(v, &outside);
	struct addr source;

	inside.to = loopback_of(v->r->family);
	inside.to.port = v->here.port;
	if (!try_one(v, &inside, &may))
		return false;
	if (!has_outside)
		return true;
	v->report->is_wanted = true;
	source = source_towards(&outside.to);
	if (source.family == 0) {
		diag_report(v->d, DIAG_NOTE,
			    "IPv%d: there is no route, so nothing outside was tried", v->r->family);
		return true;
	}
	if (!try_one(v, &outside, &may))
		return false;
	own.to = source;
	own.to.port = v->here.port;
	if (!try_one(v, &own, &may))
		return false;
	/* In prepare_proxy's order the own address is redirected for all: the outside must do. */
	if (!try_proxy_users(v, v->s->strict ? outside : own, &may))
		return false;
	if (!may)
		diag_report(v->d, DIAG_NOTE,
			    "without CAP_SETUID nothing was tried as the proxy's user");
	return true;
}

static bool verify_family(struct verifier *v)
{
	struct addr proxy = loopback_of(v->r->family), any = any_of(v->r->family);
	bool ok = true;

	proxy.port = v->s->proxy_port;
	v->at_proxy = listen_at(&proxy);
	if (v->at_proxy < 0 && errno == EADDRINUSE) {
		v->report->is_busy = true;
		return true;
	}
	v->elsewhere = listen_at(&any);
	if (v->at_proxy < 0 || v->elsewhere < 0) {
		/* No IPv6 in this pod: nothing can leave by it. */
		if (v->r->family == 4 || (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT))
			ok = error_set_sys(v->e, "cannot listen on port %u to verify",
					   (unsigned)v->s->proxy_port);
	} else {
		v->here = name_of(v->elsewhere, getsockname);
		ok = try_all(v);
	}
	fd_close(&v->at_proxy);
	fd_close(&v->elsewhere);
	return ok;
}

static bool has_nat(const struct ruleset *r)
{
	for (size_t i = 0; i < r->chain_count; i++)
		if (r->chains[i].table == RULESET_NAT)
			return true;
	return false;
}

bool verify_run(const struct settings *s, const struct ruleset *v4, const struct ruleset *v6,
		uint64_t timeout_ms, struct diag *d, struct verify_report *report, struct error *e)
{
	const struct ruleset *const rulesets[] = {v4, v6};

	*report = (struct verify_report){.is_busy = false};
	for (int i = 0; i < 2; i++) {
		struct verifier v = {.s = s,
				     .r = rulesets[i],
				     .timeout_ms = timeout_ms,
				     .d = d,
				     .report = report,
				     .at_proxy = -1,
				     .elsewhere = -1,
				     .e = e};

		if (has_nat(rulesets[i]) && !verify_family(&v))
			return error_prefix(e, "IPv%d", rulesets[i]->family);
	}
	if (report->is_busy)
		diag_report(d, DIAG_NOTE,
			    "something listens on port %u, so no connection was tried",
			    (unsigned)s->proxy_port);
	return report->is_busy || report->redirected > 0 || !report->is_wanted ||
	       error_set(e, "no connection could be tried that is redirected: nothing is proven");
}
