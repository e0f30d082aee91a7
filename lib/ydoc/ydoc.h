/*
 * ydoc: YAML and JSON documents as read-only trees that know where each node stood.
 *
 *   struct ydoc_reader r;
 *   const struct ydoc_node *root;
 *
 *   ydoc_reader_init(&r, "services.yaml", text, diag);
 *   while (ydoc_reader_next(&r, &root))
 *           look at root, which is gone with the next call
 *   ydoc_reader_fini(&r);
 *
 * One pass, one document in memory at a time. A document that begins with `{` or `[` and is JSON is
 * read as JSON (RFC 8259), so that what libyaml refuses of it (surrogate pairs, long keys) is
 * taken; everything else goes through libyaml (YAML 1.1, UTF-8). The tree is the same for both.
 *
 * A file is hostile: at most 64 MiB, nesting to 100, 10,000 anchors, and what aliases stand for
 * adds up to at most a million nodes per document, so that walking a tree is bounded whatever it
 * shares.
 */
#ifndef YDOC_YDOC_H
#define YDOC_YDOC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/span.h"
#include "ydoc/ycursor.h"

#define YDOC_MAX_BYTES ((size_t)64 << 20)
#define YDOC_MAX_DEPTH 100

enum ydoc_kind {
	YDOC_SCALAR,
	YDOC_SEQUENCE,
	YDOC_MAPPING,
};

struct ydoc_node {
	struct ydoc_pos pos; /* of its anchor or tag, if it has one */
	/*
	 * Offset behind its last byte; of a collection without brackets, behind its last entry. A
	 * value that is not there is behind the colon, or else behind its key; in brackets it is
	 * where what comes next begins.
	 */
	uint32_t end;
	/*
	 * Of a collection: offset of what it begins with, anchor and tag aside: the first `-`, `?`
	 * or key; with brackets, what is behind the opening one.
	 */
	uint32_t body;
	uint8_t kind; /* enum ydoc_kind */
	/* A scalar without quotes: `80`, `true`, `null` are no text then. JSON: not a string. */
	bool is_plain;
	/* A collection in brackets; a scalar that is not `|` or `>` text. */
	bool is_flow;
	bool is_aliased; /* an alias stands for it as well, somewhere behind it */
	union {
		/* YDOC_SCALAR: the value with escapes resolved, UTF-8; NUL only if escaped. */
		struct span text;
		/* The others: the first entry, NULL when empty. */
		const struct ydoc_item *items;
	};
};

/*
 * An entry of a sequence (key NULL) or of a mapping, in the order of the file. Keys may be
 * repeated.
 */
struct ydoc_item {
	const struct ydoc_node *key;
	const struct ydoc_node *value;
	const struct ydoc_item *next;
	/* Where the aliases stood that key and value came by, which stand elsewhere; else NULL. */
	const struct ydoc_alias *key_alias, *value_alias;
};

struct ydoc_alias {
	struct ydoc_pos pos;
	uint32_t end; /* offset behind its last byte */
};

/* What an unquoted scalar means: YAML 1.1's core types, as kubectl reads them. */
enum ydoc_type {
	YDOC_TEXT,
	YDOC_NULL, /* "", ~, null */
	YDOC_BOOL,
	YDOC_NUMBER,
};

enum ydoc_type ydoc_scalar_type(const struct ydoc_node *scalar);

/* Of a YDOC_BOOL: true, yes, on, y. */
bool ydoc_is_true(const struct ydoc_node *scalar);

/* The node is absent (NULL) or the null scalar: Kubernetes takes both for "not given". */
bool ydoc_is_absent(const struct ydoc_node *node);

/* The node is there and a scalar other than null. */
bool ydoc_is_value(const struct ydoc_node *node);

/*
 * The value of `key` in a mapping, NULL when it has none (or node is no mapping or NULL). Of
 * repeated keys the first counts. Merge keys (`<<: *base`, `<<: [*a, *b]`) are looked into after
 * the mapping's own, merges of merges to 32 levels.
 */
const struct ydoc_node *ydoc_get(const struct ydoc_node *node, struct span key);

/* The entry of `key` that is the mapping's own; merged ones are not looked at. */
const struct ydoc_item *ydoc_find(const struct ydoc_node *node, struct span key);

/* Whether an entry merges others into its mapping: its key is `<<`, without quotes. */
bool ydoc_is_merge(const struct ydoc_item *item);

/* "a number", "a list" ...: what a node is, for messages. */
const char *ydoc_describe(const struct ydoc_node *node);

/*
 * The user's words for a message: at most 60 bytes of them, escaped as buf_add_escaped does.
 * Returns storage.
 */
#define YDOC_ESCAPED_MAX 256
const char *ydoc_escape(struct span text, char storage[static YDOC_ESCAPED_MAX]);

/* Where a node hangs: a chain on the caller's stack, printed as `spec.ports[0].name`. */
struct ydoc_path {
	const struct ydoc_path *parent; /* NULL at the root */
	const char *key;		/* a mapping's key, or NULL: */
	size_t index;			/* position in a sequence, from 0 */
};

/*
 * Reports `file:line:col: path: text` (without "path: " when path is NULL). False for DIAG_ERROR.
 */
bool ydoc_report(struct diag *d, enum diag_level level, const char *file, struct ydoc_pos pos,
		 const struct ydoc_path *path, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
bool ydoc_vreport(struct diag *d, enum diag_level level, const char *file, struct ydoc_pos pos,
		  const struct ydoc_path *path, const char *format, va_list args)
	__attribute__((format(printf, 6, 0)));

struct ydoc_reader; /* below; its members are ydoc.c's own */

/*
 * Begins to read. `file` (for messages) and `text` stay the caller's until ydoc_reader_fini; nodes
 * may point into `text`.
 */
void ydoc_reader_init(struct ydoc_reader *r, const char *file, struct span text, struct diag *diag);
void ydoc_reader_fini(struct ydoc_reader *r);

/*
 * The next document; *root lives until the next call. Empty documents are left out. A document that
 * can't be read is reported (one error) and reading goes on behind the next `---` line. False at
 * the end.
 */
bool ydoc_reader_next(struct ydoc_reader *r, const struct ydoc_node **root);

struct yparse;

struct ydoc_reader {
	const char *file;
	struct diag *diag;
	struct ycursor at;     /* where the current document began, or the next one is looked for */
	struct yparse *parser; /* libyaml in the middle of its stream, or NULL */
	struct arena arena;    /* the current document */
	unsigned errors;       /* documents that could not be read */
	/* Of the document that was read last: its bytes, with the blank and markers before it. */
	uint32_t begin, end;
	bool is_done;
};

#endif
