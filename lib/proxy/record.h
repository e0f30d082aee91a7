/*
 * record: what the access log says of a request, noted while its head's bytes are there.
 */
#ifndef PROXY_RECORD_H
#define PROXY_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "http/h1head.h"
#include "proxy/accesslog.h"
#include "proxy/reason.h"
#include "route/verdict.h"

struct exchange;
struct upstream_pool;
struct worker;

struct record {
	uint64_t started_us;  /* 0: the head was never read */
	uint64_t duration_us; /* once it has ended */
	uint64_t realtime_ms;
	uint16_t method_len, host_len, path_len;
	char method[H1_METHOD_MAX];
	char host[ACCESSLOG_TEXT_MAX + 1]; /* one byte more than is shown: it makes the "..." */
	char path[ACCESSLOG_PATH_MAX + 1];
};

/* At most `max` bytes of the text, to `to`; returns how many. */
uint16_t record_text(char *to, size_t max, struct span text);

/*
 * Notes the request whose head x->head describes, in `bytes`. A head that was refused is noted as
 * far as it was understood; `framed` says that x->framing tells whom it was for.
 */
void record_request(struct exchange *x, const char *bytes, bool framed);

/* "default/securegoogle:443" and "https://www.google.com:443"; nothing when there is no route. */
#define RECORD_SERVICE_MAX 160
#define RECORD_UPSTREAM_MAX 288
void record_route(const struct exchange *x, struct buf *service, struct buf *upstream);

/* The line of the access log, if there is one. */
void record_write(const struct exchange *x);

/* What there is to say of a connection that was passed on as it is. */
struct record_relay {
	struct addr peer, original;
	struct addr address;		  /* that it was passed on to */
	const struct upstream_pool *pool; /* of the name that it was for, or NULL */
	enum verdict verdict;
	enum reason reason;
	uint64_t received_bytes, sent_bytes; /* from the client, to the client */
	uint64_t duration_us;
};

/* Its line. There must be an access log. */
void record_write_relay(struct worker *w, const struct record_relay *r);

/* What became of a request on a redirected connection. */
enum verdict record_verdict(const struct exchange *x);

#endif
