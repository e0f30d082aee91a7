/*
 * pem: objects in the text form of RFC 7468, one after the other, with the lines they stand in.
 *
 *	-----BEGIN CERTIFICATE-----
 *	MIIB...
 *	-----END CERTIFICATE-----
 *
 * Text outside of objects is passed over. Lines end in LF or CRLF and may be indented.
 */
#ifndef TLS_PEM_H
#define TLS_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

enum pem_result {
	PEM_OBJECT, /* *out is the next object */
	PEM_END,    /* there are no more */
	PEM_BAD,    /* the markers do not match; says why */
};

struct pem {
	struct span rest; /* of the text, borrowed */
	unsigned line;	  /* number of its first line */
};

struct pem_object {
	struct span label; /* "CERTIFICATE" */
	struct span body;  /* the lines between the markers */
	unsigned line;	   /* of the BEGIN marker, from 1 */
};

/* Starts at the beginning of a text; a byte order mark is dropped. */
void pem_init(struct pem *p, struct span text);
enum pem_result pem_next(struct pem *p, struct pem_object *out, struct error *e);

/*
 * Decodes an object's base64 body into `out`. False with a reason when it is not base64, padding
 * and all (RFC 4648 section 4), or takes more than `size` bytes.
 */
bool pem_decode(const struct pem_object *object, uint8_t *out, size_t size, size_t *len,
		struct error *e);

#endif
