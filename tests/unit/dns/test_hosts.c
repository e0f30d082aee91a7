#include "../unit.h"

#include "base/buf.h"
#include "dns/hosts.h"

static const struct {
	const char *label;
	const char *text;
	const char *entries;
} rows[] = {
	{"nothing", "", ""},
	{"what a pod has",
	 "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n"
	 "fe00::0\tip6-localnet\n10.244.0.5\tmy-pod\n",
	 "localhost=127.0.0.1 localhost=::1 ip6-localhost=::1 ip6-localnet=fe00:: "
	 "my-pod=10.244.0.5"},
	{"aliases", "192.0.2.1 a b  c\n", "a=192.0.2.1 b=192.0.2.1 c=192.0.2.1"},
	{"comment behind", "192.0.2.1 a#b c\n", "a=192.0.2.1"},
	{"comment that hides all", "#192.0.2.1 a\n  # 192.0.2.1 b\n", ""},
	{"no line end at the end, carriage return", "192.0.2.1 a\r\n192.0.2.2 b",
	 "a=192.0.2.1 b=192.0.2.2"},
	{"trailing dot", "192.0.2.1 a.example.\n", "a.example=192.0.2.1"},
	{"address that is none", "192.0.2 a\nfe80::1%lo0 b\nlocalhost c\n", ""},
	{"address without names", "192.0.2.1\n192.0.2.2 \n", ""},
	{"names that are none are passed over", "192.0.2.1 a..b -x good 1.2.3.4\n",
	 "good=192.0.2.1"},
	{"case stays", "192.0.2.1 Big.Example\n", "Big.Example=192.0.2.1"},
};

static bool read_entries(struct span text, struct buf *out)
{
	struct arena arena;
	struct hosts_entry *entries;
	size_t count;
	bool ok;

	arena_init(&arena, 64 * 1024);
	ok = hosts_parse(text, &arena, &entries, &count);
	for (size_t i = 0; ok && i < count; i++) {
		if (i > 0)
			buf_add_byte(out, ' ');
		buf_add(out, entries[i].name);
		buf_add_byte(out, '=');
		addr_format(&entries[i].addr, out);
	}
	arena_fini(&arena);
	return ok;
}

static void reads_names_and_aliases(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].text);
		char *copy = unit_guarded(rows[i].text, len);
		char storage[512];
		struct buf out;

		BUF_INIT_ARRAY(&out, storage);
		CHECK_ROW(rows[i].label, read_entries(span_of(copy, len), &out));
		unit_guarded_free(copy, len);
		CHECK_TEXT(buf_cstr(&out), rows[i].entries);
	}
}

static void takes_a_file_that_is_cut_anywhere(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].text);

		for (size_t cut = 0; cut < len; cut++) {
			char *copy = unit_guarded(rows[i].text, cut);
			char storage[512];
			struct buf out;

			BUF_INIT_ARRAY(&out, storage);
			CHECK_ROW(rows[i].label, read_entries(span_of(copy, cut), &out));
			unit_guarded_free(copy, cut);
			CHECK_ROW(rows[i].label, out.len <= strlen(rows[i].entries) + 1);
		}
	}
}

static void says_when_the_arena_is_full(void)
{
	struct arena arena;
	struct hosts_entry *entries;
	size_t count;

	arena_init(&arena, 64);
	CHECK(hosts_parse(SPAN("192.0.2.1 a\n"), &arena, &entries, &count));
	CHECK(!hosts_parse(SPAN("192.0.2.1 a\n"), &arena, &entries, &count));
	CHECK_INT(count, 0);
	arena_fini(&arena);
}

UNIT_TESTS(TEST(reads_names_and_aliases), TEST(takes_a_file_that_is_cut_anywhere),
	   TEST(says_when_the_arena_is_full))
