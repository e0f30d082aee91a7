/*
 * yedit: entries put into a document, and taken out of it, as changes of its text.
 *
 * What is put in follows the style of where it goes: in lines or in brackets, JSON or YAML, its
 * indent, its line ends. In lines only whole lines are added, where YAML allows it; in brackets
 * bytes are added and none removed. Taking out what was put in gives the bytes that were there
 * before.
 *
 *   struct yedit e;
 *
 *   yedit_init(&e, &edits, &arena);
 *   for each document in it:
 *           yedit_begin(&e, text, parent, sample);
 *           yedit_graft(&e, target, content, places);
 *           or yedit_cut(&e, collection, first, last) ...
 */
#ifndef YDOC_YEDIT_H
#define YDOC_YEDIT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/span.h"
#include "base/textedit.h"
#include "ydoc/ydoc.h"
#include "ydoc/yemit.h"

enum yedit_result {
	YEDIT_DONE,
	/*
	 * Text there would be there more than once, or is not there: an alias or a merge key leads
	 * to it, or it is written in a way that takes no text. The edits are of no use.
	 */
	YEDIT_SHARED,
	YEDIT_NO_MEMORY,
};

/* Where entries go, by the key that they are under or that they have; ends in a row without. */
struct yedit_place {
	const char *key;
	bool at_end;	    /* entries of the collection under `key` go behind those there */
	const char *before; /* a new entry `key` goes before this one, not first, if it is there */
};

#define YEDIT_BUCKETS 256

struct yedit_cached;

struct yedit {
	struct textedits *edits;
	struct arena *arena; /* of what is inserted */
	struct span text;
	struct yemit_style style; /* of the document; collections in brackets have their own */
	enum yedit_result result;
	/* With YEDIT_SHARED: where, and whether the way it is written is why. */
	struct ydoc_pos stopped_at;
	bool is_unfit;
	const struct yedit_place *places;
	/* Text made before: most documents of a file look alike. */
	struct yedit_cached *cache[YEDIT_BUCKETS];
};

/* Changes go to `edits`, what they insert into the arena. */
void yedit_init(struct yedit *e, struct textedits *edits, struct arena *arena);

/*
 * The document that the next calls are about. Its style is that of `sample`, a mapping in it whose
 * looks count, such as a pod's spec, and of `parent`, the mapping that it is in (or NULL).
 */
void yedit_begin(struct yedit *e, struct span text, const struct ydoc_node *parent,
		 const struct ydoc_node *sample);

/*
 * Adds to `target`, a mapping, the entries of `content` that it lacks; where it has one, what is in
 * both is added to in turn: mappings entry by entry, sequences by all of the content's. A value
 * that is null is filled. Scalars that are there stay. `content` must stay as long as the arena,
 * and of one kind where both have something. A graft that does not end in YEDIT_DONE may have added
 * edits.
 */
enum yedit_result yedit_graft(struct yedit *e, const struct ydoc_node *target,
			      const struct ydoc_node *content, const struct yedit_place *places);

/*
 * Takes out the entries from `first` to `last` of a collection, with their lines when they have
 * some of their own.
 */
void yedit_cut(struct yedit *e, const struct ydoc_node *collection, const struct ydoc_item *first,
	       const struct ydoc_item *last);

/* Puts a copy of `word` in the place of a collection in brackets. */
void yedit_replace(struct yedit *e, const struct ydoc_node *node, struct span word);

#endif
