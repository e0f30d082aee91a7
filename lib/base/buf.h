/*
 * buf: text being built, over the caller's storage or growing on the heap up to a bound.
 *
 * A fixed buffer cuts what does not fit and remembers it in `truncated`; a growing one does the
 * same at its bound or when memory runs out. So writers need no check per call: look at `truncated`
 * once, at the end. The content is always NUL-terminated (when there is storage at all).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/span.h"

struct buf {
	char *ptr;
	size_t len;	/* bytes of content, without the NUL */
	size_t cap;	/* bytes of storage, with room for the NUL */
	size_t max_cap; /* a growing buffer's bound for cap; 0: fixed storage */
	bool truncated; /* something did not fit and is lost */
};

/* A fixed buffer over `size` bytes (at least 1) that stay the caller's. No buf_fini needed. */
void buf_init(struct buf *b, char *storage, size_t size);
#define BUF_INIT_ARRAY(b, array) buf_init((b), (array), sizeof(array))

/* A growing buffer that holds at most `max_len` bytes of content. Allocates on first use. */
void buf_init_heap(struct buf *b, size_t max_len);
/* Frees a growing buffer's storage and leaves an empty buffer; harmless on a fixed one. */
void buf_fini(struct buf *b);
/* Empty again, storage kept. */
void buf_clear(struct buf *b);

/* What buf_add does when it does not just fit: grows, or cuts. */
void buf_add_slowly(struct buf *b, struct span text);

/* In line for what just fits: heads are built from dozens of short pieces. */
static inline void buf_add(struct buf *b, struct span text)
{
	if (text.len == 0 || text.len >= b->cap - b->len || b->truncated) {
		buf_add_slowly(b, text);
		return;
	}
	memcpy(b->ptr + b->len, text.ptr, text.len);
	b->len += text.len;
	b->ptr[b->len] = '\0';
}

void buf_add_cstr(struct buf *b, const char *text);
void buf_add_byte(struct buf *b, char byte);
void buf_add_u64(struct buf *b, uint64_t value);
/* `value` in lower case hexadecimal without leading zeroes. */
void buf_add_hex(struct buf *b, uint64_t value);
/*
 * As printf, of which it knows %s %c %d %u %x %X %%, the lengths l, ll and z, the flags - and 0, a
 * width, and a precision for %s. At anything else the text ends, as if it had not fitted.
 */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * The user's or a peer's own words, made safe for one line of a message or a log: printable ASCII
 * as it is, `"` and `\` with a backslash, everything else as \xHH. No quotes are added. At most
 * `max_len` input bytes are shown; more end in "...".
 */
void buf_add_escaped(struct buf *b, struct span text, size_t max_len);

/* The content, borrowed until the buffer changes. */
static inline struct span buf_span(const struct buf *b)
{
	return (struct span){b->ptr, b->len};
}

/* The content as a C string: "" for an empty buffer. */
static inline const char *buf_cstr(const struct buf *b)
{
	return b->len > 0 ? b->ptr : "";
}

#endif
