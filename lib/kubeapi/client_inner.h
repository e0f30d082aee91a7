/*
 * client_inner: what a client consists of, and what one of its requests does, for lib/kubeapi only.
 */
#ifndef KUBEAPI_CLIENT_INNER_H
#define KUBEAPI_CLIENT_INNER_H

#include "base/arena.h"
#include "base/buf.h"
#include "http/h1head.h"
#include "kubeapi/channel.h"
#include "kubeapi/client.h"
#include "kubeapi/serverurl.h"
#include "net/hostname.h"

#define CLIENT_IN_SIZE (32u << 10)

struct client {
	struct client_config config; /* with defaults filled in */
	struct serverurl url;
	char tls_name[HOSTNAME_MAX + 1]; /* whom the certificate has to name */
	struct tls_profile *profile;	 /* NULL for http */
	struct channel channel;
	struct arena arena;   /* of one try: the token file, the Status */
	struct buf request;   /* head of the request */
	struct buf words;     /* body of a refusal */
	struct h1_head head;  /* of the answer; points into `in` */
	size_t in_at, in_len; /* what of `in` has not been looked at */
	char in[CLIENT_IN_SIZE];
};

/* One request, with all its tries. */
struct client_request {
	enum h1_method method;
	const char *path;
	struct span json; /* of a POST */
	const struct client_sink *sink;
	struct client_answer *answer;
	struct buf text; /* over answer->error */
	uint64_t deadline_ms;
	bool is_reused;		 /* the connection of this try has had a request before */
	uint32_t retry_after_ms; /* as the server said; 0 when it did not */
};

/* What a try leads to. */
enum client_next {
	CLIENT_DONE,	      /* whatever came of it */
	CLIENT_AGAIN_AT_ONCE, /* a kept connection had died meanwhile */
	CLIENT_AGAIN_LATER,
};

/* Bytes of a path in a message. */
#define CLIENT_PATH_SHOWN_MAX 80

/* Gives the answer this reason and text, behind the server's URL. CLIENT_DONE. */
enum client_next client_fail(const struct client *c, struct client_request *r,
			     enum client_reason reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Puts words behind the text, escaped, between two of our own. */
void client_append(struct client_request *r, const char *before, struct span words, size_t max,
		   const char *after);
/* clock_monotonic_ms() `after_ms` from now, but not behind the end of the request. */
uint64_t client_deadline(const struct client_request *r, uint32_t after_ms);

#endif
