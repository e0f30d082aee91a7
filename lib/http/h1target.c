#include "http/h1target.h"

#include <stdint.h>
#include <string.h>

/* The text from `from` to `to`, both within the target. */
static struct h1_slice part(const struct h1_head *head, size_t from, size_t to)
{
	return (struct h1_slice){(uint16_t)(head->target.at + from), (uint16_t)(to - from)};
}

/* authority-form = uri-host ":" port, RFC 9112 section 3.2.3 */
static enum h1_problem split_authority(struct h1_head *head, struct span target)
{
	if (span_find(target, '/') != SIZE_MAX)
		return H1_PROBLEM_TARGET_FORM;
	if (span_find(target, '@') != SIZE_MAX)
		return H1_PROBLEM_TARGET_USERINFO;
	head->target_form = H1_TARGET_AUTHORITY;
	head->authority = head->target;
	return H1_PROBLEM_NONE;
}

/* absolute-form = scheme "://" authority path-abempty [ "?" query ], RFC 9112 section 3.2.2 */
static enum h1_problem split_absolute(struct h1_head *head, struct span target)
{
	size_t scheme_len = span_find(target, ':');
	size_t authority_at, path_at;
	struct span scheme;

	if (scheme_len == 0 || scheme_len == SIZE_MAX ||
	    !span_starts_with(span_from(target, scheme_len), SPAN("://")))
		return H1_PROBLEM_TARGET_FORM;
	scheme = span_first(target, scheme_len);
	head->target_is_https = span_eq_nocase(scheme, SPAN("https"));
	if (!head->target_is_https && !span_eq_nocase(scheme, SPAN("http")))
		return H1_PROBLEM_TARGET_SCHEME;

	authority_at = scheme_len + strlen("://");
	path_at = authority_at;
	while (path_at < target.len && target.ptr[path_at] != '/' && target.ptr[path_at] != '?')
		path_at++;
	head->target_form = H1_TARGET_ABSOLUTE;
	head->authority = part(head, authority_at, path_at);
	head->path = part(head, path_at, target.len);
	/* RFC 9110 section 4.2.4: user information is there to mislead. */
	if (span_find(span_first(span_from(target, authority_at), head->authority.len), '@') !=
	    SIZE_MAX)
		return H1_PROBLEM_TARGET_USERINFO;
	return H1_PROBLEM_NONE;
}

enum h1_problem h1target_split(struct h1_head *head, const char *bytes)
{
	struct span target = h1head_text(bytes, head->target);

	if (head->method == H1_METHOD_CONNECT)
		return split_authority(head, target);
	if (target.ptr[0] == '/') {
		head->target_form = H1_TARGET_ORIGIN;
		head->path = head->target;
		return H1_PROBLEM_NONE;
	}
	if (target.len == 1 && target.ptr[0] == '*' && head->method == H1_METHOD_OPTIONS) {
		head->target_form = H1_TARGET_ASTERISK;
		return H1_PROBLEM_NONE;
	}
	return split_absolute(head, target);
}
