#include "kube/clustervalue.h"

#include <string.h>

#include "ydoc/ydoc.h"

/* What stands for "not known". */
static bool is_unknown(struct span text)
{
	static const char *const words[] = {"null", "~", "none", "<none>", "-", "\"\"", "<nil>"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (span_eq_nocase(text, span_from_cstr(words[i])))
			return true;
	/* `/14` asks for a length: it is no range. */
	return text.len == 0 || text.ptr[0] == '/';
}

/* The longest path that a message shows. */
#define PATH_SHOWN_MAX 200

static void report(const struct clustervalue *v, struct diag *diag, enum diag_level level,
		   const char *text)
{
	struct ydoc_pos pos = {.line = v->at.line, .col = v->at.col};
	char storage[PATH_SHOWN_MAX * 4 + 64];
	struct buf path;

	BUF_INIT_ARRAY(&path, storage);
	buf_add_escaped(&path, v->path, PATH_SHOWN_MAX);
	if (v->at.text_line > 0)
		buf_printf(&path, " (%u:%u of the text)", v->at.text_line, v->at.text_col);
	ydoc_report(diag, level, v->file, pos, NULL, "%s%s%s", buf_cstr(&path),
		    path.len > 0 ? ": " : "", text);
}

static void note_host_bits(const struct clustervalue *v, struct span text,
			   const struct range *range, struct diag *diag)
{
	struct error note;
	char storage[RANGE_TEXT_MAX];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	range_format(range, &b);
	error_set(&note, "%.*s is taken as %s", SPAN_ARG(text), buf_cstr(&b));
	report(v, diag, DIAG_NOTE, note.text);
}

static void take_range(const struct clustervalue *v, struct span text, struct clusterinfo *info,
		       struct diag *diag)
{
	const struct clusterkeys_rule *rule = v->rule;
	struct clusterinfo_range found = {.role = rule->role,
					  .confidence = rule->confidence,
					  .rank = rule->rank,
					  .source = rule->source,
					  .file = v->file,
					  .line = v->at.line,
					  .col = v->at.col,
					  .note = v->note};
	bool had_host_bits;
	struct error e;

	if (!range_parse(text, &found.range, &had_host_bits, &e)) {
		/* What has an address later, or by a name, is no mistake. */
		if (rule->rank == CLUSTERKEYS_RANK_ADDRESSES)
			return;
		report(v, diag, DIAG_ERROR, e.text);
		return;
	}
	if (range_is_all(&found.range) && !v->allows_any) {
		error_set(&e,
			  "\"%.*s\" is everything, which is no cluster's own: nothing would go "
			  "out directly (--allow-any takes it)",
			  SPAN_ARG(text));
		report(v, diag, DIAG_ERROR, e.text);
		return;
	}
	/* The slice of a CNI configuration is written by one of its addresses. */
	found.had_host_bits = had_host_bits && rule->rank != CLUSTERKEYS_RANK_NODES;
	if (found.had_host_bits)
		note_host_bits(v, text, &found.range, diag);
	clusterinfo_add(info, &found);
}

/* OVN-Kubernetes has `10.244.0.0/16/24`: the range and the length of a node's slice. */
static struct span without_slice(struct span text)
{
	size_t last = span_rfind(text, '/');

	return last != SIZE_MAX && span_find(text, '/') != last ? span_first(text, last) : text;
}

static size_t word_len(struct span text)
{
	size_t len = 0;

	while (len < text.len && span_find(SPAN(",; "), text.ptr[len]) == SIZE_MAX)
		len++;
	return len;
}

size_t clustervalue_take(const struct clustervalue *v, struct clusterinfo *info, struct diag *diag)
{
	size_t count = 0;

	for (struct span rest = v->text; rest.len > 0;) {
		size_t len = word_len(rest);
		struct span word = span_trim(span_first(rest, len));

		rest = span_from(rest, len + 1);
		if (is_unknown(word))
			continue;
		if (strcmp(v->rule->key, "netcidr") == 0)
			word = without_slice(word);
		take_range(v, word, info, diag);
		count++;
	}
	return count;
}
