/*
 * jsonw: JSON text (RFC 8259), built piece by piece.
 */
#ifndef JSON_JSONW_H
#define JSON_JSONW_H

#include "base/buf.h"
#include "base/span.h"

/*
 * A string with its quotes. Control characters, `"` and `\` are escaped; other bytes stay as they
 * are, so that UTF-8 comes out as UTF-8.
 */
void jsonw_string(struct buf *out, struct span text);

#endif
