/*
 * The first bytes of a redirected client: what they are taken for must not depend on how they came,
 * and must be known before they fill what is kept of them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "proxy/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_of(data, size);
	struct hello hello, prefix;
	enum sniff_result result = sniff_bytes(all, &hello);

	if (result == SNIFF_MORE && size >= SNIFF_MAX)
		abort();
	if (result == SNIFF_TLS && hello.sni.len > 0 &&
	    (hello.sni.ptr < all.ptr || hello.sni.ptr + hello.sni.len > all.ptr + all.len))
		abort();
	for (size_t len = 0; len < size && len < 64; len++) {
		enum sniff_result early = sniff_bytes(span_first(all, len), &prefix);

		if (early != SNIFF_MORE && early != result)
			abort();
	}
	return 0;
}
