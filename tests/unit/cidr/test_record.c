#include "../unit.h"

#include "cidr/record.h"

static const char *const names[] = {"a", "b"};

static void add(const void *thing, unsigned field, struct buf *out)
{
	buf_add_cstr(out, ((const char *const *)thing)[field]);
}

static void check(enum rangewriter_format format, size_t count, const char *expected)
{
	static const char *const things[][2] = {{"1", "x,\"y\""}, {"2", ""}};
	char storage[256];
	struct record r;
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	record_init(&r, format, names, 2, add, &b);
	for (size_t i = 0; i < count; i++)
		record_add(&r, things[i]);
	record_end(&r);
	CHECK_TEXT(buf_cstr(&b), expected);
}

static void writes_each_format(void)
{
	check(RANGEWRITER_JSON, 2,
	      "[\n  {\"a\": \"1\",\n   \"b\": \"x,\\\"y\\\"\"},\n  {\"a\": \"2\"}\n]\n");
	check(RANGEWRITER_YAML, 2, "- a: \"1\"\n  b: \"x,\\\"y\\\"\"\n- a: \"2\"\n");
	check(RANGEWRITER_CSV, 2, "a,b\n1,\"x,\"\"y\"\"\"\n2,\n");
	check(RANGEWRITER_LIST, 2, "a:           1\nb:           x,\"y\"\n\na:           2\n");
	check(RANGEWRITER_JSON, 0, "[]\n");
	check(RANGEWRITER_YAML, 0, "");
}

UNIT_TESTS(TEST(writes_each_format))
