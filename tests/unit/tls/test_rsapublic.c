#include "certs.h"
#include "rounds.h"

#include "tls/privkey.h"
#include "tls/rsapublic.h"

#define BYTES_MAX 512

static br_rsa_public_key key_of(unsigned char *n, size_t len, unsigned char *e, size_t e_len)
{
	return (br_rsa_public_key){n, len, e, e_len};
}

/* A modulus of this many bits exactly, odd, with limbs that carry far. */
static size_t make_modulus(unsigned char *n, unsigned bits)
{
	size_t len = (bits + 7) / 8;
	uint64_t limbs[BYTES_MAX / 8];

	rounds_limbs(limbs, BYTES_MAX / 8);
	memcpy(n, limbs, len);
	n[0] &= (unsigned char)(0xff >> (8 * len - bits));
	n[0] |= (unsigned char)(0x80 >> (8 * len - bits));
	n[len - 1] |= 1;
	return len;
}

/* Something less than the modulus, mostly. */
static void make_base(unsigned char *x, const unsigned char *n, size_t len)
{
	uint64_t limbs[BYTES_MAX / 8];

	rounds_limbs(limbs, BYTES_MAX / 8);
	memcpy(x, limbs, len);
	switch (rounds_below(8)) {
	case 0: /* one less than the modulus, or the modulus */
		memcpy(x, n, len);
		x[len - 1] -= (unsigned char)rounds_below(2);
		break;
	case 1: /* 0, 1, 2 */
		memset(x, 0, len);
		x[len - 1] = (unsigned char)rounds_below(3);
		break;
	case 2: /* anything */
		break;
	default:
		x[0] = n[0] > 0 ? (unsigned char)rounds_below(n[0]) : 0;
		break;
	}
}

static void check_power(const unsigned char *x, size_t len, const br_rsa_public_key *key)
{
	unsigned char ours[BYTES_MAX], theirs[BYTES_MAX];
	uint32_t is_right;

	memcpy(ours, x, len);
	memcpy(theirs, x, len);
	is_right = br_rsa_public_get_default()(theirs, len, key);
	CHECK(rsapublic_power(ours, len, key) == is_right);
	CHECK(memcmp(ours, is_right != 0 ? theirs : x, len) == 0);
}

static unsigned char exponents[][8] = {
	{3},
	{5},
	{17},
	{0, 0, 3},
	{1, 0, 1},
	{0, 1, 0, 1},
	{1, 0, 0, 0, 1},
	{0xff, 0xff, 0xff, 0xff},
	{0x80, 0, 0, 0, 0, 0, 0, 1},
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};
static const size_t exponent_lens[] = {1, 1, 1, 3, 3, 4, 5, 4, 8, 8};
#define EXPONENTS (sizeof exponent_lens / sizeof exponent_lens[0])

static void agrees_with_bearssl(void)
{
	static const unsigned bits[] = {2048, 3072, 4096, 1024, 2047, 2049, 2041, 2040,
					3000, 4095, 8,	  9,	64,   65,   127};

	for (long round = rounds_start(300); round > 0; round--) {
		unsigned char n[BYTES_MAX], x[BYTES_MAX], e[32];
		size_t choice = rounds_below(EXPONENTS + 2);
		unsigned size = rounds_below(3) == 0 ? 4 + rounds_below(4093)
						     : bits[rounds_below(15)];
		size_t len = make_modulus(n, size);
		br_rsa_public_key key = key_of(n, len, e, sizeof e);

		rounds_fill(e, sizeof e);
		e[sizeof e - 1] |= 3;
		if (choice < EXPONENTS) {
			key.e = exponents[choice];
			key.elen = exponent_lens[choice];
		} else if (choice == EXPONENTS) {
			key.elen = 1 + rounds_below(4);
			e[key.elen - 1] |= 3;
		}
		make_base(x, n, len);
		check_power(x, len, &key);
	}
}

static void does_not_mind_leading_zeroes(void)
{
	unsigned char n[BYTES_MAX + 8], x[BYTES_MAX];
	br_rsa_public_key key;

	rounds_start(0);
	memset(n, 0, 8);
	for (unsigned bits = 2041; bits <= 2048; bits++) {
		size_t len = make_modulus(n + 8, bits);

		rounds_fill(x, len);
		x[0] = 0;
		for (size_t zero = 0; zero <= 8; zero++) {
			key = key_of(n + 8 - zero, len + zero, exponents[5], 4);
			check_power(x, len, &key);
			CHECK(rsapublic_power(x, len, &key) == 1);
			x[0] = 0;
		}
		/* The length is that of the modulus without them. */
		CHECK(rsapublic_power(x, len + 1, &key) == 0);
		CHECK(rsapublic_power(x, len - 1, &key) == 0);
	}
}

static void refuses_what_is_no_key(void)
{
	static unsigned char even[] = {1, 0, 0}, one[] = {0, 1}, zero[] = {0, 0};
	unsigned char n[BYTES_MAX], x[BYTES_MAX + 8] = {0};
	size_t len;
	br_rsa_public_key key;

	rounds_start(0);
	len = make_modulus(n, 2048);
	x[len - 1] = 5;
	key = key_of(n, len, exponents[0], 1);
	CHECK(rsapublic_power(x, len, &key) == 1 && x[len - 1] == 125);
	key = key_of(n, len, even, sizeof even);
	CHECK(rsapublic_power(x, len, &key) == 0);
	key = key_of(n, len, one, sizeof one);
	CHECK(rsapublic_power(x, len, &key) == 0);
	key = key_of(n, len, zero, sizeof zero);
	CHECK(rsapublic_power(x, len, &key) == 0);
	key = key_of(n, len, NULL, 0);
	CHECK(rsapublic_power(x, len, &key) == 0);
	n[len - 1] &= 0xfe;
	key = key_of(n, len, exponents[0], 1);
	CHECK(rsapublic_power(x, len, &key) == 0);
	CHECK(x[len - 1] == 125);
	memset(n, 0, len);
	CHECK(rsapublic_power(x, len, &key) == 0);
	CHECK(rsapublic_power(x, 0, &key) == 0);
	/* The modulus 1 has only the number 0. */
	n[len - 1] = 1;
	CHECK(rsapublic_power(x, 1, &key) == 1 && x[0] == 0);
	CHECK(rsapublic_power(x + len - 1, 1, &key) == 0);
}

static void refuses_more_than_4096_bits(void)
{
	unsigned char n[BYTES_MAX + 1], x[BYTES_MAX + 1] = {0}, hash[64];
	br_rsa_public_key key = key_of(n, sizeof n, exponents[0], 1);

	memset(n, 0xff, sizeof n);
	CHECK(rsapublic_power(x, sizeof x, &key) == 0);
	CHECK(rsapublic_pkcs1_vrfy(x, sizeof x, BR_HASH_OID_SHA256, 32, &key, hash) == 0);
}

static void check_signature(const unsigned char *sig, size_t len, const unsigned char *oid,
			    size_t hash_len, const br_rsa_public_key *key, bool is_good)
{
	unsigned char ours[64] = {0}, theirs[64] = {0};

	CHECK(rsapublic_pkcs1_vrfy(sig, len, oid, hash_len, key, ours) == is_good);
	CHECK(br_rsa_pkcs1_vrfy_get_default()(sig, len, oid, hash_len, key, theirs) == is_good);
	CHECK(memcmp(ours, theirs, sizeof ours) == 0);
}

static void load_key(struct privkey *key, br_rsa_public_key *public)
{
	static unsigned char der[4096];
	struct pem_object object;
	struct pem pem;
	struct error e;
	size_t len;

	pem_init(&pem, certs_file("client-rsa2048.key"));
	CHECK(pem_next(&pem, &object, &e) == PEM_OBJECT);
	CHECK(pem_decode(&object, der, sizeof der, &len, &e));
	CHECK(privkey_parse(PRIVKEY_PKCS8, span_of(der, len), key) == NULL);
	*public = key_of((unsigned char *)(uintptr_t)key->modulus.ptr, key->modulus.len,
			 exponents[4], 3);
}

static void verifies_signatures(void)
{
	static const struct {
		const unsigned char *oid;
		size_t len;
	} hashes[] = {{BR_HASH_OID_SHA256, 32}, {BR_HASH_OID_SHA384, 48}, {BR_HASH_OID_SHA512, 64}};
	unsigned char hash[64], sig[256];
	struct privkey key;
	br_rsa_public_key public;

	rounds_start(0);
	load_key(&key, &public);
	for (size_t i = 0; i < 3; i++) {
		unsigned char out[64];

		rounds_fill(hash, sizeof hash);
		CHECK(br_rsa_pkcs1_sign_get_default()(hashes[i].oid, hash, hashes[i].len, &key.rsa,
						      sig) == 1);
		check_signature(sig, 256, hashes[i].oid, hashes[i].len, &public, true);
		CHECK(rsapublic_pkcs1_vrfy(sig, 256, hashes[i].oid, hashes[i].len, &public, out));
		CHECK(memcmp(out, hash, hashes[i].len) == 0);
		check_signature(sig, 256, hashes[(i + 1) % 3].oid, hashes[i].len, &public, false);
		check_signature(sig, 256, hashes[i].oid, hashes[i].len - 1, &public, false);
		check_signature(sig, 255, hashes[i].oid, hashes[i].len, &public, false);
		for (size_t bit = 0; bit < 2048; bit += 61) {
			sig[bit / 8] ^= (unsigned char)(1 << bit % 8);
			check_signature(sig, 256, hashes[i].oid, hashes[i].len, &public, false);
			sig[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
}

/* Padding that a careless check takes (Bleichenbacher 2006), signed with the key like any other. */
static void refuses_bad_padding(void)
{
	static const unsigned char digest[] = {0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1,
					       0x65, 3,	   4,	 2,    1, 5, 0,	   4,	 0x20};
	unsigned char good[256], bad[256];
	struct privkey key;
	br_rsa_public_key public;

	load_key(&key, &public);
	memset(good, 0xff, sizeof good);
	good[0] = 0;
	good[1] = 1;
	good[256 - 32 - sizeof digest - 1] = 0;
	memcpy(good + 256 - 32 - sizeof digest, digest, sizeof digest);
	memset(good + 256 - 32, 0x5a, 32);
	for (size_t i = 0; i <= 256 - 32; i++) {
		memcpy(bad, good, sizeof bad);
		if (i < 256 - 32)
			bad[i] ^= 2;
		CHECK(br_rsa_private_get_default()(bad, &key.rsa) == 1);
		check_signature(bad, 256, BR_HASH_OID_SHA256, 32, &public, i == 256 - 32);
	}
	/* Eight bytes of padding, then the digest, then what the forger is free to choose. */
	memset(bad, 0xa5, sizeof bad);
	memcpy(bad, good, 10);
	bad[10] = 0;
	memcpy(bad + 11, good + 256 - 32 - sizeof digest, 32 + sizeof digest);
	CHECK(br_rsa_private_get_default()(bad, &key.rsa) == 1);
	check_signature(bad, 256, BR_HASH_OID_SHA256, 32, &public, false);
}

UNIT_TESTS(TEST(agrees_with_bearssl), TEST(does_not_mind_leading_zeroes),
	   TEST(refuses_what_is_no_key), TEST(refuses_more_than_4096_bits),
	   TEST(verifies_signatures), TEST(refuses_bad_padding))
