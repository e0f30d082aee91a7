#include "kube/clusterfind.h"

#include <string.h>

#include "base/alloc.h"
#include "ydoc/ydoc.h"

struct clusterfind_candidate {
	const struct clusterkeys_rule *rules;
	uint16_t fitting; /* a bit for each rule whose `within` is so */
	bool in_flags;
	size_t text_at, text_len;
	struct clusterfind_pos at;
};

/* A range of GKE's that a cluster names without saying what it is, or that a subnet says. */
struct clusterfind_name {
	struct clusterfind_name *next;
	struct span name, range; /* the range is empty where it is only asked for */
	const char *file;
	struct clusterfind_pos at;
};

#define TEXT_MAX ((size_t)4 << 20)
#define EMBEDDED_MAX 3

/* ---- Values ---- */

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

static bool complain(struct clusterfind *f, struct clusterfind_pos at,
		     const struct clusterkeys_rule *rule, const char *text)
{
	struct ydoc_pos pos = {.line = at.line, .col = at.col};

	f->found++;
	return ydoc_report(f->diag, DIAG_ERROR, f->file, pos, NULL, "%s, %s range: %s",
			   rule->source, clusterkeys_roles[rule->role], text);
}

static void note_host_bits(struct clusterfind *f, struct span text, const struct range *range,
			   struct clusterfind_pos at)
{
	char storage[RANGE_TEXT_MAX];
	struct ydoc_pos pos = {.line = at.line, .col = at.col};
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	range_format(range, &b);
	ydoc_report(f->diag, DIAG_NOTE, f->file, pos, NULL, "%.*s is taken as %s", SPAN_ARG(text),
		    buf_cstr(&b));
}

static void take_range(struct clusterfind *f, struct span text, const struct clusterkeys_rule *rule,
		       struct clusterfind_pos at, const char *note)
{
	struct clusterinfo_range found = {.role = rule->role,
					  .confidence = rule->confidence,
					  .rank = rule->rank,
					  .source = rule->source,
					  .file = f->file,
					  .line = at.line,
					  .col = at.col,
					  .note = note};
	bool had_host_bits;
	struct error e;

	if (!range_parse(text, &found.range, &had_host_bits, &e)) {
		complain(f, at, rule, e.text);
		return;
	}
	if (range_is_all(&found.range) && !f->allows_any) {
		complain(f, at, rule,
			 "all addresses are no cluster's own: nothing would go out directly "
			 "(--allow-any takes it)");
		return;
	}
	/* The slice of a CNI configuration is written by one of its addresses. */
	found.had_host_bits = had_host_bits && rule->rank != CLUSTERKEYS_RANK_NODES;
	if (found.had_host_bits)
		note_host_bits(f, text, &found.range, at);
	f->found++;
	clusterinfo_add(f->info, &found);
}

/* OVN-Kubernetes has `10.244.0.0/16/24`: the range and the length of a node's slice. */
static struct span without_slice(struct span text)
{
	size_t last = span_rfind(text, '/');

	return last != SIZE_MAX && span_find(text, '/') != last ? span_first(text, last) : text;
}

/* A value: a range, or several with commas or blanks between them. */
static void take_value(struct clusterfind *f, struct span text, const struct clusterkeys_rule *rule,
		       struct clusterfind_pos at, const char *note)
{
	struct span list = text, part;

	while (span_split(&list, ',', &part)) {
		struct span words = span_trim(part), word;

		while (span_split(&words, ' ', &word)) {
			word = span_trim(word);
			if (is_unknown(word))
				continue;
			if (strcmp(rule->key, "netcidr") == 0)
				word = without_slice(word);
			take_range(f, word, rule, at, note);
		}
	}
}

/* ---- Candidates: values under known keys, until their object's kind is known ---- */

static void add_candidate(struct clusterfind *f, struct span key, struct span within,
			  struct span text, struct clusterfind_pos at)
{
	struct clusterfind_candidate candidate = {.in_flags = f->in_flags, .at = at};
	size_t count = clusterkeys_find(key, &candidate.rules);

	for (size_t i = 0; i < count; i++) {
		const char *wanted = candidate.rules[i].within;

		if (wanted == NULL || span_eq(within, span_from_cstr(wanted)))
			candidate.fitting |= (uint16_t)(1u << i);
	}
	if (candidate.fitting == 0 || f->count >= CLUSTERFIND_CANDIDATES_MAX)
		return;
	if (f->count == f->capacity) {
		size_t capacity = f->capacity > 0 ? f->capacity * 2 : 16;
		struct clusterfind_candidate *larger = alloc_resize(f->candidates,
								    capacity * sizeof *larger);

		if (larger == NULL) {
			f->info->is_out_of_memory = true;
			return;
		}
		f->candidates = larger;
		f->capacity = capacity;
	}
	candidate.text_at = f->text.len;
	candidate.text_len = text.len;
	buf_add(&f->text, text);
	f->info->is_out_of_memory |= f->text.truncated;
	f->candidates[f->count++] = candidate;
}

static const struct clusterkeys_rule *rule_of(const struct clusterfind_candidate *c,
					      const char *kind)
{
	for (size_t i = 0; c->fitting >> i != 0; i++) {
		const struct clusterkeys_rule *rule = &c->rules[i];

		if ((c->fitting >> i & 1) != 0 &&
		    (rule->kind == NULL || strcmp(rule->kind, c->in_flags ? "Pod" : kind) == 0))
			return rule;
	}
	return NULL;
}

static void settle(struct clusterfind *f, size_t from, const char *kind, const char *note)
{
	for (size_t i = from; i < f->count; i++) {
		const struct clusterfind_candidate *c = &f->candidates[i];
		const struct clusterkeys_rule *rule = rule_of(c, kind);

		if (rule != NULL)
			take_value(f, span_of(f->text.ptr + c->text_at, c->text_len), rule, c->at,
				   note);
	}
	if (from < f->count) {
		f->text.len = f->candidates[from].text_at;
		f->count = from;
	}
}

/* ---- Where one is ---- */

static struct span key_of(const struct clusterfind_frame *frame)
{
	return span_of(frame->key, frame->key_len);
}

/* The mapping around depth `from`, lists aside; NULL outside of all. */
static const struct clusterfind_frame *mapping_below(const struct clusterfind *f, unsigned from)
{
	while (from > 0)
		if (!f->frames[--from].is_list)
			return &f->frames[from];
	return NULL;
}

static struct span leaf_key(const struct clusterfind *f)
{
	const struct clusterfind_frame *m = mapping_below(f, f->depth);

	return m != NULL ? key_of(m) : span_of(NULL, 0);
}

static struct span key_around(const struct clusterfind *f)
{
	const struct clusterfind_frame *m = mapping_below(f, f->depth);

	m = m != NULL ? mapping_below(f, (unsigned)(m - f->frames)) : NULL;
	return m != NULL ? key_of(m) : span_of(NULL, 0);
}

static bool is_in_ignored(const struct clusterfind *f)
{
	for (unsigned i = 0; i < f->depth; i++)
		if (!f->frames[i].is_list && clusterkeys_is_ignored(key_of(&f->frames[i])))
			return true;
	return false;
}

/* Directly in the mapping that is the object, or in its metadata. */
static bool is_of_object(const struct clusterfind *f, bool in_metadata)
{
	unsigned depth = f->depth - in_metadata;

	if (f->object_count == 0 || f->depth < 1u + in_metadata || !f->frames[depth - 1].is_object)
		return false;
	return !in_metadata || span_eq(key_of(&f->frames[depth - 1]), SPAN("metadata"));
}

/* Documents, items of Lists, and entries of a list that is the document. */
static bool begins_object(const struct clusterfind *f)
{
	const struct clusterfind_frame *parent, *around;

	if (f->depth == f->base)
		return true;
	parent = &f->frames[f->depth - 1];
	around = mapping_below(f, f->depth);
	if (!parent->is_list || f->depth < f->base + 1)
		return false;
	return f->depth == f->base + 1 || (f->depth == f->base + 2 && around != NULL &&
					   span_eq(key_of(around), SPAN("items")));
}

/* ---- Documents ---- */

void clusterfind_open(struct clusterfind *f, bool is_mapping)
{
	struct clusterfind_frame *frame;

	if (f->depth == CLUSTERFIND_DEPTH_MAX) {
		f->too_deep++;
		return;
	}
	frame = &f->frames[f->depth];
	frame->is_list = !is_mapping;
	frame->is_object = is_mapping && begins_object(f) &&
			   f->object_count < CLUSTERFIND_OBJECTS_MAX;
	frame->key_len = 0;
	frame->candidates = f->count;
	f->depth++;
	if (frame->is_object)
		f->objects[f->object_count++] = (struct clusterfind_object){.candidates = f->count};
	if (!is_mapping) {
		f->in_flags = false;
		clusterwords_init(&f->words, f->words.on_value, f);
	}
}

/* Items of a NodeList have no kind of their own. */
static const char *kind_of(struct clusterfind *f)
{
	struct clusterfind_object *own = &f->objects[f->object_count - 1];
	size_t len;

	if (own->kind[0] != '\0' || f->object_count < 2)
		return own->kind;
	len = strlen(own[-1].kind);
	if (len > 4 && strcmp(own[-1].kind + len - 4, "List") == 0) {
		memcpy(own->kind, own[-1].kind, len - 4);
		own->kind[len - 4] = '\0';
	}
	return own->kind;
}

static void close_object(struct clusterfind *f)
{
	struct clusterfind_object *own = &f->objects[f->object_count - 1];
	const char *kind = kind_of(f), *note = NULL;

	if (own->is_deleted && strcmp(kind, "ServiceCIDR") == 0)
		note = "is being deleted, and still holds addresses";
	else if (own->is_disabled && strcmp(kind, "IPPool") == 0)
		note = "is disabled, and may still hold pods";
	settle(f, own->candidates, kind, note);
	f->object_count--;
}

static void add_name(struct clusterfind *f, struct span name, struct span range)
{
	struct clusterfind_name *n = arena_get(f->info->arena, sizeof *n);

	if (n == NULL || !arena_copy(f->info->arena, name, &n->name) ||
	    !arena_copy(f->info->arena, range, &n->range)) {
		f->info->is_out_of_memory = true;
		return;
	}
	n->file = f->file;
	n->at = f->at;
	n->next = f->names;
	f->names = n;
}

void clusterfind_close(struct clusterfind *f)
{
	const struct clusterfind_frame *frame;

	if (f->too_deep > 0) {
		f->too_deep--;
		return;
	}
	frame = &f->frames[f->depth - 1];
	if (!frame->is_list) {
		if (f->named.first_len > 0 && f->named.second_len > 0)
			add_name(f, span_of(f->named.first, f->named.first_len),
				 span_of(f->named.second, f->named.second_len));
		f->env = f->named = (struct clusterfind_pair){.first_len = 0};
	}
	f->in_flags = false;
	if (frame->is_object)
		close_object(f);
	f->depth--;
}

void clusterfind_key(struct clusterfind *f, struct span key)
{
	struct clusterfind_frame *frame;

	if (f->too_deep > 0)
		return;
	frame = &f->frames[f->depth - 1];
	frame->key_len = (uint8_t)clusterkeys_normal(key, frame->key).len;
}

/* ---- Scalars ---- */

static void remember(struct span text, char *storage, size_t size, size_t *len)
{
	*len = text.len <= size ? text.len : 0;
	if (*len > 0)
		memcpy(storage, text.ptr, *len);
}

/* What is said of the object itself. */
static void take_of_object(struct clusterfind *f, struct span key, struct span text)
{
	struct clusterfind_object *own = &f->objects[f->object_count - 1];

	if (span_eq(key, SPAN("kind")) && is_of_object(f, false) && text.len < sizeof own->kind) {
		memcpy(own->kind, text.ptr, text.len);
		own->kind[text.len] = '\0';
	} else if (span_eq(key, SPAN("deletiontimestamp")) && is_of_object(f, true)) {
		own->is_deleted = true;
	} else if (span_eq(key, SPAN("continue")) && is_of_object(f, true) &&
		   f->object_count == 1) {
		remember(text, f->next_page, sizeof f->next_page, &f->next_page_len);
	}
}

/* A string in which flags may stand, alone or one after the other. */
static void take_flags(struct clusterfind *f, struct span text)
{
	f->in_flags = true;
	f->words_at = f->at;
	clusterwords_line(&f->words, text, 0);
}

static bool has_text(struct span text, struct span part)
{
	for (size_t i = 0; i + part.len <= text.len; i++)
		if (memcmp(text.ptr + i, part.ptr, part.len) == 0)
			return true;
	return false;
}

/* The API server says its range when it refuses an address. */
static void take_message(struct clusterfind *f, struct span text)
{
	if (!has_text(text, SPAN("valid IPs is ")))
		return;
	f->words_at = f->at;
	clusterwords_init(&f->words, f->words.on_value, f);
	clusterwords_line(&f->words, text, 0);
}

static void take_embedded(struct clusterfind *f, struct span text)
{
	unsigned base = f->base;
	struct clusterfind_pos at = f->at;

	if (f->read_embedded == NULL || f->embedded == EMBEDDED_MAX ||
	    f->depth == CLUSTERFIND_DEPTH_MAX)
		return;
	f->base = f->depth;
	f->embedded++;
	f->read_embedded(f, text);
	f->embedded--;
	f->base = base;
	f->at = at;
}

/* Pairs of one mapping: {name, value} of an environment, {rangeName, ipCidrRange} of a subnet. */
static bool take_pair(struct clusterfind *f, struct span key, struct span within, struct span text)
{
	char storage[CLUSTERKEYS_MAX];

	if (span_eq(within, SPAN("env"))) {
		if (span_eq(key, SPAN("name"))) {
			remember(clusterkeys_normal(text, storage), f->env.first,
				 sizeof f->env.first, &f->env.first_len);
		} else if (span_eq(key, SPAN("value")) && f->env.first_len > 0) {
			f->in_flags = true;
			add_candidate(f, span_of(f->env.first, f->env.first_len), within, text,
				      f->at);
			f->in_flags = false;
		}
		return true;
	}
	if (span_eq(key, SPAN("podrangenames")) || span_eq(key, SPAN("podipv4rangenames"))) {
		add_name(f, text, span_of(NULL, 0));
		return true;
	}
	if (span_eq(key, SPAN("rangename")) || span_eq(key, SPAN("podrange")))
		remember(text, f->named.first, sizeof f->named.first, &f->named.first_len);
	else if (span_eq(key, SPAN("ipcidrrange")) || span_eq(key, SPAN("podipv4cidrblock")))
		remember(text, f->named.second, sizeof f->named.second, &f->named.second_len);
	return false;
}

/* A block that is not (or no longer) associated with its VPC: what its mapping said is dropped. */
static bool take_state(struct clusterfind *f, struct span key, struct span within, struct span text)
{
	size_t from;

	if (!span_eq(key, SPAN("state")) || f->depth < 2 ||
	    !span_ends_with(within, SPAN("cidrblockstate")))
		return false;
	from = f->frames[f->depth - 2].candidates;
	if (!span_eq(text, SPAN("associated")) && from < f->count) {
		f->text.len = f->candidates[from].text_at;
		f->count = from;
	}
	return true;
}

static void take_text(struct clusterfind *f, struct span text)
{
	struct span key = leaf_key(f), within = key_around(f);
	const struct clusterkeys_rule *rules;

	if (f->object_count > 0)
		take_of_object(f, key, text);
	if (span_eq(within, SPAN("data")) && span_find(text, '\n') != SIZE_MAX) {
		take_embedded(f, text);
		return;
	}
	if (span_eq(key, SPAN("command")) || span_eq(key, SPAN("args")) ||
	    span_ends_with(key, SPAN("io/nodeargs"))) {
		take_flags(f, text);
		return;
	}
	if (span_eq(key, SPAN("message")))
		take_message(f, text);
	else if (!take_pair(f, key, within, text) && !take_state(f, key, within, text) &&
		 clusterkeys_find(key, &rules) > 0 && !is_in_ignored(f))
		add_candidate(f, key, within, text, f->at);
}

void clusterfind_scalar(struct clusterfind *f, struct span text, bool is_text,
			struct clusterfind_pos at)
{
	struct clusterfind_object *own;

	if (f->too_deep > 0)
		return;
	f->at = at;
	if (is_text) {
		take_text(f, text);
		return;
	}
	own = f->object_count > 0 ? &f->objects[f->object_count - 1] : NULL;
	if (own != NULL && span_eq(text, SPAN("true")) && span_eq(leaf_key(f), SPAN("disabled")))
		own->is_disabled = true;
}

/* ---- Lines ---- */

static void on_word(void *context, struct span key, struct span value, size_t offset)
{
	struct clusterfind *f = context;
	struct clusterfind_pos at = f->words_at;

	at.col += (uint32_t)(f->in_flags ? 0 : offset);
	add_candidate(f, key, span_of(NULL, 0), value, at);
}

void clusterfind_line(struct clusterfind *f, struct span line, uint32_t number)
{
	f->words_at = (struct clusterfind_pos){number, 1};
	clusterwords_line(&f->words, line, 0);
	settle(f, 0, "", NULL);
}

/* ---- All of it ---- */

void clusterfind_init(struct clusterfind *f, struct clusterinfo *info, struct diag *diag)
{
	memset(f, 0, sizeof *f);
	f->info = info;
	f->diag = diag;
	buf_init_heap(&f->text, TEXT_MAX);
	clusterwords_init(&f->words, on_word, f);
}

void clusterfind_fini(struct clusterfind *f)
{
	buf_fini(&f->text);
	alloc_put(f->candidates);
	f->candidates = NULL;
}

void clusterfind_begin(struct clusterfind *f, const char *file)
{
	f->file = file;
	f->depth = f->base = f->too_deep = f->object_count = 0;
	f->next_page_len = 0;
	f->count = 0;
	f->in_flags = false;
	f->env = f->named = (struct clusterfind_pair){.first_len = 0};
	buf_clear(&f->text);
	clusterwords_init(&f->words, on_word, f);
}

static const struct clusterfind_name *given_name(const struct clusterfind *f, struct span name)
{
	for (const struct clusterfind_name *n = f->names; n != NULL; n = n->next)
		if (n->range.len > 0 && span_eq(n->name, name))
			return n;
	return NULL;
}

bool clusterfind_finish(struct clusterfind *f)
{
	static const struct clusterkeys_rule rule = {.key = "",
						     .role = CLUSTERKEYS_POD,
						     .rank = CLUSTERKEYS_RANK_PROVIDER,
						     .source = "GKE subnet"};
	bool ok = true;

	for (const struct clusterfind_name *n = f->names; n != NULL; n = n->next) {
		const struct clusterfind_name *given = given_name(f, n->name);
		struct ydoc_pos pos = {.line = n->at.line, .col = n->at.col};
		char storage[YDOC_ESCAPED_MAX];

		if (n->range.len > 0)
			continue;
		if (given != NULL) {
			f->file = given->file;
			take_value(f, given->range, &rule, given->at, NULL);
			continue;
		}
		ok = false;
		ydoc_report(f->diag, DIAG_WARNING, n->file, pos, NULL,
			    "the pods' range \"%s\" is named, and nothing says what it is: add the "
			    "output of gcloud compute networks subnets describe",
			    ydoc_escape(n->name, storage));
	}
	return ok;
}
