#include "../unit.h"

#include <sys/socket.h>

#include "proxy/original.h"
#include "sys/fd.h"

static struct addr parse(const char *text)
{
	struct addr a = {0};

	CHECK(addr_parse(span_from_cstr(text), 0, &a));
	return a;
}

static void a_socket_has_its_own_end_and_may_have_no_destination(void)
{
	struct sockaddr_storage ss;
	struct addr a = parse("127.0.0.1:1");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len;

	a.port = 0;
	len = addr_to_sockaddr(&a, &ss);
	CHECK(bind(fd, (struct sockaddr *)&ss, len) == 0);
	CHECK_INT(original_local(fd).family, 4);
	CHECK(original_local(fd).port != 0);
	CHECK_INT(original_of(fd, 4).family, 0);
	CHECK_INT(original_of(fd, 6).family, 0);
	fd_close(&fd);
	CHECK_INT(original_local(fd).family, 0);
}

UNIT_TESTS(TEST(a_socket_has_its_own_end_and_may_have_no_destination))
