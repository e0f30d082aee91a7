#include "../unit.h"
#include "http/h1target.h"

static const struct {
	const char *target;
	enum h1_method method;
	enum h1_problem problem;
	enum h1_target_form form;
	const char *authority, *path;
	bool is_https;
} rows[] = {
	{"/", H1_METHOD_GET, H1_PROBLEM_NONE, H1_TARGET_ORIGIN, "", "/", false},
	{"//a/b?c:d", H1_METHOD_OTHER, H1_PROBLEM_NONE, H1_TARGET_ORIGIN, "", "//a/b?c:d", false},
	{"/http://u@a", H1_METHOD_GET, H1_PROBLEM_NONE, H1_TARGET_ORIGIN, "", "/http://u@a", false},
	{"http://a", H1_METHOD_GET, H1_PROBLEM_NONE, H1_TARGET_ABSOLUTE, "a", "", false},
	{"HTTP://a:8/x?y", H1_METHOD_PUT, H1_PROBLEM_NONE, H1_TARGET_ABSOLUTE, "a:8", "/x?y",
	 false},
	{"https://a?y/@z", H1_METHOD_GET, H1_PROBLEM_NONE, H1_TARGET_ABSOLUTE, "a", "?y/@z", true},
	{"hTTps://[::1]:1/", H1_METHOD_GET, H1_PROBLEM_NONE, H1_TARGET_ABSOLUTE, "[::1]:1", "/",
	 true},
	{"http:///x", H1_METHOD_GET, H1_PROBLEM_NONE, H1_TARGET_ABSOLUTE, "", "/x", false},
	{"*", H1_METHOD_OPTIONS, H1_PROBLEM_NONE, H1_TARGET_ASTERISK, "", "", false},
	{"a:443", H1_METHOD_CONNECT, H1_PROBLEM_NONE, H1_TARGET_AUTHORITY, "a:443", "", false},
	{"*", H1_METHOD_GET, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"**", H1_METHOD_OPTIONS, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"a:80", H1_METHOD_GET, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"a", H1_METHOD_GET, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{":", H1_METHOD_GET, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"://a", H1_METHOD_GET, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"http:/a", H1_METHOD_GET, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"http:", H1_METHOD_GET, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"/", H1_METHOD_CONNECT, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"http://a", H1_METHOD_CONNECT, H1_PROBLEM_TARGET_FORM, 0, "", "", false},
	{"ws://a/", H1_METHOD_GET, H1_PROBLEM_TARGET_SCHEME, 0, "", "", false},
	{"httpss://a/", H1_METHOD_GET, H1_PROBLEM_TARGET_SCHEME, 0, "", "", false},
	{"http://u@a/", H1_METHOD_GET, H1_PROBLEM_TARGET_USERINFO, 0, "", "", false},
	{"http://@", H1_METHOD_GET, H1_PROBLEM_TARGET_USERINFO, 0, "", "", false},
	{"u@a:1", H1_METHOD_CONNECT, H1_PROBLEM_TARGET_USERINFO, 0, "", "", false},
};

static void splits_or_refuses(size_t row)
{
	/* Behind other bytes, as in a request line, and flush against the page. */
	size_t len = strlen(rows[row].target);
	struct h1_head head = {.method = (uint8_t)rows[row].method, .target = {4, (uint16_t)len}};
	char line[64] = "GET ";
	char *bytes;

	memcpy(line + 4, rows[row].target, len);
	bytes = unit_guarded(line, 4 + len);
	CHECK_TEXT(h1problem_name(h1target_split(&head, bytes)), h1problem_name(rows[row].problem));
	if (rows[row].problem == H1_PROBLEM_NONE) {
		CHECK_INT(head.target_form, rows[row].form);
		CHECK_INT(head.target_is_https, rows[row].is_https);
		CHECK_SPAN(h1head_text(bytes, head.authority), rows[row].authority);
		CHECK_SPAN(h1head_text(bytes, head.path), rows[row].path);
	}
	unit_guarded_free(bytes, 4 + len);
}

static void tells_the_four_forms(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].problem == H1_PROBLEM_NONE)
			splits_or_refuses(i);
	}
}

static void refuses_forms_that_the_method_does_not_have(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].problem != H1_PROBLEM_NONE)
			splits_or_refuses(i);
	}
}

UNIT_TESTS(TEST(tells_the_four_forms), TEST(refuses_forms_that_the_method_does_not_have))
