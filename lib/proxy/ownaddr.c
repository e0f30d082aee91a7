#include "proxy/ownaddr.h"

#include "sys/fd.h"

bool ownaddr_is(const struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(a, &ss);
	struct addr from = {.family = 0};
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return false;
	if (connect(fd, (const struct sockaddr *)&ss, len) == 0) {
		len = sizeof ss;
		if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
			addr_from_sockaddr(&ss, &from);
	}
	fd_close(&fd);
	from.port = a->port;
	return addr_eq(&from, a);
}
