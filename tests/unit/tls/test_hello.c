#include "../unit.h"

#include "base/buf.h"
#include "base/endian.h"
#include "tls/hello.h"

#define RANDOM "randomrandomrandomrandomrandomra"
#define SNI(name_len, list_len, content_len, name)                                                 \
	"\0\0\0" content_len "\0" list_len "\0\0" name_len name
#define EXAMPLE SNI("\x0c", "\x0f", "\x11", "example.test")
#define ALPN "\0\x10\0\x0e\0\x0c\x02h2\x08http/1.1"
#define VERSIONS13 "\0\x2b\0\x05\x04\x03\x04\x03\x03"
#define VERSIONS12 "\0\x2b\0\x03\x02\x03\x03"
#define GREASE "\x1a\x1a\0\x01\0"

/* Builds record and message headers around a ClientHello's body up to the extensions, and these. */
static void build(struct buf *b, struct span body, struct span extensions, bool has_extensions)
{
	size_t len = body.len + (has_extensions ? 2 + extensions.len : 0);

	buf_clear(b);
	buf_add(b, SPAN("\x16\x03\x01"));
	buf_add_byte(b, (char)((len + 4) >> 8));
	buf_add_byte(b, (char)(len + 4));
	buf_add(b, SPAN("\x01\0"));
	buf_add_byte(b, (char)(len >> 8));
	buf_add_byte(b, (char)len);
	buf_add(b, body);
	if (has_extensions) {
		buf_add_byte(b, (char)(extensions.len >> 8));
		buf_add_byte(b, (char)extensions.len);
		buf_add(b, extensions);
	}
	CHECK(!b->truncated);
}

#define BODY SPAN("\x03\x03" RANDOM "\0\0\x04\xc0\x2b\xc0\x2f\x01\0")
#define BODY_SESSION SPAN("\x03\x03" RANDOM "\x20" RANDOM "\0\x02\x13\x01\x01\0")

static const struct row {
	const char *label;
	struct span body, extensions;
	const char *sni;
	enum hello_result result;
	bool has_alpn, offers_tls13;
} rows[] = {
	{"all that is read", BODY, SPAN(GREASE EXAMPLE ALPN VERSIONS13), "example.test", HELLO_OK,
	 true, true},
	{"TLS 1.2 only", BODY, SPAN(EXAMPLE VERSIONS12), "example.test", HELLO_OK, false, false},
	{"a session id", BODY_SESSION, SPAN(VERSIONS13 EXAMPLE), "example.test", HELLO_OK, false,
	 true},
	{"empty extensions", BODY, SPAN(""), "", HELLO_OK, false, false},
	{"no name", BODY, SPAN(ALPN), "", HELLO_OK, true, false},
	{"a name of another type before", BODY,
	 SPAN("\0\0\0\x0c\0\x0a\x07\0\x01x\0\0\x03"
	      "abc"),
	 "abc", HELLO_OK, false, false},

	{"two names", BODY,
	 SPAN("\0\0\0\x0a\0\x08\0\0\x01"
	      "a\0\0\x01"
	      "b"),
	 "", HELLO_BAD, false, false},
	{"an empty name", BODY, SPAN(SNI("\0", "\x03", "\x05", "")), "", HELLO_BAD, false, false},
	{"an empty list of names", BODY, SPAN("\0\0\0\x02\0\0"), "", HELLO_BAD, false, false},
	{"a name with a NUL", BODY, SPAN(SNI("\x03", "\x06", "\x08", "a\0b")), "", HELLO_BAD, false,
	 false},
	{"a name longer than its list", BODY, SPAN(SNI("\x0d", "\x0f", "\x11", "example.test")), "",
	 HELLO_BAD, false, false},
	{"a list shorter than its extension", BODY,
	 SPAN(SNI("\x0c", "\x0e", "\x11", "example.test")), "", HELLO_BAD, false, false},
	{"server_name twice", BODY, SPAN(EXAMPLE EXAMPLE), "", HELLO_BAD, false, false},
	{"ALPN twice", BODY, SPAN(ALPN ALPN), "", HELLO_BAD, false, false},
	{"an extension cut off", BODY, SPAN("\0\x10\0\x0e\0"), "", HELLO_BAD, false, false},
	{"an extension without length", BODY, SPAN("\0\x10\0"), "", HELLO_BAD, false, false},
	{"half a version", BODY, SPAN("\0\x2b\0\x04\x03\x03\x04\x03"), "", HELLO_BAD, false, false},
	{"a session id of 33 bytes", SPAN("\x03\x03" RANDOM "\x21" RANDOM "x\0\x02\x13\x01\x01\0"),
	 SPAN(EXAMPLE), "", HELLO_BAD, false, false},
	{"no cipher", SPAN("\x03\x03" RANDOM "\0\0\0\x01\0"), SPAN(EXAMPLE), "", HELLO_BAD, false,
	 false},
	{"half a cipher", SPAN("\x03\x03" RANDOM "\0\0\x03\xc0\x2b\xc0\x01\0"), SPAN(EXAMPLE), "",
	 HELLO_BAD, false, false},
	{"no compression", SPAN("\x03\x03" RANDOM "\0\0\x02\xc0\x2b\0"), SPAN(EXAMPLE), "",
	 HELLO_BAD, false, false},
	{"SSL 2", SPAN("\x02\x00" RANDOM "\0\0\x02\xc0\x2b\x01\0"), SPAN(EXAMPLE), "", HELLO_BAD,
	 false, false},
	{"a body that ends early", SPAN("\x03\x03" RANDOM), SPAN(""), "", HELLO_BAD, false, false},
};

static void check_row(const struct row *row, struct span bytes)
{
	struct hello hello;

	CHECK_ROW(row->label, hello_parse(bytes, &hello) == row->result);
	CHECK_ROW(row->label, hello.is_tls);
	CHECK_SPAN(hello.sni, row->sni);
	CHECK_ROW(row->label, (hello.alpn.len > 0) == row->has_alpn);
	CHECK_ROW(row->label, hello.offers_tls13 == row->offers_tls13);
}

static void reads_name_and_protocols_strictly(void)
{
	char storage[1024];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *bytes;

		build(&b, rows[i].body, rows[i].extensions, true);
		bytes = unit_guarded(b.ptr, b.len);
		check_row(&rows[i], span_of(bytes, b.len));
		unit_guarded_free(bytes, b.len);
		/* What comes behind it, early data or a next message, does not matter. */
		buf_add(&b, SPAN("\x14\x03\x03\0\x01\x01"));
		check_row(&rows[i], buf_span(&b));
	}
}

static void wants_more_until_the_record_is_whole(void)
{
	char storage[1024];
	struct buf b;
	struct hello hello;

	BUF_INIT_ARRAY(&b, storage);
	build(&b, BODY, SPAN(EXAMPLE ALPN), true);
	for (size_t len = 0; len < b.len; len++) {
		char *bytes = unit_guarded(b.ptr, len);

		CHECK_INT(hello_parse(span_of(bytes, len), &hello), HELLO_MORE);
		CHECK(hello.is_tls == (len >= 3));
		CHECK(hello.sni.len == 0 && hello.alpn.len == 0);
		unit_guarded_free(bytes, len);
	}
}

static void takes_a_hello_without_extensions(void)
{
	char storage[1024];
	struct buf b;
	struct hello hello;

	BUF_INIT_ARRAY(&b, storage);
	build(&b, BODY, SPAN(""), false);
	CHECK_INT(hello_parse(buf_span(&b), &hello), HELLO_OK);
	CHECK_INT(hello.sni.len, 0);
}

static void tells_tls_from_everything_else_at_the_first_byte_that_differs(void)
{
	static const struct {
		struct span bytes;
		bool is_tls;
	} cases[] = {
		{SPAN("GET / HTTP/1.1\r\n"), false},
		{SPAN("G"), false},
		{SPAN("\x80\x2e\x01\x03\x01"), false},	       /* SSL 2 */
		{SPAN("\x15\x03\x01\x00\x02\x01\x00"), false}, /* an alert */
		{SPAN("\x16G"), false},
		{SPAN("\x16\x02\x01"), false},
		{SPAN("\x16\x03\x05"), false},
		{SPAN("\x16\x03\x01\x00\x04\x02"), true}, /* a ServerHello */
		{SPAN("\x16\x03\x01\x00\x00\x01"), true}, /* an empty record */
		{SPAN("\x16\x03\x01\x40\x01\x01"), true}, /* over 16384 bytes */
		{SPAN("\x16\x03\x01\xff\xff\x01"), true},
	};
	struct hello hello;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *bytes = unit_guarded(cases[i].bytes.ptr, cases[i].bytes.len);

		CHECK_INT(hello_parse(span_of(bytes, cases[i].bytes.len), &hello), HELLO_BAD);
		CHECK(hello.is_tls == cases[i].is_tls);
		unit_guarded_free(bytes, cases[i].bytes.len);
	}
	CHECK_INT(hello_parse(SPAN(""), &hello), HELLO_MORE);
	CHECK(!hello.is_tls);
}

static void refuses_a_hello_spread_over_records(void)
{
	char storage[1024];
	struct buf b;
	struct hello hello;

	BUF_INIT_ARRAY(&b, storage);
	build(&b, BODY, SPAN(EXAMPLE), true);
	/* The record ends after 40 bytes, the message goes on. */
	endian_put_be16(b.ptr + 3, 40);
	CHECK_INT(hello_parse(buf_span(&b), &hello), HELLO_BAD);
	CHECK(hello.is_tls);
}

UNIT_TESTS(TEST(reads_name_and_protocols_strictly), TEST(wants_more_until_the_record_is_whole),
	   TEST(takes_a_hello_without_extensions),
	   TEST(tells_tls_from_everything_else_at_the_first_byte_that_differs),
	   TEST(refuses_a_hello_spread_over_records))
