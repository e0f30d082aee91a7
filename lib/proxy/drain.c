#include "proxy/drain.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"
#include "sys/clock.h"
#include "sys/fd.h"

#define QUIET_MS 2000
#define ASK_EVERY_MS 200

/* One question and its answer. */
#define ANSWER_TIMEOUT_S 2
#define ANSWER_MAX ((size_t)1 << 20)

static bool connect_to(const struct addr *admin, int *fd)
{
	struct timeval patience = {.tv_sec = ANSWER_TIMEOUT_S};
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(admin, &ss);

	*fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return *fd != -1 &&
	       setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
	       setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
	       connect(*fd, (struct sockaddr *)&ss, len) == 0;
}

static bool ask(const struct addr *admin, struct buf *answer)
{
	struct span question = SPAN("GET /metrics HTTP/1.1\r\n"
				    "Host: localhost\r\n"
				    "Connection: close\r\n\r\n");
	struct error unused;
	char block[4096];
	ssize_t n = -1;
	int fd;

	if (connect_to(admin, &fd) && fd_write_all(fd, question, &unused))
		while ((n = read(fd, block, sizeof block)) > 0)
			buf_add(answer, span_of(block, (size_t)n));
	fd_close(&fd);
	return n == 0 && !answer->truncated;
}

/* The gauge's value, summed up over all workers by the proxy. */
static bool find_open(struct span answer, uint64_t *open)
{
	struct span name = SPAN("egressbox_client_connections_open "), line;

	while (span_split(&answer, '\n', &line))
		if (span_starts_with(line, name))
			return num_parse_u64(span_from(line, name.len), 0, UINT64_MAX, open);
	return false;
}

bool drain_wait(const struct addr *admin, uint64_t limit_ms, struct error *e)
{
	uint64_t start = clock_monotonic_ms(), busy_at = start, open = 0;

	for (;;) {
		struct buf answer;
		uint64_t now;
		bool is_up;

		buf_init_heap(&answer, ANSWER_MAX);
		is_up = ask(admin, &answer);
		now = clock_monotonic_ms();
		if (is_up && (!find_open(buf_span(&answer), &open) || open > 0))
			busy_at = now;
		buf_fini(&answer);
		if (!is_up || now - busy_at >= QUIET_MS)
			return true;
		if (now - start >= limit_ms)
			return error_set(e, "clients still have %llu open connections",
					 (unsigned long long)open);
		poll(NULL, 0, ASK_EVERY_MS);
	}
}
