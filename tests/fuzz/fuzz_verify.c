/*
 * A server's certificate that is itself trusted, so that no signature stands between the fuzzer and
 * what is in it: what we take, BearSSL's own engine takes as well, but for a critical extension
 * that it does not know. And its names as the name constraints of their own.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/anchors_inner.h"
#include "tls/cert.h"
#include "tls/constraints.h"
#include "tls/verify.h"

/* 2030-01-01, in seconds since 1970 and in days since the year 0. */
#define NOW UINT64_C(1893456000)
#define NOW_DAYS (719528 + 21915)

static unsigned run(const br_x509_class **engine, const uint8_t *data, size_t size, size_t step)
{
	(*engine)->start_chain(engine, "example.test");
	(*engine)->start_cert(engine, (uint32_t)size);
	for (size_t at = 0; at < size; at += step)
		(*engine)->append(engine, data + at, size - at < step ? size - at : step);
	(*engine)->end_cert(engine);
	return (*engine)->end_chain(engine);
}

static unsigned run_theirs(const struct anchors *anchors, const uint8_t *data, size_t size)
{
	br_x509_minimal_context theirs;

	br_x509_minimal_init_full(&theirs, anchors->list, anchors->count);
	br_x509_minimal_set_time(&theirs, NOW_DAYS, 0);
	br_x509_minimal_set_minrsa(&theirs, 2048 / 8);
	return run(&theirs.vtable, data, size, size);
}

/* BearSSL decodes texts; these can be broken off in the middle of a character. */
static bool has_bmp_string(const struct cert *cert)
{
	return span_find(cert->subject, 0x1e) != SIZE_MAX ||
	       span_find(cert->names, 0x1e) != SIZE_MAX;
}

static void compare(const struct cert *cert, const uint8_t *data, size_t size)
{
	br_x509_trust_anchor anchor = {
		.dn = {(unsigned char *)(uintptr_t)cert->subject.ptr, cert->subject.len},
		.pkey = cert->key};
	struct anchors anchors = {.list = &anchor, .count = 1};
	enum tls_error error;
	struct slab slab;
	struct verify v;
	unsigned code;

	slab_init(&slab, verify_chain_size(), 1, 1);
	verify_init(&v, &anchors, SPAN("example.test"), NOW, &slab);
	run(verify_engine(&v), data, size, size);
	error = verify_error(&v);
	run(verify_engine(&v), data, size, 1);
	if (error != verify_error(&v) || slab.in_use != 0)
		abort();
	slab_fini(&slab);
	code = error == TLS_OK ? run_theirs(&anchors, data, size) : 0;
	if (code != 0 && code != BR_ERR_X509_CRITICAL_EXTENSION && !has_bmp_string(cert)) {
		fprintf(stderr, "BearSSL refuses it: %u\n", code);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span der = span_of(data, size);
	struct cert cert;

	/* As constraints and as names; a name that nobody has is in none of them. */
	constraints_check(der, der, SPAN("\x30\x00"));
	if (constraints_check(der, SPAN(""), SPAN("\x30\x00")) != CONSTRAINTS_KEPT)
		abort();
	if (size == 0 || cert_parse(der, &cert) != CERT_OK)
		return 0;
	constraints_check(cert.constraints, cert.names, cert.subject);
	compare(&cert, data, size);
	return 0;
}
