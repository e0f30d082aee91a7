#include "../unit.h"
#include "rules.h"

#include "redirect/xtblob.h"
#include "redirect/xtrule.h"

static const struct ruleset none;

/*
 * A NAT table of IPv4 as the kernel has it, with a foreign chain, or without:
 *
 *   PREROUTING  jump FOREIGN, policy          OUTPUT  "go on", policy
 *   FOREIGN     return
 */
struct table {
	struct xtblob blob;
	struct buf bytes;
	char storage[8192];
	struct chain target;
};

static void put(struct table *t, const struct rule *rule)
{
	xtrule_put(&t->bytes, rule, 4, true);
	t->blob.num_entries++;
}

static void begin_hook(struct table *t, int hook)
{
	t->blob.valid_hooks |= 1u << hook;
	t->blob.hook_entry[hook] = (uint32_t)t->bytes.len;
}

static void end_hook(struct table *t, int hook)
{
	struct rule accept = {.verdict = RULESET_DROP};

	t->blob.underflow[hook] = (uint32_t)t->bytes.len;
	put(t, &accept);
	xtrule_set_verdict(t->bytes.ptr + t->blob.underflow[hook], 4, -2);
}

static void make(struct table *t, const char *foreign)
{
	struct rule jump = {.verdict = RULESET_JUMP, .target = &t->target};
	size_t jumps_at = 0, goes_on_at;

	*t = (struct table){.blob = {.family = 4}};
	BUF_INIT_ARRAY(&t->bytes, t->storage);
	begin_hook(t, 0);
	if (foreign != NULL)
		put(t, &jump);
	end_hook(t, 0);
	begin_hook(t, 3);
	goes_on_at = t->bytes.len;
	if (foreign != NULL) {
		put(t, &jump);
		xtrule_set_verdict(t->storage + goes_on_at, 4, (int32_t)t->bytes.len);
	}
	end_hook(t, 3);
	if (foreign != NULL) {
		xtrule_put_head(&t->bytes, foreign, 4);
		xtrule_set_verdict(t->storage + jumps_at, 4, (int32_t)t->bytes.len);
		xtrule_put_return(&t->bytes, 4);
		t->blob.num_entries += 2;
	}
	xtrule_put_head(&t->bytes, "ERROR", 4);
	t->blob.num_entries++;
	t->blob.entries = buf_span(&t->bytes);
}

struct rebuilt {
	struct arena arena;
	struct buf bytes;
	struct xtblob_result result;
	struct error e;
};

static bool rebuild(struct rebuilt *r, const struct xtblob *old, const struct ruleset *rules)
{
	*r = (struct rebuilt){.e = {""}};
	arena_init(&r->arena, 1 << 24);
	buf_init_heap(&r->bytes, 1 << 24);
	return xtblob_rebuild(old, rules, RULESET_NAT, true, &r->arena, &r->bytes, &r->result,
			      &r->e);
}

static void free_rebuilt(struct rebuilt *r)
{
	buf_fini(&r->bytes);
	arena_fini(&r->arena);
}

static void ours_go_in_stay_and_come_out_again(void)
{
	static const char *const foreign[] = {NULL, "FOREIGN", "EGRESSBOX"};

	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		struct rebuilt in, again, out;
		struct table t;
		struct made m;

		CHECK(made_from(&m, &WORDS()));
		make(&t, foreign[i]);
		CHECK(rebuild(&in, &t.blob, &m.v4));
		CHECK(!in.result.had_ours && !in.result.is_same);
		CHECK(xtblob_has_chain(&in.result.blob, "EGRESSBOX_OUTPUT"));
		CHECK(rebuild(&again, &in.result.blob, &m.v4));
		CHECK(again.result.had_ours && again.result.is_same);
		CHECK(rebuild(&out, &in.result.blob, &none));
		CHECK(out.result.had_ours);
		CHECK_INT(out.result.blob.num_entries, t.blob.num_entries);
		CHECK(span_eq(out.result.blob.entries, t.blob.entries));
		CHECK(memcmp(out.result.blob.hook_entry, t.blob.hook_entry,
			     sizeof t.blob.hook_entry) == 0);
		free_rebuilt(&in);
		free_rebuilt(&again);
		free_rebuilt(&out);
		made_free(&m);
	}
}

static void origins_say_which_entries_were_there(void)
{
	struct rebuilt in;
	struct table t;
	struct made m;
	size_t old = 0;

	CHECK(made_from(&m, &WORDS()));
	make(&t, "FOREIGN");
	CHECK(rebuild(&in, &t.blob, &m.v4));
	CHECK_INT(in.result.origins[0], SIZE_MAX);
	for (size_t i = 0; i < in.result.blob.num_entries; i++)
		if (in.result.origins[i] != SIZE_MAX)
			CHECK_INT(in.result.origins[i], old++);
	CHECK_INT(old, t.blob.num_entries);
	free_rebuilt(&in);
	made_free(&m);
}

static void what_others_wrote_to_jump_to_ours_goes_with_it(void)
{
	struct rebuilt out;
	struct table t;

	make(&t, "EGRESSBOX_OLD");
	CHECK(rebuild(&out, &t.blob, &none));
	/* The jump, the chain's head and its return. */
	CHECK_INT(out.result.blob.num_entries, t.blob.num_entries - 3);
	CHECK(!xtblob_has_chain(&out.result.blob, "EGRESSBOX_"));
	free_rebuilt(&out);
}

/* Each byte set to something else: read within bounds, accepted or refused. */
static void any_byte_may_be_wrong(void)
{
	struct table t;
	struct made m;

	CHECK(made_from(&m, &WORDS()));
	make(&t, "FOREIGN");
	for (size_t i = 0; i < t.bytes.len; i++) {
		static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

		for (size_t j = 0; j < sizeof values; j++) {
			char *guarded = unit_guarded(t.storage, t.bytes.len);
			struct xtblob blob = t.blob;
			struct rebuilt r;

			guarded[i] = (char)values[j];
			blob.entries.ptr = guarded;
			if (!rebuild(&r, &blob, &m.v4))
				CHECK(r.e.text[0] != '\0');
			free_rebuilt(&r);
			unit_guarded_free(guarded, t.bytes.len);
		}
	}
	made_free(&m);
}

static void a_table_that_is_none_is_refused_in_words(void)
{
	struct rebuilt r;
	struct table t;

	make(&t, NULL);
	t.blob.num_entries++;
	CHECK(!rebuild(&r, &t.blob, &none));
	CHECK_TEXT(r.e.text, "the table in the kernel is not understood: no end at byte 480");
	free_rebuilt(&r);
	t.blob.num_entries -= 2;
	CHECK(!rebuild(&r, &t.blob, &none));
	CHECK_TEXT(r.e.text, "the table in the kernel is not understood: more rules than were "
			     "promised at byte 304");
	free_rebuilt(&r);
	t.blob.num_entries++;
	t.blob.hook_entry[0] = 8;
	CHECK(!rebuild(&r, &t.blob, &none));
	CHECK_TEXT(r.e.text, "the table in the kernel is not understood: a hook begins in the "
			     "middle of a rule at byte 8");
	free_rebuilt(&r);
	t.blob.num_entries = 0;
	CHECK(!rebuild(&r, &t.blob, &none));
	free_rebuilt(&r);
}

UNIT_TESTS(TEST(ours_go_in_stay_and_come_out_again), TEST(origins_say_which_entries_were_there),
	   TEST(what_others_wrote_to_jump_to_ours_goes_with_it), TEST(any_byte_may_be_wrong),
	   TEST(a_table_that_is_none_is_refused_in_words))
