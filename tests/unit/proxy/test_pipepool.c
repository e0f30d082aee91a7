#include "../unit.h"

#include "proxy/pipepool.h"

static void a_pipe_that_comes_back_empty_is_the_next_to_go_out(void)
{
	struct pipepool_pipe *pipe;
	struct pipepool p;
	char byte = 'x';
	int fd;

	pipepool_init(&p);
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
	pipepool_fini(&p);
	CHECK_INT(pipe->fds[0], -1);
}

static void there_are_only_so_many(void)
{
	struct pipepool_pipe *pipes[PIPEPOOL_MAX];
	struct pipepool p;

	pipepool_init(&p);
	for (size_t i = 0; i < PIPEPOOL_MAX; i++) {
		pipes[i] = pipepool_get(&p);
		CHECK(pipes[i] != NULL);
	}
	CHECK(pipepool_get(&p) == NULL);
	for (size_t i = 0; i < PIPEPOOL_MAX; i++)
		pipepool_put(&p, pipes[i], 0);
	pipepool_fini(&p);
}

UNIT_TESTS(TEST(a_pipe_that_comes_back_empty_is_the_next_to_go_out), TEST(there_are_only_so_many))
