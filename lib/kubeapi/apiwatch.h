/*
 * apiwatch: the objects of one resource as the API server has them, and every change of them, from
 * within a loop: a list in pages, then watches from its version on, for ever.
 *
 *	apiwatch_start(&w, &settings, &config, &listener, loop, resolver, &e)
 *	apiwatch_stop(&w)
 *
 * A watch that ends is begun again from the last version that was seen. All is listed anew when the
 * server no longer has that version (410), says something else than events, or could not be reached
 * more than once in a row: it may be another one by then. After a failure there is a wait, doubled
 * each time, with jitter.
 */
#ifndef KUBEAPI_APIWATCH_H
#define KUBEAPI_APIWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "ev/loop.h"
#include "ev/resolver.h"
#include "ev/timer.h"
#include "kubeapi/apicall.h"
#include "kubeapi/client.h"
#include "kubeapi/objstream.h"

/* All is borrowed until apiwatch_stop. */
struct apiwatch_settings {
	const char *resource;  /* "services", of the core group */
	struct span namespace; /* empty: of all */
	struct span selector;  /* of labels, as kubectl's -l; may be empty */
	struct span first;     /* see objstream_init */
	uint32_t retry_min_ms; /* first wait; 0: 250 */
	uint32_t retry_max_ms; /* longest wait; 0: 15000 */
};

struct apiwatch;

/* Called from the loop; nothing of apiwatch may be called from here. */
struct apiwatch_listener {
	/* A list begins; OBJSTREAM_LISTED objects follow. */
	void (*on_list)(struct apiwatch *w);
	/* Borrowed; LISTED, ADDED, MODIFIED or DELETED. */
	void (*on_object)(struct apiwatch *w, const struct objstream_object *object);
	/* The list is complete: what it did not name is no more. */
	void (*on_listed)(struct apiwatch *w);
	/* Something failed, in words; the next try is in `wait_ms`. */
	void (*on_trouble)(struct apiwatch *w, const char *text, uint64_t wait_ms);
};

/* For metrics. */
struct apiwatch_stats {
	uint64_t lists; /* that were complete */
	uint64_t watches;
	uint64_t events;
	uint64_t failures;
};

struct apiwatch {
	struct apiwatch_stats stats;
	bool is_listed; /* one list was complete */

	/* private */
	const struct apiwatch_settings *settings;
	const struct apiwatch_listener *listener;
	struct loop *loop;
	struct apicall call;
	struct timer timer; /* until the next try */
	struct objstream stream;
	bool has_stream;
	bool is_list;	   /* what is under way, or comes next */
	bool is_next_page; /* of the list: there has been one before */
	bool is_expired;   /* the version is too old */
	bool has_event;	   /* this watch has brought something */
	unsigned failures; /* in a row */
	uint64_t began_ms;
	uint64_t jitter;
	struct error problem; /* of what came; "" when there is none */
	struct buf path, token;
	char version[OBJSTREAM_TEXT_MAX];
};

/* Begins at once. apiwatch_stop is due also after false. `config` is as for apicall_init. */
bool apiwatch_start(struct apiwatch *w, const struct apiwatch_settings *settings,
		    const struct client_config *config, const struct apiwatch_listener *listener,
		    struct loop *loop, struct resolver *resolver, struct error *e);
/* Harmless when all is zero. */
void apiwatch_stop(struct apiwatch *w);

/* A watch is open: what happens is heard of. */
bool apiwatch_is_open(const struct apiwatch *w);

#endif
