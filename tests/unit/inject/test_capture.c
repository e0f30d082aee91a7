#include "../unit.h"

#include "base/alloc.h"
#include "inject/capture.h"

/* The list, then " (NOTE)", or "! ERROR". */
static void parse(enum capture_field field, const char *text, struct buf *out)
{
	char note_storage[200];
	struct capture c = {.is_set = {false}};
	struct arena arena;
	struct error e;
	struct buf note;

	arena_init(&arena, 1 << 20);
	BUF_INIT_ARRAY(&note, note_storage);
	if (capture_parse(&c, field, span_from_cstr(text), &arena, &note, &e)) {
		CHECK(c.is_set[field]);
		buf_add(out, c.list[field]);
	} else {
		CHECK(!c.is_set[field]);
		buf_printf(out, "! %s", e.text);
	}
	if (note.len > 0)
		buf_printf(out, " (%s)", note_storage);
	arena_fini(&arena);
}

struct row {
	const char *text, *expected;
};

static void check_rows(const struct row *rows, size_t count, enum capture_field field)
{
	for (size_t i = 0; i < count; i++) {
		char storage[500];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		parse(field, rows[i].text, &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  storage, rows[i].expected);
	}
}
#define CHECK_ROWS(rows, field) check_rows((rows), sizeof(rows) / sizeof(rows)[0], (field))

static void ranges_are_normalised(void)
{
	static const struct row rows[] = {
		{"", ""},
		{"  \t", ""},
		{"10.0.0.0/8", "10.0.0.0/8"},
		{" 10.4.0.0/14 ,\t10.7.240.0/20 ", "10.4.0.0/14,10.7.240.0/20"},
		{"10.0.0.1/24", "10.0.0.0/24 (10.0.0.1/24 is taken as 10.0.0.0/24)"},
		{"10.0.0.1/24,10.0.0.0/8,fd00::1/8", "10.0.0.0/24,10.0.0.0/8,fd00::/8 (10.0.0.1/24 "
						     "is taken as 10.0.0.0/24, fd00::1/8 is "
						     "taken as fd00::/8)"},
	};

	CHECK_ROWS(rows, CAPTURE_INCLUDE_RANGES);
	CHECK_ROWS(rows, CAPTURE_EXCLUDE_RANGES);
}

static void a_star_stands_alone_where_it_may_stand(void)
{
	static const enum capture_field with[] = {CAPTURE_INCLUDE_RANGES, CAPTURE_INCLUDE_INBOUND};
	static const enum capture_field without[] = {
		CAPTURE_EXCLUDE_RANGES, CAPTURE_EXCLUDE_INBOUND, CAPTURE_INCLUDE_OUTBOUND,
		CAPTURE_EXCLUDE_OUTBOUND};
	static const struct row among[] = {
		{"*,10.0.0.0/8", "! * stands alone, for all addresses"},
		{"10.0.0.0/8,*", "! entry 2: * stands alone, for all addresses"},
	};
	static const struct row never[] = {
		{"*", "! * is not taken here: expected ranges of addresses"},
	};
	char storage[200];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	for (size_t i = 0; i < 2; i++) {
		buf_clear(&out);
		parse(with[i], " * ", &out);
		CHECK_TEXT(storage, "*");
	}
	for (size_t i = 0; i < 4; i++) {
		buf_clear(&out);
		parse(without[i], "*", &out);
		CHECK_INT(storage[0], '!');
	}
	CHECK_ROWS(among, CAPTURE_INCLUDE_RANGES);
	CHECK_ROWS(never, CAPTURE_EXCLUDE_RANGES);
}

static void the_error_quotes_the_entry_and_says_which(void)
{
	static const enum capture_field ports[] = {CAPTURE_INCLUDE_INBOUND, CAPTURE_EXCLUDE_INBOUND,
						   CAPTURE_INCLUDE_OUTBOUND,
						   CAPTURE_EXCLUDE_OUTBOUND};
	static const char *const bad_ranges[] = {"10.0.0.0/33", "10.0.0/8", "a", "10.0.0.0/8 1"};
	static const char *const bad_ports[] = {"65536", "-1", "http", "90-80", "80 81"};
	char text[100], quoted[100], storage[300];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	for (size_t i = 0; i < sizeof bad_ranges / sizeof bad_ranges[0]; i++) {
		snprintf(text, sizeof text, "10.0.0.0/8, %s", bad_ranges[i]);
		snprintf(quoted, sizeof quoted, "\"%s\"", bad_ranges[i]);
		buf_clear(&out);
		parse(CAPTURE_INCLUDE_RANGES, text, &out);
		CHECK_ROW(text, strncmp(storage, "! entry 2: ", 11) == 0);
		CHECK_ROW(storage, strstr(storage, quoted) != NULL);
	}
	for (size_t i = 0; i < sizeof bad_ports / sizeof bad_ports[0]; i++)
		for (size_t f = 0; f < 4; f++) {
			snprintf(quoted, sizeof quoted, "\"%s\"", bad_ports[i]);
			buf_clear(&out);
			parse(ports[f], bad_ports[i], &out);
			/* Alone it needs no number. */
			CHECK_ROW(storage, storage[0] == '!' && strstr(storage, "entry") == NULL);
			CHECK_ROW(storage, strstr(storage, quoted) != NULL);
		}
	buf_clear(&out);
	parse(CAPTURE_INCLUDE_RANGES, "10.0.0.0/8,", &out);
	CHECK(strncmp(storage, "! entry 2: ", 11) == 0);
}

static void ports_are_numbers_and_ranges(void)
{
	static const struct row rows[] = {
		{"80", "80"},
		{" 80 , 443 ", "80,443"},
		{"8000-8010,1", "8000-8010,1"},
		{"", ""},
	};

	CHECK_ROWS(rows, CAPTURE_EXCLUDE_INBOUND);
	CHECK_ROWS(rows, CAPTURE_INCLUDE_OUTBOUND);
}

static void interfaces_are_names_that_the_kernel_takes(void)
{
	static const struct row rows[] = {
		{"eth0", "eth0"},
		{" veth+ , 123456789012345", "veth+,123456789012345"},
		{"", ""},
		{"1234567890123456",
		 "! \"1234567890123456\" is no name of an interface: expected up to 15 bytes"},
		{"-i", "! \"-i\" is no name of an interface: expected up to 15 bytes"},
		{"a,,b", "! entry 2: \"\" is no name of an interface: expected up to 15 bytes"},
		{"a/b", "! \"a/b\" is no name of an interface: expected up to 15 bytes"},
		{"a b", "! \"a b\" is no name of an interface: expected up to 15 bytes"},
		{"a\nb", "! \"a\\x0ab\" is no name of an interface: expected up to 15 bytes"},
		{"a:b", "! \"a:b\" is no name of an interface: expected up to 15 bytes"},
	};

	CHECK_ROWS(rows, CAPTURE_EXCLUDE_INTERFACES);
}

static void annotations_have_the_names_of_istio(void)
{
	static const char *const names[] = {"includeOutboundIPRanges", "excludeOutboundIPRanges",
					    "includeInboundPorts",     "excludeInboundPorts",
					    "includeOutboundPorts",    "excludeOutboundPorts",
					    "excludeInterfaces"};

	CHECK_INT(sizeof names / sizeof names[0], CAPTURE_FIELD_COUNT);
	for (int i = 0; i < CAPTURE_FIELD_COUNT; i++)
		CHECK_TEXT(capture_annotations[i], names[i]);
}

/* Lists in the order of the fields; NULL: not set. */
static void arguments_say_what_is_to_be_redirected(void)
{
	static const struct {
		const char *lists[CAPTURE_FIELD_COUNT], *expected;
	} rows[] = {
		{{NULL}, "--inbound none "},
		{{"*"}, "--inbound none "},
		{{"10.0.0.0/8,11.0.0.0/8"}, "--inbound none -i 10.0.0.0/8,11.0.0.0/8 "},
		{{"*", "10.0.0.0/8"}, "--inbound none --exclude-cidr 10.0.0.0/8 "},
		{{NULL, "10.0.0.0/8"}, "--inbound none --exclude-cidr 10.0.0.0/8 "},
		{{"10.0.0.0/8", "10.1.0.0/16"},
		 "--inbound none -i 10.0.0.0/8 --exclude-cidr 10.1.0.0/16 "},
		/* Nothing, in today's words. */
		{{""}, "--inbound none --exclude-cidr 0.0.0.0/0,::/0 "},
		/* Nothing but some ports. */
		{{"", NULL, NULL, NULL, "80,443"}, "--inbound none --include-port 80,443 "},
		{{"10.0.0.0/8", NULL, NULL, NULL, "80"},
		 "--inbound none -i 10.0.0.0/8 --include-port 80 "},
		/* All is more than some ports. */
		{{NULL, NULL, NULL, NULL, "80"}, "--inbound none "},
		{{NULL, NULL, NULL, NULL, NULL, "25,26-30", "eth1"},
		 "--inbound none --exclude-port 25,26-30 --exclude-interface eth1 "},
		{{NULL, NULL, "*"}, "--inbound redirect --exclude-inbound-port 15020 "},
		{{NULL, NULL, "*", "22,23"},
		 "--inbound redirect --exclude-inbound-port 22,23,15020 "},
		{{NULL, NULL, "80,90-99"}, "--inbound redirect --include-inbound-port 80,90-99 "},
		{{NULL, NULL, ""}, "--inbound none "},
		{{NULL, NULL, "", "22"}, "--inbound none "},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct capture c = {.is_set = {false}};
		char storage[300];
		struct buf out;

		for (int f = 0; f < CAPTURE_FIELD_COUNT; f++)
			if (rows[i].lists[f] != NULL) {
				c.is_set[f] = true;
				c.list[f] = span_from_cstr(rows[i].lists[f]);
			}
		BUF_INIT_ARRAY(&out, storage);
		capture_arguments(&c, 15020, &out);
		for (size_t at = 0; at < out.len; at++)
			if (storage[at] == '\n')
				storage[at] = ' ';
		CHECK_TEXT(storage, rows[i].expected);
	}
}

static void says_when_memory_is_out(void)
{
	bool is_done = false;

	for (int64_t n = 0; !is_done; n++) {
		struct capture c = {.is_set = {false}};
		struct arena arena;
		struct buf note;
		struct error e;

		CHECK(n < 10);
		arena_init(&arena, 1 << 20);
		buf_init_heap(&note, 100);
		alloc_fail_after(n);
		is_done = capture_parse(&c, CAPTURE_INCLUDE_RANGES, SPAN("10.0.0.0/8"), &arena,
					&note, &e);
		alloc_fail_after(-1);
		if (!is_done)
			CHECK_TEXT(e.text, "out of memory");
		CHECK_INT(c.is_set[CAPTURE_INCLUDE_RANGES], is_done);
		buf_fini(&note);
		arena_fini(&arena);
	}
}

UNIT_TESTS(TEST(ranges_are_normalised), TEST(a_star_stands_alone_where_it_may_stand),
	   TEST(the_error_quotes_the_entry_and_says_which), TEST(ports_are_numbers_and_ranges),
	   TEST(interfaces_are_names_that_the_kernel_takes),
	   TEST(annotations_have_the_names_of_istio), TEST(arguments_say_what_is_to_be_redirected),
	   TEST(says_when_memory_is_out))
