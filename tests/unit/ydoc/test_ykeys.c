#include "../unit.h"

#include "collect.h"
#include "ydoc/ykeys.h"

enum { NAME, PORT, EXTERNAL_NAME, LABELS, PORTS, KEYS };

static const struct ykey keys[KEYS] = {
	[NAME] = {"name", YKEY_TEXT},
	[PORT] = {"port", YKEY_SCALAR},
	[EXTERNAL_NAME] = {"externalName", YKEY_ANY},
	[LABELS] = {"labels", YKEY_MAPPING},
	[PORTS] = {"list", YKEY_SEQUENCE},
};

static void finds_values_and_reports_what_is_wrong_with_them(void)
{
	static const struct {
		const char *text;
		const char *found; /* one letter per key: x found, - not */
		const char *messages;
	} rows[] = {
		{"{name: a, port: 1, externalName: [b], labels: {}, list: []}", "xxxxx", ""},
		{"{}", "-----", ""},
		{"{name: null, port: ~, labels: , list: }", "-----", ""},
		{"{name: \"\", port: \"\"}", "xx---", ""},
		{"{other: 1, [1]: 2, {a: 1}: 3}", "-----", ""},
		{"{name: 80}", "-----",
		 "f:1:8: spec.name: expected text, found a number: put it in quotes\n"},
		{"{name: on}", "-----",
		 "f:1:8: spec.name: expected text, found true or false: put it in quotes\n"},
		{"{name: [a]}", "-----", "f:1:8: spec.name: expected text, found a list\n"},
		{"{name: \"80\", port: {a: 1}}", "x----",
		 "f:1:20: spec.port: expected a single value, found a mapping\n"},
		{"{labels: [], list: {}}", "-----",
		 "f:1:10: spec.labels: expected a mapping, found a list\n"
		 "f:1:20: spec.list: expected a list, found a mapping\n"},
		{"{list: text}", "-----", "f:1:8: spec.list: expected a list, found text\n"},
		{"{name: a,\n name: b}", "x----",
		 "f:2:2: spec.name: key is given twice, first on line 1\n"},
		{"{port: null, port: 80}", "-----",
		 "f:1:14: spec.port: key is given twice, first on line 1\n"},
		{"{other: 1, other: 2}", "-----", ""},
		{"{externalNmae: a}", "-----",
		 "warning: f:1:2: spec: unknown key \"externalNmae\": did you mean externalName\n"},
		{"{ExternalName: a, Port: 1}", "-----",
		 "warning: f:1:2: spec: unknown key \"ExternalName\": did you mean externalName\n"
		 "warning: f:1:19: spec: unknown key \"Port\": did you mean port\n"},
		{"{externalNmae: a, externalName: b}", "--x--", ""},
		{"{external: a, namespace: b, externalIPs: c}", "-----", ""},
		{"{base: &b {name: x, port: 1}, <<: *b, port: 2}", "xx---", ""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ydoc_path path = {.key = "spec"};
		const struct ydoc_node *root, *values[KEYS];
		struct ydoc_reader reader;
		struct collect c;
		struct ykeys_context context = {&c.diag, "f", &path};
		char found[KEYS + 1] = "";

		collect_init(&c);
		ydoc_reader_init(&reader, "f", span_from_cstr(rows[i].text), &c.diag);
		CHECK_ROW(rows[i].text, ydoc_reader_next(&reader, &root));
		ykeys_read(&context, root, keys, KEYS, values);
		for (size_t k = 0; k < KEYS; k++)
			found[k] = values[k] != NULL ? 'x' : '-';
		if (strcmp(found, rows[i].found) != 0 || strcmp(c.storage, rows[i].messages) != 0)
			unit_fail(__FILE__, __LINE__, "[%s] %s %s", rows[i].text, found, c.storage);
		ydoc_reader_fini(&reader);
	}
}

static void own_keys_win_over_merged_ones(void)
{
	const struct ydoc_node *root, *values[KEYS];
	struct ydoc_reader reader;
	struct collect c;
	struct ykeys_context context = {&c.diag, "f", NULL};

	collect_init(&c);
	ydoc_reader_init(&reader, "f", SPAN("{base: &b {name: x, port: 1}, <<: *b, port: 2}"),
			 &c.diag);
	CHECK(ydoc_reader_next(&reader, &root));
	ykeys_read(&context, root, keys, KEYS, values);
	CHECK_SPAN(values[NAME]->text, "x");
	CHECK_SPAN(values[PORT]->text, "2");
	ydoc_reader_fini(&reader);
}

static void looks_at_a_bounded_number_of_unknown_keys(void)
{
	const struct ydoc_node *root, *values[KEYS];
	struct ydoc_reader reader;
	struct collect c;
	struct ykeys_context context = {&c.diag, "f", NULL};
	struct buf text;

	collect_init(&c);
	buf_init_heap(&text, 1 << 20);
	for (int i = 0; i < 1000; i++)
		buf_add_cstr(&text, "Name: x\n");
	ydoc_reader_init(&reader, "f", buf_span(&text), &c.diag);
	CHECK(ydoc_reader_next(&reader, &root));
	ykeys_read(&context, root, keys, KEYS, values);
	CHECK_INT(c.diag.warnings, 100);
	ydoc_reader_fini(&reader);
	buf_fini(&text);
}

UNIT_TESTS(TEST(finds_values_and_reports_what_is_wrong_with_them),
	   TEST(own_keys_win_over_merged_ones), TEST(looks_at_a_bounded_number_of_unknown_keys))
