/*
 * A signature, its hash and its key, against BearSSL's verification of the same: first the length
 * of the hash, then 65 bytes of key, the hash, and the rest is the signature.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tls/p256verify.h"

#define KEY_LEN 65

/* Is the hash's number a multiple of the curve's order? Of those BearSSL is no judge. */
static bool is_multiple_of_order(const uint8_t *hash, size_t len)
{
	const br_ec_impl *impl = br_ec_get_default();
	uint8_t number[32] = {0};
	size_t order_len;
	const uint8_t *order = impl->order(BR_EC_secp256r1, &order_len);

	len = len < sizeof number ? len : sizeof number;
	memcpy(number + sizeof number - len, hash, len);
	if (memcmp(number, order, sizeof number) == 0)
		return true;
	for (size_t i = 0; i < sizeof number; i++)
		if (number[i] != 0)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[KEY_LEN];
	br_ec_public_key key = {BR_EC_secp256r1, bytes, KEY_LEN};
	const br_ec_impl *impl = br_ec_get_default();
	const uint8_t *hash = data + 1 + KEY_LEN, *sig;
	size_t hash_len, sig_len;
	uint32_t answer;

	if (size < 1 + KEY_LEN)
		return 0;
	hash_len = data[0];
	if (hash_len > size - 1 - KEY_LEN)
		return 0;
	memcpy(bytes, data + 1, KEY_LEN);
	sig = hash + hash_len;
	sig_len = size - 1 - KEY_LEN - hash_len;
	answer = p256verify_asn1(impl, hash, hash_len, &key, sig, sig_len);
	if (!is_multiple_of_order(hash, hash_len) &&
	    answer != br_ecdsa_vrfy_asn1_get_default()(impl, hash, hash_len, &key, sig, sig_len))
		abort();
	return 0;
}
