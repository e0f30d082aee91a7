#include "tls/cert.h"

#include <stddef.h>
#include <stdint.h>

#include "tls/der.h"
#include "tls/oid.h"

static const struct {
	struct span oid;
	int curve;
} curves[] = {
	{OID_INIT(OID_SECP256R1), BR_EC_secp256r1},
	{OID_INIT(OID_SECP384R1), BR_EC_secp384r1},
	{OID_INIT(OID_SECP521R1), BR_EC_secp521r1},
};

/* BearSSL's structs have plain pointers for what it only reads. */
static unsigned char *unconst(struct span s)
{
	return (unsigned char *)(uintptr_t)s.ptr;
}

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static enum cert_result parse_rsa(struct span bits, br_x509_pkey *out)
{
	struct span sequence, modulus, exponent;

	if (!der_take(&bits, DER_SEQUENCE, &sequence) || bits.len != 0 ||
	    !der_take_unsigned(&sequence, &modulus) || !der_take_unsigned(&sequence, &exponent) ||
	    sequence.len != 0 || modulus.len == 0 || exponent.len == 0)
		return CERT_MALFORMED;
	out->key_type = BR_KEYTYPE_RSA;
	out->key.rsa.n = unconst(modulus);
	out->key.rsa.nlen = modulus.len;
	out->key.rsa.e = unconst(exponent);
	out->key.rsa.elen = exponent.len;
	return CERT_OK;
}

/* Parameters name the curve, the bits are a point: 04, X, Y (RFC 5480 sections 2.1.1 and 2.2). */
static enum cert_result parse_ec(struct span parameters, struct span bits, br_x509_pkey *out)
{
	struct span oid;

	if (bits.len == 0)
		return CERT_MALFORMED;
	if (!der_take(&parameters, DER_OID, &oid))
		return CERT_UNSUPPORTED;
	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
		if (!span_eq(oid, curves[i].oid))
			continue;
		out->key_type = BR_KEYTYPE_EC;
		out->key.ec.curve = curves[i].curve;
		out->key.ec.q = unconst(bits);
		out->key.ec.qlen = bits.len;
		return CERT_OK;
	}
	return CERT_UNSUPPORTED;
}

/*
 * SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { algorithm OID, parameters ANY }, BIT STRING }
 * Parameters of RSA are NULL, and are not looked at.
 */
static enum cert_result parse_key(struct span info, br_x509_pkey *out)
{
	struct span algorithm, oid, bits;

	if (!der_take(&info, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid) ||
	    !der_take_bits(&info, &bits) || info.len != 0)
		return CERT_MALFORMED;
	if (span_eq(oid, SPAN(OID_RSA_ENCRYPTION)))
		return parse_rsa(bits, out);
	if (span_eq(oid, SPAN(OID_EC_PUBLIC_KEY)))
		return parse_ec(algorithm, bits, out);
	return CERT_UNSUPPORTED;
}

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static bool parse_constraints(struct span value, bool *is_ca)
{
	struct span sequence, ca;

	if (!der_take(&value, DER_SEQUENCE, &sequence) ||
	    !der_take_optional(&sequence, DER_BOOLEAN, &ca))
		return false;
	*is_ca = ca.len == 1 && ca.ptr[0] != 0;
	return true;
}

/* Extensions ::= SEQUENCE OF SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING } */
static bool parse_extensions(struct span wrapped, bool *is_ca)
{
	struct span list, extension, oid, critical, value;

	if (!der_take(&wrapped, DER_SEQUENCE, &list) || wrapped.len != 0)
		return false;
	while (list.len > 0) {
		if (!der_take(&list, DER_SEQUENCE, &extension) ||
		    !der_take(&extension, DER_OID, &oid) ||
		    !der_take_optional(&extension, DER_BOOLEAN, &critical) ||
		    !der_take(&extension, DER_OCTET_STRING, &value) || extension.len != 0)
			return false;
		if (span_eq(oid, SPAN(OID_BASIC_CONSTRAINTS)) && !parse_constraints(value, is_ca))
			return false;
	}
	return true;
}

/*
 * TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *	subjectPublicKeyInfo, [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }
 */
static enum cert_result parse_tbs(struct span tbs, struct cert *out)
{
	struct span ignored, extensions, info;
	const char *subject;

	if (!der_take_optional(&tbs, DER_CONTEXT + 0, &ignored) ||
	    !der_take(&tbs, DER_INTEGER, &ignored) || !der_take(&tbs, DER_SEQUENCE, &ignored) ||
	    !der_take(&tbs, DER_SEQUENCE, &ignored) || !der_take(&tbs, DER_SEQUENCE, &ignored))
		return CERT_MALFORMED;
	subject = tbs.ptr;
	if (!der_take(&tbs, DER_SEQUENCE, &ignored))
		return CERT_MALFORMED;
	out->subject = span_of(subject, (size_t)(tbs.ptr - subject));
	if (!der_take(&tbs, DER_SEQUENCE, &info) ||
	    !der_take_optional(&tbs, DER_CONTEXT_PRIMITIVE + 1, &ignored) ||
	    !der_take_optional(&tbs, DER_CONTEXT_PRIMITIVE + 2, &ignored) ||
	    !der_take_optional(&tbs, DER_CONTEXT + 3, &extensions) || tbs.len != 0)
		return CERT_MALFORMED;
	out->is_ca = false;
	if (extensions.len > 0 && !parse_extensions(extensions, &out->is_ca))
		return CERT_MALFORMED;
	return parse_key(info, &out->key);
}

/* Certificate ::= SEQUENCE { TBSCertificate, SEQUENCE signatureAlgorithm, BIT STRING signature } */
enum cert_result cert_parse(struct span der, struct cert *out)
{
	struct span sequence, tbs, ignored;

	if (!der_take(&der, DER_SEQUENCE, &sequence) || der.len != 0 ||
	    !der_take(&sequence, DER_SEQUENCE, &tbs) ||
	    !der_take(&sequence, DER_SEQUENCE, &ignored) ||
	    !der_take(&sequence, DER_BIT_STRING, &ignored) || sequence.len != 0)
		return CERT_MALFORMED;
	return parse_tbs(tbs, out);
}
