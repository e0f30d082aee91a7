/*
 * The origin of the measurements: GET /N, or POST /N with a body of known length, is answered with
 * N bytes, from memory, with one recv and one send where the kernel allows it. It shares its core
 * with the load, so it has to be cheaper than any proxy is.
 *
 * usage: origin PORT (on 127.0.0.1). Keep-alive, no pipelining; who asks for anything else is
 * hung up on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096
#define EVENTS_MAX 256

struct answer {
	size_t body;
	size_t length;
	char *text;
};

static struct answer answers[] = {
	{.body = 0}, {.body = 1000}, {.body = 16384}, {.body = 100000}, {.body = 10000000}};

/* Indexed by descriptor. */
static struct connection {
	size_t received;
	size_t awaited; /* of a request's body: read and thrown away */
	size_t sent;
	const struct answer *answer; /* to be sent once the request is whole, else NULL */
	char head[4096];
} connections[CONNECTIONS_MAX];

static int poll_fd;

static void prepare(struct answer *answer)
{
	answer->text = malloc(answer->body + 256);
	if (!answer->text)
		exit(1);
	int head = sprintf(answer->text,
			   "HTTP/1.1 200 OK\r\nServer: origin\r\n"
			   "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
			   "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
			   answer->body);
	memset(answer->text + head, 'x', answer->body);
	answer->length = (size_t)head + answer->body;
}

static const struct answer *answer_to(const char *head)
{
	const char *path = strncmp(head, "POST", 4) == 0 ? head + 4 : head + 3;
	if (strncmp(path, " /", 2) != 0)
		return NULL;
	size_t body = strtoul(path + 2, NULL, 10);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].body == body)
			return &answers[i];
	return NULL;
}

static bool watch(int operation, int fd, uint32_t events)
{
	return epoll_ctl(poll_fd, operation, fd, &(struct epoll_event){events, {.fd = fd}}) == 0;
}

/* What of the request is still to come, now that its head is whole, or SIZE_MAX. */
static size_t rest_of(const struct connection *c)
{
	const char *end = memmem(c->head, c->received, "\r\n\r\n", 4);
	const char *length = strcasestr(c->head, "\r\nContent-Length:");
	size_t body = length ? strtoul(length + 17, NULL, 10) : 0;
	size_t here = c->received - (size_t)(end + 4 - c->head);
	return here <= body ? body - here : SIZE_MAX;
}

/* These three return false to hang up. */
static bool receive_body(int fd, struct connection *c)
{
	static char dropped[1 << 20];
	while (c->awaited > 0) {
		ssize_t n = recv(fd, dropped,
				 c->awaited < sizeof(dropped) ? c->awaited : sizeof(dropped), 0);
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		c->awaited -= (size_t)n;
	}
	return true;
}

static bool receive(int fd, struct connection *c)
{
	ssize_t n = recv(fd, c->head + c->received, sizeof(c->head) - 1 - c->received, 0);
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->received += (size_t)n;
	c->head[c->received] = '\0';
	if (!strstr(c->head, "\r\n\r\n"))
		return true;
	c->answer = answer_to(c->head);
	c->awaited = rest_of(c);
	return c->answer && c->awaited != SIZE_MAX;
}

static bool transmit(int fd, struct connection *c)
{
	bool resumed = c->sent > 0;
	size_t rest = c->answer->length - c->sent;
	ssize_t n = send(fd, c->answer->text + c->sent, rest, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN;
	c->sent += (size_t)n;
	if ((size_t)n < rest)
		return resumed || watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
	c->received = 0;
	c->sent = 0;
	c->answer = NULL;
	return !resumed || watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void serve(int fd)
{
	struct connection *c = &connections[fd];
	bool good = c->answer || receive(fd, c);
	if (good && c->awaited > 0)
		good = receive_body(fd, c);
	if (good && c->answer && c->awaited == 0)
		good = transmit(fd, c);
	if (!good)
		close(fd);
}

static void take(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (fd >= CONNECTIONS_MAX || !watch(EPOLL_CTL_ADD, fd, EPOLLIN)) {
		close(fd);
		return;
	}
	connections[fd].received = 0;
	connections[fd].sent = 0;
	connections[fd].awaited = 0;
	connections[fd].answer = NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (argc != 2)
		return 2;
	at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		prepare(&answers[i]);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on,
		   sizeof(on)); /* those accepted inherit it */
	poll_fd = epoll_create1(0);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(listener, 1024) != 0 || !watch(EPOLL_CTL_ADD, listener, EPOLLIN)) {
		perror("origin");
		return 1;
	}

	for (;;) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(poll_fd, events, EVENTS_MAX, -1);
		for (int i = 0; i < n; i++)
			(events[i].data.fd == listener ? take : serve)(events[i].data.fd);
	}
}
