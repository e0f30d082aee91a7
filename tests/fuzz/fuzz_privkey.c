/*
 * A private key in each form. What is accepted must be fit to sign with: whatever its numbers are,
 * BearSSL must not be led out of its buffers by them.
 */
#include <stdint.h>
#include <string.h>

#include "tls/privkey.h"

static const unsigned char sha256_oid[] = {0x09, 0x60, 0x86, 0x48, 0x01,
					   0x65, 0x03, 0x04, 0x02, 0x01};
static const unsigned char hash[32] = "what is signed, thirty-two bytes";

static void sign(const struct privkey *key)
{
	unsigned char signature[512];

	if (key->type == BR_KEYTYPE_RSA)
		br_rsa_pkcs1_sign_get_default()(sha256_oid, hash, sizeof hash, &key->rsa,
						signature);
	else
		br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), &br_sha256_vtable, hash,
						 &key->ec, signature);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum privkey_form forms[] = {PRIVKEY_PKCS1, PRIVKEY_SEC1, PRIVKEY_PKCS8};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct privkey key;

		memset(&key, 0, sizeof key);
		if (privkey_parse(forms[i], span_of(data, size), &key) == NULL)
			sign(&key);
	}
	return 0;
}
