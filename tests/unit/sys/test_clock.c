#include "../unit.h"

#include <time.h>

#include "sys/clock.h"

static void formats_known_dates(void)
{
	static const struct {
		uint64_t ms;
		const char *rfc3339, *http;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
		{UINT64_C(784111777000), "1994-11-06T08:49:37.000Z",
		 "Sun, 06 Nov 1994 08:49:37 GMT"},
		{UINT64_C(951782399999), "2000-02-28T23:59:59.999Z",
		 "Mon, 28 Feb 2000 23:59:59 GMT"},
		{UINT64_C(951782400000), "2000-02-29T00:00:00.000Z",
		 "Tue, 29 Feb 2000 00:00:00 GMT"},
		{UINT64_C(951868800000), "2000-03-01T00:00:00.000Z",
		 "Wed, 01 Mar 2000 00:00:00 GMT"},
		{UINT64_C(1795442709123), "2026-11-23T14:05:09.123Z",
		 "Mon, 23 Nov 2026 14:05:09 GMT"},
		{UINT64_C(2147483648000), "2038-01-19T03:14:08.000Z",
		 "Tue, 19 Jan 2038 03:14:08 GMT"},
		{UINT64_C(4107542400000), "2100-03-01T00:00:00.000Z",
		 "Mon, 01 Mar 2100 00:00:00 GMT"},
		{UINT64_C(253402300799999), "9999-12-31T23:59:59.999Z",
		 "Fri, 31 Dec 9999 23:59:59 GMT"},
		{UINT64_C(253402300800000), "9999-12-31T23:59:59.999Z",
		 "Fri, 31 Dec 9999 23:59:59 GMT"},
		{UINT64_MAX, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char storage[64];
		struct buf b;

		BUF_INIT_ARRAY(&b, storage);
		clock_format_rfc3339(cases[i].ms, &b);
		CHECK_TEXT(storage, cases[i].rfc3339);
		CHECK_INT(b.len, CLOCK_RFC3339_LEN);
		buf_clear(&b);
		clock_format_http_date(cases[i].ms, &b);
		CHECK_TEXT(storage, cases[i].http);
		CHECK_INT(b.len, CLOCK_HTTP_DATE_LEN);
	}
}

/* Each day of 1970 to 2400, at a time of day that moves along, against the C library. */
static void agrees_with_gmtime_on_every_day(void)
{
	for (uint64_t day = 0; day < 157054; day++) {
		time_t second = (time_t)(day * 86400 + day * 7919 % 86400);
		char expected[64], storage[64];
		struct buf b;
		struct tm tm;

		CHECK(gmtime_r(&second, &tm) != NULL);
		BUF_INIT_ARRAY(&b, storage);
		clock_format_rfc3339((uint64_t)second * 1000 + 7, &b);
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.007Z", &tm);
		CHECK_TEXT(storage, expected);
		buf_clear(&b);
		clock_format_http_date((uint64_t)second * 1000 + 999, &b);
		strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		CHECK_TEXT(storage, expected);
	}
}

static void the_monotonic_clock_moves_on_and_never_back(void)
{
	uint64_t start = clock_monotonic_us(), last = start;

	while (last < start + 2000) {
		uint64_t now = clock_monotonic_us();

		CHECK(now >= last);
		last = now;
	}
	CHECK(clock_monotonic_ms() >= last / 1000);
	CHECK(clock_monotonic_ms() < last / 1000 + 60000);
}

static void the_real_clock_is_that_of_the_system(void)
{
	uint64_t now = clock_realtime_ms();
	time_t expected = time(NULL);

	CHECK(now / 1000 + 60 > (uint64_t)expected && now / 1000 < (uint64_t)expected + 60);
}

UNIT_TESTS(TEST(formats_known_dates), TEST(agrees_with_gmtime_on_every_day),
	   TEST(the_monotonic_clock_moves_on_and_never_back),
	   TEST(the_real_clock_is_that_of_the_system))
