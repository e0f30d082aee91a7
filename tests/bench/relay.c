/*
 * The floor: bytes from one connection to one other and back, with nothing known of HTTP, by one
 * recv and one send each. What any proxy costs beyond this is its own doing.
 *
 * usage: relay PORT TO (both on 127.0.0.1). Each connection taken on PORT is connected to TO.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 4096
#define EVENTS_MAX 256

/* Indexed by descriptor. */
static int peers[DESCRIPTORS_MAX];
static int poll_fd;

static bool watch(int fd, uint32_t events)
{
	return epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){events, {.fd = fd}}) ==
	       0;
}

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
}

static void take(int listener, const struct sockaddr_in *to)
{
	int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
	int server = socket(AF_INET, SOCK_STREAM, 0);
	if (client < 0 || server < 0 || client >= DESCRIPTORS_MAX || server >= DESCRIPTORS_MAX ||
	    connect(server, (const struct sockaddr *)to, sizeof(*to)) != 0) {
		close(client);
		close(server);
		return;
	}
	setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	peers[client] = server;
	peers[server] = client;
	watch(client, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	watch(server, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

/* What does not fit is lost, and then the load says so: only small answers are relayed here. */
static void carry(int fd, uint32_t events)
{
	static char bytes[65536];
	int peer = peers[fd];
	if (peer == 0)
		return; /* closed with its peer, by an event before this one */
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0)
		send(peer, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN) || (events & (EPOLLRDHUP | EPOLLHUP)) != 0) {
		peers[fd] = peers[peer] = 0;
		close(fd);
		close(peer);
	}
}

int main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (argc != 3)
		return 2;
	struct sockaddr_in at = loopback(argv[1]), to = loopback(argv[2]);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	poll_fd = epoll_create1(0);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(listener, 1024) != 0 || !watch(listener, EPOLLIN)) {
		perror("relay");
		return 1;
	}

	for (;;) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(poll_fd, events, EVENTS_MAX, -1);
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				take(listener, &to);
			else
				carry(events[i].data.fd, events[i].events);
		}
	}
}
