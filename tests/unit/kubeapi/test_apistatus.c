#include "../unit.h"

#include "base/alloc.h"
#include "kubeapi/apistatus.h"

static const char forbidden[] =
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
	"\"message\":\"nodes is forbidden: User \\\"u\\\" cannot list resource \\\"nodes\\\"\","
	"\"reason\":\"Forbidden\",\"details\":{\"kind\":\"nodes\"},\"code\":403}\n";

static void reads_the_words_of_a_refusal(void)
{
	struct apistatus said;
	struct arena arena;

	arena_init(&arena, 1 << 16);
	CHECK(apistatus_parse(span_from_cstr(forbidden), &arena, &said));
	CHECK_SPAN(said.message, "nodes is forbidden: User \"u\" cannot list resource \"nodes\"");
	CHECK_SPAN(said.reason, "Forbidden");
	CHECK(apistatus_parse(SPAN("{\"kind\":\"Status\"}"), &arena, &said));
	CHECK_SPAN(said.message, "");
	CHECK_SPAN(said.reason, "");
	CHECK(apistatus_parse(SPAN("{\"kind\":\"Status\",\"message\":[1],\"reason\":{}}"), &arena,
			      &said));
	CHECK_SPAN(said.message, "");
	arena_fini(&arena);
}

static void takes_nothing_else_for_one(void)
{
	static const char *const texts[] = {
		"",	      "{}",
		"[]",	      "{\"kind\":\"NodeList\",\"message\":\"x\"}",
		"<html>",     "kind: Status\nmessage: x\n",
		"{\"kind\":", "{\"kind\":[\"Status\"]}",
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct apistatus said;
		struct arena arena;

		arena_init(&arena, 1 << 16);
		CHECK_ROW(texts[i], !apistatus_parse(span_from_cstr(texts[i]), &arena, &said));
		CHECK_SPAN(said.message, "");
		arena_fini(&arena);
	}
}

static void survives_every_lack_of_memory(void)
{
	for (int n = 0; n < 100; n++) {
		struct apistatus said;
		struct arena arena;
		bool ok;

		arena_init(&arena, 1 << 16);
		alloc_fail_after(n);
		ok = apistatus_parse(span_from_cstr(forbidden), &arena, &said);
		alloc_fail_after(-1);
		arena_fini(&arena);
		if (ok)
			return;
	}
	CHECK(false);
}

UNIT_TESTS(TEST(reads_the_words_of_a_refusal), TEST(takes_nothing_else_for_one),
	   TEST(survives_every_lack_of_memory))
