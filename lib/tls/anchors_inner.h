/*
 * anchors_inner: the inside of struct anchors, for lib/tls only.
 */
#ifndef TLS_ANCHORS_INNER_H
#define TLS_ANCHORS_INNER_H

#include <bearssl.h>

#include "base/arena.h"
#include "tls/anchors.h"

struct anchors {
	br_x509_trust_anchor *list; /* names and keys are in the arena, or in the packed form */
	size_t count;
	size_t skipped;
	struct arena arena;
};

#endif
