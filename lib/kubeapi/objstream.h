/*
 * objstream: the objects of a list or of a watch, one by one, from the JSON text of an answer that
 * comes in pieces. Only one object is held at a time, and of it what a reader of its spec needs.
 *
 *	{"kind":"ServiceList","metadata":{"resourceVersion":"7","continue":"..."},"items":[{...}]}
 *	{"type":"ADDED","object":{...}} {"type":"BOOKMARK","object":{...}} ...
 *
 * Of an object are left out status and metadata.managedFields; apiVersion and kind, which items of
 * a list lack, stand first in each, as the caller has them.
 */
#ifndef KUBEAPI_OBJSTREAM_H
#define KUBEAPI_OBJSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "json/jsonr.h"

/*
 * Bytes on the wire of one object with all its fields, and bytes that are kept of it: etcd takes
 * objects of at most 1.5 MiB.
 */
#define OBJSTREAM_RAW_MAX ((size_t)4 << 20)
#define OBJSTREAM_KEPT_MAX ((size_t)1 << 20)
#define OBJSTREAM_TOKEN_MAX ((size_t)8 << 10)

enum objstream_type {
	OBJSTREAM_NONE,
	OBJSTREAM_LISTED, /* of a list */
	OBJSTREAM_ADDED,
	OBJSTREAM_MODIFIED,
	OBJSTREAM_DELETED,
	OBJSTREAM_BOOKMARK, /* only the version counts */
	OBJSTREAM_ERROR,    /* a Status: code and message */
};

/* Borrowed, gone with the call. What the object does not have is empty. */
struct objstream_object {
	enum objstream_type type;
	struct span json; /* empty when there was too much of it */
	struct span name, namespace, uid, version;
	uint64_t code; /* of an ERROR */
	struct span message;
};

/* Texts of the object under way, see objstream.c. */
#define OBJSTREAM_TEXTS 5
#define OBJSTREAM_TEXT_MAX 256

struct objstream {
	/* private */
	bool is_list;
	struct span first; /* what each object begins with: "apiVersion":"v1","kind":"Service" */
	bool (*on_object)(void *context, const struct objstream_object *object, struct error *e);
	void *context;
	struct jsonr json;
	unsigned depth;	   /* of collections that are open */
	unsigned skip;	   /* depth around what is left out; 0: nothing is */
	bool skips_next;   /* the value behind the key just read */
	bool is_in_object; /* between its brackets */
	bool needs_comma;
	bool has_object; /* the document has had one */
	bool has_items;
	bool is_done;	 /* the list is */
	uint8_t keys[6]; /* by depth: the word that was its last key */
	enum objstream_type type;
	uint64_t code;
	size_t raw; /* bytes since the last object */
	struct buf kept;
	struct buf token; /* of a list: metadata.continue */
	char version[OBJSTREAM_TEXT_MAX];
	char texts[OBJSTREAM_TEXTS][OBJSTREAM_TEXT_MAX];
};

/* `first` is borrowed. */
void objstream_init(struct objstream *s, bool is_list, struct span first,
		    bool (*on_object)(void *context, const struct objstream_object *object,
				      struct error *e),
		    void *context);
void objstream_fini(struct objstream *s);

/* False ends it: on_object said so, or the text is not what it should be. */
bool objstream_feed(struct objstream *s, struct span bytes, struct error *e);
/* Of a list: whether it was one, and whole. A watch ends between two objects or not. */
bool objstream_end(struct objstream *s, struct error *e);

/* Of a list: the version that a watch begins from, and the token of the next page, or "". */
struct span objstream_version(const struct objstream *s);
struct span objstream_token(const struct objstream *s);

#endif
