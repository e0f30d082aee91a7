#include "standin.h"

#include "base/alloc.h"
#include "kubeapi/credentials.h"

#define CERTS "tests/data/tls/"

/* A folder of this program's, and what was told. */
static char folder[64];
static char told_storage[4096];
static struct buf told;

static void keep(struct diag *d, enum diag_level level, const char *text)
{
	(void)d;
	(void)level;
	buf_printf(&told, "%s\n", text);
}

static const char *path_of(const char *file)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	if (folder[0] == '\0') {
		strcpy(folder, "/tmp/test_credentials.XXXXXX");
		CHECK(mkdtemp(folder) != NULL);
	}
	snprintf(path, sizeof paths[0], "%s/%s", folder, file);
	return path;
}

static const char *write_file(const char *file, const char *text)
{
	const char *path = path_of(file);
	FILE *f = fopen(path, "w");

	CHECK(f != NULL);
	fputs(text, f);
	fclose(f);
	return path;
}

static void remove_files(void)
{
	static const char *const files[] = {"token", "config", "other", "ca.crt"};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		unlink(path_of(files[i]));
	rmdir(folder);
	folder[0] = '\0';
}

static void takes_the_service_account_of_a_pod(void)
{
	static const struct {
		const char *host, *port, *server;
	} rows[] = {
		{"10.96.0.1", "443", "https://10.96.0.1:443"},
		{"fd00::1", "6443", "https://[fd00::1]:6443"},
		{"10.96.0.1", NULL, "https://10.96.0.1:443"},
		{"kubernetes.default.svc", "", "https://kubernetes.default.svc:443"},
	};
	const char *token = write_file("token", "t");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct credentials c;
		struct error e;

		if (!credentials_in_cluster(&c, rows[i].host, rows[i].port, token,
					    CERTS "ca-addr.pem", &e))
			unit_fail(__FILE__, __LINE__, "%s", e.text);
		CHECK_SPAN(c.config.server, rows[i].server);
		CHECK_TEXT(c.config.token_file, token);
		CHECK_INT(anchors_count(c.config.anchors), 1);
		credentials_fini(&c);
	}
	remove_files();
}

static void says_what_a_pod_lacks(void)
{
	static const struct {
		const char *host, *port, *token, *ca, *why;
	} rows[] = {
		{NULL, "443", "", "", "not in a cluster: KUBERNETES_SERVICE_HOST is not set"},
		{"", "443", "", "", "not in a cluster: KUBERNETES_SERVICE_HOST is not set"},
		{"10.0.0.1", "x", "", "",
		 "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: \"https://10.0.0.1:x\": "
		 "port is "
		 "not a number from 1 to 65535; expected https://HOST:PORT"},
		{"10.0.0.1", "443", "/nowhere/token", CERTS "ca-addr.pem",
		 "/nowhere/token: no such file: is automountServiceAccountToken false for this "
		 "pod?"},
		{"10.0.0.1", "443", CERTS "make.sh", "/nowhere/ca.crt", "/nowhere/ca.crt: "},
		{"10.0.0.1", "443", CERTS "make.sh", CERTS "make.sh", CERTS "make.sh: "},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct credentials c;
		struct error e;

		CHECK_ROW(rows[i].why, !credentials_in_cluster(&c, rows[i].host, rows[i].port,
							       rows[i].token, rows[i].ca, &e));
		if (strncmp(e.text, rows[i].why, strlen(rows[i].why)) != 0)
			unit_fail(__FILE__, __LINE__, "says '%s', expected '%s'", e.text,
				  rows[i].why);
		credentials_fini(&c);
	}
}

static void takes_what_options_say(void)
{
	struct credentials c;
	struct error e;

	CHECK(credentials_from_server(&c, "https://10.0.0.1", "token", CERTS "ca-addr.pem", NULL,
				      &e));
	CHECK_SPAN(c.config.server, "https://10.0.0.1");
	CHECK_TEXT(c.config.token_file, "token");
	CHECK(c.config.anchors != NULL);
	credentials_fini(&c);
	CHECK(credentials_from_server(&c, "http://127.0.0.1:8001", NULL, NULL, NULL, &e));
	CHECK(c.config.anchors == NULL && c.config.token_file == NULL);
	credentials_fini(&c);
	CHECK(!credentials_from_server(&c, "10.0.0.1", NULL, NULL, NULL, &e));
	CHECK(strncmp(e.text, "server: \"10.0.0.1\": neither", 27) == 0);
	credentials_fini(&c);
	CHECK(!credentials_from_server(&c, "https://a", NULL, "/nowhere/ca", NULL, &e));
	CHECK(strncmp(e.text, "/nowhere/ca: ", 13) == 0);
	credentials_fini(&c);
}

static void add_base64(struct buf *out, const char *path)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct arena arena;
	struct span text;
	struct error e;

	arena_init(&arena, 1 << 20);
	CHECK(file_read(&arena, path, 1 << 16, &text, &e));
	for (size_t i = 0; i < text.len; i += 3) {
		unsigned bits = 0;

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (i + j < text.len ? (unsigned char)text.ptr[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			buf_add_byte(out,
				     i + j > text.len ? '=' : digits[bits >> (18 - 6 * j) & 63]);
	}
	arena_fini(&arena);
}

/* What stands between the entries is data, a file, or nothing. */
static const char *write_config(const char *server, const char *authority, const char *user)
{
	static char text[32768];

	snprintf(text, sizeof text,
		 "current-context: c\n"
		 "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
		 "clusters:\n- name: c\n  cluster:\n    server: %s\n    %s\n"
		 "users:\n- name: u\n  user:\n    %s\n",
		 server, authority, user);
	return write_file("config", text);
}

static bool load(struct credentials *c, const char *file, const struct anchors *otherwise)
{
	struct diag diag = {.emit = keep};
	bool ok;

	BUF_INIT_ARRAY(&told, told_storage);
	ok = credentials_from_kubeconfig(c, &file, 1, NULL, NULL, otherwise, &diag);
	CHECK(ok == (diag.errors == 0));
	return ok;
}

static void takes_a_kubeconfig_with_data(void)
{
	char authority_text[4096], user_text[8192];
	struct buf authority, user;
	struct credentials c;

	BUF_INIT_ARRAY(&authority, authority_text);
	buf_add_cstr(&authority, "certificate-authority-data: ");
	add_base64(&authority, CERTS "ca-addr.pem");
	BUF_INIT_ARRAY(&user, user_text);
	buf_add_cstr(&user, "client-certificate-data: ");
	add_base64(&user, CERTS "client-p256.pem");
	buf_add_cstr(&user, "\n    client-key-data: ");
	add_base64(&user, CERTS "client-p256.sec1.key");
	if (!load(&c, write_config("https://127.0.0.1:6443", authority_text, user_text), NULL))
		unit_fail(__FILE__, __LINE__, "%s", told_storage);
	CHECK_SPAN(c.config.server, "https://127.0.0.1:6443");
	CHECK_SPAN(c.context, "c");
	CHECK_INT(anchors_count(c.config.anchors), 1);
	CHECK(c.config.keypair != NULL);
	CHECK(c.config.token_file == NULL && c.config.token.len == 0);
	credentials_fini(&c);
	remove_files();
}

static void takes_a_kubeconfig_with_files_beside_it(void)
{
	struct credentials c;

	write_file("ca.crt", "");
	CHECK(!load(&c, write_config("https://a", "certificate-authority: ca.crt", "token: t"),
		    NULL));
	CHECK(strstr(told_storage, "/config:7:28: clusters[0].cluster.certificate-authority: ") !=
	      NULL);
	credentials_fini(&c);
	CHECK(!load(&c, write_config("https://a", "certificate-authority: gone.crt", "token: t"),
		    NULL));
	CHECK(strstr(told_storage, "cluster.certificate-authority: ") != NULL);
	CHECK(strstr(told_storage, "/gone.crt") != NULL);
	credentials_fini(&c);
	CHECK(load(&c, write_config("http://a", "", "tokenFile: token"), NULL));
	CHECK_TEXT(c.config.token_file, path_of("token"));
	credentials_fini(&c);
	remove_files();
}

static void trusts_otherwise_where_no_authority_is_given(void)
{
	struct anchors *public_ones = (struct anchors *)1; /* not looked into */
	struct credentials c;

	CHECK(load(&c, write_config("https://a", "", "token: t"), public_ones));
	CHECK(c.config.anchors == public_ones);
	CHECK_SPAN(c.config.token, "t");
	credentials_fini(&c);
	CHECK(!load(&c, write_config("https://a", "", "token: t"), NULL));
	CHECK(strstr(told_storage,
		     "/config:6:13: clusters[0].cluster.server: neither certificate-authority nor "
		     "certificate-authority-data\n") != NULL);
	credentials_fini(&c);
	remove_files();
}

static void says_where_it_is_wrong_and_never_the_secret(void)
{
	static const struct {
		const char *server, *authority, *user, *part;
	} rows[] = {
		{"a:6443", "certificate-authority-data: AAAA", "token: t",
		 "config:6:13: clusters[0].cluster.server: \"a:6443\": neither https://"},
		{"https://a", "certificate-authority-data: A$AA", "token: t",
		 "config:7:33: clusters[0].cluster.certificate-authority-data: not base64 from "
		 "byte 2 "
		 "on"},
		{"https://a", "certificate-authority-data: AAAA", "token: t",
		 "config:7:33: clusters[0].cluster.certificate-authority-data: "},
		{"https://a", "certificate-authority-data: AAA", "token: t",
		 "not base64 from byte 4 on"},
		{"https://a", "",
		 "client-certificate-data: U0VDUkVU\n    client-key-data: U0VDUkVU",
		 "config:11:30: users[0].user.client-certificate-data: certificate: no "
		 "certificate"},
		{"https://a", "", "client-certificate-data: AAAA\n    client-key: /nowhere/key",
		 "config:12:17: users[0].user.client-key: /nowhere/key: "},
		{"https://a", "", "client-certificate: /nowhere/c\n    client-key-data: U0VDUkVU",
		 "config:11:25: users[0].user.client-certificate: /nowhere/c: "},
		{"https://a", "", "exec: {command: aws}",
		 "config:11:5: users[0].user.exec: \"aws\" would have to be run for a token, which "
		 "is "
		 "not done here; where kubectl works, pipe its output to here: kubectl get nodes "
		 "-o "
		 "json\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct credentials c;

		CHECK_ROW(rows[i].part,
			  !load(&c, write_config(rows[i].server, rows[i].authority, rows[i].user),
				(struct anchors *)1));
		if (strstr(told_storage, rows[i].part) == NULL)
			unit_fail(__FILE__, __LINE__, "told '%s', expected '%s'", told_storage,
				  rows[i].part);
		CHECK(strstr(told_storage, "SECRET") == NULL);
		credentials_fini(&c);
	}
	remove_files();
}

static void passes_over_files_of_many_that_are_not_there(void)
{
	struct diag diag = {.emit = keep};
	const char *files[3] = {path_of("gone"), NULL, "/nowhere/config"};
	struct credentials c;

	BUF_INIT_ARRAY(&told, told_storage);
	files[1] = write_config("http://a", "", "tokenFile: x");
	CHECK(credentials_from_kubeconfig(&c, files, 3, "c", NULL, NULL, &diag));
	credentials_fini(&c);
	files[1] = "/nowhere/other";
	CHECK(!credentials_from_kubeconfig(&c, files, 3, "c", NULL, NULL, &diag));
	CHECK_INT(diag.errors, 1);
	CHECK(strncmp(told_storage, "/nowhere/config: ", 17) == 0);
	credentials_fini(&c);
	CHECK(!credentials_from_kubeconfig(&c, files, 1, "c", NULL, NULL, &diag));
	credentials_fini(&c);
	CHECK(!credentials_from_kubeconfig(&c, files, 0, "c", NULL, NULL, &diag));
	credentials_fini(&c);
	remove_files();
}

static void survives_every_lack_of_memory(void)
{
	const char *file = write_config("https://a", "", "token: t");
	bool ok = false;

	for (int n = 0; n < 2000 && !ok; n++) {
		struct diag diag = {.emit = NULL};
		struct credentials c;

		alloc_fail_after(n);
		ok = credentials_from_kubeconfig(&c, &file, 1, NULL, NULL, (struct anchors *)1,
						 &diag);
		alloc_fail_after(-1);
		CHECK(ok == (diag.errors == 0));
		credentials_fini(&c);
	}
	CHECK(ok);
	remove_files();
}

/* From the kubeconfig to the answer. */
static void leads_to_an_answer(void)
{
	char server[64], authority[256], user[512], path[64] = "/echo";
	struct client_answer answer;
	struct credentials c;
	struct client *client;
	struct error e;

	snprintf(server, sizeof server, "https://127.0.0.1:%u", standin_port("clients"));
	snprintf(authority, sizeof authority, "certificate-authority: %s", standin_path("ca.pem"));
	snprintf(user, sizeof user, "client-certificate: %s\n    client-key: %s",
		 standin_path("client.pem"), standin_path("client.key"));
	if (!load(&c, write_config(server, authority, user), NULL))
		unit_fail(__FILE__, __LINE__, "%s", told_storage);
	client = client_new(&c.config, &e);
	CHECK(client != NULL);
	if (!client_get(client, path, NULL, &answer))
		unit_fail(__FILE__, __LINE__, "%s", answer.error.text);
	client_free(client);
	credentials_fini(&c);
	remove_files();
}

UNIT_TESTS(TEST(takes_the_service_account_of_a_pod), TEST(says_what_a_pod_lacks),
	   TEST(takes_what_options_say), TEST(takes_a_kubeconfig_with_data),
	   TEST(takes_a_kubeconfig_with_files_beside_it),
	   TEST(trusts_otherwise_where_no_authority_is_given),
	   TEST(says_where_it_is_wrong_and_never_the_secret),
	   TEST(passes_over_files_of_many_that_are_not_there), TEST(survives_every_lack_of_memory),
	   TEST(leads_to_an_answer))
