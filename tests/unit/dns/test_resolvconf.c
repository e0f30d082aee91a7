#include "../unit.h"

#include "dns/resolvconf.h"

static const struct {
	const char *label;
	const char *text;
	const char *servers;
	uint32_t timeout_ms;
	unsigned attempts;
	bool rotate;
} rows[] = {
	{"nothing", "", "", 2000, 3, false},
	{"what a pod has",
	 "search default.svc.cluster.local svc.cluster.local cluster.local\n"
	 "nameserver 10.96.0.10\noptions ndots:5\n",
	 "10.96.0.10:53", 2000, 3, false},
	{"no line end at the end", "nameserver 192.0.2.1", "192.0.2.1:53", 2000, 3, false},
	{"both families, in order", "nameserver 2001:db8::1\nnameserver 192.0.2.1\n",
	 "[2001:db8::1]:53 192.0.2.1:53", 2000, 3, false},
	{"zone id cut off", "nameserver fe80::1%eth0\n", "[fe80::1]:53", 2000, 3, false},
	{"blanks of all kinds", "\tnameserver \t 192.0.2.1 \r\n\v\f\n", "192.0.2.1:53", 2000, 3,
	 false},
	{"comments", "#nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserver 192.0.2.3 # mine\n",
	 "192.0.2.3:53", 2000, 3, false},
	{"no addresses",
	 "nameserver\nnameserver ns.example\nnameserver 1.2.3\nnameserver 01.2.3.4\n", "", 2000, 3,
	 false},
	{"keyword is a whole word", "nameservers 192.0.2.1\nNAMESERVER 192.0.2.1\n", "", 2000, 3,
	 false},
	{"at most eight",
	 "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"
	 "nameserver 192.0.2.5\nnameserver 192.0.2.6\nnameserver 192.0.2.7\nnameserver 192.0.2.8\n"
	 "nameserver 192.0.2.9\n",
	 "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53 192.0.2.4:53 192.0.2.5:53 192.0.2.6:53 "
	 "192.0.2.7:53 "
	 "192.0.2.8:53",
	 2000, 3, false},
	{"options", "options timeout:1 attempts:2 rotate edns0\n", "", 1000, 2, true},
	{"later options win", "options timeout:1\noptions timeout:7 attempts:4\n", "", 7000, 4,
	 false},
	{"numbers drawn in", "options timeout:99 attempts:99\n", "", 30000, 5, false},
	{"zero drawn in", "options timeout:0 attempts:0\n", "", 1000, 1, false},
	{"numbers that are none", "options timeout: attempts:-1 timeout:3s rotate:1\n", "", 2000, 3,
	 false},
	{"numbers too large for any type", "options timeout:99999999999999999999\n", "", 2000, 3,
	 false},
};

static void check_row(size_t i, struct span text)
{
	char storage[512];
	struct resolvconf conf;
	struct buf servers;

	resolvconf_parse(text, &conf);
	BUF_INIT_ARRAY(&servers, storage);
	for (unsigned s = 0; s < conf.server_count; s++) {
		if (s > 0)
			buf_add_byte(&servers, ' ');
		addr_format(&conf.servers[s], &servers);
	}
	CHECK_TEXT(buf_cstr(&servers), rows[i].servers);
	CHECK_ROW(rows[i].label, conf.timeout_ms == rows[i].timeout_ms);
	CHECK_ROW(rows[i].label, conf.attempts == rows[i].attempts);
	CHECK_ROW(rows[i].label, conf.rotate == rows[i].rotate);
}

static void reads_what_the_c_library_reads(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].text);
		char *copy = unit_guarded(rows[i].text, len);

		check_row(i, span_of(copy, len));
		unit_guarded_free(copy, len);
	}
}

/* Any bytes at all, cut anywhere, are a file with fewer servers. */
static void takes_a_file_that_is_cut_anywhere(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].text);
		struct resolvconf whole, part;

		resolvconf_parse(span_of(rows[i].text, len), &whole);
		for (size_t cut = 0; cut < len; cut++) {
			char *copy = unit_guarded(rows[i].text, cut);

			resolvconf_parse(span_of(copy, cut), &part);
			unit_guarded_free(copy, cut);
			CHECK_ROW(rows[i].label, part.server_count <= whole.server_count);
			CHECK_ROW(rows[i].label, part.attempts >= 1 && part.timeout_ms >= 1000);
		}
	}
}

UNIT_TESTS(TEST(reads_what_the_c_library_reads), TEST(takes_a_file_that_is_cut_anywhere))
