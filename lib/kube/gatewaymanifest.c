#include "kube/gatewaymanifest.h"

#define NAME "egress-gateway"

/*
 * `$N` is the namespace, `$I` the image, `$A` that all namespaces are followed; there is no other
 * `$`. A line that begins with `<` is there when Services are read from files, one with `>` when
 * they are followed at the API server.
 */
static const char account[] =
	"<# The egress gateway. It reads its Services from a ConfigMap and asks nothing of the "
	"API\n"
	"<# server: there is no Role here, and no token in its pods.\n"
	"># The egress gateway. It follows the Services of the API server.\n"
	"<apiVersion: v1\n"
	"<kind: ConfigMap\n"
	"<metadata:\n"
	"<  name: egress-services\n"
	"<  namespace: \"$N\"\n"
	"<data:\n"
	"<  # An example: put yours here. Files that end in .yaml, .yml or .json are read, and "
	"read "
	"again\n"
	"<  # when the kubelet has brought a change to the pods, which takes it a minute or two.\n"
	"<  services.yaml: |\n"
	"<    apiVersion: v1\n"
	"<    kind: Service\n"
	"<    metadata:\n"
	"<     name: externalbin\n"
	"<    spec:\n"
	"<     type: ExternalName\n"
	"<     externalName: httpbin.org\n"
	"<     ports:\n"
	"<     - port: 80\n"
	"<       # important to set protocol name\n"
	"<       name: http\n"
	"<    ---\n"
	"<    apiVersion: v1\n"
	"<    kind: Service\n"
	"<    metadata:\n"
	"<     name: securegoogle\n"
	"<    spec:\n"
	"<     type: ExternalName\n"
	"<     externalName: www.google.com\n"
	"<     ports:\n"
	"<     - port: 443\n"
	"<       # important to set protocol name\n"
	"<       name: https\n"
	"<---\n"
	"apiVersion: v1\n"
	"kind: ServiceAccount\n"
	"metadata:\n"
	"  name: egress-gateway\n"
	"  namespace: \"$N\"\n"
	"<automountServiceAccountToken: false\n"
	">automountServiceAccountToken: true\n"
	"---\n";

static const char work[] =
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata:\n"
	"  name: egress-gateway\n"
	"  namespace: \"$N\"\n"
	"  labels: {app: egress-gateway}\n"
	"spec:\n"
	"  # No replicas here: the HorizontalPodAutoscaler says how many.\n"
	"  selector:\n"
	"    matchLabels: {app: egress-gateway}\n"
	"  strategy:\n"
	"    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}\n"
	"  template:\n"
	"    metadata:\n"
	"      # What goes out here must not be sent to a sidecar first.\n"
	"      labels: {app: egress-gateway, egressbox.io/inject: \"false\", "
	"sidecar.istio.io/inject: \"false\"}\n"
	"    spec:\n"
	"      serviceAccountName: egress-gateway\n"
	"<      automountServiceAccountToken: false\n"
	"      enableServiceLinks: false\n"
	"      # 25 s are the --shutdown-timeout, of which it serves on for 5 s (--drain-delay), "
	"until\n"
	"      # nobody is sent here any more: what a preStop hook would wait for.\n"
	"      terminationGracePeriodSeconds: 30\n"
	"      # A zone or a node less leaves most of them; where there is one only, they run on "
	"it.\n"
	"      topologySpreadConstraints:\n"
	"      - maxSkew: 1\n"
	"        topologyKey: topology.kubernetes.io/zone\n"
	"        whenUnsatisfiable: ScheduleAnyway\n"
	"        labelSelector: {matchLabels: {app: egress-gateway}}\n"
	"      affinity:\n"
	"        podAntiAffinity:\n"
	"          preferredDuringSchedulingIgnoredDuringExecution:\n"
	"          - weight: 100\n"
	"            podAffinityTerm:\n"
	"              topologyKey: kubernetes.io/hostname\n"
	"              labelSelector: {matchLabels: {app: egress-gateway}}\n"
	"      securityContext:\n"
	"        runAsNonRoot: true\n"
	"        runAsUser: 65534\n"
	"        runAsGroup: 65534\n"
	"        seccompProfile: {type: RuntimeDefault}\n"
	"      containers:\n"
	"      - name: egress-gateway\n"
	"        image: \"$I\"\n"
	"        imagePullPolicy: IfNotPresent\n"
	"        command: [/egressbox, egress-proxy]\n"
	"<        args: [-f, /etc/egressbox, --listen, \"8080\", --admin, \"*:15000\"]\n"
	">        args: [--kube, $A--listen, \"8080\", --admin, \"*:15000\"]\n"
	"        env:\n"
	"        # Services that name no namespace are of this one, and called by their bare "
	"names.\n"
	"        - name: POD_NAMESPACE\n"
	"          valueFrom: {fieldRef: {fieldPath: metadata.namespace}}\n"
	"        ports:\n"
	"        - {name: http, containerPort: 8080}\n"
	"        - {name: admin, containerPort: 15000}\n"
	"        startupProbe:\n"
	"          httpGet: {path: /readyz, port: admin}\n"
	"          periodSeconds: 1\n"
	"          failureThreshold: 60\n"
	"        readinessProbe:\n"
	"          httpGet: {path: /readyz, port: admin}\n"
	"          periodSeconds: 5\n"
	"          timeoutSeconds: 3\n"
	"        livenessProbe:\n"
	"          httpGet: {path: /healthz, port: admin}\n"
	"          periodSeconds: 10\n"
	"          timeoutSeconds: 3\n"
	"        resources:\n"
	"          requests: {cpu: 100m, memory: 32Mi}\n"
	"          limits: {cpu: \"2\", memory: 256Mi}\n"
	"        securityContext:\n"
	"          allowPrivilegeEscalation: false\n"
	"          capabilities: {drop: [ALL]}\n"
	"          privileged: false\n"
	"          readOnlyRootFilesystem: true\n"
	"<        volumeMounts:\n"
	"<        # The whole directory: a subPath would never change.\n"
	"<        - {name: services, mountPath: /etc/egressbox, readOnly: true}\n"
	"<      volumes:\n"
	"<      - name: services\n"
	"<        configMap: {name: egress-services}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata:\n"
	"  name: egress-gateway\n"
	"  namespace: \"$N\"\n"
	"  labels: {app: egress-gateway}\n"
	"spec:\n"
	"  selector: {app: egress-gateway}\n"
	"  ports:\n"
	"  - {name: http, port: 80, targetPort: http}\n"
	"---\n"
	"apiVersion: policy/v1\n"
	"kind: PodDisruptionBudget\n"
	"metadata:\n"
	"  name: egress-gateway\n"
	"  namespace: \"$N\"\n"
	"spec:\n"
	"  maxUnavailable: 1\n"
	"  selector:\n"
	"    matchLabels: {app: egress-gateway}\n"
	"---\n"
	"apiVersion: autoscaling/v2\n"
	"kind: HorizontalPodAutoscaler\n"
	"metadata:\n"
	"  name: egress-gateway\n"
	"  namespace: \"$N\"\n"
	"spec:\n"
	"  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: egress-gateway}\n"
	"  minReplicas: 2\n"
	"  maxReplicas: 10\n"
	"  metrics:\n"
	"  - type: Resource\n"
	"    resource:\n"
	"      name: cpu\n"
	"      target: {type: Utilization, averageUtilization: 70}\n";

static void add_line(struct buf *out, const struct gatewaymanifest *g, struct span line)
{
	struct span part;

	span_split(&line, '$', &part);
	buf_add(out, part);
	while (span_split(&line, '$', &part)) {
		if (part.ptr[0] == 'A')
			buf_add_cstr(out, g->all_namespaces ? "--all-namespaces, " : "");
		else
			buf_add(out, part.ptr[0] == 'N' ? g->namespace : g->image);
		buf_add(out, span_from(part, 1));
	}
	buf_add_byte(out, '\n');
}

static void add_text(struct buf *out, const struct gatewaymanifest *g, const char *text)
{
	struct span rest = span_from_cstr(text), line;

	while (span_split(&rest, '\n', &line)) {
		bool is_for_one = line.len > 0 && (line.ptr[0] == '<' || line.ptr[0] == '>');

		/* Behind the last line end there is nothing. */
		if (line.len == 0 || (is_for_one && (line.ptr[0] == '>') != g->follows))
			continue;
		add_line(out, g, span_from(line, is_for_one));
	}
}

static void add_name(struct buf *out, const char *kind, const char *name, struct span namespace)
{
	buf_printf(out,
		   "apiVersion: rbac.authorization.k8s.io/v1\n"
		   "kind: %s%s\n"
		   "metadata:\n"
		   "  name: %s\n",
		   namespace.len > 0 ? "" : "Cluster", kind, name);
	if (namespace.len > 0)
		buf_printf(out, "  namespace: \"%.*s\"\n", SPAN_ARG(namespace));
}

void gatewaymanifest_add_role(struct buf *out, const char *name, struct span namespace)
{
	add_name(out, "Role", name, namespace);
	buf_add_cstr(out, "rules:\n"
			  "- apiGroups: [\"\"]\n"
			  "  resources: [services]\n"
			  "  verbs: [list, watch]\n"
			  "# To tell of Services that are no good; it works without.\n"
			  "- apiGroups: [\"\"]\n"
			  "  resources: [events]\n"
			  "  verbs: [create]\n");
}

static void add_rights(struct buf *out, const struct gatewaymanifest *g)
{
	struct span followed = g->all_namespaces ? SPAN("") : g->namespace;

	gatewaymanifest_add_role(out, NAME, followed);
	buf_add_cstr(out, "---\n");
	add_name(out, "RoleBinding", NAME, followed);
	buf_printf(out,
		   "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %sRole, name: " NAME "}\n"
		   "subjects:\n"
		   "- {kind: ServiceAccount, name: " NAME ", namespace: \"%.*s\"}\n"
		   "---\n",
		   g->all_namespaces ? "Cluster" : "", SPAN_ARG(g->namespace));
}

void gatewaymanifest_add(struct buf *out, const struct gatewaymanifest *g)
{
	add_text(out, g, account);
	if (g->follows)
		add_rights(out, g);
	add_text(out, g, work);
}
