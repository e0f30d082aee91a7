#include "peer.h"
#include "s_server.h"

#include "base/alloc.h"
#include "tls/keypair.h"

/* Two files of tests/data/tls; certs_file has room for one. */
static struct keypair *load(const char *chain, const char *key, struct error *e)
{
	static char copy[32768];
	struct span text = certs_file(chain);

	memcpy(copy, text.ptr, text.len);
	return keypair_from_pem(span_of(copy, text.len), certs_file(key), e);
}

static const char *const good[][2] = {
	{"client-p256.pem", "client-p256.key"},
	{"client-p256.pem", "client-p256.sec1.key"},
	{"client-p384.pem", "client-p384.key"},
	{"client-p384.pem", "client-p384.sec1.key"},
	{"client-rsa2048.pem", "client-rsa2048.key"},
	{"client-rsa2048.pem", "client-rsa2048.pkcs1.key"},
};
#define GOOD_COUNT (sizeof good / sizeof good[0])

static void reads_each_form_of_key(void)
{
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		struct error e;
		struct keypair *k = load(good[i][0], good[i][1], &e);

		if (k == NULL)
			unit_fail(__FILE__, __LINE__, "%s: %s", good[i][1], e.text);
		keypair_free(k);
	}
	keypair_free(NULL);
}

/* As kubelets keep them: both in one file, in either order. */
static void reads_both_from_one_text(void)
{
	static char text[16384];
	size_t len = 0;
	struct keypair *k;
	struct error e;

	for (int i = 0; i < 2; i++) {
		struct span part = certs_file(i == 0 ? "client-p256.key" : "client-p256.pem");

		memcpy(text + len, part.ptr, part.len);
		len += part.len;
	}
	k = keypair_from_pem(span_of(text, len), span_of(text, len), &e);
	CHECK(k != NULL);
	keypair_free(k);
}

static void says_what_is_wrong(void)
{
	static const struct {
		const char *chain, *key, *why;
	} rows[] = {
		{"client-p256.pem", "client-p384.key",
		 "the key is not that of the first certificate"},
		{"client-p256.pem", "client-rsa2048.key",
		 "the key is not that of the first certificate"},
		{"client-rsa2048.pem", "rsa.key", "the key is not that of the first certificate"},
		{"client-p256.pem", "good.key", "the key is not that of the first certificate"},
		{"client-p256.key", "client-p256.key",
		 "certificate: no certificate; expected -----BEGIN CERTIFICATE-----"},
		{"client-p256.pem", "client-p256.pem",
		 "key: no key; expected -----BEGIN PRIVATE KEY-----"},
		{"client-p256.pem", "client-p256.encrypted.key",
		 "key: line 1: the key is encrypted"},
		{"client-rsa2048.pem", "client-rsa2048.encrypted.key",
		 "key: line 1: the key is encrypted"},
		{"client-ed25519.pem", "client-ed25519.key",
		 "key: line 1: the key is neither RSA nor EC"},
		{"client-p521.pem", "client-p521.key",
		 "key: line 1: an EC key must be on P-256 or P-384"},
		{"client-rsa1024.pem", "client-rsa1024.key",
		 "key: line 1: an RSA key must have 2048 to 4096 bits"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error e;

		CHECK_ROW(rows[i].key, load(rows[i].chain, rows[i].key, &e) == NULL);
		CHECK_TEXT(e.text, rows[i].why);
	}
}

static void bounds_what_it_reads(void)
{
	static char text[KEYPAIR_PEM_MAX + 1];
	struct span cert = certs_file("client-p256.pem");
	size_t len = 0;
	struct error e;

	memset(text, '\n', sizeof text);
	CHECK(keypair_from_pem(span_of(text, sizeof text), SPAN(""), &e) == NULL);
	CHECK_TEXT(e.text, "certificate: over 256 KiB");
	for (int i = 0; i <= KEYPAIR_CHAIN_MAX; i++, len += cert.len)
		memcpy(text + len, cert.ptr, cert.len);
	CHECK(keypair_from_pem(span_of(text, len), SPAN(""), &e) == NULL);
	CHECK(strstr(e.text, ": over 8 certificates") != NULL);
	len -= cert.len;
	CHECK(keypair_from_pem(span_of(text, len), SPAN(""), &e) == NULL);
	CHECK_TEXT(e.text, "key: no key; expected -----BEGIN PRIVATE KEY-----");
}

static void survives_every_lack_of_memory(void)
{
	for (int n = 0; n < 20; n++) {
		struct keypair *k;
		struct error e;

		alloc_fail_after(n);
		k = load("client-p256.pem", "client-p256.key", &e);
		alloc_fail_after(-1);
		keypair_free(k);
		if (k != NULL)
			return;
		CHECK(strstr(e.text, "out of memory") != NULL);
	}
	CHECK(false);
}

/* Handshakes with openssl's server, which wants a certificate by ca-addr. */

static struct session *session_with(const struct keypair *k, const char *cert)
{
	struct session *s = session_new(
		cert, OPTIONS("-tls1_2", "-Verify", "2", "-verify_return_error", "-CAfile",
			      "tests/data/tls/ca-addr.pem", "-naccept", "1"));
	struct tlsconn_peer peer = {.server = SPAN("127.0.0.1"), .keypair = k};
	struct entropy e = entropy_of(7);

	anchors_free(s->anchors);
	tls_profile_free(s->profile);
	s->anchors = certs_anchors("ca-addr.pem");
	s->profile = tls_profile_new(s->anchors);
	peer.profile = s->profile;
	CHECK(tlsconn_start(s->c, &peer, NOW, e.bytes));
	return s;
}

static void is_accepted_by_openssl(void)
{
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		struct error e;
		struct keypair *k = load(good[i][0], good[i][1], &e);
		struct session *s;

		CHECK(k != NULL);
		s = session_with(k, "addr");
		say(s, "hello\n");
		CHECK(tlsconn_is_established(s->c));
		tlsconn_close(s->c);
		run_until(s, TLSCONN_CLOSED);
		CHECK_INT(tlsconn_error(s->c), TLS_OK);
		session_free(s);
		keypair_free(k);
	}
}

static void is_refused_by_name_when_the_server_does_not_trust_it(void)
{
	struct error e;
	/* A certificate of another authority. */
	struct keypair *k = load("good.pem", "good.key", &e);
	struct session *s;

	CHECK(k != NULL);
	s = session_with(k, "addr");
	run_until(s, TLSCONN_CLOSED);
	CHECK(!tlsconn_is_established(s->c));
	CHECK_TEXT(tls_error_name(tlsconn_error(s->c)), "alert_certificate");
	session_free(s);
	keypair_free(k);
}

static void its_absence_is_told_by_name(void)
{
	struct session *s = session_with(NULL, "addr");

	run_until(s, TLSCONN_CLOSED);
	CHECK_TEXT(tls_error_name(tlsconn_error(s->c)), "client_cert_wanted");
	session_free(s);
}

UNIT_TESTS(TEST(reads_each_form_of_key), TEST(reads_both_from_one_text), TEST(says_what_is_wrong),
	   TEST(bounds_what_it_reads), TEST(survives_every_lack_of_memory),
	   TEST(is_accepted_by_openssl), TEST(is_refused_by_name_when_the_server_does_not_trust_it),
	   TEST(its_absence_is_told_by_name))
