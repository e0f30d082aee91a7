/*
 * s_server: openssl's server as a child process, and a client of ours with a connection to it: what
 * a server in memory cannot show. A test is skipped where openssl does not run.
 */
#ifndef S_SERVER_H
#define S_SERVER_H

#include "certs.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tls/tlsconn.h"

#define WAIT_MS 20000
#define ARGS_MAX 32

struct session {
	pid_t server;
	int out; /* the server's standard output */
	int in;	 /* its standard input */
	int fd;	 /* the connection to it */
	struct anchors *anchors;
	struct tls_profile *profile;
	struct tlsconn_memory memory;
	struct tlsconn *c;
	char data[65536]; /* what the server said */
	size_t data_len;
};

__attribute__((unused)) static void wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	CHECK(poll(&p, 1, WAIT_MS) == 1);
}

/* Reads what the server prints until "ACCEPT 127.0.0.1:PORT"; 0 when it does not come. */
__attribute__((unused)) static unsigned read_port(struct session *s)
{
	char text[4096];
	size_t len = 0;
	ssize_t n;

	do {
		char *at;

		wait_for(s->out, POLLIN);
		n = read(s->out, text + len, sizeof text - 1 - len);
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
		at = strstr(text, "ACCEPT 127.0.0.1:");
		if (at != NULL && strchr(at, '\n') != NULL)
			return (unsigned)strtoul(at + strlen("ACCEPT 127.0.0.1:"), NULL, 10);
	} while (n > 0 && len < sizeof text - 1);
	return 0;
}

__attribute__((unused)) static void connect_to(struct session *s, unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect(s->fd, (struct sockaddr *)&to, sizeof to) == 0);
	CHECK(fcntl(s->fd, F_SETFL, O_NONBLOCK) == 0);
}

__attribute__((unused)) static void run_server(const char *cert, const char *const *more, int in,
					       int out)
{
	char chain[128], key[128];
	const char *args[ARGS_MAX] = {
		"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
		chain,	   "-key",     key,	  "-cert_chain", "tests/data/tls/inter.pem"};
	size_t n = 10;

	snprintf(chain, sizeof chain, "tests/data/tls/%s.pem", cert);
	snprintf(key, sizeof key, "tests/data/tls/%s.key", cert);
	for (; *more != NULL && n < ARGS_MAX - 1; more++)
		args[n++] = *more;
	/* A test that fails leaves its server behind. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	dup2(open("/dev/null", O_WRONLY), 2);
	execvp("openssl", (char **)(uintptr_t)args);
	_exit(127);
}

/* A server with the options `more`, and a connection to it that has not begun its handshake. */
__attribute__((unused)) static struct session *session_new(const char *cert,
							   const char *const *more)
{
	struct session *s = calloc(1, sizeof *s);
	struct entropy {
		uint8_t bytes[TLSCONN_ENTROPY_SIZE];
	} entropy = {{0}};
	int in[2], out[2];
	unsigned port;

	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	s->server = fork();
	CHECK(s->server >= 0);
	if (s->server == 0)
		run_server(cert, more, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	s->out = out[0];
	port = read_port(s);
	if (port == 0) {
		kill(s->server, SIGKILL);
		waitpid(s->server, NULL, 0);
		unit_skip("openssl's server does not run with these options");
	}
	connect_to(s, port);
	s->anchors = certs_anchors("bundle.pem");
	s->profile = tls_profile_new(s->anchors);
	tlsconn_memory_init(&s->memory, 1);
	s->c = tlsconn_new(&s->memory);
	CHECK(tlsconn_start(
		s->c, &(struct tlsconn_peer){.profile = s->profile, .server = SPAN("example.test")},
		NOW, entropy.bytes));
	return s;
}

__attribute__((unused)) static void session_free(struct session *s)
{
	close(s->fd);
	close(s->in);
	close(s->out);
	kill(s->server, SIGKILL);
	waitpid(s->server, NULL, 0);
	tls_profile_free(s->profile);
	anchors_free(s->anchors);
	tlsconn_free(s->c);
	tlsconn_memory_fini(&s->memory);
	free(s);
}

__attribute__((unused)) static void send_records(struct session *s)
{
	size_t len;
	const uint8_t *from = tlsconn_records_out(s->c, &len);
	ssize_t n = send(s->fd, from, len, MSG_NOSIGNAL);

	if (n > 0)
		tlsconn_records_sent(s->c, (size_t)n);
	else if (n < 0 && errno != EAGAIN)
		tlsconn_eof(s->c);
}

__attribute__((unused)) static void receive_records(struct session *s)
{
	size_t len;
	uint8_t *to = tlsconn_records_in(s->c, &len);
	ssize_t n = recv(s->fd, to, len, 0);

	if (n > 0)
		tlsconn_records_received(s->c, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		tlsconn_eof(s->c);
}

__attribute__((unused)) static void keep_data(struct session *s)
{
	size_t len;
	const uint8_t *from = tlsconn_data_in(s->c, &len);

	CHECK(s->data_len + len < sizeof s->data);
	memcpy(s->data + s->data_len, from, len);
	s->data_len += len;
	tlsconn_data_read(s->c, len);
}

/* Moves bytes until the connection wants one of `until`, or nothing that can be given. */
__attribute__((unused)) static void run_until(struct session *s, unsigned until)
{
	for (;;) {
		unsigned wants = tlsconn_wants(s->c);

		if ((wants & (until | TLSCONN_CLOSED)) != 0)
			return;
		if ((wants & TLSCONN_SEND_RECORDS) != 0) {
			send_records(s);
			wait_for(s->fd, POLLOUT);
		} else if ((wants & TLSCONN_RECV_DATA) != 0) {
			keep_data(s);
		} else {
			CHECK((wants & TLSCONN_RECV_RECORDS) != 0);
			wait_for(s->fd, POLLIN);
			receive_records(s);
		}
	}
}

__attribute__((unused)) static void say(struct session *s, const char *text)
{
	size_t len;
	uint8_t *to;

	run_until(s, TLSCONN_SEND_DATA);
	to = tlsconn_data_out(s->c, &len);
	CHECK(to != NULL && strlen(text) <= len);
	memcpy(to, text, strlen(text));
	tlsconn_data_written(s->c, strlen(text));
	tlsconn_flush(s->c);
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
