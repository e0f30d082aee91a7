#include "ev/systemnames.h"

#include "dns/hosts.h"
#include "dns/resolvconf.h"
#include "sys/file.h"

#define HOSTS_MAX ((size_t)1 << 20)
#define RESOLV_CONF_MAX ((size_t)65536)

void systemnames_read(struct resolver_config *config, bool want_servers, struct arena *arena)
{
	struct hosts_entry *hosts;
	struct resolvconf conf;
	struct span text;
	struct error e;

	if (file_read(arena, SYSTEMNAMES_HOSTS, HOSTS_MAX, &text, &e) &&
	    hosts_parse(text, arena, &hosts, &config->host_count))
		config->hosts = hosts;
	if (!want_servers || !file_read(arena, SYSTEMNAMES_RESOLV_CONF, RESOLV_CONF_MAX, &text, &e))
		return;
	resolvconf_parse(text, &conf);
	for (unsigned i = 0; i < conf.server_count && i < RESOLVER_MAX_SERVERS; i++)
		config->servers[config->server_count++] = conf.servers[i];
	config->timeout_ms = conf.timeout_ms;
	config->attempts = conf.attempts;
	config->rotate = conf.rotate;
}
