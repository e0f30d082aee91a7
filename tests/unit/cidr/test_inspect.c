#include "../unit.h"

#include "cidr/inspect.h"

static void gathers_lists_and_files(void)
{
	char path[] = "/tmp/egressbox-test-XXXXXX", storage[2048];
	struct diag diag = {.emit = NULL};
	int fd = mkstemp(path);
	struct inspect in;
	struct arena arena;
	struct error e = {""};
	struct buf out;

	CHECK(fd >= 0 && write(fd, "podCidr: 10.4.0.0/14\nserviceCidr: 10.8.0.0/20\n", 47) == 47);
	close(fd);
	arena_init(&arena, 1 << 20);
	BUF_INIT_ARRAY(&out, storage);
	inspect_init(&in, &arena, &diag, &out);
	CHECK(inspect_servers(&in, "/nonexistent", &e));
	CHECK(inspect_operand(&in, path, &e));
	CHECK(inspect_operand(&in, "10.20.0.1/16", &e));
	CHECK_INT(in.count, 2);
	CHECK(in.clusters[0].has_roles && !in.clusters[1].has_roles);
	CHECK_INT(inspect_run(&in, &e), VERB_NO);
	CHECK(strstr(storage, "problem: 10.20.0.1/16: 10.20.0.0/16 is written with bits "
			      "behind its length\n") != NULL);
	CHECK(inspect_against(&in, "10.0.0.0/8", &e));
	CHECK(!inspect_against(&in, "10.0.0.0/33", &e));
	CHECK(!inspect_operand(&in, "10.0.0.0/33", &e));
	unlink(path);
	inspect_fini(&in);
	arena_fini(&arena);
}

UNIT_TESTS(TEST(gathers_lists_and_files))
