#include "tls/cert.h"

#include <limits.h>
#include <stddef.h>

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

static bool two_digits(const char *text, int *value)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*value = (text[0] - '0') * 10 + (text[1] - '0');
	return true;
}

/* Days from 1970-01-01. Years begin in March here, so that a leap day is the last of its year. */
static int64_t days_from_date(int year, int month, int day)
{
	int shifted = month <= 2 ? year - 1 : year;
	int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return 365 * (int64_t)shifted + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year -
	       719468;
}

/* UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ (RFC 5280 section 4.1.2.5). */
static bool take_time(struct span *rest, int64_t *seconds)
{
	bool is_generalized = der_has(*rest, DER_GENERALIZED_TIME);
	int century = 0, field[6], year, month;
	struct span text;

	if (!der_take(rest, is_generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME, &text) ||
	    text.len != (is_generalized ? 15 : 13) || text.ptr[text.len - 1] != 'Z')
		return false;
	if (is_generalized) {
		if (!two_digits(text.ptr, &century))
			return false;
		text.ptr += 2;
	}
	for (int i = 0; i < 6; i++)
		if (!two_digits(text.ptr + 2 * i, &field[i]))
			return false;
	if (!is_generalized)
		century = field[0] < 50 ? 20 : 19;
	year = century * 100 + field[0];
	month = field[1];
	if (month < 1 || month > 12 || field[2] < 1 ||
	    days_from_date(year, month, field[2]) >=
		    days_from_date(month < 12 ? year : year + 1, month % 12 + 1, 1) ||
	    field[3] > 23 || field[4] > 59 || field[5] > 59)
		return false;
	*seconds = days_from_date(year, month, field[2]) * 86400 + field[3] * 3600 + field[4] * 60 +
		   field[5];
	return true;
}

/* What fills the value of an extension: a SEQUENCE, of anything but nothing. */
static bool parse_sequence(struct span value, struct span *content)
{
	return der_take(&value, DER_SEQUENCE, content) && value.len == 0 && content->len > 0;
}

/* A BOOLEAN DEFAULT FALSE. That which is not there must not be written out, but some do. */
static bool take_flag(struct span *rest, bool *flag)
{
	struct span content;

	if (!der_take_optional(rest, DER_BOOLEAN, &content))
		return false;
	*flag = content.len == 1 && content.ptr[0] != 0;
	return content.ptr == NULL ||
	       (content.len == 1 && (content.ptr[0] == 0 || content.ptr[0] == '\xff'));
}

/* BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
static bool parse_constraints(struct span value, struct cert *out)
{
	struct span sequence, number;

	if (!der_take(&value, DER_SEQUENCE, &sequence) || value.len != 0 ||
	    !take_flag(&sequence, &out->is_ca))
		return false;
	if (sequence.len == 0)
		return true;
	if (!der_take_unsigned(&sequence, &number) || sequence.len != 0)
		return false;
	/* No chain is longer than what a byte holds. */
	if (number.len <= 1)
		out->path_len = number.len == 0 ? 0 : (unsigned char)number.ptr[0];
	return true;
}

/* KeyUsage ::= BIT STRING; its first byte says how many bits of the last are not used. */
static bool parse_usage(struct span value, struct cert *out)
{
	struct span bits;
	unsigned unused;

	if (!der_take(&value, DER_BIT_STRING, &bits) || value.len != 0 || bits.len < 2)
		return false;
	unused = (unsigned char)bits.ptr[0];
	if (unused > 7)
		return false;
	out->key_usage = (unsigned char)bits.ptr[1];
	if (bits.len == 2)
		out->key_usage = out->key_usage >> unused << unused;
	return true;
}

enum extension {
	BASIC_CONSTRAINTS,
	KEY_USAGE,
	NAMES,
	PURPOSES,
	NAME_CONSTRAINTS,
	POLICIES,
	IGNORED, /* this one and all behind it, critical or not */
};

/* What is ignored of them speaks of revocation or informs people (RFC 5280 section 4.2). */
static const struct span extensions[] = {
	[BASIC_CONSTRAINTS] = OID_INIT(OID_BASIC_CONSTRAINTS),
	[KEY_USAGE] = OID_INIT(OID_KEY_USAGE),
	[NAMES] = OID_INIT(OID_SUBJECT_ALT_NAME),
	[PURPOSES] = OID_INIT(OID_EXT_KEY_USAGE),
	[NAME_CONSTRAINTS] = OID_INIT(OID_NAME_CONSTRAINTS),
	[POLICIES] = OID_INIT("\x55\x1d\x20"),
	[IGNORED] = OID_INIT("\x55\x1d\x23"),	      /* authorityKeyIdentifier */
	OID_INIT("\x55\x1d\x0e"),		      /* subjectKeyIdentifier */
	OID_INIT("\x55\x1d\x12"),		      /* issuerAltName */
	OID_INIT("\x55\x1d\x09"),		      /* subjectDirectoryAttributes */
	OID_INIT("\x55\x1d\x1f"),		      /* cRLDistributionPoints */
	OID_INIT("\x55\x1d\x2e"),		      /* freshestCRL */
	OID_INIT("\x2b\x06\x01\x05\x05\x07\x01\x01"), /* authorityInfoAccess */
	OID_INIT("\x2b\x06\x01\x05\x05\x07\x01\x0b"), /* subjectInfoAccess */
};
#define EXTENSIONS (sizeof extensions / sizeof extensions[0])

/*
 * certificatePolicies ::= SEQUENCE OF SEQUENCE { policy OID, qualifiers OPTIONAL }. They count only
 * for who asks for a policy; but qualifiers that are critical must be understood (RFC 5280 section
 * 4.2.1.4).
 */
static bool has_no_qualifiers(struct span value)
{
	struct span list, policy, oid;

	if (!parse_sequence(value, &list))
		return false;
	while (list.len > 0)
		if (!der_take(&list, DER_SEQUENCE, &policy) || !der_take(&policy, DER_OID, &oid) ||
		    policy.len != 0)
			return false;
	return true;
}

static bool parse_value(size_t which, struct span value, struct cert *out)
{
	switch (which) {
	case BASIC_CONSTRAINTS:
		return parse_constraints(value, out);
	case KEY_USAGE:
		return parse_usage(value, out);
	case NAMES:
		return parse_sequence(value, &out->names);
	case PURPOSES:
		return parse_sequence(value, &out->purposes);
	case NAME_CONSTRAINTS:
		return parse_sequence(value, &out->constraints);
	default:
		return true;
	}
}

/* Extensions ::= SEQUENCE OF SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING } */
static bool parse_extensions(struct span wrapped, struct cert *out)
{
	struct span list, extension, oid, value;
	unsigned seen = 0;
	bool is_critical;
	size_t which;

	if (!parse_sequence(wrapped, &list))
		return false;
	while (list.len > 0) {
		if (!der_take(&list, DER_SEQUENCE, &extension) ||
		    !der_take(&extension, DER_OID, &oid) || !take_flag(&extension, &is_critical) ||
		    !der_take(&extension, DER_OCTET_STRING, &value) || extension.len != 0)
			return false;
		for (which = 0; which < EXTENSIONS && !span_eq(oid, extensions[which]);)
			which++;
		if (which == EXTENSIONS) {
			out->has_unknown_critical |= is_critical;
			continue;
		}
		if ((seen & 1u << which) != 0 || !parse_value(which, value, out))
			return false;
		seen |= 1u << which;
		if (which == POLICIES && is_critical)
			out->has_unknown_critical |= !has_no_qualifiers(value);
	}
	return true;
}

/* Takes a Name, whole: SEQUENCE OF SET OF SEQUENCE { type OID, value ANY } */
static bool take_name(struct span *rest, struct span *name)
{
	struct span sets, set, pair, type;
	const char *start = rest->ptr;

	if (!der_take(rest, DER_SEQUENCE, &sets))
		return false;
	*name = span_of(start, (size_t)(sets.ptr + sets.len - start));
	while (sets.len > 0) {
		if (!der_take(&sets, DER_SET, &set) || set.len == 0)
			return false;
		while (set.len > 0)
			if (!der_take(&set, DER_SEQUENCE, &pair) ||
			    !der_take(&pair, DER_OID, &type) || !der_take_any(&pair) ||
			    pair.len != 0)
				return false;
	}
	return true;
}

/* [0] { INTEGER }: 1, 2 or 3 as 0, 1 or 2, and 0 when it is not there. */
static bool take_version(struct span *rest)
{
	struct span wrapped, number;

	if (!der_take_optional(rest, DER_CONTEXT + 0, &wrapped))
		return false;
	return wrapped.ptr == NULL ||
	       (der_take_unsigned(&wrapped, &number) && wrapped.len == 0 &&
		(number.len == 0 || (number.len == 1 && number.ptr[0] <= 2 && number.ptr[0] > 0)));
}

/*
 * TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *	subjectPublicKeyInfo, [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }
 */
static enum cert_result parse_tbs(struct span tbs, struct span algorithm, struct cert *out)
{
	struct span serial, inner, validity, info, ignored, list;

	if (!take_version(&tbs) || !der_take(&tbs, DER_INTEGER, &serial) ||
	    !der_take(&tbs, DER_SEQUENCE, &inner) || !span_eq(inner, algorithm) ||
	    !take_name(&tbs, &out->issuer) || !der_take(&tbs, DER_SEQUENCE, &validity) ||
	    !take_time(&validity, &out->not_before_s) || !take_time(&validity, &out->not_after_s) ||
	    validity.len != 0 || !take_name(&tbs, &out->subject) ||
	    !der_take(&tbs, DER_SEQUENCE, &info) ||
	    !der_take_optional(&tbs, DER_CONTEXT_PRIMITIVE + 1, &ignored) ||
	    !der_take_optional(&tbs, DER_CONTEXT_PRIMITIVE + 2, &ignored) ||
	    !der_take_optional(&tbs, DER_CONTEXT + 3, &list) || tbs.len != 0)
		return CERT_MALFORMED;
	if (list.ptr != NULL && !parse_extensions(list, out))
		return CERT_MALFORMED;
	return parse_key(info, &out->key);
}

/* Certificate ::= SEQUENCE { TBSCertificate, SEQUENCE signatureAlgorithm, BIT STRING signature } */
enum cert_result cert_parse(struct span der, struct cert *out)
{
	struct span sequence, tbs, algorithm, oid;

	*out = (struct cert){.key_usage = UCHAR_MAX, .path_len = INT_MAX};
	if (!der_take(&der, DER_SEQUENCE, &sequence) || der.len != 0)
		return CERT_MALFORMED;
	out->tbs.ptr = sequence.ptr;
	if (!der_take(&sequence, DER_SEQUENCE, &tbs) ||
	    !der_take(&sequence, DER_SEQUENCE, &algorithm) ||
	    !der_take_bits(&sequence, &out->signature) || sequence.len != 0)
		return CERT_MALFORMED;
	out->tbs.len = (size_t)(tbs.ptr + tbs.len - out->tbs.ptr);
	oid = algorithm;
	if (!der_take(&oid, DER_OID, &out->algorithm))
		return CERT_MALFORMED;
	return parse_tbs(tbs, algorithm, out);
}
