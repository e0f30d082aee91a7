#include "proxy/outgoing.h"

#include <stdatomic.h>

#include "base/hash.h"

/* By local port: a tag of its newest connection. Pages that nobody touches take no memory. */
static _Atomic uint32_t tags[65536];

static uint32_t tag_of(const struct addr *local, const struct addr *to)
{
	uint64_t hash = hash_u64(HASH_INIT, to->port);

	hash = hash_span(hash, span_of((const char *)to->bytes, to->family == 4 ? 4 : 16));
	hash = hash_span(hash, span_of((const char *)local->bytes, local->family == 4 ? 4 : 16));
	return (uint32_t)hash_finish(hash) | 1;
}

struct outgoing outgoing_add(const struct addr *local, const struct addr *to)
{
	struct outgoing o = {tag_of(local, to), local->port};

	atomic_store_explicit(&tags[o.port], o.tag, memory_order_relaxed);
	return o;
}

void outgoing_remove(struct outgoing *o)
{
	uint32_t tag = o->tag;

	if (tag != 0)
		atomic_compare_exchange_strong_explicit(&tags[o->port], &tag, 0,
							memory_order_relaxed, memory_order_relaxed);
	o->tag = 0;
}

bool outgoing_has(const struct addr *peer, const struct addr *original)
{
	uint32_t tag = atomic_load_explicit(&tags[peer->port], memory_order_relaxed);

	return tag != 0 && tag == tag_of(peer, original);
}
