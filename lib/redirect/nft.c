#include "redirect/nft.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "redirect/nftbatch.h"
#include "redirect/render.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define BATCH_MAX (32u << 20)
#define DUMP_MAX (32u << 20)
/* A dump comes in pieces of at most this much (netlink_dump in the kernel). */
#define PIECE_MAX 32768

struct session {
	int fd;
	uint32_t seq;
	uint32_t generation; /* of the whole ruleset, as the kernel counts its changes */
	bool exists[2];	     /* our table of IPv4, of IPv6 */
};

static const uint8_t families[2] = {4, 6};

static uint16_t message_type(int message)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
}

/* ---- Talking ---------------------------------------------------------------------------- */

/* What came back to a question or a batch. */
struct replies {
	struct buf *dump;  /* messages that are answers; may be NULL */
	uint32_t last_seq; /* an acknowledgement of this one is the success of all */
	bool is_complete;  /* nothing more will come */
	bool acknowledged;
	int problem; /* the first error's errno, 0: none */
	uint32_t problem_seq;
	char detail[96]; /* the kernel's own words, if it has any */
};

static bool send_all(int fd, struct span bytes)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do {
		n = sendto(fd, bytes.ptr, bytes.len, 0, (struct sockaddr *)&kernel, sizeof kernel);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)bytes.len;
}

static void note_problem(struct replies *r, const struct nlmsg_header *h,
			 const struct nlmsgerr *error)
{
	struct span rest = span_from(h->payload, sizeof *error), words;
	struct buf detail;

	r->problem = -error->error;
	r->problem_seq = h->seq;
	if ((h->flags & NLM_F_ACK_TLVS) == 0)
		return;
	if ((h->flags & NLM_F_CAPPED) == 0)
		rest = span_from(rest, NLMSG_ALIGN(error->msg.nlmsg_len) - sizeof error->msg);
	words = nlmsg_find_attr(rest, NLMSGERR_ATTR_MSG);
	BUF_INIT_ARRAY(&detail, r->detail);
	if (words.len > 1)
		buf_add_escaped(&detail, span_first(words, words.len - 1), 80);
}

/* One message answers a question, unless there are more to come; a batch ends with its last. */
static void on_reply(struct replies *r, const struct nlmsg_header *h)
{
	struct nlmsgerr error;

	r->is_complete = r->last_seq == 0 ? (h->flags & NLM_F_MULTI) == 0 || h->type == NLMSG_DONE
					  : r->acknowledged;
	if (h->type != NLMSG_ERROR) {
		if (r->dump != NULL && h->type != NLMSG_DONE)
			buf_add(r->dump,
				span_of(h->payload.ptr - sizeof(struct nlmsghdr),
					NLMSG_ALIGN(h->payload.len + sizeof(struct nlmsghdr))));
		return;
	}
	if (h->payload.len < sizeof error)
		return;
	memcpy(&error, h->payload.ptr, sizeof error);
	if (error.error == 0)
		r->acknowledged = r->is_complete = h->seq == r->last_seq;
	else if (r->problem == 0)
		note_problem(r, h, &error);
}

/*
 * The kernel has answered everything by the time sendto returns, so reading never waits. Returns
 * the errno of a failed read, 0 at the end of what is there.
 */
static int read_replies(int fd, struct replies *r)
{
	static char piece[PIECE_MAX];
	struct nlmsg_header h;

	while (!r->is_complete) {
		ssize_t n = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
		struct span rest;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : errno;
		rest = span_of(piece, (size_t)n);
		while (nlmsg_next(&rest, &h))
			on_reply(r, &h);
	}
	return 0;
}

/* Sends and reads; false: errno says why the socket itself failed. */
static bool converse(int fd, struct span bytes, struct replies *r)
{
	int problem;

	if (!send_all(fd, bytes))
		return false;
	problem = read_replies(fd, r);
	/* So many errors that they did not fit: the first are the ones that matter. */
	if (problem == 0 || (problem == ENOBUFS && r->problem != 0))
		return true;
	errno = problem;
	return false;
}

/* Asks one question; the answers go to `dump` (may be NULL). Returns 0 or the kernel's errno. */
static int ask(struct session *s, int message, uint16_t flags, uint8_t family, const char *table,
	       const char *chain, struct buf *dump)
{
	struct replies replies = {.dump = dump};
	char storage[256];
	struct nlmsg m = {.seq = s->seq};

	BUF_INIT_ARRAY(&m.bytes, storage);
	nlmsg_begin(&m, message_type(message), flags, family, 0);
	if (table != NULL) /* NFTA_TABLE_NAME, NFTA_CHAIN_TABLE and NFTA_RULE_TABLE are one */
		nlmsg_put_text(&m, NFTA_TABLE_NAME, table);
	if (chain != NULL)
		nlmsg_put_text(&m, NFTA_CHAIN_NAME, chain);
	s->seq = m.seq;
	if (!converse(s->fd, buf_span(&m.bytes), &replies))
		return errno;
	return replies.problem;
}

static int read_generation(struct session *s)
{
	char storage[256];
	struct nlmsg_header h;
	struct span rest, id;
	struct buf answer;
	uint8_t family;
	int problem;

	BUF_INIT_ARRAY(&answer, storage);
	problem = ask(s, NFT_MSG_GETGEN, 0, AF_UNSPEC, NULL, NULL, &answer);
	if (problem != 0)
		return problem;
	rest = buf_span(&answer);
	if (!nlmsg_next(&rest, &h))
		return EINVAL;
	id = nlmsg_find_attr(nlmsg_attrs(&h, &family), NFTA_GEN_ID);
	if (id.len != sizeof s->generation)
		return EINVAL;
	memcpy(&s->generation, id.ptr, sizeof s->generation);
	return 0;
}

static enum backend_result say_refused(struct error *e, int problem)
{
	errno = problem;
	if (problem == EPERM || problem == EACCES) {
		error_set_sys(e, "nf_tables: CAP_NET_ADMIN is needed here, in a container: "
				 "securityContext.capabilities.add: [NET_ADMIN]");
		return BACKEND_FAILED;
	}
	error_set_sys(e, "nf_tables");
	return BACKEND_FAILED;
}

static enum backend_result say_missing(struct error *e, int problem)
{
	errno = problem;
	error_set_sys(e, "nf_tables is not to be had from this kernel");
	return BACKEND_MISSING;
}

/*
 * Opening needs no right, so EPERM here is a filter on system calls: the same as if the kernel had
 * none.
 */
static enum backend_result open_session(struct session *s, struct error *e)
{
	int on = 1;

	*s = (struct session){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)};
	if (s->fd < 0)
		return say_missing(e, errno);
	/* Old kernels have neither; then errors come with less to say. */
	setsockopt(s->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	setsockopt(s->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	return BACKEND_DONE;
}

/*
 * Reads the generation and what there is of ours. What changes later makes the batch fail. Without
 * nf_tables the first question is EINVAL.
 */
static enum backend_result look(struct session *s, struct error *e)
{
	int problem = read_generation(s);

	if (problem != 0)
		return problem == EPERM ? say_refused(e, problem) : say_missing(e, problem);
	for (int i = 0; i < 2 && problem == 0; i++) {
		problem = ask(s, NFT_MSG_GETTABLE, 0, nftbatch_family(families[i]), RULESET_TABLE,
			      NULL, NULL);
		s->exists[i] = problem == 0;
		/* A kernel without the family has no table of it either. */
		if (problem == ENOENT || problem == EOPNOTSUPP || problem == EAFNOSUPPORT)
			problem = 0;
	}
	return problem == 0 ? BACKEND_DONE : say_refused(e, problem);
}

/* ---- The same already? ------------------------------------------------------------------ */

static bool is_dumped(struct session *s, const struct ruleset *r, struct span ours, int get,
		      int type)
{
	struct buf dump;
	bool same;

	buf_init_heap(&dump, DUMP_MAX);
	same = ask(s, get, NLM_F_DUMP, nftbatch_family(r->family), RULESET_TABLE, NULL, &dump) ==
		       0 &&
	       !dump.truncated && nftbatch_is_dumped(ours, buf_span(&dump), type);
	buf_fini(&dump);
	return same;
}

static bool is_in_force(struct session *s, const struct ruleset *r, int i)
{
	struct nftbatch b = {.wanted_seq = 0};
	bool same = false;

	if (r->family == 0 || !s->exists[i])
		return (r->family != 0) == s->exists[i];
	buf_init_heap(&b.out.bytes, BATCH_MAX);
	nftbatch_put_table(&b, r);
	if (!b.out.bytes.truncated)
		same = is_dumped(s, r, buf_span(&b.out.bytes), NFT_MSG_GETCHAIN,
				 NFT_MSG_NEWCHAIN) &&
		       is_dumped(s, r, buf_span(&b.out.bytes), NFT_MSG_GETRULE, NFT_MSG_NEWRULE);
	buf_fini(&b.out.bytes);
	return same;
}

/* ---- The batch -------------------------------------------------------------------------- */

static void put_delete(struct nftbatch *b, uint8_t family)
{
	nlmsg_begin(&b->out, message_type(NFT_MSG_DELTABLE), 0, nftbatch_family(family), 0);
	nlmsg_put_text(&b->out, NFTA_TABLE_NAME, RULESET_TABLE);
}

/* `r` of each family, NULL: leave it as it is. Returns the seq whose acknowledgement is wanted. */
static uint32_t put_batch(struct nftbatch *b, const struct session *s,
			  const struct ruleset *const r[2])
{
	uint32_t generation = s->generation;

	b->out.seq = s->seq;
	nlmsg_begin(&b->out, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	nlmsg_put(&b->out, NFNL_BATCH_GENID, &generation, sizeof generation);
	for (int i = 0; i < 2; i++) {
		if (r[i] == NULL)
			continue;
		/* Only where there is one: a delete makes closing the socket wait for RCU. */
		if (s->exists[i])
			put_delete(b, families[i]);
		if (r[i]->family != 0)
			nftbatch_put_table(b, r[i]);
	}
	/* The last one asks for an answer; BATCH_END itself gives none on older kernels. */
	if (!b->out.bytes.truncated) {
		uint16_t flags;
		char *at = b->out.bytes.ptr + b->out.start + offsetof(struct nlmsghdr, nlmsg_flags);

		memcpy(&flags, at, sizeof flags);
		flags |= NLM_F_ACK;
		memcpy(at, &flags, sizeof flags);
	}
	nlmsg_begin(&b->out, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	return b->out.seq - 1;
}

/* In storage that is there for the usual batch, on the heap for larger ones. False: no memory. */
static bool build_batch(struct nftbatch *b, const struct session *s,
			const struct ruleset *const r[2], uint32_t *last_seq)
{
	static char usual[16384];

	BUF_INIT_ARRAY(&b->out.bytes, usual);
	*last_seq = put_batch(b, s, r);
	if (!b->out.bytes.truncated)
		return true;
	buf_init_heap(&b->out.bytes, BATCH_MAX);
	*last_seq = put_batch(b, s, r);
	return !b->out.bytes.truncated;
}

/* The batch once more, to see which message it was. */
static void find_origin(const struct session *s, const struct ruleset *const r[2], uint32_t seq,
			struct nftbatch *b)
{
	*b = (struct nftbatch){.wanted_seq = seq};
	buf_init_heap(&b->out.bytes, BATCH_MAX);
	put_batch(b, s, r);
	buf_fini(&b->out.bytes);
}

static void describe(const struct nftbatch *b, bool is_v6, struct buf *out)
{
	buf_printf(out, "table %s " RULESET_TABLE, is_v6 ? "ip6" : "ip");
	if (b->found_chain == NULL)
		return;
	buf_printf(out, " chain %s", ruleset_base_name(b->found_chain));
	if (b->found_rule == NULL)
		return;
	buf_add_cstr(out, " rule \"");
	render_rule(b->found_rule, is_v6 ? 6 : 4, out);
	buf_printf(out, "\" (%s)", b->found_rule->comment);
}

/* "Not here" rather than "not like this". Our own names are there, so ENOENT is not about them. */
static bool is_missing(int problem)
{
	return problem == ENOENT || problem == EOPNOTSUPP || problem == EPROTONOSUPPORT ||
	       problem == EAFNOSUPPORT;
}

/* Which family's rule the kernel refused, told in words. */
static enum backend_result explain(const struct session *s, const struct ruleset *const r[2],
				   const struct replies *replies, bool *was_v6, struct error *e)
{
	char storage[320];
	struct nftbatch b;
	struct buf what;

	if (replies->problem == EPERM)
		return say_refused(e, EPERM);
	find_origin(s, r, replies->problem_seq, &b);
	*was_v6 = b.found_family == 6;
	BUF_INIT_ARRAY(&what, storage);
	describe(&b, *was_v6, &what);
	errno = replies->problem;
	error_set_sys(e, "nf_tables: the kernel refuses %s%s%s%s", storage,
		      replies->detail[0] != '\0' ? " (" : "", replies->detail,
		      replies->detail[0] != '\0' ? ")" : "");
	return is_missing(replies->problem) ? BACKEND_MISSING : BACKEND_FAILED;
}

/* A list of thousands is one message, and must fit the socket's buffer. */
static void make_room(int fd, size_t size)
{
	int bytes = (int)size + 4096, enough = 0;
	socklen_t len = sizeof enough;

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &enough, &len) == 0 && enough >= bytes)
		return;
	/* The first is for the administrator of the machine, not of a user namespace alone. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

/* One try. *again: somebody else changed the ruleset meanwhile, and nothing was done. */
static enum backend_result commit(struct session *s, const struct ruleset *const r[2], bool *again,
				  bool *was_v6, struct error *e)
{
	struct nftbatch b = {.wanted_seq = 0};
	struct replies replies = {.dump = NULL};
	enum backend_result result = BACKEND_DONE;

	if (!build_batch(&b, s, r, &replies.last_seq)) {
		error_set(e, "nf_tables: out of memory");
		result = BACKEND_FAILED;
		goto out;
	}
	make_room(s->fd, b.out.bytes.len);
	if (!converse(s->fd, buf_span(&b.out.bytes), &replies)) {
		result = say_refused(e, errno);
		goto out;
	}
	*again = replies.problem == ERESTART;
	if (*again)
		result = BACKEND_FAILED;
	else if (replies.problem != 0)
		result = explain(s, r, &replies, was_v6, e);
	else if (!replies.acknowledged)
		result = say_refused(e, EPROTO);
	s->seq = b.out.seq;
out:
	buf_fini(&b.out.bytes);
	return result;
}

/* Both families in one transaction, again while others are in between. */
static enum backend_result replace(struct session *s, const struct backend_wish *wish,
				   struct backend_outcome *outcome, bool *was_v6, struct error *e)
{
	uint64_t end_ms = clock_monotonic_ms() + wish->timeout_ms;
	enum backend_result result;
	bool again;

	do {
		const struct ruleset *r[2] = {wish->v4, wish->v6};

		again = *was_v6 = false;
		result = look(s, e);
		if (result != BACKEND_DONE)
			return result;
		for (int i = 0; i < 2; i++)
			if (is_in_force(s, r[i], i))
				r[i] = NULL;
		if (r[0] == NULL && r[1] == NULL)
			return BACKEND_DONE;
		result = commit(s, r, &again, was_v6, e);
	} while (again && clock_monotonic_ms() < end_ms);
	if (again)
		error_set(e, "nf_tables: others keep changing the ruleset; gave up");
	outcome->changed = result == BACKEND_DONE;
	return again ? BACKEND_FAILED : result;
}

enum backend_result nft_apply(const struct backend_wish *wish, struct backend_outcome *outcome,
			      struct error *e)
{
	static const struct ruleset none = {.family = 0};
	struct backend_wish alone = *wish;
	enum backend_result result;
	struct session s;
	bool was_v6;

	*outcome = (struct backend_outcome){.changed = false};
	result = open_session(&s, e);
	if (result != BACKEND_DONE)
		return result;
	result = replace(&s, wish, outcome, &was_v6, e);
	if (result == BACKEND_MISSING && was_v6 && wish->v6_may_fail) {
		outcome->v6_problem = *e;
		alone.v6 = &none;
		result = replace(&s, &alone, outcome, &was_v6, e);
	}
	fd_close(&s.fd);
	return result;
}

enum backend_result nft_check(const struct backend_wish *wish, bool *same, struct error *e)
{
	enum backend_result result;
	struct session s;

	result = open_session(&s, e);
	if (result != BACKEND_DONE)
		return result;
	result = look(&s, e);
	if (result == BACKEND_DONE)
		*same = is_in_force(&s, wish->v4, 0) && is_in_force(&s, wish->v6, 1);
	fd_close(&s.fd);
	return result;
}

enum backend_result nft_remove(bool removed[static 2], struct error *e)
{
	static const struct ruleset none = {.family = 0};
	const struct backend_wish wish = {.v4 = &none, .v6 = &none, .timeout_ms = 5000};
	struct backend_outcome outcome = {.changed = false};
	enum backend_result result;
	struct session s;
	bool was_v6;

	result = open_session(&s, e);
	if (result != BACKEND_DONE)
		return result;
	result = replace(&s, &wish, &outcome, &was_v6, e);
	for (int i = 0; i < 2; i++)
		removed[i] = outcome.changed && s.exists[i];
	fd_close(&s.fd);
	return result;
}

bool nft_has_any(const struct nft_place *places, size_t count)
{
	struct session s;
	struct error e;
	bool has = false;

	if (open_session(&s, &e) != BACKEND_DONE)
		return false;
	for (size_t i = 0; i < count && !has; i++)
		has = ask(&s, places[i].chain != NULL ? NFT_MSG_GETCHAIN : NFT_MSG_GETTABLE, 0,
			  nftbatch_family(places[i].family), places[i].table, places[i].chain,
			  NULL) == 0;
	fd_close(&s.fd);
	return has;
}
