#include "proxy/upstream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "proxy/worker.h"
#include "sys/fd.h"
#include "sys/log.h"

/*
 * Idle connections kept per pool: beyond that many, a burst is over and they only cost descriptors.
 */
#define POOL_IDLE_MAX 256

/* A connection that was used this recently is taken to be whole without asking the kernel. */
#define CHECK_AFTER_MS 20

void upstream_pools_init(struct upstream_pools *pools)
{
	for (int i = 0; i < UPSTREAM_BUCKETS; i++)
		list_init(&pools->buckets[i]);
}

static void pool_free(struct upstream_pool *pool)
{
	while (!list_is_empty(&pool->idle))
		upstream_close(LIST_OWNER(pool->idle.next, struct upstream, node));
	list_remove(&pool->node);
	alloc_put(pool);
}

void upstream_pools_fini(struct upstream_pools *pools)
{
	for (int i = 0; i < UPSTREAM_BUCKETS; i++)
		while (!list_is_empty(&pools->buckets[i]))
			pool_free(LIST_OWNER(pools->buckets[i].next, struct upstream_pool, node));
}

static uint64_t hash_target(const struct route_target *target)
{
	uint64_t hash = hash_span(HASH_INIT, target->host);

	hash = hash_byte(hash, (char)(target->port >> 8));
	hash = hash_byte(hash, (char)target->port);
	hash = hash_span(hash, span_of(identity_number(target), TLSCONN_IDENTITY_SIZE));
	return hash_finish(hash_byte(hash, (char)target->tls));
}

static bool is_for(const struct upstream_pool *pool, const struct route_target *target)
{
	return pool->port == target->port && pool->tls == target->tls &&
	       memcmp(pool->identity, identity_number(target), TLSCONN_IDENTITY_SIZE) == 0 &&
	       span_eq(span_from_cstr(pool->host), target->host);
}

static struct upstream_pool *pool_new(const struct route_target *target, uint64_t hash)
{
	struct upstream_pool *pool;

	if (target->host.len > HOSTNAME_MAX)
		return NULL;
	pool = alloc_get_zeroed(sizeof *pool);
	if (pool == NULL)
		return NULL;
	pool->hash = hash;
	list_init(&pool->idle);
	pool->port = target->port;
	pool->tls = target->tls;
	memcpy(pool->identity, identity_number(target), TLSCONN_IDENTITY_SIZE);
	memcpy(pool->host, target->host.ptr, target->host.len);
	return pool;
}

struct upstream_pool *upstream_pool_for(struct worker *w, const struct route_target *target)
{
	uint64_t hash = hash_target(target);
	struct list *bucket = &w->pools.buckets[hash % UPSTREAM_BUCKETS];
	struct upstream_pool *pool;

	for (struct list *node = bucket->next; node != bucket; node = node->next) {
		pool = LIST_OWNER(node, struct upstream_pool, node);
		if (pool->hash == hash && is_for(pool, target))
			return pool;
	}
	pool = pool_new(target, hash);
	if (pool != NULL)
		list_push_front(bucket, &pool->node);
	return pool;
}

static void release(struct deferred *d)
{
	struct upstream *u = LIST_OWNER(d, struct upstream, release);

	slab_put(&u->worker->upstream_slab, u);
}

void upstream_close(struct upstream *u)
{
	struct worker *w = u->worker;

	if (list_is_linked(&u->node)) {
		list_remove(&u->node);
		u->pool->idle_count--;
		metrics_sub(&w->metrics.upstream_connections_idle, 1);
	}
	timer_cancel(&u->timer);
	if (u->stream.watch.fd != -1) {
		/* An orderly end for a TLS connection that is whole; nothing waits for it. */
		if (u->stream.tls != NULL && u->phase == UPSTREAM_READY)
			stream_end_output(&u->stream);
		loop_close(&w->loop, &u->stream.watch);
		metrics_sub(&w->metrics.upstream_connections_open, 1);
	}
	tlsconn_free(u->stream.tls);
	u->stream.tls = NULL;
	u->user = NULL;
	loop_defer(&w->loop, &u->release, release);
}

/* Taking a connection leaves its timer as it is: that costs nothing, and here it is seen. */
static void on_idle_timeout(struct timer *t)
{
	struct upstream *u = LIST_OWNER(t, struct upstream, timer);

	if (u->user == NULL)
		upstream_close(u);
}

static void on_stream_event(struct watch *watch, unsigned events)
{
	struct upstream *u = LIST_OWNER(watch, struct upstream, stream.watch);

	stream_on_event(&u->stream, events);
	if (u->user != NULL)
		u->on_event(u);
	else if ((events & (LOOP_READABLE | LOOP_HANGUP)) != 0)
		upstream_close(u);
}

/* Is there neither an end nor an unasked byte? */
static bool is_whole(const struct upstream *u)
{
	char byte;
	ssize_t n = recv(u->stream.watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n < 0 && errno == EAGAIN;
}

struct upstream *upstream_take_idle(struct upstream_pool *pool, void *user,
				    void (*on_event)(struct upstream *), bool check)
{
	while (!list_is_empty(&pool->idle)) {
		struct upstream *u = LIST_OWNER(pool->idle.next, struct upstream, node);
		struct worker *w = u->worker;

		if ((check && loop_now_ms(&w->loop) - u->idle_since_ms >= CHECK_AFTER_MS &&
		     !is_whole(u)) ||
		    (u->stream.tls != NULL && !tlsconn_wake(u->stream.tls))) {
			upstream_close(u);
			continue;
		}
		list_remove(&u->node);
		pool->idle_count--;
		metrics_sub(&w->metrics.upstream_connections_idle, 1);
		metrics_add(&w->metrics.upstream_reused, 1);
		u->user = user;
		u->on_event = on_event;
		return u;
	}
	return NULL;
}

enum reason upstream_connect_reason(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REASON_CONNECT_REFUSED;
	case ETIMEDOUT:
		return REASON_CONNECT_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return REASON_OVERLOAD;
	default:
		return REASON_CONNECT_FAILED;
	}
}

int upstream_dial(const struct addr *addr)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(addr, &ss);
	int one = 1, saved;
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&ss, len) == 0 || errno == EINPROGRESS)
		return fd;
	saved = errno;
	fd_close(&fd);
	errno = saved;
	return -1;
}

static void setup(struct upstream *u, struct upstream_pool *pool, struct worker *w,
		  const struct addr *addr)
{
	stream_init(&u->stream);
	list_init(&u->node);
	timer_init(&u->timer, on_idle_timeout);
	loop_deferred_init(&u->release);
	u->worker = w;
	u->pool = pool;
	u->addr = *addr;
	u->phase = UPSTREAM_CONNECTING;
	u->reason = REASON_OK;
	u->detail = NULL;
	u->requests = 0;
}

struct upstream *upstream_connect(struct upstream_pool *pool, struct worker *w,
				  const struct identity *identity, const struct addr *addr,
				  void *user, void (*on_event)(struct upstream *),
				  enum reason *reason)
{
	struct upstream *u = slab_get(&w->upstream_slab);
	struct error e;
	int fd;

	if (u == NULL) {
		*reason = REASON_OVERLOAD;
		return NULL;
	}
	fd = upstream_dial(addr);
	if (fd == -1) {
		*reason = upstream_connect_reason(errno);
		slab_put(&w->upstream_slab, u);
		return NULL;
	}
	setup(u, pool, w, addr);
	u->identity = identity;
	if (!loop_add(&w->loop, &u->stream.watch, fd, on_stream_event, &e)) {
		*reason = REASON_OVERLOAD;
		fd_close(&fd);
		slab_put(&w->upstream_slab, u);
		return NULL;
	}
	u->user = user;
	u->on_event = on_event;
	metrics_add(&w->metrics.upstream_connections, 1);
	metrics_add(&w->metrics.upstream_connections_open, 1);
	return u;
}

static enum upstream_phase fail(struct upstream *u, enum reason reason, const char *detail)
{
	u->reason = reason;
	u->detail = detail;
	u->phase = UPSTREAM_FAILED;
	return u->phase;
}

static enum upstream_phase fail_tls(struct upstream *u, enum tls_error error)
{
	metrics_add(&u->worker->metrics.tls_failures[error], 1);
	return fail(u, REASON_TLS_FAILED, tls_error_name(error));
}

/* Who is called, and how he is to prove it. */
static struct tlsconn_peer peer_of(const struct upstream *u)
{
	const struct proxy_config *config = u->worker->config;
	const struct identity *identity = u->identity;
	struct tlsconn_peer peer = {.profile = config->tls,
				    .server = span_from_cstr(u->pool->host),
				    .sessions = config->sessions,
				    .addr = u->addr};

	memcpy(peer.identity, u->pool->identity, sizeof peer.identity);
	if (identity == NULL)
		return peer;
	if (identity->profile != NULL)
		peer.profile = identity->profile;
	if (identity->sni.len > 0)
		peer.server = identity->sni;
	peer.names = identity->names;
	peer.keypair = identity->keypair;
	peer.is_unverified = identity->is_unverified;
	return peer;
}

/* The connection has come about: begin what comes next. */
static enum upstream_phase on_connected(struct upstream *u)
{
	uint8_t entropy[TLSCONN_ENTROPY_SIZE];
	struct tlsconn_peer peer;

	if (!u->pool->tls)
		return u->phase = UPSTREAM_READY;
	peer = peer_of(u);
	u->stream.tls = tlsconn_new(&u->worker->tls_memory);
	if (u->stream.tls == NULL)
		return fail(u, REASON_OVERLOAD, NULL);
	if (getrandom(entropy, sizeof entropy, GRND_NONBLOCK) != sizeof entropy)
		return fail_tls(u, TLS_NO_RANDOM);
	if (!tlsconn_start(u->stream.tls, &peer, clock_realtime_ms() / 1000, entropy))
		return fail_tls(u, tlsconn_error(u->stream.tls));
	return u->phase = UPSTREAM_HANDSHAKING;
}

static enum upstream_phase finish_connect(struct upstream *u)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (!u->stream.writable && !u->stream.hangup)
		return u->phase;
	if (getsockopt(u->stream.watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0)
		return fail(u, upstream_connect_reason(error), NULL);
	return on_connected(u);
}

static void count_handshake(struct upstream *u)
{
	struct metrics *metrics = &u->worker->metrics;
	struct log_line line;

	metrics_add(&metrics->tls_handshakes, 1);
	metrics_add(&metrics->tls_resumed, tlsconn_is_resumed(u->stream.tls));
	if (u->identity == NULL || !u->identity->is_unverified)
		return;
	metrics_add(&metrics->tls_unverified, 1);
	if (u->pool->told_unverified)
		return;
	u->pool->told_unverified = true;
	log_begin(&line, LOG_WARN, "TLS without verification, as its Service asks for");
	log_cstr(&line, "host", u->pool->host);
	log_u64(&line, "port", u->pool->port);
	log_end(&line);
}

static enum upstream_phase shake_hands(struct upstream *u)
{
	enum tls_error error;

	switch (stream_handshake(&u->stream)) {
	case STREAM_OK:
		count_handshake(u);
		u->identity = NULL;
		return u->phase = UPSTREAM_READY;
	case STREAM_AGAIN:
		return u->phase;
	case STREAM_EOF:
	case STREAM_FAILED:
	default:
		error = tlsconn_error(u->stream.tls);
		return fail_tls(u, error != TLS_OK ? error : TLS_HANDSHAKE_CLOSED);
	}
}

enum upstream_phase upstream_advance(struct upstream *u)
{
	if (u->phase == UPSTREAM_CONNECTING)
		finish_connect(u);
	if (u->phase == UPSTREAM_HANDSHAKING)
		shake_hands(u);
	return u->phase;
}

/*
 * Bytes behind a response are never a response (RFC 9112 section 6.3): those that came with it and
 * were not read yet have had their event, so they are looked for here. Of TLS, an idle connection
 * keeps its keys and no buffers.
 */
static bool may_be_kept(const struct upstream *u)
{
	const struct stream *s = &u->stream;

	if (s->hangup || s->at_eof || u->worker->stopping || u->pool->idle_count >= POOL_IDLE_MAX)
		return false;
	if (stream_has_rest(s) || (s->readable && !is_whole(u)))
		return false;
	/* Part of a record is not a whole one yet, but unasked all the same. */
	return s->tls == NULL || tlsconn_rest(s->tls);
}

void upstream_give_back(struct upstream *u)
{
	struct worker *w = u->worker;

	if (!may_be_kept(u)) {
		upstream_close(u);
		return;
	}
	u->user = NULL;
	u->requests++;
	u->idle_since_ms = loop_now_ms(&w->loop);
	list_push_front(&u->pool->idle, &u->node);
	u->pool->idle_count++;
	metrics_add(&w->metrics.upstream_connections_idle, 1);
	loop_timer_set(&w->loop, &u->timer, w->config->timeouts.upstream_idle_ms);
}
