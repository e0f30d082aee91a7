/*
 * fuzz_cidr: a range of addresses or of ports that is taken means the same when it is printed and
 * read again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "net/cidr.h"
#include "net/portrange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void check_cidr(struct span text)
{
	bool had_host_bits = false;
	char storage[CIDR_TEXT_MAX];
	struct cidr c, again;
	struct error e = {""};
	struct buf b;

	if (!cidr_parse(text, &c, &had_host_bits, &e)) {
		expect(e.text[0] != '\0');
		return;
	}
	BUF_INIT_ARRAY(&b, storage);
	cidr_format(&c, &b);
	expect(!b.truncated && cidr_parse(buf_span(&b), &again, &had_host_bits, &e));
	expect(c.length == again.length && addr_eq(&c.network, &again.network) && !had_host_bits);
	expect(cidr_contains(&c, &c.network));
}

static void check_portrange(struct span text)
{
	struct portrange r, again;
	struct error e = {""};
	char storage[16];
	struct buf b;

	if (!portrange_parse(text, &r, &e)) {
		expect(e.text[0] != '\0');
		return;
	}
	BUF_INIT_ARRAY(&b, storage);
	portrange_format(&r, &b);
	expect(portrange_parse(buf_span(&b), &again, &e));
	expect(r.first == again.first && r.last == again.last && r.first <= r.last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_cidr(span_of(data, size));
	check_portrange(span_of(data, size));
	return 0;
}
