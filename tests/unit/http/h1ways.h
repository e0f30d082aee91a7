/*
 * h1ways: reads a text in every way it can arrive: whole, in two pieces split at each byte, one
 * byte at a time, each time flush against an unreadable page; fails the test unless all say the
 * same.
 */
#ifndef TEST_H1WAYS_H
#define TEST_H1WAYS_H

#include "../unit.h"
#include "h1reader.h"

static struct h1reader h1ways_reader;
static char h1ways_whole[1 << 20];
static char h1ways_other[1 << 20];

static void h1ways_start(enum h1_kind kind, enum h1_method request_method, struct buf *out,
			 char *storage, size_t size)
{
	buf_init(out, storage, size);
	h1reader_init(&h1ways_reader, kind, out);
	h1ways_reader.request_method = request_method;
}

/* The first `len` bytes end at the page, wherever the rest is. */
static void h1ways_read_guarded(struct span bytes, size_t len)
{
	char *copy = unit_guarded(bytes.ptr, len);

	h1reader_read(&h1ways_reader, span_of(copy, len));
	unit_guarded_free(copy, len);
}

/* The outcome; its head and framing are about `bytes`. */
__attribute__((unused)) static const struct h1reader *h1ways_read(enum h1_kind kind,
								  enum h1_method request_method,
								  struct span bytes)
{
	struct buf whole, other;

	for (size_t split = 0; split < bytes.len; split++) {
		h1ways_start(kind, request_method, &other, h1ways_other, sizeof h1ways_other);
		h1ways_read_guarded(bytes, split);
		h1ways_read_guarded(bytes, bytes.len);
		if (split == 0)
			memcpy(h1ways_whole, h1ways_other, other.len + 1);
		else
			CHECK_TEXT(h1ways_other, h1ways_whole);
	}
	h1ways_start(kind, request_method, &other, h1ways_other, sizeof h1ways_other);
	for (size_t len = 0; len <= bytes.len; len++)
		h1ways_read_guarded(bytes, len);
	if (bytes.len > 0)
		CHECK_TEXT(h1ways_other, h1ways_whole);
	h1ways_start(kind, request_method, &whole, h1ways_whole, sizeof h1ways_whole);
	h1reader_read(&h1ways_reader, bytes);
	CHECK_TEXT(h1ways_other, h1ways_whole);
	return &h1ways_reader;
}

__attribute__((unused)) static const struct h1reader *h1ways_request(struct span bytes)
{
	return h1ways_read(H1_REQUEST, H1_METHOD_GET, bytes);
}

__attribute__((unused)) static const struct h1reader *h1ways_response(struct span bytes)
{
	return h1ways_read(H1_RESPONSE, H1_METHOD_GET, bytes);
}

struct h1ways_refusal {
	enum h1_problem problem;
	enum h1_kind kind;
	struct span bytes;
};

/* Every row of a table with this problem is refused for it, and there is one at least. */
__attribute__((unused)) static void h1ways_check_refusals(const struct h1ways_refusal *rows,
							  size_t count, enum h1_problem problem)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		const struct h1reader *r;

		if (rows[i].problem != problem)
			continue;
		any = true;
		r = h1ways_read(rows[i].kind, H1_METHOD_GET, rows[i].bytes);
		CHECK_TEXT(h1problem_name(r->problem), h1problem_name(problem));
		CHECK(r->complete == 0);
	}
	CHECK_ROW(h1problem_name(problem), any);
}

#endif
