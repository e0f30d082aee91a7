#include "net/iptext.h"

#include <string.h>

#include "base/ascii.h"

/* ---- Reading ---- */

/*
 * dec-octet 3("." dec-octet), RFC 3986 section 3.2.2; moves *at behind it. No leading zeroes: some
 * read the octet as octal then, and two readers of one address are a hole.
 */
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

static const unsigned char hex_values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/*
 * Eight groups, or fewer around one "::" that stands for zeroes (RFC 4291 section 2.2); an IPv4
 * address may stand for the last two.
 */
static bool read_ipv6(const char **at, const char *end, struct wide *out)
{
	uint64_t halves[2] = {0, 0}, tail[2] = {0, 0};
	int groups = 0, gap = -1;
	const char *p = *at;
	uint32_t v4;

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
		if (p < end && *p == '.') {
			p = start;
			if (groups > 6 || !read_ipv4(&p, end, &v4))
				return false;
			halves[0] = halves[0] << 32 | halves[1] >> 32;
			halves[1] = halves[1] << 32 | v4;
			groups += 2;
			break;
		}
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

bool iptext_read(const char **at, const char *end, uint8_t *family, struct wide *out)
{
	uint32_t v4;

	if (read_ipv4(at, end, &v4)) {
		*family = 4;
		*out = wide_of(0, v4);
		return true;
	}
	*family = 6;
	return read_ipv6(at, end, out);
}

/* ---- Writing ---- */

static char *write_ipv4(char *at, uint32_t address)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		at = iptext_write_octet(at, address >> shift & 0xff);
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

char *iptext_write(char *at, uint8_t family, struct wide number)
{
	if (family == 4)
		return write_ipv4(at, (uint32_t)number.low);
	/* RFC 5952 section 5 */
	if (iptext_is_mapped(number)) {
		memcpy(at, "::ffff:", 7);
		return write_ipv4(at + 7, (uint32_t)number.low);
	}
	return write_ipv6(at, number);
}
