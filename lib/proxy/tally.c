#include "proxy/tally.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

struct tally_service {
	struct tally_part *parts; /* by worker; behind the name, in the same memory */
	struct span name;
};

void tally_init(struct tally *t, size_t workers)
{
	*t = (struct tally){.workers = workers};
}

void tally_fini(struct tally *t)
{
	for (size_t i = 0; i < TALLY_SLOTS; i++)
		alloc_put(t->slots[i]);
	alloc_put(t->other);
	tally_init(t, t->workers);
}

static struct tally_service *new_service(const struct tally *t, struct span name)
{
	/* Room to begin the parts on a line of their own, wherever the heap puts it. */
	size_t head = sizeof(struct tally_service) + name.len + _Alignof(struct tally_part);
	struct tally_service *s = alloc_get_zeroed(head + t->workers * sizeof *s->parts);
	char *text;

	if (s == NULL)
		return NULL;
	text = (char *)(s + 1);
	memcpy(text, name.ptr, name.len);
	s->name = span_of(text, name.len);
	text += name.len;
	text += -(uintptr_t)text % _Alignof(struct tally_part);
	s->parts = (struct tally_part *)(void *)text;
	return s;
}

static struct tally_service *find_other(struct tally *t)
{
	if (t->other == NULL)
		t->other = new_service(t, SPAN("other"));
	return t->other;
}

static struct tally_service *find(struct tally *t, struct span name)
{
	uint64_t at = hash_finish(hash_span(HASH_INIT, name)) % TALLY_SLOTS;

	for (; t->slots[at] != NULL; at = (at + 1) % TALLY_SLOTS)
		if (span_eq(t->slots[at]->name, name))
			return t->slots[at];
	if (t->count >= TALLY_SERVICES_MAX)
		return find_other(t);
	t->slots[at] = new_service(t, name);
	t->count += t->slots[at] != NULL;
	return t->slots[at];
}

static struct tally_part *find_for(struct tally *t, const struct route *route)
{
	const struct tally_service *service;
	char storage[512];
	struct buf name;

	BUF_INIT_ARRAY(&name, storage);
	buf_add(&name, route->service->namespace);
	if (name.len > 0)
		buf_add_byte(&name, '/');
	buf_add(&name, route->service->name);
	buf_add_byte(&name, ':');
	buf_add_u64(&name, route->port);
	service = find(t, buf_span(&name));
	return service != NULL ? service->parts : NULL;
}

struct tally_part **tally_routes(struct tally *t, const struct route_table *table)
{
	size_t count = table->route_count + (table->gateway != NULL);
	struct tally_part **parts = alloc_get_zeroed((count + 1) * sizeof(struct tally_part *));

	for (size_t i = 0; parts != NULL && i < count; i++) {
		parts[i] = find_for(t, i < table->route_count ? &table->routes[i] : table->gateway);
		if (parts[i] == NULL) {
			alloc_put(parts);
			return NULL;
		}
	}
	return parts;
}

static void print_cell(struct span name, uint32_t key, uint64_t count, struct buf *out)
{
	buf_printf(out, METRICS_PREFIX "service_requests_total{service=\"%.*s\",", SPAN_ARG(name));
	if (key == TALLY_KEY_OTHER)
		buf_add_cstr(out, "code=\"other\",reason=\"other\"} ");
	else if ((key - 1) % 6 == 0)
		buf_printf(out, "code=\"none\",reason=\"%s\"} ",
			   reason_name((enum reason)((key - 1) / 6)));
	else
		buf_printf(out, "code=\"%uxx\",reason=\"%s\"} ", (key - 1) % 6,
			   reason_name((enum reason)((key - 1) / 6)));
	buf_add_u64(out, count);
	buf_add_byte(out, '\n');
}

static void print_service(const struct tally *t, const struct tally_service *s, struct buf *out)
{
	uint32_t keys[1 + 6 * REASON_COUNT];
	uint64_t counts[1 + 6 * REASON_COUNT];
	size_t seen = 0;

	for (size_t w = 0; w < t->workers; w++)
		for (size_t c = 0; c < TALLY_CELLS; c++) {
			const struct tally_cell *cell = &s->parts[w].cells[c];
			uint32_t key = atomic_load_explicit(&cell->key, memory_order_acquire);
			size_t i = 0;

			if (key == 0)
				continue;
			while (i < seen && keys[i] != key)
				i++;
			if (i == seen) {
				keys[seen] = key;
				counts[seen++] = 0;
			}
			counts[i] += metrics_get(&cell->count);
		}
	for (size_t i = 0; i < seen; i++)
		print_cell(s->name, keys[i], counts[i], out);
}

void tally_print(const struct tally *t, struct buf *out)
{
	metrics_print_head("service_requests_total", "counter",
			   "Requests of each Service's port, by the first digit of the status and "
			   "how they ended.",
			   out);
	for (size_t i = 0; i < TALLY_SLOTS; i++)
		if (t->slots[i] != NULL)
			print_service(t, t->slots[i], out);
	if (t->other != NULL)
		print_service(t, t->other, out);
}
