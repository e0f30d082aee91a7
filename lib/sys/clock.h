/*
 * clock: the two clocks. Monotonic for timeouts and durations, real for logs and certificates.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

#include "base/buf.h"

uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);
/* Milliseconds since 1970-01-01 UTC. */
uint64_t clock_realtime_ms(void);

/* "2026-11-23T14:05:09.123Z" (RFC 3339). */
#define CLOCK_RFC3339_LEN 24
void clock_format_rfc3339(uint64_t realtime_ms, struct buf *out);
/* "Mon, 23 Nov 2026 14:05:09 GMT" (IMF-fixdate, RFC 9110 section 5.6.7). */
#define CLOCK_HTTP_DATE_LEN 29
void clock_format_http_date(uint64_t realtime_ms, struct buf *out);

#endif
