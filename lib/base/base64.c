#include "base/base64.h"

/* What a base64 character stands for, plus one; or 0 when it is none, or one of these. */
enum { BLANK = 65, PADDING = 66 };

static const uint8_t codes[256] = {
	['A'] = 1,	['B'] = 2,	['C'] = 3,	['D'] = 4,  ['E'] = 5,	     ['F'] = 6,
	['G'] = 7,	['H'] = 8,	['I'] = 9,	['J'] = 10, ['K'] = 11,	     ['L'] = 12,
	['M'] = 13,	['N'] = 14,	['O'] = 15,	['P'] = 16, ['Q'] = 17,	     ['R'] = 18,
	['S'] = 19,	['T'] = 20,	['U'] = 21,	['V'] = 22, ['W'] = 23,	     ['X'] = 24,
	['Y'] = 25,	['Z'] = 26,	['a'] = 27,	['b'] = 28, ['c'] = 29,	     ['d'] = 30,
	['e'] = 31,	['f'] = 32,	['g'] = 33,	['h'] = 34, ['i'] = 35,	     ['j'] = 36,
	['k'] = 37,	['l'] = 38,	['m'] = 39,	['n'] = 40, ['o'] = 41,	     ['p'] = 42,
	['q'] = 43,	['r'] = 44,	['s'] = 45,	['t'] = 46, ['u'] = 47,	     ['v'] = 48,
	['w'] = 49,	['x'] = 50,	['y'] = 51,	['z'] = 52, ['0'] = 53,	     ['1'] = 54,
	['2'] = 55,	['3'] = 56,	['4'] = 57,	['5'] = 58, ['6'] = 59,	     ['7'] = 60,
	['8'] = 61,	['9'] = 62,	['+'] = 63,	['/'] = 64, ['='] = PADDING, [' '] = BLANK,
	['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK,
};

enum base64_result base64_decode(struct span text, uint8_t *out, size_t size, size_t *len,
				 size_t *bad_at)
{
	unsigned digits = 0, padding = 0;
	uint32_t bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned code = codes[(unsigned char)text.ptr[i]];

		if (code == BLANK)
			continue;
		*bad_at = i;
		if (code == 0 || (code != PADDING && padding > 0))
			return BASE64_BAD;
		padding += code == PADDING;
		/* Padding is written as bits too, but they are not taken out. */
		bits = bits << 6 | ((code - 1) & 63);
		if (++digits % 4 != 0)
			continue;
		if (padding > 2)
			return BASE64_BAD;
		if (n + 3 - padding > size)
			return BASE64_TOO_LARGE;
		for (unsigned byte = 0; byte < 3 - padding; byte++)
			out[n++] = (uint8_t)(bits >> (16 - 8 * byte));
		bits = 0;
	}
	if (digits % 4 != 0) {
		*bad_at = text.len;
		return BASE64_CUT;
	}
	*len = n;
	return BASE64_OK;
}
