#include "../unit.h"

#include "cidr/discover.h"

static struct discover d;

/* The answer to what is in a file with this text. */
static enum verb_answer ask(const char *text, bool allows_partial, bool is_aggregated, char *out,
			    struct error *e)
{
	struct discover_demand demand = {
		.choice = {.min_confidence = CLUSTERKEYS_ASSUMED, .roles = {true, true}},
		.allows_partial = allows_partial,
		.is_aggregated = is_aggregated,
		.format = RANGEWRITER_COMMA};
	char path[] = "/tmp/egressbox-test-XXXXXX";
	struct diag diag = {.emit = NULL};
	int fd = mkstemp(path);
	enum verb_answer answer;
	struct arena arena;
	struct buf b;

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	arena_init(&arena, 1 << 20);
	discover_init(&d, &arena, &diag);
	CHECK(discover_file(&d, path, e));
	unlink(path);
	buf_init(&b, out, 256);
	answer = discover_answer(&d, &demand, &b, e);
	discover_fini(&d);
	arena_fini(&arena);
	return answer;
}

static void answers_when_both_roles_are_there(void)
{
	char out[256];
	struct error e;

	CHECK_INT(ask("podCidr: 10.4.0.0/14\nserviceCidr: 10.7.240.0/20\n", false, false, out, &e),
		  VERB_DONE);
	CHECK_TEXT(out, "10.4.0.0/14,10.7.240.0/20\n");
	CHECK_INT(ask("podCidr: 10.4.0.0/14\nserviceCidr: 10.7.240.0/20\n", false, true, out, &e),
		  VERB_DONE);
	CHECK_TEXT(out, "10.4.0.0/14\n");
	CHECK_INT(ask("podCidr: 10.4.0.0/14\n", false, false, out, &e), VERB_NO);
	CHECK_TEXT(out, "");
	CHECK(strstr(e.text, "no service range found in ") != NULL);
	CHECK_INT(ask("podCidr: 10.4.0.0/14\n", true, false, out, &e), VERB_DONE);
	CHECK_TEXT(out, "10.4.0.0/14\n");
	CHECK_INT(ask("podCidr: 10.4.0.0/33\n", true, false, out, &e), VERB_REFUSED);
	CHECK_TEXT(out, "");
}

UNIT_TESTS(TEST(answers_when_both_roles_are_there))
