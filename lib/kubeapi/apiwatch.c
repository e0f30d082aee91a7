#include "kubeapi/apiwatch.h"

#include <string.h>
#include <sys/random.h>

#define PAGE_LIMIT 500
/* All pages of a list together; the objects are not kept. */
#define LIST_MAX_BYTES (UINT64_C(4) << 30)
#define PATH_MAX_BYTES ((size_t)12 << 10)

/* How long a server keeps a watch is the client's to say; spread, so that not all end at once. */
#define WATCH_MIN_S 240
#define WATCH_SPREAD_S 120
/* For its end to arrive. A server that is gone is noticed sooner, by the connection. */
#define WATCH_GRACE_MS 30000

/* A page that takes longer is asked for again. */
static const struct apicall_times list_times = {.idle_ms = 15000, .total_ms = 60000};

/* A watch that lasted as long has come about, though nothing happened. */
#define COME_ABOUT_MS 5000

static void proceed(struct apiwatch *w);

/* xorshift64: it only has to differ from one gateway to the next. */
static uint64_t spread(struct apiwatch *w, uint64_t below)
{
	w->jitter ^= w->jitter << 13;
	w->jitter ^= w->jitter >> 7;
	w->jitter ^= w->jitter << 17;
	return w->jitter % below;
}

static void drop_stream(struct apiwatch *w)
{
	if (w->has_stream)
		objstream_fini(&w->stream);
	w->has_stream = false;
}

/* ---- Trouble ---- */

static uint64_t next_wait(struct apiwatch *w)
{
	uint64_t wait = w->settings->retry_min_ms > 0 ? w->settings->retry_min_ms : 250;
	uint64_t max = w->settings->retry_max_ms > 0 ? w->settings->retry_max_ms : 15000;

	for (unsigned i = 1; i < w->failures && wait < max; i++)
		wait *= 2;
	if (wait < w->call.retry_after_ms)
		wait = w->call.retry_after_ms;
	wait = wait < max ? wait : max;
	/* Half of it for certain, the rest by chance. */
	return wait / 2 + spread(w, wait / 2 + 1);
}

static void fail(struct apiwatch *w, const char *text)
{
	uint64_t wait;

	w->failures++;
	w->stats.failures++;
	if (w->is_expired || w->failures > 1) {
		w->is_list = true;
		w->is_next_page = false;
	}
	wait = next_wait(w);
	loop_timer_set(w->loop, &w->timer, wait);
	w->listener->on_trouble(w, text, wait);
}

static void on_timeout(struct timer *t)
{
	proceed(LIST_OWNER(t, struct apiwatch, timer));
}

/* What the refusal means for whoever may change it: the verb and the resource. */
static void fail_call(struct apiwatch *w)
{
	const struct client_answer *answer = &w->call.answer;
	struct error e = answer->error;
	struct span namespace = w->settings->namespace;

	if (w->problem.text[0] != '\0') {
		e = w->problem;
		error_prefix(&e, "the API server's answer");
	}
	if (answer->reason == CLIENT_FORBIDDEN)
		error_prefix(&e, "not allowed to %s %s in %s%.*s", w->is_list ? "list" : "watch",
			     w->settings->resource,
			     namespace.len > 0 ? "namespace " : "all namespaces",
			     SPAN_ARG(namespace));
	fail(w, e.text);
}

/* ---- What comes ---- */

static bool on_object(void *context, const struct objstream_object *object, struct error *e)
{
	struct apiwatch *w = context;

	if (object->type == OBJSTREAM_ERROR) {
		w->is_expired = object->code == 410;
		return error_set(e, "the watch ended: %llu \"%.*s\"",
				 (unsigned long long)object->code,
				 SPAN_ARG(span_first(object->message, 200)));
	}
	if (object->type != OBJSTREAM_BOOKMARK && object->name.len == 0)
		return error_set(e, "an object without metadata.name");
	if (object->type != OBJSTREAM_LISTED) {
		if (object->version.len == 0)
			return error_set(e, "an object without metadata.resourceVersion");
		memcpy(w->version, object->version.ptr, object->version.len + 1);
		w->has_event = true;
		w->stats.events++;
		w->failures = 0;
	}
	if (object->type != OBJSTREAM_BOOKMARK)
		w->listener->on_object(w, object);
	return true;
}

static bool on_piece(void *context, struct span piece)
{
	struct apiwatch *w = context;

	return objstream_feed(&w->stream, piece, &w->problem);
}

/* ---- Requests ---- */

/* Up to where the parameters of one kind of request follow. */
static void begin_path(struct apiwatch *w)
{
	const struct apiwatch_settings *s = w->settings;

	buf_clear(&w->path);
	buf_add_cstr(&w->path, "/api/v1/");
	if (s->namespace.len > 0)
		buf_printf(&w->path, "namespaces/%.*s/", SPAN_ARG(s->namespace));
	buf_printf(&w->path, "%s?", s->resource);
	if (s->selector.len > 0) {
		buf_add_cstr(&w->path, "labelSelector=");
		client_add_query_value(&w->path, s->selector);
		buf_add_byte(&w->path, '&');
	}
}

static void ask_for_page(struct apiwatch *w)
{
	if (!w->is_next_page) {
		w->is_expired = false;
		buf_clear(&w->token);
		w->listener->on_list(w);
	}
	buf_printf(&w->path, "limit=%d", PAGE_LIMIT);
	if (w->token.len > 0) {
		buf_add_cstr(&w->path, "&continue=");
		client_add_query_value(&w->path, buf_span(&w->token));
	}
}

static uint64_t ask_for_watch(struct apiwatch *w)
{
	uint64_t seconds = WATCH_MIN_S + spread(w, WATCH_SPREAD_S);

	w->has_event = false;
	buf_printf(&w->path,
		   "watch=1&allowWatchBookmarks=true&timeoutSeconds=%llu&resourceVersion=",
		   (unsigned long long)seconds);
	client_add_query_value(&w->path, span_from_cstr(w->version));
	return seconds * 1000 + WATCH_GRACE_MS;
}

/* Begins what comes next: a page of the list, or a watch. */
static void proceed(struct apiwatch *w)
{
	struct client_sink sink = {on_piece, w, w->is_list ? LIST_MAX_BYTES : UINT64_MAX};
	struct apicall_times times = list_times;

	begin_path(w);
	if (w->is_list)
		ask_for_page(w);
	else
		times.idle_ms = times.total_ms = ask_for_watch(w);
	drop_stream(w);
	objstream_init(&w->stream, w->is_list, w->settings->first, on_object, w);
	w->has_stream = true;
	w->problem.text[0] = '\0';
	w->began_ms = loop_now_ms(w->loop);
	apicall_get(&w->call, buf_span(&w->path), &sink, &times);
}

static void list_done(struct apiwatch *w)
{
	struct span version = objstream_version(&w->stream);

	if (w->call.answer.reason != CLIENT_OK || !objstream_end(&w->stream, &w->problem)) {
		/* Also a token that is too old (410): its list can't be continued. */
		w->is_next_page = false;
		fail_call(w);
		return;
	}
	buf_clear(&w->token);
	buf_add(&w->token, objstream_token(&w->stream));
	w->is_next_page = w->token.len > 0;
	if (!w->is_next_page) {
		memcpy(w->version, version.ptr, version.len + 1);
		w->is_list = false;
		w->is_listed = true;
		w->stats.lists++;
		w->listener->on_listed(w);
	}
	proceed(w);
}

static void watch_done(struct apiwatch *w)
{
	bool has_lasted = loop_now_ms(w->loop) - w->began_ms >= COME_ABOUT_MS;
	bool is_over = w->call.answer.reason == CLIENT_OK && objstream_end(&w->stream, &w->problem);

	w->stats.watches++;
	if (has_lasted)
		w->failures = 0;
	if (w->call.answer.reason == CLIENT_GONE)
		w->is_expired = true;
	if (is_over && (has_lasted || w->has_event))
		proceed(w);
	else if (is_over)
		fail(w, "the API server ended the watch at once");
	else
		fail_call(w);
}

static void on_done(struct apicall *call)
{
	struct apiwatch *w = LIST_OWNER(call, struct apiwatch, call);

	(w->is_list ? list_done : watch_done)(w);
}

bool apiwatch_start(struct apiwatch *w, const struct apiwatch_settings *settings,
		    const struct client_config *config, const struct apiwatch_listener *listener,
		    struct loop *loop, struct resolver *resolver, struct error *e)
{
	*w = (struct apiwatch){
		.settings = settings, .listener = listener, .loop = loop, .is_list = true};
	timer_init(&w->timer, on_timeout);
	buf_init_heap(&w->path, PATH_MAX_BYTES);
	buf_init_heap(&w->token, OBJSTREAM_TOKEN_MAX);
	if (getrandom(&w->jitter, sizeof w->jitter, 0) != sizeof w->jitter)
		return error_set_sys(e, "no random numbers");
	w->jitter |= 1;
	if (!apicall_init(&w->call, config, loop, resolver, on_done, e))
		return false;
	proceed(w);
	return true;
}

void apiwatch_stop(struct apiwatch *w)
{
	if (w->loop == NULL)
		return;
	timer_cancel(&w->timer);
	apicall_fini(&w->call);
	drop_stream(w);
	buf_fini(&w->path);
	buf_fini(&w->token);
	w->loop = NULL;
}

bool apiwatch_is_open(const struct apiwatch *w)
{
	return !w->is_list && w->call.state == APICALL_BODY && w->call.answer.status == 200;
}
