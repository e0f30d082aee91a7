#include "json/jsonw.h"

void jsonw_string(struct buf *out, struct span text)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];

		if (byte == '"' || byte == '\\')
			buf_printf(out, "\\%c", byte);
		else if (byte < 0x20)
			buf_printf(out, "\\u%04x", byte);
		else
			buf_add_byte(out, (char)byte);
	}
	buf_add_byte(out, '"');
}
