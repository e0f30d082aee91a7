#include "pod.h"

#include "base/alloc.h"
#include "inject/removal.h"

#define STATUS(more) "{\"version\":\"1\",\"hash\":\"2\"" more "}"
#define POD(metadata, spec) "kind: Pod\nmetadata:" metadata "spec:" spec

struct row {
	const char *text, *status, *expected;
};

static void remove_from(const char *text, const char *status_text, struct buf *out)
{
	struct textedits edits;
	struct status status;
	struct arena arena;
	struct yedit e;
	struct pod p;

	pod_open(&p, span_from_cstr(text));
	CHECK_ROW(status_text, status_read(&status, span_from_cstr(status_text)));
	CHECK_ROW(text, !removal_is_shared(&p.w, &status));
	arena_init(&arena, 1 << 20);
	textedit_init(&edits);
	yedit_init(&e, &edits, &arena);
	yedit_begin(&e, p.document.text, p.w.template, p.w.spec);
	CHECK(removal_add(&e, &p.w, &status));
	status_fini(&status);
	textedit_sort(&edits);
	textedit_apply(&edits, p.document.text, out);
	textedit_fini(&edits);
	arena_fini(&arena);
	pod_close(&p);
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char storage[1000];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		remove_from(rows[i].text, rows[i].status, &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  storage, rows[i].expected);
	}
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])

static void takes_out_what_the_status_names(void)
{
	static const struct row rows[] = {
		{POD("\n  annotations:\n    a: b\n    egressbox.io/status: x\n    k: v\n  labels: "
		     "{l: m, n: "
		     "o}\n",
		     "\n  initContainers:\n  - name: i\n  - name: mine\n  - name: j\n  "
		     "containers:\n"
		     "  - name: a\n  - name: c\n"),
		 STATUS(",\"initContainers\":[\"i\",\"j\"],\"containers\":[\"c\"],"
			"\"annotations\":[\"k\"],\"labels\":[\"l\"]"),
		 POD("\n  annotations:\n    a: b\n  labels: {n: o}\n",
		     "\n  initContainers:\n  - name: mine\n  containers:\n  - name: a\n")},
		/* Those side by side with what is between them. */
		{POD(" {annotations: {egressbox.io/status: x, a: b}}\n",
		     "\n  containers:\n  - name: a\n  - name: c\n  # of ours\n  - name: d\n  # of "
		     "a\n"),
		 STATUS(",\"containers\":[\"c\",\"d\"]"),
		 POD(" {annotations: {a: b}}\n", "\n  containers:\n  - name: a\n  # of a\n")},
		/* What is not there any more is no matter. */
		{POD(" {annotations: {egressbox.io/status: x, a: b}}\n",
		     " {containers: [{name: a}], volumes: ~}\n"),
		 STATUS(",\"containers\":[\"c\"],\"volumes\":[\"v\"],\"labels\":[\"l\"],"
			"\"initContainers\":[\"i\"]"),
		 POD(" {annotations: {a: b}}\n", " {containers: [{name: a}], volumes: ~}\n")},
	};

	CHECK_ROWS(rows);
}

static void takes_out_the_keys_that_were_made_if_nothing_else_is_there(void)
{
	static const struct row rows[] = {
		{POD(" {annotations: {egressbox.io/status: x}}\n",
		     "\n  initContainers:\n  - name: i\n  volumes:\n  - name: v\n  containers:\n"
		     "  - name: a\n"),
		 STATUS(",\"initContainers\":[\"i\"],\"volumes\":[\"v\"],"
			"\"created\":[\"initContainers\",\"volumes\",\"annotations\","
			"\"metadata\"]"),
		 "kind: Pod\nspec:\n  containers:\n  - name: a\n"},
		{POD("\n  annotations:\n    egressbox.io/status: x\n  labels: {l: m}\n  name: n\n",
		     " {initContainers: [{name: i}], containers: [{name: a}]}\n"),
		 STATUS(",\"initContainers\":[\"i\"],\"labels\":[\"l\"],"
			"\"created\":[\"initContainers\",\"annotations\",\"labels\"]"),
		 POD("\n  name: n\n", " {containers: [{name: a}]}\n")},
		/* Something else is there now. */
		{POD("\n  annotations:\n    egressbox.io/status: x\n    mine: y\n",
		     "\n  initContainers:\n  - name: i\n  - name: mine\n  containers:\n  - name: "
		     "a\n"),
		 STATUS(",\"initContainers\":[\"i\"],"
			"\"created\":[\"initContainers\",\"annotations\",\"metadata\"]"),
		 POD("\n  annotations:\n    mine: y\n",
		     "\n  initContainers:\n  - name: mine\n  containers:\n  - name: a\n")},
		{POD("\n  annotations:\n    egressbox.io/status: x\n  name: mine\n",
		     " {containers: [{name: a}]}\n"),
		 STATUS(",\"created\":[\"annotations\",\"metadata\"]"),
		 POD("\n  name: mine\n", " {containers: [{name: a}]}\n")},
		/* They were there, with nothing in them. */
		{POD("\n  annotations:\n    egressbox.io/status: x\n",
		     "\n  initContainers:\n  - name: i\n  volumes: [{name: v}]\n  containers:\n"
		     "  - name: a\n"),
		 STATUS(",\"initContainers\":[\"i\"],\"volumes\":[\"v\"]"),
		 POD("\n  annotations:\n", "\n  initContainers:\n  volumes: []\n  containers:\n"
					   "  - name: a\n")},
	};

	CHECK_ROWS(rows);
}

static void puts_back_the_words_for_null(void)
{
	static const struct row rows[] = {
		{POD(" {annotations: {egressbox.io/status: x}}\n",
		     " {initContainers: [{name: i}], containers: [{name: a}]}\n"),
		 STATUS(",\"initContainers\":[\"i\"],\"created\":[\"annotations\"],"
			"\"replaced\":{\"initContainers\":\"null\",\"metadata\":\"~\"}"),
		 POD(" ~\n", " {initContainers: null, containers: [{name: a}]}\n")},
		{POD(" {annotations: {egressbox.io/status: x}, labels: {l: m}}\n",
		     " {containers: [{name: a}]}\n"),
		 STATUS(",\"labels\":[\"l\"],\"replaced\":{\"annotations\":\"Null\",\"labels\":\"~"
			"\"}"),
		 POD(" {annotations: Null, labels: ~}\n", " {containers: [{name: a}]}\n")},
		/* Not where there is something else now. */
		{POD(" {annotations: {egressbox.io/status: x, mine: y}}\n",
		     " {containers: [{name: a}]}\n"),
		 STATUS(",\"replaced\":{\"annotations\":\"~\",\"metadata\":\"~\"}"),
		 POD(" {annotations: {mine: y}}\n", " {containers: [{name: a}]}\n")},
	};

	CHECK_ROWS(rows);
}

static void knows_what_must_be_written_out_first(void)
{
	static const struct {
		const char *text;
		bool is_shared;
	} rows[] = {
		{POD(" {annotations: {egressbox.io/status: x}}\n",
		     " {initContainers: [{name: i}], containers: [{name: a}]}\n"),
		 false},
		{POD(" {annotations: &a {egressbox.io/status: x}}\nz: *a\n",
		     " {containers: [{name: a}]}\n"),
		 true},
		{"z: &a {egressbox.io/status: x}\n" POD(" {annotations: *a}\n",
							" {containers: [{name: a}]}\n"),
		 true},
		{"z: &k annotations\n" POD(" {*k : {egressbox.io/status: x}}\n",
					   " {containers: [{name: a}]}\n"),
		 true},
		{POD(" &a {annotations: {egressbox.io/status: x}}\nz: *a\n",
		     " {containers: [{name: a}]}\n"),
		 true},
		{POD(" {annotations: {egressbox.io/status: x}}\n",
		     " {initContainers: &a [{name: i}], containers: [{name: a}], z: *a}\n"),
		 true},
		{POD(" {annotations: {egressbox.io/status: x}}\n",
		     " {<<: {initContainers: [{name: i}]}, containers: [{name: a}]}\n"),
		 true},
		{"kind: Pod\n<<: {metadata: {annotations: {egressbox.io/status: x}}}\n"
		 "spec: {containers: [{name: a}]}\n",
		 true},
		{POD(" {annotations: {<<: {egressbox.io/status: x}}}\n",
		     " {containers: [{name: a}]}\n"),
		 true},
		{POD(" {<<: {annotations: {egressbox.io/status: x}}}\n",
		     " {containers: [{name: a}]}\n"),
		 true},
		/* What nothing is taken from may be shared. */
		{POD(" {labels: &l {a: b}, annotations: {egressbox.io/status: x}}\nz: *l\n",
		     " {containers: &c [{name: a}], volumes: &v [], y: [*c , *v ]}\n"),
		 false},
		{POD(" {annotations: {egressbox.io/status: x, <<: {a: b}}}\n",
		     " {initContainers: [&i {name: i}, *i ], containers: [{name: a}]}\n"),
		 false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct status status;
		struct pod p;

		pod_open(&p, span_from_cstr(rows[i].text));
		CHECK(status_read(&status, SPAN(STATUS(",\"initContainers\":[\"i\"]"))));
		CHECK_ROW(rows[i].text, removal_is_shared(&p.w, &status) == rows[i].is_shared);
		status_fini(&status);
		pod_close(&p);
	}
}

static void knows_whether_all_of_it_is_there(void)
{
	static const struct {
		const char *text, *status;
		bool is_complete;
	} rows[] = {
		{POD(" {labels: {l: m}}\n",
		     " {initContainers: [{name: i}], containers: [{name: a}]}\n"),
		 STATUS(",\"initContainers\":[\"i\"],\"labels\":[\"l\"]"), true},
		{POD(" {}\n", " {containers: [{name: a}]}\n"), STATUS(""), true},
		{POD(" {}\n", " {containers: [{name: a}]}\n"),
		 STATUS(",\"initContainers\":[\"i\"]"), false},
		{POD(" {}\n", " {initContainers: [], containers: [{name: a}]}\n"),
		 STATUS(",\"initContainers\":[\"i\"]"), false},
		{POD(" {}\n", " {initContainers: ~, containers: [{name: a}]}\n"),
		 STATUS(",\"initContainers\":[\"i\"]"), false},
		{POD(" {}\n", " {initContainers: [{name: j}], containers: [{name: a}]}\n"),
		 STATUS(",\"initContainers\":[\"i\"]"), false},
		{POD(" {labels: {}}\n", " {containers: [{name: a}]}\n"),
		 STATUS(",\"labels\":[\"l\"]"), false},
		{POD(" {}\n", " {containers: [{name: a}]}\n"), STATUS(",\"containers\":[[]]"),
		 false},
		{POD(" {}\n", " {containers: [{name: a}]}\n"), STATUS(",\"containers\":\"a\""),
		 true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct status status;
		struct pod p;

		pod_open(&p, span_from_cstr(rows[i].text));
		CHECK(status_read(&status, span_from_cstr(rows[i].status)));
		CHECK_ROW(rows[i].text, removal_is_complete(&p.w, &status) == rows[i].is_complete);
		status_fini(&status);
		pod_close(&p);
	}
}

static void says_when_memory_is_out(void)
{
	bool is_done = false;

	for (int64_t n = 0; !is_done; n++) {
		struct textedits edits;
		struct status status;
		struct arena arena;
		struct yedit e;
		struct pod p;

		CHECK(n < 100);
		pod_open(&p, SPAN(POD(" {annotations: {egressbox.io/status: x}}\n",
				      " {containers: [{name: a}]}\n")));
		CHECK(status_read(&status, SPAN(STATUS(",\"replaced\":{\"metadata\":\"~\"},"
						       "\"created\":[\"annotations\"]"))));
		arena_init(&arena, 1 << 20);
		textedit_init(&edits);
		yedit_init(&e, &edits, &arena);
		yedit_begin(&e, p.document.text, p.w.template, p.w.spec);
		alloc_fail_after(n);
		is_done = removal_add(&e, &p.w, &status);
		alloc_fail_after(-1);
		CHECK(n > 0 || !is_done);
		status_fini(&status);
		textedit_fini(&edits);
		arena_fini(&arena);
		pod_close(&p);
	}
}

UNIT_TESTS(TEST(takes_out_what_the_status_names),
	   TEST(takes_out_the_keys_that_were_made_if_nothing_else_is_there),
	   TEST(puts_back_the_words_for_null), TEST(knows_what_must_be_written_out_first),
	   TEST(knows_whether_all_of_it_is_there), TEST(says_when_memory_is_out))
