#include "document.h"

#include "base/alloc.h"
#include "ydoc/yexpand.h"

struct row {
	const char *text, *expected;
};

static bool expand(const struct document *d, struct buf *out)
{
	struct arena arena;
	bool ok;

	arena_init(&arena, 16 << 20);
	ok = yexpand_document(d->text, d->root, d->reader.begin, d->reader.end, &arena, out);
	arena_fini(&arena);
	return ok;
}

static void only_the_node_is_written_anew(void)
{
	static const struct row rows[] = {
		{"a: &a {b: c}\nd: *a\n", "a:\n  b: c\nd:\n  b: c\n"},
		{"# top\na: &a [b] # c\n# mid\n\nd: *a\n# end\n",
		 "# top\na:\n- b\nd:\n- b\n# end\n"},
		{"--- # x\n# y\na: b # z\n\n# end\n", "--- # x\n# y\na: b\n\n# end\n"},
		{"%YAML 1.1\n---\na: b\n...\n", "%YAML 1.1\n---\na: b\n..."},
		{"--- {a: b}\n", "--- \na: b\n"},
		{"--- &x !!map\na: b\n", "--- \na: b\n"},
		{"--- !!map # c\n  a: b\n", "--- \na: b\n"},
		{"{a: b} # c\n", "a: b\n"},
		{"  {a: b}\n", "a: b\n"},
		{"    a:\n        b: c\n", "a:\n  b: c\n"},
		{"[a,\n b]\n# c\n", "- a\n- b\n# c\n"},
		{"a: b", "a: b\n"},
		{"a: |\n  b\n\n\n# c\n", "a: |\n  b\n# c\n"},
		{"a: |+\n  b\n\n# c\n", "a: |+\n  b\n\n# c\n"},
		{"a: &a [b]\r\nc: *a\r\n# d\r\n", "a:\r\n- b\r\nc:\r\n- b\r\n# d\r\n"},
		{"\xef\xbb\xbf"
		 "a: {<<: {b: c}}\n",
		 "a:\n  b: c\n"},
		{"? a\n# b\n", "a: null\n# b\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char storage[200];
		struct document d;
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		document_open(&d, span_from_cstr(rows[i].text));
		CHECK_ROW(rows[i].text, expand(&d, &out));
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  storage, rows[i].expected);
		document_close(&d);
	}
}

/* Of a file of several, each document keeps its marker and what is before it. */
static void documents_stay_apart(void)
{
	static const char text[] = "# 1\na: [1]\n# 2\n---\n# 3\nb: [2]\n...\n---\nc: [3]\n";
	static const char *const expected[] = {"# 1\na:\n- 1\n# 2\n", "---\n# 3\nb:\n- 2\n...",
					       "\n---\nc:\n- 3\n"};
	struct document d;
	size_t count = 0;

	document_open(&d, span_of(text, sizeof text - 1));
	do {
		char storage[200];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		CHECK(expand(&d, &out));
		CHECK_TEXT(storage, expected[count]);
		count++;
	} while (ydoc_reader_next(&d.reader, &d.root));
	CHECK_INT(count, 3);
	document_close(&d);
}

static void what_is_too_large_or_too_deep_is_refused(void)
{
	struct buf text, out;
	struct document d;

	document_open(&d, SPAN("a: &a [b, b, b, b]\nc: [*a , *a , *a ]\n"));
	buf_init_heap(&out, 50);
	CHECK(!expand(&d, &out));
	buf_fini(&out);
	document_close(&d);

	buf_init_heap(&text, 1 << 20);
	buf_init_heap(&out, 1 << 20);
	for (int levels = 98; levels <= 99; levels++) {
		buf_clear(&text);
		buf_add_cstr(&text, "a0: &a0 [x]\n");
		for (int i = 1; i < levels; i++)
			buf_printf(&text, "a%d: &a%d [*a%d ]\n", i, i, i - 1);
		document_open(&d, buf_span(&text));
		buf_clear(&out);
		/* With the document's own, a hundred: then it is read again. */
		CHECK_INT(expand(&d, &out), true);
		document_close(&d);
		document_open(&d, buf_span(&out));
		document_close(&d);
	}
	buf_add_cstr(&text, "z: [*a98 ]\n");
	document_open(&d, buf_span(&text));
	buf_clear(&out);
	CHECK(!expand(&d, &out));
	document_close(&d);
	buf_fini(&text);
	buf_fini(&out);
}

static void says_when_memory_is_out(void)
{
	struct document d;
	bool ok = false;

	document_open(&d, SPAN("a: {<<: {b: [c]}}\nd: [e]\n"));
	for (int64_t n = 0; !ok; n++) {
		struct buf out;

		CHECK(n < 100);
		buf_init_heap(&out, 1 << 20);
		alloc_fail_after(n);
		ok = expand(&d, &out);
		alloc_fail_after(-1);
		buf_fini(&out);
	}
	document_close(&d);
}

UNIT_TESTS(TEST(only_the_node_is_written_anew), TEST(documents_stay_apart),
	   TEST(what_is_too_large_or_too_deep_is_refused), TEST(says_when_memory_is_out))
