#include "../unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "proxy/drain.h"
#include "sys/clock.h"

/* An admin listener that answers each question with the next of its bodies, the last for ever. */
struct server {
	int fd;
	struct addr at;
	const char *const *bodies; /* ends in NULL */
	pthread_t thread;
};

static void answer(int client, const char *body)
{
	char request[512], head[256];
	ssize_t got = recv(client, request, sizeof request, 0);
	int len = snprintf(head, sizeof head,
			   "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
			   strlen(body));

	if (got <= 0 || send(client, head, (size_t)len, MSG_NOSIGNAL) != len ||
	    send(client, body, strlen(body), MSG_NOSIGNAL) < 0)
		printf("# a question was not answered\n");
}

static void *serve(void *context)
{
	struct server *s = context;
	const char *const *body = s->bodies;
	int client;

	while ((client = accept(s->fd, NULL, NULL)) != -1) {
		answer(client, *body);
		if (body[1] != NULL)
			body++;
		close(client);
	}
	return NULL;
}

static void start(struct server *s, const char *const *bodies)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	s->bodies = bodies;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(s->fd != -1);
	CHECK(bind(s->fd, (struct sockaddr *)&sin, sizeof sin) == 0 && listen(s->fd, 8) == 0);
	CHECK(getsockname(s->fd, (struct sockaddr *)&ss, &len) == 0);
	CHECK(addr_from_sockaddr(&ss, &s->at));
	CHECK(pthread_create(&s->thread, NULL, serve, s) == 0);
}

static void stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

#define OPEN(n)                                                                                    \
	"# TYPE egressbox_client_connections_open gauge\n"                                         \
	"egressbox_client_connections_total 9\negressbox_client_connections_open " n "\n"

static void waits_until_there_was_no_client_for_two_seconds(void)
{
	static const char *const bodies[] = {OPEN("3"), OPEN("1"), OPEN("0"), NULL};
	uint64_t before = clock_monotonic_ms();
	struct server s;
	struct error e;

	start(&s, bodies);
	CHECK(drain_wait(&s.at, 20000, &e));
	CHECK(clock_monotonic_ms() - before >= 2000);
	stop(&s);
}

static void gives_up_at_the_limit_and_says_how_many_are_left(void)
{
	static const char *const bodies[] = {OPEN("2"), NULL};
	struct server s;
	struct error e;

	start(&s, bodies);
	CHECK(!drain_wait(&s.at, 300, &e));
	CHECK_TEXT(e.text, "clients still have 2 open connections");
	stop(&s);
}

static void an_answer_without_the_gauge_is_no_reason_to_go(void)
{
	static const char *const bodies[] = {"nothing of the kind\n", NULL};
	struct server s;
	struct error e;

	start(&s, bodies);
	CHECK(!drain_wait(&s.at, 300, &e));
	stop(&s);
}

static void a_proxy_that_is_gone_has_no_clients(void)
{
	static const char *const bodies[] = {OPEN("1"), NULL};
	struct server s;
	struct error e;

	start(&s, bodies);
	stop(&s);
	CHECK(drain_wait(&s.at, 60000, &e));
}

UNIT_TESTS(TEST(waits_until_there_was_no_client_for_two_seconds),
	   TEST(gives_up_at_the_limit_and_says_how_many_are_left),
	   TEST(an_answer_without_the_gauge_is_no_reason_to_go),
	   TEST(a_proxy_that_is_gone_has_no_clients))
