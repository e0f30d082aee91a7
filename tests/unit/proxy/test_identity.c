#include "../tls/certs.h"

#include "../ydoc/collect.h"
#include "base/alloc.h"
#include "proxy/identity.h"

#define OURS "egressbox.io/tls-"
#define SERVICE(name, annotations)                                                                 \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " name ", annotations: {" annotations     \
	"}}\nspec: {type: ExternalName, externalName: a.test, ports: [{port: 443, name: "          \
	"https}]}\n---\n"

/* A directory may change under it: paths are absolute. */
static const char *data(const char *name)
{
	static char paths[4][1024];
	static unsigned next;
	char *path = paths[next++ % 4], top[512];

	CHECK(getcwd(top, sizeof top) != NULL);
	snprintf(path, sizeof paths[0], "%s/tests/data/tls/%s", top, name);
	return path;
}

static struct identity_settings settings;
static char told[1024]; /* the names of the files that were told of */

static void note_file(void *context, const char *path)
{
	size_t len = strlen(told);

	CHECK(context == told);
	snprintf(told + len, sizeof told - len, "%s ", strrchr(path, '/') + 1);
}

/* The table of a manifest, in which `@NAME@` is a file of tests/data/tls; what is wrong in *c. */
static struct route_table *load(const char *manifest, struct collect *c)
{
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local")};
	static char text[8192];
	struct kube_services services;
	struct route_table *table;
	struct error e;
	size_t len = 0;

	for (const char *at = manifest; *at != '\0'; at++) {
		char name[64];

		if (*at != '@') {
			text[len++] = *at;
			continue;
		}
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "@"), at + 1);
		at += strlen(name) + 1;
		len += (size_t)snprintf(text + len, sizeof text - len, "%s", data(name));
	}
	collect_init(c);
	kube_services_init(&services, options.namespace, &c->diag);
	kube_services_read(&services, "f", span_of(text, len));
	table = route_table_new(&services, &options, &e);
	CHECK(table != NULL);
	identity_attach(table, &services, &settings, &c->diag);
	kube_services_fini(&services);
	return table;
}

static void loads_what_services_name(void)
{
	struct collect c;
	struct route_table *t = load(SERVICE("a", "") SERVICE("b", OURS "ca-file: @ca-ec.pem@")
					     SERVICE("c", OURS "cert-file: @client-p256.pem@, " OURS
							       "key-file: @client-p256.key@, " OURS
							       "sni: b.test, " OURS
							       "names: \"c.test,10.0.0.1\"")
						     SERVICE("d", OURS "verify: \"false\""),
				     &c);
	const struct identity *b, *id, *d;

	CHECK_INT(c.diag.errors, 0);
	CHECK_INT(t->target_count, 4);
	CHECK(t->targets[0].identity == NULL);
	b = t->targets[1].identity;
	CHECK(b->anchors != NULL && b->profile != NULL && b->keypair == NULL && !b->is_unverified);
	CHECK_INT(anchors_count(b->anchors), 1);
	id = t->targets[2].identity;
	CHECK(id->anchors == NULL && id->profile == NULL && id->keypair != NULL);
	CHECK_SPAN(id->sni, "b.test");
	CHECK_SPAN(id->names, "c.test,10.0.0.1");
	d = t->targets[3].identity;
	CHECK(d->is_unverified && d->profile == NULL);
	route_table_free(t);
}

/* No two are the same, and the first says nothing. */
static const char *const manifests[] = {
	SERVICE("a", ""),
	SERVICE("a", OURS "ca-file: @ca-ec.pem@"),
	SERVICE("a", OURS "ca-file: @ca-rsa.pem@"),
	SERVICE("a", OURS "ca-file: @ca-ec.pem@, " OURS "verify: \"false\""),
	SERVICE("a", OURS "verify: \"false\""),
	SERVICE("a", OURS "sni: a.test"),
	SERVICE("a", OURS "names: a.test"),
	SERVICE("a", OURS "names: \"a.test,b.test\""),
	SERVICE("a", OURS "cert-file: @client-p256.pem@, " OURS "key-file: @client-p256.key@"),
	SERVICE("a", OURS "cert-file: @client-p384.pem@, " OURS "key-file: @client-p384.key@"),
};
#define COUNT (sizeof manifests / sizeof manifests[0])

static void tells_identities_apart(void)
{
	uint8_t numbers[COUNT][TLSCONN_IDENTITY_SIZE];
	uint64_t hashes[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		for (int again = 0; again < 2; again++) {
			struct collect c;
			struct route_table *t = load(manifests[i], &c);

			CHECK_INT(c.diag.errors, 0);
			if (again == 1) {
				CHECK(memcmp(numbers[i], identity_number(&t->targets[0]),
					     sizeof numbers[i]) == 0);
				CHECK(hashes[i] == t->hash);
			}
			memcpy(numbers[i], identity_number(&t->targets[0]), sizeof numbers[i]);
			hashes[i] = t->hash;
			route_table_free(t);
		}
		for (size_t j = 0; j < i; j++) {
			CHECK_ROW(manifests[i], memcmp(numbers[i], numbers[j], 32) != 0);
			CHECK_ROW(manifests[i], hashes[i] != hashes[j]);
		}
	}
}

static const struct {
	const char *manifest, *expected;
} bad[] = {
	{SERVICE("a", OURS "ca-file: /nowhere/ca.pem"),
	 "metadata.annotations." OURS "ca-file: /nowhere/ca.pem: cannot be opened: No such file"},
	{SERVICE("a", OURS "ca-file: @good.key@"), "good.key: no certificate in it"},
	{SERVICE("a", OURS "cert-file: @client-p256.pem@, " OURS "key-file: /nowhere/x.key"),
	 "metadata.annotations." OURS "key-file: /nowhere/x.key: cannot be opened"},
	{SERVICE("a", OURS "cert-file: @client-p256.pem@, " OURS "key-file: @client-p384.key@"),
	 "metadata.annotations." OURS "cert-file: the key is not that"},
	{SERVICE("a", OURS "cert-file: @good.key@, " OURS "key-file: @good.key@"),
	 "metadata.annotations." OURS "cert-file: certificate: no certificate"},
};

static void says_where_a_bad_file_is_named(void)
{
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct collect c;
		struct route_table *t = load(bad[i].manifest, &c);

		route_table_free(t);
		CHECK_INT(c.diag.errors, 1);
		if (strncmp(buf_cstr(&c.text), "f:3:", 4) != 0 ||
		    strstr(buf_cstr(&c.text), bad[i].expected) == NULL)
			unit_fail(__FILE__, __LINE__, "got %s\nwant %s", buf_cstr(&c.text),
				  bad[i].expected);
	}
}

static void survives_every_lack_of_memory(void)
{
	struct route_options options = {.namespace = SPAN("default"),
					.cluster_domain = SPAN("cluster.local")};
	char text[4096];
	struct kube_services services;
	struct collect c;
	struct error e;

	snprintf(text, sizeof text,
		 SERVICE("a", OURS "ca-file: %s, " OURS "cert-file: %s, " OURS "key-file: %s"),
		 data("ca-ec.pem"), data("client-p256.pem"), data("client-p256.key"));
	collect_init(&c);
	kube_services_init(&services, options.namespace, &c.diag);
	kube_services_read(&services, "f", span_from_cstr(text));
	for (int n = 0; n < 100; n++) {
		struct route_table *t = route_table_new(&services, &options, &e);
		unsigned errors;

		CHECK(t != NULL);
		collect_init(&c);
		alloc_fail_after(n);
		identity_attach(t, &services, &settings, &c.diag);
		alloc_fail_after(-1);
		errors = c.diag.errors;
		route_table_free(t);
		if (errors == 0) {
			CHECK(n > 5);
			kube_services_fini(&services);
			return;
		}
	}
	CHECK(false);
}

static void what_all_trust_is_for_those_that_say_nothing(void)
{
	struct route_table *t, *other;
	const struct identity *a, *b, *d;
	struct collect c;

	told[0] = 0;
	settings = (struct identity_settings){data("ca-rsa.pem"), note_file, told};
	t = load(SERVICE("a", "") SERVICE("b", OURS "ca-file: @ca-ec.pem@") SERVICE("c", "")
			 SERVICE("d", OURS "sni: b.test"),
		 &c);
	CHECK_INT(c.diag.errors, 0);
	CHECK_TEXT(told, "ca-rsa.pem ca-ec.pem ");
	a = t->targets[0].identity;
	b = t->targets[1].identity;
	d = t->targets[2].identity;
	CHECK(a->anchors != NULL && a->profile != NULL && a != b);
	CHECK(b->anchors != NULL && b->profile != a->profile);
	CHECK(d->anchors == NULL && d->profile == a->profile);
	settings.ca_file = data("ca-ec.pem");
	other = load(SERVICE("a", ""), &c);
	CHECK(memcmp(identity_number(&other->targets[0]), a->number, sizeof a->number) != 0);
	route_table_free(other);
	route_table_free(t);
	settings.ca_file = "/no/such.pem";
	t = load(SERVICE("a", ""), &c);
	CHECK_INT(c.diag.errors, 1);
	route_table_free(t);
	settings = (struct identity_settings){.ca_file = NULL};
}

UNIT_TESTS(TEST(loads_what_services_name), TEST(what_all_trust_is_for_those_that_say_nothing),
	   TEST(tells_identities_apart), TEST(says_where_a_bad_file_is_named),
	   TEST(survives_every_lack_of_memory))
