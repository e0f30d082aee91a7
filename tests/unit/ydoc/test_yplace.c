#include "document.h"

#include "ydoc/yplace.h"

/* Offset of a mark in a text. */
static size_t find(const char *text, const char *mark)
{
	const char *found = strstr(text, mark);

	CHECK_ROW(mark, found != NULL);
	return (size_t)(found - text);
}

static void lines_end_as_those_of_yaml(void)
{
	static const char text[] = "ab\ncd\r\nef\rgh\xc2\x85ij\xe2\x80\xa8kl\xe2\x80\xa9mn";
	static const struct {
		const char *first;
		const char *next; /* NULL: the end */
	} lines[] = {{"ab", "cd"}, {"cd", "ef"}, {"ef", "gh"}, {"gh", "ij"},
		     {"ij", "kl"}, {"kl", "mn"}, {"mn", NULL}};
	char *guarded = unit_guarded(text, sizeof text - 1);
	struct span s = span_of(guarded, sizeof text - 1);

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		size_t start = find(text, lines[i].first);
		size_t end = lines[i].next != NULL ? find(text, lines[i].next) : s.len;

		for (size_t at = start; at < start + 2; at++) {
			CHECK_INT(yplace_line_start(s, at), start);
			CHECK_INT(yplace_line_end(s, at), end);
			CHECK_INT(yplace_column(s, at), at - start);
		}
	}
	CHECK_INT(yplace_line_end(s, s.len), s.len);
	unit_guarded_free(guarded, sizeof text - 1);
}

static void what_only_looks_like_a_line_end_is_none(void)
{
	struct span s = SPAN("\x85\xa8\xa9 \xc3\x85 \xe2\x82\xa8 \xe2\x80\xa7 \xc2\xa0");

	for (size_t at = 0; at <= s.len; at++)
		CHECK_INT(yplace_line_start(s, at), 0);
	CHECK_INT(yplace_line_end(s, 0), s.len);
}

static void a_mark_before_the_first_line_is_not_in_it(void)
{
	struct span s = SPAN("\xef\xbb\xbf ab\n\xef\xbb\xbf cd\n");

	CHECK_INT(yplace_line_start(s, 5), 3);
	CHECK_INT(yplace_line_start(s, 3), 3);
	CHECK_INT(yplace_column(s, 4), 1);
	CHECK(yplace_is_first(s, 4));
	/* On another line YAML counts it. */
	CHECK_INT(yplace_column(s, 11), 2);
	CHECK(!yplace_is_first(s, 11));
}

static void only_blanks_may_stand_before_what_is_first(void)
{
	struct span s = SPAN("a b\n \t c\n\n-");

	CHECK(yplace_is_first(s, 0));
	CHECK(!yplace_is_first(s, 1));
	CHECK(!yplace_is_first(s, 2));
	CHECK(yplace_is_first(s, 4));
	CHECK(yplace_is_first(s, 7));
	CHECK(!yplace_is_first(s, 8));
	CHECK(yplace_is_first(s, 9));
	CHECK(yplace_is_first(s, s.len - 1));
	CHECK(!yplace_is_first(s, s.len));
}

static void columns_are_characters(void)
{
	CHECK_INT(yplace_column(SPAN("a\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80x"), 11), 3);
}

static void line_ends_are_those_of_the_next_line_or_else_of_the_last(void)
{
	CHECK_SPAN(yplace_eol(SPAN("a\nb\r\nc"), 0), "\n");
	CHECK_SPAN(yplace_eol(SPAN("a\nb\r\nc"), 2), "\r\n");
	CHECK_SPAN(yplace_eol(SPAN("a\nb\r\nc"), 5), "\r\n");
	CHECK_SPAN(yplace_eol(SPAN("a\r\nb\nc"), 5), "\n");
	CHECK_SPAN(yplace_eol(SPAN("a\r\nb"), 4), "\r\n");
	CHECK_SPAN(yplace_eol(SPAN("a"), 1), "\n");
	CHECK_SPAN(yplace_eol(SPAN(""), 0), "\n");
	CHECK_SPAN(yplace_eol(SPAN("\n"), 0), "\n");
}

static const struct ydoc_item *item_at(const struct ydoc_node *node, unsigned index)
{
	const struct ydoc_item *item = node->items;

	while (index-- > 0)
		item = item->next;
	return item;
}

static void entries_begin_and_end_where_they_stand(void)
{
	static const struct {
		const char *text, *path;
		unsigned index;
		const char *expected; /* the entry's text */
	} rows[] = {
		{"a: 1 # c\nb: 2\n", "", 0, "a: 1"},
		{"a: 1\nb: 'x\n  y' # c\n", "", 1, "b: 'x\n  y'"},
		{"a: {b: c, d: [e]}\n", "a", 1, "d: [e]"},
		{"a: {b: c, d: [e]}\n", "a.d", 0, "e"},
		{"- a\n- b: c\n  d: e\n- f\n", "", 1, "- b: c\n  d: e"},
		{"- a\n# -\n\n- b\n", "", 1, "- b"},
		{"-   - a\n    - b\n- c\n", "0", 0, "- a"},
		{"-   - a\n    - b\n- c\n", "0", 1, "- b"},
		{"- - a\n  - b\n- c\n", "", 1, "- c"},
		{"a:\n- b\n-\n- c\n", "a", 1, "-"},
		{"a:\n- b\n-\n- c\n", "a", 2, "- c"},
		{"- |\n  - x\n\n- b\n", "", 1, "- b"},
		{"- |\n  - x\n\n- b\n", "", 0, "- |\n  - x\n\n"},
		{"- \"x\n- y\"\n- b\n", "", 1, "- b"},
		{"? a\n: b\n? [c]\n: d\ne: f\n", "", 0, "? a\n: b"},
		{"? a\n: b\n? [c]\n: d\ne: f\n", "", 1, "? [c]\n: d"},
		{"? a\n: b\n?\n  c # d\n:\n  e\nf: g\n", "", 1, "?\n  c # d\n:\n  e"},
		{"? a\n\n# c\n? b\nc: d\n", "", 0, "? a"},
		{"? a\n\n# c\n? b\nc: d\n", "", 1, "? b"},
		{"? a\n\n# c\n? b\nc: d\n", "", 2, "c: d"},
		{"- ? a\n- b\n", "", 0, "- ? a"},
		{"- ? a\n- b\n", "", 1, "- b"},
		{"? a # c\n", "", 0, "? a"},
		{"a:\nb: # c\nc: d\n", "", 0, "a:"},
		{"a:\nb: # c\nc: d\n", "", 1, "b:"},
		{"a : \n\nb: c\n", "", 0, "a :"},
		{"{? a : b, ?  c}", "", 0, "? a : b"},
		{"&a b: &c d\n!!str e: !!str f\n", "", 0, "&a b: &c d"},
		{"&a b: &c d\n!!str e: !!str f\n", "", 1, "!!str e: !!str f"},
		{"a: &x 1\nb: *x\n*x : *x\nc: 2\n", "", 1, "b: *x"},
		{"a: &x 1\nb: *x\n*x : *x\nc: 2\n", "", 2, "*x : *x"},
		{"a: &x 1\nb: *x\n*x : *x\nc: 2\n", "", 3, "c: 2"},
		{"- &x 1\n- *x\n- *x\n", "", 2, "- *x"},
		{"[&x 1, *x , 2]", "", 1, "*x"},
		{"[{\"a\": 1}, \"\\u0041b\"]", "", 1, "\"\\u0041b\""},
		{"\xc3\xa9: \xc3\xa9\nb: \xe2\x82\xac\n", "", 1, "b: \xe2\x82\xac"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct ydoc_node *node;
		const struct ydoc_item *item;
		struct document d;
		struct span found;
		size_t start;

		document_open(&d, span_from_cstr(rows[i].text));
		node = document_at(&d, rows[i].path);
		item = item_at(node, rows[i].index);
		start = yplace_entry_start(d.text, node, item);
		CHECK_ROW(rows[i].text, yplace_entry_end(item) >= start);
		found = span_of(d.text.ptr + start, yplace_entry_end(item) - start);
		if (!span_eq(found, span_from_cstr(rows[i].expected)))
			unit_fail(__FILE__, __LINE__, "[%s] %u is [%.*s], not [%s]", rows[i].text,
				  rows[i].index, SPAN_ARG(found), rows[i].expected);
		document_close(&d);
	}
}

/* In the texts, `^` is where lines go. */
struct mark_row {
	const char *text, *path;
	unsigned index;
};

enum place {
	ABOVE,
	BELOW,
	AFTER,
};

static void check_marks(const struct mark_row *rows, size_t count, enum place place)
{
	for (size_t i = 0; i < count; i++) {
		size_t mark = find(rows[i].text, "^"), found;
		const struct ydoc_node *node;
		struct document d;
		char text[200];

		snprintf(text, sizeof text, "%.*s%s", (int)mark, rows[i].text,
			 rows[i].text + mark + 1);
		document_open(&d, span_from_cstr(text));
		node = document_at(&d, rows[i].path);
		if (place == ABOVE)
			found = yplace_above(d.text, node, item_at(node, rows[i].index));
		else if (place == BELOW)
			found = yplace_below(d.text, node);
		else
			found = yplace_after_lines(d.text, item_at(node, rows[i].index));
		if (found != mark)
			unit_fail(__FILE__, __LINE__, "[%s] at %zu", rows[i].text, found);
		document_close(&d);
	}
}
#define CHECK_MARKS(rows, place) check_marks((rows), sizeof(rows) / sizeof(rows)[0], (place))

static void lines_go_above_the_comments_over_an_entry(void)
{
	static const struct mark_row rows[] = {
		{"^a: 1\n", "", 0},
		{"a: 1\n^b: 2\n", "", 1},
		{"^# x\n# y\na: 1\n", "", 0},
		{"a: 1 # x\n^# y\nb: 2\n", "", 1},
		{"a: 1\n# x\n\n^b: 2\n", "", 1},
		{"a:\n^  # x\n  # y\n  b: 1\n", "a", 0},
		{"a:\n# x\n^  b: 1\n", "a", 0},
		{"a:\n    # x\n^  b: 1\n", "a", 0},
		{"a:\n^- b\n", "a", 0},
		{"a:\n^# x\n- b\n", "a", 0},
		{"a:\n- b\n^# x\n- c\n", "a", 1},
		{"a: 1\r\n^# x\r\n# y\r\nb: 2\r\n", "", 1},
		{"a: 1\r^# x\rb: 2\r", "", 1},
		{"a: 1\xc2\x85^# x\xc2\x85"
		 "b: 2\n",
		 "", 1},
		{"a: \"x\n# y\"\n^b: 2\n", "", 1},
		{"a: \"x\n# y\"\n^# z\nb: 2\n", "", 1},
		{"a: |\n  # x\n^# y\nb: 2\n", "", 1},
		{"---\n^# x\na: 1\n", "", 0},
		{"\xef\xbb\xbf^# x\na: 1\n", "", 0},
		{"^# x\n?\n  a\n: 1\n", "", 0},
	};

	CHECK_MARKS(rows, ABOVE);
}

static void lines_go_below_the_comments_of_the_last_entry(void)
{
	static const struct mark_row rows[] = {
		{"a: 1\n^", "", 0},
		{"a: 1^", "", 0},
		{"a: 1 # x\n^", "", 0},
		{"a:\n- b\n^c: d\n", "a", 0},
		{"a:\n- b\n  # x\n  # y\n^# z\nc: d\n", "a", 0},
		{"a:\n- b\n^\n  # x\nc: d\n", "a", 0},
		{"a:\n  b:\n    c: d\n^  e: f\n", "a.b", 0},
		{"a:\n  b:\n    c: d\n    # x\n   # y\n^  # z\ne: f\n", "a", 0},
		{"a:\n- b:\n    c: d\n^  # x\n- e\n", "a.0.b", 0},
		{"a:\n- |\n  x\n^\n\nb: c\n", "a", 0},
		{"a:\n- |\n  x\n^ \n\n", "a", 0},
		{"a:\n- |+\n  x\n\n^b: c\n", "a", 0},
		{"a:\n- |-\n  x^", "a", 0},
		{"a:\n- - |-\n    x^", "a", 0},
		{"a:\n- &x !!str >-\n  x^", "a", 0},
		{"a:\n- [b,\n  c] # x\n^d: e\n", "a", 0},
		{"a: &x |\n  y\n\nb:\n- *x\n^", "b", 0},
		{"a:\n-\n^b: c\n", "a", 0},
		{"a:\n- ? b\n  # x\n^c: d\n", "a", 0},
		{"a: 1\r\n^", "", 0},
		{"a:\r\n- |\r\n  x\r\n^\r\nb: c\r\n", "a", 0},
	};

	CHECK_MARKS(rows, BELOW);
}

static void a_text_that_would_get_a_line_end_has_nothing_below_it(void)
{
	static const char *const texts[] = {"- |\n  x",		"- >\n  x",	  "- |+\n  x",
					    "- |2\n  x",	"- !!str |\n  x", "- &a |\n  x",
					    "- - - |\n      x", "- a: |\n    x"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct document d;

		document_open(&d, span_from_cstr(texts[i]));
		CHECK_ROW(texts[i], yplace_below(d.text, d.root) == SIZE_MAX);
		document_close(&d);
	}
}

static void the_lines_of_an_entry_end_before_the_comments_below(void)
{
	static const struct mark_row rows[] = {
		{"a: 1 # x\n^  # y\nb: 2\n", "", 0},
		{"a: 1\nb: 2^", "", 1},
		{"a:\n  b:\n    c: d # x\n^    # y\ne: f\n", "", 0},
		{"a: |\n  x\n^\n# y\nb: 1\n", "", 0},
		{"a: |\n  x\n    \n^\n# y\nb: 1\n", "", 0},
		{"a: |\n  x\n^  \n \nb: 1\n", "", 0},
		{"a: |\n^   \nb: 1\n", "", 0},
		{"a: |1\n x\n  \n^b: 1\n", "", 0},
		{"a: |+\n  x\n\n^b: 1\n", "", 0},
		{"a: &x |\n  y\n\nb: *x # z\n^\nc: d\n", "", 1},
	};

	CHECK_MARKS(rows, AFTER);
}

UNIT_TESTS(TEST(lines_end_as_those_of_yaml), TEST(what_only_looks_like_a_line_end_is_none),
	   TEST(a_mark_before_the_first_line_is_not_in_it),
	   TEST(only_blanks_may_stand_before_what_is_first), TEST(columns_are_characters),
	   TEST(line_ends_are_those_of_the_next_line_or_else_of_the_last),
	   TEST(entries_begin_and_end_where_they_stand),
	   TEST(lines_go_above_the_comments_over_an_entry),
	   TEST(lines_go_below_the_comments_of_the_last_entry),
	   TEST(a_text_that_would_get_a_line_end_has_nothing_below_it),
	   TEST(the_lines_of_an_entry_end_before_the_comments_below))
