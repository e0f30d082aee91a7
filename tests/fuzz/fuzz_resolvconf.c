/*
 * fuzz_resolvconf: any file gives servers that can be asked, and times that can be waited.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dns/resolvconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resolvconf conf;

	resolvconf_parse(span_of(data, size), &conf);
	expect(conf.server_count <= RESOLVCONF_MAX_SERVERS);
	expect(conf.timeout_ms >= 1000 && conf.timeout_ms <= 30000);
	expect(conf.attempts >= 1 && conf.attempts <= 5);
	for (unsigned i = 0; i < conf.server_count; i++) {
		struct sockaddr_storage ss;

		expect(conf.servers[i].port == 53 && addr_to_sockaddr(&conf.servers[i], &ss) > 0);
	}
	return 0;
}
