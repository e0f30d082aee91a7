#include "../unit.h"

#include "base/ascii.h"
#include "http/h1write.h"
#include "proxy/reason.h"

static void names_are_words_and_no_two_are_equal(void)
{
	for (int r = 0; r < REASON_COUNT; r++) {
		const char *name = reason_name((enum reason)r);

		CHECK(strlen(name) > 0);
		for (const char *c = name; *c != 0; c++)
			CHECK_ROW(name, (*c >= 'a' && *c <= 'z') || *c == '_');
		for (int other = 0; other < r; other++)
			CHECK_ROW(name, strcmp(name, reason_name((enum reason)other)) != 0);
	}
}

static void statuses_are_ones_that_have_a_phrase(void)
{
	for (int r = 0; r < REASON_COUNT; r++) {
		const char *name = reason_name((enum reason)r);
		int status = reason_status((enum reason)r);

		CHECK_ROW(name, status == 0 || (status >= 200 && status < 600));
		if (status != 0)
			CHECK_ROW(name, strcmp(h1write_reason((unsigned)status), "Unknown") != 0);
	}
}

static void texts_fit_a_line_of_plain_text(void)
{
	for (int r = 0; r < REASON_COUNT; r++) {
		const char *text = reason_text((enum reason)r);

		CHECK_ROW(reason_name((enum reason)r), strlen(text) > 0 && strlen(text) < 100);
		for (const char *c = text; *c != 0; c++)
			CHECK_ROW(reason_name((enum reason)r), ascii_is_print(*c));
	}
}

static void maps_each_reason_to_its_row(void)
{
	static const struct {
		enum reason reason;
		const char *name;
		int status;
	} rows[] = {
		{REASON_OK, "ok", 0},
		{REASON_UNKNOWN_HOST, "unknown_host", 404},
		{REASON_HEADER_TIMEOUT, "header_timeout", 408},
		{REASON_DNS_TIMEOUT, "dns_timeout", 503},
		{REASON_CONNECT_TIMEOUT, "connect_timeout", 504},
		{REASON_TLS_FAILED, "tls_failed", 502},
		{REASON_TUNNEL_TIMEOUT, "tunnel_timeout", 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CHECK_TEXT(reason_name(rows[i].reason), rows[i].name);
		CHECK_INT(reason_status(rows[i].reason), rows[i].status);
	}
}

UNIT_TESTS(TEST(names_are_words_and_no_two_are_equal), TEST(statuses_are_ones_that_have_a_phrase),
	   TEST(texts_fit_a_line_of_plain_text), TEST(maps_each_reason_to_its_row))
