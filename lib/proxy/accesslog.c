#include "proxy/accesslog.h"

#include "base/ascii.h"
#include "sys/clock.h"

const char *const accesslog_format_names[] = {
#define X(member, name) name,
	ACCESSLOG_FORMATS(X)
#undef X
		NULL,
};

/*
 * JSON has no \xHH: every byte that is not printable ASCII is shown as the code point of its value.
 */
static void add_json_string(struct buf *out, struct span text, size_t max_len)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < text.len && i < max_len; i++) {
		char c = text.ptr[i];

		if (c == '"' || c == '\\') {
			buf_add_byte(out, '\\');
			buf_add_byte(out, c);
		} else if (ascii_is_print(c)) {
			buf_add_byte(out, c);
		} else {
			buf_printf(out, "\\u%04x", (unsigned char)c);
		}
	}
	if (text.len > max_len)
		buf_add_cstr(out, "...");
	buf_add_byte(out, '"');
}

static void add_key(enum accesslog_format format, struct buf *out, const char *key)
{
	if (format == ACCESSLOG_JSON)
		buf_printf(out, ",\"%s\":", key);
	else
		buf_printf(out, " %s=", key);
}

/* A word of our own making: it needs no quotes in text. */
static void add_word(enum accesslog_format format, struct buf *out, const char *key,
		     struct span word)
{
	add_key(format, out, key);
	if (format == ACCESSLOG_JSON) {
		if (word.len == 0)
			buf_add_cstr(out, "null");
		else
			add_json_string(out, word, ACCESSLOG_TEXT_MAX);
		return;
	}
	if (word.len == 0)
		buf_add_byte(out, '-');
	else
		buf_add_escaped(out, word, ACCESSLOG_TEXT_MAX);
}

/* A text from outside: always in quotes, escaped. */
static void add_text(enum accesslog_format format, struct buf *out, const char *key,
		     struct span text, size_t max_len)
{
	add_key(format, out, key);
	if (format == ACCESSLOG_JSON) {
		add_json_string(out, text, max_len);
		return;
	}
	buf_add_byte(out, '"');
	buf_add_escaped(out, text, max_len);
	buf_add_byte(out, '"');
}

static void add_addr(enum accesslog_format format, struct buf *out, const char *key,
		     const struct addr *addr)
{
	char storage[ADDR_TEXT_MAX];
	struct buf text;

	BUF_INIT_ARRAY(&text, storage);
	if (addr->family != 0)
		addr_format(addr, &text);
	add_word(format, out, key, buf_span(&text));
}

static void add_number(enum accesslog_format format, struct buf *out, const char *key, uint64_t n)
{
	add_key(format, out, key);
	buf_add_u64(out, n);
}

void accesslog_format(enum accesslog_format format, const struct accesslog_entry *entry,
		      struct buf *out)
{
	bool json = format == ACCESSLOG_JSON;

	if (format == ACCESSLOG_OFF)
		return;
	if (json)
		buf_add_cstr(out, "{\"time\":\"");
	clock_format_rfc3339(entry->realtime_ms, out);
	if (json)
		buf_add_byte(out, '"');
	add_addr(format, out, "client", &entry->client);
	add_word(format, out, "method", entry->method);
	add_text(format, out, "host", entry->host, ACCESSLOG_TEXT_MAX);
	add_text(format, out, "path", entry->path, ACCESSLOG_PATH_MAX);
	add_number(format, out, "status", entry->status);
	add_word(format, out, "route", entry->service);
	add_word(format, out, "upstream", entry->upstream);
	add_addr(format, out, "address", &entry->address);
	add_number(format, out, "reused", entry->reused);
	add_number(format, out, "rx", entry->received_bytes);
	add_number(format, out, "tx", entry->sent_bytes);
	add_key(format, out, "ms");
	buf_printf(out, "%llu.%03u", (unsigned long long)(entry->duration_us / 1000),
		   (unsigned)(entry->duration_us % 1000));
	add_word(format, out, "reason", span_from_cstr(entry->reason));
	add_text(format, out, "source", entry->source, ACCESSLOG_TEXT_MAX);
	if (entry->verdict != NULL) {
		add_word(format, out, "verdict", span_from_cstr(entry->verdict));
		add_addr(format, out, "original", &entry->original);
	}
	buf_add_cstr(out, json ? "}\n" : "\n");
}
