/*
 * der: elements of ASN.1 in DER (X.690), one after the other, from bytes that are all there.
 *
 * Tags are single bytes, which is all that certificates use; lengths are definite and minimal.
 */
#ifndef TLS_DER_H
#define TLS_DER_H

#include <stdbool.h>

#include "base/span.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	/* [0] and so on; add the number. */
	DER_CONTEXT_PRIMITIVE = 0x80,
	DER_CONTEXT = 0xa0,
	/* Kinds of GeneralName (RFC 5280 section 4.2.1.6). */
	DER_RFC822_NAME = DER_CONTEXT_PRIMITIVE + 1,
	DER_DNS_NAME = DER_CONTEXT_PRIMITIVE + 2,
	DER_DIRECTORY_NAME = DER_CONTEXT + 4,
	DER_IP_ADDRESS = DER_CONTEXT_PRIMITIVE + 7,
};

/* Is the next element one with this tag? */
bool der_has(struct span rest, unsigned tag);
/* Takes the next element off *rest, which must have this tag; *content is what is in it. */
bool der_take(struct span *rest, unsigned tag, struct span *content);
/* Drops the next element, whatever its tag. */
bool der_take_any(struct span *rest);
/* The same, if it is there; *content is empty when not. False when it is there and broken. */
bool der_take_optional(struct span *rest, unsigned tag, struct span *content);
/* A BIT STRING of whole bytes. */
bool der_take_bits(struct span *rest, struct span *bytes);
/* An INTEGER that is not negative, as bytes without leading zeroes; zero is no bytes. */
bool der_take_unsigned(struct span *rest, struct span *bytes);

#endif
