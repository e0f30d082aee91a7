/*
 * cidr-describe: a cluster's ranges from whatever is at hand; what ranges are, and what can be
 * computed of them.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "base/arena.h"
#include "cidr/describe.h"
#include "cidr/discover.h"
#include "cidr/inspect.h"
#include "cidr/ladder.h"
#include "cidr/live.h"
#include "cidr/rangewriter.h"
#include "cidr/verb.h"
#include "kube/clusterpreset.h"
#include "sys/fd.h"
#include "tls/anchors_embedded.h"
#include "version.h"

#define NAME "cidr-describe"

#define MEMORY_MAX ((size_t)64 << 20)
#define OUTPUT_MAX ((size_t)256 << 20)

static const char *const guesses[] = {"no", "narrow", "wide", NULL};

struct settings {
	struct opt_list files, ranges, providers, obsolete;
	bool node, allow_partial, allow_any, aggregate, pods, services;
	bool in_cluster, probe, print_rbac;
	struct opt_list against, labels;
	const char *resolv_conf;
	const char *root;
	struct access access;
	int min_confidence, guess;
	int format;
	bool v4, v6;
	uint64_t max_results, timeout_ms;
};

#define AT(member) offsetof(struct settings, member)

#define ROW(type, letter, option, value, member, text)                                             \
	{                                                                                          \
		.kind = type, .short_name = letter, .name = option, .value_name = value,           \
		.offset = AT(member), .help = text                                                 \
	}

#define CHOICE(letter, option, value, member, first, list, text)                                   \
	{                                                                                          \
		.kind = OPT_CHOICE, .short_name = letter, .name = option, .value_name = value,     \
		.offset = AT(member), .initial = first, .choices = list, .help = text              \
	}
/* Of gcloud, whose line people may have at hand. */
#define OBSOLETE(option)                                                                           \
	{                                                                                          \
		.kind = OPT_OBSOLETE, .name = option, .value_name = "NAME", .offset = AT(obsolete) \
	}

static const struct opt options[] = {
	{.kind = OPT_SECTION, .help = "Where a cluster's ranges are looked for"},
	ROW(OPT_LIST, 'f', "filename", "FILE", files,
	    "A file, a directory (its *.yaml, *.yml, *.json, *.conf, *.conflist and *.env), or - "
	    "for standard input, which is read as well when nothing is named. With a verb: ranges, "
	    "separated by blanks, lines or commas. May be given again."),
	ROW(OPT_LIST, 0, "labels", "pod|service|-,...", labels,
	    "What the columns of values without labels are, as gcloud's value(), aws's text and "
	    "az's tsv print them; - for those that hold no ranges."),
	ROW(OPT_FLAG, 0, "node", NULL, node,
	    "What this node knows: manifests of the control plane, files of k3s, RKE2, k0s, "
	    "MicroK8s, Flannel and CNI, command lines of Kubernetes' processes, Weave's route."),
	{.kind = OPT_TEXT,
	 .name = "root",
	 .value_name = "DIR",
	 .offset = AT(root),
	 .initial = "/",
	 .help = "Where the node's file system is, for --node."},
	ROW(OPT_LIST, 0, "provider", "NAME", providers,
	    "The ranges that clusters of this kind have by default: an assumption. list prints all "
	    "names and ranges."),
	{.kind = OPT_SECTION,
	 .help = "Asking the cluster itself (HTTPS, TLS 1.2, always verified)"},
	ROW(OPT_FLAG, 0, "in-cluster", NULL, in_cluster,
	    "As the pod's service account; without one, without rights or without an answer, by "
	    "the pod's environment and routes."),
	ACCESS_ROWS(AT(access)),
	{.kind = OPT_DURATION,
	 .name = "timeout",
	 .value_name = "TIME",
	 .offset = AT(timeout_ms),
	 .initial = "30s",
	 .min = 10,
	 .max = 3600000,
	 .help = "How long one request may take, with all that is tried again."},
	ROW(OPT_FLAG, 0, "probe", NULL, probe,
	    "Where nothing else says it, ask for the service range by a Service that is never made "
	    "(dryRun=All)."),
	ROW(OPT_FLAG, 0, "print-rbac", NULL, print_rbac,
	    "Print the roles that allow all that is asked, and exit."),
	{.kind = OPT_SECTION, .help = "What is taken of it"},
	CHOICE(0, "min-confidence", "LEVEL", min_confidence, "assumed", clusterkeys_confidences,
	       "Refuse ranges that are less sure than this: declared (the cluster's own say), "
	       "configured (in what assigns addresses), derived (from what is there now), "
	       "assumed."),
	CHOICE(0, "guess", "HOW", guess, "no", guesses,
	       "When only nodes say where pods are: no, print their slices; narrow, the smallest "
	       "range around them; wide, what the cluster's range may well be."),
	ROW(OPT_FLAG, 0, "pods", NULL, pods, "Only ranges of pods."),
	ROW(OPT_FLAG, 0, "services", NULL, services, "Only ranges of services."),
	ROW(OPT_FLAG, 0, "allow-partial", NULL, allow_partial,
	    "Print what was found also when pods or services are missing."),
	ROW(OPT_FLAG, 0, "allow-any", NULL, allow_any,
	    "Take 0.0.0.0/0 and ::/0 for a cluster's range."),
	ROW(OPT_FLAG, 0, "aggregate", NULL, aggregate, "Print the fewest prefixes, without roles."),
	{.kind = OPT_SECTION, .help = "What is checked"},
	ROW(OPT_LIST, 0, "against", "CIDR[,CIDR]...", against,
	    "check: also that the clusters have these ranges and no others."),
	{.kind = OPT_TEXT,
	 .name = "resolv-conf",
	 .value_name = "FILE",
	 .offset = AT(resolv_conf),
	 .initial = "/etc/resolv.conf",
	 .help = "check: whose name servers must not be inside."},
	{.kind = OPT_SECTION, .help = "Ranges and output"},
	ROW(OPT_LIST, 0, "includeIPRanges", "CIDR[,CIDR]...", ranges,
	    "More ranges for a verb or to describe, as a flag of istioctl or kube-inject has "
	    "them."),
	CHOICE('o', "output", "FORMAT", format, "describe", rangewriter_formats,
	       "describe, flag (--includeIPRanges=...), comma, list, helm, annotation, env, yaml, "
	       "json or csv."),
	CHOICE(0, "format", "FORMAT", format, NULL, rangewriter_formats, "The same as -o."),
	ROW(OPT_FLAG, '4', "ipv4", NULL, v4, "Only ranges of IPv4."),
	ROW(OPT_FLAG, '6', "ipv6", NULL, v6, "Only ranges of IPv6."),
	{.kind = OPT_NUMBER,
	 .name = "max-results",
	 .value_name = "N",
	 .offset = AT(max_results),
	 .initial = "1048576",
	 .min = 1,
	 .max = 1 << 28,
	 .help = "Print nothing and fail when exclude, intersect, split or overlaps would have "
		 "more results."},
	OBSOLETE("zone"),
	OBSOLETE("region"),
	OBSOLETE("project"),
	{.kind = OPT_FLAG},
};

static const struct opt_manual manual = {
	.usage = NAME " [-f FILE|DIR|-]... [-o FORMAT]\n" NAME
		      " --node|--provider NAME [-o FORMAT]\n" NAME
		      " --in-cluster|--kubeconfig FILE|--server URL [-o FORMAT]\n" NAME
		      " CIDR|ADDRESS|FIRST-LAST ... [-o FORMAT]\n" NAME
		      " VERB [CIDR|ADDRESS|FIRST-LAST|@FILE|- ...] [-f FILE]...",
	.purpose =
		"Prints the ranges of a cluster's pods and services, from what its provider's tool "
		"says of it (gcloud, aws, az, ibmcloud, doctl, oci ..., whole or what grep left "
		"of it), from kubectl's output (nodes, ServiceCIDRs, ConfigMaps of kubeadm, "
		"kube-proxy, Flannel and Cilium, pods of kube-system, pools of Calico and Cilium, "
		"OpenShift's network), or from configuration files (Cluster API, kubeadm, kind, "
		"k3s, "
		"k0s, kops, Kubespray, Talos). YAML, JSON, tables, flags and NAME=value lines are "
		"told apart by what they hold.\n\n"
		"Of pods and of services each, the source that is surest counts; nothing is "
		"aggregated unless asked. When one of the two is not found, nothing is printed. "
		"Ranges of control planes, load balancers and authorized networks are left out.\n\n"
		"Given ranges, describes them: network, mask, first and last address, their "
		"number, the entry of the IANA special-purpose registry, known uses in Kubernetes, "
		"zones of the reverse DNS. Or computes with them, IPv4 and IPv6 alike:\n\n"
		"  normalize   each range as prefixes, in the order given\n"
		"  aggregate   the fewest prefixes that are exactly the ranges\n"
		"  cover       the smallest prefix that holds all, and how many addresses it adds\n"
		"  exclude     the first range or list without the others\n"
		"  intersect   what the first range or list has in common with the others\n"
		"  contains    of each range but the first: is it all inside the first?\n"
		"  overlaps    the pairs of ranges that have addresses in common\n"
		"  split       each range in parts of length /N, which is one of the operands\n"
		"  range       prefixes as FIRST-LAST, and FIRST-LAST as prefixes\n"
		"  check       what would break a mesh: of lists, of descriptions of clusters "
		"(files, "
		"-f FILE, the cluster itself), of two clusters beside each other, and --against "
		"what is in use\n\n"
		"Ranges are given as lists separated by commas; @FILE is a file of ranges, - is "
		"standard input, which is read as well when no ranges are given. With -f, the "
		"files "
		"are the first list of exclude, intersect and contains. Addresses are decimal and "
		"without leading zeroes, names are never looked up. Bits behind a range's length "
		"are cleared, with a note.",
	.options = options,
	.exit_status =
		"  0  done; contains: all are inside; overlaps: there are some;\n"
		"     check: no problems\n"
		"  1  pods' or services' ranges were not found, or the cluster could not be\n"
		"     asked; contains, overlaps: no; check: problems; or output could not be\n"
		"     written\n"
		"  2  wrong usage, or something is no range: nothing was written\n",
	.examples = "  gcloud container clusters describe NAME --zone=ZONE | " NAME "\n"
		    "  kube-inject -f sleep.yaml $(" NAME " -f cluster.yaml -o flag)\n"
		    "  kubectl get nodes,servicecidrs -o json | " NAME " --guess wide\n"
		    "  " NAME " --kubeconfig ~/.kube/config -o annotation\n"
		    "  " NAME " --provider minikube@0.23 -o flag\n"
		    "  " NAME " 10.0.0.1/24 2001:db8::/32 10.0.0.5-10.0.0.77\n"
		    "  " NAME " exclude 0.0.0.0/0 10.4.0.0/14,10.7.240.0/20 -o comma\n"
		    "  " NAME " contains 10.4.0.0/14,10.7.240.0/20 10.5.1.7\n"
		    "  " NAME " split 10.0.0.0/16 /18\n"
		    "  " NAME " check --in-cluster --against 10.4.0.0/14,10.7.240.0/20\n",
};

/* ---- Complaints ---- */

static int complain(const struct error *e, int status)
{
	applet_complain(NAME, e->text);
	return status;
}

/* ---- Verbs and descriptions ---- */

/* The operands from `from` on, and what --includeIPRanges gave. */
static bool collect(const struct settings *s, const struct opt_list *operands, size_t from,
		    struct arena *arena, struct verb_words *out)
{
	size_t own = operands->count - from;
	const char **items = arena_get_array(arena, own + s->ranges.count + 1, sizeof *items);

	if (items == NULL)
		return false;
	for (size_t i = 0; i < own; i++)
		items[i] = operands->items[from + i];
	for (size_t i = 0; i < s->ranges.count; i++)
		items[own + i] = s->ranges.items[i];
	*out = (struct verb_words){items, own + s->ranges.count};
	return true;
}

static uint8_t family_of(const struct settings *s)
{
	return s->v4 == s->v6 ? 0 : s->v4 ? 4 : 6;
}

static int run_verb(const struct settings *s, enum verb verb, struct verb_words words)
{
	char name[] = NAME;
	struct diag diag = {.emit = applet_emit, .context = name};
	struct verb_job job = {
		.verb = verb,
		.operands = words,
		.files = {s->files.items, s->files.count},
		.may_read_stdin = isatty(STDIN_FILENO) == 0,
		.family = family_of(s),
		.max_results = s->max_results,
		.format = (enum rangewriter_format)s->format,
		.out = STDOUT_FILENO,
		.diag = &diag,
	};
	struct error e;

	switch (verb_run(&job, &e)) {
	case VERB_DONE:
		return APPLET_DONE;
	case VERB_NO:
		return APPLET_FAILED;
	case VERB_FAILED:
		return complain(&e, APPLET_FAILED);
	default:
		return complain(&e, APPLET_USAGE);
	}
}

static int describe(const struct settings *s, struct verb_words words)
{
	int status = APPLET_DONE;
	struct buf out;
	struct error e;

	buf_init_heap(&out, OUTPUT_MAX);
	if (!describe_lists(&words, family_of(s), (enum rangewriter_format)s->format, &out, &e)) {
		if (words.count > 0)
			verb_suggest(words.items[0], &e);
		status = complain(&e, APPLET_USAGE);
	} else if (!fd_write_all(STDOUT_FILENO, buf_span(&out), &e)) {
		status = complain(&e, APPLET_FAILED);
	}
	buf_fini(&out);
	return status;
}

/* ---- A cluster's ranges ---- */

static bool asks_cluster(const struct settings *s)
{
	const struct access *a = &s->access;

	return s->in_cluster || a->server != NULL || a->kubeconfig != NULL || a->context != NULL;
}

static enum verb_answer ask_cluster(struct discover *d, const struct settings *s, struct error *e)
{
	struct live_settings live = {
		.in_cluster = s->in_cluster,
		.access = s->access,
		.user_agent = "egressbox/" EGRESSBOX_VERSION,
		.timeout_ms = (uint32_t)s->timeout_ms,
		.probes = s->probe,
		.guess = (enum clusterinfo_guess)s->guess,
		.wants = {s->pods || !s->services, s->services || !s->pods},
	};
	struct anchors *inside = NULL;
	enum verb_answer answer;

	if (!live_find_hosts(d->arena, environ, &live.hosts)) {
		error_set(e, "out of memory");
		return VERB_FAILED;
	}
	if (anchors_embedded_size > 0)
		inside = anchors_from_packed(span_of(anchors_embedded, anchors_embedded_size), e);
	applet_access_env(&live.access);
	live.access.otherwise = inside;
	answer = live_read(&live, d, e);
	anchors_free(inside);
	return answer;
}

static enum verb_answer look_everywhere(struct discover *d, const struct settings *s,
					bool *is_complete, struct error *e)
{
	bool has_source = s->files.count > 0 || s->node || s->providers.count > 0;

	for (size_t i = 0; i < s->labels.count; i++)
		if (!discover_labels(d, s->labels.items[i], e))
			return VERB_REFUSED;
	for (size_t i = 0; i < s->files.count; i++)
		if (!discover_file(d, s->files.items[i], e))
			return VERB_REFUSED;
	if (s->node && !discover_node(d, s->root, e))
		return VERB_REFUSED;
	for (size_t i = 0; i < s->providers.count; i++)
		if (!clusterpreset_add(s->providers.items[i], &d->info, d->diag, is_complete, e))
			return VERB_REFUSED;
	if (asks_cluster(s))
		return ask_cluster(d, s, e);
	if (has_source)
		return VERB_DONE;
	if (isatty(STDIN_FILENO) != 0) {
		error_set(e,
			  "no source: pipe what describes the cluster, or give -f FILE, "
			  "--in-cluster, --kubeconfig FILE, --node, or --provider NAME (--help for "
			  "more)");
		return VERB_REFUSED;
	}
	return discover_file(d, "-", e) ? VERB_DONE : VERB_REFUSED;
}

/* What went wrong, if it was not said yet. */
static int give_up(enum verb_answer answer, const struct error *e)
{
	int status = answer == VERB_REFUSED ? APPLET_USAGE : APPLET_FAILED;

	return e->text[0] != '\0' ? complain(e, status) : status;
}

static int answer(struct discover *d, const struct settings *s, bool is_complete)
{
	struct discover_demand demand = {
		.choice = {.min_confidence = (enum clusterkeys_confidence)s->min_confidence,
			   .guess = (enum clusterinfo_guess)s->guess,
			   .family = family_of(s),
			   .roles = {s->pods || !s->services, s->services || !s->pods}},
		.allows_partial = s->allow_partial || is_complete,
		.is_aggregated = s->aggregate,
		.format = (enum rangewriter_format)s->format,
	};
	enum verb_answer found;
	struct error e;
	struct buf out;
	int status;

	buf_init_heap(&out, OUTPUT_MAX);
	found = discover_answer(d, &demand, &out, &e);
	if (found != VERB_DONE)
		status = give_up(found, &e);
	else if (fd_write_all(STDOUT_FILENO, buf_span(&out), &e))
		status = APPLET_DONE;
	else
		status = complain(&e, APPLET_FAILED);
	buf_fini(&out);
	return status;
}

static int discover(const struct settings *s, struct arena *arena)
{
	static struct discover d;
	char name[] = NAME;
	struct diag diag = {.emit = applet_emit, .context = name};
	bool is_complete = false;
	enum verb_answer looked;
	struct error e = {""};
	int status;

	discover_init(&d, arena, &diag);
	d.find.allows_any = s->allow_any;
	for (size_t i = 0; i < s->obsolete.count; i++)
		diag_report(&diag, DIAG_NOTE,
			    "--%s has no meaning here: the cluster is the one "
			    "that is piped in",
			    s->obsolete.items[i]);
	looked = look_everywhere(&d, s, &is_complete, &e);
	status = looked == VERB_DONE ? answer(&d, s, is_complete) : give_up(looked, &e);
	discover_fini(&d);
	return status;
}

/* ---- Checking ---- */

static enum verb_answer inspect_cluster(struct inspect *in, const struct settings *s,
					struct error *e)
{
	static struct discover d;
	enum verb_answer answer;

	discover_init(&d, in->arena, in->diag);
	d.find.allows_any = true;
	answer = ask_cluster(&d, s, e);
	if (answer == VERB_DONE && !inspect_discovered(in, &d, "cluster", e))
		answer = VERB_FAILED;
	discover_fini(&d);
	return answer;
}

static enum verb_answer inspect_all(struct inspect *in, const struct settings *s,
				    struct verb_words words, struct error *e)
{
	bool ok = inspect_servers(in, s->resolv_conf, e);

	for (size_t i = 0; ok && i < s->against.count; i++)
		ok = inspect_against(in, s->against.items[i], e);
	for (size_t i = 0; ok && i < words.count; i++)
		ok = inspect_operand(in, words.items[i], e);
	for (size_t i = 0; ok && i < s->files.count; i++)
		ok = inspect_file(in, s->files.items[i], e);
	if (ok && !asks_cluster(s) && words.count + s->files.count == 0)
		ok = inspect_file(in, "-", e);
	if (ok && asks_cluster(s)) {
		enum verb_answer answer = inspect_cluster(in, s, e);

		if (answer != VERB_DONE)
			return answer;
	}
	return ok ? inspect_run(in, e) : VERB_REFUSED;
}

static int check(const struct settings *s, struct verb_words words, struct arena *arena)
{
	char name[] = NAME;
	struct diag diag = {.emit = applet_emit, .context = name};
	struct error e = {""}, failed;
	enum verb_answer answer;
	struct inspect in;
	struct buf out;
	int status;

	buf_init_heap(&out, OUTPUT_MAX);
	inspect_init(&in, arena, &diag, &out);
	in.guess = (enum clusterinfo_guess)s->guess;
	answer = inspect_all(&in, s, words, &e);
	status = answer == VERB_DONE ? APPLET_DONE : give_up(answer, &e);
	if ((answer == VERB_DONE || answer == VERB_NO) &&
	    !fd_write_all(STDOUT_FILENO, buf_span(&out), &failed))
		status = complain(&failed, APPLET_FAILED);
	inspect_fini(&in);
	buf_fini(&out);
	return status;
}

static bool lists_presets(const struct settings *s)
{
	for (size_t i = 0; i < s->providers.count; i++)
		if (strcmp(s->providers.items[i], "list") == 0)
			return true;
	return false;
}

static int print(const struct buf *out)
{
	struct error e;

	return fd_write_all(STDOUT_FILENO, buf_span(out), &e) ? APPLET_DONE
							      : complain(&e, APPLET_FAILED);
}

static int list_presets(void)
{
	char storage[4096];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	clusterpreset_list(&out);
	return print(&out);
}

static int print_rbac(const struct settings *s)
{
	char storage[4096];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	ladder_rbac(s->probe, s->guess != CLUSTERINFO_GUESS_NO, &out);
	return print(&out);
}

static int run(int argc, char **argv)
{
	struct settings settings = {.v4 = false};
	struct opt_list operands = {NULL, 0};
	enum verb verb = VERB_COUNT;
	bool is_check;
	struct verb_words words;
	struct arena arena;
	int status = APPLET_USAGE;
	struct error e;

	arena_init(&arena, MEMORY_MAX);
	if (!opt_parse(options, &settings, argc, argv, &arena, &operands, &e)) {
		complain(&e, status);
		goto out;
	}
	if (operands.count > 0)
		verb = verb_find(operands.items[0]);
	is_check = operands.count > 0 && strcmp(operands.items[0], "check") == 0;
	if (!collect(&settings, &operands, verb != VERB_COUNT || is_check, &arena, &words)) {
		error_set(&e, "out of memory");
		status = complain(&e, APPLET_FAILED);
	} else if (settings.print_rbac) {
		status = print_rbac(&settings);
	} else if (is_check) {
		status = check(&settings, words, &arena);
	} else if (verb != VERB_COUNT) {
		status = run_verb(&settings, verb, words);
	} else if (words.count > 0 && settings.files.count > 0) {
		error_set(&e,
			  "ranges and -f FILE: expected one of them, or a verb (--help for more)");
		complain(&e, status);
	} else if (words.count > 0) {
		status = describe(&settings, words);
	} else {
		status = lists_presets(&settings) ? list_presets() : discover(&settings, &arena);
	}
out:
	arena_fini(&arena);
	return status;
}

const struct applet cidr_describe_applet = {
	.name = NAME,
	.summary = "finds a cluster's address ranges, and computes with ranges",
	.manual = &manual,
	.run = run,
};
