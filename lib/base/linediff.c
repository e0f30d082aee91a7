#include "base/linediff.h"

#include <stdint.h>

#include "base/arena.h"

/* Lines shown around what differs. Hunks whose contexts would touch are one. */
#define CONTEXT 3

/*
 * Bounds of comparing. A change with more lines, or with a table of more cells (4 bytes each), is
 * shown whole; so is every change once the steps, which are those of all changes together, are
 * used up: about half a second.
 */
#define LINES_MAX ((size_t)1 << 20)
#define CELLS_MAX ((size_t)1 << 22)
#define STEPS_MAX ((uint64_t)1 << 26)

/* Neighbouring lines that are removed, added, or both. */
struct block {
	struct block *next;
	size_t at;   /* of `removed` in the old text, or where it would be */
	size_t line; /* the same as a line number, from 0 */
	struct span removed, added;
	size_t removed_lines, added_lines;
};

struct differ {
	struct span text; /* the old one */
	struct buf *out;
	const char *old_name, *new_name; /* NULL once the header lines are printed */

	/* The hunk that is gathered, or NULL. Its blocks and what they add are in the arena. */
	struct block *first, *last;
	struct arena arena;

	size_t at, line;       /* lines of the old text are counted up to this offset */
	size_t removed, added; /* lines in the hunks that are printed */
	uint64_t steps_left;   /* of STEPS_MAX */
};

/* Edits that belong together, and the lines of the old text that they touch. */
struct change {
	const struct textedit *edits;
	size_t count;
	size_t start, end; /* starts of lines, or the end of the text */
};

static struct span slice(struct span text, size_t from, size_t to)
{
	return span_first(span_from(text, from), to - from);
}

/* Of the first line, with its line end. */
static size_t line_length(struct span text)
{
	size_t end = span_find(text, '\n');

	return end != SIZE_MAX ? end + 1 : text.len;
}

static size_t count_lines(struct span text)
{
	size_t count = 0;

	for (; text.len > 0; count++)
		text = span_from(text, line_length(text));
	return count;
}

/* Where the line that holds `at` starts; `from` is the start of that line or an earlier one. */
static size_t line_start(struct span text, size_t from, size_t at)
{
	size_t end = span_rfind(slice(text, from, at), '\n');

	return end != SIZE_MAX ? from + end + 1 : from;
}

static bool is_line_start(struct span text, size_t at)
{
	return at == 0 || text.ptr[at - 1] == '\n';
}

/* Printing. */

/* `- NAME`, in quotes as GNU diff prints it (and patch reads it) when the line could be misread. */
static void add_name(struct buf *out, struct span mark, const char *name)
{
	static const char letters[] = "abtnvfr"; /* for the codes from 7 */
	bool is_quoted = false;

	for (const char *c = name; *c != '\0'; c++)
		is_quoted |= (unsigned char)*c <= ' ' || *c == '"' || *c == '\\';
	buf_add(out, mark);
	buf_add(out, is_quoted ? SPAN("\"") : SPAN(""));
	for (const char *c = name; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			buf_add(out, span_of((const char[]){'\\', *c}, 2));
		else if (*c >= '\a' && *c <= '\r')
			buf_add(out, span_of((const char[]){'\\', letters[*c - '\a']}, 2));
		else if ((unsigned char)*c < ' ')
			buf_printf(out, "\\%d%d%d", *c >> 6, *c >> 3 & 7, *c & 7);
		else
			buf_add_byte(out, *c);
	}
	buf_add(out, is_quoted ? SPAN("\"\n") : SPAN("\n"));
}

static void add_lines(struct buf *out, char mark, struct span text)
{
	while (text.len > 0 && !out->truncated) {
		struct span line = span_first(text, line_length(text));

		buf_add_byte(out, mark);
		buf_add(out, line);
		if (line.ptr[line.len - 1] != '\n')
			buf_add(out, SPAN("\n\\ No newline at end of file\n"));
		text = span_from(text, line.len);
	}
}

/* "-3,7": lines from the third (`line` counts from 0); the length 1 is left out. */
static void add_range(struct buf *out, char mark, size_t line, size_t count)
{
	buf_add_byte(out, mark);
	/* A range without lines is after the line before it. */
	buf_add_u64(out, line + (count > 0));
	if (count == 1)
		return;
	buf_add_byte(out, ',');
	buf_add_u64(out, count);
}

static size_t line_behind(const struct block *b)
{
	return b->line + b->removed_lines;
}

static size_t offset_behind(const struct block *b)
{
	return b->at + b->removed.len;
}

static void add_hunk_header(struct differ *d, size_t lines_before, size_t lines_after)
{
	size_t line = d->first->line - lines_before, removed = 0, added = 0;
	size_t count = line_behind(d->last) + lines_after - line;

	for (const struct block *b = d->first; b != NULL; b = b->next) {
		removed += b->removed_lines;
		added += b->added_lines;
	}
	buf_add(d->out, SPAN("@@ "));
	add_range(d->out, '-', line, count);
	buf_add_byte(d->out, ' ');
	add_range(d->out, '+', line + d->added - d->removed, count + added - removed);
	buf_add(d->out, SPAN(" @@\n"));
	d->removed += removed;
	d->added += added;
}

/* Prints the hunk and begins a new one. The arena stays as it is. */
static void print_hunk(struct differ *d)
{
	size_t from = d->first->at, to = offset_behind(d->last), lines_before = 0, lines_after = 0;

	for (; lines_before < CONTEXT && from > 0; lines_before++)
		from = line_start(d->text, 0, from - 1);
	for (; lines_after < CONTEXT && to < d->text.len; lines_after++)
		to += line_length(span_from(d->text, to));
	if (d->old_name != NULL) {
		add_name(d->out, SPAN("--- "), d->old_name);
		add_name(d->out, SPAN("+++ "), d->new_name);
		d->old_name = d->new_name = NULL;
	}
	add_hunk_header(d, lines_before, lines_after);
	for (const struct block *b = d->first; b != NULL; b = b->next) {
		add_lines(d->out, ' ', slice(d->text, from, b->at));
		add_lines(d->out, '-', b->removed);
		add_lines(d->out, '+', b->added);
		from = offset_behind(b);
	}
	add_lines(d->out, ' ', slice(d->text, from, to));
	d->first = d->last = NULL;
}

/* Goes on counting up to `at`, and prints the hunk when what begins there is too far from it. */
static void advance(struct differ *d, size_t at)
{
	d->line += count_lines(slice(d->text, d->at, at));
	d->at = at;
	if (d->last != NULL && d->line - line_behind(d->last) > 2 * CONTEXT)
		print_hunk(d);
}

static bool add_block(struct differ *d, size_t at, struct span removed, struct span added)
{
	struct block *b = arena_get(&d->arena, sizeof *b);

	if (b == NULL)
		return false;
	advance(d, at);
	*b = (struct block){.at = at, .line = d->line, .removed = removed, .added = added};
	b->removed_lines = count_lines(removed);
	b->added_lines = count_lines(added);
	*(d->last != NULL ? &d->last->next : &d->first) = b;
	d->last = b;
	return true;
}

/* Comparing, inside one change. */

struct line {
	struct span text;
	bool differs;
};

/*
 * Myers, "An O(ND) difference algorithm" (1986), the forward search. x counts lines of `a` that are
 * dealt with and y those of `b`; diagonal k is where x - y = k. A row says for a distance d (lines
 * removed and added so far) how far one gets on the diagonals 2i - d that can be reached.
 */
struct row {
	struct row *before; /* of distance d - 1 */
	int32_t first;	    /* the i of x[0] */
	int32_t count;
	int32_t *x; /* -1: the diagonal is out of reach */
};

struct comparison {
	struct line *a, *b;
	int32_t a_count, b_count;
	struct arena arena;
	uint64_t steps;
};

static struct line *split_lines(struct arena *a, struct span text, size_t count)
{
	struct line *lines = arena_get_array(a, count, sizeof *lines);

	for (size_t i = 0; lines != NULL && i < count; i++) {
		lines[i].text = span_first(text, line_length(text));
		text = span_from(text, lines[i].text.len);
	}
	return lines;
}

static int32_t reach(const struct row *row, int32_t i)
{
	return i >= row->first && i - row->first < row->count ? row->x[i - row->first] : -1;
}

/* How far one more line leads to diagonal 2i - d: an added or a removed one, whichever is more. */
static int32_t step(const struct comparison *c, const struct row *before, int32_t d, int32_t i,
		    bool *is_added)
{
	int32_t down = reach(before, i), right = reach(before, i - 1);

	if (down - (2 * i - d) > c->b_count)
		down = -1;
	right = right >= 0 && right < c->a_count ? right + 1 : -1;
	*is_added = down >= right;
	return *is_added ? down : right;
}

static bool is_same(struct comparison *c, struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	c->steps += 1 + a.len / 64;
	return memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* From x on along diagonal k, as long as lines are equal. */
static int32_t slide(struct comparison *c, int32_t x, int32_t k)
{
	while (x < c->a_count && x - k < c->b_count && is_same(c, c->a[x].text, c->b[x - k].text))
		x++;
	return x;
}

static struct row *row_new(struct comparison *c, struct row *before)
{
	struct row *row = arena_get(&c->arena, sizeof *row);

	if (row == NULL)
		return NULL;
	row->before = before;
	row->first = before != NULL ? before->first : 0;
	row->count = before != NULL ? before->count + 1 : 1;
	row->x = arena_get_array(&c->arena, (size_t)row->count, sizeof *row->x);
	return row->x != NULL ? row : NULL;
}

/* Fills the row of distance d; true when it leads to the end of both. */
static bool fill_row(struct comparison *c, struct row *row, int32_t d)
{
	int32_t end = c->a_count - c->b_count;

	for (int32_t at = 0; at < row->count; at++) {
		int32_t i = row->first + at, k = 2 * i - d;
		bool is_added;
		int32_t x = d > 0 ? step(c, row->before, d, i, &is_added) : 0;

		row->x[at] = x >= 0 ? slide(c, x, k) : -1;
		if (k == end && row->x[at] == c->a_count)
			return true;
	}
	c->steps += (uint64_t)row->count;
	/* Diagonals that lead past an end stay out of reach: the rows of uneven texts are short. */
	for (; row->count > 0 && row->x[0] < 0; row->count--, row->x++)
		row->first++;
	while (row->count > 0 && row->x[row->count - 1] < 0)
		row->count--;
	return false;
}

/* Goes back from the end to say which lines were removed and added. */
static void mark_lines(struct comparison *c, const struct row *row, int32_t d)
{
	int32_t k = c->a_count - c->b_count;

	for (; d > 0; d--) {
		bool is_added;
		int32_t x;

		row = row->before;
		x = step(c, row, d, (k + d) / 2, &is_added);
		if (is_added)
			c->b[x - k - 1].differs = true;
		else
			c->a[x - 1].differs = true;
		k += is_added ? 1 : -1;
	}
}

/* Marks the lines that differ: all of them when finding the fewest takes too many steps. */
static bool compare(struct comparison *c, uint64_t steps_max)
{
	struct row *row = NULL;
	size_t cells = 0;

	for (int32_t d = 0; c->steps < steps_max && cells < CELLS_MAX; d++) {
		row = row_new(c, row);
		if (row == NULL)
			return false;
		cells += (size_t)row->count;
		if (fill_row(c, row, d)) {
			mark_lines(c, row, d);
			return true;
		}
	}
	for (int32_t i = 0; i < c->a_count; i++)
		c->a[i].differs = true;
	for (int32_t i = 0; i < c->b_count; i++)
		c->b[i].differs = true;
	return true;
}

/* Lines that are equal lie between the blocks, on both sides as many. */
static bool add_blocks(struct differ *d, size_t at, const struct comparison *c)
{
	const struct line *a = c->a, *a_end = a + c->a_count;
	const struct line *b = c->b, *b_end = b + c->b_count;

	while (a < a_end || b < b_end) {
		struct span removed = {a < a_end ? a->text.ptr : NULL, 0};
		struct span added = {b < b_end ? b->text.ptr : NULL, 0};

		for (; a < a_end && a->differs; a++)
			removed.len += a->text.len;
		for (; b < b_end && b->differs; b++)
			added.len += b->text.len;
		if (removed.len + added.len > 0 && !add_block(d, at, removed, added))
			return false;
		at += removed.len;
		for (; a < a_end && b < b_end && !a->differs && !b->differs; a++, b++)
			at += a->text.len;
	}
	return true;
}

static bool add_compared(struct differ *d, size_t at, struct span removed, struct span added)
{
	size_t a_count = count_lines(removed), b_count = count_lines(added);
	struct comparison c = {0};
	bool ok;

	if (a_count > LINES_MAX || b_count > LINES_MAX || d->steps_left == 0)
		return add_block(d, at, removed, added);
	arena_init(&c.arena, SIZE_MAX);
	c.a = split_lines(&c.arena, removed, a_count);
	c.b = split_lines(&c.arena, added, b_count);
	c.a_count = (int32_t)a_count;
	c.b_count = (int32_t)b_count;
	ok = c.a != NULL && c.b != NULL && compare(&c, d->steps_left) && add_blocks(d, at, &c);
	d->steps_left -= c.steps < d->steps_left ? c.steps : d->steps_left;
	arena_fini(&c.arena);
	return ok;
}

/* Takes equal lines off the front of both; returns how many bytes. */
static size_t trim_start(struct span *a, struct span *b)
{
	size_t most = a->len < b->len ? a->len : b->len, n = 0, lines = 0;

	for (; n < most && a->ptr[n] == b->ptr[n]; n++)
		if (a->ptr[n] == '\n')
			lines = n + 1;
	/* A last line without a line end. */
	if (n == a->len && n == b->len)
		lines = n;
	*a = span_from(*a, lines);
	*b = span_from(*b, lines);
	return lines;
}

/* Takes equal lines off the end of both, which begin with a line. */
static void trim_end(struct span *a, struct span *b)
{
	size_t most = a->len < b->len ? a->len : b->len, n = 0, lines = 0;

	/* n bytes are equal; they are lines when a line end, or nothing, is before them. */
	for (; n < most && a->ptr[a->len - n - 1] == b->ptr[b->len - n - 1]; n++)
		if (a->ptr[a->len - n - 1] == '\n')
			lines = n;
	if (n == most && is_line_start(*a, a->len - n) && is_line_start(*b, b->len - n))
		lines = n;
	a->len -= lines;
	b->len -= lines;
}

/* What the lines of the change become, in the arena. */
static bool new_lines(struct differ *d, const struct change *c, struct span *out)
{
	size_t size = c->end - c->start + 1, at = c->start;
	char *storage;
	struct buf b;

	for (size_t i = 0; i < c->count; i++)
		if (__builtin_add_overflow(size - c->edits[i].removed, c->edits[i].inserted.len,
					   &size))
			return false;
	storage = arena_get(&d->arena, size);
	if (storage == NULL)
		return false;
	buf_init(&b, storage, size);
	for (size_t i = 0; i < c->count; i++) {
		buf_add(&b, slice(d->text, at, c->edits[i].offset));
		buf_add(&b, c->edits[i].inserted);
		at = c->edits[i].offset + c->edits[i].removed;
	}
	buf_add(&b, slice(d->text, at, c->end));
	*out = buf_span(&b);
	return true;
}

static bool add_change(struct differ *d, const struct change *c)
{
	struct span removed = slice(d->text, c->start, c->end), added;
	size_t at = c->start;

	advance(d, at);
	if (d->first == NULL)
		arena_fini(&d->arena);
	if (!new_lines(d, c, &added))
		return false;
	at += trim_start(&removed, &added);
	trim_end(&removed, &added);
	if (removed.len > 0 && added.len > 0)
		return add_compared(d, at, removed, added);
	return removed.len + added.len == 0 || add_block(d, at, removed, added);
}

/*
 * The edits from the first on that touch the same or neighbouring lines. No line is looked at
 * twice, however many edits it has: `from` is where the last change ended.
 */
static struct change gather_change(struct span text, const struct textedit *edits, size_t count,
				   size_t from)
{
	struct change c = {.edits = edits, .start = line_start(text, from, edits->offset)};
	bool is_in_line = false; /* the new text that ends with this edit is */
	size_t at = c.start;	 /* the old text that ends with it */

	for (c.end = c.start; c.count < count; c.count++) {
		const struct textedit *e = &edits[c.count];

		if (e->offset > c.end && line_start(text, c.end, e->offset) > c.end)
			break;
		if (e->inserted.len > 0)
			is_in_line = e->inserted.ptr[e->inserted.len - 1] != '\n';
		else if (e->offset > at)
			is_in_line = !is_line_start(text, e->offset);
		at = e->offset + e->removed;
		if (at < c.end)
			continue;
		c.end = at;
		if (is_in_line || !is_line_start(text, at))
			c.end += line_length(span_from(text, at));
	}
	return c;
}

bool linediff_print(struct span old_text, const struct textedit *edits, size_t count,
		    const char *old_name, const char *new_name, struct buf *out)
{
	struct differ d = {.text = old_text,
			   .out = out,
			   .old_name = old_name,
			   .new_name = new_name,
			   .steps_left = STEPS_MAX};
	bool ok = true;

	arena_init(&d.arena, SIZE_MAX);
	for (size_t i = 0, from = 0; i < count && ok && !out->truncated;) {
		struct change c = gather_change(old_text, &edits[i], count - i, from);

		ok = add_change(&d, &c);
		i += c.count;
		from = c.end;
	}
	if (ok && d.first != NULL)
		print_hunk(&d);
	arena_fini(&d.arena);
	return ok && !out->truncated;
}
