#include "../unit.h"

#include "tls/der.h"

static const struct row {
	const char *label;
	struct span bytes;
	unsigned tag;
	bool ok;
	struct span content;
	size_t rest_len;
} rows[] = {
	{"empty content", SPAN("\x30\x00"), DER_SEQUENCE, true, SPAN(""), 0},
	{"short length",
	 SPAN("\x04\x02"
	      "abc"),
	 DER_OCTET_STRING, true, SPAN("ab"), 1},
	{"a context tag",
	 SPAN("\xa3\x01"
	      "x"),
	 DER_CONTEXT + 3, true, SPAN("x"), 0},
	{"nothing", SPAN(""), DER_SEQUENCE, false, SPAN(""), 0},
	{"a tag alone", SPAN("\x30"), DER_SEQUENCE, false, SPAN(""), 0},
	{"another tag", SPAN("\x31\x00"), DER_SEQUENCE, false, SPAN(""), 0},
	{"content cut off",
	 SPAN("\x04\x03"
	      "ab"),
	 DER_OCTET_STRING, false, SPAN(""), 0},
	{"indefinite length", SPAN("\x30\x80\x00\x00"), DER_SEQUENCE, false, SPAN(""), 0},
	{"length of one byte that needs none",
	 SPAN("\x04\x81\x01"
	      "a"),
	 DER_OCTET_STRING, false, SPAN(""), 0},
	{"length with a leading zero", SPAN("\x04\x82\x00\x81"), DER_OCTET_STRING, false, SPAN(""),
	 0},
	{"length cut off", SPAN("\x04\x82\x01"), DER_OCTET_STRING, false, SPAN(""), 0},
	{"length of four bytes", SPAN("\x04\x84\x01\x00\x00\x00"), DER_OCTET_STRING, false,
	 SPAN(""), 0},
	{"length of 127 bytes", SPAN("\x04\xff"), DER_OCTET_STRING, false, SPAN(""), 0},
	{"the longest length",
	 SPAN("\x04\x83\xff\xff\xff"
	      "a"),
	 DER_OCTET_STRING, false, SPAN(""), 0},
};

static void takes_elements_with_definite_minimal_lengths(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		char *bytes = unit_guarded(row->bytes.ptr, row->bytes.len);
		struct span rest = span_of(bytes, row->bytes.len), content;

		CHECK_ROW(row->label, der_take(&rest, row->tag, &content) == row->ok);
		if (row->ok) {
			CHECK_ROW(row->label, span_eq(content, row->content));
			CHECK_ROW(row->label, rest.len == row->rest_len);
		} else {
			CHECK_ROW(row->label, rest.len == row->bytes.len);
		}
		unit_guarded_free(bytes, row->bytes.len);
	}
}

static void takes_lengths_of_up_to_three_bytes(void)
{
	static const size_t lengths[] = {127, 128, 255, 256, 65535, 65536};
	static char bytes[65536 + 8];

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		size_t len = lengths[i], n = 1;
		struct span rest, content;

		bytes[0] = DER_OCTET_STRING;
		if (len >= 128)
			bytes[n++] = (char)(len > 65535 ? 0x83 : len > 255 ? 0x82 : 0x81);
		if (len > 65535)
			bytes[n++] = (char)(len >> 16);
		if (len > 255)
			bytes[n++] = (char)(len >> 8);
		bytes[n++] = (char)len;
		rest = span_of(bytes, n + len);
		CHECK(der_take(&rest, DER_OCTET_STRING, &content));
		CHECK(content.len == len && content.ptr == bytes + n && rest.len == 0);
		rest = span_of(bytes, n + len - 1);
		CHECK(!der_take(&rest, DER_OCTET_STRING, &content));
	}
}

static void takes_optional_elements_when_they_are_there(void)
{
	struct span rest = SPAN("\x01\x01\xff\x30\x05"), content;

	CHECK(der_take_optional(&rest, DER_INTEGER, &content) && content.len == 0);
	CHECK_INT(rest.len, 5);
	CHECK(der_take_optional(&rest, DER_BOOLEAN, &content) && content.len == 1);
	CHECK(!der_take_optional(&rest, DER_SEQUENCE, &content));
	rest = SPAN("");
	CHECK(der_take_optional(&rest, DER_BOOLEAN, &content));
}

static void takes_bit_strings_of_whole_bytes(void)
{
	struct span rest = SPAN("\x03\x03\x00"
				"ab"),
		    bytes;

	CHECK(der_take_bits(&rest, &bytes));
	CHECK_SPAN(bytes, "ab");
	rest = SPAN("\x03\x01\x00");
	CHECK(der_take_bits(&rest, &bytes) && bytes.len == 0);
	rest = SPAN("\x03\x02\x01\x80");
	CHECK(!der_take_bits(&rest, &bytes));
	rest = SPAN("\x03\x00");
	CHECK(!der_take_bits(&rest, &bytes));
}

static void takes_integers_that_are_not_negative(void)
{
	struct span rest = SPAN("\x02\x03\x01\x00\x01\x02\x02\x00\x80\x02\x01\x00"), bytes;

	CHECK(der_take_unsigned(&rest, &bytes) && span_eq(bytes, SPAN("\x01\x00\x01")));
	CHECK(der_take_unsigned(&rest, &bytes) && span_eq(bytes, SPAN("\x80")));
	CHECK(der_take_unsigned(&rest, &bytes) && bytes.len == 0);
	rest = SPAN("\x02\x01\x80");
	CHECK(!der_take_unsigned(&rest, &bytes));
	rest = SPAN("\x02\x00");
	CHECK(!der_take_unsigned(&rest, &bytes));
}

UNIT_TESTS(TEST(takes_elements_with_definite_minimal_lengths),
	   TEST(takes_lengths_of_up_to_three_bytes),
	   TEST(takes_optional_elements_when_they_are_there),
	   TEST(takes_bit_strings_of_whole_bytes), TEST(takes_integers_that_are_not_negative))
