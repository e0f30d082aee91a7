/*
 * A power modulo any number, and the check of its padding, against BearSSL's: first the length of
 * the exponent (low 5 bits) and of the modulus (two bytes), then both, and the rest is the base.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tls/rsapublic.h"

#define BYTES_MAX 600

/* Exponents that are even, 1 or none are refused here, and not there. */
static int is_refused(const br_rsa_public_key *key)
{
	if (key->elen == 0 || (key->e[key->elen - 1] & 1) == 0)
		return 1;
	for (size_t i = 0; i + 1 < key->elen; i++)
		if (key->e[i] != 0)
			return 0;
	return key->e[key->elen - 1] == 1;
}

static void compare(const uint8_t *x, size_t len, const br_rsa_public_key *key)
{
	uint8_t ours[BYTES_MAX], theirs[BYTES_MAX], hashes[2][32] = {{0}};
	uint32_t answer, good;

	memcpy(ours, x, len);
	memcpy(theirs, x, len);
	answer = rsapublic_power(ours, len, key);
	good = rsapublic_pkcs1_vrfy(x, len, BR_HASH_OID_SHA256, 32, key, hashes[0]);
	if (is_refused(key)) {
		if (answer != 0 || good != 0)
			abort();
		return;
	}
	if (answer != br_rsa_public_get_default()(theirs, len, key) ||
	    memcmp(ours, answer != 0 ? theirs : x, len) != 0)
		abort();
	if (good != br_rsa_pkcs1_vrfy_get_default()(x, len, BR_HASH_OID_SHA256, 32, key,
						    hashes[1]) ||
	    memcmp(hashes[0], hashes[1], 32) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t n[BYTES_MAX], e[32];
	br_rsa_public_key key = {n, 0, e, 0};

	if (size < 3)
		return 0;
	key.elen = data[0] & 31;
	key.nlen = (size_t)data[1] << 8 | data[2];
	data += 3;
	size -= 3;
	if (key.nlen > BYTES_MAX || key.elen + key.nlen > size ||
	    size - key.elen - key.nlen > BYTES_MAX)
		return 0;
	memcpy(e, data, key.elen);
	memcpy(n, data + key.elen, key.nlen);
	compare(data + key.elen + key.nlen, size - key.elen - key.nlen, &key);
	return 0;
}
