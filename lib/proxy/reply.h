/*
 * reply: answers of our own, instead of the upstream's.
 */
#ifndef PROXY_REPLY_H
#define PROXY_REPLY_H

#include <stdbool.h>

#include "base/span.h"
#include "proxy/reason.h"

struct exchange;

/*
 * Refuses the request with the reason's status, or ends the connection where no answer can be given
 * any more. `detail`: a finer name than the reason's, a constant text, or NULL. `line` is the
 * answer's text; empty: made from the reason.
 */
void reply_refuse(struct exchange *x, enum reason reason, const char *detail, struct span line);
/* The same with another status than the reason's. */
void reply_refuse_as(struct exchange *x, enum reason reason, unsigned status, const char *detail,
		     struct span line);

/* SESSION_REPLY: sends it. True when the session moved to another state. */
bool reply_run(struct exchange *x);

#endif
