#include "../unit.h"

#include "kube/gatewaymanifest.h"

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

static void fills_in_namespace_and_image_and_nothing_else(void)
{
	struct buf out;

	buf_init_heap(&out, 1 << 16);
	gatewaymanifest_add(&out, SPAN("shop"), SPAN("hub/egressbox:9"));
	CHECK(!out.truncated);
	CHECK(count(out.ptr, "\nkind: ") == 6);
	CHECK(count(out.ptr, "  namespace: \"shop\"\n") == 6);
	CHECK(count(out.ptr, "image: \"hub/egressbox:9\"\n") == 1);
	CHECK(count(out.ptr, "$") == 0);
	CHECK(out.ptr[out.len - 1] == '\n');
	buf_fini(&out);
}

UNIT_TESTS(TEST(fills_in_namespace_and_image_and_nothing_else))
