/*
 * iptext: the texts of addresses, which are numbers here, read and written in one pass. Those of
 * IPv4 are in the lowest 32 bits.
 */
#ifndef NET_IPTEXT_H
#define NET_IPTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/wide.h"

/* Bytes of the longest text that is written, with one to spare. */
#define IPTEXT_MAX 40

/*
 * Reads an address at *at, before `end`, and moves *at behind it: a dotted quad without leading
 * zeroes, or RFC 4291 section 2.2's forms of IPv6. No brackets, no zone ids. What may stand behind
 * it is for the caller to say. False, *at as it was, when there is none.
 */
bool iptext_read(const char **at, const char *end, uint8_t *family, struct wide *out);

/* Writes up to IPTEXT_MAX bytes at `at`, RFC 5952 for IPv6; returns where they end. No NUL. */
char *iptext_write(char *at, uint8_t family, struct wide number);
/* A number up to 255. */
static inline char *iptext_write_octet(char *at, unsigned value)
{
	if (value >= 100)
		*at++ = (char)('0' + value / 100);
	if (value >= 10)
		*at++ = (char)('0' + value / 10 % 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

/* An IPv4 address inside IPv6, ::ffff:0:0/96. */
static inline bool iptext_is_mapped(struct wide address)
{
	return address.high == 0 && address.low >> 32 == 0xffff;
}

#endif
