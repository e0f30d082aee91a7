#include "../unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "kubeapi/lookup.h"
#include "sys/clock.h"

static const struct hosts_entry pins[] = {
	{{"api.test", 8}, {.family = 4, .bytes = {192, 0, 2, 1}}},
	{{"api.test", 8}, {.family = 4, .bytes = {192, 0, 2, 2}}},
};

static void finds_what_needs_no_server(void)
{
	const struct resolver_config config = {.pins = pins, .pin_count = 2};
	struct addr addrs[LOOKUP_MAX];
	unsigned count = 0;
	struct error e;

	CHECK(lookup_name(SPAN("API.test."), &config, clock_monotonic_ms() + 1000, addrs, &count,
			  &e));
	CHECK_INT(count, 2);
	CHECK_INT(addrs[0].family, 4);
	CHECK(memcmp(addrs[0].bytes, pins[0].addr.bytes, 4) == 0);
}

static void says_that_no_server_is_known(void)
{
	struct addr addrs[LOOKUP_MAX];
	unsigned count;
	struct error e;

	CHECK(!lookup_name(SPAN("gone.test"), NULL, clock_monotonic_ms() + 1000, addrs, &count,
			   &e));
	CHECK_TEXT(e.text, "\"gone.test\": no name server is known");
	CHECK(!lookup_name(SPAN("a..b"), NULL, clock_monotonic_ms() + 1000, addrs, &count, &e));
	CHECK(strncmp(e.text, "\"a..b\": ", 8) == 0);
}

/* A server that never answers, asked for as long as the deadline lets it. */
static void waits_no_longer_than_it_may(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct resolver_config config = {.server_count = 1, .timeout_ms = 60000};
	uint64_t begin = clock_monotonic_ms();
	struct addr addrs[LOOKUP_MAX];
	unsigned count;
	struct error e;

	CHECK(bind(fd, (struct sockaddr *)&at, len) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	config.servers[0] = (struct addr){
		.family = 4, .bytes = {127, 0, 0, 1}, .port = ntohs(at.sin_port)};
	CHECK(!lookup_name(SPAN("slow.test"), &config, begin + 80, addrs, &count, &e));
	CHECK_TEXT(e.text, "\"slow.test\": no answer in time");
	CHECK(clock_monotonic_ms() - begin < 10000);
	close(fd);
}

UNIT_TESTS(TEST(finds_what_needs_no_server), TEST(says_that_no_server_is_known),
	   TEST(waits_no_longer_than_it_may))
