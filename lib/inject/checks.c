#include "inject/checks.h"

#include "base/num.h"

/* What one look at a pod is with. */
struct look {
	const struct kube_workload *workload;
	const struct inject_settings *settings;
	const struct template *template;
	const struct status *status;
	struct ydoc_path spec; /* the path of the pod's spec */
	bool ok;
};

static void report(struct look *l, enum diag_level level, const struct ydoc_path *path,
		   const struct ydoc_node *at, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

static void report(struct look *l, enum diag_level level, const struct ydoc_path *path,
		   const struct ydoc_node *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ydoc_vreport(l->workload->context.diag, level, l->workload->context.file, at->pos, path,
		     format, args);
	va_end(args);
	l->ok = l->ok && level != DIAG_ERROR;
}

/* A number that a scalar is, false for whatever it may be else. */
static bool get_number(const struct ydoc_node *node, uint64_t *out)
{
	return node != NULL && node->kind == YDOC_SCALAR && node->is_plain &&
	       num_parse_u64(node->text, 0, UINT32_MAX, out);
}

/* A pod's or container's securityContext. */
static void check_user(struct look *l, const struct ydoc_path *parent,
		       const struct ydoc_node *holder)
{
	struct ydoc_path context = {.parent = parent, .key = "securityContext"};
	struct ydoc_path path = {.parent = &context, .key = "runAsUser"};
	const struct ydoc_node *user = ydoc_get(ydoc_get(holder, SPAN("securityContext")),
						SPAN("runAsUser"));
	uint64_t uid;

	if (get_number(user, &uid) && uid == l->settings->proxy_uid)
		report(l, DIAG_WARNING, &path, user,
		       "%u is the sidecar's user, whose traffic is never redirected: run as "
		       "another, or give the sidecar another with --sidecarProxyUID",
		       l->settings->proxy_uid);
}

static void check_port(struct look *l, const struct ydoc_path *parent, const struct ydoc_node *node)
{
	struct ydoc_path path = {.parent = parent, .key = "containerPort"};
	const struct ydoc_node *port = ydoc_get(node, SPAN("containerPort"));
	uint64_t number;

	if (!get_number(port, &number))
		return;
	if (number == l->settings->proxy_port)
		report(l, DIAG_ERROR, &path, port,
		       "%u is the sidecar's port: give it another with --proxy-port",
		       l->settings->proxy_port);
	else if (number == l->settings->admin_port)
		report(l, DIAG_ERROR, &path, port,
		       "%u is the port of the sidecar's probes: give it another with --admin-port",
		       l->settings->admin_port);
}

static void check_container(struct look *l, const struct ydoc_path *path,
			    const struct ydoc_node *container)
{
	struct ydoc_path list = {.parent = path, .key = "ports"};
	struct ydoc_path entry = {.parent = &list};
	const struct ydoc_node *ports = ydoc_get(container, SPAN("ports"));

	check_user(l, path, container);
	if (ydoc_is_absent(ports))
		return;
	if (ports->kind != YDOC_SEQUENCE) {
		report(l, DIAG_ERROR, &list, ports, "expected a list, found %s",
		       ydoc_describe(ports));
		return;
	}
	for (const struct ydoc_item *i = ports->items; i != NULL; i = i->next, entry.index++)
		check_port(l, &entry, i->value);
}

/* Names that what is injected would have as well, whichever list of the template they are in. */
static bool is_taken(const struct look *l, enum template_section section, struct span name)
{
	if (section == TEMPLATE_VOLUMES)
		return template_has(l->template->sections[TEMPLATE_VOLUMES], name);
	return template_has(l->template->sections[TEMPLATE_INIT_CONTAINERS], name) ||
	       template_has(l->template->sections[TEMPLATE_CONTAINERS], name);
}

static void check_entry(struct look *l, enum template_section section, const struct ydoc_path *path,
			const struct ydoc_item *item)
{
	struct ydoc_path name_path = {.parent = path, .key = "name"};
	struct span name = template_entry_name(item);
	char shown[YDOC_ESCAPED_MAX];

	if (item->value->kind != YDOC_MAPPING) {
		report(l, DIAG_ERROR, path, item->value, "expected a mapping, found %s",
		       ydoc_describe(item->value));
		return;
	}
	if (l->status != NULL && status_has(l->status, section, name))
		return;
	if (name.len > 0 && is_taken(l, section, name))
		report(l, DIAG_ERROR, &name_path, ydoc_get(item->value, SPAN("name")),
		       "\"%s\" is a name of what is injected: rename it, or take it out",
		       ydoc_escape(name, shown));
	if (section != TEMPLATE_VOLUMES)
		check_container(l, path, item->value);
}

static void check_list(struct look *l, enum template_section section)
{
	const char *key = template_section_names[section];
	struct ydoc_path path = {.parent = &l->spec, .key = key};
	struct ydoc_path entry = {.parent = &path};
	const struct ydoc_node *list = ydoc_get(l->workload->spec, span_from_cstr(key));

	if (ydoc_is_absent(list))
		return;
	if (list->kind != YDOC_SEQUENCE) {
		report(l, DIAG_ERROR, &path, list, "expected a list, found %s",
		       ydoc_describe(list));
		return;
	}
	for (const struct ydoc_item *i = list->items; i != NULL; i = i->next, entry.index++)
		check_entry(l, section, &entry, i);
}

bool checks_run(const struct kube_workload *w, const struct inject_settings *settings,
		const struct template *template, const struct status *status)
{
	struct look l = {
		.workload = w,
		.settings = settings,
		.template = template,
		.status = status,
		.spec = {.parent = w->context.path, .key = "spec"},
		.ok = true,
	};
	bool is_job = span_eq(w->kind, SPAN("Job")) || span_eq(w->kind, SPAN("CronJob"));

	check_user(&l, &l.spec, w->spec);
	check_list(&l, TEMPLATE_INIT_CONTAINERS);
	check_list(&l, TEMPLATE_CONTAINERS);
	check_list(&l, TEMPLATE_VOLUMES);
	if (is_job && template->sections[TEMPLATE_CONTAINERS] != NULL)
		report(&l, DIAG_WARNING, &l.spec, w->spec,
		       "a sidecar among the containers keeps a %.*s from ending: inject a native "
		       "one (--sidecar native, Kubernetes 1.28)",
		       SPAN_ARG(w->kind));
	return l.ok;
}
