/*
 * fuzz_guard: 16 bytes of an address, then a list of ranges. An IPv4 address is judged the same in
 * each of its forms, what is allowed is, and a stricter guard allows nothing more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

/* The last four bytes of *a behind a prefix. */
static struct addr behind(const char *prefix, const struct addr *a)
{
	struct addr form;

	expect(addr_parse_ip(span_from_cstr(prefix), &form));
	memcpy(form.bytes + 12, a->bytes + 12, 4);
	return form;
}

static void check_forms(const struct guard *g, const struct addr *a)
{
	static const char *const prefixes[] = {"::ffff:0:0", "::ffff:0:0:0", "64:ff9b::"};
	struct addr v4 = {.family = 4};
	enum guard_verdict verdict;

	memcpy(v4.bytes, a->bytes + 12, 4);
	verdict = guard_judge(g, &v4);
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		struct addr form = behind(prefixes[i], a);

		expect(guard_judge(g, &form) == verdict);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct guard defaults, strict = {.deny_private = true};
	struct addr a = {.family = 6};
	struct cidr list[16];
	struct guard g = {.deny_private = true, .allow = list};
	struct error e = {""};

	if (size < 16)
		return 0;
	memcpy(a.bytes, data, 16);
	check_forms(&defaults, &a);
	check_forms(&strict, &a);
	expect(guard_judge(&defaults, &a) == GUARD_ALLOWED ||
	       guard_judge(&strict, &a) != GUARD_ALLOWED);
	if (!guard_parse_list(span_of(data + 16, size - 16), list, 16, &g.allow_count, &e))
		expect(e.text[0] != '\0');
	for (size_t i = 0; i < g.allow_count; i++)
		expect(guard_judge(&g, &list[i].network) == GUARD_ALLOWED);
	return 0;
}
