#include "../unit.h"

#include <fcntl.h>
#include <signal.h>

#include "base/buf.h"
#include "proxy/logwriter.h"
#include "sys/clock.h"
#include "sys/fd.h"

/* Static: a writer whose reader is stuck is left behind with its memory. */
static struct logwriter writer;
static int reader;

static void start(struct logwriter *w, size_t rings, int pipe_size)
{
	struct error e;
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	CHECK(fcntl(ends[1], F_SETPIPE_SZ, pipe_size) > 0);
	CHECK(logwriter_start(w, ends[1], rings, &e));
	reader = ends[0];
}

static void stop(void)
{
	int fd = writer.fd;

	logwriter_stop(&writer);
	CHECK(writer.rings == NULL);
	fd_close(&fd);
}

/* Everything up to the end, which must have been arranged for. */
static void read_all(struct buf *out)
{
	char bytes[4096];
	ssize_t n;

	buf_init_heap(out, 64 << 20);
	while ((n = read(reader, bytes, sizeof bytes)) > 0)
		buf_add(out, span_of(bytes, (size_t)n));
	CHECK(n == 0);
	fd_close(&reader);
}

static void put(struct logwriter *w, size_t ring, const char *line)
{
	logwriter_put(&w->rings[ring], span_from_cstr(line));
}

static void read_exactly(const char *text)
{
	size_t want = strlen(text), got = 0;
	char bytes[256];

	while (got < want) {
		ssize_t n = read(reader, bytes + got, want - got);

		CHECK(n > 0);
		got += (size_t)n;
	}
	CHECK_SPAN(span_of(bytes, got), text);
}

static void writes_lines_as_they_come(void)
{
	start(&writer, 1, 4096);
	put(&writer, 0, "one\n");
	logwriter_wake(&writer, &writer.rings[0]);
	read_exactly("one\n");
	put(&writer, 0, "two\n");
	put(&writer, 0, "three\n");
	logwriter_wake(&writer, &writer.rings[0]);
	read_exactly("two\nthree\n");
	CHECK(!writer.rings[0].is_new);
	stop();
	fd_close(&reader);
}

static void writes_what_is_left_when_stopped(void)
{
	struct buf out;

	start(&writer, 1, 65536);
	put(&writer, 0, "never announced\n");
	stop();
	read_all(&out);
	CHECK_SPAN(buf_span(&out), "never announced\n");
	buf_fini(&out);
}

static void *drain_pipe(void *context)
{
	read_all(context);
	return NULL;
}

static size_t numbered_line(char *line, size_t size, unsigned ring, unsigned number)
{
	return (size_t)snprintf(line, size, "%u %u %.*s\n", ring, number, (int)(number % 97),
				"................................................................"
				".................................");
}

/* Several rings' worth, so that each wraps many times, at every offset that lines bring about. */
static void keeps_each_workers_order_through_many_wraps(void)
{
	enum { RINGS = 3, LINES = 20000 };
	unsigned next[RINGS] = {0};
	struct span rest, line;
	struct buf out;
	char text[160];
	pthread_t thread;

	start(&writer, RINGS, 65536);
	CHECK(pthread_create(&thread, NULL, drain_pipe, &out) == 0);
	for (unsigned i = 0; i < LINES; i++)
		for (unsigned ring = 0; ring < RINGS; ring++) {
			struct logwriter_ring *r = &writer.rings[ring];
			size_t len = numbered_line(text, sizeof text, ring, i);

			/* The test waits for room, which a worker would not. */
			while (LOGWRITER_RING_SIZE -
				       (atomic_load(&r->put) - atomic_load(&r->taken)) <
			       len)
				usleep(100);
			logwriter_put(r, span_of(text, len));
			logwriter_wake(&writer, r);
		}
	CHECK(atomic_load(&writer.rings[0].put) > 3 * (uint64_t)LOGWRITER_RING_SIZE);
	for (unsigned ring = 0; ring < RINGS; ring++)
		CHECK_INT(atomic_load(&writer.rings[ring].lost), 0);
	stop();
	CHECK(pthread_join(thread, NULL) == 0);
	rest = buf_span(&out);
	while (span_split(&rest, '\n', &line) && rest.ptr != NULL) {
		unsigned ring = (unsigned)(line.ptr[0] - '0');
		size_t len;

		CHECK(ring < RINGS);
		len = numbered_line(text, sizeof text, ring, next[ring]++);
		CHECK(span_eq(line, span_of(text, len - 1)));
	}
	for (unsigned ring = 0; ring < RINGS; ring++)
		CHECK_INT(next[ring], LINES);
	buf_fini(&out);
}

static void a_full_ring_costs_lines_and_counts_them(void)
{
	static struct logwriter_ring ring;
	char line[1000];
	uint64_t fits = LOGWRITER_RING_SIZE / sizeof line;

	memset(line, 'x', sizeof line);
	for (uint64_t i = 0; i < fits; i++)
		logwriter_put(&ring, span_of(line, sizeof line));
	CHECK_INT(ring.lost, 0);
	logwriter_put(&ring, span_of(line, sizeof line));
	CHECK_INT(ring.lost, 1);
	CHECK_INT(ring.put, fits * sizeof line);
	/* A shorter one still fits, to the last byte. */
	logwriter_put(&ring, span_of(line, LOGWRITER_RING_SIZE - ring.put));
	CHECK_INT(ring.put, LOGWRITER_RING_SIZE);
	logwriter_put(&ring, SPAN("\n"));
	CHECK_INT(ring.lost, 2);
	ring.taken += 3;
	logwriter_put(&ring, SPAN("ab\n"));
	CHECK_INT(ring.lost, 2);
	CHECK(memcmp(ring.bytes, "ab\nx", 4) == 0);
}

static void a_reader_that_is_gone_blocks_nobody(void)
{
	signal(SIGPIPE, SIG_IGN);
	start(&writer, 1, 4096);
	fd_close(&reader);
	put(&writer, 0, "nobody reads this\n");
	logwriter_wake(&writer, &writer.rings[0]);
	for (int i = 0; i < 5000 && !atomic_load(&writer.failing); i++)
		usleep(1000);
	CHECK(atomic_load(&writer.failing));
	CHECK_INT(atomic_load(&writer.failed_bytes), 18);
	stop();
}

static void a_stuck_reader_delays_the_end_by_one_second(void)
{
	/* Left behind, as the header says: so it is not the other tests' writer. */
	static struct logwriter stuck;
	uint64_t before = clock_monotonic_ms(), took;
	char line[4000];
	struct buf out;

	memset(line, 'x', sizeof line);
	start(&stuck, 1, 4096);
	for (int i = 0; i < 8; i++)
		logwriter_put(&stuck.rings[0], span_of(line, sizeof line));
	logwriter_wake(&stuck, &stuck.rings[0]);
	/* Putting never blocks, whatever the reader does. */
	for (int i = 0; i < 1000; i++)
		logwriter_put(&stuck.rings[0], span_of(line, sizeof line));
	CHECK(atomic_load(&stuck.rings[0].lost) > 900);
	CHECK(clock_monotonic_ms() - before < 900);
	before = clock_monotonic_ms();
	logwriter_stop(&stuck);
	took = clock_monotonic_ms() - before;
	CHECK(took >= 900 && took < 4000);
	CHECK(stuck.rings != NULL);
	/* When it reads on after all, the thread ends by itself. */
	buf_init_heap(&out, 64 << 20);
	for (ssize_t n = 1; n > 0 && out.len < 8 * sizeof line;) {
		char bytes[4096];

		n = read(reader, bytes, sizeof bytes);
		CHECK(n > 0);
		buf_add(&out, span_of(bytes, (size_t)n));
	}
	buf_fini(&out);
}

UNIT_TESTS(TEST(writes_lines_as_they_come), TEST(writes_what_is_left_when_stopped),
	   TEST(keeps_each_workers_order_through_many_wraps),
	   TEST(a_full_ring_costs_lines_and_counts_them), TEST(a_reader_that_is_gone_blocks_nobody),
	   TEST(a_stuck_reader_delays_the_end_by_one_second))
