#include "base/wrap.h"

#include <stdbool.h>

static void add_spaces(struct buf *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_add_byte(out, ' ');
}

void wrap_line(struct span line, size_t column, size_t indent, struct buf *out)
{
	bool is_first_word = true;
	size_t blanks = 0;
	struct span word;

	while (blanks < line.len && line.ptr[blanks] == ' ')
		blanks++;
	indent += blanks;
	while (span_split(&line, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (is_first_word) {
			add_spaces(out, blanks);
			column += blanks;
		} else if (column + 1 + word.len > WRAP_COLUMNS) {
			buf_add_byte(out, '\n');
			add_spaces(out, indent);
			column = indent;
		} else {
			buf_add_byte(out, ' ');
			column++;
		}
		buf_add(out, word);
		column += word.len;
		is_first_word = false;
	}
	buf_add_byte(out, '\n');
}

void wrap_text(struct span text, size_t column, size_t indent, struct buf *out)
{
	struct span line;

	while (span_split(&text, '\n', &line)) {
		if (column < indent && line.len > 0) {
			add_spaces(out, indent - column);
			column = indent;
		}
		wrap_line(line, column, indent, out);
		column = 0;
	}
}
