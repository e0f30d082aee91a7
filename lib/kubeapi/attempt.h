/*
 * attempt: one try of a client's request: the request out, the answer in. Private to lib/kubeapi.
 */
#ifndef KUBEAPI_ATTEMPT_H
#define KUBEAPI_ATTEMPT_H

#include "http/h1body.h"
#include "http/h1frame.h"
#include "kubeapi/client_inner.h"

/* A token without the line ends behind it. False when it is none: see CLIENT_TOKEN_MAX. */
bool attempt_check_token(struct span *token);

/*
 * Fills the answer. What it returns besides CLIENT_DONE is advice; then no byte of a body was given
 * out.
 */
enum client_next attempt_run(struct client *c, struct client_request *r);

/*
 * The parts of it, for one who moves the bytes himself. The answer is empty, the token read anew,
 * and the request's head written; false with the answer's reason and text.
 */
bool attempt_prepare(struct client *c, struct client_request *r);
/* Behind the head of the answer, which is at the front of `in`. */
void attempt_begin_body(struct client *c, struct client_request *r,
			const struct h1_framing *framing, struct h1_body *body);
/*
 * Gives what is in `in` to the sink, or, of a refusal, keeps it. H1_BODY_MORE or H1_BODY_END;
 * H1_BODY_BAD: the answer says why.
 */
enum h1_body_event attempt_take_body(struct client *c, struct client_request *r,
				     struct h1_body *body);
/* Behind the body, or what there was of it: what the answer comes to. */
enum client_next attempt_conclude(struct client *c, struct client_request *r, bool is_complete);

#endif
