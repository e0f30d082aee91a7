/*
 * reach: a connection to the server for a client's request, kept or new. Private to lib/kubeapi.
 */
#ifndef KUBEAPI_REACH_H
#define KUBEAPI_REACH_H

#include <stdbool.h>

#include "kubeapi/client_inner.h"

/*
 * Leaves the client's channel open, with TLS for https, and r->is_reused set. A GET may take the
 * connection that is there; else the name's addresses are tried one after the other until one takes
 * a connection. False with the answer's reason and text.
 */
bool reach_server(struct client *c, struct client_request *r);

/* Fails the request for what became of its connection `doing` something: CUT_OFF, TIMEOUT, TLS. */
enum client_next reach_fail(struct client *c, struct client_request *r, enum channel_result result,
			    const char *doing);

#endif
