#include "document.h"

#include "ydoc/ystyle.h"

static void lines_are_as_the_sample_has_them(void)
{
	static const struct {
		const char *text, *parent, *sample;
		unsigned map_step, dash_step, item_step;
	} rows[] = {
		{"a:\n  b: c\n", "", "a", 2, 0, 2},
		{"a:\n    b: c\n", "", "a", 4, 0, 2},
		{"a:\n b:\n - c\n", "", "a", 1, 0, 2},
		{"a:\n  b:\n    - c\n", "", "a", 2, 2, 2},
		{"a:\n  b:\n      -   c\n", "", "a", 2, 4, 4},
		{"a:\n  b:\n  -   c: d\n", "", "a", 2, 0, 4},
		{"a:\n  b:\n  -\n      c: d\n", "", "a", 2, 0, 2},
		/* The first sequence in lines says where dashes are. */
		{"a:\n  b: [c]\n  d: {e: [f]}\n  g:\n   - h\n  i:\n  - j\n", "", "a", 2, 1, 2},
		{"x: &x\n    - y\na:\n  b: *x\n  g:\n   - h\n", "", "a", 2, 1, 2},
		{"- a:\n      b:\n      - c\n", "0", "0.a", 4, 0, 2},
		{"-   a:\n     b: c\n", "0", "0.a", 1, 0, 2},
		{"- &a b:\n    c: d\n", "0", "0.b", 2, 0, 2},
		{"a:\n  b:\n  -\n  - c\n", "", "a", 2, 0, 2},
		{"a:\n  b:\n  - # c\n", "", "a", 2, 0, 2},
		{"x: &x y\na:\n  b:\n  - *x\n", "", "a", 2, 0, 2},
		/* What is too far in to be a habit, or cannot be seen, is as usual. */
		{"a:\n                       b: c\n", "", "a", 2, 0, 2},
		{"a: {b: [c]}\n", "", "a", 2, 0, 2},
		{"{a: {b: [c]}}\n", "", "a", 2, 0, 2},
		{"a: {}\n", "", "a", 2, 0, 2},
		{"    b:\n      - c\n", NULL, "", 2, 2, 2},
		{"{x: y, a: {\n  b: c}}\n", "", "a", 2, 0, 2},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct yemit_style style;
		struct document d;

		document_open(&d, span_from_cstr(rows[i].text));
		style = ystyle_of_lines(
			d.text, rows[i].parent != NULL ? document_at(&d, rows[i].parent) : NULL,
			document_at(&d, rows[i].sample));
		if (style.map_step != rows[i].map_step || style.dash_step != rows[i].dash_step ||
		    style.item_step != rows[i].item_step)
			unit_fail(__FILE__, __LINE__, "[%s] is %u %u %u", rows[i].text,
				  style.map_step, style.dash_step, style.item_step);
		CHECK_SPAN(style.eol, "\n");
		document_close(&d);
	}
}

static void line_ends_are_as_the_sample_has_them(void)
{
	struct document d;

	document_open(&d, SPAN("# c\na: b\r\nc:\r\n  d: e\r\n"));
	CHECK_SPAN(ystyle_of_lines(d.text, d.root, document_at(&d, "c")).eol, "\r\n");
	document_close(&d);
}

/* Of the brackets at `path`, in lines or, when `outer` is not NULL, in those there. */
struct row {
	const char *text, *outer, *path;
	const char *flags; /* j: JSON, t: tight, i: inline */
	const char *indent, *indent_step;
};

static void describe(const struct yemit_style *style, char flags[static 4])
{
	snprintf(flags, 4, "%s%s%s", style->is_json ? "j" : "", style->is_tight ? "t" : "",
		 style->is_inline ? "i" : "");
}

static void brackets_are_as_they_stand(void)
{
	static const struct row rows[] = {
		{"a: {b: c}\n", NULL, "a", "i", "", "  "},
		{"a: {\"b\": c}\n", NULL, "a", "ji", "", "  "},
		{"a: {\"b\":\"c\"}\n", NULL, "a", "jti", "", "  "},
		{"a: {'b': c}\n", NULL, "a", "i", "", "  "},
		{"a: [b]\n", NULL, "a", "i", "", "  "},
		{"a: [{\"b\":1}]\n", NULL, "a", "jti", "", "  "},
		{"a: [[], {\"b\":1}]\n", NULL, "a", "i", "", "  "},
		{"a: {\n  b: c\n}\n", NULL, "a", "", "  ", "  "},
		{"a: {\n    b: c\n  }\n", NULL, "a", "", "    ", "  "},
		{"a: {\n    b: c\n}\n", NULL, "a", "", "    ", "    "},
		{"a: {\n    b: c}\n", NULL, "a", "", "    ", "  "},
		{"a: {\n  b: c\n      }\n", NULL, "a", "", "  ", "  "},
		{"a: {\n\t\t\"b\": \"c\"\n\t}\n", NULL, "a", "j", "\t\t", "\t"},
		{"a: {\n \t'b': 'c'\n\t}\n", NULL, "a", "", " \t", "  "},
		{"a: { b: c,\n  d: e\n}\n", NULL, "a", "i", "", "  "},
		{"{\n\t\"a\": [\n\t\t{\"b\": 1}\n\t]\n}", "", "a", "j", "\t\t", "\t"},
		/* What an empty one does not say, what is around it does. */
		{"a: {}\n", NULL, "a", "i", "", "  "},
		{"{\"a\":[]}", "", "a", "jti", "", "  "},
		{"{\"a\": []}", "", "a", "ji", "", "  "},
		{"{\n    \"a\": []\n}", "", "a", "j", "", "    "},
		{"{\n    \"a\": [ ]\n}", "", "a", "ji", "", "    "},
		{"{\n    \"a\": [\n    ]\n}", "", "a", "ji", "", "    "},
		/* The document itself. */
		{"{a: b}", NULL, "", "i", "", "  "},
		{"  {\n    a: b\n  }", NULL, "", "", "    ", "  "},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct yemit_style lines = yemit_default_style, outer, style;
		struct ystyle_around nothing = {NULL, SPAN("")}, around = nothing;
		struct span indent;
		struct document d;
		char flags[4];

		document_open(&d, span_from_cstr(rows[i].text));
		if (rows[i].outer != NULL) {
			outer = ystyle_of_brackets(d.text, document_at(&d, rows[i].outer), &lines,
						   &nothing, &around.indent);
			around.style = &outer;
		}
		style = ystyle_of_brackets(d.text, document_at(&d, rows[i].path), &lines, &around,
					   &indent);
		describe(&style, flags);
		if (strcmp(flags, rows[i].flags) != 0 ||
		    !span_eq(indent, span_from_cstr(rows[i].indent)) ||
		    !span_eq(style.indent_step, span_from_cstr(rows[i].indent_step)))
			unit_fail(__FILE__, __LINE__, "[%s] is \"%s\" \"%.*s\" \"%.*s\"",
				  rows[i].text, flags, SPAN_ARG(indent),
				  SPAN_ARG(style.indent_step));
		document_close(&d);
	}
}

UNIT_TESTS(TEST(lines_are_as_the_sample_has_them), TEST(line_ends_are_as_the_sample_has_them),
	   TEST(brackets_are_as_they_stand))
