#include "../unit.h"

#include "proxy/pipepool.h"

static struct loop loop;

static void start(struct pipepool *p)
{
	struct error e;

	CHECK(loop_init(&loop, &e));
	pipepool_init(p, &loop);
}

static void stop(struct pipepool *p)
{
	pipepool_fini(p);
	loop_fini(&loop);
}

static void one_that_nobody_holds_is_closed_soon(void)
{
	struct pipepool_pipe *pipe, *held;
	struct pipepool p;
	struct error e;

	start(&p);
	pipe = pipepool_get(&p);
	held = pipepool_get(&p);
	pipepool_put(&p, pipe, 0);
	for (int i = 0; i < 100 && pipe->fds[0] != -1; i++)
		CHECK(loop_turn(&loop, 100, &e));
	CHECK_INT(pipe->fds[0], -1);
	CHECK(held->fds[0] != -1);
	pipepool_put(&p, held, 0);
	stop(&p);
}

static void a_pipe_that_comes_back_empty_is_the_next_to_go_out(void)
{
	struct pipepool_pipe *pipe;
	struct pipepool p;
	char byte = 'x';
	int fd;

	start(&p);
	pipe = pipepool_get(&p);
	CHECK(pipe != NULL && pipe->size >= 65536);
	fd = pipe->fds[0];
	pipepool_put(&p, pipe, 0);
	CHECK(pipepool_get(&p) == pipe && pipe->fds[0] == fd);
	/* One with something in it would give it to the next. */
	CHECK(write(pipe->fds[1], &byte, 1) == 1);
	pipepool_put(&p, pipe, 1);
	CHECK_INT(pipe->fds[0], -1);
	CHECK(pipepool_get(&p) == pipe);
	CHECK(read(pipe->fds[0], &byte, 1) == -1);
	pipepool_put(&p, pipe, 0);
	pipepool_put(&p, NULL, 0);
	stop(&p);
	CHECK_INT(pipe->fds[0], -1);
}

static void there_are_only_so_many(void)
{
	struct pipepool_pipe *pipes[PIPEPOOL_MAX];
	struct pipepool p;

	start(&p);
	for (size_t i = 0; i < PIPEPOOL_MAX; i++) {
		pipes[i] = pipepool_get(&p);
		CHECK(pipes[i] != NULL);
	}
	CHECK(pipepool_get(&p) == NULL);
	for (size_t i = 0; i < PIPEPOOL_MAX; i++)
		pipepool_put(&p, pipes[i], 0);
	stop(&p);
}

UNIT_TESTS(TEST(one_that_nobody_holds_is_closed_soon),
	   TEST(a_pipe_that_comes_back_empty_is_the_next_to_go_out), TEST(there_are_only_so_many))
