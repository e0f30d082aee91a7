#include "kube/clusterwords.h"

#include <string.h>

#include "base/ascii.h"

void clusterwords_init(struct clusterwords *w,
		       void (*on_value)(void *context, struct span key, struct span value,
					size_t offset),
		       void *context)
{
	*w = (struct clusterwords){.on_value = on_value, .context = context};
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
	for (size_t count = 3; count > 0 && !is_found; count--)
		is_found = is_key(w, count, &is_ignored);
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

static bool is_heading(struct span line)
{
	struct span word, rest = span_trim(line);
	static const char *const words[] = {"NAME", "CIDRS", "AGE"};
	size_t count = 0;

	while (span_split(&rest, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (count == 3 || !span_eq(word, span_from_cstr(words[count++])))
			return false;
	}
	return count == 3;
}

/* NAME CIDRS AGE: the second column. */
static void take_row(struct clusterwords *w, struct span line, size_t offset)
{
	size_t at = 0, start, end;

	while (at < line.len && line.ptr[at] != ' ')
		at++;
	while (at < line.len && line.ptr[at] == ' ')
		at++;
	end = at;
	while (end < line.len && line.ptr[end] != ' ')
		end++;
	for (start = at; start < end; start = at + 1) {
		for (at = start; at < end && line.ptr[at] != ','; at++)
			;
		if (at > start)
			w->on_value(w->context, SPAN("servicecidrs"),
				    span_of(line.ptr + start, at - start), offset + start);
	}
}

void clusterwords_line(struct clusterwords *w, struct span line, size_t offset)
{
	if (is_heading(line)) {
		w->is_table = true;
		return;
	}
	if (w->is_table) {
		take_row(w, line, offset);
		return;
	}
	memset(w->recent, 0, sizeof w->recent);
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
}
