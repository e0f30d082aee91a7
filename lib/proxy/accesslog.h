/*
 * accesslog: one line per request, and per connection passed on as it is; text or JSON, the same
 * keys in the same order.
 */
#ifndef PROXY_ACCESSLOG_H
#define PROXY_ACCESSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "net/addr.h"

#define ACCESSLOG_FORMATS(X)                                                                       \
	X(ACCESSLOG_TEXT, "text")                                                                  \
	X(ACCESSLOG_JSON, "json")                                                                  \
	X(ACCESSLOG_OFF, "off")

enum accesslog_format {
#define X(member, name) member,
	ACCESSLOG_FORMATS(X)
#undef X
};

/* The names, in order, NULL-terminated: for the option table. */
extern const char *const accesslog_format_names[];

/*
 * What is known of a request when it ends. Empty spans and zero addresses are shown as "-" or null.
 */
struct accesslog_entry {
	uint64_t realtime_ms; /* when its head was complete, or when it failed before */
	struct addr client;
	struct span method;
	struct span host; /* as the client wrote it */
	struct span path;
	unsigned status;	 /* that the client was sent; 0: none */
	struct span service;	 /* "default/externalbin:80" */
	struct span upstream;	 /* "https://www.google.com:443" */
	struct addr address;	 /* that was talked to */
	bool reused;		 /* on a connection that had carried a request before */
	uint64_t received_bytes; /* of the request, as passed on */
	uint64_t sent_bytes;	 /* to the client */
	uint64_t duration_us;
	const char *reason;
	struct span source; /* "services.yaml:31:7" */
	/* Of a connection that was redirected to us: two keys more, at the end. NULL: none. */
	const char *verdict;
	struct addr original; /* where the client wanted to go */
};

/* Bytes shown of a path and of other texts; longer ones end in "...". */
#define ACCESSLOG_PATH_MAX 1024
#define ACCESSLOG_TEXT_MAX 256
/* The longest line: six bytes for each of a path and five texts, and the rest. */
#define ACCESSLOG_LINE_MAX (6 * (ACCESSLOG_PATH_MAX + 5 * ACCESSLOG_TEXT_MAX) + 1024)

/* Appends the entry's line, its end included. Nothing for ACCESSLOG_OFF. */
void accesslog_format(enum accesslog_format format, const struct accesslog_entry *entry,
		      struct buf *out);

#endif
