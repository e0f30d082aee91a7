/*
 * num: numbers from text, whole field or failure. No sign, no blanks, no "0x", range in the call.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Decimal digits only (also with leading zeroes), min <= value <= max. *out only on success. */
bool num_parse_u64(struct span text, uint64_t min, uint64_t max, uint64_t *out);
/* A TCP port, 1 to 65535, at most five digits. */
bool num_parse_port(struct span text, uint16_t *out);

#endif
