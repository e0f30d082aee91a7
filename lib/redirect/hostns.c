#include "redirect/hostns.h"

#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "redirect/nft.h"
#include "redirect/nlmsg.h"
#include "redirect/xtables.h"
#include "sys/fd.h"

/* Inode numbers of the first namespaces: <linux/nsfs.h> since 6.18; pid's has always been that. */
#define FIRST_PID_NS 0xeffffffcU
#define FIRST_NET_NS 0xeffffff9U

static ino_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/*
 * Only outside of containers, or with hostPID: in a container of a virtual machine of its own
 * (Kata) the network namespace is that machine's first one too, and rightly the pod's.
 */
static bool is_first(void)
{
	ino_t net;

	if (inode_of("/proc/self/ns/pid") != FIRST_PID_NS)
		return false;
	net = inode_of("/proc/self/ns/net");
	return net == FIRST_NET_NS || (net != 0 && net == inode_of("/proc/1/ns/net"));
}

static bool is_node_interface(struct span name)
{
	static const char names[][IFNAMSIZ] = {"cni0",	     "docker0",	    "cilium_host",
					       "flannel.1",  "kube-ipvs0",  "vxlan.calico",
					       "antrea-gw0", "ovn-k8s-mp0", "kube-bridge"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_eq(name, span_from_cstr(names[i])))
			return true;
	return false;
}

/* A message of the list: is it an interface of a node? */
static bool is_sign(const struct nlmsg_header *h, struct buf *sign)
{
	struct span name = nlmsg_find_attr(span_from(h->payload, sizeof(struct ifinfomsg)),
					   IFLA_IFNAME);

	name = span_first(name, name.len > 0 ? name.len - 1 : 0);
	if (h->type != RTM_NEWLINK || !is_node_interface(name))
		return false;
	buf_add_cstr(sign, "it has an interface ");
	buf_add(sign, name);
	return true;
}

/*
 * All of them are listed by rtnetlink: to ask for one by its name makes the kernel look for a
 * module of that name, by a process that it starts.
 */
static bool has_node_interface(struct buf *sign)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct nlmsg_header h = {.type = 0};
	static char piece[32768];
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {.header = {.nlmsg_len = sizeof request,
				.nlmsg_type = RTM_GETLINK,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	bool found = false;
	ssize_t n;

	if (fd >= 0 && send(fd, &request, sizeof request, 0) == sizeof request) {
		while (!found && h.type != NLMSG_DONE && h.type != NLMSG_ERROR &&
		       (n = recv(fd, piece, sizeof piece, MSG_DONTWAIT)) > 0) {
			struct span rest = span_of(piece, (size_t)n);

			while (!found && nlmsg_next(&rest, &h))
				found = is_sign(&h, sign);
		}
	}
	fd_close(&fd);
	return found;
}

bool hostns_is_here(struct buf *sign)
{
	static const struct nft_place rules[] = {
		{4, "kube-proxy", NULL}, {6, "kube-proxy", NULL}, {4, "nat", "KUBE-POSTROUTING"}};

	if (is_first()) {
		buf_add_cstr(sign, "it is the first one of this machine");
		return true;
	}
	if (has_node_interface(sign))
		return true;
	if (nft_has_any(rules, sizeof rules / sizeof rules[0]) || xtables_has_chain("KUBE-")) {
		buf_add_cstr(sign, "kube-proxy's rules are in it");
		return true;
	}
	return false;
}
