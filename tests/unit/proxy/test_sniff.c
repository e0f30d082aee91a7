#include "../unit.h"

#include "proxy/sniff.h"

/* One byte at a time: what is decided early stays so. */
static enum sniff_result sniff(struct span bytes)
{
	struct hello hello;
	enum sniff_result whole = sniff_bytes(bytes, &hello);

	for (size_t len = 0; len < bytes.len; len++) {
		enum sniff_result early = sniff_bytes(span_first(bytes, len), &hello);

		CHECK(early == SNIFF_MORE || early == whole);
	}
	return whole;
}

static void tells_requests_from_other_words(void)
{
	static const struct {
		const char *text;
		enum sniff_result expected;
	} rows[] = {
		{"", SNIFF_MORE},
		{"G", SNIFF_MORE},
		{"GET", SNIFF_MORE},
		{"GET ", SNIFF_HTTP},
		{"GET  two", SNIFF_HTTP},
		{"get /", SNIFF_HTTP},
		{"get x", SNIFF_OTHER},
		{"PURGE /", SNIFF_HTTP},
		{"PURGE http://a/", SNIFF_HTTP},
		{"PURGE HTTPS://a/", SNIFF_HTTP},
		{"PURGE ht", SNIFF_MORE},
		{"PURGE ha", SNIFF_OTHER},
		{"PRI * HTTP/2.0\r\n", SNIFF_HTTP},
		{"CONNECT a:443 HTTP/1.1", SNIFF_HTTP},
		{"\r\n\r\nGET /", SNIFF_HTTP},
		{"\r\n\r\n\r\nGET /", SNIFF_OTHER},
		{"\r\n\r", SNIFF_MORE},
		{"\rG", SNIFF_OTHER},
		{" GET /", SNIFF_OTHER},
		{"GET\t/", SNIFF_OTHER},
		{"PING\r\n", SNIFF_OTHER},
		{"SSH-2.0-OpenSSH_9.6 Debian", SNIFF_OTHER},
		{"EHLO here", SNIFF_OTHER},
		{"set a b", SNIFF_OTHER},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", SNIFF_MORE},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", SNIFF_OTHER},
		{"\x16", SNIFF_MORE},
		{"\x16\x03\x01\x01", SNIFF_MORE},
		{"\x16\x03\x09", SNIFF_OTHER},
		{"\x16\x03\x01\x01\x01\x02", SNIFF_OTHER},
		{"\x15\x03", SNIFF_OTHER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_ROW(rows[i].text, sniff(span_from_cstr(rows[i].text)) == rows[i].expected);
}

static void reads_the_name_of_a_hello_that_is_whole(void)
{
	/* version, random, no session, one cipher suite, no compression, server_name "a.b" */
	static const char bytes[] = "\x16\x03\x01\0\x3b\x01\0\0\x37\x03\x03"
				    "01234567890123456789012345678901"
				    "\0\0\x02\xc0\x2f\x01\0\0\x0c\0\0\0\x08\0\x06\0\0\x03"
				    "a.b";
	struct span all = span_of(bytes, sizeof bytes - 1);
	struct hello hello;

	CHECK_INT(sniff(all), SNIFF_TLS);
	CHECK_INT(sniff_bytes(all, &hello), SNIFF_TLS);
	CHECK_SPAN(hello.sni, "a.b");
	CHECK_INT(sniff_bytes(span_first(all, all.len - 1), &hello), SNIFF_MORE);
}

UNIT_TESTS(TEST(tells_requests_from_other_words), TEST(reads_the_name_of_a_hello_that_is_whole))
