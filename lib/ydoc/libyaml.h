/*
 * libyaml: what the Makefile puts in front of each of libyaml's own files; no file of ours includes
 * it.
 *
 * libyaml looks at characters by macros that spell out all of UTF-8 wherever one is used, which
 * made its scanner the largest and not the fastest part of the program. Here are macros of the same
 * meaning that have ASCII in line, nearly all there is, and call a function for the rest.
 *
 * And its memory comes from yalloc.
 *
 * #import, because afterwards libyaml's own #include of this header is passed over, and what is
 * defined here stays.
 */
#ifndef YDOC_LIBYAML_H
#define YDOC_LIBYAML_H

#import "yaml_private.h"

#include "yalloc.h"

/* Its memory: yalloc.h says why. */
#define malloc yalloc_get
#define realloc yalloc_resize
#define free yalloc_put
#define strdup yalloc_copy

/* As before a caller's mistake ends the program, but without libc's printf to say which. */
#undef assert
#define assert(condition) ((condition) ? (void)0 : __builtin_trap())

#define LIBYAML_CALLED __attribute__((noinline, cold, unused)) static
#define LIBYAML_INLINE __attribute__((always_inline, unused)) static inline

#define LIBYAML_BLANK 1 /* space, tab */
#define LIBYAML_SPACE 2
#define LIBYAML_BREAK 4 /* CR, LF */
#define LIBYAML_NUL 8

__attribute__((unused)) static const unsigned char libyaml_kinds[' ' + 1] = {
	['\0'] = LIBYAML_NUL,
	['\t'] = LIBYAML_BLANK,
	['\n'] = LIBYAML_BREAK,
	['\r'] = LIBYAML_BREAK,
	[' '] = LIBYAML_BLANK | LIBYAML_SPACE,
};

/* NEL (U+0085), LS (U+2028), PS (U+2029) */
LIBYAML_CALLED int libyaml_is_wide_break(const yaml_char_t *at)
{
	if (at[0] == 0xc2)
		return at[1] == 0x85;
	return at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9);
}

LIBYAML_INLINE int libyaml_is(const yaml_char_t *at, unsigned kinds)
{
	if (*at <= ' ')
		return (libyaml_kinds[*at] & kinds) != 0;
	return (kinds & LIBYAML_BREAK) != 0 && *at >= 0x80 && libyaml_is_wide_break(at);
}

#undef IS_BREAK_AT
#undef IS_BREAKZ_AT
#undef IS_SPACEZ_AT
#undef IS_BLANKZ_AT
#define IS_BREAK_AT(string, offset) libyaml_is((string).pointer + (offset), LIBYAML_BREAK)
#define IS_BREAKZ_AT(string, offset)                                                               \
	libyaml_is((string).pointer + (offset), LIBYAML_BREAK | LIBYAML_NUL)
#define IS_SPACEZ_AT(string, offset)                                                               \
	libyaml_is((string).pointer + (offset), LIBYAML_SPACE | LIBYAML_BREAK | LIBYAML_NUL)
#define IS_BLANKZ_AT(string, offset)                                                               \
	libyaml_is((string).pointer + (offset), LIBYAML_BLANK | LIBYAML_BREAK | LIBYAML_NUL)

/* Bytes of the character that starts so; 0: none does. */
LIBYAML_CALLED unsigned libyaml_wide_width(yaml_char_t first)
{
	return first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
}

LIBYAML_INLINE unsigned libyaml_width(yaml_char_t first)
{
	return first < 0x80 ? 1 : libyaml_wide_width(first);
}

#undef WIDTH_AT
#define WIDTH_AT(string, offset) libyaml_width((string).pointer[offset])

LIBYAML_CALLED void libyaml_copy_wide(yaml_char_t **to, yaml_char_t **from)
{
	for (unsigned width = libyaml_wide_width(**from); width > 0; width--)
		*(*to)++ = *(*from)++;
}

#undef COPY
#define COPY(string_a, string_b)                                                                   \
	(*(string_b).pointer < 0x80 ? (void)(*(string_a).pointer++ = *(string_b).pointer++)        \
				    : libyaml_copy_wide(&(string_a).pointer, &(string_b).pointer))

#endif
