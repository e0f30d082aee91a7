/*
 * certscan: reads out of an X.509 certificate, as it streams by, what BearSSL's verifier looks at
 * without telling: the signature algorithm and the dates. It judges nothing; its user does, and
 * takes its word only to name a refusal that the verifier has already made.
 *
 * Constant memory, constant work per byte; what does not look like a certificate ends the scan.
 */
#ifndef TLS_CERTSCAN_H
#define TLS_CERTSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct certscan {
	bool has_weak_signature; /* signed with MD2, MD5 or SHA-1 */
	bool has_dates;		 /* both dates were there and are set */
	int64_t not_before_s;	 /* seconds since 1970, UTC */
	int64_t not_after_s;
	/* Where the scan is. */
	uint8_t step;	    /* which element of the certificate comes next */
	uint8_t header_len; /* bytes of its tag and length so far */
	uint8_t header[6];
	uint8_t content_len; /* bytes kept of its content */
	uint8_t content[16];
	uint32_t left; /* bytes of its content still to come */
};

/* Before the first byte of each certificate. */
void certscan_init(struct certscan *s);
/* Some more bytes of the certificate, DER. */
void certscan_add(struct certscan *s, const uint8_t *bytes, size_t len);

#endif
