#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "sys/log.h"

static int captured_stderr, capture_end;

/* From here on what goes to standard error goes to a pipe. */
static void capture_start(void)
{
	int ends[2];

	fflush(stderr);
	CHECK_INT(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	captured_stderr = dup(STDERR_FILENO);
	CHECK_INT(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	capture_end = ends[0];
}

/* What came, without the times, which are checked to be there and replaced by "T". */
static const char *capture_stop(void)
{
	static char text[32768], plain[32768];
	size_t len = 0, plain_len = 0;
	ssize_t n;

	dup2(captured_stderr, STDERR_FILENO);
	close(captured_stderr);
	while ((n = read(capture_end, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)n;
	close(capture_end);
	text[len] = '\0';
	for (char *line = text, *end; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		CHECK(end != NULL && end - line > 25);
		CHECK(line[4] == '-' && line[10] == 'T' && line[19] == '.' && line[23] == 'Z');
		plain_len += (size_t)snprintf(plain + plain_len, sizeof plain - plain_len,
					      "T%.*s\n", (int)(end - line - 24), line + 24);
	}
	plain[plain_len] = '\0';
	return plain;
}

static void a_line_has_time_level_message_and_pairs(void)
{
	struct log_line l;

	capture_start();
	log_begin(&l, LOG_WARN, "manifest changed");
	log_cstr(&l, "file", "services.yaml");
	log_u64(&l, "services", 12);
	log_text(&l, "text", SPAN("a b"));
	log_end(&l);
	log_event(LOG_ERROR, "stopped");
	CHECK_TEXT(capture_stop(),
		   "T warn manifest changed file=services.yaml services=12 text=\"a b\"\n"
		   "T error stopped\n");
}

static void quotes_and_escapes_what_needs_it(void)
{
	static const struct {
		struct span value;
		const char *shown;
	} cases[] = {
		{{"plain", 5}, "plain"},
		{{"[::1]:80", 8}, "\"[::1]:80\""},
		{{"a_b./:@%+,-9Z", 13}, "a_b./:@%+,-9Z"},
		{{"", 0}, "\"\""},
		{{NULL, 0}, "\"\""},
		{{"a=b", 3}, "\"a=b\""},
		{{"a\"b", 3}, "\"a\\\"b\""},
		{{"a\nT error fake", 14}, "\"a\\x0aT error fake\""},
		{{"a\0b", 3}, "\"a\\x00b\""},
		{{"\xc3\xa4", 2}, "\"\\xc3\\xa4\""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[128];
		struct log_line l;

		capture_start();
		log_begin(&l, LOG_INFO, "m");
		log_text(&l, "k", cases[i].value);
		log_end(&l);
		snprintf(expected, sizeof expected, "T info m k=%s\n", cases[i].shown);
		CHECK_TEXT(capture_stop(), expected);
	}
}

static void one_long_value_does_not_push_out_the_others(void)
{
	char expected[1024], value[5000];
	struct log_line l;

	memset(value, 'x', sizeof value);
	capture_start();
	log_begin(&l, LOG_INFO, "m");
	log_text(&l, "k", span_of(value, sizeof value));
	log_u64(&l, "n", 7);
	log_end(&l);
	snprintf(expected, sizeof expected, "T info m k=%.256s... n=7\n", value);
	CHECK_TEXT(capture_stop(), expected);
}

static void a_line_that_is_too_long_is_cut_but_ended(void)
{
	char value[256];
	struct log_line l;
	const char *line;

	memset(value, '\n', sizeof value);
	for (size_t len = 0; len < sizeof value; len++) {
		capture_start();
		log_begin(&l, LOG_INFO, "m");
		for (int i = 0; i < 3; i++)
			log_text(&l, "k", span_of(value, len));
		log_u64(&l, "n", UINT64_MAX);
		log_end(&l);
		line = capture_stop();
		CHECK(strchr(line, '\n') == line + strlen(line) - 1);
		CHECK(strlen(line) + 23 <= sizeof l.storage);
	}
	/* The longest one fills the storage to its last byte. */
	CHECK_INT(strlen(line) + 23, sizeof l.storage);
}

static void writes_nothing_above_the_level(void)
{
	struct log_line l;

	for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		char expected[128] = "";

		capture_start();
		log_set_level((enum log_level)level);
		for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
			log_begin(&l, (enum log_level)i, "m");
			log_cstr(&l, "k", "v");
			log_u64(&l, "n", 1);
			log_end(&l);
			CHECK(log_is_on((enum log_level)i) == (i <= level));
			if (i <= level)
				snprintf(expected + strlen(expected),
					 sizeof expected - strlen(expected), "T %s m k=v n=1\n",
					 log_level_names[i]);
		}
		log_set_level(LOG_INFO);
		CHECK_TEXT(capture_stop(), expected);
	}
}

static void the_names_are_a_table_of_choices(void)
{
	CHECK_TEXT(log_level_names[LOG_ERROR], "error");
	CHECK_TEXT(log_level_names[LOG_DEBUG], "debug");
	CHECK(log_level_names[LOG_DEBUG + 1] == NULL);
}

static void keeps_errno_and_survives_a_closed_standard_error(void)
{
	int saved = dup(STDERR_FILENO);

	close(STDERR_FILENO);
	errno = ENOENT;
	log_event(LOG_ERROR, "lost");
	CHECK_INT(errno, ENOENT);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void *write_lines(void *key)
{
	for (int i = 0; i < 100; i++) {
		struct log_line l;

		log_begin(&l, LOG_INFO, "m");
		log_cstr(&l, key, "0123456789012345678901234567890123456789");
		log_end(&l);
	}
	return NULL;
}

static void lines_of_threads_do_not_mix(void)
{
	static char keys[2][2] = {"a", "b"};
	pthread_t threads[2];
	const char *text;
	int lines = 0;

	capture_start();
	for (int i = 0; i < 2; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, write_lines, keys[i]), 0);
	for (int i = 0; i < 2; i++)
		CHECK_INT(pthread_join(threads[i], NULL), 0);
	text = capture_stop();
	for (; *text != '\0'; text = strchr(text, '\n') + 1, lines++) {
		static const char a[] = "T info m a=0123456789012345678901234567890123456789\n";
		static const char b[] = "T info m b=0123456789012345678901234567890123456789\n";

		CHECK(strncmp(text, a, strlen(a)) == 0 || strncmp(text, b, strlen(b)) == 0);
	}
	CHECK_INT(lines, 200);
}

UNIT_TESTS(TEST(a_line_has_time_level_message_and_pairs), TEST(quotes_and_escapes_what_needs_it),
	   TEST(one_long_value_does_not_push_out_the_others),
	   TEST(a_line_that_is_too_long_is_cut_but_ended), TEST(writes_nothing_above_the_level),
	   TEST(the_names_are_a_table_of_choices),
	   TEST(keeps_errno_and_survives_a_closed_standard_error),
	   TEST(lines_of_threads_do_not_mix))
