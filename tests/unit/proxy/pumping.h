/*
 * pumping: a pump between two pipes, bodies to send through it, and what has to come out.
 */
#ifndef PUMPING_H
#define PUMPING_H

#include "pipes.h"

#include "proxy/pump.h"

/* The head that a caller puts into `out` before it starts. */
#define HEAD "HEAD\r\n\r\n"

static struct slab blocks;
static struct loop loop;
static struct pipepool pool;
static struct pipes source, sink;
static struct pump pump;
static struct buf input, output, expected;

/* A body's bytes: none stands where its neighbours would, so that loss and doubling are seen. */
static inline char body_byte(size_t i)
{
	return (char)('!' + (i * 7 + i / 93) % 93);
}

static inline void setup(int source_size, int sink_size)
{
	struct error e;

	CHECK(loop_init(&loop, &e));
	pipepool_init(&pool, &loop);
	slab_init(&blocks, IOBUF_SIZE, 2, 2);
	pipes_open(&source, source_size);
	pipes_open(&sink, sink_size);
	memset(&pump, 0, sizeof pump);
	pump.pipes = &pool;
	buf_init_heap(&input, 64 << 20);
	buf_init_heap(&output, 64 << 20);
	buf_init_heap(&expected, 64 << 20);
}

static inline void teardown(void)
{
	pump_release(&pump, &blocks);
	CHECK_INT(blocks.in_use, 0);
	slab_fini(&blocks);
	pipepool_fini(&pool);
	loop_fini(&loop);
	pipes_close(&source);
	pipes_close(&sink);
	buf_fini(&input);
	buf_fini(&output);
	buf_fini(&expected);
}

static inline void start(enum h1_body_kind kind, uint64_t length, bool chunked_out,
			 struct buf *trailers)
{
	CHECK(iobuf_hold(&pump.out, &blocks));
	iobuf_append(&pump.out, SPAN(HEAD));
	pump_start(&pump, kind, length, chunked_out, trailers);
}

static inline enum pump_result run(void)
{
	enum pump_result r = pump_run(&pump, &source.stream, &sink.stream, &blocks);

	CHECK(blocks.in_use <= 2);
	return r;
}

/*
 * The body as a sender frames it, chunks of growing sizes, into `input`; its bytes into
 * `expected`.
 */
static inline void make_body(enum h1_body_kind kind, size_t len)
{
	size_t done = 0, chunk = 1;

	buf_add_cstr(&expected, HEAD);
	while (done < len) {
		size_t part = kind != H1_BODY_CHUNKED || chunk > len - done ? len - done : chunk;

		if (kind == H1_BODY_CHUNKED)
			buf_printf(&input, "%zX;x=\"y\"\r\n", part);
		for (size_t i = 0; i < part; i++, done++) {
			buf_add_byte(&input, body_byte(done));
			buf_add_byte(&expected, body_byte(done));
		}
		if (kind == H1_BODY_CHUNKED)
			buf_add_cstr(&input, "\r\n");
		chunk = chunk * 3 + 1;
	}
	if (kind == H1_BODY_CHUNKED)
		buf_add_cstr(&input, "000\r\nX-Trailer: dropped\r\n\r\n");
}

/* Takes our own chunked framing off what follows the head, in place; it must be whole. */
static inline void dechunk(struct buf *b)
{
	size_t at = sizeof HEAD - 1, to = at;

	for (;;) {
		char *end;
		unsigned long long size = strtoull(b->ptr + at, &end, 16);

		CHECK(end > b->ptr + at && end[0] == '\r' && end[1] == '\n');
		at = (size_t)(end - b->ptr) + 2;
		if (size == 0)
			break;
		CHECK(size + 2 <= b->len - at);
		memmove(b->ptr + to, b->ptr + at, size);
		to += size;
		at += size;
		CHECK(memcmp(b->ptr + at, "\r\n", 2) == 0);
		at += 2;
	}
	CHECK_SPAN(span_of(b->ptr + at, b->len - at), "\r\n");
	b->len = to;
}

#endif
