#include "kubeapi/reach.h"

#include <errno.h>
#include <string.h>

#include "kubeapi/client_inner.h"
#include "kubeapi/lookup.h"
#include "sys/clock.h"

static enum client_next fail_tls(struct client *c, struct client_request *r, const char *phase)
{
	enum tls_error error = channel_tls_error(&c->channel);
	struct span path = span_from_cstr(r->path);
	size_t query = span_find(path, '?');

	if (error == TLS_NO_MEMORY || (error == TLS_OK && c->channel.error == ENOMEM))
		return client_fail(c, r, CLIENT_NO_MEMORY, "out of memory");
	if (error == TLS_OK)
		error = TLS_HANDSHAKE_CLOSED;
	r->answer->tls = error;
	client_fail(c, r, CLIENT_TLS_FAILED, "%s: %s: %s", phase, tls_error_name(error),
		    error == TLS_TLS13_ONLY
			    ? "the server speaks only TLS 1.3, and here TLS 1.2 is spoken"
			    : tls_error_text(error));
	if (error == TLS_NAME_MISMATCH || error == TLS_CERT_NO_NAME)
		client_append(r, ": it was asked for \"", span_from_cstr(c->tls_name), HOSTNAME_MAX,
			      "\"");
	/* The query is that of one page; kubectl's way is to have all in one. */
	if (error == TLS_TLS13_ONLY || error == TLS_HANDSHAKE_FAILURE ||
	    error == TLS_CERT_UNSUPPORTED)
		client_append(r,
			      "; where kubectl works, pipe its output to here: kubectl get --raw '",
			      span_first(path, query), CLIENT_PATH_SHOWN_MAX, "'");
	return CLIENT_DONE;
}

enum client_next reach_fail(struct client *c, struct client_request *r, enum channel_result result,
			    const char *doing)
{
	enum tls_error tls = channel_tls_error(&c->channel);

	if (result == CHANNEL_TIMEOUT)
		return client_fail(c, r, CLIENT_TIMEOUT, "no progress in time while %s", doing);
	if (tls != TLS_OK && tls != TLS_TRUNCATED && tls != TLS_CLOSED)
		return fail_tls(c, r, doing);
	return client_fail(c, r, CLIENT_CUT_OFF, "the server closed the connection while %s",
			   doing);
}

/* The addresses to try; one, when the server is called by its address. */
static bool find_addrs(struct client *c, struct client_request *r, struct addr *addrs,
		       unsigned *count)
{
	uint64_t deadline = client_deadline(r, c->config.connect_timeout_ms);
	struct error e;

	*count = 1;
	addrs[0] = c->url.addr;
	if (c->url.addr.family != 0)
		return true;
	if (!lookup_name(c->url.host, c->config.resolver, deadline, addrs, count, &e)) {
		client_fail(c, r, CLIENT_UNREACHABLE, "%s", e.text);
		return false;
	}
	for (unsigned i = 0; i < *count; i++)
		addrs[i].port = c->url.port;
	return true;
}

static bool secure(struct client *c, struct client_request *r, uint64_t deadline_ms)
{
	enum channel_result result;

	if (!c->url.is_https)
		return true;
	result = channel_secure(&c->channel, c->profile, c->tls_name, c->config.keypair,
				clock_realtime_ms() / 1000, deadline_ms);
	if (result == CHANNEL_OK)
		return true;
	if (result == CHANNEL_TIMEOUT)
		client_fail(c, r, CLIENT_TIMEOUT, "no progress in time in the TLS handshake");
	else
		fail_tls(c, r, "TLS handshake");
	channel_close(&c->channel);
	return false;
}

/* A new connection to the first address that takes one. */
static bool connect_anew(struct client *c, struct client_request *r)
{
	struct addr addrs[LOOKUP_MAX];
	unsigned count;

	channel_close(&c->channel);
	r->is_reused = false;
	c->in_at = c->in_len = 0;
	if (!find_addrs(c, r, addrs, &count))
		return false;
	for (unsigned i = 0; i < count; i++) {
		uint64_t deadline = client_deadline(r, c->config.connect_timeout_ms);
		enum channel_result result = channel_open(&c->channel, &addrs[i], deadline);
		char text[ADDR_TEXT_MAX];
		struct buf where;

		if (result == CHANNEL_OK)
			return secure(c, r, deadline);
		BUF_INIT_ARRAY(&where, text);
		addr_format(&addrs[i], &where);
		if (result == CHANNEL_TIMEOUT)
			client_fail(c, r, CLIENT_TIMEOUT, "no connection to %s in time", text);
		else
			client_fail(c, r, CLIENT_UNREACHABLE, "no connection to %s: %s", text,
				    strerror(c->channel.error));
	}
	return false;
}

/* On an old connection, nobody could say whether a POST had arrived. */
bool reach_server(struct client *c, struct client_request *r)
{
	r->is_reused = true;
	if (r->method == H1_METHOD_GET && c->in_at == c->in_len && channel_is_quiet(&c->channel))
		return true;
	return connect_anew(c, r);
}
