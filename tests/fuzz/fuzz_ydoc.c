/*
 * fuzz_ydoc: whatever a file holds, it is read to its end, trees keep their bounds, nodes stand
 * where they say, and what could not be read was reported.
 */
#include <stdint.h>
#include <stdlib.h>

#include "ydoc/ydoc.h"
#include "ydoc/ykeys.h"

/* More nodes than a small input can have, and than aliases may stand for. */
#define MAX_NODES 2000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span text;
static size_t nodes;

static void expect(bool condition)
{
	if (!condition)
		abort();
}

/* Bytes are read, so that AddressSanitizer sees where they are. */
static unsigned sum_of(struct span s)
{
	unsigned sum = 0;

	for (size_t i = 0; i < s.len; i++)
		sum += (unsigned char)s.ptr[i];
	return sum;
}

static void check_pos(struct ydoc_pos pos)
{
	struct ycursor c = ycursor_at_start(text);

	expect(pos.offset <= text.len);
	/* Quadratic, so not for every node of a big file. */
	if (text.len > 4096 && nodes % 64 != 0)
		return;
	if (span_starts_with(text, SPAN("\xef\xbb\xbf")))
		c.pos.offset = 3;
	ycursor_to_offset(&c, pos.offset);
	expect(c.pos.offset == pos.offset && c.pos.line == pos.line && c.pos.col == pos.col);
}

static void check_node(const struct ydoc_node *node, unsigned depth)
{
	expect(++nodes < MAX_NODES);
	/*
	 * Aliases hang trees into trees: each is as deep as allowed, and they do not go in circles.
	 */
	expect(depth <= YDOC_MAX_DEPTH * YDOC_MAX_DEPTH);
	check_pos(node->pos);
	expect(ydoc_describe(node) != NULL);
	if (node->kind == YDOC_SCALAR) {
		sum_of(node->text);
		return;
	}
	for (const struct ydoc_item *i = node->items; i != NULL; i = i->next) {
		expect((i->key != NULL) == (node->kind == YDOC_MAPPING));
		if (i->key != NULL)
			check_node(i->key, depth + 1);
		check_node(i->value, depth + 1);
	}
}

static void check_keys(const struct ydoc_node *root, struct diag *diag)
{
	static const struct ykey keys[] = {
		{"a", YKEY_TEXT},	  {"b", YKEY_SCALAR},	  {"kind", YKEY_TEXT},
		{"items", YKEY_SEQUENCE}, {"spec", YKEY_MAPPING},
	};
	const size_t count = sizeof keys / sizeof keys[0];
	const struct ydoc_node *values[sizeof keys / sizeof keys[0]];
	struct ykeys_context context = {.diag = diag, .file = "f"};

	if (root->kind != YDOC_MAPPING)
		return;
	ykeys_read(&context, root, keys, count, values);
	for (size_t i = 0; i < count; i++)
		expect(values[i] == NULL ||
		       values[i] == ydoc_get(root, span_from_cstr(keys[i].name)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ydoc_node *root;
	struct ydoc_reader reader;
	struct diag diag = {.emit = NULL};
	size_t documents = 0;

	text = span_of(data, size);
	ydoc_reader_init(&reader, "f", text, &diag);
	while (ydoc_reader_next(&reader, &root)) {
		expect(++documents <= size);
		nodes = 0;
		check_node(root, 0);
		check_keys(root, &diag);
	}
	ydoc_reader_fini(&reader);
	return 0;
}
