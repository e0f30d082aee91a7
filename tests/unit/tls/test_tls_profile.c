#include "peer.h"

#include "base/endian.h"
#include "tls/hello.h"

static void speaks_each_of_its_ciphers(void)
{
	static const struct {
		const char *cert;
		uint16_t suite;
		const char *name;
	} rows[] = {
		{"good", 0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256"},
		{"good", 0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384"},
		{"good", 0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305"},
		{"rsa", 0xc02f, "ECDHE-RSA-AES128-GCM-SHA256"},
		{"rsa", 0xc030, "ECDHE-RSA-AES256-GCM-SHA384"},
		{"rsa", 0xcca8, "ECDHE-RSA-CHACHA20-POLY1305"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct peer *p = peer_new(rows[i].cert, "bundle");

		br_ssl_engine_set_suites(&p->server.eng, &rows[i].suite, 1);
		CHECK(peer_start_at(p, "example.test", NOW));
		peer_settle(p, SIZE_MAX);
		CHECK_TEXT(tlsconn_cipher(p->client), rows[i].name);
		peer_echo(p, 20000, SIZE_MAX);
		peer_free(p);
	}
}

static void refuses_old_ciphers(void)
{
	static const uint16_t suites[] = {
		BR_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, BR_TLS_RSA_WITH_AES_128_GCM_SHA256,
		BR_TLS_RSA_WITH_AES_128_CBC_SHA,	  BR_TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
		BR_TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	};
	struct peer *p = peer_new("rsa", "bundle");

	br_ssl_engine_set_suites(&p->server.eng, suites, sizeof suites / sizeof suites[0]);
	CHECK(peer_start_at(p, "example.test", NOW));
	peer_settle(p, SIZE_MAX);
	CHECK_ERROR(p, TLS_HANDSHAKE_FAILURE);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	peer_free(p);
}

static void refuses_old_versions(void)
{
	/* ServerHello: TLS 1.1, random, no session, suite, no compression. */
	static const char hello[] = "\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02"
				    "randomrandomrandomrandomrandomra"
				    "\x00\xc0\x13\x00";
	struct peer *p = peer_new("rsa", "bundle");

	CHECK(peer_start_at(p, "example.test", NOW));
	peer_receive(p, hello, sizeof hello - 1);
	CHECK_ERROR(p, TLS_TLS12_REFUSED);
	peer_free(p);
}

static void offers_what_the_profile_says(void)
{
	struct peer *p = peer_new("good", "ca-ec");
	struct hello hello;
	const uint8_t *record, *at;
	size_t len;

	CHECK(peer_start_at(p, "Example.test.", NOW));
	record = tlsconn_records_out(p->client, &len);
	CHECK_INT(hello_parse(span_of(record, len), &hello), HELLO_OK);
	CHECK_SPAN(hello.sni, "Example.test");
	CHECK(hello.alpn.len == 11 && memcmp(hello.alpn.ptr, "\0\x09\x08http/1.1", 11) == 0);
	CHECK(!hello.offers_tls13);
	/* version, random, no session to resume, six suites */
	CHECK_INT(endian_get_be16(record + 9), 0x0303);
	CHECK_INT(record[43], 0);
	CHECK_INT(endian_get_be16(record + 44), 12);
	for (at = record + 46; at < record + 58; at += 2)
		CHECK((endian_get_be16(at) >= 0xc02b && endian_get_be16(at) <= 0xc030) ||
		      (endian_get_be16(at) >= 0xcca8 && endian_get_be16(at) <= 0xcca9));
	/* Compression none; extensions. */
	CHECK(record[58] == 1 && record[59] == 0);
	for (at = record + 62; at < record + len; at += 4 + endian_get_be16(at + 2)) {
		unsigned type = endian_get_be16(at);

		/* No max_fragment_length (1): servers that honour it send small records. */
		CHECK(type == 0xff01 || type == 0 || type == 13 || type == 10 || type == 11 ||
		      type == 16);
		/* signature_algorithms: SHA-256 (4) or better only. */
		for (size_t i = 6; type == 13 && i < 4u + endian_get_be16(at + 2); i += 2)
			CHECK(at[i] >= 4 && at[i] <= 6);
	}
	CHECK(at == record + len);
	peer_free(p);
}

static void refuses_to_renegotiate(void)
{
	struct peer *p = peer_connected("good", SIZE_MAX);

	CHECK_INT(br_ssl_engine_renegotiate(&p->server.eng), 1);
	peer_settle(p, SIZE_MAX);
	/* The server gets a no_renegotiation, and gives up; so that is all that happens here. */
	CHECK_INT(br_ssl_engine_last_error(&p->server.eng), 256 + BR_ALERT_NO_RENEGOTIATION);
	CHECK_ERROR(p, TLS_OK);
	peer_free(p);
}

/* Distinct entropy gives distinct connections, the same gives the same: nothing else goes in. */
static void takes_all_randomness_from_its_entropy(void)
{
	enum { COUNT = 1000 };
	struct peer *p = peer_new("good", "ca-ec");
	uint8_t(*randoms)[28] = calloc(COUNT + 1, sizeof *randoms);
	size_t len;

	for (unsigned i = 0; i <= COUNT; i++) {
		CHECK(peer_start_with(p, "example.test", NOW, i % COUNT));
		/* Of the 32 bytes of client random, BearSSL sets the first four to zero. */
		memcpy(randoms[i], tlsconn_records_out(p->client, &len) + 15, 28);
	}
	CHECK(memcmp(randoms[COUNT], randoms[0], 28) == 0);
	for (unsigned i = 0; i < COUNT; i++)
		for (unsigned j = 0; j < i; j++)
			CHECK(memcmp(randoms[i], randoms[j], 28) != 0);
	free(randoms);
	peer_free(p);
}

static void makes_a_new_key_for_each_connection(void)
{
	enum { COUNT = 1000 };
	static uint8_t keys[COUNT][32];

	for (unsigned i = 0; i < COUNT; i++) {
		struct peer *p = peer_new("good", "ca-ec");
		const uint8_t *record;
		size_t len;

		CHECK(peer_start_with(p, "example.test", NOW, i));
		while (peer_to_server(p, SIZE_MAX) > 0)
			;
		do
			CHECK(peer_to_client(p, SIZE_MAX) > 0);
		while ((record = tlsconn_records_out(p->client, &len)) == NULL);
		/* ClientKeyExchange with a point of X25519. */
		CHECK(len == 42 && record[0] == 22 && record[5] == 16 && record[9] == 32);
		memcpy(keys[i], record + 10, 32);
		for (unsigned j = 0; j < i; j++)
			CHECK(memcmp(keys[i], keys[j], 32) != 0);
		peer_free(p);
	}
}

UNIT_TESTS(TEST(speaks_each_of_its_ciphers), TEST(refuses_old_ciphers), TEST(refuses_old_versions),
	   TEST(offers_what_the_profile_says), TEST(refuses_to_renegotiate),
	   TEST(takes_all_randomness_from_its_entropy), TEST(makes_a_new_key_for_each_connection))
