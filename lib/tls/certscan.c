#include "tls/certscan.h"

#include <string.h>

#include "base/span.h"

enum tag {
	TAG_INTEGER = 0x02,
	TAG_UTC_TIME = 0x17,
	TAG_GENERALIZED_TIME = 0x18,
	TAG_SEQUENCE = 0x30,
	TAG_VERSION = 0xa0,
};

enum action {
	ENTER, /* go on with the first element inside */
	SKIP,  /* go on behind it */
	MAYBE, /* the same, when it is there */
	KEEP,  /* the same, with the first bytes of its content kept and looked at */
};

enum step {
	STEP_CERTIFICATE,
	STEP_TBS,
	STEP_VERSION,
	STEP_SERIAL,
	STEP_SIGNATURE,
	STEP_ISSUER,
	STEP_VALIDITY,
	STEP_NOT_BEFORE,
	STEP_NOT_AFTER,
	STEP_DONE,
};

/* The beginning of a certificate (RFC 5280 section 4.1), element by element. */
static const struct {
	uint8_t tag, other_tag;
	uint8_t action;
} steps[] = {
	[STEP_CERTIFICATE] = {TAG_SEQUENCE, TAG_SEQUENCE, ENTER},
	[STEP_TBS] = {TAG_SEQUENCE, TAG_SEQUENCE, ENTER},
	[STEP_VERSION] = {TAG_VERSION, TAG_VERSION, MAYBE},
	[STEP_SERIAL] = {TAG_INTEGER, TAG_INTEGER, SKIP},
	[STEP_SIGNATURE] = {TAG_SEQUENCE, TAG_SEQUENCE, KEEP},
	[STEP_ISSUER] = {TAG_SEQUENCE, TAG_SEQUENCE, SKIP},
	[STEP_VALIDITY] = {TAG_SEQUENCE, TAG_SEQUENCE, ENTER},
	[STEP_NOT_BEFORE] = {TAG_UTC_TIME, TAG_GENERALIZED_TIME, KEEP},
	[STEP_NOT_AFTER] = {TAG_UTC_TIME, TAG_GENERALIZED_TIME, KEEP},
};

#define OID(text) ((struct span){"\x06" text, sizeof text})

/* OBJECT IDENTIFIERs of signature algorithms with hash functions that are broken, in DER. */
static bool is_weak_signature(struct span algorithm)
{
	const struct span weak[] = {
		OID("\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), /* md2WithRSAEncryption */
		OID("\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), /* md5WithRSAEncryption */
		OID("\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), /* sha1WithRSAEncryption */
		OID("\x05\x2b\x0e\x03\x02\x1d"),		 /* sha1WithRSASignature */
		OID("\x07\x2a\x86\x48\xce\x3d\x04\x01"),	 /* ecdsa-with-SHA1 */
		OID("\x07\x2a\x86\x48\xce\x38\x04\x03"),	 /* dsa-with-sha1 */
	};

	for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++)
		if (span_starts_with(algorithm, weak[i]))
			return true;
	return false;
}

static bool two_digits(const uint8_t *text, int *value)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*value = (text[0] - '0') * 10 + (text[1] - '0');
	return true;
}

/* Days from 1970-01-01. Years begin in March here, so that a leap day is the last of its year. */
static int64_t days_from_date(int year, int month, int day)
{
	int shifted = month <= 2 ? year - 1 : year;
	int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return 365 * (int64_t)shifted + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year -
	       719468;
}

/* UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ (RFC 5280 section 4.1.2.5). */
static bool parse_time(const uint8_t *text, size_t len, bool is_generalized, int64_t *seconds)
{
	int century, field[6];

	if (len != (is_generalized ? 15 : 13) || text[len - 1] != 'Z')
		return false;
	if (is_generalized) {
		if (!two_digits(text, &century))
			return false;
		text += 2;
	}
	for (int i = 0; i < 6; i++)
		if (!two_digits(text + 2 * i, &field[i]))
			return false;
	if (!is_generalized)
		century = field[0] < 50 ? 20 : 19;
	*seconds = days_from_date(century * 100 + field[0], field[1], field[2]) * 86400 +
		   field[3] * 3600 + field[4] * 60 + field[5];
	return true;
}

/* The kept content of an element is complete. */
static bool take_content(struct certscan *s)
{
	bool is_generalized = s->header[0] == TAG_GENERALIZED_TIME;

	switch (s->step) {
	case STEP_SIGNATURE:
		s->has_weak_signature = is_weak_signature(span_of(s->content, s->content_len));
		return true;
	case STEP_NOT_BEFORE:
		return parse_time(s->content, s->content_len, is_generalized, &s->not_before_s);
	default:
		s->has_dates = parse_time(s->content, s->content_len, is_generalized,
					  &s->not_after_s);
		return s->has_dates;
	}
}

static void next_step(struct certscan *s)
{
	if (steps[s->step].action == KEEP && !take_content(s))
		s->step = STEP_DONE;
	else
		s->step++;
	s->header_len = 0;
	s->content_len = 0;
}

/* Bytes that tag and length take, as far as that is known from those there are. */
static size_t header_size(const struct certscan *s)
{
	if (s->header_len < 2 || s->header[1] < 0x80)
		return 2;
	return 2 + (s->header[1] & 0x7fu);
}

/* Tag and length are complete. */
static void take_header(struct certscan *s)
{
	if (steps[s->step].action == MAYBE && s->header[0] != steps[s->step].tag)
		s->step++;
	if (s->header[0] != steps[s->step].tag && s->header[0] != steps[s->step].other_tag) {
		s->step = STEP_DONE;
		return;
	}
	s->left = s->header[1];
	if (s->header_len > 2)
		s->left = 0;
	for (size_t i = 2; i < s->header_len; i++)
		s->left = s->left << 8 | s->header[i];
	if (steps[s->step].action == ENTER)
		s->left = 0;
	if (s->left == 0)
		next_step(s);
}

static void add_header_byte(struct certscan *s, uint8_t byte)
{
	s->header[s->header_len++] = byte;
	/* DER has no indefinite length; a certificate has no element of 4 GiB. */
	if (header_size(s) > sizeof s->header || (s->header_len == 2 && byte == 0x80))
		s->step = STEP_DONE;
	else if (s->header_len == header_size(s))
		take_header(s);
}

/* Takes content of the present element; returns how much. */
static size_t add_content(struct certscan *s, const uint8_t *bytes, size_t len)
{
	size_t room = sizeof s->content - s->content_len;

	if (len > s->left)
		len = s->left;
	if (steps[s->step].action == KEEP && room > 0) {
		size_t kept = len < room ? len : room;

		memcpy(s->content + s->content_len, bytes, kept);
		s->content_len = (uint8_t)(s->content_len + kept);
	}
	s->left -= (uint32_t)len;
	if (s->left == 0)
		next_step(s);
	return len;
}

void certscan_init(struct certscan *s)
{
	memset(s, 0, sizeof *s);
}

void certscan_add(struct certscan *s, const uint8_t *bytes, size_t len)
{
	while (len > 0 && s->step != STEP_DONE) {
		size_t n = 1;

		if (s->left > 0)
			n = add_content(s, bytes, len);
		else
			add_header_byte(s, *bytes);
		bytes += n;
		len -= n;
	}
}
