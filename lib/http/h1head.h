/*
 * h1head: the head of an HTTP/1 message, start-line and field lines, from bytes to a struct
 * (RFC 9112 sections 2 to 5). Strict: what the grammar does not have is refused, and as soon as it
 * is certain.
 *
 * Nothing is copied: the struct holds offsets into the caller's bytes, so it stays right when the
 * bytes are moved, and is meaningless without them. What the fields mean is h1frame's business.
 *
 *	h1head_start(&scan, NULL);
 *	do {
 *		read more bytes behind those that are there;
 *		result = h1head_parse_request(&scan, bytes, &head);
 *	} while (result == H1_MORE);
 *
 * Between such calls `scan` and `head` belong to the parser; the bytes seen so far must still be
 * there (perhaps at another address), with new ones behind. Total work is linear in the bytes,
 * however they arrive, and the outcome does not depend on how they arrived.
 *
 * Accepted beyond the grammar: up to two empty lines before a request line (RFC 9112 2.2). In a
 * response: no SP behind the status when there is no reason either, and folded fields, which are
 * marked here and unfolded by h1write.
 */
#ifndef HTTP_H1HEAD_H
#define HTTP_H1HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/h1field.h"
#include "http/h1problem.h"

#define H1_METHODS(X)                                                                              \
	X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(OPTIONS) X(TRACE) X(CONNECT) X(PATCH)

#define H1_METHOD_MEMBER(name) H1_METHOD_##name,
enum h1_method {
	H1_METHOD_OTHER, /* a token we do not know; forwarded all the same */
	H1_METHODS(H1_METHOD_MEMBER) H1_METHOD_COUNT
};
#undef H1_METHOD_MEMBER

enum h1_result {
	H1_OK,	 /* the head is complete: head_len bytes of it */
	H1_MORE, /* fine so far, not complete */
	H1_BAD,	 /* head->problem at byte head->problem_at; calling again gives the same */
};

enum h1_kind {
	H1_REQUEST,
	H1_RESPONSE,
};

/* RFC 9112 section 3.2 */
enum h1_target_form {
	H1_TARGET_ORIGIN,    /* /path?query */
	H1_TARGET_ABSOLUTE,  /* http://authority/path?query */
	H1_TARGET_AUTHORITY, /* host:port, CONNECT only */
	H1_TARGET_ASTERISK,  /* *, OPTIONS only */
};

/* Some of the head's bytes. */
struct h1_slice {
	uint16_t at, len;
};

#define H1_FIELDS_MAX 100
#define H1_METHOD_MAX 32

struct h1_field {
	uint16_t name_at, name_len;
	uint16_t value_at, value_len; /* without white space around; may be empty */
	uint8_t id;		      /* enum h1_field_id */
	bool is_folded; /* response only: the value holds CRLF SP, to be read as one SP */
};

struct h1_limits {
	uint16_t head_max_bytes;   /* whole head with its last CRLF, and empty lines before it */
	uint16_t target_max_bytes; /* of a request target */
	uint16_t fields_max;	   /* at most H1_FIELDS_MAX */
};

/* RFC 9112 section 3 wants at least 8000 bytes of request line. */
#define H1_LIMITS_DEFAULT ((struct h1_limits){16384, 8192, H1_FIELDS_MAX})

/* How far a head has been read. Private to h1head.c, but for the caller's storage. */
struct h1_scan {
	struct h1_limits limits;
	uint16_t at;	   /* bytes before this one are done with */
	uint16_t token_at; /* where the token being read started */
	uint8_t state;
	uint8_t empty_lines;
};

struct h1_head {
	uint8_t kind;	       /* enum h1_kind */
	uint8_t method;	       /* enum h1_method */
	uint8_t target_form;   /* enum h1_target_form */
	uint8_t version_minor; /* 0 or 1; the major is 1 */
	uint16_t status;       /* 100 to 599 in a response */
	uint16_t field_count;
	uint16_t head_len;    /* where the body starts */
	bool target_is_https; /* absolute form with the https scheme */

	struct h1_slice method_text;
	struct h1_slice target;	   /* all of it */
	struct h1_slice authority; /* of the absolute and the authority form */
	struct h1_slice path; /* and query; in the absolute form may be empty or start with ? */
	struct h1_slice reason;

	enum h1_problem problem;
	uint32_t problem_at; /* the first byte that proves it */

	uint64_t seen;		     /* bit per enum h1_field_id */
	uint64_t repeated;	     /* the same, for those on more than one line */
	uint64_t folded;	     /* the same, for those with is_folded */
	uint8_t first[H1_FIELD_IDS]; /* index into fields; only for ids in `seen` */
	struct h1_field fields[H1_FIELDS_MAX];
};

/* Gets ready for a new head. NULL: H1_LIMITS_DEFAULT. */
void h1head_start(struct h1_scan *scan, const struct h1_limits *limits);

/* `bytes` from the first one of the message; may hold more than the head. */
enum h1_result h1head_parse_request(struct h1_scan *scan, struct span bytes, struct h1_head *head);
enum h1_result h1head_parse_response(struct h1_scan *scan, struct span bytes, struct h1_head *head);

/* The name of a method; "other" for OTHER. */
const char *h1head_method_name(enum h1_method method);
/* GET, HEAD, PUT, DELETE, OPTIONS, TRACE: doing it twice is doing it once (RFC 9110 9.2.2). */
bool h1head_method_is_idempotent(enum h1_method method);

static inline struct span h1head_text(const char *bytes, struct h1_slice slice)
{
	return span_of(bytes + slice.at, slice.len);
}

static inline struct span h1head_field_name(const char *bytes, const struct h1_field *field)
{
	return span_of(bytes + field->name_at, field->name_len);
}

static inline struct span h1head_field_value(const char *bytes, const struct h1_field *field)
{
	return span_of(bytes + field->value_at, field->value_len);
}

static inline bool h1head_has(const struct h1_head *head, enum h1_field_id id)
{
	return (head->seen >> id & 1) != 0;
}

/* On more than one line. */
static inline bool h1head_is_repeated(const struct h1_head *head, enum h1_field_id id)
{
	return (head->repeated >> id & 1) != 0;
}

/* The first field with this id, or NULL. */
static inline const struct h1_field *h1head_first(const struct h1_head *head, enum h1_field_id id)
{
	return h1head_has(head, id) ? &head->fields[head->first[id]] : NULL;
}

/* The first field of this name, which need not be a known one, or NULL: for logs and tests. */
const struct h1_field *h1head_find(const struct h1_head *head, const char *bytes, struct span name);

#endif
