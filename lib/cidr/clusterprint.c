#include "cidr/clusterprint.h"

#include "json/jsonw.h"

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

enum field {
	CIDR,
	ROLE,
	FAMILY,
	CONFIDENCE,
	SOURCE,
	PLACE,
	FIRST,
	LAST,
	COUNT,
	NOTE,
	FIELDS,
};

static const char *const field_names[FIELDS] = {
	"cidr", "role", "family", "confidence", "source", "place", "first", "last", "count", "note",
};

static void add_field(const struct clusterinfo_range *one, enum field field, struct buf *out)
{
	switch (field) {
	case CIDR:
		range_format(&one->range, out);
		break;
	case ROLE:
		buf_add_cstr(out, clusterkeys_roles[one->role]);
		break;
	case FAMILY:
		buf_printf(out, "IPv%u", one->range.family);
		break;
	case CONFIDENCE:
		buf_add_cstr(out, clusterkeys_confidences[one->confidence]);
		break;
	case SOURCE:
		buf_add_cstr(out, one->source);
		break;
	case PLACE:
		if (one->file != NULL)
			buf_add_cstr(out, one->file);
		if (one->line > 0)
			buf_printf(out, ":%u:%u", one->line, one->col);
		break;
	case FIRST:
		range_format_address(one->range.family, one->range.first, out);
		break;
	case LAST:
		range_format_address(one->range.family, one->range.last, out);
		break;
	case COUNT:
		range_format_count(&one->range, out);
		break;
	default:
		if (one->note != NULL)
			buf_add_cstr(out, one->note);
	}
}

/* One range as an entry of a list: `{"cidr": ..., ...}`, or the same in lines. */
static void add_entry(const struct clusterinfo_range *one, bool is_json, struct buf *out)
{
	const char *between = is_json ? "" : "- ";
	char storage[1024];
	struct buf value;

	for (int i = 0; i < FIELDS; i++) {
		BUF_INIT_ARRAY(&value, storage);
		add_field(one, (enum field)i, &value);
		if (value.len == 0)
			continue;
		buf_printf(out, is_json ? "%s\"%s\": " : "%s%s: ", between, field_names[i]);
		jsonw_string(out, buf_span(&value));
		if (!is_json)
			buf_add_byte(out, '\n');
		between = is_json ? ", " : "  ";
	}
}

static void add_row(const struct clusterinfo_range *one, struct buf *out)
{
	char storage[1024];
	struct buf value;

	for (int i = 0; i < FIELDS; i++) {
		BUF_INIT_ARRAY(&value, storage);
		add_field(one, (enum field)i, &value);
		buf_add_cstr(out, i > 0 ? "," : "");
		/* RFC 4180: in quotes where there is a comma, quotes doubled. */
		if (span_find(buf_span(&value), ',') == SIZE_MAX &&
		    span_find(buf_span(&value), '"') == SIZE_MAX) {
			buf_add(out, buf_span(&value));
			continue;
		}
		buf_add_byte(out, '"');
		for (size_t k = 0; k < value.len; k++)
			buf_printf(out, value.ptr[k] == '"' ? "\"%c" : "%c", value.ptr[k]);
		buf_add_byte(out, '"');
	}
	buf_add_byte(out, '\n');
}

static void add_details(const struct clusterinfo_answer *answer, enum rangewriter_format format,
			struct buf *out)
{
	for (int i = 0; format == RANGEWRITER_CSV && i < FIELDS; i++)
		buf_printf(out, "%s%s", field_names[i], i + 1 < FIELDS ? "," : "\n");
	for (size_t i = 0; i < answer->count; i++) {
		if (format == RANGEWRITER_CSV) {
			add_row(&answer->list[i], out);
			continue;
		}
		if (format == RANGEWRITER_JSON)
			buf_add_cstr(out, i == 0 ? "[\n  {" : ",\n  {");
		add_entry(&answer->list[i], format == RANGEWRITER_JSON, out);
		if (format == RANGEWRITER_JSON)
			buf_add_byte(out, '}');
	}
	if (format == RANGEWRITER_JSON)
		buf_add_cstr(out, answer->count > 0 ? "\n]\n" : "[]\n");
}

void clusterprint(const struct clusterinfo_answer *answer, enum rangewriter_format format,
		  struct buf *out)
{
	static const struct {
		const char *before, *between, *after;
	} forms[RANGEWRITER_FORMAT_COUNT] = {
		[RANGEWRITER_FLAG] = {"--includeIPRanges=", ",", "\n"},
		[RANGEWRITER_COMMA] = {"", ",", "\n"},
		[RANGEWRITER_LIST] = {"", "\n", "\n"},
		[RANGEWRITER_HELM] = {"global.proxy.includeIPRanges=\"", "\\,", "\"\n"},
		[RANGEWRITER_ANNOTATION] = {"traffic.sidecar.istio.io/includeOutboundIPRanges: ",
					    ",", "\n"},
	};

	if (format == RANGEWRITER_DESCRIBE) {
		add_lines(answer, out);
	} else if (format == RANGEWRITER_ENV) {
		add_env(answer, out);
	} else if (forms[format].before == NULL) {
		add_details(answer, format, out);
	} else {
		buf_add_cstr(out, forms[format].before);
		add_list(answer, 0, CLUSTERKEYS_ROLES, forms[format].between, out);
		buf_add_cstr(out, forms[format].after);
	}
}
