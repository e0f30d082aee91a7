#include "kubeapi/lookup.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "ev/loop.h"
#include "sys/clock.h"

/* On the heap: all together they are more than a stack should hold. */
struct lookup {
	struct loop loop;
	struct resolver resolver;
	struct resolver_name name;
};

/* The state is looked at after each turn. */
static void on_change(struct resolver_name *n)
{
	(void)n;
}

static bool wait_for_answer(struct lookup *l, uint64_t deadline_ms, struct error *e)
{
	while (l->name.state == RESOLVER_PENDING) {
		uint64_t now = clock_monotonic_ms();
		uint64_t left = deadline_ms > now ? deadline_ms - now : 0;

		if (left == 0)
			return error_set(e, "no answer in time");
		if (!loop_turn(&l->loop, left > INT_MAX ? INT_MAX : (int)left, e))
			return false;
	}
	if (l->name.state == RESOLVER_OK)
		return true;
	if (l->resolver.config.server_count == 0)
		return error_set(e, "no name server is known");
	return error_set(e, "dns: %s", resolver_state_names[l->name.state]);
}

static bool ask(struct lookup *l, struct span name, uint64_t deadline_ms, struct addr *addrs,
		unsigned *count, struct error *e)
{
	if (!resolver_watch(&l->resolver, &l->name, name, on_change, e))
		return false;
	if (!wait_for_answer(l, deadline_ms, e))
		return false;
	*count = l->name.addr_count < LOOKUP_MAX ? l->name.addr_count : LOOKUP_MAX;
	memcpy(addrs, l->name.addrs, *count * sizeof *addrs);
	return true;
}

bool lookup_name(struct span name, const struct resolver_config *config, uint64_t deadline_ms,
		 struct addr addrs[static LOOKUP_MAX], unsigned *count, struct error *e)
{
	static const struct resolver_config none = {.server_count = 0};
	struct lookup *l = alloc_get_zeroed(sizeof *l);
	bool ok = false;

	if (l == NULL)
		return error_set(e, "out of memory");
	if (loop_init(&l->loop, e)) {
		resolver_init(&l->resolver, &l->loop, config != NULL ? config : &none);
		ok = ask(l, name, deadline_ms, addrs, count, e);
		resolver_fini(&l->resolver);
		loop_fini(&l->loop);
	}
	alloc_put(l);
	return ok ? true : error_prefix(e, "\"%.*s\"", SPAN_ARG(name));
}
