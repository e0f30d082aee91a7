/*
 * systemnames: what the machine says of names, for a resolver: /etc/hosts and /etc/resolv.conf.
 */
#ifndef EV_SYSTEMNAMES_H
#define EV_SYSTEMNAMES_H

#include <stdbool.h>

#include "base/arena.h"
#include "ev/resolver.h"

#define SYSTEMNAMES_HOSTS "/etc/hosts"
#define SYSTEMNAMES_RESOLV_CONF "/etc/resolv.conf"

/*
 * Adds the hosts, in the arena, and with `want_servers` the name servers and how they are to be
 * asked. A file that is not there adds nothing: in a scratch image neither need be.
 */
void systemnames_read(struct resolver_config *config, bool want_servers, struct arena *arena);

#endif
