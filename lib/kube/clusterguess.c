#include "kube/clusterguess.h"

#include "base/ascii.h"
#include "net/special.h"

static bool add(struct clusterinfo *info, const struct range *range, unsigned role, unsigned rank,
		unsigned confidence, const char *source, const char *file)
{
	struct clusterinfo_range found = {.range = *range,
					  .role = (uint8_t)role,
					  .rank = (uint8_t)rank,
					  .confidence = (uint8_t)confidence,
					  .source = source,
					  .file = file};

	clusterinfo_add(info, &found);
	return true;
}

/* The prefix of `free_bits` that begins at `base`. */
static struct range prefix_at(const struct range *base, unsigned free_bits)
{
	struct range r = *base;

	r.last = wide_add(base->first, wide_ones(free_bits));
	return r;
}

/* kube-apiserver refuses more. */
#define SERVICE_BITS_MAX 20

bool clusterguess_services(struct span first, const struct span *others, size_t count,
			   enum clusterinfo_guess guess, struct clusterinfo *info, unsigned *widest,
			   unsigned *narrowest)
{
	static const char source[] = "first address of the services";
	const struct special_kube *known;
	struct range base, cover, wide;
	unsigned bits;
	struct error e;

	*widest = *narrowest = 0;
	if (!range_parse(first, &base, NULL, &e) || !wide_eq(base.first, base.last) ||
	    (base.first.low & 1) == 0)
		return false;
	cover = base;
	base.first = base.last = wide_prev(base.first);
	known = special_find_base(base.family, base.first, SPECIAL_SERVICE);
	if (known != NULL) {
		wide = special_range(known->prefix);
		return add(info, &wide, CLUSTERKEYS_SERVICE, CLUSTERKEYS_RANK_FIRST_ADDRESS,
			   CLUSTERKEYS_DERIVED, source, NULL);
	}
	bits = wide_trailing_zeros(base.first);
	wide = prefix_at(&base, bits < SERVICE_BITS_MAX ? bits : SERVICE_BITS_MAX);
	cover = range_cover(&base, &cover);
	for (size_t i = 0; i < count; i++) {
		struct range other;

		if (range_parse(others[i], &other, NULL, &e) && range_contains(&wide, &other))
			cover = range_cover(&cover, &other);
	}
	*widest = (unsigned)range_length(&wide);
	*narrowest = (unsigned)range_length(&cover);
	if (guess == CLUSTERINFO_GUESS_NO && *widest != *narrowest)
		return false;
	return add(info, guess == CLUSTERINFO_GUESS_NARROW ? &cover : &wide, CLUSTERKEYS_SERVICE,
		   CLUSTERKEYS_RANK_FIRST_ADDRESS, CLUSTERKEYS_DERIVED, source, NULL);
}

/* ---- /proc/net/route ---- */

struct route {
	struct range range;
	bool has_gateway;
};

/* Eight hexadecimal digits, the bytes of the address backwards. */
static bool read_hex(struct span text, uint32_t *out)
{
	uint32_t value = 0;

	if (text.len != 8)
		return false;
	for (size_t i = 0; i < 8; i++) {
		int digit = ascii_hex_value(text.ptr[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*out = __builtin_bswap32(value);
	return true;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask ... */
static bool read_route(struct span line, struct route *out)
{
	struct span field;
	uint32_t values[8] = {0};
	size_t count = 0;

	while (count < 8 && span_split(&line, '\t', &field)) {
		field = span_trim(field);
		if ((count == 1 || count == 2 || count == 7) && !read_hex(field, &values[count]))
			return false;
		count++;
	}
	if (count < 8 || (~values[7] & (~values[7] + 1)) != 0 || (values[1] & ~values[7]) != 0)
		return false;
	out->range = (struct range){wide_of(0, values[1]), wide_of(0, values[1] | ~values[7]), 4};
	out->has_gateway = values[2] != 0;
	return true;
}

/* Is there a route without gateway to a part of it? */
static bool has_own_part(struct span text, const struct range *whole)
{
	struct route r;
	struct span line;

	while (span_split(&text, '\n', &line))
		if (read_route(line, &r) && !r.has_gateway && range_contains(whole, &r.range) &&
		    !range_eq(whole, &r.range))
			return true;
	return false;
}

bool clusterguess_pods(struct span route, const char *file, struct clusterinfo *info)
{
	struct span rest = route, line;
	bool is_found = false;
	struct route r;

	while (span_split(&rest, '\n', &line))
		if (read_route(line, &r) && r.has_gateway && range_length(&r.range) >= 8 &&
		    has_own_part(route, &r.range))
			is_found = add(info, &r.range, CLUSTERKEYS_POD, CLUSTERKEYS_RANK_ROUTE,
				       CLUSTERKEYS_CONFIGURED, "route of a pod", file);
	return is_found;
}
