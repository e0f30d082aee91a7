#include "../unit.h"

#include "net/hostport.h"

static bool parse(struct span text, struct hostport *out, const char **problem)
{
	char *guarded = unit_guarded(text.ptr, text.len);
	bool ok = hostport_parse(span_of(guarded, text.len), out, problem);

	/*
	 * The host borrows from the input, which goes: let it point at the same place of the
	 * original.
	 */
	if (ok)
		out->host.ptr = text.ptr + (out->host.ptr - guarded);
	unit_guarded_free(guarded, text.len);
	return ok;
}

static void reads_host_and_port(void)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool is_ipv6;
	} cases[] = {
		{"externalbin", "externalbin", 0, false},
		{"externalbin:80", "externalbin", 80, false},
		{"Secure_Google.default.svc.:443", "Secure_Google.default.svc.", 443, false},
		{"a:1", "a", 1, false},
		{"a:65535", "a", 65535, false},
		{"192.0.2.1:8080", "192.0.2.1", 8080, false},
		{"-", "-", 0, false},
		{"[::1]", "::1", 0, true},
		{"[2001:db8::1]:443", "2001:db8::1", 443, true},
		{"[::ffff:192.0.2.1]:1", "::ffff:192.0.2.1", 1, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *problem = NULL;
		struct hostport hp;

		CHECK_ROW(cases[i].text, parse(span_from_cstr(cases[i].text), &hp, &problem));
		CHECK_SPAN(hp.host, cases[i].host);
		CHECK_ROW(cases[i].text, hp.port == cases[i].port);
		CHECK_ROW(cases[i].text, hp.is_ipv6 == cases[i].is_ipv6);
		CHECK_ROW(cases[i].text, problem == NULL);
	}
}

static void refuses_the_rest_and_says_why(void)
{
	static const char stray[] = "byte that no host has",
			  bad_port[] = "port is not a number from 1 to 65535";
	static const char userinfo[] = "user information before the host";
	static const char brackets[] = "brackets without an IPv6 address";
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"", "host is empty"},
		{":80", "host is empty"},
		{":", "port is empty"},
		{"a:", "port is empty"},
		{"[::1]:", "port is empty"},
		{"a:0", bad_port},
		{"a:65536", bad_port},
		{"a:000080", bad_port},
		{"a:+80", bad_port},
		{"a: 80", bad_port},
		{"a:80 ", bad_port},
		{"a:80:80", bad_port},
		{"a:b", bad_port},
		{"::1", bad_port},
		{"user@a", userinfo},
		{"user:password@a:80", userinfo},
		{"@a", userinfo},
		{"a@", userinfo},
		{"a%2eb", "percent-encoding in the host"},
		{"a%", "percent-encoding in the host"},
		{"a b", stray},
		{" a", stray},
		{"a ", stray},
		{"a\t", stray},
		{"a\r", stray},
		{"a/b", stray},
		{"a?b", stray},
		{"a#b", stray},
		{"a\\b", stray},
		{"a,b", stray},
		{"a;b", stray},
		{"a!", stray},
		{"\xc3\xa4", stray},
		{"a\x7f", stray},
		{"a[::1]", stray},
		{"[::1]a", stray},
		{"[::1]]", stray},
		{"[::1", brackets},
		{"[", brackets},
		{"[]", brackets},
		{"[a]", brackets},
		{"[192.0.2.1]", brackets},
		{"[[::1]]", brackets},
		{"[::1%25eth0]", brackets},
		{"[v1.a]", brackets},
		{"]", stray},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct hostport hp = {.port = 99};
		const char *problem = NULL;

		CHECK_ROW(cases[i].text, !parse(span_from_cstr(cases[i].text), &hp, &problem));
		CHECK_ROW(cases[i].text, problem != NULL && hp.port == 99);
		CHECK_TEXT(problem, cases[i].problem);
	}
}

static void every_byte_is_in_or_out(void)
{
	for (int i = 0; i < 256; i++) {
		const char text[] = {'a', (char)i, 'a'};
		bool expected = (i >= '0' && i <= '9') || (i >= 'A' && i <= 'Z') ||
				(i >= 'a' && i <= 'z') || i == '-' || i == '.' || i == '_';
		const char *problem;
		struct hostport hp;

		CHECK(parse(span_of(text, 3), &hp, &problem) == expected);
	}
}

static void takes_the_empty_span(void)
{
	const char *problem = NULL;
	struct hostport hp;

	CHECK(!hostport_parse(span_of(NULL, 0), &hp, &problem));
	CHECK_TEXT(problem, "host is empty");
}

UNIT_TESTS(TEST(reads_host_and_port), TEST(refuses_the_rest_and_says_why),
	   TEST(every_byte_is_in_or_out), TEST(takes_the_empty_span))
