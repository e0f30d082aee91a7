#include "pumping.h"

#include "sys/clock.h"

struct way {
	enum h1_body_kind kind;
	bool chunked_out;
};

/* Feeds `step` bytes at a time, drains `drain` bytes at a time, and compares what has come out. */
static void move(const struct way *way, size_t len, size_t step, size_t drain)
{
	uint64_t until = clock_monotonic_ms() + 20000;
	enum pump_result r = PUMP_AGAIN;
	bool event = true, ended = false;
	size_t fed = 0;

	make_body(way->kind, len);
	start(way->kind, len, way->chunked_out, NULL);
	while (r != PUMP_DONE) {
		size_t n = pipes_put(&source, span_first(span_from(buf_span(&input), fed), step));

		fed += n;
		event |= n > 0;
		if (fed == input.len && way->kind == H1_BODY_UNTIL_CLOSE && !ended) {
			pipes_end(&source);
			ended = event = true;
		}
		/* Without an event the proxy would not call: so neither do we. */
		CHECK(event || r == PUMP_YIELD);
		CHECK(clock_monotonic_ms() < until);
		r = run();
		CHECK(r == PUMP_AGAIN || r == PUMP_YIELD || r == PUMP_DONE);
		n = output.len;
		pipes_take(&sink, &output, drain);
		event = output.len > n;
	}
	pipes_take(&sink, &output, SIZE_MAX);
	CHECK_INT(fed, input.len);
	CHECK_INT(pump.bytes_in, input.len);
	CHECK_INT(pump.bytes_out, output.len);
	if (way->chunked_out)
		dechunk(&output);
	CHECK_INT(output.len, expected.len);
	CHECK(memcmp(output.ptr, expected.ptr, expected.len) == 0);
	/* A whole message may have to be sent again: then, and only then, is a block held. */
	CHECK_INT(blocks.in_use, pump.recycled ? 0 : 1);
}

static const struct way ways[] = {
	{H1_BODY_LENGTH, false},      {H1_BODY_CHUNKED, false},	   {H1_BODY_CHUNKED, true},
	{H1_BODY_UNTIL_CLOSE, false}, {H1_BODY_UNTIL_CLOSE, true}, {H1_BODY_LENGTH, true},
};

#define WAYS (sizeof ways / sizeof ways[0])

static void moves_every_framing_whole_at_every_pace(void)
{
	static const size_t lens[] = {0, 1, 2, 4095, 4096, 4097, 20000, 300000};
	/* Bytes fed and drained at a time. */
	static const size_t paces[][2] = {
		{1, SIZE_MAX}, {3, 2}, {4096, SIZE_MAX}, {SIZE_MAX, 999}, {SIZE_MAX, SIZE_MAX}};

	for (size_t w = 0; w < WAYS; w++)
		for (size_t l = 0; l < sizeof lens / sizeof lens[0]; l++)
			for (size_t i = 0; i < sizeof paces / sizeof paces[0]; i++) {
				if (paces[i][0] < 10 && lens[l] > 5000)
					continue;
				setup(0, 1);
				move(&ways[w], lens[l], paces[i][0], paces[i][1]);
				teardown();
			}
}

/* Where the rest of a body, or only its last chunk, does not fit the block any more. */
static void loses_nothing_and_stops_nowhere_where_a_block_ends(void)
{
	for (size_t w = 0; w < WAYS; w++)
		for (size_t len = IOBUF_SIZE - 100; len < IOBUF_SIZE + 20; len++) {
			setup(0, 0);
			move(&ways[w], len, SIZE_MAX, SIZE_MAX);
			teardown();
			setup(0, 0);
			move(&ways[w], len, 4096, SIZE_MAX);
			teardown();
		}
}

static void a_message_without_body_is_its_head(void)
{
	setup(0, 0);
	start(H1_BODY_NONE, 0, false, NULL);
	pipes_put_all(&source, SPAN("next"));
	CHECK_INT(run(), PUMP_DONE);
	pipes_take(&sink, &output, SIZE_MAX);
	CHECK_SPAN(buf_span(&output), HEAD);
	CHECK_INT(pump.bytes_in, 0);
	teardown();
}

/* What follows a body stays: in `in` when it was read, in the kernel when not. */
static void takes_no_byte_of_what_follows(void)
{
	static const struct {
		enum h1_body_kind kind;
		const char *body;
		bool chunked_out;
		const char *out;
	} rows[] = {
		{H1_BODY_LENGTH, "abc", false, HEAD "abc"},
		{H1_BODY_LENGTH, "abc", true, HEAD "3\r\nabc\r\n0\r\n\r\n"},
		{H1_BODY_CHUNKED, "3\r\nabc\r\n0\r\n\r\n", true, HEAD "3\r\nabc\r\n0\r\n\r\n"},
		{H1_BODY_CHUNKED, "3\r\nabc\r\n0\r\n\r\n", false, HEAD "abc"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(0, 0);
		start(rows[i].kind, 3, rows[i].chunked_out, NULL);
		buf_printf(&input, "%sGET /next", rows[i].body);
		pipes_put_all(&source, buf_span(&input));
		CHECK_INT(run(), PUMP_DONE);
		pipes_take(&sink, &output, SIZE_MAX);
		CHECK_SPAN(buf_span(&output), rows[i].out);
		CHECK_SPAN(iobuf_span(&pump.in), "GET /next");
		CHECK_INT(pump.bytes_in, strlen(rows[i].body));
		teardown();
	}
}

/* The kernel's two buffers and our two blocks, or a pipe, and no more however often we try. */
static void stop_reading(struct pipepool *pipes, size_t bound)
{
	size_t total = 0, room;

	setup(0, 1);
	pump.pipes = pipes;
	start(H1_BODY_LENGTH, 10 << 20, false, NULL);
	for (size_t i = 0; i < 200000; i++)
		buf_add_byte(&input, body_byte(i));
	for (int i = 0; i < 50; i++) {
		total += pipes_put(&source, buf_span(&input));
		CHECK_INT(run(), PUMP_AGAIN);
	}
	CHECK(!iobuf_is_empty(&pump.in) || !iobuf_is_empty(&pump.out) || pump.piped > 0);
	CHECK((pump.piped > 0) == (pipes != NULL));
	room = pump.bytes_in + (pump.in.end - pump.in.start);
	CHECK_INT(run(), PUMP_AGAIN);
	CHECK_INT(pump.bytes_in + (pump.in.end - pump.in.start), room);
	CHECK(total - room > 0);
	CHECK(room - pump.bytes_out <= bound);
	teardown();
}

static void stops_reading_while_the_sink_takes_nothing(void)
{
	stop_reading(NULL, 2 * IOBUF_SIZE);
	stop_reading(&pool, 256 << 10);
}

static void gives_its_blocks_back_while_it_waits_for_more(void)
{
	setup(0, 0);
	start(H1_BODY_UNTIL_CLOSE, 0, false, NULL);
	pipes_put_all(&source, SPAN("first"));
	CHECK_INT(run(), PUMP_AGAIN);
	CHECK_INT(run(), PUMP_AGAIN);
	CHECK_INT(blocks.in_use, 0);
	pipes_put_all(&source, SPAN(" second"));
	CHECK_INT(run(), PUMP_AGAIN);
	CHECK_INT(blocks.in_use, 0);
	pipes_end(&source);
	CHECK_INT(run(), PUMP_DONE);
	pipes_take(&sink, &output, SIZE_MAX);
	CHECK_SPAN(buf_span(&output), HEAD "first second");
	teardown();
}

/* Sixty bytes and then what breaks a rule, or ends too early. */
static void tells_how_a_message_went_wrong(void)
{
	static const struct {
		const char *label, *body;
		enum h1_body_kind kind;
		bool ends;
		enum pump_result result;
		const char *out;
	} rows[] = {
		{"bad chunk size", "1\r\na\r\nx\r\n", H1_BODY_CHUNKED, false, PUMP_MALFORMED, NULL},
		{"bad chunk end", "1\r\nab\r\n", H1_BODY_CHUNKED, false, PUMP_MALFORMED, NULL},
		{"short length", "abc", H1_BODY_LENGTH, true, PUMP_SOURCE_ENDED,
		 HEAD "3\r\nabc\r\n"},
		{"no body at all", "", H1_BODY_LENGTH, true, PUMP_SOURCE_ENDED, HEAD},
		{"in a chunk", "5\r\nabc", H1_BODY_CHUNKED, true, PUMP_SOURCE_ENDED,
		 HEAD "3\r\nabc\r\n"},
		{"no last chunk", "3\r\nabc\r\n", H1_BODY_CHUNKED, true, PUMP_SOURCE_ENDED,
		 HEAD "3\r\nabc\r\n"},
		{"in the trailers", "3\r\nabc\r\n0\r\nA: b\r\n", H1_BODY_CHUNKED, true,
		 PUMP_SOURCE_ENDED, HEAD "3\r\nabc\r\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(0, 0);
		start(rows[i].kind, 60, true, NULL);
		pipes_put_all(&source, span_from_cstr(rows[i].body));
		if (rows[i].ends)
			pipes_end(&source);
		CHECK_ROW(rows[i].label, run() == rows[i].result);
		CHECK_ROW(rows[i].label, !pump.ended);
		if (rows[i].result == PUMP_MALFORMED)
			CHECK_ROW(rows[i].label, pump.body.problem != H1_PROBLEM_NONE);
		pipes_take(&sink, &output, SIZE_MAX);
		if (rows[i].out != NULL)
			CHECK_SPAN(buf_span(&output), rows[i].out);
		/* Whatever was passed on, it was not ended well. */
		CHECK_ROW(rows[i].label, !span_ends_with(buf_span(&output), SPAN("0\r\n\r\n")));
		teardown();
	}
}

static void tells_a_failed_source_and_a_failed_sink(void)
{
	setup(0, 0);
	fd_close(&sink.peer);
	start(H1_BODY_LENGTH, 5, false, NULL);
	CHECK_INT(run(), PUMP_SINK_FAILED);
	CHECK_INT(sink.stream.error, EPIPE);
	teardown();

	setup(0, 0);
	pipes_close(&source);
	pipes_open_tcp(&source);
	start(H1_BODY_UNTIL_CLOSE, 0, false, NULL);
	pipes_reset(&source);
	pipes_wait_readable(source.fd);
	CHECK_INT(run(), PUMP_SOURCE_FAILED);
	CHECK_INT(source.stream.error, ECONNRESET);
	teardown();
}

static void tells_when_no_block_is_left_and_goes_on_when_there_is_one(void)
{
	setup(0, 0);
	start(H1_BODY_LENGTH, 5, false, NULL);
	pipes_put_all(&source, SPAN("hello"));
	blocks.max_in_use = 1;
	CHECK_INT(run(), PUMP_NO_BUFFER);
	blocks.max_in_use = 2;
	CHECK_INT(run(), PUMP_DONE);
	pipes_take(&sink, &output, SIZE_MAX);
	CHECK_SPAN(buf_span(&output), HEAD "hello");
	pump_release(&pump, &blocks);
	blocks.max_in_use = 0;
	CHECK_INT(run(), PUMP_NO_BUFFER);
	CHECK_INT(pump_collect(&pump, &source.stream, &blocks), PUMP_NO_BUFFER);
	teardown();
}

/* A source that never runs dry must not keep the others waiting. */
static void yields_when_it_has_moved_its_share(void)
{
	size_t total = 0, n;

	setup(1 << 20, 1 << 20);
	start(H1_BODY_UNTIL_CLOSE, 0, false, NULL);
	for (size_t i = 0; i < (1 << 20); i++)
		buf_add_byte(&input, body_byte(i));
	while ((n = pipes_put(&source,
			      span_first(span_from(buf_span(&input), total), IOBUF_SIZE))) > 0)
		total += n;
	if (total < (300 << 10))
		unit_skip("the kernel's buffers are too small here");
	CHECK_INT(run(), PUMP_YIELD);
	CHECK(pump.bytes_out >= (256 << 10) && pump.bytes_out < (256 << 10) + IOBUF_SIZE);
	/* It is called again although nothing has come, and goes on. */
	do
		pipes_take(&sink, &output, SIZE_MAX);
	while (run() == PUMP_YIELD);
	pipes_take(&sink, &output, SIZE_MAX);
	CHECK_INT(output.len, total + strlen(HEAD));
	CHECK(memcmp(output.ptr + strlen(HEAD), input.ptr, total) == 0);
	teardown();
}

static void forwards_trailers_that_are_asked_for(void)
{
	static const char body[] = "1\r\na\r\n0\r\nX-Sum: 1\r\nHost: no\r\nY: 2\r\n\r\n";
	char storage[H1_TRAILERS_MAX + 1];
	struct buf trailers;

	setup(0, 0);
	BUF_INIT_ARRAY(&trailers, storage);
	start(H1_BODY_CHUNKED, 0, true, &trailers);
	for (size_t i = 0; i + 1 < sizeof body; i++) {
		CHECK_INT(run(), PUMP_AGAIN);
		pipes_put_all(&source, span_of(body + i, 1));
	}
	CHECK_INT(run(), PUMP_DONE);
	pipes_take(&sink, &output, SIZE_MAX);
	CHECK_SPAN(buf_span(&output), HEAD "1\r\na\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n");
	teardown();
}

static void a_small_message_can_be_sent_again(void)
{
	setup(0, 0);
	start(H1_BODY_CHUNKED, 0, true, NULL);
	pipes_put_all(&source, SPAN("3\r\nabc\r\n0\r\n\r\n"));
	CHECK_INT(pump_collect(&pump, &source.stream, &blocks), PUMP_DONE);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(run(), PUMP_DONE);
		buf_clear(&output);
		pipes_take(&sink, &output, SIZE_MAX);
		CHECK_SPAN(buf_span(&output), HEAD "3\r\nabc\r\n0\r\n\r\n");
		CHECK(pump.ended && !pump.recycled);
		pump.out.start = 0;
		pump.bytes_out = 0;
	}
	teardown();
}

static void collects_until_whole_full_or_wrong(void)
{
	static const struct {
		const char *body;
		bool ends;
		enum pump_result result;
	} rows[] = {
		{"3\r\nabc\r\n0\r\n\r\n", false, PUMP_DONE},
		{"3\r\nabc\r\n0\r\n\r\nGET", true, PUMP_DONE},
		{"3\r\nabc\r\n0\r\n", false, PUMP_AGAIN},
		{"3\r\nabc\r\n0\r\n", true, PUMP_SOURCE_ENDED},
		{"3\r\nabcd", false, PUMP_MALFORMED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(0, 0);
		start(H1_BODY_CHUNKED, 0, true, NULL);
		pipes_put_all(&source, span_from_cstr(rows[i].body));
		if (rows[i].ends)
			pipes_end(&source);
		CHECK_ROW(rows[i].body,
			  pump_collect(&pump, &source.stream, &blocks) == rows[i].result);
		pipes_take(&sink, &output, SIZE_MAX);
		CHECK_INT(output.len, 0);
		teardown();
	}
	/* More than a block: it says so, loses nothing, and pump_run goes on from there. */
	setup(0, 0);
	make_body(H1_BODY_CHUNKED, IOBUF_SIZE + 8000);
	start(H1_BODY_CHUNKED, 0, true, NULL);
	pipes_put_all(&source, buf_span(&input));
	CHECK_INT(pump_collect(&pump, &source.stream, &blocks), PUMP_YIELD);
	CHECK_INT(pump_collect(&pump, &source.stream, &blocks), PUMP_YIELD);
	CHECK_INT(run(), PUMP_DONE);
	pipes_take(&sink, &output, SIZE_MAX);
	dechunk(&output);
	CHECK(span_eq(buf_span(&output), buf_span(&expected)));
	teardown();
}

/* A megabyte for a sink that takes 64 KiB, then all of it. */
static void splices_what_needs_no_framing(void)
{
	enum pump_result r = PUMP_YIELD;
	size_t fed = 0, most = 0;

	setup(256 << 10, 64 << 10);
	make_body(H1_BODY_LENGTH, 1 << 20);
	start(H1_BODY_LENGTH, 1 << 20, false, NULL);
	for (int i = 0; i < 1000 && r != PUMP_DONE; i++) {
		fed += pipes_put(&source, span_from(buf_span(&input), fed));
		r = run();
		most = pump.piped > most ? pump.piped : most;
		CHECK((pump.pipe != NULL) == (pump.piped > 0));
		if (pump.piped > 0)
			CHECK_INT(blocks.in_use, 0);
		pipes_take(&sink, &output, SIZE_MAX);
	}
	CHECK_INT(r, PUMP_DONE);
	CHECK(most > 0);
	pipes_take(&sink, &output, SIZE_MAX);
	CHECK_INT(pump.bytes_in, 1 << 20);
	CHECK_INT(pump.bytes_out, output.len);
	CHECK(span_eq(buf_span(&output), buf_span(&expected)));
	teardown();
}

/* What is in the pipe goes with it; the next to hold it must not get any of that. */
static void an_end_in_the_middle_is_told_and_a_pipe_is_given_up(void)
{
	setup(256 << 10, 64 << 10);
	make_body(H1_BODY_LENGTH, 1 << 20);
	start(H1_BODY_LENGTH, 1 << 20, false, NULL);
	pipes_put(&source, span_first(buf_span(&input), 200 << 10));
	while (run() == PUMP_YIELD)
		;
	CHECK(pump.piped > 0);
	pump_release(&pump, &blocks);
	CHECK(pump.pipe == NULL);
	CHECK_INT(pool.free->fds[0], -1);
	teardown();

	setup(256 << 10, 256 << 10);
	make_body(H1_BODY_LENGTH, 1 << 20);
	start(H1_BODY_LENGTH, 1 << 20, false, NULL);
	pipes_put(&source, span_first(buf_span(&input), 100 << 10));
	pipes_end(&source);
	CHECK_INT(run(), PUMP_SOURCE_ENDED);
	teardown();
}

UNIT_TESTS(TEST(splices_what_needs_no_framing),
	   TEST(an_end_in_the_middle_is_told_and_a_pipe_is_given_up),
	   TEST(moves_every_framing_whole_at_every_pace),
	   TEST(loses_nothing_and_stops_nowhere_where_a_block_ends),
	   TEST(a_message_without_body_is_its_head), TEST(takes_no_byte_of_what_follows),
	   TEST(stops_reading_while_the_sink_takes_nothing),
	   TEST(gives_its_blocks_back_while_it_waits_for_more),
	   TEST(tells_how_a_message_went_wrong), TEST(tells_a_failed_source_and_a_failed_sink),
	   TEST(tells_when_no_block_is_left_and_goes_on_when_there_is_one),
	   TEST(yields_when_it_has_moved_its_share), TEST(forwards_trailers_that_are_asked_for),
	   TEST(a_small_message_can_be_sent_again), TEST(collects_until_whole_full_or_wrong))
