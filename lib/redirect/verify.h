/*
 * verify: proof by connections of our own that rules do what they say, before anything else runs in
 * the pod.
 *
 * In place of the proxy it listens on the proxy's port, and on another one. Then it connects, as
 * the caller and as the proxy's users: to an outside address, to the pod's own, to loopback. Each
 * connection must end where the ruleset says (see decide), with the right original destination.
 * Nothing leaves the pod while the rules hold. Which interface a route leads to is not asked: a
 * pod whose way out is an excluded interface fails.
 */
#ifndef REDIRECT_VERIFY_H
#define REDIRECT_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/error.h"
#include "redirect/ruleset.h"
#include "redirect/settings.h"

struct verify_report {
	unsigned redirected, direct; /* connections that ended as they should */
	bool is_wanted;		     /* the rules redirect something that leaves */
	bool is_busy;		     /* something listens on the proxy's port: there were none */
};

/*
 * For the rulesets whose family is not 0. What could not be proven is a note on `d`: a family
 * without a route; the proxy's users without CAP_SETUID. False when a connection went elsewhere, or
 * none could prove that anything is redirected.
 */
bool verify_run(const struct settings *s, const struct ruleset *v4, const struct ruleset *v6,
		uint64_t timeout_ms, struct diag *d, struct verify_report *report, struct error *e);

#endif
