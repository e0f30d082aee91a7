#include "kubeapi/apicall.h"

#include <string.h>

#include "http/h1frame.h"
#include "kubeapi/attempt.h"
#include "kubeapi/channel.h"
#include "kubeapi/reach.h"
#include "sys/clock.h"

#define PATH_MAX_BYTES ((size_t)16 << 10)
#define JSON_MAX_BYTES ((size_t)16 << 10)
/* Interim answers (100, 103) before the one that counts. */
#define INTERIM_MAX 8
/* Steps in one turn of the loop, which has others to serve; a step reads up to CLIENT_IN_SIZE. */
#define STEPS_MAX 16

static struct channel *channel_of(struct apicall *c)
{
	return &c->client->channel;
}

static void hang_up(struct apicall *c)
{
	loop_remove(c->loop, &c->watch);
	channel_close(channel_of(c));
	c->client->in_at = c->client->in_len = 0;
}

/* ---- The end ---- */

static void call_done(struct deferred *d)
{
	struct apicall *c = LIST_OWNER(d, struct apicall, done);

	c->on_done(c);
}

static bool end(struct apicall *c, bool keeps_connection)
{
	if (!keeps_connection)
		hang_up(c);
	timer_cancel(&c->timer);
	loop_undefer(&c->again);
	c->retry_after_ms = c->request.retry_after_ms;
	c->state = APICALL_IDLE;
	loop_defer(c->loop, &c->done, call_done);
	return false;
}

/* Behind the body, or what there was of it. */
static bool conclude(struct apicall *c, bool is_complete)
{
	const struct client *client = c->client;

	attempt_conclude(c->client, &c->request, is_complete);
	return end(c, is_complete && c->keeps_alive && client->in_at == client->in_len);
}

static const char *what_is_done(const struct apicall *c)
{
	static const char *const texts[] = {
		[APICALL_IDLE] = "",
		[APICALL_RESOLVING] = "its name was looked up",
		[APICALL_CONNECTING] = "it was connected to",
		[APICALL_SECURING] = "TLS was agreed on",
		[APICALL_SENDING] = "the request was sent",
		[APICALL_HEAD] = "its answer was awaited",
		[APICALL_BODY] = "its answer was read",
	};

	return texts[c->state];
}

static void connect_next(struct apicall *c);

static bool fail(struct apicall *c, enum channel_result result)
{
	reach_fail(c->client, &c->request, result, what_is_done(c));
	/* A refusal is one even when its words are cut off. */
	if (c->state == APICALL_BODY)
		return conclude(c, false);
	return end(c, false);
}

static void on_timeout(struct timer *t)
{
	struct apicall *c = LIST_OWNER(t, struct apicall, timer);

	if (c->state == APICALL_CONNECTING && loop_now_ms(c->loop) < c->until_ms) {
		buf_add_cstr(&c->request.text, "no answer in time");
		connect_next(c);
	} else {
		fail(c, CHANNEL_TIMEOUT);
	}
}

/* Something has moved. */
static void touch(struct apicall *c)
{
	uint64_t now = loop_now_ms(c->loop);
	uint64_t left = c->until_ms > now ? c->until_ms - now : 0;

	loop_timer_set(c->loop, &c->timer, c->times.idle_ms < left ? c->times.idle_ms : left);
}

/* ---- Connecting ---- */

static void on_event(struct watch *watch, unsigned events);

/* The address to try next; false when there is none left. */
static bool next_addr(struct apicall *c, struct addr *addr)
{
	const struct serverurl *url = &c->client->url;
	unsigned count = url->addr.family != 0 ? 1 : c->name.addr_count;

	if (c->next_addr >= count)
		return false;
	*addr = url->addr.family != 0 ? url->addr : c->name.addrs[c->next_addr];
	c->next_addr++;
	if (addr->port == 0)
		addr->port = url->port;
	return true;
}

static void connect_next(struct apicall *c)
{
	struct addr addr;
	struct error e;

	hang_up(c);
	while (next_addr(c, &addr)) {
		char text[ADDR_TEXT_MAX];
		struct buf where;

		BUF_INIT_ARRAY(&where, text);
		addr_format(&addr, &where);
		/* What is said of this one counts when no other takes a connection. */
		client_fail(c->client, &c->request, CLIENT_UNREACHABLE,
			    "no connection to %s: ", text);
		if (channel_begin(channel_of(c), &addr) != CHANNEL_OK) {
			buf_add_cstr(&c->request.text, strerror(channel_of(c)->error));
		} else if (!loop_add(c->loop, &c->watch, channel_of(c)->fd, on_event, &e)) {
			buf_add_cstr(&c->request.text, e.text);
			hang_up(c);
		} else {
			c->state = APICALL_CONNECTING;
			touch(c);
			return;
		}
	}
	end(c, false);
}

static void on_resolved(struct resolver_name *name)
{
	struct apicall *c = LIST_OWNER(name, struct apicall, name);

	if (c->state != APICALL_RESOLVING || name->state == RESOLVER_PENDING)
		return;
	if (name->state != RESOLVER_OK)
		client_fail(c->client, &c->request, CLIENT_UNREACHABLE,
			    "the name has no address: %s", resolver_state_names[name->state]);
	connect_next(c);
}

static void connect_first(struct apicall *c)
{
	const struct serverurl *url = &c->client->url;
	struct error e;

	c->request.is_reused = false;
	c->next_addr = 0;
	hang_up(c);
	c->state = APICALL_RESOLVING;
	touch(c);
	if (url->addr.family == 0 && c->name.name.len == 0 &&
	    !resolver_watch(c->resolver, &c->name, url->host, on_resolved, &e)) {
		client_fail(c->client, &c->request, CLIENT_UNREACHABLE, "%s", e.text);
		end(c, false);
	} else if (url->addr.family != 0) {
		connect_next(c);
	} else {
		on_resolved(&c->name);
	}
}

static bool finish_connect(struct apicall *c)
{
	struct client *client = c->client;
	struct channel *channel = channel_of(c);
	enum channel_result result = channel_finish(channel, CHANNEL_NOW);

	if (result != CHANNEL_OK) {
		buf_add_cstr(&c->request.text, strerror(channel->error));
		connect_next(c);
		return false;
	}
	/* What was said in case that it did not come about. */
	c->answer.reason = CLIENT_OK;
	c->answer.error.text[0] = '\0';
	c->state = APICALL_SENDING;
	if (client->url.is_https) {
		c->state = APICALL_SECURING;
		result = channel_secure_begin(channel, client->profile, client->tls_name,
					      client->config.keypair, clock_realtime_ms() / 1000);
	}
	return result == CHANNEL_OK || fail(c, result);
}

/* ---- One step of a request; false when there is nothing more to do at once ---- */

static bool secure(struct apicall *c)
{
	enum channel_result result = channel_handshake(channel_of(c), CHANNEL_NOW);

	if (result == CHANNEL_TIMEOUT)
		return false;
	if (result != CHANNEL_OK)
		return fail(c, result);
	c->state = APICALL_SENDING;
	return true;
}

/* The connection ended before the answer began: one that was kept may have been dead before. */
static bool lost(struct apicall *c, enum channel_result result)
{
	if (!c->request.is_reused || c->client->in_len > 0)
		return fail(c, result);
	c->unsent = buf_span(&c->client->request);
	c->is_body_sent = false;
	connect_first(c);
	return false;
}

static bool send_request(struct apicall *c)
{
	enum channel_result result = channel_write(channel_of(c), &c->unsent, CHANNEL_NOW);

	if (result == CHANNEL_TIMEOUT)
		return false;
	if (result != CHANNEL_OK)
		return lost(c, result);
	touch(c);
	if (!c->is_body_sent) {
		c->is_body_sent = true;
		c->unsent = buf_span(&c->json);
		return true;
	}
	c->state = APICALL_HEAD;
	c->interim = 0;
	h1head_start(&c->scan, NULL);
	return true;
}

/* More bytes to `in`; CHANNEL_OK also for none, see channel_read. */
static enum channel_result fill(struct apicall *c)
{
	struct client *client = c->client;
	enum channel_result result;
	size_t got = 0;

	if (client->in_at == client->in_len)
		client->in_at = client->in_len = 0;
	result = channel_read(channel_of(c), client->in + client->in_len,
			      sizeof client->in - client->in_len, &got, CHANNEL_NOW);
	client->in_len += got;
	if (got > 0)
		touch(c);
	return result;
}

static bool refuse_head(struct apicall *c, const char *problem)
{
	client_fail(c->client, &c->request, CLIENT_BAD_RESPONSE, "the answer is not HTTP/1.1: %s",
		    problem);
	return end(c, false);
}

/* Of the head that counts. Nothing was said of compression, so there must be none. */
static bool begin_body(struct apicall *c)
{
	struct client *client = c->client;
	const struct h1_field *coding = h1head_first(&client->head, H1_FIELD_CONTENT_ENCODING);
	struct h1_framing framing;
	enum h1_problem problem;

	c->answer.status = client->head.status;
	if (!h1frame_response(&client->head, client->in, c->request.method, &framing, &problem))
		return refuse_head(c, h1problem_text(problem));
	if (coding != NULL &&
	    !span_eq_nocase(h1head_field_value(client->in, coding), SPAN("identity"))) {
		client_fail(client, &c->request, CLIENT_BAD_RESPONSE,
			    "the answer is compressed, which was not asked for");
		return end(c, false);
	}
	c->keeps_alive = framing.keep_alive;
	c->state = APICALL_BODY;
	attempt_begin_body(client, &c->request, &framing, &c->body);
	return true;
}

static bool receive_head(struct apicall *c)
{
	struct client *client = c->client;
	enum h1_result parsed;

	parsed = h1head_parse_response(&c->scan, span_of(client->in, client->in_len),
				       &client->head);
	if (parsed == H1_MORE) {
		enum channel_result result = fill(c);

		if (result == CHANNEL_OK)
			return true;
		return result != CHANNEL_TIMEOUT && lost(c, result);
	}
	if (parsed == H1_BAD)
		return refuse_head(c, h1problem_text(client->head.problem));
	if (client->head.status >= 200)
		return begin_body(c);
	if (++c->interim > INTERIM_MAX || client->head.status == 101)
		return refuse_head(c, "interim answers without end");
	client->in_len -= client->head.head_len;
	memmove(client->in, client->in + client->head.head_len, client->in_len);
	h1head_start(&c->scan, NULL);
	return true;
}

static bool receive_body(struct apicall *c)
{
	enum h1_body_event event = attempt_take_body(c->client, &c->request, &c->body);
	enum channel_result result;

	if (event != H1_BODY_MORE)
		return conclude(c, event == H1_BODY_END);
	result = fill(c);
	if (result == CHANNEL_OK)
		return true;
	if (result == CHANNEL_TIMEOUT)
		return false;
	if (result == CHANNEL_EOF && h1body_is_complete_at_eof(&c->body))
		return conclude(c, true);
	return fail(c, result);
}

static bool step(struct apicall *c)
{
	switch (c->state) {
	case APICALL_SECURING:
		return secure(c);
	case APICALL_SENDING:
		return send_request(c);
	case APICALL_HEAD:
		return receive_head(c);
	case APICALL_BODY:
		return receive_body(c);
	default:
		return false;
	}
}

static void on_again(struct deferred *d);

static void advance(struct apicall *c)
{
	for (unsigned i = 0; i < STEPS_MAX; i++)
		if (!step(c))
			return;
	loop_defer(c->loop, &c->again, on_again);
}

static void on_again(struct deferred *d)
{
	advance(LIST_OWNER(d, struct apicall, again));
}

static void on_event(struct watch *watch, unsigned events)
{
	struct apicall *c = LIST_OWNER(watch, struct apicall, watch);

	if (c->state == APICALL_IDLE && !channel_is_quiet(channel_of(c)))
		hang_up(c);
	if (c->state == APICALL_CONNECTING &&
	    ((events & (LOOP_WRITABLE | LOOP_HANGUP)) == 0 || !finish_connect(c)))
		return;
	advance(c);
}

/* ---- Begin and end ---- */

static void begin(struct apicall *c, enum h1_method method, struct span path, struct span json,
		  const struct apicall_times *times)
{
	struct client *client = c->client;

	c->times = *times;
	c->until_ms = loop_now_ms(c->loop) + times->total_ms;
	buf_clear(&c->path);
	buf_add(&c->path, path);
	buf_clear(&c->json);
	buf_add(&c->json, json);
	c->request = (struct client_request){.method = method,
					     .path = buf_cstr(&c->path),
					     .json = buf_span(&c->json),
					     .sink = c->sink.max_bytes > 0 ? &c->sink : NULL,
					     .answer = &c->answer};
	c->is_body_sent = false;
	if (!attempt_prepare(client, &c->request)) {
		end(c, true);
		return;
	}
	c->unsent = buf_span(&client->request);
	/* On an old connection, nobody could say whether a POST had arrived. */
	c->request.is_reused = method == H1_METHOD_GET && client->in_at == client->in_len &&
			       channel_is_quiet(channel_of(c));
	if (!c->request.is_reused) {
		connect_first(c);
		return;
	}
	client->in_at = client->in_len = 0;
	c->state = APICALL_SENDING;
	touch(c);
	loop_defer(c->loop, &c->again, on_again);
}

void apicall_get(struct apicall *c, struct span path, const struct client_sink *sink,
		 const struct apicall_times *times)
{
	c->sink = sink != NULL ? *sink : (struct client_sink){.max_bytes = 0};
	begin(c, H1_METHOD_GET, path, SPAN(""), times);
}

void apicall_post(struct apicall *c, struct span path, struct span json,
		  const struct apicall_times *times)
{
	c->sink = (struct client_sink){.max_bytes = 0};
	begin(c, H1_METHOD_POST, path, json, times);
}

bool apicall_init(struct apicall *c, const struct client_config *config, struct loop *loop,
		  struct resolver *resolver, void (*on_done)(struct apicall *c), struct error *e)
{
	*c = (struct apicall){
		.on_done = on_done, .loop = loop, .resolver = resolver, .watch = {.fd = -1}};
	timer_init(&c->timer, on_timeout);
	loop_deferred_init(&c->again);
	loop_deferred_init(&c->done);
	buf_init_heap(&c->path, PATH_MAX_BYTES);
	buf_init_heap(&c->json, JSON_MAX_BYTES);
	c->client = client_new(config, e);
	return c->client != NULL;
}

void apicall_fini(struct apicall *c)
{
	if (c->loop == NULL)
		return;
	timer_cancel(&c->timer);
	loop_undefer(&c->again);
	loop_undefer(&c->done);
	resolver_unwatch(&c->name);
	loop_remove(c->loop, &c->watch);
	client_free(c->client);
	buf_fini(&c->path);
	buf_fini(&c->json);
	*c = (struct apicall){.watch = {.fd = -1}};
}
