#include "proxy/pump.h"

#include "http/h1write.h"

/*
 * Up to this size, bytes are copied behind the head and leave by one send; above, head and body
 * leave from where they are by one sendmsg. The copy is cheaper than the kernel's iovec handling
 * below.
 */
#define COPY_MAX 4096

/* Bytes moved by one call, so that one busy connection does not keep the others waiting. */
#define TURN_MAX (256u << 10)

/* What is left of a body that is worth a pipe: two calls for what one recv and one send do. */
#define SPLICE_MIN (256u << 10)

/*
 * Room that the framing of a chunk needs: its size line, its end, and a last chunk without
 * trailers.
 */
#define CHUNK_OVERHEAD (H1_CHUNK_START_MAX + 2 + 5)

void pump_start(struct pump *p, enum h1_body_kind kind, uint64_t length, bool chunked_out,
		struct buf *trailers)
{
	h1body_start(&p->body, kind, length, trailers);
	p->trailers = trailers;
	p->bytes_in = p->bytes_out = 0;
	p->chunked_out = chunked_out;
	p->ended = false;
	p->recycled = false;
}

void pump_release_pipe(struct pump *p)
{
	pipepool_put(p->pipes, p->pipe, p->piped);
	p->pipe = NULL;
	p->piped = 0;
}

void pump_release(struct pump *p, struct slab *blocks)
{
	iobuf_release(&p->in, blocks);
	iobuf_release(&p->out, blocks);
	pump_release_pipe(p);
}

/* Takes `n` bytes of the message off what has come. */
static void consume(struct pump *p, size_t n)
{
	iobuf_consume(&p->in, n);
	p->bytes_in += n;
}

static void write_piece(struct pump *p, struct span piece)
{
	struct buf out = iobuf_writer(&p->out);

	h1write_chunk_start(piece.len, &out);
	buf_add(&out, piece);
	h1write_chunk_end(&out);
	iobuf_wrote(&p->out, &out);
}

/* False when there is no room for it yet. */
static bool write_end(struct pump *p)
{
	struct span trailers = p->trailers != NULL ? buf_span(p->trailers) : SPAN("");
	struct buf out;

	if (p->chunked_out) {
		if (iobuf_room(&p->out) < CHUNK_OVERHEAD + trailers.len)
			return false;
		out = iobuf_writer(&p->out);
		h1write_last_chunk(trailers, &out);
		iobuf_wrote(&p->out, &out);
	}
	p->ended = true;
	return true;
}

/*
 * Would the bytes that wait in `in` better be sent from there? Only when they need no new framing.
 */
static bool goes_direct(const struct pump *p)
{
	if (p->chunked_out || h1body_passable(&p->body) == 0)
		return false;
	return iobuf_is_empty(&p->out) || p->in.end - p->in.start > COPY_MAX ||
	       iobuf_room(&p->out) < p->in.end - p->in.start;
}

/*
 * Takes the framing off what is in `in` and puts the result, framed anew, into `out`, as far as
 * there is room. False when the body is malformed.
 */
static bool reframe(struct pump *p)
{
	while (!p->ended && !goes_direct(p)) {
		uint32_t room = iobuf_room(&p->out);
		struct span input, piece;
		size_t before;
		enum h1_body_event event;

		/*
		 * So much input fits `out` in any case: pieces are never longer than what they come
		 * from.
		 */
		if (room <= CHUNK_OVERHEAD)
			return true;
		input = span_first(iobuf_span(&p->in), room - CHUNK_OVERHEAD);
		before = input.len;
		event = h1body_next(&p->body, &input, &piece);
		if (event == H1_BODY_BAD)
			return false;
		if (event == H1_BODY_DATA && p->chunked_out)
			write_piece(p, piece);
		else if (event == H1_BODY_DATA)
			iobuf_append(&p->out, piece);
		consume(p, before - input.len);
		if (event == H1_BODY_END && !write_end(p))
			return true;
		if (event == H1_BODY_MORE && iobuf_is_empty(&p->in))
			return true;
	}
	return true;
}

/* Sends `out`, and what of `in` goes direct behind it. */
static enum stream_result send_some(struct pump *p, struct stream *sink)
{
	struct span framed = iobuf_span(&p->out), direct = {NULL, 0};
	enum stream_result r;
	size_t put;

	if (!iobuf_is_empty(&p->in) && goes_direct(p))
		direct = span_first(iobuf_span(&p->in), h1body_passable(&p->body));
	if (framed.len == 0)
		r = stream_write(sink, direct, &put);
	else if (direct.len == 0)
		r = stream_write(sink, framed, &put);
	else
		r = stream_write_two(sink, framed, direct, &put);
	p->bytes_out += put;
	if (put > framed.len) {
		h1body_pass(&p->body, put - framed.len);
		consume(p, put - framed.len);
		p->recycled = true;
		put = framed.len;
	}
	iobuf_consume(&p->out, put);
	return r;
}

static bool has_output(const struct pump *p)
{
	return !iobuf_is_empty(&p->out) || (!iobuf_is_empty(&p->in) && goes_direct(p));
}

static enum pump_result end_of_source(struct pump *p)
{
	if (!h1body_is_complete_at_eof(&p->body))
		return PUMP_SOURCE_ENDED;
	write_end(p);
	return PUMP_DONE;
}

/*
 * Reads more of the message. PUMP_DONE here means that something was read, or the end was in order.
 */
static enum pump_result read_some(struct pump *p, struct stream *source, struct slab *blocks)
{
	enum stream_result r;
	size_t got;

	if (!stream_may_read(source))
		return PUMP_AGAIN;
	if (!iobuf_hold(&p->in, blocks))
		return PUMP_NO_BUFFER;
	iobuf_compact(&p->in);
	if (iobuf_room(&p->in) == 0)
		return PUMP_AGAIN;
	r = stream_read(source, p->in.block + p->in.end, iobuf_room(&p->in), &got);
	p->in.end += (uint32_t)got;
	switch (r) {
	case STREAM_OK:
		return PUMP_DONE;
	case STREAM_AGAIN:
		return PUMP_AGAIN;
	case STREAM_EOF:
		return end_of_source(p);
	case STREAM_FAILED:
	default:
		return PUMP_SOURCE_FAILED;
	}
}

/* Both blocks are empty: may what comes next stay in the kernel? */
static bool may_splice(struct pump *p, const struct stream *source, const struct stream *sink)
{
	if (p->chunked_out || source->tls != NULL || sink->tls != NULL || p->pipes == NULL ||
	    h1body_passable(&p->body) < SPLICE_MIN || !source->readable)
		return false;
	p->pipe = pipepool_get(p->pipes);
	return p->pipe != NULL;
}

/* A pipe is filled, then emptied. PUMP_DONE: there may be more to do. */
static enum pump_result splice_some(struct pump *p, struct stream *source, struct stream *sink)
{
	enum stream_result r = STREAM_OK;
	size_t got, put;

	if (p->piped == 0) {
		r = pipepool_fill(p->pipe, source, h1body_passable(&p->body), &got);
		p->piped = (uint32_t)got;
		p->bytes_in += got;
		h1body_pass(&p->body, got);
		p->recycled = true;
	}
	if (r == STREAM_OK) {
		r = pipepool_drain(p->pipe, p->piped, sink, &put);
		p->piped -= (uint32_t)put;
		p->bytes_out += put;
		if (r == STREAM_FAILED)
			return PUMP_SINK_FAILED;
	}
	if (p->piped > 0)
		return r == STREAM_OK ? PUMP_DONE : PUMP_AGAIN;
	pump_release_pipe(p);
	switch (r) {
	case STREAM_OK:
		return PUMP_DONE;
	case STREAM_AGAIN:
		return PUMP_AGAIN;
	case STREAM_EOF:
		return end_of_source(p);
	case STREAM_FAILED:
	default:
		return PUMP_SOURCE_FAILED;
	}
}

/* No block is held that has no content, unless what was sent may have to be sent again. */
static void tidy(struct pump *p, struct slab *blocks)
{
	if (iobuf_is_empty(&p->in))
		iobuf_release(&p->in, blocks);
	if (iobuf_is_empty(&p->out) && (p->out.end == 0 || p->recycled))
		iobuf_release(&p->out, blocks);
}

/*
 * A drained `out` starts anew, but only for more to come: a whole message stays, so that it can be
 * sent again. True when it did, and there is room where there may have been none.
 */
static bool recycle_out(struct pump *p)
{
	if (p->out.start == 0 || p->ended)
		return false;
	p->out.start = p->out.end = 0;
	p->recycled = true;
	return true;
}

enum pump_result pump_run(struct pump *p, struct stream *source, struct stream *sink,
			  struct slab *blocks)
{
	uint64_t stop_at = p->bytes_out + TURN_MAX;

	if (!iobuf_hold(&p->out, blocks))
		return PUMP_NO_BUFFER;
	for (;;) {
		enum pump_result r;

		if (p->piped == 0 && !reframe(p))
			return PUMP_MALFORMED;
		if (has_output(p)) {
			enum stream_result sent = send_some(p, sink);

			if (sent == STREAM_FAILED)
				return PUMP_SINK_FAILED;
			if (sent == STREAM_AGAIN)
				return PUMP_AGAIN;
			if (p->bytes_out >= stop_at)
				return PUMP_YIELD;
			continue;
		}
		if (p->ended) {
			enum stream_result flushed = stream_flush(sink);

			tidy(p, blocks);
			return flushed == STREAM_OK	 ? PUMP_DONE
			       : flushed == STREAM_AGAIN ? PUMP_AGAIN
							 : PUMP_SINK_FAILED;
		}
		/* What waits in `in`, or the end, may only have lacked room. */
		if (recycle_out(p))
			continue;
		if (p->piped > 0 || may_splice(p, source, sink))
			r = splice_some(p, source, sink);
		else
			r = read_some(p, source, blocks);
		if (r == PUMP_DONE && p->bytes_out < stop_at)
			continue;
		tidy(p, blocks);
		return r == PUMP_DONE ? PUMP_YIELD : r;
	}
}

enum pump_result pump_collect(struct pump *p, struct stream *source, struct slab *blocks)
{
	if (!iobuf_hold(&p->out, blocks))
		return PUMP_NO_BUFFER;
	for (;;) {
		enum pump_result r;

		if (!reframe(p))
			return PUMP_MALFORMED;
		if (p->ended)
			return PUMP_DONE;
		if (iobuf_room(&p->out) <= CHUNK_OVERHEAD)
			return PUMP_YIELD;
		r = read_some(p, source, blocks);
		if (r == PUMP_DONE)
			continue;
		tidy(p, blocks);
		return r;
	}
}
