/*
 * template: what is added to a pod, as a YAML file says it: the built-in one or a team's own.
 *
 *   initContainers: [...]     containers: [...]     volumes: [...]      each with a name
 *   annotations: {...}        labels: {...}
 *
 * Texts may hold variables, $(NAME), each of which is one of TEMPLATE_VARIABLES. A name that is not
 * is left to Kubernetes when the container has an environment variable of that name, and an error
 * otherwise; $$ is one $, so that $$(NAME) is left to Kubernetes as $(NAME). A value without quotes
 * that is one variable and nothing else is left out, entry and all, when the variable is empty, and
 * is as many entries of a list as the variable has lines. In quotes it is text, empty or not. What
 * variables become is text as well, but for ports and the user where they stand without quotes.
 *
 * Init containers go before those of the pod when one of them is a native sidecar (restartPolicy:
 * Always), which they can use then; else behind them, so that nothing of the pod's own is
 * redirected to a sidecar that isn't up. Containers and volumes go behind the pod's.
 */
#ifndef INJECT_TEMPLATE_H
#define INJECT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/span.h"
#include "ydoc/ydoc.h"

/* member, name in the template */
#define TEMPLATE_VARIABLES(X)                                                                      \
	X(TEMPLATE_IMAGE, "IMAGE")                                                                 \
	X(TEMPLATE_IMAGE_PULL_POLICY, "IMAGE_PULL_POLICY")                                         \
	X(TEMPLATE_PROXY_PORT, "PROXY_PORT")                                                       \
	X(TEMPLATE_ADMIN_PORT, "ADMIN_PORT")                                                       \
	X(TEMPLATE_PROXY_UID, "PROXY_UID")                                                         \
	X(TEMPLATE_SETUP_OPTIONS, "SETUP_OPTIONS")                                                 \
	X(TEMPLATE_PROXY_OPTIONS, "PROXY_OPTIONS")                                                 \
	X(TEMPLATE_INCLUDE_IP_RANGES, "INCLUDE_IP_RANGES")                                         \
	X(TEMPLATE_EXCLUDE_IP_RANGES, "EXCLUDE_IP_RANGES")                                         \
	X(TEMPLATE_INCLUDE_INBOUND_PORTS, "INCLUDE_INBOUND_PORTS")                                 \
	X(TEMPLATE_EXCLUDE_INBOUND_PORTS, "EXCLUDE_INBOUND_PORTS")                                 \
	X(TEMPLATE_INCLUDE_OUTBOUND_PORTS, "INCLUDE_OUTBOUND_PORTS")                               \
	X(TEMPLATE_EXCLUDE_OUTBOUND_PORTS, "EXCLUDE_OUTBOUND_PORTS")                               \
	X(TEMPLATE_EXCLUDE_INTERFACES, "EXCLUDE_INTERFACES")                                       \
	X(TEMPLATE_CLUSTER_CIDR, "CLUSTER_CIDR")                                                   \
	X(TEMPLATE_GATEWAY, "GATEWAY")                                                             \
	X(TEMPLATE_OUTBOUND_POLICY, "OUTBOUND_POLICY")                                             \
	X(TEMPLATE_NAMESPACE, "NAMESPACE")                                                         \
	X(TEMPLATE_LOG_LEVEL, "LOG_LEVEL")                                                         \
	X(TEMPLATE_VERSION, "VERSION")

enum template_variable {
#define X(member, name) member,
	TEMPLATE_VARIABLES(X)
#undef X
		TEMPLATE_VARIABLE_COUNT
};

/* Of a section: what was injected is found again by its name, so there is an end to names. */
#define TEMPLATE_ENTRIES_MAX 100

enum template_section {
	TEMPLATE_INIT_CONTAINERS,
	TEMPLATE_CONTAINERS,
	TEMPLATE_VOLUMES,
	TEMPLATE_ANNOTATIONS,
	TEMPLATE_LABELS,
	TEMPLATE_SECTION_COUNT
};

/* The keys of the sections. */
extern const char *const template_section_names[TEMPLATE_SECTION_COUNT];

struct template
{
	const struct ydoc_node *sections[TEMPLATE_SECTION_COUNT]; /* NULL: the file has none */
	bool has_native_sidecar;
	struct ydoc_reader reader; /* what holds the nodes */
};

/* A pod's values, and what the template is with them. */
struct template_instance {
	struct span values[TEMPLATE_VARIABLE_COUNT];
	const struct ydoc_node *sections[TEMPLATE_SECTION_COUNT]; /* NULL where there is nothing */
	uint64_t hash;						  /* of all sections as text */
	struct template_instance *next;				  /* the owner's */
};

/* The built-in template: for a native sidecar, or for one among the containers. */
struct span template_builtin(bool is_native);

/*
 * Reads a template; `file` and `text` must stay until template_fini. All that is wrong with it goes
 * to the diag, and then it is false. template_fini is due either way.
 */
bool template_read(struct template *t, const char *file, struct span text, struct diag *diag);
void template_fini(struct template *t);

/*
 * Fills in the sections from the values, in the arena, and the hash. The values must live as long.
 * False when memory is out.
 */
bool template_instantiate(const struct template *t, struct template_instance *instance,
			  struct arena *arena);

/*
 * Whether a section, which may be NULL or null, has an entry of that name (or, for annotations and
 * labels, that key).
 */
bool template_has(const struct ydoc_node *section, struct span name);

/* The name of an entry: what stands under `name`, or the key. Empty when there is none. */
struct span template_entry_name(const struct ydoc_item *entry);

#endif
