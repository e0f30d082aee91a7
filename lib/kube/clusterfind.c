#include "kube/clusterfind.h"

#include <string.h>

#include "base/alloc.h"
#include "ydoc/ydoc.h"

struct clusterfind_candidate {
	const struct clusterkeys_rule *rules;
	uint16_t fitting; /* a bit for each rule whose `within` is so */
	bool in_flags;
	size_t text_at, path_len, text_len; /* in `text`: the path, and the value behind it */
	struct clustervalue_pos at;
};

#define TEXT_MAX ((size_t)4 << 20)
#define EMBEDDED_MAX 3

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

/* "items[3].spec.podCIDR"; of a line, the key as it stands there. */
static void add_path(const struct clusterfind *f, struct buf *out)
{
	size_t start = out->len;

	if (f->depth == 0)
		buf_add(out, f->words.shown);
	for (unsigned i = 0; i < f->depth; i++) {
		const struct clusterfind_frame *frame = &f->frames[i];

		if (frame->is_list)
			buf_printf(out, "[%u]", frame->entries > 0 ? frame->entries - 1 : 0);
		else
			buf_printf(out, "%s%.*s", out->len > start ? "." : "", (int)frame->name_len,
				   frame->name);
	}
}

/* ---- Candidates: values under known keys, until their object's kind is known ---- */

static void add_candidate(struct clusterfind *f, struct span key, struct span within,
			  struct span text, struct clustervalue_pos at)
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
	add_path(f, &f->text);
	candidate.path_len = f->text.len - candidate.text_at;
	candidate.text_len = text.len;
	buf_add(&f->text, text);
	if (f->text.truncated)
		f->info->is_out_of_memory = true;
	else
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

static void take_value(struct clusterfind *f, const struct clusterkeys_rule *rule, struct span path,
		       struct span text, struct clustervalue_pos at, const char *note)
{
	struct clustervalue value = {.text = text,
				     .path = path,
				     .rule = rule,
				     .file = f->file,
				     .at = at,
				     .note = note,
				     .allows_any = f->allows_any};

	f->found += clustervalue_take(&value, f->info, f->diag);
}

/* Judges the candidates of an object that has ended. */
static void settle(struct clusterfind *f, const struct clusterfind_object *own, const char *note)
{
	size_t from = own->candidates;

	for (size_t i = from; i < f->count; i++) {
		const struct clusterfind_candidate *c = &f->candidates[i];
		const struct clusterkeys_rule *rule = rule_of(c, own->kind);
		const char *path = f->text.ptr + c->text_at;

		/* A pod in its node's network has the node's address. */
		if (rule == NULL || (rule->rank == CLUSTERKEYS_RANK_ADDRESSES && own->is_on_host))
			continue;
		f->info->is_first = own->is_first;
		take_value(f, rule, span_of(path, c->path_len),
			   span_of(path + c->path_len, c->text_len), c->at, note);
	}
	f->info->is_first = false;
	if (from < f->count) {
		f->text.len = f->candidates[from].text_at;
		f->count = from;
	}
}

/* ---- Documents ---- */

void clusterfind_open(struct clusterfind *f, bool is_mapping)
{
	struct clusterfind_frame *frame;

	if (f->depth == CLUSTERFIND_DEPTH_MAX) {
		f->too_deep++;
		return;
	}
	if (f->depth > 0)
		f->frames[f->depth - 1].entries++;
	frame = &f->frames[f->depth];
	frame->is_list = !is_mapping;
	frame->is_object = is_mapping && begins_object(f) &&
			   f->object_count < CLUSTERFIND_OBJECTS_MAX;
	frame->key_len = frame->name_len = 0;
	frame->entries = 0;
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
	settle(f, own, note);
	f->object_count--;
}

static void add_name(struct clusterfind *f, struct span name, struct span range)
{
	if (!clusternames_add(&f->names, f->info->arena, name, range, f->file, f->at))
		f->info->is_out_of_memory = true;
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
	frame->name_len = (uint8_t)(key.len < sizeof frame->name ? key.len : sizeof frame->name);
	if (key.len > 0)
		memcpy(frame->name, key.ptr, frame->name_len);
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
	} else if (span_eq(key, SPAN("name")) && is_of_object(f, true)) {
		own->is_first = span_eq(text, SPAN("kubernetes"));
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
	struct clustervalue_pos at = f->at;
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

/* A value without a key: its label is the one of its column; without labels it is remembered. */
static void take_column(struct clusterfind *f, struct span text)
{
	static const struct clusterkeys_rule rules[CLUSTERKEYS_ROLES] = {
		{.key = "", .role = CLUSTERKEYS_POD, .source = "--labels"},
		{.key = "", .role = CLUSTERKEYS_SERVICE, .source = "--labels"},
	};
	struct range unused;
	struct error e;

	if (f->label_count > 0) {
		unsigned role = f->labels[f->column_count++ % f->label_count];

		if (role < CLUSTERKEYS_ROLES)
			take_value(f, &rules[role], span_of(NULL, 0), text, f->at, NULL);
	} else if (f->unlabelled_file == NULL && span_find(text, '/') != SIZE_MAX &&
		   range_parse(text, &unused, NULL, &e)) {
		f->unlabelled_file = f->file;
		f->unlabelled_at = f->at;
	}
}

static void take_text(struct clusterfind *f, struct span text)
{
	struct span key = leaf_key(f), within = key_around(f);
	const struct clusterkeys_rule *rules;

	if (f->object_count > 0)
		take_of_object(f, key, text);
	if ((span_eq(within, SPAN("data")) && span_find(text, '\n') != SIZE_MAX) ||
	    span_ends_with(key, SPAN("ovnorg/nodesubnets"))) {
		take_embedded(f, text);
		return;
	}
	if (mapping_below(f, f->depth) == NULL) {
		take_column(f, text);
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
			struct clustervalue_pos at)
{
	struct clusterfind_object *own;

	if (f->too_deep > 0)
		return;
	if (f->depth > 0)
		f->frames[f->depth - 1].entries++;
	f->at = at;
	if (is_text) {
		take_text(f, text);
		return;
	}
	if (f->object_count == 0 || !span_eq(text, SPAN("true")))
		return;
	own = &f->objects[f->object_count - 1];
	own->is_disabled = own->is_disabled || span_eq(leaf_key(f), SPAN("disabled"));
	own->is_on_host = own->is_on_host || span_eq(leaf_key(f), SPAN("hostnetwork"));
}

/* ---- Lines ---- */

static void on_word(void *context, struct span key, struct span value, size_t offset)
{
	struct clusterfind *f = context;
	struct clustervalue_pos at = f->words_at;

	at.col += (uint32_t)(f->in_flags ? 0 : offset);
	add_candidate(f, key, span_of(NULL, 0), value, at);
}

/* The columns of a line without keys, divided by tabs, or else commas, or else blanks. */
static void take_columns(struct clusterfind *f, struct span line)
{
	struct span rest = line, cell;
	char separator = span_find(line, '\t') != SIZE_MAX  ? '\t'
			 : span_find(line, ',') != SIZE_MAX ? ','
							    : ' ';

	while (span_split(&rest, separator, &cell)) {
		if (separator == ' ' && cell.len == 0)
			continue;
		f->at.col = (uint32_t)(cell.ptr - line.ptr) + 1;
		take_column(f, span_trim(cell));
	}
}

static struct span first_word(struct span line)
{
	size_t len = 0;

	while (len < line.len && span_find(SPAN("\t, "), line.ptr[len]) == SIZE_MAX)
		len++;
	return span_first(line, len);
}

void clusterfind_line(struct clusterfind *f, struct span line, uint32_t number)
{
	static const struct clusterfind_object none = {.kind = ""};

	f->words_at = f->at = (struct clustervalue_pos){.line = number, .col = 1};
	line = span_ends_with(line, SPAN("\r")) ? span_first(line, line.len - 1) : line;
	if (f->label_count > 0) {
		if (span_trim(line).len > 0)
			take_columns(f, line);
		return;
	}
	clusterwords_line(&f->words, line, 0);
	if (f->count == 0)
		take_column(f, first_word(line));
	settle(f, &none, NULL);
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

bool clusterfind_finish(struct clusterfind *f)
{
	size_t asked = f->label_count;

	if (asked > 0 && f->column_count % asked != 0)
		return diag_report(f->diag, DIAG_ERROR,
				   "--labels names %zu columns, and the values are %zu", asked,
				   f->column_count);
	return clusternames_finish(&f->names, f->info, f->allows_any, f->diag);
}
