/*
 * rsapublic: verification of RSA signatures (PKCS#1 v1.5), several times as fast as BearSSL's.
 *
 * It may be that fast because all it handles is public; nothing secret may go in. On machines
 * without 128 bit products it is BearSSL's own.
 */
#ifndef TLS_RSAPUBLIC_H
#define TLS_RSAPUBLIC_H

#include <stddef.h>
#include <stdint.h>

#include <bearssl.h>

/*
 * A br_rsa_public: x to the power of the key's exponent, modulo the modulus (RFC 8017 section
 * 5.2.2). `len` must be the modulus's length without leading zeroes, at most 512 bytes. 0, with x
 * left as it is, unless x is less than the modulus, the modulus odd, and the exponent odd and not
 * 1, as section 3.1 has it.
 */
uint32_t rsapublic_power(unsigned char *x, size_t len, const br_rsa_public_key *key);

/*
 * A br_rsa_pkcs1_vrfy, to be given instead of br_rsa_pkcs1_vrfy_get_default(): 1 when the
 * signature's padding is right to the last byte (RFC 8017 section 8.2.2, the digest's NULL may be
 * there or not), and then hash_out is the hash that was signed. Other than BearSSL's it refuses
 * keys with an exponent that is even or 1, with which anyone can sign.
 */
uint32_t rsapublic_pkcs1_vrfy(const unsigned char *sig, size_t len, const unsigned char *hash_oid,
			      size_t hash_len, const br_rsa_public_key *key,
			      unsigned char *hash_out);

#endif
