/*
 * fuzz_rangescan: text in pieces gives the same ranges as in one, each reads back as itself, and
 * is what cidr_parse makes of it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"
#include "net/cidr.h"
#include "net/rangescan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static bool on_range(void *context, const struct rangescan_found *found, struct error *e)
{
	char storage[RANGE_TEXT_MAX], plain[CIDR_TEXT_MAX];
	uint64_t *hash = context;
	struct range again;
	struct cidr c;
	struct buf b, p;

	BUF_INIT_ARRAY(&b, storage);
	range_format(&found->range, &b);
	expect(!b.truncated && range_parse(buf_span(&b), &again, NULL, e));
	expect(range_eq(&found->range, &again));
	if (cidr_parse(found->text, &c, NULL, &(struct error){0})) {
		BUF_INIT_ARRAY(&p, plain);
		cidr_format(&c, &p);
		expect(span_eq(buf_span(&b), buf_span(&p)));
	} else {
		expect(span_find(found->text, '-') != SIZE_MAX);
	}
	*hash = hash_span(hash_u64(*hash, found->line * 100000u + found->col), buf_span(&b));
	return true;
}

static uint64_t scan(struct span text, size_t step)
{
	uint64_t hash = HASH_INIT;
	struct error e = {""};
	struct rangescan s;
	bool ok = true;

	rangescan_init(&s, on_range, &hash);
	for (size_t at = 0; ok && at < text.len; at += step)
		ok = rangescan_feed(&s, span_first(span_from(text, at), step), &e);
	ok = ok && rangescan_end(&s, &e);
	expect(ok || e.text[0] != '\0');
	return hash_u64(hash, ok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);

	expect(scan(text, 1) == scan(text, size + 1));
	return 0;
}
