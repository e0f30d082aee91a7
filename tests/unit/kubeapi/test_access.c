#include "../unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "kubeapi/access.h"
#include "sys/fd.h"

static char said[2048];

static void note(struct diag *d, enum diag_level level, const char *text)
{
	(void)d;
	(void)level;
	snprintf(said, sizeof said, "%s", text);
}

static char dir[64];

static char *put_kubeconfig(const char *name, const char *context, const char *server)
{
	static char paths[4][128], text[1024];
	static unsigned next;
	char *path = paths[next++ % 4];
	struct error e;
	int fd;

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	snprintf(text, sizeof text,
		 "current-context: %s\ncontexts: [{name: %s, context: {cluster: %s, user: u}}]\n"
		 "clusters: [{name: %s, cluster: {server: '%s'}}]\n"
		 "users: [{name: u, user: {}}]\n",
		 context, context, context, context, server);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd != -1 && fd_write_all(fd, span_from_cstr(text), &e));
	fd_close(&fd);
	return path;
}

/* The server's URL, or the error with "!" before it. */
static const char *server_of(const struct access *access)
{
	static char text[4096];
	struct diag diag = {.emit = note};
	struct credentials c;
	struct error e = {""};

	said[0] = '\0';
	if (access_credentials(access, &c, &diag, &e))
		snprintf(text, sizeof text, "%.*s", SPAN_ARG(c.config.server));
	else
		snprintf(text, sizeof text, "!%s", e.text[0] != '\0' ? e.text : said);
	credentials_fini(&c);
	return text;
}

static void takes_what_was_given_before_what_is_there(void)
{
	struct access a = {.server = "http://one:1", .kubeconfig = "x", .host = "10.0.0.1"};

	CHECK_TEXT(server_of(&a), "http://one:1");
	snprintf(dir, sizeof dir, "/tmp/test_access.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	a = (struct access){.kubeconfig = put_kubeconfig("two", "c", "http://two:2"),
			    .kubeconfig_env = "/nowhere",
			    .host = "10.0.0.1"};
	CHECK_TEXT(server_of(&a), "http://two:2");
	unlink(a.kubeconfig);
	CHECK(strstr(server_of(&a), "No such file") != NULL);
	rmdir(dir);
}

static void a_context_is_looked_for_where_kubectl_does(void)
{
	struct access a = {.context = "b"};
	char list[512], home[128];
	const char *one, *two;

	snprintf(dir, sizeof dir, "/tmp/test_access.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	one = put_kubeconfig("one", "a", "http://one:1");
	two = put_kubeconfig("two", "b", "http://two:2");
	snprintf(list, sizeof list, ":%s::%s:/nowhere", one, two);
	a.kubeconfig_env = list;
	CHECK_TEXT(server_of(&a), "http://two:2");
	a.context = "a";
	CHECK_TEXT(server_of(&a), "http://one:1");
	unlink(one);
	unlink(two);
	snprintf(home, sizeof home, "%s/.kube", dir);
	CHECK(mkdir(home, 0700) == 0);
	one = put_kubeconfig(".kube/config", "a", "http://home:3");
	a.kubeconfig_env = NULL;
	a.home = dir;
	CHECK_TEXT(server_of(&a), "http://home:3");
	a.kubeconfig_env = "";
	CHECK_TEXT(server_of(&a), "http://home:3");
	unlink(one);
	rmdir(home);
	rmdir(dir);
}

static void else_it_is_the_pods_service_account(void)
{
	struct access a = {.host = NULL};

	CHECK_TEXT(server_of(&a), "!not in a cluster: KUBERNETES_SERVICE_HOST is not set");
	a.host = "10.0.0.1";
	a.port = "6443";
	a.token_file = "/nowhere/token";
	CHECK(strstr(server_of(&a), "/nowhere/token: no such file") != NULL);
}

UNIT_TESTS(TEST(takes_what_was_given_before_what_is_there),
	   TEST(a_context_is_looked_for_where_kubectl_does),
	   TEST(else_it_is_the_pods_service_account))
