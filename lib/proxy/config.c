#include "proxy/config.h"

#include "http/h1char.h"

bool config_set_cluster(struct proxy_config *c, const char *cidrs, struct error *e)
{
	struct span list = span_from_cstr(cidrs), one;
	struct range range;

	while (span_split(&list, ',', &one)) {
		if (!range_parse(one, &range, NULL, e))
			return error_prefix(e, "--cluster-cidr");
		if (!cidrset_add(&c->cluster, &range))
			return error_set(e, "out of memory");
	}
	return cidrset_merge(&c->cluster) || error_set(e, "out of memory");
}

bool config_set_via(struct proxy_config *c, const char *name, struct error *e)
{
	c->via = span_from_cstr(name);
	if (c->via.len > 0 && c->via.len <= CONFIG_VIA_MAX && h1char_all(c->via, H1_CHAR_TOKEN))
		return true;
	return error_set(e, "--via: \"%s\" is no token of up to %d bytes", name, CONFIG_VIA_MAX);
}

bool config_parse_gateway(const char *text, struct hostport *out, struct error *e)
{
	const char *problem = "the port is missing";

	if (hostport_parse(span_from_cstr(text), out, &problem) && out->port != 0)
		return true;
	return error_set(e, "--gateway: \"%s\" is not HOST:PORT: %s", text, problem);
}
