#include "cidr/ladder.h"

#include <string.h>

#include "kube/clusterread.h"

#define SERVICE_BIT (1u << CLUSTERKEYS_SERVICE)
#define POD_BIT (1u << CLUSTERKEYS_POD)

/* A step of the ladder; of those with one number all are taken. */
struct rung {
	unsigned number;
	unsigned roles; /* a bit for each that may be learnt */
	const char *path;
	bool is_list;
	bool is_guess; /* has only addresses, of which a guess can be made */
};

#define CONFIG_MAP(namespace, name) "/api/v1/namespaces/" namespace "/configmaps/" name
#define PODS_OF(component)                                                                         \
	"/api/v1/namespaces/kube-system/pods?labelSelector=component%3D" component

static const struct rung rungs[] = {
	{1, SERVICE_BIT, "/apis/networking.k8s.io/v1/servicecidrs", true, false},
	{2, SERVICE_BIT, "/apis/networking.k8s.io/v1beta1/servicecidrs", true, false},
	{3, SERVICE_BIT | POD_BIT, "/apis/config.openshift.io/v1/networks/cluster", false, false},
	{4, POD_BIT, CONFIG_MAP("kube-system", "cilium-config"), false, false},
	{4, POD_BIT, "/apis/cilium.io/v2/ciliumpodippools", true, false},
	{4, POD_BIT, "/apis/cilium.io/v2alpha1/ciliumpodippools", true, false},
	{5, SERVICE_BIT | POD_BIT, CONFIG_MAP("kube-system", "kubeadm-config"), false, false},
	{6, POD_BIT, CONFIG_MAP("kube-system", "kube-proxy"), false, false},
	{6, POD_BIT, CONFIG_MAP("kube-flannel", "kube-flannel-cfg"), false, false},
	{6, POD_BIT, CONFIG_MAP("kube-system", "kube-flannel-cfg"), false, false},
	{6, POD_BIT, "/apis/crd.projectcalico.org/v1/ippools", true, false},
	{7, SERVICE_BIT | POD_BIT, PODS_OF("kube-controller-manager"), true, false},
	{7, SERVICE_BIT, PODS_OF("kube-apiserver"), true, false},
	{8, POD_BIT, "/api/v1/nodes", true, false},
	{9, SERVICE_BIT, "/api/v1/namespaces/default/services/kubernetes", false, false},
	{9, SERVICE_BIT, "/api/v1/services", true, true},
	{9, POD_BIT, "/api/v1/pods", true, true},
};

#define PAGE 500
#define BODY_MAX ((uint64_t)1 << 30)

/* ---- One answer ---- */

struct body {
	struct clusterread reader;
	struct error *e;
};

static bool on_piece(void *context, struct span piece)
{
	struct body *b = context;

	return clusterread_feed(&b->reader, piece, b->e);
}

static void remember_forbidden(struct ladder *l, const char *path)
{
	struct buf b;

	if (l->forbidden++ > 0)
		return;
	BUF_INIT_ARRAY(&b, l->first_forbidden);
	buf_add(&b, span_first(span_from_cstr(path), sizeof l->first_forbidden - 1));
}

enum outcome {
	READ,
	NOTHING, /* not there, or not for us */
	EXPIRED, /* the token for the page: all from the beginning */
	BROKEN,
};

static enum outcome read_one(struct ladder *l, const char *path, const char *name, struct error *e)
{
	struct body body = {.e = e};
	struct client_sink sink = {.on_piece = on_piece, .context = &body, .max_bytes = BODY_MAX};
	struct client_answer answer;
	bool ok;

	clusterread_begin(&body.reader, l->find, name);
	ok = l->server->get(l->server->context, path, &sink, &answer);
	if (ok)
		ok = clusterread_end(&body.reader, e);
	else if (answer.reason != CLIENT_STOPPED)
		*e = answer.error;
	clusterread_fini(&body.reader);
	if (ok)
		return READ;
	if (answer.reason == CLIENT_FORBIDDEN)
		remember_forbidden(l, name);
	if (answer.reason == CLIENT_FORBIDDEN || answer.reason == CLIENT_NOT_FOUND)
		return NOTHING;
	return answer.reason == CLIENT_GONE ? EXPIRED : BROKEN;
}

static enum outcome read_pages(struct ladder *l, const char *path, struct error *e)
{
	char storage[CLUSTERFIND_CONTINUE_MAX * 3 + 256], token[CLUSTERFIND_CONTINUE_MAX];
	size_t token_len = 0;
	struct buf page;

	do {
		enum outcome outcome;

		BUF_INIT_ARRAY(&page, storage);
		if (!client_page_path(&page, path, PAGE, span_of(token, token_len))) {
			error_set(e, "%s: the token for the next page is too long", path);
			return BROKEN;
		}
		outcome = read_one(l, page.ptr, path, e);
		if (outcome != READ)
			return outcome;
		token_len = l->find->next_page_len;
		memcpy(token, l->find->next_page, token_len);
	} while (token_len > 0);
	return READ;
}

static enum outcome read_rung(struct ladder *l, const struct rung *rung, struct error *e)
{
	enum outcome outcome = rung->is_list ? read_pages(l, rung->path, e)
					     : read_one(l, rung->path, rung->path, e);

	/* Pages have become stale while they were read: all of it at once. */
	if (outcome == EXPIRED)
		outcome = read_one(l, rung->path, rung->path, e);
	return outcome;
}

/* ---- What is not a range but leads to one ---- */

static bool keep_piece(void *context, struct span piece)
{
	buf_add(context, piece);
	return true;
}

/* The text behind `"clusterIP":"` in a Service, which is short. */
static struct span cluster_ip(struct span json)
{
	static const struct span key = {"\"clusterIP\":", 12};

	while (json.len > 0 && !span_starts_with(json, key))
		json = span_from(json, 1);
	json = span_trim(span_from(json, key.len));
	if (json.len == 0 || json.ptr[0] != '"')
		return span_of(NULL, 0);
	json = span_from(json, 1);
	return span_first(json, span_find(json, '"'));
}

#define DRY_RUN "/api/v1/namespaces/default/services?dryRun=All"

/*
 * Sends a Service that is never made, with this address or with none, and keeps the answer's body.
 * The reason is CLIENT_OK when it could have been made.
 */
static enum client_reason try_service(struct ladder *l, struct span address, unsigned family,
				      struct buf *body, struct client_answer *answer)
{
	struct client_sink sink = {.on_piece = keep_piece, .context = body, .max_bytes = 1 << 20};
	char storage[512];
	struct buf json;

	BUF_INIT_ARRAY(&json, storage);
	buf_add_cstr(&json, "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{"
			    "\"generateName\":\"cidr-describe-\"},\"spec\":{");
	if (address.len > 0)
		buf_printf(&json, "\"clusterIP\":\"%.*s\",", SPAN_ARG(address));
	buf_printf(&json, "\"ipFamilies\":[\"IPv%u\"],\"ports\":[{\"port\":80}]}}", family);
	buf_clear(body);
	l->server->post(l->server->context, DRY_RUN, buf_span(&json), &sink, answer);
	return answer->reason;
}

static bool is_in_range(struct ladder *l, const struct range *base, unsigned bits, struct buf *body)
{
	struct wide address = wide_prev(wide_add(base->first, wide_ones(bits)));
	char storage[RANGE_TEXT_MAX];
	struct client_answer answer;
	struct buf text;

	BUF_INIT_ARRAY(&text, storage);
	range_format_address(base->family, address, &text);
	return try_service(l, buf_span(&text), base->family, body, &answer) == CLIENT_OK;
}

/* kube-apiserver refuses more addresses than 2^20. */
#define SERVICE_BITS_MAX 20

/*
 * Where the message is silent: a dry run without an address gets the first of the range, and one
 * with an address passes when it is inside, taken or not. So some twenty of them measure it.
 */
static void measure(struct ladder *l, unsigned family, struct buf *body)
{
	static const struct span none = {NULL, 0};
	struct clusterinfo_range found = {.role = CLUSTERKEYS_SERVICE,
					  .confidence = CLUSTERKEYS_DECLARED,
					  .rank = CLUSTERKEYS_RANK_PROBE,
					  .source = "dry runs of a Service"};
	struct client_answer answer;
	unsigned bits = 2, free_bits;
	struct error e;

	if (try_service(l, none, family, body, &answer) != CLIENT_OK ||
	    !range_parse(cluster_ip(buf_span(body)), &found.range, NULL, &e))
		return;
	free_bits = wide_trailing_zeros(found.range.first);
	/* An address that is none's network was handed out for real: nothing can be said. */
	if (free_bits < 3)
		return;
	while (bits < SERVICE_BITS_MAX && bits < free_bits &&
	       is_in_range(l, &found.range, bits + 1, body))
		bits++;
	found.range.last = wide_add(found.range.first, wide_ones(bits));
	clusterinfo_add(l->info, &found);
}

/*
 * A Service that is never made: the server refuses its address and says from which range it ought
 * to be, also where a real one is refused without (Kubernetes 1.33). The addresses are in no
 * cluster's range: RFC 5737, RFC 3849.
 */
static bool probe_family(struct ladder *l, unsigned family, struct buf *body, struct error *e)
{
	struct span outside = family == 4 ? SPAN("192.0.2.1") : SPAN("2001:db8::1");
	struct client_answer answer;
	enum client_reason reason = try_service(l, outside, family, body, &answer);
	size_t before = l->find->found;

	if (reason == CLIENT_FORBIDDEN)
		remember_forbidden(l, DRY_RUN);
	if (reason == CLIENT_FORBIDDEN || reason == CLIENT_NOT_FOUND || reason == CLIENT_OK)
		return true;
	if (reason != CLIENT_REJECTED) {
		*e = answer.error;
		return false;
	}
	clusterfind_begin(l->find, "dry run of a Service");
	clusterfind_line(l->find, answer.message, 1);
	if (l->find->found == before)
		measure(l, family, body);
	return true;
}

static bool probe(struct ladder *l, struct error *e)
{
	struct buf body;
	bool ok;

	if (l->server->post == NULL)
		return true;
	buf_init_heap(&body, 1 << 20);
	ok = probe_family(l, 4, &body, e) && probe_family(l, 6, &body, e);
	buf_fini(&body);
	return ok;
}

/* ---- Climbing ---- */

static unsigned missing(const struct ladder *l)
{
	unsigned roles = 0;

	for (unsigned role = 0; role < CLUSTERKEYS_ROLES; role++)
		if (l->wants[role] && !clusterinfo_has(l->info, (enum clusterkeys_role)role))
			roles |= 1u << role;
	return roles;
}

bool ladder_climb(struct ladder *l, struct error *e)
{
	unsigned number = 0, wanted = 0;

	for (size_t i = 0; i < sizeof rungs / sizeof rungs[0]; i++) {
		/* What is missing is looked at once for all rungs of a number. */
		if (rungs[i].number != number)
			wanted = missing(l);
		number = rungs[i].number;
		if ((rungs[i].roles & wanted) != 0 && (!rungs[i].is_guess || l->guesses) &&
		    read_rung(l, &rungs[i], e) == BROKEN)
			return false;
	}
	return !l->probes || (missing(l) & SERVICE_BIT) == 0 || probe(l, e);
}

/* ---- What it takes ---- */

static bool client_gets(void *context, const char *path, const struct client_sink *sink,
			struct client_answer *answer)
{
	return client_get(context, path, sink, answer);
}

static bool client_posts(void *context, const char *path, struct span json,
			 const struct client_sink *sink, struct client_answer *answer)
{
	return client_post(context, path, json, sink, answer);
}

struct ladder_server ladder_server_of(struct client *client)
{
	return (struct ladder_server){client_gets, client_posts, client};
}

/* A rule of a role; `names` may be NULL. */
static void add_rule(struct buf *out, const char *group, const char *resource, const char *names,
		     const char *verb)
{
	buf_printf(out, "- apiGroups: [%s]\n  resources: [%s]\n", group, resource);
	if (names != NULL)
		buf_printf(out, "  resourceNames: [%s]\n", names);
	buf_printf(out, "  verbs: [%s]\n", verb);
}

static void begin_role(struct buf *out, const char *kind, const char *namespace)
{
	buf_printf(out,
		   "apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata:\n"
		   "  name: cidr-describe\n%s%srules:\n",
		   kind, namespace != NULL ? "  namespace: " : "",
		   namespace != NULL ? namespace : "");
}

void ladder_rbac(bool probes, bool guesses, struct buf *out)
{
	begin_role(out, "ClusterRole", NULL);
	add_rule(out, "networking.k8s.io", "servicecidrs", NULL, "list");
	add_rule(out, "\"\"", guesses ? "nodes, services, pods" : "nodes", NULL, "list");
	add_rule(out, "crd.projectcalico.org", "ippools", NULL, "list");
	add_rule(out, "cilium.io", "ciliumpodippools", NULL, "list");
	add_rule(out, "config.openshift.io", "networks", "cluster", "get");
	buf_add_cstr(out, "---\n");
	begin_role(out, "Role", "kube-system\n");
	add_rule(out, "\"\"", "configmaps",
		 "kubeadm-config, kube-proxy, cilium-config, kube-flannel-cfg", "get");
	add_rule(out, "\"\"", "pods", NULL, "list");
	buf_add_cstr(out, "---\n");
	begin_role(out, "Role", "kube-flannel\n");
	add_rule(out, "\"\"", "configmaps", "kube-flannel-cfg", "get");
	buf_add_cstr(out, "---\n");
	begin_role(out, "Role", "default\n");
	add_rule(out, "\"\"", "services", "kubernetes", "get");
	if (probes)
		add_rule(out, "\"\"", "services", NULL, "create");
}
