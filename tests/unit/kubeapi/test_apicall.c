#include "standin.h"

#include "kubeapi/apicall.h"
#include "sys/clock.h"

static const struct apicall_times times = {.idle_ms = 5000, .total_ms = 10000};

/* A loop with one call; `t` has the config and what was said. */
static struct loop loop;
static struct resolver resolver;
static struct apicall call;
static struct talk *talk;
static unsigned done;

static void on_done(struct apicall *c)
{
	CHECK(c == &call && apicall_is_idle(c));
	done++;
	loop_stop(&loop);
}

static void setup(const char *server, const char *url)
{
	struct resolver_config config = {.server_count = 0};
	struct error e;

	talk = talk_new(server, url);
	CHECK(loop_init(&loop, &e));
	resolver_init(&resolver, &loop, &config);
	CHECK(apicall_init(&call, &talk->config, &loop, &resolver, on_done, &e));
	done = 0;
}

static void teardown(void)
{
	struct error e;

	apicall_fini(&call);
	resolver_fini(&resolver);
	CHECK(loop_turn(&loop, 0, &e));
	loop_fini(&loop);
	talk_free(talk);
}

/* Runs the loop until the answer is there. Nothing is said before the loop turns. */
static void finish(void)
{
	unsigned before = done;
	struct error e;

	CHECK(!apicall_is_idle(&call));
	CHECK(loop_run(&loop, &e));
	CHECK_INT(done, before + 1);
	loop.stop = false;
}

static void get(const char *path, const struct apicall_times *within)
{
	talk->said_len = talk->pieces = 0;
	talk->said[0] = '\0';
	apicall_get(&call, span_from_cstr(path), &talk->sink, within);
	finish();
}

static void expect(const char *path, enum client_reason reason, const char *part)
{
	get(path, &times);
	if (call.answer.reason != reason)
		unit_fail(__FILE__, __LINE__, "%s is %s (%s), expected %s", path,
			  client_reason_name(call.answer.reason), call.answer.error.text,
			  client_reason_name(reason));
	if (strstr(reason == CLIENT_OK ? talk->said : call.answer.error.text, part) == NULL)
		unit_fail(__FILE__, __LINE__, "%s says '%s' '%s' without '%s'", path, talk->said,
			  call.answer.error.text, part);
}

static void gets_over_tls_and_plain(void)
{
	static const struct {
		const char *server, *url;
	} rows[] = {
		{"ip4", "https://127.0.0.1:%u"},
		{"ip4-rsa", "https://127.0.0.1:%u/"},
		{"ip6", "https://[::1]:%u"},
		{"plain", "http://127.0.0.1:%u"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(rows[i].server, rows[i].url);
		expect("/echo?x=1", CLIENT_OK, "GET /echo?x=1 HTTP/1.1");
		CHECK_INT(call.answer.status, 200);
		CHECK_TEXT(call.answer.error.text, "");
		teardown();
	}
}

static void ends_as_the_other_client_does(void)
{
	static const struct {
		const char *path;
		enum client_reason reason;
		const char *part;
	} rows[] = {
		{"/chunked", CLIENT_OK, "{\"chunks\":[1111"},
		{"/until-close", CLIENT_OK, "{\"closed\":true}"},
		{"/interim/8", CLIENT_OK, "{\"after\": \"8\"}"},
		{"/nothing", CLIENT_OK, ""},
		{"/large/60000", CLIENT_OK, "0123456789"},
		{"/status/401", CLIENT_UNAUTHORIZED,
		 "401 for GET /status/401: \"status 401 it is\""},
		{"/status/403", CLIENT_FORBIDDEN, "cannot list resource"},
		{"/status/410", CLIENT_GONE, "410"},
		{"/status/503", CLIENT_SERVER_ERROR, "503"},
		{"/page-of-html/404", CLIENT_NOT_FOUND, "not there"},
		{"/huge-refusal", CLIENT_FORBIDDEN, "not allowed"},
		{"/redirect", CLIENT_BAD_STATUS, "302"},
		{"/cut", CLIENT_CUT_OFF, "while its answer was read"},
		{"/cut-well", CLIENT_CUT_OFF, "while its answer was read"},
		{"/cut-chunked", CLIENT_CUT_OFF, "while its answer was read"},
		{"/cut-head", CLIENT_CUT_OFF, "while its answer was awaited"},
		{"/until-cut", CLIENT_CUT_OFF, "while its answer was read"},
		{"/hang-up", CLIENT_CUT_OFF, "while its answer was awaited"},
		{"/nonsense", CLIENT_BAD_RESPONSE, "not HTTP/1.1"},
		{"/interim/9", CLIENT_BAD_RESPONSE, "interim"},
		{"/large/70000", CLIENT_TOO_LARGE, "over"},
		{"/endless", CLIENT_TOO_LARGE, "over"},
		{"/compressed", CLIENT_BAD_RESPONSE, "compressed"},
		{"/echo", CLIENT_OK, "GET /echo"},
	};

	setup("ip4", "https://127.0.0.1:%u");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(rows[i].path, rows[i].reason, rows[i].part);
	expect("no path", CLIENT_REJECTED, "no request target");
	teardown();
}

static void keeps_the_connection_while_it_is_good(void)
{
	setup("ip4", "https://127.0.0.1:%u");
	expect("/echo", CLIENT_OK, "\"number\": 1");
	expect("/echo", CLIENT_OK, "\"number\": 2");
	expect("/status/404", CLIENT_NOT_FOUND, "");
	expect("/echo", CLIENT_OK, "\"number\": 4");
	/* Ended behind the answer: the next request makes a new one by itself. */
	expect("/last", CLIENT_OK, "last");
	expect("/echo", CLIENT_OK, "\"number\": 1");
	/* Bytes that nobody asked for are no answer to the next. */
	expect("/more-than-said", CLIENT_OK, "more");
	expect("/echo", CLIENT_OK, "\"number\": 1");
	teardown();
}

static void verifies_whom_it_talks_to(void)
{
	static const struct {
		const char *server;
		enum tls_error tls;
	} rows[] = {
		{"other-ip", TLS_NAME_MISMATCH},
		{"wrong-name", TLS_NAME_MISMATCH},
		{"expired", TLS_CERT_EXPIRED},
		{"stranger", TLS_UNKNOWN_ISSUER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup(rows[i].server, "https://127.0.0.1:%u");
		expect("/echo", CLIENT_TLS_FAILED, tls_error_name(rows[i].tls));
		teardown();
	}
}

static void calls_names_through_the_loops_resolver(void)
{
	struct hosts_entry pin = {.name = SPAN("api.test")};
	struct resolver_config config = {.pins = &pin, .pin_count = 1};
	struct error e;

	CHECK(addr_parse_ip(SPAN("127.0.0.1"), &pin.addr));
	setup("name", "https://api.test:%u");
	expect("/echo", CLIENT_UNREACHABLE, "the name has no address: servfail");
	expect("/echo", CLIENT_UNREACHABLE, "the name has no address: servfail");
	apicall_fini(&call);
	resolver_fini(&resolver);
	resolver_init(&resolver, &loop, &config);
	CHECK(apicall_init(&call, &talk->config, &loop, &resolver, on_done, &e));
	expect("/echo", CLIENT_OK, "api.test");
	teardown();
}

static void posts_once(void)
{
	setup("ip4", "https://127.0.0.1:%u");
	apicall_post(&call, SPAN("/echo"), SPAN("{\"a\":1}"), &times);
	finish();
	CHECK_INT(call.answer.reason, CLIENT_OK);
	CHECK_INT(call.answer.status, 200);
	expect("/last", CLIENT_OK, "");
	apicall_post(&call, SPAN("/hang-up"), SPAN("{}"), &times);
	finish();
	CHECK_INT(call.answer.reason, CLIENT_CUT_OFF);
	teardown();
}

static void gives_up_in_time(void)
{
	static const struct apicall_times idle = {100, 10000}, total = {10000, 200};

	setup("ip4", "https://127.0.0.1:%u");
	get("/slow", &idle);
	CHECK_INT(call.answer.reason, CLIENT_TIMEOUT);
	CHECK(strstr(call.answer.error.text, "while its answer was awaited") != NULL);
	get("/slow-body", &idle);
	CHECK_INT(call.answer.reason, CLIENT_TIMEOUT);
	get("/drip", &total);
	CHECK_INT(call.answer.reason, CLIENT_TIMEOUT);
	expect("/echo", CLIENT_OK, "");
	teardown();
}

static void says_that_nobody_is_there(void)
{
	setup("plain", "http://127.0.0.1:%u");
	apicall_fini(&call);
	talk->config.server = SPAN("http://127.0.0.1:1");
	CHECK(apicall_init(&call, &talk->config, &loop, &resolver, on_done, &(struct error){0}));
	expect("/echo", CLIENT_UNREACHABLE, "no connection to 127.0.0.1:1: Connection refused");
	teardown();
}

static void reads_the_token_for_each_request(void)
{
	char path[] = "/tmp/test_apicall.XXXXXX";
	int fd = mkstemp(path);
	struct error e;

	CHECK(fd != -1 && write(fd, "wrong", 5) == 5);
	setup("token", "https://127.0.0.1:%u");
	apicall_fini(&call);
	talk->config.token_file = path;
	CHECK(apicall_init(&call, &talk->config, &loop, &resolver, on_done, &e));
	expect("/ok", CLIENT_UNAUTHORIZED, "401");
	CHECK(pwrite(fd, "sesame.token\n", 13, 0) == 13);
	expect("/ok", CLIENT_OK, "true");
	CHECK(ftruncate(fd, 0) == 0);
	expect("/ok", CLIENT_BAD_CREDENTIALS, "no token");
	unlink(path);
	expect("/ok", CLIENT_BAD_CREDENTIALS, path);
	close(fd);
	teardown();
}

static void can_be_ended_at_any_time(void)
{
	struct error e;

	for (int turns = 0; turns < 12; turns++) {
		setup("ip4", "https://127.0.0.1:%u");
		apicall_get(&call, SPAN("/drip"), &talk->sink, &times);
		for (int i = 0; i < turns; i++)
			CHECK(loop_turn(&loop, 10, &e));
		teardown();
	}
}

static void refuses_a_config_that_is_none(void)
{
	struct client_config config = {.server = SPAN("ftp://x")};
	struct error e;

	CHECK(loop_init(&loop, &e));
	CHECK(!apicall_init(&call, &config, &loop, &resolver, on_done, &e));
	apicall_fini(&call);
	apicall_fini(&call);
	loop_fini(&loop);
}

UNIT_TESTS(TEST(gets_over_tls_and_plain), TEST(ends_as_the_other_client_does),
	   TEST(keeps_the_connection_while_it_is_good), TEST(verifies_whom_it_talks_to),
	   TEST(calls_names_through_the_loops_resolver), TEST(posts_once), TEST(gives_up_in_time),
	   TEST(says_that_nobody_is_there), TEST(reads_the_token_for_each_request),
	   TEST(can_be_ended_at_any_time), TEST(refuses_a_config_that_is_none))
