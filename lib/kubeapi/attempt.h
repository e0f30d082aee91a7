/*
 * attempt: one try of a client's request: the request out, the answer in. Private to lib/kubeapi.
 */
#ifndef KUBEAPI_ATTEMPT_H
#define KUBEAPI_ATTEMPT_H

#include "kubeapi/client_inner.h"

/* A token without the line ends behind it. False when it is none: see CLIENT_TOKEN_MAX. */
bool attempt_check_token(struct span *token);

/*
 * Fills the answer. What it returns besides CLIENT_DONE is advice; then no byte of a body was given
 * out.
 */
enum client_next attempt_run(struct client *c, struct client_request *r);

#endif
