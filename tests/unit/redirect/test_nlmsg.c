#include "../unit.h"

#include "redirect/nlmsg.h"

static void what_is_written_is_read_back(void)
{
	struct nlmsg m = {.seq = 41};
	char storage[512];
	struct nlmsg_header h;
	struct nlmsg_attr a, inner;
	struct span rest, attrs;
	uint8_t family;
	size_t nest;

	BUF_INIT_ARRAY(&m.bytes, storage);
	nlmsg_begin(&m, 0xa01, 0x400, 2, 10);
	nlmsg_put_text(&m, 1, "table");
	nest = nlmsg_nest(&m, 2);
	nlmsg_put_u32(&m, 3, 0x01020304);
	nlmsg_end(&m, nest);
	nlmsg_begin(&m, 0x11, 0, 0, 10);

	rest = buf_span(&m.bytes);
	CHECK(nlmsg_next(&rest, &h));
	CHECK_INT(h.type, 0xa01);
	CHECK_INT(h.flags, 0x401);
	CHECK_INT(h.seq, 42);
	attrs = nlmsg_attrs(&h, &family);
	CHECK_INT(family, 2);
	CHECK_SPAN(span_first(nlmsg_find_attr(attrs, 1), 5), "table");
	CHECK_INT(nlmsg_find_attr(attrs, 1).len, 6);
	CHECK_INT(nlmsg_find_attr(attrs, 9).len, 0);
	CHECK(nlmsg_next_attr(&attrs, &a) && !a.is_nested);
	CHECK(nlmsg_next_attr(&attrs, &a) && a.is_nested && a.type == 2);
	CHECK(!nlmsg_next_attr(&attrs, &(struct nlmsg_attr){0}));
	CHECK(nlmsg_next_attr(&a.value, &inner) && inner.type == 3);
	CHECK(memcmp(inner.value.ptr, "\1\2\3\4", 4) == 0);
	CHECK(nlmsg_next(&rest, &h));
	CHECK_INT(h.seq, 43);
	CHECK(!nlmsg_next(&rest, &h));
}

static void lengths_that_lie_end_the_reading(void)
{
	static const uint32_t lengths[] = {0, 15, 17, 0xffffffff};

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		char bytes[16] = {0}, *guarded;
		struct nlmsg_header h;
		struct span rest;

		memcpy(bytes, &lengths[i], 4);
		guarded = unit_guarded(bytes, sizeof bytes);
		rest = span_of(guarded, sizeof bytes);
		CHECK(!nlmsg_next(&rest, &h));
		unit_guarded_free(guarded, sizeof bytes);
	}
	for (uint16_t length = 0; length < 9; length++) {
		char bytes[5] = {0}, *guarded;
		struct nlmsg_attr a;
		struct span rest;

		memcpy(bytes, &length, 2);
		guarded = unit_guarded(bytes, sizeof bytes);
		rest = span_of(guarded, sizeof bytes);
		CHECK_INT(nlmsg_next_attr(&rest, &a), length == 4 || length == 5);
		unit_guarded_free(guarded, sizeof bytes);
	}
}

static void a_message_too_short_has_no_attributes(void)
{
	struct nlmsg_header h = {.payload = SPAN("abc")};
	uint8_t family = 9;

	CHECK_INT(nlmsg_attrs(&h, &family).len, 0);
	CHECK_INT(family, 0);
}

static void a_full_buffer_is_not_written_past(void)
{
	char storage[64];
	struct nlmsg m = {.seq = 0};
	size_t nest;

	BUF_INIT_ARRAY(&m.bytes, storage);
	nlmsg_begin(&m, 1, 0, 0, 0);
	nest = nlmsg_nest(&m, 1);
	for (int i = 0; i < 20; i++)
		nlmsg_put_u32(&m, 2, 3);
	nlmsg_end(&m, nest);
	CHECK(m.bytes.truncated);
	CHECK(m.bytes.len < sizeof storage);
}

UNIT_TESTS(TEST(what_is_written_is_read_back), TEST(lengths_that_lie_end_the_reading),
	   TEST(a_message_too_short_has_no_attributes), TEST(a_full_buffer_is_not_written_past))
