/*
 * admin: the operator's HTTP port, served by the control thread: /healthz, /readyz, /metrics,
 * /routes.
 *
 * One request per connection, GET and HEAD only, a bounded number of connections.
 */
#ifndef PROXY_ADMIN_H
#define PROXY_ADMIN_H

#include "base/buf.h"
#include "ev/loop.h"

struct admin_page {
	unsigned status;
	const char *content_type;
};

struct admin {
	struct loop *loop;
	struct watch listener;
	struct list connections;
	unsigned connection_count;
	/*
	 * Makes the page for a path (query included) into `body`; the status 404 when there is
	 * none. The owner's, as is the context.
	 */
	struct admin_page (*render)(void *context, struct span target, struct buf *body);
	void *context;
};

/* Serves on a listening descriptor, which it takes over also when it fails. */
bool admin_start(struct admin *a, struct loop *loop, int fd, struct error *e);
/* Closes everything. Harmless when it was not started (listener.fd is -1). */
void admin_stop(struct admin *a);

#endif
