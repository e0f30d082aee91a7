/*
 * resolvconf: the text of /etc/resolv.conf, as far as a resolver of absolute names needs it.
 *
 * Read: `nameserver ADDR` (a zone id is cut off) and, of `options`, timeout:N, attempts:N and
 * rotate. search, domain and ndots are of no use here and ignored like all that is not understood,
 * as every other reader of this file does (resolv.conf(5)). Opening the file is the caller's
 * business.
 */
#ifndef DNS_RESOLVCONF_H
#define DNS_RESOLVCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "net/addr.h"

#define RESOLVCONF_MAX_SERVERS 8
#define RESOLVCONF_PORT 53
/* When the file does not say. Shorter than resolv.conf(5)'s 5 s, with one more attempt. */
#define RESOLVCONF_TIMEOUT_MS 2000
#define RESOLVCONF_ATTEMPTS 3

struct resolvconf {
	struct addr servers[RESOLVCONF_MAX_SERVERS]; /* in the order of the file, port 53 */
	unsigned server_count;			     /* may be 0 */
	uint32_t timeout_ms;			     /* per server and attempt: 1000 to 30000 */
	unsigned attempts;			     /* rounds over all servers: 1 to 5 */
	bool rotate;				     /* begin each question at another server */
};

/*
 * Never fails: an empty text gives no servers and the defaults. Numbers out of range are drawn in.
 */
void resolvconf_parse(struct span text, struct resolvconf *out);

#endif
