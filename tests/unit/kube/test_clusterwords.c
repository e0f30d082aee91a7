#include "../unit.h"

#include "base/buf.h"
#include "kube/clusterwords.h"

static void on_value(void *context, struct span key, struct span value, size_t offset)
{
	buf_printf(context, "%zu %.*s=%.*s ", offset, SPAN_ARG(key), SPAN_ARG(value));
}

static void finds_values_behind_known_keys(void)
{
	static const struct {
		const char *lines, *found;
	} cases[] = {
		{"", ""},
		{"podCidr: 10.0.0.0/8", "9 podcidr=10.0.0.0/8 "},
		{"podCidr:10.0.0.0/8", "8 podcidr=10.0.0.0/8 "},
		{"podCidr: fd00:1::/64", "9 podcidr=fd00:1::/64 "},
		{"podCidr: ::/0", "9 podcidr=::/0 "},
		{"  Pod Subnet:   10.0.0.0/8  ", "16 podsubnet=10.0.0.0/8 "},
		{"\"podCidr\": \"10.0.0.0/8\",", "12 podcidr=10.0.0.0/8 "},
		{"--cluster-cidr=10.0.0.0/8,fd00::/64 x",
		 "15 clustercidr=10.0.0.0/8 26 clustercidr=fd00::/64 "},
		{"--cluster-cidr=10.0.0.0/8 2>&1", "15 clustercidr=10.0.0.0/8 "},
		{"podCidrs: [\n  10.0.0.0/8,\n  11.0.0.0/8",
		 "2 podcidrs=10.0.0.0/8 2 podcidrs=11.0.0.0/8 "},
		{"podCidrs:\n- 10.0.0.0/8\n- 11.0.0.0/8",
		 "2 podcidrs=10.0.0.0/8 2 podcidrs=11.0.0.0/8 "},
		{"podCidrs: [\nother: 10.0.0.0/8", ""},
		{"publicAccessCidrs: 0.0.0.0/0", ""},
		{"masterIpv4CidrBlock: 172.16.0.0/28", ""},
		{"pods: 110", ""},
		{"cidr: 10.0.0.0/8", ""},
		{"podCidr: :", ""},
		{"NAME  CIDRS  AGE\nx  10.0.0.0/8,fd00::/112  3d",
		 "3 servicecidrs=10.0.0.0/8 14 servicecidrs=fd00::/112 "},
		{"CLUSTER_IPV4_CIDR  SERVICES_IPV4_CIDR\n10.4.0.0/14        10.7.240.0/20",
		 "0 clusteripv4cidr=10.4.0.0/14 19 servicesipv4cidr=10.7.240.0/20 "},
		{"name,pod_cidr,service_cidr\nx,,10.1.0.0/16\ny,10.0.0.0/16,",
		 "3 servicecidr=10.1.0.0/16 2 podcidr=10.0.0.0/16 "},
		{"podCidr\tserviceCidr\n\t10.1.0.0/16", "1 servicecidr=10.1.0.0/16 "},
		{"PodCidr  Master Cidr\n-------  -----------\n<none>   10.1.0.0/16", ""},
		/* A row that is not as wide ends it. */
		{"podCidr  serviceCidr\n10.0.0.0/16\nserviceCidr 10.1.0.0/16",
		 "12 servicecidr=10.1.0.0/16 "},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span rest = span_from_cstr(cases[i].lines), line;
		struct clusterwords w;
		char storage[512];
		struct buf b;

		BUF_INIT_ARRAY(&b, storage);
		clusterwords_init(&w, on_value, &b);
		while (span_split(&rest, '\n', &line)) {
			char *guarded = unit_guarded(line.ptr, line.len);

			clusterwords_line(&w, span_of(guarded, line.len), 0);
			unit_guarded_free(guarded, line.len);
		}
		CHECK_TEXT(buf_cstr(&b), cases[i].found);
	}
}

UNIT_TESTS(TEST(finds_values_behind_known_keys))
