/*
 * The packed form, all integers in network byte order:
 *
 *	"ebanchor"		8 bytes
 *	count			4
 *	count times:
 *		flags		1	BR_X509_TA_*
 *		key type	1	BR_KEYTYPE_RSA or BR_KEYTYPE_EC
 *		name length	2
 *		first length	2	RSA: modulus; EC: point
 *		second		2	RSA: length of exponent; EC: number of curve
 *		name, first, exponent (RSA)
 */
#include "tls/anchors.h"

#include <stdint.h>
#include <string.h>

#include <bearssl.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/endian.h"
#include "tls/anchors_inner.h"
#include "tls/cert.h"
#include "tls/pem.h"

#define MAGIC SPAN("ebanchor")
#define HEADER_SIZE 12
#define ENTRY_SIZE 8
/* What an arena may need beyond the bundle's text: rounding, and the structs. */
#define ARENA_MAX (2 * (size_t)ANCHORS_PEM_MAX + sizeof(br_x509_trust_anchor) * ANCHORS_COUNT_MAX)

/* BearSSL's structs have plain pointers for what it only reads. */
static unsigned char *unconst(const void *p)
{
	return (unsigned char *)(uintptr_t)p;
}

static struct anchors *anchors_new(struct error *e)
{
	struct anchors *a = alloc_get_zeroed(sizeof *a);

	if (a == NULL)
		error_set(e, "out of memory");
	else
		arena_init(&a->arena, ARENA_MAX);
	return a;
}

static bool anchors_reserve(struct anchors *a, size_t count, struct error *e)
{
	a->list = arena_get_array(&a->arena, count, sizeof a->list[0]);
	return a->list != NULL || error_set(e, "out of memory");
}

static bool copy_bytes(struct arena *arena, const void *bytes, size_t len, unsigned char **copy)
{
	struct span s;

	if (!arena_copy(arena, span_of(bytes, len), &s))
		return false;
	*copy = unconst(s.ptr);
	return true;
}

static bool copy_key(struct arena *arena, const br_x509_pkey *key, br_x509_pkey *copy)
{
	*copy = *key;
	if (key->key_type == BR_KEYTYPE_EC)
		return copy_bytes(arena, key->key.ec.q, key->key.ec.qlen, &copy->key.ec.q);
	return copy_bytes(arena, key->key.rsa.n, key->key.rsa.nlen, &copy->key.rsa.n) &&
	       copy_bytes(arena, key->key.rsa.e, key->key.rsa.elen, &copy->key.rsa.e);
}

/* Adds the certificate's subject; one with a key of an unknown kind is counted instead. */
static bool add_certificate(struct anchors *a, struct span der, struct error *e)
{
	br_x509_trust_anchor *anchor = &a->list[a->count];
	struct cert cert;

	switch (cert_parse(der, &cert)) {
	case CERT_OK:
		break;
	case CERT_UNSUPPORTED:
		a->skipped++;
		return true;
	case CERT_MALFORMED:
		return error_set(e, "not a certificate, or one that is malformed");
	}
	anchor->flags = cert.is_ca ? BR_X509_TA_CA : 0;
	anchor->dn.len = cert.subject.len;
	if (!copy_bytes(&a->arena, cert.subject.ptr, cert.subject.len, &anchor->dn.data) ||
	    !copy_key(&a->arena, &cert.key, &anchor->pkey))
		return error_set(e, "out of memory");
	a->count++;
	return true;
}

static bool is_certificate(const struct pem_object *object)
{
	/* The second is an old name, RFC 7468 section 5.1. */
	return span_eq(object->label, SPAN("CERTIFICATE")) ||
	       span_eq(object->label, SPAN("X509 CERTIFICATE"));
}

static bool count_certificates(struct span text, size_t *count, struct error *e)
{
	struct pem pem;
	struct pem_object object;
	enum pem_result result;

	*count = 0;
	pem_init(&pem, text);
	while ((result = pem_next(&pem, &object, e)) == PEM_OBJECT)
		*count += is_certificate(&object);
	if (result == PEM_BAD)
		return false;
	if (*count == 0)
		return error_set(e, "no certificate in it (-----BEGIN CERTIFICATE-----)");
	if (*count > ANCHORS_COUNT_MAX)
		return error_set(e, "more than %d certificates", ANCHORS_COUNT_MAX);
	return true;
}

/* `der` is room for ANCHORS_CERT_MAX bytes. */
static bool read_pem(struct anchors *a, struct span text, uint8_t *der, struct error *e)
{
	struct pem pem;
	struct pem_object object;
	size_t count, len, number = 0;

	if (text.len > ANCHORS_PEM_MAX)
		return error_set(e, "over %u bytes", ANCHORS_PEM_MAX);
	if (!count_certificates(text, &count, e) || !anchors_reserve(a, count, e))
		return false;
	pem_init(&pem, text);
	while (pem_next(&pem, &object, e) == PEM_OBJECT) {
		if (!is_certificate(&object))
			continue;
		number++;
		if (!pem_decode(&object, der, ANCHORS_CERT_MAX, &len, e) ||
		    !add_certificate(a, span_of(der, len), e))
			return error_prefix(e, "certificate %zu (line %u)", number, object.line);
	}
	if (a->count == 0)
		return error_set(e, "no certificate in it has a key of a kind that can be used");
	return true;
}

struct anchors *anchors_from_pem(struct span text, struct error *e)
{
	uint8_t *der = alloc_get(ANCHORS_CERT_MAX);
	struct anchors *a = anchors_new(e);
	bool ok = false;

	if (a == NULL)
		goto out;
	ok = der != NULL ? read_pem(a, text, der, e) : error_set(e, "out of memory");
out:
	alloc_put(der);
	if (ok)
		return a;
	anchors_free(a);
	return NULL;
}

/* Takes the next `len` bytes off the packed form. */
static bool take(struct span *rest, size_t len, const unsigned char **bytes)
{
	if (rest->len < len)
		return false;
	*bytes = (const unsigned char *)rest->ptr;
	*rest = span_from(*rest, len);
	return true;
}

static bool take_entry(struct span *rest, br_x509_trust_anchor *anchor)
{
	const unsigned char *head, *name, *first, *exponent;
	size_t name_len, first_len, second;

	if (!take(rest, ENTRY_SIZE, &head))
		return false;
	name_len = endian_get_be16(head + 2);
	first_len = endian_get_be16(head + 4);
	second = endian_get_be16(head + 6);
	if (name_len == 0 || first_len == 0 || !take(rest, name_len, &name) ||
	    !take(rest, first_len, &first))
		return false;
	anchor->flags = head[0];
	anchor->dn = (br_x500_name){unconst(name), name_len};
	anchor->pkey.key_type = head[1];
	switch (head[1]) {
	case BR_KEYTYPE_RSA:
		if (second == 0 || !take(rest, second, &exponent))
			return false;
		anchor->pkey.key.rsa = (br_rsa_public_key){unconst(first), first_len,
							   unconst(exponent), second};
		return true;
	case BR_KEYTYPE_EC:
		anchor->pkey.key.ec = (br_ec_public_key){(int)second, unconst(first), first_len};
		/* BearSSL shifts by this number. */
		return second < 32;
	default:
		return false;
	}
}

static bool read_packed(struct anchors *a, struct span packed, struct error *e)
{
	const unsigned char *head;
	size_t count;

	if (!take(&packed, HEADER_SIZE, &head) || memcmp(head, MAGIC.ptr, MAGIC.len) != 0)
		return error_set(e, "not packed anchors");
	count = endian_get_be32(head + MAGIC.len);
	if (count == 0 || count > ANCHORS_COUNT_MAX)
		return error_set(e, "packed anchors: %zu entries", count);
	if (!anchors_reserve(a, count, e))
		return false;
	for (; a->count < count; a->count++)
		if (!take_entry(&packed, &a->list[a->count]))
			return error_set(e, "packed anchors: entry %zu is broken", a->count + 1);
	return packed.len == 0 || error_set(e, "packed anchors: %zu bytes too many", packed.len);
}

struct anchors *anchors_from_packed(struct span packed, struct error *e)
{
	struct anchors *a = anchors_new(e);

	if (a != NULL && read_packed(a, packed, e))
		return a;
	anchors_free(a);
	return NULL;
}

static void add_be16(struct buf *out, size_t value)
{
	buf_add_byte(out, (char)(value >> 8));
	buf_add_byte(out, (char)value);
}

static void add_entry(struct buf *out, const br_x509_trust_anchor *anchor)
{
	const br_x509_pkey *key = &anchor->pkey;
	bool is_rsa = key->key_type == BR_KEYTYPE_RSA;

	buf_add_byte(out, (char)anchor->flags);
	buf_add_byte(out, (char)key->key_type);
	add_be16(out, anchor->dn.len);
	add_be16(out, is_rsa ? key->key.rsa.nlen : key->key.ec.qlen);
	add_be16(out, is_rsa ? key->key.rsa.elen : (size_t)key->key.ec.curve);
	buf_add(out, span_of(anchor->dn.data, anchor->dn.len));
	if (is_rsa) {
		buf_add(out, span_of(key->key.rsa.n, key->key.rsa.nlen));
		buf_add(out, span_of(key->key.rsa.e, key->key.rsa.elen));
	} else {
		buf_add(out, span_of(key->key.ec.q, key->key.ec.qlen));
	}
}

bool anchors_pack(const struct anchors *a, struct buf *out)
{
	buf_add(out, MAGIC);
	add_be16(out, a->count >> 16);
	add_be16(out, a->count & 0xffff);
	for (size_t i = 0; i < a->count; i++)
		add_entry(out, &a->list[i]);
	return !out->truncated;
}

size_t anchors_count(const struct anchors *a)
{
	return a->count;
}

size_t anchors_skipped(const struct anchors *a)
{
	return a->skipped;
}

void anchors_free(struct anchors *a)
{
	if (a == NULL)
		return;
	arena_fini(&a->arena);
	alloc_put(a);
}
