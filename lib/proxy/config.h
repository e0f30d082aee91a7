/*
 * config: what the data side must know, decided before any worker starts and never changed.
 */
#ifndef PROXY_CONFIG_H
#define PROXY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "net/cidrset.h"
#include "net/hostport.h"
#include "proxy/accesslog.h"
#include "route/verdict.h"

struct guard;
struct resume;
struct tls_profile;

/* All in milliseconds. */
struct proxy_timeouts {
	uint64_t header_ms;	   /* from the first byte of a request head to its end */
	uint64_t idle_ms;	   /* a client's keep-alive connection between two requests */
	uint64_t stream_ms;	   /* a body, without progress */
	uint64_t resolve_ms;	   /* a name's first answer */
	uint64_t connect_ms;	   /* TCP, all addresses of the name together */
	uint64_t tls_ms;	   /* handshake */
	uint64_t response_ms;	   /* from the request's last byte to the response's head */
	uint64_t upstream_idle_ms; /* a pooled connection */
	uint64_t tunnel_ms;	   /* an upgraded or relayed connection, without traffic */
	uint64_t linger_ms;	   /* after a refusal, reading on so that the answer arrives */
	uint64_t detect_ms;	   /* an external connection's first bytes */
};

struct proxy_config {
	struct proxy_timeouts timeouts;
	const struct tls_profile *tls; /* the caller's, as is all here; outlives the workers */
	struct resume *sessions;       /* of TLS */
	const struct guard *guard;     /* of addresses of names; as well; NULL: none */
	struct span via;	       /* our name in Via, by which loops are seen; empty: none */
	bool keep_internal_headers;
	enum accesslog_format access_log;
	size_t max_sessions; /* per worker, relays among them */

	/* Of redirected connections. */
	struct cidrset cluster; /* merged; the caller's */
	enum verdict_policy policy;
};

/*
 * What is inside a cluster when nothing is said: RFC 1918, RFC 6598, RFC 4193, and the Services of
 * GKE's clusters.
 */
#define CONFIG_CIDRS                                                                               \
	"10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7,34.118.224.0/20"

/* What h1write has room for. */
#define CONFIG_VIA_MAX 64

/* From the options of these names, which the errors name; texts are borrowed. */
bool config_set_cluster(struct proxy_config *c, const char *cidrs, struct error *e);
bool config_set_via(struct proxy_config *c, const char *name, struct error *e);
bool config_parse_gateway(const char *text, struct hostport *out, struct error *e);

#endif
