#include "certs.h"

#include "tls/verify.h"

/* Runs a chain through the engine in pieces of `step` bytes. */
static void run_chain(struct verify *v, const struct certs *chain, size_t step)
{
	const br_x509_class **engine = verify_engine(v);
	unsigned code;

	(*engine)->start_chain(engine, "not.looked.at");
	for (size_t i = 0; i < chain->count; i++) {
		const br_x509_certificate *cert = &chain->list[i];

		(*engine)->start_cert(engine, (uint32_t)cert->data_len);
		for (size_t at = 0; at < cert->data_len; at += step)
			(*engine)->append(engine, cert->data + at,
					  cert->data_len - at < step ? cert->data_len - at : step);
		(*engine)->end_cert(engine);
	}
	code = (*engine)->end_chain(engine);
	CHECK((code == 0) == (verify_error(v) == TLS_OK));
	CHECK(((*engine)->get_pkey(engine, NULL) != NULL) == (code == 0));
}

static enum tls_error judge(const struct anchors *anchors, const struct certs *chain,
			    const char *names, uint64_t now, size_t step)
{
	struct slab slab;
	struct verify v;

	slab_init(&slab, verify_chain_size(), 1, 1);
	verify_init(&v, anchors, span_from_cstr(names), now, &slab);
	run_chain(&v, chain, step);
	CHECK_INT(slab.in_use, 0);
	slab_fini(&slab);
	return verify_error(&v);
}

static const struct row {
	const char *chain, *anchors, *names;
	uint64_t now;
	enum tls_error expected;
} rows[] = {
	{"good", "ca-ec", "example.test", NOW, TLS_OK},
	{"good", "ca-ec", "WWW.Example.TEST", NOW, TLS_OK},
	{"good", "bundle", "example.test", NOW, TLS_OK},
	{"rsa", "bundle", "example.test", NOW, TLS_OK},
	{"p384", "bundle", "example.test", NOW, TLS_OK},
	{"sha512", "bundle", "example.test", NOW, TLS_OK},
	{"self-signed", "self-signed", "example.test", NOW, TLS_OK},

	{"good", "ca-ec", "example.test", TOO_EARLY, TLS_CERT_NOT_YET_VALID},
	{"good", "ca-ec", "example.test", TOO_LATE, TLS_CERT_EXPIRED},
	{"rsa", "bundle", "example.test", 0, TLS_CERT_NOT_YET_VALID},
	{"rsa", "bundle", "example.test", UINT64_MAX, TLS_CERT_EXPIRED},
	{"self-signed", "self-signed", "example.test", TOO_LATE, TLS_CERT_EXPIRED},

	{"good", "ca-ec", "other.test", NOW, TLS_NAME_MISMATCH},
	{"good", "ca-ec", "xexample.test", NOW, TLS_NAME_MISMATCH},
	{"good", "ca-ec", "example.test.evil.test", NOW, TLS_NAME_MISMATCH},
	{"good", "ca-ec", "ignored", NOW, TLS_NAME_MISMATCH},
	{"good", "ca-ec", "", NOW, TLS_BAD_SERVER_NAME},
	{"good", "ca-ec", "other.test,www.example.test", NOW, TLS_OK},
	{"good", "ca-ec", "example.test,10.0.0.1", NOW, TLS_OK},
	{"good", "ca-ec", "other.test,10.0.0.1", NOW, TLS_NAME_MISMATCH},
	{"addr", "ca-addr", "other.test,10.96.0.1", NOW, TLS_OK},
	{"wildcard", "ca-ec", "a.wild.test", NOW, TLS_OK},
	{"wildcard", "ca-ec", "wild.test", NOW, TLS_NAME_MISMATCH},
	{"wildcard", "ca-ec", "a.b.wild.test", NOW, TLS_NAME_MISMATCH},
	{"wildcard", "ca-ec", "a.wilder.test", NOW, TLS_NAME_MISMATCH},
	{"cn-only", "ca-ec", "example.test", NOW, TLS_CERT_NO_NAME},
	{"cn-only", "ca-ec", "other.test", NOW, TLS_CERT_NO_NAME},
	{"ip-only", "ca-ec", "example.test", NOW, TLS_CERT_NO_NAME},
	{"ip-only", "ca-ec", "127.0.0.1", NOW, TLS_OK},
	{"ip-only", "ca-ec", "127.0.0.2,example.test", NOW, TLS_CERT_NO_NAME},

	{"good", "ca-other", "example.test", NOW, TLS_UNKNOWN_ISSUER},
	{"self-signed", "ca-ec", "example.test", NOW, TLS_UNKNOWN_ISSUER},
	{"self-signed", "good", "example.test", NOW, TLS_UNKNOWN_ISSUER},
	{"missing-intermediate", "ca-ec", "example.test", NOW, TLS_UNKNOWN_ISSUER},
	{"wrong-order", "ca-ec", "example.test", NOW, TLS_CERT_NO_NAME},
	{"impostor", "ca-ec", "example.test", NOW, TLS_CERT_BAD_SIGNATURE},
	{"by-not-a-ca", "ca-ec", "example.test", NOW, TLS_CERT_NOT_CA},
	{"by-not-a-ca", "not-a-ca", "example.test", NOW, TLS_CERT_NOT_CA},
	{"sha1", "bundle", "example.test", NOW, TLS_CERT_WEAK_SIGNATURE},
	{"md5", "bundle", "example.test", NOW, TLS_CERT_WEAK_SIGNATURE},
	{"rsa1024", "bundle", "example.test", NOW, TLS_CERT_WEAK_KEY},
	{"usage", "bundle", "example.test", NOW, TLS_CERT_BAD_USAGE},
	{"client-p256", "ca-addr", "example.test", NOW, TLS_CERT_WRONG_PURPOSE},
	{"critical", "bundle", "example.test", NOW, TLS_CERT_BAD_CONSTRAINT},
	{"ed25519", "bundle", "example.test", NOW, TLS_CERT_UNSUPPORTED},

	{"addr", "ca-addr", "127.0.0.1", NOW, TLS_OK},
	{"addr", "ca-addr", "::1", NOW, TLS_OK},
	{"addr", "ca-addr", "2001:db8::1", NOW, TLS_OK},
	{"addr", "ca-addr", "api.test", NOW, TLS_OK},
	{"addr-rsa", "ca-addr", "127.0.0.1", NOW, TLS_OK},
	{"addr-mapped", "ca-addr", "::ffff:127.0.0.1", NOW, TLS_OK},
	{"addr", "ca-addr", "10.96.0.2", NOW, TLS_NAME_MISMATCH},
	{"addr", "ca-addr", "::ffff:127.0.0.1", NOW, TLS_NAME_MISMATCH},
	{"addr-text", "ca-addr", "127.0.0.1", NOW, TLS_NAME_MISMATCH},
	{"addr-cn", "ca-addr", "127.0.0.1", NOW, TLS_NAME_MISMATCH},
	{"addr-mapped", "ca-addr", "127.0.0.1", NOW, TLS_NAME_MISMATCH},
	{"good", "ca-ec", "127.0.0.1", NOW, TLS_NAME_MISMATCH},
	/* The address of who issued it. */
	{"addr-above", "ca-addr", "127.0.0.9", NOW, TLS_OK},
	{"addr-above", "ca-addr", "127.0.0.1", NOW, TLS_NAME_MISMATCH},
	{"addr-five", "ca-addr", "127.0.0.1", NOW, TLS_CERT_MALFORMED},
	{"addr-long", "ca-addr", "127.0.0.1", NOW, TLS_CERT_MALFORMED},
	{"addr", "ca-addr", "127.0.0.1", TOO_LATE, TLS_CERT_EXPIRED},
	{"addr", "ca-addr", "127.0.0.1", TOO_EARLY, TLS_CERT_NOT_YET_VALID},
	{"addr", "ca-ec", "127.0.0.1", NOW, TLS_UNKNOWN_ISSUER},
	{"addr", "ca-ec", "10.0.0.1", NOW, TLS_NAME_MISMATCH},
};

static void judges_each_chain_by_name(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		char label[128], file[64];
		struct certs chain;
		struct anchors *anchors;

		snprintf(label, sizeof label, "%s by %s for %s: %s", row->chain, row->anchors,
			 row->names, tls_error_name(row->expected));
		snprintf(file, sizeof file, "%s.pem", row->anchors);
		anchors = certs_anchors(file);
		snprintf(file, sizeof file, "%s.pem", row->chain);
		certs_chain(file, &chain);
		for (size_t step = 1; step <= 4096; step *= 4) {
			enum tls_error error = judge(anchors, &chain, row->names, row->now, step);

			if (error != row->expected)
				unit_fail(__FILE__, __LINE__, "[%s] is %s in steps of %zu", label,
					  tls_error_name(error), step);
		}
		anchors_free(anchors);
	}
}

/* Cut off anywhere, with the length told to the engine that of what there is. */
static void refuses_every_truncated_certificate(void)
{
	struct anchors *anchors = certs_anchors("ca-rsa.pem");
	struct certs chain;

	certs_chain("rsa.pem", &chain);
	for (size_t len = 0; len < chain.list[0].data_len; len++) {
		struct certs cut = {.list = {{chain.list[0].data, len}}, .count = 1};

		CHECK(judge(anchors, &cut, "example.test", NOW, 256) != TLS_OK);
	}
	anchors_free(anchors);
}

static void refuses_every_changed_byte(void)
{
	struct anchors *anchors = certs_anchors("ca-rsa.pem");
	struct certs chain;

	certs_chain("rsa.pem", &chain);
	for (size_t i = 0; i < chain.list[0].data_len; i++) {
		chain.list[0].data[i] ^= 1;
		CHECK(judge(anchors, &chain, "example.test", NOW, 256) != TLS_OK);
		chain.list[0].data[i] ^= 1;
	}
	CHECK_INT(judge(anchors, &chain, "example.test", NOW, 256), TLS_OK);
	anchors_free(anchors);
}

static void refuses_every_changed_byte_when_called_by_address(void)
{
	struct anchors *anchors = certs_anchors("ca-addr.pem");
	struct certs chain;

	certs_chain("addr.pem", &chain);
	for (size_t i = 0; i < chain.list[0].data_len; i++) {
		chain.list[0].data[i] ^= 1;
		CHECK(judge(anchors, &chain, "127.0.0.1", NOW, 256) != TLS_OK);
		chain.list[0].data[i] ^= 1;
	}
	CHECK_INT(judge(anchors, &chain, "127.0.0.1", NOW, 256), TLS_OK);
	anchors_free(anchors);
}

static void refuses_a_chain_of_nothing(void)
{
	struct anchors *anchors = certs_anchors("ca-rsa.pem");
	struct certs none = {.count = 0};

	CHECK_INT(judge(anchors, &none, "example.test", NOW, 1), TLS_CERT_MISSING);
	CHECK_INT(judge(anchors, &none, "127.0.0.1", NOW, 1), TLS_CERT_MISSING);
	anchors_free(anchors);
}

static void forgets_the_chain_before(void)
{
	static const char *const files[] = {"rsa.pem", "sha1.pem", "cn-only.pem", "rsa.pem"};
	static const enum tls_error expected[] = {TLS_OK, TLS_CERT_WEAK_SIGNATURE, TLS_CERT_NO_NAME,
						  TLS_OK};
	struct anchors *anchors = certs_anchors("bundle.pem");
	struct slab slab;
	struct verify v;

	slab_init(&slab, verify_chain_size(), 1, 1);
	verify_init(&v, anchors, SPAN("example.test"), NOW, &slab);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct certs chain;

		certs_chain(files[i], &chain);
		run_chain(&v, &chain, 4096);
		CHECK_INT(verify_error(&v), expected[i]);
	}
	slab_fini(&slab);
	anchors_free(anchors);
}

/* A chain of three, four times in a row: the first time its two signatures are verified. */
static void remembers_signatures_and_nothing_else(void)
{
	struct anchors *anchors = certs_anchors("ca-ec.pem"), *none = certs_anchors("ca-other.pem");
	struct sigcache *cache = sigcache_new();
	struct certs chain;
	struct slab slab;
	struct verify v;

	certs_chain("good.pem", &chain);
	CHECK_INT(chain.count, 2);
	slab_init(&slab, verify_chain_size(), 1, 1);
	for (uint64_t i = 0; i < 4; i++) {
		verify_init(&v, anchors, SPAN("example.test"), NOW, &slab);
		verify_remember(&v, cache);
		run_chain(&v, &chain, 4096);
		CHECK_INT(verify_error(&v), TLS_OK);
		CHECK_INT(sigcache_hits(cache), 2 * i);
	}
	verify_init(&v, anchors, SPAN("example.test"), TOO_LATE, &slab);
	verify_remember(&v, cache);
	run_chain(&v, &chain, 4096);
	CHECK_INT(verify_error(&v), TLS_CERT_EXPIRED);
	verify_init(&v, anchors, SPAN("other.test"), NOW, &slab);
	verify_remember(&v, cache);
	run_chain(&v, &chain, 4096);
	CHECK_INT(verify_error(&v), TLS_NAME_MISMATCH);
	verify_init(&v, none, SPAN("example.test"), NOW, &slab);
	verify_remember(&v, cache);
	run_chain(&v, &chain, 4096);
	CHECK_INT(verify_error(&v), TLS_UNKNOWN_ISSUER);
	slab_fini(&slab);
	sigcache_free(cache);
	anchors_free(anchors);
	anchors_free(none);
}

/* As without memory of it, though it was good before. */
static void refuses_every_changed_byte_of_a_chain_it_remembers(void)
{
	struct anchors *anchors = certs_anchors("ca-ec.pem");
	struct sigcache *cache = sigcache_new();
	struct certs chain;
	struct slab slab;
	struct verify v;

	certs_chain("good.pem", &chain);
	slab_init(&slab, verify_chain_size(), 1, 1);
	verify_init(&v, anchors, SPAN("example.test"), NOW, &slab);
	verify_remember(&v, cache);
	run_chain(&v, &chain, 4096);
	CHECK_INT(verify_error(&v), TLS_OK);
	for (size_t c = 0; c < chain.count; c++)
		for (size_t i = 0; i < chain.list[c].data_len; i++) {
			chain.list[c].data[i] ^= 1;
			run_chain(&v, &chain, 4096);
			CHECK(verify_error(&v) != TLS_OK);
			chain.list[c].data[i] ^= 1;
		}
	slab_fini(&slab);
	sigcache_free(cache);
	anchors_free(anchors);
}

static void needs_memory_for_a_chain(void)
{
	struct anchors *anchors = certs_anchors("ca-rsa.pem");
	struct certs chain;
	struct slab slab;
	struct verify v;

	certs_chain("rsa.pem", &chain);
	slab_init(&slab, verify_chain_size(), 0, 0);
	verify_init(&v, anchors, SPAN("example.test"), NOW, &slab);
	run_chain(&v, &chain, 4096);
	CHECK_INT(verify_error(&v), TLS_NO_MEMORY);
	anchors_free(anchors);
}

static void takes_any_chain_when_told_to(void)
{
	static const char *const files[] = {"self-signed.pem", "rsa1024.pem", "md5.pem",
					    "cn-only.pem"};
	struct anchors *anchors = certs_anchors("ca-other.pem");
	struct certs chain;
	struct slab slab;
	struct verify v;

	slab_init(&slab, verify_chain_size(), 1, 1);
	verify_init(&v, anchors, SPAN("nobody.test"), TOO_LATE, &slab);
	verify_nothing(&v);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		certs_chain(files[i], &chain);
		run_chain(&v, &chain, 4096);
		CHECK_INT(verify_error(&v), TLS_OK);
	}
	certs_chain("ed25519.pem", &chain);
	run_chain(&v, &chain, 4096);
	CHECK_INT(verify_error(&v), TLS_CERT_UNSUPPORTED);
	slab_fini(&slab);
	anchors_free(anchors);
}

static void refuses_what_is_too_much(void)
{
	struct anchors *anchors = certs_anchors("ca-other.pem");
	static unsigned char large[25 << 10];
	struct certs chain = {.list = {{large, sizeof large}}, .count = 1};

	CHECK_INT(judge(anchors, &chain, "example.test", NOW, 4096), TLS_CERT_TOO_LARGE);
	anchors_free(anchors);
}

UNIT_TESTS(TEST(judges_each_chain_by_name), TEST(refuses_every_truncated_certificate),
	   TEST(refuses_every_changed_byte),
	   TEST(refuses_every_changed_byte_when_called_by_address),
	   TEST(refuses_a_chain_of_nothing), TEST(forgets_the_chain_before),
	   TEST(remembers_signatures_and_nothing_else),
	   TEST(refuses_every_changed_byte_of_a_chain_it_remembers), TEST(needs_memory_for_a_chain),
	   TEST(takes_any_chain_when_told_to), TEST(refuses_what_is_too_much))
