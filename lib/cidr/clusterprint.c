#include "cidr/clusterprint.h"

#include "cidr/record.h"

/* ---- The page's lines ---- */

static const char *const first_keys[2][CLUSTERKEYS_ROLES] = {
	{"clusterIpv4Cidr", "servicesIpv4Cidr"},
	{"clusterIpv6Cidr", "servicesIpv6Cidr"},
};
static const char *const more_keys[CLUSTERKEYS_ROLES] = {"additionalClusterCidrs",
							 "additionalServicesCidrs"};

/* The first of a role and family, or NULL. */
static const struct clusterinfo_range *first_of(const struct clusterinfo_answer *answer,
						unsigned role, unsigned family)
{
	for (size_t i = 0; i < answer->count; i++)
		if (answer->list[i].role == role && answer->list[i].range.family == family)
			return &answer->list[i];
	return NULL;
}

static void add_first(const struct clusterinfo_answer *answer, unsigned role, unsigned family,
		      struct buf *out)
{
	const struct clusterinfo_range *one = first_of(answer, role, family);

	if (one == NULL)
		return;
	buf_printf(out, "%s: ", first_keys[family == 6][role]);
	range_format(&one->range, out);
	buf_add_byte(out, '\n');
}

static void add_more(const struct clusterinfo_answer *answer, unsigned role, struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->count; i++) {
		const struct clusterinfo_range *one = &answer->list[i];

		if (one->role != role || one == first_of(answer, role, one->range.family))
			continue;
		if (count++ == 0)
			buf_printf(out, "%s: [\"", more_keys[role]);
		else
			buf_add_cstr(out, "\", \"");
		range_format(&one->range, out);
	}
	if (count > 0)
		buf_add_cstr(out, "\"]\n");
}

static void add_lines(const struct clusterinfo_answer *answer, struct buf *out)
{
	for (unsigned family = 4; family <= 6; family += 2)
		for (unsigned role = 0; role < CLUSTERKEYS_ROLES; role++)
			add_first(answer, role, family, out);
	for (unsigned role = 0; role < CLUSTERKEYS_ROLES; role++)
		add_more(answer, role, out);
}

/* ---- Lists ---- */

static void add_list(const struct clusterinfo_answer *answer, unsigned from, unsigned to,
		     const char *between, struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->count; i++) {
		if (answer->list[i].role < from || answer->list[i].role > to)
			continue;
		buf_add_cstr(out, count++ > 0 ? between : "");
		range_format(&answer->list[i].range, out);
	}
}

static void add_env(const struct clusterinfo_answer *answer, struct buf *out)
{
	static const char *const names[CLUSTERKEYS_ROLES] = {"POD_CIDRS", "SERVICE_CIDRS"};

	for (unsigned role = 0; role < CLUSTERKEYS_ROLES; role++) {
		if (answer->counts[role] == 0)
			continue;
		buf_printf(out, "%s=", names[role]);
		add_list(answer, role, role, ",", out);
		buf_add_byte(out, '\n');
	}
}

/* ---- Details ---- */

static const char *const field_names[] = {
	"cidr", "role", "family", "confidence", "source", "place", "first", "last", "count", "note",
};

#define FIELD_COUNT (sizeof field_names / sizeof field_names[0])

/* In the order of field_names. */
static void add_field(const void *thing, unsigned field, struct buf *out)
{
	const struct clusterinfo_range *one = thing;

	switch (field) {
	case 0:
		range_format(&one->range, out);
		break;
	case 1:
		buf_add_cstr(out, clusterkeys_roles[one->role]);
		break;
	case 2:
		buf_printf(out, "IPv%u", one->range.family);
		break;
	case 3:
		buf_add_cstr(out, clusterkeys_confidences[one->confidence]);
		break;
	case 4:
		buf_add_cstr(out, one->source);
		break;
	case 5:
		if (one->file != NULL)
			buf_add_cstr(out, one->file);
		if (one->line > 0)
			buf_printf(out, ":%u:%u", one->line, one->col);
		break;
	case 6:
		range_format_address(one->range.family, one->range.first, out);
		break;
	case 7:
		range_format_address(one->range.family, one->range.last, out);
		break;
	case 8:
		range_format_count(&one->range, out);
		break;
	default:
		if (one->note != NULL)
			buf_add_cstr(out, one->note);
	}
}

static void add_details(const struct clusterinfo_answer *answer, enum rangewriter_format format,
			struct buf *out)
{
	struct record r;

	record_init(&r, format, field_names, FIELD_COUNT, add_field, out);
	for (size_t i = 0; i < answer->count; i++)
		record_add(&r, &answer->list[i]);
	record_end(&r);
}

void clusterprint(const struct clusterinfo_answer *answer, enum rangewriter_format format,
		  struct buf *out)
{
	const struct rangewriter_form *form = &rangewriter_forms[format];

	if (format == RANGEWRITER_DESCRIBE) {
		add_lines(answer, out);
	} else if (format == RANGEWRITER_ENV) {
		add_env(answer, out);
	} else if (format >= RANGEWRITER_YAML) {
		add_details(answer, format, out);
	} else {
		buf_add_cstr(out, form->before);
		add_list(answer, 0, CLUSTERKEYS_ROLES, form->between, out);
		buf_add_cstr(out, form->after);
	}
}
