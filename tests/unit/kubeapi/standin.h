/*
 * standin: tests/e2e/apiserver.py as a child process, which stands in for an API server, and
 * clients for it. Started once per test program; a test is skipped where it does not run.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/buf.h"
#include "kubeapi/client.h"
#include "sys/file.h"

#define STANDIN_NAMES_MAX 32
#define STANDIN_WAIT_MS 40000

static struct {
	bool is_ready;
	char dir[128];
	struct {
		char name[32];
		unsigned port;
	} servers[STANDIN_NAMES_MAX];
	size_t count;
} standin;

__attribute__((unused)) static void standin_run(int in, int out)
{
	/* It ends with its standard input as well, but a test may have been killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	dup2(open("/dev/null", O_WRONLY), 2);
	execlp("python3", "python3", "tests/e2e/apiserver.py", (char *)NULL);
	_exit(127);
}

__attribute__((unused)) static void standin_read(FILE *from)
{
	char name[32], value[128];

	while (fscanf(from, "%31s %127s", name, value) == 2 && strcmp(name, "ready") != 0) {
		if (strcmp(name, "dir") == 0) {
			memcpy(standin.dir, value, sizeof value);
			continue;
		}
		CHECK(standin.count < STANDIN_NAMES_MAX);
		memcpy(standin.servers[standin.count].name, name, sizeof name);
		standin.servers[standin.count++].port = (unsigned)strtoul(value, NULL, 10);
	}
	standin.is_ready = strcmp(name, "ready") == 0 && standin.count > 0;
}

/* The first call starts it; the pipe to its standard input stays open until this program ends. */
__attribute__((unused)) static void standin_start(void)
{
	static bool was_tried;
	int in[2], out[2];
	pid_t child;
	FILE *from;

	if (!was_tried) {
		was_tried = true;
		CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
		child = fork();
		CHECK(child >= 0);
		if (child == 0)
			standin_run(in[0], out[1]);
		close(in[0]);
		close(out[1]);
		from = fdopen(out[0], "r");
		CHECK(from != NULL);
		standin_read(from);
	}
	if (!standin.is_ready)
		unit_skip("tests/e2e/apiserver.py does not run: no python3 or openssl?");
}

__attribute__((unused)) static unsigned standin_port(const char *name)
{
	standin_start();
	for (size_t i = 0; i < standin.count; i++)
		if (strcmp(standin.servers[i].name, name) == 0)
			return standin.servers[i].port;
	unit_fail(__FILE__, __LINE__, "no server %s", name);
}

/* A file of the stand-in's folder. */
__attribute__((unused)) static const char *standin_path(const char *file)
{
	static char paths[4][192];
	static unsigned next;
	char *path = paths[next++ % 4];

	standin_start();
	snprintf(path, sizeof paths[0], "%s/%s", standin.dir, file);
	return path;
}

__attribute__((unused)) static struct anchors *standin_anchors(void)
{
	struct anchors *a;
	struct arena arena;
	struct span text;
	struct error e;

	arena_init(&arena, 1 << 20);
	CHECK(file_read(&arena, standin_path("ca.pem"), 1 << 16, &text, &e));
	a = anchors_from_pem(text, &e);
	CHECK(a != NULL);
	arena_fini(&arena);
	return a;
}

/* What the server said, and a client for it. Timeouts are short where they are the test. */
struct talk {
	struct client_config config;
	struct client *client;
	struct client_sink sink;
	struct client_answer answer;
	char url[128];
	char said[1 << 16];
	size_t said_len;
	size_t pieces, pieces_wanted;
};

__attribute__((unused)) static bool talk_keep(void *context, struct span piece)
{
	struct talk *t = context;
	size_t room = sizeof t->said - 1 - t->said_len;
	size_t len = piece.len < room ? piece.len : room;

	memcpy(t->said + t->said_len, piece.ptr, len);
	t->said_len += len;
	t->said[t->said_len] = '\0';
	return ++t->pieces < t->pieces_wanted;
}

/* `url` with %u for the port of server `name`. Change the config before the first request. */
__attribute__((unused, format(printf, 2, 0))) static struct talk *talk_new(const char *name,
									   const char *url)
{
	struct talk *t = calloc(1, sizeof *t);

	CHECK(t != NULL);
	snprintf(t->url, sizeof t->url, url, standin_port(name));
	t->config = (struct client_config){
		.server = span_from_cstr(t->url),
		.anchors = standin_anchors(),
		.retry_min_ms = 1,
	};
	t->sink = (struct client_sink){
		.on_piece = talk_keep, .context = t, .max_bytes = sizeof t->said - 1};
	t->pieces_wanted = SIZE_MAX;
	return t;
}

__attribute__((unused)) static void talk_free(struct talk *t)
{
	client_free(t->client);
	anchors_free((struct anchors *)(uintptr_t)t->config.anchors);
	free(t);
}

__attribute__((unused)) static bool talk_get(struct talk *t, const char *path)
{
	struct error e;

	if (t->client == NULL)
		t->client = client_new(&t->config, &e);
	if (t->client == NULL)
		unit_fail(__FILE__, __LINE__, "%s: %s", t->url, e.text);
	t->said_len = t->pieces = 0;
	t->said[0] = '\0';
	return client_get(t->client, path, &t->sink, &t->answer);
}

/* GETs and checks how it ends; the text must hold `part`. */
__attribute__((unused)) static void talk_expect(struct talk *t, const char *path,
						enum client_reason reason, const char *part)
{
	bool ok = talk_get(t, path);

	if (t->answer.reason != reason)
		unit_fail(__FILE__, __LINE__, "%s%s is %s (%s), expected %s", t->url, path,
			  client_reason_name(t->answer.reason), t->answer.error.text,
			  client_reason_name(reason));
	CHECK_ROW(path, ok == (reason == CLIENT_OK));
	if (strstr(t->answer.error.text, part) == NULL)
		unit_fail(__FILE__, __LINE__, "%s%s says '%s' without '%s'", t->url, path,
			  t->answer.error.text, part);
}

#endif
