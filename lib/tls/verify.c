#include "tls/verify.h"

#include <stddef.h>
#include <string.h>

#include "base/endian.h"
#include "tls/anchors_inner.h"
#include "tls/cert.h"
#include "tls/certname.h"
#include "tls/constraints.h"
#include "tls/der.h"
#include "tls/oid.h"
#include "tls/p256verify.h"
#include "tls/rsapublic.h"

/* Certificates of a thousand names have some 20 KiB; others 1 to 2. */
#define BYTES_MAX (24u << 10)
#define RSA_MIN_BYTES (2048 / 8)
#define RSA_MAX_BYTES (4096 / 8)
#define EXPONENT_MAX_BYTES (VERIFY_KEY_MAX - RSA_MAX_BYTES)
/* Before the names of a certificate: the lengths of both, two bytes each. */
#define NAMES_HEAD 4

static const struct algorithm {
	struct span oid;
	int key_type;
	const br_hash_class *hash;
	const unsigned char *hash_oid; /* as RSA signatures have it */
} algorithms[] = {
	{OID_INIT(OID_RSA_SHA256), BR_KEYTYPE_RSA, &br_sha256_vtable, BR_HASH_OID_SHA256},
	{OID_INIT(OID_ECDSA_SHA256), BR_KEYTYPE_EC, &br_sha256_vtable, NULL},
	{OID_INIT(OID_ECDSA_SHA384), BR_KEYTYPE_EC, &br_sha384_vtable, NULL},
	{OID_INIT(OID_RSA_SHA384), BR_KEYTYPE_RSA, &br_sha384_vtable, BR_HASH_OID_SHA384},
	{OID_INIT(OID_RSA_SHA512), BR_KEYTYPE_RSA, &br_sha512_vtable, BR_HASH_OID_SHA512},
	{OID_INIT(OID_ECDSA_SHA512), BR_KEYTYPE_EC, &br_sha512_vtable, NULL},
};

/* MD2, MD5 and SHA-1 with RSA, SHA-1 with ECDSA. */
static const struct span weak_algorithms[] = {
	OID_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"),
	OID_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"),
	OID_INIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"),
	OID_INIT("\x2b\x0e\x03\x02\x1d"),
	OID_INIT("\x2a\x86\x48\xce\x3d\x04\x01"),
};

/*
 * What must be kept of the certificates so far: of the last one its signature, which the next one
 * or an anchor is to have made; of all of them their names, which those above may constrain.
 */
struct verify_chain {
	const struct algorithm *algorithm;
	unsigned char hash[64]; /* of what the last certificate's signature is over */
	unsigned char signature[RSA_MAX_BYTES];
	size_t signature_len;
	unsigned char issuer[32]; /* SHA-256 of its issuer's name */

	/* First subject and subjectAltName of each, then the certificate that is coming in. */
	size_t names_len;
	size_t cert_len; /* that it should have */
	size_t got;
	char bytes[BYTES_MAX];
};

size_t verify_chain_size(void)
{
	return sizeof(struct verify_chain);
}

static struct verify *owner(const br_x509_class **ctx)
{
	return (struct verify *)(void *)ctx;
}

static void hash(const br_hash_class *class, struct span bytes, unsigned char *out)
{
	br_hash_compat_context context;

	class->init(&context.vtable);
	class->update(&context.vtable, bytes.ptr, bytes.len);
	class->out(&context.vtable, out);
}

static bool verify_signature(const struct verify_chain *chain, size_t hash_len,
			     const br_x509_pkey *key)
{
	unsigned char hash[sizeof chain->hash];

	if (key->key_type == BR_KEYTYPE_EC)
		return p256verify_asn1(br_ec_get_default(), chain->hash, hash_len, &key->key.ec,
				       chain->signature, chain->signature_len) != 0;
	return rsapublic_pkcs1_vrfy(chain->signature, chain->signature_len,
				    chain->algorithm->hash_oid, hash_len, &key->key.rsa,
				    hash) != 0 &&
	       memcmp(hash, chain->hash, hash_len) == 0;
}

static void add_part(br_sha256_context *context, const void *bytes, size_t len)
{
	unsigned char head[4];

	endian_put_be32(head, (uint32_t)len);
	br_sha256_update(context, head, sizeof head);
	br_sha256_update(context, bytes, len);
}

/* All that the outcome of verify_signature hangs on. */
static void identify_signature(const struct verify_chain *chain, size_t hash_len,
			       const br_x509_pkey *key, uint8_t out[static SIGCACHE_KEY_SIZE])
{
	const br_rsa_public_key *rsa = &key->key.rsa;
	unsigned char curve = (unsigned char)key->key.ec.curve;
	br_sha256_context context;

	br_sha256_init(&context);
	add_part(&context, chain->algorithm->oid.ptr, chain->algorithm->oid.len);
	add_part(&context, chain->hash, hash_len);
	add_part(&context, chain->signature, chain->signature_len);
	if (key->key_type == BR_KEYTYPE_EC) {
		add_part(&context, &curve, sizeof curve);
		add_part(&context, key->key.ec.q, key->key.ec.qlen);
	} else {
		add_part(&context, rsa->n, rsa->nlen);
		add_part(&context, rsa->e, rsa->elen);
	}
	br_sha256_out(&context, out);
}

/* Was the last certificate signed with this key? */
static bool signed_by(const struct verify *v, const br_x509_pkey *key)
{
	const struct verify_chain *chain = v->chain;
	const br_hash_class *class = chain->algorithm->hash;
	size_t hash_len = class->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
	uint8_t id[SIGCACHE_KEY_SIZE];

	if (key->key_type != chain->algorithm->key_type)
		return false;
	if (v->cache == NULL)
		return verify_signature(chain, hash_len, key);
	identify_signature(chain, hash_len, key, id);
	if (sigcache_has(v->cache, id))
		return true;
	if (!verify_signature(chain, hash_len, key))
		return false;
	sigcache_add(v->cache, id);
	return true;
}

static bool is_same_key(const br_x509_pkey *a, const br_x509_pkey *b)
{
	if (a->key_type != b->key_type)
		return false;
	if (a->key_type == BR_KEYTYPE_EC)
		return a->key.ec.curve == b->key.ec.curve &&
		       span_eq(span_of(a->key.ec.q, a->key.ec.qlen),
			       span_of(b->key.ec.q, b->key.ec.qlen));
	return span_eq(span_of(a->key.rsa.n, a->key.rsa.nlen),
		       span_of(b->key.rsa.n, b->key.rsa.nlen)) &&
	       span_eq(span_of(a->key.rsa.e, a->key.rsa.elen),
		       span_of(b->key.rsa.e, b->key.rsa.elen));
}

/* An anchor that is no authority stands for itself only. */
static bool is_anchor(const struct verify *v, const struct cert *cert)
{
	for (size_t i = 0; i < v->anchors->count; i++) {
		const br_x509_trust_anchor *anchor = &v->anchors->list[i];

		if ((anchor->flags & BR_X509_TA_CA) == 0 &&
		    span_eq(cert->subject, span_of(anchor->dn.data, anchor->dn.len)) &&
		    is_same_key(&cert->key, &anchor->pkey))
			return true;
	}
	return false;
}

static bool is_signed_by_anchor(const struct verify *v, const struct cert *cert)
{
	for (size_t i = 0; i < v->anchors->count; i++) {
		const br_x509_trust_anchor *anchor = &v->anchors->list[i];

		if ((anchor->flags & BR_X509_TA_CA) != 0 &&
		    span_eq(cert->issuer, span_of(anchor->dn.data, anchor->dn.len)) &&
		    signed_by(v, &anchor->pkey))
			return true;
	}
	return false;
}

static enum tls_error check_key(const br_x509_pkey *key)
{
	if (key->key_type == BR_KEYTYPE_EC)
		return key->key.ec.qlen <= VERIFY_KEY_MAX ? TLS_OK : TLS_CERT_MALFORMED;
	/* To the power of one everything is its own signature. */
	if (key->key.rsa.nlen < RSA_MIN_BYTES || (key->key.rsa.elen == 1 && key->key.rsa.e[0] < 3))
		return TLS_CERT_WEAK_KEY;
	return key->key.rsa.nlen <= RSA_MAX_BYTES && key->key.rsa.elen <= EXPONENT_MAX_BYTES
		       ? TLS_OK
		       : TLS_CERT_UNSUPPORTED;
}

static enum tls_error check_purposes(struct span purposes)
{
	bool is_for_servers = purposes.ptr == NULL;
	struct span oid;

	while (purposes.len > 0) {
		if (!der_take(&purposes, DER_OID, &oid))
			return TLS_CERT_MALFORMED;
		is_for_servers |= span_eq(oid, SPAN(OID_SERVER_AUTH)) ||
				  span_eq(oid, SPAN(OID_ANY_PURPOSE));
	}
	return is_for_servers ? TLS_OK : TLS_CERT_WRONG_PURPOSE;
}

static enum tls_error check_names(const struct verify *v, const struct cert *cert)
{
	switch (certname_match(cert->names, v->names)) {
	case CERTNAME_MATCH:
		return TLS_OK;
	case CERTNAME_NONE:
		return TLS_CERT_NO_NAME;
	case CERTNAME_MALFORMED:
		return TLS_CERT_MALFORMED;
	case CERTNAME_NO_MATCH:
	default:
		return TLS_NAME_MISMATCH;
	}
}

/* What any certificate of a chain must keep to. */
static enum tls_error check_any(const struct verify *v, const struct cert *cert)
{
	enum tls_error error;

	if (v->now_s < cert->not_before_s)
		return TLS_CERT_NOT_YET_VALID;
	if (v->now_s > cert->not_after_s)
		return TLS_CERT_EXPIRED;
	if (cert->has_unknown_critical)
		return TLS_CERT_BAD_CONSTRAINT;
	error = check_key(&cert->key);
	return error == TLS_OK ? check_purposes(cert->purposes) : error;
}

static enum tls_error check_server(const struct verify *v, const struct cert *cert)
{
	enum tls_error error = check_names(v, cert);

	if (error == TLS_OK &&
	    (cert->key_usage & (CERT_DIGITAL_SIGNATURE | CERT_NON_REPUDIATION)) == 0)
		return TLS_CERT_BAD_USAGE;
	return error;
}

static enum tls_error check_constraints(const struct verify_chain *chain, const struct cert *cert)
{
	struct span kept = span_of(chain->bytes, chain->names_len);
	enum constraints_result result = CONSTRAINTS_KEPT;

	if (cert->constraints.ptr == NULL)
		return TLS_OK;
	while (kept.len > 0 && result == CONSTRAINTS_KEPT) {
		size_t subject_len = endian_get_be16(kept.ptr);
		size_t names_len = endian_get_be16(kept.ptr + 2);
		const char *subject = kept.ptr + NAMES_HEAD;

		result = constraints_check(cert->constraints,
					   span_of(subject + subject_len, names_len),
					   span_of(subject, subject_len));
		kept = span_from(kept, NAMES_HEAD + subject_len + names_len);
	}
	if (result == CONSTRAINTS_KEPT)
		return TLS_OK;
	return result == CONSTRAINTS_BROKEN ? TLS_CERT_NAME_NOT_PERMITTED : TLS_CERT_BAD_CONSTRAINT;
}

/* One that should have issued the one before. */
static enum tls_error check_authority(const struct verify *v, const struct cert *cert)
{
	unsigned char subject[sizeof v->chain->issuer];

	hash(&br_sha256_vtable, cert->subject, subject);
	if (memcmp(subject, v->chain->issuer, sizeof subject) != 0)
		return TLS_CERT_BAD_CHAIN;
	if (!cert->is_ca)
		return TLS_CERT_NOT_CA;
	if ((cert->key_usage & CERT_KEY_CERT_SIGN) == 0)
		return TLS_CERT_BAD_USAGE;
	if (cert->path_len < (int)v->certs - 2)
		return TLS_CERT_PATH_TOO_LONG;
	if (!signed_by(v, &cert->key))
		return TLS_CERT_BAD_SIGNATURE;
	return check_constraints(v->chain, cert);
}

static void keep_key(struct verify *v, const br_x509_pkey *key)
{
	const br_rsa_public_key *rsa = &key->key.rsa;

	v->key = *key;
	if (key->key_type == BR_KEYTYPE_EC) {
		memcpy(v->key_bytes, key->key.ec.q, key->key.ec.qlen);
		v->key.key.ec.q = v->key_bytes;
		return;
	}
	memcpy(v->key_bytes, rsa->n, rsa->nlen);
	memcpy(v->key_bytes + rsa->nlen, rsa->e, rsa->elen);
	v->key.key.rsa.n = v->key_bytes;
	v->key.key.rsa.e = v->key_bytes + rsa->nlen;
}

static const struct algorithm *find_algorithm(struct span oid, enum tls_error *error)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
		if (span_eq(oid, algorithms[i].oid))
			return &algorithms[i];
	*error = TLS_CERT_UNSUPPORTED;
	for (size_t i = 0; i < sizeof weak_algorithms / sizeof weak_algorithms[0]; i++)
		if (span_eq(oid, weak_algorithms[i]))
			*error = TLS_CERT_WEAK_SIGNATURE;
	return NULL;
}

/* The certificate's signature becomes the one that is to be verified next. */
static enum tls_error keep_signature(struct verify_chain *chain, const struct cert *cert)
{
	enum tls_error error = TLS_OK;

	chain->algorithm = find_algorithm(cert->algorithm, &error);
	if (chain->algorithm == NULL)
		return error;
	if (cert->signature.len > sizeof chain->signature)
		return TLS_CERT_UNSUPPORTED;
	memcpy(chain->signature, cert->signature.ptr, cert->signature.len);
	chain->signature_len = cert->signature.len;
	hash(chain->algorithm->hash, cert->tbs, chain->hash);
	hash(&br_sha256_vtable, cert->issuer, chain->issuer);
	return TLS_OK;
}

/*
 * Moves the certificate's names to those there are, over the certificate: their lengths, which take
 * less room than what is before its subject, the subject, and subjectAltName, which is behind it.
 */
static void keep_names(struct verify_chain *chain, const struct cert *cert)
{
	char *to = chain->bytes + chain->names_len;
	size_t subject_len = cert->subject.len, names_len = cert->names.len;

	endian_put_be16(to, (uint16_t)subject_len);
	endian_put_be16(to + 2, (uint16_t)names_len);
	memmove(to + NAMES_HEAD, cert->subject.ptr, subject_len);
	if (names_len > 0)
		memmove(to + NAMES_HEAD + subject_len, cert->names.ptr, names_len);
	chain->names_len += NAMES_HEAD + subject_len + names_len;
}

static enum tls_error judge(struct verify *v, const struct cert *cert)
{
	enum tls_error error = check_any(v, cert);

	if (error == TLS_OK)
		error = v->certs == 1 ? check_server(v, cert) : check_authority(v, cert);
	if (error != TLS_OK)
		return error;
	if (v->certs == 1 || cert->not_after_s < v->not_after_s)
		v->not_after_s = cert->not_after_s;
	if (v->certs == 1 && is_anchor(v, cert)) {
		v->is_trusted = true;
		return TLS_OK;
	}
	error = keep_signature(v->chain, cert);
	if (error == TLS_OK)
		v->is_trusted = is_signed_by_anchor(v, cert);
	return error;
}

/* Without verification a key counts that BearSSL can use, however short. */
static enum tls_error take_for_good(struct verify *v, const struct cert *cert)
{
	enum tls_error error = check_key(&cert->key);

	v->is_trusted = true;
	v->not_after_s = INT64_MAX;
	return error == TLS_CERT_WEAK_KEY ? TLS_OK : error;
}

/* The certificate is all there. */
static enum tls_error take(struct verify *v)
{
	struct verify_chain *chain = v->chain;
	enum tls_error error;
	struct cert cert;

	if (chain->got != chain->cert_len)
		return TLS_CERT_MALFORMED;
	switch (cert_parse(span_of(chain->bytes + chain->names_len, chain->got), &cert)) {
	case CERT_OK:
		break;
	case CERT_UNSUPPORTED:
		return TLS_CERT_UNSUPPORTED;
	case CERT_MALFORMED:
	default:
		return TLS_CERT_MALFORMED;
	}
	error = v->is_unverified ? take_for_good(v, &cert) : judge(v, &cert);
	if (error == TLS_OK && v->certs == 1)
		keep_key(v, &cert.key);
	keep_names(chain, &cert);
	return error;
}

static bool is_decided(const struct verify *v)
{
	return v->is_trusted || v->error != TLS_OK;
}

static void start_chain(const br_x509_class **ctx, const char *server_name)
{
	struct verify *v = owner(ctx);

	/* Who was called is not BearSSL's to say: it knows one DNS name at most. */
	(void)server_name;
	verify_fini(v);
	v->was_given = true;
	v->certs = 0;
	v->is_trusted = false;
	v->error = v->names.len > 0 ? TLS_OK : TLS_BAD_SERVER_NAME;
	v->chain = slab_get(v->slab);
	if (v->chain == NULL)
		v->error = TLS_NO_MEMORY;
	else
		v->chain->names_len = 0;
}

static void start_cert(const br_x509_class **ctx, uint32_t len)
{
	struct verify *v = owner(ctx);

	v->certs++;
	if (is_decided(v))
		return;
	if (v->certs > VERIFY_CERTS_MAX)
		v->error = TLS_CERT_PATH_TOO_LONG;
	else if (len > sizeof v->chain->bytes - v->chain->names_len)
		v->error = TLS_CERT_TOO_LARGE;
	v->chain->cert_len = len;
	v->chain->got = 0;
}

static void append(const br_x509_class **ctx, const unsigned char *bytes, size_t len)
{
	struct verify *v = owner(ctx);
	struct verify_chain *chain = v->chain;

	if (is_decided(v))
		return;
	if (len > chain->cert_len - chain->got) {
		v->error = TLS_CERT_MALFORMED;
		return;
	}
	memcpy(chain->bytes + chain->names_len + chain->got, bytes, len);
	chain->got += len;
}

static void end_cert(const br_x509_class **ctx)
{
	struct verify *v = owner(ctx);

	if (!is_decided(v))
		v->error = take(v);
}

static unsigned end_chain(const br_x509_class **ctx)
{
	struct verify *v = owner(ctx);

	verify_fini(v);
	if (v->error == TLS_OK && !v->is_trusted)
		v->error = v->certs == 0 ? TLS_CERT_MISSING : TLS_UNKNOWN_ISSUER;
	return v->error == TLS_OK ? 0 : BR_ERR_X509_NOT_TRUSTED;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	const struct verify *v = (const struct verify *)(const void *)ctx;

	if (usages != NULL)
		*usages = BR_KEYTYPE_SIGN;
	return v->is_trusted && v->error == TLS_OK ? &v->key : NULL;
}

static const br_x509_class verify_vtable = {
	.context_size = sizeof(struct verify),
	.start_chain = start_chain,
	.start_cert = start_cert,
	.append = append,
	.end_cert = end_cert,
	.end_chain = end_chain,
	.get_pkey = get_pkey,
};

_Static_assert(offsetof(struct verify, vtable) == 0, "BearSSL finds the context by its vtable");

void verify_init(struct verify *v, const struct anchors *anchors, struct span names, uint64_t now_s,
		 struct slab *slab)
{
	memset(v, 0, sizeof *v);
	v->vtable = &verify_vtable;
	v->anchors = anchors;
	v->names = names;
	v->now_s = now_s < INT64_MAX ? (int64_t)now_s : INT64_MAX;
	v->slab = slab;
}

void verify_nothing(struct verify *v)
{
	v->is_unverified = true;
}

void verify_fini(struct verify *v)
{
	slab_put(v->slab, v->chain);
	v->chain = NULL;
}
