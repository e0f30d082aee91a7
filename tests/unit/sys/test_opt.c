#include "../unit.h"

#include "base/alloc.h"
#include "sys/opt.h"

struct settings {
	uint64_t untouched;
	bool check, via;
	const char *namespace;
	struct opt_list files, listen;
	uint64_t workers, any, big;
	uint64_t timeout_ms, pause_ms;
	int level;
};

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};

static const struct opt options[] = {
	{.kind = OPT_SECTION, .help = "what to route"},
	{.kind = OPT_LIST,
	 .short_name = 'f',
	 .name = "file",
	 .value_name = "FILE|DIR|-",
	 .offset = offsetof(struct settings, files),
	 .env = "TEST_OPT_FILES",
	 .help = "Manifests. May be given several times."},
	{.kind = OPT_TEXT,
	 .short_name = 'n',
	 .name = "namespace",
	 .value_name = "NAME",
	 .offset = offsetof(struct settings, namespace),
	 .initial = "default",
	 .env = "TEST_OPT_NAMESPACE",
	 .help = "The namespace in which the bare name of a Service counts, as it does for a pod "
		 "that "
		 "runs there and nowhere else."},
	{.kind = OPT_SECTION, .help = "how to run"},
	{.kind = OPT_LIST,
	 .name = "listen",
	 .value_name = "[ADDR:]PORT",
	 .offset = offsetof(struct settings, listen),
	 .initial = "8080, 8081",
	 .help = "Where clients come in."},
	{.kind = OPT_NUMBER,
	 .short_name = 'w',
	 .name = "workers",
	 .value_name = "N",
	 .offset = offsetof(struct settings, workers),
	 .env = "TEST_OPT_WORKERS",
	 .min = 1,
	 .max = 256,
	 .help = "Threads."},
	{.kind = OPT_NUMBER,
	 .name = "any-number-whatever-it-is",
	 .value_name = "N",
	 .offset = offsetof(struct settings, any),
	 .help = "A long name."},
	{.kind = OPT_NUMBER,
	 .name = "big",
	 .alias = "large",
	 .value_name = "N",
	 .offset = offsetof(struct settings, big),
	 .min = 1000,
	 .help = "Big."},
	{.kind = OPT_DURATION,
	 .short_name = 't',
	 .name = "timeout",
	 .value_name = "TIME",
	 .offset = offsetof(struct settings, timeout_ms),
	 .initial = "30s",
	 .min = 100,
	 .max = 3600000,
	 .help = "How long to wait."},
	{.kind = OPT_DURATION,
	 .name = "pause",
	 .value_name = "TIME",
	 .offset = offsetof(struct settings, pause_ms),
	 .max = 90000,
	 .help = "A pause.\n\nAnother paragraph."},
	{.kind = OPT_CHOICE,
	 .name = "log-level",
	 .value_name = "LEVEL",
	 .offset = offsetof(struct settings, level),
	 .initial = "info",
	 .env = "TEST_OPT_LEVEL",
	 .choices = levels,
	 .help = "What to log."},
	{.kind = OPT_FLAG,
	 .short_name = 'c',
	 .name = "check",
	 .offset = offsetof(struct settings, check),
	 .help = "Stop there."},
	{.kind = OPT_FLAG,
	 .short_name = 'v',
	 .name = "via",
	 .offset = offsetof(struct settings, via),
	 .initial = "true",
	 .env = "TEST_OPT_VIA",
	 .help = "Add it."},
	{.kind = OPT_NO_FLAG,
	 .short_name = 'V',
	 .name = "no-via",
	 .offset = offsetof(struct settings, via),
	 .help = "Do not."},
	{0},
};

static const char *const variables[] = {"TEST_OPT_FILES", "TEST_OPT_NAMESPACE", "TEST_OPT_WORKERS",
					"TEST_OPT_LEVEL", "TEST_OPT_VIA"};

/*
 * One run. The line is split at blanks ("''" stands for an empty word) and lives until the next
 * run.
 */
static struct settings settings;
static struct opt_list operands;
static struct error error;
static struct arena arena;

static bool run(const char *line, struct opt_list *to)
{
	static char words[1024];
	struct span rest, word;
	char *argv[32];
	int argc = 0;

	argv[argc++] = (char[]){"prog"};
	snprintf(words, sizeof words, "%s", line);
	rest = span_from_cstr(words);
	while (span_split(&rest, ' ', &word)) {
		char *start = words + (word.ptr - words);

		if (word.len == 0)
			continue;
		start[word.len] = '\0';
		if (strcmp(start, "''") == 0)
			start[0] = '\0';
		argv[argc++] = start;
	}
	argv[argc] = NULL;
	arena_fini(&arena);
	arena_init(&arena, SIZE_MAX);
	settings = (struct settings){.untouched = 77};
	error.text[0] = '\0';
	return opt_parse(options, &settings, argc, argv, &arena, to, &error);
}

static void clear_environment(void)
{
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		unsetenv(variables[i]);
}

#define RUN(line)                                                                                  \
	do {                                                                                       \
		if (!run((line), &operands))                                                       \
			unit_fail(__FILE__, __LINE__, "[%s] %s", (line), error.text);              \
	} while (0)

/* The items of a list, each followed by "|". */
static const char *joined(const struct opt_list *list)
{
	static char text[256];
	struct buf b;

	BUF_INIT_ARRAY(&b, text);
	for (size_t i = 0; i < list->count; i++)
		buf_printf(&b, "%s|", list->items[i]);
	return text;
}

static void fills_in_defaults(void)
{
	clear_environment();
	RUN("");
	CHECK_INT(settings.untouched, 77);
	CHECK_TEXT(settings.namespace, "default");
	CHECK_TEXT(joined(&settings.listen), "8080|8081|");
	CHECK_INT(settings.files.count, 0);
	CHECK_INT(settings.workers, 0);
	CHECK_INT(settings.timeout_ms, 30000);
	CHECK_INT(settings.level, 2);
	CHECK(settings.via && !settings.check);
	CHECK_INT(operands.count, 0);
}

static void takes_every_spelling(void)
{
	static const char *const lines[] = {
		"-f a -f b -n ns -c -w 3",
		"-fa -fb -nns -cw3",
		"--file a --file b --namespace ns --check --workers 3",
		"--file=a --file=b --namespace=ns --check --workers=3",
		"-cfa --file=b -w 9 -w3 --namespace other -nns",
	};

	clear_environment();
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		RUN(lines[i]);
		CHECK_TEXT(joined(&settings.files), "a|b|");
		CHECK_TEXT(settings.namespace, "ns");
		CHECK_ROW(lines[i], settings.check);
		CHECK_ROW(lines[i], settings.workers == 3);
	}
}

static void separates_operands(void)
{
	clear_environment();
	RUN("one -c - two -- -c --nonsense --");
	CHECK_TEXT(joined(&operands), "one|-|two|-c|--nonsense|--|");
	CHECK(settings.check);
}

static void values_may_look_like_anything(void)
{
	clear_environment();
	RUN("-f - -f --check -f -- --namespace=a=b -f ''");
	CHECK_TEXT(joined(&settings.files), "-|--check|--||");
	CHECK_TEXT(settings.namespace, "a=b");
	CHECK(!settings.check);
	RUN("--namespace=");
	CHECK_TEXT(settings.namespace, "");
}

static void flags_take_a_value_behind_an_equals_sign_only(void)
{
	static const struct {
		const char *line;
		bool check, via;
	} rows[] = {
		{"--check=true", true, true},		{"--check=yes --via=no", true, false},
		{"--check --check=false", false, true}, {"--check=0 --check", true, true},
		{"--via=false", false, false},		{"--no-via=true", false, false},
		{"--no-via=false", false, true},	{"--no-via --no-via=off", false, true},
		{"--via=false --via=on", false, true},
	};

	clear_environment();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		RUN(rows[i].line);
		CHECK_ROW(rows[i].line, settings.check == rows[i].check);
		CHECK_ROW(rows[i].line, settings.via == rows[i].via);
	}
	RUN("--check false");
	CHECK(settings.check);
	CHECK_TEXT(joined(&operands), "false|");
	/* It is given, whatever its value: the variable does not count. */
	setenv("TEST_OPT_VIA", "no", 1);
	RUN("--via=true");
	CHECK(settings.via);
	setenv("TEST_OPT_VIA", "yes", 1);
	RUN("--no-via=true");
	CHECK(!settings.via);
	clear_environment();
}

struct old_settings {
	bool flag;
	struct opt_list obsolete;
};

static const struct opt old_options[] = {
	{.kind = OPT_FLAG,
	 .short_name = 'f',
	 .name = "flag",
	 .offset = offsetof(struct old_settings, flag),
	 .help = "A flag."},
	{.kind = OPT_OBSOLETE, .name = "dump", .offset = offsetof(struct old_settings, obsolete)},
	{.kind = OPT_OBSOLETE,
	 .short_name = 'm',
	 .name = "mesh",
	 .value_name = "FILE",
	 .offset = offsetof(struct old_settings, obsolete)},
	{0},
};

static bool run_old(struct old_settings *old, char **argv)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	arena_fini(&arena);
	arena_init(&arena, SIZE_MAX);
	*old = (struct old_settings){.flag = false};
	return opt_parse(old_options, old, argc, argv, &arena, &operands, &error);
}

static void obsolete_options_are_taken_and_named(void)
{
	static const struct {
		const char *words[6], *names, *operands;
		bool flag;
	} rows[] = {
		{{"p"}, "", "", false},
		{{"p", "--dump", "x"}, "dump|", "x|", false},
		{{"p", "--dump=true", "--dump=false"}, "dump|dump|", "", false},
		{{"p", "--mesh", "--flag", "x"}, "mesh|", "x|", false},
		{{"p", "--mesh=", "--flag"}, "mesh|", "", true},
		{{"p", "-mx", "-fm", "y", "--dump"}, "mesh|mesh|dump|", "", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct old_settings old;
		char words[6][16], *argv[7] = {NULL};

		for (size_t w = 0; w < 6 && rows[i].words[w] != NULL; w++) {
			snprintf(words[w], sizeof words[w], "%s", rows[i].words[w]);
			argv[w] = words[w];
		}
		CHECK(run_old(&old, argv));
		CHECK_TEXT(joined(&old.obsolete), rows[i].names);
		CHECK_TEXT(joined(&operands), rows[i].operands);
		CHECK_INT(old.flag, rows[i].flag);
	}
}

static void obsolete_options_need_their_values_and_are_not_proposed(void)
{
	char word[] = "--mesh", near[] = "--dumpp", name[] = "p";
	char *without[] = {name, word, NULL}, *misspelt[] = {name, near, NULL};
	struct old_settings old;

	CHECK(!run_old(&old, without));
	CHECK_TEXT(error.text, "--mesh: needs a value (FILE)");
	CHECK(!run_old(&old, misspelt));
	CHECK_TEXT(error.text, "--dumpp: no such option");
}

static void obsolete_options_are_not_in_the_manual(void)
{
	struct opt_manual manual = {.usage = "p", .purpose = "P.", .options = old_options};
	char storage[2000];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	opt_print_manual(&manual, "p", &out);
	CHECK(strstr(storage, "--flag") != NULL);
	CHECK(strstr(storage, "dump") == NULL && strstr(storage, "mesh") == NULL);
}

static void an_alias_is_the_same_option(void)
{
	clear_environment();
	RUN("--large 5000");
	CHECK_INT(settings.big, 5000);
	RUN("--big 5000 --large=6000");
	CHECK_INT(settings.big, 6000);
	CHECK(!run("--large 1", NULL));
	CHECK_TEXT(error.text, "--large: \"1\" is not a number of at least 1000");
}

static void the_last_of_opposites_counts(void)
{
	clear_environment();
	RUN("--no-via");
	CHECK(!settings.via);
	RUN("--no-via --via");
	CHECK(settings.via);
	RUN("-vV");
	CHECK(!settings.via);
}

static void given_items_replace_the_default_list(void)
{
	clear_environment();
	RUN("--listen 1 --listen 2,3");
	CHECK_TEXT(joined(&settings.listen), "1|2,3|");
}

static void the_environment_stands_between_default_and_option(void)
{
	clear_environment();
	setenv("TEST_OPT_NAMESPACE", "env", 1);
	setenv("TEST_OPT_FILES", "a, b,,\tc ,", 1);
	setenv("TEST_OPT_WORKERS", "7", 1);
	setenv("TEST_OPT_LEVEL", "debug", 1);
	setenv("TEST_OPT_VIA", "off", 1);
	RUN("");
	CHECK_TEXT(settings.namespace, "env");
	CHECK_TEXT(joined(&settings.files), "a|b|c|");
	CHECK_INT(settings.workers, 7);
	CHECK_INT(settings.level, 3);
	CHECK(!settings.via);
	RUN("-n given -f d -w 8 --log-level error --via");
	CHECK_TEXT(settings.namespace, "given");
	CHECK_TEXT(joined(&settings.files), "d|");
	CHECK_INT(settings.workers, 8);
	CHECK_INT(settings.level, 0);
	CHECK(settings.via);
	setenv("TEST_OPT_VIA", "1", 1);
	RUN("--no-via");
	CHECK(!settings.via);
	clear_environment();
}

static void an_empty_variable_is_none(void)
{
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		setenv(variables[i], "", 1);
	RUN("");
	CHECK_TEXT(settings.namespace, "default");
	CHECK_INT(settings.workers, 0);
	CHECK(settings.via);
	clear_environment();
}

static void a_bad_variable_is_named_unless_overruled(void)
{
	clear_environment();
	setenv("TEST_OPT_WORKERS", "many", 1);
	CHECK(!run("", &operands));
	CHECK_TEXT(error.text, "TEST_OPT_WORKERS: \"many\" is not a number from 1 to 256");
	RUN("-w 1");
	clear_environment();
	setenv("TEST_OPT_VIA", "maybe", 1);
	CHECK(!run("", &operands));
	CHECK_TEXT(error.text, "TEST_OPT_VIA: \"maybe\" is neither true nor false");
	clear_environment();
}

static void reads_durations(void)
{
	static const struct {
		const char *text;
		uint64_t ms; /* 0: refused */
	} cases[] = {
		{"250ms", 250},
		{"1s", 1000},
		{"30s", 30000},
		{"30", 30000},
		{"5m", 300000},
		{"1h", 3600000},
		{"3600000ms", 3600000},
		{"100ms", 100},
		{"99ms", 0},
		{"0", 0},
		{"3601", 0},
		{"2h", 0},
		{"1d", 0},
		{"1.5s", 0},
		{"-1s", 0},
		{"1_s", 0},
		{"s", 0},
		{"ms", 0},
		{"1sm", 0},
		{"1S", 0},
		{"''", 0},
		{"18446744073709551615", 0},
		{"18446744073709552s", 0}, /* 384 ms modulo 2^64 */
		{"5124095576031h", 0},
		{"99999999999999999999999ms", 0},
	};

	clear_environment();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char line[64];

		snprintf(line, sizeof line, "-t %s", cases[i].text);
		CHECK_ROW(line, run(line, &operands) == (cases[i].ms != 0));
		CHECK_ROW(line, settings.timeout_ms == (cases[i].ms != 0 ? cases[i].ms : 30000));
	}
}

static void numbers_without_a_bound_have_none(void)
{
	clear_environment();
	RUN("--any-number-whatever-it-is 18446744073709551615 --big 18446744073709551615");
	CHECK(settings.any == UINT64_MAX && settings.big == UINT64_MAX);
	RUN("--any-number-whatever-it-is 0");
	CHECK(settings.any == 0);
}

static void errors_say_which_option_and_what_was_expected(void)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{"--listn 1", "--listn: no such option (did you mean --listen?)"},
		{"--listn=1", "--listn: no such option (did you mean --listen?)"},
		{"--hepl", "--hepl: no such option (did you mean --help?)"},
		{"--noooo", "--noooo: no such option"},
		{"--work 3", "--work: no such option"}, /* no abbreviations */
		{"--=x", "--: no such option"},
		{"---check", "---check: no such option (did you mean --check?)"},
		{"-x", "-x: no such option"},
		{"-cx", "-x: no such option"},
		{"-c\x01", "-\\x01: no such option"},
		{"-listen", "-l: no such option (did you mean --listen?)"},
		{"-via=x", "-i: no such option"},
		{"--workers x", "--workers: \"x\" is not a number from 1 to 256"},
		{"--workers=0", "--workers: \"0\" is not a number from 1 to 256"},
		{"-w 257", "-w: \"257\" is not a number from 1 to 256"},
		{"-cw ''", "-w: \"\" is not a number from 1 to 256"},
		{"--big 999", "--big: \"999\" is not a number of at least 1000"},
		{"--any-number-whatever-it-is=-1",
		 "--any-number-whatever-it-is: \"-1\" is not a number"},
		{"--timeout 2h", "--timeout: \"2h\" is not a duration from 100ms to 1h "
				 "(such as 250ms, 30s, 5m or 1h)"},
		{"--log-level loud", "--log-level: \"loud\" is none of error, warn, info, debug"},
		{"--log-level inf", "--log-level: \"inf\" is none of error, warn, info, debug"},
		{"--log-level a\"b\n",
		 "--log-level: \"a\\\"b\\x0a\" is none of error, warn, info, debug"},
		{"--listen", "--listen: needs a value ([ADDR:]PORT)"},
		{"-cf", "-f: needs a value (FILE|DIR|-)"},
		{"--check=maybe", "--check: \"maybe\" is neither true nor false"},
		{"--no-via=", "--no-via: \"\" is neither true nor false"},
	};

	clear_environment();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_ROW(cases[i].line, !run(cases[i].line, &operands));
		CHECK_TEXT(error.text, cases[i].text);
	}
	CHECK(!run("-c word", NULL));
	CHECK_TEXT(error.text, "\"word\" is not an option, and nothing else is expected");
	CHECK(run("-c --", NULL));
}

static void a_bad_default_is_an_error_too(void)
{
	static const struct opt bad[] = {{.kind = OPT_NUMBER,
					  .name = "n",
					  .value_name = "N",
					  .initial = "9",
					  .max = 8,
					  .help = ""},
					 {.kind = OPT_NUMBER,
					  .name = "m",
					  .value_name = "N",
					  .initial = "8",
					  .max = 8,
					  .help = ""},
					 {0}};
	char *argv[] = {(char[]){"prog"}, NULL};
	uint64_t value;

	arena_fini(&arena);
	arena_init(&arena, SIZE_MAX);
	CHECK(!opt_parse(bad, &value, 1, argv, &arena, NULL, &error));
	CHECK_TEXT(error.text, "n: \"9\" is not a number from 0 to 8");
}

static void long_words_are_cut_in_errors(void)
{
	char line[900], word[801];

	clear_environment();
	memset(word, '\x01', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	snprintf(line, sizeof line, "--workers=%s", word);
	CHECK(!run(line, &operands));
	CHECK(strstr(error.text, "\\x01...\" is not a number from 1 to 256") != NULL);
	snprintf(line, sizeof line, "--%s", word);
	CHECK(!run(line, &operands));
	CHECK(strstr(error.text, "\\x01...: no such option") != NULL);
	CHECK(!run(word, NULL));
	CHECK(strstr(error.text, "\\x01...\" is not an option") != NULL);
}

static void an_empty_command_line_is_fine(void)
{
	char *argv[] = {NULL};

	clear_environment();
	arena_fini(&arena);
	settings = (struct settings){0};
	CHECK(opt_parse(options, &settings, 0, argv, &arena, &operands, &error));
	CHECK_INT(settings.timeout_ms, 30000);
}

static void survives_every_lack_of_memory(void)
{
	static const char line[] = "-f a -f b --listen 1 operand";

	clear_environment();
	setenv("TEST_OPT_FILES", "x,y,z", 1);
	arena_fini(&arena);
	alloc_fail_after(0);
	CHECK(!run(line, &operands));
	alloc_fail_after(-1);
	CHECK_TEXT(error.text, "out of memory");
	/* After the first chunk it is the arena's bound that gives way. */
	for (size_t bound = 0, ok = 0; !ok; bound += 16) {
		char *argv[] = {(char[]){"prog"}, (char[]){"--listen"}, (char[]){"1"},
				(char[]){"o"}, NULL};
		struct arena a;

		CHECK(bound < 4096);
		arena_init(&a, bound);
		settings = (struct settings){0};
		ok = opt_parse(options, &settings, 4, argv, &a, &operands, &error);
		CHECK(ok || strcmp(error.text, "out of memory") == 0);
		if (ok) {
			CHECK_TEXT(joined(&settings.files), "x|y|z|");
			CHECK_TEXT(joined(&settings.listen), "1|");
			CHECK_TEXT(joined(&operands), "o|");
		}
		arena_fini(&a);
	}
	clear_environment();
}

static const char *printed(const struct opt_manual *m)
{
	static char text[8192];
	struct buf b;

	BUF_INIT_ARRAY(&b, text);
	opt_print_manual(m, "test-applet", &b);
	return text;
}

static void prints_the_manual(void)
{
	static const struct opt_manual manual = {
		.usage = "test-applet -f FILE|DIR|- ... [--listen [ADDR:]PORT]... "
			 "[--a-few-more-options-of-no-use X]\n"
			 "test-applet --check",
		.purpose = "Carries requests of pods to the world outside, as the ExternalName "
			   "Services in "
			   "the manifests say.\n"
			   "\n"
			   "Another paragraph:\n"
			   "  - an indented line that is so long that it has to be broken "
			   "somewhere before "
			   "its end",
		.options = options,
		.exit_status = "  0  done\n  2  usage",
		.examples = "  test-applet -f services.yaml\n",
	};
	static const char expected[] =
		"usage: test-applet -f FILE|DIR|- ... [--listen [ADDR:]PORT]...\n"
		"                   [--a-few-more-options-of-no-use X]\n"
		"   or: test-applet --check\n"
		"\n"
		"Carries requests of pods to the world outside, as the ExternalName Services in\n"
		"the manifests say.\n"
		"\n"
		"Another paragraph:\n"
		"  - an indented line that is so long that it has to be broken somewhere before\n"
		"  its end\n"
		"\n"
		"what to route:\n"
		"  -f, --file FILE|DIR|-     Manifests. May be given several times. [env:\n"
		"                            TEST_OPT_FILES]\n"
		"  -n, --namespace NAME      The namespace in which the bare name of a Service\n"
		"                            counts, as it does for a pod that runs there and\n"
		"                            nowhere else. [default: default; env:\n"
		"                            TEST_OPT_NAMESPACE]\n"
		"\n"
		"how to run:\n"
		"      --listen [ADDR:]PORT  Where clients come in. [default: 8080, 8081]\n"
		"  -w, --workers N           Threads. [1 to 256; env: TEST_OPT_WORKERS]\n"
		"      --any-number-whatever-it-is N\n"
		"                            A long name.\n"
		"      --big N               Big. [at least 1000; also: --large]\n"
		"  -t, --timeout TIME        How long to wait. [default: 30s; 100ms to 1h]\n"
		"      --pause TIME          A pause.\n"
		"\n"
		"                            Another paragraph. [0s to 90s]\n"
		"      --log-level LEVEL     What to log. [default: info; one of error, warn,\n"
		"                            info, debug; env: TEST_OPT_LEVEL]\n"
		"  -c, --check               Stop there.\n"
		"  -v, --via                 Add it. [default: true; env: TEST_OPT_VIA]\n"
		"  -V, --no-via              Do not.\n"
		"  -h, --help                Print this and exit.\n"
		"      --version             Print the versions of what is inside and exit.\n"
		"\n"
		"exit status:\n"
		"  0  done\n"
		"  2  usage\n"
		"\n"
		"examples:\n"
		"  test-applet -f services.yaml\n";

	CHECK_TEXT(printed(&manual), expected);
}

static void a_manual_without_sections_has_options(void)
{
	static const struct opt none[] = {{0}};
	static const struct opt_manual manual = {
		.usage = "test-applet", .purpose = "Nothing.", .options = none};

	CHECK_TEXT(printed(&manual),
		   "usage: test-applet\n"
		   "\n"
		   "Nothing.\n"
		   "\n"
		   "options:\n"
		   "  -h, --help                Print this and exit.\n"
		   "      --version             Print the versions of what is inside and exit.\n");
}

static void breaks_lines_at_80_columns_and_not_before(void)
{
	static const struct opt none[] = {{0}};
	char purpose[100];

	for (int last = 1; last <= 12; last++) {
		struct opt_manual manual = {
			.usage = "test-applet", .purpose = purpose, .options = none};
		const char *text;

		/* 70 bytes, a blank, and a word of 1 to 12: to column 80 with one of 9. */
		snprintf(purpose, sizeof purpose, "%.*s %.*s", 70,
			 "0123456789012345678901234567890123456789012345678901234567890123456789012"
			 "3",
			 last, "abcdefghijkl");
		text = printed(&manual);
		CHECK((strstr(text, "789 a") != NULL) == (last <= 9));
		CHECK((strstr(text, "789\na") != NULL) == (last > 9));
	}
}

UNIT_TESTS(TEST(fills_in_defaults), TEST(takes_every_spelling), TEST(separates_operands),
	   TEST(values_may_look_like_anything), TEST(flags_take_a_value_behind_an_equals_sign_only),
	   TEST(obsolete_options_are_taken_and_named),
	   TEST(obsolete_options_need_their_values_and_are_not_proposed),
	   TEST(obsolete_options_are_not_in_the_manual), TEST(the_last_of_opposites_counts),
	   TEST(given_items_replace_the_default_list), TEST(an_alias_is_the_same_option),
	   TEST(the_environment_stands_between_default_and_option), TEST(an_empty_variable_is_none),
	   TEST(a_bad_variable_is_named_unless_overruled), TEST(reads_durations),
	   TEST(numbers_without_a_bound_have_none),
	   TEST(errors_say_which_option_and_what_was_expected), TEST(a_bad_default_is_an_error_too),
	   TEST(long_words_are_cut_in_errors), TEST(an_empty_command_line_is_fine),
	   TEST(survives_every_lack_of_memory), TEST(prints_the_manual),
	   TEST(a_manual_without_sections_has_options),
	   TEST(breaks_lines_at_80_columns_and_not_before))
