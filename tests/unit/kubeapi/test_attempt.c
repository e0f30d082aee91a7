#include "standin.h"

#include "kubeapi/attempt.h"

static void takes_a_token_for_what_it_is(void)
{
	static const struct {
		const char *text, *token; /* NULL: none */
	} rows[] = {
		{"abc", "abc"},	      {"abc\n", "abc"},
		{"abc\r\n\n", "abc"}, {"a.b-c_d~+/=", "a.b-c_d~+/="},
		{"", NULL},	      {"\n", NULL},
		{"a b", NULL},	      {"a\tb", NULL},
		{"a\nb", NULL},	      {"\x7f", NULL},
		{"a\xc3\xa9", NULL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span token = span_from_cstr(rows[i].text);

		CHECK_ROW(rows[i].text, attempt_check_token(&token) == (rows[i].token != NULL));
		if (rows[i].token != NULL)
			CHECK_SPAN(token, rows[i].token);
	}
}

static void bounds_the_token(void)
{
	static char text[CLIENT_TOKEN_MAX + 1];
	struct span token = span_of(text, sizeof text);

	memset(text, 'x', sizeof text);
	CHECK(!attempt_check_token(&token));
	token.len--;
	CHECK(attempt_check_token(&token));
}

/* What one try advises, whatever the client would make of it. */
static void advises_another_try_where_that_does_no_harm(void)
{
	static const struct {
		const char *path;
		enum h1_method method;
		enum client_reason reason;
		enum client_next next;
	} rows[] = {
		{"/echo", H1_METHOD_GET, CLIENT_OK, CLIENT_DONE},
		{"/status/404", H1_METHOD_GET, CLIENT_NOT_FOUND, CLIENT_DONE},
		{"/status/429", H1_METHOD_GET, CLIENT_BUSY, CLIENT_AGAIN_LATER},
		{"/status/429", H1_METHOD_POST, CLIENT_BUSY, CLIENT_AGAIN_LATER},
		{"/status/503", H1_METHOD_GET, CLIENT_SERVER_ERROR, CLIENT_AGAIN_LATER},
		{"/status/503", H1_METHOD_POST, CLIENT_SERVER_ERROR, CLIENT_DONE},
		{"/hang-up", H1_METHOD_GET, CLIENT_CUT_OFF, CLIENT_AGAIN_LATER},
		{"/hang-up", H1_METHOD_POST, CLIENT_CUT_OFF, CLIENT_DONE},
		{"/cut", H1_METHOD_GET, CLIENT_CUT_OFF, CLIENT_DONE},
		{"/cut-head", H1_METHOD_GET, CLIENT_CUT_OFF, CLIENT_DONE},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct talk *t = talk_new("ip4", "https://127.0.0.1:%u");
		struct client_request r = {.method = rows[i].method,
					   .path = rows[i].path,
					   .sink = &t->sink,
					   .answer = &t->answer,
					   .deadline_ms = UINT64_MAX};
		struct error e;

		t->client = client_new(&t->config, &e);
		CHECK(t->client != NULL);
		CHECK_ROW(rows[i].path, attempt_run(t->client, &r) == rows[i].next);
		CHECK_ROW(rows[i].path, t->answer.reason == rows[i].reason);
		talk_free(t);
	}
}

static void keeps_in_mind_what_the_server_asks_for(void)
{
	struct talk *t = talk_new("ip4", "https://127.0.0.1:%u");
	struct client_request r = {.method = H1_METHOD_GET,
				   .path = "/wait/7",
				   .sink = &t->sink,
				   .answer = &t->answer,
				   .deadline_ms = UINT64_MAX};
	struct error e;

	t->client = client_new(&t->config, &e);
	CHECK(t->client != NULL);
	CHECK_INT(attempt_run(t->client, &r), CLIENT_AGAIN_LATER);
	CHECK_INT(r.retry_after_ms, 7000);
	talk_free(t);
}

UNIT_TESTS(TEST(takes_a_token_for_what_it_is), TEST(bounds_the_token),
	   TEST(advises_another_try_where_that_does_no_harm),
	   TEST(keeps_in_mind_what_the_server_asks_for))
