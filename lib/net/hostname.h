/*
 * hostname: DNS names as text. RFC 1123 letters, digits and hyphens, with underscores where
 * Kubernetes allows them; at most 63 bytes per label and 253 in all.
 */
#ifndef NET_HOSTNAME_H
#define NET_HOSTNAME_H

#include <stdbool.h>

#include "base/span.h"

#define HOSTNAME_MAX 253

/*
 * Why a name is not one, NULL when it is: "label is empty", "label over 63 bytes" ... A constant
 * text that goes behind a colon. A last label that is a number makes a name one that "looks like an
 * IP address". The root's dot is no part of the name: see hostname_without_root.
 */
const char *hostname_problem(struct span name);
/* Such a text for one RFC 1123 label in lower case, as Kubernetes wants of a namespace. */
const char *hostname_label_problem(struct span label);
/*
 * Such a text for one RFC 1035 label in lower case (no leading digit), as Kubernetes wants of a
 * Service.
 */
const char *hostname_service_problem(struct span label);

/* Without one trailing dot (the root), if there is one. */
struct span hostname_without_root(struct span name);

#endif
