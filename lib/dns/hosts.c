#include "dns/hosts.h"

#include "dns/word.h"
#include "net/hostname.h"

/* Counts what there is in the text; fills `entries` with it unless that is NULL. */
static size_t read_lines(struct span text, struct hosts_entry *entries)
{
	size_t count = 0;
	struct span line, word;

	while (span_split(&text, '\n', &line)) {
		struct addr addr;
		size_t comment = span_find(line, '#');

		if (comment != SIZE_MAX)
			line = span_first(line, comment);
		if (!word_take(&line, &word) || !addr_parse_ip(word, &addr))
			continue;
		while (word_take(&line, &word)) {
			word = hostname_without_root(word);
			if (hostname_problem(word) != NULL)
				continue;
			if (entries != NULL)
				entries[count] = (struct hosts_entry){.name = word, .addr = addr};
			count++;
		}
	}
	return count;
}

bool hosts_parse(struct span text, struct arena *arena, struct hosts_entry **entries, size_t *count)
{
	size_t found = read_lines(text, NULL);

	*count = 0;
	*entries = arena_get_array(arena, found, sizeof **entries);
	if (*entries == NULL)
		return false;
	*count = read_lines(text, *entries);
	return true;
}
