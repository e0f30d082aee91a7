/*
 * h1char: the byte classes of HTTP/1 (RFC 9110 section 5.6.2, 5.5; RFC 9112 section 3.2), from one
 * table of our own. Octets, not characters: nothing here depends on a locale.
 */
#ifndef HTTP_H1CHAR_H
#define HTTP_H1CHAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum h1_char_class {
	H1_CHAR_TOKEN = 1 << 0,	 /* tchar: methods, field names */
	H1_CHAR_TARGET = 1 << 1, /* visible ASCII without "#", which no request target has */
	H1_CHAR_VALUE = 1 << 2,	 /* HTAB, SP, visible ASCII, 0x80 and up */
};

extern const uint8_t h1char_classes[256];

static inline bool h1char_is(char c, enum h1_char_class class)
{
	return (h1char_classes[(unsigned char)c] & class) != 0;
}

/* The position of the first byte from `at` on that is not of the class, or `end`. */
static inline size_t h1char_skip(const char *bytes, size_t at, size_t end, enum h1_char_class class)
{
	while (at < end && h1char_is(bytes[at], class))
		at++;
	return at;
}

/* The same for H1_CHAR_VALUE, eight bytes at a time: most bytes of a head are in values. */
size_t h1char_skip_value(const char *bytes, size_t at, size_t end);

/* Every byte is of the class; true for the empty text. */
bool h1char_all(struct span text, enum h1_char_class class);

#endif
