/*
 * fuzz_jsonr: text in pieces gives the same tokens as in one; what is taken is balanced.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"
#include "json/jsonr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

struct seen {
	uint64_t hash;
	unsigned depth;
};

static bool on_token(void *context, const struct jsonr_token *token, struct error *e)
{
	struct seen *seen = context;

	(void)e;
	seen->hash = hash_u64(hash_span(seen->hash, token->text), token->event);
	seen->hash = hash_u64(hash_u64(seen->hash, token->line), token->col);
	seen->depth += token->event == JSONR_OBJECT || token->event == JSONR_ARRAY;
	if (token->event == JSONR_OBJECT_END || token->event == JSONR_ARRAY_END)
		expect(seen->depth-- > 0);
	if (token->event == JSONR_DOCUMENT_END)
		expect(seen->depth == 0);
	return true;
}

static uint64_t read_all(struct span text, size_t step)
{
	struct seen seen = {HASH_INIT, 0};
	struct error e = {""};
	struct jsonr r;
	bool ok = true;

	jsonr_init(&r, on_token, &seen);
	for (size_t at = 0; ok && at < text.len; at += step)
		ok = jsonr_feed(&r, span_first(span_from(text, at), step), &e);
	ok = ok && jsonr_end(&r, &e);
	jsonr_fini(&r);
	expect(ok ? seen.depth == 0 : e.text[0] != '\0');
	return hash_u64(seen.hash, ok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);

	expect(read_all(text, 1) == read_all(text, size + 1));
	return 0;
}
