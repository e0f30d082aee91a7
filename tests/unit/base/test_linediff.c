#include "../unit.h"

#include <time.h>

#include "base/alloc.h"
#include "base/linediff.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A generator of our own: the same cases everywhere. */
static uint32_t state;

static uint32_t next_random(uint32_t below)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)(state >> 8) * below) >> 24);
}

static struct textedit edit(size_t offset, size_t removed, const char *inserted)
{
	return (struct textedit){
		.offset = offset, .removed = removed, .inserted = span_from_cstr(inserted)};
}

/* An edit at the first place of `found` in the text. */
static struct textedit replace(const char *text, const char *found, const char *inserted)
{
	const char *at = strstr(text, found);

	CHECK(at != NULL);
	return edit((size_t)(at - text), strlen(found), inserted);
}

static struct buf out;

static void check_diff(const char *text, const struct textedit *edits, size_t count,
		       const char *expected)
{
	buf_fini(&out);
	buf_init_heap(&out, 1 << 20);
	CHECK(linediff_print(span_from_cstr(text), edits, count, "a", "b", &out));
	CHECK_SPAN(buf_span(&out), expected);
}

static const char ten[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

static void shows_an_added_line_with_three_lines_of_context(void)
{
	struct textedit in_the_middle = replace(ten, "6\n", "new\n6\n");
	struct textedit first = edit(0, 0, "new\n"), last = edit(strlen(ten), 0, "new\n");

	check_diff(ten, &in_the_middle, 1,
		   "--- a\n+++ b\n@@ -3,6 +3,7 @@\n 3\n 4\n 5\n+new\n 6\n 7\n 8\n");
	check_diff(ten, &first, 1, "--- a\n+++ b\n@@ -1,3 +1,4 @@\n+new\n 1\n 2\n 3\n");
	check_diff(ten, &last, 1, "--- a\n+++ b\n@@ -8,3 +8,4 @@\n 8\n 9\n 10\n+new\n");
}

static void shows_removed_and_replaced_lines(void)
{
	struct textedit removed = replace(ten, "2\n3\n", ""), replaced = replace(ten, "9", "nine"),
			all = edit(0, strlen(ten), "");

	check_diff(ten, &removed, 1, "--- a\n+++ b\n@@ -1,6 +1,4 @@\n 1\n-2\n-3\n 4\n 5\n 6\n");
	check_diff(ten, &replaced, 1,
		   "--- a\n+++ b\n@@ -6,5 +6,5 @@\n 6\n 7\n 8\n-9\n+nine\n 10\n");
	check_diff(ten, &all, 1,
		   "--- a\n+++ b\n@@ -1,10 +0,0 @@\n-1\n-2\n-3\n-4\n-5\n-6\n-7\n-8\n-9\n-10\n");
}

static void leaves_out_lengths_of_one(void)
{
	struct textedit replaced = edit(0, 1, "b"), added = edit(0, 0, "b\n"),
			removed = edit(0, 2, "");

	check_diff("a\n", &replaced, 1, "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n");
	check_diff("", &added, 1, "--- a\n+++ b\n@@ -0,0 +1 @@\n+b\n");
	check_diff("a\n", &removed, 1, "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n");
}

static void prints_nothing_when_nothing_changes(void)
{
	struct textedit same[] = {edit(0, 4, "1\n2\n"), edit(6, 0, ""), edit(8, 1, "5")};
	struct textedit of_nothing = edit(0, 0, "");

	check_diff(ten, same, 3, "");
	check_diff(ten, NULL, 0, "");
	check_diff("", &of_nothing, 1, "");
	check_diff("a", &(struct textedit){.removed = 1, .inserted = SPAN("a")}, 1, "");
	CHECK(linediff_print((struct span){NULL, 0}, &of_nothing, 1, "a", "b", &out));
	CHECK_SPAN(buf_span(&out), "");
}

static void joins_hunks_whose_contexts_touch(void)
{
	static const char text[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n0\nx\ny\nz\n";
	struct textedit six_between[] = {replace(text, "2", "two"), replace(text, "9", "nine")};
	struct textedit seven_between[] = {replace(text, "2", "two"), replace(text, "0\n", "")};

	check_diff(
		text, six_between, 2,
		"--- a\n+++ b\n@@ -1,12 +1,12 @@\n 1\n-2\n+two\n 3\n 4\n 5\n 6\n 7\n 8\n-9\n+nine\n"
		" 0\n x\n y\n");
	check_diff(text, seven_between, 2,
		   "--- a\n+++ b\n@@ -1,5 +1,5 @@\n 1\n-2\n+two\n 3\n 4\n 5\n"
		   "@@ -7,7 +7,6 @@\n 7\n 8\n 9\n-0\n x\n y\n z\n");
}

static void counts_lines_of_earlier_hunks(void)
{
	struct textedit edits[] = {edit(0, 0, "a\nb\n"), edit(strlen(ten), 0, "c\n")};

	check_diff(ten, edits, 2,
		   "--- a\n+++ b\n@@ -1,3 +1,5 @@\n+a\n+b\n 1\n 2\n 3\n"
		   "@@ -8,3 +10,4 @@\n 8\n 9\n 10\n+c\n");
}

static void takes_edits_of_one_line_together(void)
{
	static const char text[] = "a: {b: 1, c: 2}\nd: 3\n";
	struct textedit edits[] = {replace(text, "1", "one"), replace(text, "2", "two"),
				   replace(text, "}", ", e: 0}")};

	check_diff(text, edits, 3,
		   "--- a\n+++ b\n@@ -1,2 +1,2 @@\n-a: {b: 1, c: 2}\n+a: {b: one, c: two, e: 0}\n"
		   " d: 3\n");
}

static void shows_only_what_differs_in_a_change(void)
{
	struct textedit behind_the_line = replace(ten, "1\n", "1\nnew\n");
	struct textedit before_the_end = edit(1, 0, "\nnew");
	struct textedit around = edit(0, strlen(ten), "1\n2\n3\nx\n5\n6\n8\n9\n10\ny\n");

	check_diff(ten, &behind_the_line, 1,
		   "--- a\n+++ b\n@@ -1,4 +1,5 @@\n 1\n+new\n 2\n 3\n 4\n");
	check_diff(ten, &before_the_end, 1,
		   "--- a\n+++ b\n@@ -1,4 +1,5 @@\n 1\n+new\n 2\n 3\n 4\n");
	check_diff(ten, &around, 1,
		   "--- a\n+++ b\n@@ -1,10 +1,10 @@\n 1\n 2\n 3\n-4\n+x\n 5\n 6\n-7\n 8\n 9\n "
		   "10\n+y\n");
}

static void joins_lines_and_breaks_them(void)
{
	struct textedit joined = replace(ten, "\n2", "2"), broken = replace(ten, "0", "\n0");

	check_diff(ten, &joined, 1, "--- a\n+++ b\n@@ -1,5 +1,4 @@\n-1\n-2\n+12\n 3\n 4\n 5\n");
	check_diff(ten, &broken, 1, "--- a\n+++ b\n@@ -7,4 +7,5 @@\n 7\n 8\n 9\n-10\n+1\n+0\n");
}

#define NO_END "\\ No newline at end of file\n"

static void marks_a_last_line_without_an_end(void)
{
	struct textedit ended = edit(3, 0, "\n"), cut = edit(3, 1, ""), longer = edit(3, 0, "\nc"),
			before = edit(0, 0, "n\n"), behind = edit(4, 0, "c"),
			changed = edit(2, 1, "c");

	check_diff("a\nb", &ended, 1, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n" NO_END "+b\n");
	check_diff("a\nb\n", &cut, 1, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n+b\n" NO_END);
	check_diff("a\nb", &longer, 1,
		   "--- a\n+++ b\n@@ -1,2 +1,3 @@\n a\n-b\n" NO_END "+b\n+c\n" NO_END);
	check_diff("a\nb", &before, 1, "--- a\n+++ b\n@@ -1,2 +1,3 @@\n+n\n a\n b\n" NO_END);
	check_diff("a\nb\n", &behind, 1, "--- a\n+++ b\n@@ -1,2 +1,3 @@\n a\n b\n+c\n" NO_END);
	check_diff("a\nb", &changed, 1,
		   "--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n" NO_END "+c\n" NO_END);
}

static void keeps_carriage_returns(void)
{
	struct textedit changed = edit(3, 1, "x"), lost = edit(1, 1, "");

	check_diff("a\r\nb\r\n", &changed, 1, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+x\r\n");
	check_diff("a\r\nb\r\n", &lost, 1, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n-a\r\n+a\n b\r\n");
}

static void quotes_names_that_could_be_misread(void)
{
	struct textedit added = edit(0, 0, "x\n");
	char storage[256];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	CHECK(linediff_print(SPAN(""), &added, 1, "a b/\"c\"", "d\n@@\\\x01\t", &b));
	CHECK_TEXT(buf_cstr(&b), "--- \"a b/\\\"c\\\"\"\n+++ \"d\\n@@\\\\\\001\\t\"\n"
				 "@@ -0,0 +1 @@\n+x\n");
	BUF_INIT_ARRAY(&b, storage);
	CHECK(linediff_print(SPAN(""), &added, 1, "", "na\xc3\xafve.yaml", &b));
	CHECK_TEXT(buf_cstr(&b), "--- \n+++ na\xc3\xafve.yaml\n@@ -0,0 +1 @@\n+x\n");
}

static void says_when_the_output_is_full(void)
{
	struct textedit edits[] = {edit(0, 0, "new\n"), edit(strlen(ten), 0, "new\n")};
	char storage[256];
	struct buf b;

	for (size_t size = 1, ok = 0; !ok; size++) {
		CHECK(size < sizeof storage);
		buf_init(&b, storage, size);
		ok = linediff_print(span_from_cstr(ten), edits, 2, "a", "b", &b);
		CHECK(ok == !b.truncated);
	}
}

/* The text with the edits, without looking at lines. */
static void apply_edits(struct span text, const struct textedit *edits, size_t count, struct buf *b)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		buf_add(b, span_first(span_from(text, at), edits[i].offset - at));
		buf_add(b, edits[i].inserted);
		at = edits[i].offset + edits[i].removed;
	}
	buf_add(b, span_from(text, at));
}

/* Takes a line with its line end off the front. */
static struct span take_line(struct span *rest)
{
	size_t end = span_find(*rest, '\n');
	struct span line = end == SIZE_MAX ? *rest : span_first(*rest, end + 1);

	*rest = span_from(*rest, line.len);
	return line;
}

/* A hunk's header, and what its body was found to have. */
struct range {
	size_t start, count, seen;
};

static void parse_range(const char **at, char mark, struct range *r)
{
	char *end;

	CHECK(**at == mark);
	r->start = strtoul(*at + 1, &end, 10);
	r->count = *end == ',' ? strtoul(end + 1, &end, 10) : 1;
	r->seen = 0;
	CHECK(*end == ' ');
	*at = end + 1;
}

static void parse_header(struct span line, struct range *old, struct range *new)
{
	const char *at = line.ptr + 3;

	CHECK(span_starts_with(line, SPAN("@@ -")));
	parse_range(&at, '-', old);
	parse_range(&at, '+', new);
	CHECK(strncmp(at, "@@\n", 3) == 0);
}

/* As strict as can be: what patch would look for elsewhere is a mistake here. */
struct patch {
	struct span diff, text; /* what is left of both */
	size_t old_line, new_line, changed;
	bool has_ended; /* a line of the result has no line end: it is the last */
	struct buf result;
};

static void apply_body_line(struct patch *p, struct range *old, struct range *new, bool *is_context)
{
	struct span line = take_line(&p->diff), content = span_from(line, 1);
	bool is_old = line.ptr[0] != '+', is_new = line.ptr[0] != '-', has_end = true;

	CHECK(line.len >= 2 && strchr(" -+", line.ptr[0]) != NULL);
	CHECK(!is_new || !p->has_ended);
	if (span_starts_with(p->diff, SPAN("\\"))) {
		CHECK(span_eq(take_line(&p->diff), SPAN(NO_END)));
		content.len--;
		has_end = false;
		CHECK(content.len > 0);
	}
	p->has_ended |= is_new && !has_end;
	if (is_old)
		CHECK(span_eq(take_line(&p->text), content) && (has_end || p->text.len == 0));
	if (is_new)
		buf_add(&p->result, content);
	old->seen += is_old;
	new->seen += is_new;
	*is_context = is_old && is_new;
	p->changed += !*is_context;
}

static void apply_hunk(struct patch *p)
{
	size_t leading = 0, run = 0, longest = 0;
	bool is_context, has_change = false;
	struct range old, new;

	parse_header(take_line(&p->diff), &old, &new);
	/* Lines between hunks: more than two contexts, or they would be one. */
	for (size_t line = p->old_line; line < old.start - (old.count > 0); line++) {
		buf_add(&p->result, take_line(&p->text));
		p->new_line++;
	}
	CHECK(p->old_line == 0 || old.start - 1 > p->old_line);
	CHECK_INT(new.start - (new.count > 0), p->new_line);
	while (old.seen < old.count || new.seen < new.count) {
		apply_body_line(p, &old, &new, &is_context);
		run = is_context ? run + 1 : 0;
		longest = run > longest ? run : longest;
		leading += is_context && !has_change;
		has_change |= !is_context;
	}
	CHECK(has_change);
	CHECK_INT(old.seen, old.count);
	CHECK_INT(new.seen, new.count);
	CHECK(longest <= 6 && leading <= 3 && run <= 3);
	CHECK(leading == 3 || old.start - (old.count > 0) == 0);
	CHECK(run == 3 || p->text.len == 0);
	p->old_line = old.start - (old.count > 0) + old.count;
	p->new_line += new.count;
}

/* Applies the diff to the text and compares; returns how many lines it removes and adds. */
static size_t check_applies(struct span text, struct span diff, struct span expected)
{
	struct patch p = {.diff = diff, .text = text};

	if (diff.len == 0) {
		CHECK(span_eq(text, expected));
		return 0;
	}
	buf_init_heap(&p.result, SIZE_MAX);
	CHECK(span_eq(take_line(&p.diff), SPAN("--- old\n")));
	CHECK(span_eq(take_line(&p.diff), SPAN("+++ new\n")));
	while (p.diff.len > 0)
		apply_hunk(&p);
	CHECK(p.text.len == 0 || !p.has_ended);
	buf_add(&p.result, p.text);
	CHECK(span_eq(buf_span(&p.result), expected));
	buf_fini(&p.result);
	return p.changed;
}

/* Diffs, checks, and returns how many lines the diff removes and adds. */
static size_t check_edits(struct span text, const struct textedit *edits, size_t count)
{
	struct buf expected, diff;
	size_t changed;

	buf_init_heap(&expected, SIZE_MAX);
	buf_init_heap(&diff, SIZE_MAX);
	apply_edits(text, edits, count, &expected);
	CHECK(linediff_print(text, edits, count, "old", "new", &diff));
	changed = check_applies(text, buf_span(&diff), buf_span(&expected));
	buf_fini(&expected);
	buf_fini(&diff);
	return changed;
}

/* Few different lines, so that many are equal by chance. */
static void make_text(struct buf *b, size_t lines, bool has_last_end)
{
	static const char *const words[] = {"a", "b", "", "a: b", "- c", "a\r", "\r"};

	for (size_t i = 0; i < lines; i++) {
		buf_add_cstr(b, words[next_random(COUNT(words))]);
		if (i + 1 < lines || has_last_end)
			buf_add_byte(b, '\n');
	}
}

static size_t snap_to_line(struct span text, size_t at)
{
	while (at < text.len && at > 0 && text.ptr[at - 1] != '\n')
		at++;
	return at;
}

/* Edits of bytes or of whole lines, with what they insert in `inserts`. */
static size_t make_edits(struct span text, struct textedit *edits, size_t max, struct buf *inserts)
{
	size_t count = 0, at = 0, gap = 1 + text.len / (1 + next_random(8));
	bool is_by_line = next_random(2) == 0;

	while (count < max) {
		struct textedit *e = &edits[count];
		size_t start = inserts[count].len;

		at += next_random(3) == 0 ? 0 : next_random((uint32_t)gap);
		if (at > text.len)
			break;
		e->offset = is_by_line ? snap_to_line(text, at) : at;
		at = e->offset + (next_random(2) == 0 ? 0 : next_random(12));
		at = at > text.len ? text.len : at;
		at = is_by_line ? snap_to_line(text, at) : at;
		e->removed = at - e->offset;
		make_text(&inserts[count], next_random(4), is_by_line || next_random(2) == 0);
		e->inserted = span_from(buf_span(&inserts[count]), start);
		count++;
	}
	return count;
}

static void applies_to_the_old_text_and_gives_the_new_one(void)
{
	struct textedit edits[12];
	struct buf text, inserts[COUNT(edits)];
	char storage[COUNT(edits)][64];

	state = 7;
	buf_init_heap(&text, SIZE_MAX);
	for (int round = 0; round < 3000; round++) {
		size_t count;

		buf_clear(&text);
		make_text(&text, next_random(60), next_random(4) != 0);
		for (size_t i = 0; i < COUNT(inserts); i++)
			BUF_INIT_ARRAY(&inserts[i], storage[i]);
		count = make_edits(buf_span(&text), edits, next_random(COUNT(edits)) + 1, inserts);
		check_edits(buf_span(&text), edits, count);
	}
	buf_fini(&text);
}

/* Lines that two texts of at most 63 lines have in common, at most: the table of the textbook. */
static size_t common_lines(struct span a, struct span b, size_t *lines)
{
	size_t table[64][64] = {{0}}, rows = 0, columns = 0;

	for (struct span x = a; x.len > 0; rows++) {
		struct span line = take_line(&x);

		columns = 0;
		for (struct span y = b; y.len > 0; columns++) {
			size_t left = table[rows + 1][columns], up = table[rows][columns + 1];

			table[rows + 1][columns + 1] = left > up ? left : up;
			if (span_eq(take_line(&y), line))
				table[rows + 1][columns + 1] = table[rows][columns] + 1;
		}
	}
	for (columns = 0; b.len > 0; columns++)
		take_line(&b);
	*lines = rows + columns;
	return table[rows][columns];
}

static void shows_as_few_lines_as_possible(void)
{
	struct buf old, new;

	state = 11;
	buf_init_heap(&old, SIZE_MAX);
	buf_init_heap(&new, SIZE_MAX);
	for (int round = 0; round < 1000; round++) {
		size_t lines, common;
		struct textedit all;

		buf_clear(&old);
		buf_clear(&new);
		make_text(&old, next_random(40), next_random(4) != 0);
		make_text(&new, next_random(round % 2 == 0 ? 40 : 5), next_random(4) != 0);
		all = (struct textedit){.removed = old.len, .inserted = buf_span(&new)};
		common = common_lines(buf_span(&old), buf_span(&new), &lines);
		CHECK_INT(check_edits(buf_span(&old), &all, 1), lines - 2 * common);
	}
	buf_fini(&old);
	buf_fini(&new);
}

/* `count` lines of which every `same`-th (0: none) is the same for each `letter`. */
static void make_lines(struct buf *b, size_t count, size_t same, char letter)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(b, "line %zu of %c\n", i, same > 0 && i % same == 0 ? 'x' : letter);
}

static size_t changed_lines(size_t old_lines, size_t new_lines, size_t same)
{
	struct textedit all;
	struct buf old, new;
	size_t changed;

	buf_init_heap(&old, SIZE_MAX);
	buf_init_heap(&new, SIZE_MAX);
	make_lines(&old, old_lines, same, 'a');
	make_lines(&new, new_lines, same, 'b');
	all = (struct textedit){.removed = old.len, .inserted = buf_span(&new)};
	changed = check_edits(buf_span(&old), &all, 1);
	buf_fini(&old);
	buf_fini(&new);
	return changed;
}

static void shows_a_change_whole_that_is_too_large_to_compare(void)
{
	/* The first line is the same, every second one, or all. */
	CHECK_INT(changed_lines(1500, 1500, 2), 1500);
	CHECK_INT(changed_lines(10000, 10000, 100000), 19998);
	CHECK_INT(changed_lines(10000, 10000, 2), 19998);
	CHECK_INT(changed_lines(10000, 10000, 1), 0);
	/* The size that counts is that of both together. */
	CHECK_INT(changed_lines(5, 20000, 2), 20005 - 6);
	CHECK_INT(changed_lines(20000, 5, 2), 20005 - 6);
	/* More lines than are compared at all. */
	CHECK_INT(changed_lines(2, (1 << 20) + 2, 100000), (1 << 20) + 2);
}

static double seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* 10,000 edits in 16 MiB; looking at all of it for each would take minutes. */
static void cost_is_that_of_one_pass(void)
{
	enum { EDITS = 10000, LINE = 1600 };
	static struct textedit edits[EDITS];
	size_t size = (size_t)EDITS * LINE;
	char *text = malloc(size);
	double start = seconds();

	CHECK(text != NULL);
	for (int has_lines = 0; has_lines < 2; has_lines++) {
		for (size_t i = 0; i < size; i++)
			text[i] = has_lines && i % 40 == 39 ? '\n' : 'x';
		for (size_t i = 0; i < EDITS; i++)
			edits[i] = edit(i * LINE, i % 3, "abc\n");
		CHECK(check_edits(span_of(text, size), edits, EDITS) >= EDITS);
	}
	free(text);
	CHECK(seconds() - start < 20);
}

static void many_large_changes_share_the_steps(void)
{
	enum { EDITS = 200 };
	static struct textedit edits[EDITS];
	struct buf old, new;
	size_t length;
	double start = seconds();

	buf_init_heap(&old, SIZE_MAX);
	buf_init_heap(&new, SIZE_MAX);
	make_lines(&new, 1000, 0, 'b');
	for (size_t i = 0; i < EDITS; i++) {
		size_t from = old.len;

		make_lines(&old, 1000, 0, 'a');
		length = old.len - from;
		edits[i] = (struct textedit){
			.offset = from, .removed = length, .inserted = buf_span(&new)};
		buf_add(&old, SPAN("between\n"));
	}
	CHECK_INT(check_edits(buf_span(&old), edits, EDITS), EDITS * 2000);
	buf_fini(&old);
	buf_fini(&new);
	CHECK(seconds() - start < 20);
}

static void survives_every_lack_of_memory(void)
{
	static const char inserted[] = "1\nx\n3\ny\n5\n6\n7\n8\n9\n10\nz\n";
	struct textedit edits[] = {edit(0, strlen(ten), inserted)};
	char storage[512];
	int failures = 0;
	struct buf b;

	for (int n = 0, ok = 0; !ok; n++) {
		CHECK(n < 100);
		BUF_INIT_ARRAY(&b, storage);
		alloc_fail_after(n);
		ok = linediff_print(span_from_cstr(ten), edits, 1, "a", "b", &b);
		alloc_fail_after(-1);
		failures += !ok;
	}
	CHECK(failures >= 2);
}

UNIT_TESTS(TEST(shows_an_added_line_with_three_lines_of_context),
	   TEST(shows_removed_and_replaced_lines), TEST(leaves_out_lengths_of_one),
	   TEST(prints_nothing_when_nothing_changes), TEST(joins_hunks_whose_contexts_touch),
	   TEST(counts_lines_of_earlier_hunks), TEST(takes_edits_of_one_line_together),
	   TEST(shows_only_what_differs_in_a_change), TEST(joins_lines_and_breaks_them),
	   TEST(marks_a_last_line_without_an_end), TEST(keeps_carriage_returns),
	   TEST(quotes_names_that_could_be_misread), TEST(says_when_the_output_is_full),
	   TEST(applies_to_the_old_text_and_gives_the_new_one),
	   TEST(shows_as_few_lines_as_possible),
	   TEST(shows_a_change_whole_that_is_too_large_to_compare), TEST(cost_is_that_of_one_pass),
	   TEST(many_large_changes_share_the_steps), TEST(survives_every_lack_of_memory))
