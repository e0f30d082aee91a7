#include "rounds.h"

#include "tls/limb.h"
#include "tls/p256verify.h"

#define KEY_LEN 65
#define SIG_MAX 160

struct sample {
	br_ec_private_key secret;
	unsigned char secret_bytes[BR_EC_KBUF_PRIV_MAX_SIZE];
	unsigned char key[BR_EC_KBUF_PUB_MAX_SIZE], hash[64], sig[SIG_MAX];
	size_t key_len, hash_len, sig_len;
	int curve;
};

static bool ours(const struct sample *s)
{
	char *sig = unit_guarded(s->sig, s->sig_len), *key = unit_guarded(s->key, s->key_len);
	char *hash = unit_guarded(s->hash, s->hash_len);
	br_ec_public_key public = {s->curve, (unsigned char *)key, s->key_len};
	uint32_t answer = p256verify_asn1(br_ec_get_default(), hash, s->hash_len, &public, sig,
					  s->sig_len);

	unit_guarded_free(sig, s->sig_len);
	unit_guarded_free(key, s->key_len);
	unit_guarded_free(hash, s->hash_len);
	CHECK(answer <= 1);
	return answer != 0;
}

static bool bearssl(const struct sample *s)
{
	unsigned char key[BR_EC_KBUF_PUB_MAX_SIZE];
	br_ec_public_key public = {s->curve, key, s->key_len};

	memcpy(key, s->key, s->key_len);
	return br_ecdsa_vrfy_asn1_get_default()(br_ec_get_default(), s->hash, s->hash_len, &public,
						s->sig, s->sig_len) != 0;
}

static void make_key(struct sample *s, int curve)
{
	const br_ec_impl *impl = br_ec_get_default();
	br_ec_public_key public;

	s->curve = curve;
	CHECK(br_ec_keygen(&rounds_rng.vtable, impl, &s->secret, s->secret_bytes, curve) > 0);
	s->key_len = br_ec_compute_pub(impl, &public, s->key, &s->secret);
	CHECK(s->key_len > 0);
}

static void sign(struct sample *s, const br_hash_class *hash)
{
	s->hash_len = hash->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
	rounds_fill(s->hash, s->hash_len);
	s->sig_len = br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), hash, s->hash,
						      &s->secret, s->sig);
	CHECK(s->sig_len > 0);
}

static const br_hash_class *const hashes[] = {&br_sha1_vtable, &br_sha224_vtable, &br_sha256_vtable,
					      &br_sha384_vtable, &br_sha512_vtable};

static void takes_what_is_signed(void)
{
	static const int curves[] = {BR_EC_secp256r1, BR_EC_secp384r1, BR_EC_secp521r1};

	rounds_start(0);
	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
		struct sample s;

		make_key(&s, curves[i]);
		for (size_t j = 0; j < sizeof hashes / sizeof hashes[0]; j++) {
			sign(&s, hashes[j]);
			CHECK(ours(&s));
			s.hash[rounds_below(20)] ^= (unsigned char)(1 << rounds_below(8));
			CHECK(!ours(&s));
		}
	}
}

static void refuses_each_flipped_bit(void)
{
	struct sample s;

	rounds_start(0);
	make_key(&s, BR_EC_secp256r1);
	sign(&s, &br_sha256_vtable);
	for (size_t i = 0; i < 8 * s.sig_len; i++) {
		s.sig[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(!ours(&s));
		s.sig[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (size_t i = 0; i < 8 * s.key_len; i += 3) {
		s.key[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(!ours(&s));
		s.key[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	CHECK(ours(&s));
}

/* A change that may leave the signature good: shorter, longer, other numbers, more zeroes. */
static void change(struct sample *s)
{
	unsigned char *at;
	uint64_t number[4];
	size_t len;

	switch (rounds_below(8)) {
	case 0: /* some byte of it */
		s->sig[rounds_below((unsigned)s->sig_len)] = (unsigned char)rounds_below(256);
		break;
	case 1: /* the hash or the key */
		at = rounds_below(2) == 0 ? s->hash : s->key;
		at[rounds_below(32)] ^= (unsigned char)(1 << rounds_below(8));
		break;
	case 2: /* how much of the hash there is */
		s->hash_len = rounds_below(sizeof s->hash);
		break;
	case 3: /* where it ends */
		s->sig_len -= rounds_below(9);
		break;
	case 4: /* a zero before r */
		memmove(s->sig + 5, s->sig + 4, s->sig_len - 4);
		s->sig[4] = 0;
		s->sig_len++;
		s->sig[1]++;
		s->sig[3]++;
		break;
	case 5: /* a number of 32 bytes that are anything */
		at = s->sig + 4;
		len = s->sig[3];
		if (rounds_below(2) == 0) {
			at += (len & 63) + 2;
			len = at[-1];
		}
		rounds_limbs(number, 4);
		if (len <= 33)
			memcpy(at + (len > 32 ? 1 : 0), number, len > 32 ? 32 : len);
		break;
	default:
		break;
	}
}

static void agrees_with_bearssl(void)
{
	struct sample s;
	long good = 0, all = rounds_start(400);

	for (long round = 0; round < all; round++) {
		if (round % 64 == 0)
			make_key(&s, BR_EC_secp256r1);
		if (round % 4 == 0)
			sign(&s, hashes[rounds_below(sizeof hashes / sizeof hashes[0])]);
		else
			change(&s);
		CHECK(ours(&s) == bearssl(&s));
		good += ours(&s);
		if (round % 4 == 3)
			br_ec_compute_pub(br_ec_get_default(), NULL, s.key, &s.secret);
	}
	CHECK(good > all / 4);
}

static size_t unhex(const char *word, unsigned char *out, size_t size)
{
	size_t len = 0;

	for (; word[0] != '-' && word[2 * len] != '\0'; len++) {
		const char digits[] = {word[2 * len], word[2 * len + 1], '\0'};
		char *end;

		CHECK(len < size);
		out[len] = (unsigned char)strtoul(digits, &end, 16);
		CHECK(*end == '\0' && end != digits);
	}
	return len;
}

static void knows_the_edges(void)
{
	FILE *f = fopen("tests/data/tls/p256-vectors.txt", "r");
	char name[64], key[256], hash[256], sig[512];
	char verdict[2];
	int count[2] = {0, 0};

	CHECK(f != NULL);
	while (fscanf(f, "%1s %63s %255s %255s %511s", verdict, name, key, hash, sig) == 5) {
		struct sample s = {.curve = BR_EC_secp256r1};
		bool expected = verdict[0] == '1';
		/* Where the hash is a multiple of the order, BearSSL is wrong. */
		bool bearssl_is_right = strcmp(name, "e=0") != 0 && strcmp(name, "e=n") != 0 &&
					strcmp(name, "hash-of-0") != 0 &&
					strcmp(name, "r=0,-e=0") != 0;

		s.key_len = unhex(key, s.key, sizeof s.key);
		s.hash_len = unhex(hash, s.hash, sizeof s.hash);
		s.sig_len = unhex(sig, s.sig, sizeof s.sig);
		/* Without products of 128 bits, BearSSL's is the code. */
		if (LIMB_HAS_128 || bearssl_is_right)
			CHECK_ROW(name, ours(&s) == expected);
		if (bearssl_is_right)
			CHECK_ROW(name, bearssl(&s) == expected);
		count[expected]++;
	}
	CHECK(feof(f));
	fclose(f);
	CHECK(count[0] > 40 && count[1] > 60);
}

static void leaves_other_curves_to_bearssl(void)
{
	struct sample s;

	rounds_start(0);
	make_key(&s, BR_EC_secp384r1);
	sign(&s, &br_sha384_vtable);
	s.curve = BR_EC_secp256r1;
	CHECK(!ours(&s));
	s.curve = BR_EC_curve25519;
	CHECK(!ours(&s));
	s.curve = BR_EC_secp384r1;
	CHECK(ours(&s));
}

UNIT_TESTS(TEST(takes_what_is_signed), TEST(refuses_each_flipped_bit), TEST(agrees_with_bearssl),
	   TEST(knows_the_edges), TEST(leaves_other_curves_to_bearssl))
