/*
 * yunique: keys that are given twice. YAML forbids them, readers differ on which one counts, and an
 * edit would change one of them only.
 */
#ifndef YDOC_YUNIQUE_H
#define YDOC_YUNIQUE_H

#include "ydoc/ykeys.h"

/*
 * Reports, as errors, each key that a mapping has a second time, in all mappings below the node
 * whose text is there. The context's path is the node's. False when there is one, or memory is out
 * (reported).
 */
bool yunique_check(const struct ykeys_context *context, const struct ydoc_node *node);

#endif
