#include "../unit.h"

#include "kubeapi/serverurl.h"

static void takes_a_url_apart(void)
{
	static const struct {
		const char *url, *host, *prefix, *formatted;
		unsigned port;
		int family;
		bool is_https;
	} rows[] = {
		{"https://10.0.0.1:6443", "10.0.0.1", "", "https://10.0.0.1:6443", 6443, 4, true},
		{"https://api.test", "api.test", "", "https://api.test", 443, 0, true},
		{"https://api.test./", "api.test.", "", "https://api.test.", 443, 0, true},
		{"HTTP://127.0.0.1", "127.0.0.1", "", "http://127.0.0.1", 80, 4, false},
		{"https://[2001:db8::1]:443//", "2001:db8::1", "", "https://[2001:db8::1]:443", 443,
		 6, true},
		{"https://r.test/k8s/clusters/c-1/", "r.test", "/k8s/clusters/c-1",
		 "https://r.test/k8s/clusters/c-1", 443, 0, true},
		{"https://kubernetes.docker.internal:6443", "kubernetes.docker.internal", "",
		 "https://kubernetes.docker.internal:6443", 6443, 0, true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct serverurl url;
		char text[128];
		struct buf out;
		struct error e;

		CHECK_ROW(rows[i].url, serverurl_parse(span_from_cstr(rows[i].url), &url, &e));
		CHECK_SPAN(url.host, rows[i].host);
		CHECK_SPAN(url.prefix, rows[i].prefix);
		CHECK_INT(url.port, rows[i].port);
		CHECK_INT(url.is_https, rows[i].is_https);
		CHECK_INT(url.addr.family, rows[i].family);
		CHECK_INT(url.addr.port, rows[i].family != 0 ? rows[i].port : 0);
		BUF_INIT_ARRAY(&out, text);
		serverurl_format(&url, &out);
		CHECK_TEXT(text, rows[i].formatted);
	}
}

static void says_what_is_wrong(void)
{
	static const struct {
		const char *url, *why;
	} rows[] = {
		{"", "\"\": neither https:// nor http:// in front"},
		{"10.0.0.1:6443", "\"10.0.0.1:6443\": neither https:// nor http:// in front"},
		{"ftp://a", "\"ftp://a\": neither https:// nor http:// in front"},
		{"https://", "\"https://\": host is empty"},
		{"https:///x", "\"https:///x\": host is empty"},
		{"https://u:p@a", "\"https://u:p@a\": user information before the host"},
		{"https://a:0", "\"https://a:0\": port is not a number from 1 to 65535"},
		{"https://a:", "\"https://a:\": port is empty"},
		{"https://[::1", "\"https://[::1\": brackets without an IPv6 address"},
		{"https://::1", "\"https://::1\": port is not a number from 1 to 65535"},
		{"https://10.0.0.256", "\"https://10.0.0.256\": looks like an IP address"},
		{"https://010.0.0.1", "\"https://010.0.0.1\": looks like an IP address"},
		{"https://a..b", "\"https://a..b\": label is empty"},
		{"https://a/x?y",
		 "\"https://a/x?y\": a path with a query, or with a byte that no URL has"},
		{"https://a/#x", "\"https://a/#x\": a path with a query"},
		{"https://a/x y", "\"https://a/x y\": a path with a query"},
		{"https://a\r\nX: y", "\"https://a\\x0d\\x0aX: y\": byte that no host has"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct serverurl url;
		struct error e;

		CHECK_ROW(rows[i].url, !serverurl_parse(span_from_cstr(rows[i].url), &url, &e));
		if (strncmp(e.text, rows[i].why, strlen(rows[i].why)) != 0)
			unit_fail(__FILE__, __LINE__, "[%s] says '%s'", rows[i].url, e.text);
		CHECK(strstr(e.text, "; expected https://HOST:PORT") != NULL);
	}
}

UNIT_TESTS(TEST(takes_a_url_apart), TEST(says_what_is_wrong))
