#include "document.h"

#include "base/alloc.h"
#include "ydoc/yunique.h"

static bool check(struct document *d, const char *path)
{
	struct ydoc_path root = {.key = "top"};
	struct ykeys_context context = {&d->c.diag, "f.yaml", &root};

	return yunique_check(&context, document_at(d, path));
}

static void names_each_key_that_is_given_again(void)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"a: 1\nb: 2\n", ""},
		{"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: top.a: key is given twice, first on line 1\n"},
		{"a: 1\na: 2\na: 3\n", "f.yaml:2:1: top.a: key is given twice, first on line 1\n"
				       "f.yaml:3:1: top.a: key is given twice, first on line 1\n"},
		{"a: 1\n'a': 2\n", "f.yaml:2:1: top.a: key is given twice, first on line 1\n"},
		{"b: {c: [1, {d: 2, d: 3}]}\n",
		 "f.yaml:1:19: top.b.c[1].d: key is given twice, first on line 1\n"},
		{"- {a: 1, a: 2}\n- {b: 1,\n   b: 2}\n",
		 "f.yaml:1:10: top[0].a: key is given twice, first on line 1\n"
		 "f.yaml:3:4: top[1].b: key is given twice, first on line 2\n"},
		{"? {x: y}\n: {a: 1, a: 2}\n",
		 "f.yaml:2:10: top.{}.a: key is given twice, first on line 2\n"},
		{"{\"a\":1,\"\\u0061\":2}",
		 "f.yaml:1:8: top.a: key is given twice, first on line 1\n"},
		{"\"x\\n\": 1\n\"x\\n\": 1\n",
		 "f.yaml:2:1: top.x\\x0a: key is given twice, first on line 1\n"},
		/* Not the same: merges, keys that are no scalars, mappings apart. */
		{"<<: {a: 1}\n<<: {a: 2}\na: 3\n", ""},
		{"'<<': 1\n\"<<\": 2\n",
		 "f.yaml:2:1: top.<<: key is given twice, first on line 1\n"},
		{"? [a]\n: 1\n? [a]\n: 2\n", ""},
		{"a: {x: 1}\nb: {x: 1}\n", ""},
		{"[1, 1]", ""},
		{"text", ""},
		{"{}", ""},
		/* What aliases stand for is looked at where it stands. */
		{"a: &a {x: 1, x: 2}\nb: *a\n",
		 "f.yaml:1:14: top.a.x: key is given twice, first on line 1\n"},
		{"a: &k b\nc: {b: 1, *k : 2}\n",
		 "f.yaml:2:11: top.c.b: key is given twice, first on line 2\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct document d;

		document_open(&d, span_from_cstr(rows[i].text));
		CHECK_ROW(rows[i].text, check(&d, "") == (rows[i].expected[0] == '\0'));
		CHECK_TEXT(d.c.storage, rows[i].expected);
		document_close(&d);
	}
}

static void looks_below_the_node_only(void)
{
	struct document d;

	document_open(&d, SPAN("a: {b: {c: 1}}\na: {x: 1, x: 1}\n"));
	CHECK(check(&d, "a.b"));
	CHECK(check(&d, "a"));
	document_close(&d);
}

/* Around the size from which on a table is made, and far beyond. */
static void finds_them_among_many(void)
{
	static const unsigned counts[] = {15, 16, 17, 18, 31, 32, 33, 64, 1000, 20000};

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		struct buf text;
		struct document d;
		char expected[200];

		buf_init_heap(&text, 1 << 20);
		for (unsigned k = 0; k < counts[i]; k++)
			buf_printf(&text, "k%u: 1\n", k);
		document_open(&d, buf_span(&text));
		CHECK(check(&d, ""));
		document_close(&d);
		buf_printf(&text, "<<: {}\n<<: {}\n? [a]\n: 1\n? [a]\n: 1\n");
		buf_printf(&text, "k%u: 1\nk0: 1\n", counts[i] - 1);
		document_open(&d, buf_span(&text));
		CHECK(!check(&d, ""));
		snprintf(expected, sizeof expected,
			 "f.yaml:%u:1: top.k%u: key is given twice, first on line %u\n"
			 "f.yaml:%u:1: top.k0: key is given twice, first on line 1\n",
			 counts[i] + 7, counts[i] - 1, counts[i], counts[i] + 8);
		CHECK_TEXT(d.c.storage, expected);
		document_close(&d);
		buf_fini(&text);
	}
}

static void says_when_memory_is_out(void)
{
	struct document d;
	struct buf text;

	buf_init_heap(&text, 1 << 20);
	for (unsigned k = 0; k < 100; k++)
		buf_printf(&text, "k%u: 1\n", k);
	document_open(&d, buf_span(&text));
	alloc_fail_after(0);
	CHECK(!check(&d, ""));
	alloc_fail_after(-1);
	CHECK_TEXT(d.c.storage, "f.yaml:1:1: top: out of memory\n");
	document_close(&d);
	buf_fini(&text);
}

UNIT_TESTS(TEST(names_each_key_that_is_given_again), TEST(looks_below_the_node_only),
	   TEST(finds_them_among_many), TEST(says_when_memory_is_out))
