#include "kube/clusterkeys.h"

#include <string.h>

#include "base/ascii.h"

const char *const clusterkeys_confidences[CLUSTERKEYS_CONFIDENCE_COUNT + 1] = {
#define X(member, name) [member] = name,
	CLUSTERKEYS_CONFIDENCES(X)
#undef X
};

const char *const clusterkeys_roles[CLUSTERKEYS_ROLES] = {"pod", "service"};

#define POD CLUSTERKEYS_POD
#define SERVICE CLUSTERKEYS_SERVICE
#define DECLARED CLUSTERKEYS_DECLARED
#define CONFIGURED CLUSTERKEYS_CONFIGURED
#define DERIVED CLUSTERKEYS_DERIVED
#define RANK(name) CLUSTERKEYS_RANK_##name

#define PROVIDER(key, role, source)                                                                \
	{                                                                                          \
		key, NULL, NULL, role, DECLARED, RANK(PROVIDER), source                            \
	}
#define KIND(key, kind, role, confidence, rank, source)                                            \
	{                                                                                          \
		key, NULL, kind, role, confidence, RANK(rank), source                              \
	}
#define FLAG(key, role) KIND(key, "Pod", role, DECLARED, FLAGS, "a pod's flags")
#define IN(key, within, role, confidence, rank, source)                                            \
	{                                                                                          \
		key, within, NULL, role, confidence, RANK(rank), source                            \
	}

/* Sorted by key; of one key the first rule that fits counts. */
static const struct clusterkeys_rule rules[] = {
	PROVIDER("addressprefixes", POD, "Azure virtual network"),
	IN("calicoipv4poolcidr", NULL, POD, CONFIGURED, CNI, "Calico"),
	IN("calicoipv6poolcidr", NULL, POD, CONFIGURED, CNI, "Calico"),
	KIND("cidr", "IPPool", POD, CONFIGURED, CNI, "Calico IPPool"),
	IN("cidr", "clusternetwork", POD, DECLARED, OPENSHIFT, "OpenShift network"),
	KIND("cidr", "CiliumPodIPPool", POD, CONFIGURED, CILIUM, "CiliumPodIPPool"),
	IN("cidrblock", "cidrblockassociationset", POD, DECLARED, VPC, "VPC"),
	IN("cidrblocks", "pods", POD, DECLARED, PROVIDER, "Cluster API"),
	IN("cidrblocks", "services", SERVICE, DECLARED, PROVIDER, "Cluster API"),
	KIND("cidrs", "ServiceCIDR", SERVICE, DECLARED, SERVICECIDR, "ServiceCIDR"),
	KIND("cidrs", "CiliumPodIPPool", POD, CONFIGURED, CILIUM, "CiliumPodIPPool"),
	IN("cidrs", "remotepodnetworks", POD, DECLARED, PROVIDER, "EKS hybrid nodes"),
	KIND("clustercidr", "KubeProxyConfiguration", POD, CONFIGURED, CNI, "kube-proxy"),
	FLAG("clustercidr", POD),
	PROVIDER("clustercidr", POD, "cluster configuration"),
	IN("clusterip", NULL, SERVICE, DERIVED, ADDRESSES, "addresses of Services"),
	PROVIDER("clusteriprange", POD, "GCE kube-env"),
	IN("clusterips", NULL, SERVICE, DERIVED, ADDRESSES, "addresses of Services"),
	PROVIDER("clusteripv4cidr", POD, "GKE cluster"),
	PROVIDER("clusteripv4cidrblock", POD, "GKE cluster"),
	IN("clusterpoolipv4cidr", NULL, POD, CONFIGURED, CILIUM, "Cilium"),
	IN("clusterpoolipv6cidr", NULL, POD, CONFIGURED, CILIUM, "Cilium"),
	PROVIDER("clustersubnet", POD, "cluster description"),
	IN("default", "k8sovnorg/nodesubnets", POD, DERIVED, NODES, "nodes"),
	IN("flannelipv6network", NULL, POD, CONFIGURED, LOCAL, "Flannel subnet.env"),
	IN("flannelnetwork", NULL, POD, CONFIGURED, LOCAL, "Flannel subnet.env"),
	IN("ip", "podips", POD, DERIVED, ADDRESSES, "addresses of pods"),
	IN("ipallocrange", NULL, POD, CONFIGURED, CNI, "Weave"),
	IN("ipv4pools", "ipam", POD, CONFIGURED, LOCAL, "CNI configuration"),
	IN("ipv6cidrblock", "ipv6cidrblockassociationset", POD, DECLARED, VPC, "VPC"),
	IN("ipv6network", "netconfjson", POD, CONFIGURED, CNI, "Flannel"),
	PROVIDER("ipv6podcidr", POD, "k0s"),
	IN("ipv6pools", "ipam", POD, CONFIGURED, LOCAL, "CNI configuration"),
	PROVIDER("ipv6servicecidr", SERVICE, "k0s"),
	PROVIDER("kubepodssubnet", POD, "Kubespray"),
	PROVIDER("kubepodssubnetipv6", POD, "Kubespray"),
	PROVIDER("kubernetesnetworkconfig", SERVICE, "EKS cluster"),
	PROVIDER("kubeserviceaddresses", SERVICE, "Kubespray"),
	PROVIDER("kubeserviceaddressesipv6", SERVICE, "Kubespray"),
	{"name", "metadata", "IPAddress", SERVICE, DERIVED, RANK(ADDRESSES),
	 "addresses of Services"},
	IN("netcidr", NULL, POD, CONFIGURED, CNI, "OVN-Kubernetes"),
	IN("network", "netconfjson", POD, CONFIGURED, CNI, "Flannel"),
	PROVIDER("podaddresscidrblocks", POD, "GKE on AWS or Azure"),
	FLAG("podcidr", POD),
	KIND("podcidr", "Node", POD, DERIVED, NODES, "nodes"),
	PROVIDER("podcidr", POD, "cluster description"),
	KIND("podcidrs", "Node", POD, DERIVED, NODES, "nodes"),
	KIND("podcidrs", "CiliumNode", POD, DERIVED, NODES, "nodes"),
	PROVIDER("podcidrs", POD, "cluster description"),
	PROVIDER("podclusteriprange", POD, "cluster configuration"),
	IN("podip", "status", POD, DERIVED, ADDRESSES, "addresses of pods"),
	PROVIDER("podipv4cidrblock", POD, "GKE node pool"),
	IN("pods", "networking", POD, DECLARED, PROVIDER, "Gardener Shoot"),
	PROVIDER("podscidr", POD, "OKE cluster"),
	KIND("podsubnet", "ClusterConfiguration", POD, DECLARED, KUBEADM, "kubeadm"),
	KIND("podsubnet", "Pod", POD, CONFIGURED, CNI, "kindnet"),
	PROVIDER("podsubnet", POD, "cluster description"),
	PROVIDER("podsubnets", POD, "Talos"),
	PROVIDER("serviceaddresscidrblocks", SERVICE, "GKE on AWS or Azure"),
	FLAG("servicecidr", SERVICE),
	PROVIDER("servicecidr", SERVICE, "cluster description"),
	PROVIDER("servicecidrs", SERVICE, "cluster description"),
	FLAG("serviceclusteriprange", SERVICE),
	PROVIDER("serviceclusteriprange", SERVICE, "cluster configuration"),
	PROVIDER("serviceipv4cidr", SERVICE, "EKS cluster"),
	PROVIDER("serviceipv6cidr", SERVICE, "EKS cluster"),
	IN("servicenetwork", NULL, SERVICE, DECLARED, OPENSHIFT, "OpenShift network"),
	IN("services", "networking", SERVICE, DECLARED, PROVIDER, "Gardener Shoot"),
	PROVIDER("servicescidr", SERVICE, "OKE cluster"),
	PROVIDER("servicesipv4cidr", SERVICE, "GKE cluster"),
	PROVIDER("servicesipv4cidrblock", SERVICE, "GKE cluster"),
	PROVIDER("servicesipv6cidrblock", SERVICE, "GKE cluster"),
	KIND("servicesubnet", "ClusterConfiguration", SERVICE, DECLARED, KUBEADM, "kubeadm"),
	PROVIDER("servicesubnet", SERVICE, "cluster description"),
	PROVIDER("servicesubnets", SERVICE, "Talos"),
	IN("subnet", "ipam", POD, DERIVED, NODES, "CNI configuration"),
	IN("subnet", "ranges", POD, DERIVED, NODES, "CNI configuration"),
	IN("svccidr", NULL, SERVICE, CONFIGURED, CNI, "OVN-Kubernetes"),
	IN("validipsis", NULL, SERVICE, DECLARED, PROBE, "API server's message"),
};

#define RULE_COUNT (sizeof rules / sizeof rules[0])

struct span clusterkeys_normal(struct span key, char storage[static CLUSTERKEYS_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < key.len; i++) {
		char byte = key.ptr[i];

		if (byte == '-' || byte == '_' || byte == '.' || byte == '"' || byte == ' ' ||
		    byte == '\t')
			continue;
		if (len == CLUSTERKEYS_MAX)
			return span_of(storage, 0);
		storage[len++] = ascii_to_lower(byte);
	}
	return span_of(storage, len);
}

bool clusterkeys_is_ignored(struct span key)
{
	static const char *const starts[] = {
		"publicaccesscidr", "master",
		"authorized",	    "dockerbridge",
		"nodeipv4cidr",	    "nodecidr",
		"nodesubnet",	    "tpu",
		"subnetipv6cidr",   "loadbalancersourceranges",
		"ipblock",	    "hostprefix",
		"blocksize",	    "remotenode",
		"nonmasquerade",    "externalcidr",
		"sourceranges",	    "whitelist",
		"allowedcidr",	    "securitygroup",
	};
	static const char *const ends[] = {"cidrsize", "masksize", "cidrsizeipv4", "cidrsizeipv6"};

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		if (span_starts_with(key, span_from_cstr(starts[i])))
			return true;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (span_ends_with(key, span_from_cstr(ends[i])))
			return true;
	return false;
}

static int compare(struct span key, const char *name)
{
	size_t len = strlen(name), common = key.len < len ? key.len : len;
	int order = common > 0 ? memcmp(key.ptr, name, common) : 0;

	return order != 0 ? order : key.len < len ? -1 : key.len > len;
}

size_t clusterkeys_find(struct span key, const struct clusterkeys_rule **first)
{
	size_t low = 0, high = RULE_COUNT, count = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(key, rules[middle].key) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + count < RULE_COUNT && compare(key, rules[low + count].key) == 0)
		count++;
	*first = count > 0 ? &rules[low] : NULL;
	return count;
}
