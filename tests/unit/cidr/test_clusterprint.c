#include "../unit.h"

#include "cidr/clusterprint.h"

static struct clusterinfo_range list[4];

static struct clusterinfo_answer answer_of(const char *const *texts, const uint8_t *roles,
					   size_t count)
{
	struct clusterinfo_answer answer = {.list = list, .count = count};
	struct error e;

	for (size_t i = 0; i < count; i++) {
		list[i] = (struct clusterinfo_range){.role = roles[i], .source = "a, \"b\""};
		CHECK(range_parse(span_from_cstr(texts[i]), &list[i].range, NULL, &e));
		answer.counts[roles[i]]++;
	}
	return answer;
}

static void check(enum rangewriter_format format, const char *expected)
{
	static const char *const texts[] = {"10.4.0.0/14", "10.8.0.0/14", "fd00::/64",
					    "10.7.240.0/20"};
	static const uint8_t roles[] = {0, 0, 0, 1};
	struct clusterinfo_answer answer = answer_of(texts, roles, 4);
	char storage[4096];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	clusterprint(&answer, format, &b);
	CHECK_ROW(storage, strncmp(storage, expected, strlen(expected)) == 0);
}

static void prints_every_format(void)
{
	check(RANGEWRITER_DESCRIBE,
	      "clusterIpv4Cidr: 10.4.0.0/14\nservicesIpv4Cidr: 10.7.240.0/20\n"
	      "clusterIpv6Cidr: fd00::/64\n"
	      "additionalClusterCidrs: [\"10.8.0.0/14\"]\n");
	check(RANGEWRITER_COMMA, "10.4.0.0/14,10.8.0.0/14,fd00::/64,10.7.240.0/20\n");
	check(RANGEWRITER_HELM, "global.proxy.includeIPRanges=\"10.4.0.0/14\\,10.8.0.0/14\\,");
	check(RANGEWRITER_ENV, "POD_CIDRS=10.4.0.0/14,10.8.0.0/14,fd00::/64\n"
			       "SERVICE_CIDRS=10.7.240.0/20\n");
	check(RANGEWRITER_CSV,
	      "cidr,role,family,confidence,source,place,first,last,count,note\n"
	      "10.4.0.0/14,pod,IPv4,declared,\"a, \"\"b\"\"\",,10.4.0.0,10.7.255.255,262144,\n");
	check(RANGEWRITER_JSON, "[\n  {\"cidr\": \"10.4.0.0/14\",\n   \"role\": \"pod\",\n");
	check(RANGEWRITER_YAML, "- cidr: \"10.4.0.0/14\"\n  role: \"pod\"\n");
}

UNIT_TESTS(TEST(prints_every_format))
