/*
 * duration: a time as people write it, 250ms, 30s, 5m, 1h, or bare seconds; inside, milliseconds.
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/* One whole number and at most one unit, min_ms <= value <= max_ms. *ms only on success. */
bool duration_parse(struct span text, uint64_t min_ms, uint64_t max_ms, uint64_t *ms);
/* In the largest unit that leaves nothing over: 90000 is "90s", 0 is "0s". */
void duration_format(uint64_t ms, struct buf *out);

#endif
