/*
 * endian: integers in network byte order, at any alignment.
 */
#ifndef BASE_ENDIAN_H
#define BASE_ENDIAN_H

#include <stdint.h>

static inline uint16_t endian_get_be16(const void *at)
{
	const unsigned char *p = at;

	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t endian_get_be24(const void *at)
{
	const unsigned char *p = at;

	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t endian_get_be32(const void *at)
{
	const unsigned char *p = at;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void endian_put_be16(void *at, uint16_t value)
{
	unsigned char *p = at;

	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)value;
}

static inline void endian_put_be32(void *at, uint32_t value)
{
	unsigned char *p = at;

	p[0] = (unsigned char)(value >> 24);
	p[1] = (unsigned char)(value >> 16);
	p[2] = (unsigned char)(value >> 8);
	p[3] = (unsigned char)value;
}

#endif
