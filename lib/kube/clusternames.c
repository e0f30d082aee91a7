#include "kube/clusternames.h"

#include "ydoc/ydoc.h"

struct clusternames_entry {
	struct clusternames_entry *next;
	struct span name, range;
	const char *file;
	struct clustervalue_pos at;
};

bool clusternames_add(struct clusternames *names, struct arena *arena, struct span name,
		      struct span range, const char *file, struct clustervalue_pos at)
{
	struct clusternames_entry *n = arena_get(arena, sizeof *n);

	if (n == NULL || !arena_copy(arena, name, &n->name) || !arena_copy(arena, range, &n->range))
		return false;
	n->file = file;
	n->at = at;
	n->next = names->last;
	names->last = n;
	return true;
}

/* The entry that says what a name's range is, or NULL. */
static const struct clusternames_entry *find_given(const struct clusternames *names,
						   struct span name)
{
	for (const struct clusternames_entry *n = names->last; n != NULL; n = n->next)
		if (n->range.len > 0 && span_eq(n->name, name))
			return n;
	return NULL;
}

bool clusternames_finish(const struct clusternames *names, struct clusterinfo *info,
			 bool allows_any, struct diag *diag)
{
	static const struct clusterkeys_rule rule = {.key = "",
						     .role = CLUSTERKEYS_POD,
						     .rank = CLUSTERKEYS_RANK_PROVIDER,
						     .source = "GKE subnet"};
	bool ok = true;

	for (const struct clusternames_entry *n = names->last; n != NULL; n = n->next) {
		const struct clusternames_entry *given = find_given(names, n->name);
		struct ydoc_pos pos = {.line = n->at.line, .col = n->at.col};
		struct clustervalue value = {
			.path = SPAN("ipCidrRange"), .rule = &rule, .allows_any = allows_any};
		char storage[YDOC_ESCAPED_MAX];

		if (n->range.len > 0)
			continue;
		if (given != NULL) {
			value.text = given->range;
			value.file = given->file;
			value.at = given->at;
			clustervalue_take(&value, info, diag);
			continue;
		}
		ok = false;
		ydoc_report(diag, DIAG_WARNING, n->file, pos, NULL,
			    "the pods' range \"%s\" is named, and nothing says what it is: add the "
			    "output of gcloud compute networks subnets describe",
			    ydoc_escape(n->name, storage));
	}
	return ok;
}
