#include "dns/word.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

bool word_take(struct span *line, struct span *word)
{
	size_t from = 0, to;

	while (from < line->len && is_blank(line->ptr[from]))
		from++;
	for (to = from; to < line->len && !is_blank(line->ptr[to]);)
		to++;
	*word = span_first(span_from(*line, from), to - from);
	*line = span_from(*line, to);
	return word->len > 0;
}
