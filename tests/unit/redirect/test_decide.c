#include "../unit.h"
#include "rules.h"

#include <netinet/in.h>

#include "redirect/decide.h"

struct probe {
	const char *to;
	const char *out;
	uint32_t uid, gid;
	uint16_t port; /* where it ends; 0: where it was sent */
};

static void check(const struct settings_words *w, const struct probe *probes, size_t count)
{
	struct made m;

	CHECK(made_from(&m, w));
	for (size_t i = 0; i < count; i++) {
		const struct probe *p = &probes[i];
		struct decide_packet packet = {
			.protocol = IPPROTO_TCP, .out = p->out, .uid = p->uid, .gid = p->gid};
		uint16_t port;

		CHECK(addr_parse(span_from_cstr(p->to), 80, &packet.to));
		port = decide_port(packet.to.family == 4 ? &m.v4 : &m.v6, RULESET_OUTPUT, &packet);
		if (port != p->port)
			unit_fail(__FILE__, __LINE__, "%s by uid %u goes to %u, expected %u", p->to,
				  (unsigned)p->uid, (unsigned)port, (unsigned)p->port);
	}
	made_free(&m);
}

#define CHECK_PROBES(words, ...)                                                                   \
	do {                                                                                       \
		const struct probe probes[] = {__VA_ARGS__};                                       \
		check(&words, probes, sizeof probes / sizeof probes[0]);                           \
	} while (0)

static void the_rows_of_the_manual(void)
{
	CHECK_PROBES(WORDS(.gids = WORD("5")), {"192.0.2.1", "eth0", 2000, 2000, 15001},
		     {"192.0.2.1", "eth0", 0, 0, 15001}, {"192.0.2.1", "eth0", 1337, 2000, 0},
		     {"192.0.2.1", "eth0", 2000, 5, 0}, {"127.0.0.1", "lo", 2000, 2000, 0},
		     {"127.0.0.2", "lo", 2000, 2000, 0}, {"10.1.2.3", "lo", 2000, 2000, 15001},
		     {"10.1.2.3", "lo", 1337, 2000, 0}, {"2001:db8::1", "eth0", 2000, 0, 15001},
		     {"2001:db8::1", "eth0", 1337, 0, 0}, {"::1", "lo", 2000, 0, 0},
		     {"fd00::5", "lo", 2000, 0, 15001});
}

static void strict_order_is_that_of_prepare_proxy(void)
{
	CHECK_PROBES(WORDS(.strict = true), {"127.0.0.1", "lo", 2000, 0, 0},
		     {"127.0.0.2", "lo", 2000, 0, 15001}, {"10.1.2.3", "lo", 1337, 0, 15001},
		     {"192.0.2.1", "eth0", 1337, 0, 0}, {"192.0.2.1", "eth0", 2000, 0, 15001});
}

static void the_edges_of_ranges_are_exact(void)
{
	CHECK_PROBES(WORDS(.include = WORD("10.4.0.0/14,192.0.2.128/25,fd00:1::/32"),
			   .exclude = WORD("10.5.0.0/16,fd00:1:2::/48")),
		     {"10.3.255.255", "eth0", 1, 1, 0}, {"10.4.0.0", "eth0", 1, 1, 15001},
		     {"10.4.255.255", "eth0", 1, 1, 15001}, {"10.5.0.0", "eth0", 1, 1, 0},
		     {"10.5.255.255", "eth0", 1, 1, 0}, {"10.6.0.0", "eth0", 1, 1, 15001},
		     {"10.7.255.255", "eth0", 1, 1, 15001}, {"10.8.0.0", "eth0", 1, 1, 0},
		     {"192.0.2.127", "eth0", 1, 1, 0}, {"192.0.2.128", "eth0", 1, 1, 15001},
		     {"192.0.2.255", "eth0", 1, 1, 15001}, {"192.0.3.0", "eth0", 1, 1, 0},
		     {"[fd00:1::1]:80", "eth0", 1, 1, 15001}, {"[fd00:1:2::1]:80", "eth0", 1, 1, 0},
		     {"[fd00:2::1]:80", "eth0", 1, 1, 0});
}

static void ports_and_interfaces(void)
{
	CHECK_PROBES(WORDS(.include_ports = WORD("80,8000-8100"), .exclude_ports = WORD("8050"),
			   .interfaces = WORD("eth1")),
		     {"192.0.2.1:80", "eth0", 1, 1, 15001}, {"192.0.2.1:81", "eth0", 1, 1, 0},
		     {"192.0.2.1:8000", "eth0", 1, 1, 15001}, {"192.0.2.1:8050", "eth0", 1, 1, 0},
		     {"192.0.2.1:8100", "eth0", 1, 1, 15001}, {"192.0.2.1:8101", "eth0", 1, 1, 0},
		     {"192.0.2.1:80", "eth1", 1, 1, 0}, {"192.0.2.1:80", "eth10", 1, 1, 15001},
		     {"[2001:db8::1]:80", "eth0", 1, 1, 15001},
		     {"[2001:db8::1]:81", "eth0", 1, 1, 0});
}

static void dns_goes_to_its_own_port(void)
{
	struct settings_words w = WORDS(.dns_port = 15053, .exclude = WORD("10.9.0.0/16"));
	struct decide_packet udp = {.protocol = IPPROTO_UDP, .out = "eth0", .uid = 1};
	struct made m;

	CHECK_PROBES(w, {"10.96.0.10:53", "eth0", 1, 1, 15053},
		     {"10.96.0.10:53", "eth0", 1337, 1, 0}, {"10.9.0.10:53", "eth0", 1, 1, 0},
		     {"10.96.0.10:54", "eth0", 1, 1, 15001});
	CHECK(made_from(&m, &w));
	CHECK(addr_parse(SPAN("10.96.0.10:53"), 0, &udp.to));
	CHECK_INT(decide_port(&m.v4, RULESET_OUTPUT, &udp), 15053);
	udp.to.port = 54;
	CHECK_INT(decide_port(&m.v4, RULESET_OUTPUT, &udp), 0);
	made_free(&m);
}

static void filters_refuse_quic_and_ipv6(void)
{
	struct decide_packet p = {.protocol = IPPROTO_UDP, .out = "eth0", .uid = 1};
	struct made m;

	CHECK(made_from(&m, &WORDS(.block_quic = true, .ipv6 = SETTINGS_IPV6_DROP,
				   .include = WORD("192.0.2.0/24"))));
	CHECK(addr_parse(SPAN("192.0.2.1:443"), 0, &p.to));
	CHECK(decide_is_refused(&m.v4, &p));
	p.uid = 1337;
	CHECK(!decide_is_refused(&m.v4, &p));
	p.uid = 1;
	p.to.port = 444;
	CHECK(!decide_is_refused(&m.v4, &p));
	CHECK(addr_parse(SPAN("198.51.100.1:443"), 0, &p.to));
	CHECK(!decide_is_refused(&m.v4, &p));
	CHECK(addr_parse(SPAN("[2001:db8::1]:9"), 0, &p.to));
	CHECK(decide_is_refused(&m.v6, &p));
	p.out = "lo";
	CHECK(!decide_is_refused(&m.v6, &p));
	made_free(&m);
}

static void what_comes_in(void)
{
	struct decide_packet p = {.protocol = IPPROTO_TCP, .in = "eth0"};
	struct made m;

	CHECK(made_from(&m, &WORDS(.inbound_port = 15006, .exclude_inbound_ports = WORD("15020"),
				   .interfaces = WORD("eth1"))));
	CHECK(addr_parse(SPAN("10.1.2.3:8080"), 0, &p.to));
	CHECK_INT(decide_port(&m.v4, RULESET_PREROUTING, &p), 15006);
	p.to.port = 15020;
	CHECK_INT(decide_port(&m.v4, RULESET_PREROUTING, &p), 0);
	p.to.port = 8080;
	p.in = "eth1";
	CHECK_INT(decide_port(&m.v4, RULESET_PREROUTING, &p), 0);
	made_free(&m);
}

UNIT_TESTS(TEST(the_rows_of_the_manual), TEST(strict_order_is_that_of_prepare_proxy),
	   TEST(the_edges_of_ranges_are_exact), TEST(ports_and_interfaces),
	   TEST(dns_goes_to_its_own_port), TEST(filters_refuse_quic_and_ipv6), TEST(what_comes_in))
