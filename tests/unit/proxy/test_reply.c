#include "fixture.h"

static int client, origin;

static void end(void)
{
	fixture_close(client);
	fixture_close(origin);
	fixture_stop();
}

/* The answer's text, behind its head. */
static const char *expect_text(void)
{
	static char text[1024];
	struct span line;

	fixture_expect_up_to(client, "\r\n\r\n");
	line = fixture_expect_up_to(client, "\n");
	CHECK(line.len < sizeof text);
	memcpy(text, line.ptr, line.len);
	text[line.len] = 0;
	return text;
}

static void says_which_route_failed_and_where_it_was_written(void)
{
	origin = -1;
	fixture_start();
	client = fixture_request("GET / HTTP/1.1\r\nHost: gone\r\n\r\n");
	CHECK_TEXT(expect_text(),
		   "dns_nxdomain: the external name does not exist (http://gone.example:80, "
		   "Service default/gone:80, f.yaml:27:5)\n");
	end();
}

static void says_what_names_are_known(void)
{
	origin = -1;
	fixture_start();
	client = fixture_request("GET / HTTP/1.1\r\nHost: weg\r\n\r\n");
	CHECK(strstr(expect_text(), "web") != NULL);
	end();
}

static void the_head_is_complete(void)
{
	static const char *const fields[] = {
		"\r\nDate: ",
		"\r\nContent-Type: text/plain",
		"\r\nContent-Length: ",
		"\r\nX-Egressbox-Error: unknown_host\r\n",
	};
	struct span head;

	origin = -1;
	fixture_start();
	client = fixture_request("GET / HTTP/1.1\r\nHost: nobody\r\n\r\n");
	head = fixture_expect_up_to(client, "\r\n\r\n");
	CHECK(span_starts_with(head, SPAN("HTTP/1.1 404 Not Found\r\n")));
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		CHECK_ROW(fields[i],
			  memmem(head.ptr, head.len, fields[i], strlen(fields[i])) != NULL);
	end();
}

static void an_answer_to_head_has_no_text(void)
{
	origin = -1;
	fixture_start();
	client = fixture_request("HEAD / HTTP/1.1\r\nHost: nobody\r\n\r\n");
	fixture_expect(client, "HTTP/1.1 404 Not Found\r\n");
	fixture_expect_up_to(client, "\r\n\r\n");
	fixture_expect_nothing(client);
	fixture_expect_log("unknown_host");
	fixture_close(fixture_exchange(client, -1));
	end();
}

static void hostile_names_do_not_get_into_the_head(void)
{
	origin = -1;
	fixture_start();
	client = fixture_request("GET / HTTP/1.1\r\nHost: a_b.c-d\r\n\r\n"
				 "GET / HTTP/1.1\r\nHost: x\x7fy\r\n\r\n");
	fixture_expect_refusal(client, "HTTP/1.1 404 ", "unknown_host", false);
	fixture_expect(client, "HTTP/1.1 400 ");
	CHECK(strchr(expect_text(), 0x7f) == NULL);
	end();
}

static void takes_back_a_response_that_was_not_sent_yet(void)
{
	fixture_start();
	client = fixture_request(GET);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	/* Head and malformed body come together: nothing of them has left. */
	fixture_send(origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n");
	fixture_expect(client, "HTTP/1.1 502 Bad Gateway\r\n");
	fixture_expect_up_to(client, "\r\n\r\n");
	fixture_expect_end(origin);
	CHECK_INT(metrics_get(&worker.metrics.requests[REASON_BAD_RESPONSE]), 1);
	end();
}

static void an_answer_goes_behind_interim_responses(void)
{
	fixture_start();
	client = fixture_request(GET);
	origin = fixture_accept();
	fixture_expect(origin, GET_AT_ORIGIN);
	fixture_send(origin, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 999 x\r\n\r\n");
	fixture_expect(client, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 502 Bad Gateway\r\n");
	end();
}

static void a_client_that_takes_no_answer_is_closed(void)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n";
	uint64_t until = clock_monotonic_ms() + FIXTURE_DEADLINE_MS;
	struct sockaddr_storage ss;
	int small = 1;

	origin = -1;
	fixture_configure();
	config.timeouts.stream_ms = FIXTURE_SOON_MS;
	fixture_start_configured();
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
	CHECK(connect(client, (struct sockaddr *)&ss, addr_to_sockaddr(&proxy_at, &ss)) == 0);
	/* It asks and asks and never reads: that is neither buffered for ever nor waited for. */
	while (metrics_get(&worker.metrics.requests[REASON_UNKNOWN_HOST]) == 0 ||
	       worker.session_slab.in_use > 0) {
		CHECK(clock_monotonic_ms() < until);
		for (int i = 0; i < 32; i++)
			if (send(client, request, sizeof request - 1, MSG_DONTWAIT | MSG_NOSIGNAL) <
			    0)
				break;
		fixture_turn();
		CHECK(worker.blocks.in_use <= 2);
	}
	end();
}

UNIT_TESTS(TEST(says_which_route_failed_and_where_it_was_written), TEST(says_what_names_are_known),
	   TEST(the_head_is_complete), TEST(an_answer_to_head_has_no_text),
	   TEST(hostile_names_do_not_get_into_the_head),
	   TEST(takes_back_a_response_that_was_not_sent_yet),
	   TEST(an_answer_goes_behind_interim_responses),
	   TEST(a_client_that_takes_no_answer_is_closed))
