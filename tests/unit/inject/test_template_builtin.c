#include "pod.h"

#include "ydoc/yemit.h"

/* The built-in template as an instance, with the values that the applet's defaults give. */
struct fixture {
	struct template t;
	struct template_instance instance;
	struct arena arena;
};

static void open_fixture(struct fixture *f, bool is_native)
{
	struct span *values = f->instance.values;
	struct collect c;

	collect_init(&c);
	if (!template_read(&f->t, "template", template_builtin(is_native), &c.diag))
		unit_fail(__FILE__, __LINE__, "%s", c.storage);
	CHECK_INT(c.diag.warnings, 0);
	f->instance = (struct template_instance){.hash = 0};
	values[TEMPLATE_IMAGE] = SPAN("egressbox:1");
	values[TEMPLATE_IMAGE_PULL_POLICY] = SPAN("IfNotPresent");
	values[TEMPLATE_PROXY_PORT] = SPAN("15001");
	values[TEMPLATE_ADMIN_PORT] = SPAN("15020");
	values[TEMPLATE_PROXY_UID] = SPAN("1337");
	values[TEMPLATE_SETUP_OPTIONS] = SPAN("--inbound\nnone\n");
	values[TEMPLATE_PROXY_OPTIONS] = SPAN("--gateway\ng:80\n");
	arena_init(&f->arena, 1 << 20);
	CHECK(template_instantiate(&f->t, &f->instance, &f->arena));
}

static void close_fixture(struct fixture *f)
{
	template_fini(&f->t);
	arena_fini(&f->arena);
}

/* The container of a name, as lines. */
static void print(const struct fixture *f, enum template_section section, const char *name,
		  struct buf *out)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	CHECK(f->instance.sections[section] != NULL);
	for (const struct ydoc_item *i = f->instance.sections[section]->items; i != NULL;
	     i = i->next)
		if (span_eq(template_entry_name(i), span_from_cstr(name)))
			yemit_lines(out, i->value, &yemit_default_style, 0, &arena);
	arena_fini(&arena);
}

static void check_holds(const char *text, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		CHECK_ROW(*lines, strstr(text, *lines) != NULL);
}

static void the_init_container_may_set_up_a_network_and_no_more(void)
{
	static const char *const lines[] = {
		"image: egressbox:1\n",
		"imagePullPolicy: IfNotPresent\n",
		"command:\n- /egressbox\n- iptables-setup\n",
		"args:\n- -p\n- \"15001\"\n- -u\n- \"1337\"\n- --inbound\n- none\n",
		"capabilities:\n    add:\n    - NET_ADMIN\n    drop:\n    - ALL\n",
		"allowPrivilegeEscalation: false\n",
		"privileged: false\n",
		"readOnlyRootFilesystem: true\n",
		"runAsUser: 0\n",
		"runAsNonRoot: false\n",
		"seccompProfile:\n    type: RuntimeDefault\n",
		"requests:\n",
		"limits:\n",
		NULL,
	};

	for (int is_native = 0; is_native < 2; is_native++) {
		char storage[4000];
		struct fixture f;
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		open_fixture(&f, is_native != 0);
		print(&f, TEMPLATE_INIT_CONTAINERS, "egressbox-init", &out);
		check_holds(storage, lines);
		CHECK(strstr(storage, "NET_RAW") == NULL);
		CHECK(strstr(storage, "restartPolicy") == NULL);
		close_fixture(&f);
	}
}

static const char *const sidecar_lines[] = {
	"image: egressbox:1\n",
	"command:\n- /egressbox\n- egress-proxy\n",
	"args:\n- --transparent\n- \"15001\"\n- --admin\n- \"*:15020\"\n- --gateway\n- g:80\n",
	"readinessProbe:\n  httpGet:\n    path: /readyz\n    port: 15020\n",
	"capabilities:\n    drop:\n    - ALL\n",
	"allowPrivilegeEscalation: false\n",
	"privileged: false\n",
	"readOnlyRootFilesystem: true\n",
	"runAsGroup: 1337\n",
	"runAsUser: 1337\n",
	"runAsNonRoot: true\n",
	"seccompProfile:\n    type: RuntimeDefault\n",
	"requests:\n",
	"limits:\n",
	NULL,
};

static void a_native_sidecar_is_an_init_container_that_stays(void)
{
	char storage[4000];
	struct fixture f;
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	open_fixture(&f, true);
	CHECK(f.t.has_native_sidecar);
	print(&f, TEMPLATE_INIT_CONTAINERS, "egressbox-proxy", &out);
	check_holds(storage, sidecar_lines);
	CHECK(strstr(storage, "restartPolicy: Always\n") != NULL);
	CHECK(strstr(storage, "startupProbe:\n  httpGet:\n    path: /readyz\n    port: 15020\n") !=
	      NULL);
	CHECK(strstr(storage, "NET_ADMIN") == NULL);
	CHECK(f.instance.sections[TEMPLATE_CONTAINERS] == NULL);
	/* Traffic is redirected before the sidecar is there to take it, and only then. */
	CHECK_SPAN(template_entry_name(f.instance.sections[TEMPLATE_INIT_CONTAINERS]->items),
		   "egressbox-init");
	close_fixture(&f);
}

static void a_sidecar_among_the_containers_waits_for_them_when_it_is_to_end(void)
{
	char storage[4000];
	struct fixture f;
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	open_fixture(&f, false);
	CHECK(!f.t.has_native_sidecar);
	print(&f, TEMPLATE_CONTAINERS, "egressbox-proxy", &out);
	check_holds(storage, sidecar_lines);
	CHECK(strstr(storage, "preStop:\n") != NULL && strstr(storage, "--drain\n") != NULL);
	CHECK(strstr(storage, "restartPolicy") == NULL);
	CHECK(f.instance.sections[TEMPLATE_INIT_CONTAINERS]->items->next == NULL);
	close_fixture(&f);
}

UNIT_TESTS(TEST(the_init_container_may_set_up_a_network_and_no_more),
	   TEST(a_native_sidecar_is_an_init_container_that_stays),
	   TEST(a_sidecar_among_the_containers_waits_for_them_when_it_is_to_end))
