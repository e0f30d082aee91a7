#include "net/special.h"

/* Larger before smaller where one is inside the other. */
static const struct special entries[] = {
	{"0.0.0.0/8", "\"This network\"", "RFC 791, section 3.2", "TFFFT"},
	{"0.0.0.0/32", "\"This host on this network\"", "RFC 1122, section 3.2.1.3", "TFFFT"},
	{"10.0.0.0/8", "Private-Use", "RFC 1918", "TTTFF"},
	{"100.64.0.0/10", "Shared Address Space", "RFC 6598", "TTTFF"},
	{"127.0.0.0/8", "Loopback", "RFC 1122, section 3.2.1.3", "FFFFT"},
	{"169.254.0.0/16", "Link Local", "RFC 3927", "TTFFT"},
	{"172.16.0.0/12", "Private-Use", "RFC 1918", "TTTFF"},
	{"192.0.0.0/24", "IETF Protocol Assignments", "RFC 6890, section 2.1", "FFFFF"},
	{"192.0.0.0/29", "IPv4 Service Continuity Prefix", "RFC 7335", "TTTFF"},
	{"192.0.0.8/32", "IPv4 dummy address", "RFC 7600", "TFFFF"},
	{"192.0.0.9/32", "Port Control Protocol Anycast", "RFC 7723", "TTTTF"},
	{"192.0.0.10/32", "Traversal Using Relays around NAT Anycast", "RFC 8155", "TTTTF"},
	{"192.0.0.170/32", "NAT64/DNS64 Discovery", "RFC 8880, RFC 7050", "FFFFT"},
	{"192.0.0.171/32", "NAT64/DNS64 Discovery", "RFC 8880, RFC 7050", "FFFFT"},
	{"192.0.2.0/24", "Documentation (TEST-NET-1)", "RFC 5737", "FFFFF"},
	{"192.31.196.0/24", "AS112-v4", "RFC 7535", "TTTTF"},
	{"192.52.193.0/24", "AMT", "RFC 7450", "TTTTF"},
	{"192.88.99.0/24", "Deprecated (6to4 Relay Anycast)", "RFC 7526", "-----"},
	{"192.168.0.0/16", "Private-Use", "RFC 1918", "TTTFF"},
	{"192.175.48.0/24", "Direct Delegation AS112 Service", "RFC 7534", "TTTTF"},
	{"198.18.0.0/15", "Benchmarking", "RFC 2544", "TTTFF"},
	{"198.51.100.0/24", "Documentation (TEST-NET-2)", "RFC 5737", "FFFFF"},
	{"203.0.113.0/24", "Documentation (TEST-NET-3)", "RFC 5737", "FFFFF"},
	{"224.0.0.0/4", "Multicast", "RFC 5771", "FT---"},
	{"240.0.0.0/4", "Reserved", "RFC 1112, section 4", "FFFFT"},
	{"255.255.255.255/32", "Limited Broadcast", "RFC 8190, RFC 919", "FTFFT"},
	{"::/128", "Unspecified Address", "RFC 4291", "TFFFT"},
	{"::1/128", "Loopback Address", "RFC 4291", "FFFFT"},
	{"64:ff9b::/96", "IPv4-IPv6 Translation", "RFC 6052", "TTTTF"},
	{"64:ff9b:1::/48", "IPv4-IPv6 Translation", "RFC 8215", "TTTFF"},
	{"100::/64", "Discard-Only Address Block", "RFC 6666", "TTTFF"},
	{"100:0:0:1::/64", "Dummy IPv6 Prefix", "RFC 9780", "TFFFF"},
	{"2001::/23", "IETF Protocol Assignments", "RFC 2928", "FFFFF"},
	{"2001::/32", "TEREDO", "RFC 4380, RFC 8190", "TTT-F"},
	{"2001:1::1/128", "Port Control Protocol Anycast", "RFC 7723", "TTTTF"},
	{"2001:1::2/128", "Traversal Using Relays around NAT Anycast", "RFC 8155", "TTTTF"},
	{"2001:1::3/128", "DNS-SD Service Registration Protocol Anycast", "RFC 9665", "TTTTF"},
	{"2001:2::/48", "Benchmarking", "RFC 5180", "TTTFF"},
	{"2001:3::/32", "AMT", "RFC 7450", "TTTTF"},
	{"2001:4:112::/48", "AS112-v6", "RFC 7535", "TTTTF"},
	{"2001:10::/28", "Deprecated (previously ORCHID)", "RFC 4843", "-----"},
	{"2001:20::/28", "ORCHIDv2", "RFC 7343", "TTTTF"},
	{"2001:30::/28", "Drone Remote ID Protocol Entity Tags", "RFC 9374", "TTTTF"},
	{"2001:db8::/32", "Documentation", "RFC 3849", "FFFFF"},
	{"2002::/16", "6to4", "RFC 3056", "TTT-F"},
	{"2620:4f:8000::/48", "Direct Delegation AS112 Service", "RFC 7534", "TTTTF"},
	{"3fff::/20", "Documentation", "RFC 9637", "FFFFF"},
	{"5f00::/16", "Segment Routing (SRv6) SIDs", "RFC 9602", "TTTFF"},
	{"fc00::/7", "Unique-Local", "RFC 4193, RFC 8190", "TTTFF"},
	{"fe80::/10", "Link-Local Unicast", "RFC 4291", "TTFFT"},
	{"ff00::/8", "Multicast", "RFC 4291", "FT---"},
};

#define POD SPECIAL_POD
#define SERVICE SPECIAL_SERVICE

/* reference: documentation and defaults of each distribution; larger before smaller. */
static const struct special_kube kube[] = {
	{"10.0.0.0/8", POD, "Cilium's default pool of pods"},
	{"10.0.0.0/16", SERVICE, "AKS's default service range"},
	{"10.0.0.0/24", SERVICE, "Minikube's service range up to 0.23"},
	{"10.1.0.0/16", POD, "pod range of MicroK8s and Docker Desktop"},
	{"10.32.0.0/12", POD, "Weave's default pod range"},
	{"10.42.0.0/16", POD, "default pod range of k3s and RKE2"},
	{"10.43.0.0/16", SERVICE, "default service range of k3s and RKE2"},
	{"10.96.0.0/12", SERVICE, "default service range of kubeadm and Minikube"},
	{"10.96.0.0/16", SERVICE, "default service range of kind and OKE"},
	{"10.100.0.0/16", SERVICE, "a default service range of EKS"},
	{"10.128.0.0/14", POD, "OpenShift's default pod range"},
	{"10.152.183.0/24", SERVICE, "MicroK8s's service range"},
	{"10.233.0.0/18", SERVICE, "Kubespray's default service range"},
	{"10.233.64.0/18", POD, "Kubespray's default pod range"},
	{"10.244.0.0/16", POD,
	 "default pod range of Flannel, kind, Minikube, AKS (kubenet) and DigitalOcean"},
	{"10.245.0.0/16", SERVICE, "DigitalOcean's default service range"},
	{"34.118.224.0/20", SERVICE,
	 "GKE's default service range: Google's own, the same in every cluster, not routed "
	 "outside"},
	{"100.64.0.0/10", POD | SERVICE, "kops's default for pods and services"},
	{"169.254.169.254/32", SPECIAL_OTHER, "the cloud's metadata service: never include it"},
	{"172.20.0.0/16", SERVICE, "a default service range of EKS, and Bluemix's in 2017"},
	{"172.21.0.0/16", SERVICE, "IBM Cloud's service range"},
	{"172.30.0.0/16", POD | SERVICE,
	 "OpenShift's default service range, and IBM Cloud's pod range"},
	{"192.168.0.0/16", POD, "Calico's default pool of pods"},
	{"240.240.0.0/16", SPECIAL_OTHER, "addresses that Istio makes up for ServiceEntries"},
	{"fd00:10:96::/112", SERVICE, "kind's service range"},
	{"fd00:10:244::/56", POD, "kind's pod range"},
};

struct range special_range(const char *prefix)
{
	struct range r = {.family = 0};
	struct error e;

	range_parse(span_from_cstr(prefix), &r, NULL, &e);
	return r;
}

const struct special *special_find(const struct range *r)
{
	const struct special *found = NULL;

	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		struct range entry = special_range(entries[i].prefix);

		if (range_contains(&entry, r))
			found = &entries[i];
	}
	return found;
}

const struct special *special_find_inside(const struct range *r)
{
	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		struct range entry = special_range(entries[i].prefix);

		if (range_overlaps(&entry, r) && !range_contains(&entry, r))
			return &entries[i];
	}
	return NULL;
}

const struct special_kube *special_find_kube(const struct range *r, unsigned roles, bool *is_exact)
{
	const struct special_kube *found = NULL;

	*is_exact = false;
	for (size_t i = 0; i < sizeof kube / sizeof kube[0]; i++) {
		struct range entry = special_range(kube[i].prefix);

		if ((kube[i].roles & roles) == 0 || !range_contains(&entry, r))
			continue;
		found = &kube[i];
		*is_exact = range_eq(&entry, r);
	}
	return found;
}

const struct special_kube *special_find_base(uint8_t family, struct wide first, unsigned roles)
{
	const struct special_kube *found = NULL;

	for (size_t i = 0; i < sizeof kube / sizeof kube[0]; i++) {
		struct range entry = special_range(kube[i].prefix);

		if ((kube[i].roles & roles) == 0 || entry.family != family ||
		    !wide_eq(entry.first, first))
			continue;
		if (found != NULL)
			return NULL;
		found = &kube[i];
	}
	return found;
}
