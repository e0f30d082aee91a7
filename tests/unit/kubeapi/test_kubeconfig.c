#include "../unit.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "kubeapi/kubeconfig.h"

/* All complaints, a line each. */
struct reading {
	struct diag diag;
	struct buf told;
	char storage[4096];
	struct arena arena;
	struct kubeconfig k;
};

static void keep(struct diag *d, enum diag_level level, const char *text)
{
	struct reading *r = d->context;

	buf_printf(&r->told, "%s%s\n", level == DIAG_ERROR ? "" : "warning: ", text);
}

static void begin(struct reading *r)
{
	*r = (struct reading){.diag = {.emit = keep}};
	r->diag.context = r;
	BUF_INIT_ARRAY(&r->told, r->storage);
	arena_init(&r->arena, 1 << 20);
}

static bool read_one(struct reading *r, const char *text, const char *context)
{
	const struct kubeconfig_file file = {"dir/config", span_from_cstr(text)};

	return kubeconfig_read(&file, 1, span_from_cstr(context), "kubectl get x", &r->arena,
			       &r->diag, &r->k);
}

#define GIVEN(field) ((field).text.ptr != NULL)

static const char whole[] = "apiVersion: v1\n"
			    "kind: Config\n"
			    "current-context: dev\n"
			    "preferences: {}\n"
			    "contexts:\n"
			    "- name: prod\n"
			    "  context: {cluster: p, user: exec}\n"
			    "- context:\n"
			    "    cluster: kind-kind\n"
			    "    user: kind-kind\n"
			    "    namespace: x\n"
			    "  name: dev\n"
			    "- {name: nobody, context: {cluster: p}}\n"
			    "- {name: 7, context: {cluster: p, user: token}}\n"
			    "clusters:\n"
			    "- name: kind-kind\n"
			    "  cluster:\n"
			    "    certificate-authority-data: Zm9v\n"
			    "    server: https://127.0.0.1:41235\n"
			    "    tls-server-name: kubernetes\n"
			    "    insecure-skip-tls-verify: false\n"
			    "- name: p\n"
			    "  cluster: {server: 'https://p.test', certificate-authority: ca.crt}\n"
			    "users:\n"
			    "- name: kind-kind\n"
			    "  user:\n"
			    "    client-certificate-data: YQ==\n"
			    "    client-key: /abs/key\n"
			    "- name: token\n"
			    "  user: {token: abc, tokenFile: ../token}\n"
			    "- name: exec\n"
			    "  user:\n"
			    "    exec:\n"
			    "      command: gke-gcloud-auth-plugin\n";

static void reads_the_current_context(void)
{
	struct reading r;

	begin(&r);
	CHECK(read_one(&r, whole, ""));
	CHECK_TEXT(buf_cstr(&r.told), "");
	CHECK_SPAN(r.k.context, "dev");
	CHECK_SPAN(r.k.server.text, "https://127.0.0.1:41235");
	CHECK_TEXT(r.k.server.path, "clusters[0].cluster.server");
	CHECK_TEXT(r.k.server.file, "dir/config");
	CHECK_INT(r.k.server.pos.line, 19);
	CHECK_SPAN(r.k.tls_server_name.text, "kubernetes");
	CHECK_SPAN(r.k.ca_data.text, "Zm9v");
	CHECK_SPAN(r.k.cert_data.text, "YQ==");
	CHECK_SPAN(r.k.key_file.text, "/abs/key");
	CHECK(!GIVEN(r.k.ca_file) && !GIVEN(r.k.token) && !GIVEN(r.k.token_file) &&
	      !GIVEN(r.k.cert_file) && !GIVEN(r.k.key_data));
	kubeconfig_report(&r.diag, &r.k.key_file, "is %s", "bad");
	CHECK_TEXT(buf_cstr(&r.told), "dir/config:28:17: users[0].user.client-key: is bad\n");
	arena_fini(&r.arena);
}

static void reads_the_context_that_is_named(void)
{
	struct reading r;

	begin(&r);
	CHECK(read_one(&r, whole, "nobody"));
	CHECK_SPAN(r.k.server.text, "https://p.test");
	CHECK_SPAN(r.k.ca_file.text, "dir/ca.crt");
	CHECK(!GIVEN(r.k.token) && !GIVEN(r.k.cert_file));
	CHECK(read_one(&r, whole, "7"));
	CHECK_SPAN(r.k.token.text, "abc");
	CHECK_SPAN(r.k.token_file.text, "dir/../token");
	arena_fini(&r.arena);
}

/* As $KUBECONFIG has them: the first entry of a name counts, wherever. */
static void reads_several_files_as_one(void)
{
	const struct kubeconfig_file files[] = {
		{"a", SPAN("users: [{name: u, user: {token: first}}]\n")},
		{"b", SPAN("")},
		{"sub/c", SPAN("current-context: c\n"
			       "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
			       "clusters: [{name: c, cluster: {server: 'https://c', "
			       "certificate-authority: ca}}]\n"
			       "users: [{name: u, user: {token: second}}]\n")},
		{"d", SPAN("current-context: d\ncontexts: null\n")},
	};
	struct reading r;

	begin(&r);
	CHECK(kubeconfig_read(files, 4, SPAN(""), NULL, &r.arena, &r.diag, &r.k));
	CHECK_SPAN(r.k.context, "c");
	CHECK_SPAN(r.k.token.text, "first");
	CHECK_TEXT(r.k.token.file, "a");
	CHECK_SPAN(r.k.ca_file.text, "sub/ca");
	CHECK(!kubeconfig_read(files, 0, SPAN(""), NULL, &r.arena, &r.diag, &r.k));
	arena_fini(&r.arena);
}

static void reads_json(void)
{
	struct reading r;

	begin(&r);
	CHECK(read_one(&r,
		       "{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":"
		       "{\"cluster\":\"c\",\"user\":\"\"}}],\"clusters\":[{\"name\":\"c\","
		       "\"cluster\":{\"server\":\"https:\\/\\/c\"}}],\"users\":null}",
		       ""));
	CHECK_SPAN(r.k.server.text, "https://c");
	arena_fini(&r.arena);
}

#define CONTEXT                                                                                    \
	"current-context: c\n"                                                                     \
	"contexts: [{name: c, context: {cluster: c, user: u}}]\n"
#define CLUSTER "clusters: [{name: c, cluster: {server: 'https://c'}}]\n"
#define PIPE "where kubectl works, pipe its output to here: kubectl get x\n"

static void says_where_it_is_wrong_and_why(void)
{
	static const struct {
		const char *text, *context, *told;
	} rows[] = {
		{"", "", "dir/config: current-context: not set; expected the name of a context\n"},
		{"[]", "",
		 "dir/config:1:1: expected a kubeconfig, a mapping with contexts, clusters and "
		 "users\n"},
		{"contexts: []\n", "",
		 "dir/config: current-context: not set; expected the name of a context\n"},
		{whole, "dve",
		 "dir/config: no entry \"dve\" in contexts; there are: prod, dev, nobody, 7\n"},
		{"current-context: gone\n", "", "dir/config: no entry \"gone\" in contexts\n"},
		{whole, "prod",
		 "dir/config:33:5: users[2].user.exec: \"gke-gcloud-auth-plugin\" would have to be "
		 "run for a token, which is not done here; " PIPE},
		{CONTEXT "clusters: [{name: d, cluster: {}}]\n", "",
		 "dir/config:2:41: contexts[0].context.cluster: no entry \"c\" in clusters; there "
		 "are: "
		 "d\n"
		 "dir/config:2:50: contexts[0].context.user: no entry \"u\" in users\n"},
		{"current-context: c\ncontexts: [{name: c, context: {}}]\n", "",
		 "dir/config:2:31: contexts[0].context.cluster: missing\n"},
		{"current-context: c\ncontexts: [{name: c}]\n", "",
		 "dir/config:2:12: contexts[0].context: expected a mapping\n"},
		{CONTEXT "clusters: [{name: c, cluster: {}}]\nusers: [{name: u, user: {}}]\n", "",
		 "dir/config:3:31: clusters[0].cluster.server: missing\n"},
		{CONTEXT "clusters:\n- name: c\n  cluster:\n    server: https://c\n"
			 "    insecure-skip-tls-verify: true\n    proxy-url: http://proxy:3128\n"
			 "users: [{name: u, user: {}}]\n",
		 "",
		 "dir/config:7:31: clusters[0].cluster.insecure-skip-tls-verify: the server is "
		 "always "
		 "verified here; give its certificate-authority, and tls-server-name where it has "
		 "another name\n"
		 "dir/config:8:16: clusters[0].cluster.proxy-url: proxies are not used "
		 "here; " PIPE},
		{CONTEXT CLUSTER "users: [{name: u, user: {auth-provider: {name: oidc}}}]\n", "",
		 "dir/config:4:26: users[0].user.auth-provider: \"oidc\" is not known here; " PIPE},
		{CONTEXT CLUSTER "users: [{name: u, user: {username: a, password: b}}]\n", "",
		 "dir/config:4:36: users[0].user.username: passwords are not used here, nor by API "
		 "servers since 1.19; expected a token or a client-certificate\n"},
		{CONTEXT CLUSTER "users: [{name: u, user: {token: t, as: root, as-groups: [g]}}]\n",
		 "",
		 "dir/config:4:40: users[0].user.as: impersonation is not done here\n"
		 "dir/config:4:57: users[0].user.as-groups: impersonation is not done here\n"},
		{CONTEXT CLUSTER "users: [{name: u, user: {client-certificate: x}}]\n", "",
		 "dir/config:4:25: users[0].user: expected both a client-certificate and a "
		 "client-key, "
		 "or neither\n"},
		{CONTEXT CLUSTER "users: [{name: u, user: {token: \"a\\0b\"}}]\n", "",
		 "dir/config:4:33: users[0].user.token: a NUL in a text\n"},
		{CONTEXT CLUSTER "users: [{name: u, user: {tokenfile: x}}]\n", "",
		 "warning: dir/config:4:26: users[0].user: unknown key \"tokenfile\": did you "
		 "mean "},
		{CONTEXT "clusters: {name: c}\nusers: []\n", "", "dir/config:3:11: clusters: "},
		{"a: [", "", "dir/config:"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].told);
		bool is_whole = len > 0 && rows[i].told[len - 1] == '\n';
		struct reading r;
		bool ok;

		begin(&r);
		ok = read_one(&r, rows[i].text, rows[i].context);
		CHECK_ROW(rows[i].text, ok == (r.diag.errors == 0));
		if (strncmp(buf_cstr(&r.told), rows[i].told, is_whole ? len + 1 : len) != 0)
			unit_fail(__FILE__, __LINE__, "[%s] told '%s', expected '%s'", rows[i].text,
				  buf_cstr(&r.told), rows[i].told);
		arena_fini(&r.arena);
	}
}

static void does_not_run_a_plugin_that_a_token_makes_needless(void)
{
	struct reading r;

	begin(&r);
	CHECK(read_one(&r,
		       CONTEXT CLUSTER "users: [{name: u, user: {token: t, exec: {command: x}}}]\n",
		       ""));
	CHECK_SPAN(r.k.token.text, "t");
	arena_fini(&r.arena);
}

static void survives_every_lack_of_memory(void)
{
	for (int n = 0; n < 2000; n++) {
		struct reading r;
		bool ok;

		begin(&r);
		alloc_fail_after(n);
		ok = read_one(&r, whole, "");
		alloc_fail_after(-1);
		CHECK(ok == (r.diag.errors == 0));
		arena_fini(&r.arena);
		if (ok)
			return;
	}
	CHECK(false);
}

UNIT_TESTS(TEST(reads_the_current_context), TEST(reads_the_context_that_is_named),
	   TEST(reads_several_files_as_one), TEST(reads_json), TEST(says_where_it_is_wrong_and_why),
	   TEST(does_not_run_a_plugin_that_a_token_makes_needless),
	   TEST(survives_every_lack_of_memory))
