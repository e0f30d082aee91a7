/*
 * status: the annotation egressbox.io/status, in which kube-inject writes what it added to a pod,
 * so that it can be brought up to date or taken out again.
 *
 *   {"version":"0.1.0","hash":"6c62272e07bb0142","initContainers":["egressbox-init"],
 *    "created":["annotations","initContainers"],"replaced":{"volumes":"null"}}
 *
 * The hash is of what was injected. Lists of names are there for sections that something was added
 * to; `created` names the keys that were not there before, `replaced` the words that stood for
 * nothing where there are brackets now.
 */
#ifndef INJECT_STATUS_H
#define INJECT_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "inject/template.h"
#include "ydoc/ydoc.h"

#define STATUS_ANNOTATION "egressbox.io/status"

/* Keys of a pod template that may have been missing, besides the sections of a template. */
enum status_key {
	STATUS_METADATA = TEMPLATE_SECTION_COUNT,
	STATUS_KEY_COUNT,
};

/* Their names; those before STATUS_METADATA are the sections'. */
const char *status_key_name(unsigned key);

struct status {
	struct span version;
	struct span hash;
	const struct ydoc_node *names[TEMPLATE_SECTION_COUNT]; /* lists of text, or NULL */
	bool is_created[STATUS_KEY_COUNT];
	struct span replaced[STATUS_KEY_COUNT]; /* empty: nothing was */
	struct ydoc_reader reader;		/* what holds the nodes */
};

/*
 * Reads the annotation's value, which must stay until status_fini. False when it is none that was
 * written here; status_fini is due either way.
 */
bool status_read(struct status *s, struct span text);
void status_fini(struct status *s);

/* Whether an entry of a section was added, by its name. */
bool status_has(const struct status *s, enum template_section section, struct span name);

/* Writes it as JSON; the names are those of the instance's sections, and the hash is its. */
void status_format(const struct status *s, const struct template_instance *instance,
		   struct buf *out);

/* The hash as it is written. */
#define STATUS_HASH_MAX 17
void status_format_hash(uint64_t hash, struct buf *out);

#endif
