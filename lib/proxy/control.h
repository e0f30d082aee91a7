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

struct kubesource;
struct reload;
struct upgrade;

#define CONTROL_LISTENERS_MAX 16

struct control_listen {
	struct addr at;
	bool transparent; /* for redirected connections */
	bool any_family;  /* [::] given by nobody: IPv4 as well, and without IPv6 that alone */
};

struct control_settings {
	struct proxy_config config; /* max_sessions is filled in */
	struct resolver_config resolver;
	struct reload *reload;	 /* begun; NULL: the table stays as it is */
	struct kubesource *kube; /* not started, offers to the reload; NULL: files alone */
	struct upgrade *upgrade; /* opened; NULL: nobody can take our place */
	struct guard *guard;	 /* config.guard, to which the listeners are added; NULL: none */
	struct control_listen listen[CONTROL_LISTENERS_MAX];
	size_t listen_count;
	struct addr admin;     /* family 0: no admin port */
	bool admin_any_family; /* as any_family above */
	unsigned workers;
	bool sandbox;		      /* give up what serving does not need */
	int ready_fd;		      /* -1: none */
	uint64_t drain_delay_ms;      /* from SIGTERM to the end of listening */
	uint64_t shutdown_timeout_ms; /* from any signal to the end of everything */
};

/*
 * Serves until SIGTERM or SIGINT has been obeyed: at the first, readiness says no at once, while
 * serving goes on for the drain delay, so that all who route to us hear of it; SIGINT, a person's,
 * waits for nobody. Then nothing new is taken and what is under way is finished, until the shutdown
 * timeout. A second signal ends it at once.
 * Takes the table over. False when it could not
 * start, or a worker failed.
 */
bool control_run(const struct control_settings *settings, struct route_table *table,
		 struct error *e);

#endif
