#include "redirect/xtables.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "redirect/render.h"
#include "redirect/xtblob.h"
#include "redirect/xtrule.h"
#include "sys/clock.h"
#include "sys/fd.h"

/* Larger tables are nobody's. */
#define TABLE_BYTES_MAX (64u << 20)
#define ARENA_MAX (256u << 20)

/* ip6t_replace and the other structures for IPv6 are laid out as those for IPv4. */
_Static_assert(offsetof(struct ip6t_replace, entries) == offsetof(struct ipt_replace, entries),
	       "one layout");

static const char *const table_names[RULESET_TABLES] = {"nat", "filter", "mangle"};

static const struct xtrule_extension comment_match = {"comment", 0, false};

/* A table as it was before us, to be put back, and what it became. */
struct swap {
	struct arena arena; /* what the rest points into; each try begins with an empty one */
	enum ruleset_table table;
	struct xtblob old;
	size_t new_count; /* of entries */
	const size_t *origins;
	struct xt_counters *counters; /* of the old entries, as the kernel gave them at the swap */
};

struct session {
	int fd;
	uint8_t family;
	bool with_comments;
	bool wanted[RULESET_TABLES]; /* the rules need it, or it is there */
	struct swap swaps[RULESET_TABLES];
	size_t swap_count;
};

static int level_of(const struct session *s)
{
	return s->family == 4 ? SOL_IP : SOL_IPV6;
}

/* ---- Opening ---------------------------------------------------------------------------- */

/* Asks for the table's measures, which creates it. Returns 0 or the errno. */
static int get_info(const struct session *s, enum ruleset_table table, struct ipt_getinfo *info)
{
	socklen_t size = sizeof *info;

	*info = (struct ipt_getinfo){.valid_hooks = 0};
	memcpy(info->name, table_names[table], strlen(table_names[table]));
	return getsockopt(s->fd, level_of(s), IPT_SO_GET_INFO, info, &size) == 0 ? 0 : errno;
}

static enum backend_result say(const struct session *s, const char *what, int problem,
			       struct error *e)
{
	const char *family = s->family == 4 ? "ip_tables" : "ip6_tables";

	errno = problem;
	if (problem == EPERM) {
		error_set_sys(e,
			      "%s: CAP_NET_ADMIN is needed here, in a container: "
			      "securityContext.capabilities.add: [NET_ADMIN]",
			      family);
		return BACKEND_FAILED;
	}
	error_set_sys(e, "%s: %s", family, what);
	if (problem == ENOPROTOOPT || problem == ENOENT || problem == EAFNOSUPPORT ||
	    problem == EPROTONOSUPPORT || problem == ESOCKTNOSUPPORT || problem == EOPNOTSUPP)
		return BACKEND_MISSING;
	return BACKEND_FAILED;
}

static int open_socket(struct session *s, int type, enum ruleset_table probe)
{
	struct ipt_getinfo info;
	int problem;

	s->fd = socket(s->family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC,
		       type == SOCK_RAW ? IPPROTO_RAW : 0);
	if (s->fd < 0)
		return errno;
	problem = get_info(s, probe, &info);
	if (problem != 0)
		fd_close(&s->fd);
	return problem;
}

/* Which tables exist, by the kernel's own list; nothing is created by reading it. */
static void find_tables(struct session *s)
{
	const char *path = s->family == 4 ? "/proc/net/ip_tables_names"
					  : "/proc/net/ip6_tables_names";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct span text, line;
	char storage[256];
	ssize_t n = fd >= 0 ? read(fd, storage, sizeof storage) : -1;

	fd_close(&fd);
	text = span_of(storage, n > 0 ? (size_t)n : 0);
	while (span_split(&text, '\n', &line))
		for (int t = 0; t < RULESET_TABLES; t++)
			if (span_eq(line, span_from_cstr(table_names[t])))
				s->wanted[t] = true;
}

static bool open_session(struct session *s, uint8_t family, const struct ruleset *r)
{
	*s = (struct session){.fd = -1, .family = family, .with_comments = true};
	find_tables(s);
	for (size_t i = 0; i < r->chain_count; i++)
		s->wanted[r->chains[i].table] = true;
	for (int t = 0; t < RULESET_TABLES; t++)
		if (s->wanted[t])
			return true;
	return false;
}

static enum backend_result connect_session(struct session *s, struct error *e)
{
	enum ruleset_table probe = RULESET_NAT;
	int problem;

	while (!s->wanted[probe] && probe + 1 < RULESET_TABLES)
		probe++;
	problem = open_socket(s, SOCK_DGRAM, probe);
	if (problem == ENOPROTOOPT) {
		int raw = open_socket(s, SOCK_RAW, probe);

		/* Not permitted a raw one: what the first said stands. */
		problem = raw == EPERM ? problem : raw;
	}
	return problem == 0 ? BACKEND_DONE : say(s, "not to be had from this kernel", problem, e);
}

static void close_session(struct session *s)
{
	fd_close(&s->fd);
	for (int t = 0; t < RULESET_TABLES; t++)
		arena_fini(&s->swaps[t].arena);
}

/* ---- Reading and swapping --------------------------------------------------------------- */

/* EAGAIN: it changed between the two questions. */
static int read_table(const struct session *s, enum ruleset_table table, struct arena *arena,
		      struct xtblob *out)
{
	struct ipt_get_entries *get;
	struct ipt_getinfo info;
	socklen_t size;
	int problem = get_info(s, table, &info);

	if (problem != 0)
		return problem;
	if (info.size > TABLE_BYTES_MAX)
		return EFBIG;
	size = (socklen_t)(sizeof *get + info.size);
	get = arena_get(arena, size);
	if (get == NULL)
		return ENOMEM;
	memcpy(get->name, info.name, sizeof get->name);
	get->size = info.size;
	if (getsockopt(s->fd, level_of(s), IPT_SO_GET_ENTRIES, get, &size) != 0)
		return errno;
	*out = (struct xtblob){.family = s->family,
			       .valid_hooks = info.valid_hooks,
			       .num_entries = info.num_entries,
			       .entries = span_of(get->entrytable, info.size)};
	memcpy(out->hook_entry, info.hook_entry, sizeof out->hook_entry);
	memcpy(out->underflow, info.underflow, sizeof out->underflow);
	return 0;
}

/*
 * The table in one swap, in place of one of `old_count` entries, whose counters the kernel hands
 * out; it answers EAGAIN when that is not their number any more.
 */
static int put_table(struct session *s, enum ruleset_table table, const struct xtblob *new,
		     size_t old_count, struct xt_counters *counters)
{
	size_t size = sizeof(struct ipt_replace) + new->entries.len;
	struct ipt_replace *replace = alloc_get_zeroed(size);
	int problem = 0;

	if (replace == NULL)
		return ENOMEM;
	memcpy(replace->name, table_names[table], strlen(table_names[table]));
	replace->valid_hooks = new->valid_hooks;
	replace->num_entries = new->num_entries;
	replace->size = (unsigned)new->entries.len;
	memcpy(replace->hook_entry, new->hook_entry, sizeof replace->hook_entry);
	memcpy(replace->underflow, new->underflow, sizeof replace->underflow);
	replace->num_counters = (unsigned)old_count;
	replace->counters = counters;
	memcpy(replace->entries, new->entries.ptr, new->entries.len);
	if (setsockopt(s->fd, level_of(s), IPT_SO_SET_REPLACE, replace, (socklen_t)size) != 0)
		problem = errno;
	alloc_put(replace);
	return problem;
}

/* A swap starts all counters at nothing; those of foreign rules get back what they had. */
static void restore_counters(const struct session *s, struct swap *w)
{
	size_t size = sizeof(struct xt_counters_info) + w->new_count * sizeof(struct xt_counters);
	struct xt_counters_info *info = arena_get(&w->arena, size);
	bool any = false;

	if (info == NULL)
		return;
	memcpy(info->name, table_names[w->table], strlen(table_names[w->table]));
	info->num_counters = (unsigned)w->new_count;
	for (size_t i = 0; i < w->new_count; i++) {
		if (w->origins[i] == SIZE_MAX)
			continue;
		info->counters[i] = w->counters[w->origins[i]];
		any = any || info->counters[i].pcnt != 0;
	}
	/* Best effort: counters decide nothing. */
	if (any)
		setsockopt(s->fd, level_of(s), IPT_SO_SET_ADD_COUNTERS, info, (socklen_t)size);
}

/* Puts back what was there, the last swap first. What others did in between goes with it. */
static void undo(struct session *s)
{
	while (s->swap_count > 0) {
		struct swap *w = &s->swaps[--s->swap_count];
		size_t count = w->old.num_entries;
		size_t *origins = arena_get_array(&w->arena, count, sizeof *origins);
		struct xt_counters *lost = arena_get_array(&w->arena, w->new_count, sizeof *lost);

		if (origins == NULL || lost == NULL ||
		    put_table(s, w->table, &w->old, w->new_count, lost) != 0)
			continue;
		for (size_t i = 0; i < count; i++)
			origins[i] = i;
		w->new_count = count;
		w->origins = origins;
		restore_counters(s, w);
	}
}

/* ---- One table -------------------------------------------------------------------------- */

static bool has_extension(const struct session *s, const struct xtrule_extension *x)
{
	struct xt_get_revision ask = {.revision = x->revision};
	socklen_t size = sizeof ask;

	memcpy(ask.name, x->name, strlen(x->name));
	return getsockopt(s->fd, level_of(s),
			  x->is_target ? IPT_SO_GET_REVISION_TARGET : IPT_SO_GET_REVISION_MATCH,
			  &ask, &size) == 0 ||
	       (errno != EPROTONOSUPPORT && errno != ENOENT);
}

static void say_extension(const struct session *s, const struct rule *rule,
			  const struct xtrule_extension *x, int problem, struct error *e)
{
	char storage[256];
	struct buf words;

	BUF_INIT_ARRAY(&words, storage);
	render_rule(rule, s->family, &words);
	errno = problem;
	error_set_sys(e,
		      "%s: the kernel has no %s \"%s\" (module xt_%s), which the rule \"%s\" needs",
		      s->family == 4 ? "ip_tables" : "ip6_tables",
		      x->is_target ? "target" : "match", x->name, x->name, storage);
}

/* The kernel says of a whole table that something in it is wrong. Is it an extension it lacks? */
static enum backend_result explain(const struct session *s, const struct ruleset *r,
				   enum ruleset_table table, int problem, struct error *e)
{
	struct xtrule_extension x[XTRULE_EXTENSIONS_MAX];
	char storage[96];
	struct buf what;

	for (size_t i = 0; i < r->chain_count; i++) {
		const struct chain *c = &r->chains[i];

		for (size_t j = 0; c->table == table && j < c->rule_count; j++) {
			size_t count = xtrule_extensions(&c->rules[j], s->with_comments, x);

			for (size_t k = 0; k < count; k++) {
				if (has_extension(s, &x[k]))
					continue;
				say_extension(s, &c->rules[j], &x[k], problem, e);
				return BACKEND_MISSING;
			}
		}
	}
	BUF_INIT_ARRAY(&what, storage);
	buf_printf(&what, "the kernel refuses table %s%s", table_names[table],
		   problem == EINVAL ? " (are all user and group ids known in this user namespace?)"
				     : "");
	return say(s, storage, problem, e);
}

/* In storage that is there for the usual table, on the heap for larger ones. buf_fini after it. */
static bool rebuild(const struct session *s, const struct xtblob *old, const struct ruleset *r,
		    enum ruleset_table table, struct arena *arena, struct buf *bytes,
		    struct xtblob_result *built, struct error *e)
{
	static char usual[32768];

	BUF_INIT_ARRAY(bytes, usual);
	if (xtblob_rebuild(old, r, table, s->with_comments, arena, bytes, built, e))
		return true;
	if (!bytes->truncated)
		return false;
	buf_init_heap(bytes, TABLE_BYTES_MAX);
	return xtblob_rebuild(old, r, table, s->with_comments, arena, bytes, built, e);
}

/* EAGAIN: changed by somebody else meanwhile. */
static int swap_table(struct session *s, const struct ruleset *r, enum ruleset_table table,
		      bool *had_ours, struct error *e)
{
	struct swap *w = &s->swaps[s->swap_count];
	struct xtblob_result built;
	struct buf bytes;
	int problem;

	arena_fini(&w->arena);
	*w = (struct swap){.table = table};
	arena_init(&w->arena, ARENA_MAX);
	problem = read_table(s, table, &w->arena, &w->old);
	if (problem != 0)
		return problem;
	if (!rebuild(s, &w->old, r, table, &w->arena, &bytes, &built, e)) {
		problem = EPROTO;
		goto out;
	}
	*had_ours = built.had_ours;
	if (built.is_same)
		goto out;
	w->new_count = built.blob.num_entries;
	w->origins = built.origins;
	w->counters = arena_get_array(&w->arena, w->old.num_entries, sizeof *w->counters);
	problem = w->counters == NULL
			  ? ENOMEM
			  : put_table(s, table, &built.blob, w->old.num_entries, w->counters);
	if (problem != 0)
		goto out;
	restore_counters(s, w);
	s->swap_count++;
out:
	buf_fini(&bytes);
	return problem;
}

/* One table, again while others are in between; without comments where there is no such match. */
static enum backend_result replace_table(struct session *s, const struct ruleset *r,
					 enum ruleset_table table, uint64_t end_ms, bool *had_ours,
					 struct error *e)
{
	int problem;

	for (;;) {
		problem = swap_table(s, r, table, had_ours, e);
		if (problem == EAGAIN && clock_monotonic_ms() < end_ms)
			continue;
		/* gVisor and kernels without xt_comment: the rules do the same without. */
		if ((problem == EINVAL || problem == ENOENT) && s->with_comments &&
		    !has_extension(s, &comment_match)) {
			s->with_comments = false;
			continue;
		}
		break;
	}
	if (problem == 0)
		return BACKEND_DONE;
	if (problem == EPROTO)
		return BACKEND_FAILED;
	if (problem == EAGAIN)
		return say(s, "others keep changing the tables; gave up", problem, e);
	return explain(s, r, table, problem, e);
}

/* ---- A family --------------------------------------------------------------------------- */

/* Leaves the session open for `undo`, when it says BACKEND_DONE and *used. */
static enum backend_result replace_family(struct session *s, const struct ruleset *r,
					  uint8_t family, uint64_t timeout_ms, bool *used,
					  bool *had_ours, struct error *e)
{
	uint64_t end_ms = clock_monotonic_ms() + timeout_ms;
	enum backend_result result;

	*used = open_session(s, family, r);
	if (!*used) {
		close_session(s);
		return BACKEND_DONE;
	}
	result = connect_session(s, e);
	for (int t = 0; t < RULESET_TABLES && result == BACKEND_DONE; t++) {
		bool had = false;

		if (s->wanted[t])
			result = replace_table(s, r, (enum ruleset_table)t, end_ms, &had, e);
		*had_ours = *had_ours || had;
	}
	if (result == BACKEND_DONE)
		return result;
	undo(s);
	close_session(s);
	*used = false;
	return result;
}

enum backend_result xtables_apply(const struct backend_wish *wish, struct backend_outcome *outcome,
				  struct error *e)
{
	struct session v6, v4;
	bool used_v6, used_v4, had_ours = false;
	enum backend_result result;

	*outcome = (struct backend_outcome){.changed = false};
	result = replace_family(&v6, wish->v6, 6, wish->timeout_ms, &used_v6, &had_ours, e);
	if (result == BACKEND_MISSING && wish->v6_may_fail) {
		outcome->v6_problem = *e;
		result = BACKEND_DONE;
	}
	if (result != BACKEND_DONE)
		return result;
	result = replace_family(&v4, wish->v4, 4, wish->timeout_ms, &used_v4, &had_ours, e);
	if (result != BACKEND_DONE && used_v6)
		undo(&v6);
	if (used_v6) {
		outcome->changed = v6.swap_count > 0;
		close_session(&v6);
	}
	if (used_v4) {
		outcome->changed = outcome->changed || v4.swap_count > 0;
		close_session(&v4);
	}
	return result;
}

bool xtables_has_chain(const char *prefix)
{
	static const struct ruleset none = {.family = 0};
	struct xtblob nat;
	struct session s;
	struct arena arena;
	struct error e;
	bool has = false;

	arena_init(&arena, ARENA_MAX);
	if (open_session(&s, 4, &none) && s.wanted[RULESET_NAT] &&
	    connect_session(&s, &e) == BACKEND_DONE &&
	    read_table(&s, RULESET_NAT, &arena, &nat) == 0)
		has = xtblob_has_chain(&nat, prefix);
	arena_fini(&arena);
	close_session(&s);
	return has;
}

static enum backend_result check_table(const struct session *s, const struct ruleset *r,
				       enum ruleset_table table, bool *same, struct error *e)
{
	enum backend_result result = BACKEND_DONE;
	struct xtblob_result built;
	struct arena arena;
	struct xtblob old;
	struct buf bytes;
	int problem;

	arena_init(&arena, ARENA_MAX);
	problem = read_table(s, table, &arena, &old);
	if (problem != 0) {
		result = say(s, "not readable", problem, e);
	} else {
		if (!rebuild(s, &old, r, table, &arena, &bytes, &built, e))
			result = BACKEND_FAILED;
		*same = *same && built.is_same;
		buf_fini(&bytes);
	}
	arena_fini(&arena);
	return result;
}

static enum backend_result check_family(const struct ruleset *r, uint8_t family, bool *same,
					struct error *e)
{
	enum backend_result result = BACKEND_DONE;
	struct session s;

	if (open_session(&s, family, r)) {
		result = connect_session(&s, e);
		s.with_comments = has_extension(&s, &comment_match);
		for (int t = 0; t < RULESET_TABLES && result == BACKEND_DONE; t++)
			if (s.wanted[t])
				result = check_table(&s, r, (enum ruleset_table)t, same, e);
	}
	close_session(&s);
	return result;
}

enum backend_result xtables_check(const struct backend_wish *wish, bool *same, struct error *e)
{
	enum backend_result result;

	/* First, because what follows makes the kernel create the tables that the rules need. */
	*same = xtables_has_chain(RULESET_PREFIX);
	if (!*same)
		return BACKEND_DONE;
	result = check_family(wish->v6, 6, same, e);
	if (result == BACKEND_DONE)
		result = check_family(wish->v4, 4, same, e);
	return result;
}

enum backend_result xtables_remove(bool removed[static 2], struct error *e)
{
	static const struct ruleset none = {.family = 0};
	enum backend_result result = BACKEND_DONE;

	for (int i = 0; i < 2; i++) {
		uint8_t family = i == 0 ? 4 : 6;
		enum backend_result one;
		struct session s;
		bool used;

		removed[i] = false;
		one = replace_family(&s, &none, family, 5000, &used, &removed[i], e);
		if (used)
			close_session(&s);
		if (one != BACKEND_DONE)
			result = one;
	}
	return result;
}
