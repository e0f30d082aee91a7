/*
 * clusterwords: keys and values in text that is no YAML and no JSON, or only in part: what grep
 * leaves of it, tables, `key: value` lines, flags, files of NAME=value.
 *
 *   clusterwords_init(&w, on_value, context);
 *   for each line: clusterwords_line(&w, line, offset);
 *
 * A key is the last one, two or three words before a value (clusterkeys.h knows them); a value is a
 * word that begins as an address or a length does. What a key has no value for on its line may
 * follow on the next. `kubectl get servicecidrs` is known by its heading.
 */
#ifndef KUBE_CLUSTERWORDS_H
#define KUBE_CLUSTERWORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "kube/clusterkeys.h"

struct clusterwords {
	/* A known key in normal form and a value, `offset` bytes from where the caller counts. */
	void (*on_value)(void *context, struct span key, struct span value, size_t offset);
	void *context;

	/* clusterwords.c's own */
	struct span recent[3]; /* words before, newest first */
	char key[CLUSTERKEYS_MAX];
	size_t key_len; /* 0: no key is waiting for values */
	bool is_table, has_value;
};

void clusterwords_init(struct clusterwords *w,
		       void (*on_value)(void *context, struct span key, struct span value,
					size_t offset),
		       void *context);
/* One line without its end, or any text without lines; `offset` is its place. */
void clusterwords_line(struct clusterwords *w, struct span line, size_t offset);

#endif
