#include "redirect/xtblob.h"

#include <stdlib.h>

#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include "redirect/xtrule.h"

#define NOWHERE SIZE_MAX

struct entry {
	size_t offset, size;
	size_t target;	   /* where in the entry its target is */
	size_t jump;	   /* index of the entry that it jumps to, or NOWHERE */
	const char *chain; /* of an entry that begins a chain: the name, NUL-terminated */
	bool is_ours;
	size_t new_offset;
};

struct reading {
	const struct xtblob *blob;
	struct xtrule_head head;
	struct entry *entries;
	size_t count;
};

static bool bad(struct error *e, const char *why, size_t offset)
{
	return error_set(e, "the table in the kernel is not understood: %s at byte %zu", why,
			 offset);
}

static size_t get_u16(const char *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

/* ---- Reading ---------------------------------------------------------------------------- */

/* The name of the chain that the target begins, NULL: it begins none. */
static const char *chain_begun(struct span target)
{
	const char *chain = target.ptr + offsetof(struct xt_error_target, errorname);

	if (target.len < offsetof(struct xt_error_target, errorname) + XT_FUNCTION_MAXNAMELEN ||
	    strncmp(target.ptr + offsetof(struct xt_entry_target, u.user.name), XT_ERROR_TARGET,
		    XT_EXTENSION_MAXNAMELEN) != 0 ||
	    memchr(chain, '\0', XT_FUNCTION_MAXNAMELEN) == NULL)
		return NULL;
	return chain;
}

/* NULL, or what is wrong with it. */
static const char *read_entry(const struct reading *r, size_t offset, struct entry *out)
{
	struct span rest = span_from(r->blob->entries, offset), target;
	size_t head = r->head.size, size, at;

	if (rest.ptr == NULL || rest.len < head + sizeof(struct xt_entry_target))
		return "a rule is cut off";
	at = get_u16(rest.ptr + r->head.target_offset);
	size = get_u16(rest.ptr + r->head.next_offset);
	if (size % 8 != 0 || size > rest.len)
		return "a rule has no right length";
	if (at % 8 != 0 || at < head || at + sizeof(struct xt_entry_target) > size)
		return "a rule has no target";
	target = span_of(rest.ptr + at, size - at);
	if (get_u16(target.ptr) != target.len)
		return "a target has no right length";
	*out = (struct entry){
		.offset = offset,
		.size = size,
		.target = at,
		.jump = NOWHERE,
		.chain = chain_begun(target),
	};
	return NULL;
}

static int compare_offset(const void *key, const void *entry)
{
	const size_t *offset = key;
	const struct entry *at = entry;

	return (*offset > at->offset) - (*offset < at->offset);
}

/* The entry that begins at the offset, or NOWHERE. */
static size_t entry_at(const struct reading *r, size_t offset)
{
	const struct entry *found = bsearch(&offset, r->entries, r->count, sizeof *r->entries,
					    compare_offset);

	return found != NULL ? (size_t)(found - r->entries) : NOWHERE;
}

/* The verdict of a standard target; false for other targets. `at` is where the entry begins. */
static bool get_verdict(const char *at, const struct entry *en, int32_t *verdict)
{
	const char *target = at + en->target;

	if (target[offsetof(struct xt_entry_target, u.user.name)] != '\0' ||
	    en->size - en->target < sizeof(struct xt_standard_target))
		return false;
	memcpy(verdict, target + offsetof(struct xt_standard_target, verdict), sizeof *verdict);
	return true;
}

static bool find_jumps(struct reading *r, struct error *e)
{
	for (size_t i = 0; i < r->count; i++) {
		struct entry *en = &r->entries[i];
		int32_t verdict;

		if (!get_verdict(r->blob->entries.ptr + en->offset, en, &verdict) || verdict < 0)
			continue;
		en->jump = entry_at(r, (size_t)verdict);
		if (en->jump == NOWHERE)
			return bad(e, "a jump goes into the middle of a rule", en->offset);
	}
	return true;
}

static bool check_hooks(const struct reading *r, struct error *e)
{
	for (int h = 0; h < XTBLOB_HOOKS; h++) {
		if ((r->blob->valid_hooks & 1u << h) == 0)
			continue;
		if (entry_at(r, r->blob->hook_entry[h]) == NOWHERE ||
		    entry_at(r, r->blob->underflow[h]) == NOWHERE)
			return bad(e, "a hook begins in the middle of a rule",
				   r->blob->hook_entry[h]);
	}
	return true;
}

static bool is_hook_entry(const struct xtblob *b, size_t offset)
{
	for (int h = 0; h < XTBLOB_HOOKS; h++)
		if ((b->valid_hooks & 1u << h) != 0 && b->hook_entry[h] == offset)
			return true;
	return false;
}

/*
 * Ours: the chains with our prefix, and whatever jumps to them. A rule that goes on to the next one
 * jumps in form only.
 */
static void find_ours(struct reading *r)
{
	bool in_ours = false;

	for (size_t i = 0; i < r->count; i++) {
		struct entry *en = &r->entries[i];

		if (en->chain != NULL)
			in_ours = strncmp(en->chain, RULESET_PREFIX, strlen(RULESET_PREFIX)) == 0;
		else if (is_hook_entry(r->blob, en->offset))
			in_ours = false;
		en->is_ours = in_ours;
	}
	for (size_t i = 0; i < r->count; i++) {
		struct entry *en = &r->entries[i];

		if (en->jump != NOWHERE && en->jump != i + 1 && r->entries[en->jump].is_ours)
			en->is_ours = true;
	}
}

static bool read_all(struct reading *r, const struct xtblob *blob, struct arena *arena,
		     struct error *e)
{
	const char *problem;
	size_t offset = 0;

	*r = (struct reading){.blob = blob, .head = xtrule_head_of(blob->family)};
	/* Bounds the count, which somebody wrote, by the bytes that are there. */
	if (blob->num_entries == 0 || blob->num_entries > blob->entries.len / r->head.size)
		return bad(e, "a wrong number of rules", 0);
	r->entries = arena_get_array(arena, blob->num_entries, sizeof *r->entries);
	if (r->entries == NULL)
		return error_set(e, "out of memory");
	while (offset < blob->entries.len) {
		if (r->count == blob->num_entries)
			return bad(e, "more rules than were promised", offset);
		problem = read_entry(r, offset, &r->entries[r->count]);
		if (problem != NULL)
			return bad(e, problem, offset);
		offset += r->entries[r->count++].size;
	}
	if (r->count != blob->num_entries || r->entries[r->count - 1].chain == NULL ||
	    strcmp(r->entries[r->count - 1].chain, XT_ERROR_TARGET) != 0)
		return bad(e, "no end", offset);
	if (!find_jumps(r, e) || !check_hooks(r, e))
		return false;
	find_ours(r);
	return true;
}

/* ---- Building --------------------------------------------------------------------------- */

struct building {
	const struct reading *old;
	const struct ruleset *r;
	enum ruleset_table table;
	bool with_comments;
	struct buf *bytes;
	struct xtblob *new;
	size_t *origins;
	uint32_t chain_starts[RULESET_CHAINS_MAX];
};

static void note_origin(struct building *b, size_t origin)
{
	b->origins[b->new->num_entries++] = origin;
}

static void put_rules(struct building *b, const struct chain *c)
{
	for (size_t i = 0; i < c->rule_count; i++) {
		struct ruleset_slice at = {0};
		struct rule slice;

		while (ruleset_next_slice(&c->rules[i], &at, &slice)) {
			xtrule_put(b->bytes, &slice, b->r->family, b->with_comments);
			note_origin(b, NOWHERE);
		}
	}
}

static void put_chain(struct building *b, const struct chain *c)
{
	xtrule_put_head(b->bytes, c->name, b->r->family);
	note_origin(b, NOWHERE);
	b->chain_starts[c->number] = (uint32_t)b->bytes->len;
	put_rules(b, c);
	xtrule_put_return(b->bytes, b->r->family);
	note_origin(b, NOWHERE);
}

static enum ruleset_hook hook_of(int h)
{
	return h == NF_INET_PRE_ROUTING ? RULESET_PREROUTING
	       : h == NF_INET_LOCAL_OUT ? RULESET_OUTPUT
					: RULESET_NO_HOOK;
}

/* Our jumps of the hooks that begin at this old entry, and where those hooks begin now. */
static void begin_hooks(struct building *b, const struct entry *en)
{
	for (int h = 0; h < XTBLOB_HOOKS; h++) {
		if ((b->new->valid_hooks & 1u << h) == 0 ||
		    b->old->blob->hook_entry[h] != en->offset)
			continue;
		b->new->hook_entry[h] = (uint32_t)b->bytes->len;
		for (size_t i = 0; i < b->r->chain_count; i++) {
			const struct chain *c = &b->r->chains[i];

			if (c->hook != RULESET_NO_HOOK && c->hook == hook_of(h) &&
			    c->table == b->table)
				put_rules(b, c);
		}
	}
}

static void put_own_chains(struct building *b)
{
	for (size_t i = 0; i < b->r->chain_count; i++)
		if (b->r->chains[i].hook == RULESET_NO_HOOK && b->r->chains[i].table == b->table)
			put_chain(b, &b->r->chains[i]);
}

static void put_all(struct building *b)
{
	const struct reading *old = b->old;

	for (size_t i = 0; i < old->count; i++) {
		struct entry *en = &old->entries[i];

		begin_hooks(b, en);
		if (i + 1 == old->count)
			put_own_chains(b);
		en->new_offset = b->bytes->len;
		for (int h = 0; h < XTBLOB_HOOKS; h++)
			if ((b->new->valid_hooks & 1u << h) != 0 &&
			    old->blob->underflow[h] == en->offset)
				b->new->underflow[h] = (uint32_t)b->bytes->len;
		if (en->is_ours)
			continue;
		buf_add(b->bytes, span_of(old->blob->entries.ptr + en->offset, en->size));
		note_origin(b, i);
	}
}

/* The offsets of foreign jumps, now that all is in its place. */
static void relocate(struct building *b)
{
	for (size_t i = 0; i < b->old->count; i++) {
		const struct entry *en = &b->old->entries[i];
		size_t to;

		if (en->is_ours || en->jump == NOWHERE)
			continue;
		/* "Go on" stays so, whatever follows now. */
		to = en->jump == i + 1 ? en->new_offset + en->size
				       : b->old->entries[en->jump].new_offset;
		xtrule_set_verdict(b->bytes->ptr + en->new_offset, b->new->family, (int32_t)to);
	}
}

static const char *entry_end(const struct building *b, const char *entry)
{
	return entry + get_u16(entry + b->old->head.next_offset);
}

/* Until now a jump of ours has its target's number for a verdict. */
static void aim_own_jumps(struct building *b)
{
	char *at = b->bytes->ptr;

	for (size_t i = 0; i < b->new->num_entries; i++) {
		struct entry en = {.size = get_u16(at + b->old->head.next_offset),
				   .target = get_u16(at + b->old->head.target_offset)};
		int32_t verdict;

		if (b->origins[i] == NOWHERE && get_verdict(at, &en, &verdict) && verdict >= 0)
			xtrule_set_verdict(at, b->new->family, (int32_t)b->chain_starts[verdict]);
		at += en.size;
	}
}

/* The kernel writes into entries for itself: counters, and from where a chain is reached. */
static bool is_same_entry(const struct xtrule_head *head, const char *a, const char *b)
{
	size_t size = get_u16(a + head->next_offset), counters_end = head->counters + 16;

	return memcmp(a, b, head->comefrom) == 0 &&
	       memcmp(a + counters_end, b + counters_end, size - counters_end) == 0;
}

static bool is_same_table(const struct building *b)
{
	const struct xtblob *old = b->old->blob, *new = b->new;
	const char *a = old->entries.ptr, *c = b->bytes->ptr;

	if (old->num_entries != new->num_entries || old->entries.len != b->bytes->len ||
	    memcmp(old->hook_entry, new->hook_entry, sizeof new->hook_entry) != 0 ||
	    memcmp(old->underflow, new->underflow, sizeof new->underflow) != 0)
		return false;
	for (size_t i = 0; i < old->num_entries; i++) {
		if (!is_same_entry(&b->old->head, a, c))
			return false;
		a = entry_end(b, a);
		c = entry_end(b, c);
	}
	return true;
}

/* At most so many rules of ours come in. */
static size_t own_max(const struct ruleset *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->chain_count; i++) {
		count += 2;
		for (size_t j = 0; j < r->chains[i].rule_count; j++)
			count += r->chains[i].rules[j].to.count +
				 r->chains[i].rules[j].ports.count + 1;
	}
	return count;
}

bool xtblob_rebuild(const struct xtblob *old, const struct ruleset *r, enum ruleset_table table,
		    bool with_comments, struct arena *arena, struct buf *bytes,
		    struct xtblob_result *out, struct error *e)
{
	struct reading reading;
	struct building b = {.old = &reading,
			     .r = r,
			     .table = table,
			     .with_comments = with_comments,
			     .bytes = bytes,
			     .new = &out->blob};

	*out = (struct xtblob_result){.blob = *old};
	out->blob.num_entries = 0;
	if (!read_all(&reading, old, arena, e))
		return false;
	b.origins = arena_get_array(arena, reading.count + own_max(r), sizeof *b.origins);
	if (b.origins == NULL)
		return error_set(e, "out of memory");
	buf_clear(bytes);
	put_all(&b);
	if (bytes->truncated)
		return error_set(e, "out of memory");
	relocate(&b);
	aim_own_jumps(&b);
	for (size_t i = 0; i < reading.count; i++)
		out->had_ours = out->had_ours || reading.entries[i].is_ours;
	out->blob.entries = buf_span(bytes);
	out->origins = b.origins;
	out->is_same = is_same_table(&b);
	return true;
}

bool xtblob_has_chain(const struct xtblob *b, const char *prefix)
{
	struct reading r = {.blob = b, .head = xtrule_head_of(b->family)};
	struct entry en;

	for (size_t offset = 0; read_entry(&r, offset, &en) == NULL; offset += en.size)
		if (en.chain != NULL && strncmp(en.chain, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}
