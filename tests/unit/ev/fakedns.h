/*
 * fakedns: a name server for tests, in the loop and thread of the test itself, so that nothing
 * depends on how threads are scheduled. UDP and TCP on one ephemeral port of 127.0.0.1; what it
 * answers is up to a function of the test.
 */
#ifndef FAKEDNS_H
#define FAKEDNS_H

#include "../unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/endian.h"
#include "dns/dnsmsg.h"
#include "ev/loop.h"
#include "net/addr.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define FAKEDNS_CONNS 8
#define FAKEDNS_DEADLINE_MS 10000
/* Timeouts of queries: where none is to happen, and where one is, however busy the machine. */
#define FAKEDNS_NEVER_MS (2 * FAKEDNS_DEADLINE_MS)
#define FAKEDNS_SOON_MS 150

#define FAKEDNS __attribute__((unused)) static

struct fakedns;

struct fakedns_conn {
	struct watch watch;
	struct deferred next;
	struct fakedns *server;
	int fd;
	uint8_t out[65537];
	size_t out_len;
	size_t sent;
};

struct fakedns_query {
	uint16_t id;
	uint16_t type;
	bool edns;
	char name[256]; /* dotted, letters as sent */
	uint8_t bytes[512];
	size_t question_end;
	struct sockaddr_in from;   /* UDP */
	struct fakedns_conn *conn; /* TCP, else NULL */
};

struct fakedns {
	struct loop *loop;
	struct addr addr;
	struct watch udp, tcp;
	int udp_fd, tcp_fd;
	struct fakedns_conn *conns[FAKEDNS_CONNS];
	void (*answer)(struct fakedns *f, const struct fakedns_query *q);
	size_t tcp_chunk; /* bytes sent per turn; 0: all at once */
	unsigned asked;	  /* queries in all */
	unsigned asked_a, asked_aaaa, asked_tcp;
	struct fakedns_query last;
};

struct fakedns_reply {
	uint8_t bytes[65535];
	size_t len;
};

/* Begins a reply that repeats id and question. `flags` is the header's second word. */
FAKEDNS void fakedns_begin(struct fakedns_reply *r, const struct fakedns_query *q, uint16_t flags)
{
	memcpy(r->bytes, q->bytes, q->question_end);
	endian_put_be16(r->bytes + 2, flags);
	memset(r->bytes + 6, 0, 6);
	r->len = q->question_end;
}

#define FAKEDNS_NOERROR 0x8180
#define FAKEDNS_FORMERR 0x8181
#define FAKEDNS_SERVFAIL 0x8182
#define FAKEDNS_NXDOMAIN 0x8183
#define FAKEDNS_TRUNCATED 0x8380

static void fakedns_put(struct fakedns_reply *r, const void *bytes, size_t len)
{
	if (r->len + len > sizeof r->bytes)
		abort();
	memcpy(r->bytes + r->len, bytes, len);
	r->len += len;
}

/* Owner: wire form, or NULL for a pointer to the question. `section` 0 answer, 1 authority. */
static void fakedns_record(struct fakedns_reply *r, unsigned section, const char *owner,
			   uint16_t type, uint32_t ttl, const void *rdata, size_t len)
{
	uint8_t fixed[10];
	uint8_t *count = r->bytes + 6 + 2 * section;

	if (owner != NULL)
		fakedns_put(r, owner, strlen(owner) + 1);
	else
		fakedns_put(r, "\xc0\x0c", 2);
	endian_put_be16(fixed, type);
	endian_put_be16(fixed + 2, 1);
	endian_put_be32(fixed + 4, ttl);
	endian_put_be16(fixed + 8, (uint16_t)len);
	fakedns_put(r, fixed, sizeof fixed);
	fakedns_put(r, rdata, len);
	endian_put_be16(count, (uint16_t)(endian_get_be16(count) + 1));
}

/* An A or AAAA record, by how the text looks. */
FAKEDNS void fakedns_add_addr(struct fakedns_reply *r, const char *owner, uint32_t ttl,
			      const char *text)
{
	struct addr a;

	if (!addr_parse_ip(span_from_cstr(text), &a))
		abort();
	fakedns_record(r, 0, owner, a.family == 4 ? 1 : 28, ttl, a.bytes, a.family == 4 ? 4 : 16);
}

/* `target` in wire form. */
FAKEDNS void fakedns_add_alias(struct fakedns_reply *r, const char *owner, uint32_t ttl,
			       const char *target)
{
	fakedns_record(r, 0, owner, 5, ttl, target, strlen(target) + 1);
}

FAKEDNS void fakedns_add_soa(struct fakedns_reply *r, uint32_t ttl)
{
	uint8_t rdata[22] = {0};

	endian_put_be32(rdata + 18, ttl);
	fakedns_record(r, 1, NULL, 6, ttl, rdata, sizeof rdata);
}

static void fakedns_send_more(struct deferred *d)
{
	struct fakedns_conn *c = LIST_OWNER(d, struct fakedns_conn, next);
	size_t left = c->out_len - c->sent;
	size_t chunk = c->server->tcp_chunk;
	ssize_t n;

	if (chunk == 0 || chunk > left)
		chunk = left;
	n = send(c->fd, c->out + c->sent, chunk, MSG_NOSIGNAL);
	if (n < 0)
		return;
	c->sent += (size_t)n;
	if (c->sent < c->out_len)
		loop_defer(c->server->loop, &c->next, fakedns_send_more);
}

static void fakedns_send_bytes(struct fakedns *f, const struct fakedns_query *q,
			       const uint8_t *bytes, size_t len)
{
	struct fakedns_conn *c = q->conn;

	if (c == NULL) {
		sendto(f->udp_fd, bytes, len, 0, (const struct sockaddr *)&q->from, sizeof q->from);
		return;
	}
	endian_put_be16(c->out, (uint16_t)len);
	memcpy(c->out + 2, bytes, len);
	c->out_len = 2 + len;
	c->sent = 0;
	loop_defer(f->loop, &c->next, fakedns_send_more);
}

FAKEDNS void fakedns_send(struct fakedns *f, const struct fakedns_query *q,
			  const struct fakedns_reply *r)
{
	fakedns_send_bytes(f, q, r->bytes, r->len);
}

static void fakedns_parse(struct fakedns_query *q, size_t len)
{
	size_t at = 12, to = 0;

	if (len < 17)
		abort();
	q->id = endian_get_be16(q->bytes);
	while (q->bytes[at] != 0) {
		if (to > 0)
			q->name[to++] = '.';
		memcpy(q->name + to, q->bytes + at + 1, q->bytes[at]);
		to += q->bytes[at];
		at += 1 + (size_t)q->bytes[at];
	}
	q->name[to] = '\0';
	q->type = endian_get_be16(q->bytes + at + 1);
	q->question_end = at + 5;
	q->edns = endian_get_be16(q->bytes + 10) == 1;
}

static void fakedns_take(struct fakedns *f, struct fakedns_query *q, size_t len)
{
	fakedns_parse(q, len);
	f->asked++;
	f->asked_a += q->type == DNSMSG_A;
	f->asked_aaaa += q->type == DNSMSG_AAAA;
	f->asked_tcp += q->conn != NULL;
	f->last = *q;
	f->answer(f, q);
}

static void fakedns_on_udp(struct watch *w, unsigned events)
{
	struct fakedns *f = LIST_OWNER(w, struct fakedns, udp);
	struct fakedns_query q = {.conn = NULL};
	socklen_t len = sizeof q.from;
	ssize_t n = recvfrom(f->udp_fd, q.bytes, sizeof q.bytes, 0, (struct sockaddr *)&q.from,
			     &len);

	(void)events;
	if (n > 0)
		fakedns_take(f, &q, (size_t)n);
}

FAKEDNS void fakedns_close_conn(struct fakedns_conn *c)
{
	loop_undefer(&c->next);
	loop_remove(c->server->loop, &c->watch);
	fd_close(&c->fd);
}

static void fakedns_on_conn(struct watch *w, unsigned events)
{
	struct fakedns_conn *c = LIST_OWNER(w, struct fakedns_conn, watch);
	struct fakedns_query q = {.conn = c};
	uint8_t in[514];
	ssize_t n = recv(c->fd, in, sizeof in, 0);

	(void)events;
	if (n <= 0) {
		fakedns_close_conn(c);
		return;
	}
	/* On loopback what one send wrote comes whole. */
	if (n < 2 || endian_get_be16(in) != n - 2)
		abort();
	memcpy(q.bytes, in + 2, (size_t)n - 2);
	fakedns_take(c->server, &q, (size_t)n - 2);
}

static void fakedns_on_tcp(struct watch *w, unsigned events)
{
	struct fakedns *f = LIST_OWNER(w, struct fakedns, tcp);
	int fd = accept(f->tcp_fd, NULL, NULL);
	int on = 1;
	struct error e;

	(void)events;
	for (int i = 0; i < FAKEDNS_CONNS && fd != -1; i++) {
		struct fakedns_conn *c = f->conns[i];

		if (c != NULL && c->fd != -1)
			continue;
		if (c == NULL)
			c = f->conns[i] = calloc(1, sizeof *c);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		c->fd = fd;
		c->server = f;
		loop_deferred_init(&c->next);
		if (!loop_add_level(f->loop, &c->watch, fd, fakedns_on_conn, &e))
			abort();
		return;
	}
	abort();
}

/* Binds UDP and TCP to the same free port of loopback. */
static void fakedns_bind(struct fakedns *f)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		struct sockaddr_in sin = {.sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof sin;

		f->udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		f->tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (bind(f->tcp_fd, (struct sockaddr *)&sin, sizeof sin) == 0 &&
		    getsockname(f->tcp_fd, (struct sockaddr *)&sin, &len) == 0 &&
		    bind(f->udp_fd, (struct sockaddr *)&sin, sizeof sin) == 0 &&
		    listen(f->tcp_fd, 16) == 0) {
			addr_parse(SPAN("127.0.0.1"), ntohs(sin.sin_port), &f->addr);
			return;
		}
		fd_close(&f->udp_fd);
		fd_close(&f->tcp_fd);
	}
	abort();
}

FAKEDNS void fakedns_start(struct fakedns *f, struct loop *loop,
			   void (*answer)(struct fakedns *f, const struct fakedns_query *q))
{
	struct error e;

	*f = (struct fakedns){.loop = loop, .answer = answer};
	fakedns_bind(f);
	if (!loop_add_level(loop, &f->udp, f->udp_fd, fakedns_on_udp, &e) ||
	    !loop_add_level(loop, &f->tcp, f->tcp_fd, fakedns_on_tcp, &e))
		abort();
}

FAKEDNS void fakedns_stop(struct fakedns *f)
{
	loop_remove(f->loop, &f->udp);
	loop_remove(f->loop, &f->tcp);
	fd_close(&f->udp_fd);
	fd_close(&f->tcp_fd);
	for (int i = 0; i < FAKEDNS_CONNS; i++) {
		if (f->conns[i] != NULL && f->conns[i]->fd != -1)
			fakedns_close_conn(f->conns[i]);
		free(f->conns[i]);
	}
}

/* A port of loopback where nobody listens. */
FAKEDNS struct addr fakedns_dead_port(void)
{
	struct fakedns f;

	fakedns_bind(&f);
	fd_close(&f.udp_fd);
	fd_close(&f.tcp_fd);
	return f.addr;
}

FAKEDNS unsigned fakedns_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Answers of all kinds of tests. */
FAKEDNS void fakedns_answer_nothing(struct fakedns *f, const struct fakedns_query *q)
{
	(void)f;
	(void)q;
}

FAKEDNS void fakedns_answer_flags(struct fakedns *f, const struct fakedns_query *q, uint16_t flags)
{
	struct fakedns_reply r;

	fakedns_begin(&r, q, flags);
	fakedns_send(f, q, &r);
}

FAKEDNS void fakedns_answer_servfail(struct fakedns *f, const struct fakedns_query *q)
{
	fakedns_answer_flags(f, q, FAKEDNS_SERVFAIL);
}

/* 192.0.2.1 for A, 2001:db8::1 for AAAA, TTL 60. */
FAKEDNS void fakedns_answer_both(struct fakedns *f, const struct fakedns_query *q)
{
	struct fakedns_reply r;

	fakedns_begin(&r, q, FAKEDNS_NOERROR);
	fakedns_add_addr(&r, NULL, 60, q->type == DNSMSG_A ? "192.0.2.1" : "2001:db8::1");
	fakedns_send(f, q, &r);
}

/* Turns the loop until the condition holds; a test that waits in vain fails. */
#define FAKEDNS_RUN_UNTIL(loop, condition)                                                         \
	do {                                                                                       \
		uint64_t unit_deadline = clock_monotonic_ms() + FAKEDNS_DEADLINE_MS;               \
		struct error unit_e;                                                               \
		while (!(condition)) {                                                             \
			CHECK(loop_turn((loop), 5, &unit_e));                                      \
			if (clock_monotonic_ms() > unit_deadline)                                  \
				unit_fail(__FILE__, __LINE__, "in vain: %s", #condition);          \
		}                                                                                  \
	} while (0)

/* Turns the loop for so long, for what must not happen meanwhile. */
#define FAKEDNS_RUN_FOR(loop, ms)                                                                  \
	do {                                                                                       \
		uint64_t unit_end = clock_monotonic_ms() + (ms);                                   \
		FAKEDNS_RUN_UNTIL((loop), clock_monotonic_ms() >= unit_end);                       \
	} while (0)

#endif
