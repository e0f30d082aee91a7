#include "../unit.h"

#include <fcntl.h>

#include "base/buf.h"
#include "sys/filestream.h"

static bool take(void *context, struct span piece, struct error *e)
{
	struct buf *b = context;

	buf_add(b, piece);
	return b->len < 100000 || error_set(e, "enough");
}

static void gives_a_file_in_pieces(void)
{
	char path[] = "/tmp/egressbox-test-XXXXXX", text[70000];
	int fd = mkstemp(path);
	struct error e;
	struct buf b;

	memset(text, 'x', sizeof text);
	CHECK(fd >= 0 && write(fd, text, sizeof text) == (ssize_t)sizeof text);
	buf_init_heap(&b, 1 << 20);
	CHECK(filestream_read(path, take, &b, &e));
	CHECK_INT(b.len, sizeof text);
	CHECK(!filestream_read(path, take, &b, &e));
	CHECK_TEXT(e.text, "enough");
	close(fd);
	unlink(path);
	CHECK(!filestream_read(path, take, &b, &e));
	CHECK(strstr(e.text, ": cannot be opened: ") != NULL);
	CHECK(!filestream_read("/tmp", take, &b, &e));
	CHECK_TEXT(e.text, "/tmp: is a directory");
	CHECK_TEXT(filestream_name("-"), "standard input");
	buf_fini(&b);
}

UNIT_TESTS(TEST(gives_a_file_in_pieces))
