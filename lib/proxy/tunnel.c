#include "proxy/tunnel.h"

#include "proxy/exchange.h"
#include "proxy/session.h"
#include "proxy/worker.h"

/*
 * One way. Returns false when the tunnel has failed. An end is passed on as an end; a TLS upstream
 * is the exception: its close_notify would end both ways, so the client's end is kept back until
 * the upstream's comes.
 */
static bool carry(struct exchange *x, struct pump *p, struct stream *source, struct stream *sink,
		  bool *ended)
{
	struct session *s = x->session;

	if (*ended)
		return true;
	switch (pump_run(p, source, sink, &s->worker->blocks)) {
	case PUMP_AGAIN:
		return true;
	case PUMP_YIELD:
		session_run_later(s);
		return true;
	case PUMP_DONE:
		*ended = true;
		if (sink->tls == NULL)
			stream_end_output(sink);
		return true;
	case PUMP_SOURCE_ENDED:
	case PUMP_SOURCE_FAILED:
	case PUMP_SINK_FAILED:
	case PUMP_MALFORMED:
	case PUMP_NO_BUFFER:
	default:
		return false;
	}
}

bool tunnel_run(struct exchange *x)
{
	struct stream *client = &x->session->client;
	struct stream *upstream = &x->upstream->stream;
	bool client_ended = x->client_ended, upstream_ended = x->upstream_ended;
	uint64_t moved;

	if (!carry(x, &x->request, client, upstream, &client_ended)) {
		exchange_abort(x, REASON_UPSTREAM_RESET, NULL);
		return true;
	}
	if (!carry(x, &x->response, upstream, client, &upstream_ended)) {
		exchange_abort(x, REASON_CLIENT_CLOSED, NULL);
		return true;
	}
	x->client_ended = client_ended;
	x->upstream_ended = upstream_ended;
	if (upstream_ended && (client_ended || upstream->tls != NULL)) {
		x->upstream_keep_alive = false;
		exchange_finish(x);
		return true;
	}
	moved = x->request.bytes_out + x->response.bytes_out;
	if (moved != x->moved)
		session_set_timer(x->session, exchange_worker(x)->config->timeouts.tunnel_ms);
	x->moved = moved;
	return false;
}
