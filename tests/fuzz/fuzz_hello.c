/*
 * The first bytes of a client: what is read must lie within them, and not depend on how they came.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tls/hello.h"

static void check_within(struct span part, struct span all)
{
	if (part.len > 0 && (part.ptr < all.ptr || part.ptr + part.len > all.ptr + all.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_of(data, size);
	struct hello hello, prefix;
	enum hello_result result = hello_parse(all, &hello);

	check_within(hello.sni, all);
	check_within(hello.alpn, all);
	if (result == HELLO_MORE && size >= HELLO_MAX)
		abort();
	/* Decided early is decided for good. */
	for (size_t len = 0; len < size && len < 64; len++) {
		enum hello_result early = hello_parse(span_first(all, len), &prefix);

		if (early != HELLO_MORE && early != result)
			abort();
	}
	return 0;
}
