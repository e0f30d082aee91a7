#include "../unit.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "collect.h"
#include "dump.h"
#include "ydoc/ydoc.h"

/* All documents of a text, each followed by ";", and complaints behind "! ". */
static void read_all(struct span text, struct buf *out)
{
	char *guarded = unit_guarded(text.ptr, text.len);
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	struct collect c;

	collect_init(&c);
	ydoc_reader_init(&reader, "f.yaml", span_of(guarded, text.len), &c.diag);
	while (ydoc_reader_next(&reader, &root)) {
		dump(root, out);
		buf_add_byte(out, ';');
	}
	CHECK(!ydoc_reader_next(&reader, &root));
	ydoc_reader_fini(&reader);
	unit_guarded_free(guarded, text.len);
	if (c.text.len > 0)
		buf_printf(out, "! %s", c.storage);
}

struct reading {
	const char *label;
	struct span text;
	const char *expected;
};

static void check_readings(const struct reading *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char storage[8192];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		read_all(rows[i].text, &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].label,
				  storage, rows[i].expected);
	}
}
#define CHECK_READINGS(rows) check_readings((rows), sizeof(rows) / sizeof(rows)[0])

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

static void reads_yaml_as_it_is_written(void)
{
	static const struct reading rows[] = {
		{"block", TEXT("a: 1\nb:\n - x\n - y: z\n"), "{a=1,b=[x,{y=z}]};"},
		{"one space of indent",
		 TEXT("spec:\n ports:\n - port: 80\n   # note\n   name: http\n"),
		 "{spec={ports=[{port=80,name=http}]}};"},
		{"all lines indented", TEXT("\n   a: 1\n   b:\n    c: 2\n"), "{a=1,b={c=2}};"},
		{"flow", TEXT("{a: [1, \"2\"], b: {}}"), "{a=[1,\"2\"],b={}};"},
		{"quotes", TEXT("a: '80'\nb: \"x\\ty\"\nc: 'it''s'\n"),
		 "{a=\"80\",b=\"x\\x09y\",c=\"it's\"};"},
		{"block scalars", TEXT("a: |\n  x\n  y\nb: >-\n  x\n  y\n"),
		 "{a=\"x\\x0ay\\x0a\",b=\"x y\"};"},
		{"plain over two lines", TEXT("a: x\n  y\n"), "{a=x y};"},
		{"tags", TEXT("a: !!str 80\nb: ! 80\nc: !!int 80\n"), "{a=\"80\",b=\"80\",c=80};"},
		{"no value", TEXT("a:\nb: ~\n"), "{a=,b=~};"},
		{"no line end", TEXT("a: b"), "{a=b};"},
		{"CR LF", TEXT("a: 1\r\nb:\r\n- x\r\n"), "{a=1,b=[x]};"},
		{"CR", TEXT("a: 1\rb: 2\r"), "{a=1,b=2};"},
		{"BOM",
		 TEXT("\xef\xbb\xbf"
		      "a: 1\n"),
		 "{a=1};"},
		{"UTF-8", TEXT("a: \xc3\xa9\n"), "{a=\\xc3\\xa9};"},
		{"repeated keys are kept", TEXT("a: 1\na: 2\n"), "{a=1,a=2};"},
		{"directive", TEXT("%YAML 1.1\n---\na: 1\n"), "{a=1};"},
	};

	CHECK_READINGS(rows);
}

static void reads_every_document_and_leaves_out_empty_ones(void)
{
	static const struct reading rows[] = {
		{"nothing", TEXT(""), ""},
		{"blanks", TEXT(" \n\t\n\r\n"), ""},
		{"comments only", TEXT("# a\n  # b\n"), ""},
		{"BOM only", TEXT("\xef\xbb\xbf"), ""},
		{"markers only", TEXT("---\n---\n...\n---\n"), ""},
		{"two", TEXT("a: 1\n---\nb: 2\n"), "{a=1};{b=2};"},
		{"marker first and last", TEXT("---\na: 1\n---\nb: 2\n---\n"), "{a=1};{b=2};"},
		{"comment between", TEXT("a: 1\n---\n# no\n---\nb: 2\n"), "{a=1};{b=2};"},
		{"indented behind a marker", TEXT("   a: 1\n   b: 2\n---\n   a: 3\n   b: 4\n"),
		 "{a=1,b=2};{a=3,b=4};"},
		{"end markers", TEXT("a: 1\n...\n---\nb: 2\n...\n"), "{a=1};{b=2};"},
		{"marker with a comment", TEXT("--- # first\na: 1\n--- # second\nb: 2\n"),
		 "{a=1};{b=2};"},
		{"null documents", TEXT("--- ~\n--- null\n--- a\n"), "a;"},
		{"marker in a block scalar's text", TEXT("a: |\n  ---\n  x\n"),
		 "{a=\"---\\x0ax\\x0a\"};"},
	};

	CHECK_READINGS(rows);
}

static void reads_json_into_the_same_tree(void)
{
	static const struct reading rows[] = {
		{"object",
		 TEXT("{\"a\": 1, \"b\": [true, null, \"x\", -1.5e+3, 0], \"c\": {}, \"d\": []}"),
		 "{\"a\"=1,\"b\"=[true,null,\"x\",-1.5e+3,0],\"c\"={},\"d\"=[]};"},
		{"as kubectl indents it",
		 TEXT("{\n    \"kind\": \"List\",\n    \"items\": []\n}\n"),
		 "{\"kind\"=\"List\",\"items\"=[]};"},
		{"tabs", TEXT("{\n\t\"a\":\t1\n}\n"), "{\"a\"=1};"},
		{"escapes", TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\"]"),
		 "[\"\\\"\\\\/\\x08\\x0c\\x0a\\x0d\\x09A\\xc3\\xa9\\xe2\\x82\\xac\"];"},
		{"surrogate pair", TEXT("[\"\\ud83d\\ude00\"]"), "[\"\\xf0\\x9f\\x98\\x80\"];"},
		{"escaped NUL", TEXT("[\"a\\u0000b\"]"), "[\"a\\x00b\"];"},
		{"several in a row", TEXT("{\"a\":1}\n{\"b\":2} [3]\n"),
		 "{\"a\"=1};{\"b\"=2};[3];"},
		{"between markers", TEXT("---\n{\"a\":1}\n---\n{\"b\":2}\n...\n"),
		 "{\"a\"=1};{\"b\"=2};"},
		{"YAML behind it", TEXT("{\"a\":1}\n---\nb: 2\n"), "{\"a\"=1};{b=2};"},
		{"comment behind it", TEXT("{\"a\":1} # done\n"), "{\"a\"=1};"},
		{"behind YAML, with what libyaml refuses",
		 TEXT("a: 1\n---\n{\"x\": \"\\ud83d\\ude00\"}\n---\nb: 2\n"),
		 "{a=1};{\"x\"=\"\\xf0\\x9f\\x98\\x80\"};{b=2};"},
		{"the same without a line end behind the marker",
		 TEXT("a: 1\n--- {\"x\": \"\\ud83d\\ude00\"}\n"),
		 "{a=1};{\"x\"=\"\\xf0\\x9f\\x98\\x80\"};"},
		{"BOM", TEXT("\xef\xbb\xbf{\"a\":1}"), "{\"a\"=1};"},
		{"indented YAML behind it", TEXT("{\"a\":1}\n---\n  b: 2\n  c: 3\n"),
		 "{\"a\"=1};{b=2,c=3};"},
		{"UTF-8", TEXT("[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]"),
		 "[\"\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80\"];"},
		{"DEL and C1 are text to JSON", TEXT("[\"\x7f\xc2\x80\"]"),
		 "[\"\\x7f\\xc2\\x80\"];"},
	};

	CHECK_READINGS(rows);
}

static void takes_flow_yaml_that_is_no_json(void)
{
	static const struct reading rows[] = {
		{"plain keys", TEXT("{a: b, c: [d]}"), "{a=b,c=[d]};"},
		{"trailing comma", TEXT("{\"a\": 1,}"), "{\"a\"=1};"},
		{"comments", TEXT("{ # one\n \"a\": 1 # two\n}\n"), "{\"a\"=1};"},
		{"leading zero", TEXT("[01]"), "[01];"},
		{"a key without a value", TEXT("{\"a\"}"), "{\"a\"=};"},
		{"single quotes", TEXT("{'a': 'b'}"), "{\"a\"=\"b\"};"},
		{"flow as a block key", TEXT("{a: 1}: 2\n"), "{{a=1}=2};"},
	};

	CHECK_READINGS(rows);
}

static void reads_json_keys_longer_than_libyaml_allows(void)
{
	char text[4000], storage[4000], expected[4000];
	struct buf out;

	snprintf(text, sizeof text, "{\"%0*d\": 1}", 1500, 7);
	snprintf(expected, sizeof expected, "{\"%0*d\"=1};", 1500, 7);
	BUF_INIT_ARRAY(&out, storage);
	read_all(span_from_cstr(text), &out);
	CHECK_TEXT(storage, expected);
}

static void shares_what_aliases_name(void)
{
	static const struct reading rows[] = {
		{"scalar", TEXT("a: &x 1\nb: *x\n"), "{a=1,b=1};"},
		{"mapping", TEXT("a: &x {p: 1}\nb: *x\nc: [*x, *x]\n"),
		 "{a={p=1},b={p=1},c=[{p=1},{p=1}]};"},
		{"a name used again", TEXT("- &x 1\n- *x\n- &x 2\n- *x\n"), "[1,1,2,2];"},
		{"as key", TEXT("- &x k\n- *x : v\n"), "[k,{k=v}];"},
		{"not across documents", TEXT("a: &x 1\n---\nb: *x\n"),
		 "{a=1};! f.yaml:3:4: *x refers to no anchor before it\n"},
		{"unknown", TEXT("a: *x\n"), "! f.yaml:1:4: *x refers to no anchor before it\n"},
		{"of itself", TEXT("a: &x [1, *x]\n"),
		 "! f.yaml:1:11: *x refers to what it is part of\n"},
	};

	CHECK_READINGS(rows);
}

static void reports_what_it_cannot_read_and_goes_on_at_the_next_marker(void)
{
	static const struct reading rows[] = {
		{"bad indent", TEXT("a: 1\n  b: 2\n---\nc: 3\n"),
		 "{c=3};! f.yaml:2:4: mapping values are not allowed in this context\n"},
		{"tab", TEXT("a:\n\tb: 1\n"),
		 "! f.yaml:2:1: found a tab where only spaces may indent while scanning for the "
		 "next "
		 "token that starts on line 2\n"},
		{"unclosed flow", TEXT("a: [1, 2\n---\nb: 2\n"),
		 "{b=2};! f.yaml:2:1: did not find expected ',' or ']' while parsing a flow "
		 "sequence "
		 "that starts on line 1\n"},
		{"unclosed quote", TEXT("a: \"x\n---\nb: 2\n"),
		 "{b=2};! f.yaml:2:1: found unexpected document indicator while scanning a quoted "
		 "scalar that starts on line 1\n"},
		{"two bad ones, good ones between",
		 TEXT("a: 1\n---\n]\n---\nb: 2\n---\n}\n---\nc: 3\n"),
		 "{a=1};{b=2};{c=3};! f.yaml:3:1: did not find expected node content while parsing "
		 "a "
		 "block node that starts on line 3\nf.yaml:7:1: did not find expected node content "
		 "while "
		 "parsing a block node that starts on line 7\n"},
		{"JSON that ends early", TEXT("{\"a\": 1, \"b\": \"\\ud83d\\ude00\","),
		 "! f.yaml:1:30: expected a key in double quotes\n"},
		{"text behind JSON", TEXT("{\"a\": 1} b\n"),
		 "{\"a\"=1};! f.yaml:1:10: did not find expected <document start>\n"},
		{"half a surrogate pair", TEXT("[\"\\ud83d\"]"),
		 "! f.yaml:1:5: found invalid Unicode character escape code while parsing a quoted "
		 "scalar that starts on line 1\n"},
		{"NUL", TEXT("a: b\0c\n"), "! f.yaml:1:5: control character U+0000\n"},
		{"escape character", TEXT("a: b\n# \033\n"),
		 "! f.yaml:2:3: control character U+001B\n"},
		{"no UTF-8", TEXT("a: b\nb: \xff\n"),
		 "! f.yaml:2:4: not UTF-8: invalid leading UTF-8 octet\n"},
		{"no UTF-8 in JSON", TEXT("{\"a\":\n\"\xff\"}\n"),
		 "! f.yaml:2:2: not UTF-8: invalid leading UTF-8 octet\n"},
		{"cut UTF-8", TEXT("a: \xc3"),
		 "! f.yaml:1:4: not UTF-8: incomplete UTF-8 octet sequence\n"},
		{"UTF-16 LE",
		 TEXT("\xff\xfe"
		      "a\0"),
		 "! f.yaml:1:1: file is UTF-16: it must be UTF-8\n"},
		{"UTF-16 BE", TEXT("\xfe\xff\0a"),
		 "! f.yaml:1:1: file is UTF-16: it must be UTF-8\n"},
		{"columns are characters", TEXT("\xc3\xa9\xc3\xa9: [\n"),
		 "! f.yaml:2:1: did not find expected node content while parsing a flow node that "
		 "starts "
		 "on line 2\n"},
	};

	CHECK_READINGS(rows);
}

/* `count` times `part`, between `before` and `after`. */
static struct span repeat(struct buf *b, const char *before, const char *part, size_t count,
			  const char *after)
{
	buf_clear(b);
	buf_add_cstr(b, before);
	for (size_t i = 0; i < count; i++)
		buf_add_cstr(b, part);
	buf_add_cstr(b, after);
	return buf_span(b);
}

static void refuses_nesting_beyond_its_bound(void)
{
	static const struct {
		const char *before, *open, *close;
		bool is_json;
	} rows[] = {
		{"", "[", "]", true},
		{"--- # yaml\n", "[", "]", false},
		{"", "{\"a\":", "}", true},
	};
	struct buf text, out;

	buf_init_heap(&text, 1 << 20);
	buf_init_heap(&out, 1 << 20);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t depth = YDOC_MAX_DEPTH; depth <= YDOC_MAX_DEPTH + 1; depth++) {
			repeat(&text, rows[i].before, rows[i].open, depth,
			       rows[i].is_json ? "0" : "");
			for (size_t d = 0; d < depth; d++)
				buf_add_cstr(&text, rows[i].close);
			buf_clear(&out);
			read_all(buf_span(&text), &out);
			CHECK_ROW(rows[i].open,
				  (strstr(buf_cstr(&out), "nested deeper than 100 levels") !=
				   NULL) == (depth > YDOC_MAX_DEPTH));
		}
	}
	buf_fini(&text);
	buf_fini(&out);
}

static void refuses_aliases_that_stand_for_too_much(void)
{
	char storage[4096];
	struct buf text, out;

	/* "Billion laughs": nine levels of nine aliases each. */
	buf_init_heap(&text, 1 << 20);
	buf_add_cstr(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 9; i++)
		buf_printf(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i,
			   i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	BUF_INIT_ARRAY(&out, storage);
	read_all(buf_span(&text), &out);
	CHECK_TEXT(storage, "! f.yaml:7:10: aliases stand for more than 1000000 nodes\n");
	buf_fini(&text);
}

static void refuses_too_many_anchors(void)
{
	struct buf text, out;

	buf_init_heap(&text, 1 << 20);
	buf_init_heap(&out, 1 << 20);
	for (int i = 0; i < 10001; i++)
		buf_printf(&text, "- &a%d\n", i);
	read_all(buf_span(&text), &out);
	CHECK_TEXT(buf_cstr(&out), "! f.yaml:10001:3: more than 10000 anchors in one document\n");
	buf_fini(&text);
	buf_fini(&out);
}

static void gives_up_on_a_file_with_too_many_bad_documents(void)
{
	struct buf text, out;
	const char *last;

	buf_init_heap(&text, 1 << 20);
	buf_init_heap(&out, 1 << 20);
	repeat(&text, "", "---\n]\n", 60, "---\na: 1\n");
	read_all(buf_span(&text), &out);
	last = strstr(buf_cstr(&out), "that makes");
	CHECK(last != NULL);
	CHECK_TEXT(last, "that makes 50 documents that can't be read: giving up\n");
	CHECK(strstr(buf_cstr(&out), "{a=1}") == NULL);
	buf_fini(&text);
	buf_fini(&out);
}

static void refuses_a_file_over_its_bound(void)
{
	struct collect c;
	struct ydoc_reader reader;
	const struct ydoc_node *root;

	collect_init(&c);
	/* The bytes are never looked at. */
	ydoc_reader_init(&reader, "f.yaml", span_of("", YDOC_MAX_BYTES + 1), &c.diag);
	CHECK(!ydoc_reader_next(&reader, &root));
	ydoc_reader_fini(&reader);
	CHECK_TEXT(c.storage, "f.yaml:1:1: file is over 64 MiB\n");
}

static void every_prefix_of_a_file_is_read_or_refused(void)
{
	static const struct span texts[] = {
		TEXT("# c\napiVersion: v1\nx: &a {b: 'c'}\ny: *a\nz: \"\\u00e9\\\"\"\n---\nk: |\n  "
		     "t\n"
		     "? [q]\n: !!str 1\n"),
		TEXT("{\"a\": [1, -2.5e7, true, null, \"\\ud83d\\ude00\\n\xc3\xa9\"], \"b\": "
		     "{\"c\": {}}}"),
	};

	for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
		for (size_t len = 0; len <= texts[t].len; len++) {
			char storage[2048];
			struct buf out;

			BUF_INIT_ARRAY(&out, storage);
			read_all(span_first(texts[t], len), &out);
			CHECK(!out.truncated);
			if (len == texts[t].len)
				CHECK(strchr(storage, '!') == NULL);
		}
	}
}

/* The only document of a text that must be good; the reader is the caller's to end. */
static const struct ydoc_node *read_one(struct ydoc_reader *reader, struct collect *c,
					const char *text)
{
	const struct ydoc_node *root;

	collect_init(c);
	ydoc_reader_init(reader, "f.yaml", span_from_cstr(text), &c->diag);
	CHECK(ydoc_reader_next(reader, &root));
	return root;
}

static void nodes_know_where_they_stood(void)
{
	static const struct {
		const char *label, *text;
		unsigned line, col, offset;
	} rows[] = {
		{"value", "a: b\nspec:\n  x: 1\n", 3, 6, 16},
		{"quoted", "spec: {x: \"1\"}\n", 1, 11, 10},
		{"behind CR LF", "a: b\r\nspec:\r\n  x: 1\r\n", 3, 6, 18},
		{"behind a BOM", "\xef\xbb\xbfspec: {x: 1}\n", 1, 11, 13},
		{"behind two-byte characters", "\xc3\xa9: \xc3\xa9\nspec: {\xc3\xa9: 1, x: 1}\n", 2,
		 17, 24},
		{"JSON", "{\"spec\":\n  {\"\xc3\xa9\": 1, \"x\": 1}}", 2, 17, 26},
		{"list", "spec:\n  x:\n  - 1\n  - 2\n", 3, 3, 13},
		{"mapping", "spec:\n  x:\n    y: 1\n", 3, 5, 15},
		{"nothing", "spec:\n  x:\ny: 1\n", 2, 5, 10},
		{"behind an anchor", "spec:\n  x: &a 1\n", 2, 6, 11},
		{"block scalar", "spec:\n  x: |\n    y\n", 2, 6, 11},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ydoc_reader reader;
		struct collect c;
		const struct ydoc_node *root = read_one(&reader, &c, rows[i].text);
		const struct ydoc_node *x = ydoc_get(ydoc_get(root, SPAN("spec")), SPAN("x"));

		CHECK_ROW(rows[i].label, x != NULL);
		if (x->pos.line != rows[i].line || x->pos.col != rows[i].col ||
		    x->pos.offset != rows[i].offset)
			unit_fail(__FILE__, __LINE__, "[%s] is at %u:%u (%u)", rows[i].label,
				  x->pos.line, x->pos.col, x->pos.offset);
		ydoc_reader_fini(&reader);
	}
}

/* Text that nodes take up, and what is in it: from pos to end, and from body on. */
static void nodes_know_where_they_end(void)
{
	static const struct {
		const char *label, *text, *node, *body; /* body: of collections, how it begins */
		bool is_flow;
	} rows[] = {
		{"plain", "x: a b # c\n", "a b", NULL, true},
		{"plain over lines", "x: a\n  b\ny: c\n", "a\n  b", NULL, true},
		{"double quotes", "x: \"a\\n\" # c\n", "\"a\\n\"", NULL, true},
		{"single quotes over lines", "x: 'a\n  b' \n", "'a\n  b'", NULL, true},
		{"nothing", "x: # c\ny: 1\n", "", NULL, true},
		{"nothing, at the end", "x:", "", NULL, true},
		{"nothing behind a blank", "x : \n", "", NULL, true},
		{"nothing behind a key in question", "? x # c\n\ny: 1\n", "", NULL, true},
		{"an anchor of nothing", "x: &a\ny: 1\n", "&a", NULL, true},
		{"a tag", "x: !!str a\n", "!!str a", NULL, true},
		{"literal", "x: |\n  a\ny: 1\n", "|\n  a\n", NULL, false},
		{"literal, empty lines behind it", "x: |\n  a\n\n\ny: 1\n", "|\n  a\n\n\n", NULL,
		 false},
		{"literal without a last line end", "x: |\n  a", "|\n  a", NULL, false},
		{"folded with anchor", "x: &a >-\n  a\n", "&a >-\n  a\n", NULL, false},
		{"mapping in brackets", "x: { a: b } # c\n", "{ a: b }", " a: b", true},
		{"empty brackets", "x: {}\n", "{}", "}", true},
		{"list in brackets over lines", "x: [\n  a,\n]\n", "[\n  a,\n]", "\n  a", true},
		{"anchor and tag", "x: &a !!map {a: b}\n", "&a !!map {a: b}", "a: b", true},
		{"mapping in lines", "x:\n  a: b\n  c: d # e\n", "a: b\n  c: d", "a: b", false},
		{"with anchor", "x: &a\n  a: b\n", "&a\n  a: b", "a: b", false},
		{"with tag and comment", "x: !!map # c\n  a: b\n", "!!map # c\n  a: b", "a: b",
		 false},
		{"key with anchor", "x:\n  &a a: b\n", "&a a: b", "&a a: b", false},
		{"list in lines", "x:\n  - a\n  - b\n", "- a\n  - b", "- a", false},
		{"list under its key", "x:\n- a\n- b\n", "- a\n- b", "- a", false},
		{"list under its key, with anchor", "x: &a\n- a\n", "&a\n- a", "- a", false},
		{"list of nothing", "x:\n-\n-\ny: 1\n", "-\n-", "-\n-", false},
		{"list in a list", "x:\n- - a\n  - b\n", "- - a\n  - b", "- - a", false},
		{"ends in nothing", "x:\n  a:\n  b: # c\ny: 1\n", "a:\n  b:", "a:", false},
		{"ends in a literal", "x:\n  a: |\n    b\n\ny: 1\n", "a: |\n    b\n\n", "a: |",
		 false},
		{"ends in an alias", "z: &z 1\nx:\n- *z # c\n", "- *z", "- *z", false},
		{"ends in brackets", "x:\n  a: [\n    b ] # c\n", "a: [\n    b ]", "a: [", false},
		{"key in question", "x:\n  ? a\n  : b\n", "? a\n  : b", "? a", false},
		{"key in question alone", "x:\n  ? a # b\n\ny: 1\n", "? a", "? a", false},
		{"pair in a list", "x: [a: b, c]\n", "[a: b, c]", "a: b", true},
		{"CR LF", "x:\r\n- a\r\n- b\r\n", "- a\r\n- b", "- a", false},
		{"BOM", "\xef\xbb\xbfx: {a: b}\n", "{a: b}", "a: b", true},
		{"behind two-byte characters",
		 "\xc3\xa9: \xc3\xa9 # \xc3\xa9\nx:\n  \xc3\xa9: \xc3\xa9\n", "\xc3\xa9: \xc3\xa9",
		 "\xc3\xa9: ", false},
		{"JSON string", "{\"x\": \"a\\n\" }", "\"a\\n\"", NULL, true},
		{"JSON number", "{\"\xc3\xa9\":0,\"x\":-1.5 }", "-1.5", NULL, true},
		{"JSON word", "{\"x\":null}", "null", NULL, true},
		{"JSON object", "{\"x\": {\"\xc3\xa9\": []} }", "{\"\xc3\xa9\": []}",
		 "\"\xc3\xa9\"", true},
		{"JSON array", "{\"x\":\n[ 1 ]\n}", "[ 1 ]", " 1 ]", true},
		{"JSON, empty", "{\"x\":[ ]}", "[ ]", " ]", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span text = span_from_cstr(rows[i].text), found;
		struct ydoc_reader reader;
		struct collect c;
		const struct ydoc_node *x = ydoc_get(read_one(&reader, &c, rows[i].text),
						     SPAN("x"));

		CHECK_ROW(rows[i].label, x != NULL && x->end >= x->pos.offset);
		found = span_of(text.ptr + x->pos.offset, x->end - x->pos.offset);
		if (!span_eq(found, span_from_cstr(rows[i].node)))
			unit_fail(__FILE__, __LINE__, "[%s] is [%.*s]", rows[i].label,
				  SPAN_ARG(found));
		CHECK_ROW(rows[i].label, x->is_flow == rows[i].is_flow);
		if (rows[i].body != NULL)
			CHECK_ROW(rows[i].label, span_starts_with(span_from(text, x->body),
								  span_from_cstr(rows[i].body)));
		ydoc_reader_fini(&reader);
	}
}

static void aliases_know_where_they_stood_and_what_they_name_that_it_is_named(void)
{
	static const char text[] = "# \xc3\xa9\na: &a [\xc3\xa9]\nb: &b c\n*b : *a \nd: e\n";
	struct ydoc_reader reader;
	struct collect c;
	const struct ydoc_item *i = read_one(&reader, &c, text)->items;

	CHECK(i->value->is_aliased && !i->key->is_aliased);
	CHECK(i->key_alias == NULL && i->value_alias == NULL);
	i = i->next;
	CHECK(i->value->is_aliased && i->value_alias == NULL);
	i = i->next;
	CHECK(i->key_alias != NULL && i->value_alias != NULL);
	CHECK_INT(i->key_alias->pos.line, 4);
	CHECK_INT(i->key_alias->pos.col, 1);
	CHECK_INT(i->key_alias->pos.offset, 24);
	CHECK_INT(i->key_alias->end, 26);
	CHECK_INT(i->value_alias->pos.col, 6);
	CHECK_INT(i->value_alias->pos.offset, 29);
	CHECK_INT(i->value_alias->end, 31);
	/* The nodes are where they stood. */
	CHECK_INT(i->key->pos.line, 3);
	CHECK_INT(i->value->pos.line, 2);
	i = i->next;
	CHECK(!i->value->is_aliased && i->key_alias == NULL && i->value_alias == NULL);
	ydoc_reader_fini(&reader);
	i = read_one(&reader, &c, "- &a x\n- &a y\n- *a\n")->items;
	CHECK(!i->value->is_aliased);
	CHECK(i->next->value->is_aliased && i->next->next->value == i->next->value);
	CHECK(i->next->next->value_alias != NULL && i->next->next->key_alias == NULL);
	ydoc_reader_fini(&reader);
}

/* What the reader says that each document's bytes are, in brackets; what is left goes with "|". */
static void documents_know_their_bytes(void)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"a: 1\n", "[a: 1\n]"},
		{"# c\na: 1 # d\n\n# e\n", "[# c\na: 1 # d\n\n# e\n]"},
		{"a: 1\n---\nb: 2\n", "[a: 1\n][---\nb: 2\n]"},
		{"---\na: 1\n--- # c\n# d\nb: 2\n# e\n---\n",
		 "[---\na: 1\n][--- # c\n# d\nb: 2\n# e\n]"},
		{"a: 1\n...\n# c\n---\nb: 2\n", "[a: 1\n...][\n# c\n---\nb: 2\n]"},
		{"\xef\xbb\xbf"
		 "a: 1\n",
		 "[a: 1\n]"},
		{"a: \xc3\xa9\r\n---\r\nb: 2\r\n", "[a: \xc3\xa9\r\n][---\r\nb: 2\r\n]"},
		{"{\"a\": 1}\n{\"b\": 2}\n", "[{\"a\": 1}\n][{\"b\": 2}\n]"},
		{"---\n{\"a\": 1}\n--- {\"b\": 2}", "[---\n{\"a\": 1}\n][--- {\"b\": 2}]"},
		{"{\"a\": 1}\n---\nb: 2\n", "[{\"a\": 1}\n][---\nb: 2\n]"},
		{"a: 1\n---\n{\"b\": \"\\ud83d\\ude00\"}\n---\nc: 3\n",
		 "[a: 1\n][---\n{\"b\": \"\\ud83d\\ude00\"}\n][---\nc: 3\n]"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span text = span_from_cstr(rows[i].text);
		const struct ydoc_node *root;
		struct ydoc_reader reader;
		char storage[200];
		struct collect c;
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		collect_init(&c);
		ydoc_reader_init(&reader, "f.yaml", text, &c.diag);
		while (ydoc_reader_next(&reader, &root)) {
			CHECK(root->pos.offset >= reader.begin && root->end <= reader.end);
			buf_printf(&out, "[%.*s]", (int)(reader.end - reader.begin),
				   text.ptr + reader.begin);
		}
		ydoc_reader_fini(&reader);
		CHECK_TEXT(storage, rows[i].expected);
	}
}

static void find_finds_a_mappings_own_entries_only(void)
{
	struct ydoc_reader reader;
	struct collect c;
	const struct ydoc_node *root = read_one(
		&reader, &c, "<<: {a: 1, b: 2}\nb: 3\nb: 4\n'<<': 5\n[c]: 6\n80: 7\n");

	CHECK(ydoc_get(root, SPAN("a")) != NULL && ydoc_find(root, SPAN("a")) == NULL);
	CHECK_SPAN(ydoc_find(root, SPAN("b"))->value->text, "3");
	CHECK_SPAN(ydoc_find(root, SPAN("80"))->value->text, "7");
	CHECK(ydoc_find(root, SPAN("c")) == NULL);
	CHECK(ydoc_find(NULL, SPAN("a")) == NULL);
	CHECK(ydoc_find(ydoc_get(root, SPAN("b")), SPAN("a")) == NULL);
	/* A merge is one without quotes. */
	CHECK(ydoc_is_merge(root->items));
	CHECK(ydoc_find(root, SPAN("<<")) == root->items);
	CHECK(!ydoc_is_merge(root->items->next));
	CHECK(!ydoc_is_merge(root->items->next->next->next));
	CHECK(!ydoc_is_merge(root->items->next->next->next->next));
	ydoc_reader_fini(&reader);
}

static void what_is_true_is_true(void)
{
	static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
					    "on",   "On",   "ON",   "y",   "Y"};
	static const char *const others[] = {"false", "no", "off", "n",	     "tRue",
					     "1",     "",   "~",   "trueish"};
	struct ydoc_node scalar = {.kind = YDOC_SCALAR, .is_plain = true};

	for (size_t i = 0; i < sizeof trues / sizeof trues[0]; i++) {
		scalar.text = span_from_cstr(trues[i]);
		scalar.is_plain = true;
		CHECK_ROW(trues[i], ydoc_is_true(&scalar));
		CHECK_ROW(trues[i], ydoc_scalar_type(&scalar) == YDOC_BOOL);
		scalar.is_plain = false;
		CHECK_ROW(trues[i], !ydoc_is_true(&scalar));
	}
	scalar.is_plain = true;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		scalar.text = span_from_cstr(others[i]);
		CHECK_ROW(others[i], !ydoc_is_true(&scalar));
	}
}

static void positions_go_on_counting_over_documents(void)
{
	struct ydoc_reader reader;
	struct collect c;
	const struct ydoc_node *root = read_one(&reader, &c,
						"{\"a\": 1}\n---\n]\n---\nb:\n  c: 1\n");

	CHECK_INT(root->pos.line, 1);
	CHECK(ydoc_reader_next(&reader, &root));
	root = ydoc_get(ydoc_get(root, SPAN("b")), SPAN("c"));
	CHECK_INT(root->pos.line, 6);
	CHECK_INT(root->pos.col, 6);
	CHECK_INT(root->pos.offset, 27);
	ydoc_reader_fini(&reader);
}

static void get_finds_own_keys_first_then_merged_ones(void)
{
	static const char text[] = "base: &base {x: 1, y: 1}\n"
				   "other: &other {x: 2, z: 2, <<: *base}\n"
				   "one: {<<: *base, y: 9}\n"
				   "two: {<<: [*other, *base], w: 8}\n"
				   "twice: {x: 5, x: 6}\n"
				   "quoted: {\"<<\": *base}\n"
				   "odd: {<<: 7, x: 3}\n"
				   "odd2: {<<: [7, *base]}\n";
	static const struct {
		const char *mapping, *key, *expected;
	} rows[] = {
		{"one", "x", "1"},	{"one", "y", "9"}, {"one", "z", NULL}, {"two", "x", "2"},
		{"two", "y", "1"},	{"two", "z", "2"}, {"two", "w", "8"},  {"twice", "x", "5"},
		{"quoted", "x", NULL},	{"odd", "x", "3"}, {"odd", "y", NULL}, {"odd2", "x", "1"},
		{"nowhere", "x", NULL},
	};
	struct ydoc_reader reader;
	struct collect c;
	const struct ydoc_node *root = read_one(&reader, &c, text);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct ydoc_node *value = ydoc_get(
			ydoc_get(root, span_from_cstr(rows[i].mapping)),
			span_from_cstr(rows[i].key));

		CHECK_ROW(rows[i].mapping, (value != NULL) == (rows[i].expected != NULL));
		if (value != NULL)
			CHECK_SPAN(value->text, rows[i].expected);
	}
	ydoc_reader_fini(&reader);
}

static void get_follows_merges_of_merges_to_a_bound(void)
{
	struct ydoc_reader reader;
	const struct ydoc_node *root;
	struct collect c;
	struct buf text;

	buf_init_heap(&text, 1 << 20);
	buf_add_cstr(&text, "m0: &m0 {x: 1}\n");
	for (int i = 1; i < 100; i++)
		buf_printf(&text, "m%d: &m%d {<<: *m%d}\n", i, i, i - 1);
	root = read_one(&reader, &c, buf_cstr(&text));
	CHECK(ydoc_get(ydoc_get(root, SPAN("m32")), SPAN("x")) != NULL);
	CHECK(ydoc_get(ydoc_get(root, SPAN("m33")), SPAN("x")) == NULL);
	CHECK(ydoc_get(ydoc_get(root, SPAN("m99")), SPAN("x")) == NULL);
	ydoc_reader_fini(&reader);
	buf_fini(&text);
}

static void unquoted_words_are_typed_as_kubectl_types_them(void)
{
	static const struct {
		const char *text;
		enum ydoc_type type;
	} rows[] = {
		{"~", YDOC_NULL},	{"null", YDOC_NULL},   {"NULL", YDOC_NULL},
		{"nULL", YDOC_TEXT},	{"true", YDOC_BOOL},   {"Yes", YDOC_BOOL},
		{"off", YDOC_BOOL},	{"oFF", YDOC_TEXT},    {"80", YDOC_NUMBER},
		{"-80", YDOC_NUMBER},	{"+1", YDOC_NUMBER},   {"0", YDOC_NUMBER},
		{"0x50", YDOC_NUMBER},	{"0o17", YDOC_NUMBER}, {"1_000", YDOC_NUMBER},
		{"1.5", YDOC_NUMBER},	{"1.", YDOC_NUMBER},   {".5", YDOC_NUMBER},
		{"1e3", YDOC_NUMBER},	{"1e+3", YDOC_NUMBER}, {".inf", YDOC_NUMBER},
		{"-.Inf", YDOC_NUMBER}, {".nan", YDOC_NUMBER}, {"1.2.3.4", YDOC_TEXT},
		{"1e", YDOC_TEXT},	{"e3", YDOC_TEXT},     {".", YDOC_TEXT},
		{"-", YDOC_TEXT},	{"0xg", YDOC_TEXT},    {"1a", YDOC_TEXT},
		{"v1", YDOC_TEXT},	{"a b", YDOC_TEXT},    {"1e+", YDOC_TEXT},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ydoc_node node = {.kind = YDOC_SCALAR, .is_plain = true};
		char *text = unit_guarded(rows[i].text, strlen(rows[i].text));

		node.text = span_of(text, strlen(rows[i].text));
		CHECK_ROW(rows[i].text, ydoc_scalar_type(&node) == rows[i].type);
		node.is_plain = false;
		CHECK_ROW(rows[i].text, ydoc_scalar_type(&node) == YDOC_TEXT);
		unit_guarded_free(text, strlen(rows[i].text));
	}
}

static void absent_is_nothing_or_null_but_not_empty_text(void)
{
	struct ydoc_reader reader;
	struct collect c;
	const struct ydoc_node *root = read_one(&reader, &c,
						"{a: null, b: , c: \"\", d: [], e: \"null\"}");

	CHECK(ydoc_is_absent(NULL));
	CHECK(ydoc_is_absent(ydoc_get(root, SPAN("a"))));
	CHECK(ydoc_is_absent(ydoc_get(root, SPAN("b"))));
	CHECK(!ydoc_is_absent(ydoc_get(root, SPAN("c"))));
	CHECK(!ydoc_is_absent(ydoc_get(root, SPAN("d"))));
	CHECK(!ydoc_is_absent(ydoc_get(root, SPAN("e"))));
	ydoc_reader_fini(&reader);
}

static void a_value_is_a_scalar_that_is_not_null(void)
{
	struct ydoc_reader reader;
	struct collect c;
	const struct ydoc_node *root = read_one(
		&reader, &c, "{a: null, b: , c: \"\", d: [], e: \"null\", f: 80, g: {}}");

	CHECK(!ydoc_is_value(NULL));
	CHECK(!ydoc_is_value(ydoc_get(root, SPAN("a"))));
	CHECK(!ydoc_is_value(ydoc_get(root, SPAN("b"))));
	CHECK(ydoc_is_value(ydoc_get(root, SPAN("c"))));
	CHECK(!ydoc_is_value(ydoc_get(root, SPAN("d"))));
	CHECK(ydoc_is_value(ydoc_get(root, SPAN("e"))));
	CHECK(ydoc_is_value(ydoc_get(root, SPAN("f"))));
	CHECK(!ydoc_is_value(ydoc_get(root, SPAN("g"))));
	ydoc_reader_fini(&reader);
}

static void report_names_file_line_column_and_path(void)
{
	struct ydoc_path spec = {.key = "spec"}, ports = {.parent = &spec, .key = "ports"};
	struct ydoc_path second = {.parent = &ports, .index = 1};
	struct ydoc_path name = {.parent = &second, .key = "name"};
	struct ydoc_pos pos = {.line = 3, .col = 7};
	struct collect c;

	collect_init(&c);
	CHECK(!ydoc_report(&c.diag, DIAG_ERROR, "f.yaml", pos, &name, "%s", "a%sb"));
	CHECK(ydoc_report(&c.diag, DIAG_WARNING, "f.yaml", pos, NULL, "no path"));
	CHECK_TEXT(c.storage,
		   "f.yaml:3:7: spec.ports[1].name: a%sb\nwarning: f.yaml:3:7: no path\n");
}

static void escapes_and_cuts_the_users_words(void)
{
	char storage[YDOC_ESCAPED_MAX], long_text[100];

	CHECK_TEXT(ydoc_escape(SPAN("a\"\n\xff"), storage), "a\\\"\\x0a\\xff");
	memset(long_text, 1, sizeof long_text);
	CHECK_INT(strlen(ydoc_escape(span_of(long_text, sizeof long_text), storage)), 60 * 4 + 3);
}

static void survives_every_failed_allocation(void)
{
	static const struct span text = TEXT(
		"a: &x {b: \"c\\n\"}\nd: *x\n---\n{\"e\": \"\\n\"}\n---\nf: 1\n");
	bool was_complete = false;

	for (int64_t n = 0; !was_complete; n++) {
		const struct ydoc_node *root;
		struct ydoc_reader reader;
		struct collect c;
		unsigned documents = 0;

		collect_init(&c);
		alloc_fail_after(n);
		ydoc_reader_init(&reader, "f.yaml", text, &c.diag);
		while (ydoc_reader_next(&reader, &root))
			documents++;
		ydoc_reader_fini(&reader);
		alloc_fail_after(-1);
		CHECK(documents == 3 || c.diag.errors > 0);
		was_complete = documents == 3 && c.diag.errors == 0;
		CHECK(n < 100);
	}
}

UNIT_TESTS(TEST(reads_yaml_as_it_is_written), TEST(reads_every_document_and_leaves_out_empty_ones),
	   TEST(reads_json_into_the_same_tree), TEST(takes_flow_yaml_that_is_no_json),
	   TEST(reads_json_keys_longer_than_libyaml_allows), TEST(shares_what_aliases_name),
	   TEST(reports_what_it_cannot_read_and_goes_on_at_the_next_marker),
	   TEST(refuses_nesting_beyond_its_bound), TEST(refuses_aliases_that_stand_for_too_much),
	   TEST(refuses_too_many_anchors), TEST(gives_up_on_a_file_with_too_many_bad_documents),
	   TEST(refuses_a_file_over_its_bound), TEST(every_prefix_of_a_file_is_read_or_refused),
	   TEST(nodes_know_where_they_stood), TEST(nodes_know_where_they_end),
	   TEST(aliases_know_where_they_stood_and_what_they_name_that_it_is_named),
	   TEST(documents_know_their_bytes), TEST(find_finds_a_mappings_own_entries_only),
	   TEST(what_is_true_is_true), TEST(positions_go_on_counting_over_documents),
	   TEST(get_finds_own_keys_first_then_merged_ones),
	   TEST(get_follows_merges_of_merges_to_a_bound),
	   TEST(unquoted_words_are_typed_as_kubectl_types_them),
	   TEST(absent_is_nothing_or_null_but_not_empty_text),
	   TEST(a_value_is_a_scalar_that_is_not_null), TEST(report_names_file_line_column_and_path),
	   TEST(escapes_and_cuts_the_users_words), TEST(survives_every_failed_allocation))
