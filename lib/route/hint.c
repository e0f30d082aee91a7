#include "route/hint.h"

#include "base/ascii.h"
#include "net/hostname.h"

/* The first label that says something, if a Service may be called so; else a word to replace. */
static struct span service_name(struct span host, char storage[static HOSTNAME_MAX])
{
	struct span label;

	while (span_split(&host, '.', &label)) {
		if (span_eq_nocase(label, SPAN("www")) || span_eq_nocase(label, SPAN("api")))
			continue;
		for (size_t i = 0; i < label.len; i++)
			storage[i] = ascii_to_lower(label.ptr[i]);
		label.ptr = storage;
		if (hostname_service_problem(label) == NULL)
			return label;
		break;
	}
	return SPAN("my-service");
}

void hint_add(struct span host, uint16_t port, struct buf *out)
{
	char storage[HOSTNAME_MAX];
	struct span name;

	host = hostname_without_root(host);
	if (hostname_problem(host) != NULL || span_find(host, '.') == SIZE_MAX)
		return;
	name = service_name(host, storage);
	buf_printf(
		out,
		"; to register it: echo '{apiVersion: v1, kind: Service, metadata: {name: %.*s}, "
		"spec: {type: ExternalName, externalName: %.*s, ports: [{name: %s, port: %u}]}}' "
		"| kubectl apply -f -; then call http://%.*s",
		SPAN_ARG(name), SPAN_ARG(host), port == 443 ? "https" : "http", port,
		SPAN_ARG(name));
	if (port != 80)
		buf_printf(out, ":%u", port);
}
