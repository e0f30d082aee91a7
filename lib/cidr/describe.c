#include "cidr/describe.h"

#include "cidr/rangeinput.h"
#include "cidr/record.h"
#include "net/special.h"

/* ---- Reverse zones ---- */

/* The zone of the `labels` first octets or nibbles of an address. */
static void add_zone(uint8_t family, struct wide address, unsigned labels, struct buf *out)
{
	for (unsigned i = labels; i > 0; i--) {
		if (family == 4)
			buf_add_u64(out, address.low >> (32 - 8 * i) & 0xff);
		else
			buf_add_hex(out, (i <= 16 ? address.high >> (64 - 4 * i)
						  : address.low >> (128 - 4 * i)) &
						 15);
		buf_add_byte(out, '.');
	}
	buf_add_cstr(out, family == 4 ? "in-addr.arpa" : "ip6.arpa");
}

#define ZONES_SHOWN 16

void describe_reverse(const struct range *r, struct buf *out)
{
	unsigned per_label = r->family == 4 ? 8 : 4;
	int length = range_length(r);
	unsigned labels, count;

	if (length < 0)
		return;
	if (r->family == 4 && length > 24 && length < 32) {
		buf_printf(out, "%u/%u.", (unsigned)(r->first.low & 0xff), (unsigned)length);
		add_zone(4, r->first, 3, out);
		return;
	}
	labels = ((unsigned)length + per_label - 1) / per_label;
	count = 1u << (labels * per_label - (unsigned)length);
	if (count > ZONES_SHOWN) {
		add_zone(r->family, r->first, labels, out);
		buf_add_cstr(out, " to ");
		add_zone(r->family, r->last, labels, out);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned up = range_width(r) - labels * per_label;
		struct wide step = wide_shifted(wide_of(0, i), up);

		if (i > 0)
			buf_add_byte(out, ' ');
		add_zone(r->family, wide_add(r->first, step), labels, out);
	}
}

/* ---- Fields ---- */

static void add_mask(const struct range *r, struct buf *out)
{
	int length = range_length(r);
	struct wide ones;

	if (length < 0)
		return;
	ones = wide_ones(range_width(r) - (unsigned)length);
	range_format_address(r->family, wide_of(~ones.high, ~ones.low), out);
}

/* What the minimal list of prefixes for it is, of what is no prefix itself. */
static void add_prefixes(const struct range *r, struct buf *out)
{
	struct range rest = *r;

	while (range_length(r) < 0) {
		struct range prefix = range_first_prefix(&rest);

		range_format(&prefix, out);
		if (wide_eq(prefix.last, rest.last))
			break;
		buf_add_byte(out, ' ');
		rest.first = wide_next(prefix.last);
	}
}

static void add_special(const struct range *r, struct buf *out)
{
	bool is_all_of_it = true;
	struct special_kube known;
	struct special s;

	if (!special_find(r, &s)) {
		is_all_of_it = false;
		if (!special_find_inside(r, &s)) {
			buf_add_cstr(out, special_find_kube(r, SPECIAL_SERVICE, &known)
						  ? "none: see kubernetes"
						  : "none: public");
			return;
		}
	}
	buf_printf(out, "%s%.*s, %.*s, %.*s", is_all_of_it ? "" : "in part: ", SPAN_ARG(s.prefix),
		   SPAN_ARG(s.name), SPAN_ARG(s.rfc));
	if (!is_all_of_it)
		return;
	if (s.is_reachable || s.is_unreachable)
		buf_printf(out, ", %sglobally reachable", s.is_reachable ? "" : "not ");
	if (s.is_reserved)
		buf_add_cstr(out, ", reserved by protocol");
}

static void add_kubernetes(const struct range *r, struct buf *out)
{
	struct special_kube k;

	if (!special_find_kube(r, SPECIAL_POD | SPECIAL_SERVICE | SPECIAL_OTHER, &k))
		return;
	if (!k.is_exact)
		buf_printf(out, "inside %.*s, ", SPAN_ARG(k.prefix));
	buf_add(out, k.use);
}

static const char *const field_names[] = {
	"input", "network",  "mask",	"first",      "last",
	"count", "prefixes", "special", "kubernetes", "reverse",
};

#define FIELD_COUNT (sizeof field_names / sizeof field_names[0])

/* In the order of field_names. */
static void add_field(const void *thing, unsigned field, struct buf *out)
{
	const struct rangescan_found *found = thing;
	const struct range *r = &found->range;

	switch (field) {
	case 0:
		buf_add(out, found->text);
		break;
	case 1:
		if (range_length(r) >= 0)
			range_format(r, out);
		break;
	case 2:
		add_mask(r, out);
		break;
	case 3:
		range_format_address(r->family, r->first, out);
		break;
	case 4:
		range_format_address(r->family, r->last, out);
		break;
	case 5:
		range_format_count(r, out);
		break;
	case 6:
		add_prefixes(r, out);
		break;
	case 7:
		add_special(r, out);
		break;
	case 8:
		add_kubernetes(r, out);
		break;
	default:
		describe_reverse(r, out);
	}
}

static bool on_range(void *context, const struct rangescan_found *found, struct error *e)
{
	(void)e;
	record_add(context, found);
	return true;
}

bool describe_lists(const struct verb_words *lists, uint8_t family, enum rangewriter_format format,
		    struct buf *out, struct error *e)
{
	struct rangeinput in;
	struct record r;

	record_init(&r, format, field_names, FIELD_COUNT, add_field, out);
	rangeinput_init(&in, family, on_range, &r);
	for (size_t i = 0; i < lists->count; i++)
		if (!rangeinput_operand(&in, lists->items[i], e))
			return false;
	record_end(&r);
	return !out->truncated || error_set(e, "out of memory");
}
