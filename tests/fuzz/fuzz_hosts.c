/*
 * fuzz_hosts: any file gives entries whose names are host names, out of the file, and whose
 * addresses are some.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dns/hosts.h"
#include "net/hostname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);
	struct hosts_entry *entries;
	struct arena arena;
	size_t count;

	arena_init(&arena, 1u << 24);
	if (hosts_parse(text, &arena, &entries, &count)) {
		for (size_t i = 0; i < count; i++) {
			struct span name = entries[i].name;

			expect(name.ptr >= text.ptr && name.ptr + name.len <= text.ptr + text.len);
			expect(hostname_problem(name) == NULL);
			expect(entries[i].addr.family == 4 || entries[i].addr.family == 6);
		}
	}
	arena_fini(&arena);
	return 0;
}
