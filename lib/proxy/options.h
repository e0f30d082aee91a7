/*
 * options: what egress-proxy can be told, and its manual.
 */
#ifndef PROXY_OPTIONS_H
#define PROXY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/imagename.h"
#include "kubeapi/access.h"
#include "proxy/config.h"
#include "sys/opt.h"

#define OPTIONS_NAME "egress-proxy"
#define OPTIONS_WORKERS_MAX 256

/* As they were given, or by default. */
struct options {
	struct opt_list files;
	bool check;
	struct opt_list listen;
	struct opt_list transparent;
	const char *cluster_cidr;
	const char *gateway;
	int outbound_policy;
	uint64_t detect_ms; /* 0: as the policy has it */
	const char *via;
	const char *admin;
	uint64_t ready_fd;
	const char *upgrade_socket;
	bool no_sandbox;
	uint64_t workers;
	const char *namespace;
	const char *cluster_domain;
	struct opt_list resolve;
	struct opt_list dns;
	bool deny_private;
	struct opt_list deny_upstream, allow_upstream;
	const char *ca_file;
	bool no_via;
	bool keep_internal_headers;
	int access_log;
	int log_level;
	uint64_t drain_delay_ms;
	uint64_t shutdown_timeout_ms;
	struct proxy_timeouts timeouts;
	uint64_t drain_ms; /* 0: serve */
	bool kube, all_namespaces, print_rbac;
	const char *selector;
	struct access access;
	bool print_manifest;
	struct imagename_choice image;
};

/* Rows for opt_parse, into a struct options. */
extern const struct opt options_table[];
extern const struct opt_manual options_manual;

#endif
