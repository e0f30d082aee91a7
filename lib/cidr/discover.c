#include "cidr/discover.h"

#include <string.h>
#include <unistd.h>

#include "cidr/clusterprint.h"
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

bool discover_node(struct discover *d, const char *root, struct error *e)
{
	static const char *const paths[] = {
		"etc/kubernetes/manifests",
		"etc/rancher/k3s/config.yaml",
		"etc/rancher/k3s/config.yaml.d",
		"etc/rancher/rke2/config.yaml",
		"etc/rancher/rke2/config.yaml.d",
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
		buf_printf(&path, "%s/%s", strcmp(root, "/") == 0 ? "" : root, paths[i]);
		if (path.truncated)
			return error_set(e, "%s: the path is too long", root);
		if (access(path.ptr, F_OK) == 0 && !discover_file(d, path.ptr, e))
			return false;
	}
	d->name = "the node's files";
	return true;
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

	if (answer->unsure[role] > 0)
		error_set(e, "no %s range that is %s, only some less sure (--min-confidence)", what,
			  clusterkeys_confidences[demand->choice.min_confidence]);
	else if (answer->count == 0 && d->sources > 0)
		error_set(e, "no pod and no service range found in %s", d->name);
	else
		error_set(e, "no %s range found in %s (--allow-partial prints the rest)", what,
			  d->sources > 0 ? d->name : "what was given");
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
	if (!clusterinfo_choose(&d->info, &demand->choice, &answer)) {
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
