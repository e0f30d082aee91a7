#include "../unit.h"

#include "ydoc/ybuild.h"

static const struct ydoc_pos here = {.line = 3, .col = 4, .offset = 20};
static const struct span no_anchor = {NULL, 0};

/* A build over an arena of `size` bytes; both end with arena_fini. */
static void start(struct ybuild *b, struct arena *arena, struct yproblem *problem, size_t size)
{
	arena_init(arena, size);
	*problem = (struct yproblem){.pos = {.line = 0}};
	ybuild_init(b, arena, problem);
}

static bool add_scalar(struct ybuild *b, struct ydoc_pos pos, struct span text, bool is_plain,
		       struct span anchor)
{
	struct ydoc_node scalar = {.pos = pos, .is_plain = is_plain};

	scalar.text = text;
	return ybuild_add_scalar(b, &scalar, anchor);
}

static bool open_collection(struct ybuild *b, struct ydoc_pos pos, enum ydoc_kind kind,
			    struct span anchor)
{
	struct ydoc_node collection = {.pos = pos, .kind = (uint8_t)kind};

	return ybuild_open(b, &collection, anchor);
}

static void hangs_entries_where_they_belong(void)
{
	const struct ydoc_item *item;
	struct yproblem problem;
	struct arena arena;
	struct ybuild b;

	start(&b, &arena, &problem, 1 << 16);
	CHECK(ybuild_innermost(&b) == NULL);
	CHECK(open_collection(&b, here, YDOC_MAPPING, no_anchor));
	CHECK(add_scalar(&b, here, SPAN("a"), true, no_anchor));
	CHECK(open_collection(&b, here, YDOC_SEQUENCE, no_anchor));
	CHECK(ybuild_innermost(&b)->node->kind == YDOC_SEQUENCE);
	CHECK(add_scalar(&b, here, SPAN("1"), true, no_anchor));
	CHECK(add_scalar(&b, here, SPAN("2"), false, no_anchor));
	ybuild_close(&b, 0);
	CHECK(add_scalar(&b, here, SPAN("b"), true, no_anchor));
	CHECK(add_scalar(&b, here, SPAN("3"), true, no_anchor));
	ybuild_close(&b, 0);
	CHECK(ybuild_innermost(&b) == NULL);

	CHECK(b.root->kind == YDOC_MAPPING);
	item = b.root->items;
	CHECK_SPAN(item->key->text, "a");
	CHECK_SPAN(item->value->items->value->text, "1");
	CHECK(item->value->items->key == NULL);
	CHECK(item->value->items->value->is_plain);
	CHECK(!item->value->items->next->value->is_plain);
	CHECK(item->value->items->next->next == NULL);
	CHECK_SPAN(item->next->key->text, "b");
	CHECK_SPAN(item->next->value->text, "3");
	CHECK(item->next->next == NULL);
	CHECK_INT(item->next->value->pos.offset, 20);
	arena_fini(&arena);
}

static void an_alias_is_the_node_of_its_anchor(void)
{
	struct yproblem problem;
	struct arena arena;
	struct ybuild b;

	start(&b, &arena, &problem, 1 << 16);
	CHECK(open_collection(&b, here, YDOC_SEQUENCE, no_anchor));
	CHECK(add_scalar(&b, here, SPAN("x"), true, SPAN("name")));
	CHECK(ybuild_add_alias(&b, here, 0, SPAN("name")));
	ybuild_close(&b, 0);
	CHECK(b.root->items->value == b.root->items->next->value);
	arena_fini(&arena);
}

static void says_where_and_why_it_fails(void)
{
	struct yproblem problem;
	struct arena arena;
	struct ybuild b;

	start(&b, &arena, &problem, 1 << 16);
	CHECK(!ybuild_add_alias(&b, here, 0, SPAN("name")));
	CHECK_TEXT(problem.error.text, "*name refers to no anchor before it");
	CHECK_INT(problem.pos.line, 3);
	CHECK_INT(problem.pos.col, 4);

	start(&b, &arena, &problem, 1 << 16);
	CHECK(open_collection(&b, here, YDOC_SEQUENCE, SPAN("name")));
	CHECK(!ybuild_add_alias(&b, here, 0, SPAN("name")));
	CHECK_TEXT(problem.error.text, "*name refers to what it is part of");
	arena_fini(&arena);

	start(&b, &arena, &problem, 1 << 20);
	for (int i = 0; i < YDOC_MAX_DEPTH; i++)
		CHECK(open_collection(&b, here, YDOC_SEQUENCE, no_anchor));
	CHECK(!open_collection(&b, here, YDOC_SEQUENCE, no_anchor));
	CHECK_TEXT(problem.error.text, "nested deeper than 100 levels");
	arena_fini(&arena);
}

static void counts_what_aliases_of_aliases_stand_for(void)
{
	struct yproblem problem;
	struct arena arena;
	struct ybuild b;
	bool ok = true;
	int level = 0;

	/* Each level is twice the one before, 1, 3, 7 ... nodes: at the 18th it is too much. */
	start(&b, &arena, &problem, 1 << 20);
	CHECK(open_collection(&b, here, YDOC_SEQUENCE, no_anchor));
	CHECK(add_scalar(&b, here, SPAN("x"), true, SPAN("a")));
	while (ok && level < 100) {
		char last = (char)('a' + level), next = (char)('a' + ++level);

		CHECK(open_collection(&b, here, YDOC_SEQUENCE, span_of(&next, 1)));
		for (int i = 0; i < 2 && ok; i++)
			ok = ybuild_add_alias(&b, here, 0, span_of(&last, 1));
		if (ok)
			ybuild_close(&b, 0);
	}
	CHECK_TEXT(problem.error.text, "aliases stand for more than 1000000 nodes");
	CHECK_INT(level, 18);
	arena_fini(&arena);
}

static void fails_when_the_arena_is_full(void)
{
	for (size_t size = 0; size < 1024; size += 16) {
		struct yproblem problem;
		struct arena arena;
		struct ybuild b;
		bool ok;

		start(&b, &arena, &problem, size);
		ok = open_collection(&b, here, YDOC_SEQUENCE, SPAN("a")) &&
		     add_scalar(&b, here, SPAN("x"), true, SPAN("b")) &&
		     ybuild_add_alias(&b, here, 0, SPAN("b"));
		CHECK(ok || strcmp(problem.error.text,
				   "document is too large for the memory there is") == 0);
		if (size == 0)
			CHECK(!ok);
		if (size == 1008)
			CHECK(ok);
		arena_fini(&arena);
	}
}

UNIT_TESTS(TEST(hangs_entries_where_they_belong), TEST(an_alias_is_the_node_of_its_anchor),
	   TEST(says_where_and_why_it_fails), TEST(counts_what_aliases_of_aliases_stand_for),
	   TEST(fails_when_the_arena_is_full))
