#include "../unit.h"

#include "cidr/ladder.h"

/* A server of paths and what they answer; all else is not there. */
struct page {
	const char *path; /* up to what it has behind `?` */
	enum client_reason reason;
	const char *body;
};

static const struct page *pages;
static size_t page_count;
static char asked[4096];

static bool get(void *context, const char *path, const struct client_sink *sink,
		struct client_answer *answer)
{
	(void)context;
	strncat(asked, path, sizeof asked - strlen(asked) - 2);
	strcat(asked, "\n");
	*answer = (struct client_answer){.reason = CLIENT_NOT_FOUND};
	for (size_t i = 0; i < page_count; i++) {
		size_t len = strlen(pages[i].path);

		if (strncmp(path, pages[i].path, len) != 0 || (path[len] != 0 && path[len] != 0x3f))
			continue;
		answer->reason = pages[i].reason;
		snprintf(answer->error.text, sizeof answer->error.text, "server: %d",
			 pages[i].reason);
		if (pages[i].reason == CLIENT_OK &&
		    !sink->on_piece(sink->context, span_from_cstr(pages[i].body)))
			answer->reason = CLIENT_STOPPED;
		break;
	}
	return answer->reason == CLIENT_OK;
}

static char found[512];
static struct error e;
static struct ladder ladder;
static bool guesses;

static bool climb(const struct page *list, size_t count)
{
	static struct clusterfind find;
	struct ladder_server server = {get, NULL, NULL};
	struct diag diag = {.emit = NULL};
	struct clusterinfo info;
	struct arena arena;
	struct buf b;
	bool ok;

	pages = list;
	page_count = count;
	asked[0] = e.text[0] = '\0';
	arena_init(&arena, 1 << 20);
	clusterinfo_init(&info, &arena);
	clusterfind_init(&find, &info, &diag);
	ladder = (struct ladder){.server = &server,
				 .find = &find,
				 .info = &info,
				 .guesses = guesses,
				 .wants = {true, true}};
	ok = ladder_climb(&ladder, &e);
	BUF_INIT_ARRAY(&b, found);
	for (size_t i = 0; i < info.count; i++) {
		range_format(&info.list[i].range, &b);
		buf_add_byte(&b, ' ');
	}
	clusterfind_fini(&find);
	clusterinfo_fini(&info);
	arena_fini(&arena);
	return ok;
}

#define CIDRS "/apis/networking.k8s.io/v1/servicecidrs"
#define KUBEADM "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
#define LIST "{\"kind\":\"ServiceCIDRList\",\"items\":[{\"spec\":{\"cidrs\":[\"10.96.0.0/16\"]}}]}"
#define CONFIG                                                                                     \
	"{\"kind\":\"ConfigMap\",\"data\":{\"ClusterConfiguration\":\"kind: "                      \
	"ClusterConfiguration\\nnetworking:\\n  podSubnet: 10.4.0.0/14\\n\"}}"

static void stops_when_both_roles_are_known(void)
{
	static const struct page list[] = {{CIDRS, CLIENT_OK, LIST}, {KUBEADM, CLIENT_OK, CONFIG}};

	CHECK(climb(list, 2));
	CHECK_TEXT(found, "10.96.0.0/16 10.4.0.0/14 ");
	CHECK(strstr(asked, CIDRS "?limit=500\n") != NULL);
	CHECK(strstr(asked, "/nodes") == NULL);
	CHECK(strstr(asked, "services/kubernetes") == NULL);
}

static void goes_on_behind_what_is_forbidden(void)
{
	static const struct page list[] = {{CIDRS, CLIENT_FORBIDDEN, ""},
					   {KUBEADM, CLIENT_OK, CONFIG}};

	CHECK(climb(list, 2));
	CHECK_TEXT(found, "10.4.0.0/14 ");
	CHECK_INT(ladder.forbidden, 1);
	CHECK_TEXT(ladder.first_forbidden, CIDRS);
	CHECK(strstr(asked, "services/kubernetes") != NULL);
}

static void ends_when_the_server_cannot_be_asked(void)
{
	static const struct page list[] = {{CIDRS, CLIENT_UNREACHABLE, ""},
					   {KUBEADM, CLIENT_OK, CONFIG}};

	CHECK(!climb(list, 2));
	CHECK_TEXT(found, "");
	CHECK(strncmp(e.text, "server: ", 8) == 0);
}

static void a_broken_answer_ends_it_with_its_place(void)
{
	static const struct page list[] = {{CIDRS, CLIENT_OK, "{\"items\":[}"}};

	CHECK(!climb(list, 1));
	CHECK_TEXT(e.text, CIDRS ":1:11: expected a JSON value");
}

static void addresses_are_asked_for_only_when_a_guess_is_wanted(void)
{
	climb(NULL, 0);
	CHECK(strstr(asked, "/default/services/kubernetes\n") != NULL);
	CHECK(strstr(asked, "/api/v1/services?") == NULL);
	guesses = true;
	climb(NULL, 0);
	guesses = false;
	CHECK(strstr(asked, "/api/v1/services?limit=500\n") != NULL);
	CHECK(strstr(asked, "/api/v1/pods?limit=500\n") != NULL);
}

static void prints_roles_for_what_is_asked_and_no_more(void)
{
	char storage[4096];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	ladder_rbac(false, false, &b);
	CHECK(span_starts_with(buf_span(&b), SPAN("apiVersion: rbac.authorization.k8s.io/v1\n")));
	CHECK(strstr(storage, "namespace: kube-flannel\nrules:\n") != NULL);
	CHECK(strstr(storage, "create") == NULL && strstr(storage, "services, pods") == NULL);
	buf_clear(&b);
	ladder_rbac(true, true, &b);
	CHECK(strstr(storage, "verbs: [create]\n") != NULL);
	CHECK(strstr(storage, "resources: [nodes, services, pods]\n") != NULL);
	CHECK(!b.truncated);
}

UNIT_TESTS(TEST(stops_when_both_roles_are_known), TEST(goes_on_behind_what_is_forbidden),
	   TEST(ends_when_the_server_cannot_be_asked), TEST(a_broken_answer_ends_it_with_its_place),
	   TEST(addresses_are_asked_for_only_when_a_guess_is_wanted),
	   TEST(prints_roles_for_what_is_asked_and_no_more))
