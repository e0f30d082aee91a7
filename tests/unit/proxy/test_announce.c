#include "../route/tables.h"

#include "proxy/announce.h"
#include "sys/fd.h"

static const char *const rows[] = {"web.default up.example 80:http", NULL};

static struct control_listen listens[2] = {
	{.at = {.family = 4, .port = 80, .bytes = {127, 0, 0, 1}}},
	{.at = {.family = 6, .port = 15001}, .transparent = true},
};

/* What is written to a descriptor that ends up at `fd`. */
static const char *told(int end)
{
	static char text[1024];
	ssize_t n = read(end, text, sizeof text - 1);

	CHECK(n >= 0);
	text[n] = 0;
	return text;
}

static void a_line_for_each_listener_and_then_the_end(void)
{
	struct addr admin = {.family = 4, .port = 15000, .bytes = {127, 0, 0, 1}}, none = {0};
	int ends[2];

	announce_to_fd(-1, listens, 2, &admin);
	CHECK(pipe(ends) == 0);
	announce_to_fd(ends[1], listens, 2, &admin);
	CHECK_TEXT(told(ends[0]), "listener 127.0.0.1:80\ntransparent [::]:15001\n"
				  "admin 127.0.0.1:15000\n");
	CHECK_TEXT(told(ends[0]), "");
	fd_close(&ends[0]);
	CHECK(pipe(ends) == 0);
	announce_to_fd(ends[1], listens, 1, &none);
	CHECK_TEXT(told(ends[0]), "listener 127.0.0.1:80\n");
	fd_close(&ends[0]);
}

static void the_log_has_it_too(void)
{
	struct generation *generation = view_generation_new(tables_new(rows));
	struct endpoints *unknown = view_endpoints_new(RESOLVER_PENDING, NULL, 0);
	struct view *view = view_new(generation, &unknown);
	struct addr none = {0};
	int ends[2], saved = dup(STDERR_FILENO);
	const char *line;

	CHECK(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
	fd_close(&ends[1]);
	announce_in_log(view, 2, 1, listens, 2, &none);
	CHECK(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
	fd_close(&saved);
	line = strstr(told(ends[0]), " info serving ");
	CHECK(line != NULL);
	CHECK_TEXT(line, " info serving listen=127.0.0.1:80 transparent=\"[::]:15001\" workers=2 "
			 "routes=1 names=1\n");
	fd_close(&ends[0]);
	view_unref(view);
	view_endpoints_unref(unknown);
	view_generation_unref(generation);
}

UNIT_TESTS(TEST(a_line_for_each_listener_and_then_the_end), TEST(the_log_has_it_too))
