#include "proxy/record.h"

#include <string.h>

#include "proxy/exchange.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "sys/clock.h"

uint16_t record_text(char *to, size_t max, struct span text)
{
	size_t len = text.len < max ? text.len : max;

	if (len > 0)
		memcpy(to, text.ptr, len);
	return (uint16_t)len;
}

/* Notes what the log will say. The head may have been refused: then as much as is known of it. */
void record_request(struct exchange *x, const char *bytes, bool framed)
{
	struct record *r = &x->record;
	const struct h1_head *head = &x->head;

	r->started_us = clock_monotonic_us();
	if (exchange_worker(x)->config->access_log == ACCESSLOG_OFF)
		return;
	r->realtime_ms = clock_realtime_ms();
	r->method_len = record_text(r->method, sizeof r->method,
				    h1head_text(bytes, head->method_text));
	r->path_len = record_text(r->path, sizeof r->path,
				  h1head_text(bytes, head->target_form == H1_TARGET_ABSOLUTE
							     ? head->path
							     : head->target));
	if (framed)
		r->host_len = record_text(r->host, sizeof r->host,
					  h1head_text(bytes, x->framing.authority));
}

void record_route(const struct exchange *x, struct buf *service, struct buf *upstream)
{
	const struct route *route = x->route;

	if (route == NULL)
		return;
	buf_add(service, route->service->namespace);
	if (service->len > 0)
		buf_add_byte(service, '/');
	buf_add(service, route->service->name);
	buf_add_byte(service, ':');
	buf_add_u64(service, route->port);
	buf_add_cstr(upstream, route->tls ? "https://" : "http://");
	buf_add(upstream, route->service->external_name);
	buf_add_byte(upstream, ':');
	buf_add_u64(upstream, route->port);
}

static void write_line(struct worker *w, const struct accesslog_entry *entry)
{
	char text[ACCESSLOG_LINE_MAX];
	struct buf line;

	BUF_INIT_ARRAY(&line, text);
	accesslog_format(w->config->access_log, entry, &line);
	logwriter_put(w->log, buf_span(&line));
}

void record_write(const struct exchange *x)
{
	const struct record *r = &x->record;
	struct worker *w = exchange_worker(x);
	char service_text[RECORD_SERVICE_MAX], upstream_text[RECORD_UPSTREAM_MAX];
	struct buf service, upstream;
	struct accesslog_entry entry;

	if (w->config->access_log == ACCESSLOG_OFF)
		return;
	BUF_INIT_ARRAY(&service, service_text);
	BUF_INIT_ARRAY(&upstream, upstream_text);
	record_route(x, &service, &upstream);
	entry = (struct accesslog_entry){
		.realtime_ms = r->started_us != 0 ? r->realtime_ms : clock_realtime_ms(),
		.client = x->session->peer,
		.method = span_of(r->method, r->method_len),
		.host = span_of(r->host, r->host_len),
		.path = span_of(r->path, r->path_len),
		.status = x->status,
		.service = buf_span(&service),
		.upstream = buf_span(&upstream),
		.address = x->address,
		.reused = x->was_reused,
		.received_bytes = x->head_bytes + x->request.bytes_in,
		.sent_bytes = x->response.bytes_out,
		.duration_us = r->duration_us,
		.reason = x->detail != NULL ? x->detail : reason_name(x->reason),
		.source = x->route != NULL ? x->route->pos : SPAN(""),
	};
	if (x->session->is_redirected) {
		entry.verdict = verdict_names[record_verdict(x)];
		entry.original = *session_original(x->session);
	}
	write_line(w, &entry);
}

void record_write_relay(struct worker *w, const struct record_relay *r)
{
	struct accesslog_entry entry = {
		.realtime_ms = clock_realtime_ms() - r->duration_us / 1000,
		.client = r->peer,
		.method = SPAN("TCP"),
		.host = r->pool != NULL ? span_from_cstr(r->pool->host) : SPAN(""),
		.address = r->address,
		.received_bytes = r->received_bytes,
		.sent_bytes = r->sent_bytes,
		.duration_us = r->duration_us,
		.reason = reason_name(r->reason),
		.verdict = verdict_names[r->verdict],
		.original = r->original,
	};

	write_line(w, &entry);
}

enum verdict record_verdict(const struct exchange *x)
{
	if (x->route == NULL)
		return x->status != 0 ? VERDICT_REFUSED : VERDICT_EXTERNAL;
	return x->route->host_header.len > 0 ? VERDICT_HTTP : VERDICT_GATEWAY;
}
