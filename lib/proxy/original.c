#include "proxy/original.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "sys/fd.h"

/*
 * SO_ORIGINAL_DST of <linux/netfilter_ipv4.h> and IP6T_SO_ORIGINAL_DST of its sibling, which do not
 * go together with the headers of a libc.
 */
#define ORIGINAL_DST 80

struct addr original_of(int fd, uint8_t family)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof ss;
	struct addr a = {0};

	if (getsockopt(fd, family == 4 ? IPPROTO_IP : IPPROTO_IPV6, ORIGINAL_DST, &ss, &len) == 0)
		addr_from_sockaddr(&ss, &a);
	return a;
}

struct addr original_local(int fd)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof ss;
	struct addr a = {0};

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 && addr_from_sockaddr(&ss, &a))
		addr_unmap(&a);
	return a;
}

bool original_is_own(const struct addr *a)
{
	struct addr to = *a, from = {0};
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	/* Nothing is sent: connecting a datagram socket only looks the route up. */
	to.port = 1;
	len = addr_to_sockaddr(&to, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&ss, len) == 0)
		from = original_local(fd);
	fd_close(&fd);
	from.port = to.port;
	return addr_eq(&from, &to);
}
