#include "kube/clusterwords.h"

#include <string.h>

#include "base/ascii.h"

void clusterwords_init(struct clusterwords *w,
		       void (*on_value)(void *context, struct span key, struct span value,
					size_t offset),
		       void *context)
{
	memset(w, 0, offsetof(struct clusterwords, columns));
	w->on_value = on_value;
	w->context = context;
	w->column_count = 0;
}

/* As an address, or a length, begins: 10.0.0.0/8, fd00::/64, ::/0, /14. */
static bool is_value(struct span word)
{
	size_t colon = span_find(word, ':');

	if (ascii_is_digit(word.ptr[0]) || (word.ptr[0] == '/' && word.len > 1))
		return true;
	if (colon == SIZE_MAX || colon + 1 == word.len)
		return false;
	for (size_t i = 0; i < colon; i++)
		if (ascii_hex_value(word.ptr[i]) < 0)
			return false;
	return true;
}

/* Keys such as `cidr` and `pods` mean something only where they stand. */
static bool stands_alone(const struct clusterkeys_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].within == NULL &&
		    (rules[i].kind == NULL || strcmp(rules[i].kind, "Pod") == 0))
			return true;
	return false;
}

/* Whether the last `count` words are a key; then it is the one that waits for values. */
static bool is_key(struct clusterwords *w, size_t count, bool *is_ignored)
{
	const struct clusterkeys_rule *rules;
	size_t rule_count;
	char text[3 * CLUSTERKEYS_MAX];
	struct span key;
	size_t len = 0;

	for (size_t i = count; i-- > 0;) {
		if (w->recent[i].len == 0 || w->recent[i].len > CLUSTERKEYS_MAX)
			return false;
		memcpy(text + len, w->recent[i].ptr, w->recent[i].len);
		len += w->recent[i].len;
	}
	key = clusterkeys_normal(span_of(text, len), w->key);
	*is_ignored = *is_ignored || clusterkeys_is_ignored(key);
	rule_count = clusterkeys_find(key, &rules);
	w->key_len = stands_alone(rules, rule_count) ? key.len : 0;
	return w->key_len > 0;
}

static void take_word(struct clusterwords *w, struct span word)
{
	bool is_ignored = false, is_found = false;

	if (word.len == 0)
		return;
	w->key_len = 0;
	w->has_value = false;
	w->recent[2] = w->recent[1];
	w->recent[1] = w->recent[0];
	w->recent[0] = word;
	/* The longest first: `Pod Subnet` and not `Subnet`; but `a master range` is none at all. */
	for (size_t count = 3; count > 0 && !is_found; count--) {
		is_found = is_key(w, count, &is_ignored);
		w->shown = w->recent[count - 1];
	}
	w->shown.len = (size_t)(word.ptr + word.len - w->shown.ptr);
	if (is_ignored)
		w->key_len = 0;
}

static bool is_separator(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' ||
	       (byte != '\0' && strchr("=|\"',[]{}()<>;", byte) != NULL);
}

/* `clusterCIDR:10.0.0.0/8`: a colon that no IPv6 address has ends a word. */
static size_t word_len(struct span text)
{
	bool is_hex = true;

	for (size_t i = 0; i < text.len; i++) {
		if (is_separator(text.ptr[i]))
			return i;
		if (text.ptr[i] == ':' && !is_hex)
			return i + 1;
		is_hex = is_hex && (ascii_hex_value(text.ptr[i]) >= 0 || text.ptr[i] == ':' ||
				    text.ptr[i] == '.' || text.ptr[i] == '/');
	}
	return text.len;
}

static struct span without_colon(struct span word)
{
	while (word.len > 0 && word.ptr[word.len - 1] == ':' &&
	       !(word.len > 1 && word.ptr[word.len - 2] == ':'))
		word.len--;
	return word;
}

/* Words that may stand between a key and its value. */
static bool is_filler(struct span word)
{
	return span_eq_nocase(word, SPAN("ipv4")) || span_eq_nocase(word, SPAN("ipv6")) ||
	       span_eq(word, SPAN("-"));
}

/* ---- Tables ---- */

/* What the cells of a line are divided by: tabs, commas, or two blanks and more. */
static char separator_of(struct span line)
{
	return span_find(line, '\t') != SIZE_MAX  ? '\t'
	       : span_find(line, ',') != SIZE_MAX ? ','
						  : ' ';
}

static bool ends_cell(struct span rest, char separator)
{
	return rest.ptr[0] == separator &&
	       (separator != ' ' || (rest.len > 1 && rest.ptr[1] == ' '));
}

/* Without what stands around a line; an empty cell at its front is one all the same. */
static struct span trimmed(struct span line, char separator)
{
	if (separator == ' ')
		return span_trim(line);
	return span_ends_with(line, SPAN("\r")) ? span_first(line, line.len - 1) : line;
}

struct span clusterwords_cells(struct span line, char *separator)
{
	*separator = separator_of(span_trim(line));
	return trimmed(line, *separator);
}

bool clusterwords_cell(struct span *rest, char separator, struct span *cell)
{
	size_t len = 0;

	if (rest->ptr == NULL)
		return false;
	while (len < rest->len && !ends_cell(span_from(*rest, len), separator))
		len++;
	*cell = span_trim(span_first(*rest, len));
	*rest = len < rest->len ? span_of(rest->ptr + len + 1, rest->len - len - 1)
				: span_of(NULL, 0);
	if (separator == ' ' && rest->len > 0)
		*rest = span_trim(*rest);
	return true;
}

/* The normal form of a column's heading; false for what can be none. */
static bool read_title(struct span cell, char title[static CLUSTERKEYS_MAX], size_t *len)
{
	for (size_t i = 0; i < cell.len; i++)
		if (!ascii_is_alnum(cell.ptr[i]) && strchr(" _-.()", cell.ptr[i]) == NULL)
			return false;
	*len = clusterkeys_normal(cell, title).len;
	return cell.len > 0 && !is_value(cell);
}

/* A heading has two columns or more, and the ranges' are among them. */
static bool take_heading(struct clusterwords *w, struct span line)
{
	struct span cell, rest = clusterwords_cells(line, &w->separator);
	bool has_known = false;
	size_t count = 0;

	for (; clusterwords_cell(&rest, w->separator, &cell); count++) {
		const struct clusterkeys_rule *rules;
		struct clusterwords_column *column;
		size_t rule_count;
		struct span key;

		if (count == CLUSTERWORDS_COLUMNS_MAX)
			return false;
		column = &w->columns[count];
		if (!read_title(cell, column->key, &column->len))
			return false;
		key = span_of(column->key, column->len);
		/* kubectl get servicecidrs: NAME CIDRS AGE */
		if (span_eq(key, SPAN("cidrs")))
			column->len = clusterkeys_normal(SPAN("servicecidrs"), column->key).len;
		key.len = column->len;
		rule_count = clusterkeys_find(key, &rules);
		if (clusterkeys_is_ignored(key) || !stands_alone(rules, rule_count))
			column->len = 0;
		has_known = has_known || column->len > 0;
	}
	w->column_count = has_known && count > 1 ? count : 0;
	return w->column_count > 0;
}

static size_t count_cells(struct span line, char separator)
{
	struct span rest = trimmed(line, separator), cell;
	size_t count = 0;

	while (clusterwords_cell(&rest, separator, &cell))
		count++;
	return count;
}

static void take_cell(struct clusterwords *w, const struct clusterwords_column *column,
		      struct span cell, size_t offset)
{
	struct span rest = cell, part;

	while (rest.len > 0 && span_split(&rest, ',', &part))
		if (part.len > 0 && is_value(part))
			w->on_value(w->context, span_of(column->key, column->len), part,
				    offset + (size_t)(part.ptr - cell.ptr));
}

/* A line as wide as the heading; false when the table is over. */
static bool take_row(struct clusterwords *w, struct span line, size_t offset)
{
	struct span rest = trimmed(line, w->separator), cell;

	if (count_cells(line, w->separator) != w->column_count)
		return false;
	for (size_t i = 0; clusterwords_cell(&rest, w->separator, &cell); i++) {
		w->shown = span_of(w->columns[i].key, w->columns[i].len);
		if (w->shown.len > 0)
			take_cell(w, &w->columns[i], cell, offset + (size_t)(cell.ptr - line.ptr));
	}
	return true;
}

void clusterwords_line(struct clusterwords *w, struct span line, size_t offset)
{
	if (w->column_count > 0 && take_row(w, line, offset))
		return;
	w->column_count = 0;
	if (take_heading(w, line)) {
		w->key_len = 0;
		return;
	}
	for (size_t at = 0; at < line.len;) {
		struct span word;
		size_t len;

		if (is_separator(line.ptr[at])) {
			w->has_value = w->has_value && line.ptr[at] != ',';
			at++;
			continue;
		}
		len = word_len(span_from(line, at));
		word = span_of(line.ptr + at, len);
		if (is_value(word)) {
			/* A second value belongs to the key only behind a comma or a dash. */
			if (w->has_value)
				w->key_len = 0;
			if (w->key_len > 0)
				w->on_value(w->context, span_of(w->key, w->key_len), word,
					    offset + at);
			w->has_value = true;
		} else if (is_filler(word)) {
			w->has_value = w->has_value && !span_eq(word, SPAN("-"));
		} else {
			take_word(w, without_colon(word));
		}
		at += len;
	}
	/* Words of this line are gone with it; a key that waits for values stays. */
	memset(w->recent, 0, sizeof w->recent);
	w->shown = span_of(w->key, w->key_len);
}
