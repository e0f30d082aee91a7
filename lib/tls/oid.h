/*
 * oid: object identifiers of certificates and keys, as the bytes that are in an OBJECT IDENTIFIER
 * (RFC 5280, RFC 5480, RFC 8017), each as a string literal: for SPAN, or OID_INIT in tables.
 */
#ifndef TLS_OID_H
#define TLS_OID_H

#include "base/span.h"

#define OID_INIT(oid)                                                                              \
	{                                                                                          \
		oid, sizeof(oid) - 1                                                               \
	}

/* Kinds of public keys. */
#define OID_RSA_ENCRYPTION "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_EC_PUBLIC_KEY "\x2a\x86\x48\xce\x3d\x02\x01"
/* Curves. */
#define OID_SECP256R1 "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define OID_SECP384R1 "\x2b\x81\x04\x00\x22"
#define OID_SECP521R1 "\x2b\x81\x04\x00\x23"
/* Extensions. */
#define OID_KEY_USAGE "\x55\x1d\x0f"
#define OID_SUBJECT_ALT_NAME "\x55\x1d\x11"
#define OID_BASIC_CONSTRAINTS "\x55\x1d\x13"
#define OID_NAME_CONSTRAINTS "\x55\x1d\x1e"
#define OID_EXT_KEY_USAGE "\x55\x1d\x25"
/* Purposes: anyExtendedKeyUsage and serverAuth. */
#define OID_ANY_PURPOSE "\x55\x1d\x25\x00"
#define OID_SERVER_AUTH "\x2b\x06\x01\x05\x05\x07\x03\x01"
/* Signature algorithms. */
#define OID_ECDSA_SHA256 "\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define OID_ECDSA_SHA384 "\x2a\x86\x48\xce\x3d\x04\x03\x03"
#define OID_ECDSA_SHA512 "\x2a\x86\x48\xce\x3d\x04\x03\x04"
#define OID_RSA_SHA256 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
#define OID_RSA_SHA384 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"
#define OID_RSA_SHA512 "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"
/* An attribute of names. */
#define OID_EMAIL_ADDRESS "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"

#endif
