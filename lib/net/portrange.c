#include "net/portrange.h"

#include "base/num.h"

bool portrange_parse(struct span text, struct portrange *out, struct error *e)
{
	size_t dash = span_find(text, '-');
	struct portrange r;

	if (num_parse_port(span_first(text, dash), &r.first)) {
		r.last = r.first;
		if (dash == SIZE_MAX ||
		    (num_parse_port(span_from(text, dash + 1), &r.last) && r.first <= r.last)) {
			*out = r;
			return true;
		}
	}
	return error_quote(e, text, " is neither a port from 1 to 65535 nor FIRST-LAST");
}

void portrange_format(const struct portrange *r, struct buf *out)
{
	buf_add_u64(out, r->first);
	if (r->last != r->first) {
		buf_add_byte(out, '-');
		buf_add_u64(out, r->last);
	}
}
