#include "../unit.h"

#include "kubeapi/objstream.h"

#define FIRST "\"kind\":\"K\""

struct seen {
	struct buf text;
	char storage[4096];
	unsigned stops_at; /* object at which the reader says no; 0: never */
	unsigned count;
};

/* "L(namespace/name@version uid)={...}": the type's first letter and the object as it was kept. */
static bool on_object(void *context, const struct objstream_object *o, struct error *e)
{
	struct seen *seen = context;

	buf_printf(&seen->text, "%c(%.*s/%.*s@%.*s %.*s)", "-LAMDBE"[o->type],
		   SPAN_ARG(o->namespace), SPAN_ARG(o->name), SPAN_ARG(o->version),
		   SPAN_ARG(o->uid));
	if (o->type == OBJSTREAM_ERROR)
		buf_printf(&seen->text, "%u:%.*s", (unsigned)o->code, SPAN_ARG(o->message));
	buf_add_byte(&seen->text, '=');
	buf_add(&seen->text, o->json);
	buf_add_byte(&seen->text, '\n');
	return ++seen->count != seen->stops_at || error_set(e, "enough");
}

/* Reads the text in pieces; notes what was seen, then what the stream knows, or its error. */
static void read_stream(struct seen *seen, bool is_list, struct span text, size_t step)
{
	struct objstream s;
	struct error e = {""};
	bool ok = true;

	BUF_INIT_ARRAY(&seen->text, seen->storage);
	seen->count = 0;
	objstream_init(&s, is_list, SPAN(FIRST), on_object, seen);
	for (size_t at = 0; ok && at < text.len; at += step) {
		struct span piece = span_first(span_from(text, at), step);
		char *guarded = unit_guarded(piece.ptr, piece.len);

		ok = objstream_feed(&s, span_of(guarded, piece.len), &e);
		unit_guarded_free(guarded, piece.len);
	}
	ok = ok && objstream_end(&s, &e);
	if (!ok)
		buf_printf(&seen->text, "!%s", e.text);
	else if (is_list)
		buf_printf(&seen->text, "%.*s|%.*s", SPAN_ARG(objstream_version(&s)),
			   SPAN_ARG(objstream_token(&s)));
	objstream_fini(&s);
}

struct row {
	const char *text, *expected;
};

static void check_rows(bool is_list, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct span text = span_from_cstr(rows[i].text);
		struct seen seen = {.count = 0};

		for (size_t step = 1; step <= text.len + 1; step += text.len > 0 ? text.len : 1) {
			read_stream(&seen, is_list, text, step);
			if (strcmp(seen.storage, rows[i].expected) != 0)
				unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s",
					  rows[i].text, seen.storage, rows[i].expected);
		}
	}
}
#define CHECK_ROWS(is_list, rows) check_rows(is_list, (rows), sizeof(rows) / sizeof(rows)[0])

static void gives_the_objects_of_a_list(void)
{
	static const struct row rows[] = {
		{"{\"kind\":\"L\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}", "7|"},
		{"{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":null}\n", "7|"},
		{"{\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"uid\":\"u\","
		 "\"resourceVersion\":\"3\"},\"spec\":{\"x\":[1,\"y\",true,null,{}]}},{}],"
		 "\"metadata\":{\"continue\":\"c=/\",\"resourceVersion\":\"9\"}}",
		 "L(b/a@3 u)={" FIRST ",\"metadata\":{\"name\":\"a\",\"namespace\":\"b\","
		 "\"uid\":\"u\",\"resourceVersion\":\"3\"},\"spec\":{\"x\":[1,\"y\",true,null,{}]}"
		 "}\nL(/@ )={" FIRST "}\n9|c=/"},
		/* What is not the object's own name, and a list's own keys elsewhere. */
		{"{\"metadata\":{\"resourceVersion\":\"1\",\"x\":{\"continue\":\"no\"}},\"items\":["
		 "{"
		 "\"name\":\"no\",\"spec\":{\"name\":\"no\",\"metadata\":{\"name\":\"no\"}}}]}",
		 "L(/@ )={" FIRST ",\"name\":\"no\",\"spec\":{\"name\":\"no\",\"metadata\":{"
		 "\"name\":\"no\"}}}\n1|"},
	};

	CHECK_ROWS(true, rows);
}

static void leaves_out_what_no_reader_of_a_spec_needs(void)
{
	static const struct row rows[] = {
		{"{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"S\","
		 "\"status\":{\"a\":[{}]},\"metadata\":{\"managedFields\":[{\"name\":\"m\"}],"
		 "\"name\":\"a\",\"annotations\":{\"x\":\"y\"},\"labels\":{\"l\":\"\"}},"
		 "\"spec\":{\"status\":1,\"annotations\":{}},\"z\":0}}",
		 "A(/a@ )={" FIRST ",\"metadata\":{\"name\":\"a\",\"annotations\":{\"x\":\"y\"},"
		 "\"labels\":{\"l\":\"\"}},"
		 "\"spec\":{\"status\":1,\"annotations\":{}},\"z\":0}\n"},
		{"{\"type\":\"ADDED\",\"object\":{\"status\":\"x\",\"metadata\":{"
		 "\"managedFields\":null}}}",
		 "A(/@ )={" FIRST ",\"metadata\":{}}\n"},
	};

	CHECK_ROWS(false, rows);
}

static void gives_the_events_of_a_watch(void)
{
	static const struct row rows[] = {
		{"", ""},
		{"\n", ""},
		{"{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n"
		 "{\"object\":{\"metadata\":{\"name\":\"b\"}},\"type\":\"DELETED\"}"
		 "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"12\"}}}",
		 "M(/a@ )={" FIRST ",\"metadata\":{\"name\":\"a\"}}\n"
		 "D(/b@ )={" FIRST ",\"metadata\":{\"name\":\"b\"}}\n"
		 "B(/@12 )={" FIRST ",\"metadata\":{\"resourceVersion\":\"12\"}}\n"},
		{"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
		 "\"message\":\"too old\"}}",
		 "E(/@ )410:too old={" FIRST ",\"code\":410,\"message\":\"too old\"}\n"},
		/* Nothing of one event is in the next. */
		{"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"uid\":\"u\"}}}"
		 "{\"type\":\"ADDED\",\"object\":{}}",
		 "A(/a@ u)={" FIRST ",\"metadata\":{\"name\":\"a\",\"uid\":\"u\"}}\n"
		 "A(/@ )={" FIRST "}\n"},
	};

	CHECK_ROWS(false, rows);
}

static void refuses_lists_that_are_none(void)
{
	static const struct row rows[] = {
		{"", "!no list: expected metadata.resourceVersion and items"},
		{"{}", "!no list: expected metadata.resourceVersion and items"},
		{"{\"items\":[]}", "!no list: expected metadata.resourceVersion and items"},
		{"{\"metadata\":{\"resourceVersion\":\"1\"}}",
		 "!no list: expected metadata.resourceVersion and items"},
		{"[]", "!1:1: expected an object"},
		{"\"x\"", "!1:1: expected an object"},
		{"{\"items\":{}}", "!1:10: expected a list of objects under items"},
		{"{\"items\":7}", "!1:10: expected a list of objects under items"},
		{"{\"items\":[7]}", "!1:11: expected a list of objects under items"},
		{"{\"items\":[[]]}", "!1:11: expected a list of objects under items"},
		{"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}{}",
		 "!1:48: more than a list"},
		{"{\"items\":[{\"a\":1", "!1:17: the text ends in the middle"},
		{"<html>", "!1:1: expected a JSON value"},
	};

	CHECK_ROWS(true, rows);
}

static void refuses_events_that_are_none(void)
{
	static const struct row rows[] = {
		{"{}", "!an event without its type or its object"},
		{"{\"type\":\"ADDED\"}", "!an event without its type or its object"},
		{"{\"object\":{}}", "!an event without its type or its object"},
		{"{\"type\":\"SHOUTED\",\"object\":{}}",
		 "!an event without its type or its object"},
		{"{\"type\":\"ADDED\",\"object\":[]}", "!1:26: expected an object under object"},
		{"{\"type\":\"ADDED\",\"object\":null}", "!1:26: expected an object under object"},
		{"{\"type\":\"ADDED\",\"object\":{", "!1:27: the text ends in the middle"},
		{"7", "!1:1: expected an object"},
	};

	CHECK_ROWS(false, rows);
}

static void ends_when_the_reader_has_had_enough(void)
{
	struct seen seen = {.stops_at = 2};

	read_stream(&seen, true, SPAN("{\"items\":[{},{},{}]}"), 5);
	CHECK_INT(seen.count, 2);
	CHECK(strstr(seen.storage, "!enough") != NULL);
}

/* Pieces of 64 KiB of `filler` between two texts; the last error, or "". */
static void feed_much(struct objstream *s, const char *before, char filler, size_t pieces,
		      const char *after, struct error *e)
{
	static char piece[65536];
	bool ok = objstream_feed(s, span_from_cstr(before), e);

	memset(piece, filler, sizeof piece);
	for (size_t i = 0; ok && i < pieces; i++)
		ok = objstream_feed(s, span_of(piece, sizeof piece), e);
	if (ok && objstream_feed(s, span_from_cstr(after), e))
		e->text[0] = '\0';
}

static void an_object_of_which_too_much_would_be_kept_is_told_of_without_its_text(void)
{
	struct seen seen = {.count = 0};
	struct objstream s;
	struct error e;

	BUF_INIT_ARRAY(&seen.text, seen.storage);
	objstream_init(&s, false, SPAN(FIRST), on_object, &seen);
	feed_much(&s, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"big\"},\"spec\":\"",
		  'x', 20, "\"}}{\"type\":\"ADDED\",\"object\":{}}", &e);
	CHECK_TEXT(e.text, "");
	CHECK_TEXT(seen.storage, "A(/big@ )=\nA(/@ )={" FIRST "}\n");
	CHECK(s.kept.cap <= OBJSTREAM_KEPT_MAX + 1);
	objstream_fini(&s);
	/* What is left out does not count. */
	BUF_INIT_ARRAY(&seen.text, seen.storage);
	objstream_init(&s, false, SPAN(FIRST), on_object, &seen);
	feed_much(&s, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"managedFields\":{\"a\":\"",
		  'x', 20, "\"}}}}", &e);
	CHECK_TEXT(e.text, "");
	CHECK_TEXT(seen.storage, "A(/@ )={" FIRST ",\"metadata\":{}}\n");
	objstream_fini(&s);
}

static void what_has_no_end_is_refused(void)
{
	static const struct {
		bool is_list;
		const char *before;
		char filler;
	} rows[] = {
		{false, "", ' '},
		{true, "", '\n'},
		{false, "{\"type\":\"", 'x'},
		{true, "{\"items\":[{\"metadata\":{\"managedFields\":\"", 'x'},
		{true, "{\"items\":[{\"n\":1", '0'},
		{true, "{\"metadata\":{\"continue\":\"", 'x'},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct seen seen = {.count = 0};
		struct objstream s;
		struct error e;

		BUF_INIT_ARRAY(&seen.text, seen.storage);
		objstream_init(&s, rows[i].is_list, SPAN(FIRST), on_object, &seen);
		feed_much(&s, rows[i].before, rows[i].filler, 100, "", &e);
		if (strstr(e.text, "bytes without a whole object") == NULL)
			unit_fail(__FILE__, __LINE__, "row %zu says '%s'", i, e.text);
		objstream_fini(&s);
	}
}

static void a_token_that_is_too_long_is_refused(void)
{
	struct seen seen = {.count = 0};
	struct objstream s;
	struct error e;

	BUF_INIT_ARRAY(&seen.text, seen.storage);
	objstream_init(&s, true, SPAN(FIRST), on_object, &seen);
	feed_much(&s, "{\"metadata\":{\"resourceVersion\":\"1\",\"continue\":\"", 'x', 1,
		  "\"},\"items\":[]}", &e);
	CHECK_TEXT(e.text, "");
	CHECK(!objstream_end(&s, &e));
	CHECK(strstr(e.text, "continue token") != NULL);
	objstream_fini(&s);
}

UNIT_TESTS(TEST(gives_the_objects_of_a_list), TEST(leaves_out_what_no_reader_of_a_spec_needs),
	   TEST(gives_the_events_of_a_watch), TEST(refuses_lists_that_are_none),
	   TEST(refuses_events_that_are_none), TEST(ends_when_the_reader_has_had_enough),
	   TEST(an_object_of_which_too_much_would_be_kept_is_told_of_without_its_text),
	   TEST(what_has_no_end_is_refused), TEST(a_token_that_is_too_long_is_refused))
