#include "pod.h"

#include "inject/status.h"

static void names_the_keys_that_may_be_missing(void)
{
	static const char *const names[STATUS_KEY_COUNT] = {
		"initContainers", "containers", "volumes", "annotations", "labels", "metadata"};

	for (unsigned key = 0; key < STATUS_KEY_COUNT; key++)
		CHECK_TEXT(status_key_name(key), names[key]);
}

static void the_hash_has_sixteen_digits(void)
{
	char storage[STATUS_HASH_MAX];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	status_format_hash(0x6c62272e07bb0142, &out);
	CHECK_TEXT(storage, "6c62272e07bb0142");
	buf_clear(&out);
	status_format_hash(1, &out);
	CHECK_TEXT(storage, "0000000000000001");
	CHECK(!out.truncated);
}

/* As JSON, with the sections of a template. */
static void format(const struct status *s, const char *template_text, struct buf *out)
{
	struct template_instance instance = {.hash = 0};
	struct template t;

	pod_template(&t, template_text);
	for (int i = 0; i < TEMPLATE_SECTION_COUNT; i++)
		instance.sections[i] = t.sections[i];
	instance.hash = 0xabc;
	status_format(s, &instance, out);
	template_fini(&t);
}

static void says_what_was_added_in_one_line_of_json(void)
{
	struct status s = {.version = SPAN("1.0")};
	char storage[1000];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	format(&s, "containers: [{name: a}]\n", &out);
	CHECK_TEXT(storage,
		   "{\"version\":\"1.0\",\"hash\":\"0000000000000abc\",\"containers\":[\"a\"]}");
	s.is_created[TEMPLATE_INIT_CONTAINERS] = true;
	s.is_created[STATUS_METADATA] = true;
	s.replaced[TEMPLATE_VOLUMES] = SPAN("~");
	s.replaced[TEMPLATE_ANNOTATIONS] = SPAN("null");
	buf_clear(&out);
	format(&s,
	       "initContainers: [{name: a}, {name: b}]\nvolumes: [{name: v}]\n"
	       "annotations: {k: x, '\"': w}\nlabels: {l: z}\n",
	       &out);
	CHECK_TEXT(storage, "{\"version\":\"1.0\",\"hash\":\"0000000000000abc\","
			    "\"initContainers\":[\"a\",\"b\"],\"volumes\":[\"v\"],"
			    "\"annotations\":[\"k\",\"\\\"\"],\"labels\":[\"l\"],"
			    "\"created\":[\"initContainers\",\"metadata\"],"
			    "\"replaced\":{\"volumes\":\"~\",\"annotations\":\"null\"}}");
}

static void what_was_written_is_read(void)
{
	struct status s = {.version = SPAN("v \"1\"\\\n")}, again;
	struct buf out;

	s.is_created[TEMPLATE_LABELS] = true;
	s.replaced[STATUS_METADATA] = SPAN("Null");
	buf_init_heap(&out, 1000);
	format(&s, "initContainers: [{name: a}]\nlabels: {l: z}\n", &out);
	CHECK(status_read(&again, buf_span(&out)));
	CHECK(span_eq(again.version, s.version));
	CHECK_SPAN(again.hash, "0000000000000abc");
	for (unsigned key = 0; key < STATUS_KEY_COUNT; key++) {
		CHECK_INT(again.is_created[key], key == TEMPLATE_LABELS);
		CHECK_SPAN(again.replaced[key], key == STATUS_METADATA ? "Null" : "");
	}
	CHECK(status_has(&again, TEMPLATE_INIT_CONTAINERS, SPAN("a")));
	CHECK(!status_has(&again, TEMPLATE_INIT_CONTAINERS, SPAN("b")));
	CHECK(!status_has(&again, TEMPLATE_CONTAINERS, SPAN("a")));
	CHECK(status_has(&again, TEMPLATE_LABELS, SPAN("l")));
	CHECK(!status_has(&again, TEMPLATE_VOLUMES, SPAN("")));
	/* The status itself is an annotation that was added. */
	CHECK(status_has(&again, TEMPLATE_ANNOTATIONS, SPAN(STATUS_ANNOTATION)));
	CHECK(!status_has(&again, TEMPLATE_LABELS, SPAN(STATUS_ANNOTATION)));
	status_fini(&again);
	buf_fini(&out);
}

#define GOOD "\"version\":\"1\",\"hash\":\"2\""

static void takes_nothing_that_was_not_written_here(void)
{
	static const struct {
		const char *text;
		bool is_good;
	} rows[] = {
		{"{" GOOD "}", true},
		{"{" GOOD ",\"more\":[{}]}", true},
		{"{" GOOD ",\"containers\":\"a\",\"created\":{},\"replaced\":[]}", true},
		{"{" GOOD ",\"replaced\":{\"volumes\":\"NULL\",\"containers\":\"\"}}", true},
		{"{version: 1, hash: 2}", true},
		{"", false},
		{"{", false},
		{"{}", false},
		{"[]", false},
		{"null", false},
		{" {" GOOD "}", false},
		{"{\"version\":\"1\"}", false},
		{"{\"hash\":\"2\"}", false},
		{"{\"version\":\"\",\"hash\":\"2\"}", false},
		{"{\"version\":[1],\"hash\":\"2\"}", false},
		{"{\"injected\":true}", false},
		/* It would be put into the document as it is. */
		{"{" GOOD ",\"replaced\":{\"volumes\":\"x\\ny: z\"}}", false},
		{"{" GOOD ",\"replaced\":{\"volumes\":\"{}\"}}", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].text);
		char *guarded = unit_guarded(rows[i].text, len);
		struct status s;

		CHECK_ROW(rows[i].text, status_read(&s, span_of(guarded, len)) == rows[i].is_good);
		status_fini(&s);
		unit_guarded_free(guarded, len);
	}
}

UNIT_TESTS(TEST(names_the_keys_that_may_be_missing), TEST(the_hash_has_sixteen_digits),
	   TEST(says_what_was_added_in_one_line_of_json), TEST(what_was_written_is_read),
	   TEST(takes_nothing_that_was_not_written_here))
