#include "pipes.h"

static char bytes[65536];

static enum stream_result read_some(struct pipes *p, size_t cap, struct span *got)
{
	size_t len = 12345;
	enum stream_result r = stream_read(&p->stream, bytes, cap, &len);

	*got = span_of(bytes, len);
	return r;
}

static void starts_over_nothing(void)
{
	struct stream s;

	memset(&s, 0xff, sizeof s);
	stream_init(&s);
	CHECK_INT(s.watch.fd, -1);
	CHECK(s.tls == NULL);
	CHECK(!stream_may_read(&s));
}

static void makes_no_call_before_an_event(void)
{
	struct pipes p;
	struct span got;
	size_t put;

	pipes_open(&p, 0);
	CHECK(send(p.peer, "x", 1, 0) == 1);
	p.stream.readable = p.stream.writable = false;
	CHECK_INT(read_some(&p, 10, &got), STREAM_AGAIN);
	CHECK_INT(got.len, 0);
	CHECK_INT(stream_write(&p.stream, SPAN("y"), &put), STREAM_AGAIN);
	CHECK_INT(stream_write_two(&p.stream, SPAN("y"), SPAN("z"), &put), STREAM_AGAIN);
	CHECK_INT(put, 0);
	pipes_tell(&p, LOOP_READABLE);
	CHECK(stream_may_read(&p.stream));
	CHECK_INT(read_some(&p, 10, &got), STREAM_OK);
	CHECK_SPAN(got, "x");
	CHECK_INT(stream_write(&p.stream, SPAN("y"), &put), STREAM_AGAIN);
	pipes_tell(&p, LOOP_WRITABLE);
	CHECK_INT(stream_write(&p.stream, SPAN("y"), &put), STREAM_OK);
	CHECK_INT(put, 1);
	pipes_close(&p);
}

static void takes_a_short_read_for_the_last_and_a_full_one_not(void)
{
	struct pipes p;
	struct span got;

	pipes_open(&p, 0);
	pipes_put_all(&p, SPAN("abcdef"));
	CHECK_INT(read_some(&p, 3, &got), STREAM_OK);
	CHECK_SPAN(got, "abc");
	CHECK(stream_may_read(&p.stream));
	CHECK_INT(read_some(&p, 4, &got), STREAM_OK);
	CHECK_SPAN(got, "def");
	CHECK(!stream_may_read(&p.stream));
	CHECK_INT(read_some(&p, 4, &got), STREAM_AGAIN);
	/* Read to the last byte without knowing: the next call learns it. */
	pipes_put_all(&p, SPAN("ghi"));
	CHECK_INT(read_some(&p, 3, &got), STREAM_OK);
	CHECK(stream_may_read(&p.stream));
	CHECK_INT(read_some(&p, 3, &got), STREAM_AGAIN);
	CHECK(!stream_may_read(&p.stream));
	pipes_close(&p);
}

static void reads_the_end_behind_bytes_that_came_with_a_hangup(void)
{
	struct pipes p;
	struct span got;

	pipes_open(&p, 0);
	pipes_put_all(&p, SPAN("last words"));
	pipes_end(&p);
	/* One edge told both: a short read must not end the reading. */
	CHECK_INT(read_some(&p, 100, &got), STREAM_OK);
	CHECK_SPAN(got, "last words");
	CHECK(stream_may_read(&p.stream));
	for (int i = 0; i < 3; i++) {
		CHECK_INT(read_some(&p, 100, &got), STREAM_EOF);
		CHECK_INT(got.len, 0);
		CHECK(p.stream.at_eof);
	}
	pipes_close(&p);
}

static void reads_an_end_that_comes_by_itself(void)
{
	struct pipes p;
	struct span got;

	pipes_open_tcp(&p);
	pipes_put_all(&p, SPAN("a"));
	pipes_wait_readable(p.fd);
	CHECK_INT(read_some(&p, 100, &got), STREAM_OK);
	CHECK_INT(read_some(&p, 100, &got), STREAM_AGAIN);
	pipes_end(&p);
	pipes_wait_readable(p.fd);
	CHECK_INT(read_some(&p, 100, &got), STREAM_EOF);
	CHECK_INT(p.stream.error, 0);
	pipes_close(&p);
}

static void writes_until_the_kernel_is_full(void)
{
	struct pipes p;
	struct buf out;
	size_t put, total = 0;

	pipes_open(&p, 1);
	buf_init_heap(&out, 1 << 20);
	memset(bytes, 'w', sizeof bytes);
	while (stream_write(&p.stream, span_of(bytes, 700), &put) == STREAM_OK) {
		CHECK(put > 0 && put <= 700);
		total += put;
	}
	CHECK_INT(put, 0);
	CHECK(!p.stream.writable);
	pipes_take(&p, &out, SIZE_MAX);
	CHECK_INT(out.len, total);
	CHECK_INT(stream_write(&p.stream, SPAN("on"), &put), STREAM_OK);
	buf_fini(&out);
	pipes_close(&p);
}

static void writes_two_pieces_one_behind_the_other(void)
{
	struct pipes p;
	struct buf out;
	size_t put;

	pipes_open(&p, 0);
	buf_init_heap(&out, 1 << 20);
	CHECK_INT(stream_write_two(&p.stream, SPAN("head "), SPAN("body"), &put), STREAM_OK);
	CHECK_INT(put, 9);
	pipes_take(&p, &out, SIZE_MAX);
	CHECK_SPAN(buf_span(&out), "head body");
	buf_fini(&out);
	pipes_close(&p);
}

static void tells_the_error_of_a_reset_when_reading(void)
{
	struct pipes p;
	struct span got;

	pipes_open_tcp(&p);
	pipes_reset(&p);
	pipes_wait_readable(p.fd);
	CHECK_INT(read_some(&p, 10, &got), STREAM_FAILED);
	CHECK_INT(got.len, 0);
	CHECK_INT(p.stream.error, ECONNRESET);
	pipes_close(&p);
}

static void tells_the_error_of_a_closed_peer_when_writing_without_a_signal(void)
{
	struct pipes p;
	size_t put;

	pipes_open(&p, 0);
	fd_close(&p.peer);
	CHECK_INT(stream_write(&p.stream, SPAN("x"), &put), STREAM_FAILED);
	CHECK_INT(put, 0);
	CHECK_INT(p.stream.error, EPIPE);
	pipes_close(&p);
	pipes_open(&p, 0);
	fd_close(&p.peer);
	CHECK_INT(stream_write_two(&p.stream, SPAN("x"), SPAN("y"), &put), STREAM_FAILED);
	CHECK_INT(p.stream.error, EPIPE);
	pipes_close(&p);
}

static void ends_its_output_behind_what_was_written(void)
{
	struct pipes p;
	struct span got;
	struct buf out;
	size_t put;

	pipes_open(&p, 0);
	buf_init_heap(&out, 1 << 20);
	CHECK_INT(stream_write(&p.stream, SPAN("bye"), &put), STREAM_OK);
	stream_end_output(&p.stream);
	pipes_take(&p, &out, SIZE_MAX);
	CHECK_SPAN(buf_span(&out), "bye");
	CHECK(recv(p.peer, bytes, 1, 0) == 0);
	/* The other way is open still. */
	pipes_put_all(&p, SPAN("answer"));
	CHECK_INT(read_some(&p, 100, &got), STREAM_OK);
	CHECK_SPAN(got, "answer");
	buf_fini(&out);
	pipes_close(&p);
}

static void a_plain_stream_needs_no_handshake_and_no_flush(void)
{
	struct pipes p;

	pipes_open(&p, 0);
	CHECK_INT(stream_handshake(&p.stream), STREAM_OK);
	CHECK_INT(stream_flush(&p.stream), STREAM_OK);
	pipes_close(&p);
}

static void an_end_that_was_announced_in_order_is_not_read_for(void)
{
	struct pipes p;
	struct span got;

	pipes_open_tcp(&p);
	pipes_put_all(&p, SPAN("last words"));
	pipes_end(&p);
	pipes_wait_readable(p.fd);
	pipes_tell(&p, LOOP_READABLE | LOOP_HANGUP);
	CHECK_INT(read_some(&p, 100, &got), STREAM_OK);
	CHECK(p.stream.at_eof);
	pipes_close(&p);
	/* A failure is: only reading tells which. */
	pipes_open_tcp(&p);
	pipes_put_all(&p, SPAN("last words"));
	pipes_wait_readable(p.fd);
	pipes_tell(&p, LOOP_READABLE | LOOP_HANGUP | LOOP_FAILED);
	CHECK_INT(read_some(&p, 100, &got), STREAM_OK);
	CHECK(!p.stream.at_eof);
	pipes_close(&p);
}

static void the_last_bytes_wait_for_the_end(void)
{
	struct pipes p;
	char got[16];
	size_t put;

	pipes_open_tcp(&p);
	CHECK_INT(stream_write_last(&p.stream, SPAN("bye"), &put), STREAM_OK);
	CHECK_INT(put, 3);
	CHECK(recv(p.peer, got, sizeof got, MSG_DONTWAIT) == -1);
	stream_end_output(&p.stream);
	pipes_wait_readable(p.peer);
	CHECK(recv(p.peer, got, sizeof got, 0) == 3);
	CHECK(recv(p.peer, got, sizeof got, MSG_DONTWAIT) == 0);
	pipes_close(&p);
}

UNIT_TESTS(TEST(an_end_that_was_announced_in_order_is_not_read_for),
	   TEST(the_last_bytes_wait_for_the_end), TEST(starts_over_nothing),
	   TEST(makes_no_call_before_an_event),
	   TEST(takes_a_short_read_for_the_last_and_a_full_one_not),
	   TEST(reads_the_end_behind_bytes_that_came_with_a_hangup),
	   TEST(reads_an_end_that_comes_by_itself), TEST(writes_until_the_kernel_is_full),
	   TEST(writes_two_pieces_one_behind_the_other),
	   TEST(tells_the_error_of_a_reset_when_reading),
	   TEST(tells_the_error_of_a_closed_peer_when_writing_without_a_signal),
	   TEST(ends_its_output_behind_what_was_written),
	   TEST(a_plain_stream_needs_no_handshake_and_no_flush))
