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
 * Appends the descriptions of all entries of lists as rangeinput.h has them, those of `family` (0:
 * of both), as records. False at the first that is none, with the error.
 */
bool describe_lists(const struct verb_words *lists, uint8_t family, enum rangewriter_format format,
		    struct buf *out, struct error *e);

/*
 * The zones of the reverse DNS that hold its addresses: one for a prefix that ends where a zone
 * does; several, separated by blanks; `FIRST to LAST` when they are more than 16; of fewer
 * addresses than a zone of IPv4 has, the form of RFC 2317. Nothing for what is no prefix.
 */
void describe_reverse(const struct range *r, struct buf *out);

#endif
