#include "../unit.h"

#include "base/list.h"

struct item {
	char name;
	struct list node;
};

/* The names in order, after a walk in both directions. */
static const char *names_of(struct list *l)
{
	static char names[16];
	size_t len = 0;

	for (struct list *n = l->next; n != l; n = n->next) {
		CHECK(n->next->prev == n && n->prev->next == n);
		names[len++] = LIST_OWNER(n, struct item, node)->name;
	}
	names[len] = '\0';
	return names;
}

static void keeps_order_at_both_ends(void)
{
	struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'}, d = {.name = 'd'};
	struct list l;

	list_init(&l);
	CHECK(list_is_empty(&l));
	list_push_back(&l, &b.node);
	list_push_back(&l, &d.node);
	list_push_front(&l, &a.node);
	list_insert_after(&b.node, &c.node);
	CHECK(!list_is_empty(&l));
	CHECK_TEXT(names_of(&l), "abcd");
}

static void removing_twice_is_harmless(void)
{
	struct item a = {.name = 'a'}, b = {.name = 'b'};
	struct list l;

	list_init(&l);
	list_push_back(&l, &a.node);
	list_push_back(&l, &b.node);
	CHECK(list_is_linked(&a.node));
	list_remove(&a.node);
	CHECK(!list_is_linked(&a.node));
	CHECK_TEXT(names_of(&l), "b");
	list_remove(&a.node);
	CHECK_TEXT(names_of(&l), "b");
	list_remove(&b.node);
	CHECK(list_is_empty(&l));
}

static void moves_all_behind_what_is_there(void)
{
	struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'}, d = {.name = 'd'};
	struct list from, to;

	list_init(&from);
	list_init(&to);
	list_move_all(&from, &to);
	CHECK(list_is_empty(&to));
	list_push_back(&from, &a.node);
	list_push_back(&from, &b.node);
	list_move_all(&from, &to);
	CHECK(list_is_empty(&from));
	CHECK_TEXT(names_of(&to), "ab");
	list_push_back(&from, &c.node);
	list_push_back(&from, &d.node);
	list_move_all(&from, &to);
	CHECK_TEXT(names_of(&to), "abcd");
	list_move_all(&from, &to);
	CHECK_TEXT(names_of(&to), "abcd");
}

UNIT_TESTS(TEST(keeps_order_at_both_ends), TEST(removing_twice_is_harmless),
	   TEST(moves_all_behind_what_is_there))
