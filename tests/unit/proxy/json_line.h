/*
 * json_line: reads one flat JSON object on one line, as strictly as a log collector would.
 */
#ifndef JSON_LINE_H
#define JSON_LINE_H

#include "../unit.h"

/* The value of a hexadecimal digit, or a failed test. */
static inline int json_line_digit(char c)
{
	CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Reads a string behind its opening quote; \u00HH is the byte HH. Returns what is behind it. */
static inline const char *json_line_string(const char *at, const char *end, char *to, size_t *len)
{
	for (*len = 0; at < end && *at != '"'; at++) {
		CHECK(*at >= ' ' && *at <= '~');
		if (*at == '\\') {
			at++;
			CHECK(*at == '"' || *at == '\\' || (*at == 'u' && end - at > 5));
			if (*at == 'u') {
				CHECK(at[1] == '0' && at[2] == '0');
				to[(*len)++] = (char)(json_line_digit(at[3]) << 4 |
						      json_line_digit(at[4]));
				at += 4;
				continue;
			}
		}
		to[(*len)++] = *at;
	}
	CHECK(at < end);
	return at + 1;
}

/*
 * Reads all of `line`; false when there is no `key`. *value is that of the key, strings unescaped,
 * borrowed until the next call. Anything that is not JSON, or a key that comes twice, fails the
 * test.
 */
static inline bool json_line_find(struct span line, const char *key, struct span *value)
{
	static char name[256], text[32768], kept[32768];
	const char *at = line.ptr + 1, *end = line.ptr + line.len - 2;
	bool found = false;

	CHECK(line.len > 3 && line.ptr[0] == '{' && end[0] == '}' && end[1] == '\n');
	for (;;) {
		size_t name_len, len = 0;

		CHECK(at < end && *at++ == '"');
		at = json_line_string(at, end, name, &name_len);
		CHECK(at < end && *at++ == ':');
		if (*at == '"')
			at = json_line_string(at + 1, end, text, &len);
		else
			while (at < end && *at != ',')
				text[len++] = *at++;
		CHECK(len > 0 || at[-1] == '"');
		if (span_eq(span_of(name, name_len), span_from_cstr(key))) {
			CHECK(!found);
			found = true;
			memcpy(kept, text, len);
			*value = span_of(kept, len);
		}
		if (at == end)
			return found;
		CHECK(*at++ == ',');
	}
}

#endif
