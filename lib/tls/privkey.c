#include "tls/privkey.h"

#include <stddef.h>
#include <stdint.h>

#include "tls/der.h"
#include "tls/oid.h"

#define MODULUS_MIN_BYTES (2048 / 8)
#define MODULUS_MAX_BYTES (4096 / 8)

static const struct {
	struct span oid;
	int curve;
	size_t scalar_bytes;
} curves[] = {
	{OID_INIT(OID_SECP256R1), BR_EC_secp256r1, 32},
	{OID_INIT(OID_SECP384R1), BR_EC_secp384r1, 48},
};

static const char malformed[] = "the key is malformed";

/* BearSSL's structs have plain pointers for what it only reads. */
static unsigned char *unconst(struct span s)
{
	return (unsigned char *)(uintptr_t)s.ptr;
}

static bool takes_number(struct span *rest, unsigned number)
{
	struct span value;

	if (!der_take_unsigned(rest, &value) || value.len > 1)
		return false;
	return number == (value.len == 0 ? 0 : (unsigned char)value.ptr[0]);
}

static uint32_t bit_length(struct span number)
{
	uint32_t bits = (uint32_t)(number.len - 1) * 8;

	for (unsigned top = (unsigned char)number.ptr[0]; top != 0; top >>= 1)
		bits++;
	return bits;
}

static bool is_odd(struct span number)
{
	return ((unsigned char)number.ptr[number.len - 1] & 1) != 0;
}

/* A prime of about half the modulus's size, and what goes with it, is within what BearSSL holds. */
static bool factors_fit(struct span n, struct span p, struct span q, struct span dp, struct span dq,
			struct span iq)
{
	size_t least = n.len / 2 - 1, most = n.len / 2 + 1;

	return p.len >= least && p.len <= most && q.len >= least && q.len <= most && is_odd(p) &&
	       is_odd(q) && dp.len > 0 && dp.len <= p.len && dq.len > 0 && dq.len <= q.len &&
	       iq.len > 0 && iq.len <= p.len;
}

/*
 * RSAPrivateKey ::= SEQUENCE { version 0, modulus, publicExponent, privateExponent, prime1, prime2,
 *	exponent1, exponent2, coefficient }
 */
static const char *parse_rsa(struct span der, struct privkey *out)
{
	struct span s, n, e, d, p, q, dp, dq, iq;

	if (!der_take(&der, DER_SEQUENCE, &s) || der.len != 0 || !takes_number(&s, 0) ||
	    !der_take_unsigned(&s, &n) || !der_take_unsigned(&s, &e) ||
	    !der_take_unsigned(&s, &d) || !der_take_unsigned(&s, &p) ||
	    !der_take_unsigned(&s, &q) || !der_take_unsigned(&s, &dp) ||
	    !der_take_unsigned(&s, &dq) || !der_take_unsigned(&s, &iq) || s.len != 0)
		return malformed;
	if (n.len < MODULUS_MIN_BYTES || n.len > MODULUS_MAX_BYTES)
		return "an RSA key must have 2048 to 4096 bits";
	if (!is_odd(n) || !factors_fit(n, p, q, dp, dq, iq))
		return malformed;
	out->type = BR_KEYTYPE_RSA;
	out->modulus = n;
	out->rsa = (br_rsa_private_key){
		.n_bitlen = bit_length(n),
		.p = unconst(p),
		.plen = p.len,
		.q = unconst(q),
		.qlen = q.len,
		.dp = unconst(dp),
		.dplen = dp.len,
		.dq = unconst(dq),
		.dqlen = dq.len,
		.iq = unconst(iq),
		.iqlen = iq.len,
	};
	return NULL;
}

/*
 * ECPrivateKey ::= SEQUENCE { version 1, privateKey OCTET STRING, [0] parameters OPTIONAL,
 *	[1] publicKey OPTIONAL }. PKCS#8 has named the curve before: `outer`.
 */
static const char *parse_ec(struct span der, struct span outer, struct privkey *out)
{
	struct span s, scalar, parameters, ignored, curve = outer;

	if (!der_take(&der, DER_SEQUENCE, &s) || der.len != 0 || !takes_number(&s, 1) ||
	    !der_take(&s, DER_OCTET_STRING, &scalar) ||
	    !der_take_optional(&s, DER_CONTEXT + 0, &parameters) ||
	    !der_take_optional(&s, DER_CONTEXT + 1, &ignored) || s.len != 0)
		return malformed;
	if (parameters.len > 0 && (!der_take(&parameters, DER_OID, &curve) || parameters.len != 0 ||
				   (outer.len > 0 && !span_eq(curve, outer))))
		return malformed;
	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
		if (!span_eq(curve, curves[i].oid))
			continue;
		if (scalar.len == 0 || scalar.len > curves[i].scalar_bytes)
			return malformed;
		out->type = BR_KEYTYPE_EC;
		out->ec = (br_ec_private_key){curves[i].curve, unconst(scalar), scalar.len};
		return NULL;
	}
	return "an EC key must be on P-256 or P-384";
}

/*
 * OneAsymmetricKey ::= SEQUENCE { version 0 or 1, SEQUENCE { algorithm OID, parameters ANY },
 *	privateKey OCTET STRING, [0] attributes OPTIONAL, [1] publicKey OPTIONAL }
 */
static const char *parse_pkcs8(struct span der, struct privkey *out)
{
	struct span s, version, algorithm, oid, key, curve, ignored;

	if (!der_take(&der, DER_SEQUENCE, &s) || der.len != 0 || !der_take_unsigned(&s, &version) ||
	    version.len > 1 || (version.len == 1 && version.ptr[0] != 1) ||
	    !der_take(&s, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid) ||
	    !der_take(&s, DER_OCTET_STRING, &key) ||
	    !der_take_optional(&s, DER_CONTEXT + 0, &ignored) ||
	    !der_take_optional(&s, DER_CONTEXT_PRIMITIVE + 1, &ignored) || s.len != 0)
		return malformed;
	if (span_eq(oid, SPAN(OID_RSA_ENCRYPTION)))
		return parse_rsa(key, out);
	if (!span_eq(oid, SPAN(OID_EC_PUBLIC_KEY)))
		return "the key is neither RSA nor EC";
	if (!der_take(&algorithm, DER_OID, &curve) || algorithm.len != 0)
		return malformed;
	return parse_ec(key, curve, out);
}

const char *privkey_parse(enum privkey_form form, struct span der, struct privkey *out)
{
	switch (form) {
	case PRIVKEY_PKCS1:
		return parse_rsa(der, out);
	case PRIVKEY_SEC1:
		return parse_ec(der, SPAN(""), out);
	case PRIVKEY_PKCS8:
	default:
		return parse_pkcs8(der, out);
	}
}
