#include "sys/clock.h"

#include <time.h>

static uint64_t clock_read_us(clockid_t id)
{
	struct timespec now;

	/* Cannot fail: both clocks exist on every Linux. */
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

uint64_t clock_monotonic_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_ms(void)
{
	return clock_read_us(CLOCK_REALTIME) / 1000;
}

/* The last millisecond of the year 9999: both formats have four digits for the year. */
#define LAST_MS UINT64_C(253402300799999)

struct date {
	unsigned year, month, day; /* month and day from 1 */
	unsigned weekday;	   /* 0 is Sunday */
	unsigned hour, minute, second, ms;
};

/*
 * The Gregorian date of a time. Years are counted from March, so that the leap day is the year's
 * last, in eras of 400 years = 146097 days; day 0 of the first era is 0000-03-01, 719468 days
 * before 1970.
 */
static struct date date_of(uint64_t realtime_ms)
{
	uint64_t ms = realtime_ms < LAST_MS ? realtime_ms : LAST_MS;
	unsigned day_ms = (unsigned)(ms % 86400000);
	unsigned days = (unsigned)(ms / 86400000);
	unsigned era = (days + 719468) / 146097;
	unsigned day_of_era = (days + 719468) % 146097;
	unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
				day_of_era / 146096) /
			       365;
	unsigned day_of_year = day_of_era -
			       (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * day_of_year + 2) / 153; /* 0 is March */

	return (struct date){
		.year = era * 400 + year_of_era + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
		.weekday = (days + 4) % 7, /* 1970-01-01 was a Thursday */
		.hour = day_ms / 3600000,
		.minute = day_ms / 60000 % 60,
		.second = day_ms / 1000 % 60,
		.ms = day_ms % 1000,
	};
}

void clock_format_rfc3339(uint64_t realtime_ms, struct buf *out)
{
	struct date d = date_of(realtime_ms);

	buf_printf(out, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year, d.month, d.day, d.hour,
		   d.minute, d.second, d.ms);
}

void clock_format_http_date(uint64_t realtime_ms, struct buf *out)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct date d = date_of(realtime_ms);

	buf_printf(out, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[d.weekday], d.day,
		   months[d.month - 1], d.year, d.hour, d.minute, d.second);
}
