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

#endif
