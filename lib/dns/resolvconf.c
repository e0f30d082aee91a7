#include "dns/resolvconf.h"

#include "base/num.h"
#include "dns/word.h"

static void read_nameserver(struct span line, struct resolvconf *out)
{
	struct span word;
	struct addr addr;
	size_t zone;

	if (!word_take(&line, &word) || out->server_count == RESOLVCONF_MAX_SERVERS)
		return;
	zone = span_find(word, '%');
	if (zone != SIZE_MAX)
		word = span_first(word, zone);
	if (!addr_parse_ip(word, &addr))
		return;
	addr.port = RESOLVCONF_PORT;
	out->servers[out->server_count++] = addr;
}

/* PREFIX:N with N drawn into min..max; *value stays when the word is something else. */
static void read_number(struct span word, struct span prefix, unsigned min, unsigned max,
			unsigned *value)
{
	uint64_t n;

	if (!span_starts_with(word, prefix) ||
	    !num_parse_u64(span_from(word, prefix.len), 0, UINT32_MAX, &n))
		return;
	*value = n < min ? min : n > max ? max : (unsigned)n;
}

static void read_options(struct span line, struct resolvconf *out)
{
	struct span word;

	while (word_take(&line, &word)) {
		unsigned seconds = 0;

		/* The same bounds as RES_MAXRETRANS and RES_MAXRETRY of glibc. */
		read_number(word, SPAN("timeout:"), 1, 30, &seconds);
		if (seconds > 0)
			out->timeout_ms = seconds * 1000;
		read_number(word, SPAN("attempts:"), 1, 5, &out->attempts);
		if (span_eq(word, SPAN("rotate")))
			out->rotate = true;
	}
}

void resolvconf_parse(struct span text, struct resolvconf *out)
{
	struct span line, word;

	*out = (struct resolvconf){
		.timeout_ms = RESOLVCONF_TIMEOUT_MS,
		.attempts = RESOLVCONF_ATTEMPTS,
	};
	while (span_split(&text, '\n', &line)) {
		/* A comment is a line whose first byte says so. */
		if (line.len > 0 && (line.ptr[0] == '#' || line.ptr[0] == ';'))
			continue;
		if (!word_take(&line, &word))
			continue;
		if (span_eq(word, SPAN("nameserver")))
			read_nameserver(line, out);
		else if (span_eq(word, SPAN("options")))
			read_options(line, out);
	}
}
