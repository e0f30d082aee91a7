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

void ycursor_to_offset(struct ycursor *c, size_t offset)
{
	while (c->pos.offset < offset && !ycursor_is_at_end(c))
		ycursor_step(c);
}

void ycursor_to_index(struct ycursor *c, size_t index)
{
	while (c->index < index && !ycursor_is_at_end(c))
		ycursor_step(c);
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
