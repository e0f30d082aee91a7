#include "fixture.h"

#include "json_line.h"

/* The value of a key in the next line of a JSON log. */
static struct span line;

static void expect_value(const char *key, const char *value)
{
	struct span got;

	CHECK(json_line_find(line, key, &got));
	CHECK_SPAN(got, value);
}

static void start(enum accesslog_format format)
{
	fixture_configure();
	config.access_log = format;
	fixture_start_configured();
}

static void keeps_what_the_log_says_of_a_request(void)
{
	char storage[ADDR_TEXT_MAX];
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	int client, origin;
	struct addr addr;
	struct buf text;

	start(ACCESSLOG_JSON);
	client = fixture_request("POST /a?b=%20\"c HTTP/1.1\r\nHost: web.default:80\r\n"
				 "Content-Length: 3\r\n\r\nabc");
	origin = fixture_accept();
	fixture_expect_up_to(origin, "abc");
	fixture_send(origin, RESPONSE);
	fixture_expect(client, RESPONSE);
	line = fixture_log_line();
	expect_value("method", "POST");
	expect_value("path", "/a?b=%20\"c");
	expect_value("host", "web.default:80");
	expect_value("status", "200");
	expect_value("route", "default/web:80");
	expect_value("upstream", "http://up.example:80");
	expect_value("reused", "0");
	expect_value("reason", "ok");
	expect_value("source", "f.yaml:9:5");
	expect_value("tx", "51");
	BUF_INIT_ARRAY(&text, storage);
	addr_format(&origin_at, &text);
	expect_value("address", buf_cstr(&text));
	CHECK(getsockname(client, (struct sockaddr *)&ss, &len) == 0);
	CHECK(addr_from_sockaddr(&ss, &addr));
	BUF_INIT_ARRAY(&text, storage);
	addr_format(&addr, &text);
	expect_value("client", buf_cstr(&text));
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void of_an_absolute_target_it_keeps_path_and_authority(void)
{
	int client, origin;

	start(ACCESSLOG_JSON);
	client = fixture_request("GET http://web/x HTTP/1.1\r\nHost: web\r\n\r\n");
	origin = fixture_accept();
	fixture_send(origin, RESPONSE);
	line = fixture_log_line();
	expect_value("path", "/x");
	expect_value("host", "web");
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

static void of_a_head_that_was_refused_as_much_as_is_known(void)
{
	static const struct {
		const char *request, *method, *path, *host, *reason;
	} rows[] = {
		{"GET /a HTTP/1.1\r\nHost: nobody\r\n\r\n", "GET", "/a", "nobody", "unknown_host"},
		{"GET /a HTTP/1.1\r\n\r\n", "GET", "/a", "", NULL},
		{"GET /a HTTP/1.1\r\nbad field\r\n\r\n", "GET", "/a", "", NULL},
		{"(((\r\n\r\n", "null", "", "", NULL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int client;

		start(ACCESSLOG_JSON);
		client = fixture_request(rows[i].request);
		line = fixture_log_line();
		expect_value("method", rows[i].method);
		expect_value("path", rows[i].path);
		expect_value("host", rows[i].host);
		if (rows[i].reason != NULL)
			expect_value("reason", rows[i].reason);
		fixture_close(client);
		fixture_stop();
	}
}

static void says_that_a_long_path_was_cut(void)
{
	char request[ACCESSLOG_PATH_MAX + 600];
	int client, prefix = snprintf(request, sizeof request, "GET /");
	struct span path;

	memset(request + prefix, 'p', ACCESSLOG_PATH_MAX);
	snprintf(request + prefix + ACCESSLOG_PATH_MAX, 100, " HTTP/1.1\r\nHost: nobody\r\n\r\n");
	start(ACCESSLOG_JSON);
	client = fixture_request(request);
	line = fixture_log_line();
	CHECK(json_line_find(line, "path", &path));
	CHECK_INT(path.len, ACCESSLOG_PATH_MAX + 3);
	CHECK(span_ends_with(path, SPAN("ppp...")));
	fixture_close(client);
	fixture_stop();
}

static void nothing_of_one_request_gets_into_the_next(void)
{
	int client;

	start(ACCESSLOG_JSON);
	client = fixture_request("DELETE /secret HTTP/1.1\r\nHost: nobody\r\n\r\n" GET);
	line = fixture_log_line();
	expect_value("path", "/secret");
	fixture_close(fixture_accept());
	line = fixture_log_line();
	expect_value("method", "GET");
	expect_value("path", "/");
	expect_value("host", "web");
	fixture_send(client, "(\r\n\r\n");
	line = fixture_log_line();
	expect_value("method", "null");
	expect_value("path", "");
	expect_value("route", "null");
	fixture_close(client);
	fixture_stop();
}

static void is_silent_when_the_log_is_off(void)
{
	int client;

	start(ACCESSLOG_OFF);
	worker.log = NULL;
	client = fixture_request("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
	fixture_expect_refusal(client, "HTTP/1.1 404 ", "unknown_host", false);
	CHECK_INT(fixture_ring.put, 0);
	fixture_close(client);
	fixture_stop();
}

static void texts_are_cut_to_their_room(void)
{
	char to[4] = "____";

	CHECK_INT(record_text(to, 3, SPAN("abcdef")), 3);
	CHECK(memcmp(to, "abc_", 4) == 0);
	CHECK_INT(record_text(to, 3, SPAN("x")), 1);
	CHECK(memcmp(to, "xbc_", 4) == 0);
	CHECK_INT(record_text(to, 3, span_of(NULL, 0)), 0);
}

UNIT_TESTS(TEST(keeps_what_the_log_says_of_a_request),
	   TEST(of_an_absolute_target_it_keeps_path_and_authority),
	   TEST(of_a_head_that_was_refused_as_much_as_is_known),
	   TEST(says_that_a_long_path_was_cut), TEST(nothing_of_one_request_gets_into_the_next),
	   TEST(is_silent_when_the_log_is_off), TEST(texts_are_cut_to_their_room))
