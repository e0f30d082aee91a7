#include "net/range.h"

#include "base/ascii.h"
#include "net/cidr.h"
#include "net/iptext.h"

/* ---- Reading: plain forms in one pass, all else by cidr_parse, which knows what to say ---- */

/* A length up to `max` that is all of the rest. */
static bool read_length(const char *p, const char *end, unsigned max, unsigned *out)
{
	unsigned length = 0;

	if (p == end || end - p > 3)
		return false;
	for (; p < end; p++) {
		if (!ascii_is_digit(*p))
			return false;
		length = length * 10 + (unsigned)(*p - '0');
	}
	*out = length;
	return length <= max;
}

static void set_prefix(struct range *out, struct wide address, unsigned free_bits, bool *had)
{
	struct wide ones = wide_ones(free_bits);

	out->first = wide_of(address.high & ~ones.high, address.low & ~ones.low);
	out->last = wide_of(address.high | ones.high, address.low | ones.low);
	*had = !wide_eq(out->first, address);
}

static bool read_plain(struct span text, struct range *out, bool *had_host_bits)
{
	const char *p = text.ptr, *end = p + text.len;
	unsigned width, length;
	struct wide address;
	uint8_t family;

	if (text.len < 2 || !iptext_read(&p, end, &family, &address) ||
	    (family == 6 && iptext_is_mapped(address)))
		return false;
	length = width = family == 4 ? 32 : 128;
	if (p < end && (*p != '/' || !read_length(p + 1, end, width, &length)))
		return false;
	out->family = family;
	set_prefix(out, address, width - length, had_host_bits);
	return true;
}

struct range range_of_addr(const struct addr *a)
{
	struct wide number = addr_number(a);

	return (struct range){.family = a->family, .first = number, .last = number};
}

static struct range from_cidr(const struct cidr *c)
{
	struct range r = range_of_addr(&c->network);
	bool had_host_bits;

	set_prefix(&r, r.first, range_width(&r) - c->length, &had_host_bits);
	return r;
}

static bool refuse(struct error *e, struct span text, const char *problem)
{
	return error_quote(e, text, " is no range of addresses: %s", problem);
}

/* FIRST-LAST, the hyphen at `hyphen`. */
static bool parse_ends(struct span text, size_t hyphen, struct range *out, struct error *e)
{
	struct span first = span_first(text, hyphen), last = span_from(text, hyphen + 1);
	struct cidr a, b;
	struct range low, high;

	if (span_find(text, '/') != SIZE_MAX)
		return refuse(e, text, "expected FIRST-LAST without lengths");
	if (!cidr_parse(first, &a, NULL, e) || !cidr_parse(last, &b, NULL, e))
		return refuse(e, text, "expected an address on each side of the -");
	if (a.network.family != b.network.family)
		return refuse(e, text, "expected two addresses of one family");
	low = from_cidr(&a);
	high = from_cidr(&b);
	if (wide_is_less(high.first, low.first))
		return refuse(e, text, "the last address is before the first");
	*out = (struct range){low.first, high.last, low.family};
	return true;
}

bool range_parse(struct span text, struct range *out, bool *had_host_bits, struct error *e)
{
	bool unused = false, *had = had_host_bits != NULL ? had_host_bits : &unused;
	size_t hyphen;
	struct cidr c;

	if (read_plain(text, out, had))
		return true;
	*had = false;
	hyphen = span_find(text, '-');
	if (hyphen != SIZE_MAX && hyphen > 0)
		return parse_ends(text, hyphen, out, e);
	if (!cidr_parse(text, &c, had, e))
		return false;
	*out = from_cidr(&c);
	return true;
}

/* ---- Asking ---- */

static struct wide size_less_one(const struct range *r)
{
	return wide_sub(r->last, r->first);
}

int range_length(const struct range *r)
{
	struct wide size = size_less_one(r);
	unsigned bits = wide_bits(size);

	if (!wide_eq(size, wide_ones(bits)) || wide_trailing_zeros(r->first) < bits)
		return -1;
	return (int)(range_width(r) - bits);
}

struct range range_first_prefix(const struct range *r)
{
	struct wide size = size_less_one(r);
	/* Of 2^n addresses at most, n being such that 2^n - 1 <= size. */
	unsigned bits = wide_bits(size), zeros = wide_trailing_zeros(r->first);
	struct range prefix = *r;

	if (!wide_eq(size, wide_ones(bits)))
		bits--;
	if (bits > zeros)
		bits = zeros;
	prefix.last = wide_add(r->first, wide_ones(bits));
	return prefix;
}

struct range range_cover(const struct range *a, const struct range *b)
{
	struct wide first = wide_is_less(a->first, b->first) ? a->first : b->first;
	struct wide last = wide_is_less(a->last, b->last) ? b->last : a->last;
	struct wide ones = wide_ones(wide_bits(wide_xor(first, last)));

	return (struct range){
		.first = wide_of(first.high & ~ones.high, first.low & ~ones.low),
		.last = wide_of(first.high | ones.high, first.low | ones.low),
		.family = a->family,
	};
}

bool range_overlaps(const struct range *a, const struct range *b)
{
	return a->family == b->family && !wide_is_less(a->last, b->first) &&
	       !wide_is_less(b->last, a->first);
}

bool range_contains(const struct range *outer, const struct range *inner)
{
	return outer->family == inner->family && !wide_is_less(inner->first, outer->first) &&
	       !wide_is_less(outer->last, inner->last);
}

bool range_eq(const struct range *a, const struct range *b)
{
	return a->family == b->family && wide_eq(a->first, b->first) && wide_eq(a->last, b->last);
}

bool range_is_all(const struct range *r)
{
	return wide_bits(size_less_one(r)) == range_width(r) && range_length(r) == 0;
}

/* ---- Writing ---- */

void range_format_address(uint8_t family, struct wide number, struct buf *out)
{
	char text[RANGE_TEXT_MAX], *end = iptext_write(text, family, number);

	buf_add(out, span_of(text, (size_t)(end - text)));
}

void range_format(const struct range *r, struct buf *out)
{
	int length = range_length(r);
	char text[RANGE_TEXT_MAX], *at = iptext_write(text, r->family, r->first);

	if (length >= 0) {
		*at++ = '/';
		at = iptext_write_octet(at, (unsigned)length);
	} else {
		*at++ = '-';
		at = iptext_write(at, r->family, r->last);
	}
	buf_add(out, span_of(text, (size_t)(at - text)));
}

void range_format_ends(const struct range *r, struct buf *out)
{
	range_format_address(r->family, r->first, out);
	buf_add_byte(out, '-');
	range_format_address(r->family, r->last, out);
}

void range_format_count(const struct range *r, struct buf *out)
{
	wide_format_count(size_less_one(r), out);
}
