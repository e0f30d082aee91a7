#include "../unit.h"

#include "kube/imagename.h"

static void chooses_the_image_or_hub_and_tag(void)
{
	static const struct {
		struct imagename_choice choice;
		const char *name; /* NULL: is none */
	} rows[] = {
		{{NULL, "", "1.2"}, "egressbox:1.2"},
		{{NULL, "registry:5000/team", "1.2"}, "registry:5000/team/egressbox:1.2"},
		{{"a/b@sha256:00ff", "hub", "1.2"}, "a/b@sha256:00ff"},
		{{"[fd00::1]:5000/a_b-c", "", "1"}, "[fd00::1]:5000/a_b-c"},
		{{"", "hub", "1.2"}, NULL},
		{{"a b", "", "1"}, NULL},
		{{"a\"b", "", "1"}, NULL},
		{{"a\\b", "", "1"}, NULL},
		{{"a\n", "", "1"}, NULL},
		{{NULL, "h b", "1"}, NULL},
		{{NULL, "", "1$N"}, NULL},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span name = SPAN("");
		struct arena arena;
		struct error e;
		bool ok;

		arena_init(&arena, 4096);
		ok = imagename_choose(&rows[i].choice, &arena, &name, &e);
		CHECK(ok == (rows[i].name != NULL));
		if (ok)
			CHECK_TEXT(name.ptr, rows[i].name);
		else
			CHECK(strstr(e.text, " is no name of an image") != NULL);
		arena_fini(&arena);
	}
}

static void refuses_a_name_that_is_cut(void)
{
	struct imagename_choice choice = {NULL, "", "1"};
	char image[700];
	struct arena arena;
	struct span name;
	struct error e;

	memset(image, 'a', sizeof image - 1);
	image[sizeof image - 1] = '\0';
	choice.image = image;
	arena_init(&arena, 4096);
	CHECK(!imagename_choose(&choice, &arena, &name, &e));
	arena_fini(&arena);
}

UNIT_TESTS(TEST(chooses_the_image_or_hub_and_tag), TEST(refuses_a_name_that_is_cut))
