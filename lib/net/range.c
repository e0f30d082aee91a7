#include "net/range.h"

#include "base/ascii.h"
#include "base/endian.h"
#include "net/cidr.h"

/* ---- Reading: plain forms in one pass, all else by cidr_parse, which knows what to say ---- */

/* dec-octet 3("." dec-octet); moves *at behind it. */
static bool read_ipv4(const char **at, const char *end, uint32_t *out)
{
	const char *p = *at;
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		unsigned octet = 0;
		const char *start;

		if (i > 0 && (p == end || *p++ != '.'))
			return false;
		for (start = p; p < end && ascii_is_digit(*p) && p - start < 3; p++)
			octet = octet * 10 + (unsigned)(*p - '0');
		if (p == start || octet > 255 || (*start == '0' && p - start > 1))
			return false;
		value = value << 8 | octet;
	}
	*at = p;
	*out = value;
	return true;
}

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

static const unsigned char hex_values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* Eight groups, or fewer around one "::"; IPv4 at the end is left to the slow way. */
static bool read_ipv6(const char **at, const char *end, struct wide *out)
{
	uint64_t halves[2] = {0, 0}, tail[2] = {0, 0};
	int groups = 0, gap = -1;
	const char *p = *at;

	if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
		gap = 0;
		p += 2;
	}
	while (p < end && groups < 8) {
		unsigned group = 0;
		const char *start = p;
		int value;

		for (; p < end && p - start < 4 && (value = hex_values[(unsigned char)*p]) > 0; p++)
			group = group << 4 | (unsigned)(value - 1);
		if (p == start)
			break;
		halves[0] = halves[0] << 16 | halves[1] >> 48;
		halves[1] = halves[1] << 16 | group;
		groups++;
		if (p == end || *p != ':')
			break;
		if (end - p >= 2 && p[1] == ':') {
			if (gap >= 0)
				return false;
			gap = groups;
			p += 2;
			if (p == end || hex_values[(unsigned char)*p] == 0)
				break;
		} else if (end - p < 2 || hex_values[(unsigned char)*++p] == 0) {
			return false;
		}
	}
	if (gap < 0 ? groups != 8 : groups > 7)
		return false;
	if (gap >= 0) {
		/* What stands before the gap goes up to the top. */
		struct wide low = wide_ones((unsigned)(groups - gap) * 16);
		unsigned up = (unsigned)(8 - groups) * 16;

		tail[0] = halves[0] & low.high;
		tail[1] = halves[1] & low.low;
		halves[0] &= ~low.high;
		halves[1] &= ~low.low;
		if (up == 128) {
			halves[0] = halves[1] = 0;
		} else if (up >= 64) {
			halves[0] = halves[1] << (up - 64);
			halves[1] = 0;
		} else {
			halves[0] = halves[0] << up | halves[1] >> (64 - up);
			halves[1] <<= up;
		}
		halves[0] |= tail[0];
		halves[1] |= tail[1];
	}
	*at = p;
	*out = wide_of(halves[0], halves[1]);
	return true;
}

static bool is_mapped(struct wide address)
{
	return address.high == 0 && address.low >> 32 == 0xffff;
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
	unsigned width = 32, length;
	const char *p, *end;
	struct wide address;
	uint32_t v4;

	if (text.len < 2)
		return false;
	p = text.ptr;
	end = p + text.len;
	if (read_ipv4(&p, end, &v4)) {
		address = wide_of(0, v4);
	} else {
		p = text.ptr;
		width = 128;
		if (!read_ipv6(&p, end, &address) || is_mapped(address))
			return false;
	}
	length = width;
	if (p < end && (*p != '/' || !read_length(p + 1, end, width, &length)))
		return false;
	out->family = width == 32 ? 4 : 6;
	set_prefix(out, address, width - length, had_host_bits);
	return true;
}

struct range range_of_addr(const struct addr *a)
{
	struct range r = {.family = a->family};

	if (a->family == 4) {
		r.first = wide_of(0, endian_get_be32(a->bytes));
	} else {
		for (int i = 0; i < 8; i++) {
			r.first.high = r.first.high << 8 | a->bytes[i];
			r.first.low = r.first.low << 8 | a->bytes[i + 8];
		}
	}
	r.last = r.first;
	return r;
}

static struct range from_cidr(const struct cidr *c)
{
	struct range r = range_of_addr(&c->network);
	bool had_host_bits;

	set_prefix(&r, r.first, range_width(&r) - c->length, &had_host_bits);
	return r;
}

/* The longest of a text that a message shows. */
#define SHOWN_MAX 100

static bool refuse(struct error *e, struct span text, const char *problem)
{
	char storage[SHOWN_MAX * 4 + 4];
	struct buf shown;

	BUF_INIT_ARRAY(&shown, storage);
	buf_add_escaped(&shown, text, SHOWN_MAX);
	return error_set(e, "\"%s\" is no range of addresses: %s", buf_cstr(&shown), problem);
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

static char *write_octet(char *at, unsigned value)
{
	if (value >= 100)
		*at++ = (char)('0' + value / 100);
	if (value >= 10)
		*at++ = (char)('0' + value / 10 % 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

static char *write_ipv4(char *at, uint32_t address)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		at = write_octet(at, address >> shift & 0xff);
		if (shift > 0)
			*at++ = '.';
	}
	return at;
}

static char *write_group(char *at, unsigned group)
{
	static const char digits[] = "0123456789abcdef";

	if (group >= 0x1000)
		*at++ = digits[group >> 12];
	if (group >= 0x100)
		*at++ = digits[group >> 8 & 15];
	if (group >= 0x10)
		*at++ = digits[group >> 4 & 15];
	*at++ = digits[group & 15];
	return at;
}

/* RFC 5952 section 4: "::" for the first of the longest runs of two or more zero groups. */
static char *write_ipv6(char *at, struct wide address)
{
	unsigned groups[8];
	int from = 0, start = -1, end = -1;

	for (int i = 0; i < 8; i++)
		groups[i] = (uint16_t)(i < 4 ? address.high >> (48 - 16 * i)
					     : address.low >> (112 - 16 * i));
	for (int i = 0; i <= 8; i++) {
		if (i < 8 && groups[i] == 0)
			continue;
		if (i - from >= 2 && i - from > end - start) {
			start = from;
			end = i;
		}
		from = i + 1;
	}
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			*at++ = ':';
			*at++ = ':';
			i = end - 1;
			continue;
		}
		if (i > 0 && i != end)
			*at++ = ':';
		at = write_group(at, groups[i]);
	}
	return at;
}

static char *write_address(char *at, uint8_t family, struct wide number)
{
	if (family == 4)
		return write_ipv4(at, (uint32_t)number.low);
	/* RFC 5952 section 5 */
	if (is_mapped(number)) {
		memcpy(at, "::ffff:", 7);
		return write_ipv4(at + 7, (uint32_t)number.low);
	}
	return write_ipv6(at, number);
}

void range_format_address(uint8_t family, struct wide number, struct buf *out)
{
	char text[RANGE_TEXT_MAX], *end = write_address(text, family, number);

	buf_add(out, span_of(text, (size_t)(end - text)));
}

void range_format(const struct range *r, struct buf *out)
{
	int length = range_length(r);
	char text[RANGE_TEXT_MAX], *at = write_address(text, r->family, r->first);

	if (length >= 0) {
		*at++ = '/';
		at = write_octet(at, (unsigned)length);
	} else {
		*at++ = '-';
		at = write_address(at, r->family, r->last);
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
