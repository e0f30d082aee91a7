/*
 * p256verify: verification of ECDSA signatures on P-256, several times as fast as BearSSL's.
 *
 * It may be that fast because all it handles is public: signatures, hashes, public keys. Its time
 * and its memory accesses depend on them. Nothing secret may go in, so signing and ECDHE stay with
 * BearSSL's constant time code; so do the other curves, and P-256 on machines without 128 bit
 * products.
 */
#ifndef TLS_P256VERIFY_H
#define TLS_P256VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include <bearssl.h>

/*
 * A br_ecdsa_vrfy, to be given instead of br_ecdsa_vrfy_asn1_get_default(), and like it (FIPS 186-5
 * section 6.4.2, SEC 1 section 4.1.4): 1 when the signature, in ASN.1, is the key's for this hash;
 * 0 when not, or anything is out of range, or the key is not a point of the curve. Of a hash longer
 * than 32 bytes the first 32 count. `impl` is for the other curves.
 *
 * It differs where BearSSL is wrong, which takes a hash whose number is a multiple of the curve's
 * order, so not any that is known: BearSSL refuses all good signatures of it and takes r = 0.
 */
uint32_t p256verify_asn1(const br_ec_impl *impl, const void *hash, size_t hash_len,
			 const br_ec_public_key *key, const void *sig, size_t sig_len);

#endif
