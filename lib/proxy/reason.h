/*
 * reason: how a request, or a connection that is passed on, ended, for the access log, the metrics
 * and the answer. One row each.
 *
 * What has a finer cause (a rule of HTTP that was broken, a certificate that was refused) also
 * carries that cause's own name, as a constant text; the log shows the finer one.
 */
#ifndef PROXY_REASON_H
#define PROXY_REASON_H

/* member, name in log and metrics, HTTP status of our answer (0: none can be given), text */
#define PROXY_REASONS(X)                                                                           \
	X(REASON_OK, "ok", 0, "the response was passed on whole")                                  \
	X(REASON_BAD_REQUEST, "bad_request", 400, "the request breaks a rule of HTTP")             \
	X(REASON_TLS_ON_PLAIN_PORT, "tls_on_plain_port", 0,                                        \
	  "this port speaks plain HTTP; the proxy originates TLS itself")                          \
	X(REASON_UNKNOWN_HOST, "unknown_host", 404, "no such Service is registered")               \
	X(REASON_UNKNOWN_PORT, "unknown_port", 404, "the Service has no such port")                \
	X(REASON_METHOD_REFUSED, "method_refused", 501, "this method is not supported here")       \
	X(REASON_LOOP, "loop", 508, "the request has been through this proxy already")             \
	X(REASON_LAST_HOP, "last_hop", 200, "Max-Forwards ended here")                             \
	X(REASON_HEADER_TIMEOUT, "header_timeout", 408, "the request head took too long")          \
	X(REASON_CLIENT_CLOSED, "client_closed", 0, "the client went away")                        \
	X(REASON_CLIENT_TIMEOUT, "client_timeout", 408, "the client made no progress")             \
	X(REASON_BODY_MALFORMED, "body_malformed", 400, "the request body is not framed well")     \
	X(REASON_DNS_NXDOMAIN, "dns_nxdomain", 503, "the external name does not exist")            \
	X(REASON_DNS_NODATA, "dns_nodata", 503, "the external name has no address")                \
	X(REASON_DNS_SERVFAIL, "dns_servfail", 503, "the name servers failed")                     \
	X(REASON_DNS_TIMEOUT, "dns_timeout", 503, "the name servers did not answer in time")       \
	X(REASON_ADDRESS_DENIED, "address_denied", 403,                                            \
	  "the external name leads to an address that this proxy may not connect to")              \
	X(REASON_CONNECT_REFUSED, "connect_refused", 502, "the upstream refused the connection")   \
	X(REASON_CONNECT_FAILED, "connect_failed", 502, "the upstream cannot be reached")          \
	X(REASON_CONNECT_TIMEOUT, "connect_timeout", 504, "connecting to the upstream timed out")  \
	X(REASON_TLS_FAILED, "tls_failed", 502, "TLS with the upstream failed")                    \
	X(REASON_TLS_TIMEOUT, "tls_timeout", 504, "the TLS handshake with the upstream timed out") \
	X(REASON_UPSTREAM_CLOSED, "upstream_closed", 502, "the upstream closed too early")         \
	X(REASON_UPSTREAM_RESET, "upstream_reset", 502, "the upstream reset the connection")       \
	X(REASON_BAD_RESPONSE, "bad_response", 502, "the upstream's answer breaks a rule of HTTP") \
	X(REASON_RESPONSE_TIMEOUT, "response_timeout", 504, "the upstream did not answer in time") \
	X(REASON_UPSTREAM_TIMEOUT, "upstream_timeout", 504, "the upstream made no progress")       \
	X(REASON_OVERLOAD, "overload", 503, "the proxy is out of buffers or descriptors")          \
	X(REASON_SHUTDOWN, "shutdown", 503, "the proxy is shutting down")                          \
	X(REASON_TUNNEL_TIMEOUT, "tunnel_timeout", 0, "the connection idled too long")             \
	X(REASON_NOT_REDIRECTED, "not_redirected", 0,                                              \
	  "made straight to the port that takes redirected connections")                           \
	X(REASON_PROXY_REDIRECTED, "proxy_redirected", 0,                                          \
	  "a connection of the proxy's own came back: its user id is not exempt from the rules")   \
	X(REASON_UNKNOWN_SNI, "unknown_sni", 0,                                                    \
	  "TLS to a server name that is no registered https port's")                               \
	X(REASON_UNRECOGNISED, "unrecognised", 0, "neither HTTP nor TLS, to the outside")          \
	X(REASON_DETECT_TIMEOUT, "detect_timeout", 0,                                              \
	  "the client sent nothing to tell its protocol by, to the outside")

enum reason {
#define X(member, name, status, text) member,
	PROXY_REASONS(X)
#undef X
		REASON_COUNT,
};

const char *reason_name(enum reason r);
int reason_status(enum reason r);
const char *reason_text(enum reason r);

#endif
