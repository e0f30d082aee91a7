/*
 * error: what went wrong, in words, in storage of the caller's, so that it works without memory.
 *
 * A fallible function returns false and fills the caller's error. Text is lower case, without a
 * full stop, quotes the user's words, and says what was expected. It is never used as a format
 * string.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define ERROR_TEXT_MAX 512

struct error {
	char text[ERROR_TEXT_MAX]; /* NUL-terminated; cut when longer */
};

/* Fills *e and returns false, so that a failing function reads `return error_set(e, ...)`. */
bool error_set(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with ": " and strerror(errno) behind it. errno is left as it was. */
bool error_set_sys(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same behind the user's words, in quotes, escaped, and cut when they are very long. */
bool error_quote(struct error *e, struct span text, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "PREFIX: " before the text that is there; returns false. */
bool error_prefix(struct error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with a path, escaped so that it is safe to print, and cut when it is very long. */
bool error_prefix_path(struct error *e, const char *path);

#endif
