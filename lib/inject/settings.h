/*
 * settings: what kube-inject's flags say, the same for all files of a run.
 */
#ifndef INJECT_SETTINGS_H
#define INJECT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "inject/capture.h"
#include "kube/workload.h"

struct inject_settings {
	struct span image;
	struct span image_pull_policy;
	struct span version;   /* in the status annotation */
	struct span namespace; /* of manifests that name none; empty: not known */
	struct span log_level; /* of the sidecar; empty: its default */
	struct span cluster_cidr, gateway, outbound_policy; /* empty: not given */
	uint16_t proxy_port, admin_port;
	uint32_t proxy_uid;
	struct capture capture;
	struct kube_workload_kinds also;
	bool is_native;	  /* the sidecar is an init container that stays */
	bool is_uninject; /* take out what was injected, and put nothing in */
};

#endif
