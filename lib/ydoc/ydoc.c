#include "ydoc/ydoc.h"

#include "base/ascii.h"
#include "base/buf.h"
#include "base/error.h"
#include "ydoc/ybuild.h"
#include "ydoc/yjson.h"
#include "ydoc/yparse.h"

/*
 * A tree takes about four times its text at most; a file at its bound gets what usual files need.
 */
#define MAX_TREE_BYTES ((size_t)512 << 20)

#define PATH_TEXT_MAX 256

/* Documents of one file that can't be read, before the rest is left alone. */
#define MAX_ERRORS 50

/* Merges of merges of merges ... */
#define MAX_MERGE_DEPTH 32

static size_t count_digits(struct span text)
{
	size_t n = 0;

	while (n < text.len && (ascii_is_digit(text.ptr[n]) || text.ptr[n] == '_'))
		n++;
	return n;
}

/*
 * YAML 1.1 int and float, without base 60: [-+]? ( 0x.. | 0b.. | 0o.. | digits [. digits] [e [-+]
 * digits] | .inf ).
 */
static bool is_number(struct span text)
{
	size_t before, after = 0;

	if (text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+'))
		text = span_from(text, 1);
	if (text.len > 2 && text.ptr[0] == '0' && strchr("xbo", text.ptr[1]) != NULL) {
		for (size_t i = 2; i < text.len; i++)
			if (ascii_hex_value(text.ptr[i]) < 0)
				return false;
		return true;
	}
	if (span_eq_nocase(text, SPAN(".inf")) || span_eq_nocase(text, SPAN(".nan")))
		return true;
	before = count_digits(text);
	text = span_from(text, before);
	if (text.len > 0 && text.ptr[0] == '.') {
		after = count_digits(span_from(text, 1));
		text = span_from(text, 1 + after);
	}
	if (before + after == 0)
		return false;
	if (text.len > 1 && ascii_to_lower(text.ptr[0]) == 'e') {
		text = span_from(text, 1 + (text.ptr[1] == '-' || text.ptr[1] == '+'));
		return text.len > 0 && count_digits(text) == text.len;
	}
	return text.len == 0;
}

#define LONGEST_WORD (sizeof "false" - 1)

static bool is_one_of(struct span text, const char *const *words)
{
	if (text.len > LONGEST_WORD)
		return false;
	for (; *words != NULL; words++)
		if (span_eq(text, span_from_cstr(*words)))
			return true;
	return false;
}

enum ydoc_type ydoc_scalar_type(const struct ydoc_node *scalar)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE",
					    "yes",  "Yes",  "YES",  "no",    "No",    "NO",
					    "on",   "On",   "ON",   "off",   "Off",   "OFF",
					    "y",    "Y",    "n",    "N",     NULL};

	if (!scalar->is_plain)
		return YDOC_TEXT;
	if (is_one_of(scalar->text, nulls))
		return YDOC_NULL;
	if (is_one_of(scalar->text, bools))
		return YDOC_BOOL;
	return is_number(scalar->text) ? YDOC_NUMBER : YDOC_TEXT;
}

bool ydoc_is_true(const struct ydoc_node *scalar)
{
	static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
					    "on",   "On",   "ON",   "y",   "Y",	  NULL};

	return scalar->is_plain && is_one_of(scalar->text, trues);
}

bool ydoc_is_absent(const struct ydoc_node *node)
{
	return node == NULL || (node->kind == YDOC_SCALAR && ydoc_scalar_type(node) == YDOC_NULL);
}

bool ydoc_is_value(const struct ydoc_node *node)
{
	return node != NULL && node->kind == YDOC_SCALAR && !ydoc_is_absent(node);
}

const char *ydoc_describe(const struct ydoc_node *node)
{
	if (node->kind == YDOC_MAPPING)
		return "a mapping";
	if (node->kind == YDOC_SEQUENCE)
		return "a list";
	switch (ydoc_scalar_type(node)) {
	case YDOC_NULL:
		return "nothing";
	case YDOC_BOOL:
		return "true or false";
	case YDOC_NUMBER:
		return "a number";
	default:
		return "text";
	}
}

static bool is_key(const struct ydoc_node *node, struct span key)
{
	return node->kind == YDOC_SCALAR && span_eq(node->text, key);
}

bool ydoc_is_merge(const struct ydoc_item *item)
{
	return item->key->is_plain && is_key(item->key, SPAN("<<"));
}

static const struct ydoc_node *get(const struct ydoc_node *node, struct span key, unsigned depth);

/* What `<<: *base` or `<<: [*a, *b]` (the earlier before the later) has to say. */
static const struct ydoc_node *get_merged(const struct ydoc_node *merged, struct span key,
					  unsigned depth)
{
	const struct ydoc_node *found = NULL;

	if (depth == MAX_MERGE_DEPTH)
		return NULL;
	if (merged->kind == YDOC_MAPPING)
		return get(merged, key, depth + 1);
	if (merged->kind != YDOC_SEQUENCE)
		return NULL;
	for (const struct ydoc_item *i = merged->items; i != NULL && found == NULL; i = i->next)
		if (i->value->kind == YDOC_MAPPING)
			found = get(i->value, key, depth + 1);
	return found;
}

static const struct ydoc_node *get(const struct ydoc_node *node, struct span key, unsigned depth)
{
	const struct ydoc_node *found = NULL;
	bool has_merge = false;

	for (const struct ydoc_item *i = node->items; i != NULL; i = i->next) {
		if (is_key(i->key, key))
			return i->value;
		has_merge = has_merge || ydoc_is_merge(i);
	}
	if (!has_merge)
		return NULL;
	for (const struct ydoc_item *i = node->items; i != NULL && found == NULL; i = i->next)
		if (ydoc_is_merge(i))
			found = get_merged(i->value, key, depth);
	return found;
}

const struct ydoc_node *ydoc_get(const struct ydoc_node *node, struct span key)
{
	if (node == NULL || node->kind != YDOC_MAPPING)
		return NULL;
	return get(node, key, 0);
}

const struct ydoc_item *ydoc_find(const struct ydoc_node *node, struct span key)
{
	const struct ydoc_item *i = NULL;

	if (node != NULL && node->kind == YDOC_MAPPING)
		i = node->items;
	while (i != NULL && !is_key(i->key, key))
		i = i->next;
	return i;
}

const char *ydoc_escape(struct span text, char storage[static YDOC_ESCAPED_MAX])
{
	struct buf b;

	buf_init(&b, storage, YDOC_ESCAPED_MAX);
	buf_add_escaped(&b, text, 60);
	return storage;
}

/*
 * Innermost last, so the chain is walked from its other end: paths are as short as manifests are
 * deep.
 */
static void add_path(struct buf *out, const struct ydoc_path *path)
{
	const struct ydoc_path *chain[16];
	size_t depth = 0;

	for (; path != NULL && depth < sizeof chain / sizeof chain[0]; path = path->parent)
		chain[depth++] = path;
	while (depth > 0) {
		path = chain[--depth];
		if (path->key == NULL)
			buf_printf(out, "[%zu]", path->index);
		else
			buf_printf(out, "%s%s", out->len > 0 ? "." : "", path->key);
	}
}

bool ydoc_vreport(struct diag *d, enum diag_level level, const char *file, struct ydoc_pos pos,
		  const struct ydoc_path *path, const char *format, va_list args)
{
	char text_storage[ERROR_TEXT_MAX], path_storage[PATH_TEXT_MAX];
	struct buf text, path_text;

	BUF_INIT_ARRAY(&text, text_storage);
	BUF_INIT_ARRAY(&path_text, path_storage);
	buf_vprintf(&text, format, args);
	add_path(&path_text, path);
	return diag_report(d, level, "%s:%u:%u: %s%s%s", file, pos.line, pos.col, path_storage,
			   path_text.len > 0 ? ": " : "", text_storage);
}

bool ydoc_report(struct diag *d, enum diag_level level, const char *file, struct ydoc_pos pos,
		 const struct ydoc_path *path, const char *format, ...)
{
	va_list args;
	bool ok;

	va_start(args, format);
	ok = ydoc_vreport(d, level, file, pos, path, format, args);
	va_end(args);
	return ok;
}

void ydoc_reader_init(struct ydoc_reader *r, const char *file, struct span text, struct diag *diag)
{
	*r = (struct ydoc_reader){.file = file, .diag = diag};
	arena_init(&r->arena, MAX_TREE_BYTES);
	r->at = ycursor_at_start(text);
	if (text.len > YDOC_MAX_BYTES) {
		r->is_done = true;
		ydoc_report(diag, DIAG_ERROR, file, r->at.pos, NULL, "file is over %zu MiB",
			    YDOC_MAX_BYTES >> 20);
	} else if (span_starts_with(text, SPAN("\xff\xfe")) ||
		   span_starts_with(text, SPAN("\xfe\xff"))) {
		r->is_done = true;
		ydoc_report(diag, DIAG_ERROR, file, r->at.pos, NULL,
			    "file is UTF-16: it must be UTF-8");
	} else if (span_starts_with(text, SPAN("\xef\xbb\xbf"))) {
		r->at.pos.offset = 3; /* takes no column */
	}
}

void ydoc_reader_fini(struct ydoc_reader *r)
{
	yparse_free(r->parser);
	r->parser = NULL;
	arena_fini(&r->arena);
	r->is_done = true;
}

/* A line that begins with "---" (or "...") and a blank or nothing behind it. */
static bool is_marker_of(const struct ycursor *at, struct span dots)
{
	struct span rest = ycursor_rest(at);

	return at->pos.col == 1 && span_starts_with(rest, dots) &&
	       (rest.len == dots.len || strchr(" \t\r\n", rest.ptr[dots.len]) != NULL);
}

static bool is_marker(const struct ycursor *at)
{
	return is_marker_of(at, SPAN("---"));
}

/*
 * Whether nothing but blanks is left. Moves on past "...", which libyaml takes only where there is
 * a document to end, but not past blanks: they are the indent of the first line.
 */
static bool is_at_end(struct ycursor *at)
{
	struct ycursor look = *at;

	ycursor_skip_blank(&look);
	while (is_marker_of(&look, SPAN("..."))) {
		ycursor_to_offset(&look, look.pos.offset + 3);
		*at = look;
		ycursor_skip_blank(&look);
	}
	return ycursor_is_at_end(&look);
}

/* Moves to the last marker before `offset`, or stays where there is none. */
static void move_to_marker_before(struct ycursor *at, size_t offset)
{
	struct ycursor look = *at;

	while (!ycursor_is_at_end(&look) && look.pos.offset < offset) {
		if (is_marker(&look))
			*at = look;
		ycursor_step(&look);
	}
}

/* Moves to the first marker behind the cursor that is at or behind `offset`, or to the end. */
static void move_to_marker_behind(struct ycursor *at, size_t offset)
{
	if (!ycursor_is_at_end(at))
		ycursor_step(at);
	while (!ycursor_is_at_end(at) && (at->pos.offset < offset || !is_marker(at)))
		ycursor_step(at);
}

/* Reads the document at r->at as JSON if it looks like it and is it, and moves r->at behind it. */
static bool read_json(struct ydoc_reader *r, struct ybuild *b)
{
	struct ycursor at = r->at;

	ycursor_skip_blank(&at);
	if (is_marker(&at)) {
		ycursor_to_offset(&at, at.pos.offset + 3);
		ycursor_skip_blank(&at);
	}
	if (ycursor_byte(&at) != '{' && ycursor_byte(&at) != '[')
		return false;
	arena_fini(&r->arena);
	ybuild_init(b, &r->arena, b->problem);
	if (!yjson_read(&at, b))
		return false;
	r->at = at;
	return true;
}

/*
 * libyaml could not read the document. It may be JSON that libyaml refuses, which is then taken
 * after all; else the error of whoever came further is the better one, and reading goes on at the
 * next marker.
 */
static enum yparse_result recover(struct ydoc_reader *r, struct ybuild *b)
{
	struct yproblem yaml = *b->problem, *problem = b->problem;

	yparse_free(r->parser);
	r->parser = NULL;
	move_to_marker_before(&r->at, yaml.pos.offset);
	problem->pos.offset = 0;
	if (read_json(r, b))
		return YPARSE_DOCUMENT;
	if (problem->pos.offset <= yaml.pos.offset)
		*problem = yaml;
	ydoc_report(r->diag, DIAG_ERROR, r->file, problem->pos, NULL, "%s", problem->error.text);
	if (++r->errors == MAX_ERRORS) {
		ydoc_report(r->diag, DIAG_ERROR, r->file, problem->pos, NULL,
			    "that makes %d documents that can't be read: giving up", MAX_ERRORS);
		return YPARSE_END;
	}
	move_to_marker_behind(&r->at, problem->pos.offset);
	return YPARSE_BAD;
}

static enum yparse_result read_document(struct ydoc_reader *r, struct ybuild *b)
{
	enum yparse_result result;

	if (r->parser == NULL) {
		if (is_at_end(&r->at))
			return YPARSE_END;
		if (read_json(r, b))
			return YPARSE_DOCUMENT;
		r->parser = yparse_new(r->at);
	}
	arena_fini(&r->arena);
	ybuild_init(b, &r->arena, b->problem);
	if (r->parser == NULL) {
		r->is_done = true;
		ydoc_report(r->diag, DIAG_ERROR, r->file, r->at.pos, NULL, "out of memory");
		return YPARSE_END;
	}
	result = yparse_read(r->parser, b, &r->at);
	return result == YPARSE_BAD ? recover(r, b) : result;
}

bool ydoc_reader_next(struct ydoc_reader *r, const struct ydoc_node **root)
{
	while (!r->is_done) {
		struct yproblem problem = {.pos = r->at.pos};
		struct ybuild build;
		enum yparse_result result;

		build.problem = &problem;
		r->begin = r->at.pos.offset;
		result = read_document(r, &build);
		r->end = r->at.pos.offset;
		r->is_done = r->is_done || result == YPARSE_END;
		if (result == YPARSE_DOCUMENT && !ydoc_is_absent(build.root)) {
			*root = build.root;
			return true;
		}
	}
	return false;
}
