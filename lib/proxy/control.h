/*
 * control: the control side of the proxy: names, publishing, admin port, signals, workers' lives.
 */
#ifndef PROXY_CONTROL_H
#define PROXY_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ev/resolver.h"
#include "net/addr.h"
#include "proxy/config.h"
#include "route/table.h"

#define CONTROL_LISTENERS_MAX 16

struct control_listen {
	struct addr at;
	bool any_family; /* [::] given by nobody: IPv4 as well, and without IPv6 that alone */
};

struct control_settings {
	struct proxy_config config; /* max_sessions is filled in */
	struct resolver_config resolver;
	struct control_listen listen[CONTROL_LISTENERS_MAX];
	size_t listen_count;
	struct addr admin;     /* family 0: no admin port */
	bool admin_any_family; /* as any_family above */
	unsigned workers;
	int ready_fd; /* -1: none */
	uint64_t shutdown_timeout_ms;
};

/*
 * Serves until SIGTERM or SIGINT has been obeyed. Takes the table over. False when it could not
 * start, or a worker failed.
 */
bool control_run(const struct control_settings *settings, struct route_table *table,
		 struct error *e);

#endif
