#include "../unit.h"
#include "rules.h"

static void the_two_needed_words_redirect_everything(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS()));
	CHECK_TEXT(m.said, "");
	CHECK_INT(m.settings.proxy_port, 15001);
	CHECK_INT(m.settings.inbound_port, 15001);
	CHECK_INT(m.settings.uids.count, 1);
	CHECK_INT(m.settings.uids.ids[0], 1337);
	CHECK(m.settings.include_all);
	CHECK(m.settings.inbound);
	CHECK_INT(m.settings.loopback[0].length, 8);
	CHECK_INT(m.settings.loopback[1].length, 128);
	made_free(&m);
}

static void wrong_words_are_all_named_with_their_place(void)
{
	const struct {
		struct settings_words words;
		const char *said;
	} cases[] = {
		{{.proxy_port = 0},
		 "--proxy-port: needed: the port the proxy listens on\n"
		 "--proxy-uid: needed: the user id the proxy runs as, which is never redirected\n"},
		{{.proxy_port = 1, .uids = {(const char *[]){""}, 1}},
		 "--proxy-uid: needed: the user id the proxy runs as, which is never redirected\n"},
		{{.proxy_port = 1, .uids = {(const char *[]){"envoy"}, 1}},
		 "--proxy-uid: \"envoy\" is no number from 0 to 4294967294\n"},
		{{.proxy_port = 1, .uids = {(const char *[]){"1,4294967295"}, 1}},
		 "--proxy-uid: \"4294967295\" is no number from 0 to 4294967294 (column 3 of "
		 "\"1,4294967295\")\n"},
		{{.proxy_port = 1, .uids = {(const char *[]){"0"}, 1}},
		 "--proxy-uid: \"0\" would let everything that runs as root go past the proxy; "
		 "--allow-root-uid takes it\n"},
		{{.proxy_port = 1,
		  .uids = {(const char *[]){"7"}, 1},
		  .include = {(const char *[]){"10.0.0.0/8, bogus", "10.0.0.0/33"}, 2},
		  .exclude_ports = {(const char *[]){"22,0"}, 1}},
		 "--exclude-port: \"0\" is neither a port from 1 to 65535 nor FIRST-LAST (column 4 "
		 "of \"22,0\")\n"
		 "--include-cidr: \"bogus\" is no range of addresses: expected an IPv4 or IPv6 "
		 "address, without leading zeroes, before the / (column 13 of \"10.0.0.0/8, "
		 "bogus\")\n"
		 "--include-cidr: \"10.0.0.0/33\" is no range of addresses: expected a length from "
		 "0 to 32 behind the /\n"},
		{{.proxy_port = 1,
		  .uids = {(const char *[]){"7"}, 1},
		  .interfaces = {(const char *[]){"eth0,et\"h"}, 1}},
		 "--exclude-interface: \"et\\\"h\" is no name of an interface: at most 15 letters, "
		 "digits and -_.:@ (column 6 of \"eth0,et\\\"h\")\n"},
		{{.proxy_port = 1,
		  .uids = {(const char *[]){"7"}, 1},
		  .interfaces = {(const char *[]){"abcdefghijklmnop"}, 1}},
		 "--exclude-interface: \"abcdefghijklmnop\" is no name of an interface: at most 15 "
		 "letters, digits and -_.:@\n"},
		{{.proxy_port = 1,
		  .uids = {(const char *[]){"7"}, 1},
		  .loopback = {(const char *[]){"127.0.0.0/8,128.0.0.0/9,127.0.0.6"}, 1}},
		 "--loopback-cidr: more than one range of IPv4\n"},
		{{.proxy_port = 1, .uids = {(const char *[]){"7"}, 1}, .mode = "TPROXY"},
		 "--istio-inbound-interception-mode: \"TPROXY\" is not offered, REDIRECT is\n"},
		{{.proxy_port = 1,
		  .uids = {(const char *[]){"7"}, 1},
		  .dns_port = 15053,
		  .exclude_ports = {(const char *[]){"50-60"}, 1}},
		 "--dns-port takes port 53, which --exclude-port leaves alone\n"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct made m;

		CHECK(!made_from(&m, &cases[i].words));
		CHECK_TEXT(m.said, cases[i].said);
		made_free(&m);
	}
}

static void host_bits_are_cleared_with_a_note(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.include = WORD("10.0.0.1/24,fd00::1/64"))));
	CHECK_TEXT(m.said, "note: --include-cidr: \"10.0.0.1/24\" is taken as 10.0.0.0/24\n"
			   "note: --include-cidr: \"fd00::1/64\" is taken as fd00::/64\n");
	CHECK_INT(m.settings.include[0].items[0].network.bytes[3], 0);
	made_free(&m);
}

static void empty_and_star_mean_all_and_ports_alone_mean_ports(void)
{
	const struct {
		const char *label;
		struct opt_list include, ports;
		bool all;
		size_t port_count;
	} cases[] = {
		{"nothing", {0}, {0}, true, 0},
		{"-i ''", {(const char *[]){""}, 1}, {0}, true, 0},
		{"-i *", {(const char *[]){"*"}, 1}, {0}, true, 0},
		{"-q 80", {0}, {(const char *[]){"80"}, 1}, false, 1},
		{"-q ''", {0}, {(const char *[]){""}, 1}, true, 0},
		{"-i * -q 80", {(const char *[]){"*"}, 1}, {(const char *[]){"80"}, 1}, true, 0},
		{"-i 10.0.0.0/8,::/0 -q 80",
		 {(const char *[]){"10.0.0.0/8,::/0"}, 1},
		 {(const char *[]){"80"}, 1},
		 false,
		 1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct made m;

		CHECK_ROW(cases[i].label, made_from(&m, &WORDS(.include = cases[i].include,
							       .include_ports = cases[i].ports)));
		CHECK_ROW(cases[i].label, m.settings.include_all == cases[i].all);
		CHECK_ROW(cases[i].label, m.settings.include_ports.count == cases[i].port_count);
		CHECK_TEXT(m.said, "");
		made_free(&m);
	}
}

static void inbound_is_what_b_says_and_all_without_it(void)
{
	const struct {
		struct opt_list ports;
		int mode;
		bool inbound;
		size_t count;
	} cases[] = {
		{{0}, SETTINGS_INBOUND_REDIRECT, true, 0},
		{{0}, SETTINGS_INBOUND_NONE, false, 0},
		{{(const char *[]){""}, 1}, SETTINGS_INBOUND_REDIRECT, false, 0},
		{{(const char *[]){"*"}, 1}, SETTINGS_INBOUND_REDIRECT, true, 0},
		{{(const char *[]){"80,443"}, 1}, SETTINGS_INBOUND_REDIRECT, true, 2},
		{{(const char *[]){"80,443"}, 1}, SETTINGS_INBOUND_NONE, false, 2},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct made m;

		CHECK(made_from(&m, &WORDS(.include_inbound_ports = cases[i].ports,
					   .inbound = cases[i].mode)));
		CHECK_INT(m.settings.inbound, cases[i].inbound);
		CHECK_INT(m.settings.include_inbound_ports.count, cases[i].count);
		made_free(&m);
	}
}

static void a_family_without_an_included_range_is_warned_of(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.include = WORD("10.0.0.0/8"))));
	CHECK_TEXT(m.said, "warning: --include-cidr names no IPv6 range: IPv6 goes out past the "
			   "proxy (--ipv6 drop refuses it)\n");
	made_free(&m);
	CHECK(made_from(&m, &WORDS(.include = WORD("fd00::/8"))));
	CHECK_TEXT(m.said,
		   "warning: --include-cidr names no IPv4 range: IPv4 goes out past the proxy\n");
	made_free(&m);
	CHECK(made_from(&m, &WORDS(.include = WORD("10.0.0.0/8"), .ipv6 = SETTINGS_IPV6_DROP)));
	CHECK_TEXT(m.said, "");
	made_free(&m);
}

static void owners_are_sorted_and_each_once(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.gids = WORD("9,5,9,4294967294"))));
	CHECK_INT(m.settings.gids.count, 3);
	CHECK_INT(m.settings.gids.ids[0], 5);
	CHECK_INT(m.settings.gids.ids[2], 4294967294);
	made_free(&m);
}

static void strict_has_the_loopback_of_prepare_proxy(void)
{
	struct made m;

	CHECK(made_from(&m, &WORDS(.strict = true)));
	CHECK_INT(m.settings.loopback[0].length, 32);
	made_free(&m);
	CHECK(made_from(&m, &WORDS(.strict = true, .loopback = WORD("127.0.0.0/8"))));
	CHECK_INT(m.settings.loopback[0].length, 8);
	made_free(&m);
}

UNIT_TESTS(TEST(the_two_needed_words_redirect_everything),
	   TEST(wrong_words_are_all_named_with_their_place),
	   TEST(host_bits_are_cleared_with_a_note),
	   TEST(empty_and_star_mean_all_and_ports_alone_mean_ports),
	   TEST(inbound_is_what_b_says_and_all_without_it),
	   TEST(a_family_without_an_included_range_is_warned_of),
	   TEST(owners_are_sorted_and_each_once), TEST(strict_has_the_loopback_of_prepare_proxy))
