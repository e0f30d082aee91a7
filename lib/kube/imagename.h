/*
 * imagename: what a container's `image` may say, and the name of our own.
 */
#ifndef KUBE_IMAGENAME_H
#define KUBE_IMAGENAME_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

/* How people say which image: `image` whole, or else HUB/egressbox:TAG. */
struct imagename_choice {
	const char *image; /* NULL: not said */
	const char *hub;   /* "" for none */
	const char *tag;
};

/*
 * The image's name, in the arena. False when it is none: empty, or with bytes that no reference to
 * an image has (letters, digits and ._-/:@+[] are what they have), so that it may stand in double
 * quotes in YAML.
 */
bool imagename_choose(const struct imagename_choice *choice, struct arena *arena, struct span *name,
		      struct error *e);

#endif
