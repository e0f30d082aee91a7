#include "document.h"

#include "base/alloc.h"
#include "dump.h"
#include "ydoc/yemit.h"

enum way {
	LINES,
	ENTRIES,
};

static void emit(enum way way, const struct ydoc_node *root, const struct yemit_style *style,
		 unsigned column, struct buf *out)
{
	static const char blanks[] = "                ";
	struct arena arena;

	arena_init(&arena, 64 << 20);
	if (way == LINES)
		yemit_lines(out, root, style, column, &arena);
	else
		yemit_entries(out, root, style, span_of(blanks, column), &arena);
	arena_fini(&arena);
}

struct row {
	const char *text, *expected;
};

static void check_rows(const struct row *rows, size_t count, enum way way,
		       const struct yemit_style *style, unsigned column)
{
	for (size_t i = 0; i < count; i++) {
		struct document d;
		struct buf out;

		buf_init_heap(&out, 1 << 20);
		document_open(&d, span_from_cstr(rows[i].text));
		emit(way, d.root, style, column, &out);
		if (out.truncated || strcmp(buf_cstr(&out), rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  buf_cstr(&out), rows[i].expected);
		document_close(&d);
		buf_fini(&out);
	}
}
#define CHECK_ROWS(rows, way, style, column)                                                       \
	check_rows((rows), sizeof(rows) / sizeof(rows)[0], (way), (style), (column))

static void lines_have_the_default_style_when_nothing_says_another(void)
{
	static const struct row rows[] = {
		{"{a: b}", "a: b\n"},
		{"[a, b]", "- a\n- b\n"},
		{"{}", ""},
		{"[]", ""},
		{"{a: {}, b: [], c: [{}, []]}", "a: {}\nb: []\nc:\n- {}\n- []\n"},
		{"{a: {b: {c: d}}, e: f}", "a:\n  b:\n    c: d\ne: f\n"},
		{"{a: [b, {c: [d], e: f}]}", "a:\n- b\n- c:\n  - d\n  e: f\n"},
		{"[[a, [b]], c]", "- - a\n  - - b\n- c\n"},
		{"{a: '80', b: 80, c: , d: ~, e: 'x: y', f: yes}",
		 "a: \"80\"\nb: 80\nc: null\nd: null\ne: \"x: y\"\nf: yes\n"},
		{"{'80': a, 80: b, 'x y': c, ~: d}", "\"80\": a\n80: b\n\"x y\": c\nnull: d\n"},
	};

	CHECK_ROWS(rows, LINES, &yemit_default_style, 0);
}

static void lines_have_the_style_that_is_said(void)
{
	static const struct yemit_style wide = {.eol = {"\r\n", 2},
						.map_step = 4,
						.dash_step = 2,
						.item_step = 3,
						.has_literals = true};
	static const struct row rows[] = {
		{"{a: {b: c}, d: [{e: f, g: [h]}, i]}",
		 "     a:\r\n         b: c\r\n     d:\r\n       -  e: f\r\n          g:\r\n"
		 "            -  h\r\n       -  i\r\n"},
		{"[[a, b], {}]", "     -  -  a\r\n        -  b\r\n     -  {}\r\n"},
		{"{a: \"x\\ny\\n\"}", "     a: |\r\n         x\r\n         y\r\n"},
	};

	CHECK_ROWS(rows, LINES, &wide, 5);
}

static void texts_of_lines_are_lines_where_that_is_said(void)
{
	struct yemit_style style = yemit_default_style;
	static const struct row rows[] = {
		{"{a: \"x\\ny\\n\", b: c}", "a: |\n  x\n  y\nb: c\n"},
		{"{a: \"x\\ny\", b: c}", "a: |-\n  x\n  y\nb: c\n"},
		{"{a: \"x\\n\\n\\n\", b: c}", "a: |+\n  x\n\n\nb: c\n"},
		{"{a: \"x\\n\\n  y\\n\", b: c}", "a: |\n  x\n\n    y\nb: c\n"},
		{"{a: [\"x\\ny\\n\"]}", "a:\n- |\n  x\n  y\n"},
		{"{a: \" x\\ny\\n\"}", "a: \" x\\ny\\n\"\n"},
		{"{a: \"\\n\"}", "a: \"\\n\"\n"},
		{"{a: x\n  y}", "a: x y\n"},
		/* As a key it is quoted. */
		{"{\"x\\ny\\n\": a}", "\"x\\ny\\n\": a\n"},
	};

	style.has_literals = true;
	CHECK_ROWS(rows, LINES, &style, 0);
}

static void texts_of_lines_are_in_quotes_else(void)
{
	static const struct row rows[] = {{"{a: \"x\\ny\\n\"}", "a: \"x\\ny\\n\"\n"}};

	CHECK_ROWS(rows, LINES, &yemit_default_style, 0);
}

static void keys_that_are_long_or_no_text_are_announced(void)
{
	static const struct row rows[] = {
		{"{? [a, {b: c}] : d}", "? [a, {b: c}]\n: d\n"},
		{"{? {} : {a: b}}", "? {}\n:\n  a: b\n"},
		{"{a: {? [b] : [c]}}", "a:\n  ? [b]\n  :\n  - c\n"},
	};
	static const struct row in_brackets[] = {
		{"{? [a, {b: c}] : d}", "? [a, {b: c}]: d"},
	};
	char text[700], expected[1400];
	struct row row = {text, expected};

	CHECK_ROWS(rows, LINES, &yemit_default_style, 0);
	CHECK_ROWS(in_brackets, ENTRIES, &yemit_default_style, 0);
	sprintf(text, "{? x%0500d : {a: b}}", 0);
	sprintf(expected, "? x%0500d\n:\n  a: b\n", 0);
	check_rows(&row, 1, LINES, &yemit_default_style, 0);
	sprintf(expected, "? x%0500d: {a: b}", 0);
	check_rows(&row, 1, ENTRIES, &yemit_default_style, 0);
}

static void brackets_hold_entries_in_one_line_or_many(void)
{
	static const struct yemit_style many = {
		.eol = {"\n", 1}, .map_step = 2, .item_step = 2, .indent_step = {"\t", 1}};
	static const struct yemit_style json = {
		.eol = {"\r\n", 2}, .is_json = true, .indent_step = {"    ", 4}};
	static const struct yemit_style tight = {
		.eol = {"\n", 1}, .is_json = true, .is_tight = true, .is_inline = true};
	static const struct row one_line[] = {
		{"{a: [b, {c: 'd e'}], f: {}}", "a: [b, {c: \"d e\"}], f: {}"},
		{"[a, [], [b]]", "a, [], [b]"},
		{"{}", ""},
		{"[\"x\\ny\\n\", 'a,b', 2001-01-01]", "\"x\\ny\\n\", \"a,b\", \"2001-01-01\""},
	};
	static const struct row many_lines[] = {
		{"{a: [b, {c: d}], f: {}}",
		 "a: [\n  \tb,\n  \t{\n  \t\tc: d\n  \t}\n  ],\n  f: {}"},
	};
	static const struct row json_lines[] = {
		{"{a: [b, 1], f: {}, n: {y: no}}",
		 "\"a\": [\r\n      \"b\",\r\n      1\r\n  ],\r\n  \"f\": {},\r\n"
		 "  \"n\": {\r\n      \"y\": false\r\n  }"},
	};
	static const struct row json_tight[] = {
		{"{a: [b, 0x10], 80: ~, ~: yes}", "\"a\":[\"b\",\"0x10\"],\"80\":null,\"~\":true"},
	};

	CHECK_ROWS(one_line, ENTRIES, &yemit_default_style, 0);
	CHECK_ROWS(many_lines, ENTRIES, &many, 2);
	CHECK_ROWS(json_lines, ENTRIES, &json, 2);
	CHECK_ROWS(json_tight, ENTRIES, &tight, 0);
}

static void separators_are_commas_and_what_the_style_says(void)
{
	struct yemit_style style = yemit_default_style;
	char storage[100];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	yemit_separator(&out, &style, SPAN("  "));
	style.is_tight = true;
	yemit_separator(&out, &style, SPAN("  "));
	style.is_inline = false;
	yemit_separator(&out, &style, SPAN("  "));
	CHECK_TEXT(storage, ", ,,\n  ");
}

static void aliases_and_merges_are_written_out(void)
{
	static const struct row rows[] = {
		{"x: &x [a]\ny: *x\nz: [*x]\n", "x:\n- a\ny:\n- a\nz:\n- - a\n"},
		{"x: &k a\n*k : b\n", "x: a\na: b\n"},
		/* What is a mapping's own goes first and counts; of merged ones the earlier. */
		{"x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3, c: 4}\n",
		 "x:\n  a: 1\n  b: 2\ny:\n  b: 3\n  c: 4\n  a: 1\n"},
		{"y: {<<: [{a: 1, b: 2}, {b: 3, c: 4}]}\n", "y:\n  a: 1\n  b: 2\n  c: 4\n"},
		{"y: {<<: {a: 1, <<: {b: 2, a: 3}}}\n", "y:\n  a: 1\n  b: 2\n"},
		{"y: [{<<: {a: 1}}, {<<: {}}]\n", "y:\n- a: 1\n- {}\n"},
		{"<<: {a: 1}\n", "a: 1\n"},
		{"y: {<<: 1, a: 2, '<<': 3}\n", "y:\n  a: 2\n  \"<<\": 3\n"},
		/* Repeated keys are the mapping's own business. */
		{"{a: 1, a: 2}\n", "a: 1\na: 2\n"},
	};

	CHECK_ROWS(rows, LINES, &yemit_default_style, 0);
}

static void a_mapping_that_merges_nothing_is_its_own_flat_form(void)
{
	const struct ydoc_node *flat, *node;
	struct arena arena;
	struct document d;

	arena_init(&arena, 1 << 20);
	document_open(&d, SPAN("a: {b: c}\nd: {<<: {e: f}}\ng: [h]\n"));
	node = document_at(&d, "a");
	CHECK(yemit_flatten(node, &arena) == node);
	node = document_at(&d, "g");
	CHECK(yemit_flatten(node, &arena) == node);
	node = document_at(&d, "d");
	flat = yemit_flatten(node, &arena);
	CHECK(flat != NULL && flat != node && flat->items->next == NULL);
	CHECK_SPAN(flat->items->key->text, "e");
	alloc_fail_after(0);
	arena_fini(&arena);
	CHECK(yemit_flatten(node, &arena) == NULL);
	alloc_fail_after(-1);
	document_close(&d);
	arena_fini(&arena);
}

static void unquote(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++)
		if (*text != '"')
			*to++ = *text;
	*to = '\0';
}

/* Every style gives a text of the same tree. */
static void what_is_written_is_read_back(void)
{
	static const char text[] =
		"a: {b: [c, {d: [e, f], g: {h: i}}, [], {}, [[j]]]}\n"
		"? [k, {l: m}]\n: 'n o'\n"
		"p: |\n  q\n\n   r\n"
		"s: |+\n  t\n\n"
		"u: [yes, null, 80, '80', \"\\u0085\\x01\", -a, '- ', '#', \"it's\"]\n"
		"'': ''\n"
		"v: [2001-01-01, 1:30, x:y, '[', '{a: b}']\n";
	char before[2000], after[2000];
	struct document d;
	struct buf one;

	document_open(&d, span_from_cstr(text));
	BUF_INIT_ARRAY(&one, before);
	dump(d.root, &one);
	for (unsigned i = 0; i < 96; i++) {
		struct yemit_style style = {
			.eol = i % 2 != 0 ? SPAN("\r\n") : SPAN("\n"),
			.map_step = 1 + i % 4,
			.dash_step = i % 3,
			.item_step = 2 + i % 5,
			.is_inline = i % 8 < 4,
			.indent_step = SPAN("  "),
		};
		enum way way = i < 48 ? LINES : ENTRIES;
		struct document again;
		struct buf out, two;

		buf_init_heap(&out, 1 << 20);
		buf_add_cstr(&out, way == ENTRIES ? "{" : "");
		emit(way, d.root, &style, i % 6, &out);
		buf_add_cstr(&out, way == ENTRIES ? "}" : "");
		document_open(&again, buf_span(&out));
		BUF_INIT_ARRAY(&two, after);
		dump(again.root, &two);
		/* In brackets, plain text that others may read otherwise is quoted. */
		if (way == ENTRIES) {
			unquote(after);
			unquote(before);
		}
		CHECK_TEXT(after, before);
		document_close(&again);
		buf_fini(&out);
	}
	document_close(&d);
}

static void bounds_are_kept(void)
{
	struct buf text, out;
	struct document d;

	/* Ten aliases, each of ten ...: a thousand million. */
	buf_init_heap(&text, 1 << 20);
	buf_add_cstr(&text, "- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 5; i++) {
		buf_printf(&text, "- &a%d [", i);
		for (int j = 0; j < 10; j++)
			buf_printf(&text, "%s*a%d ", j > 0 ? ", " : "", i - 1);
		buf_add_cstr(&text, "]\n");
	}
	document_open(&d, buf_span(&text));
	buf_init_heap(&out, 100000);
	emit(LINES, d.root, &yemit_default_style, 0, &out);
	CHECK(out.truncated);
	document_close(&d);

	/* Deeper than what a reader takes, by aliases. */
	buf_clear(&text);
	buf_add_cstr(&text, "- &a0 [x]\n");
	for (int i = 1; i < 100; i++)
		buf_printf(&text, "- &a%d [*a%d ]\n", i, i - 1);
	document_open(&d, buf_span(&text));
	buf_fini(&out);
	buf_init_heap(&out, 10 << 20);
	emit(LINES, d.root, &yemit_default_style, 0, &out);
	CHECK(out.truncated);
	document_close(&d);
	buf_fini(&text);
	buf_fini(&out);
}

static void merges_that_are_too_many_are_refused(void)
{
	struct buf text, out;
	struct document d;

	buf_init_heap(&text, 1 << 20);
	buf_add_cstr(&text, "a: &a {");
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "k%d: 0, ", i);
	buf_add_cstr(&text, "}\nb: {<<: *a, <<: *a}\n");
	document_open(&d, buf_span(&text));
	buf_init_heap(&out, 10 << 20);
	emit(LINES, d.root, &yemit_default_style, 0, &out);
	CHECK(out.truncated);
	document_close(&d);
	buf_fini(&text);
	buf_fini(&out);
}

static void survives_every_lack_of_memory(void)
{
	struct document d;
	bool is_done = false;

	document_open(&d, SPAN("a: {<<: {b: [c]}}\nd: {<<: [{e: f}]}\n"));
	for (int64_t n = 0; !is_done; n++) {
		struct buf out;

		CHECK(n < 100);
		buf_init_heap(&out, 1 << 20);
		alloc_fail_after(n);
		emit(LINES, d.root, &yemit_default_style, 0, &out);
		alloc_fail_after(-1);
		is_done = !out.truncated;
		if (is_done)
			CHECK_TEXT(buf_cstr(&out), "a:\n  b:\n  - c\nd:\n  e: f\n");
		buf_fini(&out);
	}
	document_close(&d);
}

UNIT_TESTS(TEST(lines_have_the_default_style_when_nothing_says_another),
	   TEST(lines_have_the_style_that_is_said),
	   TEST(texts_of_lines_are_lines_where_that_is_said),
	   TEST(texts_of_lines_are_in_quotes_else),
	   TEST(keys_that_are_long_or_no_text_are_announced),
	   TEST(brackets_hold_entries_in_one_line_or_many),
	   TEST(separators_are_commas_and_what_the_style_says),
	   TEST(aliases_and_merges_are_written_out),
	   TEST(a_mapping_that_merges_nothing_is_its_own_flat_form),
	   TEST(what_is_written_is_read_back), TEST(bounds_are_kept),
	   TEST(merges_that_are_too_many_are_refused), TEST(survives_every_lack_of_memory))
