#include "../unit.h"

#include "cidr/verb.h"

struct outcome {
	enum verb_answer answer;
	char out[4096], notes[512];
	struct error e;
};

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	struct outcome *o = d->context;

	(void)level;
	strncat(o->notes, text, sizeof o->notes - strlen(o->notes) - 1);
}

static struct outcome outcome;

static void run(enum verb verb, const char *const *operands, size_t count)
{
	struct diag diag = {.emit = emit, .context = &outcome};
	struct verb_job job = {.verb = verb,
			       .operands = {operands, count},
			       .max_results = 100,
			       .format = RANGEWRITER_COMMA,
			       .diag = &diag};
	int ends[2];

	memset(&outcome, 0, sizeof outcome);
	CHECK(pipe(ends) == 0);
	job.out = ends[1];
	outcome.answer = verb_run(&job, &outcome.e);
	close(ends[1]);
	CHECK(read(ends[0], outcome.out, sizeof outcome.out - 1) >= 0);
	close(ends[0]);
}

static void computes(void)
{
	static const struct {
		enum verb verb;
		const char *operands[3];
		enum verb_answer answer;
		const char *out;
	} cases[] = {
		{VERB_NORMALIZE,
		 {"10.0.0.1/24", "::1", "1.2.3.4-1.2.3.6"},
		 VERB_DONE,
		 "10.0.0.0/24,::1/128,1.2.3.4/31,1.2.3.6/32\n"},
		{VERB_AGGREGATE, {"10.4.0.0/14,10.7.240.0/20"}, VERB_DONE, "10.4.0.0/14\n"},
		{VERB_COVER, {"10.0.0.1", "10.0.0.9"}, VERB_DONE, "10.0.0.0/28\n"},
		{VERB_EXCLUDE,
		 {"10.0.0.0/30", "10.0.0.0/32"},
		 VERB_DONE,
		 "10.0.0.1/32,10.0.0.2/31\n"},
		{VERB_INTERSECT,
		 {"10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8"},
		 VERB_DONE,
		 "10.1.0.0/16\n"},
		{VERB_CONTAINS, {"10.0.0.0/8", "10.1.0.0/16"}, VERB_DONE, "10.1.0.0/16 yes\n"},
		{VERB_CONTAINS,
		 {"10.0.0.0/8", "10.1.0.0/16", "11.0.0.0"},
		 VERB_NO,
		 "10.1.0.0/16 yes\n11.0.0.0/32 no\n"},
		{VERB_OVERLAPS,
		 {"10.7.240.0/20,10.4.0.0/14"},
		 VERB_DONE,
		 "10.4.0.0/14 10.7.240.0/20\n"},
		{VERB_OVERLAPS, {"10.0.0.0/8", "11.0.0.0/8"}, VERB_NO, ""},
		{VERB_SPLIT,
		 {"10.0.0.0/23", "/24", "10.1.0.0/24"},
		 VERB_DONE,
		 "10.0.0.0/24,10.0.1.0/24,10.1.0.0/24\n"},
		{VERB_RANGE,
		 {"10.0.0.0/24", "10.0.0.1-10.0.0.2"},
		 VERB_DONE,
		 "10.0.0.0-10.0.0.255,10.0.0.1/32,10.0.0.2/32\n"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t count = 0;

		while (count < 3 && cases[i].operands[count] != NULL)
			count++;
		run(cases[i].verb, cases[i].operands, count);
		CHECK_TEXT(outcome.out, cases[i].out);
		CHECK_INT(outcome.answer, cases[i].answer);
	}
}

static void refuses_with_nothing_written(void)
{
	static const struct {
		enum verb verb;
		const char *operands[2], *text;
	} cases[] = {
		{VERB_AGGREGATE, {"10.0.0.0/8", "10.0.0.0/33"}, "\"10.0.0.0/33\" is no range"},
		{VERB_AGGREGATE, {NULL}, "aggregate: no ranges"},
		{VERB_EXCLUDE, {NULL}, "exclude: expected ranges behind the first"},
		{VERB_SPLIT, {"10.0.0.0/8"}, "split: expected /LENGTH"},
		{VERB_SPLIT, {"10.0.0.0/8", "/7"}, "split: 10.0.0.0/8 is not made of parts of /7"},
		{VERB_SPLIT, {"10.0.0.0/8", "/40"}, "split: 10.0.0.0/8 is not made of parts"},
		{VERB_SPLIT, {"::/0", "/128"}, "split: more than 100 results"},
		{VERB_SPLIT, {"10.0.0.0/24", "/32"}, "split: more than 100 results"},
		{VERB_EXCLUDE, {"::/0", "::1"}, "exclude: more than 100 results"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t count = 0;

		while (count < 2 && cases[i].operands[count] != NULL)
			count++;
		run(cases[i].verb, cases[i].operands, count);
		CHECK_INT(outcome.answer, VERB_REFUSED);
		CHECK_ROW(outcome.e.text,
			  strncmp(outcome.e.text, cases[i].text, strlen(cases[i].text)) == 0);
		CHECK_TEXT(outcome.out, "");
	}
}

static void notes_what_it_changes_or_adds(void)
{
	static const char *const cover[] = {"10.0.0.1", "10.0.0.9"}, *const host[] = {
									     "10.0.0.1/24"};

	run(VERB_COVER, cover, 2);
	CHECK_TEXT(outcome.notes, "of IPv4, the cover adds 14 addresses that are in none of the "
				  "ranges");
	run(VERB_NORMALIZE, host, 1);
	CHECK_TEXT(outcome.notes, "10.0.0.1/24 is taken as 10.0.0.0/24");
	CHECK_INT(verb_find("split"), VERB_SPLIT);
	CHECK_INT(verb_find("spilt"), VERB_COUNT);
}

UNIT_TESTS(TEST(computes), TEST(refuses_with_nothing_written), TEST(notes_what_it_changes_or_adds))
