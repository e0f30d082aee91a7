#include "pod.h"

#include "inject/policy.h"

#define SPEC "spec: {containers: [{name: a}]}\n"

struct row {
	const char *text, *expected; /* the reason, "" for none, or "! " and complaints */
};

static void check_rows(const struct row *rows, size_t count, const char *namespace)
{
	struct inject_settings settings = pod_settings;

	settings.namespace = span_from_cstr(namespace);
	for (size_t i = 0; i < count; i++) {
		struct policy policy;
		struct arena arena;
		char storage[1000];
		struct buf out;
		struct pod p;

		BUF_INIT_ARRAY(&out, storage);
		arena_init(&arena, 1 << 20);
		pod_open(&p, span_from_cstr(rows[i].text));
		if (!policy_read(&p.w, &settings, &arena, &policy))
			buf_add_cstr(&out, "! ");
		else if (policy.skip_reason != NULL)
			buf_add_cstr(&out, policy.skip_reason);
		buf_add_cstr(&out, pod_complaints(&p));
		if (strcmp(storage, rows[i].expected) != 0)
			unit_fail(__FILE__, __LINE__, "[%s]\n got %s\nwant %s", rows[i].text,
				  storage, rows[i].expected);
		pod_close(&p);
		arena_fini(&arena);
	}
}
#define CHECK_ROWS(rows, namespace) check_rows((rows), sizeof(rows) / sizeof(rows)[0], (namespace))

#define HOST "it is on the host's network (hostNetwork: true)"
#define SYSTEM "its namespace is the system's"

static void leaves_out_what_has_no_network_of_its_own_or_is_the_systems(void)
{
	static const struct row rows[] = {
		{"kind: Pod\n" SPEC, ""},
		{"kind: Pod\nspec: {hostNetwork: true, containers: [{name: a}]}\n", HOST},
		{"kind: Pod\nspec: {hostNetwork: yes, containers: [{name: a}]}\n", HOST},
		{"kind: Pod\nspec: {hostNetwork: false, containers: [{name: a}]}\n", ""},
		{"kind: Pod\nspec: {hostNetwork: ~, containers: [{name: a}]}\n", ""},
		{"kind: Pod\nspec: {hostNetwork: 'true', containers: [{name: a}]}\n",
		 "! f.yaml:2:21: spec.hostNetwork: expected true or false, found text\n"},
		{"kind: Pod\nspec: {hostNetwork: [], containers: [{name: a}]}\n",
		 "! f.yaml:2:21: spec.hostNetwork: expected true or false, found a list\n"},
		{"kind: Pod\nmetadata: {namespace: kube-system}\n" SPEC, SYSTEM},
		{"kind: Pod\nmetadata: {namespace: kube-public}\n" SPEC, SYSTEM},
		{"kind: Pod\nmetadata: {namespace: kube-node-lease}\n" SPEC, SYSTEM},
		{"kind: Pod\nmetadata: {namespace: local-path-storage}\n" SPEC, SYSTEM},
		{"kind: Pod\nmetadata: {namespace: istio-system}\n" SPEC, SYSTEM},
		{"kind: Pod\nmetadata: {namespace: shop}\n" SPEC, ""},
		{"kind: Pod\nspec: {os: {name: windows}, containers: [{name: a}]}\n",
		 "its operating system is Windows"},
		{"kind: Pod\nspec: {os: {name: linux}, containers: [{name: a}]}\n", ""},
	};
	static const struct row in_system[] = {
		{"kind: Pod\n" SPEC, SYSTEM},
		/* Its own goes first. */
		{"kind: Pod\nmetadata: {namespace: shop}\n" SPEC, ""},
	};

	CHECK_ROWS(rows, "");
	CHECK_ROWS(in_system, "kube-system");
}

#define OURS "egressbox.io/inject says \"false\""
#define ISTIO "sidecar.istio.io/inject says \"false\""
#define POD(metadata) "kind: Pod\nmetadata: {" metadata "}\n" SPEC

static void answers_go_label_before_annotation_and_ours_before_istios(void)
{
	static const struct row rows[] = {
		{POD("labels: {egressbox.io/inject: 'false'}"), OURS},
		{POD("annotations: {egressbox.io/inject: 'false'}"), OURS},
		{POD("labels: {sidecar.istio.io/inject: 'false'}"), ISTIO},
		{POD("annotations: {sidecar.istio.io/inject: 'false'}"), ISTIO},
		{POD("labels: {egressbox.io/inject: 'true'}, annotations: {egressbox.io/inject: "
		     "'false'}"),
		 ""},
		{POD("labels: {egressbox.io/inject: 'false'}, annotations: {egressbox.io/inject: "
		     "'true'}"),
		 OURS},
		{POD("labels: {sidecar.istio.io/inject: 'true'}, annotations: "
		     "{sidecar.istio.io/inject: 'false'}"),
		 ""},
		{POD("labels: {sidecar.istio.io/inject: 'false'}, annotations: "
		     "{egressbox.io/inject: "
		     "'true'}"),
		 ""},
		{POD("labels: {sidecar.istio.io/inject: 'true'}, annotations: "
		     "{egressbox.io/inject: "
		     "'false'}"),
		 OURS},
		/* Neither yes nor no: not counted. */
		{POD("labels: {egressbox.io/inject: ''}, annotations: {egressbox.io/inject: "
		     "'false'}"),
		 OURS},
		{POD("labels: {egressbox.io/inject: disabled}"),
		 "warning: f.yaml:2:42: metadata.labels.egressbox.io/inject: \"disabled\" is no "
		 "answer "
		 "and is not counted: expected \"true\" or \"false\"\n"},
		/* No text: Kubernetes would not take it either. */
		{POD("labels: {egressbox.io/inject: false}"),
		 "! f.yaml:2:42: metadata.labels.egressbox.io/inject: expected text, found true or "
		 "false: put it in quotes\n"},
		{POD("annotations: {sidecar.istio.io/inject: [a]}"),
		 "! f.yaml:2:51: metadata.annotations.sidecar.istio.io/inject: expected text, "
		 "found a "
		 "list: put it in quotes\n"},
	};

	CHECK_ROWS(rows, "");
}

static void labels_and_annotations_are_those_of_the_template(void)
{
	static const struct row rows[] = {
		{"kind: Job\nmetadata: {labels: {egressbox.io/inject: 'false'}}\n"
		 "spec: {template: {" SPEC "}}\n",
		 ""},
		{"kind: Job\nspec: {template: {metadata: {labels: {egressbox.io/inject: 'false'}}, "
		 "spec: {containers: [{name: a}]}}}\n",
		 OURS},
	};
	static const struct row wrong[] = {
		/* Both in one run. */
		{POD("labels: [a], annotations: b"),
		 "! f.yaml:2:20: metadata.labels: expected a mapping, found a list\n"
		 "f.yaml:2:38: metadata.annotations: expected a mapping, found text\n"},
		{POD("labels: ~, annotations: "), ""},
	};

	CHECK_ROWS(rows, "");
	CHECK_ROWS(wrong, "");
}

/* What becomes of `field` with a list in the settings (or NULL) and the annotations of a pod. */
static void annotations_stand_in_the_place_of_flags(void)
{
	static const struct {
		enum capture_field field;
		const char *flag, *annotations, *expected; /* NULL: not set */
	} rows[] = {
		{CAPTURE_INCLUDE_RANGES, NULL, "{}", NULL},
		{CAPTURE_INCLUDE_RANGES, "1.0.0.0/8", "{}", "1.0.0.0/8"},
		{CAPTURE_INCLUDE_RANGES, "1.0.0.0/8",
		 "{traffic.sidecar.istio.io/includeOutboundIPRanges: 10.0.0.0/8}", "10.0.0.0/8"},
		{CAPTURE_INCLUDE_RANGES, "1.0.0.0/8",
		 "{traffic.sidecar.istio.io/includeOutboundIPRanges: ''}", ""},
		{CAPTURE_INCLUDE_RANGES, "1.0.0.0/8",
		 "{traffic.sidecar.istio.io/includeOutboundIPRanges: '*'}", "*"},
		{CAPTURE_INCLUDE_RANGES, NULL,
		 "{egressbox.io/includeOutboundIPRanges: 11.0.0.0/8, "
		 "traffic.sidecar.istio.io/includeOutboundIPRanges: 10.0.0.0/8}",
		 "11.0.0.0/8"},
		{CAPTURE_EXCLUDE_RANGES, NULL, "{egressbox.io/excludeOutboundIPRanges: 10.0.0.0/8}",
		 "10.0.0.0/8"},
		{CAPTURE_INCLUDE_INBOUND, NULL, "{egressbox.io/includeInboundPorts: '*'}", "*"},
		{CAPTURE_EXCLUDE_INBOUND, NULL,
		 "{traffic.sidecar.istio.io/excludeInboundPorts: '80, 90'}", "80,90"},
		{CAPTURE_INCLUDE_OUTBOUND, NULL,
		 "{traffic.sidecar.istio.io/includeOutboundPorts: '80'}", "80"},
		{CAPTURE_EXCLUDE_OUTBOUND, "25", "{egressbox.io/excludeOutboundPorts: '80'}", "80"},
		{CAPTURE_EXCLUDE_INTERFACES, NULL,
		 "{traffic.sidecar.istio.io/excludeInterfaces: eth1}", "eth1"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct inject_settings settings = pod_settings;
		struct policy policy;
		struct arena arena;
		char text[300];
		struct pod p;

		if (rows[i].flag != NULL) {
			settings.capture.list[rows[i].field] = span_from_cstr(rows[i].flag);
			settings.capture.is_set[rows[i].field] = true;
		}
		snprintf(text, sizeof text, "kind: Pod\nmetadata: {annotations: %s}\n" SPEC,
			 rows[i].annotations);
		arena_init(&arena, 1 << 20);
		pod_open(&p, span_from_cstr(text));
		CHECK_ROW(text, policy_read(&p.w, &settings, &arena, &policy));
		CHECK_TEXT(pod_complaints(&p), "");
		CHECK_INT(policy.capture.is_set[rows[i].field], rows[i].expected != NULL);
		if (rows[i].expected != NULL)
			CHECK_SPAN(policy.capture.list[rows[i].field], rows[i].expected);
		pod_close(&p);
		arena_fini(&arena);
	}
}

static void says_all_that_is_wrong_with_the_annotations(void)
{
	static const struct row rows[] = {
		{POD("annotations: {egressbox.io/excludeOutboundPorts: 80, "
		     "traffic.sidecar.istio.io/excludeInterfaces: a/b}"),
		 "! f.yaml:2:61: metadata.annotations.egressbox.io/excludeOutboundPorts: expected "
		 "text, found a number: put it in quotes\n"
		 "f.yaml:2:109: metadata.annotations.traffic.sidecar.istio.io/excludeInterfaces: "
		 "\"a/b\" is no name of an interface: expected up to 15 bytes\n"},
		{POD("annotations: {egressbox.io/includeOutboundIPRanges: 10.0.0.1/8}"),
		 "f.yaml:2:64: metadata.annotations.egressbox.io/includeOutboundIPRanges: "
		 "10.0.0.1/8 "
		 "is taken as 10.0.0.0/8\n"},
		/* Not looked at when it is not injected. */
		{POD("labels: {egressbox.io/inject: 'false'}, annotations: "
		     "{egressbox.io/excludeOutboundPorts: a}"),
		 OURS},
	};

	CHECK_ROWS(rows, "");
}

UNIT_TESTS(TEST(leaves_out_what_has_no_network_of_its_own_or_is_the_systems),
	   TEST(answers_go_label_before_annotation_and_ours_before_istios),
	   TEST(labels_and_annotations_are_those_of_the_template),
	   TEST(annotations_stand_in_the_place_of_flags),
	   TEST(says_all_that_is_wrong_with_the_annotations))
