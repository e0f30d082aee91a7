/*
 * A kubeconfig, or two with a NUL between them, and the URL of the server that it names.
 */
#include <stdint.h>
#include <stdlib.h>

#include "kubeapi/kubeconfig.h"
#include "kubeapi/serverurl.h"

static void check_url(struct span text)
{
	struct serverurl url, again;
	char first[8192], second[8192];
	struct buf a, b;
	struct error e;

	if (!serverurl_parse(text, &url, &e))
		return;
	BUF_INIT_ARRAY(&a, first);
	serverurl_format(&url, &a);
	if (a.truncated)
		return;
	if (!serverurl_parse(buf_span(&a), &again, &e))
		abort();
	BUF_INIT_ARRAY(&b, second);
	serverurl_format(&again, &b);
	if (!span_eq(buf_span(&a), buf_span(&b)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_of(data, size);
	size_t split = span_find(all, '\0');
	const struct kubeconfig_file files[] = {
		{"a/config", span_first(all, split)},
		{"config", split == SIZE_MAX ? SPAN("") : span_from(all, split + 1)},
	};
	struct diag diag = {.emit = NULL};
	struct kubeconfig k;
	struct arena arena;

	arena_init(&arena, 16 << 20);
	if (kubeconfig_read(files, 2, SPAN(""), NULL, &arena, &diag, &k) != (diag.errors == 0))
		abort();
	if (diag.errors == 0) {
		if (k.server.text.ptr == NULL || k.server.path == NULL)
			abort();
		check_url(k.server.text);
	}
	arena_fini(&arena);
	check_url(all);
	return 0;
}
