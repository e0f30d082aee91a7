/*
 * client: requests to a Kubernetes API server, one at a time, over a connection that is kept from
 * one to the next. HTTP/1.1 over TLS 1.2, the server always verified; plain http for `kubectl
 * proxy`, without credentials.
 *
 *	client_new(&config, &e)
 *	client_get(c, "/api/v1/nodes?limit=500", &sink, &answer)	as often as needed
 *	client_free(c)
 *
 * Calls block, but never without bound: each step has its timeout and a request as a whole has one.
 * Nothing is read from the environment; the clocks are read, and files that the config names.
 */
#ifndef KUBEAPI_CLIENT_H
#define KUBEAPI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "ev/resolver.h"
#include "tls/anchors.h"
#include "tls/keypair.h"
#include "tls/tls_error.h"

/* What the server says about a failure, its Status object, is kept up to this size. */
#define CLIENT_STATUS_MAX (64u << 10)
/* A token has 1 to 2 KiB; one with more than this, or none, is refused. */
#define CLIENT_TOKEN_MAX (12u << 10)

/* X(member, name): how a request ended. Names are for scripts and tests. */
#define CLIENT_REASONS(X)                                                                          \
	X(CLIENT_OK, "ok") /* 2xx, the body is complete */                                         \
	/* Nothing was answered. */                                                                \
	X(CLIENT_BAD_CREDENTIALS, "bad_credentials") /* the token file can't be read */            \
	X(CLIENT_UNREACHABLE, "unreachable")	     /* no address, refused, no route */           \
	X(CLIENT_TLS_FAILED, "tls_failed")	     /* answer.tls says which way */               \
	X(CLIENT_TIMEOUT, "timeout")		     /* in any phase; text says in which */        \
	/* The server has said no; answer.status has the number. */                                \
	X(CLIENT_UNAUTHORIZED, "unauthorized") /* 401 */                                           \
	X(CLIENT_FORBIDDEN, "forbidden")       /* 403 */                                           \
	X(CLIENT_NOT_FOUND, "not_found")       /* 404 */                                           \
	X(CLIENT_GONE, "gone")		       /* 410: a continue token has expired; start over */ \
	X(CLIENT_BUSY, "busy")		       /* 429, also after waiting */                       \
	X(CLIENT_REJECTED, "rejected")	       /* any other 4xx, 422 for example */                \
	X(CLIENT_SERVER_ERROR, "server_error") /* 5xx, also after trying again */                  \
	X(CLIENT_BAD_STATUS, "bad_status")     /* 1xx without end, 3xx */                          \
	/* The answer is of no use. */                                                             \
	X(CLIENT_BAD_RESPONSE, "bad_response") /* not HTTP as RFC 9112 has it */                   \
	X(CLIENT_CUT_OFF, "cut_off")	       /* the connection ended before the answer did */    \
	X(CLIENT_TOO_LARGE, "too_large")       /* more than sink.max_bytes */                      \
	X(CLIENT_STOPPED, "stopped")	       /* on_piece did not want more */                    \
	/* Ourselves. */                                                                           \
	X(CLIENT_NO_MEMORY, "no_memory")

#define CLIENT_REASON_MEMBER(member, name) member,
enum client_reason { CLIENT_REASONS(CLIENT_REASON_MEMBER) CLIENT_REASON_COUNT };
#undef CLIENT_REASON_MEMBER

/* "unreachable"; never NULL. */
const char *client_reason_name(enum client_reason reason);

/* All is borrowed until client_free. 0 in a number means the default in brackets. */
struct client_config {
	/*
	 * "https://HOST[:PORT][/PREFIX]" or "http://...": HOST is a name or an address, IPv6 in
	 * brackets. Without a port: 443 or 80.
	 */
	struct span server;
	/* The name or address that the certificate is checked for, instead of HOST; or empty. */
	struct span tls_server_name;
	const struct anchors *anchors; /* whom to trust; NULL only with http */
	const struct keypair *keypair; /* the client's certificate, when asked for; or NULL */
	struct span token;	       /* for "Authorization: Bearer", or empty */
	const char *token_file;	       /* the same, read anew for each request; or NULL */
	const char *user_agent;	       /* "egressbox/0.1.0"; NULL: "egressbox" */
	/* For a HOST that is a name: servers, hosts, pins. NULL: only addresses can be called. */
	const struct resolver_config *resolver;

	uint32_t connect_timeout_ms; /* names, TCP and TLS together, per address (10000) */
	uint32_t idle_timeout_ms;    /* waiting for the next bytes of an answer (30000) */
	uint32_t total_timeout_ms;   /* for a request with all its tries (120000) */
	unsigned tries;		     /* of a request that 429, 5xx or a lost connection met (4) */
	uint32_t retry_min_ms;	     /* first wait, doubled each time (250) */
	uint32_t retry_max_ms;	     /* longest wait; Retry-After is kept within it (10000) */
};

/* Where the body of a 2xx goes, piece by piece. NULL for one: it is read and dropped. */
struct client_sink {
	/* Borrowed bytes, at least one. False: no more is wanted, the request ends as STOPPED. */
	bool (*on_piece)(void *context, struct span piece);
	void *context;
	uint64_t max_bytes; /* of the body; more is CLIENT_TOO_LARGE. Must not be 0 */
};

struct client_answer {
	enum client_reason reason;
	unsigned status;     /* 0 when there was none */
	enum tls_error tls;  /* of CLIENT_TLS_FAILED */
	uint64_t body_bytes; /* given to the sink */
	/*
	 * Of a failure: one line, with the server's URL, what went wrong, the server's own words
	 * and, where another way leads on, the command to type: for tls13_only and what else TLS
	 * lacks here, `kubectl get --raw PATH`. Safe to print.
	 */
	struct error error;
	/*
	 * Of the server's Status object, in the client until its next request; empty when there was
	 * none: "nodes is forbidden: User ... cannot list resource ...", "Forbidden". As they came.
	 */
	struct span message;
	struct span status_reason;
};

struct client;

/* Checks the config, opens nothing. NULL with the reason. */
struct client *client_new(const struct client_config *config, struct error *e);
/* Closes the connection. NULL is fine. */
void client_free(struct client *c);

/*
 * GETs `path` (origin form: "/api/v1/nodes?limit=500"; behind the server's own prefix). True for
 * CLIENT_OK. Tried again, with waits, while no byte of a body has been given to the sink.
 */
bool client_get(struct client *c, const char *path, const struct client_sink *sink,
		struct client_answer *answer);
/*
 * POSTs JSON. Sent again only after 429, or when the connection could not be made: never twice to a
 * server that may have acted on it.
 */
bool client_post(struct client *c, const char *path, struct span json,
		 const struct client_sink *sink, struct client_answer *answer);

/*
 * A page of a list: PATH, "?" or "&", "limit=LIMIT" and, when the token (metadata.continue of the
 * page before, as it came) is not empty, "&continue=TOKEN" with what a query can't hold in percent
 * encoding. False when `out` is too small.
 */
bool client_page_path(struct buf *out, const char *path, unsigned limit, struct span token);
/* A value in a query, with what it can't hold there in percent encoding. */
void client_add_query_value(struct buf *out, struct span text);

#endif
