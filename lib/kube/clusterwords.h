/*
 * clusterwords: keys and values in text that is no YAML and no JSON, or only in part: what grep
 * leaves of it, tables, `key: value` lines, flags, files of NAME=value.
 *
 *   clusterwords_init(&w, on_value, context);
 *   for each line: clusterwords_line(&w, line, offset);
 *
 * A key is the last one, two or three words before a value (clusterkeys.h knows them); a value is a
 * word that begins as an address or a length does. What a key has no value for on its line may
 * follow on the next. Tables are known by a heading with keys: columns are divided by tabs, commas,
 * or two blanks and more, and rows count as long as they are as wide.
 */
#ifndef KUBE_CLUSTERWORDS_H
#define KUBE_CLUSTERWORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "kube/clusterkeys.h"

#define CLUSTERWORDS_COLUMNS_MAX 16

struct clusterwords_column {
	char key[CLUSTERKEYS_MAX];
	size_t len; /* 0: holds no ranges */
};

struct clusterwords {
	/* A known key in normal form and a value, `offset` bytes from where the caller counts. */
	void (*on_value)(void *context, struct span key, struct span value, size_t offset);
	void *context;
	struct span shown; /* in the callback: the key, as it was written if it is on this line */

	/* clusterwords.c's own */
	struct span recent[3]; /* words before, newest first */
	char key[CLUSTERKEYS_MAX];
	size_t key_len; /* 0: no key is waiting for values */
	bool has_value;
	struct clusterwords_column columns[CLUSTERWORDS_COLUMNS_MAX];
	size_t column_count; /* 0: in no table */
	char separator;
};

void clusterwords_init(struct clusterwords *w,
		       void (*on_value)(void *context, struct span key, struct span value,
					size_t offset),
		       void *context);
/* One line without its end, or any text without lines; `offset` is its place. */
void clusterwords_line(struct clusterwords *w, struct span line, size_t offset);

/*
 * The cells of a line, one by one, without the blanks around them, from what clusterwords_cells
 * says; false behind the last.
 */
struct span clusterwords_cells(struct span line, char *separator);
bool clusterwords_cell(struct span *rest, char separator, struct span *cell);

#endif
