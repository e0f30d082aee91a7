#include "ydoc/yemit.h"

#include "ydoc/ynode.h"
#include "ydoc/yscalar.h"

const struct yemit_style yemit_default_style = {
	.eol = {"\n", 1},
	.map_step = 2,
	.item_step = 2,
	.is_inline = true,
	.indent_step = {"  ", 2},
};

/* Merges of merges of merges ..., as ydoc_get looks into them. */
#define MAX_MERGE_DEPTH 32

/* Keys compared for one mapping's merges: thousands of merged keys pass, no hostile file hangs. */
#define MAX_MERGE_WORK 10000000

/* libyaml wants to see the colon of a key within 1024 characters; longer ones are announced. */
#define MAX_SIMPLE_KEY 500

struct emitter {
	struct buf *out;
	const struct yemit_style *style;
	struct arena *arena;
	unsigned depth; /* aliases in aliases may be deeper than what a reader takes */
};

/* ---- Merge keys ---- */

struct flat {
	struct ynode_list entries;
	size_t work;
	struct arena *arena;
};

static bool has_merge(const struct ydoc_node *mapping)
{
	for (const struct ydoc_item *i = mapping->items; i != NULL; i = i->next)
		if (ydoc_is_merge(i))
			return true;
	return false;
}

static bool has_key(const struct flat *f, const struct ydoc_node *key)
{
	const struct ydoc_item *i = f->entries.first;

	while (i != NULL && (key->kind != YDOC_SCALAR || i->key->kind != YDOC_SCALAR ||
			     !span_eq(i->key->text, key->text)))
		i = i->next;
	return i != NULL;
}

static bool flatten_into(struct flat *f, const struct ydoc_node *mapping, unsigned depth);

static bool flatten_merged(struct flat *f, const struct ydoc_node *merged, unsigned depth)
{
	if (depth == MAX_MERGE_DEPTH)
		return true;
	if (merged->kind == YDOC_MAPPING)
		return flatten_into(f, merged, depth + 1);
	if (merged->kind == YDOC_SEQUENCE)
		for (const struct ydoc_item *i = merged->items; i != NULL; i = i->next)
			if (i->value->kind == YDOC_MAPPING && !flatten_into(f, i->value, depth + 1))
				return false;
	return true;
}

/* A mapping's own entries before those that it merges; what is there already stays. */
static bool flatten_into(struct flat *f, const struct ydoc_node *mapping, unsigned depth)
{
	for (const struct ydoc_item *i = mapping->items; i != NULL; i = i->next) {
		f->work += depth > 0 ? f->entries.count : 0;
		if (f->work > MAX_MERGE_WORK)
			return false;
		if (ydoc_is_merge(i) || (depth > 0 && has_key(f, i->key)))
			continue;
		if (!ynode_hang(&f->entries, f->arena, i->key, i->value))
			return false;
	}
	for (const struct ydoc_item *i = mapping->items; i != NULL; i = i->next)
		if (ydoc_is_merge(i) && !flatten_merged(f, i->value, depth))
			return false;
	return true;
}

const struct ydoc_node *yemit_flatten(const struct ydoc_node *mapping, struct arena *arena)
{
	struct flat f = {.arena = arena};

	if (mapping->kind != YDOC_MAPPING || !has_merge(mapping))
		return mapping;
	if (!flatten_into(&f, mapping, 0))
		return NULL;
	return ynode_collection(arena, YDOC_MAPPING, &f.entries);
}

/* The entries to write, NULL for none; what memory there is not for is cut, and `out` says so. */
static const struct ydoc_item *entries_of(struct emitter *m, const struct ydoc_node *collection)
{
	const struct ydoc_node *flat = m->depth < YDOC_MAX_DEPTH
					       ? yemit_flatten(collection, m->arena)
					       : NULL;

	if (flat == NULL) {
		m->out->truncated = true;
		return NULL;
	}
	return flat->items;
}

/* ---- Flow ---- */

void yemit_separator(struct buf *out, const struct yemit_style *style, struct span indent)
{
	buf_add_byte(out, ',');
	if (style->is_inline) {
		buf_add(out, style->is_tight ? SPAN("") : SPAN(" "));
		return;
	}
	buf_add(out, style->eol);
	buf_add(out, indent);
}

static void add_flow_value(struct emitter *m, const struct ydoc_node *value, struct span indent);

static enum yscalar_form flow_form(const struct emitter *m)
{
	return m->style->is_json ? YSCALAR_JSON : YSCALAR_FLOW;
}

static bool is_simple_key(const struct ydoc_node *key)
{
	return key->kind == YDOC_SCALAR && key->text.len <= MAX_SIMPLE_KEY;
}

/* Keys of JSON are text, whatever they are in YAML. */
static void add_flow_key(struct emitter *m, const struct ydoc_node *key, struct span indent)
{
	if (m->style->is_json && key->kind == YDOC_SCALAR) {
		yscalar_add_quoted(m->out, key->text);
		return;
	}
	if (!is_simple_key(key))
		buf_add_cstr(m->out, "? ");
	add_flow_value(m, key, indent);
}

static void add_flow_entries(struct emitter *m, const struct ydoc_item *entries, struct span indent)
{
	for (const struct ydoc_item *i = entries; i != NULL && !m->out->truncated; i = i->next) {
		if (i != entries)
			yemit_separator(m->out, m->style, indent);
		if (i->key != NULL) {
			add_flow_key(m, i->key, indent);
			/* YAML sees the colon without a blank behind it only behind a quote. */
			buf_add(m->out,
				m->style->is_tight && m->style->is_json ? SPAN(":") : SPAN(": "));
		}
		add_flow_value(m, i->value, indent);
	}
}

static void add_line(struct emitter *m, struct span indent)
{
	buf_add(m->out, m->style->eol);
	buf_add(m->out, indent);
}

static void add_flow_collection(struct emitter *m, const struct ydoc_node *value,
				struct span indent)
{
	const struct ydoc_item *entries = entries_of(m, value);
	char storage[256];
	struct buf inner;

	m->depth++;
	BUF_INIT_ARRAY(&inner, storage);
	buf_add(&inner, indent);
	buf_add(&inner, m->style->indent_step);
	buf_add_byte(m->out, value->kind == YDOC_MAPPING ? '{' : '[');
	if (entries != NULL && !m->style->is_inline)
		add_line(m, buf_span(&inner));
	add_flow_entries(m, entries, buf_span(&inner));
	if (entries != NULL && !m->style->is_inline)
		add_line(m, indent);
	buf_add_byte(m->out, value->kind == YDOC_MAPPING ? '}' : ']');
	m->depth--;
}

static void add_flow_value(struct emitter *m, const struct ydoc_node *value, struct span indent)
{
	if (value->kind == YDOC_SCALAR)
		yscalar_add(m->out, value, flow_form(m));
	else
		add_flow_collection(m, value, indent);
}

void yemit_entries(struct buf *out, const struct ydoc_node *collection,
		   const struct yemit_style *style, struct span indent, struct arena *arena)
{
	struct emitter m = {.out = out, .style = style, .arena = arena};

	add_flow_entries(&m, entries_of(&m, collection), indent);
}

/* ---- Block ---- */

static void add_columns(struct buf *out, unsigned count)
{
	static const char blanks[] = "                                ";

	while (count > 0) {
		unsigned n = count < sizeof blanks - 1 ? count : (unsigned)sizeof blanks - 1;

		buf_add(out, span_of(blanks, n));
		count -= n;
	}
}

/* Text of several lines as they are, behind a `|` that says what becomes of the last line's end. */
static void add_literal(struct emitter *m, struct span text, unsigned column)
{
	struct span line;

	if (!span_ends_with(text, SPAN("\n")))
		buf_add_cstr(m->out, "|-");
	else
		buf_add_cstr(m->out, span_ends_with(text, SPAN("\n\n")) ? "|+" : "|");
	buf_add(m->out, m->style->eol);
	if (span_ends_with(text, SPAN("\n")))
		text.len--;
	while (span_split(&text, '\n', &line)) {
		if (line.len > 0)
			add_columns(m->out, column);
		buf_add(m->out, line);
		buf_add(m->out, m->style->eol);
	}
}

static void add_block_entries(struct emitter *m, const struct ydoc_item *entries, unsigned column);

/* The value of an entry, behind its `key:` or `-`, to the end of its last line. */
static void add_block_value(struct emitter *m, const struct ydoc_node *value, unsigned column,
			    bool is_in_sequence)
{
	const struct yemit_style *style = m->style;
	const struct ydoc_item *entries;

	if (value->kind == YDOC_SCALAR) {
		if (!is_in_sequence)
			buf_add_byte(m->out, ' ');
		if (style->has_literals && !value->is_plain && yscalar_fits_literal(value->text)) {
			add_literal(m, value->text, column + style->map_step);
			return;
		}
		yscalar_add(m->out, value, YSCALAR_BLOCK);
		buf_add(m->out, style->eol);
		return;
	}
	entries = entries_of(m, value);
	if (entries == NULL) {
		buf_add(m->out, is_in_sequence ? SPAN("") : SPAN(" "));
		buf_add(m->out, value->kind == YDOC_MAPPING ? SPAN("{}") : SPAN("[]"));
		buf_add(m->out, style->eol);
		return;
	}
	if (is_in_sequence) {
		add_block_entries(m, entries, column + style->item_step);
		return;
	}
	buf_add(m->out, style->eol);
	column += value->kind == YDOC_MAPPING ? style->map_step : style->dash_step;
	add_columns(m->out, column);
	add_block_entries(m, entries, column);
}

/* A key that is long or no scalar is announced by a `?` and stands on a line of its own. */
static void add_block_key(struct emitter *m, const struct ydoc_node *key, unsigned column)
{
	struct yemit_style one_line = *m->style;
	struct emitter inner = *m;

	if (is_simple_key(key)) {
		yscalar_add(m->out, key, YSCALAR_BLOCK);
	} else {
		one_line.is_inline = true;
		inner.style = &one_line;
		buf_add_cstr(m->out, "? ");
		add_flow_value(&inner, key, SPAN(""));
		buf_add(m->out, m->style->eol);
		add_columns(m->out, column);
	}
	buf_add_byte(m->out, ':');
}

/* The text is at `column` already. */
static void add_block_entries(struct emitter *m, const struct ydoc_item *entries, unsigned column)
{
	m->depth++;
	for (const struct ydoc_item *i = entries; i != NULL && !m->out->truncated; i = i->next) {
		if (i != entries)
			add_columns(m->out, column);
		if (i->key == NULL) {
			buf_add_byte(m->out, '-');
			add_columns(m->out, m->style->item_step - 1);
		} else {
			add_block_key(m, i->key, column);
		}
		add_block_value(m, i->value, column, i->key == NULL);
	}
	m->depth--;
}

void yemit_lines(struct buf *out, const struct ydoc_node *collection,
		 const struct yemit_style *style, unsigned column, struct arena *arena)
{
	struct emitter m = {.out = out, .style = style, .arena = arena};
	const struct ydoc_item *entries = entries_of(&m, collection);

	if (entries == NULL)
		return;
	add_columns(out, column);
	add_block_entries(&m, entries, column);
}
