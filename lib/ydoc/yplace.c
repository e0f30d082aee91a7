#include "ydoc/yplace.h"

#include <string.h>

/* How far a line end is looked for: many documents may be in one long line. */
#define EOL_NEAR ((size_t)4096)

/* Length of the line end that begins at `offset`, 0 when none does. */
static size_t line_end_at(struct span text, size_t offset)
{
	struct span rest = span_from(text, offset);

	if (rest.len == 0)
		return 0;
	switch (rest.ptr[0]) {
	case '\n':
		return 1;
	case '\r':
		return span_starts_with(rest, SPAN("\r\n")) ? 2 : 1;
	case '\xc2':
		return span_starts_with(rest, SPAN("\xc2\x85")) ? 2 : 0;
	case '\xe2':
		return span_starts_with(rest, SPAN("\xe2\x80\xa8")) ||
				       span_starts_with(rest, SPAN("\xe2\x80\xa9"))
			       ? 3
			       : 0;
	default:
		return 0;
	}
}

/* The same for the one that ends at `offset`. */
static size_t line_end_before(struct span text, size_t offset)
{
	struct span before = span_first(text, offset);

	if (offset == 0)
		return 0;
	switch (text.ptr[offset - 1]) {
	case '\n':
		return span_ends_with(before, SPAN("\r\n")) ? 2 : 1;
	case '\r':
		return 1;
	case '\x85':
		return span_ends_with(before, SPAN("\xc2\x85")) ? 2 : 0;
	case '\xa8':
	case '\xa9':
		return before.len > 2 && line_end_at(before, offset - 3) == 3 ? 3 : 0;
	default:
		return 0;
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the text's first line begins: behind a byte order mark, if `offset` is. */
static size_t first_line(struct span text, size_t offset)
{
	return span_starts_with(text, SPAN("\xef\xbb\xbf")) && offset >= 3 ? 3 : 0;
}

size_t yplace_line_start(struct span text, size_t offset)
{
	size_t mark = first_line(text, offset);

	while (offset > mark && line_end_before(text, offset) == 0)
		offset--;
	return offset;
}

size_t yplace_line_end(struct span text, size_t offset)
{
	size_t len = 0;

	while (offset < text.len && (len = line_end_at(text, offset)) == 0)
		offset++;
	return offset + len;
}

/* The first byte of the line that is no blank, or its end. */
static size_t skip_blanks(struct span text, size_t offset)
{
	while (offset < text.len && is_blank(text.ptr[offset]))
		offset++;
	return offset;
}

bool yplace_is_first(struct span text, size_t offset)
{
	size_t mark = first_line(text, offset);

	/* Not from the start of the line, which may be long: all of a file in brackets. */
	while (offset > mark && is_blank(text.ptr[offset - 1]))
		offset--;
	return offset == mark || line_end_before(text, offset) > 0;
}

unsigned yplace_column(struct span text, size_t offset)
{
	unsigned column = 0;

	for (size_t i = yplace_line_start(text, offset); i < offset; i++)
		column += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return column;
}

struct span yplace_eol(struct span text, size_t offset)
{
	size_t near = offset > EOL_NEAR ? offset - EOL_NEAR : 0;
	struct span before = span_of(text.ptr + near, offset - near);
	size_t end = span_find(span_first(span_from(text, offset), EOL_NEAR), '\n');

	if (end != SIZE_MAX)
		end += offset;
	else if (span_rfind(before, '\n') != SIZE_MAX)
		end = near + span_rfind(before, '\n');
	if (end != SIZE_MAX && end > 0 && text.ptr[end - 1] == '\r')
		return SPAN("\r\n");
	return SPAN("\n");
}

static size_t value_start(const struct ydoc_item *item)
{
	return item->value_alias != NULL ? item->value_alias->pos.offset : item->value->pos.offset;
}

size_t yplace_entry_end(const struct ydoc_item *item)
{
	return item->value_alias != NULL ? item->value_alias->end : item->value->end;
}

static size_t key_start(struct span text, const struct ydoc_item *item)
{
	size_t key = item->key_alias != NULL ? item->key_alias->pos.offset : item->key->pos.offset;
	size_t before = key;

	/* `? key`: the announcement belongs to it. */
	while (before > 0 && is_blank(text.ptr[before - 1]))
		before--;
	return before < key && before > 0 && text.ptr[before - 1] == '?' ? before - 1 : key;
}

static const struct ydoc_item *item_before(const struct ydoc_node *collection,
					   const struct ydoc_item *item)
{
	const struct ydoc_item *i = collection->items;

	if (i == item)
		return NULL;
	while (i->next != item)
		i = i->next;
	return i;
}

/*
 * Without brackets all entries stand in the column of the first, each first on its line, and
 * between two of them there are only comments and empty lines.
 */
static size_t block_start(struct span text, const struct ydoc_node *collection,
			  const struct ydoc_item *item)
{
	const struct ydoc_item *before = item_before(collection, item);
	size_t at, first;

	if (before == NULL)
		return collection->body;
	at = yplace_entry_end(before);
	if (line_end_before(text, at) == 0)
		at = yplace_line_end(text, at);
	for (;; at = yplace_line_end(text, at)) {
		first = skip_blanks(text, at);
		if (first == text.len || (text.ptr[first] != '#' && line_end_at(text, first) == 0))
			return first;
	}
}

size_t yplace_entry_start(struct span text, const struct ydoc_node *collection,
			  const struct ydoc_item *item)
{
	if (!collection->is_flow)
		return block_start(text, collection, item);
	return item->key != NULL ? key_start(text, item) : value_start(item);
}

/* The start of the line that ends at `at`, the start of another, or `at` when there is none. */
static size_t line_before(struct span text, size_t at)
{
	size_t len = line_end_before(text, at);

	return len > 0 ? yplace_line_start(text, at - len) : at;
}

size_t yplace_above(struct span text, const struct ydoc_node *collection,
		    const struct ydoc_item *item)
{
	const struct ydoc_item *before = item_before(collection, item);
	size_t entry = yplace_entry_start(text, collection, item);
	size_t at = yplace_line_start(text, entry), line, first;
	/* What is in the text of a value is no comment. */
	size_t floor = before != NULL ? yplace_entry_end(before) : 0;

	for (;;) {
		line = line_before(text, at);
		first = skip_blanks(text, line);
		if (line == at || line < floor || text.ptr[first] != '#' ||
		    yplace_column(text, first) != yplace_column(text, entry))
			return at;
		at = line;
	}
}

/* The innermost last value: what the collection's text ends with. NULL when that is an alias. */
static const struct ydoc_node *last_scalar(const struct ydoc_node *node)
{
	while (node->kind != YDOC_SCALAR && !node->is_flow && node->items != NULL) {
		const struct ydoc_item *last = node->items;

		while (last->next != NULL)
			last = last->next;
		if (last->value_alias != NULL)
			return NULL;
		node = last->value;
	}
	return node->kind == YDOC_SCALAR ? node : NULL;
}

/*
 * What stands behind the `|` or `>` of a text: `+` keeps the line ends behind it, `-` none, a digit
 * says how its lines are indented.
 */
static struct span indicators(struct span text, const struct ydoc_node *literal)
{
	size_t at = literal->pos.offset;
	size_t end = yplace_line_end(text, at);

	/* An anchor or a tag may be before it. */
	while (at < end && ((text.ptr[at] != '|' && text.ptr[at] != '>') ||
			    (at > literal->pos.offset && !is_blank(text.ptr[at - 1]))))
		at++;
	return span_first(span_of(text.ptr + at, end - at), 3);
}

static bool has_indicator(struct span text, const struct ydoc_node *literal, char indicator)
{
	return span_find(indicators(text, literal), indicator) != SIZE_MAX;
}

static size_t count_spaces(struct span text, size_t offset)
{
	size_t n = 0;

	while (offset + n < text.len && text.ptr[offset + n] == ' ')
		n++;
	return n;
}

/*
 * How far the lines of a text are indented, at least: a line of more spaces than that is not empty.
 */
static size_t text_indent(struct span text, const struct ydoc_node *literal)
{
	size_t at = yplace_line_end(text, literal->pos.offset);
	struct span header = indicators(text, literal);

	for (size_t i = 0; i < header.len; i++)
		if (header.ptr[i] >= '1' && header.ptr[i] <= '9')
			return 0;
	for (; at < literal->end; at = yplace_line_end(text, at)) {
		size_t spaces = count_spaces(text, at);

		if (at + spaces < text.len && line_end_at(text, at + spaces) == 0)
			return spaces;
	}
	return SIZE_MAX;
}

/* The start of the first of the empty lines that end at `at`, itself the start of a line. */
static size_t before_empty_lines(struct span text, const struct ydoc_node *literal, size_t at)
{
	size_t indent = text_indent(text, literal), line, spaces;

	for (;;) {
		line = line_before(text, at);
		spaces = count_spaces(text, line);
		if (line == at || spaces > indent || line_end_at(text, line + spaces) == 0)
			return at;
		at = line;
	}
}

/*
 * Behind the last line of a value that ends at `end`. A `|` text ends for libyaml behind the empty
 * lines that follow it, which are part of it only with `+`.
 */
static size_t after_lines(struct span text, const struct ydoc_node *literal, size_t end)
{
	if (literal == NULL)
		return yplace_line_end(text, end);
	if (line_end_before(text, end) == 0)
		return yplace_line_end(text, end);
	return has_indicator(text, literal, '+') ? end : before_empty_lines(text, literal, end);
}

static const struct ydoc_node *last_literal(const struct ydoc_item *item)
{
	const struct ydoc_node *last = item->value_alias == NULL ? last_scalar(item->value) : NULL;

	return last != NULL && !last->is_flow ? last : NULL;
}

size_t yplace_after_lines(struct span text, const struct ydoc_item *item)
{
	return after_lines(text, last_literal(item), yplace_entry_end(item));
}

size_t yplace_below(struct span text, const struct ydoc_node *collection)
{
	const struct ydoc_item *last = collection->items;
	unsigned column = yplace_column(text, collection->body);
	const struct ydoc_node *literal;
	size_t at;

	while (last->next != NULL)
		last = last->next;
	literal = last_literal(last);
	at = yplace_after_lines(text, last);
	if (literal != NULL && at == text.len && line_end_before(text, at) == 0 &&
	    !has_indicator(text, literal, '-'))
		return SIZE_MAX;
	while (at < text.len) {
		size_t first = skip_blanks(text, at);

		if (first == text.len || text.ptr[first] != '#' ||
		    yplace_column(text, first) <= column)
			break;
		at = yplace_line_end(text, at);
	}
	return at;
}
