#include "../unit.h"

#include "route/hint.h"

static void check(const char *host, uint16_t port, const char *expected)
{
	char storage[HINT_MAX];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	hint_add(span_from_cstr(host), port, &out);
	CHECK(!out.truncated);
	CHECK_TEXT(buf_cstr(&out), expected);
}

static void names_a_service_after_the_host(void)
{
	check("httpbin.org", 80,
	      "; to register it: echo '{apiVersion: v1, kind: Service, metadata: {name: httpbin}, "
	      "spec: {type: ExternalName, externalName: httpbin.org, ports: [{name: http, port: "
	      "80}]}}' | kubectl apply -f -; then call http://httpbin");
	check("www.Google.com.", 443,
	      "; to register it: echo '{apiVersion: v1, kind: Service, metadata: {name: google}, "
	      "spec: {type: ExternalName, externalName: www.Google.com, ports: [{name: https, "
	      "port: 443}]}}' | kubectl apply -f -; then call http://google:443");
	check("1st.example", 8080,
	      "; to register it: echo '{apiVersion: v1, kind: Service, metadata: {name: "
	      "my-service}, spec: {type: ExternalName, externalName: 1st.example, ports: [{name: "
	      "http, port: 8080}]}}' | kubectl apply -f -; then call http://my-service:8080");
}

static void says_nothing_of_what_cannot_be_registered(void)
{
	check("192.0.2.1", 80, "");
	check("2001:db8::1", 80, "");
	check("nobody", 80, "");
	check("a'b.example", 80, "");
	check("", 80, "");
}

static void the_longest_name_fits(void)
{
	char host[254], storage[HINT_MAX];
	struct buf out;

	for (int i = 0; i < 253; i++)
		host[i] = i % 64 == 63 ? '.' : 'a';
	BUF_INIT_ARRAY(&out, storage);
	hint_add(span_of(host, 253), 65535, &out);
	CHECK(out.len > 253 && !out.truncated);
}

UNIT_TESTS(TEST(names_a_service_after_the_host), TEST(says_nothing_of_what_cannot_be_registered),
	   TEST(the_longest_name_fits))
