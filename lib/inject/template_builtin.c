#include "inject/template.h"

/*
 * Two texts in one: what both have in common is written once. The first lines are for whoever asks
 * for the template to make their own of it.
 */
#define HEAD                                                                                       \
	"# What kube-inject adds to a pod. Variables are described in its manual; a value that\n"  \
	"# is one variable without quotes is left out when the variable is empty, and is as "      \
	"many\n"                                                                                   \
	"# entries of a list as the variable has.\n"                                               \
	"initContainers:\n"                                                                        \
	"# Redirects the pod's outbound TCP traffic to the sidecar, and ends.\n"                   \
	"- name: egressbox-init\n"                                                                 \
	"  image: $(IMAGE)\n"                                                                      \
	"  imagePullPolicy: $(IMAGE_PULL_POLICY)\n"                                                \
	"  command: [/egressbox, iptables-setup]\n"                                                \
	"  args:\n"                                                                                \
	"  - -p\n"                                                                                 \
	"  - \"$(PROXY_PORT)\"\n"                                                                  \
	"  - -u\n"                                                                                 \
	"  - \"$(PROXY_UID)\"\n"                                                                   \
	"  - $(SETUP_OPTIONS)\n"                                                                   \
	"  resources:\n"                                                                           \
	"    requests: {cpu: 10m, memory: 8Mi}\n"                                                  \
	"    limits: {cpu: 100m, memory: 32Mi}\n"                                                  \
	"  securityContext:\n"                                                                     \
	"    allowPrivilegeEscalation: false\n"                                                    \
	"    capabilities: {add: [NET_ADMIN], drop: [ALL]}\n"                                      \
	"    privileged: false\n"                                                                  \
	"    readOnlyRootFilesystem: true\n"                                                       \
	"    runAsGroup: 0\n"                                                                      \
	"    runAsNonRoot: false\n"                                                                \
	"    runAsUser: 0\n"                                                                       \
	"    seccompProfile: {type: RuntimeDefault}\n"

#define PROXY                                                                                      \
	"- name: egressbox-proxy\n"                                                                \
	"  image: $(IMAGE)\n"                                                                      \
	"  imagePullPolicy: $(IMAGE_PULL_POLICY)\n"                                                \
	"  command: [/egressbox, egress-proxy]\n"                                                  \
	"  args:\n"                                                                                \
	"  - --transparent\n"                                                                      \
	"  - \"$(PROXY_PORT)\"\n"                                                                  \
	"  - --admin\n"                                                                            \
	"  - \"*:$(ADMIN_PORT)\"\n"                                                                \
	"  - $(PROXY_OPTIONS)\n"

#define TAIL                                                                                       \
	"  readinessProbe:\n"                                                                      \
	"    httpGet: {path: /readyz, port: $(ADMIN_PORT)}\n"                                      \
	"    periodSeconds: 15\n"                                                                  \
	"    timeoutSeconds: 3\n"                                                                  \
	"    failureThreshold: 4\n"                                                                \
	"  resources:\n"                                                                           \
	"    requests: {cpu: 10m, memory: 16Mi}\n"                                                 \
	"    limits: {cpu: \"1\", memory: 128Mi}\n"                                                \
	"  securityContext:\n"                                                                     \
	"    allowPrivilegeEscalation: false\n"                                                    \
	"    capabilities: {drop: [ALL]}\n"                                                        \
	"    privileged: false\n"                                                                  \
	"    readOnlyRootFilesystem: true\n"                                                       \
	"    runAsGroup: $(PROXY_UID)\n"                                                           \
	"    runAsNonRoot: true\n"                                                                 \
	"    runAsUser: $(PROXY_UID)\n"                                                            \
	"    seccompProfile: {type: RuntimeDefault}\n"

static const char native[] = HEAD "# The sidecar: up before the pod's own containers, and the last "
				  "to go (Kubernetes 1.28).\n" PROXY "  restartPolicy: Always\n"
				  "  startupProbe:\n"
				  "    httpGet: {path: /readyz, port: $(ADMIN_PORT)}\n"
				  "    periodSeconds: 1\n"
				  "    failureThreshold: 120\n" TAIL;

/*
 * All containers are told to end at once here: the sidecar waits for connections that the others
 * still have, and for those that they still open.
 */
static const char container[] = HEAD "containers:\n"
				     "# The sidecar, for Kubernetes before 1.28.\n" PROXY
				     "  lifecycle:\n"
				     "    preStop:\n"
				     "      exec: {command: [/egressbox, egress-proxy, --drain, "
				     "\"15\", --admin, \"$(ADMIN_PORT)\"]}\n" TAIL;

struct span template_builtin(bool is_native)
{
	return is_native ? span_from_cstr(native) : span_from_cstr(container);
}
