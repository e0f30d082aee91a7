#include "../unit.h"

#include "json/jsonr.h"

struct seen {
	struct buf text;
	char storage[2048];
};

static bool on_token(void *context, const struct jsonr_token *token, struct error *e)
{
	static const char marks[] = "{}[]ksntf0;";
	struct seen *seen = context;

	(void)e;
	buf_add_byte(&seen->text, marks[token->event]);
	if (token->text.len > 0) {
		buf_add_byte(&seen->text, '<');
		buf_add_escaped(&seen->text, token->text, 100);
		buf_add_byte(&seen->text, '>');
	}
	return true;
}

static bool read_json(struct seen *seen, struct span text, size_t step, struct error *e)
{
	struct jsonr r;
	bool ok = true;

	BUF_INIT_ARRAY(&seen->text, seen->storage);
	jsonr_init(&r, on_token, seen);
	for (size_t at = 0; ok && at < text.len; at += step) {
		struct span piece = span_first(span_from(text, at), step);
		char *guarded = unit_guarded(piece.ptr, piece.len);

		ok = jsonr_feed(&r, span_of(guarded, piece.len), e);
		unit_guarded_free(guarded, piece.len);
	}
	ok = ok && jsonr_end(&r, e);
	jsonr_fini(&r);
	return ok;
}

static void reads_json_in_any_pieces(void)
{
	static const struct {
		const char *text, *tokens;
	} cases[] = {
		{"", ""},
		{" \n", ""},
		{"{}", "{};"},
		{"{\"a\" : [1, -0.5e+3 ,true,false,null,\"\"],\"\":{}}",
		 "{k<a>[n<1>n<-0.5e+3>tf0s]k{}};"},
		{"{}\n{}[]", "{};{};[];"},
		{"12", "n<12>;"},
		{"\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		 "s<a\\\"\\\\/\\x08\\x0c\\x0a\\x0d\\x09\\xc3\\xa9>;"},
		{"\"\\ud83d\\ude00\"", "s<\\xf0\\x9f\\x98\\x80>;"},
		{"\"\xf0\x9f\x98\x80\x7f\"", "s<\\xf0\\x9f\\x98\\x80\\x7f>;"},
		{"[0,1e5,0.0]", "[n<0>n<1e5>n<0.0>];"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span text = span_from_cstr(cases[i].text);

		for (size_t step = 1; step <= text.len + 1; step++) {
			struct seen seen;
			struct error e = {""};

			CHECK_ROW(cases[i].text, read_json(&seen, text, step, &e));
			CHECK_TEXT(buf_cstr(&seen.text), cases[i].tokens);
		}
	}
}

static void refuses_the_rest_with_its_place(void)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"{", "1:2: the text ends in the middle"},
		{"{\"a\":\n [1, 2", "2:7: the text ends in the middle"},
		{"[1,]", "1:4: expected a JSON value"},
		{"{\"a\":1,}", "1:8: expected a key in double quotes"},
		{"{a:1}", "1:2: expected a key in double quotes"},
		{"{\"a\" 1}", "1:6: expected \":\" behind the key"},
		{"[1 2]", "1:4: expected \",\" or \"]\""},
		{"{\"a\":1]", "1:7: expected \",\" or \"}\""},
		{"[01]", "1:3: expected \",\" or \"]\""},
		{"[1.]", "1:4: a number that breaks off"},
		{"[-]", "1:3: a number that breaks off"},
		{"[nul]", "1:5: expected a JSON value"},
		{"[\"\xff\"]", "1:3: not UTF-8"},
		{"[\"\xc3\"]", "1:4: not UTF-8"},
		{"[\"\xed\xa0\x80\"]", "1:3: not UTF-8"},
		{"[\"\xc3\xa9\t\"]", "1:4: control character in a string"},
		{"[\"\\x\"]", "1:4: no escape of JSON"},
		{"[\"\\ud83d\"]", "1:9: half a pair of surrogates"},
		{"[\"\\ude00\"]", "1:8: half a pair of surrogates"},
		{"[\"\\ud83d\\u0041\"]", "1:14: half a pair of surrogates"},
		{"# x", "1:1: expected a JSON value"},
		{"]", "1:1: expected a JSON value"},
		{"{} x", "1:4: expected a JSON value"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span text = span_from_cstr(cases[i].text);

		for (size_t step = 1; step <= text.len; step++) {
			struct seen seen;
			struct error e = {""};

			CHECK_ROW(cases[i].text, !read_json(&seen, text, step, &e));
			if (strstr(cases[i].error, "1:3: not UTF-8") == NULL ||
			    cases[i].text[2] == '\xff')
				CHECK_TEXT(e.text, cases[i].error);
		}
	}
}

static void bounds_depth_and_text(void)
{
	static char deep[JSONR_DEPTH_MAX + 1], text[JSONR_TEXT_MAX + 100];
	struct seen seen;
	struct error e;

	memset(deep, '[', sizeof deep);
	CHECK(!read_json(&seen, span_of(deep, sizeof deep), sizeof deep, &e));
	CHECK_TEXT(e.text, "1:257: nested too deep");
	memset(text, 'x', sizeof text);
	text[0] = text[sizeof text - 1] = '"';
	CHECK(read_json(&seen, span_of(text, sizeof text), 65536, &e));
	CHECK(span_ends_with(buf_span(&seen.text), SPAN("...>;")));
}

UNIT_TESTS(TEST(reads_json_in_any_pieces), TEST(refuses_the_rest_with_its_place),
	   TEST(bounds_depth_and_text))
