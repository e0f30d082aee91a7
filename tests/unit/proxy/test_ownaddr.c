#include "../unit.h"

#include <arpa/inet.h>
#include <ifaddrs.h>

#include "proxy/ownaddr.h"

static void each_address_of_an_interface_is_ours(void)
{
	struct ifaddrs *all = NULL;
	int count = 0;

	CHECK(getifaddrs(&all) == 0);
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		struct sockaddr_storage ss = {0};
		struct addr a;

		if (i->ifa_addr == NULL ||
		    (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		memcpy(&ss, i->ifa_addr,
		       i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
							 : sizeof(struct sockaddr_in6));
		CHECK(addr_from_sockaddr(&ss, &a));
		/* Without its interface, a link-local address says nothing. */
		if (a.family == 6 && a.bytes[0] == 0xfe)
			continue;
		a.port = 8080;
		CHECK(ownaddr_is(&a));
		a.bytes[a.family == 4 ? 3 : 15] ^= 0x55;
		CHECK(!ownaddr_is(&a));
		count++;
	}
	freeifaddrs(all);
	if (count == 0)
		unit_skip("no interface has an address");
}

static void others_are_not(void)
{
	static const char *const others[] = {"192.0.2.1", "8.8.8.8", "2001:db8::1", "fe80::1"};
	struct addr none = {.family = 0};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct addr a;

		CHECK(addr_parse_ip(span_from_cstr(others[i]), &a));
		a.port = 80;
		CHECK_ROW(others[i], !ownaddr_is(&a));
	}
	CHECK(!ownaddr_is(&none));
}

UNIT_TESTS(TEST(each_address_of_an_interface_is_ours), TEST(others_are_not))
