/*
 * request: from a client's bytes to a request that is checked, routed and ready to be sent.
 */
#ifndef PROXY_REQUEST_H
#define PROXY_REQUEST_H

#include <stdbool.h>

struct exchange;

/*
 * SESSION_IDLE and SESSION_HEAD: reads the head. Both return true when the session moved to another
 * state.
 */
bool request_read_head(struct exchange *x);
/*
 * SESSION_COLLECT: reads a chunked body for as long as it comes without a pause and fits one block.
 */
bool request_collect(struct exchange *x);

#endif
