#include "proxy/admin.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "http/h1frame.h"
#include "http/h1head.h"
#include "http/h1write.h"
#include "proxy/stream.h"
#include "sys/fd.h"

#define CONNECTIONS_MAX 32
#define REQUEST_MAX 8192
#define PAGE_MAX (64u << 20)
#define TIMEOUT_MS 10000

struct connection {
	struct stream stream;
	struct timer timer;
	struct list node;
	struct deferred release;
	struct admin *admin;
	struct h1_scan scan;
	struct h1_head head;
	struct buf answer;
	size_t sent;
	size_t received;
	bool answering;
	char request[REQUEST_MAX];
};

static void release(struct deferred *d)
{
	alloc_put(LIST_OWNER(d, struct connection, release));
}

static void close_connection(struct connection *c)
{
	int fd = c->stream.watch.fd;

	if (fd == -1)
		return;
	loop_remove(c->admin->loop, &c->stream.watch);
	fd_close(&fd);
	timer_cancel(&c->timer);
	list_remove(&c->node);
	c->admin->connection_count--;
	buf_fini(&c->answer);
	loop_defer(c->admin->loop, &c->release, release);
}

static void on_timeout(struct timer *t)
{
	close_connection(LIST_OWNER(t, struct connection, timer));
}

static void refuse(struct connection *c, unsigned status, const char *line)
{
	struct h1_error_reply reply = {.line = span_from_cstr(line),
				       .connection = H1_CONNECTION_CLOSE};

	h1write_error(status, &reply, &c->answer);
}

static void answer(struct connection *c)
{
	enum h1_problem problem = H1_PROBLEM_NONE;
	struct h1_framing framing;
	struct admin_page page;
	struct buf body;

	if (!h1frame_request(&c->head, c->request, &framing, &problem)) {
		refuse(c, h1problem_status(problem), h1problem_text(problem));
		return;
	}
	if (c->head.method != H1_METHOD_GET && c->head.method != H1_METHOD_HEAD) {
		refuse(c, 405, "only GET and HEAD here");
		return;
	}
	buf_init_heap(&body, PAGE_MAX);
	page = c->admin->render(c->admin->context, h1head_text(c->request, c->head.path), &body);
	if (body.truncated) {
		refuse(c, 500, "out of memory");
	} else if (page.status == 404) {
		refuse(c, 404, "here are /healthz, /readyz, /metrics and /routes");
	} else {
		buf_printf(&c->answer,
			   "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			   "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
			   page.status, h1write_reason(page.status), page.content_type, body.len);
		if (c->head.method == H1_METHOD_GET)
			buf_add(&c->answer, buf_span(&body));
	}
	buf_fini(&body);
}

/* False when no more has come. */
static bool receive(struct connection *c)
{
	enum h1_result result;
	size_t got;

	switch (stream_read(&c->stream, c->request + c->received, REQUEST_MAX - c->received,
			    &got)) {
	case STREAM_OK:
		break;
	case STREAM_AGAIN:
		return false;
	case STREAM_EOF:
	case STREAM_FAILED:
	default:
		close_connection(c);
		return false;
	}
	c->received += got;
	result = h1head_parse_request(&c->scan, span_of(c->request, c->received), &c->head);
	if (result == H1_BAD)
		refuse(c, h1problem_status(c->head.problem), h1problem_text(c->head.problem));
	else if (result == H1_OK)
		answer(c);
	else if (c->received == REQUEST_MAX)
		refuse(c, 431, "the request head is too large");
	else
		return true;
	c->answering = true;
	return true;
}

static void send_answer(struct connection *c)
{
	while (c->sent < c->answer.len) {
		size_t put;
		enum stream_result r = stream_write(&c->stream,
						    span_from(buf_span(&c->answer), c->sent), &put);

		if (r == STREAM_AGAIN)
			return;
		if (r != STREAM_OK) {
			close_connection(c);
			return;
		}
		c->sent += put;
	}
	close_connection(c);
}

static void on_event(struct watch *watch, unsigned events)
{
	struct connection *c = LIST_OWNER(watch, struct connection, stream.watch);

	stream_on_event(&c->stream, events);
	while (!c->answering && receive(c))
		;
	if (c->answering)
		send_answer(c);
}

static void start(struct admin *a, int fd)
{
	static const struct h1_limits limits = {REQUEST_MAX, 2048, H1_FIELDS_MAX};
	struct connection *c = alloc_get(sizeof *c);
	struct error e;

	/* Whoever holds connections open keeps no probe out: the oldest makes way. */
	if (a->connection_count >= CONNECTIONS_MAX)
		close_connection(LIST_OWNER(a->connections.next, struct connection, node));
	if (c == NULL) {
		fd_close(&fd);
		return;
	}
	stream_init(&c->stream);
	timer_init(&c->timer, on_timeout);
	list_init(&c->node);
	loop_deferred_init(&c->release);
	c->admin = a;
	h1head_start(&c->scan, &limits);
	buf_init_heap(&c->answer, PAGE_MAX + REQUEST_MAX);
	c->sent = c->received = 0;
	c->answering = false;
	if (!loop_add(a->loop, &c->stream.watch, fd, on_event, &e)) {
		fd_close(&fd);
		alloc_put(c);
		return;
	}
	list_push_back(&a->connections, &c->node);
	a->connection_count++;
	loop_timer_set(a->loop, &c->timer, TIMEOUT_MS);
}

static void on_connection(struct watch *watch, unsigned events)
{
	struct admin *a = LIST_OWNER(watch, struct admin, listener);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd != -1)
		start(a, fd);
}

bool admin_start(struct admin *a, struct loop *loop, int fd, struct error *e)
{
	a->loop = loop;
	list_init(&a->connections);
	a->connection_count = 0;
	if (loop_add_level(loop, &a->listener, fd, on_connection, e))
		return true;
	fd_close(&fd);
	return false;
}

void admin_stop(struct admin *a)
{
	int fd = a->listener.fd;

	if (fd == -1)
		return;
	loop_remove(a->loop, &a->listener);
	fd_close(&fd);
	while (!list_is_empty(&a->connections))
		close_connection(LIST_OWNER(a->connections.next, struct connection, node));
}
