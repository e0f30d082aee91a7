#include "sys/fdpass.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/fd.h"

/* Room for the descriptors of one packet, aligned as the kernel wants it. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(FDPASS_MAX * sizeof(int))];
};

/* The address's length; 0, with errno, for a path that is too long for one. */
static socklen_t make_address(const char *path, struct sockaddr_un *un)
{
	size_t len = strlen(path);

	*un = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len >= sizeof un->sun_path) {
		errno = ENAMETOOLONG;
		return 0;
	}
	memcpy(un->sun_path, path, len);
	/* A name outside the file system begins with a NUL, and its length counts. */
	if (path[0] == '@')
		un->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] != '@'));
}

int fdpass_connect(const char *path)
{
	struct sockaddr_un un;
	socklen_t len = make_address(path, &un);
	int fd;

	if (len == 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (const struct sockaddr *)&un, len) != 0)
		fd_close(&fd);
	return fd;
}

int fdpass_listen(const char *path, struct error *e)
{
	struct sockaddr_un un;
	socklen_t len = make_address(path, &un);
	int fd = -1;

	if (len > 0)
		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		error_set_sys(e, "cannot make the socket");
	} else {
		if (path[0] != '@')
			unlink(path);
		/* The file gets the mode that the socket has. */
		if (fchmod(fd, 0600) != 0 || bind(fd, (const struct sockaddr *)&un, len) != 0 ||
		    listen(fd, 4) != 0) {
			error_set_sys(e, "cannot listen");
			fd_close(&fd);
		}
	}
	if (fd == -1)
		error_prefix_path(e, path);
	return fd;
}

bool fdpass_is_own(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

bool fdpass_send(int fd, char byte, const int *fds, size_t count)
{
	struct iovec part = {&byte, 1};
	union control control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;

	if (count > 0) {
		message.msg_control = &control;
		message.msg_controllen = (socklen_t)CMSG_SPACE(count * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = (socklen_t)CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	}
	do
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == 1;
}

bool fdpass_receive(int fd, char *byte, int fds[static FDPASS_MAX], size_t *count)
{
	struct iovec part = {byte, 1};
	union control control;
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control};
	const struct cmsghdr *head;
	ssize_t n;

	*count = 0;
	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = 0;
	if (n != 1)
		return false;
	head = CMSG_FIRSTHDR(&message);
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
		*count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(head), *count * sizeof(int));
	}
	return true;
}
