#include "base/buf.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/ascii.h"

/* What a growing buffer starts with: a short line fits. */
#define FIRST_CAP 128

void buf_init(struct buf *b, char *storage, size_t size)
{
	*b = (struct buf){.ptr = storage, .cap = size};
	storage[0] = '\0';
}

void buf_init_heap(struct buf *b, size_t max_len)
{
	*b = (struct buf){.max_cap = max_len < SIZE_MAX ? max_len + 1 : SIZE_MAX};
}

void buf_fini(struct buf *b)
{
	if (b->max_cap > 0) {
		alloc_put(b->ptr);
		b->ptr = NULL;
		b->cap = 0;
	}
	buf_clear(b);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->truncated = false;
	if (b->cap > 0)
		b->ptr[0] = '\0';
}

/* Tries to have `cap` bytes of storage, or as many as the bound allows. */
static void grow(struct buf *b, size_t cap)
{
	size_t new_cap = b->cap > 0 ? b->cap : FIRST_CAP;
	char *ptr;

	if (cap > b->max_cap)
		cap = b->max_cap;
	while (new_cap < cap)
		new_cap = new_cap <= SIZE_MAX / 2 ? new_cap * 2 : SIZE_MAX;
	if (new_cap > b->max_cap)
		new_cap = b->max_cap;
	if (new_cap <= b->cap)
		return;
	ptr = alloc_resize(b->ptr, new_cap);
	if (ptr == NULL)
		return;
	b->ptr = ptr;
	b->cap = new_cap;
}

/*
 * How many of `len` more bytes there is room for, the NUL not counted. Once something was cut the
 * answer stays 0: the content is a prefix of what was written, never one with a hole.
 */
static size_t make_room(struct buf *b, size_t len)
{
	size_t room;

	if (b->truncated)
		return 0;
	if (len >= b->cap - b->len && b->max_cap > 0)
		grow(b, len < SIZE_MAX - b->len ? b->len + len + 1 : SIZE_MAX);
	room = b->cap > b->len ? b->cap - b->len - 1 : 0;
	if (len <= room)
		return len;
	b->truncated = true;
	return room;
}

void buf_add_slowly(struct buf *b, struct span text)
{
	size_t len = make_room(b, text.len);

	if (len == 0)
		return;
	memcpy(b->ptr + b->len, text.ptr, len);
	b->len += len;
	b->ptr[b->len] = '\0';
}

void buf_add_cstr(struct buf *b, const char *text)
{
	buf_add(b, span_from_cstr(text));
}

void buf_add_byte(struct buf *b, char byte)
{
	buf_add(b, span_of(&byte, 1));
}

static void add_number(struct buf *b, uint64_t value, unsigned base)
{
	char digits[20]; /* UINT64_MAX in decimal */
	size_t at = sizeof digits;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0);
	buf_add(b, span_of(digits + at, sizeof digits - at));
}

void buf_add_u64(struct buf *b, uint64_t value)
{
	add_number(b, value, 10);
}

void buf_add_hex(struct buf *b, uint64_t value)
{
	add_number(b, value, 16);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(b, format, args);
	va_end(args);
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
	size_t start = b->len;
	va_list again;
	int len;

	if (b->truncated)
		return;
	va_copy(again, args);
	len = vsnprintf(b->cap > 0 ? b->ptr + start : NULL, b->cap - start, format, again);
	va_end(again);
	if (len < 0) {
		b->truncated = true;
		if (b->cap > 0)
			b->ptr[start] = '\0';
	} else if ((size_t)len < b->cap - start) {
		b->len += (size_t)len;
	} else {
		size_t room = make_room(b, (size_t)len);

		if (b->cap > 0)
			vsnprintf(b->ptr + start, b->cap - start, format, args);
		b->len += room;
	}
}

void buf_add_escaped(struct buf *b, struct span text, size_t max_len)
{
	struct span shown = span_first(text, max_len);

	for (size_t i = 0; i < shown.len && !b->truncated; i++) {
		char c = shown.ptr[i];

		if (c == '"' || c == '\\')
			buf_add(b, span_of((const char[]){'\\', c}, 2));
		else if (ascii_is_print(c))
			buf_add_byte(b, c);
		else
			buf_printf(b, "\\x%02x", (unsigned char)c);
	}
	if (shown.len < text.len)
		buf_add(b, SPAN("..."));
}
