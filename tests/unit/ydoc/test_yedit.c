#include "document.h"

#include "base/alloc.h"
#include "ydoc/yedit.h"

static const struct yedit_place places[] = {
	{"metadata", false, "spec"}, {"init", false, "main"}, {"main", true, NULL},
	{"volumes", true, "main"},   {NULL, false, NULL},
};

/* The edits of one text, and what they insert. */
struct work {
	struct textedits edits;
	struct arena arena;
	struct yedit editor;
};

static void begin(struct work *w)
{
	textedit_init(&w->edits);
	arena_init(&w->arena, 64 << 20);
	yedit_init(&w->editor, &w->edits, &w->arena);
}

static void end(struct work *w)
{
	textedit_fini(&w->edits);
	arena_fini(&w->arena);
}

static void apply(struct work *w, struct span text, struct buf *out)
{
	textedit_sort(&w->edits);
	textedit_apply(&w->edits, text, out);
}

/* What is grafted onto: the document, or the first object of a list. */
static const struct ydoc_node *target_of(const struct document *d)
{
	return d->root->kind == YDOC_SEQUENCE ? d->root->items->value : d->root;
}

static void begin_document(struct work *w, const struct document *d)
{
	const struct ydoc_node *target = target_of(d), *spec = ydoc_get(target, SPAN("spec"));
	bool is_sample = spec != NULL && spec->kind == YDOC_MAPPING;

	yedit_begin(&w->editor, d->text, is_sample ? target : NULL, is_sample ? spec : target);
}

static enum yedit_result graft(struct span text, const char *content, struct buf *out)
{
	struct document d, c;
	enum yedit_result result;
	struct work w;

	begin(&w);
	document_open(&d, text);
	document_open(&c, span_from_cstr(content));
	begin_document(&w, &d);
	result = yedit_graft(&w.editor, target_of(&d), c.root, places);
	if (result == YEDIT_DONE)
		apply(&w, text, out);
	document_close(&c);
	document_close(&d);
	end(&w);
	return result;
}

/* ---- Taking out again ---- */

static void cut_new(struct work *w, const struct ydoc_node *before, const struct ydoc_node *after);

/* `before` was null: its word is put back, or all that is below its key now is taken out. */
static void cut_filled(struct work *w, const struct document *old, const struct ydoc_node *before,
		       const struct ydoc_node *after)
{
	const struct ydoc_item *last = after->items;
	struct span word = span_from(old->text, before->pos.offset);

	if (before->end > before->pos.offset) {
		yedit_replace(&w->editor, after,
			      span_first(word, before->end - before->pos.offset));
		return;
	}
	while (last->next != NULL)
		last = last->next;
	yedit_cut(&w->editor, after, after->items, last);
}

static size_t count(const struct ydoc_node *collection)
{
	size_t n = 0;

	for (const struct ydoc_item *i = collection->items; i != NULL; i = i->next)
		n++;
	return n;
}

static const struct document *old_document;

static void cut_entries(struct work *w, const struct ydoc_node *before,
			const struct ydoc_node *after, bool at_end)
{
	size_t added = count(after) - count(before);
	const struct ydoc_item *first = after->items, *last;

	if (added == 0)
		return;
	for (size_t i = 0; at_end && i < count(before); i++)
		first = first->next;
	last = first;
	while (--added > 0)
		last = last->next;
	yedit_cut(&w->editor, after, first, last);
}

static void cut_below(struct work *w, const struct ydoc_item *before, const struct ydoc_item *after)
{
	if (ydoc_is_absent(before->value) && !ydoc_is_absent(after->value))
		cut_filled(w, old_document, before->value, after->value);
	else if (before->value->kind == YDOC_MAPPING)
		cut_new(w, before->value, after->value);
	else if (before->value->kind == YDOC_SEQUENCE)
		cut_entries(w, before->value, after->value,
			    !span_eq(before->key->text, SPAN("init")));
}

/* Keys side by side in one cut. */
static void cut_new(struct work *w, const struct ydoc_node *before, const struct ydoc_node *after)
{
	for (const struct ydoc_item *i = after->items, *last; i != NULL; i = last->next) {
		last = i;
		if (ydoc_find(before, i->key->text) != NULL) {
			cut_below(w, ydoc_find(before, i->key->text), i);
			continue;
		}
		while (last->next != NULL && ydoc_find(before, last->next->key->text) == NULL)
			last = last->next;
		yedit_cut(&w->editor, after, i, last);
	}
}

static void cut(struct span before, struct span after, struct buf *out)
{
	struct document old, new;
	struct work w;

	begin(&w);
	document_open(&old, before);
	document_open(&new, after);
	old_document = &old;
	begin_document(&w, &new);
	cut_new(&w, target_of(&old), target_of(&new));
	apply(&w, after, out);
	document_close(&old);
	document_close(&new);
	end(&w);
}

/* ---- Rows ---- */

struct row {
	const char *text, *content, *expected; /* NULL: YEDIT_SHARED */
};

static void check_row(const struct row *row)
{
	struct span text = span_from_cstr(row->text);
	struct buf out, back;

	buf_init_heap(&out, 1 << 20);
	buf_init_heap(&back, 1 << 20);
	CHECK_ROW(row->text, graft(text, row->content, &out) ==
				     (row->expected != NULL ? YEDIT_DONE : YEDIT_SHARED));
	if (row->expected != NULL) {
		if (strcmp(buf_cstr(&out), row->expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", row->text,
				  buf_cstr(&out), row->expected);
		cut(text, buf_span(&out), &back);
		if (strcmp(buf_cstr(&back), row->text) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\nbecame %s\nwhen cut: %s", row->text,
				  row->expected, buf_cstr(&back));
	}
	buf_fini(&out);
	buf_fini(&back);
}

static void check_rows(const struct row *rows, size_t rows_count)
{
	for (size_t i = 0; i < rows_count; i++)
		check_row(&rows[i]);
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])

/* Contents */
#define ANNOTATION "{metadata: {k: v}}"
#define INIT "{spec: {init: [{name: i, x: [w], z: {k: v}}]}}"
#define MAIN "{spec: {main: [{name: m, x: [w], z: {k: v}}]}}"
#define ALL "{metadata: {k: v}, spec: {init: [{name: i}], main: [{name: m}], volumes: [{name: v}]}}"

static void lines_follow_the_indents_around_them(void)
{
	static const struct row rows[] = {
		/* Dashes under the key. */
		{"spec:\n  main:\n  - name: a\n", ALL,
		 "metadata:\n  k: v\nspec:\n  init:\n  - name: i\n  volumes:\n  - name: v\n"
		 "  main:\n  - name: a\n  - name: m\n"},
		{"spec:\n  main:\n  - name: a\n", MAIN,
		 "spec:\n  main:\n  - name: a\n"
		 "  - name: m\n    x:\n    - w\n    z:\n      k: v\n"},
		/* Dashes indented. */
		{"spec:\n  main:\n    - name: a\n", ALL,
		 "metadata:\n  k: v\nspec:\n  init:\n    - name: i\n  volumes:\n    - name: v\n"
		 "  main:\n    - name: a\n    - name: m\n"},
		{"spec:\n  main:\n    - name: a\n", INIT,
		 "spec:\n  init:\n    - name: i\n      x:\n        - w\n      z:\n        k: v\n"
		 "  main:\n    - name: a\n"},
		/* By four. */
		{"spec:\n    main:\n        - name: a\n", MAIN,
		 "spec:\n    main:\n        - name: a\n"
		 "        - name: m\n          x:\n              - w\n          z:\n"
		 "              k: v\n"},
		{"spec:\n    main:\n    - name: a\n", INIT,
		 "spec:\n    init:\n    - name: i\n      x:\n      - w\n      z:\n"
		 "          k: v\n    main:\n    - name: a\n"},
		/* Items by four. */
		{"spec:\n    main:\n    -   name: a\n", MAIN,
		 "spec:\n    main:\n    -   name: a\n"
		 "    -   name: m\n        x:\n        -   w\n        z:\n            k: v\n"},
		{"spec:\n    main:\n        -   name: a\n", INIT,
		 "spec:\n    init:\n        -   name: i\n            x:\n                -   w\n"
		 "            z:\n                k: v\n    main:\n        -   name: a\n"},
		/* By one, by three. */
		{"spec:\n main:\n - name: a\n", INIT,
		 "spec:\n init:\n - name: i\n   x:\n   - w\n   z:\n    k: v\n"
		 " main:\n - name: a\n"},
		{"spec:\n   main:\n      - name: a\n", MAIN,
		 "spec:\n   main:\n      - name: a\n"
		 "      - name: m\n        x:\n           - w\n        z:\n           k: v\n"},
		/* The whole document is indented. */
		{"  spec:\n    main:\n    - name: a\n", ANNOTATION,
		 "  metadata:\n    k: v\n  spec:\n    main:\n    - name: a\n"},
		/* What a dash holds is on the next line. */
		{"spec:\n  main:\n  -\n    name: a\n", "{spec: {main: [{name: m}]}}",
		 "spec:\n  main:\n  -\n    name: a\n  - name: m\n"},
	};

	CHECK_ROWS(rows);
}

static void a_first_key_may_stand_behind_a_dash(void)
{
	static const struct row rows[] = {
		{"- spec:\n    main:\n    - name: a\n- b\n", ALL,
		 "- metadata:\n    k: v\n  spec:\n    init:\n    - name: i\n    volumes:\n"
		 "    - name: v\n    main:\n    - name: a\n    - name: m\n- b\n"},
		{"-   spec:\n        main:\n        -   name: a\n", ANNOTATION,
		 "-   metadata:\n        k: v\n    spec:\n        main:\n        -   name: a\n"},
		{"- metadata:\n    a: b\n  spec:\n    main: []\n", ANNOTATION,
		 "- metadata:\n    k: v\n    a: b\n  spec:\n    main: []\n"},
		{"- &a spec:\n    main:\n    - b\n", ANNOTATION,
		 "- metadata:\n    k: v\n  &a spec:\n    main:\n    - b\n"},
		{"? spec\n: main:\n  - a\n", "{spec: {init: [i]}}",
		 "? spec\n: init:\n  - i\n  main:\n  - a\n"},
		{"? spec\n: ? main\n  : - a\n", "{spec: {init: [i], main: [m]}}",
		 "? spec\n: init:\n    - i\n  ? main\n  : - a\n    - m\n"},
		{"? spec\n: init:\n  - b\n  main:\n  - a\n", "{spec: {init: [i]}}",
		 "? spec\n: init:\n  - i\n  - b\n  main:\n  - a\n"},
	};

	CHECK_ROWS(rows);
}

static void keys_in_question_marks_take_lines_before_and_behind_them(void)
{
	static const struct row rows[] = {
		{"? spec\n: main: [a]\n", ANNOTATION, "metadata:\n  k: v\n? spec\n: main: [a]\n"},
		{"?\n  spec\n:\n  main: [a]\n", ANNOTATION,
		 "metadata:\n  k: v\n?\n  spec\n:\n  main: [a]\n"},
		{"? a\n? spec\n: main: [a]\n", ANNOTATION,
		 "? a\nmetadata:\n  k: v\n? spec\n: main: [a]\n"},
		{"spec:\n  main:\n  - ? a\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - ? a\n  - m\nz: 1\n"},
		{"spec:\n  main:\n  - ? a # c\n\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - ? a # c\n  - m\n\nz: 1\n"},
		/* No place for lines behind a colon that has a line of its own. */
		{"? metadata\n:\nspec: 1\n", ANNOTATION, NULL},
		{"? metadata\nspec: 1\n", ANNOTATION, NULL},
	};

	CHECK_ROWS(rows);
}

static void line_ends_are_those_of_the_document(void)
{
	static const struct row rows[] = {
		{"spec:\r\n  main:\r\n  - name: a\r\n", ALL,
		 "metadata:\r\n  k: v\r\nspec:\r\n  init:\r\n  - name: i\r\n  volumes:\r\n"
		 "  - name: v\r\n  main:\r\n  - name: a\r\n  - name: m\r\n"},
		{"- spec:\r\n    main:\r\n    - a\r\n", ANNOTATION,
		 "- metadata:\r\n    k: v\r\n  spec:\r\n    main:\r\n    - a\r\n"},
		{"spec: {\r\n  main: [\r\n    a\r\n  ]\r\n}\r\n", "{spec: {main: [m]}}",
		 "spec: {\r\n  main: [\r\n    a,\r\n    m\r\n  ]\r\n}\r\n"},
		{"metadata:\r\nspec: 1\r\n", ANNOTATION, "metadata:\r\n  k: v\r\nspec: 1\r\n"},
		/* Where the last line has none, it gets none. */
		{"spec:\n  main:\n  - a", "{spec: {main: [m]}}", "spec:\n  main:\n  - a\n  - m"},
		{"spec:\r\n  main:\r\n  - a", "{spec: {main: [m]}}",
		 "spec:\r\n  main:\r\n  - a\r\n  - m"},
		{"spec:\n  main:\n  - a # c", "{spec: {main: [m, n]}}",
		 "spec:\n  main:\n  - a # c\n  - m\n  - n"},
		{"metadata:", ANNOTATION, "metadata:\n  k: v"},
		{"a: b\nmetadata: # c", ANNOTATION, "a: b\nmetadata: # c\n  k: v"},
		{"metadata: ~", ANNOTATION, "metadata: {k: v}"},
		/* YAML 1.1 has more line ends. */
		{"metadata: {}\xe2\x80\xa8spec:\n  main:\n  - a\xc2\x85z: 1\n",
		 "{metadata: {k: v}, spec: {init: [i], main: [m]}}",
		 "metadata: {k: v}\xe2\x80\xa8spec:\n  init:\n  - i\n  main:\n"
		 "  - a\xc2\x85  - m\nz: 1\n"},
		{"z: 1\nspec:\n\xef\xbb\xbf main:\n   - a\n  z: 1\n", "{spec: {init: [i]}}",
		 "z: 1\nspec:\n\xef\xbb\xbf init:\n   - i\n  main:\n   - a\n  z: 1\n"},
		{"\xef\xbb\xbfspec:\n  main:\n  - a\n", ANNOTATION,
		 "\xef\xbb\xbfmetadata:\n  k: v\nspec:\n  main:\n  - a\n"},
	};

	CHECK_ROWS(rows);
}

static void comments_stay_where_they_belong(void)
{
	static const struct row rows[] = {
		{"# top\nspec:\n  # over main\n  # too\n  main:\n  # over a\n  - name: a # "
		 "behind\n",
		 ALL,
		 "metadata:\n  k: v\n# top\nspec:\n  init:\n  - name: i\n  volumes:\n  - name: v\n"
		 "  # over main\n  # too\n  main:\n  # over a\n  - name: a # behind\n"
		 "  - name: m\n"},
		/* Not directly above, or of another column. */
		{"# top\n\nspec:\n  main:\n  - a\n", ANNOTATION,
		 "# top\n\nmetadata:\n  k: v\nspec:\n  main:\n  - a\n"},
		{"spec:\n# of what?\n  main:\n  - a\n", "{spec: {init: [i]}}",
		 "spec:\n# of what?\n  init:\n  - i\n  main:\n  - a\n"},
		/* Deeper than the entries: of the last of them. */
		{"spec:\n  main:\n  - name: a\n    # of a\n  # of the next\nz: 1\n",
		 "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - name: a\n    # of a\n  - m\n  # of the next\nz: 1\n"},
		{"spec:\n  main:\n  - a\n\n  # of the next\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - a\n  - m\n\n  # of the next\nz: 1\n"},
		{"spec:\n  main:\n  - a\n    # at the end", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - a\n    # at the end\n  - m"},
		{"metadata: # one\n  # two\n  a: b\n", ANNOTATION,
		 "metadata: # one\n  k: v\n  # two\n  a: b\n"},
		/* What looks like one is text. */
		{"z: \"a\n# b\"\nspec:\n  y: 'a\n  # b'\n  main: [a]\n",
		 "{metadata: {k: v}, spec: {init: [i]}}",
		 "z: \"a\n# b\"\nmetadata:\n  k: v\nspec:\n  y: 'a\n  # b'\n  init:\n  - i\n"
		 "  main: [a]\n"},
		{"z: |\n  a\n  # b\nspec:\n  main: []\n", ANNOTATION,
		 "z: |\n  a\n  # b\nmetadata:\n  k: v\nspec:\n  main: []\n"},
	};

	CHECK_ROWS(rows);
}

static void values_that_are_null_are_filled(void)
{
	static const struct row rows[] = {
		{"metadata:\nspec: 1\n", ANNOTATION, "metadata:\n  k: v\nspec: 1\n"},
		{"metadata:  \nspec: 1\n", ANNOTATION, "metadata:  \n  k: v\nspec: 1\n"},
		{"metadata: # c\n\nspec: 1\n", ANNOTATION, "metadata: # c\n  k: v\n\nspec: 1\n"},
		{"metadata: ~\nspec: 1\n", ANNOTATION, "metadata: {k: v}\nspec: 1\n"},
		{"metadata: null # c\n", ANNOTATION, "metadata: {k: v} # c\n"},
		{"metadata: Null\n", ANNOTATION, "metadata: {k: v}\n"},
		{"metadata: {}\n", ANNOTATION, "metadata: {k: v}\n"},
		{"metadata: { }\n", ANNOTATION, "metadata: { k: v}\n"},
		{"metadata: {\n}\n", ANNOTATION, "metadata: {\nk: v}\n"},
		{"metadata: { # c\n  }\n", ANNOTATION, "metadata: { # c\n  k: v}\n"},
		{"\"metadata\":\n", ANNOTATION, "\"metadata\":\n  k: v\n"},
		{"spec:\n  main:\n  init:\n  other:\n    - a\n",
		 "{spec: {main: [{name: m}], init: [{name: i}]}}",
		 "spec:\n  main:\n    - name: m\n  init:\n    - name: i\n  other:\n    - a\n"},
		{"spec:\n  main: []\n  init: ~\n", "{spec: {main: [{name: m}], init: [{name: i}]}}",
		 "spec:\n  main: [{name: m}]\n  init: [{name: i}]\n"},
		{"spec:\n  main: [ ]\n", "{spec: {main: [m, n]}}", "spec:\n  main: [ m, n]\n"},
		{"spec:\n  main:\nz: 1\n", "{spec: {main: [{name: m, x: [w]}]}}",
		 "spec:\n  main:\n  - name: m\n    x:\n    - w\nz: 1\n"},
		{"spec: {main: null, init: ~}\n", "{spec: {main: [{name: m}], init: [i]}}",
		 "spec: {main: [{name: m}], init: [i]}\n"},
		{"spec: {main: }\n", "{spec: {main: [m]}}", NULL},
		{"spec: {main}\n", "{spec: {main: [m]}}", NULL},
		/* An anchor or a tag is of the null. */
		{"metadata: !!null\n", ANNOTATION, NULL},
		{"metadata: !!null ~\n", ANNOTATION, NULL},
		{"metadata: &a null\n", ANNOTATION, NULL},
		{"metadata: &a\nspec: 1\n", ANNOTATION, NULL},
	};

	CHECK_ROWS(rows);
}

static void texts_keep_what_they_say(void)
{
	static const struct row rows[] = {
		{"spec:\n  main:\n  - |\n    x\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - |\n    x\n  - m\n"},
		/* Empty lines behind it are the text's only with `+`. */
		{"spec:\n  main:\n  - |\n    x\n\n\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - |\n    x\n  - m\n\n\nz: 1\n"},
		{"spec:\n  main:\n  - |-\n    x\n  \nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - |-\n    x\n  - m\n  \nz: 1\n"},
		{"spec:\r\n  main:\r\n  - >\r\n    x\r\n\r\nz: 1\r\n", "{spec: {main: [m]}}",
		 "spec:\r\n  main:\r\n  - >\r\n    x\r\n  - m\r\n\r\nz: 1\r\n"},
		{"spec:\n  main:\n  - |+\n    x\n\n\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - |+\n    x\n\n\n  - m\nz: 1\n"},
		{"spec:\n  main:\n  - !!str |+ # c\n    x\n\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - !!str |+ # c\n    x\n\n  - m\nz: 1\n"},
		/* A line of more blanks than the indent is not empty. */
		{"spec:\n  main:\n  - |\n    x\n      \n\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - |\n    x\n      \n  - m\n\nz: 1\n"},
		{"spec:\n  main:\n  - |2\n    x\n    \nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - |2\n    x\n    \n  - m\nz: 1\n"},
		{"spec:\n  main:\n  - |\n\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - |\n  - m\n\nz: 1\n"},
		{"spec:\n  main:\n  - a: b\n    c: |\n      x\n\nz: 1\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - a: b\n    c: |\n      x\n  - m\n\nz: 1\n"},
		/* A last line without an end says nothing of one, unless none counts. */
		{"spec:\n  main:\n  - |-\n    x", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - |-\n    x\n  - m"},
		{"spec:\n  main:\n  - |\n    x", "{spec: {main: [m]}}", NULL},
		{"spec:\n  main:\n  - |+\n    x", "{spec: {main: [m]}}", NULL},
		{"spec:\n  main:\n  - >\n    x", "{spec: {main: [m]}}", NULL},
		{"spec:\n  main:\n  - >-2\n    x", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - >-2\n    x\n  - m"},
		/* Elsewhere that does not matter. */
		{"spec:\n  main: []\n  z: |\n    x", "{spec: {init: [i]}}",
		 "spec:\n  init:\n  - i\n  main: []\n  z: |\n    x"},
		/* Texts in quotes, over lines. */
		{"spec:\n  main:\n  - \"x\n    y\" # c\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - \"x\n    y\" # c\n  - m\n"},
		{"spec:\n  main:\n  - x\n    y\n", "{spec: {main: [m]}}",
		 "spec:\n  main:\n  - x\n    y\n  - m\n"},
		{"spec:\n  main:\n  - x\n", "{spec: {main: [{name: m, t: \"a\\nb\\n\"}]}}",
		 "spec:\n  main:\n  - x\n  - name: m\n    t: \"a\\nb\\n\"\n"},
	};

	CHECK_ROWS(rows);
}

static void brackets_are_filled_in_their_own_style(void)
{
	static const struct row rows[] = {
		{"spec: {main: [{name: a}]}\n", ALL,
		 "metadata:\n  k: v\nspec: {init: [{name: i}], volumes: [{name: v}], "
		 "main: [{name: a}, {name: m}]}\n"},
		{"{spec: {main: [{name: a}]}}", ALL,
		 "{metadata: {k: v}, spec: {init: [{name: i}], volumes: [{name: v}], "
		 "main: [{name: a}, {name: m}]}}"},
		{"spec: {main: [a,b]}\n", "{spec: {init: [i], main: [m]}}",
		 "spec: {init: [i], main: [a,b, m]}\n"},
		{"metadata: {a: b}\n", ANNOTATION, "metadata: {k: v, a: b}\n"},
		{"metadata: {\"a\": b}\n", ANNOTATION, "metadata: {\"k\": \"v\", \"a\": b}\n"},
		/* A comma at the end stays there. */
		{"spec: {main: [a, ], }\n", "{spec: {init: [i], main: [m]}}",
		 "spec: {init: [i], main: [a, m, ], }\n"},
		/* Over lines. */
		{"spec: {\n  main: [\n    a\n  ]\n}\n", "{spec: {init: [i], main: [m]}}",
		 "spec: {\n  init: [\n    i\n  ],\n  main: [\n    a,\n    m\n  ]\n}\n"},
		{"spec: {\n  main: [\n    {\n      name: a\n    }\n  ]\n}\n",
		 "{spec: {main: [{name: m}]}}",
		 "spec: {\n  main: [\n    {\n      name: a\n    },\n    {\n      name: m\n"
		 "    }\n  ]\n}\n"},
		{"spec: {\n    main: [ # all\n        a # one\n    ] # done\n}\n",
		 "{spec: {init: [i], main: [m]}}",
		 "spec: {\n    init: [\n        i\n    ],\n    main: [ # all\n        a,\n"
		 "        m # one\n    ] # done\n}\n"},
		{"spec: {main: [\n    a,\n    b]}\n", "{spec: {init: [i], main: [m]}}",
		 "spec: {init: [i], main: [\n    a,\n    b,\n    m]}\n"},
		{"spec: {? main : [a]}\n", "{spec: {init: [i]}}",
		 "spec: {init: [i], ? main : [a]}\n"},
		/* Not in brackets, but in those of the list. */
		{"[spec: {main: [a]}]", ANNOTATION, NULL},
		{"[? spec : {main: [a]}]", ANNOTATION, NULL},
		{"[{spec: {main: [a]}}]", ANNOTATION, "[{metadata: {k: v}, spec: {main: [a]}}]"},
	};

	CHECK_ROWS(rows);
}

static void json_stays_json(void)
{
	static const struct row rows[] = {
		{"{\"spec\":{\"main\":[{\"name\":\"a\"}]}}", ALL,
		 "{\"metadata\":{\"k\":\"v\"},\"spec\":{\"init\":[{\"name\":\"i\"}],"
		 "\"volumes\":[{\"name\":\"v\"}],\"main\":[{\"name\":\"a\"},{\"name\":\"m\"}]}}"},
		{"{\"metadata\":{},\"spec\":{\"main\":[],\"init\":null}}",
		 "{metadata: {k: v}, spec: {init: [{name: i, n: 1, t: true}], main: [m]}}",
		 "{\"metadata\":{\"k\":\"v\"},\"spec\":{\"main\":[\"m\"],"
		 "\"init\":[{\"name\":\"i\",\"n\":1,\"t\":true}]}}"},
		{"{\"spec\": {\"main\": [{\"name\": \"a\"}]}}\n", INIT,
		 "{\"spec\": {\"init\": [{\"name\": \"i\", \"x\": [\"w\"], \"z\": {\"k\": "
		 "\"v\"}}], "
		 "\"main\": [{\"name\": \"a\"}]}}\n"},
		{"{\n    \"spec\": {\n        \"main\": [\n            {\n"
		 "                \"name\": \"a\"\n            }\n        ]\n    }\n}\n",
		 "{metadata: {k: v}, spec: {init: [{name: i}], main: [{name: m}]}}",
		 "{\n    \"metadata\": {\n        \"k\": \"v\"\n    },\n    \"spec\": {\n"
		 "        \"init\": [\n            {\n                \"name\": \"i\"\n"
		 "            }\n        ],\n        \"main\": [\n            {\n"
		 "                \"name\": \"a\"\n            },\n            {\n"
		 "                \"name\": \"m\"\n            }\n        ]\n    }\n}\n"},
		{"{\n\t\"spec\":\t{\n\t\t\"main\":\t[]\n\t}\n}\n",
		 "{spec: {init: [i], main: [{name: m}]}}",
		 "{\n\t\"spec\":\t{\n\t\t\"init\": [\n\t\t\t\"i\"\n\t\t],\n"
		 "\t\t\"main\":\t[\n\t\t\t{\n\t\t\t\t\"name\": \"m\"\n\t\t\t}\n\t\t]\n\t}\n}\n"},
		{"{\n  \"metadata\": {},\n  \"spec\": {\n    \"main\": null\n  }\n}\n",
		 "{metadata: {k: v}, spec: {main: [m]}}",
		 "{\n  \"metadata\": {\n    \"k\": \"v\"\n  },\n  \"spec\": {\n    \"main\": [\n"
		 "      \"m\"\n    ]\n  }\n}\n"},
		{"{\r\n  \"metadata\": {\r\n    \"a\": \"b\"\r\n  }\r\n}\r\n", ANNOTATION,
		 "{\r\n  \"metadata\": {\r\n    \"k\": \"v\",\r\n    \"a\": \"b\"\r\n  }\r\n}\r\n"},
		{"{\"metadata\":\n{\"a\":1}}", ANNOTATION,
		 "{\"metadata\":\n{\"k\":\"v\",\"a\":1}}"},
		{"[{\"spec\":{\"main\":[]}}]", "{spec: {main: [\"q\\\"\\\\\\n\\t\\u00e9\"]}}",
		 "[{\"spec\":{\"main\":[\"q\\\"\\\\\\n\\t\xc3\xa9\"]}}]"},
	};

	CHECK_ROWS(rows);
}

static void what_is_there_stays(void)
{
	static const struct row rows[] = {
		{"metadata:\n  k: other\n", ANNOTATION, "metadata:\n  k: other\n"},
		{"metadata:\n  k: other\n", "{metadata: {k: v, l: w, m: x}}",
		 "metadata:\n  l: w\n  m: x\n  k: other\n"},
		{"metadata: {k: other}\n", "{metadata: {k: v, l: w}}",
		 "metadata: {l: w, k: other}\n"},
		{"a: b\n", "{}", "a: b\n"},
		{"a: 1\nb:\n  c: 2\n", "{a: 2, b: {c: 3, d: {e: 4}}}",
		 "a: 1\nb:\n  d:\n    e: 4\n  c: 2\n"},
		/* Without a place, first; with one whose neighbour is not there, too. */
		{"b: 1\n", "{z: 2}", "z: 2\nb: 1\n"},
		{"b: 1\n", ANNOTATION, "metadata:\n  k: v\nb: 1\n"},
		{"b: 1\nspec: 2\n", ANNOTATION, "b: 1\nmetadata:\n  k: v\nspec: 2\n"},
	};

	CHECK_ROWS(rows);
}

static void text_that_is_elsewhere_too_is_not_touched(void)
{
	static const struct row rows[] = {
		{"metadata: &a {x: y}\nz: *a\n", ANNOTATION, NULL},
		{"z: &a {x: y}\nmetadata: *a\n", ANNOTATION, NULL},
		{"z: &a metadata\n*a : {x: y}\n", ANNOTATION, NULL},
		{"<<: {metadata: {x: y}}\n", ANNOTATION, NULL},
		{"z: &z {main: []}\nspec:\n  <<: *z\n", "{spec: {main: [m]}}", NULL},
		{"metadata: {a: 1, <<: {k: other}}\n", ANNOTATION, NULL},
		{"spec:\n  main: &a []\n  z: *a\n", "{spec: {main: [m]}}", NULL},
		/* An anchor that nobody uses, an alias in what is not changed. */
		{"metadata: &a {x: y}\n", ANNOTATION, "metadata: &a {k: v, x: y}\n"},
		{"metadata: &a\n  x: y\n", ANNOTATION, "metadata: &a\n  k: v\n  x: y\n"},
		{"metadata: !!map {x: y}\n", ANNOTATION, "metadata: !!map {k: v, x: y}\n"},
		{"z: &a {x: y}\nspec:\n  main:\n  - *a\n", "{spec: {init: [i], main: [m]}}",
		 "z: &a {x: y}\nspec:\n  init:\n  - i\n  main:\n  - *a\n  - m\n"},
		{"z: &a {x: y}\nspec: {main: [*a , *a ]}\n", "{spec: {init: [i], main: [m]}}",
		 "z: &a {x: y}\nspec: {init: [i], main: [*a , *a, m ]}\n"},
		{"z: &a {x: y}\nmetadata:\n  <<: *a\nspec: 1\n", ANNOTATION,
		 "z: &a {x: y}\nmetadata:\n  k: v\n  <<: *a\nspec: 1\n"},
		/* Of another kind. */
		{"metadata: text\n", ANNOTATION, NULL},
		{"metadata: [a]\n", ANNOTATION, NULL},
		{"spec: {main: {a: b}}\n", "{spec: {main: [m]}}", NULL},
		/* Behind a value that is not there there is no place in brackets. */
		{"metadata : \nspec: 1\n", ANNOTATION, NULL},
	};

	CHECK_ROWS(rows);
}

static void a_mapping_takes_no_more_new_entries_than_a_set_has(void)
{
	char text[2000] = "{";
	struct buf out;

	buf_init_heap(&out, 1 << 20);
	for (int i = 0; i < 64; i++)
		sprintf(text + strlen(text), "k%d: %d, ", i, i);
	strcat(text, "}");
	CHECK_INT(graft(SPAN("a: b\n"), text, &out), YEDIT_DONE);
	CHECK(strncmp(buf_cstr(&out), "k0: 0\nk1: 1\n", 12) == 0);
	CHECK(strstr(buf_cstr(&out), "\nk63: 63\na: b\n") != NULL);
	strcpy(text + strlen(text) - 1, "k64: 64}");
	CHECK_INT(graft(SPAN("a: b\n"), text, &out), YEDIT_SHARED);
	buf_fini(&out);
}

/* Entries from..to of what is at `path`, from the end when negative. */
struct cut_row {
	const char *text, *path;
	unsigned from, to;
	const char *expected;
};

static void entries_are_taken_out_with_their_lines(void)
{
	static const struct cut_row rows[] = {
		{"a: 1\nb: 2\nc: 3\n", "", 0, 0, "b: 2\nc: 3\n"},
		{"a: 1\nb: 2\nc: 3\n", "", 1, 1, "a: 1\nc: 3\n"},
		{"a: 1\nb: 2\nc: 3\n", "", 1, 2, "a: 1\n"},
		{"a: 1\nb: 2\nc: 3", "", 1, 2, "a: 1"},
		{"a: 1\r\nb: 2\r\nc: 3", "", 2, 2, "a: 1\r\nb: 2"},
		{"a: 1\nb: 2 # of b\n# over c\nc: 3\n", "", 1, 1, "a: 1\n# over c\nc: 3\n"},
		{"s:\n- a: 1\n  b: 2\n- c\n", "s", 0, 0, "s:\n- c\n"},
		{"s:\n- a: 1\n  b: 2\n- c\n", "s.0", 0, 0, "s:\n- b: 2\n- c\n"},
		{"s:\n- a: 1\n  b: 2\n- c\n", "s.0", 1, 1, "s:\n- a: 1\n- c\n"},
		{"s:\n- |\n  x\n\n- c\n", "s", 0, 0, "s:\n\n- c\n"},
		{"s:\n- |+\n  x\n\n- c\n", "s", 0, 0, "s:\n- c\n"},
		{"s:\n- - a\n  - b\n- c\n", "s.0", 0, 0, "s:\n- - b\n- c\n"},
		{"? a\n: 1\n? b\nc: 3\n", "", 0, 1, "c: 3\n"},
		{"? a\n: 1\n?\n  b\n:\n  2\nc: 3\n", "", 1, 1, "? a\n: 1\nc: 3\n"},
		{"{a: 1, b: 2, c: 3}", "", 0, 0, "{b: 2, c: 3}"},
		{"{a: 1, b: 2, c: 3}", "", 1, 1, "{a: 1, c: 3}"},
		{"{a: 1, b: 2, c: 3}", "", 2, 2, "{a: 1, b: 2}"},
		{"{a: 1, b: 2, c: 3}", "", 1, 2, "{a: 1}"},
		{"{a: 1, b: 2}", "", 0, 1, "{}"},
		{"[ a, b ]", "", 0, 1, "[]"},
		{"[\n  a,\n  b\n]\n", "", 0, 1, "[]\n"},
		{"[\n  a,\n  b\n]\n", "", 1, 1, "[\n  a\n]\n"},
		{"[\n  a,\n  b\n]\n", "", 0, 0, "[\n  b\n]\n"},
		{"[a, b, ]", "", 1, 1, "[a, ]"},
		{"{? a : 1, ? b : 2}", "", 0, 0, "{? b : 2}"},
		{"x: &x 1\ns: [*x , 2, *x ]\n", "s", 0, 0, "x: &x 1\ns: [2, *x ]\n"},
		{"x: &x 1\ns: [*x , 2, *x ]\n", "s", 2, 2, "x: &x 1\ns: [*x , 2 ]\n"},
		{"x: &x 1\ns:\n- *x\n- 2\n", "s", 0, 0, "x: &x 1\ns:\n- 2\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct ydoc_item *first, *last;
		const struct ydoc_node *node;
		char storage[200];
		struct document d;
		struct work w;
		struct buf out;

		begin(&w);
		document_open(&d, span_from_cstr(rows[i].text));
		begin_document(&w, &d);
		node = document_at(&d, rows[i].path);
		first = node->items;
		for (unsigned n = 0; n < rows[i].from; n++)
			first = first->next;
		last = first;
		for (unsigned n = rows[i].from; n < rows[i].to; n++)
			last = last->next;
		yedit_cut(&w.editor, node, first, last);
		BUF_INIT_ARRAY(&out, storage);
		apply(&w, d.text, &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s] %u-%u\n got %s\nwant %s", rows[i].text,
				  rows[i].from, rows[i].to, storage, rows[i].expected);
		document_close(&d);
		end(&w);
	}
}

static void cuts_that_meet_at_the_end_take_each_byte_once(void)
{
	char storage[100];
	struct document d;
	struct work w;
	struct buf out;

	/* The line before is gone, and with it the line end that the last one would take along. */
	begin(&w);
	document_open(&d, SPAN("a:\n- 1\n- 2\nb: 3"));
	begin_document(&w, &d);
	yedit_cut(&w.editor, d.root, d.root->items->next, d.root->items->next);
	yedit_cut(&w.editor, document_at(&d, "a"), document_at(&d, "a")->items->next,
		  document_at(&d, "a")->items->next);
	BUF_INIT_ARRAY(&out, storage);
	apply(&w, d.text, &out);
	CHECK_TEXT(storage, "a:\n- 1\n");
	document_close(&d);
	end(&w);
}

static void a_word_that_is_put_back_is_copied(void)
{
	char word[] = "null", storage[100];
	struct document d;
	struct work w;
	struct buf out;

	begin(&w);
	document_open(&d, SPAN("a: [b]\n"));
	begin_document(&w, &d);
	yedit_replace(&w.editor, document_at(&d, "a"), span_from_cstr(word));
	memset(word, 'x', sizeof word);
	BUF_INIT_ARRAY(&out, storage);
	apply(&w, d.text, &out);
	CHECK_TEXT(storage, "a: null\n");
	document_close(&d);
	end(&w);
}

/* The same content into many documents: text that was made once is found again, and only then. */
static void texts_that_were_made_before_fit_where_they_go(void)
{
	static const struct row rows[] = {
		{"spec:\n  main:\n  - a\n", NULL, "spec:\n  init:\n  - name: i\n  main:\n  - a\n"},
		{"spec:\n  main:\n    - a\n", NULL,
		 "spec:\n  init:\n    - name: i\n  main:\n    - a\n"},
		{"spec:\r\n  main:\r\n  - a\r\n", NULL,
		 "spec:\r\n  init:\r\n  - name: i\r\n  main:\r\n  - a\r\n"},
		{"spec: {main: [a]}\n", NULL, "spec: {init: [{name: i}], main: [a]}\n"},
		{"spec: {\"main\": [a]}\n", NULL,
		 "spec: {\"init\": [{\"name\": \"i\"}], \"main\": [a]}\n"},
		{"{\"spec\":{\"main\":[]}}", NULL,
		 "{\"spec\":{\"init\":[{\"name\":\"i\"}],\"main\":[]}}"},
		{"spec:\n  init: [a]\n", NULL, "spec:\n  init: [{name: i}, a]\n"},
		{"- spec:\n    main:\n    - a\n", NULL,
		 "- spec:\n    init:\n    - name: i\n    main:\n    - a\n"},
	};
	const size_t rows_count = sizeof rows / sizeof rows[0];
	struct document c;
	size_t used = 0;
	struct work w;

	begin(&w);
	document_open(&c, SPAN("{spec: {init: [{name: i}]}}"));
	for (size_t i = 0; i < rows_count * 3; i++) {
		char storage[200];
		struct document d;
		struct buf out;

		document_open(&d, span_from_cstr(rows[i % rows_count].text));
		begin_document(&w, &d);
		w.edits.count = 0;
		CHECK_INT(yedit_graft(&w.editor, target_of(&d), c.root, places), YEDIT_DONE);
		BUF_INIT_ARRAY(&out, storage);
		apply(&w, d.text, &out);
		CHECK_TEXT(storage, rows[i % rows_count].expected);
		document_close(&d);
		if (i == rows_count * 2)
			used = w.arena.used;
	}
	/* What is joined around them is made each time; that is little. */
	CHECK(w.arena.used - used < rows_count * 100);
	document_close(&c);
	end(&w);
}

static void survives_every_lack_of_memory(void)
{
	static const struct row rows[] = {
		{"- spec:\n    main:\n    - name: a\n- b", ALL, ""},
		{"metadata: ~\nspec: {main: [\n a\n], init: []}", ALL, ""},
	};

	for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
		bool is_done = false;

		for (int64_t n = 0; !is_done; n++) {
			enum yedit_result result;
			struct document d, c;
			struct work w;

			CHECK(n < 1000);
			begin(&w);
			document_open(&d, span_from_cstr(rows[r].text));
			document_open(&c, span_from_cstr(rows[r].content));
			begin_document(&w, &d);
			alloc_fail_after(n);
			result = yedit_graft(&w.editor, target_of(&d), c.root, places);
			alloc_fail_after(-1);
			is_done = result == YEDIT_DONE;
			CHECK(is_done || result == YEDIT_NO_MEMORY);
			document_close(&c);
			document_close(&d);
			end(&w);
		}
	}
}

UNIT_TESTS(TEST(lines_follow_the_indents_around_them), TEST(a_first_key_may_stand_behind_a_dash),
	   TEST(keys_in_question_marks_take_lines_before_and_behind_them),
	   TEST(line_ends_are_those_of_the_document), TEST(comments_stay_where_they_belong),
	   TEST(values_that_are_null_are_filled), TEST(texts_keep_what_they_say),
	   TEST(brackets_are_filled_in_their_own_style), TEST(json_stays_json),
	   TEST(what_is_there_stays), TEST(text_that_is_elsewhere_too_is_not_touched),
	   TEST(a_mapping_takes_no_more_new_entries_than_a_set_has),
	   TEST(entries_are_taken_out_with_their_lines),
	   TEST(cuts_that_meet_at_the_end_take_each_byte_once),
	   TEST(a_word_that_is_put_back_is_copied),
	   TEST(texts_that_were_made_before_fit_where_they_go), TEST(survives_every_lack_of_memory))
