#include "../unit.h"

#include "json/jsonw.h"

static void escapes_what_json_wants_escaped(void)
{
	char storage[128];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	jsonw_string(&b, SPAN("a\"b\\c\n\x01\xc3\xa9/"));
	CHECK_TEXT(buf_cstr(&b), "\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa9/\"");
	buf_clear(&b);
	jsonw_string(&b, SPAN(""));
	CHECK_TEXT(buf_cstr(&b), "\"\"");
}

UNIT_TESTS(TEST(escapes_what_json_wants_escaped))
