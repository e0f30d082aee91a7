#include "../unit.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/buf.h"

static void starts_empty(void)
{
	char storage[4] = "xxx";
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	CHECK_SPAN(buf_span(&b), "");
	CHECK_TEXT(storage, "");
	buf_init_heap(&b, 10);
	CHECK_SPAN(buf_span(&b), "");
	CHECK_TEXT(buf_cstr(&b), "");
	buf_fini(&b);
}

static void adds_text_bytes_and_numbers(void)
{
	char storage[200];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	buf_add(&b, SPAN("a"));
	buf_add(&b, span_of(NULL, 0));
	buf_add_cstr(&b, "bc");
	buf_add_byte(&b, ' ');
	buf_add_u64(&b, 0);
	buf_add_byte(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	buf_add_byte(&b, ' ');
	buf_add_hex(&b, 0);
	buf_add_byte(&b, ' ');
	buf_add_hex(&b, UINT64_C(0x00fedcba98765432));
	buf_printf(&b, " %s%03d", "x", 7);
	CHECK_TEXT(buf_cstr(&b), "abc 0 18446744073709551615 0 fedcba98765432 x007");
	CHECK(!b.truncated);
}

static void keeps_nul_bytes_of_the_text(void)
{
	char storage[8];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	buf_add(&b, span_of("a\0b", 3));
	CHECK_INT(b.len, 3);
	CHECK(memcmp(storage, "a\0b", 4) == 0);
}

/* The same writes into buffers of every size: always a prefix of the whole, always terminated. */
static void write_all_kinds(struct buf *b)
{
	buf_add_cstr(b, "one,");
	buf_add_u64(b, 12345);
	buf_printf(b, ",%d-%s", 678, "two");
	buf_add_escaped(b, SPAN("\"\n"), 10);
	buf_add_byte(b, '.');
	buf_printf(b, "%s", "");
	buf_add_hex(b, 0xbeef);
}

#define ALL_KINDS "one,12345,678-two\\\"\\x0a.beef"

static void cuts_what_does_not_fit_and_says_so(void)
{
	size_t whole = strlen(ALL_KINDS);

	for (size_t size = 1; size <= whole + 3; size++) {
		char *storage = unit_guarded(ALL_KINDS ALL_KINDS, size);
		struct buf b;

		buf_init(&b, storage, size);
		write_all_kinds(&b);
		CHECK_INT(b.len, size <= whole ? size - 1 : whole);
		CHECK(b.truncated == (size <= whole));
		CHECK(memcmp(storage, ALL_KINDS, b.len) == 0 && storage[b.len] == '\0');
		unit_guarded_free(storage, size);
	}
}

static void cuts_a_growing_one_at_its_bound(void)
{
	size_t whole = strlen(ALL_KINDS);

	for (size_t max_len = 0; max_len <= whole + 2; max_len++) {
		struct buf b;

		buf_init_heap(&b, max_len);
		write_all_kinds(&b);
		CHECK_INT(b.len, max_len < whole ? max_len : whole);
		CHECK(b.truncated == (max_len < whole));
		CHECK(memcmp(buf_cstr(&b), ALL_KINDS, b.len) == 0 && buf_cstr(&b)[b.len] == '\0');
		buf_fini(&b);
	}
}

static void leaves_no_hole_behind_a_cut(void)
{
	struct buf b;

	/* Memory is there again after the cut, but what was lost in between stays lost. */
	buf_init_heap(&b, 10000);
	buf_add_cstr(&b, "abc");
	alloc_fail_after(0);
	for (int i = 0; i < 100; i++)
		buf_add_cstr(&b, "0123456789");
	alloc_fail_after(-1);
	CHECK(b.truncated);
	CHECK(b.len > 3 && b.len < 1003);
	CHECK(memcmp(b.ptr, "abc0123456789", 13) == 0);
	buf_add_cstr(&b, "x");
	buf_printf(&b, "x");
	CHECK(memchr(b.ptr, 'x', b.len) == NULL);
	buf_clear(&b);
	buf_add_cstr(&b, "x");
	CHECK_TEXT(buf_cstr(&b), "x");
	CHECK(!b.truncated);
	buf_fini(&b);
}

static void doubles_as_it_grows(void)
{
	uint64_t before = alloc_count();
	struct buf b;

	buf_init_heap(&b, SIZE_MAX);
	for (int i = 0; i < 100000; i++)
		buf_add_byte(&b, (char)('a' + i % 26));
	CHECK_INT(b.len, 100000);
	for (int i = 0; i < 100000; i++)
		CHECK(b.ptr[i] == 'a' + i % 26);
	CHECK(alloc_count() - before <= 11);
	buf_fini(&b);
}

static void never_holds_more_than_its_bound(void)
{
	struct buf b;

	buf_init_heap(&b, 1000);
	for (int i = 0; i < 1000; i++)
		buf_add_byte(&b, 'x');
	CHECK(!b.truncated && b.len == 1000 && b.cap == 1001);
	buf_add_byte(&b, 'y');
	CHECK(b.truncated && b.len == 1000 && b.cap == 1001);
	buf_fini(&b);
}

static void survives_every_failing_allocation(void)
{
	for (int n = 0; n < 4; n++) {
		struct buf b;

		alloc_fail_after(n);
		buf_init_heap(&b, 100000);
		for (int i = 0; i < 30; i++) {
			write_all_kinds(&b);
			buf_printf(&b, "%300d", i);
		}
		alloc_fail_after(-1);
		CHECK(b.truncated);
		CHECK(n == 0 ? b.len == 0 : b.len > 0);
		CHECK(buf_cstr(&b)[b.len] == '\0');
		buf_fini(&b);
		CHECK(b.len == 0 && !b.truncated);
		buf_add_cstr(&b, "again");
		CHECK_TEXT(buf_cstr(&b), "again");
		buf_fini(&b);
	}
}

static void fini_leaves_fixed_storage_to_the_caller(void)
{
	char storage[8];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	buf_add_cstr(&b, "abc");
	buf_fini(&b);
	CHECK_TEXT(storage, "");
	buf_add_cstr(&b, "def");
	CHECK_TEXT(storage, "def");
}

static void prints_longer_than_any_storage_so_far(void)
{
	struct buf b;

	buf_init_heap(&b, 10000);
	buf_printf(&b, "%5000d|%s", 1, "end");
	CHECK_INT(b.len, 5004);
	CHECK_TEXT(b.ptr + 4999, "1|end");
	buf_fini(&b);
}

/* Libc knows how it ought to look. */
#define CHECK_PRINTS(...)                                                                          \
	do {                                                                                       \
		char ours[200], theirs[200];                                                       \
		struct buf out;                                                                    \
		BUF_INIT_ARRAY(&out, ours);                                                        \
		buf_printf(&out, __VA_ARGS__);                                                     \
		CHECK_INT(out.len, snprintf(theirs, sizeof theirs, __VA_ARGS__));                  \
		CHECK_TEXT(ours, theirs);                                                          \
		CHECK(!out.truncated);                                                             \
	} while (0)

static void prints_as_printf_does(void)
{
	static const int ints[] = {0, 1, -1, 7, -10, 12345, INT_MIN, INT_MAX};
	static const char *const texts[] = {"", "a", "abc", "abcdefghij", "100%"};

	for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++) {
		int n = ints[i];
		long l = n == INT_MIN ? LONG_MIN : n * (LONG_MAX / INT_MAX);
		long long ll = n == INT_MIN ? LLONG_MIN : n * (LLONG_MAX / INT_MAX);
		unsigned u = (unsigned)n;

		CHECK_PRINTS("%d", n);
		CHECK_PRINTS("<%4d|%-4d|%04d>", n, n, n);
		CHECK_PRINTS("%ld %5ld %-5ld. %030ld", l, l, l, l);
		CHECK_PRINTS("%lld %40lld %-40lld. %040lld", ll, ll, ll, ll);
		CHECK_PRINTS("%u %x %X %02x %04X %3u", u, u, u, u, u, u);
		CHECK_PRINTS("%lu %lx %zu %zd", (unsigned long)l, (unsigned long)l, (size_t)l,
			     (ssize_t)l);
		CHECK_PRINTS("%llu %llX %020llu", (unsigned long long)ll, (unsigned long long)ll,
			     (unsigned long long)ll);
		CHECK_PRINTS("%c%-3c.%3c", 'a' + n % 3, 'b', 'c');
	}
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *t = texts[i];

		CHECK_PRINTS("%s", t);
		CHECK_PRINTS("[%5s|%-5s|%.2s|%5.2s|%-5.0s]", t, t, t, t, t);
		for (int n = -12; n <= 12; n++)
			CHECK_PRINTS("%*s|%.*s|%-*.*s|%*d%%", n, t, n, t, n, n, t, n, n);
	}
	CHECK_PRINTS("no conversion");
	CHECK_PRINTS("%%");
	CHECK_PRINTS("%.*s.", 3, (const char[]){'a', 'b', 'c'});
}

static void ends_at_a_conversion_it_does_not_know(void)
{
	static const char *const formats[] = {"a%fb", "a%5.2gb", "a%pb", "a%",	 "a%5",	 "a%-",
					      "a%ll", "a%+db",	 "a% d", "a%#x", "a%.3d"};

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		/* Not a literal, so that the compiler does not look into it. */
		const char *volatile format = formats[i];
		void (*volatile print)(struct buf *, const char *, ...) = buf_printf;
		char storage[20];
		struct buf b;

		BUF_INIT_ARRAY(&b, storage);
		print(&b, format, 1);
		CHECK_TEXT(storage, "a");
		CHECK(b.truncated);
	}
}

static void escapes_what_could_forge_a_line(void)
{
	static const struct {
		struct span text;
		size_t max_len;
		const char *escaped;
	} cases[] = {
		{{"plain ~!", 8}, 99, "plain ~!"},
		{{"", 0}, 99, ""},
		{{"\"\\", 2}, 99, "\\\"\\\\"},
		{{"a\r\nb\tc\0d", 8}, 99, "a\\x0d\\x0ab\\x09c\\x00d"},
		{{"\x1b[31m\x7f", 6}, 99, "\\x1b[31m\\x7f"},
		{{"\xc3\xa4\xff", 3}, 99, "\\xc3\\xa4\\xff"},
		{{"abcdef", 6}, 6, "abcdef"},
		{{"abcdef", 6}, 5, "abcde..."},
		{{"abcdef", 6}, 0, "..."},
		{{"\n\n", 2}, 1, "\\x0a..."},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text = unit_guarded(cases[i].text.ptr, cases[i].text.len), storage[64];
		struct buf b;

		BUF_INIT_ARRAY(&b, storage);
		buf_add_escaped(&b, span_of(text, cases[i].text.len), cases[i].max_len);
		CHECK_TEXT(buf_cstr(&b), cases[i].escaped);
		unit_guarded_free(text, cases[i].text.len);
	}
}

UNIT_TESTS(TEST(starts_empty), TEST(adds_text_bytes_and_numbers), TEST(keeps_nul_bytes_of_the_text),
	   TEST(cuts_what_does_not_fit_and_says_so), TEST(cuts_a_growing_one_at_its_bound),
	   TEST(leaves_no_hole_behind_a_cut), TEST(doubles_as_it_grows),
	   TEST(never_holds_more_than_its_bound), TEST(survives_every_failing_allocation),
	   TEST(fini_leaves_fixed_storage_to_the_caller),
	   TEST(prints_longer_than_any_storage_so_far), TEST(prints_as_printf_does),
	   TEST(ends_at_a_conversion_it_does_not_know), TEST(escapes_what_could_forge_a_line))
