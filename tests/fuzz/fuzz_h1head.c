/*
 * fuzz_h1head: heads, their framing, and what is written of them.
 *
 * First byte: request or response, and the size of the pieces in which the rest arrives.
 */
#include <stdlib.h>

#include "../unit/http/h1reader.h"
#include "http/h1write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 20000

static struct h1reader reader, other;
static char reader_text[1 << 20], other_text[1 << 20];
static char written[2 * INPUT_MAX + H1_WRITE_EXTRA_MAX];

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_arrival(enum h1_kind kind, struct span bytes, size_t step)
{
	struct buf whole, pieces;

	BUF_INIT_ARRAY(&whole, reader_text);
	h1reader_init(&reader, kind, &whole);
	h1reader_read(&reader, bytes);
	require(reader.message_at <= bytes.len && reader.body_at <= bytes.len);

	BUF_INIT_ARRAY(&pieces, other_text);
	h1reader_init(&other, kind, &pieces);
	h1reader_read_split(&other, bytes, 0, step);
	require(span_eq(buf_span(&whole), buf_span(&pieces)));
}

/* Reads the first head of the bytes. */
static bool read_head(enum h1_kind kind, struct span bytes, struct h1_head *head,
		      struct h1_framing *framing)
{
	enum h1_problem problem;
	struct h1_scan scan;

	h1head_start(&scan, NULL);
	if (kind == H1_REQUEST)
		return h1head_parse_request(&scan, bytes, head) == H1_OK &&
		       h1frame_request(head, bytes.ptr, framing, &problem);
	return h1head_parse_response(&scan, bytes, head) == H1_OK &&
	       h1frame_response(head, bytes.ptr, H1_METHOD_GET, framing, &problem);
}

/* What was accepted is understood the same by whoever gets it from us. */
static void check_request(struct span bytes)
{
	const struct h1_request_rewrite rewrite = {.host = SPAN("b:443"), .via = SPAN("egressbox")};
	static struct h1_head head, again;
	struct h1_framing framing, framing_again;
	struct buf out;

	if (!read_head(H1_REQUEST, bytes, &head, &framing))
		return;
	require(head.head_len <= bytes.len && head.field_count <= H1_FIELDS_MAX);
	BUF_INIT_ARRAY(&out, written);
	require(h1write_request(&head, bytes.ptr, &framing, &rewrite, &out));
	require(out.len <= head.head_len + H1_WRITE_EXTRA_MAX);
	/* Ours may be over the limits that theirs kept. */
	if (out.len > 16384 || head.field_count > H1_FIELDS_MAX - 8)
		return;
	require(read_head(H1_REQUEST, buf_span(&out), &again, &framing_again));
	require(again.head_len == out.len);
	require(framing_again.body == framing.body && framing_again.length == framing.length);
	require(framing_again.upgrade == framing.upgrade);
	require(framing_again.expects_continue == framing.expects_continue);
	require(framing_again.trailers_ok == framing.trailers_ok);
	require(framing_again.keep_alive && again.version_minor == 1);
	require(!h1head_has(&again, H1_FIELD_INTERNAL));
	require(h1frame_via_has(&again, out.ptr, rewrite.via));
	if (head.target_form == H1_TARGET_ORIGIN)
		require(span_eq(h1head_text(bytes.ptr, head.path),
				h1head_text(out.ptr, again.path)));
}

static void check_response(struct span bytes)
{
	struct h1_response_rewrite rewrite = {.connection = H1_CONNECTION_CLOSE};
	static struct h1_head head, again;
	struct h1_framing framing, framing_again;
	struct buf out;

	if (!read_head(H1_RESPONSE, bytes, &head, &framing))
		return;
	rewrite.body = framing.body;
	rewrite.length = framing.length;
	BUF_INIT_ARRAY(&out, written);
	require(h1write_response(&head, bytes.ptr, &rewrite, &out));
	require(out.len <= head.head_len + H1_WRITE_EXTRA_MAX);
	if (out.len > 16384 || head.field_count > H1_FIELDS_MAX - 8)
		return;
	require(read_head(H1_RESPONSE, buf_span(&out), &again, &framing_again));
	require(again.head_len == out.len && again.status == head.status && again.folded == 0);
	require(framing_again.body == framing.body && framing_again.length == framing.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum h1_kind kind;
	struct span bytes;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	kind = data[0] & 1 ? H1_RESPONSE : H1_REQUEST;
	bytes = span_of(data + 1, size - 1);
	check_arrival(kind, bytes, 1 + (data[0] >> 1));
	if (kind == H1_REQUEST)
		check_request(bytes);
	else
		check_response(bytes);
	return 0;
}
