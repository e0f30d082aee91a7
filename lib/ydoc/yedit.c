#include "ydoc/yedit.h"

#include <string.h>

#include "base/hash.h"
#include "ydoc/ynode.h"
#include "ydoc/yplace.h"
#include "ydoc/ystyle.h"

/* Of a bucket; when there are more, text is made again. */
#define LOOKED_THROUGH 32

/* Text made for entries of `content`, and all that it depends on. */
struct yedit_cached {
	struct yedit_cached *next; /* in its bucket */
	const struct ydoc_node *content;
	uint64_t mask; /* which entries, by position */
	bool is_flow;
	unsigned column;    /* of lines */
	struct span indent; /* of entries in brackets */
	struct yemit_style style;
	struct span text;
};

void yedit_init(struct yedit *e, struct textedits *edits, struct arena *arena)
{
	*e = (struct yedit){.edits = edits, .arena = arena, .style = yemit_default_style};
}

void yedit_begin(struct yedit *e, struct span text, const struct ydoc_node *parent,
		 const struct ydoc_node *sample)
{
	e->text = text;
	e->style = ystyle_of_lines(text, parent, sample);
	e->result = YEDIT_DONE;
}

/* ---- Text for entries ---- */

static bool style_eq(const struct yemit_style *a, const struct yemit_style *b)
{
	return span_eq(a->eol, b->eol) && a->map_step == b->map_step &&
	       a->dash_step == b->dash_step && a->item_step == b->item_step &&
	       a->is_json == b->is_json && a->is_tight == b->is_tight &&
	       a->is_inline == b->is_inline && span_eq(a->indent_step, b->indent_step);
}

static bool is_same(const struct yedit_cached *a, const struct yedit_cached *b)
{
	return a->content == b->content && a->mask == b->mask && a->is_flow == b->is_flow &&
	       a->column == b->column && span_eq(a->indent, b->indent) &&
	       style_eq(&a->style, &b->style);
}

static struct yedit_cached **bucket_of(struct yedit *e, const struct yedit_cached *want)
{
	uint64_t hash = hash_u64(HASH_INIT, (uintptr_t)want->content);

	hash = hash_u64(hash_u64(hash, want->mask), want->column);
	return &e->cache[hash_finish(hash) % YEDIT_BUCKETS];
}

/* The content with only the entries of the mask. */
static const struct ydoc_node *select_entries(struct yedit *e, const struct ydoc_node *content,
					      uint64_t mask)
{
	struct ynode_list some = {.count = 0};

	for (const struct ydoc_item *i = content->items; i != NULL; i = i->next, mask >>= 1)
		if ((mask & 1) != 0 && !ynode_hang(&some, e->arena, i->key, i->value))
			return NULL;
	return ynode_collection(e->arena, (enum ydoc_kind)content->kind, &some);
}

static bool make_text(struct yedit *e, const struct yedit_cached *want, struct span *text)
{
	const struct ydoc_node *some = want->content;
	struct buf out;
	bool ok;

	if (want->mask != UINT64_MAX)
		some = select_entries(e, want->content, want->mask);
	if (some == NULL)
		return false;
	buf_init_heap(&out, YDOC_MAX_BYTES);
	if (want->is_flow)
		yemit_entries(&out, some, &want->style, want->indent, e->arena);
	else
		yemit_lines(&out, some, &want->style, want->column, e->arena);
	ok = !out.truncated && arena_copy(e->arena, buf_span(&out), text);
	buf_fini(&out);
	return ok;
}

/* The text of entries, made or known. Empty after a failure, which e->result tells. */
static struct span text_of(struct yedit *e, struct yedit_cached want)
{
	struct yedit_cached **bucket = bucket_of(e, &want), *found = *bucket;
	unsigned looked = 0;

	for (; found != NULL && looked < LOOKED_THROUGH; found = found->next, looked++)
		if (is_same(found, &want))
			return found->text;
	found = arena_get(e->arena, sizeof *found);
	if (found == NULL || !arena_copy(e->arena, want.indent, &want.indent) ||
	    !arena_copy(e->arena, want.style.indent_step, &want.style.indent_step) ||
	    !make_text(e, &want, &want.text)) {
		e->result = YEDIT_NO_MEMORY;
		return SPAN("");
	}
	*found = want;
	found->next = *bucket;
	*bucket = found;
	return found->text;
}

/* ---- Insertion ---- */

static void stop(struct yedit *e, struct ydoc_pos at, bool is_unfit)
{
	e->result = YEDIT_SHARED;
	e->stopped_at = at;
	e->is_unfit = is_unfit;
}

static void add(struct yedit *e, size_t offset, struct span text, bool belongs_behind)
{
	textedit_add(e->edits, (struct textedit){.offset = offset,
						 .inserted = text,
						 .belongs_behind = belongs_behind});
}

/* Pieces joined in the arena. */
static struct span join(struct yedit *e, const struct span *pieces, size_t count)
{
	size_t size = 1;
	struct buf b;
	char *at;

	for (size_t i = 0; i < count; i++)
		size += pieces[i].len;
	at = arena_get(e->arena, size);
	if (at == NULL) {
		e->result = YEDIT_NO_MEMORY;
		return SPAN("");
	}
	buf_init(&b, at, size);
	for (size_t i = 0; i < count; i++)
		buf_add(&b, pieces[i]);
	return buf_span(&b);
}

#define JOIN(e, ...)                                                                               \
	join((e), (const struct span[]){__VA_ARGS__},                                              \
	     sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span))

static struct span separator(struct yedit *e, const struct yemit_style *style, struct span indent)
{
	char storage[256];
	struct span copy;
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	yemit_separator(&b, style, indent);
	if (b.truncated || !arena_copy(e->arena, buf_span(&b), &copy)) {
		e->result = YEDIT_NO_MEMORY;
		return SPAN("");
	}
	return copy;
}

/* Lines for a place where lines begin; at the end of a text without a last line end, after one. */
static void add_lines(struct yedit *e, size_t offset, struct span lines, bool belongs_behind)
{
	struct span eol = e->style.eol;

	if (offset == e->text.len && offset > 0 && strchr("\r\n", e->text.ptr[offset - 1]) == NULL)
		lines = JOIN(e, eol, span_first(lines, lines.len - eol.len));
	add(e, offset, lines, belongs_behind);
}

/* Before an entry that stands in its line behind something else, as in `- name: x`. */
static void add_into_line(struct yedit *e, size_t offset, struct span lines, unsigned column)
{
	struct span indent = span_first(lines, column);

	add(e, offset, JOIN(e, span_from(lines, column), indent), true);
}

static void insert_lines(struct yedit *e, const struct ydoc_node *node,
			 const struct ydoc_item *before, struct yedit_cached want)
{
	size_t entry = before != NULL ? yplace_entry_start(e->text, node, before) : SIZE_MAX;
	struct span lines;
	size_t below;

	want.column = yplace_column(e->text, node->body);
	want.style = e->style;
	lines = text_of(e, want);
	if (lines.len == 0)
		return;
	if (before == NULL) {
		below = yplace_below(e->text, node);
		if (below == SIZE_MAX)
			stop(e, node->pos, true);
		else
			add_lines(e, below, lines, false);
	} else if (yplace_is_first(e->text, entry)) {
		add_lines(e, yplace_above(e->text, node, before), lines, true);
	} else {
		add_into_line(e, entry, lines, want.column);
	}
}

/*
 * Behind the last entry of brackets. When that is itself in brackets which close on a line of their
 * own, so are all that come, and its closing bracket serves the last of them: then only lines are
 * added, where `}` would else become `},`.
 */
static void append_in_brackets(struct yedit *e, const struct ydoc_node *node, struct span text,
			       struct span comma)
{
	const struct ydoc_item *last = node->items;
	size_t end;

	while (last->next != NULL)
		last = last->next;
	end = yplace_entry_end(last);
	if (last->value_alias == NULL && last->value->kind != YDOC_SCALAR && last->value->is_flow &&
	    yplace_is_first(e->text, end - 1) && text.len > 0 &&
	    text.ptr[text.len - 1] == e->text.ptr[end - 1])
		add(e, end - 1,
		    JOIN(e, span_of(e->text.ptr + end - 1, 1), comma,
			 span_first(text, text.len - 1)),
		    false);
	else
		add(e, end, JOIN(e, comma, text), false);
}

/* All of what goes between empty brackets, on lines of their own if `style` says so. */
static struct span fill_brackets(struct yedit *e, const struct yemit_style *style,
				 const struct ystyle_around *around, struct yedit_cached want)
{
	want.is_flow = true;
	want.style = *style;
	if (style->is_inline)
		return text_of(e, want);
	want.indent = JOIN(e, around->indent, style->indent_step);
	return JOIN(e, style->eol, want.indent, text_of(e, want), style->eol, around->indent);
}

static void insert_in_brackets(struct yedit *e, const struct ydoc_node *node,
			       const struct ydoc_item *before, const struct ystyle_around *around,
			       struct yedit_cached want)
{
	struct span comma;

	want.style = ystyle_of_brackets(e->text, node, &e->style, around, &want.indent);
	/* `[a: b]` and `[? a: b]` are mappings in brackets without any of their own. */
	if (node->body == node->pos.offset || e->text.ptr[node->body - 1] == '?') {
		stop(e, node->pos, true);
	} else if (node->items == NULL) {
		add(e, node->end - 1, fill_brackets(e, &want.style, around, want), true);
	} else {
		want.is_flow = true;
		comma = separator(e, &want.style, want.indent);
		if (before != NULL)
			add(e, yplace_entry_start(e->text, node, before),
			    JOIN(e, text_of(e, want), comma), true);
		else
			append_in_brackets(e, node, text_of(e, want), comma);
	}
}

static void insert(struct yedit *e, const struct ydoc_node *node, const struct ydoc_item *before,
		   const struct ystyle_around *around, struct yedit_cached want)
{
	if (node->is_flow)
		insert_in_brackets(e, node, before, around, want);
	else
		insert_lines(e, node, before, want);
}

/* ---- Values that are null ---- */

/* `key:` with nothing behind it, in lines: what comes goes below. */
static void fill_below(struct yedit *e, const struct ydoc_node *parent,
		       const struct ydoc_item *item, const struct ydoc_node *content)
{
	struct yedit_cached want = {.content = content, .mask = UINT64_MAX, .style = e->style};
	size_t key = yplace_entry_start(e->text, parent, item);

	/* The colon directly behind the key: else it is a `?` key with a line for its value. */
	if (item->key->end >= e->text.len || e->text.ptr[item->key->end] != ':') {
		stop(e, item->key->pos, true);
		return;
	}
	want.column = yplace_column(e->text, key);
	want.column += content->kind == YDOC_MAPPING ? e->style.map_step : e->style.dash_step;
	add_lines(e, yplace_line_end(e->text, item->value->end), text_of(e, want), false);
}

/* The word `null` gives way to brackets. */
static void fill_word(struct yedit *e, const struct ydoc_item *item,
		      const struct ydoc_node *content, const struct ystyle_around *around)
{
	struct yedit_cached want = {.content = content, .mask = UINT64_MAX};
	struct yemit_style style = around->style != NULL ? *around->style : e->style;
	bool is_mapping = content->kind == YDOC_MAPPING;
	struct span inner = fill_brackets(e, &style, around, want);

	textedit_add(
		e->edits,
		(struct textedit){.offset = item->value->pos.offset,
				  .removed = item->value->end - item->value->pos.offset,
				  .inserted = JOIN(e, is_mapping ? SPAN("{") : SPAN("["), inner,
						   is_mapping ? SPAN("}") : SPAN("]"))});
}

static void fill(struct yedit *e, const struct ydoc_node *parent, const struct ydoc_item *item,
		 const struct ydoc_node *content, const struct ystyle_around *around)
{
	size_t len = item->value->end - item->value->pos.offset;

	/* An anchor or a tag before it would be lost, or be one of something else. */
	if (len != item->value->text.len || (len == 0 && parent->is_flow))
		stop(e, item->key->pos, true);
	else if (len > 0)
		fill_word(e, item, content, around);
	else
		fill_below(e, parent, item, content);
}

/* ---- Grafting ---- */

static const struct yedit_place *place_of(const struct yedit *e, struct span key)
{
	for (const struct yedit_place *p = e->places; p->key != NULL; p++)
		if (span_eq(key, span_from_cstr(p->key)))
			return p;
	return NULL;
}

/* Before which entry of `target` the new ones go. */
static const struct ydoc_item *find_before(const struct yedit *e, const struct ydoc_node *target,
					   const struct ydoc_node *content, uint64_t mask)
{
	const struct ydoc_item *found = NULL;

	for (const struct ydoc_item *i = content->items; i != NULL && found == NULL; i = i->next) {
		const struct yedit_place *place = (mask & 1) != 0 ? place_of(e, i->key->text)
								  : NULL;

		mask >>= 1;
		if (place != NULL && place->before != NULL)
			found = ydoc_find(target, span_from_cstr(place->before));
	}
	return found != NULL ? found : target->items;
}

static void graft(struct yedit *e, const struct ydoc_node *target, const struct ydoc_node *content,
		  const struct ystyle_around *around);

/* What `target` has under a key of the content is added to. */
static void graft_entry(struct yedit *e, const struct ydoc_node *target,
			const struct ydoc_item *have, const struct ydoc_item *add,
			const struct ystyle_around *around)
{
	struct yedit_cached want = {.content = add->value, .mask = UINT64_MAX};
	const struct yedit_place *place = place_of(e, add->key->text);

	if (add->value->kind == YDOC_SCALAR)
		return;
	if (have->key_alias != NULL)
		stop(e, have->key_alias->pos, false);
	else if (have->value_alias != NULL)
		stop(e, have->value_alias->pos, false);
	else if (have->value->is_aliased)
		stop(e, have->value->pos, false);
	else if (ydoc_is_absent(have->value))
		fill(e, target, have, add->value, around);
	else if (have->value->kind != add->value->kind)
		stop(e, have->value->pos, true);
	else if (have->value->kind == YDOC_MAPPING)
		graft(e, have->value, add->value, around);
	else
		insert(e, have->value, place != NULL && place->at_end ? NULL : have->value->items,
		       around, want);
}

/* Where a mapping merges others into itself, for what it doesn't have of its own. */
static struct ydoc_pos merge_pos(const struct ydoc_node *mapping)
{
	for (const struct ydoc_item *i = mapping->items; i != NULL; i = i->next)
		if (ydoc_is_merge(i))
			return i->key->pos;
	return mapping->pos;
}

static void graft(struct yedit *e, const struct ydoc_node *target, const struct ydoc_node *content,
		  const struct ystyle_around *around)
{
	struct yedit_cached want = {.content = content};
	struct yemit_style style;
	struct ystyle_around inner = {NULL, SPAN("")};
	uint64_t bit = 1;

	if (target->is_flow) {
		style = ystyle_of_brackets(e->text, target, &e->style, around, &inner.indent);
		inner.style = &style;
	}
	/* A set of new entries is a mask: for more than it holds there is no place. */
	for (const struct ydoc_item *i = content->items; i != NULL; i = i->next, bit <<= 1) {
		const struct ydoc_item *have = ydoc_find(target, i->key->text);

		if (bit == 0 || (have == NULL && ydoc_get(target, i->key->text) != NULL)) {
			stop(e, merge_pos(target), bit == 0);
			return;
		}
		if (have == NULL)
			want.mask |= bit;
		else
			graft_entry(e, target, have, i, &inner);
	}
	if (want.mask == 0 || e->result != YEDIT_DONE)
		return;
	if (target->items == NULL && !target->is_flow)
		stop(e, target->pos, true);
	else
		insert(e, target, find_before(e, target, content, want.mask), around, want);
}

enum yedit_result yedit_graft(struct yedit *e, const struct ydoc_node *target,
			      const struct ydoc_node *content, const struct yedit_place *places)
{
	struct ystyle_around around = {NULL, SPAN("")};

	e->places = places;
	e->result = YEDIT_DONE;
	graft(e, target, content, &around);
	if (e->edits->is_out_of_memory)
		e->result = YEDIT_NO_MEMORY;
	return e->result;
}

/* ---- Taking out ---- */

static void cut(struct yedit *e, size_t from, size_t to)
{
	textedit_add(e->edits, (struct textedit){.offset = from, .removed = to - from});
}

static bool ends_line(struct span text, size_t at)
{
	return at > 0 && (text.ptr[at - 1] == '\n' || text.ptr[at - 1] == '\r');
}

static void cut_lines(struct yedit *e, size_t from, const struct ydoc_item *last)
{
	size_t to = yplace_after_lines(e->text, last);

	/* Put behind a last line without end, they brought the end that it lacked. */
	if (to == e->text.len && !ends_line(e->text, to)) {
		from -= ends_line(e->text, from);
		from -= from > 0 && e->text.ptr[from] == '\n' && e->text.ptr[from - 1] == '\r';
	}
	cut(e, from, to);
}

/* All that brackets hold: with the blanks around it when they came with it. */
static void empty_brackets(struct yedit *e, const struct ydoc_node *node, size_t from, size_t to)
{
	if (to < node->end - 1)
		cut(e, node->body, node->end - 1);
	else
		cut(e, from, to);
}

void yedit_cut(struct yedit *e, const struct ydoc_node *collection, const struct ydoc_item *first,
	       const struct ydoc_item *last)
{
	size_t from = yplace_entry_start(e->text, collection, first);
	size_t to = yplace_entry_end(last);
	const struct ydoc_item *before = NULL;

	if (last->next != NULL && (collection->is_flow || !yplace_is_first(e->text, from))) {
		cut(e, from, yplace_entry_start(e->text, collection, last->next));
		return;
	}
	if (!collection->is_flow) {
		cut_lines(e, yplace_line_start(e->text, from), last);
		return;
	}
	for (const struct ydoc_item *i = collection->items; i != first; i = i->next)
		before = i;
	if (before != NULL)
		cut(e, yplace_entry_end(before), to);
	else
		empty_brackets(e, collection, from, to);
}

void yedit_replace(struct yedit *e, const struct ydoc_node *node, struct span word)
{
	textedit_add(e->edits, (struct textedit){.offset = node->pos.offset,
						 .removed = node->end - node->pos.offset,
						 .inserted = JOIN(e, word)});
}
