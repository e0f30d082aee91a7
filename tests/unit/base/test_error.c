#include "../unit.h"

#include <errno.h>

#include "base/error.h"

static void set_formats_and_returns_false(void)
{
	struct error e;

	CHECK(!error_set(&e, "\"%s\" is not %d", "a", 5));
	CHECK_TEXT(e.text, "\"a\" is not 5");
}

static void set_sys_names_errno_and_keeps_it(void)
{
	char expected[128];
	struct error e;

	snprintf(expected, sizeof expected, "cannot open x: %s", strerror(ENOENT));
	errno = ENOENT;
	CHECK(!error_set_sys(&e, "cannot open %s", "x"));
	CHECK_TEXT(e.text, expected);
	CHECK_INT(errno, ENOENT);
}

static void prefix_goes_before_the_text(void)
{
	struct error e;

	error_set(&e, "inner %%s");
	CHECK(!error_prefix(&e, "file %d", 3));
	CHECK_TEXT(e.text, "file 3: inner %s");
}

static void the_text_itself_may_be_an_argument(void)
{
	struct error e;

	error_set(&e, "inner");
	error_set(&e, "outer: %s (%s)", e.text, e.text);
	CHECK_TEXT(e.text, "outer: inner (inner)");
	error_prefix(&e, "%s", e.text);
	CHECK_TEXT(e.text, "outer: inner (inner): outer: inner (inner)");
}

static void long_text_is_cut_and_terminated(void)
{
	struct error e;

	error_set(&e, "%0600d", 1);
	CHECK_INT(strlen(e.text), ERROR_TEXT_MAX - 1);
	error_prefix(&e, "p");
	CHECK_INT(strlen(e.text), ERROR_TEXT_MAX - 1);
	CHECK(strncmp(e.text, "p: 000", 6) == 0);
	error_set_sys(&e, "%0600d", 1);
	CHECK_INT(strlen(e.text), ERROR_TEXT_MAX - 1);
}

static void a_path_is_escaped_and_leaves_room_for_the_text(void)
{
	char path[1000];
	struct error e;

	error_set(&e, "is missing");
	CHECK(!error_prefix_path(&e, "a\nb/%s"));
	CHECK_TEXT(e.text, "a\\x0ab/%s: is missing");
	memset(path, '\n', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	error_set(&e, "is missing");
	error_prefix_path(&e, path);
	CHECK(strstr(e.text, ": is missing") != NULL);
}

static void quotes_the_users_words(void)
{
	char lengthy[200];
	struct error e;

	CHECK(!error_quote(&e, SPAN("a\"b\n"), " is none of %d", 3));
	CHECK_TEXT(e.text, "\"a\\\"b\\x0a\" is none of 3");
	memset(lengthy, 'x', sizeof lengthy);
	error_quote(&e, span_of(lengthy, sizeof lengthy), "!");
	CHECK(strstr(e.text, "x...\"!") != NULL);
}

UNIT_TESTS(TEST(quotes_the_users_words), TEST(set_formats_and_returns_false),
	   TEST(set_sys_names_errno_and_keeps_it), TEST(prefix_goes_before_the_text),
	   TEST(the_text_itself_may_be_an_argument), TEST(long_text_is_cut_and_terminated),
	   TEST(a_path_is_escaped_and_leaves_room_for_the_text))
