#include "kube/clusterpreset.h"

#include <string.h>

#include "base/nearest.h"

struct preset {
	const char *name, *pods, *services; /* lists with commas; "" where there is no default */
};

/* Names without @ are today's; those with one are of a version, or one of several defaults. */
static const struct preset presets[] = {
	{"minikube", "10.244.0.0/16", "10.96.0.0/12"},
	/* As the page of 2017 gives it; 0.24 moved to 10.96.0.0/12. */
	{"minikube@0.23", "", "10.0.0.1/24"},
	{"iks", "172.30.0.0/16", "172.21.0.0/16"},
	/* The page's values; services moved to 172.21.0.0/16. */
	{"bluemix", "172.30.0.0/16", "172.20.0.0/16"},
	{"kind", "10.244.0.0/16", "10.96.0.0/16"},
	{"k3s", "10.42.0.0/16", "10.43.0.0/16"},
	{"k3d", "10.42.0.0/16", "10.43.0.0/16"},
	{"rke2", "10.42.0.0/16", "10.43.0.0/16"},
	{"rke", "10.42.0.0/16", "10.43.0.0/16"},
	{"mke", "192.168.0.0/16", "10.96.0.0/16"},
	{"pks", "10.200.0.0/16", "10.100.200.0/24"},
	{"k0s", "10.244.0.0/16", "10.96.0.0/12"},
	{"microk8s", "10.1.0.0/16", "10.152.183.0/24"},
	{"docker-desktop", "10.1.0.0/16", "10.96.0.0/12"},
	{"openshift", "10.128.0.0/14", "172.30.0.0/16"},
	{"kubeadm", "", "10.96.0.0/12"},
	{"kubespray", "10.233.64.0/18", "10.233.0.0/18"},
	{"oke", "10.244.0.0/16", "10.96.0.0/16"},
	{"doks", "10.244.0.0/16", "10.245.0.0/16"},
	{"talos", "10.244.0.0/16", "10.96.0.0/12"},
	{"eks@10.100", "", "10.100.0.0/16"},
	{"eks@172.20", "", "172.20.0.0/16"},
};

#define PRESET_COUNT (sizeof presets / sizeof presets[0])

/* Where nothing is fixed: what to run instead. */
static const struct {
	const char *name, *command;
} not_fixed[] = {
	{"gke", "gcloud container clusters describe NAME --zone=ZONE | cidr-describe"},
	{"aks", "az aks show -g GROUP -n NAME | cidr-describe"},
	{"eks", "aws eks describe-cluster --name NAME | cidr-describe (or eks@10.100, eks@172.20)"},
};

static void add_list(const struct preset *p, enum clusterkeys_role role, struct clusterinfo *info,
		     struct diag *diag)
{
	struct span rest = span_from_cstr(role == CLUSTERKEYS_POD ? p->pods : p->services), one;
	struct clusterinfo_range found = {.role = (uint8_t)role,
					  .confidence = CLUSTERKEYS_ASSUMED,
					  .rank = CLUSTERKEYS_RANK_PRESET,
					  .source = p->name,
					  .note = "assumed, not discovered"};
	bool had_host_bits;
	struct error e;

	while (rest.len > 0 && span_split(&rest, ',', &one)) {
		if (!range_parse(one, &found.range, &had_host_bits, &e))
			continue;
		diag_report(diag, DIAG_NOTE,
			    "--provider %s: the %s range %.*s is assumed, not discovered", p->name,
			    clusterkeys_roles[role], SPAN_ARG(one));
		clusterinfo_add(info, &found);
	}
}

static bool refuse(const char *name, struct error *e)
{
	struct nearest n;

	for (size_t i = 0; i < sizeof not_fixed / sizeof not_fixed[0]; i++)
		if (strcmp(name, not_fixed[i].name) == 0)
			return error_set(e, "--provider %s: its ranges are not fixed; run %s", name,
					 not_fixed[i].command);
	nearest_init(&n, span_from_cstr(name));
	for (size_t i = 0; i < PRESET_COUNT; i++)
		nearest_offer(&n, span_from_cstr(presets[i].name));
	if (n.best.len > 0)
		return error_set(e, "--provider: \"%s\" is not known: did you mean %.*s?", name,
				 SPAN_ARG(n.best));
	return error_set(e, "--provider: \"%s\" is not known (--provider list names them)", name);
}

bool clusterpreset_add(const char *name, struct clusterinfo *info, struct diag *diag,
		       bool *is_complete, struct error *e)
{
	for (size_t i = 0; i < PRESET_COUNT; i++) {
		if (strcmp(name, presets[i].name) != 0)
			continue;
		add_list(&presets[i], CLUSTERKEYS_POD, info, diag);
		add_list(&presets[i], CLUSTERKEYS_SERVICE, info, diag);
		/* The page redirects to this range alone. */
		*is_complete = strcmp(name, "minikube@0.23") == 0;
		return true;
	}
	return refuse(name, e);
}

void clusterpreset_list(struct buf *out)
{
	buf_printf(out, "%-16s%-16s%s\n", "NAME", "PODS", "SERVICES");
	for (size_t i = 0; i < PRESET_COUNT; i++)
		buf_printf(out, "%-16s%-16s%s\n", presets[i].name,
			   presets[i].pods[0] != '\0' ? presets[i].pods : "-", presets[i].services);
}
