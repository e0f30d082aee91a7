/*
 * yjson: JSON (RFC 8259) into a ybuild. Private to lib/ydoc.
 */
#ifndef YDOC_YJSON_H
#define YDOC_YJSON_H

#include <stdbool.h>

#include "ydoc/ybuild.h"
#include "ydoc/ycursor.h"

/*
 * Reads the object or array that begins at the cursor and moves past it and the blank after it.
 * What follows must be the end, another object or array, a comment, or a YAML document marker. On
 * failure the cursor stays and the build's problem says why: the text may still be YAML.
 */
bool yjson_read(struct ycursor *at, struct ybuild *b);

/*
 * Length of the number = [ "-" ] int [ frac ] [ exp ] at the front of a text, RFC 8259 section 6; 0
 * when there is none. YAML has more of them, 0x10 and .5.
 */
size_t yjson_number_len(struct span text);

#endif
