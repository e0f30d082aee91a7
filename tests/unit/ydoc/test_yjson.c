#include "../unit.h"

#include "ydoc/yjson.h"

/* Reads from a guarded copy; on success says what is left, on failure "COL: why". */
static const char *read_json(const char *text, size_t len, char result[static 200])
{
	char *guarded = unit_guarded(text, len);
	struct ycursor at = ycursor_at_start(span_of(guarded, len));
	struct yproblem problem;
	struct arena arena;
	struct ybuild b;

	arena_init(&arena, 1 << 20);
	ybuild_init(&b, &arena, &problem);
	if (yjson_read(&at, &b)) {
		CHECK_ROW(text, b.root != NULL);
		snprintf(result, 200, "%.*s", SPAN_ARG(ycursor_rest(&at)));
	} else {
		/* The text may still be YAML, from where it began. */
		CHECK_ROW(text, at.pos.offset == 0);
		snprintf(result, 200, "%u: %.150s", problem.pos.col, problem.error.text);
	}
	arena_fini(&arena);
	unit_guarded_free(guarded, len);
	return result;
}

struct row {
	const char *text, *expected;
};

static void check_rows(const struct row *rows, size_t count)
{
	char result[200];

	for (size_t i = 0; i < count; i++) {
		read_json(rows[i].text, strlen(rows[i].text), result);
		if (strcmp(result, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  result, rows[i].expected);
	}
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])

static void leaves_what_may_stand_behind_a_document(void)
{
	static const struct row rows[] = {
		{"{}", ""},
		{"[]", ""},
		{"[ ]\n\t\r\n ", ""},
		{"{\"a\":[{}]} {}", "{}"},
		{"[1][2]", "[2]"},
		{"[1] # x", "# x"},
		{"[1]\n--- x", "--- x"},
		{"[1]\n...", "..."},
		{"[1]---", "4: expected nothing more behind the JSON document"},
		{"[1] x", "5: expected nothing more behind the JSON document"},
		{"[1],", "4: expected nothing more behind the JSON document"},
		{"[1]]", "4: expected nothing more behind the JSON document"},
	};

	CHECK_ROWS(rows);
}

static void takes_the_numbers_and_words_of_rfc_8259_and_no_others(void)
{
	static const char *const good[] = {"0",	    "-0",   "10",    "1.5",	"0.25",
					   "1e5",   "1E+5", "1e-05", "-12.5e3", "true",
					   "false", "null", "\"\""};
	static const char *const bad[] = {"",	 "-",	"+1",	"01",  "-01",	   "1.",   ".5",
					  "1e",	 "1e+", "0x10", "NaN", "Infinity", "True", "nul",
					  "'a'", "a",	"tru",	"1 2", "--1"};
	char text[40], result[200];

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		snprintf(text, sizeof text, "[1,%s]", good[i]);
		CHECK_ROW(text, strcmp(read_json(text, strlen(text), result), "") == 0);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		snprintf(text, sizeof text, "[1,%s]", bad[i]);
		CHECK_ROW(text, strncmp(read_json(text, strlen(text), result), "", 1) != 0);
	}
}

static void takes_the_strings_of_rfc_8259_and_no_others(void)
{
	static const struct row rows[] = {
		{"[\"\\u0000\\uD83D\\uDE00\\\"\"]", ""},
		{"[\"\x7f\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"]", ""},
		{"[\"a", "4: string without a closing quote"},
		{"[\"", "3: string without a closing quote"},
		{"[\"a\\\"", "6: string without a closing quote"},
		{"[\"a\\", "4: no escape of JSON"},
		{"[\"\\x41\"]", "3: no escape of JSON"},
		{"[\"\\u12\"]", "3: no escape of JSON"},
		{"[\"\\u123g\"]", "3: no escape of JSON"},
		{"[\"\\ud83d\"]", "3: no escape of JSON"},
		{"[\"\\ud83d\\n\"]", "3: no escape of JSON"},
		{"[\"\\ud83d\\u0041\"]", "3: no escape of JSON"},
		{"[\"\\ude00\\ud83d\"]", "3: no escape of JSON"},
		{"[\"a\nb\"]", "4: control character in a string"},
		{"[\"a\tb\"]", "4: control character in a string"},
		{"[\"\x80\"]", "3: not UTF-8"},
		{"[\"\xc0\x80\"]", "3: not UTF-8"},
		{"[\"\xc1\xbf\"]", "3: not UTF-8"},
		{"[\"\xe0\x9f\xbf\"]", "3: not UTF-8"},
		{"[\"\xed\xa0\x80\"]", "3: not UTF-8"},
		{"[\"\xf0\x8f\xbf\xbf\"]", "3: not UTF-8"},
		{"[\"\xf4\x90\x80\x80\"]", "3: not UTF-8"},
		{"[\"\xf5\x80\x80\x80\"]", "3: not UTF-8"},
		{"[\"\xe2\x82\"]", "3: not UTF-8"},
		{"[\"\xe2\x82", "3: not UTF-8"},
	};

	CHECK_ROWS(rows);
}

static void says_what_it_expected(void)
{
	static const struct row rows[] = {
		{"{", "2: expected a key in double quotes"},
		{"{a: 1}", "2: expected a key in double quotes"},
		{"{\"a\" 1}", "6: expected \":\" behind the key"},
		{"{\"a\":}", "6: expected a JSON value"},
		{"{\"a\":1 \"b\"}", "8: expected \",\" or \"}\""},
		{"{\"a\":1,}", "8: expected a key in double quotes"},
		{"[1 2]", "4: expected \",\" or \"]\""},
		{"[1,]", "4: expected a JSON value"},
		{"[,1]", "2: expected a JSON value"},
		{"[1}", "3: expected \",\" or \"]\""},
		{"{\"a\":1]", "7: expected \",\" or \"}\""},
		{"[\xef\xbb\xbf]", "2: expected a JSON value"},
	};

	CHECK_ROWS(rows);
}

static void nodes_begin_and_end_where_they_stand(void)
{
	static const char text[] =
		"{\"\xc3\xa9\": [ 1.5 , \"\\u0041\" ] , \"b\":{} ,\n\"c\" : null }";
	static const struct {
		unsigned pos, body, end;
	} rows[] = {{7, 8, 25}, {32, 33, 34}, {43, 0, 47}};
	struct ycursor at = ycursor_at_start(span_of(text, sizeof text - 1));
	const struct ydoc_item *item;
	struct yproblem problem;
	struct arena arena;
	struct ybuild b;

	arena_init(&arena, 1 << 20);
	ybuild_init(&b, &arena, &problem);
	CHECK(yjson_read(&at, &b));
	CHECK_INT(b.root->pos.offset, 0);
	CHECK_INT(b.root->body, 1);
	CHECK_INT(b.root->end, sizeof text - 1);
	item = b.root->items;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++, item = item->next) {
		CHECK_INT(item->value->pos.offset, rows[i].pos);
		CHECK_INT(item->value->end, rows[i].end);
		CHECK(item->value->is_flow && !item->value->is_aliased);
		CHECK(item->key_alias == NULL && item->value_alias == NULL);
		if (item->value->kind != YDOC_SCALAR)
			CHECK_INT(item->value->body, rows[i].body);
	}
	item = b.root->items->value->items;
	CHECK_INT(item->value->end, 12);
	CHECK_INT(item->next->value->pos.offset, 15);
	CHECK_INT(item->next->value->end, 23);
	CHECK_INT(b.root->items->key->end, 5);
	arena_fini(&arena);
}

static void every_prefix_is_refused(void)
{
	static const char text[] =
		"{\"a\": [1, -2.5e7, true, null, \"\\ud83d\\ude00\\n\xc3\xa9\"], "
		"\"b\": {\"c\": {}}}";
	char result[200];

	for (size_t len = 0; len < sizeof text - 1; len++)
		CHECK(strncmp(read_json(text, len, result), "", 1) != 0);
	CHECK_TEXT(read_json(text, sizeof text - 1, result), "");
}

UNIT_TESTS(TEST(leaves_what_may_stand_behind_a_document),
	   TEST(takes_the_numbers_and_words_of_rfc_8259_and_no_others),
	   TEST(takes_the_strings_of_rfc_8259_and_no_others), TEST(says_what_it_expected),
	   TEST(nodes_begin_and_end_where_they_stand), TEST(every_prefix_is_refused))
