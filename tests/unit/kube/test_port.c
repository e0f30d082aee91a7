#include "../unit.h"

#include "../ydoc/collect.h"
#include "kube/port.h"

/* Reads one entry of spec.ports; says "NUMBER PROTOCOL [NAME]" or "-", then the complaints. */
static void read_port(const char *text, struct buf *out)
{
	struct ydoc_path path = {.key = "p"};
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	struct kube_port port;
	struct arena arena;
	struct collect c;
	struct ykeys_context context = {&c.diag, "f", &path};

	collect_init(&c);
	arena_init(&arena, 4096);
	ydoc_reader_init(&reader, "f", span_from_cstr(text), &c.diag);
	CHECK_ROW(text, ydoc_reader_next(&reader, &root));
	if (kube_port_read(&context, root, &arena, &port)) {
		buf_printf(out, "%u %s", port.number, kube_port_protocol_names[port.protocol]);
		if (port.name.len > 0)
			buf_printf(out, " %s", port.name.ptr);
		CHECK_ROW(text, c.diag.errors == 0);
		CHECK_ROW(text, strcmp(port.pos.file, "f") == 0 && port.pos.line == 1);
	} else {
		CHECK_ROW(text, c.diag.errors > 0);
		buf_add_byte(out, '-');
	}
	buf_add_byte(out, '\n');
	buf_add(out, buf_span(&c.text));
	ydoc_reader_fini(&reader);
	arena_fini(&arena);
}

struct row {
	const char *text, *expected;
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char storage[2048];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		read_port(rows[i].text, &out);
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  storage, rows[i].expected);
	}
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(rows)[0])

static void name_up_to_the_first_hyphen_says_the_protocol(void)
{
	static const struct row rows[] = {
		{"{port: 80, name: http}", "80 http http\n"},
		{"{port: 443, name: https}", "443 https https\n"},
		{"{port: 443, name: http}", "443 http http\n"},
		{"{port: 80, name: https}", "80 https https\n"},
		{"{port: 8080, name: http-api}", "8080 http http-api\n"},
		{"{port: 8443, name: https-api-v2}", "8443 https https-api-v2\n"},
		{"{port: 8443, name: https-}", "8443 https https-\n"},
		{"{port: 80, name: http, protocol: TCP}", "80 http http\n"},
		{"{port: 80, name: HTTP}", "80 http HTTP\nwarning: f:1:18: p.name: \"HTTP\" is "
					   "read as http: Kubernetes wants names in lower case\n"},
		{"{port: 8443, name: Https-x}",
		 "8443 https Https-x\nwarning: f:1:20: p.name: \"Https\" is read as https: "
		 "Kubernetes wants names in lower case\n"},
	};

	CHECK_ROWS(rows);
}

static void app_protocol_goes_before_the_name(void)
{
	static const struct row rows[] = {
		{"{port: 80, name: https, appProtocol: http}", "80 http https\n"},
		{"{port: 1, appProtocol: https}", "1 https\n"},
		{"{port: 1, name: grpc, appProtocol: HTTPS}", "1 https grpc\n"},
		{"{port: 1, appProtocol: kubernetes.io/ws}", "1 http\n"},
		{"{port: 1, appProtocol: kubernetes.io/wss}", "1 https\n"},
		{"{port: 80, appProtocol: \"\"}",
		 "80 http\nwarning: f:1:1: p: port 80 is taken as http: it has no name; name it "
		 "http, or set appProtocol\n"},
		{"{port: 80, name: http, appProtocol: kubernetes.io/h2c}",
		 "80 none http\nwarning: f:1:37: p.appProtocol: port 80 is not routed: "
		 "\"kubernetes.io/h2c\" is not supported: HTTP/2 is not spoken here; if the server "
		 "takes HTTP/1.1 too, call the port http or https\n"},
		{"{port: 80, appProtocol: http-x}",
		 "80 none\nwarning: f:1:25: p.appProtocol: port 80 is not routed: \"http-x\" is "
		 "not supported: only http and https are\n"},
		{"{port: 80, appProtocol: example.com/foo}",
		 "80 none\nwarning: f:1:25: p.appProtocol: port 80 is not routed: "
		 "\"example.com/foo\" is not supported: only http and https are\n"},
	};

	CHECK_ROWS(rows);
}

static void protocols_that_are_not_routed_say_why(void)
{
	static const char *const names[] = {"http2", "http2-x",	  "h2c", "grpc", "grpc-web",
					    "tcp",   "tcp-mysql", "udp", "tls",	 "mongo",
					    "redis", "mysql",	  "GRPC"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char storage[2048], text[100];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		snprintf(text, sizeof text, "{port: 80, name: %s}", names[i]);
		read_port(text, &out);
		CHECK_ROW(storage, strncmp(storage, "80 none ", 8) == 0);
		CHECK_ROW(storage,
			  strstr(storage, "warning: f:1:18: p.name: port 80 is not routed: \"") !=
				  NULL);
		CHECK_ROW(storage, strstr(storage, "\" is not supported: ") != NULL);
	}
}

static void without_a_protocol_80_and_443_are_guessed_with_a_warning(void)
{
	static const struct row rows[] = {
		{"{port: 80}", "80 http\nwarning: f:1:1: p: port 80 is taken as http: it has no "
			       "name; name it http, or set appProtocol\n"},
		{"{port: 443}", "443 https\nwarning: f:1:1: p: port 443 is taken as https: it has "
				"no name; name it https, or set appProtocol\n"},
		{"{port: 8080}", "8080 none\nwarning: f:1:1: p: port 8080 is not routed: it has no "
				 "name; name it http or https, or set appProtocol\n"},
		{"{port: 80, name: web}",
		 "80 http web\nwarning: f:1:18: p.name: port 80 is taken as http: \"web\" is no "
		 "protocol; name it http, or set appProtocol\n"},
	};

	CHECK_ROWS(rows);
}

static void udp_and_sctp_are_not_routed(void)
{
	static const struct row rows[] = {
		{"{port: 80, name: http, protocol: UDP}",
		 "80 none http\nwarning: f:1:34: p.protocol: port 80 is not routed: HTTP goes over "
		 "TCP\n"},
		{"{port: 80, appProtocol: http, protocol: SCTP}",
		 "80 none\nwarning: f:1:41: p.protocol: port 80 is not routed: HTTP goes over "
		 "TCP\n"},
	};

	CHECK_ROWS(rows);
}

static void what_kubectl_refuses_is_an_error(void)
{
	static const struct row rows[] = {
		{"{name: http}", "-\nf:1:1: p.port: missing\n"},
		{"{port: null, name: http}", "-\nf:1:1: p.port: missing\n"},
		{"{port: \"80\"}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"80\" in quotes\n"},
		{"{port: 0}", "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"0\"\n"},
		{"{port: 65536}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"65536\"\n"},
		{"{port: -80}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"-80\"\n"},
		{"{port: 80.5}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"80.5\"\n"},
		{"{port: 0x50}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"0x50\"\n"},
		{"{port: http}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"http\"\n"},
		{"{port: true}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"true\"\n"},
		{"{port: [80]}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found a list\n"},
		{"{port: 80, name: http, protocol: HTTP}",
		 "-\nf:1:34: p.protocol: expected TCP, UDP or SCTP, found \"HTTP\": http and https "
		 "go into name\n"},
		{"{port: 80, name: http, protocol: tcp}",
		 "-\nf:1:34: p.protocol: expected TCP, UDP or SCTP, found \"tcp\": http and https "
		 "go into name\n"},
		{"{port: 99999, protocol: x}",
		 "-\nf:1:8: p.port: expected a number from 1 to 65535, found \"99999\"\nf:1:25: "
		 "p.protocol: expected TCP, UDP or SCTP, found \"x\": http and https go into "
		 "name\n"},
		{"[80]", "-\nf:1:1: p: expected a mapping with port and name, found a list\n"},
		{"80", "-\nf:1:1: p: expected a mapping with port and name, found a number\n"},
	};

	CHECK_ROWS(rows);
}

static void the_port_itself_is_called_whatever_targetPort_says(void)
{
	static const struct row rows[] = {
		{"{port: 80, name: http, targetPort: 80}", "80 http http\n"},
		{"{port: 80, name: http, targetPort: 8080}",
		 "80 http http\nwarning: f:1:36: p.targetPort: \"8080\" is ignored: port 80 itself "
		 "is called at an external name\n"},
		{"{port: 80, name: http, targetPort: web}",
		 "80 http http\nwarning: f:1:36: p.targetPort: \"web\" is ignored: port 80 itself "
		 "is called at an external name\n"},
		{"{port: 80, name: http, nodePort: 30000}", "80 http http\n"},
	};

	CHECK_ROWS(rows);
}

static void a_misspelt_key_is_named(void)
{
	static const struct row rows[] = {
		{"{prot: 80, name: http}", "-\nwarning: f:1:2: p: unknown key \"prot\": did you "
					   "mean port\nf:1:1: p.port: missing\n"},
		{"{port: 80, appprotocol: http}",
		 "80 http\nwarning: f:1:12: p: unknown key \"appprotocol\": did you mean "
		 "appProtocol\nwarning: f:1:1: p: port 80 is taken as http: it has no name; name "
		 "it http, or set appProtocol\n"},
	};

	CHECK_ROWS(rows);
}

UNIT_TESTS(TEST(name_up_to_the_first_hyphen_says_the_protocol),
	   TEST(app_protocol_goes_before_the_name), TEST(protocols_that_are_not_routed_say_why),
	   TEST(without_a_protocol_80_and_443_are_guessed_with_a_warning),
	   TEST(udp_and_sctp_are_not_routed), TEST(what_kubectl_refuses_is_an_error),
	   TEST(the_port_itself_is_called_whatever_targetPort_says), TEST(a_misspelt_key_is_named))
