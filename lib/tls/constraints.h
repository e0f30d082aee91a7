/*
 * constraints: the name constraints of an authority (RFC 5280 section 4.2.1.10), applied to the
 * names of a certificate below it.
 *
 * Judged are dNSName, iPAddress and, where it permits, directoryName, which is compared byte for
 * byte. A constraint on names of another kind is nobody's concern until a certificate has such a
 * name; then it cannot be judged, and is refused, as is everything else that is not understood.
 */
#ifndef TLS_CONSTRAINTS_H
#define TLS_CONSTRAINTS_H

#include "base/span.h"

enum constraints_result {
	CONSTRAINTS_KEPT,
	CONSTRAINTS_BROKEN,   /* a name is not among those permitted, or among those excluded */
	CONSTRAINTS_UNJUDGED, /* also: malformed */
};

/*
 * `constraints` is what is in the SEQUENCE of the extension, `names` what is in that of the
 * certificate's subjectAltName, empty when there is none, `subject` its whole subject.
 */
enum constraints_result constraints_check(struct span constraints, struct span names,
					  struct span subject);

#endif
