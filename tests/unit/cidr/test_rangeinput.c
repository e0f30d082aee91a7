#include "../unit.h"

#include "cidr/rangeinput.h"

static bool take(void *context, const struct rangescan_found *found, struct error *e)
{
	(void)e;
	range_format(&found->range, context);
	buf_add_byte(context, ' ');
	return true;
}

static void reads_operands(void)
{
	char storage[256];
	struct rangeinput in;
	struct error e;
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	rangeinput_init(&in, 0, take, &b);
	CHECK(rangeinput_operand(&in, "10.0.0.1/24, ::/0,1.2.3.4-1.2.3.5", &e));
	CHECK_TEXT(buf_cstr(&b), "10.0.0.0/24 ::/0 1.2.3.4/31 ");
	CHECK_INT(in.count, 3);
	CHECK_INT(in.host_bits, 1);
	CHECK_TEXT(in.host_bits_note, "10.0.0.1/24 is taken as 10.0.0.0/24");
	CHECK(rangeinput_operand(&in, "--includeIPRanges=10.4.0.0/14,10.7.240.0/20", &e));
	CHECK_INT(in.count, 5);
	CHECK(!rangeinput_operand(&in, "--includeIPRanges=", &e));
	CHECK(!rangeinput_operand(&in, "1.0.0.0/8,1.0.0.0/33", &e));
	CHECK_TEXT(e.text, "entry 2: \"1.0.0.0/33\" is no range of addresses: expected a length "
			   "from 0 to 32 behind the /");
	CHECK(!rangeinput_operand(&in, "", &e));
	CHECK(!rangeinput_operand(&in, "1.0.0.0/8 ", &e));
	CHECK(!rangeinput_operand(&in, "@/nonexistent", &e));
}

static void passes_over_the_other_family(void)
{
	char storage[256];
	struct rangeinput in;
	struct error e;
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	rangeinput_init(&in, 6, take, &b);
	CHECK(rangeinput_operand(&in, "10.0.0.0/8,::/0", &e));
	CHECK_TEXT(buf_cstr(&b), "::/0 ");
}

static void names_the_place_in_a_file(void)
{
	char path[] = "/tmp/egressbox-test-XXXXXX", expected[256];
	int fd = mkstemp(path);
	struct rangeinput in;
	char storage[256];
	struct error e;
	struct buf b;

	CHECK(fd >= 0 && write(fd, "1.1.1.1\n 1.1.1\n", 15) == 15);
	BUF_INIT_ARRAY(&b, storage);
	rangeinput_init(&in, 0, take, &b);
	CHECK(!rangeinput_file(&in, path, &e));
	snprintf(expected, sizeof expected, "%s:2:2: \"1.1.1\" is no range of addresses", path);
	CHECK_ROW(e.text, strncmp(e.text, expected, strlen(expected)) == 0);
	close(fd);
	unlink(path);
}

UNIT_TESTS(TEST(reads_operands), TEST(passes_over_the_other_family),
	   TEST(names_the_place_in_a_file))
