/*
 * base64: binary from text (RFC 4648 section 4), padding and all. Blanks and line ends may stand
 * anywhere, as PEM and YAML put them; any other byte outside of the alphabet is refused.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum base64_result {
	BASE64_OK,
	BASE64_BAD,	  /* a byte that is not base64, or more behind the padding */
	BASE64_TOO_LARGE, /* more than `size` bytes */
	BASE64_CUT,	  /* ends within a group of four */
};

/*
 * Decodes into `out`; *len is set for BASE64_OK. Otherwise *bad_at is where in the text it went
 * wrong, and what is in `out` means nothing. base64_max(text.len) bytes are always enough.
 */
enum base64_result base64_decode(struct span text, uint8_t *out, size_t size, size_t *len,
				 size_t *bad_at);

/* No text of `len` bytes decodes to more bytes than that. */
static inline size_t base64_max(size_t len)
{
	return len / 4 * 3;
}

#endif
