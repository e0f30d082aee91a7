#include "../unit.h"

static struct span nothing(void)
{
	return span_of(NULL, 0);
}

static void tells_equal_from_different(void)
{
	static const struct {
		const char *a, *b;
		bool same, same_nocase;
	} cases[] = {
		{"", "", true, true},
		{"a", "a", true, true},
		{"a", "A", false, true},
		{"Host", "hOST", false, true},
		{"host", "hosts", false, false},
		{"abcz", "ABCZ", false, true},
		{"abc", "abd", false, false},
		{"@", "`", false, false}, /* 0x40 and 0x60: before "A" and "a" */
		{"[", "{", false, false}, /* 0x5b and 0x7b: behind "Z" and "z" */
		{"0", "\x10", false, false},
		{"-", "\r", false, false},
		{"\xc4", "\xe4", false, false}, /* Latin-1 letters are none of ours */
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span a = span_from_cstr(cases[i].a), b = span_from_cstr(cases[i].b);

		CHECK_ROW(cases[i].a, span_eq(a, b) == cases[i].same);
		CHECK_ROW(cases[i].a, span_eq(b, a) == cases[i].same);
		CHECK_ROW(cases[i].a, span_eq_nocase(a, b) == cases[i].same_nocase);
		CHECK_ROW(cases[i].a, span_eq_nocase(b, a) == cases[i].same_nocase);
	}
}

/* The same at each position of a text: lengths on both sides of what is compared at a time. */
static void ignores_case_of_the_52_letters_and_nothing_else(void)
{
	static const size_t lengths[] = {1, 3, 4, 7, 8, 9, 17};
	char a[17], b[17];

	memset(a, 'k', sizeof a);
	memset(b, 'K', sizeof b);
	for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
		for (size_t at = 0; at < lengths[l]; at++) {
			for (int pair = 0; pair < 256 * 256; pair++) {
				int i = pair / 256, j = pair % 256;
				bool is_letter = (i >= 'A' && i <= 'Z') || (i >= 'a' && i <= 'z');
				bool expected = i == j || (is_letter && (i ^ j) == 0x20);

				a[at] = (char)i;
				b[at] = (char)j;
				CHECK(span_eq_nocase(span_of(a, lengths[l]),
						     span_of(b, lengths[l])) == expected);
			}
			a[at] = 'k';
			b[at] = 'K';
		}
	}
}

static void takes_null_for_the_empty_span(void)
{
	struct span part, rest = nothing();

	CHECK(span_eq(nothing(), SPAN("")));
	CHECK(span_eq_nocase(nothing(), SPAN("")));
	CHECK(span_starts_with(nothing(), nothing()));
	CHECK(span_ends_with(SPAN("a"), nothing()));
	CHECK(span_find(nothing(), 'a') == SIZE_MAX);
	CHECK(span_rfind(nothing(), 'a') == SIZE_MAX);
	CHECK(span_trim(nothing()).len == 0);
	CHECK(span_first(nothing(), 3).len == 0);
	CHECK(span_from(nothing(), 3).len == 0);
	CHECK(!span_split(&rest, ',', &part));
}

static void looks_at_both_ends(void)
{
	CHECK(span_starts_with(SPAN("https"), SPAN("http")));
	CHECK(span_starts_with(SPAN("http"), SPAN("http")));
	CHECK(!span_starts_with(SPAN("htt"), SPAN("http")));
	CHECK(!span_starts_with(SPAN("xhttp"), SPAN("http")));
	CHECK(span_ends_with(SPAN("a.yaml"), SPAN(".yaml")));
	CHECK(span_ends_with(SPAN(".yaml"), SPAN(".yaml")));
	CHECK(!span_ends_with(SPAN("yaml"), SPAN(".yaml")));
	CHECK(!span_ends_with(SPAN("a.yaml~"), SPAN(".yaml")));
}

static void finds_the_first_and_the_last(void)
{
	CHECK_INT(span_find(SPAN("a:b:c"), ':'), 1);
	CHECK_INT(span_rfind(SPAN("a:b:c"), ':'), 3);
	CHECK_INT(span_find(SPAN("a"), 'a'), 0);
	CHECK_INT(span_rfind(SPAN("a"), 'a'), 0);
	CHECK(span_find(SPAN("abc"), ':') == SIZE_MAX);
	CHECK(span_rfind(SPAN("abc"), ':') == SIZE_MAX);
	CHECK_INT(span_find(span_of("a\xff", 2), '\xff'), 1);
	CHECK_INT(span_rfind(span_of("\xff\0", 2), '\xff'), 0);
}

static void cuts_within_bounds(void)
{
	CHECK_SPAN(span_from(SPAN("abc"), 1), "bc");
	CHECK_SPAN(span_from(SPAN("abc"), 3), "");
	CHECK_SPAN(span_from(SPAN("abc"), 99), "");
	CHECK_SPAN(span_first(SPAN("abc"), 2), "ab");
	CHECK_SPAN(span_first(SPAN("abc"), 99), "abc");
}

static void splits_into_all_parts(void)
{
	static const struct {
		const char *text;
		const char *parts; /* each followed by "|" */
	} cases[] = {
		{"", "|"},     {"a", "a|"},   {"a,b", "a|b|"},	 {",", "||"},
		{"a,", "a||"}, {",a", "|a|"}, {"a,,b", "a||b|"}, {"a,b,c", "a|b|c|"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span rest = span_from_cstr(cases[i].text), part;
		char joined[32];
		size_t len = 0;

		while (span_split(&rest, ',', &part)) {
			memcpy(joined + len, part.ptr, part.len);
			len += part.len;
			joined[len++] = '|';
		}
		CHECK_SPAN(span_of(joined, len), cases[i].parts);
	}
}

static void trims_spaces_and_tabs_only(void)
{
	CHECK_SPAN(span_trim(SPAN("  a b\t ")), "a b");
	CHECK_SPAN(span_trim(SPAN(" \t ")), "");
	CHECK_SPAN(span_trim(SPAN("")), "");
	CHECK_SPAN(span_trim(SPAN("\ra\n")), "\ra\n");
}

static void reads_nothing_behind_the_end(void)
{
	char *text = unit_guarded("abc", 3);
	struct span s = span_of(text, 3), part;

	CHECK(span_find(s, 'x') == SIZE_MAX);
	CHECK(span_eq_nocase(s, SPAN("ABC")));
	CHECK(!span_starts_with(s, SPAN("abcd")));
	CHECK(span_ends_with(s, SPAN("c")));
	CHECK(span_trim(s).len == 3);
	CHECK(span_split(&s, ',', &part));
	unit_guarded_free(text, 3);
}

UNIT_TESTS(TEST(tells_equal_from_different), TEST(ignores_case_of_the_52_letters_and_nothing_else),
	   TEST(takes_null_for_the_empty_span), TEST(looks_at_both_ends),
	   TEST(finds_the_first_and_the_last), TEST(cuts_within_bounds),
	   TEST(splits_into_all_parts), TEST(trims_spaces_and_tabs_only),
	   TEST(reads_nothing_behind_the_end))
