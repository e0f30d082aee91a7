#include "../unit.h"

#include "../ydoc/collect.h"
#include "kube/service.h"

/* "NAME NAMESPACE EXTERNAL LINE:COL PORT/PROTOCOL..." or "-", then the complaints. */
static void read_service(const char *text, struct buf *out)
{
	const struct ydoc_node *root;
	struct kube_service *service;
	struct ydoc_reader reader;
	struct arena arena;
	struct collect c;
	struct ykeys_context context = {&c.diag, "f", NULL};

	collect_init(&c);
	arena_init(&arena, 1 << 20);
	ydoc_reader_init(&reader, "f", span_from_cstr(text), &c.diag);
	CHECK_ROW(text, ydoc_reader_next(&reader, &root));
	service = kube_service_read(&context, root, SPAN("default"), &arena);
	/* What is kept must not live in the document. */
	ydoc_reader_fini(&reader);
	if (service == NULL) {
		buf_add_byte(out, '-');
	} else {
		buf_printf(out, "%.*s %.*s %.*s %u:%u", SPAN_ARG(service->name),
			   SPAN_ARG(service->namespace), SPAN_ARG(service->external_name),
			   service->pos.line, service->pos.col);
		for (size_t i = 0; i < service->port_count; i++)
			buf_printf(out, " %u/%s", service->ports[i].number,
				   kube_port_protocol_names[service->ports[i].protocol]);
	}
	buf_add_byte(out, '\n');
	buf_add(out, buf_span(&c.text));
	arena_fini(&arena);
}

struct row {
	const char *text, *expected;
};

static void check_rows(const char *format, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char storage[4096], text[1024];
		struct buf out, b;

		BUF_INIT_ARRAY(&out, storage);
		BUF_INIT_ARRAY(&b, text);
		/* The row's text goes where the format has its "@". */
		for (const char *p = format; *p != '\0'; p++) {
			if (*p == '@')
				buf_add_cstr(&b, rows[i].text);
			else
				buf_add_byte(&b, *p);
		}
		read_service(text, &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", text, storage,
				  rows[i].expected);
	}
}
#define CHECK_ROWS(format, rows) check_rows((format), (rows), sizeof(rows) / sizeof(rows)[0])

static void reads_a_service_with_all_its_ports(void)
{
	static const struct row rows[] = {
		{"apiVersion: v1\nmetadata:\n name: externalbin\nspec:\n externalName: "
		 "httpbin.org\n ports:\n - port: 80\n   name: http\n",
		 "externalbin default httpbin.org 3:8 80/http\n"},
		{"apiVersion: v1\nmetadata:\n name: a\n namespace: prod\nspec:\n externalName: "
		 "b.c\n ports:\n - {port: 80, name: http}\n - {port: 443, name: https}\n - {port: "
		 "9, name: tcp}\n - {port: 8443, name: https-2}\n",
		 "a prod b.c 3:8 80/http 443/https 9/none 8443/https\nwarning: f:10:20: "
		 "spec.ports[2].name: port 9 is not routed: \"tcp\" is not supported: only HTTP "
		 "can be routed by host name\n"},
	};

	CHECK_ROWS("@", rows);
}

#define AROUND_METADATA                                                                            \
	"{apiVersion: v1, metadata: @, spec: {externalName: b.c, ports: [{port: 80, name: "        \
	"http}]}}"

static void checks_name_and_namespace(void)
{
	static const struct row rows[] = {
		{"{name: a}", "a default b.c 1:35 80/http\n"},
		{"{name: a-1, namespace: 0x}", "a-1 0x b.c 1:35 80/http\n"},
		{"{name: a, namespace: \"\"}", "a default b.c 1:35 80/http\n"},
		{"{name: a, namespace: null}", "a default b.c 1:35 80/http\n"},
		{"{namespace: b}", "-\nf:1:28: metadata.name: missing\n"},
		{"{name: \"\"}", "-\nf:1:28: metadata.name: missing\n"},
		{"{generateName: a-}", "-\nf:1:28: metadata.name: missing\n"},
		{"null", "-\nf:1:1: metadata.name: missing\n"},
		{"[a]", "-\nf:1:28: metadata: expected a mapping, found a list\n"},
		{"{name: 1a}",
		 "-\nf:1:35: metadata.name: \"1a\" is no name: label starts with a digit\n"},
		{"{name: External}", "-\nf:1:35: metadata.name: \"External\" is no name: byte "
				     "other than lower case letters, digits and \"-\"\n"},
		{"{name: a.b}", "-\nf:1:35: metadata.name: \"a.b\" is no name: byte other than "
				"lower case letters, digits and \"-\"\n"},
		{"{name: -a}", "-\nf:1:35: metadata.name: \"-a\" is no name: label starts or ends "
			       "with a hyphen\n"},
		{"{name: 123}", "-\nf:1:35: metadata.name: expected text, found a number: put it "
				"in quotes\nf:1:28: metadata.name: missing\n"},
		{"{name: a, namespace: A}",
		 "a default b.c 1:35 80/http\nf:1:49: metadata.namespace: \"A\" is no name: byte "
		 "other than lower case letters, digits and \"-\"\n"},
		{"{name: a, name: b}", "a default b.c 1:35 80/http\nf:1:38: metadata.name: key is "
				       "given twice, first on line 1\n"},
	};

	CHECK_ROWS(AROUND_METADATA, rows);
}

static void a_name_may_have_63_bytes(void)
{
	char text[300], expected[300], storage[300];
	struct buf out;

	for (int len = 63; len <= 64; len++) {
		BUF_INIT_ARRAY(&out, storage);
		snprintf(text, sizeof text,
			 "{apiVersion: v1, metadata: {name: a%0*d}, spec: {externalName: b.c, "
			 "ports: [{port: 80, name: http}]}}",
			 len - 1, 0);
		read_service(text, &out);
		snprintf(expected, sizeof expected, "a%0*d default b.c 1:35 80/http\n", len - 1, 0);
		CHECK_INT(strcmp(storage, expected) == 0, len == 63);
		CHECK_INT(strstr(storage, "label over 63 bytes") != NULL, len == 64);
	}
}

#define AROUND_EXTERNAL_NAME                                                                       \
	"{apiVersion: v1, metadata: {name: a}, spec: {externalName: @, ports: [{port: 80, name: "  \
	"http}]}}"

static void checks_the_external_name(void)
{
	static const struct row rows[] = {
		{"www.google.com", "a default www.google.com 1:35 80/http\n"},
		{"localhost", "a default localhost 1:35 80/http\n"},
		{"a_b.example.com", "a default a_b.example.com 1:35 80/http\n"},
		{"xn--bcher-kva.example", "a default xn--bcher-kva.example 1:35 80/http\n"},
		{"www.google.com.", "a default www.google.com 1:35 80/http\n"},
		{"WWW.Google.com",
		 "a default www.google.com 1:35 80/http\nwarning: f:1:60: spec.externalName: is "
		 "read in lower case: Kubernetes wants it so\n"},
		{"192.0.2.1",
		 "a default 192.0.2.1 1:35 80/http\nwarning: f:1:60: spec.externalName: is called "
		 "as the IPv4 address it looks like: to Kubernetes it is a DNS name\n"},
		{"", "a default  1:35 80/http\nf:1:45: spec.externalName: missing: expected the "
		     "DNS name to call\n"},
		{"\"\"", "a default  1:35 80/http\nf:1:60: spec.externalName: missing: expected "
			 "the DNS name to call\n"},
		{"null", "a default  1:35 80/http\nf:1:45: spec.externalName: missing: expected "
			 "the DNS name to call\n"},
		{"1.5", "a default  1:35 80/http\nf:1:60: spec.externalName: expected text, found "
			"a number: put it in quotes\nf:1:45: spec.externalName: missing: expected "
			"the DNS name to call\n"},
		{"https://www.google.com/",
		 "a default  1:35 80/http\nf:1:60: spec.externalName: \"https://www.google.com/\" "
		 "is a URL: expected only its host name\n"},
		{"\"www.google.com:443\"",
		 "a default  1:35 80/http\nf:1:60: spec.externalName: \"www.google.com:443\" has a "
		 "port: expected only a host name, ports go into spec.ports\n"},
		{"www.google.com/search",
		 "a default  1:35 80/http\nf:1:60: spec.externalName: \"www.google.com/search\" "
		 "has a path: expected only a host name\n"},
		{"\"2001:db8::1\"", "a default  1:35 80/http\nf:1:60: spec.externalName: "
				    "\"2001:db8::1\" is an IPv6 address: expected a DNS name\n"},
		{"a..b", "a default  1:35 80/http\nf:1:60: spec.externalName: \"a..b\" is no DNS "
			 "name: label is empty\n"},
		{"1.2.3", "a default  1:35 80/http\nf:1:60: spec.externalName: \"1.2.3\" is no DNS "
			  "name: looks like an IP address\n"},
		{"256.1.1.1", "a default  1:35 80/http\nf:1:60: spec.externalName: \"256.1.1.1\" "
			      "is no DNS name: looks like an IP address\n"},
		{"\"a b\"", "a default  1:35 80/http\nf:1:60: spec.externalName: \"a b\" is no DNS "
			    "name: byte other than letters, digits, \"-\", \"_\" and \".\"\n"},
		{"\"*.google.com\"",
		 "a default  1:35 80/http\nf:1:60: spec.externalName: \"*.google.com\" is no DNS "
		 "name: byte other than letters, digits, \"-\", \"_\" and \".\"\n"},
		{".", "a default  1:35 80/http\nf:1:60: spec.externalName: \".\" is no DNS name: "
		      "name is empty\n"},
	};

	CHECK_ROWS(AROUND_EXTERNAL_NAME, rows);
}

#define AROUND_PORTS "{apiVersion: v1, metadata: {name: a}, spec: {externalName: b.c, ports: @}}"

static void checks_the_list_of_ports(void)
{
	static const char nothing[] = "a default b.c 1:35\nwarning: f:1:45: spec.ports: nothing is "
				      "routed without ports: add \"- {port: 80, name: http}\"\n";
	static const struct row rows[] = {
		{"[]", nothing},
		{"", nothing},
		{"null", nothing},
		{"80", "a default b.c 1:35\nf:1:72: spec.ports: expected a list, found a number\n"},
		{"{port: 80}",
		 "a default b.c 1:35\nf:1:72: spec.ports: expected a list, found a mapping\n"},
		{"[{port: 80, name: http}, {port: 80, name: http-2}]",
		 "a default b.c 1:35 80/http\nf:1:97: spec.ports[1].port: port 80 is given twice, "
		 "first on line 1\n"},
		{"[{port: 443, name: https}, {port: 443, name: https, protocol: UDP}]",
		 "a default b.c 1:35 443/https 443/none\nwarning: f:1:134: spec.ports[1].protocol: "
		 "port 443 is not routed: HTTP goes over TCP\n"},
		{"[{port: 0}, {port: 81, name: http}, {name: http}]",
		 "a default b.c 1:35 81/http\nf:1:80: spec.ports[0].port: expected a number from 1 "
		 "to 65535, found \"0\"\nf:1:108: spec.ports[2].port: missing\n"},
		{"[&p {port: 80, name: http}, *p]",
		 "a default b.c 1:35 80/http\nf:1:73: spec.ports[1].port: port 80 is given twice, "
		 "first on line 1\n"},
	};

	CHECK_ROWS(AROUND_PORTS, rows);
}

static void refuses_more_ports_than_its_bound(void)
{
	char storage[65536];
	struct buf text, out;

	buf_init_heap(&text, 1 << 20);
	for (int count = 1000; count <= 1001; count++) {
		buf_clear(&text);
		buf_add_cstr(
			&text,
			"{apiVersion: v1, metadata: {name: a}, spec: {externalName: b.c, ports: [");
		for (int i = 1; i <= count; i++)
			buf_printf(&text, "{port: %d, name: http},", i);
		buf_add_cstr(&text, "]}}");
		BUF_INIT_ARRAY(&out, storage);
		read_service(buf_cstr(&text), &out);
		CHECK_INT(strstr(storage, "spec.ports: more than 1000 ports") != NULL,
			  count == 1001);
	}
	buf_fini(&text);
}

static void reports_everything_that_is_wrong_at_once(void)
{
	static const struct row rows[] = {
		{"metadata: {name: A}\nspec: {externalNmae: x, ports: [{}]}\n",
		 "-\nf:1:1: apiVersion: missing: expected v1\nf:1:18: metadata.name: \"A\" is no "
		 "name: byte other than lower case letters, digits and \"-\"\nwarning: f:2:8: "
		 "spec: unknown key \"externalNmae\": did you mean externalName\nf:2:7: "
		 "spec.externalName: missing: expected the DNS name to call\nf:2:33: "
		 "spec.ports[0].port: missing\n"},
		{"apiVersion: v1\nmetadata: {name: a}\nspec: [x]\n",
		 "a default  2:18\nf:3:7: spec: expected a mapping, found a list\n"},
	};

	CHECK_ROWS("@", rows);
}

UNIT_TESTS(TEST(reads_a_service_with_all_its_ports), TEST(checks_name_and_namespace),
	   TEST(a_name_may_have_63_bytes), TEST(checks_the_external_name),
	   TEST(checks_the_list_of_ports), TEST(refuses_more_ports_than_its_bound),
	   TEST(reports_everything_that_is_wrong_at_once))
