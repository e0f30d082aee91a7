/*
 * tables: a route table from rows, for tests; through YAML, as the real ones are made.
 */
#ifndef TABLES_H
#define TABLES_H

#include "../unit.h"

#include "base/buf.h"
#include "kube/services.h"
#include "route/table.h"

/* "name.namespace external port:portname,..." */
static inline void tables_add(struct buf *yaml, const char *row)
{
	struct span rest = span_from_cstr(row), full, external, ports, name, port, number;

	span_split(&rest, ' ', &full);
	span_split(&rest, ' ', &external);
	span_split(&full, '.', &name);
	buf_printf(yaml,
		   "---\napiVersion: v1\nkind: Service\nmetadata: {name: %.*s, namespace: %.*s}\n"
		   "spec:\n  type: ExternalName\n  externalName: %.*s\n  ports:\n",
		   SPAN_ARG(name), SPAN_ARG(full), SPAN_ARG(external));
	span_split(&rest, ' ', &ports);
	while (span_split(&ports, ',', &port)) {
		span_split(&port, ':', &number);
		buf_printf(yaml, "  - {port: %.*s, name: %.*s}\n", SPAN_ARG(number),
			   SPAN_ARG(port));
	}
}

/* A table of own namespace "default" and cluster domain "cluster.local" of rows, ended by NULL. */
static inline struct route_table *tables_new(const char *const *rows)
{
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local")};
	struct kube_services services;
	struct route_table *table;
	struct diag diag = {.emit = NULL};
	struct error e;
	struct buf yaml;

	buf_init_heap(&yaml, 64 << 20);
	for (; *rows != NULL; rows++)
		tables_add(&yaml, *rows);
	kube_services_init(&services, options.namespace, &diag);
	kube_services_read(&services, "f.yaml", buf_span(&yaml));
	CHECK_INT(diag.errors, 0);
	table = route_table_new(&services, &options, &e);
	CHECK(table != NULL);
	kube_services_fini(&services);
	buf_fini(&yaml);
	return table;
}

#endif
