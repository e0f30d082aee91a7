#include "../unit.h"

#include "base/alloc.h"
#include "kube/clusterread.h"

/* Both files are one machine: what is fed, and what is found of it. */

struct outcome {
	char found[1024], complaints[1024];
	bool ok;
	struct error e;
};

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	struct outcome *o = d->context;

	(void)level;
	strncat(o->complaints, text, sizeof o->complaints - strlen(o->complaints) - 1);
}

static struct outcome outcome;

static void read_all(struct span text, size_t step)
{
	static struct clusterfind find;
	struct diag diag = {.emit = emit, .context = &outcome};
	struct clusterinfo info;
	struct clusterread r;
	struct arena arena;
	struct buf b;

	memset(&outcome, 0, sizeof outcome);
	arena_init(&arena, 1 << 20);
	clusterinfo_init(&info, &arena);
	clusterfind_init(&find, &info, &diag);
	clusterread_begin(&r, &find, "f");
	outcome.ok = true;
	for (size_t at = 0; outcome.ok && at < text.len; at += step)
		outcome.ok = clusterread_feed(&r, span_first(span_from(text, at), step),
					      &outcome.e);
	outcome.ok = outcome.ok && clusterread_end(&r, &outcome.e);
	clusterread_fini(&r);
	clusterfind_finish(&find);
	BUF_INIT_ARRAY(&b, outcome.found);
	for (size_t i = 0; i < info.count; i++) {
		const struct clusterinfo_range *one = &info.list[i];

		buf_printf(&b, "%u:%u %s ", one->line, one->col, clusterkeys_roles[one->role]);
		range_format(&one->range, &b);
		buf_add_byte(&b, ' ');
	}
	clusterfind_fini(&find);
	clusterinfo_fini(&info);
	arena_fini(&arena);
}

static void tells_formats_apart(void)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
		{"", ""},
		{"{\"podCidr\": \"10.0.0.0/8\"}", "1:13 pod 10.0.0.0/8 "},
		{"\xef\xbb\xbf[{\"podCidr\":\n\"10.0.0.0/8\"}]", "2:1 pod 10.0.0.0/8 "},
		{"{podCidr: 10.0.0.0/8}", "1:11 pod 10.0.0.0/8 "},
		{"podCidr: 10.0.0.0/8\n", "1:10 pod 10.0.0.0/8 "},
		{"---\na: 1\n---\npodCidr: 10.0.0.0/8\n", "4:10 pod 10.0.0.0/8 "},
		{"podCidr: 10.0.0.0/8\n  serviceCidr: 10.1.0.0/16\n",
		 "1:10 pod 10.0.0.0/8 2:16 service 10.1.0.0/16 "},
		{"[INFO] podCidr 10.0.0.0/8\n", "1:16 pod 10.0.0.0/8 "},
		{"{\"a\":1}\n{\"podCidr\":\"10.0.0.0/8\"}", "2:12 pod 10.0.0.0/8 "},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span text = span_from_cstr(cases[i].text);

		read_all(text, text.len + 1);
		CHECK_ROW(cases[i].text, outcome.ok);
		CHECK_TEXT(outcome.complaints, "");
		CHECK_TEXT(outcome.found, cases[i].found);
	}
}

static void json_comes_in_any_pieces(void)
{
	struct span text = SPAN(
		"{\"kind\":\"NodeList\",\"items\":[],\"serviceCidr\":\"10.1.0.0/16\"}");

	for (size_t step = 1; step < text.len; step++) {
		read_all(text, step);
		CHECK(outcome.ok);
		CHECK_TEXT(outcome.found, "1:45 service 10.1.0.0/16 ");
	}
}

static void a_kind_may_come_behind_what_it_decides(void)
{
	struct span text = SPAN(
		"{\"spec\":{\"cidrs\":[\"10.96.0.0/16\"]},\"kind\":\"ServiceCIDR\"}");

	read_all(text, 7);
	CHECK_TEXT(outcome.found, "1:19 service 10.96.0.0/16 ");
	read_all(SPAN("{\"spec\":{\"cidrs\":[\"10.96.0.0/16\"]},\"kind\":\"Other\"}"), 7);
	CHECK_TEXT(outcome.found, "");
}

static void complains_with_the_place(void)
{
	read_all(SPAN("{\"podCidr\": \"10.0.0.0/33\"}"), 5);
	CHECK(strstr(outcome.complaints, "f:1:13: podCidr: \"10.0.0.0/33\"") != NULL);
	read_all(SPAN("{\"podCidr\": \"10.0.0.0/8\",}"), 100);
	CHECK(!outcome.ok);
	CHECK_TEXT(outcome.e.text, "f:1:26: expected a key in double quotes");
}

/* The file's own place where the text's lines are its lines, else that of the text. */
static void knows_where_a_text_stands(void)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{"data:\n  x: |\n\n    a: 1\n    podSubnet: x\n", "f:5:16: data.x.podSubnet: "},
		{"data:\n  x: |-\n    podSubnet: x\n    a: b\n", "f:3:16: data.x.podSubnet: "},
		{"data:\n  x: >\n    {podSubnet: x,\n\n    a: b}\n",
		 "f:2:6: data.x.podSubnet (1:13 of the text): "},
		{"data:\n  x: \"podSubnet: x\\na: b\"\n",
		 "f:2:6: data.x.podSubnet (1:12 of the text): "},
		{"data:\n  x: |\n    data:\n      y: |\n        a: b\n        podSubnet: x\n",
		 "f:6:20: data.x.data.y.podSubnet: "},
		{"{\"data\": {\"x\": \"a: b\\npodSubnet: x\"}}",
		 "f:1:16: data.x.podSubnet (2:12 of the text): "},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span text = span_from_cstr(cases[i].text);

		read_all(text, text.len);
		CHECK_TEXT(outcome.complaints[0] != '\0' ? "" : cases[i].text, "");
		outcome.complaints[strlen(cases[i].complaint)] = '\0';
		CHECK_TEXT(outcome.complaints, cases[i].complaint);
	}
}

static void passes_over_what_is_too_deep(void)
{
	char text[1000];
	size_t len = 0;

	for (int i = 0; i < 150; i++)
		text[len++] = '[';
	for (int i = 0; i < 150; i++)
		text[len++] = ']';
	read_all(span_of(text, len), 64);
	CHECK(outcome.ok);
	CHECK_TEXT(outcome.found, "");
}

static void survives_without_memory(void)
{
	struct span text = SPAN("kind: ConfigMap\ndata:\n  x: |\n    podSubnet: 10.0.0.0/8\n"
				"    a: b\nserviceCidr: 10.0.0.0/8\n");

	for (int n = 0; n < 60; n++) {
		alloc_fail_after(n);
		read_all(text, 16);
		alloc_fail_after(-1);
	}
}

UNIT_TESTS(TEST(tells_formats_apart), TEST(json_comes_in_any_pieces),
	   TEST(a_kind_may_come_behind_what_it_decides), TEST(complains_with_the_place),
	   TEST(knows_where_a_text_stands), TEST(passes_over_what_is_too_deep),
	   TEST(survives_without_memory))
