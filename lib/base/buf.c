#include "base/buf.h"

#include <limits.h>

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

#define DIGITS_MAX 20 /* UINT64_MAX in decimal */

/* The value's digits, which end where `digits` does. */
static struct span write_digits(char digits[static DIGITS_MAX], uint64_t value, unsigned base,
				const char *alphabet)
{
	size_t at = DIGITS_MAX;

	do {
		digits[--at] = alphabet[value % base];
		value /= base;
	} while (value > 0);
	return span_of(digits + at, DIGITS_MAX - at);
}

static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

void buf_add_u64(struct buf *b, uint64_t value)
{
	char digits[DIGITS_MAX];

	buf_add(b, write_digits(digits, value, 10, lower));
}

void buf_add_hex(struct buf *b, uint64_t value)
{
	char digits[DIGITS_MAX];

	buf_add(b, write_digits(digits, value, 16, lower));
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(b, format, args);
	va_end(args);
}

/* What stands between '%' and the letter that says what to convert. */
struct conversion {
	bool is_left;	    /* fill up behind the text */
	bool has_zeroes;    /* fill up with zeroes */
	bool has_precision; /* else the precision is SIZE_MAX */
	unsigned longs;	    /* how many 'l'; 'z' counts as one, being as long wherever we run */
	size_t width, precision;
};

/* A number in the format, or one of the arguments for a '*'. */
static int read_count(const char **at, va_list *args)
{
	int count = 0;

	if (**at == '*') {
		++*at;
		return va_arg(*args, int);
	}
	while (ascii_is_digit(**at) && count < INT_MAX / 10 - 1)
		count = count * 10 + (*(*at)++ - '0');
	return count;
}

static const char *read_conversion(const char *at, va_list *args, struct conversion *c)
{
	int count;

	*c = (struct conversion){.precision = SIZE_MAX};
	for (; *at == '-' || *at == '0'; at++)
		*(*at == '-' ? &c->is_left : &c->has_zeroes) = true;
	count = read_count(&at, args);
	c->is_left |= count < 0;
	c->width = count < 0 ? 0 - (unsigned)count : (unsigned)count;
	if (*at == '.') {
		at++;
		count = read_count(&at, args);
		c->has_precision = count >= 0;
		c->precision = count >= 0 ? (size_t)count : SIZE_MAX;
	}
	for (; *at == 'l' || *at == 'z'; at++)
		c->longs++;
	return at;
}

static uint64_t next_unsigned(const struct conversion *c, va_list *args)
{
	return c->longs == 0   ? va_arg(*args, unsigned)
	       : c->longs == 1 ? va_arg(*args, unsigned long)
			       : va_arg(*args, unsigned long long);
}

static int64_t next_signed(const struct conversion *c, va_list *args)
{
	return c->longs == 0   ? va_arg(*args, int)
	       : c->longs == 1 ? va_arg(*args, long)
			       : va_arg(*args, long long);
}

static struct span next_text(const struct conversion *c, va_list *args)
{
	const char *text = va_arg(*args, const char *);

	if (text == NULL)
		text = "(null)";
	return span_of(text, strnlen(text, c->precision));
}

static void fill(struct buf *b, char byte, size_t count)
{
	for (; count > 0 && !b->truncated; count--)
		buf_add_byte(b, byte);
}

static void add_filled(struct buf *b, const struct conversion *c, struct span sign,
		       struct span text)
{
	size_t len = sign.len + text.len, rest = c->width > len ? c->width - len : 0;

	if (!c->is_left && !c->has_zeroes)
		fill(b, ' ', rest);
	buf_add(b, sign);
	if (!c->is_left && c->has_zeroes)
		fill(b, '0', rest);
	buf_add(b, text);
	if (c->is_left)
		fill(b, ' ', rest);
}

/* False for what we don't know: see buf.h. */
static bool convert(struct buf *b, char letter, const struct conversion *c, va_list *args)
{
	char digits[DIGITS_MAX];
	struct span text, sign = SPAN("");
	int64_t number;

	if ((c->has_precision && letter != 's') || (c->has_zeroes && strchr("sc", letter) != NULL))
		return false;
	switch (letter) {
	case 's':
		text = next_text(c, args);
		break;
	case 'c':
		digits[0] = (char)va_arg(*args, int);
		text = span_of(digits, 1);
		break;
	case 'd':
		number = next_signed(c, args);
		if (number < 0)
			sign = SPAN("-");
		text = write_digits(digits, number < 0 ? 0 - (uint64_t)number : (uint64_t)number,
				    10, lower);
		break;
	case 'u':
		text = write_digits(digits, next_unsigned(c, args), 10, lower);
		break;
	case 'x':
	case 'X':
		text = write_digits(digits, next_unsigned(c, args), 16,
				    letter == 'x' ? lower : upper);
		break;
	case '%':
		text = SPAN("%");
		break;
	default:
		return false;
	}
	add_filled(b, c, sign, text);
	return true;
}

/*
 * Not libc's: that one knows floating point and wide characters, nothing of which is ever printed
 * here, and they made up a fortieth of the program.
 */
void buf_vprintf(struct buf *b, const char *format, va_list args)
{
	struct conversion c;
	va_list rest;

	va_copy(rest, args);
	while (*format != '\0' && !b->truncated) {
		size_t plain = strcspn(format, "%");

		buf_add(b, span_of(format, plain));
		format += plain;
		if (*format == '\0')
			break;
		format = read_conversion(format + 1, &rest, &c);
		if (!convert(b, *format, &c, &rest)) {
			b->truncated = true;
			break;
		}
		format++;
	}
	va_end(rest);
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
