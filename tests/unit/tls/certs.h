/*
 * certs: what the TLS tests share: the certificates of tests/data/tls (its make.sh says what each
 * is), read from the top of the tree, and times at which to look at them.
 */
#ifndef CERTS_H
#define CERTS_H

#include <bearssl.h>

#include "../unit.h"

#include "tls/anchors.h"
#include "tls/pem.h"

/* Seconds since 1970: 2030-01-01, when all are valid; 2001-01-01 and 2060-01-01, when none is. */
#define NOW UINT64_C(1893456000)
#define TOO_EARLY UINT64_C(978307200)
#define TOO_LATE UINT64_C(2840140800)

#define CERTS_MAX 4

struct certs {
	br_x509_certificate list[CERTS_MAX];
	size_t count;
	unsigned char bytes[CERTS_MAX][2048];
};

/* A whole file of tests/data/tls, in storage that the next call uses again. */
__attribute__((unused)) static struct span certs_file(const char *name)
{
	static char text[32768];
	char path[256];
	FILE *f;
	size_t len;

	snprintf(path, sizeof path, "tests/data/tls/%s", name);
	f = fopen(path, "rb");
	if (f == NULL)
		unit_fail(__FILE__, __LINE__, "%s: cannot open", path);
	len = fread(text, 1, sizeof text, f);
	fclose(f);
	return span_of(text, len);
}

__attribute__((unused)) static struct anchors *certs_anchors(const char *name)
{
	struct error e;
	struct anchors *a = anchors_from_pem(certs_file(name), &e);

	if (a == NULL)
		unit_fail(__FILE__, __LINE__, "%s: %s", name, e.text);
	return a;
}

__attribute__((unused)) static void certs_chain(const char *name, struct certs *out)
{
	struct pem pem;
	struct pem_object object;
	struct error e;

	pem_init(&pem, certs_file(name));
	for (out->count = 0; pem_next(&pem, &object, &e) == PEM_OBJECT; out->count++) {
		br_x509_certificate *cert = &out->list[out->count];

		CHECK(out->count < CERTS_MAX);
		cert->data = out->bytes[out->count];
		CHECK(pem_decode(&object, cert->data, sizeof out->bytes[0], &cert->data_len, &e));
	}
	CHECK(out->count > 0);
}

/* A key of these tests; BearSSL 0.6's decoder is not fit for those of users. */
__attribute__((unused)) static void certs_key(const char *name, br_skey_decoder_context *out)
{
	struct pem pem;
	struct pem_object object;
	struct error e;
	unsigned char der[4096];
	size_t len;

	pem_init(&pem, certs_file(name));
	CHECK(pem_next(&pem, &object, &e) == PEM_OBJECT);
	CHECK(pem_decode(&object, der, sizeof der, &len, &e));
	br_skey_decoder_init(out);
	br_skey_decoder_push(out, der, len);
	CHECK_INT(br_skey_decoder_last_error(out), 0);
}

#endif
