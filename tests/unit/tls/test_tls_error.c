#include "../unit.h"

#include <bearssl.h>

#include "base/ascii.h"
#include "tls/tls_error.h"

static void names_are_distinct_and_plain(void)
{
	for (int i = 0; i < TLS_ERROR_COUNT; i++) {
		const char *name = tls_error_name((enum tls_error)i);

		CHECK(name[0] != '\0');
		for (const char *c = name; *c != '\0'; c++)
			CHECK_ROW(name,
				  (*c >= 'a' && *c <= 'z') || ascii_is_digit(*c) || *c == '_');
		for (int j = 0; j < i; j++)
			CHECK_ROW(name, strcmp(name, tls_error_name((enum tls_error)j)) != 0);
	}
}

static void texts_are_lower_case_without_a_full_stop(void)
{
	for (int i = 0; i < TLS_ERROR_COUNT; i++) {
		const char *text = tls_error_text((enum tls_error)i);

		CHECK_ROW(text, text[0] >= 'a' && text[0] <= 'z');
		CHECK_ROW(text, text[strlen(text) - 1] != '.');
	}
}

static void knows_every_number_of_the_engine(void)
{
	/* Numbers that BearSSL has left out, and mistakes of its own or of its user. */
	static const int internal[] = {BR_ERR_BAD_STATE, 11, 30, BR_ERR_IO};

	for (int code = 0; code < BR_ERR_X509_OK; code++) {
		bool is_internal = false;

		for (size_t i = 0; i < sizeof internal / sizeof internal[0]; i++)
			is_internal |= internal[i] == code;
		if ((tls_error_from_bearssl(code) == TLS_INTERNAL) != is_internal)
			unit_fail(__FILE__, __LINE__, "%d is %s", code,
				  tls_error_name(tls_error_from_bearssl(code)));
	}
	CHECK_INT(tls_error_from_bearssl(BR_ERR_OK), TLS_OK);
	CHECK_INT(tls_error_from_bearssl(BR_ERR_X509_WEAK_PUBLIC_KEY), TLS_CERT_WEAK_KEY);
}

static void only_success_is_ok(void)
{
	for (int code = -1000; code <= 70000; code++)
		CHECK((tls_error_from_bearssl(code) == TLS_OK) == (code == BR_ERR_OK));
}

static void names_alerts_received_and_sent(void)
{
	CHECK_INT(tls_error_from_bearssl(256 + BR_ALERT_PROTOCOL_VERSION), TLS_TLS13_ONLY);
	CHECK_INT(tls_error_from_bearssl(256 + BR_ALERT_HANDSHAKE_FAILURE), TLS_HANDSHAKE_FAILURE);
	CHECK_INT(tls_error_from_bearssl(256 + BR_ALERT_UNKNOWN_CA), TLS_ALERT_CERTIFICATE);
	CHECK_INT(tls_error_from_bearssl(256 + 255), TLS_ALERT_OTHER);
	CHECK_INT(tls_error_from_bearssl(512 + BR_ALERT_HANDSHAKE_FAILURE), TLS_BAD_HANDSHAKE);
}

static void survives_numbers_that_are_no_errors(void)
{
	CHECK_TEXT(tls_error_name((enum tls_error)1000), "internal");
	CHECK_TEXT(tls_error_text((enum tls_error)1000), tls_error_text(TLS_INTERNAL));
}

UNIT_TESTS(TEST(names_are_distinct_and_plain), TEST(texts_are_lower_case_without_a_full_stop),
	   TEST(knows_every_number_of_the_engine), TEST(only_success_is_ok),
	   TEST(names_alerts_received_and_sent), TEST(survives_numbers_that_are_no_errors))
