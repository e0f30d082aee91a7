#include "../unit.h"

#include "base/alloc.h"
#include "base/textedit.h"

/* Rows: OFFSET, REMOVED, INSERTED, BELONGS_BEHIND */
#define EDIT(at, count, text, behind)                                                              \
	{                                                                                          \
		.offset = (at), .removed = (count), .inserted = {(text), sizeof(text) - 1},        \
		.belongs_behind = (behind)                                                         \
	}

static void makes_all_changes_at_once(void)
{
	static const struct {
		const char *label, *text, *expected;
		struct textedit edits[4];
		size_t count;
	} rows[] = {
		{"none", "abc", "abc", {EDIT(0, 0, "", false)}, 0},
		{"into nothing", "", "x", {EDIT(0, 0, "x", false)}, 1},
		{"at both ends",
		 "abc",
		 "xabcy",
		 {EDIT(0, 0, "x", false), EDIT(3, 0, "y", false)},
		 2},
		{"in the middle",
		 "abc",
		 "axbyc",
		 {EDIT(1, 0, "x", false), EDIT(2, 0, "y", false)},
		 2},
		{"removed", "abcd", "ad", {EDIT(1, 2, "", false)}, 1},
		{"all removed", "abcd", "", {EDIT(0, 4, "", false)}, 1},
		{"replaced", "abcd", "axyzd", {EDIT(1, 2, "xyz", false)}, 1},
		{"side by side",
		 "abcd",
		 "xyd",
		 {EDIT(0, 1, "x", false), EDIT(1, 2, "y", false)},
		 2},
		{"out of order",
		 "abcd",
		 "1a2b3c4d",
		 {EDIT(3, 0, "4", false), EDIT(1, 0, "2", false), EDIT(2, 0, "3", false),
		  EDIT(0, 0, "1", false)},
		 4},
		{"at one place, as added",
		 "ab",
		 "a123b",
		 {EDIT(1, 0, "1", false), EDIT(1, 0, "2", false), EDIT(1, 0, "3", false)},
		 3},
		{"at one place, by what they belong to",
		 "ab",
		 "a1234b",
		 {EDIT(1, 0, "3", true), EDIT(1, 0, "1", false), EDIT(1, 0, "4", true),
		  EDIT(1, 0, "2", false)},
		 4},
		{"removed by two",
		 "abcdef",
		 "af",
		 {EDIT(1, 3, "", false), EDIT(2, 3, "", false)},
		 2},
		{"removed within",
		 "abcdef",
		 "af",
		 {EDIT(2, 1, "", false), EDIT(1, 4, "", false)},
		 2},
		{"removed by three",
		 "abcdef",
		 "xyzf",
		 {EDIT(4, 1, "z", false), EDIT(0, 5, "x", false), EDIT(3, 1, "y", false)},
		 3},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct textedits edits;
		char storage[100];
		struct buf out;

		textedit_init(&edits);
		for (size_t e = 0; e < rows[i].count; e++)
			textedit_add(&edits, rows[i].edits[e]);
		textedit_sort(&edits);
		BUF_INIT_ARRAY(&out, storage);
		buf_add_cstr(&out, "<");
		textedit_apply(&edits, span_from_cstr(rows[i].text), &out);
		CHECK_ROW(rows[i].label, strcmp(storage + 1, rows[i].expected) == 0);
		CHECK_INT(storage[0], '<');
		textedit_fini(&edits);
	}
}

struct pieces {
	size_t left; /* that are taken */
	char text[100];
};

static bool take(void *context, struct span piece)
{
	struct pieces *p = context;

	if (p->left == 0)
		return false;
	p->left--;
	sprintf(p->text + strlen(p->text), "[%.*s]", SPAN_ARG(piece));
	return true;
}

static void writes_pieces_until_one_is_not_taken(void)
{
	static const char *const expected[] = {"",	     "[ab]",	      "[ab][X]",
					       "[ab][X][d]", "[ab][X][d][Y]", "[ab][X][d][Y][e]"};
	struct textedits edits;

	textedit_init(&edits);
	textedit_add(&edits, (struct textedit)EDIT(2, 1, "X", false));
	textedit_add(&edits, (struct textedit)EDIT(4, 0, "Y", false));
	for (size_t n = 0; n < sizeof expected / sizeof expected[0]; n++) {
		struct pieces p = {.left = n};

		CHECK_INT(textedit_write(&edits, SPAN("abcde"), take, &p), n == 5);
		CHECK_TEXT(p.text, expected[n]);
	}
	textedit_fini(&edits);
}

static void many_fit(void)
{
	struct textedits edits;
	struct buf out;

	textedit_init(&edits);
	for (size_t i = 1000; i > 0; i--)
		textedit_add(&edits, (struct textedit){.offset = 0, .inserted = SPAN("x")});
	textedit_sort(&edits);
	buf_init_heap(&out, 2000);
	textedit_apply(&edits, SPAN("y"), &out);
	CHECK_INT(out.len, 1001);
	CHECK_INT(out.ptr[1000], 'y');
	buf_fini(&out);
	textedit_fini(&edits);
}

static void says_when_some_are_missing(void)
{
	for (int64_t n = 0; n < 4; n++) {
		struct textedits edits;
		bool is_short;

		textedit_init(&edits);
		alloc_fail_after(n);
		for (size_t i = 0; i < 100; i++)
			textedit_add(&edits, (struct textedit){.offset = i});
		alloc_fail_after(-1);
		is_short = edits.count < 100;
		CHECK_INT(edits.is_out_of_memory, is_short);
		CHECK(is_short || n == 3);
		textedit_fini(&edits);
		CHECK(!edits.is_out_of_memory && edits.count == 0);
	}
}

UNIT_TESTS(TEST(makes_all_changes_at_once), TEST(writes_pieces_until_one_is_not_taken),
	   TEST(many_fit), TEST(says_when_some_are_missing))
