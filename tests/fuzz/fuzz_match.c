/*
 * fuzz_match: any authority gets a verdict that holds together and an explanation of one short
 * line.
 */
#include <stdint.h>
#include <stdlib.h>

#include "kube/services.h"
#include "route/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char manifests[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: externalbin}\n"
	"spec: {type: ExternalName, externalName: httpbin.org, ports: [{port: 80, name: http}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: svc, namespace: prod}\n"
	"spec: {type: ExternalName, externalName: b.c, ports: [{port: 443, name: https}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: grpc, namespace: svc}\n"
	"spec: {type: ExternalName, externalName: d.e, ports: [{port: 443, name: grpc}]}\n";

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static struct route_table *make_table(void)
{
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local")};
	struct diag diag = {.emit = NULL};
	struct kube_services services;
	struct route_table *t;
	struct error e;

	kube_services_init(&services, options.namespace, &diag);
	kube_services_read(&services, "f.yaml", span_of(manifests, sizeof manifests - 1));
	t = route_table_new(&services, &options, &e);
	kube_services_fini(&services);
	expect(t != NULL && t->route_count == 2);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct route_table *t;
	struct span authority = span_of(data, size);
	char storage[ROUTE_EXPLAIN_MAX];
	struct route_decision d;
	struct buf out;

	if (t == NULL)
		t = make_table();
	d = route_match(t, authority);
	expect((d.route != NULL) == (d.verdict == ROUTE_FOUND));
	expect((d.problem != NULL) == (d.verdict == ROUTE_BAD_AUTHORITY));
	expect(d.route == NULL || (d.route->service == d.service && d.route->port == d.port));
	expect(d.verdict == ROUTE_BAD_AUTHORITY || d.port != 0);
	BUF_INIT_ARRAY(&out, storage);
	route_match_explain(t, authority, &d, &out);
	expect(out.len > 0 && !out.truncated);
	for (size_t i = 0; i < out.len; i++)
		expect(storage[i] >= 0x20 && storage[i] < 0x7f);
	return 0;
}
