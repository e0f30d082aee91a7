/*
 * fuzz_clusterread: any bytes are read as a description of a cluster; what is found of JSON does
 * not depend on the pieces that it comes in, and whatever is found are ranges.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/hash.h"
#include "kube/clusterread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static uint64_t read_all(struct span text, size_t step)
{
	static struct clusterfind find;
	struct diag diag = {.emit = NULL};
	uint64_t hash = HASH_INIT;
	struct error e = {""};
	struct clusterinfo info;
	struct clusterread r;
	struct arena arena;
	bool ok = true;

	arena_init(&arena, 16 << 20);
	clusterinfo_init(&info, &arena);
	clusterfind_init(&find, &info, &diag);
	clusterread_begin(&r, &find, "f");
	for (size_t at = 0; ok && at < text.len; at += step)
		ok = clusterread_feed(&r, span_first(span_from(text, at), step), &e);
	ok = ok && clusterread_end(&r, &e);
	expect(ok || e.text[0] != '\0');
	clusterread_fini(&r);
	clusterfind_finish(&find);
	for (size_t i = 0; i < info.count; i++) {
		expect(!range_is_all(&info.list[i].range));
		hash = hash_u64(hash, info.list[i].range.first.low);
		hash = hash_u64(hash_u64(hash, info.list[i].line), info.list[i].col);
	}
	hash = hash_u64(hash_u64(hash, diag.errors), ok);
	clusterfind_fini(&find);
	clusterinfo_fini(&info);
	arena_fini(&arena);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);

	if (size > 1 << 16)
		return 0;
	if (size > 0 && (data[0] == '{' || data[0] == '['))
		expect(read_all(text, 1) == read_all(text, size + 1));
	else
		read_all(text, size + 1);
	return 0;
}
