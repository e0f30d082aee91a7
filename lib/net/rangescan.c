#include "net/rangescan.h"

#include "base/ascii.h"

void rangescan_init(struct rangescan *s,
		    bool (*on_range)(void *context, const struct rangescan_found *found,
				     struct error *e),
		    void *context)
{
	*s = (struct rangescan){.on_range = on_range, .context = context, .line = 1};
}

enum kind {
	WORD,
	BLANK,
	LINE_END,
	COMMA,
};

static const unsigned char kinds[256] = {
	[' '] = BLANK, ['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = LINE_END, [','] = COMMA,
};

static bool fail_at(const struct rangescan *s, size_t offset, struct error *e)
{
	return error_prefix(e, "%u:%zu", s->line, offset - s->line_start + 1);
}

size_t rangescan_flag_len(struct span word)
{
	size_t i = 2;

	if (!span_starts_with(word, SPAN("--")))
		return 0;
	while (i < word.len && (ascii_is_alnum(word.ptr[i]) || word.ptr[i] == '-'))
		i++;
	return i > 2 && i < word.len && word.ptr[i] == '=' ? i + 1 : 0;
}

/* One word, which begins at `offset` of the text. */
static bool take(struct rangescan *s, struct span word, size_t offset, struct error *e)
{
	size_t flag = rangescan_flag_len(word);
	struct rangescan_found found;

	s->after_comma = false;
	found.text = span_from(word, flag);
	if (!range_parse(found.text, &found.range, &found.had_host_bits, e))
		return fail_at(s, offset + flag, e);
	found.line = s->line;
	found.col = (uint32_t)(offset + flag - s->line_start + 1);
	return s->on_range(s->context, &found, e);
}

/* The word that has been kept from the last piece, and `more` of it in this one. */
static bool take_kept(struct rangescan *s, struct span more, struct error *e)
{
	struct span word;

	if (more.len > sizeof s->word - s->word_len)
		more.len = sizeof s->word - s->word_len;
	if (more.len > 0)
		memcpy(s->word + s->word_len, more.ptr, more.len);
	word = span_of(s->word, s->word_len + more.len);
	s->word_len = 0;
	return take(s, word, s->word_offset, e);
}

/* Keeps the start of a word whose end is in the next piece. Longer ones are refused there. */
static bool keep(struct rangescan *s, struct span word, size_t offset, struct error *e)
{
	if (s->word_len == 0)
		s->word_offset = offset;
	if (word.len >= sizeof s->word - s->word_len)
		return take_kept(s, word, e);
	memcpy(s->word + s->word_len, word.ptr, word.len);
	s->word_len += word.len;
	return true;
}

static bool separator(struct rangescan *s, enum kind kind, size_t offset, struct error *e)
{
	if (kind == LINE_END) {
		s->line++;
		s->line_start = offset + 1;
		s->after_comma = false;
	} else if (kind == COMMA) {
		if (s->after_comma) {
			error_set(e, "nothing between two commas: expected a range of addresses");
			return fail_at(s, offset, e);
		}
		s->after_comma = true;
	}
	return true;
}

static size_t word_end(struct span bytes, size_t at)
{
	while (at < bytes.len && kinds[(unsigned char)bytes.ptr[at]] == WORD)
		at++;
	return at;
}

bool rangescan_feed(struct rangescan *s, struct span bytes, struct error *e)
{
	for (size_t at = 0; at < bytes.len;) {
		enum kind kind = kinds[(unsigned char)bytes.ptr[at]];
		size_t start = at;

		if (s->is_comment && kind != LINE_END) {
			at++;
			continue;
		}
		if (kind != WORD) {
			s->is_comment = false;
			if (s->word_len > 0 && !take_kept(s, span_of(NULL, 0), e))
				return false;
			if (!separator(s, kind, s->offset + at++, e))
				return false;
			continue;
		}
		if (s->word_len == 0 && (bytes.ptr[at] == '#' || bytes.ptr[at] == ';')) {
			s->is_comment = true;
			continue;
		}
		at = word_end(bytes, at);
		if (at == bytes.len) {
			if (!keep(s, span_from(bytes, start), s->offset + start, e))
				return false;
		} else if (s->word_len > 0) {
			if (!take_kept(s, span_of(bytes.ptr + start, at - start), e))
				return false;
		} else if (!take(s, span_of(bytes.ptr + start, at - start), s->offset + start, e)) {
			return false;
		}
	}
	s->offset += bytes.len;
	return true;
}

bool rangescan_end(struct rangescan *s, struct error *e)
{
	return s->word_len == 0 || take_kept(s, span_of(NULL, 0), e);
}
