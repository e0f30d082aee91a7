/*
 * sanscan: looks for an IP address in the subjectAltName of an X.509 certificate (RFC 5280 section
 * 4.2.1.6), as the certificate streams by. BearSSL's verifier reads only the DNS names there.
 *
 * An address matches an iPAddress entry of the same family, all its bytes (RFC 9110 section 4.3.4):
 * never a dNSName, never the common name, and an IPv4 address never its mapped IPv6 form.
 *
 * Strict: each element from the outermost to the entry has a definite, minimal length that fits the
 * element around it; subjectAltName comes at most once. Signatures are not its business. Constant
 * memory, constant work per byte.
 */
#ifndef TLS_SANSCAN_H
#define TLS_SANSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

enum sanscan_result {
	SANSCAN_MATCH,
	SANSCAN_NO_MATCH,  /* addresses, but not this one */
	SANSCAN_NONE,	   /* no address at all */
	SANSCAN_MALFORMED, /* also: not all of the certificate has come */
};

/* Certificate, TBSCertificate, [3], Extensions, Extension, OCTET STRING, GeneralNames. */
#define SANSCAN_DEPTH 7

struct sanscan {
	struct addr wanted;
	bool is_malformed;
	bool has_san;
	bool has_address;
	bool has_match;
	/* Where the scan is; positions count from the first byte of the certificate. */
	uint32_t at;
	uint32_t end[SANSCAN_DEPTH + 1];     /* of what is open, outermost first; [0]: of all */
	uint8_t children[SANSCAN_DEPTH + 1]; /* elements begun in each, up to 255 */
	uint8_t depth;			     /* how many elements are open */
	bool is_san;			     /* the extension that is open is subjectAltName */
	bool has_value;			     /* and its value has come */
	bool in_leaf;			     /* inside an element that is not opened */
	bool keeps_leaf;		     /* and that goes to `content` */
	uint8_t leaf_tag;
	uint32_t leaf_end;
	uint8_t header_len;
	uint8_t header[5];
	uint8_t content_len;
	uint8_t content[16];
};

/* Before the first byte of a certificate of `len` bytes. */
void sanscan_init(struct sanscan *s, const struct addr *wanted, uint32_t len);
/* Some more bytes of it, DER. */
void sanscan_add(struct sanscan *s, const uint8_t *bytes, size_t len);
/* Behind the last. */
enum sanscan_result sanscan_result(const struct sanscan *s);

#endif
