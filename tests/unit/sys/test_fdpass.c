#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sys/fd.h"
#include "sys/fdpass.h"

static char path[64];

static void setup(bool is_abstract)
{
	snprintf(path, sizeof path, "%stest_fdpass.%d", is_abstract ? "@" : "/tmp/", (int)getpid());
}

static void descriptors_arrive_with_their_byte(void)
{
	int pair[2], ends[2], fds[FDPASS_MAX];
	struct stat sent, got;
	size_t count;
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(pipe(ends) == 0);
	CHECK(fdpass_send(pair[0], 'a', ends, 2));
	CHECK(fdpass_send(pair[0], 'b', NULL, 0));
	CHECK(fdpass_receive(pair[1], &byte, fds, &count));
	CHECK_INT(byte, 'a');
	CHECK_INT(count, 2);
	for (int i = 0; i < 2; i++) {
		CHECK(fstat(ends[i], &sent) == 0 && fstat(fds[i], &got) == 0);
		CHECK(sent.st_ino == got.st_ino);
		CHECK(fds[i] != ends[i] && (fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0);
		fd_close(&fds[i]);
		fd_close(&ends[i]);
	}
	CHECK(fdpass_receive(pair[1], &byte, fds, &count));
	CHECK_INT(byte, 'b');
	CHECK_INT(count, 0);
	fd_close(&pair[0]);
	errno = EIO;
	CHECK(!fdpass_receive(pair[1], &byte, fds, &count));
	CHECK_INT(errno, 0);
	CHECK(!fdpass_send(pair[1], 'c', NULL, 0));
	fd_close(&pair[1]);
}

static void as_many_as_fit_arrive_together(void)
{
	int pair[2], many[FDPASS_MAX], fds[FDPASS_MAX];
	size_t count;
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	for (int i = 0; i < FDPASS_MAX; i++)
		many[i] = pair[0];
	CHECK(fdpass_send(pair[0], 'x', many, FDPASS_MAX));
	CHECK(fdpass_receive(pair[1], &byte, fds, &count));
	CHECK_INT(count, FDPASS_MAX);
	for (int i = 0; i < FDPASS_MAX; i++)
		fd_close(&fds[i]);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

static void connects_to_files_and_to_names(void)
{
	for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
		struct error e;
		int listener, client, server;
		struct stat st;

		setup(is_abstract == 1);
		CHECK_INT(fdpass_connect(path), -1);
		CHECK(errno == (is_abstract ? ECONNREFUSED : ENOENT));
		listener = fdpass_listen(path, &e);
		CHECK(listener != -1);
		client = fdpass_connect(path);
		CHECK(client != -1);
		server = accept(listener, NULL, NULL);
		CHECK(server != -1);
		CHECK(fdpass_is_own(client) && fdpass_is_own(server));
		fd_close(&server);
		fd_close(&client);
		if (!is_abstract)
			CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
		fd_close(&listener);
		CHECK_INT(fdpass_connect(path), -1);
		CHECK_INT(errno, ECONNREFUSED);
		/* What is left of it is no hindrance. */
		listener = fdpass_listen(path, &e);
		CHECK(listener != -1);
		fd_close(&listener);
		unlink(path);
	}
}

static void a_process_of_another_user_is_told_apart(void)
{
	int listener, server, status;
	struct error e;
	pid_t child;

	if (geteuid() != 0)
		unit_skip("only root can be another user");
	setup(true);
	listener = fdpass_listen(path, &e);
	CHECK(listener != -1);
	child = fork();
	if (child == 0) {
		int fd;

		if (seteuid(1337) != 0)
			_exit(1);
		fd = fdpass_connect(path);
		_exit(fd == -1 || fdpass_is_own(fd));
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	server = accept(listener, NULL, NULL);
	CHECK(server != -1 && !fdpass_is_own(server));
	fd_close(&server);
	fd_close(&listener);
}

static void says_what_it_could_not_listen_on(void)
{
	char too_long[200] = {0};
	struct error e;

	CHECK_INT(fdpass_listen("/no/such/socket", &e), -1);
	CHECK_TEXT(e.text, "/no/such/socket: cannot listen: No such file or directory");
	memset(too_long, 'x', sizeof too_long - 1);
	CHECK_INT(fdpass_listen(too_long, &e), -1);
	CHECK_INT(fdpass_connect(too_long), -1);
	CHECK_INT(errno, ENAMETOOLONG);
}

UNIT_TESTS(TEST(descriptors_arrive_with_their_byte), TEST(as_many_as_fit_arrive_together),
	   TEST(connects_to_files_and_to_names), TEST(a_process_of_another_user_is_told_apart),
	   TEST(says_what_it_could_not_listen_on))
