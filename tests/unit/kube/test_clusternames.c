#include "../unit.h"

#include "kube/clusternames.h"

static struct arena arena;
static struct clusterinfo info;
static struct clusternames names;
static struct diag diag;
static char said[512];

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	(void)d;
	(void)level;
	strncat(said, text, sizeof said - strlen(said) - 1);
}

static void add(const char *name, const char *range, uint32_t line)
{
	CHECK(clusternames_add(&names, &arena, span_from_cstr(name), span_from_cstr(range), "f",
			       (struct clustervalue_pos){.line = line, .col = 1}));
}

static void joins_names_with_what_they_are(void)
{
	arena_init(&arena, 1 << 16);
	clusterinfo_init(&info, &arena);
	diag.emit = emit;
	CHECK(clusternames_finish(&names, &info, false, &diag));
	add("a", "", 1);
	add("b", "10.9.0.0/16", 2);
	add("a", "10.8.0.0/16", 3);
	CHECK(clusternames_finish(&names, &info, false, &diag));
	CHECK_INT(info.count, 1);
	CHECK_INT(info.list[0].line, 3);
	add("c", "", 4);
	CHECK(!clusternames_finish(&names, &info, false, &diag));
	CHECK(strncmp(said, "f:4:1: the pods' range \"c\" is named", 35) == 0);
	CHECK_INT(diag.errors, 0);
	clusterinfo_fini(&info);
	arena_fini(&arena);
}

UNIT_TESTS(TEST(joins_names_with_what_they_are))
