#include "../unit.h"

#include "proxy/metrics.h"

static struct metrics workers[3];

static void print(size_t count, struct buf *out)
{
	const struct metrics *list[] = {&workers[0], &workers[1], &workers[2]};

	buf_init_heap(out, 1 << 20);
	metrics_print(list, count, out);
	CHECK(!out->truncated);
}

static void adds_and_subtracts(void)
{
	metric m = 0;

	metrics_add(&m, 5);
	metrics_sub(&m, 2);
	CHECK_INT(metrics_get(&m), 3);
	metrics_add(&m, UINT64_MAX - 3);
	CHECK(metrics_get(&m) == UINT64_MAX);
}

static void prints_one_sample_with_its_help(void)
{
	char storage[300];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	metrics_print_one("ready", "gauge", "Says it.", UINT64_MAX, &out);
	CHECK_TEXT(buf_cstr(&out), "# HELP egressbox_ready Says it.\n"
				   "# TYPE egressbox_ready gauge\n"
				   "egressbox_ready 18446744073709551615\n");
}

static bool has_line(const struct buf *out, const char *line)
{
	struct span rest = buf_span(out), part;

	while (span_split(&rest, '\n', &part))
		if (span_eq(part, span_from_cstr(line)))
			return true;
	return false;
}

static void sums_over_all_workers(void)
{
	struct buf out;

	memset(workers, 0, sizeof workers);
	for (uint64_t i = 0; i < 3; i++) {
		metrics_add(&workers[i].sent_bytes, 1 + i);
		metrics_add(&workers[i].requests[REASON_OK], 10 * i);
		metrics_add(&workers[i].requests[REASON_TUNNEL_TIMEOUT], 7);
		metrics_add(&workers[i].responses[5], 100);
		metrics_add(&workers[i].tls_failures[1], i);
	}
	print(3, &out);
	CHECK(has_line(&out, "egressbox_client_sent_bytes_total 6"));
	CHECK(has_line(&out, "egressbox_requests_total{reason=\"ok\"} 30"));
	CHECK(has_line(&out, "egressbox_requests_total{reason=\"tunnel_timeout\"} 21"));
	CHECK(has_line(&out, "egressbox_requests_total{reason=\"loop\"} 0"));
	CHECK(has_line(&out, "egressbox_responses_total{code=\"5xx\"} 300"));
	buf_fini(&out);
	print(1, &out);
	CHECK(has_line(&out, "egressbox_client_sent_bytes_total 1"));
	CHECK(has_line(&out, "egressbox_responses_total{code=\"5xx\"} 100"));
	buf_fini(&out);
}

static void durations_fall_into_buckets(void)
{
	static const struct {
		uint64_t us;
		unsigned bucket;
	} rows[] = {
		{0, 0},		{1, 0},		  {256, 0},	 {257, 1},
		{512, 1},	{513, 2},	  {1 << 25, 17}, {(1 << 25) + 1, 18},
		{1u << 31, 18}, {UINT64_MAX, 18},
	};
	struct buf out;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(workers, 0, sizeof workers);
		metrics_add_duration(&workers[0], rows[i].us);
		CHECK_INT(metrics_get(&workers[0].durations[rows[i].bucket]), 1);
	}
	memset(workers, 0, sizeof workers);
	metrics_add_duration(&workers[0], 300);
	metrics_add_duration(&workers[1], 1000);
	metrics_add_duration(&workers[2], 2000000);
	metrics_add_duration(&workers[2], 90000000);
	print(3, &out);
	CHECK(has_line(&out, "egressbox_request_duration_seconds_bucket{le=\"0.000256\"} 0"));
	CHECK(has_line(&out, "egressbox_request_duration_seconds_bucket{le=\"0.000512\"} 1"));
	CHECK(has_line(&out, "egressbox_request_duration_seconds_bucket{le=\"0.001024\"} 2"));
	CHECK(has_line(&out, "egressbox_request_duration_seconds_bucket{le=\"2.097152\"} 3"));
	CHECK(has_line(&out, "egressbox_request_duration_seconds_bucket{le=\"33.554432\"} 3"));
	CHECK(has_line(&out, "egressbox_request_duration_seconds_bucket{le=\"+Inf\"} 4"));
	CHECK(has_line(&out, "egressbox_request_duration_seconds_sum 92.001300"));
	CHECK(has_line(&out, "egressbox_request_duration_seconds_count 4"));
	buf_fini(&out);
}

static void prints_tls_errors_that_happened_and_no_others(void)
{
	struct buf out;
	char line[200];

	memset(workers, 0, sizeof workers);
	print(3, &out);
	CHECK(strstr(buf_cstr(&out), "tls_failures_total{") == NULL);
	CHECK(strstr(buf_cstr(&out), "# TYPE egressbox_tls_failures_total counter\n") != NULL);
	buf_fini(&out);
	for (int error = 1; error < TLS_ERROR_COUNT; error++)
		metrics_add(&workers[1].tls_failures[error], (uint64_t)error);
	print(3, &out);
	for (int error = 1; error < TLS_ERROR_COUNT; error++) {
		snprintf(line, sizeof line, "egressbox_tls_failures_total{error=\"%s\"} %d",
			 tls_error_name((enum tls_error)error), error);
		CHECK_ROW(line, has_line(&out, line));
	}
	buf_fini(&out);
}

static void prints_denials_by_why(void)
{
	struct buf out;

	memset(workers, 0, sizeof workers);
	metrics_add(&workers[0].denied[GUARD_LINK_LOCAL], 2);
	metrics_add(&workers[2].denied[GUARD_LINK_LOCAL], 1);
	print(3, &out);
	CHECK(has_line(&out, "egressbox_addresses_denied_total{why=\"denied_link_local\"} 3"));
	CHECK(has_line(&out, "egressbox_addresses_denied_total{why=\"denied_private\"} 0"));
	CHECK(strstr(buf_cstr(&out), "why=\"allowed\"") == NULL);
	buf_fini(&out);
}

/*
 * The exposition format: every sample stands right below the HELP and TYPE of its family, every
 * family is told once.
 */
static void keeps_the_exposition_format(void)
{
	struct span rest, line, words, family = SPAN("");
	struct buf out;
	size_t families = 0;
	bool is_histogram = false;

	memset(workers, 0, sizeof workers);
	metrics_add(&workers[0].tls_failures[1], 1);
	print(2, &out);
	CHECK(span_ends_with(buf_span(&out), SPAN("\n")));
	rest = buf_span(&out);
	while (span_split(&rest, '\n', &line) && rest.ptr != NULL) {
		words = line;
		if (!span_starts_with(line, SPAN("# HELP "))) {
			struct span name = span_first(line, span_find(line, ' '));

			name = span_first(name, span_find(name, '{'));
			CHECK(is_histogram ? span_starts_with(name, family)
					   : span_eq(name, family));
			continue;
		}
		words = span_from(line, 7);
		span_split(&words, ' ', &family);
		CHECK(span_starts_with(family, SPAN("egressbox_")) && words.len > 0);
		CHECK(span_split(&rest, '\n', &line));
		CHECK(span_starts_with(line, SPAN("# TYPE ")));
		words = span_from(line, 7);
		CHECK(span_starts_with(words, family));
		words = span_from(words, family.len + 1);
		is_histogram = span_eq(words, SPAN("histogram"));
		CHECK(is_histogram || span_eq(words, SPAN("counter")) ||
		      span_eq(words, SPAN("gauge")));
		CHECK(span_ends_with(family, SPAN("_total")) == span_eq(words, SPAN("counter")));
		families++;
	}
	CHECK(families >= 13);
	buf_fini(&out);
}

static void prints_all_verdicts_and_the_reasons_that_happened(void)
{
	struct buf out;

	memset(workers, 0, sizeof workers);
	metrics_add(&workers[0].verdicts[VERDICT_SNI], 2);
	metrics_add(&workers[2].verdicts[VERDICT_SNI], 1);
	metrics_add(&workers[1].refused[REASON_UNKNOWN_SNI], 4);
	print(3, &out);
	CHECK(has_line(&out, "egressbox_redirected_total{verdict=\"tunnelled_sni\"} 3"));
	CHECK(has_line(&out, "egressbox_redirected_total{verdict=\"passed_internal\"} 0"));
	CHECK(has_line(&out, "egressbox_redirected_refused_total{reason=\"unknown_sni\"} 4"));
	CHECK(strstr(buf_cstr(&out), "refused_total{reason=\"loop\"}") == NULL);
	buf_fini(&out);
}

UNIT_TESTS(TEST(prints_all_verdicts_and_the_reasons_that_happened), TEST(adds_and_subtracts),
	   TEST(durations_fall_into_buckets), TEST(prints_one_sample_with_its_help),
	   TEST(sums_over_all_workers), TEST(prints_tls_errors_that_happened_and_no_others),
	   TEST(prints_denials_by_why), TEST(keeps_the_exposition_format))
