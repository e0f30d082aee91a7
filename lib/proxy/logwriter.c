#include "proxy/logwriter.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "proxy/metrics.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define STACK_SIZE (64u << 10)
#define MASK (LOGWRITER_RING_SIZE - 1)

void logwriter_put(struct logwriter_ring *ring, struct span line)
{
	uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
	uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
	size_t at = put & MASK, first = LOGWRITER_RING_SIZE - at;

	if (LOGWRITER_RING_SIZE - (put - taken) < line.len) {
		atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
		return;
	}
	if (first > line.len)
		first = line.len;
	memcpy(ring->bytes + at, line.ptr, first);
	memcpy(ring->bytes, line.ptr + first, line.len - first);
	atomic_store_explicit(&ring->put, put + line.len, memory_order_release);
	ring->is_new = true;
}

static void wake(struct logwriter *w)
{
	uint64_t one = 1;

	(void)!write(w->wake_fd, &one, sizeof one);
}

void logwriter_wake(struct logwriter *w, struct logwriter_ring *ring)
{
	if (!ring->is_new)
		return;
	ring->is_new = false;
	/*
	 * The store of `put` must be seen before `sleeping` is read: the thread does it the other
	 * way.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&w->sleeping, memory_order_relaxed))
		wake(w);
}

/* What can't be written is dropped: waiting for better times would only lose other lines. */
static void write_out(struct logwriter *w, const char *bytes, size_t len)
{
	struct error e;
	bool ok = fd_write_all(w->fd, span_of(bytes, len), &e);

	atomic_store_explicit(&w->failing, !ok, memory_order_relaxed);
	if (!ok)
		atomic_fetch_add_explicit(&w->failed_bytes, len, memory_order_relaxed);
}

/* True when there was something. */
static bool drain(struct logwriter *w, struct logwriter_ring *ring)
{
	uint64_t put = atomic_load_explicit(&ring->put, memory_order_acquire);
	uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
	size_t at = taken & MASK, len = (size_t)(put - taken);
	size_t first = LOGWRITER_RING_SIZE - at < len ? LOGWRITER_RING_SIZE - at : len;

	if (len == 0)
		return false;
	write_out(w, ring->bytes + at, first);
	if (len > first)
		write_out(w, ring->bytes, len - first);
	atomic_store_explicit(&ring->taken, put, memory_order_release);
	return true;
}

static bool drain_all(struct logwriter *w)
{
	bool any = false;

	for (size_t i = 0; i < w->ring_count; i++)
		any |= drain(w, &w->rings[i]);
	return any;
}

static void sleep_until_woken(struct logwriter *w)
{
	uint64_t count;

	atomic_store_explicit(&w->sleeping, true, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	/* A line put just before a worker could see us sleeping is found here. */
	if (!drain_all(w) && !atomic_load(&w->stop))
		while (read(w->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
			;
	atomic_store_explicit(&w->sleeping, false, memory_order_relaxed);
}

static void *run(void *context)
{
	struct logwriter *w = context;

	prctl(PR_SET_NAME, "access-log");
	while (!atomic_load(&w->stop))
		if (!drain_all(w))
			sleep_until_woken(w);
	drain_all(w);
	return NULL;
}

bool logwriter_start(struct logwriter *w, int fd, size_t ring_count, struct error *e)
{
	pthread_attr_t attributes;
	int error;

	*w = (struct logwriter){
		.fd = fd, .wake_fd = eventfd(0, EFD_CLOEXEC), .ring_count = ring_count};
	if (w->wake_fd == -1)
		return error_set_sys(e, "cannot make an event descriptor");
	w->rings = alloc_get_zeroed(ring_count * sizeof *w->rings);
	if (w->rings == NULL) {
		fd_close(&w->wake_fd);
		return error_set(e, "out of memory");
	}
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	error = pthread_create(&w->thread, &attributes, run, w);
	pthread_attr_destroy(&attributes);
	w->has_thread = error == 0;
	if (w->has_thread)
		return true;
	errno = error;
	error_set_sys(e, "cannot start a thread");
	logwriter_stop(w);
	return false;
}

bool logwriter_stop(struct logwriter *w)
{
	struct timespec until = {.tv_sec = (time_t)(clock_realtime_ms() / 1000) + 2};

	if (w->rings == NULL)
		return true;
	if (w->has_thread) {
		atomic_store(&w->stop, true);
		wake(w);
		if (pthread_timedjoin_np(w->thread, NULL, &until) != 0)
			return false;
		w->has_thread = false;
	}
	alloc_put(w->rings);
	w->rings = NULL;
	fd_close(&w->wake_fd);
	return true;
}

void logwriter_print_metrics(const struct logwriter *w, struct buf *out)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < w->ring_count; i++)
		lost += atomic_load(&w->rings[i].lost);
	metrics_print_one("access_log_lost_lines_total", "counter",
			  "Lines of the access log that nobody took in time.", lost, out);
	metrics_print_one("access_log_failed_bytes_total", "counter",
			  "Bytes of the access log that could not be written.",
			  atomic_load(&w->failed_bytes), out);
}
