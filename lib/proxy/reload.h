/*
 * reload: the manifests read again while the proxy runs, when a file has changed (filewatch.h) or
 * when somebody asks for it.
 *
 * All or nothing: what can't be read whole, without an error, changes nothing. Complaints go to the
 * log with file, line and column. What says the same as before is no new generation. Lives in the
 * control thread.
 */
#ifndef PROXY_RELOAD_H
#define PROXY_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "ev/loop.h"
#include "proxy/manifests.h"
#include "route/table.h"
#include "sys/filewatch.h"

struct reload {
	struct manifests manifests;
	bool is_possible; /* none of the manifests is standard input or a pipe */
	struct filewatch files;
	bool is_polling; /* the files can't be watched */

	struct loop *loop; /* NULL: not started */
	struct watch watch;
	struct timer timer;
	uint64_t changed_ms; /* when the first change was seen that was not read yet; 0: none */
	uint64_t hash;	     /* of the table in force */
	size_t routes;	     /* in it */

	uint64_t generation; /* tables adopted, the first included */
	uint64_t count, failures;
	bool last_failed;
	uint64_t good_at_s; /* when what is in force was last read; Unix time */

	/*
	 * Puts the table, which it takes over in any case, in force; false when it could not. The
	 * owner's, as is the context.
	 */
	bool (*adopt)(void *context, struct route_table *table, struct error *e);
	void *context;
};

/*
 * Begins to watch, before the first reading, which is to be one of r->manifests: what changes from
 * here on is seen, also of the files of certificates that Services name.
 */
void reload_init(struct reload *r, const struct manifests *m);
/* Begins to reload; `table` is the one in force. */
void reload_start(struct reload *r, struct loop *loop, const struct route_table *table);
/* Reads all again, now: somebody has asked. */
void reload_now(struct reload *r);
/* Puts a table in force that was made elsewhere, if it says something else; takes it over. */
void reload_offer(void *reload, struct route_table *table);
/* Ends both. Harmless twice. */
void reload_stop(struct reload *r);

void reload_print_metrics(const struct reload *r, struct buf *out);

#endif
