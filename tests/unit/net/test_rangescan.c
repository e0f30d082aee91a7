#include "../unit.h"

#include "net/rangescan.h"

struct seen {
	struct buf text;
	char storage[1024];
};

static bool on_range(void *context, const struct rangescan_found *found, struct error *e)
{
	struct seen *seen = context;

	(void)e;
	buf_printf(&seen->text, "%u:%u ", found->line, found->col);
	range_format(&found->range, &seen->text);
	buf_add_byte(&seen->text, ' ');
	return true;
}

/* In pieces of `step` bytes. */
static bool scan(struct seen *seen, struct span text, size_t step, struct error *e)
{
	struct rangescan s;

	BUF_INIT_ARRAY(&seen->text, seen->storage);
	rangescan_init(&s, on_range, seen);
	for (size_t at = 0; at < text.len; at += step) {
		struct span piece = span_first(span_from(text, at), step);
		char *guarded = unit_guarded(piece.ptr, piece.len);
		bool ok = rangescan_feed(&s, span_of(guarded, piece.len), e);

		unit_guarded_free(guarded, piece.len);
		if (!ok)
			return false;
	}
	return rangescan_end(&s, e);
}

static void reads_lists_in_any_pieces(void)
{
	static const struct {
		const char *text, *seen;
	} cases[] = {
		{"", ""},
		{"10.0.0.0/8", "1:1 10.0.0.0/8 "},
		{"10.0.0.0/8\n::/0\r\n1.2.3.4", "1:1 10.0.0.0/8 2:1 ::/0 3:1 1.2.3.4/32 "},
		{" 10.0.0.0/8,\t1.0.0.0/8 ,2.0.0.0/8,\n",
		 "1:2 10.0.0.0/8 1:14 1.0.0.0/8 1:25 2.0.0.0/8 "},
		{"# 300.0.0.0\n10.0.0.0/8 # x, y\n; z", "2:1 10.0.0.0/8 "},
		{"--includeIPRanges=10.4.0.0/14,10.7.240.0/20\n",
		 "1:19 10.4.0.0/14 1:31 10.7.240.0/20 "},
		{"10.0.0.5-10.0.0.77", "1:1 10.0.0.5-10.0.0.77 "},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span text = span_from_cstr(cases[i].text);

		for (size_t step = 1; step <= text.len + 1; step++) {
			struct seen seen;
			struct error e = {""};

			CHECK_ROW(cases[i].text, scan(&seen, text, step, &e));
			CHECK_TEXT(buf_cstr(&seen.text), cases[i].seen);
		}
	}
}

static void refuses_the_rest_with_its_place(void)
{
	static const struct {
		struct span text;
		const char *place;
	} cases[] = {
		{{"10.0.0.0/8\n 10.0.0.0/33\n", 24}, "2:2: \"10.0.0.0/33\" is no range"},
		{{"010.0.0.0/8", 11}, "1:1: \"010.0.0.0/8\" is no range"},
		{{"1.2.3.4\0", 8}, "1:1: \"1.2.3.4\\x00\" is no range"},
		{{"1.2.3.4,,1.2.3.5", 16}, "1:9: nothing between two commas"},
		{{"10.0.0.0 /8", 11}, "1:10: \"/8\" is no range"},
		{{"--a=x", 5}, "1:5: \"x\" is no range"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t step = 1; step <= cases[i].text.len; step++) {
			struct seen seen;
			struct error e = {""};

			CHECK_ROW(cases[i].place, !scan(&seen, cases[i].text, step, &e));
			CHECK_ROW(e.text,
				  strncmp(e.text, cases[i].place, strlen(cases[i].place)) == 0);
		}
}

static void refuses_words_without_end(void)
{
	char word[1000];
	struct seen seen;
	struct error e = {""};

	memset(word, '1', sizeof word);
	CHECK(!scan(&seen, span_of(word, sizeof word), 7, &e));
	CHECK(strstr(e.text, "\"...") != NULL || strstr(e.text, "...\"") != NULL);
}

UNIT_TESTS(TEST(reads_lists_in_any_pieces), TEST(refuses_the_rest_with_its_place),
	   TEST(refuses_words_without_end))
