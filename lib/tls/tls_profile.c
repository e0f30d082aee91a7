#include "tls/tls_profile.h"

#include <stdbool.h>
#include <stdint.h>

#include <bearssl.h>

#include "base/alloc.h"
#include "tls/p256verify.h"
#include "tls/rsapublic.h"
#include "tls/tls_profile_inner.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const uint16_t suites_aes_first[] = {
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
};

/* Without instructions for AES, constant time AES is several times slower than ChaCha20. */
static const uint16_t suites_chacha_first[] = {
	BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
};

/* Read only, but BearSSL's parameter says otherwise. */
static const char *protocols[] = {"http/1.1"};

static bool has_aes_instructions(void)
{
	return br_aes_x86ni_ctr_get_vtable() != NULL || br_aes_pwr8_ctr_get_vtable() != NULL;
}

/*
 * Each x86-64 has SSE2, and each 64 bit compiler that we know __int128; but BearSSL's default would
 * link what is for those that have not.
 */
static void set_chapol(br_ssl_engine_context *engine)
{
#if defined __x86_64__ && defined __SIZEOF_INT128__
	br_ssl_engine_set_chapol(engine, &br_sslrec_in_chapol_vtable, &br_sslrec_out_chapol_vtable);
	br_ssl_engine_set_chacha20(engine, br_chacha20_sse2_get());
	br_ssl_engine_set_poly1305(engine, br_poly1305_ctmulq_get());
#else
	br_ssl_engine_set_default_chapol(engine);
#endif
}

/* Ciphers with the fastest implementations that BearSSL was built with and this CPU can run. */
static void set_ciphers(br_ssl_engine_context *engine)
{
	if (has_aes_instructions())
		br_ssl_engine_set_suites(engine, suites_aes_first, COUNT(suites_aes_first));
	else
		br_ssl_engine_set_suites(engine, suites_chacha_first, COUNT(suites_chacha_first));
	br_ssl_engine_set_default_aes_gcm(engine);
	set_chapol(engine);
}

/*
 * Not br_ssl_client_init_full: that would offer CBC, 3DES, static RSA, SHA-1 and TLS 1.0, and link
 * them into the program.
 */
static void set_up(br_ssl_client_context *cc)
{
	br_ssl_engine_context *engine = &cc->eng;

	br_ssl_client_zero(cc);
	br_ssl_engine_set_versions(engine, BR_TLS12, BR_TLS12);
	set_ciphers(engine);
	br_ssl_engine_set_rsavrfy(engine, rsapublic_pkcs1_vrfy);
	br_ssl_engine_set_ec(engine, br_ec_get_default());
	br_ssl_engine_set_ecdsa(engine, p256verify_asn1);
	br_ssl_engine_set_hash(engine, br_sha256_ID, &br_sha256_vtable);
	br_ssl_engine_set_hash(engine, br_sha384_ID, &br_sha384_vtable);
	br_ssl_engine_set_hash(engine, br_sha512_ID, &br_sha512_vtable);
	br_ssl_engine_set_prf_sha256(engine, &br_tls12_sha256_prf);
	br_ssl_engine_set_prf_sha384(engine, &br_tls12_sha384_prf);
	br_ssl_engine_set_protocol_names(engine, protocols, COUNT(protocols));
	/* A peer that answers with a protocol we did not offer breaks RFC 7301 section 3.2. */
	br_ssl_engine_add_flags(engine, BR_OPT_NO_RENEGOTIATION | BR_OPT_FAIL_ON_ALPN_MISMATCH);
	/*
	 * Each connection is given entropy by its owner. The engine's own seeding would cost system
	 * calls or trapping instructions each time, and is skipped by saying that it has been done.
	 * The field is the same in BearSSL 0.6 and later, and a test holds it to its word.
	 */
	engine->rng_os_rand_done = 1;
}

struct tls_profile *tls_profile_new(const struct anchors *anchors)
{
	struct tls_profile *p = alloc_get(sizeof *p);

	if (p == NULL)
		return NULL;
	p->signatures = sigcache_new();
	if (p->signatures == NULL) {
		alloc_put(p);
		return NULL;
	}
	p->anchors = anchors;
	set_up(&p->template);
	return p;
}

void tls_profile_free(struct tls_profile *p)
{
	if (p == NULL)
		return;
	sigcache_free(p->signatures);
	alloc_put(p);
}
