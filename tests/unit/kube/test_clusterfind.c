#include "../unit.h"

#include "kube/clusterfind.h"

static struct clusterfind find;
static struct clusterinfo info;
static struct arena arena;
static struct diag diag;

static void begin(void)
{
	arena_init(&arena, 1 << 20);
	clusterinfo_init(&info, &arena);
	diag = (struct diag){.emit = NULL};
	clusterfind_init(&find, &info, &diag);
	clusterfind_begin(&find, "f");
}

static void end(void)
{
	clusterfind_fini(&find);
	clusterinfo_fini(&info);
	arena_fini(&arena);
}

static void give(const char *key, const char *text)
{
	clusterfind_key(&find, span_from_cstr(key));
	clusterfind_scalar(&find, span_from_cstr(text), true,
			   (struct clustervalue_pos){.line = 1, .col = 1});
}

static void takes_an_object_when_it_ends(void)
{
	begin();
	clusterfind_open(&find, true);
	give("podSubnet", "10.0.0.0/8, fd00::/64");
	CHECK_INT(info.count, 0);
	give("kind", "ClusterConfiguration");
	clusterfind_close(&find);
	CHECK_INT(info.count, 2);
	CHECK_INT(info.list[0].rank, CLUSTERKEYS_RANK_KUBEADM);
	end();
}

static void takes_what_is_not_known_for_nothing(void)
{
	static const char *const unknown[] = {"", "null", "<none>", "None", "-", "/14", " "};

	begin();
	clusterfind_open(&find, true);
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		give("podCidr", unknown[i]);
	clusterfind_close(&find);
	CHECK_INT(info.count, 0);
	CHECK_INT(diag.errors, 0);
	end();
}

static void leaves_out_what_is_inside_ignored_keys(void)
{
	begin();
	clusterfind_open(&find, true);
	clusterfind_key(&find, SPAN("masterAuthorizedNetworksConfig"));
	clusterfind_open(&find, true);
	give("podCidr", "10.0.0.0/8");
	clusterfind_close(&find);
	clusterfind_close(&find);
	CHECK_INT(info.count, 0);
	end();
}

static void refuses_all_addresses_unless_told(void)
{
	begin();
	clusterfind_line(&find, SPAN("podCidr: 0.0.0.0/0"), 1);
	CHECK_INT(diag.errors, 1);
	find.allows_any = true;
	clusterfind_line(&find, SPAN("podCidr: 0.0.0.0/0"), 1);
	CHECK_INT(diag.errors, 1);
	CHECK_INT(info.count, 1);
	end();
}

static void labels_say_what_columns_are(void)
{
	begin();
	find.labels[0] = CLUSTERKEYS_ROLES;
	find.labels[1] = CLUSTERKEYS_POD;
	find.labels[2] = CLUSTERKEYS_SERVICE;
	find.label_count = 3;
	clusterfind_line(&find, SPAN("c1\t10.0.0.0/16;fd00::/64\t10.1.0.0/16"), 1);
	clusterfind_line(&find, SPAN(""), 2);
	clusterfind_line(&find, SPAN("c2,,10.2.0.0/16\r"), 3);
	clusterfind_line(&find, SPAN("  c3  null 10.3.0.0/16 "), 4);
	CHECK_INT(diag.errors, 0);
	CHECK(clusterfind_finish(&find));
	CHECK_INT(info.count, 5);
	CHECK_INT(info.list[3].line, 3);
	CHECK_INT(info.list[3].col, 5);
	CHECK_INT(info.list[4].role, CLUSTERKEYS_SERVICE);
	clusterfind_line(&find, SPAN("c4"), 5);
	CHECK(!clusterfind_finish(&find));
	CHECK_INT(diag.errors, 1);
	end();
}

static void remembers_where_the_first_range_without_a_key_stands(void)
{
	begin();
	clusterfind_line(&find, SPAN("prose"), 1);
	clusterfind_line(&find, SPAN("10.0.0.7"), 2);
	CHECK(find.unlabelled_file == NULL);
	clusterfind_line(&find, SPAN("10.0.0.0/8 x"), 3);
	clusterfind_line(&find, SPAN("10.0.0.0/8"), 4);
	CHECK_TEXT(find.unlabelled_file, "f");
	CHECK_INT(find.unlabelled_at.line, 3);
	end();
}

UNIT_TESTS(TEST(takes_an_object_when_it_ends), TEST(takes_what_is_not_known_for_nothing),
	   TEST(leaves_out_what_is_inside_ignored_keys), TEST(refuses_all_addresses_unless_told),
	   TEST(labels_say_what_columns_are),
	   TEST(remembers_where_the_first_range_without_a_key_stands))
