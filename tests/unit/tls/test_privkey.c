#include "certs.h"

#include "tls/privkey.h"

struct key {
	uint8_t der[4096];
	size_t len;
};

static void load(const char *file, struct key *k)
{
	struct pem_object object;
	struct pem pem;
	struct error e;

	pem_init(&pem, certs_file(file));
	CHECK(pem_next(&pem, &object, &e) == PEM_OBJECT);
	CHECK(pem_decode(&object, k->der, sizeof k->der, &k->len, &e));
}

static const char *parse(enum privkey_form form, const void *der, size_t len, struct privkey *out)
{
	char *guarded = unit_guarded(der, len);
	const char *problem = privkey_parse(form, span_of(guarded, len), out);

	unit_guarded_free(guarded, len);
	return problem;
}

static const struct {
	const char *file;
	enum privkey_form form;
	int type;
	size_t size; /* of the modulus or the scalar, in bytes */
} good[] = {
	{"client-p256.key", PRIVKEY_PKCS8, BR_KEYTYPE_EC, 32},
	{"client-p256.sec1.key", PRIVKEY_SEC1, BR_KEYTYPE_EC, 32},
	{"client-p384.key", PRIVKEY_PKCS8, BR_KEYTYPE_EC, 48},
	{"client-p384.sec1.key", PRIVKEY_SEC1, BR_KEYTYPE_EC, 48},
	{"client-rsa2048.key", PRIVKEY_PKCS8, BR_KEYTYPE_RSA, 256},
	{"client-rsa2048.pkcs1.key", PRIVKEY_PKCS1, BR_KEYTYPE_RSA, 256},
};
#define GOOD_COUNT (sizeof good / sizeof good[0])

static void reads_each_form(void)
{
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		struct privkey out;
		struct key k;

		load(good[i].file, &k);
		CHECK_ROW(good[i].file,
			  privkey_parse(good[i].form, span_of(k.der, k.len), &out) == NULL);
		CHECK_ROW(good[i].file, out.type == good[i].type);
		if (out.type == BR_KEYTYPE_EC) {
			CHECK_INT(out.ec.xlen, good[i].size);
			continue;
		}
		CHECK_INT(out.modulus.len, good[i].size);
		CHECK_INT(out.rsa.n_bitlen, 2048);
		CHECK_INT(out.rsa.plen, 128);
		CHECK_INT(out.rsa.qlen, 128);
	}
}

/* The two forms of a key have the same numbers. */
static void reads_the_same_from_either_form(void)
{
	struct privkey a, b;
	struct key pkcs8, own;

	load("client-rsa2048.key", &pkcs8);
	load("client-rsa2048.pkcs1.key", &own);
	CHECK(privkey_parse(PRIVKEY_PKCS8, span_of(pkcs8.der, pkcs8.len), &a) == NULL);
	CHECK(privkey_parse(PRIVKEY_PKCS1, span_of(own.der, own.len), &b) == NULL);
	CHECK(span_eq(a.modulus, b.modulus));
	CHECK(memcmp(a.rsa.p, b.rsa.p, a.rsa.plen) == 0);
	CHECK(memcmp(a.rsa.iq, b.rsa.iq, a.rsa.iqlen) == 0);
	load("client-p384.key", &pkcs8);
	load("client-p384.sec1.key", &own);
	CHECK(privkey_parse(PRIVKEY_PKCS8, span_of(pkcs8.der, pkcs8.len), &a) == NULL);
	CHECK(privkey_parse(PRIVKEY_SEC1, span_of(own.der, own.len), &b) == NULL);
	CHECK(a.ec.curve == BR_EC_secp384r1 && b.ec.curve == BR_EC_secp384r1);
	CHECK(memcmp(a.ec.x, b.ec.x, 48) == 0);
}

static void refuses_what_it_cannot_use(void)
{
	static const struct {
		const char *file, *why;
	} rows[] = {
		{"client-ed25519.key", "the key is neither RSA nor EC"},
		{"client-p521.key", "an EC key must be on P-256 or P-384"},
		{"client-rsa1024.key", "an RSA key must have 2048 to 4096 bits"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct privkey out;
		struct key k;

		load(rows[i].file, &k);
		CHECK_TEXT(privkey_parse(PRIVKEY_PKCS8, span_of(k.der, k.len), &out), rows[i].why);
	}
}

static void refuses_every_key_that_is_cut_or_longer(void)
{
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		struct privkey out;
		struct key k;

		load(good[i].file, &k);
		for (size_t len = 0; len < k.len; len++)
			CHECK_ROW(good[i].file, parse(good[i].form, k.der, len, &out) != NULL);
		k.der[k.len] = 0;
		CHECK_ROW(good[i].file, parse(good[i].form, k.der, k.len + 1, &out) != NULL);
		CHECK_ROW(good[i].file, parse(good[i].form, k.der, k.len, &out) == NULL);
	}
}

/* No form is taken for another. */
static void refuses_a_form_that_is_not_the_one_named(void)
{
	static const enum privkey_form forms[] = {PRIVKEY_PKCS1, PRIVKEY_SEC1, PRIVKEY_PKCS8};

	for (size_t i = 0; i < GOOD_COUNT; i++)
		for (size_t f = 0; f < 3; f++) {
			struct privkey out;
			struct key k;

			load(good[i].file, &k);
			CHECK_ROW(good[i].file, (parse(forms[f], k.der, k.len, &out) == NULL) ==
							(forms[f] == good[i].form));
		}
}

static void refuses_ec_keys_that_make_no_sense(void)
{
#define P256_OID "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
	static const struct {
		const char *what;
		struct span der;
		bool is_good;
	} rows[] = {
		{"short scalar", SPAN("\x30\x12\x02\x01\x01\x04\x01\x05\xa0\x0a" P256_OID), true},
		{"no curve", SPAN("\x30\x06\x02\x01\x01\x04\x01\x05"), false},
		{"empty scalar", SPAN("\x30\x11\x02\x01\x01\x04\x00\xa0\x0a" P256_OID), false},
		{"version 2", SPAN("\x30\x12\x02\x01\x02\x04\x01\x05\xa0\x0a" P256_OID), false},
		{"long scalar",
		 SPAN("\x30\x32\x02\x01\x01\x04\x21"
		      "\x01xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xa0\x0a" P256_OID),
		 false},
		{"curve and more",
		 SPAN("\x30\x14\x02\x01\x01\x04\x01\x05\xa0\x0c" P256_OID "\x05\x00"), false},
		{"something behind",
		 SPAN("\x30\x14\x02\x01\x01\x04\x01\x05\xa0\x0a" P256_OID "\x05\x00"), false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct privkey out;

		CHECK_ROW(rows[i].what, (parse(PRIVKEY_SEC1, rows[i].der.ptr, rows[i].der.len,
					       &out) == NULL) == rows[i].is_good);
	}
}

UNIT_TESTS(TEST(reads_each_form), TEST(reads_the_same_from_either_form),
	   TEST(refuses_what_it_cannot_use), TEST(refuses_every_key_that_is_cut_or_longer),
	   TEST(refuses_a_form_that_is_not_the_one_named), TEST(refuses_ec_keys_that_make_no_sense))
