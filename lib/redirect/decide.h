/*
 * decide: what a ruleset does with the first packet of a connection that leaves. Pure: --verify
 * compares the kernel with it, and tests compare both with what is wanted.
 */
#ifndef REDIRECT_DECIDE_H
#define REDIRECT_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"
#include "redirect/ruleset.h"

struct decide_packet {
	uint8_t protocol;  /* IPPROTO_TCP or IPPROTO_UDP */
	struct addr to;	   /* with the port */
	const char *in;	   /* interface it came by, for RULESET_PREROUTING */
	const char *out;   /* interface it leaves by; "lo" for the pod's own addresses */
	uint32_t uid, gid; /* of who opened the socket */
};

/* The port it is redirected to, 0: it goes where it was sent. Of the ruleset's family. */
uint16_t decide_port(const struct ruleset *r, enum ruleset_hook hook,
		     const struct decide_packet *p);
/* Does a filter refuse it? It is asked where the packet goes after redirection. */
bool decide_is_refused(const struct ruleset *r, const struct decide_packet *p);

#endif
