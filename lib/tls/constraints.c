#include "tls/constraints.h"

#include <stdbool.h>
#include <stddef.h>

#include "tls/certname.h"
#include "tls/der.h"
#include "tls/oid.h"

#define PERMITTED (DER_CONTEXT + 0)
#define EXCLUDED (DER_CONTEXT + 1)

/*
 * Names times subtrees, beyond which nothing is judged: an authority of a stranger's own, whose
 * signature has not been checked yet, must not keep us busy.
 */
#define COMPARISONS_MAX 100000

/* A name of a certificate: a GeneralName's tag and content. */
struct name {
	unsigned tag;
	struct span content;
	unsigned comparisons; /* of all names so far */
};

/* Is it `base`, or below it? A base that begins with a dot wants a label before it. */
static bool is_below(struct span name, struct span base)
{
	struct span tail;

	if (base.len == 0)
		return true;
	if (name.len < base.len)
		return false;
	tail = span_from(name, name.len - base.len);
	if (!span_eq_nocase(tail, base))
		return false;
	return base.ptr[0] == '.' ? name.len > base.len
				  : name.len == base.len || tail.ptr[-1] == '.';
}

/*
 * A wildcard stands for all names with one more label. They are all permitted when what follows the
 * `*` lies below the base; one of them is excluded as well when it is the base itself.
 */
static bool dns_matches(struct span name, struct span base, bool excludes)
{
	size_t dot;

	if (is_below(name, base))
		return true;
	if (!excludes || !span_starts_with(name, SPAN("*.")))
		return false;
	dot = span_find(base, '.');
	return dot != SIZE_MAX && span_eq_nocase(span_from(base, dot), span_from(name, 1));
}

/* `base` is an address and a mask. */
static bool ip_matches(struct span name, struct span base)
{
	if (base.len != 2 * name.len)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (((name.ptr[i] ^ base.ptr[i]) & base.ptr[name.len + i]) != 0)
			return false;
	return true;
}

/* Does the name begin with the relative names of the base? Both in a SEQUENCE. */
static bool dir_matches(struct span name, struct span base)
{
	struct span in_name, in_base;

	return der_take(&name, DER_SEQUENCE, &in_name) && der_take(&base, DER_SEQUENCE, &in_base) &&
	       span_starts_with(in_name, in_base);
}

static bool is_well_formed(unsigned tag, struct span base)
{
	struct span content;

	if (tag == DER_IP_ADDRESS)
		return base.len == 8 || base.len == 32;
	return tag != DER_DIRECTORY_NAME ||
	       (der_take(&base, DER_SEQUENCE, &content) && base.len == 0);
}

/* Can names of this kind be compared with a base? What excludes must not miss another spelling. */
static bool can_judge(unsigned tag, bool excludes)
{
	return tag == DER_DNS_NAME || tag == DER_IP_ADDRESS ||
	       (tag == DER_DIRECTORY_NAME && !excludes);
}

static bool matches(const struct name *name, struct span base, bool excludes)
{
	if (name->tag == DER_DNS_NAME)
		return dns_matches(name->content, base, excludes);
	if (name->tag == DER_IP_ADDRESS)
		return ip_matches(name->content, base);
	return dir_matches(name->content, base);
}

/*
 * One name against GeneralSubtrees ::= SEQUENCE OF SEQUENCE { base GeneralName, [0] minimum DEFAULT
 * 0, [1] maximum OPTIONAL }. The last two are never there (RFC 5280 section 4.2.1.10).
 */
static enum constraints_result check_name(struct name *name, struct span subtrees, bool excludes)
{
	bool is_concerned = false, is_in = false;
	struct span subtree, base;
	unsigned tag;

	while (subtrees.len > 0) {
		if (!der_take(&subtrees, DER_SEQUENCE, &subtree) || subtree.len == 0 ||
		    name->comparisons++ == COMPARISONS_MAX)
			return CONSTRAINTS_UNJUDGED;
		tag = (unsigned char)subtree.ptr[0];
		if (!der_take(&subtree, tag, &base) || subtree.len != 0 ||
		    !is_well_formed(tag, base))
			return CONSTRAINTS_UNJUDGED;
		if (tag != name->tag)
			continue;
		if (!can_judge(tag, excludes))
			return CONSTRAINTS_UNJUDGED;
		is_concerned = true;
		is_in |= matches(name, base, excludes);
	}
	return is_concerned && is_in == excludes ? CONSTRAINTS_BROKEN : CONSTRAINTS_KEPT;
}

/* NameConstraints ::= SEQUENCE { [0] permittedSubtrees OPTIONAL, [1] excludedSubtrees OPTIONAL } */
static enum constraints_result check_one(struct name *name, struct span constraints)
{
	enum constraints_result result;
	struct span permitted, excluded;

	if (!der_take_optional(&constraints, PERMITTED, &permitted) ||
	    !der_take_optional(&constraints, EXCLUDED, &excluded) || constraints.len != 0)
		return CONSTRAINTS_UNJUDGED;
	result = check_name(name, permitted, false);
	return result == CONSTRAINTS_KEPT ? check_name(name, excluded, true) : result;
}

/* An address of electronic mail in a subject is a name as well. */
static bool has_email(struct span subject)
{
	for (; subject.len > 0; subject = span_from(subject, 1))
		if (span_starts_with(subject, SPAN(OID_EMAIL_ADDRESS)))
			return true;
	return false;
}

enum constraints_result constraints_check(struct span constraints, struct span names,
					  struct span subject)
{
	enum constraints_result result = CONSTRAINTS_KEPT;
	struct name name = {DER_DIRECTORY_NAME, subject, 0};

	/* An empty subject, a SEQUENCE of nothing, is none. */
	if (subject.len > 2)
		result = check_one(&name, constraints);
	if (result == CONSTRAINTS_KEPT && has_email(subject)) {
		name.tag = DER_RFC822_NAME;
		result = check_one(&name, constraints);
	}
	while (result == CONSTRAINTS_KEPT && names.len > 0) {
		if (!certname_take(&names, &name.tag, &name.content))
			return CONSTRAINTS_UNJUDGED;
		result = check_one(&name, constraints);
	}
	return result;
}
