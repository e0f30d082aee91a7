#include "ev/dnsquery.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "sys/fd.h"

/* Larger than what we offer: some servers send what they like. */
#define UDP_BUFFER_SIZE 4096

struct dnsquery {
	struct watch watch;
	struct timer timer;	/* ends the try */
	struct deferred failed; /* no server is left */
	struct dnsquery_pool *pool;
	dnsquery_on_end *on_end;
	void *context;
	struct span name;	      /* borrowed */
	struct dnsmsg_query question; /* as sent in this try */
	unsigned first_server;
	unsigned server; /* of this try */
	unsigned round;
	uint32_t tried;	  /* bit per server: in this round */
	uint32_t useless; /* bit per server: answered, but not the question */
	unsigned ignored; /* in this try */
	int fd;
	bool over_tcp;
	size_t sent;	     /* TCP: of length and query */
	uint8_t length[2];   /* TCP: of the answer */
	size_t received;     /* TCP: of length and answer */
	uint8_t *tcp_answer; /* TCP: NULL until its length is known */
};

static void on_event(struct watch *w, unsigned events);

static struct dnsquery_server *server_of(struct dnsquery *q)
{
	return &q->pool->servers[q->server];
}

/* Closes what the try has opened. */
static void end_try(struct dnsquery *q)
{
	loop_remove(q->pool->loop, &q->watch);
	fd_close(&q->fd);
	timer_cancel(&q->timer);
	alloc_put(q->tcp_answer);
	q->tcp_answer = NULL;
}

static void release(struct dnsquery *q)
{
	end_try(q);
	loop_undefer(&q->failed);
	slab_put(&q->pool->queries, q);
}

/* The last thing done with a query: it and its owner may be gone afterwards. */
static void end(struct dnsquery *q, enum dnsquery_end how, const struct dnsmsg_answer *answer)
{
	enum dnsmsg_type type = q->question.type;
	void *context = q->context;
	dnsquery_on_end *on_end = q->on_end;

	release(q);
	on_end(context, type, how, answer);
}

static void on_failed(struct deferred *d)
{
	struct dnsquery *q = LIST_OWNER(d, struct dnsquery, failed);
	bool heard = q->useless != 0 || q->pool->server_count == 0;

	end(q, heard ? DNSQUERY_SERVFAIL : DNSQUERY_TIMEOUT, NULL);
}

/* The first server, in this query's order, that is left in this round; those to avoid come last. */
static bool pick_from_round(struct dnsquery *q)
{
	struct dnsquery_pool *pool = q->pool;
	bool found = false;

	for (unsigned i = 0; i < pool->server_count; i++) {
		unsigned server = (q->first_server + i) % pool->server_count;

		if (((q->tried | q->useless) >> server & 1) != 0)
			continue;
		if (pool->servers[server].avoid_until_ms <= loop_now_ms(pool->loop)) {
			q->server = server;
			return true;
		}
		if (!found)
			q->server = server;
		found = true;
	}
	return found;
}

static bool pick_server(struct dnsquery *q)
{
	while (!pick_from_round(q)) {
		/* Nothing was tried: all servers have proved useless, or there are none. */
		if (q->tried == 0 || ++q->round >= q->pool->attempts)
			return false;
		q->tried = 0;
	}
	q->tried |= UINT32_C(1) << q->server;
	return true;
}

static bool open_socket(struct dnsquery *q, int type)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&server_of(q)->addr, &ss);
	struct error e;

	if (len == 0)
		return false;
	q->fd = socket(ss.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (q->fd == -1)
		return false;
	if (connect(q->fd, (const struct sockaddr *)&ss, len) != 0 && errno != EINPROGRESS)
		return false;
	if (!loop_add(q->pool->loop, &q->watch, q->fd, on_event, &e))
		return false;
	loop_timer_set(q->pool->loop, &q->timer, q->pool->timeout_ms);
	return true;
}

/* A new id, and capitals unless the server is known to fold them. */
static bool make_question(struct dnsquery *q)
{
	struct {
		uint16_t id;
		uint8_t case_bits[DNSMSG_CASE_BYTES];
	} random;

	/* Up to 256 bytes come whole or not at all; without blocking, for the loop must go on. */
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random ||
	    !dnsmsg_query_init(&q->question, q->name, q->question.type, random.id))
		return false;
	q->question.edns = !server_of(q)->no_edns;
	if (!server_of(q)->folds_case)
		dnsmsg_query_mix_case(&q->question, random.case_bits);
	return true;
}

static bool send_udp(struct dnsquery *q)
{
	uint8_t message[DNSMSG_QUERY_MAX];
	size_t len;

	q->over_tcp = false;
	q->ignored = 0;
	if (!make_question(q) || !open_socket(q, SOCK_DGRAM))
		return false;
	len = dnsmsg_query_write(&q->question, message);
	q->pool->stats.over_udp++;
	return send(q->fd, message, len, 0) == (ssize_t)len;
}

static void note_silence(struct dnsquery *q)
{
	q->pool->stats.timeouts++;
	server_of(q)->avoid_until_ms = loop_now_ms(q->pool->loop) + DNSQUERY_AVOID_MS;
}

/* On to the next server, or to the end, which is told later: the caller may be dnsquery_start. */
static void advance(struct dnsquery *q)
{
	end_try(q);
	while (pick_server(q)) {
		if (send_udp(q))
			return;
		end_try(q);
		note_silence(q);
	}
	loop_defer(q->pool->loop, &q->failed, on_failed);
}

static void fail_try(struct dnsquery *q)
{
	note_silence(q);
	advance(q);
}

static void give_up_server(struct dnsquery *q)
{
	q->pool->stats.errors++;
	q->useless |= UINT32_C(1) << q->server;
	advance(q);
}

/* The same server once more, now that we know what it does not understand. */
static void ask_again(struct dnsquery *q)
{
	end_try(q);
	if (!send_udp(q))
		fail_try(q);
}

/* The same question to the same server over TCP; what is to be done goes on in on_tcp_event. */
static void ask_over_tcp(struct dnsquery *q)
{
	end_try(q);
	q->over_tcp = true;
	q->sent = 0;
	q->received = 0;
	q->pool->stats.over_tcp++;
	if (!open_socket(q, SOCK_STREAM))
		give_up_server(q);
}

/* False: it did not answer the question. Otherwise `q` has gone on, or is gone. */
static bool take_message(struct dnsquery *q, struct span message)
{
	static const enum dnsquery_end ends[] = {
		[DNSMSG_OK] = DNSQUERY_OK,
		[DNSMSG_NXDOMAIN] = DNSQUERY_NXDOMAIN,
		[DNSMSG_NODATA] = DNSQUERY_NODATA,
	};
	struct dnsmsg_answer answer;
	enum dnsmsg_result result = dnsmsg_read(&q->question, message, &answer);

	if (result == DNSMSG_MISMATCH) {
		q->pool->stats.ignored++;
		return false;
	}
	server_of(q)->avoid_until_ms = 0;
	switch (result) {
	case DNSMSG_OK:
	case DNSMSG_NXDOMAIN:
	case DNSMSG_NODATA:
		q->pool->stats.answers++;
		end(q, ends[result], &answer);
		break;
	case DNSMSG_NOEDNS:
		server_of(q)->no_edns = true;
		ask_again(q);
		break;
	case DNSMSG_CASE_LOST:
		server_of(q)->folds_case = true;
		ask_again(q);
		break;
	case DNSMSG_TRUNCATED:
		if (!q->over_tcp) {
			ask_over_tcp(q);
			break;
		}
		/* fall through */
	default:
		give_up_server(q);
	}
	return true;
}

static void on_udp_event(struct dnsquery *q)
{
	uint8_t buffer[UDP_BUFFER_SIZE];

	while (q->ignored < DNSQUERY_MAX_IGNORED) {
		ssize_t n = recv(q->fd, buffer, sizeof buffer, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		/* Mostly ECONNREFUSED: the host is there, the server is not. */
		if (n < 0)
			break;
		if (take_message(q, span_of(buffer, (size_t)n)))
			return;
		q->ignored++;
	}
	fail_try(q);
}

enum tcp_progress {
	TCP_DONE,
	TCP_AGAIN, /* when the socket is ready */
	TCP_FAILED,
};

static enum tcp_progress progress_of_error(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK ? TCP_AGAIN : TCP_FAILED;
}

/* Writes the query behind its length (RFC 1035 section 4.2.2). */
static enum tcp_progress write_tcp(struct dnsquery *q)
{
	uint8_t bytes[2 + DNSMSG_QUERY_MAX];
	size_t len = 2 + dnsmsg_query_write(&q->question, bytes + 2);

	endian_put_be16(bytes, (uint16_t)(len - 2));
	while (q->sent < len) {
		ssize_t n = send(q->fd, bytes + q->sent, len - q->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return progress_of_error();
		q->sent += (size_t)n;
	}
	return TCP_DONE;
}

/*
 * Reads bytes `from` to `to` of the answer with its length into `part`, as far as q->received says.
 */
static enum tcp_progress read_part(struct dnsquery *q, uint8_t *part, size_t from, size_t to)
{
	while (q->received < to) {
		ssize_t n = recv(q->fd, part + (q->received - from), to - q->received, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return progress_of_error();
		if (n == 0)
			return TCP_FAILED;
		q->received += (size_t)n;
	}
	return TCP_DONE;
}

static enum tcp_progress read_tcp(struct dnsquery *q, struct span *message)
{
	enum tcp_progress progress = read_part(q, q->length, 0, 2);
	size_t len;

	if (progress != TCP_DONE)
		return progress;
	len = endian_get_be16(q->length);
	if (q->tcp_answer == NULL)
		q->tcp_answer = alloc_get(len);
	if (q->tcp_answer == NULL || len == 0)
		return TCP_FAILED;
	*message = span_of(q->tcp_answer, len);
	return read_part(q, q->tcp_answer, 2, 2 + len);
}

static void on_tcp_event(struct dnsquery *q)
{
	struct span message;
	enum tcp_progress progress = write_tcp(q);

	if (progress == TCP_DONE)
		progress = read_tcp(q, &message);
	if (progress == TCP_FAILED || (progress == TCP_DONE && !take_message(q, message)))
		give_up_server(q);
}

static void on_event(struct watch *w, unsigned events)
{
	struct dnsquery *q = LIST_OWNER(w, struct dnsquery, watch);

	if (q->over_tcp)
		on_tcp_event(q);
	else if ((events & LOOP_READABLE) != 0)
		on_udp_event(q);
}

static void on_timeout(struct timer *t)
{
	fail_try(LIST_OWNER(t, struct dnsquery, timer));
}

void dnsquery_pool_init(struct dnsquery_pool *pool, struct loop *loop, unsigned max_in_flight)
{
	*pool = (struct dnsquery_pool){.loop = loop};
	slab_init(&pool->queries, sizeof(struct dnsquery), max_in_flight, max_in_flight);
}

void dnsquery_pool_fini(struct dnsquery_pool *pool)
{
	slab_fini(&pool->queries);
}

unsigned dnsquery_pool_room(const struct dnsquery_pool *pool)
{
	return (unsigned)(pool->queries.max_in_use - pool->queries.in_use);
}

struct dnsquery *dnsquery_start(struct dnsquery_pool *pool, struct span name, enum dnsmsg_type type,
				dnsquery_on_end *on_end, void *context)
{
	struct dnsquery *q = slab_get(&pool->queries);

	if (q == NULL)
		return NULL;
	*q = (struct dnsquery){
		.watch.fd = -1,
		.fd = -1,
		.pool = pool,
		.on_end = on_end,
		.context = context,
		.name = name,
		.question.type = type,
	};
	timer_init(&q->timer, on_timeout);
	loop_deferred_init(&q->failed);
	if (pool->rotate && pool->server_count > 0)
		q->first_server = pool->next_server++ % pool->server_count;
	advance(q);
	return q;
}

void dnsquery_cancel(struct dnsquery *q)
{
	if (q != NULL)
		release(q);
}
