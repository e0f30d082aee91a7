/*
 * ykeys: the keys that a mapping may have, as a table, and the values found under them.
 *
 *   enum { NAME, NAMESPACE, METADATA_KEYS };
 *   static const struct ykey metadata_keys[METADATA_KEYS] = {
 *           [NAME] = {"name", YKEY_TEXT},
 *           [NAMESPACE] = {"namespace", YKEY_TEXT},
 *   };
 *   const struct ydoc_node *values[METADATA_KEYS];
 *
 *   ykeys_read(&context, node, metadata_keys, METADATA_KEYS, values);
 *
 * Keys that are not in the table are nobody's business, except when they are nearly one that is and
 * is not there: `externalNmae` gets a warning. Keys merged with `<<` count where the mapping has
 * none of its own.
 */
#ifndef YDOC_YKEYS_H
#define YDOC_YKEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "ydoc/ydoc.h"

enum ykey_kind {
	YKEY_ANY,
	YKEY_TEXT,   /* a scalar that is text: `80` and `true` must be quoted */
	YKEY_SCALAR, /* any scalar */
	YKEY_MAPPING,
	YKEY_SEQUENCE,
};

struct ykey {
	const char *name;
	enum ykey_kind kind;
};

/* For complaints: which file, and where in the document the mapping hangs. */
struct ykeys_context {
	struct diag *diag;
	const char *file;
	const struct ydoc_path *path; /* NULL at the root */
};

/*
 * Fills values[i] with what the mapping has under keys[i], NULL where there is nothing, null, or a
 * value of the wrong kind. Reports wrong kinds and repeated keys as errors, near misses as
 * warnings.
 */
void ykeys_read(const struct ykeys_context *context, const struct ydoc_node *mapping,
		const struct ykey *keys, size_t count, const struct ydoc_node **values);

/*
 * Reports about what stands at `pos` under `key` of the context's mapping, or about the mapping
 * itself when key is NULL. False for DIAG_ERROR.
 */
bool ykeys_report(const struct ykeys_context *context, enum diag_level level, struct ydoc_pos pos,
		  const char *key, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
