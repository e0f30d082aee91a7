/*
 * fuzz_hostport: an authority that is taken consists of its host and its port, and of nothing that
 * could mean something to the next reader of it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "net/addr.h"
#include "net/hostname.h"
#include "net/hostport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);
	const char *problem = NULL;
	size_t around, port_len;
	struct hostport hp;
	struct addr a;

	hostname_label_problem(text);
	hostname_service_problem(text);
	if (!hostport_parse(text, &hp, &problem)) {
		expect(problem != NULL);
		/* What is a name by itself is a host. */
		expect(hostname_problem(text) != NULL);
		return 0;
	}
	around = hp.is_ipv6 ? 2 : 0;
	expect(hp.host.len > 0 && hp.host.ptr == text.ptr + around / 2);
	port_len = text.len - hp.host.len - around;
	expect((hp.port == 0) == (port_len == 0) && port_len <= sizeof ":65535" - 1);
	if (hp.is_ipv6)
		expect(addr_parse_ip(hp.host, &a) && a.family == 6);
	for (size_t i = 0; i < hp.host.len; i++)
		expect(memchr(" \t\r\n\0/?#@\\%[]\"'<>", hp.host.ptr[i], 18) == NULL);
	return 0;
}
