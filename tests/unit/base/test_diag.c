#include "../unit.h"

#include "base/diag.h"

static char last_text[2048];
static enum diag_level last_level;

static void remember(struct diag *d, enum diag_level level, const char *text)
{
	++*(int *)d->context;
	last_level = level;
	snprintf(last_text, sizeof last_text, "%s", text);
}

static void counts_by_level_and_emits_each(void)
{
	int emitted = 0;
	struct diag d = {.emit = remember, .context = &emitted};

	CHECK(diag_report(&d, DIAG_NOTE, "n"));
	CHECK(diag_report(&d, DIAG_NOTE, "n"));
	CHECK(diag_report(&d, DIAG_WARNING, "f:%d: %s", 3, "odd"));
	CHECK_TEXT(last_text, "f:3: odd");
	CHECK_INT(last_level, DIAG_WARNING);
	CHECK(!diag_report(&d, DIAG_ERROR, "bad"));
	CHECK(!diag_report(&d, DIAG_ERROR, "100%% bad"));
	CHECK_TEXT(last_text, "100% bad");
	CHECK_INT(last_level, DIAG_ERROR);
	CHECK_INT(emitted, 5);
	CHECK_INT(d.warnings, 1);
	CHECK_INT(d.errors, 2);
}

static void only_counts_without_emit(void)
{
	struct diag d = {0};

	CHECK(!diag_report(&d, DIAG_ERROR, "bad"));
	CHECK_INT(d.errors, 1);
}

static void cuts_long_text(void)
{
	int emitted = 0;
	struct diag d = {.emit = remember, .context = &emitted};

	diag_report(&d, DIAG_NOTE, "%02000d", 1);
	CHECK_INT(strlen(last_text), 1023);
}

UNIT_TESTS(TEST(counts_by_level_and_emits_each), TEST(only_counts_without_emit),
	   TEST(cuts_long_text))
