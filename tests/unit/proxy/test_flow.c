#include "fixture.h"

#include <fcntl.h>

#include "proxy/flow.h"

/* Two connections; the flow goes from the first one's end to the second one's. */
static int in, out;
static struct stream source, sink;
static struct flow flow;

static void open_all(void)
{
	fixture_start();
	stream_init(&source);
	stream_init(&sink);
	in = fixture_pair(&source.watch.fd);
	out = fixture_pair(&sink.watch.fd);
	source.readable = sink.writable = true;
	flow = (struct flow){.moved = 0};
	fcntl(in, F_SETFL, O_NONBLOCK);
	fcntl(out, F_SETFL, O_NONBLOCK);
}

static void close_all(void)
{
	flow_release(&flow, &worker);
	fd_close(&in);
	fd_close(&out);
	fd_close(&source.watch.fd);
	fd_close(&sink.watch.fd);
	fixture_stop();
}

/* As if both had had an event. */
static enum flow_result run(void)
{
	source.readable = sink.writable = true;
	return flow_run(&flow, &source, &sink, &worker);
}

/* Sends what fits of a pattern that depends on the position; returns the new position. */
static uint64_t feed(uint64_t at, uint64_t end)
{
	unsigned char bytes[8192];

	for (;;) {
		size_t len = end - at < sizeof bytes ? (size_t)(end - at) : sizeof bytes;
		ssize_t n;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (unsigned char)((at + i) * 31 >> 3);
		n = len > 0 ? send(in, bytes, len, MSG_NOSIGNAL) : 0;
		if (n <= 0)
			return at;
		at += (uint64_t)n;
	}
}

static uint64_t drink(uint64_t at)
{
	unsigned char bytes[65536];
	ssize_t n;

	while ((n = recv(out, bytes, sizeof bytes, 0)) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			CHECK(bytes[i] == (unsigned char)(at * 31 >> 3));
	return at;
}

static void a_little_is_copied_and_nothing_is_held(void)
{
	open_all();
	CHECK_INT(feed(0, 1000), 1000);
	CHECK_INT(run(), FLOW_AGAIN);
	CHECK_INT(drink(0), 1000);
	CHECK_INT(flow.moved, 1000);
	CHECK_INT(worker.blocks.in_use, 0);
	CHECK_INT(metrics_get(&worker.metrics.relay_bytes), 1000);
	CHECK_INT(metrics_get(&worker.metrics.spliced_bytes), 0);
	close_all();
}

static void much_is_spliced_and_arrives_in_order(void)
{
	enum { ALL = 8 << 20 };
	uint64_t fed = 0, drunk = 0;

	open_all();
	while (drunk < ALL) {
		fed = feed(fed, ALL);
		CHECK(run() <= FLOW_YIELD);
		drunk = drink(drunk);
	}
	CHECK_INT(flow.moved, ALL);
	CHECK(metrics_get(&worker.metrics.spliced_bytes) > 0);
	CHECK(flow.pipe == NULL);
	CHECK_INT(worker.blocks.in_use, 0);
	fd_close(&in);
	CHECK_INT(run(), FLOW_ENDED);
	close_all();
}

static void a_sink_that_takes_nothing_stops_the_source_at_a_block_or_a_pipe(void)
{
	uint64_t fed = 0, before;

	open_all();
	do {
		before = fed;
		fed = feed(fed, UINT64_MAX);
		CHECK(run() <= FLOW_YIELD);
	} while (fed > before);
	CHECK(flow_is_blocked(&flow));
	CHECK(worker.blocks.in_use <= 1);
	CHECK(drink(0) > 0);
	close_all();
}

static void without_pipes_it_copies_on(void)
{
	enum { ALL = 4 << 20 };
	uint64_t fed = 0, drunk = 0;

	open_all();
	worker.pipes.free = NULL;
	while (drunk < ALL) {
		fed = feed(fed, ALL);
		CHECK(run() <= FLOW_YIELD);
		drunk = drink(drunk);
	}
	CHECK_INT(metrics_get(&worker.metrics.spliced_bytes), 0);
	close_all();
}

static void one_turn_is_bounded(void)
{
	uint64_t fed = 0;
	enum flow_result r;

	open_all();
	fed = feed(fed, UINT64_MAX);
	r = run();
	CHECK(r == FLOW_YIELD || flow.moved < (768u << 10));
	close_all();
}

static void failures_tell_whose_they_are(void)
{
	open_all();
	fixture_reset(in);
	in = -1;
	CHECK_INT(run(), FLOW_SOURCE_FAILED);
	close_all();
	open_all();
	CHECK_INT(feed(0, 10), 10);
	fixture_reset(out);
	out = -1;
	CHECK_INT(run(), FLOW_SINK_FAILED);
	close_all();
	open_all();
	worker.blocks.max_in_use = 0;
	CHECK_INT(run(), FLOW_NO_BUFFER);
	close_all();
}

UNIT_TESTS(TEST(a_little_is_copied_and_nothing_is_held), TEST(much_is_spliced_and_arrives_in_order),
	   TEST(a_sink_that_takes_nothing_stops_the_source_at_a_block_or_a_pipe),
	   TEST(without_pipes_it_copies_on), TEST(one_turn_is_bounded),
	   TEST(failures_tell_whose_they_are))
