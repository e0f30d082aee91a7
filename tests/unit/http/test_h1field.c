#include "../unit.h"
#include "base/ascii.h"
#include "http/h1field.h"

#define ROW(member, name, first, last, traits) {H1_FIELD_##member, name, first, last, traits},
static const struct {
	enum h1_field_id id;
	const char *name;
	char first, last;
	unsigned traits;
} rows[] = {H1_FIELDS(ROW)};

#define ROWS (sizeof rows / sizeof rows[0])

static void every_listed_name_has_the_slot_it_claims(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct span name = span_from_cstr(rows[i].name);

		CHECK_ROW(rows[i].name, ascii_to_lower(name.ptr[0]) == rows[i].first);
		CHECK_ROW(rows[i].name, ascii_to_lower(name.ptr[name.len - 1]) == rows[i].last);
	}
}

static void finds_every_name_in_any_case(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		char text[64];
		size_t len = strlen(rows[i].name);

		CHECK_INT(h1field_lookup(span_of(rows[i].name, len)), rows[i].id);
		for (size_t at = 0; at < len; at++) {
			char c = rows[i].name[at];

			text[at] = (char)(ascii_is_alpha(c) ? c ^ 0x20 : c);
		}
		CHECK_INT(h1field_lookup(span_of(text, len)), rows[i].id);
		CHECK_TEXT(h1field_name(rows[i].id), rows[i].name);
		CHECK_INT(h1field_traits(rows[i].id), rows[i].traits);
	}
}

static void takes_no_name_for_a_similar_one(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		char text[64];
		size_t len = strlen(rows[i].name);

		for (size_t at = 0; at < len; at++) {
			memcpy(text, rows[i].name, len);
			text[at] = '~';
			CHECK_ROW(rows[i].name,
				  h1field_lookup(span_of(text, len)) == H1_FIELD_OTHER);
		}
		CHECK_ROW(rows[i].name,
			  h1field_lookup(span_of(rows[i].name, len - 1)) != rows[i].id);
	}
	CHECK_INT(h1field_lookup(SPAN("")), H1_FIELD_OTHER);
	CHECK_INT(h1field_lookup(SPAN("x")), H1_FIELD_OTHER);
	CHECK_INT(h1field_lookup(SPAN("X-Request-Id")), H1_FIELD_OTHER);
}

static void knows_internal_names_by_prefix(void)
{
	CHECK_INT(h1field_lookup(SPAN("x-envoy-attempt-count")), H1_FIELD_INTERNAL);
	CHECK_INT(h1field_lookup(SPAN("X-Envoy-")), H1_FIELD_INTERNAL);
	CHECK_INT(h1field_lookup(SPAN("X-ISTIO-Attributes")), H1_FIELD_INTERNAL);
	CHECK_INT(h1field_lookup(SPAN("X-B3-TraceId")), H1_FIELD_INTERNAL);
	CHECK_INT(h1field_lookup(SPAN("X-B3")), H1_FIELD_OTHER);
	CHECK_INT(h1field_lookup(SPAN("X-Envoy")), H1_FIELD_OTHER);
	CHECK_INT(h1field_lookup(SPAN("XX-Envoy-A")), H1_FIELD_OTHER);
	CHECK(h1field_traits(H1_FIELD_INTERNAL) & H1_TRAIT_INTERNAL);
	CHECK(h1field_traits(H1_FIELD_B3) & H1_TRAIT_INTERNAL);
	CHECK_INT(h1field_traits(H1_FIELD_OTHER), 0);
}

static void what_rfc_9110_calls_hop_by_hop_is(void)
{
	static const char *const names[] = {"Connection", "Proxy-Connection",  "Keep-Alive",
					    "TE",	  "Transfer-Encoding", "Upgrade"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		unsigned traits = h1field_traits(h1field_lookup(span_from_cstr(names[i])));

		CHECK_ROW(names[i], traits & H1_TRAIT_HOP);
		CHECK_ROW(names[i], !(traits & H1_TRAIT_END_TO_END));
	}
}

UNIT_TESTS(TEST(every_listed_name_has_the_slot_it_claims), TEST(finds_every_name_in_any_case),
	   TEST(takes_no_name_for_a_similar_one), TEST(knows_internal_names_by_prefix),
	   TEST(what_rfc_9110_calls_hop_by_hop_is))
