#include "../unit.h"

#include "ydoc/yparse.h"

/* One stream, read from behind the first `from` bytes of a text. */
struct stream {
	struct ycursor at; /* behind the newest document */
	struct yparse *parser;
	struct yproblem problem;
	struct arena arena;
	struct ybuild build;
};

static void start(struct stream *s, struct span text, size_t from)
{
	s->at = ycursor_at_start(text);
	ycursor_to_offset(&s->at, from);
	s->parser = yparse_new(s->at);
	CHECK(s->parser != NULL);
	arena_init(&s->arena, 16 << 20);
}

static enum yparse_result next(struct stream *s)
{
	arena_fini(&s->arena);
	ybuild_init(&s->build, &s->arena, &s->problem);
	return yparse_read(s->parser, &s->build, &s->at);
}

static void end(struct stream *s)
{
	yparse_free(s->parser);
	arena_fini(&s->arena);
}

static void reads_one_document_at_a_time(void)
{
	struct stream s;

	start(&s, SPAN("a: 1\n---\n- x\n...\n"), 0);
	CHECK_INT(next(&s), YPARSE_DOCUMENT);
	CHECK_INT(s.build.root->kind, YDOC_MAPPING);
	/* Where the next one begins. */
	CHECK_INT(s.at.pos.offset, 5);
	CHECK_INT(next(&s), YPARSE_DOCUMENT);
	CHECK_INT(s.build.root->kind, YDOC_SEQUENCE);
	CHECK_INT(s.at.pos.line, 4);
	CHECK_INT(next(&s), YPARSE_END);
	CHECK_INT(next(&s), YPARSE_END);
	end(&s);
}

static void positions_are_those_of_the_whole_text(void)
{
	struct stream s;

	/* Two-byte characters before, so that offset, column and libyaml's count all differ. */
	start(&s, SPAN("# \xc3\xa9\xc3\xa9\n\xc3\xa9: \xc3\xa9\n  \nb: \"c\"\n"), 7);
	CHECK_INT(next(&s), YPARSE_DOCUMENT);
	CHECK_INT(s.build.root->pos.line, 2);
	CHECK_INT(s.build.root->pos.col, 1);
	CHECK_INT(s.build.root->items->value->pos.col, 4);
	CHECK_INT(s.build.root->items->value->pos.offset, 11);
	CHECK_INT(s.build.root->items->next->value->pos.line, 4);
	CHECK_INT(s.build.root->items->next->value->pos.col, 4);
	CHECK_INT(s.build.root->items->next->value->pos.offset, 20);
	/* So are ends. */
	CHECK_INT(s.build.root->items->value->end, 13);
	CHECK_INT(s.build.root->items->next->value->end, 23);
	CHECK_INT(s.build.root->body, 7);
	CHECK_INT(s.build.root->end, 23);
	end(&s);
}

static void collections_begin_and_end_at_their_entries_or_brackets(void)
{
	static const struct {
		const char *text;
		unsigned pos, body, end; /* of the root's first value */
	} rows[] = {
		{"- {a: b} \n", 2, 3, 8},      {"- [a, b]\n", 2, 3, 8},
		{"- a: b \n  c:\n", 2, 2, 12}, {"- - a\n  - b # c\n", 2, 2, 11},
		{"- &x\n  - a\n", 2, 7, 10},   {"- !!map\n  ? a\n- b\n", 2, 10, 13},
		{"a:\n- b\n- c\n", 3, 3, 10},  {"a:\n  - b\n  -\nc: d\n", 5, 5, 12},
		{"a: &x\n- b\n", 3, 6, 9},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct ydoc_node *node;
		struct stream s;

		start(&s, span_from_cstr(rows[i].text), 0);
		CHECK_ROW(rows[i].text, next(&s) == YPARSE_DOCUMENT);
		node = s.build.root->items->value;
		if (node->pos.offset != rows[i].pos || node->body != rows[i].body ||
		    node->end != rows[i].end)
			unit_fail(__FILE__, __LINE__, "[%s] is at %u, %u, %u", rows[i].text,
				  node->pos.offset, node->body, node->end);
		end(&s);
	}
}

/* libyaml has it where the next token begins. */
static void a_value_without_a_colon_is_behind_its_key(void)
{
	struct stream s;

	start(&s, SPAN("# \xc3\xa9\n? \xc3\xa9 # c:\n\n? [a]\n? &x b\n? *x\n# d\n"), 0);
	CHECK_INT(next(&s), YPARSE_DOCUMENT);
	for (const struct ydoc_item *i = s.build.root->items; i != NULL; i = i->next) {
		uint32_t behind = i->key_alias != NULL ? i->key_alias->end : i->key->end;

		CHECK_INT(i->value->pos.offset, behind);
		CHECK_INT(i->value->end, behind);
	}
	CHECK_INT(s.build.root->items->value->pos.line, 2);
	CHECK_INT(s.build.root->items->value->pos.col, 4);
	end(&s);
}

static void scalars_as_they_stand_are_borrowed_others_copied(void)
{
	static const char text[] =
		"[plain, 'single', \"double\", \"esc\\t\", 'it''s', two\n words]";
	static const bool is_borrowed[] = {true, true, true, false, false, false};
	const struct ydoc_item *item;
	struct stream s;

	start(&s, span_of(text, sizeof text - 1), 0);
	CHECK_INT(next(&s), YPARSE_DOCUMENT);
	item = s.build.root->items;
	for (size_t i = 0; i < sizeof is_borrowed; i++, item = item->next) {
		const char *at = item->value->text.ptr;

		CHECK_INT(at >= text && at < text + sizeof text, is_borrowed[i]);
	}
	CHECK(item == NULL);
	end(&s);
}

static void says_where_and_why_it_fails(void)
{
	static const struct {
		const char *text;
		unsigned line, col;
		const char *expected;
	} rows[] = {
		{"x\na: b: c\n", 2, 2, "mapping values are not allowed in this context"},
		{"x\n a: [\n", 2, 3, "mapping values are not allowed in this context"},
		{"\na: \"\\q\"\n", 2, 5,
		 "found unknown escape character while parsing a quoted scalar that starts on line "
		 "2"},
		{"\na: \xff\n", 2, 4, "not UTF-8: invalid leading UTF-8 octet"},
		{"\na: \x01\n", 2, 4, "control character U+0001"},
		{"\na: *b\n", 2, 4, "*b refers to no anchor before it"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stream s;

		start(&s, span_from_cstr(rows[i].text), 0);
		CHECK_ROW(rows[i].text, next(&s) == YPARSE_BAD);
		if (s.problem.pos.line != rows[i].line || s.problem.pos.col != rows[i].col)
			unit_fail(__FILE__, __LINE__, "[%s] at %u:%u", rows[i].text,
				  s.problem.pos.line, s.problem.pos.col);
		CHECK_TEXT(s.problem.error.text, rows[i].expected);
		end(&s);
	}
}

static void a_text_may_be_longer_than_any_chunk_it_is_fed_in(void)
{
	char *text = malloc(100000), *guarded;
	struct stream s;
	size_t count = 0;

	/* Characters of three bytes, so that chunks end inside of them. */
	CHECK(text != NULL);
	memcpy(text, "- \xe2\x82\xac\n", 7);
	for (size_t i = 6; i < 99996; i++)
		text[i] = text[i - 6];
	guarded = unit_guarded(text, 99996);
	start(&s, span_of(guarded, 99996), 0);
	CHECK_INT(next(&s), YPARSE_DOCUMENT);
	for (const struct ydoc_item *i = s.build.root->items; i != NULL; i = i->next) {
		CHECK_SPAN(i->value->text, "\xe2\x82\xac");
		CHECK_INT(i->value->pos.line, ++count);
	}
	CHECK_INT(count, 99996 / 6);
	end(&s);
	unit_guarded_free(guarded, 99996);
	free(text);
}

static void an_end_without_a_beginning_is_harmless(void)
{
	yparse_free(NULL);
}

UNIT_TESTS(TEST(reads_one_document_at_a_time), TEST(positions_are_those_of_the_whole_text),
	   TEST(collections_begin_and_end_at_their_entries_or_brackets),
	   TEST(a_value_without_a_colon_is_behind_its_key),
	   TEST(scalars_as_they_stand_are_borrowed_others_copied),
	   TEST(says_where_and_why_it_fails),
	   TEST(a_text_may_be_longer_than_any_chunk_it_is_fed_in),
	   TEST(an_end_without_a_beginning_is_harmless))
