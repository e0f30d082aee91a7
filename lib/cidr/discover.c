#include "cidr/discover.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/ascii.h"
#include "cidr/clusterprint.h"
#include "kube/clusterguess.h"
#include "kube/clusterread.h"
#include "sys/file.h"
#include "sys/filestream.h"

void discover_init(struct discover *d, struct arena *arena, struct diag *diag)
{
	d->arena = arena;
	d->diag = diag;
	d->sources = 0;
	d->name = "";
	clusterinfo_init(&d->info, arena);
	clusterfind_init(&d->find, &d->info, diag);
}

void discover_fini(struct discover *d)
{
	clusterfind_fini(&d->find);
	clusterinfo_fini(&d->info);
}

bool discover_labels(struct discover *d, const char *list, struct error *e)
{
	struct span rest = span_from_cstr(list), word;
	struct clusterfind *f = &d->find;

	while (span_split(&rest, ',', &word)) {
		unsigned role = 0;

		while (role < CLUSTERKEYS_ROLES &&
		       !span_eq(word, span_from_cstr(clusterkeys_roles[role])))
			role++;
		if ((role == CLUSTERKEYS_ROLES && !span_eq(word, SPAN("-"))) ||
		    f->label_count == CLUSTERFIND_LABELS_MAX)
			return error_set(e,
					 "--labels: expected pod, service or - for each of at "
					 "most %d columns, such as pod,service",
					 CLUSTERFIND_LABELS_MAX);
		f->labels[f->label_count++] = (uint8_t)role;
	}
	return true;
}

static bool on_piece(void *context, struct span piece, struct error *e)
{
	return clusterread_feed(context, piece, e);
}

static bool read_one(struct discover *d, const char *path, struct error *e)
{
	struct clusterread reader;
	char storage[1024];
	struct span name;
	struct buf b;
	bool ok;

	/* Escaped once and for all: it will stand in front of complaints. */
	BUF_INIT_ARRAY(&b, storage);
	buf_add_escaped(&b, span_from_cstr(filestream_name(path)), 200);
	if (!arena_copy(d->arena, buf_span(&b), &name))
		return error_set(e, "out of memory");
	d->sources++;
	d->name = name.ptr;
	clusterread_begin(&reader, &d->find, name.ptr);
	ok = filestream_read(path, on_piece, &reader, e) && clusterread_end(&reader, e);
	clusterread_fini(&reader);
	return ok;
}

static bool read_dir(struct discover *d, const char *path, struct error *e)
{
	static const char *const suffixes[] = {".yaml", ".yml",	     ".json", ".conf",
					       ".env",	".conflist", NULL};
	struct span *list;
	size_t count;

	if (!file_list_dir(d->arena, path, suffixes, &list, &count, e))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!read_one(d, list[i].ptr, e))
			return false;
	return true;
}

bool discover_file(struct discover *d, const char *path, struct error *e)
{
	if (strcmp(path, "-") != 0 && file_is_dir(path))
		return read_dir(d, path, e);
	return read_one(d, path, e);
}

/* ---- A node ---- */

static bool path_below(const char *root, const char *name, struct buf *path, struct error *e)
{
	buf_clear(path);
	buf_printf(path, "%s/%s", strcmp(root, "/") == 0 ? "" : root, name);
	return !path->truncated || error_set(e, "%s: the path is too long", root);
}

/* What Kubernetes' own processes are called; all else may have such flags for other reasons. */
static bool is_component(struct span command)
{
	static const char *const names[] = {
		"kube-apiserver", "kube-controller-manager",
		"kube-proxy",	  "kubelite",
		"hyperkube",	  "k3s",
		"rke2",		  "k0s",
	};
	size_t slash = span_rfind(command, '/');
	struct span name = slash == SIZE_MAX ? command : span_from(command, slash + 1), first;

	/* k3s writes "/usr/local/bin/k3s server" over it. */
	if (!span_split(&name, ' ', &first))
		return false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_eq(first, span_from_cstr(names[i])))
			return true;
	return false;
}

/* The words of a command line, NUL behind each, as a pod's command would have them. */
static bool read_process(struct discover *d, const char *path, struct error *e)
{
	struct span rest, word, name;
	struct error unused;

	(void)e;
	/* Processes end while they are looked for. */
	if (!file_read(d->arena, path, 1u << 20, &rest, &unused) || rest.len == 0 ||
	    !is_component(span_first(rest, span_find(rest, '\0'))))
		return true;
	if (!arena_copy(d->arena, span_from_cstr(path), &name))
		return error_set(e, "out of memory");
	clusterfind_begin(&d->find, name.ptr);
	clusterfind_open(&d->find, true);
	clusterfind_key(&d->find, SPAN("command"));
	clusterfind_open(&d->find, false);
	while (rest.len > 0 && span_split(&rest, '\0', &word))
		clusterfind_scalar(&d->find, word, true,
				   (struct clustervalue_pos){.line = 1, .col = 1});
	clusterfind_close(&d->find);
	clusterfind_close(&d->find);
	return true;
}

static bool read_processes(struct discover *d, const char *root, struct error *e)
{
	char storage[4096];
	struct dirent *entry;
	struct buf path;
	bool ok = true;
	DIR *proc;

	BUF_INIT_ARRAY(&path, storage);
	if (!path_below(root, "proc", &path, e))
		return false;
	proc = opendir(path.ptr);
	while (ok && proc != NULL && (entry = readdir(proc)) != NULL) {
		if (!ascii_is_digit(entry->d_name[0]))
			continue;
		ok = path_below(root, "proc/", &path, e);
		buf_printf(&path, "%s/cmdline", entry->d_name);
		ok = ok && read_process(d, path.ptr, e);
	}
	if (proc != NULL)
		closedir(proc);
	return ok;
}

static bool read_routes(struct discover *d, const char *root, const char *name, struct error *e)
{
	char storage[4096];
	struct error unused;
	struct span routes, file;
	struct buf path;

	BUF_INIT_ARRAY(&path, storage);
	if (!path_below(root, name, &path, e))
		return false;
	if (file_read(d->arena, path.ptr, 1u << 20, &routes, &unused) &&
	    arena_copy(d->arena, buf_span(&path), &file))
		clusterguess_pods(routes, file.ptr, true, &d->info);
	return true;
}

bool discover_node(struct discover *d, const char *root, struct error *e)
{
	static const char *const paths[] = {
		"etc/kubernetes/manifests",
		"etc/rancher/k3s/config.yaml",
		"etc/rancher/k3s/config.yaml.d",
		"etc/systemd/system/k3s.service",
		"etc/rancher/rke2/config.yaml",
		"etc/rancher/rke2/config.yaml.d",
		"var/lib/rancher/rke2/agent/pod-manifests",
		"etc/k0s/k0s.yaml",
		"var/snap/microk8s/current/args/kube-apiserver",
		"var/snap/microk8s/current/args/kube-proxy",
		"run/flannel/subnet.env",
		"etc/cni/net.d",
		"var/lib/rancher/k3s/agent/etc/cni/net.d",
	};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		char storage[4096];
		struct buf path;

		BUF_INIT_ARRAY(&path, storage);
		if (!path_below(root, paths[i], &path, e))
			return false;
		if (access(path.ptr, F_OK) == 0 && !discover_file(d, path.ptr, e))
			return false;
	}
	d->sources++;
	d->name = "the node's files";
	/* Of the node itself, and not of the pod that looks into it. */
	return read_processes(d, root, e) && read_routes(d, root, "proc/1/net/route", e) &&
	       read_routes(d, root, "proc/1/net/ipv6_route", e);
}

/* ---- The answer ---- */

static bool add_prefix(void *context, const struct range *prefix)
{
	rangewriter_add(context, prefix);
	return true;
}

/* What is on both roles together, as few prefixes as can say it. */
static bool print_aggregated(const struct clusterinfo_answer *answer,
			     enum rangewriter_format format, struct buf *out)
{
	struct rangewriter w;
	struct cidrset set;
	bool ok = true;

	cidrset_init(&set);
	for (size_t i = 0; ok && i < answer->count; i++)
		ok = cidrset_add(&set, &answer->list[i].range);
	ok = ok && cidrset_merge(&set);
	if (ok) {
		/* Nothing is written before the end: the pieces go to the buffer. */
		rangewriter_init(&w, -1, format);
		w.out = out;
		cidrset_prefixes(&set, add_prefix, &w);
		ok = rangewriter_end(&w, &(struct error){0});
	}
	cidrset_fini(&set);
	return ok;
}

static void explain(const struct discover *d, const struct clusterinfo_answer *answer,
		    const struct discover_demand *demand, unsigned role, struct error *e)
{
	const char *what = clusterkeys_roles[role];

	const struct clusterfind *f = &d->find;

	if (answer->unsure[role] > 0)
		error_set(e, "no %s range that is %s, only some less sure (--min-confidence)", what,
			  clusterkeys_confidences[demand->choice.min_confidence]);
	else if (d->info.piles[CLUSTERINFO_POD_ADDRESSES + role].count > 0)
		error_set(e,
			  "no %s range found in %s, only addresses (--guess narrow or wide takes "
			  "what is around them)",
			  what, d->name);
	else if (answer->count == 0 && f->unlabelled_file != NULL)
		error_set(e,
			  "%s:%u:%u: nothing says whose range this is: pipe all that the command "
			  "prints, with its labels, or name the columns: --labels pod,service",
			  f->unlabelled_file, f->unlabelled_at.line, f->unlabelled_at.col);
	else if (answer->count == 0 && d->sources > 0)
		error_set(e, "no pod and no service range found in %s", d->name);
	else
		error_set(e, "no %s range found in %s (--allow-partial prints the rest)", what,
			  d->sources > 0 ? d->name : "what was given");
}

/* The service range from its first address, or what is known of its length. */
static void guess_services(struct discover *d, enum clusterinfo_guess guess)
{
	const struct clusterinfo_range *first = &d->info.first_address;
	unsigned widest, narrowest;
	char storage[RANGE_TEXT_MAX];
	struct buf b;

	if (clusterguess_services(&d->info, guess, &widest, &narrowest) || widest == 0)
		return;
	BUF_INIT_ARRAY(&b, storage);
	range_format_address(first->range.family, first->range.first, &b);
	diag_report(d->diag, DIAG_NOTE,
		    "the first address of the services is %s: their range begins before it, and "
		    "has a length from /%u to /%u (--guess wide or narrow takes one)",
		    buf_cstr(&b), widest, narrowest);
}

bool discover_choose(struct discover *d, const struct clusterinfo_choice *choice,
		     struct clusterinfo_answer *answer)
{
	if (choice->roles[CLUSTERKEYS_SERVICE] && !clusterinfo_has(&d->info, CLUSTERKEYS_SERVICE))
		guess_services(d, choice->guess);
	return clusterinfo_choose(&d->info, choice, answer);
}

enum verb_answer discover_answer(struct discover *d, const struct discover_demand *demand,
				 struct buf *out, struct error *e)
{
	bool is_whole = clusterfind_finish(&d->find), ok = true;
	struct clusterinfo_answer answer;

	e->text[0] = '\0';
	if (d->diag->errors > 0)
		return VERB_REFUSED;
	if (d->info.is_full) {
		error_set(e, "more than %d ranges are no answer", CLUSTERINFO_RANGES_MAX);
		return VERB_REFUSED;
	}
	if (!discover_choose(d, &demand->choice, &answer)) {
		error_set(e, "out of memory");
		return VERB_FAILED;
	}
	for (unsigned role = 0; role < CLUSTERKEYS_ROLES; role++)
		if (demand->choice.roles[role] && answer.counts[role] == 0 &&
		    (!demand->allows_partial || answer.count == 0)) {
			explain(d, &answer, demand, role, e);
			return VERB_NO;
		}
	if (!is_whole && !demand->allows_partial) {
		error_set(e, "ranges are missing (--allow-partial prints the rest)");
		return VERB_NO;
	}
	for (size_t i = 0; i < answer.count; i++)
		if (answer.list[i].note != NULL && answer.list[i].rank != CLUSTERKEYS_RANK_PRESET &&
		    (i == 0 || answer.list[i].note != answer.list[i - 1].note))
			diag_report(d->diag, DIAG_NOTE, "%s (%s range of %s)", answer.list[i].note,
				    clusterkeys_roles[answer.list[i].role], answer.list[i].source);
	if (demand->is_aggregated)
		ok = print_aggregated(&answer, demand->format, out);
	else
		clusterprint(&answer, demand->format, out);
	if (ok && !out->truncated)
		return VERB_DONE;
	error_set(e, "out of memory");
	return VERB_FAILED;
}
