#include "standin.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>

#include "base/alloc.h"

#define BY_ADDRESS "https://127.0.0.1:%u"

static void gets_what_is_there(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);

	talk_expect(t, "/echo?x=1", CLIENT_OK, "");
	CHECK_INT(t->answer.status, 200);
	CHECK_INT(t->answer.body_bytes, t->said_len);
	CHECK(strstr(t->said, "\"start\": \"GET /echo?x=1 HTTP/1.1\"") != NULL);
	CHECK(strstr(t->said, "[\"User-Agent\", \"egressbox\"]") != NULL);
	CHECK(strstr(t->said, "[\"Accept\", \"application/json\"]") != NULL);
	CHECK(strstr(t->said, "Authorization") == NULL);
	CHECK_TEXT(t->answer.error.text, "");
	talk_free(t);
}

static void keeps_the_connection(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);

	talk_expect(t, "/echo", CLIENT_OK, "");
	CHECK(strstr(t->said, "\"number\": 1") != NULL);
	talk_expect(t, "/chunked", CLIENT_OK, "");
	talk_expect(t, "/status/403", CLIENT_FORBIDDEN, "");
	talk_expect(t, "/nothing", CLIENT_OK, "");
	talk_expect(t, "/echo", CLIENT_OK, "");
	CHECK(strstr(t->said, "\"number\": 5") != NULL);
	talk_free(t);
}

static void connects_anew_when_the_kept_connection_has_ended(void)
{
	static const char *const servers[] = {"plain", "ip4"};
	static const char *const urls[] = {"http://127.0.0.1:%u", BY_ADDRESS};

	for (size_t i = 0; i < 2; i++) {
		struct talk *t = talk_new(servers[i], urls[i]);

		for (unsigned n = 0; n < 20; n++) {
			talk_expect(t, "/last", CLIENT_OK, "");
			CHECK_TEXT(t->said, "{\"last\": true}");
		}
		talk_expect(t, "/echo", CLIENT_OK, "");
		CHECK(strstr(t->said, "\"number\": 1") != NULL);
		talk_free(t);
	}
}

static void reads_bodies_of_every_framing(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);

	talk_expect(t, "/chunked", CLIENT_OK, "");
	CHECK_INT(t->said_len, strlen("{\"chunks\":[]}") + 5000);
	CHECK(strncmp(t->said, "{\"chunks\":[111", 14) == 0);
	talk_expect(t, "/until-close", CLIENT_OK, "");
	CHECK_TEXT(t->said, "{\"closed\":true}");
	talk_expect(t, "/large/60000", CLIENT_OK, "");
	CHECK_INT(t->said_len, 60000);
	talk_expect(t, "/nothing", CLIENT_OK, "");
	CHECK_INT(t->answer.status, 204);
	CHECK_INT(t->said_len, 0);
	talk_expect(t, "/interim/3", CLIENT_OK, "");
	CHECK_TEXT(t->said, "{\"after\": \"3\"}");
	talk_free(t);
}

static void never_takes_what_follows_an_answer_for_the_next(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);

	talk_expect(t, "/more-than-said", CLIENT_OK, "");
	CHECK_TEXT(t->said, "{\"more\": 1}");
	talk_expect(t, "/echo", CLIENT_OK, "");
	CHECK(strstr(t->said, "\"number\": 1") != NULL);
	talk_free(t);
}

static void names_what_is_wrong_with_the_answer(void)
{
	static const struct {
		const char *path;
		enum client_reason reason;
		const char *part;
	} rows[] = {
		{"/status/400", CLIENT_REJECTED, "400 for GET /status/400: \"status 400 it is\""},
		{"/status/401", CLIENT_UNAUTHORIZED, "401 for GET /status/401: \"status 401"},
		{"/status/403", CLIENT_FORBIDDEN,
		 "cannot list resource \\\"nodes\\\" in API group \\\"\\\" at the cluster scope"},
		{"/status/404", CLIENT_NOT_FOUND, "404 for GET"},
		{"/nowhere", CLIENT_NOT_FOUND, "could not find the requested resource"},
		{"/status/410", CLIENT_GONE, "410 for GET"},
		{"/status/422", CLIENT_REJECTED, "422 for GET"},
		{"/page-of-html/403", CLIENT_FORBIDDEN,
		 "403 for GET /page-of-html/403: not allowed"},
		{"/huge-refusal", CLIENT_FORBIDDEN, "403 for GET /huge-refusal: not allowed"},
		{"/redirect", CLIENT_BAD_STATUS, "302 for GET"},
		{"/interim/20", CLIENT_BAD_STATUS, "interim answers without end"},
		{"/cut", CLIENT_CUT_OFF, "closed the connection while its answer was read"},
		{"/cut-well", CLIENT_CUT_OFF, "closed the connection"},
		{"/cut-chunked", CLIENT_CUT_OFF, "closed the connection"},
		{"/cut-head", CLIENT_CUT_OFF, "closed the connection"},
		{"/until-cut", CLIENT_CUT_OFF, "closed the connection"},
		{"/hang-up", CLIENT_CUT_OFF, "closed the connection while its answer was awaited"},
		{"/nonsense", CLIENT_BAD_RESPONSE, "not HTTP/1.1"},
		{"/endless", CLIENT_TOO_LARGE, "over 65535 bytes"},
		{"/large/70000", CLIENT_TOO_LARGE, "over 65535 bytes"},
		{"/a b", CLIENT_REJECTED, "no request target"},
		{"nodes", CLIENT_REJECTED, "no request target"},
		{"/a\r\nX: y", CLIENT_REJECTED, "no request target"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct talk *t = talk_new("ip4", BY_ADDRESS);

		talk_expect(t, rows[i].path, rows[i].reason, rows[i].part);
		CHECK(strncmp(t->answer.error.text, t->url, strlen(t->url)) == 0);
		/* Whatever it was, the client is as good as before. */
		talk_expect(t, "/echo", CLIENT_OK, "");
		talk_free(t);
	}
}

static void gives_the_words_of_the_status_object(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);

	talk_expect(t, "/status/422", CLIENT_REJECTED, "");
	CHECK_SPAN(t->answer.message, "status 422 it is");
	CHECK_SPAN(t->answer.status_reason, "Invalid");
	talk_expect(t, "/page-of-html/403", CLIENT_FORBIDDEN, "");
	CHECK_SPAN(t->answer.message, "");
	CHECK_INT(t->answer.body_bytes, 0);
	talk_free(t);
}

static void tries_again_within_bounds(void)
{
	static const struct {
		const char *path, *said;
		enum client_reason reason;
	} rows[] = {
		{"/flaky/429/1/a", "{\"tries\": 2}", CLIENT_OK},
		{"/flaky/503/3/b", "{\"tries\": 4}", CLIENT_OK},
		{"/flaky/500/1/c", "{\"tries\": 2}", CLIENT_OK},
		{"/flaky/429/4/d", "", CLIENT_BUSY},
		{"/flaky/503/4/e", "", CLIENT_SERVER_ERROR},
		{"/page-of-html/502", "", CLIENT_SERVER_ERROR},
	};
	struct talk *t = talk_new("plain", "http://127.0.0.1:%u");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char path[64];

		/* The server counts for all who ask, so each has a name of its own. */
		snprintf(path, sizeof path, "%s%d", rows[i].path,
			 rows[i].path[1] == 'f' ? (int)getpid() : 0);
		talk_expect(t, rows[i].path[1] == 'f' ? path : rows[i].path, rows[i].reason, "");
		CHECK_TEXT(t->said, rows[i].said);
	}
	talk_free(t);
}

static void sends_a_post_once(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);
	struct span json = SPAN("{\"kind\":\"Service\"}");

	talk_expect(t, "/echo", CLIENT_OK, "");
	t->said_len = 0;
	CHECK(client_post(t->client, "/echo?dryRun=All", json, &t->sink, &t->answer));
	CHECK(strstr(t->said, "POST /echo?dryRun=All HTTP/1.1") != NULL);
	CHECK(strstr(t->said, "\"body\": \"{\\\"kind\\\":\\\"Service\\\"}\"") != NULL);
	CHECK(strstr(t->said, "[\"Content-Type\", \"application/json\"]") != NULL);
	/* On a connection of its own. */
	CHECK(strstr(t->said, "\"number\": 1") != NULL);
	CHECK(!client_post(t->client, "/status/422", json, NULL, &t->answer));
	CHECK_INT(t->answer.reason, CLIENT_REJECTED);
	CHECK_SPAN(t->answer.message, "status 422 it is");
	CHECK(!client_post(t->client, "/flaky/503/1/post", json, NULL, &t->answer));
	CHECK_INT(t->answer.reason, CLIENT_SERVER_ERROR);
	CHECK(!client_post(t->client, "/hang-up", json, NULL, &t->answer));
	CHECK_INT(t->answer.reason, CLIENT_CUT_OFF);
	/* 429 says that nothing was done. */
	CHECK(client_post(t->client, "/flaky/429/1/busy-post", json, NULL, &t->answer));
	CHECK(client_post(t->client, "/echo", SPAN(""), NULL, &t->answer));
	talk_free(t);
}

static void stops_when_the_sink_has_enough(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);

	t->pieces_wanted = 2;
	talk_expect(t, "/endless", CLIENT_STOPPED, "stopped");
	CHECK_INT(t->pieces, 2);
	talk_free(t);
}

static void waits_within_bounds(void)
{
	static const struct {
		const char *path, *part;
		uint32_t idle_ms, total_ms;
	} rows[] = {
		{"/slow", "no progress in time while its answer was awaited", 80, 0},
		{"/slow-body", "no progress in time while its answer was read", 80, 0},
		{"/drip", "no progress in time while its answer was read", 0, 300},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct talk *t = talk_new("ip4", BY_ADDRESS);
		struct timespec begin, end;

		t->config.idle_timeout_ms = rows[i].idle_ms;
		t->config.total_timeout_ms = rows[i].total_ms;
		clock_gettime(CLOCK_MONOTONIC, &begin);
		talk_expect(t, rows[i].path, CLIENT_TIMEOUT, rows[i].part);
		clock_gettime(CLOCK_MONOTONIC, &end);
		CHECK(end.tv_sec - begin.tv_sec < 10);
		talk_free(t);
	}
}

static void judges_the_certificate_by_name_or_address(void)
{
	static const struct {
		const char *server, *url, *tls_name;
		enum tls_error expected;
	} rows[] = {
		{"ip4", BY_ADDRESS, "", TLS_OK},
		{"ip4-rsa", BY_ADDRESS, "", TLS_OK},
		{"ip6", "https://[::1]:%u", "", TLS_OK},
		{"name", BY_ADDRESS, "api.test", TLS_OK},
		{"name", "https://api.test:%u", "", TLS_OK},
		{"name", "https://API.Test.:%u/", "", TLS_OK},
		{"ip6-only", BY_ADDRESS, "::1", TLS_OK},
		{"name", BY_ADDRESS, "", TLS_NAME_MISMATCH},
		{"ip6-only", BY_ADDRESS, "", TLS_NAME_MISMATCH},
		{"other-ip", BY_ADDRESS, "", TLS_NAME_MISMATCH},
		{"ip4", BY_ADDRESS, "::ffff:127.0.0.1", TLS_NAME_MISMATCH},
		{"text-ip", BY_ADDRESS, "", TLS_NAME_MISMATCH},
		{"wrong-name", "https://api.test:%u", "", TLS_NAME_MISMATCH},
		{"ip4", "https://api.test:%u", "", TLS_CERT_NO_NAME},
		{"expired", BY_ADDRESS, "", TLS_CERT_EXPIRED},
		{"stranger", BY_ADDRESS, "", TLS_UNKNOWN_ISSUER},
		{"tls13", BY_ADDRESS, "", TLS_TLS13_ONLY},
		{"clients", BY_ADDRESS, "", TLS_CLIENT_CERT_WANTED},
		{"ssh", BY_ADDRESS, "", TLS_NOT_TLS},
	};
	static const struct hosts_entry pin = {{"api.test", 8},
					       {.family = 4, .bytes = {127, 0, 0, 1}}};
	static const struct resolver_config resolver = {.pins = &pin, .pin_count = 1};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool ok = rows[i].expected == TLS_OK;
		struct talk *t = talk_new(rows[i].server, rows[i].url);

		t->config.tls_server_name = span_from_cstr(rows[i].tls_name);
		t->config.resolver = &resolver;
		talk_expect(t, "/echo", ok ? CLIENT_OK : CLIENT_TLS_FAILED, "");
		if (t->answer.tls != rows[i].expected)
			unit_fail(__FILE__, __LINE__, "%s as %s %s is %s", rows[i].server,
				  rows[i].url, rows[i].tls_name, tls_error_name(t->answer.tls));
		CHECK(ok || strstr(t->answer.error.text, tls_error_name(rows[i].expected)) != NULL);
		talk_free(t);
	}
}

static void says_which_command_to_pipe_instead_of_tls13(void)
{
	struct talk *t = talk_new("tls13", BY_ADDRESS);
	char expected[512];

	talk_expect(t, "/api/v1/nodes?limit=500", CLIENT_TLS_FAILED, "");
	snprintf(expected, sizeof expected,
		 "%s: TLS handshake: tls13_only: the server speaks only TLS 1.3, and here TLS 1.2 "
		 "is "
		 "spoken; where kubectl works, pipe its output to here: kubectl get --raw "
		 "'/api/v1/nodes'",
		 t->url);
	CHECK_TEXT(t->answer.error.text, expected);
	talk_free(t);
}

static struct keypair *keypair_of(const char *cert, const char *key)
{
	struct keypair *pair;
	struct arena arena;
	struct span chain, secret;
	struct error e;

	arena_init(&arena, 1 << 20);
	CHECK(file_read(&arena, standin_path(cert), 1 << 16, &chain, &e));
	CHECK(file_read(&arena, standin_path(key), 1 << 16, &secret, &e));
	pair = keypair_from_pem(chain, secret, &e);
	if (pair == NULL)
		unit_fail(__FILE__, __LINE__, "%s: %s", key, e.text);
	arena_fini(&arena);
	return pair;
}

static void shows_its_certificate_when_asked(void)
{
	static const char *const rows[][2] = {
		{"client.pem", "client.key"},	       {"client.pem", "client-sec1.key"},
		{"client384.pem", "client384.key"},    {"client-rsa.pem", "client-rsa.key"},
		{"client-rsa.pem", "client-rsa1.key"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct keypair *pair;
		struct talk *t = talk_new("clients", BY_ADDRESS);

		pair = keypair_of(rows[i][0], rows[i][1]);
		t->config.keypair = pair;
		talk_expect(t, "/echo", CLIENT_OK, "");
		CHECK(strstr(t->said, "\"client\": [[[\"commonName\", \"secure.test\"]]]") != NULL);
		talk_free(t);
		keypair_free(pair);
	}
}

static void sends_the_token_and_reads_its_file_each_time(void)
{
	struct talk *t = talk_new("token", BY_ADDRESS);
	const char *path = standin_path("token");
	FILE *f = fopen(path, "w");

	CHECK(f != NULL);
	fputs("sesame.token\n", f);
	fclose(f);
	t->config.token_file = path;
	talk_expect(t, "/ok", CLIENT_OK, "");
	f = fopen(path, "w");
	fputs("stale", f);
	fclose(f);
	talk_expect(t, "/ok", CLIENT_UNAUTHORIZED, "");
	CHECK(strstr(t->answer.error.text, "stale") == NULL);
	f = fopen(path, "w");
	fputs("two words", f);
	fclose(f);
	talk_expect(t, "/ok", CLIENT_BAD_CREDENTIALS, "no token: expected");
	unlink(path);
	talk_expect(t, "/ok", CLIENT_BAD_CREDENTIALS, path);
	talk_free(t);

	t = talk_new("token", BY_ADDRESS);
	t->config.token = SPAN("sesame.token");
	talk_expect(t, "/ok", CLIENT_OK, "");
	talk_free(t);
}

static void names_what_cannot_be_reached(void)
{
	static const struct hosts_entry pin = {{"gone.test", 9},
					       {.family = 4, .bytes = {127, 0, 0, 1}}};
	static const struct resolver_config resolver = {.pins = &pin, .pin_count = 1};
	static const char *const parts[][2] = {
		{"https://127.0.0.1:1", "no connection to 127.0.0.1:1: "},
		{"https://gone.test:1", "no connection to 127.0.0.1:1: "},
		{"https://nowhere.test", "\"nowhere.test\": no name server is known"},
	};

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct talk *t = talk_new("ip4", BY_ADDRESS);

		snprintf(t->url, sizeof t->url, "%s", parts[i][0]);
		t->config.server = span_from_cstr(t->url);
		t->config.resolver = &resolver;
		talk_expect(t, "/", CLIENT_UNREACHABLE, parts[i][1]);
		talk_free(t);
	}
}

/* A listener whose queue is full: the connection comes about, and then nothing does. */
static void gives_up_on_a_server_that_does_not_shake_hands(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 4) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	snprintf(t->url, sizeof t->url, BY_ADDRESS, (unsigned)ntohs(at.sin_port));
	t->config.server = span_from_cstr(t->url);
	t->config.connect_timeout_ms = 80;
	talk_expect(t, "/", CLIENT_TIMEOUT, "no progress in time in the TLS handshake");
	close(fd);
	talk_free(t);
}

static void refuses_configs_that_make_no_sense(void)
{
	struct anchors *anchors = (struct anchors *)1; /* only looked at for being there */
	static const char long_name[] =
		"a.very.long.label.that.is.much.longer.than.sixty.three.bytes."
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const struct {
		struct client_config config;
		const char *why;
	} rows[] = {
		{{.server = SPAN("10.0.0.1:6443"), .anchors = anchors},
		 "server: \"10.0.0.1:6443\": neither https:// nor http:// in front; expected "
		 "https://HOST:PORT"},
		{{.server = SPAN("https://a"), .anchors = NULL},
		 "no certificate authority to trust"},
		{{.server = SPAN("http://a"), .token = SPAN("x")},
		 "a token is not sent over http; expected https://"},
		{{.server = SPAN("http://a"), .token_file = "x"},
		 "a token is not sent over http; expected https://"},
		{{.server = SPAN("https://a"), .anchors = anchors, .token = SPAN("x y")},
		 "token: expected up to 12288 bytes of visible ASCII"},
		{{.server = SPAN("https://a"), .anchors = anchors, .user_agent = "a\r\nb"},
		 "user agent: not the value of a field"},
		{{.server = SPAN("https://a"),
		  .anchors = anchors,
		  .tls_server_name = {long_name, sizeof long_name - 1}},
		 "TLS server name \"a.very.long.label.that.is.much.longer.th...\": label over 63 "
		 "bytes"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct error e;

		CHECK_ROW(rows[i].why, client_new(&rows[i].config, &e) == NULL);
		CHECK_TEXT(e.text, rows[i].why);
	}
}

static void makes_the_path_of_a_page(void)
{
	char text[128], tiny[20];
	struct buf out;

	BUF_INIT_ARRAY(&out, text);
	CHECK(client_page_path(&out, "/api/v1/nodes", 500, SPAN("")));
	CHECK_TEXT(text, "/api/v1/nodes?limit=500");
	BUF_INIT_ARRAY(&out, text);
	CHECK(client_page_path(&out, "/x?labelSelector=a%3Db", 2, SPAN("aZ09-._~+/= &\n\xff")));
	CHECK_TEXT(text, "/x?labelSelector=a%3Db&limit=2&continue=aZ09-._~%2B%2F%3D%20%26%0A%FF");
	BUF_INIT_ARRAY(&out, tiny);
	CHECK(!client_page_path(&out, "/api/v1/nodes", 500, SPAN("")));
}

static void reads_a_list_in_pages(void)
{
	struct talk *t = talk_new("pages", "http://127.0.0.1:%u");
	char path[128];
	struct buf out;

	talk_expect(t, "/api/v1/nodes?limit=3", CLIENT_OK, "");
	CHECK(strstr(t->said, "\"continue\": \"3+/=\"") != NULL);
	CHECK(strstr(t->said, "\"n\": 2}") != NULL && strstr(t->said, "\"n\": 3}") == NULL);
	BUF_INIT_ARRAY(&out, path);
	CHECK(client_page_path(&out, "/api/v1/nodes", 3, SPAN("3+/=")));
	talk_expect(t, path, CLIENT_OK, "");
	CHECK(strstr(t->said, "\"n\": 3}") != NULL);
	BUF_INIT_ARRAY(&out, path);
	CHECK(client_page_path(&out, "/api/v1/nodes", 3, SPAN("6+/=")));
	talk_expect(t, path, CLIENT_GONE, "too old");
	CHECK_SPAN(t->answer.status_reason, "Expired");
	talk_free(t);
}

static void survives_every_lack_of_memory(void)
{
	struct talk *t = talk_new("ip4", BY_ADDRESS);
	bool ok = false;

	for (int n = 0; n < 50 && !ok; n++) {
		struct client *c;
		struct error e;

		alloc_fail_after(n);
		c = client_new(&t->config, &e);
		ok = c != NULL && client_get(c, "/echo", &t->sink, &t->answer);
		alloc_fail_after(-1);
		if (c == NULL)
			CHECK_TEXT(e.text, "out of memory");
		else if (!ok)
			CHECK_INT(t->answer.reason, CLIENT_NO_MEMORY);
		client_free(c);
	}
	CHECK(ok);
	talk_free(t);
}

static void names_every_reason(void)
{
	for (int i = 0; i < CLIENT_REASON_COUNT; i++)
		CHECK(client_reason_name((enum client_reason)i)[0] != '\0');
	CHECK_TEXT(client_reason_name(CLIENT_TLS_FAILED), "tls_failed");
	CHECK_TEXT(client_reason_name(CLIENT_REASON_COUNT), "unknown");
}

UNIT_TESTS(TEST(gets_what_is_there), TEST(keeps_the_connection),
	   TEST(connects_anew_when_the_kept_connection_has_ended),
	   TEST(reads_bodies_of_every_framing),
	   TEST(never_takes_what_follows_an_answer_for_the_next),
	   TEST(names_what_is_wrong_with_the_answer), TEST(gives_the_words_of_the_status_object),
	   TEST(tries_again_within_bounds), TEST(sends_a_post_once),
	   TEST(stops_when_the_sink_has_enough), TEST(waits_within_bounds),
	   TEST(judges_the_certificate_by_name_or_address),
	   TEST(says_which_command_to_pipe_instead_of_tls13),
	   TEST(shows_its_certificate_when_asked),
	   TEST(sends_the_token_and_reads_its_file_each_time), TEST(names_what_cannot_be_reached),
	   TEST(gives_up_on_a_server_that_does_not_shake_hands),
	   TEST(refuses_configs_that_make_no_sense), TEST(makes_the_path_of_a_page),
	   TEST(reads_a_list_in_pages), TEST(survives_every_lack_of_memory),
	   TEST(names_every_reason))
