#include "tls/verify.h"

#include <stddef.h>
#include <string.h>

#include "tls/anchors_inner.h"

#define RSA_MIN_BYTES (2048 / 8)
/* BearSSL counts days from the first of January of the year 0. */
#define DAYS_TO_1970 719528
/* Later than any date in a certificate; keeps BearSSL's 32 bit count of days from running over. */
#define NOW_MAX_S (UINT64_C(86400) * 366 * 9999)

static struct verify *owner(const br_x509_class **ctx)
{
	return (struct verify *)(void *)ctx;
}

static const br_x509_class **inner(struct verify *v)
{
	return &v->engine.vtable;
}

static void start_chain(const br_x509_class **ctx, const char *server_name)
{
	struct verify *v = owner(ctx);

	v->has_name = server_name != NULL && server_name[0] != '\0';
	v->certs = 0;
	v->saw_weak_signature = false;
	v->bad_date = TLS_OK;
	v->error = TLS_OK;
	br_x509_minimal_vtable.start_chain(inner(v), server_name);
}

static void start_cert(const br_x509_class **ctx, uint32_t length)
{
	struct verify *v = owner(ctx);

	certscan_init(&v->scan);
	if (v->certs++ == 0)
		sanscan_init(&v->san, &v->addr, length);
	br_x509_minimal_vtable.start_cert(inner(v), length);
}

static void append(const br_x509_class **ctx, const unsigned char *bytes, size_t len)
{
	struct verify *v = owner(ctx);

	certscan_add(&v->scan, bytes, len);
	if (v->certs == 1 && v->addr.family != 0)
		sanscan_add(&v->san, bytes, len);
	br_x509_minimal_vtable.append(inner(v), bytes, len);
}

static void end_cert(const br_x509_class **ctx)
{
	struct verify *v = owner(ctx);

	v->saw_weak_signature |= v->scan.has_weak_signature;
	if (v->bad_date == TLS_OK && v->scan.has_dates) {
		if (v->scan.not_before_s > v->now_s)
			v->bad_date = TLS_CERT_NOT_YET_VALID;
		else if (v->scan.not_after_s < v->now_s)
			v->bad_date = TLS_CERT_EXPIRED;
	}
	br_x509_minimal_vtable.end_cert(inner(v));
}

/* Whether a chain that is good otherwise is that of the address. */
static enum tls_error judge_addr(const struct verify *v)
{
	/* With a name as well, it would not be clear which of the two had been checked. */
	if (v->has_name)
		return TLS_BAD_SERVER_NAME;
	switch (sanscan_result(&v->san)) {
	case SANSCAN_MATCH:
		return TLS_OK;
	case SANSCAN_MALFORMED:
		return TLS_CERT_MALFORMED;
	case SANSCAN_NO_MATCH:
	case SANSCAN_NONE:
	default:
		return TLS_NAME_MISMATCH;
	}
}

/* The engine stops at the first certificate it refuses; so the first with bad dates is that one. */
static enum tls_error judge(const struct verify *v, unsigned code)
{
	bool has_dns_name = v->dns_name.status != 0;

	if (code != 0) {
		if (code == BR_ERR_X509_EXPIRED && v->bad_date != TLS_OK)
			return v->bad_date;
		if (code == BR_ERR_X509_UNSUPPORTED && v->saw_weak_signature)
			return TLS_CERT_WEAK_SIGNATURE;
		if (code == BR_ERR_X509_BAD_SERVER_NAME && !has_dns_name)
			return TLS_CERT_NO_NAME;
		return tls_error_from_bearssl((int)code);
	}
	if (v->addr.family != 0)
		return judge_addr(v);
	if (!v->has_name)
		return TLS_BAD_SERVER_NAME;
	return has_dns_name ? TLS_OK : TLS_CERT_NO_NAME;
}

static unsigned end_chain(const br_x509_class **ctx)
{
	struct verify *v = owner(ctx);
	unsigned code = br_x509_minimal_vtable.end_chain(inner(v));

	v->error = judge(v, code);
	if (code == 0 && v->error != TLS_OK)
		code = BR_ERR_X509_BAD_SERVER_NAME;
	return code;
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
	const struct verify *v = (const struct verify *)(const void *)ctx;

	if (v->error != TLS_OK)
		return NULL;
	return br_x509_minimal_vtable.get_pkey(&v->engine.vtable, usages);
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

void verify_init(struct verify *v, const struct anchors *anchors, uint64_t now_s)
{
	/* An element of subjectAltName (0) of type dNSName (2). */
	static const unsigned char dns_name[] = {0, 2};

	memset(v, 0, sizeof *v);
	v->vtable = &verify_vtable;
	if (now_s > NOW_MAX_S)
		now_s = NOW_MAX_S;
	v->now_s = (int64_t)now_s;
	v->dns_name.oid = dns_name;
	v->dns_name.buf = v->dns_name_text;
	v->dns_name.len = sizeof v->dns_name_text;

	br_x509_minimal_init(&v->engine, &br_sha256_vtable, anchors->list, anchors->count);
	br_x509_minimal_set_hash(&v->engine, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_hash(&v->engine, br_sha384_ID, &br_sha384_vtable);
	br_x509_minimal_set_hash(&v->engine, br_sha512_ID, &br_sha512_vtable);
	br_x509_minimal_set_rsa(&v->engine, br_rsa_pkcs1_vrfy_get_default());
	br_x509_minimal_set_ecdsa(&v->engine, br_ec_get_default(),
				  br_ecdsa_vrfy_asn1_get_default());
	br_x509_minimal_set_minrsa(&v->engine, RSA_MIN_BYTES);
	br_x509_minimal_set_time(&v->engine, (uint32_t)(now_s / 86400) + DAYS_TO_1970,
				 (uint32_t)(now_s % 86400));
	br_x509_minimal_set_name_elements(&v->engine, &v->dns_name, 1);
}

void verify_expect_addr(struct verify *v, const struct addr *addr)
{
	v->addr = *addr;
}
