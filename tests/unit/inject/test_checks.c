#include "pod.h"

#include "inject/checks.h"

static const char template_text[] = "initContainers: [{name: our-init}]\n"
				    "containers: [{name: our-proxy}]\n"
				    "volumes: [{name: our-volume}]\n";

struct row {
	const char *text, *expected;
};

static void check_rows(const struct row *rows, size_t count, const char *template_of_rows,
		       const struct status *status)
{
	for (size_t i = 0; i < count; i++) {
		struct template t;
		struct pod p;
		bool ok;

		pod_template(&t, template_of_rows);
		pod_open(&p, span_from_cstr(rows[i].text));
		ok = checks_run(&p.w, &pod_settings, &t, status);
		CHECK_ROW(rows[i].text, ok == (p.document.c.diag.errors == 0));
		if (strcmp(pod_complaints(&p), rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  pod_complaints(&p), rows[i].expected);
		pod_close(&p);
		template_fini(&t);
	}
}
#define CHECK_ROWS(rows, template_of_rows, status)                                                 \
	check_rows((rows), sizeof(rows) / sizeof(rows)[0], (template_of_rows), (status))

#define POD(spec) "kind: Pod\nspec: {" spec "}\n"

static void lists_hold_mappings(void)
{
	static const struct row rows[] = {
		{POD("containers: [{name: a}]"), ""},
		{POD("containers: [{name: a}], initContainers: ~, volumes: "), ""},
		{POD("containers: [a, {name: b}, [c]]"),
		 "f.yaml:2:21: spec.containers[0]: expected a mapping, found text\n"
		 "f.yaml:2:35: spec.containers[2]: expected a mapping, found a list\n"},
		{POD("containers: [{name: a}], initContainers: {name: b}, volumes: c"),
		 "f.yaml:2:49: spec.initContainers: expected a list, found a mapping\n"
		 "f.yaml:2:69: spec.volumes: expected a list, found text\n"},
		{POD("containers: [{name: a, ports: {}}, {name: b, ports: ~}]"),
		 "f.yaml:2:38: spec.containers[0].ports: expected a list, found a mapping\n"},
	};

	CHECK_ROWS(rows, template_text, NULL);
}

static void names_are_the_pods_own(void)
{
	static const struct row rows[] = {
		/* Names are one set for both kinds of containers. */
		{POD("containers: [{name: our-proxy}, {name: our-init}]"),
		 "f.yaml:2:28: spec.containers[0].name: \"our-proxy\" is a name of what is "
		 "injected: "
		 "rename it, or take it out\n"
		 "f.yaml:2:47: spec.containers[1].name: \"our-init\" is a name of what is "
		 "injected: "
		 "rename it, or take it out\n"},
		{POD("containers: [{name: a}], initContainers: [{name: our-proxy}]"),
		 "f.yaml:2:57: spec.initContainers[0].name: \"our-proxy\" is a name of what is "
		 "injected: rename it, or take it out\n"},
		{POD("containers: [{name: our-volume}], volumes: [{name: our-volume}, {name: "
		     "our-init}]"),
		 "f.yaml:2:59: spec.volumes[0].name: \"our-volume\" is a name of what is injected: "
		 "rename it, or take it out\n"},
		{POD("containers: [{}, {name: ~}, {name: [our-proxy]}]"), ""},
	};

	CHECK_ROWS(rows, template_text, NULL);
}

static void what_was_injected_before_is_no_concern(void)
{
	static const struct row rows[] = {
		{POD("containers: [{name: a}, {name: our-proxy, ports: [{containerPort: 15001}]}], "
		     "initContainers: [{name: our-init}]"),
		 "f.yaml:2:109: spec.initContainers[0].name: \"our-init\" is a name of what is "
		 "injected: rename it, or take it out\n"},
	};
	struct status status;

	CHECK(status_read(&status, SPAN("{\"version\":\"1\",\"hash\":\"2\",\"containers\":"
					"[\"our-proxy\"]}")));
	CHECK_ROWS(rows, template_text, &status);
	status_fini(&status);
}

static void ports_are_not_the_sidecars(void)
{
	static const struct row rows[] = {
		{POD("containers: [{name: a, ports: [{containerPort: 80}, {containerPort: "
		     "15001}]}]"),
		 "f.yaml:2:76: spec.containers[0].ports[1].containerPort: 15001 is the sidecar's "
		 "port: give it another with --proxy-port\n"},
		{POD("containers: [{name: a, ports: [{containerPort: 15020}]}]"),
		 "f.yaml:2:55: spec.containers[0].ports[0].containerPort: 15020 is the port of the "
		 "sidecar's probes: give it another with --admin-port\n"},
		{POD("containers: [{name: a}], initContainers: [{name: b, ports: [{containerPort: "
		     "15001}]}]"),
		 "f.yaml:2:84: spec.initContainers[0].ports[0].containerPort: 15001 is the "
		 "sidecar's "
		 "port: give it another with --proxy-port\n"},
		{POD("containers: [{name: a, ports: [{containerPort: '15001'}, {hostPort: 15001}, "
		     "1, "
		     "{containerPort: ~}]}]"),
		 ""},
	};

	CHECK_ROWS(rows, template_text, NULL);
}

static void users_are_not_the_sidecars(void)
{
	static const struct row rows[] = {
		{POD("securityContext: {runAsUser: 1337}, containers: [{name: a}]"),
		 "warning: f.yaml:2:37: spec.securityContext.runAsUser: 1337 is the sidecar's "
		 "user, "
		 "whose traffic is never redirected: run as another, or give the sidecar another "
		 "with "
		 "--sidecarProxyUID\n"},
		{POD("containers: [{name: a, securityContext: {runAsUser: 1337}}]"),
		 "warning: f.yaml:2:60: spec.containers[0].securityContext.runAsUser: 1337 is the "
		 "sidecar's user, whose traffic is never redirected: run as another, or give the "
		 "sidecar another with --sidecarProxyUID\n"},
		{POD("securityContext: {runAsUser: 1338}, containers: [{name: a, securityContext: "
		     "{runAsUser: '1337', runAsGroup: 1337}}]"),
		 ""},
		{POD("securityContext: a, containers: [{name: a, securityContext: [1337]}]"), ""},
	};

	CHECK_ROWS(rows, template_text, NULL);
}

#define JOB "kind: Job\nspec: {template: {spec: {containers: [{name: a}]}}}\n"

static void jobs_want_a_native_sidecar(void)
{
	static const struct row rows[] = {
		{JOB,
		 "warning: f.yaml:2:25: spec.template.spec: a sidecar among the containers keeps "
		 "a Job from ending: inject a native one (--sidecar native, Kubernetes 1.28)\n"},
		{"kind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{name: "
		 "a}]}}}}}\n",
		 "warning: f.yaml:2:46: spec.jobTemplate.spec.template.spec: a sidecar among the "
		 "containers keeps a CronJob from ending: inject a native one (--sidecar native, "
		 "Kubernetes 1.28)\n"},
		{POD("containers: [{name: a}]"), ""},
	};
	static const struct row with_native[] = {
		{JOB, ""},
	};

	CHECK_ROWS(rows, template_text, NULL);
	CHECK_ROWS(with_native, "initContainers: [{name: b, restartPolicy: Always}]\n", NULL);
}

UNIT_TESTS(TEST(lists_hold_mappings), TEST(names_are_the_pods_own),
	   TEST(what_was_injected_before_is_no_concern), TEST(ports_are_not_the_sidecars),
	   TEST(users_are_not_the_sidecars), TEST(jobs_want_a_native_sidecar))
