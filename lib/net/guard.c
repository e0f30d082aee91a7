#include "net/guard.h"

#include <string.h>

#include "net/special.h"

const char *const guard_verdict_names[] = {
#define X(member, name) [member] = name,
	GUARD_VERDICTS(X)
#undef X
};

#define V4(length, ...)                                                                            \
	{                                                                                          \
		{.family = 4, .bytes = {__VA_ARGS__}}, length                                      \
	}
#define V6(length, ...)                                                                            \
	{                                                                                          \
		{.family = 6, .bytes = {__VA_ARGS__}}, length                                      \
	}

static const struct {
	struct cidr range;
	enum guard_verdict verdict;
} always[] = {
	{V4(8, 0), GUARD_UNSPECIFIED},
	{V4(8, 127), GUARD_LOOPBACK},
	{V4(16, 169, 254), GUARD_LINK_LOCAL},
	{V4(4, 224), GUARD_MULTICAST},
	{V4(32, 255, 255, 255, 255), GUARD_MULTICAST},
	{V6(128, 0), GUARD_UNSPECIFIED},
	{V6(128, [15] = 1), GUARD_LOOPBACK},
	{V6(10, 0xfe, 0x80), GUARD_LINK_LOCAL},
	{V6(8, 0xff), GUARD_MULTICAST},
	/* Outside the link-local ranges: Alibaba, Azure, Oracle's first cloud, */
	{V4(32, 100, 100, 100, 200), GUARD_METADATA},
	{V4(32, 168, 63, 129, 16), GUARD_METADATA},
	{V4(32, 192, 0, 0, 192), GUARD_METADATA},
	/* AWS and its pod identities, Google, Oracle, Scaleway. */
	{V6(32, 0xfd, 0, 0x0e, 0xc2), GUARD_METADATA},
	{V6(128, 0xfd, 0x20, 0, 0xce, [14] = 0x02, [15] = 0x54), GUARD_METADATA},
	{V6(128, 0xfd, 0, 0, 0xc1, [12] = 0xa9, [13] = 0xfe, [14] = 0xa9, [15] = 0xfe),
	 GUARD_METADATA},
	{V6(128, 0xfd, 0, 0, 0x42, [15] = 0x42), GUARD_METADATA},
};

/* Deprecated (RFC 3879), so in no registry; still what some networks number themselves with. */
static const struct cidr site_local = V6(10, 0xfe, 0xc0);

#define LOCAL_NAT64 0, 0x64, 0xff, 0x9b, 0, 1

/* Where an IPv4 address is inside an IPv6 one: from byte `at` on, past byte 8 (RFC 6052). */
static const struct {
	struct cidr prefix;
	uint8_t at;
	uint8_t flip;  /* exclusive-or of each byte */
	bool is_guess; /* which byte it is at, only the translator knows */
} forms[] = {
	{V6(96, 0), 12, 0, false},			/* compatible (RFC 4291) */
	{V6(96, [8] = 0xff, [9] = 0xff), 12, 0, false}, /* translated (RFC 2765) */
	{V6(96, 0, 0x64, 0xff, 0x9b), 12, 0, false},	/* NAT64 (RFC 6052) */
	{V6(128, LOCAL_NAT64), 12, 0, false},  /* NAT64 (RFC 8215): 0.0.0.0 wherever it is */
	{V6(48, LOCAL_NAT64), 12, 0, true},    /* behind a /96 */
	{V6(48, LOCAL_NAT64), 6, 0, true},     /* behind the /48 */
	{V6(48, LOCAL_NAT64), 7, 0, true},     /* behind a /56 */
	{V6(48, LOCAL_NAT64), 9, 0, true},     /* behind a /64 */
	{V6(16, 0x20, 0x02), 2, 0, false},     /* 6to4 (RFC 3056) */
	{V6(32, 0x20, 0x01), 4, 0, false},     /* Teredo's server (RFC 4380) */
	{V6(32, 0x20, 0x01), 12, 0xff, false}, /* Teredo's client */
};

/* ISATAP (RFC 5214) is told by the interface's half of the address, behind any prefix. */
static bool is_isatap(const struct addr *a)
{
	return (a->bytes[8] & ~2) == 0 && a->bytes[9] == 0 && a->bytes[10] == 0x5e &&
	       a->bytes[11] == 0xfe;
}

static struct addr inside(const struct addr *a, unsigned at, uint8_t flip)
{
	struct addr v4 = {.family = 4, .port = a->port};

	for (unsigned i = 0; i < 4; i++, at++) {
		if (at == 8)
			at++;
		v4.bytes[i] = a->bytes[at] ^ flip;
	}
	return v4;
}

static bool is_in(const struct cidr *list, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (cidr_contains(&list[i], a))
			return true;
	return false;
}

static bool is_unspecified(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, sizeof zero) == 0;
}

static bool is_listener(const struct guard *g, const struct addr *a)
{
	for (unsigned i = 0; i < g->listener_count; i++) {
		const struct addr *at = &g->listeners[i];

		if (at->port != a->port || a->port == 0)
			continue;
		if (addr_eq(at, a))
			return true;
		if (is_unspecified(at) &&
		    (addr_is_loopback(a) || (g->is_own != NULL && g->is_own(a))))
			return true;
	}
	return false;
}

/* Of the address as it is, whatever is inside. *is_final: nothing else has a say. */
static enum guard_verdict judge_itself(const struct guard *g, const struct addr *a, bool *is_final)
{
	*is_final = true;
	if (is_listener(g, a))
		return GUARD_LISTENER;
	if (is_in(g->allow, g->allow_count, a))
		return GUARD_ALLOWED;
	if (is_in(g->deny, g->deny_count, a))
		return GUARD_LISTED;
	for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
		if (cidr_contains(&always[i].range, a))
			return always[i].verdict;
	*is_final = false;
	return GUARD_ALLOWED;
}

static bool is_private(const struct addr *a)
{
	struct range r = range_of_addr(a);
	struct special s;

	return cidr_contains(&site_local, a) || (special_find(&r, &s) && s.is_unreachable);
}

static enum guard_verdict judge_v4(const struct guard *g, const struct addr *a)
{
	bool is_final;
	enum guard_verdict verdict = judge_itself(g, a, &is_final);

	return !is_final && g->deny_private && is_private(a) ? GUARD_PRIVATE : verdict;
}

static enum guard_verdict judge_v6(const struct guard *g, const struct addr *a)
{
	bool is_final, is_form = is_isatap(a);
	enum guard_verdict verdict = judge_itself(g, a, &is_final);
	struct addr v4 = inside(a, 12, 0);

	if (is_final)
		return verdict;
	if (is_form)
		verdict = judge_v4(g, &v4);
	for (size_t i = 0; i < sizeof forms / sizeof forms[0] && verdict == GUARD_ALLOWED; i++) {
		if (!cidr_contains(&forms[i].prefix, a))
			continue;
		is_form = true;
		v4 = inside(a, forms[i].at, forms[i].flip);
		/* A wrong guess mostly reads zeroes, or bits of a prefix that no host has. */
		if (forms[i].is_guess &&
		    (v4.bytes[0] == 0 || (forms[i].at < 12 && v4.bytes[0] >= 224)))
			continue;
		verdict = judge_v4(g, &v4);
	}
	/* A form's own range is no more private than what is inside. */
	return !is_form && g->deny_private && is_private(a) ? GUARD_PRIVATE : verdict;
}

enum guard_verdict guard_judge(const struct guard *g, const struct addr *a)
{
	struct addr bare = *a;

	/* The kernel connects to a mapped address over IPv4. */
	addr_unmap(&bare);
	return bare.family == 4 ? judge_v4(g, &bare) : judge_v6(g, &bare);
}

void guard_add_listener(struct guard *g, const struct addr *at)
{
	if (g->listener_count < GUARD_LISTENERS_MAX)
		g->listeners[g->listener_count++] = *at;
}

bool guard_parse_list(struct span text, struct cidr *list, size_t max, size_t *count,
		      struct error *e)
{
	struct span one;

	while (span_split(&text, ',', &one)) {
		bool had_host_bits;

		if (*count == max)
			return error_set(e, "at most %zu ranges", max);
		if (!cidr_parse(one, &list[*count], &had_host_bits, e))
			return false;
		if (had_host_bits) {
			char storage[CIDR_TEXT_MAX];
			struct buf text_of_range;

			BUF_INIT_ARRAY(&text_of_range, storage);
			cidr_format(&list[*count], &text_of_range);
			return error_set(e, "\"%.*s\" has bits behind its prefix: is %s meant?",
					 SPAN_ARG(one), buf_cstr(&text_of_range));
		}
		(*count)++;
	}
	return true;
}
