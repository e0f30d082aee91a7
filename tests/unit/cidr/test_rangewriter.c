#include "../unit.h"

#include "cidr/rangewriter.h"

/* What is written of two ranges, or of none. */
static void check(enum rangewriter_format format, bool is_empty, const char *expected)
{
	static struct rangewriter w;
	char text[512] = "";
	struct range r;
	struct error e;
	int ends[2];

	CHECK(pipe(ends) == 0);
	rangewriter_init(&w, ends[1], format);
	if (!is_empty) {
		CHECK(range_parse(SPAN("10.4.0.0/14"), &r, NULL, &e));
		rangewriter_add(&w, &r);
		CHECK(range_parse(SPAN("fd00::/64"), &r, NULL, &e));
		rangewriter_add(&w, &r);
	}
	CHECK(rangewriter_end(&w, &e));
	close(ends[1]);
	CHECK(read(ends[0], text, sizeof text - 1) >= 0);
	close(ends[0]);
	CHECK_TEXT(text, expected);
}

static void writes_every_format(void)
{
	check(RANGEWRITER_DESCRIBE, false, "10.4.0.0/14\nfd00::/64\n");
	check(RANGEWRITER_LIST, false, "10.4.0.0/14\nfd00::/64\n");
	check(RANGEWRITER_FLAG, false, "--includeIPRanges=10.4.0.0/14,fd00::/64\n");
	check(RANGEWRITER_COMMA, false, "10.4.0.0/14,fd00::/64\n");
	check(RANGEWRITER_HELM, false,
	      "global.proxy.includeIPRanges=\"10.4.0.0/14\\,fd00::/64\"\n");
	check(RANGEWRITER_ANNOTATION, false,
	      "traffic.sidecar.istio.io/includeOutboundIPRanges: 10.4.0.0/14,fd00::/64\n");
	check(RANGEWRITER_ENV, false, "RANGES=10.4.0.0/14,fd00::/64\n");
	check(RANGEWRITER_YAML, false, "- 10.4.0.0/14\n- fd00::/64\n");
	check(RANGEWRITER_JSON, false, "[\"10.4.0.0/14\", \"fd00::/64\"]\n");
	check(RANGEWRITER_CSV, false,
	      "range,first,last,count\n10.4.0.0/14,10.4.0.0,10.7.255.255,262144\n"
	      "fd00::/64,fd00::,fd00::ffff:ffff:ffff:ffff,18446744073709551616\n");
}

static void writes_nothing_as_every_format_has_it(void)
{
	check(RANGEWRITER_LIST, true, "");
	check(RANGEWRITER_FLAG, true, "");
	check(RANGEWRITER_JSON, true, "[]\n");
	check(RANGEWRITER_YAML, true, "[]\n");
	check(RANGEWRITER_CSV, true, "range,first,last,count\n");
}

static void keeps_a_failure_to_the_end(void)
{
	static struct rangewriter w;
	struct error e;

	rangewriter_init(&w, -1, RANGEWRITER_LIST);
	for (int i = 0; i < 20000; i++)
		rangewriter_text(&w, SPAN("0123456789"));
	CHECK(!rangewriter_end(&w, &e));
}

UNIT_TESTS(TEST(writes_every_format), TEST(writes_nothing_as_every_format_has_it),
	   TEST(keeps_a_failure_to_the_end))
