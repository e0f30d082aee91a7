#include "proxy/pages.h"

#include "proxy/metrics.h"
#include "proxy/names.h"
#include "proxy/worker.h"

#define WORKERS_MAX 256

static void render_metrics(const struct pages *p, struct buf *out)
{
	const struct metrics *metrics[WORKERS_MAX];
	const struct names *names = p->names.names;
	size_t count = 0;

	for (size_t i = 0; i < p->names.worker_count && count < WORKERS_MAX; i++)
		metrics[count++] = &p->names.workers[i].metrics;
	metrics_print(metrics, count, out);
	tally_print(p->tally, out);
	if (p->log_writer != NULL)
		logwriter_print_metrics(p->log_writer, out);
	if (p->reload != NULL)
		reload_print_metrics(p->reload, out);
	if (p->kube != NULL)
		kubesource_print_metrics(p->kube, out);
	metrics_print_one("routes", "gauge", "Routes in the table.", p->names.table->route_count,
			  out);
	metrics_print_one("names", "gauge", "External names that are watched.", names->count, out);
	metrics_print_one("names_unresolved", "gauge", "External names without an address now.",
			  names->count - names_count_state(names, RESOLVER_OK), out);
	namespage_print_metrics(&p->names, out);
	metrics_print_one("ready", "gauge", "1 when /readyz says yes.", p->is_ready, out);
	metrics_print_one("uptime_seconds", "gauge", "Since the start.", p->up_s, out);
}

static struct admin_page render_readiness(const struct pages *p, const char *type, struct buf *body)
{
	const char *why_not = "waiting for the first answers of name servers\n";

	if (p->kube != NULL && !p->kube->is_complete)
		why_not = "waiting for the first list of services\n";
	if (p->is_stopping)
		why_not = "stopping\n";

	buf_add_cstr(body, p->is_ready ? "ready\n" : why_not);
	return (struct admin_page){p->is_ready ? 200 : 503, type};
}

static struct admin_page render_routes(const struct pages *p, bool json, const char *type,
				       struct buf *body)
{
	route_table_print(p->names.table, json ? ROUTE_FORMAT_JSON : ROUTE_FORMAT_TEXT, body);
	if (!json)
		buf_add_byte(body, '\n');
	namespage_print(&p->names, json, body);
	return (struct admin_page){200, json ? "application/x-ndjson" : type};
}

struct admin_page pages_render(const struct pages *p, struct span target, struct buf *body)
{
	static const char text[] = "text/plain; charset=utf-8";
	struct span path, rest = target;

	span_split(&rest, '?', &path);
	if (span_eq(path, SPAN("/healthz"))) {
		buf_add_cstr(body, "ok\n");
		return (struct admin_page){200, text};
	}
	if (span_eq(path, SPAN("/readyz")))
		return render_readiness(p, text, body);
	if (span_eq(path, SPAN("/metrics"))) {
		render_metrics(p, body);
		return (struct admin_page){200, "text/plain; version=0.0.4; charset=utf-8"};
	}
	if (span_eq(path, SPAN("/routes")))
		return render_routes(p, span_eq(rest, SPAN("format=json")), text, body);
	return (struct admin_page){404, text};
}
