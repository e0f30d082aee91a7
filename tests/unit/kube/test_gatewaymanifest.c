#include "../unit.h"

#include "kube/gatewaymanifest.h"

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

static void fills_in_namespace_and_image_and_nothing_else(void)
{
	struct gatewaymanifest g = {SPAN("shop"), SPAN("hub/egressbox:9"), false, false};
	struct buf out;

	buf_init_heap(&out, 1 << 16);
	gatewaymanifest_add(&out, &g);
	CHECK(!out.truncated);
	CHECK(count(out.ptr, "\nkind: ") == 6);
	CHECK(count(out.ptr, "  namespace: \"shop\"\n") == 6);
	CHECK(count(out.ptr, "image: \"hub/egressbox:9\"\n") == 1);
	CHECK(count(out.ptr, "--kube") == 0);
	CHECK(count(out.ptr, "$") == 0 && count(out.ptr, "\n<") == 0 && count(out.ptr, "\n>") == 0);
	CHECK(out.ptr[out.len - 1] == '\n');
	buf_fini(&out);
}

static void one_that_follows_the_server_has_rights_and_no_files(void)
{
	struct gatewaymanifest g = {SPAN("shop"), SPAN("i"), true, false};
	struct buf out;

	buf_init_heap(&out, 1 << 16);
	gatewaymanifest_add(&out, &g);
	CHECK(count(out.ptr, "\nkind: ") == 7);
	CHECK(count(out.ptr, "\nkind: Role\n") == 1 &&
	      count(out.ptr, "\nkind: RoleBinding\n") == 1);
	CHECK(count(out.ptr, "  namespace: \"shop\"\n") == 7);
	CHECK(count(out.ptr, "ConfigMap") == 0 && count(out.ptr, "configMap") == 0);
	CHECK(count(out.ptr, "args: [--kube, --listen") == 1);
	CHECK(count(out.ptr, "automountServiceAccountToken: true\n") == 1);
	buf_clear(&out);
	g.all_namespaces = true;
	gatewaymanifest_add(&out, &g);
	CHECK(count(out.ptr, "kind: ClusterRole,") == 1 &&
	      count(out.ptr, "\nkind: ClusterRole\n") == 1);
	CHECK(count(out.ptr, "args: [--kube, --all-namespaces, --listen") == 1);
	CHECK(count(out.ptr, "$") == 0 && count(out.ptr, "\n<") == 0 && count(out.ptr, "\n>") == 0);
	buf_fini(&out);
}

static void the_role_is_of_one_namespace_or_of_the_cluster(void)
{
	char storage[1024];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	gatewaymanifest_add_role(&out, "egress-proxy", SPAN("web"));
	CHECK(count(storage,
		    "kind: Role\nmetadata:\n  name: egress-proxy\n  namespace: \"web\"\n") == 1);
	CHECK(count(storage, "  resources: [services]\n  verbs: [list, watch]\n") == 1);
	buf_clear(&out);
	gatewaymanifest_add_role(&out, "egress-proxy", SPAN(""));
	CHECK(count(storage, "kind: ClusterRole\nmetadata:\n  name: egress-proxy\nrules:") == 1);
}

UNIT_TESTS(TEST(fills_in_namespace_and_image_and_nothing_else),
	   TEST(one_that_follows_the_server_has_rights_and_no_files),
	   TEST(the_role_is_of_one_namespace_or_of_the_cluster))
