#include "../unit.h"

#include "base/alloc.h"
#include "dump.h"
#include "ydoc/ynode.h"

/* {"a"=[80,"80"],"b"={}} or NULL */
static const struct ydoc_node *make(struct arena *arena)
{
	struct ynode_list list = {.count = 0}, root = {.count = 0}, none = {.count = 0};
	const struct ydoc_node *a = ynode_text(arena, SPAN("a")), *b = ynode_text(arena, SPAN("b"));
	const struct ydoc_node *number = ynode_plain(arena, SPAN("80"));
	const struct ydoc_node *text = ynode_text(arena, SPAN("80"));
	const struct ydoc_node *empty = ynode_collection(arena, YDOC_MAPPING, &none), *values;

	if (a == NULL || b == NULL || number == NULL || text == NULL || empty == NULL ||
	    !ynode_hang(&list, arena, NULL, number) || !ynode_hang(&list, arena, NULL, text))
		return NULL;
	values = ynode_collection(arena, YDOC_SEQUENCE, &list);
	if (values == NULL || !ynode_hang(&root, arena, a, values) ||
	    !ynode_hang(&root, arena, b, empty))
		return NULL;
	CHECK_INT(list.count, 2);
	return ynode_collection(arena, YDOC_MAPPING, &root);
}

static void trees_are_as_if_they_had_been_read(void)
{
	const struct ydoc_node *root;
	struct arena arena;
	char storage[100];
	struct buf out;

	arena_init(&arena, 1 << 20);
	BUF_INIT_ARRAY(&out, storage);
	root = make(&arena);
	CHECK(root != NULL);
	dump(root, &out);
	CHECK_TEXT(storage, "{\"a\"=[80,\"80\"],\"b\"={}}");
	CHECK_INT(ydoc_scalar_type(root->items->value->items->value), YDOC_NUMBER);
	CHECK_INT(ydoc_scalar_type(root->items->value->items->next->value), YDOC_TEXT);
	CHECK(ydoc_get(root, SPAN("b")) == root->items->next->value);
	CHECK(root->items->key_alias == NULL && root->items->value_alias == NULL);
	CHECK(!root->is_aliased);
	arena_fini(&arena);
}

static void says_when_memory_is_out(void)
{
	struct arena arena;

	for (size_t size = 0;; size += 16) {
		const struct ydoc_node *root;

		CHECK(size < 4096);
		arena_init(&arena, size);
		root = make(&arena);
		arena_fini(&arena);
		if (root != NULL)
			break;
	}
	arena_init(&arena, 1 << 20);
	alloc_fail_after(0);
	CHECK(make(&arena) == NULL);
	alloc_fail_after(-1);
	arena_fini(&arena);
}

UNIT_TESTS(TEST(trees_are_as_if_they_had_been_read), TEST(says_when_memory_is_out))
