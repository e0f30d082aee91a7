/*
 * settings: what a redirection is to do, as values; and how the words of the command line become
 * them.
 */
#ifndef REDIRECT_SETTINGS_H
#define REDIRECT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "redirect/ranges.h"
#include "sys/opt.h"

/* Bounds of what one command may hold; beyond the first, sets and blobs grow past sense. */
#define SETTINGS_RANGES_MAX 65536
#define SETTINGS_OWNERS_MAX 64
#define SETTINGS_INTERFACES_MAX 64
/* IFNAMSIZ of <linux/if.h>, NUL included. */
#define SETTINGS_INTERFACE_SIZE 16

enum settings_ipv6 {
	SETTINGS_IPV6_AUTO, /* redirected; a kernel that refuses IPv6 is a warning */
	SETTINGS_IPV6_ON,   /* redirected; a kernel that refuses IPv6 is a failure */
	SETTINGS_IPV6_OFF,  /* untouched */
	SETTINGS_IPV6_DROP, /* new connections of others than the proxy are refused */
};
extern const char *const settings_ipv6_names[];

enum settings_inbound {
	SETTINGS_INBOUND_REDIRECT,
	SETTINGS_INBOUND_NONE,
};
extern const char *const settings_inbound_names[];

/* As opt_parse fills them. Each item of a list may itself be a list with commas. */
struct settings_words {
	uint64_t proxy_port, inbound_port, dns_port;
	struct opt_list uids, gids;
	struct opt_list include, exclude, loopback; /* address ranges */
	struct opt_list include_ports, exclude_ports;
	struct opt_list interfaces;
	struct opt_list include_inbound_ports, exclude_inbound_ports;
	const char *mode; /* istio-iptables' -m; NULL, "" or REDIRECT */
	int inbound, ipv6;
	bool block_quic, drop_invalid, strict, allow_root;
};

struct settings_owners {
	uint32_t *ids; /* ascending, each once */
	size_t count;
};

struct settings {
	uint16_t proxy_port, inbound_port;
	uint16_t dns_port; /* 0: DNS is left alone */
	struct settings_owners uids, gids;
	/* By family: [0] is IPv4, [1] is IPv6. */
	struct ranges_cidrs include[2], exclude[2];
	struct cidr loopback[2];
	bool include_all; /* then `include` is empty */
	struct ranges_ports include_ports, exclude_ports;
	const char *const *interfaces;
	size_t interface_count;
	bool inbound;
	struct ranges_ports include_inbound_ports; /* empty: all */
	struct ranges_ports exclude_inbound_ports;
	enum settings_ipv6 ipv6;
	bool block_quic, drop_invalid;
	bool strict; /* the order of prepare_proxy.sh */
};

/*
 * False when a word is wrong: each wrong one is an error on `d` that names the option, the text and
 * its position, so that one run finds them all. Notes and warnings say what was understood
 * otherwise than written. What *s points to is in the arena.
 */
bool settings_from_words(const struct settings_words *w, struct arena *arena, struct diag *d,
			 struct settings *s);

#endif
