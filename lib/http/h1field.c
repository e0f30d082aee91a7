#include "http/h1field.h"

#include <stddef.h>

struct known {
	struct span name;
	unsigned traits;
};

#define KNOWN(member, name, first, last, traits)                                                   \
	[H1_FIELD_##member] = {{name, sizeof(name) - 1}, traits},
static const struct known known[H1_FIELD_IDS] = {
	[H1_FIELD_OTHER] = {{"", 0}, 0},
	H1_FIELDS(KNOWN)[H1_FIELD_INTERNAL] = {{"", 0}, H1_INT},
};

/*
 * Length, first and last byte tell all known names apart: the factors were searched for. A new name
 * that shares a slot is an error of the compiler (initialised twice), and wants new factors.
 */
#define SLOTS 128
#define SLOT(len, first, last)                                                                     \
	(((len) + 7u * ((unsigned)(first) | 0x20u) + 33u * ((unsigned)(last) | 0x20u)) % SLOTS)
#define SLOT_ROW(member, name, first, last, traits)                                                \
	[SLOT(sizeof(name) - 1, first, last)] = H1_FIELD_##member,
static const uint8_t slots[SLOTS] = {H1_FIELDS(SLOT_ROW)};

#define PREFIX(text) {text, sizeof(text) - 1},
static const struct span internal_prefixes[] = {H1_INTERNAL_PREFIXES(PREFIX)};

static bool is_internal(struct span name)
{
	size_t count = sizeof internal_prefixes / sizeof internal_prefixes[0];

	if (name.len < 3 || (name.ptr[0] | 0x20) != 'x' || name.ptr[1] != '-')
		return false;
	for (size_t i = 0; i < count; i++) {
		struct span prefix = internal_prefixes[i];

		if (span_eq_nocase(span_first(name, prefix.len), prefix))
			return true;
	}
	return false;
}

enum h1_field_id h1field_lookup(struct span name)
{
	enum h1_field_id id;

	if (name.len == 0)
		return H1_FIELD_OTHER;
	id = slots[SLOT(name.len, (unsigned char)name.ptr[0],
			(unsigned char)name.ptr[name.len - 1])];
	if (id != H1_FIELD_OTHER && span_eq_nocase(name, known[id].name))
		return id;
	return is_internal(name) ? H1_FIELD_INTERNAL : H1_FIELD_OTHER;
}

const char *h1field_name(enum h1_field_id id)
{
	return known[id].name.ptr;
}

unsigned h1field_traits(enum h1_field_id id)
{
	return known[id].traits;
}
