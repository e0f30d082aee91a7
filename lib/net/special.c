#include "net/special.h"

/*
 * PREFIX|NAME|RFC|FLAGS, larger before smaller where one is inside the other. The flags: globally
 * reachable, reserved by protocol; T, F, or - where the registry says neither. The mapped addresses
 * of IPv6 are missing: no range has such.
 */
static const char entries[] =
	"0.0.0.0/8|\"This network\"|RFC 791, section 3.2|FT\n"
	"0.0.0.0/32|\"This host on this network\"|RFC 1122, section 3.2.1.3|FT\n"
	"10.0.0.0/8|Private-Use|RFC 1918|FF\n"
	"100.64.0.0/10|Shared Address Space|RFC 6598|FF\n"
	"127.0.0.0/8|Loopback|RFC 1122, section 3.2.1.3|FT\n"
	"169.254.0.0/16|Link Local|RFC 3927|FT\n"
	"172.16.0.0/12|Private-Use|RFC 1918|FF\n"
	"192.0.0.0/24|IETF Protocol Assignments|RFC 6890, section 2.1|FF\n"
	"192.0.0.0/29|IPv4 Service Continuity Prefix|RFC 7335|FF\n"
	"192.0.0.8/32|IPv4 dummy address|RFC 7600|FF\n"
	"192.0.0.9/32|Port Control Protocol Anycast|RFC 7723|TF\n"
	"192.0.0.10/32|Traversal Using Relays around NAT Anycast|RFC 8155|TF\n"
	"192.0.0.170/32|NAT64/DNS64 Discovery|RFC 8880, RFC 7050|FT\n"
	"192.0.0.171/32|NAT64/DNS64 Discovery|RFC 8880, RFC 7050|FT\n"
	"192.0.2.0/24|Documentation (TEST-NET-1)|RFC 5737|FF\n"
	"192.31.196.0/24|AS112-v4|RFC 7535|TF\n"
	"192.52.193.0/24|AMT|RFC 7450|TF\n"
	"192.88.99.0/24|Deprecated (6to4 Relay Anycast)|RFC 7526|--\n"
	"192.88.99.2/32|6a44-relay anycast address|RFC 6751|FF\n"
	"192.168.0.0/16|Private-Use|RFC 1918|FF\n"
	"192.175.48.0/24|Direct Delegation AS112 Service|RFC 7534|TF\n"
	"198.18.0.0/15|Benchmarking|RFC 2544|FF\n"
	"198.51.100.0/24|Documentation (TEST-NET-2)|RFC 5737|FF\n"
	"203.0.113.0/24|Documentation (TEST-NET-3)|RFC 5737|FF\n"
	"224.0.0.0/4|Multicast|RFC 5771|--\n"
	"240.0.0.0/4|Reserved|RFC 1112, section 4|FT\n"
	"255.255.255.255/32|Limited Broadcast|RFC 8190, RFC 919|FT\n"
	"::/128|Unspecified Address|RFC 4291|FT\n"
	"::1/128|Loopback Address|RFC 4291|FT\n"
	"64:ff9b::/96|IPv4-IPv6 Translation|RFC 6052|TF\n"
	"64:ff9b:1::/48|IPv4-IPv6 Translation|RFC 8215|FF\n"
	"100::/64|Discard-Only Address Block|RFC 6666|FF\n"
	"100:0:0:1::/64|Dummy IPv6 Prefix|RFC 9780|FF\n"
	"2001::/23|IETF Protocol Assignments|RFC 2928|FF\n"
	"2001::/32|TEREDO|RFC 4380, RFC 8190|-F\n"
	"2001:1::1/128|Port Control Protocol Anycast|RFC 7723|TF\n"
	"2001:1::2/128|Traversal Using Relays around NAT Anycast|RFC 8155|TF\n"
	"2001:1::3/128|DNS-SD Service Registration Protocol Anycast|RFC 9665|TF\n"
	"2001:2::/48|Benchmarking|RFC 5180|FF\n"
	"2001:3::/32|AMT|RFC 7450|TF\n"
	"2001:4:112::/48|AS112-v6|RFC 7535|TF\n"
	"2001:10::/28|Deprecated (previously ORCHID)|RFC 4843|--\n"
	"2001:20::/28|ORCHIDv2|RFC 7343|TF\n"
	"2001:30::/28|Drone Remote ID Protocol Entity Tags (DETs) Prefix|RFC 9374|TF\n"
	"2001:db8::/32|Documentation|RFC 3849|FF\n"
	"2002::/16|6to4|RFC 3056|-F\n"
	"2620:4f:8000::/48|Direct Delegation AS112 Service|RFC 7534|TF\n"
	"3fff::/20|Documentation|RFC 9637|FF\n"
	"5f00::/16|Segment Routing (SRv6) SIDs|RFC 9602|FF\n"
	"fc00::/7|Unique-Local|RFC 4193, RFC 8190|FF\n"
	"fe80::/10|Link-Local Unicast|RFC 4291|FT\n"
	"ff00::/8|Multicast|RFC 4291|--\n";

/*
 * PREFIX|ROLES|USE, from the documentation and defaults of each distribution; larger before
 * smaller. Roles: those of enum special_role, added up.
 */
static const char kube[] =
	"10.0.0.0/8|1|Cilium's default pool of pods\n"
	"10.0.0.0/16|2|AKS's default service range\n"
	"10.0.0.0/24|2|Minikube's service range up to 0.23\n"
	"10.1.0.0/16|1|pod range of MicroK8s and Docker Desktop\n"
	"10.32.0.0/12|1|Weave's default pod range\n"
	"10.42.0.0/16|1|default pod range of k3s and RKE2\n"
	"10.43.0.0/16|2|default service range of k3s and RKE2\n"
	"10.96.0.0/12|2|default service range of kubeadm and Minikube\n"
	"10.96.0.0/16|2|default service range of kind and OKE\n"
	"10.100.0.0/16|2|a default service range of EKS\n"
	"10.128.0.0/14|1|OpenShift's default pod range\n"
	"10.152.183.0/24|2|MicroK8s's service range\n"
	"10.233.0.0/18|2|Kubespray's default service range\n"
	"10.233.64.0/18|1|Kubespray's default pod range\n"
	"10.244.0.0/16|1|default pod range of Flannel, kind, Minikube, AKS (kubenet) and "
	"DigitalOcean\n"
	"10.245.0.0/16|2|DigitalOcean's default service range\n"
	"34.118.224.0/20|2|GKE's default service range: Google's own, the same in every "
	"cluster, not routed outside\n"
	"100.64.0.0/10|3|kops's default for pods and services\n"
	"169.254.169.254/32|4|the cloud's metadata service: never include it\n"
	"172.20.0.0/16|2|a default service range of EKS, and Bluemix's in 2017\n"
	"172.21.0.0/16|2|IBM Cloud's service range\n"
	"172.30.0.0/16|3|OpenShift's default service range, and IBM Cloud's pod range\n"
	"192.168.0.0/16|1|Calico's default pool of pods\n"
	"240.240.0.0/16|4|addresses that Istio makes up for ServiceEntries\n"
	"fd00:10:96::/112|2|kind's service range\n"
	"fd00:10:244::/56|1|kind's pod range\n";

struct range special_range(struct span prefix)
{
	struct range r = {.family = 0};
	struct error e;

	range_parse(prefix, &r, NULL, &e);
	return r;
}

/* The fields of the next line, and the range that the first of them is. */
static bool next(struct span *table, struct span fields[static 4], struct range *range)
{
	struct span line;

	if (table->len == 0 || !span_split(table, '\n', &line))
		return false;
	for (size_t i = 0; i < 4; i++)
		if (!span_split(&line, '|', &fields[i]))
			fields[i] = line;
	*range = special_range(fields[0]);
	return true;
}

static void set_entry(struct special *out, const struct span *fields)
{
	*out = (struct special){fields[0],
				fields[1],
				fields[2],
				fields[3].ptr[0] == 'T',
				fields[3].ptr[0] == 'F',
				fields[3].ptr[1] == 'T'};
}

bool special_find(const struct range *r, struct special *out)
{
	struct span rest = span_of(entries, sizeof entries - 1), fields[4];
	struct range entry;
	bool is_found = false;

	while (next(&rest, fields, &entry))
		if (range_contains(&entry, r)) {
			set_entry(out, fields);
			is_found = true;
		}
	return is_found;
}

bool special_find_inside(const struct range *r, struct special *out)
{
	struct span rest = span_of(entries, sizeof entries - 1), fields[4];
	struct range entry;

	while (next(&rest, fields, &entry))
		if (range_overlaps(&entry, r) && !range_contains(&entry, r)) {
			set_entry(out, fields);
			return true;
		}
	return false;
}

static bool has_role(const struct span *fields, unsigned roles)
{
	return ((unsigned)(fields[1].ptr[0] - '0') & roles) != 0;
}

bool special_find_kube(const struct range *r, unsigned roles, struct special_kube *out)
{
	struct span rest = span_of(kube, sizeof kube - 1), fields[4];
	struct range entry;
	bool is_found = false;

	while (next(&rest, fields, &entry))
		if (has_role(fields, roles) && range_contains(&entry, r)) {
			*out = (struct special_kube){entry, fields[0], fields[2],
						     range_eq(&entry, r)};
			is_found = true;
		}
	return is_found;
}

bool special_find_base(uint8_t family, struct wide first, unsigned roles, struct range *out)
{
	struct span rest = span_of(kube, sizeof kube - 1), fields[4];
	struct range entry;
	unsigned count = 0;

	while (next(&rest, fields, &entry))
		if (has_role(fields, roles) && entry.family == family &&
		    wide_eq(entry.first, first)) {
			*out = entry;
			count++;
		}
	return count == 1;
}
