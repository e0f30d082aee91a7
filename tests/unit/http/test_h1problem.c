#include "../unit.h"
#include "http/h1problem.h"

static void every_problem_has_name_status_and_text(void)
{
	for (int p = H1_PROBLEM_NONE + 1; p < H1_PROBLEM_COUNT; p++) {
		const char *name = h1problem_name(p);
		unsigned status = h1problem_status(p);

		CHECK_ROW(name,
			  strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name));
		CHECK_ROW(name, strlen(h1problem_text(p)) > 0);
		CHECK_ROW(name, status == 400 || status == 414 || status == 417 || status == 431 ||
					status == 501 || status == 502 || status == 505);
		for (int other = p + 1; other < H1_PROBLEM_COUNT; other++)
			CHECK_ROW(name, strcmp(name, h1problem_name(other)) != 0);
	}
}

static void statuses_are_those_of_the_rules(void)
{
	CHECK_INT(h1problem_status(H1_PROBLEM_NONE), 0);
	CHECK_INT(h1problem_status(H1_PROBLEM_BARE_LF), 400);
	CHECK_INT(h1problem_status(H1_PROBLEM_METHOD_TOO_LONG), 501);
	CHECK_INT(h1problem_status(H1_PROBLEM_TARGET_TOO_LONG), 414);
	CHECK_INT(h1problem_status(H1_PROBLEM_VERSION_UNSUPPORTED), 505);
	CHECK_INT(h1problem_status(H1_PROBLEM_H2_PREFACE), 505);
	CHECK_INT(h1problem_status(H1_PROBLEM_HEAD_TOO_LARGE), 431);
	CHECK_INT(h1problem_status(H1_PROBLEM_TOO_MANY_FIELDS), 431);
	CHECK_INT(h1problem_status(H1_PROBLEM_CODING_UNKNOWN), 501);
	CHECK_INT(h1problem_status(H1_PROBLEM_EXPECT_UNKNOWN), 417);
}

static void other_numbers_are_unknown(void)
{
	CHECK_TEXT(h1problem_name(H1_PROBLEM_COUNT), "unknown");
	CHECK_TEXT(h1problem_text((enum h1_problem)9999), "unknown");
}

UNIT_TESTS(TEST(every_problem_has_name_status_and_text), TEST(statuses_are_those_of_the_rules),
	   TEST(other_numbers_are_unknown))
