#include "../unit.h"

#include "tls/pem.h"

static void finds_objects_between_other_text(void)
{
	const struct span text = SPAN(
		"\xef\xbb\xbf-----BEGIN A-----\nAAAA\n-----END A-----\n"
		"some words -----BEGIN X-----\r\n\r\n"
		"  -----BEGIN B C-----\t\r\n  BBBB\r\n  -----END B C-----  \r\n"
		"-----BEGIN D-----\n-----END D-----");
	struct pem pem;
	struct pem_object object;
	struct error e;

	pem_init(&pem, text);
	CHECK_INT(pem_next(&pem, &object, &e), PEM_OBJECT);
	CHECK_SPAN(object.label, "A");
	CHECK_SPAN(object.body, "AAAA\n");
	CHECK_INT(object.line, 1);
	CHECK_INT(pem_next(&pem, &object, &e), PEM_OBJECT);
	CHECK_SPAN(object.label, "B C");
	CHECK_SPAN(object.body, "  BBBB\r\n  ");
	CHECK_INT(object.line, 6);
	CHECK_INT(pem_next(&pem, &object, &e), PEM_OBJECT);
	CHECK_SPAN(object.label, "D");
	CHECK_SPAN(object.body, "");
	CHECK_INT(object.line, 9);
	CHECK_INT(pem_next(&pem, &object, &e), PEM_END);
	CHECK_INT(pem_next(&pem, &object, &e), PEM_END);
}

static void refuses_markers_that_do_not_match(void)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"-----END A-----\n", "line 1: END without BEGIN"},
		{"\n-----BEGIN A-----\nAAAA\n", "line 2: BEGIN without END"},
		{"-----BEGIN A-----", "line 1: BEGIN without END"},
		{"-----BEGIN A-----\n-----END B-----\n", "line 2: END of another kind than BEGIN"},
		{"-----BEGIN A-----\nAAAA\n-----BEGIN A-----\n",
		 "line 3: BEGIN before the END of the one before"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pem pem;
		struct pem_object object;
		struct error e;
		size_t len = strlen(rows[i].text);
		char *text = unit_guarded(rows[i].text, len);

		pem_init(&pem, span_of(text, len));
		CHECK_ROW(rows[i].text, pem_next(&pem, &object, &e) == PEM_BAD);
		CHECK_TEXT(e.text, rows[i].why);
		unit_guarded_free(text, len);
	}
}

static void passes_over_lines_that_only_look_like_markers(void)
{
	struct pem pem;
	struct pem_object object;
	struct error e;

	pem_init(&pem,
		 SPAN("-----BEGIN A\n-----END A\n-----BEGIN ----\n----BEGIN A-----\n-----BEGIN"));
	CHECK_INT(pem_next(&pem, &object, &e), PEM_END);
}

static const struct row {
	const char *base64, *expected, *why;
} rows[] = {
	{"", "", NULL},
	{"Zg==", "f", NULL},
	{"Zm8=", "fo", NULL},
	{"Zm9v", "foo", NULL},
	{"Zm9vYmFy\n", "foobar", NULL},
	{" Z m\r\n9\tv\n", "foo", NULL},
	{"+/+/", "\xfb\xff\xbf", NULL},
	{"Zm9", NULL, "line 8: base64 ends too early"},
	{"Zg=", NULL, "line 8: base64 ends too early"},
	{"Zm9v\nZ===", NULL, "line 9: not base64"},
	{"====", NULL, "line 8: not base64"},
	{"Zg==Zg==", NULL, "line 8: not base64"},
	{"Zm=v", NULL, "line 8: not base64"},
	{"Zm9v\r\n\nZm-v", NULL, "line 10: not base64"},
	{"Zm9v\xc3\xa4", NULL, "line 8: not base64"},
	{"Zm9vYmFyZg==", NULL, "line 8: too large"},
};

static void decodes_base64_strictly(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t in_len = strlen(rows[i].base64), len;
		char *in = unit_guarded(rows[i].base64, in_len);
		char *out = unit_guarded("......", 6);
		struct pem_object object = {.body = {in, in_len}, .line = 7};
		struct error e;
		bool ok = pem_decode(&object, (uint8_t *)out, 6, &len, &e);

		CHECK_ROW(rows[i].base64, ok == (rows[i].expected != NULL));
		if (ok)
			CHECK_SPAN(span_of(out, len), rows[i].expected);
		else
			CHECK_TEXT(e.text, rows[i].why);
		unit_guarded_free(out, 6);
		unit_guarded_free(in, in_len);
	}
}

UNIT_TESTS(TEST(finds_objects_between_other_text), TEST(refuses_markers_that_do_not_match),
	   TEST(passes_over_lines_that_only_look_like_markers), TEST(decodes_base64_strictly))
