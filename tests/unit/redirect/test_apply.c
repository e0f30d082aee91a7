#include "../unit.h"
#include "rules.h"

#include "redirect/apply.h"

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	(void)level;
	snprintf(d->context, 512, "%s", text);
}

static void enter(void)
{
	struct error e;
	struct buf out;
	char text[128];

	enter_namespace();
	BUF_INIT_ARRAY(&out, text);
	if (!apply_cleanup(&out, &e))
		unit_skip("no right to change rules here");
	CHECK_TEXT(text, "nft=none legacy=none");
}

static struct apply_wish wish_of(const struct made *m, enum apply_backend backend)
{
	return (struct apply_wish){.rules = {.v4 = &m->v4, .v6 = &m->v6, .timeout_ms = 5000},
				   .backend = backend};
}

/* What the other backend had from an earlier run goes. */
static void the_backend_can_be_changed(void)
{
	static const enum apply_backend order[] = {APPLY_NFT, APPLY_LEGACY, APPLY_AUTO};
	static const char *const left[] = {"nft=ip,ip6 legacy=none", "nft=none legacy=ip,ip6",
					   "nft=ip,ip6 legacy=none"};
	char said[512] = "", text[128];
	struct diag d = {.emit = emit, .context = said};
	struct made m;

	enter();
	CHECK(made_from(&m, &WORDS()));
	for (size_t until = 0; until < 3; until++) {
		struct apply_report report;
		struct error e = {""};
		struct buf out;

		for (size_t i = 0; i <= until; i++) {
			struct apply_wish wish = wish_of(&m, order[i]);

			if (!apply_run(&wish, &d, &report, &e))
				unit_skip(e.text);
			CHECK(report.changed && report.has_v6);
			CHECK_INT(report.backend, order[i] == APPLY_AUTO ? APPLY_NFT : order[i]);
			CHECK(apply_check(&wish, &report, &e));
			CHECK(apply_run(&wish, &d, &report, &e) && !report.changed);
		}
		BUF_INIT_ARRAY(&out, text);
		CHECK(apply_cleanup(&out, &e));
		CHECK_TEXT(text, left[until]);
	}
	CHECK_TEXT(said, "");
	made_free(&m);
}

static void other_rules_are_not_these(void)
{
	char said[512] = "";
	struct diag d = {.emit = emit, .context = said};
	struct apply_report report;
	struct apply_wish wish;
	struct error e = {""};
	struct made a, b;

	enter();
	CHECK(made_from(&a, &WORDS()) && made_from(&b, &WORDS(.gids = WORD("5"))));
	for (int backend = APPLY_AUTO; backend <= APPLY_LEGACY; backend++) {
		wish = wish_of(&a, (enum apply_backend)backend);
		CHECK(!apply_check(&wish, &report, &e));
		if (!apply_run(&wish, &d, &report, &e))
			unit_skip(e.text);
		wish = wish_of(&b, (enum apply_backend)backend);
		CHECK(!apply_check(&wish, &report, &e));
		CHECK(strstr(e.text, "are not those that these options make") != NULL);
		CHECK(apply_cleanup(&(struct buf){.ptr = said, .cap = sizeof said}, &e));
	}
	made_free(&a);
	made_free(&b);
}

UNIT_TESTS(TEST(the_backend_can_be_changed), TEST(other_rules_are_not_these))
