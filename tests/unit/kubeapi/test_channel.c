#include "../tls/peer.h"
#include "../tls/s_server.h"

#include "kubeapi/channel.h"
#include "sys/clock.h"

#define SOON (clock_monotonic_ms() + 10000)

static int listener(struct addr *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len;

	*at = (struct addr){.family = 4, .bytes = {127, 0, 0, 1}};
	len = addr_to_sockaddr(at, &ss);
	CHECK(bind(fd, (struct sockaddr *)&ss, len) == 0 && listen(fd, 4) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	CHECK(addr_from_sockaddr(&ss, at));
	return fd;
}

static void carries_plain_bytes_both_ways(void)
{
	struct addr at;
	int server = listener(&at), peer;
	struct channel c;
	char text[16];
	size_t got;

	channel_init(&c);
	CHECK(!channel_is_quiet(&c));
	CHECK_INT(channel_open(&c, &at, SOON), CHANNEL_OK);
	peer = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	CHECK(channel_is_quiet(&c));
	CHECK_INT(channel_write(&c, &SPAN("hello"), SOON), CHANNEL_OK);
	CHECK_INT(recv(peer, text, sizeof text, 0), 5);
	CHECK_INT(send(peer, "world", 5, 0), 5);
	CHECK_INT(channel_read(&c, text, 3, &got, SOON), CHANNEL_OK);
	CHECK_INT(got, 3);
	CHECK(!channel_is_quiet(&c));
	CHECK_INT(channel_read(&c, text, sizeof text, &got, SOON), CHANNEL_OK);
	CHECK_INT(got, 2);
	CHECK(channel_is_quiet(&c));
	CHECK_INT(channel_read(&c, text, sizeof text, &got, clock_monotonic_ms() + 20),
		  CHANNEL_TIMEOUT);
	close(peer);
	CHECK_INT(channel_read(&c, text, sizeof text, &got, SOON), CHANNEL_EOF);
	CHECK(!channel_is_quiet(&c));
	channel_close(&c);
	channel_close(&c);
	CHECK_INT(c.fd, -1);
	close(server);
}

/* A peer that takes nothing. */
static void stops_writing_at_the_deadline(void)
{
	static char bytes[16 << 20];
	struct addr at;
	int server = listener(&at);
	struct channel c;

	channel_init(&c);
	CHECK_INT(channel_open(&c, &at, SOON), CHANNEL_OK);
	CHECK_INT(channel_write(&c, &(struct span){bytes, sizeof bytes}, clock_monotonic_ms() + 50),
		  CHANNEL_TIMEOUT);
	channel_close(&c);
	close(server);
}

static void tells_a_port_that_nobody_listens_on(void)
{
	struct addr at;
	struct channel c;

	close(listener(&at));
	channel_init(&c);
	CHECK_INT(channel_open(&c, &at, SOON), CHANNEL_FAILED);
	CHECK_INT(c.error, ECONNREFUSED);
	CHECK_INT(c.fd, -1);
	CHECK_INT(channel_tls_error(&c), TLS_OK);
}

/* Also when there is always something to read. */
static void keeps_the_deadline_when_it_need_not_wait(void)
{
	struct addr at;
	int server = listener(&at), peer;
	struct channel c;
	char text[16];
	size_t got;

	channel_init(&c);
	CHECK_INT(channel_open(&c, &at, SOON), CHANNEL_OK);
	peer = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	CHECK_INT(send(peer, "x", 1, 0), 1);
	CHECK_INT(channel_read(&c, text, sizeof text, &got, clock_monotonic_ms()), CHANNEL_TIMEOUT);
	CHECK_INT(got, 0);
	CHECK_INT(channel_write(&c, &SPAN("x"), clock_monotonic_ms()), CHANNEL_TIMEOUT);
	CHECK_INT(channel_read(&c, text, sizeof text, &got, SOON), CHANNEL_OK);
	channel_close(&c);
	close(peer);
	close(server);
}

/* Connecting included: each call does what can be done, and says that it was not all. */
static void does_not_wait_when_told_so(void)
{
	static char bytes[16 << 20];
	struct span unsent = span_of(bytes, sizeof bytes);
	struct addr at;
	int server = listener(&at), peer;
	struct channel c;
	char text[16];
	size_t got;

	channel_init(&c);
	CHECK_INT(channel_begin(&c, &at), CHANNEL_OK);
	peer = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	CHECK_INT(channel_finish(&c, CHANNEL_NOW), CHANNEL_OK);
	CHECK_INT(channel_read(&c, text, sizeof text, &got, CHANNEL_NOW), CHANNEL_TIMEOUT);
	CHECK_INT(channel_write(&c, &unsent, CHANNEL_NOW), CHANNEL_TIMEOUT);
	CHECK(unsent.len > 0 && unsent.len < sizeof bytes);
	CHECK(unsent.ptr == bytes + sizeof bytes - unsent.len);
	CHECK_INT(send(peer, "x", 1, 0), 1);
	CHECK_INT(channel_read(&c, text, sizeof text, &got, SOON), CHANNEL_OK);
	close(peer);
	channel_close(&c);
	close(server);
	/* Nobody listens now. */
	if (channel_begin(&c, &at) == CHANNEL_OK)
		CHECK_INT(channel_finish(&c, SOON), CHANNEL_FAILED);
	CHECK_INT(c.error, ECONNREFUSED);
	channel_close(&c);
}

/* To where openssl's server is, as a channel of its own beside that of the session. */
static enum channel_result secure(struct session *s, struct channel *c, const char *server)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	struct addr at;

	CHECK(getpeername(s->fd, (struct sockaddr *)&ss, &len) == 0);
	CHECK(addr_from_sockaddr(&ss, &at));
	/* The server takes one connection after the other. */
	close(s->fd);
	s->fd = -1;
	channel_init(c);
	CHECK_INT(channel_open(c, &at, SOON), CHANNEL_OK);
	return channel_secure(c, s->profile, server, NULL, NOW, SOON);
}

static void speaks_tls(void)
{
	static char answer[65536];
	struct session *s = session_new("good", OPTIONS("-www"));
	struct channel c;
	enum channel_result r;
	size_t got = 0, len = 0;

	CHECK_INT(secure(s, &c, "example.test"), CHANNEL_OK);
	CHECK(channel_is_quiet(&c));
	CHECK_INT(channel_write(&c, &SPAN("GET / HTTP/1.0\r\n\r\n"), SOON), CHANNEL_OK);
	while ((r = channel_read(&c, answer + len, sizeof answer - len, &got, SOON)) == CHANNEL_OK)
		len += got;
	CHECK_INT(r, CHANNEL_EOF);
	CHECK(strncmp(answer, "HTTP/1.0 200", 12) == 0);
	CHECK(!channel_is_quiet(&c));
	channel_close(&c);
	session_free(s);
}

static void tells_what_tls_has_failed_with(void)
{
	struct session *s = session_new("good", OPTIONS("-www"));
	struct channel c;

	CHECK_INT(secure(s, &c, "127.0.0.1"), CHANNEL_FAILED);
	CHECK_TEXT(tls_error_name(channel_tls_error(&c)), "name_mismatch");
	channel_close(&c);
	session_free(s);
}

static void gives_up_on_a_peer_that_says_nothing(void)
{
	struct anchors *anchors = certs_anchors("bundle.pem");
	struct tls_profile *profile = tls_profile_new(anchors);
	struct addr at;
	int server = listener(&at);
	struct channel c;

	channel_init(&c);
	CHECK_INT(channel_open(&c, &at, SOON), CHANNEL_OK);
	CHECK_INT(channel_secure(&c, profile, "::1", NULL, NOW, clock_monotonic_ms() + 30),
		  CHANNEL_TIMEOUT);
	channel_close(&c);
	close(server);
	tls_profile_free(profile);
	anchors_free(anchors);
}

UNIT_TESTS(TEST(carries_plain_bytes_both_ways), TEST(stops_writing_at_the_deadline),
	   TEST(keeps_the_deadline_when_it_need_not_wait), TEST(does_not_wait_when_told_so),
	   TEST(tells_a_port_that_nobody_listens_on), TEST(speaks_tls),
	   TEST(tells_what_tls_has_failed_with), TEST(gives_up_on_a_peer_that_says_nothing))
