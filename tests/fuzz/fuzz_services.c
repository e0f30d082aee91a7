/*
 * fuzz_services: manifests to a route table. What was taken is what Kubernetes would take, and
 * every route is found by each form of its name, and only with its port.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kube/services.h"
#include "net/addr.h"
#include "net/hostname.h"
#include "route/match.h"
#include "route/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	(void)d;
	(void)level;
	expect(strncmp(text, "f.yaml:", 7) == 0);
	for (; *text != '\0'; text++)
		expect((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_tls(const struct kube_tls *tls)
{
	struct span rest = tls->names, name;
	struct addr ip;

	expect(tls->sni.len == 0 || hostname_problem(tls->sni) == NULL);
	while (tls->names.len > 0 && span_split(&rest, ',', &name))
		expect(hostname_problem(name) == NULL || addr_parse_ip(name, &ip));
	expect(tls->ca.path.ptr == NULL || tls->ca.path.ptr[0] == '/');
}

static void check_service(const struct kube_service *s)
{
	struct addr ip;

	if (s->tls != NULL)
		check_tls(s->tls);

	expect(hostname_service_problem(s->name) == NULL);
	expect(hostname_label_problem(s->namespace) == NULL);
	expect(hostname_problem(s->external_name) == NULL ||
	       (addr_parse_ip(s->external_name, &ip) && ip.family == 4));
	for (size_t i = 0; i < s->port_count; i++)
		expect(s->ports[i].number > 0);
}

static void check_route(const struct route_table *t, const struct route *r)
{
	static const char *const tails[] = {"", ".svc", ".svc.cluster.local",
					    ".SVC.Cluster.Local."};
	char authority[400];

	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		int len = snprintf(authority, sizeof authority, "%s.%s%s:%u", r->service->name.ptr,
				   r->service->namespace.ptr, tails[i], r->port);
		struct route_decision d = route_match(t, span_of(authority, (size_t)len));

		expect(d.verdict == ROUTE_FOUND && d.route == r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local")};
	struct diag diag = {.emit = emit};
	struct kube_services services;
	struct route_table *t;
	struct error e;
	struct buf out;

	buf_init_heap(&out, 64 << 20);
	kube_services_init(&services, options.namespace, &diag);
	kube_services_read(&services, "f.yaml", span_of(data, size));
	kube_services_print_ignored(&services, &out);
	if (diag.errors == 0)
		for (size_t i = 0; i < services.count; i++)
			check_service(services.list[i]);
	/* With errors as well: then it is a part of them. */
	t = route_table_new(&services, &options, &e);
	kube_services_fini(&services);
	expect(t != NULL);
	for (size_t i = 0; i < t->route_count; i++)
		check_route(t, &t->routes[i]);
	route_table_print(t, ROUTE_FORMAT_TEXT, &out);
	route_table_print(t, ROUTE_FORMAT_JSON, &out);
	expect(!out.truncated);
	route_table_free(t);
	buf_fini(&out);
	return 0;
}
