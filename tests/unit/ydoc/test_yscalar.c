#include "document.h"

#include "base/arena.h"
#include "ydoc/ynode.h"
#include "ydoc/yscalar.h"

static void format(struct span text, bool is_plain, enum yscalar_form form, struct buf *out)
{
	struct ydoc_node scalar = {.kind = YDOC_SCALAR, .is_plain = is_plain, .is_flow = true};

	scalar.text = text;
	buf_clear(out);
	yscalar_add(out, &scalar, form);
}

struct row {
	const char *text, *block, *flow, *json; /* NULL: as before it */
};

static void check_rows(const struct row *rows, size_t count, bool is_plain)
{
	char storage[500];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	for (size_t i = 0; i < count; i++) {
		const char *expected[] = {rows[i].block, rows[i].flow, rows[i].json};

		for (int form = 0; form < 3; form++) {
			if (form > 0 && expected[form] == NULL)
				expected[form] = expected[form - 1];
			format(span_from_cstr(rows[i].text), is_plain, (enum yscalar_form)form,
			       &out);
			if (strcmp(storage, expected[form]) != 0)
				unit_fail(__FILE__, __LINE__, "[%s] in form %d is %s, not %s",
					  rows[i].text, form, storage, expected[form]);
		}
	}
}
#define CHECK_ROWS(rows, is_plain) check_rows((rows), sizeof(rows) / sizeof(rows)[0], (is_plain))

static void text_stays_without_quotes_where_every_reader_takes_it_for_text(void)
{
	static const struct row rows[] = {
		{"a", "a", NULL, "\"a\""},
		{"egressbox-init", "egressbox-init", NULL, "\"egressbox-init\""},
		{"/bin/sh", "/bin/sh", NULL, "\"/bin/sh\""},
		{"-p", "-p", NULL, "\"-p\""},
		{"--flag=value", "--flag=value", NULL, "\"--flag=value\""},
		{"image:1.0", "image:1.0", NULL, "\"image:1.0\""},
		{"a.b/c_d+e@f%g^h~i", "a.b/c_d+e@f%g^h~i", NULL, "\"a.b/c_d+e@f%g^h~i\""},
	};

	CHECK_ROWS(rows, false);
}

static void text_that_anybody_could_take_for_something_else_is_quoted(void)
{
	static const char *const texts[] = {
		"",	"~",	   "null",  "Null",	  "NULL",
		"true", "True",	   "TRUE",  "false",	  "yes",
		"Yes",	"no",	   "NO",    "on",	  "On",
		"off",	"OFF",	   "y",	    "Y",	  "n",
		"N",	"80",	   "-1",    "+1",	  "1.5",
		"1e3",	".5",	   "0x1f",  "0o7",	  "0b1",
		"012",	"1_000",   "_1",    ".inf",	  "-.INF",
		".nan", "1:30",	   "12e03", "2001-01-01", "2001-01-01T00:00:00Z",
		"=",	"<<",	   "-",	    "--",	  "---",
		"...",	"-1a",	   "---a",  "- a",	  "?",
		"? a",	"?a",	   ":",	    ":a",	  "a:",
		"a: b", "a #b",	   "#a",    "a b",	  " a",
		"a ",	"&a",	   "*a",    "!a",	  "!!int",
		"%a",	"@a",	   "`a",    "|",	  ">",
		"[",	"]",	   "{",	    "}",	  ",",
		"a,b",	"a[",	   "a]",    "a{",	  "a}",
		"a::b", "a:,",	   "it's",  "'a'",	  "(a)",
		"$(A)", "*:15021", "*",	    "\xc3\xa9",	  "a\xe2\x82\xac",
	};
	char storage[100], expected[100];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		for (int form = 0; form < 3; form++) {
			snprintf(expected, sizeof expected, "\"%s\"", texts[i]);
			format(span_from_cstr(texts[i]), false, (enum yscalar_form)form, &out);
			CHECK_TEXT(storage, expected);
		}
}

static void quotes_are_those_that_need_the_fewest_escapes(void)
{
	static const struct row rows[] = {
		{"{\"a\":1}", "'{\"a\":1}'", NULL, "\"{\\\"a\\\":1}\""},
		{"it's \"x\"", "'it''s \"x\"'", NULL, "\"it's \\\"x\\\"\""},
		{"a\\b", "'a\\b'", NULL, "\"a\\\\b\""},
		{"a\nb", "\"a\\nb\"", NULL, NULL},
		{"a\n\"b\"", "\"a\\n\\\"b\\\"\"", NULL, NULL},
		{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"", NULL, NULL},
		{"\x01\x1b\x7f", "\"\\u0001\\u001b\\u007f\"", NULL, NULL},
		/* C1, the line ends of YAML 1.1, the mark, and what is no character. */
		{"\xc2\x85", "\"\\u0085\"", NULL, NULL},
		{"\xc2\x80\xc2\x9f\xc2\xa0", "\"\\u0080\\u009f\xc2\xa0\"", NULL, NULL},
		{"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xa7", "\"\\u2028\\u2029\xe2\x80\xa7\"", NULL,
		 NULL},
		{"\xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd",
		 "\"\\ufeff\\ufffe\\uffff\xef\xbf\xbd\"", NULL, NULL},
		{"\"\xc2\x85", "\"\\\"\\u0085\"", NULL, NULL},
		{"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"", NULL, NULL},
	};

	CHECK_ROWS(rows, false);
}

static void what_stood_without_quotes_is_what_it_was(void)
{
	static const struct row rows[] = {
		{"", "null", NULL, NULL},
		{"~", "null", NULL, NULL},
		{"Null", "null", NULL, NULL},
		{"true", "true", NULL, NULL},
		{"yes", "yes", NULL, "true"},
		{"Off", "Off", NULL, "false"},
		{"80", "80", NULL, NULL},
		{"-1.5", "-1.5", NULL, NULL},
		{"0", "0", NULL, NULL},
		/* Numbers of YAML that JSON does not have stay as they are written, in quotes. */
		{"0x1f", "0x1f", NULL, "\"0x1f\""},
		{"012", "012", NULL, "\"012\""},
		{".5", ".5", NULL, "\".5\""},
		{"1.", "1.", NULL, "\"1.\""},
		{"+1", "+1", NULL, "\"+1\""},
		{".inf", ".inf", NULL, "\".inf\""},
		/* Text; a date for others. */
		{"a b", "a b", "\"a b\"", NULL},
		{"2001-01-01", "2001-01-01", "\"2001-01-01\"", NULL},
		{"a\nb", "\"a\\nb\"", NULL, NULL},
		{"word", "word", NULL, "\"word\""},
		/* Which it is in brackets. */
		{"-", "\"-\"", NULL, NULL},
		{"a\tb", "a\tb", "\"a\\tb\"", NULL},
		/* Over lines that end in the way of YAML 1.1. */
		{"a\xe2\x80\xa8"
		 "b",
		 "\"a\\u2028b\"", NULL, NULL},
	};

	CHECK_ROWS(rows, true);
}

/* In lines, in brackets, as JSON. */
static void check_read_back(struct span text)
{
	static const char *const before[] = {"a: ", "[", "{\"a\":"};
	static const char *const behind[] = {"\n", ", b]", "}"};
	char storage[2000];
	struct buf out, value;

	buf_init_heap(&value, 1000);
	for (int form = 0; form < 3; form++) {
		const struct ydoc_node *found;
		struct document d;

		format(text, false, (enum yscalar_form)form, &value);
		BUF_INIT_ARRAY(&out, storage);
		buf_printf(&out, "%s%s%s", before[form], value.ptr, behind[form]);
		document_open(&d, buf_span(&out));
		found = document_at(&d, form == 1 ? "0" : "a");
		CHECK_ROW(storage, ydoc_scalar_type(found) == YDOC_TEXT);
		CHECK_ROW(storage, span_eq(found->text, text));
		document_close(&d);
	}
	buf_fini(&value);
}

static void every_text_is_read_back(void)
{
	static const char alphabet[] = "a0-:#,[]{}&*!|>'\"%@`? \n\t\\=<~._y\x01\x7f";
	const size_t letters = sizeof alphabet - 1;

	for (size_t i = 0; i < letters * letters * letters; i++) {
		char text[4] = {alphabet[i % letters], alphabet[i / letters % letters],
				alphabet[i / letters / letters], '\0'};

		/* Some of three bytes, all of two. */
		if (i % 17 == 0)
			check_read_back(span_of(text, 3));
		if (i < letters * letters)
			check_read_back(span_of(text, 2));
	}
	check_read_back(SPAN("\xc2\x85 \xe2\x80\xa8 \xef\xbf\xbe \xef\xbb\xbf"));
}

static void quoted_text_is_never_in_single_quotes(void)
{
	char storage[100];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	yscalar_add_quoted(&out, SPAN("a\"b"));
	yscalar_add_quoted(&out, SPAN(""));
	yscalar_add_quoted(&out, SPAN("a\0b"));
	CHECK_TEXT(storage, "\"a\\\"b\"\"\"\"a\\u0000b\"");
}

static void literals_are_what_needs_nothing_said_about_it(void)
{
	static const char *const good[] = {"a\n", "a\nb", "a\n\n b\n\n", "a\n\tb\n", "- a\n# b\n"};
	static const char *const bad[] = {"",
					  "a",
					  "\n",
					  "\na\n",
					  " a\n",
					  "\ta\n",
					  "a\rb\n",
					  "a\x01\n",
					  "a\xc2\x85\n",
					  "a\n\xe2\x80\xa8",
					  "a\n\xef\xbb\xbf",
					  "a\n\x7f"};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		CHECK_ROW(good[i], yscalar_fits_literal(span_from_cstr(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_ROW(bad[i], !yscalar_fits_literal(span_from_cstr(bad[i])));
}

static void numbers_of_json_stay_numbers_with_an_exponent_too(void)
{
	static const char *const numbers[] = {"0", "-1", "1.5", "1e3", "-1.5E+10", "12e-03"};
	static const char *const others[] = {"012", "1_000", ".5", "0x1f", "+1", "1."};
	char storage[100], quoted[100];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		format(span_from_cstr(numbers[i]), true, YSCALAR_JSON, &out);
		CHECK_TEXT(storage, numbers[i]);
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		snprintf(quoted, sizeof quoted, "\"%s\"", others[i]);
		format(span_from_cstr(others[i]), true, YSCALAR_JSON, &out);
		CHECK_TEXT(storage, quoted);
	}
}

UNIT_TESTS(TEST(numbers_of_json_stay_numbers_with_an_exponent_too),
	   TEST(text_stays_without_quotes_where_every_reader_takes_it_for_text),
	   TEST(text_that_anybody_could_take_for_something_else_is_quoted),
	   TEST(quotes_are_those_that_need_the_fewest_escapes),
	   TEST(what_stood_without_quotes_is_what_it_was), TEST(every_text_is_read_back),
	   TEST(quoted_text_is_never_in_single_quotes),
	   TEST(literals_are_what_needs_nothing_said_about_it))
