/*
 * describe: all that can be said of one range, as text, YAML, JSON or CSV.
 */
#ifndef CIDR_DESCRIBE_H
#define CIDR_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "cidr/rangewriter.h"
#include "cidr/verb.h"
#include "net/range.h"

/*
 * Appends the description of the range that was written as `text`, the `number`th from 0 of a
 * run. RANGEWRITER_YAML and RANGEWRITER_JSON make a list, which describe_end closes; CSV begins
 * with a heading; every other format is for people: one `name: value` a line, an empty line before
 * all but the first.
 */
void describe_range(const struct range *r, struct span text, size_t number,
		    enum rangewriter_format format, struct buf *out);
/*
 * All entries of lists with commas, those of `family` (0: of both). False at the first that is
 * none, with the error.
 */
bool describe_lists(const struct verb_words *lists, uint8_t family, enum rangewriter_format format,
		    struct buf *out, struct error *e);
void describe_end(enum rangewriter_format format, struct buf *out);

/*
 * The zones of the reverse DNS that hold its addresses: one for a prefix that ends where a zone
 * does; several, separated by blanks; `FIRST to LAST` when they are more than 16; of fewer
 * addresses than a zone of IPv4 has, the form of RFC 2317. Nothing for what is no prefix.
 */
void describe_reverse(const struct range *r, struct buf *out);

#endif
