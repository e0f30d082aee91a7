#include "certs.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "tls/anchors_inner.h"

static void reads_all_certificates_of_a_bundle(void)
{
	struct anchors *a = certs_anchors("bundle.pem");

	CHECK_INT(anchors_count(a), 3);
	CHECK_INT(anchors_skipped(a), 0);
	CHECK_INT(a->list[0].pkey.key_type, BR_KEYTYPE_EC);
	CHECK_INT(a->list[0].pkey.key.ec.curve, BR_EC_secp256r1);
	CHECK_INT(a->list[0].flags, BR_X509_TA_CA);
	CHECK_INT(a->list[1].pkey.key_type, BR_KEYTYPE_RSA);
	CHECK_INT(a->list[1].pkey.key.rsa.nlen, 256);
	CHECK_INT(a->list[2].pkey.key.ec.curve, BR_EC_secp384r1);
	CHECK(memmem(a->list[1].dn.data, a->list[1].dn.len, "Test RSA root", 13) != NULL);
	anchors_free(a);
}

static void trusts_what_is_no_authority_only_to_be_itself(void)
{
	struct anchors *a = certs_anchors("self-signed.pem");

	CHECK_INT(a->list[0].flags, 0);
	anchors_free(a);
}

static struct span file(const char *name, char *storage)
{
	struct span text = certs_file(name);

	memcpy(storage, text.ptr, text.len);
	return span_of(storage, text.len);
}

static void does_not_mind_text_crlf_and_duplicates(void)
{
	static char ec[32768], text[65536];
	struct span cert = file("ca-ec.pem", ec);
	struct buf b;
	struct error e;
	struct anchors *a;

	BUF_INIT_ARRAY(&b, text);
	buf_add_cstr(&b, "# a comment\r\nFirst\n=====\n");
	buf_add(&b, cert);
	buf_add_cstr(&b, "-----BEGIN X509 CRL-----\nnot even base64\n-----END X509 CRL-----\n");
	for (size_t i = 0; i < cert.len; i++) {
		if (cert.ptr[i] == '\n')
			buf_add_byte(&b, '\r');
		buf_add_byte(&b, cert.ptr[i]);
	}
	CHECK(!b.truncated);
	a = anchors_from_pem(buf_span(&b), &e);
	CHECK(a != NULL);
	CHECK_INT(anchors_count(a), 2);
	anchors_free(a);
}

static void says_which_certificate_is_bad_and_why(void)
{
	static char ec[32768];
	struct span cert = file("ca-ec.pem", ec);
	static const struct {
		const char *tail, *why;
	} rows[] = {
		{"-----BEGIN CERTIFICATE-----\nMIIB\n*\n-----END CERTIFICATE-----\n",
		 "certificate 2 (line 12): line 14: not base64"},
		{"\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
		 "certificate 2 (line 13): not a certificate, or one that is malformed"},
		{"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
		 "certificate 2 (line 12): not a certificate, or one that is malformed"},
		{"-----BEGIN CERTIFICATE-----\nMIIB\n", "line 12: BEGIN without END"},
	};

	CHECK_INT(cert.ptr[cert.len - 1], '\n');
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[4096];
		struct buf b;
		struct error e;

		BUF_INIT_ARRAY(&b, text);
		buf_add(&b, cert);
		buf_add_cstr(&b, rows[i].tail);
		CHECK(anchors_from_pem(buf_span(&b), &e) == NULL);
		CHECK_TEXT(e.text, rows[i].why);
	}
}

static void wants_at_least_one_that_can_be_used(void)
{
	struct error e;

	CHECK(anchors_from_pem(SPAN(""), &e) == NULL);
	CHECK_TEXT(e.text, "no certificate in it (-----BEGIN CERTIFICATE-----)");
	CHECK(anchors_from_pem(SPAN("hello\n-----BEGIN A-----\n-----END A-----\n"), &e) == NULL);
	CHECK_TEXT(e.text, "no certificate in it (-----BEGIN CERTIFICATE-----)");
	CHECK(anchors_from_pem(certs_file("ca-ed25519.pem"), &e) == NULL);
	CHECK_TEXT(e.text, "no certificate in it has a key of a kind that can be used");
}

static void passes_over_keys_of_other_kinds_and_counts_them(void)
{
	static char one[32768], two[32768], text[65536];
	struct buf b;
	struct error e;
	struct anchors *a;

	BUF_INIT_ARRAY(&b, text);
	buf_add(&b, file("ca-ed25519.pem", one));
	buf_add(&b, file("ca-rsa.pem", two));
	a = anchors_from_pem(buf_span(&b), &e);
	CHECK(a != NULL);
	CHECK_INT(anchors_count(a), 1);
	CHECK_INT(anchors_skipped(a), 1);
	anchors_free(a);
}

static void bounds_text_and_number(void)
{
	static char big[ANCHORS_PEM_MAX + 1];
	struct error e;
	size_t len = 0;

	memset(big, '\n', sizeof big);
	CHECK(anchors_from_pem(span_of(big, sizeof big), &e) == NULL);
	CHECK_TEXT(e.text, "over 4194304 bytes");
	for (int i = 0; i < ANCHORS_COUNT_MAX + 1; i++)
		len += (size_t)sprintf(big + len, "-----BEGIN CERTIFICATE-----\n"
						  "-----END CERTIFICATE-----\n");
	CHECK(anchors_from_pem(span_of(big, len), &e) == NULL);
	CHECK_TEXT(e.text, "more than 4096 certificates");
}

static void check_same(const struct anchors *a, const struct anchors *b)
{
	CHECK_INT(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		const br_x509_trust_anchor *x = &a->list[i], *y = &b->list[i];

		CHECK_INT(x->flags, y->flags);
		CHECK(span_eq(span_of(x->dn.data, x->dn.len), span_of(y->dn.data, y->dn.len)));
		CHECK_INT(x->pkey.key_type, y->pkey.key_type);
		if (x->pkey.key_type == BR_KEYTYPE_EC) {
			const br_ec_public_key *k = &x->pkey.key.ec, *l = &y->pkey.key.ec;

			CHECK_INT(k->curve, l->curve);
			CHECK(span_eq(span_of(k->q, k->qlen), span_of(l->q, l->qlen)));
		} else {
			const br_rsa_public_key *k = &x->pkey.key.rsa, *l = &y->pkey.key.rsa;

			CHECK(span_eq(span_of(k->n, k->nlen), span_of(l->n, l->nlen)));
			CHECK(span_eq(span_of(k->e, k->elen), span_of(l->e, l->elen)));
		}
	}
}

static void unpacks_what_it_packed(void)
{
	struct anchors *a = certs_anchors("bundle.pem"), *b;
	char storage[4096], *copy;
	struct buf packed;
	struct error e;
	uint64_t allocations;

	BUF_INIT_ARRAY(&packed, storage);
	CHECK(anchors_pack(a, &packed));
	copy = unit_guarded(packed.ptr, packed.len);
	allocations = alloc_count();
	b = anchors_from_packed(span_of(copy, packed.len), &e);
	CHECK(b != NULL);
	CHECK(alloc_count() - allocations <= 2);
	check_same(a, b);
	/* Nothing is copied. */
	CHECK((char *)b->list[0].dn.data > copy && (char *)b->list[0].dn.data < copy + packed.len);
	anchors_free(b);
	unit_guarded_free(copy, packed.len);
	anchors_free(a);
}

static void says_when_the_packed_form_does_not_fit(void)
{
	struct anchors *a = certs_anchors("bundle.pem");
	char storage[200];
	struct buf packed;

	BUF_INIT_ARRAY(&packed, storage);
	CHECK(!anchors_pack(a, &packed));
	anchors_free(a);
}

static void refuses_packed_forms_that_are_cut_or_too_long(void)
{
	struct anchors *a = certs_anchors("bundle.pem");
	char storage[4096];
	struct buf packed;
	struct error e;

	BUF_INIT_ARRAY(&packed, storage);
	CHECK(anchors_pack(a, &packed));
	anchors_free(a);
	for (size_t len = 0; len < packed.len; len++) {
		char *cut = unit_guarded(packed.ptr, len);

		CHECK(anchors_from_packed(span_of(cut, len), &e) == NULL);
		unit_guarded_free(cut, len);
	}
	buf_add_byte(&packed, 'x');
	CHECK(anchors_from_packed(buf_span(&packed), &e) == NULL);
	CHECK_TEXT(e.text, "packed anchors: 1 bytes too many");
	packed.ptr[0] ^= 1;
	CHECK(anchors_from_packed(buf_span(&packed), &e) == NULL);
	CHECK_TEXT(e.text, "not packed anchors");
}

static void refuses_packed_entries_that_make_no_sense(void)
{
#define PACKED(entry) SPAN("ebanchor\0\0\0\1" entry)
	static const struct {
		const char *label;
		struct span packed;
	} rows[] = {
		{"no entry", SPAN("ebanchor\0\0\0\0")},
		{"too many entries", SPAN("ebanchor\0\1\0\0")},
		{"key of another kind", PACKED("\1\3\0\1\0\1\0\1"
					       "nke")},
		{"no name", PACKED("\1\1\0\0\0\1\0\1"
				   "ke")},
		{"no modulus", PACKED("\1\1\0\1\0\0\0\1"
				      "ne")},
		{"no exponent", PACKED("\1\1\0\1\0\1\0\0"
				       "nk")},
		{"no point", PACKED("\1\2\0\1\0\0\0\27"
				    "n")},
		{"curve out of range", PACKED("\1\2\0\1\0\1\0\40"
					      "nk")},
	};
	struct error e;
	struct anchors *a = anchors_from_packed(PACKED("\1\1\0\1\0\1\0\1"
						       "nke"),
						&e);

	CHECK(a != NULL);
	anchors_free(a);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		CHECK_ROW(rows[i].label, anchors_from_packed(rows[i].packed, &e) == NULL);
}

static void survives_every_lack_of_memory(void)
{
	static char storage[32768];
	struct span text = file("bundle.pem", storage);
	struct anchors *a = NULL;
	struct error e;

	for (int64_t n = 0; a == NULL; n++) {
		CHECK(n < 100);
		alloc_fail_after(n);
		a = anchors_from_pem(text, &e);
		alloc_fail_after(-1);
		if (a == NULL)
			CHECK(strstr(e.text, "out of memory") != NULL);
	}
	anchors_free(a);
}

UNIT_TESTS(TEST(reads_all_certificates_of_a_bundle),
	   TEST(trusts_what_is_no_authority_only_to_be_itself),
	   TEST(does_not_mind_text_crlf_and_duplicates),
	   TEST(says_which_certificate_is_bad_and_why), TEST(wants_at_least_one_that_can_be_used),
	   TEST(passes_over_keys_of_other_kinds_and_counts_them), TEST(bounds_text_and_number),
	   TEST(unpacks_what_it_packed), TEST(says_when_the_packed_form_does_not_fit),
	   TEST(refuses_packed_forms_that_are_cut_or_too_long),
	   TEST(refuses_packed_entries_that_make_no_sense), TEST(survives_every_lack_of_memory))
