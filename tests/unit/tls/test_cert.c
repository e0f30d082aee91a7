#include "certs.h"

#include <limits.h>

#include "tls/cert.h"

struct name {
	unsigned char bytes[1024];
	size_t len;
};

static void append_name(void *ctx, const void *bytes, size_t len)
{
	struct name *name = ctx;

	CHECK(len <= sizeof name->bytes - name->len);
	memcpy(name->bytes + name->len, bytes, len);
	name->len += len;
}

static void check_same_key(const char *label, const br_x509_pkey *a, const br_x509_pkey *b)
{
	CHECK_ROW(label, a->key_type == b->key_type);
	if (a->key_type == BR_KEYTYPE_EC) {
		CHECK_ROW(label, a->key.ec.curve == b->key.ec.curve);
		CHECK_ROW(label, span_eq(span_of(a->key.ec.q, a->key.ec.qlen),
					 span_of(b->key.ec.q, b->key.ec.qlen)));
		return;
	}
	CHECK_ROW(label, span_eq(span_of(a->key.rsa.n, a->key.rsa.nlen),
				 span_of(b->key.rsa.n, b->key.rsa.nlen)));
	CHECK_ROW(label, span_eq(span_of(a->key.rsa.e, a->key.rsa.elen),
				 span_of(b->key.rsa.e, b->key.rsa.elen)));
}

static const char *const files[] = {
	"ca-ec.pem",   "ca-rsa.pem",   "ca-p384.pem",  "good.pem",     "rsa.pem",
	"p384.pem",    "cn-only.pem",  "critical.pem", "not-a-ca.pem", "self-signed.pem",
	"rsa1024.pem", "wildcard.pem", "sha1.pem",     "inter.pem",
};

static void reads_what_bearssl_reads(void)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct certs chain;

		certs_chain(files[i], &chain);
		for (size_t c = 0; c < chain.count; c++) {
			const br_x509_certificate *der = &chain.list[c];
			br_x509_decoder_context theirs;
			struct name name = {.len = 0};
			struct cert ours;

			br_x509_decoder_init(&theirs, append_name, &name);
			br_x509_decoder_push(&theirs, der->data, der->data_len);
			CHECK_ROW(files[i],
				  cert_parse(span_of(der->data, der->data_len), &ours) == CERT_OK);
			CHECK_ROW(files[i], ours.is_ca == (br_x509_decoder_isCA(&theirs) != 0));
			CHECK_ROW(files[i], span_eq(ours.subject, span_of(name.bytes, name.len)));
			check_same_key(files[i], &ours.key, br_x509_decoder_get_pkey(&theirs));
		}
	}
}

static void tells_keys_of_other_kinds(void)
{
	struct certs chain;
	struct cert cert;

	certs_chain("ca-ed25519.pem", &chain);
	CHECK_INT(cert_parse(span_of(chain.list[0].data, chain.list[0].data_len), &cert),
		  CERT_UNSUPPORTED);
}

static void refuses_every_truncation(void)
{
	struct certs chain;
	struct cert cert;

	certs_chain("ca-rsa.pem", &chain);
	for (size_t len = 0; len < chain.list[0].data_len; len++) {
		char *cut = unit_guarded(chain.list[0].data, len);

		CHECK_INT(cert_parse(span_of(cut, len), &cert), CERT_MALFORMED);
		unit_guarded_free(cut, len);
	}
}

/* Whatever a byte becomes, what is read lies within the certificate. */
static void survives_every_changed_byte(void)
{
	struct certs chain;
	const br_x509_certificate *der = &chain.list[0];
	char *copy;

	certs_chain("ca-ec.pem", &chain);
	copy = unit_guarded(der->data, der->data_len);
	for (size_t i = 0; i < der->data_len; i++)
		for (int value = 0; value < 256; value++) {
			char before = copy[i];
			struct cert cert;

			copy[i] = (char)value;
			if (cert_parse(span_of(copy, der->data_len), &cert) == CERT_OK) {
				CHECK(cert.subject.ptr > copy);
				CHECK(cert.subject.ptr + cert.subject.len < copy + der->data_len);
				CHECK(cert.key.key_type != BR_KEYTYPE_EC ||
				      (char *)cert.key.key.ec.q + cert.key.key.ec.qlen <
					      copy + der->data_len);
			}
			copy[i] = before;
		}
	unit_guarded_free(copy, der->data_len);
}

/* Dates in place of the first, 13 bytes of UTCTime. */
static const struct {
	const char *text;
	int64_t expected; /* -1: malformed */
} dates[] = {
	{"700101000000Z", 0},	       {"700102000001Z", 86401},     {"500101000000Z", -631152000},
	{"491231235959Z", 2524607999}, {"000229000000Z", 951782400}, {"7001x1000000Z", -1},
	{"700101000000+", -1},	       {"701301000000Z", -1},	     {"700100000000Z", -1},
	{"700101240000Z", -1},	       {"700101006000Z", -1},	     {"700101000060Z", -1},
};

static void reads_dates(void)
{
	struct certs chain;
	char *der = (char *)chain.bytes[0], *at = der;
	struct cert cert;

	certs_chain("ca-ec.pem", &chain);
	while (memcmp(at, "\x17\x0d", 2) != 0)
		at++;
	for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
		enum cert_result result;

		memcpy(at + 2, dates[i].text, 13);
		result = cert_parse(span_of(der, chain.list[0].data_len), &cert);
		CHECK_ROW(dates[i].text, (result == CERT_OK) == (dates[i].expected != -1));
		if (result == CERT_OK)
			CHECK_ROW(dates[i].text, cert.not_before_s == dates[i].expected);
	}
}

static void reads_extensions(void)
{
	struct certs chain;
	struct cert cert;

	certs_chain("client-p256.pem", &chain);
	CHECK_INT(cert_parse(span_of(chain.list[0].data, chain.list[0].data_len), &cert), CERT_OK);
	CHECK(!cert.is_ca && cert.names.ptr == NULL && cert.constraints.ptr == NULL);
	CHECK_SPAN(cert.purposes, "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02");
	CHECK_INT(cert.key_usage, 0xff);
	certs_chain("usage.pem", &chain);
	CHECK_INT(cert_parse(span_of(chain.list[0].data, chain.list[0].data_len), &cert), CERT_OK);
	CHECK_SPAN(cert.names, "\x82\x0c"
			       "example.test");
	CHECK_INT(cert.key_usage, 0x08);
	CHECK(!cert.has_unknown_critical && cert.purposes.ptr == NULL);
	certs_chain("critical.pem", &chain);
	CHECK_INT(cert_parse(span_of(chain.list[0].data, chain.list[0].data_len), &cert), CERT_OK);
	CHECK(cert.has_unknown_critical);
	certs_chain("inter.pem", &chain);
	CHECK_INT(cert_parse(span_of(chain.list[0].data, chain.list[0].data_len), &cert), CERT_OK);
	CHECK(cert.is_ca && cert.path_len == INT_MAX);
	CHECK_INT(cert.key_usage, CERT_KEY_CERT_SIGN);
}

UNIT_TESTS(TEST(reads_what_bearssl_reads), TEST(reads_dates), TEST(reads_extensions),
	   TEST(tells_keys_of_other_kinds), TEST(refuses_every_truncation),
	   TEST(survives_every_changed_byte))
