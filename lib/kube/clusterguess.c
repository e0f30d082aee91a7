#include "kube/clusterguess.h"

#include "base/ascii.h"
#include "net/special.h"

static bool add_services(struct clusterinfo *info, const struct range *range, const char *note)
{
	struct clusterinfo_range found = info->first_address;

	found.range = *range;
	found.rank = CLUSTERKEYS_RANK_FIRST_ADDRESS;
	found.source = "first address of the services";
	found.note = note;
	clusterinfo_add(info, &found);
	return true;
}

/* kube-apiserver refuses more. */
#define SERVICE_BITS_MAX 20

bool clusterguess_services(struct clusterinfo *info, enum clusterinfo_guess guess, unsigned *widest,
			   unsigned *narrowest)
{
	const struct cidrset *others = &info->piles[CLUSTERINFO_SERVICE_ADDRESSES].set;
	struct range base = info->first_address.range, cover = base, wide;
	unsigned bits;

	*widest = *narrowest = 0;
	if (base.family == 0 || !wide_eq(base.first, base.last) || (base.first.low & 1) == 0)
		return false;
	base.first = base.last = wide_prev(base.first);
	if (special_find_base(base.family, base.first, SPECIAL_SERVICE, &wide))
		return add_services(info, &wide, NULL);
	bits = wide_trailing_zeros(base.first);
	wide = base;
	wide.last = wide_add(base.first,
			     wide_ones(bits < SERVICE_BITS_MAX ? bits : SERVICE_BITS_MAX));
	cover = range_cover(&base, &cover);
	for (size_t i = 0; i < cidrset_count(others); i++) {
		struct range other = cidrset_at(others, i);

		if (range_contains(&wide, &other))
			cover = range_cover(&cover, &other);
	}
	*widest = (unsigned)range_length(&wide);
	*narrowest = (unsigned)range_length(&cover);
	if (guess == CLUSTERINFO_GUESS_NO && *widest != *narrowest)
		return false;
	if (guess == CLUSTERINFO_GUESS_NARROW)
		return add_services(info, &cover, "the smallest range around what is there now");
	return add_services(info, &wide,
			    *widest == *narrowest ? NULL : "the largest range that begins there");
}

/* ---- Routes ---- */

struct route {
	struct range range;
	bool has_gateway, is_weave;
};

#define FIELDS_MAX 10

/* An address in hexadecimal digits; of IPv4 the bytes stand backwards. */
static bool read_hex(struct span text, struct wide *out)
{
	struct wide value = {0, 0};

	for (size_t i = 0; i < text.len; i++) {
		int digit = ascii_hex_value(text.ptr[i]);

		if (digit < 0)
			return false;
		value = wide_shifted(value, 4);
		value.low |= (uint64_t)digit;
	}
	if (text.len == 8)
		value.low = __builtin_bswap32((uint32_t)value.low);
	*out = value;
	return text.len == 8 || text.len == 32 || text.len == 2;
}

/* IPv4: Iface Destination Gateway Flags RefCnt Use Metric Mask */
static bool read_route4(const struct span *fields, struct route *out)
{
	struct wide to, gateway, mask;
	uint32_t ones;

	if (!read_hex(fields[1], &to) || !read_hex(fields[2], &gateway) ||
	    !read_hex(fields[7], &mask))
		return false;
	ones = ~(uint32_t)mask.low;
	out->range = (struct range){to, wide_of(0, to.low | ones), 4};
	out->has_gateway = gateway.low != 0;
	out->is_weave = span_eq(fields[0], SPAN("weave"));
	return (ones & (ones + 1)) == 0 && (to.low & ones) == 0;
}

/* IPv6: destination, length, source, length, gateway, metric, references, use, flags, device */
static bool read_route6(const struct span *fields, struct route *out)
{
	struct wide to, length, gateway, ones;

	if (!read_hex(fields[0], &to) || !read_hex(fields[1], &length) ||
	    !read_hex(fields[4], &gateway) || length.low > 128)
		return false;
	ones = wide_ones(128 - (unsigned)length.low);
	out->range = (struct range){to, wide_of(to.high | ones.high, to.low | ones.low), 6};
	out->has_gateway = (gateway.high | gateway.low) != 0;
	out->is_weave = span_eq(fields[9], SPAN("weave"));
	return (to.high & ones.high) == 0 && (to.low & ones.low) == 0;
}

static bool read_route(struct span line, struct route *out)
{
	struct span fields[FIELDS_MAX] = {{NULL, 0}};
	size_t count = 0;

	while (count < FIELDS_MAX && line.len > 0) {
		size_t len = 0;

		line = span_trim(line);
		while (len < line.len && line.ptr[len] != '\t' && line.ptr[len] != ' ')
			len++;
		fields[count++] = span_first(line, len);
		line = span_from(line, len);
	}
	if (fields[0].len == 32)
		return count == FIELDS_MAX && read_route6(fields, out);
	return count >= 8 && read_route4(fields, out);
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

/* Whether a route is to the pods of all nodes. A node has routes of other networks besides. */
static bool is_of_pods(struct span text, const struct route *r, bool is_node)
{
	struct range weave = special_range(SPAN("10.32.0.0/12"));

	if (is_node || range_length(&r->range) < 8)
		return r->is_weave && !r->has_gateway;
	/* Inside a pod Weave's device has no name of its own. */
	return r->has_gateway ? has_own_part(text, &r->range) : range_eq(&r->range, &weave);
}

bool clusterguess_pods(struct span route, const char *file, bool is_node, struct clusterinfo *info)
{
	struct span rest = route, line;
	struct clusterinfo_range found = {.role = CLUSTERKEYS_POD,
					  .rank = CLUSTERKEYS_RANK_ROUTE,
					  .confidence = CLUSTERKEYS_CONFIGURED,
					  .source = "route to pods",
					  .file = file};
	bool is_found = false;
	struct route r;

	while (span_split(&rest, '\n', &line)) {
		if (!read_route(line, &r) || !is_of_pods(route, &r, is_node))
			continue;
		found.range = r.range;
		clusterinfo_add(info, &found);
		is_found = true;
	}
	return is_found;
}
