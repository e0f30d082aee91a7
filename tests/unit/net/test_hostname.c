#include "../unit.h"

#include "net/hostname.h"

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define L61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

#define BAD_BYTE "byte other than letters, digits, \"-\", \"_\" and \".\""
#define BAD_LABEL_BYTE "byte other than lower case letters, digits and \"-\""
#define HYPHEN "label starts or ends with a hyphen"

struct row {
	const char *text;
	const char *problem; /* NULL: none */
};

static void check_rows(const struct row *rows, size_t count, const char *(*problem_of)(struct span))
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(rows[i].text);
		char *text = unit_guarded(rows[i].text, len);
		const char *problem = problem_of(span_of(text, len));

		unit_guarded_free(text, len);
		CHECK_ROW(rows[i].text, (problem == NULL) == (rows[i].problem == NULL));
		if (problem != NULL)
			CHECK_TEXT(problem, rows[i].problem);
	}
}

static void names_are_labels_between_dots(void)
{
	static const struct row rows[] = {
		{"a", NULL},
		{"httpbin.org", NULL},
		{"www.Google.COM", NULL},
		{"3com.com", NULL},
		{"a-b--c.d", NULL},
		{"_dmarc.example.com", NULL},
		{"a_.b_", NULL},
		{"1.2.3.4.example", NULL},
		{"1.2.3.4a", NULL},
		{"1.2.3.0y4", NULL},
		{"x.0xg", NULL},
		{"xn--bcher-kva.example", NULL},
		{L63 ".com", NULL},
		{L63 "." L63 "." L63 "." L61, NULL}, /* 253 */
		{"", "name is empty"},
		{".", "label is empty"},
		{"a.", "label is empty"},
		{".a", "label is empty"},
		{"a..b", "label is empty"},
		{L63 "x.com", "label over 63 bytes"},
		{L63 "." L63 "." L63 "." L61 "x", "name over 253 bytes"},
		{"-a.com", HYPHEN},
		{"a-.com", HYPHEN},
		{"a.-", HYPHEN},
		{"a b", BAD_BYTE},
		{"a/b", BAD_BYTE},
		{"a:80", BAD_BYTE},
		{"*.example.com", BAD_BYTE},
		{"http://a", BAD_BYTE},
		{"b\xc3\xbc"
		 "cher.example",
		 BAD_BYTE},
		{"a\n", BAD_BYTE},
		{"[::1]", BAD_BYTE},
		{"1", "looks like an IP address"},
		{"127.0.0.1", "looks like an IP address"},
		{"127.1", "looks like an IP address"},
		{"example.123", "looks like an IP address"},
		{"0x7f000001", "looks like an IP address"},
		{"127.0.0.0X1", "looks like an IP address"},
		{"a.0x", "looks like an IP address"},
	};

	check_rows(rows, sizeof rows / sizeof rows[0], hostname_problem);
}

static void every_byte_is_in_or_out(void)
{
	int allowed = 0;

	for (int i = 0; i < 256; i++) {
		const char name[] = {'a', (char)i, 'a'};

		allowed += hostname_problem(span_of(name, sizeof name)) == NULL;
	}
	CHECK_INT(allowed, 26 * 2 + 10 + 3); /* letters, digits, "-", "_" and "." */
	CHECK(hostname_problem(span_of("a\0b", 3)) != NULL);
}

static void labels_are_lower_case(void)
{
	static const struct row rows[] = {
		{"default", NULL},
		{"a", NULL},
		{"0", NULL},
		{"1a-b2", NULL},
		{L63, NULL},
		{"", "label is empty"},
		{L63 "x", "label over 63 bytes"},
		{"A", BAD_LABEL_BYTE},
		{"a.b", BAD_LABEL_BYTE},
		{"a_b", BAD_LABEL_BYTE},
		{"a ", BAD_LABEL_BYTE},
		{"-a", HYPHEN},
		{"a-", HYPHEN},
		{"-", HYPHEN},
	};

	check_rows(rows, sizeof rows / sizeof rows[0], hostname_label_problem);
}

static void services_do_not_start_with_a_digit(void)
{
	static const struct row rows[] = {
		{"externalbin", NULL},
		{"a-1", NULL},
		{L63, NULL},
		{"1a", "label starts with a digit"},
		{"", "label is empty"},
		{"A", BAD_LABEL_BYTE},
		{"a-", HYPHEN},
	};

	check_rows(rows, sizeof rows / sizeof rows[0], hostname_service_problem);
}

static void takes_one_root_dot_off(void)
{
	CHECK_SPAN(hostname_without_root(SPAN("a.b.")), "a.b");
	CHECK_SPAN(hostname_without_root(SPAN("a.b")), "a.b");
	CHECK_SPAN(hostname_without_root(SPAN("a..")), "a.");
	CHECK_SPAN(hostname_without_root(SPAN(".")), "");
	CHECK_SPAN(hostname_without_root(SPAN("")), "");
	CHECK_SPAN(hostname_without_root(span_of(NULL, 0)), "");
}

UNIT_TESTS(TEST(names_are_labels_between_dots), TEST(every_byte_is_in_or_out),
	   TEST(labels_are_lower_case), TEST(services_do_not_start_with_a_digit),
	   TEST(takes_one_root_dot_off))
