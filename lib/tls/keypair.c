#include "tls/keypair.h"

#include <string.h>

#include "base/alloc.h"
#include "tls/cert.h"
#include "tls/keypair_inner.h"
#include "tls/pem.h"
#include "tls/privkey.h"

#define KEY_DER_MAX 4096
/* X and Y of P-384, and a byte that says that they follow. */
#define POINT_MAX (1 + 2 * 48)

struct keypair {
	br_x509_certificate chain[KEYPAIR_CHAIN_MAX]; /* each allocated */
	size_t chain_len;
	struct privkey key; /* points into key_der */
	size_t key_der_len;
	unsigned char key_der[KEY_DER_MAX];
};

static const struct {
	struct span label;
	enum privkey_form form;
} key_labels[] = {
	{{"PRIVATE KEY", 11}, PRIVKEY_PKCS8},
	{{"RSA PRIVATE KEY", 15}, PRIVKEY_PKCS1},
	{{"EC PRIVATE KEY", 14}, PRIVKEY_SEC1},
};

static bool add_cert(struct keypair *k, const struct pem_object *object, struct error *e)
{
	br_x509_certificate *cert = &k->chain[k->chain_len];
	size_t room = object->body.len / 4 * 3 + 3;

	if (k->chain_len == KEYPAIR_CHAIN_MAX)
		return error_set(e, "line %u: over %u certificates", object->line,
				 (unsigned)KEYPAIR_CHAIN_MAX);
	if (room > KEYPAIR_CERT_MAX)
		room = KEYPAIR_CERT_MAX;
	cert->data = alloc_get(room);
	if (cert->data == NULL)
		return error_set(e, "out of memory");
	k->chain_len++;
	return pem_decode(object, cert->data, room, &cert->data_len, e);
}

static bool read_chain(struct keypair *k, struct span text, struct error *e)
{
	struct pem_object object;
	enum pem_result result;
	struct pem pem;

	if (text.len > KEYPAIR_PEM_MAX)
		return error_set(e, "over %u KiB", KEYPAIR_PEM_MAX >> 10);
	pem_init(&pem, text);
	while ((result = pem_next(&pem, &object, e)) == PEM_OBJECT)
		if (span_eq(object.label, SPAN("CERTIFICATE")) && !add_cert(k, &object, e))
			return false;
	if (result == PEM_END && k->chain_len == 0)
		return error_set(e, "no certificate; expected -----BEGIN CERTIFICATE-----");
	return result == PEM_END;
}

/* RFC 1421 headers, as OpenSSL wrote them, or a label of its own: either way a passphrase. */
static bool is_encrypted(const struct pem_object *object)
{
	return span_eq(object->label, SPAN("ENCRYPTED PRIVATE KEY")) ||
	       span_starts_with(object->body, SPAN("Proc-Type:"));
}

static bool take_key(struct keypair *k, const struct pem_object *object, enum privkey_form form,
		     struct error *e)
{
	const char *problem;

	if (!pem_decode(object, k->key_der, sizeof k->key_der, &k->key_der_len, e))
		return false;
	problem = privkey_parse(form, span_of(k->key_der, k->key_der_len), &k->key);
	return problem == NULL || error_set(e, "line %u: %s", object->line, problem);
}

static bool read_key(struct keypair *k, struct span text, struct error *e)
{
	struct pem_object object;
	enum pem_result result;
	struct pem pem;

	if (text.len > KEYPAIR_PEM_MAX)
		return error_set(e, "over %u KiB", KEYPAIR_PEM_MAX >> 10);
	pem_init(&pem, text);
	while ((result = pem_next(&pem, &object, e)) == PEM_OBJECT) {
		if (is_encrypted(&object))
			return error_set(e, "line %u: the key is encrypted", object.line);
		for (size_t i = 0; i < sizeof key_labels / sizeof key_labels[0]; i++)
			if (span_eq(object.label, key_labels[i].label))
				return take_key(k, &object, key_labels[i].form, e);
	}
	return result == PEM_BAD ? false
				 : error_set(e, "no key; expected -----BEGIN PRIVATE KEY-----");
}

static bool belongs_to(const struct privkey *key, const br_x509_pkey *public_key)
{
	unsigned char point[POINT_MAX];
	br_ec_public_key computed;

	if (public_key->key_type != key->type)
		return false;
	if (key->type == BR_KEYTYPE_RSA)
		return span_eq(span_of(public_key->key.rsa.n, public_key->key.rsa.nlen),
			       key->modulus);
	return public_key->key.ec.curve == key->ec.curve &&
	       br_ec_compute_pub(br_ec_get_default(), &computed, point, &key->ec) != 0 &&
	       span_eq(span_of(computed.q, computed.qlen),
		       span_of(public_key->key.ec.q, public_key->key.ec.qlen));
}

static bool check_pair(const struct keypair *k, struct error *e)
{
	const br_x509_certificate *own = &k->chain[0];
	struct cert cert;

	if (cert_parse(span_of(own->data, own->data_len), &cert) == CERT_MALFORMED)
		return error_set(e, "the first certificate is malformed");
	return belongs_to(&k->key, &cert.key) ||
	       error_set(e, "the key is not that of the first certificate");
}

struct keypair *keypair_from_pem(struct span chain, struct span key, struct error *e)
{
	struct keypair *k = alloc_get_zeroed(sizeof *k);

	if (k == NULL) {
		error_set(e, "out of memory");
		return NULL;
	}
	if (!read_chain(k, chain, e))
		error_prefix(e, "certificate");
	else if (!read_key(k, key, e))
		error_prefix(e, "key");
	else if (check_pair(k, e))
		return k;
	keypair_free(k);
	return NULL;
}

void keypair_free(struct keypair *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->chain_len; i++)
		alloc_put(k->chain[i].data);
	explicit_bzero(k, sizeof *k);
	alloc_put(k);
}

void keypair_offer(const struct keypair *k, br_ssl_client_context *cc)
{
	if (k->key.type == BR_KEYTYPE_RSA)
		br_ssl_client_set_single_rsa(cc, k->chain, k->chain_len, &k->key.rsa,
					     br_rsa_pkcs1_sign_get_default());
	else
		/* Who issued it matters only for key exchanges that are not offered. */
		br_ssl_client_set_single_ec(cc, k->chain, k->chain_len, &k->key.ec, BR_KEYTYPE_SIGN,
					    BR_KEYTYPE_EC, br_ec_get_default(),
					    br_ecdsa_sign_asn1_get_default());
}
