#include "../unit.h"

#include "kube/clusterpreset.h"

static void every_preset_of_the_list_can_be_added(void)
{
	char storage[4096];
	struct span rest, line;
	struct buf list;
	size_t count = 0;

	BUF_INIT_ARRAY(&list, storage);
	clusterpreset_list(&list);
	rest = buf_span(&list);
	CHECK(span_split(&rest, '\n', &line));
	while (span_split(&rest, '\n', &line) && line.len > 0) {
		struct diag diag = {.emit = NULL};
		struct clusterinfo info;
		struct arena arena;
		bool is_complete = false;
		struct error e;
		char name[32] = "";

		memcpy(name, line.ptr, span_find(line, ' '));
		arena_init(&arena, 1 << 16);
		clusterinfo_init(&info, &arena);
		CHECK_ROW(name, clusterpreset_add(name, &info, &diag, &is_complete, &e));
		CHECK_ROW(name, clusterinfo_has(&info, CLUSTERKEYS_SERVICE));
		CHECK_INT(info.list[0].confidence, CLUSTERKEYS_ASSUMED);
		clusterinfo_fini(&info);
		arena_fini(&arena);
		count++;
	}
	CHECK(count > 15);
}

static void says_what_to_do_about_the_others(void)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{"gke", "--provider gke: its ranges are not fixed; run gcloud"},
		{"k3ss", "--provider: \"k3ss\" is not known: did you mean k3s?"},
		{"something", "--provider: \"something\" is not known (--provider list"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool is_complete;
		struct error e;

		CHECK(!clusterpreset_add(cases[i].name, NULL, NULL, &is_complete, &e));
		CHECK_ROW(e.text, strncmp(e.text, cases[i].text, strlen(cases[i].text)) == 0);
	}
}

UNIT_TESTS(TEST(every_preset_of_the_list_can_be_added), TEST(says_what_to_do_about_the_others))
