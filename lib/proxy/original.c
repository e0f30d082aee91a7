#include "proxy/original.h"

#include <netinet/in.h>
#include <sys/socket.h>

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
