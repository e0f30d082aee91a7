/*
 * word: words of a line as the C library's readers of /etc files see them.
 */
#ifndef DNS_WORD_H
#define DNS_WORD_H

#include <stdbool.h>

#include "base/span.h"

/*
 * Takes the next word off the front of *line: what stands between blanks, which are those of
 * isspace() in the C locale except the line end. False when there is none.
 */
bool word_take(struct span *line, struct span *word);

#endif
