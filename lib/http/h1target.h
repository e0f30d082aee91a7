/*
 * h1target: the parts of a request target, and whether it has a form that the method may have (RFC
 * 9112 section 3.2). Of use to h1head alone.
 */
#ifndef HTTP_H1TARGET_H
#define HTTP_H1TARGET_H

#include "http/h1head.h"
#include "http/h1problem.h"

/*
 * Needs head->method and head->target, which is not empty and of H1_CHAR_TARGET bytes; fills
 * target_form, target_is_https, authority and path. NONE, or why it is refused. Whether the
 * authority is one is for h1frame to say, which needs it in parts.
 */
enum h1_problem h1target_split(struct h1_head *head, const char *bytes);

#endif
