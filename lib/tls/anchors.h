/*
 * anchors: the authorities that are trusted to sign certificates: a name and a public key each.
 *
 * They come from a PEM bundle, as distributions have it, or from a packed form that pack-anchors
 * makes of such a bundle at build time, for embedding: there names and keys stay where they are,
 * and loading costs one small allocation. A set does not change once made, so any thread may read
 * it.
 */
#ifndef TLS_ANCHORS_H
#define TLS_ANCHORS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

struct anchors;

/* A bundle's text and its number of certificates are bounded; distributions have 0.25 MB and 150.
 */
#define ANCHORS_PEM_MAX (4u << 20)
#define ANCHORS_COUNT_MAX 4096
/* A larger certificate is refused. Those of authorities have 0.5 to 2 KiB. */
#define ANCHORS_CERT_MAX (16u << 10)

/*
 * All certificates of a PEM bundle (RFC 7468): text between them, CRLF line ends and other kinds of
 * PEM objects are passed over, duplicates are kept. One that is marked as an authority is trusted
 * to issue, any other only to be itself. One with a kind of key that the engine lacks (it has RSA
 * and the NIST curves) is passed over too, and counted; at least one must be left.
 *
 * NULL with the number and the line of the certificate and the reason:
 * "certificate 3 (line 57): ...". The text is not needed afterwards.
 */
struct anchors *anchors_from_pem(struct span text, struct error *e);

/*
 * The packed form. The result points into `packed`, which must outlive it. The form is checked as
 * one from a stranger would be; a certificate's content is not, since it was when it was packed.
 */
struct anchors *anchors_from_packed(struct span packed, struct error *e);

/* Appends the packed form. False when *out ran full. */
bool anchors_pack(const struct anchors *a, struct buf *out);

size_t anchors_count(const struct anchors *a);
/* How many certificates of the bundle were passed over for their kind of key. */
size_t anchors_skipped(const struct anchors *a);

/* NULL is fine. No profile may use it any more. */
void anchors_free(struct anchors *a);

#endif
