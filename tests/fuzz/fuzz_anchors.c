/*
 * A bundle as PEM text, one certificate as DER, and the packed form, each from the same bytes. What
 * is accepted must survive being packed and unpacked.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "tls/anchors.h"

static void pack(const struct anchors *a, struct buf *out)
{
	buf_init_heap(out, 8 << 20);
	if (!anchors_pack(a, out))
		abort();
}

static void check_and_free(struct anchors *a)
{
	struct buf once, twice;
	struct anchors *b;
	struct error e;

	if (a == NULL)
		return;
	pack(a, &once);
	b = anchors_from_packed(buf_span(&once), &e);
	if (b == NULL || anchors_count(a) != anchors_count(b))
		abort();
	pack(b, &twice);
	if (!span_eq(buf_span(&once), buf_span(&twice)))
		abort();
	anchors_free(b);
	anchors_free(a);
	buf_fini(&once);
	buf_fini(&twice);
}

/* Wraps the bytes as a PEM certificate, so that the fuzzer need not learn base64. */
static void wrap(struct span der, struct buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	buf_add_cstr(out, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < der.len; i += 3) {
		unsigned bits = 0;

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < der.len ? (unsigned char)der.ptr[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			buf_add_byte(out,
				     i + j > der.len ? '=' : digits[bits >> (18 - 6 * j) & 63]);
	}
	buf_add_cstr(out, "\n-----END CERTIFICATE-----\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_of(data, size);
	struct buf pem;
	struct error e;

	check_and_free(anchors_from_pem(all, &e));
	check_and_free(anchors_from_packed(all, &e));
	buf_init_heap(&pem, ANCHORS_PEM_MAX);
	wrap(all, &pem);
	check_and_free(anchors_from_pem(buf_span(&pem), &e));
	buf_fini(&pem);
	return 0;
}
