#include "proxy/metrics.h"

#define PREFIX METRICS_PREFIX

static const struct {
	size_t offset;
	const char *name, *kind, *help;
} rows[] = {
#define X(member, name, kind, help) {offsetof(struct metrics, member), name, kind, help},
	METRICS(X)
#undef X
};

/* The member at `offset`, summed over the workers. */
static uint64_t sum(const struct metrics *const *workers, size_t count, size_t offset)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += metrics_get(
			(const metric *)(const void *)((const char *)workers[i] + offset));
	return total;
}

void metrics_print_head(const char *name, const char *kind, const char *help, struct buf *out)
{
	buf_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, kind);
}

void metrics_print_one(const char *name, const char *kind, const char *help, uint64_t value,
		       struct buf *out)
{
	metrics_print_head(name, kind, help, out);
	buf_printf(out, PREFIX "%s %llu\n", name, (unsigned long long)value);
}

static void print_requests(const struct metrics *const *workers, size_t count, struct buf *out)
{
	metrics_print_head("requests_total", "counter",
			   "Requests that have ended, by how they ended.", out);
	for (size_t r = 0; r < REASON_COUNT; r++)
		buf_printf(out, PREFIX "requests_total{reason=\"%s\"} %llu\n",
			   reason_name((enum reason)r),
			   (unsigned long long)sum(workers, count,
						   offsetof(struct metrics, requests) +
							   r * sizeof(metric)));
}

static void add_seconds(struct buf *out, uint64_t us)
{
	buf_printf(out, "%llu.%06u", (unsigned long long)(us / 1000000), (unsigned)(us % 1000000));
}

static void print_durations(const struct metrics *const *workers, size_t count, struct buf *out)
{
	uint64_t total = 0;

	metrics_print_head("request_duration_seconds", "histogram",
			   "From a request's head to the end of its answer.", out);
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		total += sum(workers, count,
			     offsetof(struct metrics, durations) + i * sizeof(metric));
		buf_add_cstr(out, PREFIX "request_duration_seconds_bucket{le=\"");
		if (i < METRICS_BUCKETS - 1)
			add_seconds(out, UINT64_C(1) << (i + METRICS_FIRST_BUCKET));
		else
			buf_add_cstr(out, "+Inf");
		buf_printf(out, "\"} %llu\n", (unsigned long long)total);
	}
	buf_add_cstr(out, PREFIX "request_duration_seconds_sum ");
	add_seconds(out, sum(workers, count, offsetof(struct metrics, duration_us)));
	buf_printf(out, "\n" PREFIX "request_duration_seconds_count %llu\n",
		   (unsigned long long)total);
}

static void print_responses(const struct metrics *const *workers, size_t count, struct buf *out)
{
	metrics_print_head("responses_total", "counter",
			   "Final responses sent to clients, by the first digit of the status.",
			   out);
	for (size_t class = 1; class < 6; class ++)
		buf_printf(out, PREFIX "responses_total{code=\"%zuxx\"} %llu\n", class,
			   (unsigned long long)sum(workers, count,
						   offsetof(struct metrics, responses) +
							   class * sizeof(metric)));
}

static void print_tls_failures(const struct metrics *const *workers, size_t count, struct buf *out)
{
	metrics_print_head("tls_failures_total", "counter",
			   "TLS connections that failed, by error.", out);
	for (size_t error = 1; error < TLS_ERROR_COUNT; error++) {
		uint64_t total = sum(workers, count,
				     offsetof(struct metrics, tls_failures) +
					     error * sizeof(metric));

		/* Of the many errors only those that have happened: their names are stable. */
		if (total > 0)
			buf_printf(out, PREFIX "tls_failures_total{error=\"%s\"} %llu\n",
				   tls_error_name((enum tls_error)error),
				   (unsigned long long)total);
	}
}

static void print_denials(const struct metrics *const *workers, size_t count, struct buf *out)
{
	metrics_print_head("addresses_denied_total", "counter",
			   "Addresses of external names that were not connected to, by why.", out);
	for (size_t verdict = 1; verdict < GUARD_VERDICT_COUNT; verdict++)
		buf_printf(out, PREFIX "addresses_denied_total{why=\"%s\"} %llu\n",
			   guard_verdict_names[verdict],
			   (unsigned long long)sum(workers, count,
						   offsetof(struct metrics, denied) +
							   verdict * sizeof(metric)));
}

static void print_verdicts(const struct metrics *const *workers, size_t count, struct buf *out)
{
	metrics_print_head(
		"redirected_total", "counter",
		"Redirected connections (with HTTP, their requests), by what became of them.", out);
	for (size_t v = VERDICT_INTERNAL; v < VERDICT_REFUSED; v++)
		buf_printf(out, PREFIX "redirected_total{verdict=\"%s\"} %llu\n", verdict_names[v],
			   (unsigned long long)sum(workers, count,
						   offsetof(struct metrics, verdicts) +
							   v * sizeof(metric)));
}

/* Of the many only those that have happened: the names of the others are in a table above. */
static void print_refused(const struct metrics *const *workers, size_t count, struct buf *out)
{
	metrics_print_head("redirected_refused_total", "counter",
			   "Redirected connections and requests that were refused, by reason.",
			   out);
	for (size_t r = 0; r < REASON_COUNT; r++) {
		uint64_t total = sum(workers, count,
				     offsetof(struct metrics, refused) + r * sizeof(metric));

		if (total > 0)
			buf_printf(out, PREFIX "redirected_refused_total{reason=\"%s\"} %llu\n",
				   reason_name((enum reason)r), (unsigned long long)total);
	}
}

void metrics_print(const struct metrics *const *workers, size_t count, struct buf *out)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		metrics_print_one(rows[i].name, rows[i].kind, rows[i].help,
				  sum(workers, count, rows[i].offset), out);
	print_requests(workers, count, out);
	print_durations(workers, count, out);
	print_responses(workers, count, out);
	print_tls_failures(workers, count, out);
	print_denials(workers, count, out);
	print_verdicts(workers, count, out);
	print_refused(workers, count, out);
}
