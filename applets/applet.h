/*
 * applet: the one place that knows all of them. A new applet is one file here plus one line in
 * APPLETS.
 */
#ifndef APPLET_H
#define APPLET_H

#include "base/diag.h"
#include "kubeapi/access.h"
#include "sys/opt.h"

/* Exit statuses of every applet; what else one may return, its manual says. */
enum {
	APPLET_DONE = 0,
	APPLET_FAILED = 1,
	APPLET_USAGE = 2,
	APPLET_NOT_FOUND = 127,
};

struct applet {
	const char *name;
	const char *summary; /* one line, for the list */
	const struct opt_manual *manual;
	int (*run)(int argc, char **argv); /* argv[0] is the applet's name */
};

extern const struct applet cidr_describe_applet;
extern const struct applet egress_proxy_applet;
extern const struct applet kube_inject_applet;
extern const struct applet iptables_setup_applet;

#define APPLETS(X)                                                                                 \
	X(cidr_describe_applet)                                                                    \
	X(egress_proxy_applet)                                                                     \
	X(kube_inject_applet)                                                                      \
	X(iptables_setup_applet)

/* "NAME: text" on standard error, one line. */
void applet_complain(const char *name, const char *text);

/* For a struct diag whose context is the name: the same, with "warning: " or "note: " before it. */
void applet_emit(struct diag *d, enum diag_level level, const char *text);

/* Fills in what the environment says, see struct access. */
void applet_access_env(struct access *access);

#endif
