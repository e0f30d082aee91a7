/*
 * fuzz_settings: whatever the lists of options say, it is refused in words, or makes rules that can
 * be printed and encoded; and what is taken means the same when it is merged.
 *
 * The lines are, in order, the lists of -i, -x, -q, -o, -c, -u, -g, -b, -d and --loopback-cidr. The
 * dump of rules in the kernel is read from the same bytes.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>

#include "redirect/decide.h"
#include "redirect/nftbatch.h"
#include "redirect/render.h"
#include "redirect/settings.h"
#include "redirect/xtrule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NFT_MSG_NEWRULE 6

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static unsigned complaints;

static void count(struct diag *d, enum diag_level level, const char *text)
{
	(void)d;
	(void)level;
	expect(text[0] != '\0');
	complaints++;
}

/* Each range of the merged list begins and ends where its words said that something is included. */
static void check_edges(const struct settings *s, const struct ruleset *r)
{
	struct ranges_cidrs rest = s->exclude[r->family == 6];
	struct ranges_span run;

	while (ranges_next(&rest, &run)) {
		struct decide_packet p = {.protocol = IPPROTO_TCP, .uid = UINT32_MAX};

		p.gid = UINT32_MAX;
		p.to.family = r->family;
		p.to.port = 9;
		memcpy(p.to.bytes, run.first, sizeof p.to.bytes);
		expect(decide_port(r, RULESET_OUTPUT, &p) == 0);
		memcpy(p.to.bytes, run.last, sizeof p.to.bytes);
		expect(decide_port(r, RULESET_OUTPUT, &p) == 0);
	}
}

static void encode(const struct ruleset *r, struct span dump)
{
	struct nftbatch b = {.wanted_seq = 3};
	struct buf text, entries;

	buf_init_heap(&text, 32 << 20);
	render_nft(r, &text);
	render_iptables(r, &text);
	expect(!text.truncated && text.len > 0);
	buf_fini(&text);
	buf_init_heap(&b.out.bytes, 32 << 20);
	nftbatch_put_table(&b, r);
	expect(!b.out.bytes.truncated);
	expect(nftbatch_is_dumped(buf_span(&b.out.bytes), buf_span(&b.out.bytes), NFT_MSG_NEWRULE));
	expect(!nftbatch_is_dumped(buf_span(&b.out.bytes), dump, NFT_MSG_NEWRULE));
	buf_fini(&b.out.bytes);
	buf_init_heap(&entries, 32 << 20);
	for (size_t i = 0; i < r->chain_count; i++) {
		for (size_t j = 0; j < r->chains[i].rule_count; j++) {
			struct ruleset_slice at = {0};
			struct rule slice;

			while (ruleset_next_slice(&r->chains[i].rules[j], &at, &slice))
				xtrule_put(&entries, &slice, r->family, true);
		}
	}
	expect(!entries.truncated);
	buf_fini(&entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings_words w = {.proxy_port = 15001, .allow_root = true, .block_quic = true};
	struct opt_list *const lists[] = {&w.include,
					  &w.exclude,
					  &w.include_ports,
					  &w.exclude_ports,
					  &w.interfaces,
					  &w.uids,
					  &w.gids,
					  &w.include_inbound_ports,
					  &w.exclude_inbound_ports,
					  &w.loopback};
	static const char *uid = "1337";
	struct span rest = span_of(data, size), line;
	struct diag d = {.emit = count};
	struct settings s;
	struct arena arena;
	struct error e;

	complaints = 0;
	arena_init(&arena, 64 << 20);
	w.uids = (struct opt_list){&uid, 1};
	for (size_t i = 0; i < sizeof lists / sizeof lists[0] && span_split(&rest, '\n', &line);
	     i++) {
		const char **word = arena_get(&arena, sizeof *word);
		struct span kept;

		expect(word != NULL && arena_copy(&arena, line, &kept));
		*word = kept.ptr;
		if (line.len > 0)
			*lists[i] = (struct opt_list){word, 1};
	}
	if (settings_from_words(&w, &arena, &d, &s)) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			struct ruleset r;

			expect(ruleset_build(&s, family, &arena, &r, &e));
			check_edges(&s, &r);
			encode(&r, span_of(data, size));
		}
	} else {
		expect(complaints > 0 && d.errors > 0);
	}
	arena_fini(&arena);
	return 0;
}
