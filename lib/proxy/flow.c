#include "proxy/flow.h"

#include "proxy/worker.h"

/* Bytes moved by one call, so that one busy connection does not keep the others waiting. */
#define TURN_MAX (512u << 10)

/*
 * What a first read takes: one that is full is followed by splicing. And a splice that brings less
 * is a trickle: copying it is one call less.
 */
#define BULK_MIN (16u << 10)

static enum stream_result fill_pipe(struct flow *f, struct stream *source)
{
	size_t got;
	enum stream_result r = pipepool_fill(f->pipe, source, f->pipe->size, &got);

	f->piped = (uint32_t)got;
	if (got > 0)
		f->in_bulk = got >= BULK_MIN;
	return r;
}

static enum stream_result drain_pipe(struct flow *f, struct stream *sink, struct worker *w)
{
	size_t put;
	enum stream_result r = pipepool_drain(f->pipe, f->piped, sink, &put);

	f->piped -= (uint32_t)put;
	f->moved += put;
	metrics_add(&w->metrics.spliced_bytes, put);
	return r;
}

static enum stream_result fill_block(struct flow *f, struct stream *source)
{
	/* What comes in bulk and is copied all the same has no pipe to be had. */
	size_t cap = f->in_bulk ? IOBUF_SIZE : BULK_MIN, got;
	enum stream_result r;

	f->buf.start = f->buf.end = 0;
	r = stream_read(source, f->buf.block, cap, &got);
	f->buf.end = (uint32_t)got;
	f->in_bulk = got == cap;
	return r;
}

/* The last bytes leave in one packet with the end. */
static enum stream_result drain_block(struct flow *f, bool is_last, struct stream *sink)
{
	enum stream_result r;
	size_t put;

	r = is_last ? stream_write_last(sink, iobuf_span(&f->buf), &put)
		    : stream_write(sink, iobuf_span(&f->buf), &put);

	iobuf_consume(&f->buf, put);
	f->moved += put;
	return r;
}

/* An empty pipe is kept while more is coming in bulk. */
static void choose(struct flow *f, struct worker *w)
{
	if (f->in_bulk && f->pipe == NULL)
		f->pipe = pipepool_get(&w->pipes);
	if (!f->in_bulk && f->pipe != NULL) {
		pipepool_put(&w->pipes, f->pipe, 0);
		f->pipe = NULL;
	}
}

static enum flow_result move(struct flow *f, struct stream *source, struct stream *sink,
			     struct worker *w)
{
	uint64_t stop_at = f->moved + TURN_MAX;
	enum stream_result r;

	for (;;) {
		while (flow_is_blocked(f)) {
			r = f->piped > 0 ? drain_pipe(f, sink, w)
					 : drain_block(f, source->at_eof, sink);
			if (r != STREAM_OK)
				return r == STREAM_AGAIN ? FLOW_AGAIN : FLOW_SINK_FAILED;
		}
		if (f->moved >= stop_at)
			return FLOW_YIELD;
		if (source->at_eof)
			return FLOW_ENDED;
		if (!source->readable)
			return FLOW_AGAIN;
		choose(f, w);
		if (f->pipe == NULL && !iobuf_hold(&f->buf, &w->blocks))
			return FLOW_NO_BUFFER;
		r = f->pipe != NULL ? fill_pipe(f, source) : fill_block(f, source);
		if (r == STREAM_AGAIN)
			return FLOW_AGAIN;
		if (r == STREAM_FAILED)
			return FLOW_SOURCE_FAILED;
	}
}

enum flow_result flow_run(struct flow *f, struct stream *source, struct stream *sink,
			  struct worker *w)
{
	uint64_t before = f->moved;
	enum flow_result result = move(f, source, sink, w);

	metrics_add(&w->metrics.relay_bytes, f->moved - before);
	if (f->piped == 0) {
		pipepool_put(&w->pipes, f->pipe, 0);
		f->pipe = NULL;
	}
	if (iobuf_is_empty(&f->buf))
		iobuf_release(&f->buf, &w->blocks);
	return result;
}

void flow_release(struct flow *f, struct worker *w)
{
	pipepool_put(&w->pipes, f->pipe, f->piped);
	f->pipe = NULL;
	f->piped = 0;
	iobuf_release(&f->buf, &w->blocks);
}
