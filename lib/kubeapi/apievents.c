#include "kubeapi/apievents.h"

#include "base/alloc.h"
#include "json/jsonw.h"
#include "sys/clock.h"

/* A server's bound on `message`; and on all of it, with names of up to 253 bytes. */
#define MESSAGE_MAX 1000
#define JSON_MAX 4096
#define PATH_MAX_BYTES 128
/* After a refusal; rights may be given later. */
#define QUIET_MS 300000

static const struct apicall_times times = {.idle_ms = 5000, .total_ms = 10000};

struct apievent {
	struct buf path, json;
	char path_storage[PATH_MAX_BYTES];
	char json_storage[JSON_MAX];
};

static void send_first(struct apievents *a)
{
	struct apievent *event = a->waiting[a->first];

	apicall_post(&a->call, buf_span(&event->path), buf_span(&event->json), &times);
}

static void drop_first(struct apievents *a)
{
	alloc_put(a->waiting[a->first]);
	a->first = (a->first + 1) % APIEVENTS_WAITING_MAX;
	a->count--;
}

static void drop_all(struct apievents *a)
{
	while (a->count > 0)
		drop_first(a);
}

static void on_done(struct apicall *call)
{
	struct apievents *a = LIST_OWNER(call, struct apievents, call);
	bool ok = call->answer.reason == CLIENT_OK;

	a->sent += ok;
	a->dropped += ok ? 0 : a->count;
	drop_first(a);
	if (!ok) {
		drop_all(a);
		if (call->answer.reason == CLIENT_FORBIDDEN)
			a->quiet_until_ms = loop_now_ms(a->loop) + QUIET_MS;
		if (a->on_refused != NULL)
			a->on_refused(a, call->answer.error.text);
	}
	if (a->count > 0)
		send_first(a);
}

static void add_member(struct buf *out, const char *before, struct span text)
{
	buf_add_cstr(out, before);
	jsonw_string(out, text);
}

static void add_time(struct buf *out, const char *before)
{
	buf_add_cstr(out, before);
	/* In whole seconds: "2026-11-23T14:05:09Z". */
	clock_format_rfc3339(clock_realtime_ms() / 1000 * 1000, out);
	out->len -= sizeof ".000Z" - 1;
	buf_add_cstr(out, "Z\"");
}

static void write_event(const struct apievents *a, const struct objstream_object *object,
			const char *reason, struct span message, struct buf *out)
{
	char generated[OBJSTREAM_TEXT_MAX + 1];
	struct buf name;

	BUF_INIT_ARRAY(&name, generated);
	buf_add(&name, object->name);
	buf_add_byte(&name, '.');
	add_member(out, "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"generateName\":",
		   buf_span(&name));
	add_member(out, ",\"namespace\":", object->namespace);
	add_member(out, "},\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":",
		   span_from_cstr(a->kind));
	add_member(out, ",\"name\":", object->name);
	add_member(out, ",\"namespace\":", object->namespace);
	add_member(out, ",\"uid\":", object->uid);
	add_member(out, ",\"resourceVersion\":", object->version);
	add_member(out, "},\"type\":\"Warning\",\"reason\":", span_from_cstr(reason));
	add_member(out, ",\"message\":", span_first(message, MESSAGE_MAX));
	add_member(out, ",\"source\":{\"component\":", span_from_cstr(a->component));
	add_time(out, "},\"count\":1,\"firstTimestamp\":\"");
	add_time(out, ",\"lastTimestamp\":\"");
	buf_add_byte(out, '}');
}

void apievents_warn(struct apievents *a, const struct objstream_object *object, const char *reason,
		    struct span message)
{
	struct apievent *event = NULL;

	if (loop_now_ms(a->loop) >= a->quiet_until_ms && a->count < APIEVENTS_WAITING_MAX)
		event = alloc_get(sizeof *event);
	if (event == NULL) {
		a->dropped++;
		return;
	}
	BUF_INIT_ARRAY(&event->path, event->path_storage);
	BUF_INIT_ARRAY(&event->json, event->json_storage);
	buf_printf(&event->path, "/api/v1/namespaces/%.*s/events", SPAN_ARG(object->namespace));
	write_event(a, object, reason, message, &event->json);
	if (event->path.truncated || event->json.truncated) {
		alloc_put(event);
		a->dropped++;
		return;
	}
	a->waiting[(a->first + a->count++) % APIEVENTS_WAITING_MAX] = event;
	if (a->count == 1)
		send_first(a);
}

bool apievents_init(struct apievents *a, const struct client_config *config, const char *kind,
		    const char *component, struct loop *loop, struct resolver *resolver,
		    struct error *e)
{
	*a = (struct apievents){.kind = kind, .component = component, .loop = loop};
	return apicall_init(&a->call, config, loop, resolver, on_done, e);
}

void apievents_fini(struct apievents *a)
{
	drop_all(a);
	apicall_fini(&a->call);
}
