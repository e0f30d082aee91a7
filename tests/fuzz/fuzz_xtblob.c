/*
 * fuzz_xtblob: a legacy table of anybody's is refused, or our rules go in, are found again, and
 * come out again, with everything else as it was.
 *
 * The first byte: 1 IPv6, 2 more rules of ours. Then valid hooks, five entries and five underflows
 * of hooks, and the number of rules, each as four bytes of the machine's order; the rest is the
 * table.
 */
#include <stdint.h>
#include <stdlib.h>

#include "redirect/settings.h"
#include "redirect/xtblob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD (1 + 4 * (1 + XTBLOB_HOOKS + XTBLOB_HOOKS + 1))

static struct arena settings_arena;
static struct ruleset rulesets[4]; /* by the first byte */
static const struct ruleset none;

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void make_rulesets(void)
{
	static const char *uid[] = {"1337"}, *ports[] = {"1,3,5-7"},
			  *ranges[] = {"10.0.0.0/8,fd00::/8"};
	static struct settings settings[2];

	if (rulesets[0].family != 0)
		return;
	arena_init(&settings_arena, 1 << 20);
	for (int i = 0; i < 4; i++) {
		struct settings_words w = {.proxy_port = 15001, .uids = {uid, 1}};
		struct diag d = {.emit = NULL};
		struct error e;

		w.include = i >= 2 ? (struct opt_list){ranges, 1} : w.include;
		w.exclude_ports = i >= 2 ? (struct opt_list){ports, 1} : w.exclude_ports;
		expect(settings_from_words(&w, &settings_arena, &d, &settings[i / 2]));
		expect(ruleset_build(&settings[i / 2], i % 2 == 0 ? 4 : 6, &settings_arena,
				     &rulesets[i], &e));
	}
}

struct step {
	struct arena arena;
	struct buf bytes;
	struct xtblob_result result;
};

static bool rebuild(struct step *s, const struct xtblob *old, const struct ruleset *r)
{
	struct error e = {""};
	bool ok;

	arena_init(&s->arena, 64 << 20);
	buf_init_heap(&s->bytes, 16 << 20);
	ok = xtblob_rebuild(old, r, RULESET_NAT, true, &s->arena, &s->bytes, &s->result, &e);
	expect(ok || e.text[0] != '\0');
	return ok;
}

static void free_step(struct step *s)
{
	buf_fini(&s->bytes);
	arena_fini(&s->arena);
}

static void read_head(struct xtblob *b, const uint8_t *data)
{
	memcpy(&b->valid_hooks, data, 4);
	memcpy(b->hook_entry, data + 4, sizeof b->hook_entry);
	memcpy(b->underflow, data + 4 + sizeof b->hook_entry, sizeof b->underflow);
	memcpy(&b->num_entries, data + 4 + 2 * sizeof b->hook_entry, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step out, in, again, back;
	struct xtblob blob;

	make_rulesets();
	if (size < HEAD)
		return 0;
	blob = (struct xtblob){.family = (data[0] & 1) == 0 ? 4 : 6,
			       .entries = span_of(data + HEAD, size - HEAD)};
	read_head(&blob, data + 1);
	xtblob_has_chain(&blob, "KUBE-");
	if (rebuild(&out, &blob, &none)) {
		/* What is left has nothing of ours: the rest is about that. */
		if (rebuild(&in, &out.result.blob, &rulesets[data[0] & 3])) {
			expect(rebuild(&again, &in.result.blob, &rulesets[data[0] & 3]));
			expect(again.result.is_same);
			expect(rebuild(&back, &in.result.blob, &none));
			expect(span_eq(back.result.blob.entries, out.result.blob.entries));
			free_step(&again);
			free_step(&back);
		}
		free_step(&in);
	}
	free_step(&out);
	return 0;
}
