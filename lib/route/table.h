/*
 * table: which requests go where. Immutable once built, in one arena per generation; any thread may
 * read it.
 *
 * A route is one port of one Service. It is found by host name and port together, never by port
 * alone, and there is no catch-all. Each of these names a Service, in any case of letters, with or
 * without a trailing dot:
 *
 *   name                            only for Services of the table's own namespace
 *   name.namespace
 *   name.namespace.svc
 *   name.namespace.svc.CLUSTER.DOMAIN
 *
 * The forms are told apart by their structure, so `x.svc` is Service x of namespace svc. They are
 * not stored: a name is taken apart and (name, namespace, port) looked up in one hash table.
 */
#ifndef ROUTE_TABLE_H
#define ROUTE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "kube/services.h"

/*
 * A Service, with its routed ports side by side. All text has a NUL behind it and lives in the
 * table.
 */
struct route_service {
	struct span name;
	struct span namespace;
	struct span external_name;
	uint32_t first_route;
	uint32_t route_count; /* 0: registered, but none of its ports is routed */
};

struct route {
	const struct route_service *service;
	/* For the upstream: "httpbin.org", "httpbin.org:8443"; empty: as it came. */
	struct span host_header;
	struct span pos; /* "services.yaml:31:7", the port in the manifest */
	uint32_t target; /* index into the table's targets */
	uint16_t port;	 /* of the Service, and of the upstream */
	bool tls;
};

struct identity;

/*
 * An upstream; routes with the same host, port and protocol share one, except those of a Service
 * that says something about TLS: those are its own.
 */
struct route_target {
	struct span host; /* a DNS name without trailing dot, or an IPv4 address */
	uint16_t port;
	bool tls;
	uint32_t tls_service; /* number of the Service among those that do, from 1; 0: none */
	/* What it says, as it was loaded; NULL: nothing. The table's maker puts it here. */
	const struct identity *identity;
};

/* Open addressing; a slot holds a position + 1, 0 when it is free. */
struct route_index {
	uint32_t *slots;
	uint32_t mask;
};

struct route_table {
	struct arena arena;
	struct route *routes; /* in the order of the manifests */
	size_t route_count;
	struct route_target *targets; /* in the order of their first route */
	size_t target_count;
	struct route_service *services; /* in the order of the manifests */
	size_t service_count;
	struct span namespace;
	struct span cluster_domain;
	const struct route *gateway; /* for all requests that are redirected to us; NULL: none */
	uint64_t hash;	/* of everything above, to see whether a reload changed something */
	void *attached; /* its maker's, who may set both; released with the table */
	void (*release)(void *attached);

	struct route_index by_port;    /* (name, namespace, port) -> route */
	struct route_index by_service; /* (name, namespace) -> service */
	struct route_index by_name;    /* name -> first service of that name */
	struct route_index by_target;  /* (host, port, tls) -> target */
};

struct route_options {
	struct span namespace;	    /* whose Services may be called by their bare name */
	struct span cluster_domain; /* "cluster.local" */
	/*
	 * An egress gateway; empty: none. NAME, NAME.NAMESPACE and NAME.NAMESPACE.svc are Services
	 * of the cluster; what has more labels, or a dot behind, is a name as it is; or an address.
	 */
	struct span gateway_host;
	uint16_t gateway_port;
};

/*
 * A table of the Services, which are copied; one without externalName is left out. NULL when an
 * option is no name or memory is out, with the error saying so. Free with route_table_free, which
 * takes NULL.
 */
struct route_table *route_table_new(const struct kube_services *services,
				    const struct route_options *options, struct error *e);
void route_table_free(struct route_table *t);

/* The three look-ups, in any case of letters; NULL: none. */
const struct route *route_table_find(const struct route_table *t, struct span name,
				     struct span namespace, uint16_t port);
const struct route_service *route_table_find_service(const struct route_table *t, struct span name,
						     struct span namespace);
const struct route_service *route_table_find_name(const struct route_table *t, struct span name);

/* The upstream with this host (in any case of letters), port and protocol. */
bool route_table_find_target(const struct route_table *t, struct span host, uint16_t port, bool tls,
			     uint32_t *index);

/* The shortest name that the table knows the Service by: `name`, or `name.namespace`. */
void route_table_print_host(const struct route_table *t, const struct route_service *service,
			    struct buf *out);

enum route_format {
	ROUTE_FORMAT_TEXT, /* aligned columns under a head line; nothing for an empty table */
	ROUTE_FORMAT_JSON, /* one object per line */
};

/* The table for people and scripts, in the order of the manifests. */
void route_table_print(const struct route_table *t, enum route_format format, struct buf *out);

#endif
