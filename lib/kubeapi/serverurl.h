/*
 * serverurl: the URL of an API server, "https://HOST[:PORT][/PREFIX]", in its parts.
 */
#ifndef KUBEAPI_SERVERURL_H
#define KUBEAPI_SERVERURL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "net/addr.h"

struct serverurl {
	bool is_https;	    /* else http */
	bool is_ipv6;	    /* the host stood in brackets */
	struct span host;   /* without brackets; borrowed, as `prefix` is */
	struct addr addr;   /* of a host that is an address, with the port; else family 0 */
	uint16_t port;	    /* 443 or 80 when the URL has none */
	bool has_port;	    /* the URL has one */
	struct span prefix; /* "" or "/k8s/clusters/c-1": without a slash at its end */
};

/*
 * The scheme is needed, in any case. Refuses user information, a query, a fragment, and a host that
 * is neither a DNS name nor an address; the error quotes the text and says what was expected.
 */
bool serverurl_parse(struct span text, struct serverurl *out, struct error *e);

/* "10.0.0.1:6443", "[2001:db8::1]": the value of Host. */
void serverurl_add_authority(const struct serverurl *url, struct buf *out);
/* "https://10.0.0.1:6443/prefix" */
void serverurl_format(const struct serverurl *url, struct buf *out);

#endif
