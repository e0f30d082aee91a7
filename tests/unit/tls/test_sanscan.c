#include "certs.h"

#include "tls/sanscan.h"

static const struct addr home = {.family = 4, .bytes = {127, 0, 0, 1}};

/* Scans in pieces of every size; all must agree. */
static enum sanscan_result scan(const void *der, size_t len, const struct addr *wanted)
{
	char *guarded = unit_guarded(der, len);
	enum sanscan_result first = SANSCAN_MALFORMED;

	for (size_t step = 1; step <= len + 1; step = step < 9 ? step + 1 : step * 3) {
		struct sanscan s;

		sanscan_init(&s, wanted, (uint32_t)len);
		for (size_t at = 0; at < len; at += step)
			sanscan_add(&s, (const uint8_t *)guarded + at,
				    len - at < step ? len - at : step);
		if (step == 1)
			first = sanscan_result(&s);
		CHECK_INT(sanscan_result(&s), first);
	}
	unit_guarded_free(guarded, len);
	return first;
}

static void finds_addresses_among_other_names(void)
{
	static const struct {
		const char *file, *addr;
		enum sanscan_result expected;
	} rows[] = {
		{"addr.pem", "127.0.0.1", SANSCAN_MATCH},
		{"addr.pem", "::1", SANSCAN_MATCH},
		{"addr.pem", "10.96.0.1", SANSCAN_MATCH},
		{"addr.pem", "2001:db8::1", SANSCAN_MATCH},
		{"addr.pem", "10.96.0.2", SANSCAN_NO_MATCH},
		{"addr.pem", "::ffff:127.0.0.1", SANSCAN_NO_MATCH},
		{"addr.pem", "::", SANSCAN_NO_MATCH},
		{"addr.pem", "0.0.0.0", SANSCAN_NO_MATCH},
		{"addr-rsa.pem", "127.0.0.1", SANSCAN_MATCH},
		{"addr-mapped.pem", "127.0.0.1", SANSCAN_NO_MATCH},
		{"addr-mapped.pem", "::ffff:127.0.0.1", SANSCAN_MATCH},
		{"addr-text.pem", "127.0.0.1", SANSCAN_NONE},
		{"addr-cn.pem", "127.0.0.1", SANSCAN_NONE},
		{"good.pem", "127.0.0.1", SANSCAN_NONE},
		{"ca-rsa.pem", "127.0.0.1", SANSCAN_NONE},
		{"addr-five.pem", "127.0.0.1", SANSCAN_MALFORMED},
		{"addr-long.pem", "127.0.0.1", SANSCAN_MALFORMED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct certs chain;
		struct addr addr;

		certs_chain(rows[i].file, &chain);
		CHECK(addr_parse_ip(span_from_cstr(rows[i].addr), &addr));
		CHECK_ROW(rows[i].file, scan(chain.list[0].data, chain.list[0].data_len, &addr) ==
						rows[i].expected);
	}
}

static void finds_no_match_in_a_certificate_cut_anywhere(void)
{
	struct certs chain;

	certs_chain("addr.pem", &chain);
	for (size_t len = 0; len < chain.list[0].data_len; len++)
		CHECK_INT(scan(chain.list[0].data, len, &home), SANSCAN_MALFORMED);
}

/* Told that more was to come, or less. */
static void holds_the_length_against_what_was_said(void)
{
	struct certs chain;
	struct sanscan s;

	certs_chain("addr.pem", &chain);
	for (int more = -1; more <= 1; more += 2) {
		sanscan_init(&s, &home, (uint32_t)((int)chain.list[0].data_len + more));
		sanscan_add(&s, chain.list[0].data, chain.list[0].data_len);
		CHECK_INT(sanscan_result(&s), SANSCAN_MALFORMED);
	}
}

/* Certificates of nothing but what the scan looks at. */

struct der {
	uint8_t bytes[600];
	size_t len;
};

/* Puts a header before all that is there. */
static void wrap(struct der *d, uint8_t tag)
{
	size_t header = d->len < 128 ? 2 : d->len < 256 ? 3 : 4;

	memmove(d->bytes + header, d->bytes, d->len);
	d->bytes[0] = tag;
	if (header == 2) {
		d->bytes[1] = (uint8_t)d->len;
	} else if (header == 3) {
		d->bytes[1] = 0x81;
		d->bytes[2] = (uint8_t)d->len;
	} else {
		d->bytes[1] = 0x82;
		d->bytes[2] = (uint8_t)(d->len >> 8);
		d->bytes[3] = (uint8_t)d->len;
	}
	d->len += header;
}

static void put(struct der *d, const char *bytes, size_t len)
{
	memcpy(d->bytes + d->len, bytes, len);
	d->len += len;
}

#define NAMES(bytes)                                                                               \
	{                                                                                          \
		bytes, sizeof(bytes) - 1                                                           \
	}
#define HOME "\x87\x04\x7f\x00\x00\x01"

/* The certificate with these Extensions, in SEQUENCE and [3], behind a serial number. */
static enum sanscan_result scan_extensions(struct span extensions)
{
	struct der d = {.len = 0}, tbs = {.len = 0};

	put(&d, extensions.ptr, extensions.len);
	wrap(&d, 0x30);
	wrap(&d, 0xa3);
	put(&tbs, "\x02\x01\x07", 3);
	put(&tbs, (const char *)d.bytes, d.len);
	wrap(&tbs, 0x30);
	put(&tbs, "\x30\x00\x03\x01\x00", 5);
	wrap(&tbs, 0x30);
	return scan(tbs.bytes, tbs.len, &home);
}

#define SAN "\x06\x03\x55\x1d\x11"

static void is_strict_about_extensions(void)
{
	static const struct {
		const char *what;
		struct span bytes;
		enum sanscan_result expected;
	} rows[] = {
		{"plain", NAMES("\x30\x0f" SAN "\x04\x08\x30\x06" HOME), SANSCAN_MATCH},
		{"critical", NAMES("\x30\x12" SAN "\x01\x01\xff\x04\x08\x30\x06" HOME),
		 SANSCAN_MATCH},
		{"two addresses",
		 NAMES("\x30\x15" SAN "\x04\x0e\x30\x0c\x87\x04\x01\x02\x03\x04" HOME),
		 SANSCAN_MATCH},
		{"every kind of name",
		 NAMES("\x30\x1f" SAN
		       "\x04\x18\x30\x16\xa0\x00\x81\x01x\x82\x00\xa3\x00\xa4\x00\xa5\x00"
		       "\x86\x00" HOME "\x88\x00"),
		 SANSCAN_MALFORMED /* the lengths, see the next */},
		{"every kind of name, counted",
		 NAMES("\x30\x20" SAN
		       "\x04\x19\x30\x17\xa0\x00\x81\x01x\x82\x00\xa3\x00\xa4\x00\xa5\x00"
		       "\x86\x00" HOME "\x88\x00"),
		 SANSCAN_MATCH},
		{"another extension before",
		 NAMES("\x30\x09\x06\x03\x55\x1d\x0f\x04\x02\x05\x00\x30\x0f" SAN
		       "\x04\x08\x30\x06" HOME),
		 SANSCAN_MATCH},
		{"an address in another extension",
		 NAMES("\x30\x0f\x06\x03\x55\x1d\x12\x04\x08\x30\x06" HOME), SANSCAN_NONE},
		{"a longer OID", NAMES("\x30\x10\x06\x04\x55\x1d\x11\x01\x04\x08\x30\x06" HOME),
		 SANSCAN_NONE},
		{"subjectAltName twice",
		 NAMES("\x30\x0f" SAN "\x04\x08\x30\x06" HOME "\x30\x0f" SAN
		       "\x04\x08\x30\x06" HOME),
		 SANSCAN_MALFORMED},
		{"no names", NAMES("\x30\x09" SAN "\x04\x02\x30\x00"), SANSCAN_MALFORMED},
		{"no value", NAMES("\x30\x05" SAN), SANSCAN_MALFORMED},
		{"no value but criticality", NAMES("\x30\x08" SAN "\x01\x01\xff"),
		 SANSCAN_MALFORMED},
		{"an empty value", NAMES("\x30\x07" SAN "\x04\x00"), SANSCAN_MALFORMED},
		{"an empty extension", NAMES("\x30\x00"), SANSCAN_MALFORMED},
		{"no extension", NAMES(""), SANSCAN_MALFORMED},
		{"no OID", NAMES("\x30\x0a\x04\x08\x30\x06" HOME), SANSCAN_MALFORMED},
		{"criticality twice",
		 NAMES("\x30\x15" SAN "\x01\x01\xff\x01\x01\xff\x04\x08\x30\x06" HOME),
		 SANSCAN_MALFORMED},
		{"something behind the value",
		 NAMES("\x30\x11" SAN "\x04\x08\x30\x06" HOME "\x05\x00"), SANSCAN_MALFORMED},
		{"something behind the names",
		 NAMES("\x30\x11" SAN "\x04\x0a\x30\x06" HOME "\x05\x00"), SANSCAN_MALFORMED},
		{"a SET of names", NAMES("\x30\x0f" SAN "\x04\x08\x31\x06" HOME),
		 SANSCAN_MALFORMED},
		{"a name of no choice",
		 NAMES("\x30\x0f" SAN "\x04\x08\x30\x06\x04\x04\x7f\x00\x00\x01"),
		 SANSCAN_MALFORMED},
		{"a constructed address",
		 NAMES("\x30\x0f" SAN "\x04\x08\x30\x06\xa7\x04\x7f\x00\x00\x01"), SANSCAN_NONE},
		{"an empty address", NAMES("\x30\x0b" SAN "\x04\x04\x30\x02\x87\x00"),
		 SANSCAN_MALFORMED},
		{"an address with a mask",
		 NAMES("\x30\x13" SAN "\x04\x0c\x30\x0a\x87\x08\x7f\x00\x00\x01\xff\xff\xff\xff"),
		 SANSCAN_MALFORMED},
		{"an address beyond the names",
		 NAMES("\x30\x0f" SAN "\x04\x08\x30\x06\x87\x05\x7f\x00\x00\x01"),
		 SANSCAN_MALFORMED},
		{"an indefinite length", NAMES("\x30\x11" SAN "\x04\x0a\x30\x80" HOME "\x00\x00"),
		 SANSCAN_MALFORMED},
		{"a length that could be shorter",
		 NAMES("\x30\x10" SAN "\x04\x09\x30\x81\x06" HOME), SANSCAN_MALFORMED},
		{"a length with a zero in front",
		 NAMES("\x30\x11" SAN "\x04\x0a\x30\x82\x00\x06" HOME), SANSCAN_MALFORMED},
		{"a length of four bytes", NAMES("\x30\x84\x00\x00\x00\x01" SAN),
		 SANSCAN_MALFORMED},
		{"a tag of several bytes",
		 NAMES("\x30\x0f" SAN "\x04\x08\x30\x06\x9f\x07\x03\x00\x00\x01"),
		 SANSCAN_MALFORMED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_ROW(rows[i].what, scan_extensions(rows[i].bytes) == rows[i].expected);
}

static void takes_only_a_certificate_in_one_piece(void)
{
	static const struct {
		const char *what;
		struct span bytes;
		enum sanscan_result expected;
	} rows[] = {
		{"nothing", NAMES(""), SANSCAN_MALFORMED},
		{"the smallest", NAMES("\x30\x05\x30\x03\x02\x01\x01"), SANSCAN_NONE},
		{"a SET", NAMES("\x31\x05\x30\x03\x02\x01\x01"), SANSCAN_MALFORMED},
		{"an empty one", NAMES("\x30\x00"), SANSCAN_MALFORMED},
		{"an empty TBSCertificate", NAMES("\x30\x02\x30\x00"), SANSCAN_MALFORMED},
		{"something behind", NAMES("\x30\x05\x30\x03\x02\x01\x01\x05\x00"),
		 SANSCAN_MALFORMED},
		{"extensions before the end of what is signed",
		 NAMES("\x30\x1c\x30\x1a\xa3\x15\x30\x13\x30\x11" SAN "\x04\x0a\x30\x08" HOME
		       "\x82\x00\x02\x01\x01"),
		 SANSCAN_MALFORMED},
		{"extensions outside of what is signed",
		 NAMES("\x30\x1a\x30\x03\x02\x01\x01\xa3\x13\x30\x11\x30\x0f" SAN
		       "\x04\x08\x30\x06" HOME),
		 SANSCAN_NONE},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_ROW(rows[i].what,
			  scan(rows[i].bytes.ptr, rows[i].bytes.len, &home) == rows[i].expected);
}

UNIT_TESTS(TEST(finds_addresses_among_other_names),
	   TEST(finds_no_match_in_a_certificate_cut_anywhere),
	   TEST(holds_the_length_against_what_was_said), TEST(is_strict_about_extensions),
	   TEST(takes_only_a_certificate_in_one_piece))
