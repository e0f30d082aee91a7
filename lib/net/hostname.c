#include "net/hostname.h"

#include "base/ascii.h"

#define LABEL_MAX 63

/*
 * label = alnum-or-underscore [*(those and "-") one-of-those], RFC 1123 section 2.1 with "_"
 * allowed.
 */
static const char *label_problem(struct span label)
{
	if (label.len == 0)
		return "label is empty";
	if (label.len > LABEL_MAX)
		return "label over 63 bytes";
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];

		if (!ascii_is_alnum(c) && c != '-' && c != '_')
			return "byte other than letters, digits, \"-\", \"_\" and \".\"";
	}
	if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return "label starts or ends with a hyphen";
	return NULL;
}

/*
 * RFC 1123 section 2.1: the last label of a name is never all numeric, so that names and dotted
 * quads can be told apart. Some inet_aton()s read 0x7f000001 as well (WHATWG URL, "ends in a
 * number").
 */
static bool is_number(struct span label)
{
	bool is_hex = label.len >= 2 && label.ptr[0] == '0' && ascii_to_lower(label.ptr[1]) == 'x';

	for (size_t i = is_hex ? 2 : 0; i < label.len; i++)
		if (is_hex ? ascii_hex_value(label.ptr[i]) < 0 : !ascii_is_digit(label.ptr[i]))
			return false;
	return true;
}

const char *hostname_problem(struct span name)
{
	struct span label = {NULL, 0};

	if (name.len == 0)
		return "name is empty";
	if (name.len > HOSTNAME_MAX)
		return "name over 253 bytes";
	while (span_split(&name, '.', &label)) {
		const char *problem = label_problem(label);

		if (problem != NULL)
			return problem;
	}
	return is_number(label) ? "looks like an IP address" : NULL;
}

/* RFC 1123 label as Kubernetes has it: [a-z0-9]([-a-z0-9]*[a-z0-9])?, at most 63 bytes. */
const char *hostname_label_problem(struct span label)
{
	if (label.len == 0)
		return "label is empty";
	if (label.len > LABEL_MAX)
		return "label over 63 bytes";
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];

		if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-')
			return "byte other than lower case letters, digits and \"-\"";
	}
	if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return "label starts or ends with a hyphen";
	return NULL;
}

/* RFC 1035 label as Kubernetes has it: [a-z]([-a-z0-9]*[a-z0-9])?, at most 63 bytes. */
const char *hostname_service_problem(struct span label)
{
	const char *problem = hostname_label_problem(label);

	if (problem == NULL && ascii_is_digit(label.ptr[0]))
		return "label starts with a digit";
	return problem;
}

struct span hostname_without_root(struct span name)
{
	return span_ends_with(name, SPAN(".")) ? span_first(name, name.len - 1) : name;
}
