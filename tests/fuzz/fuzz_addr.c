/*
 * fuzz_addr: what is taken for an address is written in one form, which is read as the same
 * address.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void check_form(const struct addr *a)
{
	char text[ADDR_TEXT_MAX], again[ADDR_TEXT_MAX];
	struct sockaddr_storage ss;
	struct addr back;
	struct buf b;

	BUF_INIT_ARRAY(&b, text);
	addr_format(a, &b);
	expect(!b.truncated);
	expect(a->port != 0 ? addr_parse(buf_span(&b), 0, &back)
			    : addr_parse_ip(buf_span(&b), &back));
	expect(addr_eq(a, &back));
	BUF_INIT_ARRAY(&b, again);
	addr_format(&back, &b);
	expect(strcmp(text, again) == 0);
	expect(addr_to_sockaddr(a, &ss) > 0 && addr_from_sockaddr(&ss, &back) && addr_eq(a, &back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);
	struct addr alone, with_port, with_default;

	if (addr_parse_ip(text, &alone)) {
		expect(alone.port == 0);
		check_form(&alone);
	}
	if (addr_parse(text, 0, &with_port)) {
		expect(with_port.port != 0);
		check_form(&with_port);
		expect(addr_parse(text, 53, &with_default) && addr_eq(&with_port, &with_default));
	} else if (addr_parse(text, 53, &with_default)) {
		expect(with_default.port == 53);
		with_default.port = 0;
		expect(addr_eq(&with_default, &alone));
	}
	return 0;
}
