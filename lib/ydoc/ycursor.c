#include "ydoc/ycursor.h"

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

void ycursor_step(struct ycursor *c)
{
	const char *text = c->text.ptr;
	size_t at = c->pos.offset, len = c->text.len;
	char byte = text[at++];

	if (byte == '\n' || (byte == '\r' && (at == len || text[at] != '\n'))) {
		c->pos.line++;
		c->pos.col = 1;
	} else {
		while (at < len && is_continuation(text[at]))
			at++;
		c->pos.col++;
	}
	c->pos.offset = (uint32_t)at;
	c->index++;
}

/*
 * Moves past printable ASCII, which is nearly all there is: a byte is a character and no line end.
 * At most `max` bytes.
 */
static void skip_simple(struct ycursor *c, size_t max)
{
	const char *at = c->text.ptr + c->pos.offset;
	size_t left = c->text.len - c->pos.offset, n = 0;

	if (max > left)
		max = left;
	while (n < max && (signed char)at[n] >= ' ')
		n++;
	/* In broken UTF-8 a stray continuation byte goes with what is before it. */
	if (n > 0 && n < left && is_continuation(at[n]))
		n--;
	c->pos.offset += (uint32_t)n;
	c->pos.col += (uint32_t)n;
	c->index += (uint32_t)n;
}

void ycursor_to_offset(struct ycursor *c, size_t offset)
{
	while (c->pos.offset < offset && !ycursor_is_at_end(c)) {
		skip_simple(c, offset - c->pos.offset);
		if (c->pos.offset < offset && !ycursor_is_at_end(c))
			ycursor_step(c);
	}
}

void ycursor_to_index(struct ycursor *c, size_t index)
{
	while (c->index < index && !ycursor_is_at_end(c)) {
		skip_simple(c, index - c->index);
		if (c->index < index && !ycursor_is_at_end(c))
			ycursor_step(c);
	}
}

void ycursor_skip_blank(struct ycursor *c)
{
	while (!ycursor_is_at_end(c)) {
		char byte = ycursor_byte(c);

		if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n' &&
		    !span_starts_with(ycursor_rest(c), SPAN("\xef\xbb\xbf")))
			return;
		ycursor_step(c);
	}
}
