#include "../unit.h"

#include "ydoc/ycursor.h"

static void counts_lines_and_columns_as_editors_do(void)
{
	static const struct {
		const char *label;
		struct span before; /* the cursor is moved behind this */
		unsigned line, col, index;
	} rows[] = {
		{"nothing", {"", 0}, 1, 1, 0},
		{"letters", {"abc", 3}, 1, 4, 3},
		{"LF", {"a\n", 2}, 2, 1, 2},
		{"CR LF is one line end, two characters", {"a\r\n", 3}, 2, 1, 3},
		{"CR alone", {"a\rb", 3}, 2, 2, 3},
		{"CR at the end", {"a\r", 2}, 2, 1, 2},
		{"two blank lines", {"\n\n", 2}, 3, 1, 2},
		{"two-byte character", {"\xc3\xa9x", 3}, 1, 3, 2},
		{"four-byte character", {"\xf0\x9f\x98\x80x", 5}, 1, 3, 2},
		{"stray continuation bytes go with what is before", {"a\x80\x80", 3}, 1, 2, 1},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *text = unit_guarded(rows[i].before.ptr, rows[i].before.len);
		struct ycursor by_offset = ycursor_at_start(span_of(text, rows[i].before.len));
		struct ycursor by_index = by_offset;

		ycursor_to_offset(&by_offset, rows[i].before.len);
		CHECK_ROW(rows[i].label, by_offset.pos.line == rows[i].line);
		CHECK_ROW(rows[i].label, by_offset.pos.col == rows[i].col);
		CHECK_ROW(rows[i].label, by_offset.index == rows[i].index);
		CHECK_ROW(rows[i].label, ycursor_is_at_end(&by_offset));
		ycursor_to_index(&by_index, rows[i].index);
		CHECK_ROW(rows[i].label, by_index.pos.offset == rows[i].before.len);
		unit_guarded_free(text, rows[i].before.len);
	}
}

static void stops_at_the_end_and_never_goes_back(void)
{
	struct ycursor c = ycursor_at_start(SPAN("abc"));

	ycursor_to_offset(&c, 100);
	CHECK_INT(c.pos.offset, 3);
	ycursor_to_offset(&c, 1);
	CHECK_INT(c.pos.offset, 3);
	ycursor_to_index(&c, 0);
	CHECK_INT(c.pos.offset, 3);
	CHECK_INT(ycursor_byte(&c), 0);
	CHECK_INT(ycursor_rest(&c).len, 0);
}

static void skips_blanks_line_ends_and_byte_order_marks(void)
{
	struct ycursor c = ycursor_at_start(SPAN(" \t\r\n\xef\xbb\xbf\n x"));

	ycursor_skip_blank(&c);
	CHECK_INT(ycursor_byte(&c), 'x');
	CHECK_INT(c.pos.line, 3);
	CHECK_INT(c.pos.col, 2);
}

UNIT_TESTS(TEST(counts_lines_and_columns_as_editors_do), TEST(stops_at_the_end_and_never_goes_back),
	   TEST(skips_blanks_line_ends_and_byte_order_marks))
