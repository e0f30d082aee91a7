#include "../unit.h"

#include "json_line.h"
#include "proxy/accesslog.h"

static char storage[ACCESSLOG_LINE_MAX];

static struct addr addr(const char *text)
{
	struct addr a;

	CHECK(addr_parse(span_from_cstr(text), 1, &a));
	return a;
}

static struct accesslog_entry full_entry(void)
{
	return (struct accesslog_entry){
		.realtime_ms = 1795442709123,
		.client = addr("10.1.2.3:40000"),
		.method = SPAN("GET"),
		.host = SPAN("google:443"),
		.path = SPAN("/a?b=\"c\" d"),
		.status = 200,
		.service = SPAN("default/google:443"),
		.upstream = SPAN("https://www.google.com:443"),
		.address = addr("[2001:db8::1]:443"),
		.reused = true,
		.received_bytes = 123,
		.sent_bytes = UINT64_MAX,
		.duration_us = 1002003,
		.reason = "ok",
		.source = SPAN("services.yaml:31:7"),
	};
}

static struct span format(enum accesslog_format format, const struct accesslog_entry *entry)
{
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	accesslog_format(format, entry, &out);
	CHECK(!out.truncated);
	return buf_span(&out);
}

static void writes_text_byte_for_byte(void)
{
	struct accesslog_entry entry = full_entry();

	CHECK_SPAN(format(ACCESSLOG_TEXT, &entry),
		   "2026-11-23T14:05:09.123Z client=10.1.2.3:40000 method=GET host=\"google:443\" "
		   "path=\"/a?b=\\\"c\\\" d\" status=200 route=default/google:443 "
		   "upstream=https://www.google.com:443 address=[2001:db8::1]:443 reused=1 rx=123 "
		   "tx=18446744073709551615 ms=1002.003 reason=ok source=\"services.yaml:31:7\"\n");
}

static void writes_json_byte_for_byte(void)
{
	struct accesslog_entry entry = full_entry();

	CHECK_SPAN(format(ACCESSLOG_JSON, &entry),
		   "{\"time\":\"2026-11-23T14:05:09.123Z\",\"client\":\"10.1.2.3:40000\","
		   "\"method\":\"GET\",\"host\":\"google:443\",\"path\":\"/a?b=\\\"c\\\" d\","
		   "\"status\":200,\"route\":\"default/google:443\","
		   "\"upstream\":\"https://www.google.com:443\",\"address\":\"[2001:db8::1]:443\","
		   "\"reused\":1,\"rx\":123,\"tx\":18446744073709551615,\"ms\":1002.003,"
		   "\"reason\":\"ok\",\"source\":\"services.yaml:31:7\"}\n");
}

static void shows_what_is_not_known_as_dash_and_null(void)
{
	struct accesslog_entry entry = {.client = addr("127.0.0.1:1"), .reason = "bad_request"};

	CHECK_SPAN(format(ACCESSLOG_TEXT, &entry),
		   "1970-01-01T00:00:00.000Z client=127.0.0.1:1 method=- host=\"\" path=\"\" "
		   "status=0 route=- upstream=- address=- reused=0 rx=0 tx=0 ms=0.000 "
		   "reason=bad_request source=\"\"\n");
	CHECK_SPAN(format(ACCESSLOG_JSON, &entry),
		   "{\"time\":\"1970-01-01T00:00:00.000Z\",\"client\":\"127.0.0.1:1\","
		   "\"method\":null,\"host\":\"\",\"path\":\"\",\"status\":0,\"route\":null,"
		   "\"upstream\":null,\"address\":null,\"reused\":0,\"rx\":0,\"tx\":0,"
		   "\"ms\":0.000,\"reason\":\"bad_request\",\"source\":\"\"}\n");
}

static void writes_nothing_when_off(void)
{
	struct accesslog_entry entry = full_entry();

	CHECK_SPAN(format(ACCESSLOG_OFF, &entry), "");
	CHECK_TEXT(accesslog_format_names[ACCESSLOG_TEXT], "text");
	CHECK_TEXT(accesslog_format_names[ACCESSLOG_JSON], "json");
	CHECK_TEXT(accesslog_format_names[ACCESSLOG_OFF], "off");
	CHECK(accesslog_format_names[3] == NULL);
}

/* Printable ASCII, one line, and in text as many quotes that are not escaped as there are texts. */
static void check_is_one_line(struct span line, int quotes)
{
	bool escaped = false;

	CHECK(line.len > 1 && line.ptr[line.len - 1] == '\n');
	for (size_t i = 0; i + 1 < line.len; i++) {
		CHECK(line.ptr[i] >= ' ' && line.ptr[i] <= '~');
		if (escaped)
			escaped = false;
		else if (line.ptr[i] == '\\')
			escaped = true;
		else if (line.ptr[i] == '"')
			quotes--;
	}
	CHECK_INT(quotes, 0);
}

static void no_byte_forges_a_line_or_a_field(void)
{
	for (int byte = 0; byte < 256; byte++) {
		char text[] = {'x', (char)byte, (char)byte, 'y'};
		struct accesslog_entry entry = {.reason = "ok"};
		struct span hostile = span_of(text, sizeof text), line, value;

		entry.method = entry.service = entry.upstream = SPAN("w");
		entry.host = entry.path = entry.source = hostile;
		line = format(ACCESSLOG_TEXT, &entry);
		check_is_one_line(line, 6);
		line = format(ACCESSLOG_JSON, &entry);
		CHECK(json_line_find(line, "path", &value));
		CHECK_INT(value.len, 4);
		CHECK(memcmp(value.ptr, text, 4) == 0);
		CHECK(json_line_find(line, "source", &value));
		CHECK(memcmp(value.ptr, text, 4) == 0);
		CHECK(json_line_find(line, "reason", &value));
		CHECK_SPAN(value, "ok");
	}
}

static void the_longest_line_fits(void)
{
	static char bytes[2 * ACCESSLOG_PATH_MAX];
	struct span hostile = span_of(bytes, sizeof bytes), line;
	struct accesslog_entry entry = {
		.realtime_ms = UINT64_C(253402300799999),
		.client = addr("[2001:db8:1111:1111:1111:1111:1111:1111]:65535"),
		.address = addr("[2001:db8:1111:1111:1111:1111:1111:1111]:65535"),
		.method = hostile,
		.host = hostile,
		.path = hostile,
		.service = hostile,
		.upstream = hostile,
		.source = hostile,
		.status = 599,
		.reused = true,
		.received_bytes = UINT64_MAX,
		.sent_bytes = UINT64_MAX,
		.duration_us = UINT64_MAX,
		.reason = "an_upstream_that_has_a_long_reason_to_go_away",
	};

	memset(bytes, 0x7f, sizeof bytes);
	line = format(ACCESSLOG_TEXT, &entry);
	CHECK(line.ptr[line.len - 1] == '\n');
	line = format(ACCESSLOG_JSON, &entry);
	CHECK(span_ends_with(line, SPAN("...\"}\n")));
}

static void cuts_long_texts_and_says_so(void)
{
	static char bytes[ACCESSLOG_PATH_MAX + 1];
	struct accesslog_entry entry = {.reason = "ok"};
	struct span line, value;

	memset(bytes, 'p', sizeof bytes);
	for (size_t over = 0; over < 2; over++) {
		entry.path = span_of(bytes, ACCESSLOG_PATH_MAX + over);
		entry.host = span_of(bytes, ACCESSLOG_TEXT_MAX + over);
		line = format(ACCESSLOG_JSON, &entry);
		CHECK(json_line_find(line, "path", &value));
		CHECK_INT(value.len, ACCESSLOG_PATH_MAX + 3 * over);
		CHECK(json_line_find(line, "host", &value));
		CHECK_INT(value.len, ACCESSLOG_TEXT_MAX + 3 * over);
		CHECK(span_ends_with(value, over ? SPAN("p...") : SPAN("pp")));
	}
}

static void a_redirected_connection_has_two_keys_more_at_the_end(void)
{
	struct accesslog_entry entry = full_entry();
	struct span line;

	entry.verdict = "passed_any";
	entry.original = addr("192.0.2.1:443");
	line = format(ACCESSLOG_TEXT, &entry);
	CHECK(span_ends_with(line, SPAN(" source=\"services.yaml:31:7\" verdict=passed_any "
					"original=192.0.2.1:443\n")));
	line = format(ACCESSLOG_JSON, &entry);
	CHECK(span_ends_with(line, SPAN(",\"source\":\"services.yaml:31:7\",\"verdict\":"
					"\"passed_any\",\"original\":\"192.0.2.1:443\"}\n")));
}

UNIT_TESTS(TEST(a_redirected_connection_has_two_keys_more_at_the_end),
	   TEST(writes_text_byte_for_byte), TEST(writes_json_byte_for_byte),
	   TEST(shows_what_is_not_known_as_dash_and_null), TEST(writes_nothing_when_off),
	   TEST(no_byte_forges_a_line_or_a_field), TEST(the_longest_line_fits),
	   TEST(cuts_long_texts_and_says_so))
