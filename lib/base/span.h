/*
 * span: text and bytes as (pointer, length), by value.
 *
 * A span borrows: it never owns what it points at, and whoever keeps one says whose memory it is.
 * It is not NUL-terminated. The empty span has len 0; its ptr may be NULL and must not be read.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *ptr;
	size_t len;
};

/* A span over a string literal, without its NUL. */
#define SPAN(literal) ((struct span){("" literal), sizeof(literal) - 1})
/* For printf's "%.*s": two arguments. The length must fit an int. */
#define SPAN_ARG(s) (int)(s).len, (s).len > 0 ? (s).ptr : ""

static inline struct span span_of(const void *ptr, size_t len)
{
	return (struct span){ptr, len};
}

static inline struct span span_from_cstr(const char *text)
{
	return (struct span){text, strlen(text)};
}

/* The bytes from `from` (at most s.len) to the end. */
static inline struct span span_from(struct span s, size_t from)
{
	return from >= s.len ? (struct span){NULL, 0} : (struct span){s.ptr + from, s.len - from};
}

/* The first `len` bytes, or all when there are fewer. */
static inline struct span span_first(struct span s, size_t len)
{
	return (struct span){s.ptr, len < s.len ? len : s.len};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Equal but for the case of ASCII letters. */
bool span_eq_nocase(struct span a, struct span b);
bool span_starts_with(struct span s, struct span prefix);
bool span_ends_with(struct span s, struct span suffix);

/* Position of the first `byte`, or SIZE_MAX. */
size_t span_find(struct span s, char byte);
/* Position of the last `byte`, or SIZE_MAX. */
size_t span_rfind(struct span s, char byte);

/*
 * Takes the text before the first `separator` off the front of *rest (or all of it) into *part.
 * Returns false when *rest was already used up; `rest->ptr == NULL` marks that. So "a,,b" gives
 * "a", "", "b" and "" gives one empty part.
 */
bool span_split(struct span *rest, char separator, struct span *part);

/* Without leading and trailing spaces and tabs (OWS of RFC 9110 section 5.6.3). */
struct span span_trim(struct span s);

#endif
