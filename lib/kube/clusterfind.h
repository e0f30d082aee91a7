/*
 * clusterfind: the ranges in documents, whatever wrote them, from the documents' keys and values in
 * their order. It does not matter whether they come from YAML, from JSON or from lines.
 *
 *   clusterfind_init(&f, info, diag);
 *   clusterfind_begin(&f, "cluster.yaml");
 *   for each document:
 *           clusterfind_open(&f, is_mapping), clusterfind_key, clusterfind_scalar,
 *           clusterfind_close ...
 *   or for each line: clusterfind_line(&f, line, number);
 *   clusterfind_finish(&f);                     once, behind all files
 *   clusterfind_fini(&f);
 *
 * Kubernetes objects are judged as a whole: what a key means may depend on their kind, which comes
 * behind it. Lists are taken apart, texts of ConfigMaps are read as documents themselves.
 *
 * A value under a known key that is no range is an error, with its place; null and "" mean "not
 * known". 0.0.0.0/0 and ::/0 are errors unless `allows_any` is set.
 */
#ifndef KUBE_CLUSTERFIND_H
#define KUBE_CLUSTERFIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "kube/clusterinfo.h"
#include "kube/clusternames.h"
#include "kube/clustervalue.h"
#include "kube/clusterwords.h"

/* Deeper mappings and lists are passed over. */
#define CLUSTERFIND_DEPTH_MAX 120
/* Values under known keys in one object; more are passed over. */
#define CLUSTERFIND_CANDIDATES_MAX 2048

struct clusterfind_frame {
	bool is_list, is_object;
	uint8_t key_len, name_len;
	char key[CLUSTERKEYS_MAX];  /* normal form, of the entry that is being read */
	char name[CLUSTERKEYS_MAX]; /* the same as written, the beginning of it */
	uint32_t entries;	    /* how many have begun */
	size_t candidates;	    /* how many there were when it began */
};

/* A mapping that is an object of its own: a document, or an item of a List. */
struct clusterfind_object {
	char kind[48];
	bool is_deleted, is_disabled;
	bool is_on_host; /* a pod without a network of its own */
	bool is_first;	 /* its name is `kubernetes`, as that of the first Service */
	size_t candidates;
};

#define CLUSTERFIND_OBJECTS_MAX 8
#define CLUSTERFIND_LABELS_MAX 16

/* A list's token for its next page; longer ones are taken for none. */
#define CLUSTERFIND_CONTINUE_MAX 2048

struct clusterfind_candidate;

/* Two texts of one mapping that belong together, such as a range and its name. */
struct clusterfind_pair {
	char first[72], second[72];
	size_t first_len, second_len;
};

struct clusterfind {
	bool allows_any;
	/*
	 * What the columns of values without keys are: roles, or CLUSTERKEYS_ROLES for none. They
	 * count from the first such value on, around and around; 0: nobody knows.
	 */
	uint8_t labels[CLUSTERFIND_LABELS_MAX];
	unsigned label_count;
	const char *unlabelled_file; /* where the first range without a key stands, or NULL */
	struct clustervalue_pos unlabelled_at;
	/*
	 * Reads a document that stands in a text, such as a ConfigMap's, into f. NULL: such texts
	 * are passed over.
	 */
	void (*read_embedded)(struct clusterfind *f, struct span text);
	const void *embedding; /* what that wants to know of the scalar at hand; its reader's own */
	size_t found;	       /* ranges and errors so far */
	/* metadata.continue of the document, an API server's list that has more pages. */
	char next_page[CLUSTERFIND_CONTINUE_MAX];
	size_t next_page_len;

	/* clusterfind.c's own */
	struct clusterinfo *info;
	struct diag *diag;
	const char *file;
	struct clusterfind_frame frames[CLUSTERFIND_DEPTH_MAX];
	unsigned depth, too_deep;
	struct clusterfind_object objects[CLUSTERFIND_OBJECTS_MAX];
	unsigned object_count;
	struct clusterfind_candidate *candidates;
	size_t count, capacity;
	struct buf text; /* of candidates */
	struct clusterwords words;
	struct clustervalue_pos words_at;
	bool in_flags;
	unsigned base;	   /* depth at which documents begin */
	unsigned embedded; /* documents inside texts inside documents */
	struct clusterfind_pair env, named;
	size_t column_count;
	struct clusternames names;
	struct clustervalue_pos at; /* of the scalar at hand */
};

void clusterfind_init(struct clusterfind *f, struct clusterinfo *info, struct diag *diag);
void clusterfind_fini(struct clusterfind *f);

/* `file` must live as long as what is found. */
void clusterfind_begin(struct clusterfind *f, const char *file);

void clusterfind_open(struct clusterfind *f, bool is_mapping);
void clusterfind_close(struct clusterfind *f);
void clusterfind_key(struct clusterfind *f, struct span key);
/* `is_text`: a string, not a number, true, false or null. */
void clusterfind_scalar(struct clusterfind *f, struct span text, bool is_text,
			struct clustervalue_pos at);

void clusterfind_line(struct clusterfind *f, struct span line, uint32_t number);

/*
 * Reports names of ranges of which no document said what they are, and columns that do not come out
 * even. False when there are some.
 */
bool clusterfind_finish(struct clusterfind *f);

#endif
