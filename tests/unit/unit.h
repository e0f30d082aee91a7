/*
 * unit: what every unit test file includes, first.
 *
 *   static void rejects_an_empty_name(void)
 *   {
 *           CHECK(!name_is_valid(SPAN("")));
 *           CHECK_TEXT(name_fix(SPAN("A")), "a");
 *   }
 *
 *   UNIT_TESTS(TEST(rejects_an_empty_name), TEST(...))
 *
 * Prints "ok NAME" or "not ok NAME: file:line: what" per test; exit status 1 when one failed. A
 * name on the command line runs that test alone. A failed CHECK ends its test. A forgotten test
 * does not compile (unused static function).
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/span.h"

struct unit_test {
	const char *name;
	void (*run)(void);
};

static jmp_buf unit_end_of_test;
static char unit_message[2048];
static bool unit_skipped;

__attribute__((noreturn, format(printf, 3, 4))) static void unit_fail(const char *file, int line,
								      const char *format, ...)
{
	va_list args;
	int n = snprintf(unit_message, sizeof unit_message, "%s:%d: ", file, line);

	va_start(args, format);
	vsnprintf(unit_message + n, sizeof unit_message - (size_t)n, format, args);
	va_end(args);
	longjmp(unit_end_of_test, 1);
}

/* Ends the test as skipped, with a reason. */
__attribute__((noreturn, unused)) static void unit_skip(const char *reason)
{
	unit_skipped = true;
	snprintf(unit_message, sizeof unit_message, "%s", reason);
	longjmp(unit_end_of_test, 1);
}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			unit_fail(__FILE__, __LINE__, "not so: %s", #condition);                   \
	} while (0)

/* With a label for the row of a table that failed (a C string). */
#define CHECK_ROW(label, condition)                                                                \
	do {                                                                                       \
		if (!(condition))                                                                  \
			unit_fail(__FILE__, __LINE__, "[%s] not so: %s", (label), #condition);     \
	} while (0)

#define CHECK_INT(actual, expected)                                                                \
	do {                                                                                       \
		long long unit_a = (long long)(actual), unit_e = (long long)(expected);            \
		if (unit_a != unit_e)                                                              \
			unit_fail(__FILE__, __LINE__, "%s is %lld, expected %lld", #actual,        \
				  unit_a, unit_e);                                                 \
	} while (0)

/* A span against a C string. */
#define CHECK_SPAN(actual, expected)                                                               \
	do {                                                                                       \
		struct span unit_a = (actual), unit_e = span_from_cstr(expected);                  \
		if (!span_eq(unit_a, unit_e))                                                      \
			unit_fail(__FILE__, __LINE__, "%s is \"%.*s\", expected \"%.*s\"",         \
				  #actual, SPAN_ARG(unit_a), SPAN_ARG(unit_e));                    \
	} while (0)

/* A C string against a C string. */
#define CHECK_TEXT(actual, expected)                                                               \
	do {                                                                                       \
		const char *unit_a = (actual), *unit_e = (expected);                               \
		if (strcmp(unit_a, unit_e) != 0)                                                   \
			unit_fail(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #actual,    \
				  unit_a, unit_e);                                                 \
	} while (0)

/*
 * A copy of the bytes that ends flush against an unreadable page: reading one byte too far is
 * fatal. Freed with unit_guarded_free.
 */
__attribute__((unused)) static char *unit_guarded(const void *bytes, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t pages = (len + page - 1) / page + 1;
	char *map = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start;

	if (map == MAP_FAILED || mprotect(map + pages * page, page, PROT_NONE) != 0)
		abort();
	start = map + pages * page - len;
	if (len > 0)
		memcpy(start, bytes, len);
	return start;
}

__attribute__((unused)) static void unit_guarded_free(char *start, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t pages = (len + page - 1) / page + 1;

	munmap(start + len - pages * page, (pages + 1) * page);
}

static int unit_run(const struct unit_test *tests, size_t count, int argc, char **argv)
{
	volatile int failed = 0;

	for (volatile size_t i = 0; i < count; i++) {
		if (argc > 1 && strcmp(argv[1], tests[i].name) != 0)
			continue;
		unit_skipped = false;
		if (setjmp(unit_end_of_test) == 0) {
			tests[i].run();
			printf("ok %s\n", tests[i].name);
		} else if (unit_skipped) {
			printf("skip %s: %s\n", tests[i].name, unit_message);
		} else {
			printf("not ok %s: %s\n", tests[i].name, unit_message);
			failed = 1;
		}
		fflush(stdout);
	}
	return failed;
}

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}

#define UNIT_TESTS(...)                                                                            \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const struct unit_test tests[] = {__VA_ARGS__};                             \
		return unit_run(tests, sizeof tests / sizeof tests[0], argc, argv);                \
	}

#endif
