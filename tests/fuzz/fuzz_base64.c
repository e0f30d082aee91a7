/*
 * Decoding into exactly as much room as is needed, and less. What is decoded must come out of its
 * own encoding again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/* Into `text`, which has room for 4 bytes for each 3; returns how many. */
static size_t encode(const uint8_t *bytes, size_t len, char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = 0;

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < len ? bytes[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			text[n++] = i + j > len ? '=' : digits[bits >> (18 - 6 * j) & 63];
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t max = base64_max(size), len, again_len, bad_at = 0, text_len;
	uint8_t *bytes = malloc(max + 1), *again;
	char *text;

	if (bytes == NULL)
		return 0;
	if (base64_decode(span_of(data, size), bytes, max, &len, &bad_at) != BASE64_OK) {
		if (bad_at > size)
			abort();
		free(bytes);
		return 0;
	}
	text = malloc(len / 3 * 4 + 5);
	again = malloc(len + 1);
	if (text != NULL && again != NULL) {
		text_len = encode(bytes, len, text);
		if (base64_decode(span_of(text, text_len), again, len, &again_len, &bad_at) !=
			    BASE64_OK ||
		    again_len != len || memcmp(bytes, again, len) != 0)
			abort();
		if (len > 0 && base64_decode(span_of(text, text_len), again, len - 1, &again_len,
					     &bad_at) != BASE64_TOO_LARGE)
			abort();
	}
	free(again);
	free(text);
	free(bytes);
	return 0;
}
