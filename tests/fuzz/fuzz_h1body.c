/*
 * fuzz_h1body: bodies and trailers.
 *
 * First byte: the kind of body and the size of the pieces in which the rest arrives.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/h1body.h"
#include "http/h1write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 20000

struct decoded {
	struct h1_body body;
	enum h1_body_event event;
	size_t used;
	struct buf data, trailers;
	char data_bytes[INPUT_MAX + 1], trailer_bytes[H1_TRAILERS_MAX + 1];
};

static struct decoded whole, pieces, again;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void decode(struct decoded *d, enum h1_body_kind kind, struct span bytes, size_t step)
{
	BUF_INIT_ARRAY(&d->data, d->data_bytes);
	BUF_INIT_ARRAY(&d->trailers, d->trailer_bytes);
	h1body_start(&d->body, kind, 100, &d->trailers);
	d->used = 0;
	do {
		size_t left = bytes.len - d->used;
		struct span input = span_of(bytes.ptr + d->used, left < step ? left : step);
		struct span piece;

		while ((d->event = h1body_next(&d->body, &input, &piece)) == H1_BODY_DATA) {
			require(piece.len > 0);
			buf_add(&d->data, piece);
		}
		d->used = (size_t)(input.ptr - bytes.ptr);
	} while (d->event == H1_BODY_MORE && d->used < bytes.len);
	require(d->used <= bytes.len && d->body.data_bytes == d->data.len);
	require(d->event != H1_BODY_MORE || d->used == bytes.len);
}

/* The same data and trailers in chunks of our own decode to themselves. */
static void check_encoding(const struct decoded *d)
{
	static char bytes[2 * INPUT_MAX];
	struct buf out;

	BUF_INIT_ARRAY(&out, bytes);
	if (d->data.len > 0) {
		h1write_chunk_start(d->data.len, &out);
		buf_add(&out, buf_span(&d->data));
		h1write_chunk_end(&out);
	}
	h1write_last_chunk(buf_span(&d->trailers), &out);
	/* The blanks behind the colons are ours, and may have taken the last of the room. */
	if (d->trailers.len + 2 > H1_TRAILERS_MAX)
		return;
	decode(&again, H1_BODY_CHUNKED, buf_span(&out), SIZE_MAX);
	require(again.event == H1_BODY_END && again.used == out.len);
	require(span_eq(buf_span(&again.data), buf_span(&d->data)));
	require(span_eq(buf_span(&again.trailers), buf_span(&d->trailers)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum h1_body_kind kind;
	struct span bytes;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	/* Most inputs are chunked: that is where the work is. */
	kind = (data[0] & 7) <= H1_BODY_UNTIL_CLOSE ? (enum h1_body_kind)(data[0] & 7)
						    : H1_BODY_CHUNKED;
	bytes = span_of(data + 1, size - 1);
	decode(&whole, kind, bytes, SIZE_MAX);
	decode(&pieces, kind, bytes, 1 + (data[0] >> 3));
	require(whole.event == pieces.event && whole.used == pieces.used);
	require(whole.body.problem == pieces.body.problem);
	require(span_eq(buf_span(&whole.data), buf_span(&pieces.data)));
	require(whole.event != H1_BODY_END ||
		span_eq(buf_span(&whole.trailers), buf_span(&pieces.trailers)));
	if (kind == H1_BODY_CHUNKED && whole.event == H1_BODY_END)
		check_encoding(&whole);
	return 0;
}
