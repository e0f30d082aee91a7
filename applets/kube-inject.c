/*
 * kube-inject: from options and manifests to manifests with a sidecar in their pods.
 */
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "base/arena.h"
#include "inject/files.h"
#include "inject/inject.h"
#include "kube/imagename.h"
#include "net/hostname.h"
#include "net/hostport.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "version.h"

#define NAME "kube-inject"

/* All files of a run. */
#define MEMORY_MAX ((size_t)2 << 30)

static const char *const policies[] = {"registered", "any", NULL};
static const char *const pull_policies[] = {"Always", "IfNotPresent", "Never", NULL};
static const char *const sidecars[] = {"native", "container", NULL};

struct settings {
	struct opt_list files;
	bool recursive;
	const char *output;
	bool in_place, diff, check, uninject, strict;
	const char *lists[CAPTURE_FIELD_COUNT];
	const char *image, *hub, *tag;
	int image_pull_policy;
	uint64_t proxy_uid, proxy_port, admin_port;
	int sidecar;
	const char *template_file;
	bool print_template;
	const char *cluster_cidr, *gateway, *outbound_policy, *namespace;
	uint64_t verbosity;
	bool debug;
	const char *version;
	struct opt_list also, obsolete;
};

#define AT(member) offsetof(struct settings, member)

#define ROW(type, letter, option, value, member, text)                                             \
	{                                                                                          \
		.kind = type, .short_name = letter, .name = option, .value_name = value,           \
		.offset = AT(member), .help = text                                                 \
	}
#define NUMBER(option, value, member, number, least, most, text)                                   \
	{                                                                                          \
		.kind = OPT_NUMBER, .name = option, .value_name = value, .offset = AT(member),     \
		.initial = number, .min = least, .max = most, .help = text                         \
	}
/* A list that a pod's annotation may say otherwise; `other` is its name in Istio 1.0. */
#define LIST(option, other, field, value, text)                                                    \
	{                                                                                          \
		.kind = OPT_TEXT, .name = option, .alias = other, .value_name = value,             \
		.offset = AT(lists[field]), .help = text                                           \
	}

/* Of istioctl, without meaning here; `value` NULL: a flag. */
#define OBSOLETE(letter, option, value)                                                            \
	{                                                                                          \
		.kind = OPT_OBSOLETE, .short_name = letter, .name = option, .value_name = value,   \
		.offset = AT(obsolete)                                                             \
	}

static const struct opt options[] = {
	{.kind = OPT_SECTION, .help = "Manifests"},
	ROW(OPT_LIST, 'f', "filename", "FILE", files,
	    "Manifests: a file, a directory (its *.yaml, *.yml and *.json), or - for standard "
	    "input. May be given again."),
	ROW(OPT_FLAG, 'R', "recursive", NULL, recursive, "Directories with all below them."),
	ROW(OPT_TEXT, 'o', "output", "FILE", output,
	    "Write here instead of standard output, all or nothing; may be the input."),
	ROW(OPT_FLAG, 0, "in-place", NULL, in_place,
	    "Write each file back where it came from, all of them or none."),
	ROW(OPT_FLAG, 0, "diff", NULL, diff,
	    "Print what would change, as diff -u does, and write nothing else."),
	ROW(OPT_FLAG, 0, "check", NULL, check,
	    "Print what would be done with each workload and why, and write nothing else: exit "
	    "status 1 when one would change, else 0."),
	ROW(OPT_FLAG, 0, "uninject", NULL, uninject, "Take out what was injected."),
	ROW(OPT_LIST, 0, "also", "KIND[.GROUP]", also,
	    "Inject objects of this kind too, if they have spec.template.spec.containers: "
	    "Rollout, Service.serving.knative.dev. May be given again."),
	ROW(OPT_FLAG, 0, "strict", NULL, strict, "Take warnings for errors."),
	ROW(OPT_TEXT, 'n', "namespace", "NAMESPACE", namespace,
	    "The namespace of manifests that name none. The sidecar is told its pod's."),
	{.kind = OPT_SECTION,
	 .help = "What is redirected to the sidecar (a pod's annotations win)"},
	LIST("includeIPRanges", NULL, CAPTURE_INCLUDE_RANGES, "CIDR[,CIDR]...",
	     "Redirect only connections to these ranges; those to others go out directly. Without, "
	     "empty, or *: all. What cidr-describe -o flag prints can be pasted whole."),
	LIST("exclude-ip-ranges", "excludeIPRanges", CAPTURE_EXCLUDE_RANGES, "CIDR[,CIDR]...",
	     "Never redirect connections to these ranges."),
	LIST("include-inbound-ports", "includeInboundPorts", CAPTURE_INCLUDE_INBOUND,
	     "PORT[,PORT]...",
	     "Redirect connections to these ports of the pod, too; *: to all. Without: none."),
	LIST("exclude-inbound-ports", "excludeInboundPorts", CAPTURE_EXCLUDE_INBOUND,
	     "PORT[,PORT]...", "With --include-inbound-ports \"*\": all but these."),
	LIST("include-outbound-ports", NULL, CAPTURE_INCLUDE_OUTBOUND, "PORT[,PORT]...",
	     "Redirect connections to these ports whatever the address, beside --includeIPRanges."),
	LIST("exclude-outbound-ports", NULL, CAPTURE_EXCLUDE_OUTBOUND, "PORT[,PORT]...",
	     "Never redirect connections to these ports."),
	LIST("exclude-interfaces", NULL, CAPTURE_EXCLUDE_INTERFACES, "NAME[,NAME]...",
	     "Redirect nothing on these interfaces."),
	{.kind = OPT_SECTION, .help = "What is injected"},
	ROW(OPT_TEXT, 0, "image", "IMAGE", image,
	    "The image, with the program as /egressbox. [default: HUB/egressbox:TAG]"),
	{.kind = OPT_TEXT,
	 .name = "hub",
	 .value_name = "HUB",
	 .offset = AT(hub),
	 .initial = "",
	 .env = "EGRESSBOX_HUB",
	 .help = "Where the image is pulled from, without --image."},
	{.kind = OPT_TEXT,
	 .name = "tag",
	 .value_name = "TAG",
	 .offset = AT(tag),
	 .initial = EGRESSBOX_VERSION,
	 .env = "EGRESSBOX_TAG",
	 .help = "The image's tag, without --image."},
	{.kind = OPT_CHOICE,
	 .name = "imagePullPolicy",
	 .value_name = "POLICY",
	 .offset = AT(image_pull_policy),
	 .initial = "IfNotPresent",
	 .choices = pull_policies,
	 .help = "When the image is pulled."},
	{.kind = OPT_CHOICE,
	 .name = "sidecar",
	 .value_name = "KIND",
	 .offset = AT(sidecar),
	 .initial = "native",
	 .choices = sidecars,
	 .help = "native: an init container that stays (Kubernetes 1.28), so that Jobs end; "
		 "container: one among the others."},
	NUMBER("sidecarProxyUID", "UID", proxy_uid, "1337", 1, 4294967294,
	       "The sidecar's user and group, whose traffic is not redirected."),
	NUMBER("proxy-port", "PORT", proxy_port, "15001", 1, 65535,
	       "The port that traffic is redirected to."),
	NUMBER("admin-port", "PORT", admin_port, "15000", 1, 65535,
	       "The port of the sidecar's probes and metrics."),
	ROW(OPT_TEXT, 0, "cluster-cidr", "CIDR[,CIDR]...", cluster_cidr,
	    "Tell the sidecar which addresses are the cluster's."),
	ROW(OPT_TEXT, 0, "gateway", "HOST:PORT", gateway,
	    "Tell the sidecar to send external requests to this egress gateway."),
	ROW(OPT_TEXT, 0, "outbound-policy", "POLICY", outbound_policy,
	    "Tell the sidecar what to do with what is not registered: registered (refuse it) "
	    "or "
	    "any (let it pass)."),
	NUMBER("verbosity", "N", verbosity, "2", 0, 10,
	       "The sidecar's log: 0 errors, 1 warnings too, 2 what matters, 3 and more all."),
	ROW(OPT_FLAG, 0, "debug", NULL, debug, "The same as --verbosity 3."),
	{.kind = OPT_TEXT,
	 .name = "setVersionString",
	 .value_name = "VERSION",
	 .offset = AT(version),
	 .initial = EGRESSBOX_VERSION,
	 .help = "The version in the annotation egressbox.io/status; pods with another are brought "
		 "up to date."},
	ROW(OPT_TEXT, 0, "template", "FILE", template_file, "Inject what this file says instead."),
	ROW(OPT_FLAG, 0, "print-template", NULL, print_template,
	    "Print the built-in template, in the form of --template, and exit."),
	OBSOLETE(0, "coreDump", NULL),
	OBSOLETE(0, "meshConfig", "NAME"),
	OBSOLETE(0, "meshConfigMapName", "NAME"),
	OBSOLETE(0, "meshConfigFile", "FILE"),
	OBSOLETE(0, "injectConfigMapName", "NAME"),
	OBSOLETE(0, "injectConfigFile", "FILE"),
	OBSOLETE(0, "valuesFile", "FILE"),
	OBSOLETE(0, "operatorFileName", "FILE"),
	OBSOLETE(0, "webhookConfig", "NAME"),
	OBSOLETE('r', "revision", "NAME"),
	OBSOLETE('i', "istioNamespace", "NAMESPACE"),
	OBSOLETE('c', "kubeconfig", "FILE"),
	{.kind = OPT_FLAG},
};

static const struct opt_manual manual = {
	.usage = NAME " -f FILE|DIR|- ... [-o FILE | --in-place | --diff | --check]\n" NAME
		      " --uninject -f FILE|DIR|- ...\n" NAME " --print-template",
	.purpose =
		"Adds an init container that redirects a pod's traffic (iptables-setup) and a "
		"sidecar that takes it (egress-proxy --transparent) to each Pod, "
		"ReplicationController, Deployment, DaemonSet, ReplicaSet, StatefulSet, Job, "
		"CronJob and DeploymentConfig in the manifests, YAML or JSON, Lists of them too. "
		"All else passes as the same bytes: a diff of input and output shows added lines. "
		"Nothing is written unless every document is good. No cluster is asked.\n\n"
		"Left alone, and said on standard error: pods on the host's network, in namespaces "
		"of the system, with the label or annotation egressbox.io/inject or "
		"sidecar.istio.io/inject \"false\" (the label goes before the annotation, "
		"egressbox.io before Istio), and those that are injected already. Pods that were "
		"injected with other settings or by another version are brought up to date.\n\n"
		"Annotations of a pod go before the flags: egressbox.io/NAME, or Istio's "
		"traffic.sidecar.istio.io/NAME, with NAME one of includeOutboundIPRanges (\"\" is "
		"none), excludeOutboundIPRanges, includeInboundPorts, excludeInboundPorts, "
		"includeOutboundPorts, excludeOutboundPorts and excludeInterfaces.\n\n"
		"A template has lists initContainers, containers and volumes, whose entries have "
		"names, and mappings annotations and labels. Its texts may hold the variables "
		"IMAGE, IMAGE_PULL_POLICY, PROXY_PORT, ADMIN_PORT, PROXY_UID, SETUP_OPTIONS, "
		"PROXY_OPTIONS, INCLUDE_IP_RANGES, EXCLUDE_IP_RANGES, INCLUDE_INBOUND_PORTS, "
		"EXCLUDE_INBOUND_PORTS, INCLUDE_OUTBOUND_PORTS, EXCLUDE_OUTBOUND_PORTS, "
		"EXCLUDE_INTERFACES, CLUSTER_CIDR, GATEWAY, OUTBOUND_POLICY, NAMESPACE, LOG_LEVEL "
		"and VERSION, as $(NAME); $$ is one $, so that $$(NAME) is left to Kubernetes as "
		"$(NAME).\n\n"
		"Options of istioctl kube-inject that have no meaning here (--coreDump, "
		"--kubeconfig, --meshConfig and the like) are taken, with a note.",
	.options = options,
	.exit_status = "  0  done, or --check found nothing to change\n"
		       "  1  could not be written, or --check found something to change\n"
		       "  2  wrong usage, or a manifest or template is bad: nothing was written\n",
	.examples = "  kubectl apply -f <(" NAME " -f sleep.yaml)\n"
		    "  " NAME " -f sleep.yaml --includeIPRanges=10.4.0.0/14,10.7.240.0/20\n"
		    "  " NAME " -f sleep.yaml $(cidr-describe -f cluster.yaml -o flag)\n"
		    "  " NAME " -R -f manifests --in-place --gateway egress-gateway:80\n"
		    "  " NAME " -f sleep.yaml --uninject -o sleep.yaml\n",
};

/* All that a run holds. */
struct run {
	const struct settings *settings;
	struct inject_settings inject;
	struct arena arena;
	struct diag diag;
	struct template template;
	struct files files;
	bool would_change; /* for --check */
	struct buf table;
};

static bool complain(const struct error *e)
{
	applet_complain(NAME, e->text);
	return false;
}

/* ---- Settings ---- */

/* The lists of ranges and ports; what cidr-describe prints as a flag may be pasted into its own. */
static bool set_list(struct run *r, struct capture *capture, enum capture_field field,
		     const char *option, const char *text)
{
	struct span value = span_from_cstr(text), name = span_from_cstr(option);
	char storage[512];
	struct buf note;
	struct error e;

	if (span_starts_with(value, name) && value.len > name.len && value.ptr[name.len] == '=')
		value = span_from(value, name.len + 1);
	/* The flag's `` is 2017's, all; an annotation's is today's, none. */
	if (field == CAPTURE_INCLUDE_RANGES && span_trim(value).len == 0)
		value = SPAN("*");
	BUF_INIT_ARRAY(&note, storage);
	if (!capture_parse(capture, field, value, &r->arena, &note, &e)) {
		error_prefix(&e, "%s", option);
		return complain(&e);
	}
	if (note.len > 0)
		diag_report(&r->diag, DIAG_NOTE, "%s: %s", option, buf_cstr(&note));
	return true;
}

static bool set_lists(struct run *r, struct capture *capture)
{
	bool ok = true;

	for (const struct opt *o = options; o->kind != OPT_FLAG || o->name != NULL; o++) {
		char option[64];
		struct buf b;

		for (int i = 0; i < CAPTURE_FIELD_COUNT; i++) {
			if (o->kind != OPT_TEXT || o->offset != AT(lists[i]) ||
			    r->settings->lists[i] == NULL)
				continue;
			BUF_INIT_ARRAY(&b, option);
			buf_printf(&b, "--%s", o->name);
			ok = set_list(r, capture, (enum capture_field)i, option,
				      r->settings->lists[i]) &&
			     ok;
		}
	}
	return ok;
}

static bool set_cluster_cidr(struct run *r)
{
	struct capture capture = {.is_set = {false}};

	if (r->settings->cluster_cidr == NULL)
		return true;
	if (!set_list(r, &capture, CAPTURE_EXCLUDE_RANGES, "--cluster-cidr",
		      r->settings->cluster_cidr))
		return false;
	r->inject.cluster_cidr = capture.list[CAPTURE_EXCLUDE_RANGES];
	return true;
}

static bool set_gateway(struct run *r)
{
	const char *text = r->settings->gateway, *problem;
	struct hostport gateway;
	struct error e;

	if (text == NULL)
		return true;
	r->inject.gateway = span_from_cstr(text);
	if (!hostport_parse(r->inject.gateway, &gateway, &problem))
		error_set(&e, "--gateway: \"%s\" is not HOST:PORT: %s", text, problem);
	else if (gateway.port == 0)
		error_set(&e, "--gateway: \"%s\" is not HOST:PORT: the port is missing", text);
	else
		return true;
	return complain(&e);
}

static bool set_outbound_policy(struct run *r)
{
	const char *text = r->settings->outbound_policy;
	struct error e;

	if (text == NULL)
		return true;
	for (size_t i = 0; policies[i] != NULL; i++)
		if (strcmp(text, policies[i]) == 0) {
			r->inject.outbound_policy = span_from_cstr(text);
			return true;
		}
	error_set(&e, "--outbound-policy: \"%s\" is neither registered nor any", text);
	return complain(&e);
}

static bool set_namespace(struct run *r)
{
	const char *text = r->settings->namespace, *problem;
	struct error e;

	if (text == NULL)
		return true;
	r->inject.namespace = span_from_cstr(text);
	problem = hostname_label_problem(r->inject.namespace);
	if (problem == NULL)
		return true;
	error_set(&e, "--namespace: \"%s\" is no namespace: %s", text, problem);
	return complain(&e);
}

static bool set_image(struct run *r)
{
	const struct settings *s = r->settings;
	struct imagename_choice choice = {s->image, s->hub, s->tag};
	struct error e;

	return imagename_choose(&choice, &r->arena, &r->inject.image, &e) || complain(&e);
}

static struct span log_level(const struct settings *s)
{
	static const char *const levels[] = {"error", "warn", "", "debug"};

	if (s->debug || s->verbosity > 3)
		return SPAN("debug");
	return span_from_cstr(levels[s->verbosity]);
}

static void note_obsolete(struct run *r)
{
	for (size_t i = 0; i < r->settings->obsolete.count; i++)
		diag_report(&r->diag, DIAG_NOTE, "--%s has no meaning here",
			    r->settings->obsolete.items[i]);
}

static bool set_inject(struct run *r)
{
	const struct settings *s = r->settings;
	struct error e;

	r->inject = (struct inject_settings){
		.image_pull_policy = span_from_cstr(pull_policies[s->image_pull_policy]),
		.version = span_from_cstr(s->version),
		.log_level = log_level(s),
		.proxy_port = (uint16_t)s->proxy_port,
		.admin_port = (uint16_t)s->admin_port,
		.proxy_uid = (uint32_t)s->proxy_uid,
		.also = {s->also.items, s->also.count},
		.is_uninject = s->uninject,
	};
	note_obsolete(r);
	if (s->proxy_port == s->admin_port) {
		error_set(&e, "--proxy-port and --admin-port are the same");
		return complain(&e);
	}
	if (s->version[0] == '\0') {
		error_set(&e, "--setVersionString: is empty");
		return complain(&e);
	}
	return set_lists(r, &r->inject.capture) && set_cluster_cidr(r) && set_gateway(r) &&
	       set_outbound_policy(r) && set_namespace(r) && set_image(r);
}

static bool set_template(struct run *r)
{
	const char *file = r->settings->template_file;
	struct span text = template_builtin(r->settings->sidecar == 0);
	struct error e;

	if (file != NULL && !file_read(&r->arena, file, YDOC_MAX_BYTES, &text, &e))
		return complain(&e);
	return template_read(&r->template, file != NULL ? file : "template", text, &r->diag);
}

/* ---- Telling ---- */

static void add_name(struct buf *out, const struct inject_event *event)
{
	buf_add_escaped(out, event->kind, 60);
	buf_add_byte(out, ' ');
	if (event->namespace.len > 0) {
		buf_add_escaped(out, event->namespace, 63);
		buf_add_byte(out, '/');
	}
	buf_add_escaped(out, event->name.len > 0 ? event->name : SPAN("(without a name)"), 253);
}

static void on_workload(void *context, const struct inject_event *event)
{
	struct run *r = context;
	char storage[800];
	struct buf b;

	r->would_change = r->would_change || event->verdict != INJECT_SKIPPED;
	if (event->verdict != INJECT_SKIPPED && !r->settings->check)
		return;
	BUF_INIT_ARRAY(&b, storage);
	buf_printf(&b, "%s:%u:%u: ", event->file, event->pos.line, event->pos.col);
	add_name(&b, event);
	buf_printf(&b, ": %s", inject_verdict_names[event->verdict]);
	if (event->reason != NULL)
		buf_printf(&b, ": %s", event->reason);
	if (r->settings->check) {
		buf_add(&r->table, buf_span(&b));
		buf_add_byte(&r->table, '\n');
	} else {
		applet_complain(NAME, buf_cstr(&b));
	}
}

/* ---- The run ---- */

static int write_result(struct run *r)
{
	const struct settings *s = r->settings;
	struct error e;
	bool ok;

	if (s->check)
		ok = fd_write_all(STDOUT_FILENO, buf_span(&r->table), &e);
	else if (s->diff)
		ok = files_write_diff(&r->files, STDOUT_FILENO, &e);
	else if (s->in_place)
		ok = files_write_back(&r->files, &e);
	else if (s->output != NULL)
		ok = files_write_to(&r->files, s->output, &e);
	else
		ok = files_write(&r->files, STDOUT_FILENO, &e);
	if (!ok) {
		applet_complain(NAME, e.text);
		return APPLET_FAILED;
	}
	return s->check && r->would_change ? APPLET_FAILED : APPLET_DONE;
}

/* Whether every document is good; what is not was said. */
static bool inject_files(struct run *r, struct inject *in)
{
	const struct settings *s = r->settings;
	struct opt_list paths = s->files;

	if (!set_template(r) ||
	    !files_read(&r->files, paths.items, paths.count, s->recursive, &r->diag))
		return false;
	for (size_t i = 0; i < r->files.count; i++) {
		struct files_one *file = &r->files.list[i];

		inject_file(in, file->name, file->text, &file->edits);
	}
	if (r->diag.errors == 0 && s->strict && r->diag.warnings > 0)
		diag_report(&r->diag, DIAG_ERROR, "--strict: warnings are errors");
	return r->diag.errors == 0;
}

static int inject(struct run *r)
{
	struct inject in;
	int status = APPLET_USAGE;

	inject_init(&in, &r->inject, &r->template, &r->diag);
	in.on_workload = on_workload;
	in.context = r;
	files_init(&r->files, &r->arena);
	buf_init_heap(&r->table, MEMORY_MAX);
	if (inject_files(r, &in))
		status = write_result(r);
	buf_fini(&r->table);
	files_fini(&r->files);
	inject_fini(&in);
	template_fini(&r->template);
	return status;
}

static int print_template(const struct settings *s)
{
	struct error e;

	if (fd_write_all(STDOUT_FILENO, template_builtin(s->sidecar == 0), &e))
		return APPLET_DONE;
	applet_complain(NAME, e.text);
	return APPLET_FAILED;
}

/* Usage that does not go together. */
static const char *problem_of(const struct settings *s)
{
	if (s->files.count == 0)
		return "no manifests: give -f FILE, -f DIR or -f - (--help for more)";
	if ((s->output != NULL) + s->in_place + s->diff + s->check > 1)
		return "-o, --in-place, --diff and --check: give one of them";
	for (size_t i = 0; s->in_place && i < s->files.count; i++)
		if (strcmp(s->files.items[i], "-") == 0)
			return "--in-place: standard input is no file to write to";
	return NULL;
}

static int run(int argc, char **argv)
{
	struct settings settings = {.check = false};
	char name[] = NAME;
	struct run r = {.settings = &settings, .diag = {.emit = applet_emit, .context = name}};
	int status = APPLET_USAGE;
	const char *problem;
	struct error e;

	arena_init(&r.arena, MEMORY_MAX);
	if (!opt_parse(options, &settings, argc, argv, &r.arena, NULL, &e)) {
		applet_complain(NAME, e.text);
		goto out;
	}
	if (settings.print_template) {
		status = print_template(&settings);
		goto out;
	}
	problem = problem_of(&settings);
	if (problem != NULL)
		applet_complain(NAME, problem);
	else if (set_inject(&r))
		status = inject(&r);
out:
	arena_fini(&r.arena);
	return status;
}

const struct applet kube_inject_applet = {
	.name = NAME,
	.summary = "adds init container and sidecar to manifests, every other byte as it was",
	.manual = &manual,
	.run = run,
};
