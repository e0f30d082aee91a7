#include "../unit.h"
#include "rules.h"

#include <netinet/in.h>

#include "redirect/xtrule.h"

static size_t get_u16(const char *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

/* Names of the extensions of an entry, in order, the target's last. */
static void list(const char *entry, uint8_t family, struct buf *out)
{
	struct xtrule_head head = xtrule_head_of(family);
	size_t target = get_u16(entry + head.target_offset);
	size_t end = get_u16(entry + head.next_offset);

	for (size_t at = head.size; at < end; at += get_u16(entry + at)) {
		CHECK(get_u16(entry + at) % 8 == 0 && get_u16(entry + at) >= 32);
		buf_printf(out, "%s%s", at == target ? "-> " : "", entry + at + 2);
		buf_add_cstr(out, at == target ? "" : " ");
	}
}

static void an_entry_is_head_matches_and_target(void)
{
	static struct portrange ports[] = {{80, 80}, {8000, 8100}};
	const struct rule cases[] = {
		{.verdict = RULESET_RETURN, .comment = "c"},
		{.has_uid = true, .uid = 1, .verdict = RULESET_DROP},
		{.protocol = IPPROTO_TCP, .ports = {ports, 1}, .verdict = RULESET_REJECT},
		{.protocol = IPPROTO_UDP, .ports = {ports, 1}, .verdict = RULESET_RETURN},
		{.protocol = IPPROTO_TCP,
		 .ports = {ports, 2},
		 .has_gid = true,
		 .comment = "c",
		 .verdict = RULESET_REDIRECT,
		 .port = 1},
		{.ct_state = RULESET_CT_NEW, .verdict = RULESET_RETURN},
	};
	static const char *const shown[] = {"comment -> ",
					    "owner -> ",
					    "tcp -> REJECT",
					    "udp -> ",
					    "multiport owner comment -> REDIRECT",
					    "conntrack -> "};

	for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
		uint8_t family = i % 2 == 0 ? 4 : 6;
		char storage[1024], names[128];
		struct buf out, b;

		BUF_INIT_ARRAY(&out, storage);
		BUF_INIT_ARRAY(&b, names);
		xtrule_put(&out, &cases[i / 2], family, true);
		CHECK_INT(get_u16(storage + xtrule_head_of(family).next_offset), out.len);
		list(storage, family, &b);
		CHECK_TEXT(names, shown[i / 2]);
	}
}

static void comments_can_be_left_out(void)
{
	struct rule rule = {.verdict = RULESET_RETURN, .comment = "c"};
	struct xtrule_extension x[XTRULE_EXTENSIONS_MAX];
	char storage[1024];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	xtrule_put(&out, &rule, 4, false);
	CHECK_INT(out.len, 112 + 40);
	CHECK_INT(xtrule_extensions(&rule, false, x), 0);
	CHECK_INT(xtrule_extensions(&rule, true, x), 1);
	CHECK_TEXT(x[0].name, "comment");
}

static void a_head_carries_the_name_of_its_chain(void)
{
	char storage[512];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	xtrule_put_head(&out, "EGRESSBOX_OUTPUT", 4);
	CHECK_INT(out.len, 112 + 64);
	CHECK_TEXT(storage + 112 + 2, "ERROR");
	CHECK_TEXT(storage + 112 + 32, "EGRESSBOX_OUTPUT");
}

static void an_interface_is_compared_with_its_nul(void)
{
	struct rule rule = {.out = "eth1", .verdict = RULESET_RETURN};
	char storage[512];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	xtrule_put(&out, &rule, 4, true);
	/* struct ipt_ip: four addresses, two names, two masks */
	CHECK_TEXT(storage + 32, "eth1");
	CHECK(memcmp(storage + 64, "\xff\xff\xff\xff\xff\0", 6) == 0);
}

UNIT_TESTS(TEST(an_entry_is_head_matches_and_target), TEST(comments_can_be_left_out),
	   TEST(a_head_carries_the_name_of_its_chain), TEST(an_interface_is_compared_with_its_nul))
