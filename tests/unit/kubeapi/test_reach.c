#include "standin.h"

#include "kubeapi/reach.h"

static struct client_request request_of(struct talk *t, enum h1_method method)
{
	struct error e;

	t->client = client_new(&t->config, &e);
	if (t->client == NULL)
		unit_fail(__FILE__, __LINE__, "%s", e.text);
	return (struct client_request){.method = method,
				       .path = "/x?limit=5",
				       .answer = &t->answer,
				       .deadline_ms = UINT64_MAX};
}

static void keeps_a_connection_for_gets_only(void)
{
	struct talk *t = talk_new("ip4", "https://127.0.0.1:%u");
	struct client_request r = request_of(t, H1_METHOD_GET);

	CHECK(reach_server(t->client, &r));
	CHECK(!r.is_reused);
	CHECK(reach_server(t->client, &r));
	CHECK(r.is_reused);
	r.method = H1_METHOD_POST;
	CHECK(reach_server(t->client, &r));
	CHECK(!r.is_reused);
	talk_free(t);
}

static void tries_one_address_after_the_other(void)
{
	/* Nobody is at the first; IPv6 comes before. */
	static const struct hosts_entry pins[] = {
		{{"api.test", 8}, {.family = 4, .bytes = {127, 0, 0, 77}}},
		{{"api.test", 8}, {.family = 4, .bytes = {127, 0, 0, 1}}},
	};
	static const struct resolver_config resolver = {.pins = pins, .pin_count = 2};
	struct talk *t = talk_new("name", "https://api.test:%u");
	struct client_request r;

	t->config.resolver = &resolver;
	r = request_of(t, H1_METHOD_GET);
	CHECK(reach_server(t->client, &r));
	talk_free(t);
}

static void names_the_last_address_that_took_no_connection(void)
{
	static const struct hosts_entry pin = {{"api.test", 8},
					       {.family = 4, .bytes = {127, 0, 0, 77}}};
	static const struct resolver_config resolver = {.pins = &pin, .pin_count = 1};
	struct talk *t = talk_new("name", "https://api.test:%u");
	struct client_request r;
	char part[64];

	t->config.resolver = &resolver;
	r = request_of(t, H1_METHOD_GET);
	CHECK(!reach_server(t->client, &r));
	CHECK_INT(t->answer.reason, CLIENT_UNREACHABLE);
	snprintf(part, sizeof part, ": no connection to 127.0.0.77:%u: ", standin_port("name"));
	CHECK(strstr(t->answer.error.text, part) != NULL);
	talk_free(t);
}

static void does_not_begin_when_the_time_is_over(void)
{
	struct talk *t = talk_new("ip4", "https://127.0.0.1:%u");
	struct client_request r = request_of(t, H1_METHOD_GET);

	r.deadline_ms = 1;
	CHECK(!reach_server(t->client, &r));
	CHECK_INT(t->answer.reason, CLIENT_TIMEOUT);
	talk_free(t);
}

UNIT_TESTS(TEST(keeps_a_connection_for_gets_only), TEST(tries_one_address_after_the_other),
	   TEST(names_the_last_address_that_took_no_connection),
	   TEST(does_not_begin_when_the_time_is_over))
