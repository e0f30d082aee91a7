#include "certs.h"

#include "tls/certscan.h"

/* The beginning of a certificate up to the dates, which are all that is looked at. */
#define HEAD(signature, issuer, dates)                                                             \
	"\x30\x82\x01\x00\x30\x81\xf0\xa0\x03\x02\x01\x02\x02\x01\x01" signature issuer dates
#define SHA256_RSA "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"
#define SHA1_RSA "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"
#define SHA1_ECDSA "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"
#define SHA256_ECDSA "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define NOBODY "\x30\x00"
#define DATES                                                                                      \
	"\x30\x1e\x17\x0d"                                                                         \
	"700101000000Z"                                                                            \
	"\x17\x0d"                                                                                 \
	"700102000001Z"

static const struct row {
	const char *label;
	struct span bytes;
	bool has_weak_signature, has_dates;
	int64_t not_before_s, not_after_s;
} rows[] = {
	{"plain", SPAN(HEAD(SHA256_RSA, NOBODY, DATES)), false, true, 0, 86401},
	{"SHA-1 with RSA", SPAN(HEAD(SHA1_RSA, NOBODY, DATES)), true, true, 0, 86401},
	{"SHA-1 with ECDSA", SPAN(HEAD(SHA1_ECDSA, NOBODY, DATES)), true, true, 0, 86401},
	{"SHA-256 with ECDSA", SPAN(HEAD(SHA256_ECDSA, NOBODY, DATES)), false, true, 0, 86401},
	{"an OID that only begins like SHA-1 with ECDSA",
	 SPAN(HEAD("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x01\x02", NOBODY, DATES)), false, true,
	 0, 86401},
	{"no version", SPAN("\x30\x50\x30\x40\x02\x01\x01" SHA256_RSA NOBODY DATES), false, true, 0,
	 86401},
	{"years 1950 and 2049",
	 SPAN(HEAD(SHA256_RSA, NOBODY,
		   "\x30\x1e\x17\x0d"
		   "500101000000Z"
		   "\x17\x0d"
		   "491231235959Z")),
	 false, true, -631152000, 2524607999},
	{"GeneralizedTime",
	 SPAN(HEAD(SHA256_RSA, NOBODY,
		   "\x30\x22\x18\x0f"
		   "20000229000000Z"
		   "\x18\x0f"
		   "99991231235959Z")),
	 false, true, 951782400, 253402300799},
	{"a long issuer",
	 SPAN(HEAD(SHA256_RSA,
		   "\x30\x81\x14\x31\x12\x30\x10\x06\x03\x55\x04\x0a\x0c\x09"
		   "123456789",
		   DATES)),
	 false, true, 0, 86401},
	{"a time that is none",
	 SPAN(HEAD(SHA256_RSA, NOBODY,
		   "\x30\x1e\x17\x0d"
		   "7001x1000000Z"
		   "\x17\x0d"
		   "700102000001Z")),
	 false, false, 0, 0},
	{"a time with another zone",
	 SPAN(HEAD(SHA256_RSA, NOBODY,
		   "\x30\x22\x17\x11"
		   "700101000000+0100"
		   "\x17\x0d"
		   "700102000001Z")),
	 false, false, 0, 0},
	{"an empty time",
	 SPAN(HEAD(SHA256_RSA, NOBODY,
		   "\x30\x1e\x17\x00\x17\x0d"
		   "700102000001Z")),
	 false, false, 0, 0},
	{"a signature algorithm of another kind",
	 SPAN(HEAD("\x31\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00", NOBODY, DATES)),
	 false, false, 0, 0},
	{"a length of five bytes",
	 SPAN("\x30\x85\x00\x00\x00\x01\x00\x30\x40\x02\x01\x01" SHA1_RSA), false, false, 0, 0},
	{"an indefinite length", SPAN("\x30\x80\x30\x80\x02\x01\x01" SHA1_RSA NOBODY DATES), false,
	 false, 0, 0},
	{"an element longer than all there is",
	 SPAN(HEAD("\x30\x84\xff\xff\xff\xff\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "", "")),
	 false, false, 0, 0},
	{"nothing", SPAN(""), false, false, 0, 0},
};

static void check_row(const struct row *row, const struct certscan *s)
{
	CHECK_ROW(row->label, s->has_weak_signature == row->has_weak_signature);
	CHECK_ROW(row->label, s->has_dates == row->has_dates);
	if (row->has_dates)
		CHECK_ROW(row->label, s->not_before_s == row->not_before_s &&
					      s->not_after_s == row->not_after_s);
}

static void reads_signature_and_dates_whole_and_split_anywhere(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		char *bytes = unit_guarded(row->bytes.ptr, row->bytes.len);
		struct certscan s;

		for (size_t split = 0; split <= row->bytes.len; split++) {
			certscan_init(&s);
			certscan_add(&s, (uint8_t *)bytes, split);
			certscan_add(&s, (uint8_t *)bytes + split, row->bytes.len - split);
			check_row(row, &s);
		}
		certscan_init(&s);
		for (size_t at = 0; at < row->bytes.len; at++)
			certscan_add(&s, (uint8_t *)bytes + at, 1);
		check_row(row, &s);
		unit_guarded_free(bytes, row->bytes.len);
	}
}

static void reads_real_certificates(void)
{
	static const char *const files[] = {"good.pem", "rsa.pem",     "p384.pem",   "sha1.pem",
					    "md5.pem",	"cn-only.pem", "ed25519.pem"};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct certs chain;
		struct certscan s;

		certs_chain(files[i], &chain);
		for (size_t c = 0; c < chain.count; c++) {
			certscan_init(&s);
			certscan_add(&s, chain.list[c].data, chain.list[c].data_len);
			CHECK_ROW(files[i], s.has_dates);
			CHECK_ROW(files[i], s.not_before_s < (int64_t)NOW);
			CHECK_ROW(files[i], s.not_after_s > (int64_t)NOW);
			CHECK_ROW(files[i], s.has_weak_signature ==
						    (files[i][0] == 's' || files[i][0] == 'm'));
		}
	}
}

UNIT_TESTS(TEST(reads_signature_and_dates_whole_and_split_anywhere), TEST(reads_real_certificates))
