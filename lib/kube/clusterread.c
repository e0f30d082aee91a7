#include "kube/clusterread.h"

#include "ydoc/ydoc.h"

enum form {
	UNKNOWN,
	JSON,
	TEXT,
};

/* ---- JSON ---- */

static void give_token(struct clusterfind *f, const struct jsonr_token *token)
{
	struct clustervalue_pos at = {.line = token->line, .col = token->col};

	switch (token->event) {
	case JSONR_OBJECT:
	case JSONR_ARRAY:
		clusterfind_open(f, token->event == JSONR_OBJECT);
		break;
	case JSONR_OBJECT_END:
	case JSONR_ARRAY_END:
		clusterfind_close(f);
		break;
	case JSONR_KEY:
		clusterfind_key(f, token->text);
		break;
	case JSONR_STRING:
		if (!token->is_cut)
			clusterfind_scalar(f, token->text, true, at);
		break;
	case JSONR_TRUE:
		clusterfind_scalar(f, SPAN("true"), false, at);
		break;
	case JSONR_DOCUMENT_END:
		break;
	default:
		clusterfind_scalar(f, SPAN(""), false, at);
	}
}

static bool on_token(void *context, const struct jsonr_token *token, struct error *e)
{
	struct clusterread *r = context;

	(void)e;
	r->is_committed = r->is_committed ||
			  (token->event != JSONR_OBJECT && token->event != JSONR_ARRAY);
	give_token(r->find, token);
	return true;
}

/* ---- YAML ---- */

/*
 * A text with documents, and where it stands in its file: so many lines and columns further, or,
 * where its lines are not those of the file, all of it at one place.
 */
struct origin {
	struct span text;
	uint32_t lines, cols;
	struct clustervalue_pos place; /* line 0: the text's lines are the file's */
};

static struct clustervalue_pos pos_of(const struct origin *o, struct ydoc_pos pos)
{
	struct clustervalue_pos at = o->place;

	if (at.line == 0)
		return (struct clustervalue_pos){.line = pos.line + o->lines,
						 .col = pos.col + o->cols};
	at.text_line = pos.line;
	at.text_col = pos.col;
	return at;
}

/* How far the first line that is not empty is indented. */
static uint32_t indent_of(struct span text)
{
	uint32_t count = 0;

	while (text.len > 0 && text.ptr[0] == '\n')
		text = span_from(text, 1);
	while (count < text.len && text.ptr[count] == ' ')
		count++;
	return count;
}

/* The lines of `|` text are the file's, without their indent. */
static struct origin origin_inside(const struct origin *o, const struct ydoc_node *scalar)
{
	struct origin inside = {.text = scalar->text, .place = pos_of(o, scalar->pos)};
	struct span rest, line;

	if (o->place.line > 0 || scalar->is_flow)
		return inside;
	rest = span_from(o->text, scalar->pos.offset);
	span_split(&rest, '\n', &line);
	if (span_find(line, '|') == SIZE_MAX)
		return inside;
	inside.lines = inside.place.line;
	inside.cols = o->cols + indent_of(rest) - indent_of(scalar->text);
	inside.place.line = 0;
	return inside;
}

static void walk(struct clusterfind *f, const struct ydoc_node *node, const struct origin *o)
{
	if (node->kind == YDOC_SCALAR) {
		enum ydoc_type type = ydoc_scalar_type(node);
		struct origin inside = origin_inside(o, node);

		f->embedding = &inside;
		if (type == YDOC_BOOL && ydoc_is_true(node))
			clusterfind_scalar(f, SPAN("true"), false, pos_of(o, node->pos));
		else
			clusterfind_scalar(f, node->text, type == YDOC_TEXT, pos_of(o, node->pos));
		f->embedding = NULL;
		return;
	}
	clusterfind_open(f, node->kind == YDOC_MAPPING);
	for (const struct ydoc_item *item = node->items; item != NULL; item = item->next) {
		if (item->key != NULL && item->key->kind == YDOC_SCALAR)
			clusterfind_key(f, item->key->text);
		walk(f, item->value, o);
	}
	clusterfind_close(f);
}

/* All documents of a text. False when it is no YAML, or has nothing but scalars. */
static bool read_documents(struct clusterfind *f, const struct origin *o)
{
	struct diag silent = {.emit = NULL};
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	bool has_structure = false;

	ydoc_reader_init(&reader, "", o->text, &silent);
	while (ydoc_reader_next(&reader, &root)) {
		has_structure = has_structure || root->kind != YDOC_SCALAR;
		if (f != NULL)
			walk(f, root, o);
	}
	ydoc_reader_fini(&reader);
	return silent.errors == 0 && has_structure;
}

static void read_embedded(struct clusterfind *f, struct span text)
{
	struct origin inside = {.text = text, .place = f->at};

	if (f->embedding != NULL)
		inside = *(const struct origin *)f->embedding;
	f->embedding = NULL;
	read_documents(f, &inside);
}

/* ---- Lines ---- */

static void read_lines(struct clusterfind *f, struct span text)
{
	struct span line;
	uint32_t number = 0;

	while (span_split(&text, '\n', &line))
		clusterfind_line(f, line, ++number);
}

static void read_text(struct clusterread *r)
{
	struct span text = buf_span(&r->text);
	size_t before = r->find->found;
	struct origin whole = {.text = text};

	if (read_documents(NULL, &whole)) {
		read_documents(r->find, &whole);
		if (r->find->found > before)
			return;
		clusterfind_begin(r->find, r->file);
	}
	read_lines(r->find, text);
}

/* ---- Either ---- */

void clusterread_begin(struct clusterread *r, struct clusterfind *find, const char *file)
{
	r->find = find;
	r->file = file;
	r->form = UNKNOWN;
	r->is_committed = false;
	jsonr_init(&r->json, on_token, r);
	buf_init_heap(&r->text, YDOC_MAX_BYTES);
	find->read_embedded = read_embedded;
	clusterfind_begin(find, file);
}

void clusterread_fini(struct clusterread *r)
{
	jsonr_fini(&r->json);
	buf_fini(&r->text);
}

static bool with_file(const struct clusterread *r, struct error *e)
{
	return error_set(e, "%s:%s", r->file, e->text);
}

static enum form form_of(struct span *bytes)
{
	size_t at = 0;

	if (span_starts_with(*bytes, SPAN("\xef\xbb\xbf")))
		*bytes = span_from(*bytes, 3);
	while (at < bytes->len && bytes->ptr[at] != '\0' &&
	       strchr(" \t\r\n", bytes->ptr[at]) != NULL)
		at++;
	if (at == bytes->len)
		return UNKNOWN;
	return bytes->ptr[at] == '{' || bytes->ptr[at] == '[' ? JSON : TEXT;
}

static bool keep(struct clusterread *r, struct span bytes, struct error *e)
{
	buf_add(&r->text, bytes);
	if (!r->text.truncated)
		return true;
	error_set(e, "is larger than %zu bytes, or out of memory", YDOC_MAX_BYTES);
	return error_prefix(e, "%s", r->file);
}

static bool feed_json(struct clusterread *r, struct span bytes, struct error *e)
{
	/* Until it is JSON for sure, it is kept for the case that it is not. */
	if (!r->is_committed && !keep(r, bytes, e))
		return false;
	if (jsonr_feed(&r->json, bytes, e)) {
		if (r->is_committed)
			buf_fini(&r->text);
		return true;
	}
	if (r->is_committed)
		return with_file(r, e);
	r->form = TEXT;
	clusterfind_begin(r->find, r->file);
	return true;
}

bool clusterread_feed(struct clusterread *r, struct span bytes, struct error *e)
{
	if (r->form == UNKNOWN) {
		/* Blanks before the first word matter to the places of what is behind them. */
		r->form = r->text.len > 0 ? TEXT : (uint8_t)form_of(&bytes);
		if (r->form == UNKNOWN)
			return keep(r, bytes, e);
	}
	return r->form == JSON ? feed_json(r, bytes, e) : keep(r, bytes, e);
}

bool clusterread_end(struct clusterread *r, struct error *e)
{
	if (r->form == JSON)
		return jsonr_end(&r->json, e) || with_file(r, e);
	read_text(r);
	return true;
}
