#include "fixture.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "proxy/listener.h"

static void port_0_takes_a_free_one_that_a_second_call_shares(void)
{
	struct addr at = {.family = 4, .bytes = {127, 0, 0, 1}};
	struct error e;
	int first = listener_open(&at, false, &e), second;
	uint16_t port = at.port;

	CHECK(first != -1 && port != 0);
	second = listener_open(&at, false, &e);
	CHECK(second != -1);
	CHECK_INT(at.port, port);
	fd_close(&first);
	fd_close(&second);
}

static void takes_ipv4_on_the_ipv6_wildcard_only_when_asked(void)
{
	for (int any = 0; any < 2; any++) {
		struct addr at = {.family = 6};
		struct sockaddr_storage ss;
		struct error e;
		int fd = listener_open(&at, any == 1, &e), client;

		if (fd == -1 || at.family != 6) {
			fd_close(&fd);
			unit_skip("no IPv6 here");
		}
		at = (struct addr){.family = 4, .port = at.port, .bytes = {127, 0, 0, 1}};
		client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK((connect(client, (struct sockaddr *)&ss, addr_to_sockaddr(&at, &ss)) == 0) ==
		      (any == 1));
		fd_close(&client);
		fd_close(&fd);
	}
}

static void says_what_it_could_not_listen_on(void)
{
	struct addr at = {.family = 4, .port = 61999, .bytes = {192, 0, 2, 1}};
	struct error e;
	int descriptors = fixture_descriptors();

	CHECK_INT(listener_open(&at, false, &e), -1);
	CHECK_SPAN(span_first(span_from_cstr(e.text), 34), "cannot listen on 192.0.2.1:61999: ");
	CHECK_INT(fixture_descriptors(), descriptors);
}

static void connections_have_no_delay_and_know_their_peer(void)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	struct session *s;
	struct addr mine;
	int client, on = 0;

	fixture_start();
	client = fixture_connect();
	fixture_settle();
	CHECK_INT(worker.session_slab.in_use, 1);
	s = LIST_OWNER(worker.sessions.next, struct session, node);
	CHECK(getsockname(client, (struct sockaddr *)&ss, &len) == 0);
	CHECK(addr_from_sockaddr(&ss, &mine));
	CHECK(addr_eq(&s->peer, &mine));
	len = sizeof on;
	CHECK(getsockopt(s->client.watch.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0);
	CHECK(on != 0);
	fixture_close(client);
	fixture_stop();
}

static void accepts_a_burst_over_several_turns(void)
{
	enum { COUNT = 150 };
	int clients[COUNT];
	struct error e;

	fixture_configure();
	config.max_sessions = COUNT;
	fixture_start_configured();
	for (int i = 0; i < COUNT; i++)
		clients[i] = fixture_connect();
	CHECK(loop_turn(&worker.loop, 0, &e));
	CHECK(worker.session_slab.in_use > 0 && worker.session_slab.in_use < COUNT);
	fixture_settle();
	CHECK_INT(worker.session_slab.in_use, COUNT);
	for (int i = 0; i < COUNT; i++)
		fixture_close(clients[i]);
	fixture_stop();
}

static void takes_what_is_in_the_queue_before_it_stops(void)
{
	int client;

	fixture_start();
	client = fixture_connect();
	listener_stop(&worker.listeners[0]);
	CHECK_INT(worker.listeners[0].fd, -1);
	CHECK_INT(worker.session_slab.in_use, 1);
	listener_stop(&worker.listeners[0]);
	/* It is served. */
	fixture_close(fixture_exchange(client, -1));
	fixture_close(client);
	fixture_stop();
}

/* Does the kernel take a connection for it? A SYN that is dropped is not answered at all. */
static int try_to_connect(void)
{
	struct pollfd wait = {.events = POLLOUT};
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&proxy_at, &ss);

	wait.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(connect(wait.fd, (struct sockaddr *)&ss, len) == -1 && errno == EINPROGRESS);
	if (poll(&wait, 1, 0) == 1)
		return wait.fd;
	fd_close(&wait.fd);
	return -1;
}

static void lets_nobody_in_before_it_closes(void)
{
	int clients[3], refused;

	fixture_start();
	clients[0] = fixture_connect();
	fixture_settle();
	clients[1] = fixture_connect();
	listener_end(worker.listeners);
	listener_end(worker.listeners);
	CHECK(worker.listeners->ending && worker.listeners->fd != -1);
	refused = try_to_connect();
	CHECK_INT(refused, -1);
	fixture_turn_for(200);
	CHECK_INT(worker.listeners->fd, -1);
	CHECK_INT(metrics_get(&worker.metrics.client_connections), 2);
	/* And now it is told so. */
	clients[2] = try_to_connect();
	CHECK(clients[2] != -1);
	for (int i = 0; i < 3; i++)
		fixture_close(clients[i]);
	fixture_stop();
}

static void one_that_nobody_came_to_lately_closes_at_once(void)
{
	fixture_start();
	fixture_settle();
	listener_end(worker.listeners);
	CHECK_INT(worker.listeners->fd, -1);
	listener_end(worker.listeners);
	fixture_stop();
}

static void rests_while_descriptors_are_out_and_goes_on_afterwards(void)
{
	struct rlimit limit, none;
	uint64_t before, turns = 0;
	int client;

	fixture_start();
	client = fixture_connect();
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	none = limit;
	none.rlim_cur = (rlim_t)client + 1;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	before = clock_monotonic_ms();
	while (clock_monotonic_ms() - before < 200) {
		struct error e;

		CHECK(loop_turn(&worker.loop, 100, &e));
		turns++;
	}
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_INT(worker.session_slab.in_use, 0);
	/* Without the rest it would spin. */
	CHECK(turns < 50);
	fixture_close(fixture_exchange(client, -1));
	fixture_close(client);
	fixture_stop();
}

UNIT_TESTS(TEST(port_0_takes_a_free_one_that_a_second_call_shares),
	   TEST(takes_ipv4_on_the_ipv6_wildcard_only_when_asked),
	   TEST(says_what_it_could_not_listen_on),
	   TEST(connections_have_no_delay_and_know_their_peer),
	   TEST(accepts_a_burst_over_several_turns),
	   TEST(takes_what_is_in_the_queue_before_it_stops), TEST(lets_nobody_in_before_it_closes),
	   TEST(one_that_nobody_came_to_lately_closes_at_once),
	   TEST(rests_while_descriptors_are_out_and_goes_on_afterwards))
