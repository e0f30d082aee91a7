#include "proxy/kubesource.h"

#include "base/ascii.h"
#include "base/hash.h"
#include "kube/service.h"
#include "proxy/identity.h"
#include "proxy/metrics.h"
#include "sys/log.h"
#include "ydoc/ydoc.h"
#include "ydoc/ykeys.h"

#define COMPONENT "egress-proxy"
#define RESOURCE "services"

/* What reading one object may take: a tree of OBJSTREAM_KEPT_MAX bytes of JSON. */
#define READING_MAX ((size_t)64 << 20)
#define SOURCE_MAX (2 * OBJSTREAM_TEXT_MAX + OBJSTREAM_TEXT_MAX)

static struct kubesource *owner_of(struct apiwatch *w)
{
	return LIST_OWNER(w, struct kubesource, watch);
}

/* ---- One Service ---- */

/* Complaints about it: all to the log, the first error kept for an Event. */
struct judging {
	struct span source;
	struct buf first_error;
	char storage[512];
};

/* "source:1:17: spec.ports: ..." without the place, which is one in our own text of the object. */
static struct span without_place(struct span text, struct span source)
{
	if (!span_starts_with(text, source))
		return text;
	text = span_from(text, source.len);
	while (text.len > 0 && (text.ptr[0] == ':' || ascii_is_digit(text.ptr[0])))
		text = span_from(text, 1);
	return span_trim(text);
}

static void tell(struct diag *d, enum diag_level level, const char *text)
{
	struct judging *j = d->context;
	struct span problem = without_place(span_from_cstr(text), j->source);
	struct log_line line;

	if (level == DIAG_ERROR && j->first_error.len == 0)
		buf_add(&j->first_error, problem);
	log_begin(&line, level == DIAG_ERROR ? LOG_ERROR : LOG_WARN, "service");
	log_text(&line, "source", j->source);
	log_text(&line, "problem", problem);
	log_end(&line);
}

static bool is_external_name(const struct ydoc_node *root)
{
	const struct ydoc_node *type = ydoc_get(ydoc_get(root, SPAN("spec")), SPAN("type"));

	return ydoc_is_value(type) && span_eq(type->text, SPAN("ExternalName"));
}

/*
 * Whoever may create a Service is not thereby one who may use the keys, or have the files read,
 * that are mounted into the proxy.
 */
static bool names_files(const struct kube_tls *tls)
{
	return tls != NULL && (tls->ca.path.ptr != NULL || tls->cert.path.ptr != NULL ||
			       tls->key.path.ptr != NULL);
}

/* NULL when it is of another type, or can't be read, which was told then. */
static struct kube_service *read_service(const struct objstream_object *object, const char *source,
					 struct arena *arena, struct diag *diag)
{
	struct ykeys_context context = {.diag = diag, .file = source};
	struct kube_service *service = NULL;
	const struct ydoc_node *root;
	struct ydoc_reader reader;

	ydoc_reader_init(&reader, source, object->json, diag);
	if (object->json.len == 0)
		diag_report(diag, DIAG_ERROR, "%s: over %zu bytes", source, OBJSTREAM_KEPT_MAX);
	else if (ydoc_reader_next(&reader, &root) && is_external_name(root))
		service = kube_service_read(&context, root, object->namespace, arena);
	ydoc_reader_fini(&reader);
	if (service != NULL && names_files(service->tls))
		diag_report(diag, DIAG_ERROR,
			    "%s: " KUBE_TLS_PREFIX "ca-file, cert-file and key-file: only in "
			    "manifests given by -f, whose author may know this proxy's files",
			    source);
	return service;
}

static void put(struct kubesource *k, const struct objstream_object *object, const char *source)
{
	struct judging j = {.source = span_from_cstr(source)};
	struct diag diag = {.emit = tell, .context = &j};
	struct kube_service *service, unusable;
	struct arena arena;

	BUF_INIT_ARRAY(&j.first_error, j.storage);
	arena_init(&arena, READING_MAX);
	service = read_service(object, source, &arena, &diag);
	if (diag.errors > 0) {
		apievents_warn(&k->events, object, "NotRouted", buf_span(&j.first_error));
		/* Kept all the same, so that the same version is not told of again. */
		unusable = (struct kube_service){.name = object->name,
						 .namespace = object->namespace,
						 .pos = {.file = source}};
		service = &unusable;
	}
	if (service == NULL) {
		servicestore_remove(&k->store, object->namespace, object->name);
	} else {
		service->pos.file = source;
		if (!servicestore_put(&k->store, service))
			log_event(LOG_ERROR, "out of memory for a Service");
	}
	arena_fini(&arena);
}

/* ---- Tables ---- */

/* The first of a name stays, and that is the file's. */
static void tell_conflicts(struct kubesource *k, struct kube_services *merged,
			   struct kube_service **sorted)
{
	for (size_t i = 0; i < k->store.count; i++) {
		const struct kube_service *first = kube_services_add(merged, sorted[i]);
		struct log_line line;

		if (first == sorted[i])
			continue;
		log_begin(&line, LOG_WARN, "a file has this service as well, and wins");
		log_cstr(&line, "source", sorted[i]->pos.file);
		log_cstr(&line, "file", first->pos.file);
		log_u64(&line, "line", first->pos.line);
		log_end(&line);
	}
}

static bool merge(struct kubesource *k, const struct kube_services *files,
		  struct kube_services *merged)
{
	struct kube_service **sorted = servicestore_sorted(&k->store);
	uint64_t hash = HASH_INIT;

	for (size_t i = 0; i < files->count; i++)
		kube_services_add(merged, files->list[i]);
	if (sorted == NULL)
		return false;
	k->conflicts = 0;
	for (size_t i = 0; i < k->store.count; i++) {
		if (kube_services_add(merged, sorted[i]) == NULL)
			continue;
		k->conflicts++;
		hash = hash_span(hash, span_from_cstr(sorted[i]->pos.file));
	}
	/* Once, not with every table. */
	if (hash != k->conflicts_hash && k->conflicts > 0)
		tell_conflicts(k, merged, sorted);
	k->conflicts_hash = hash;
	return merged->diag->errors == 0;
}

struct route_table *kubesource_build(struct kubesource *k, const struct kube_services *files,
				     const struct identity_settings *identities, struct diag *diag)
{
	struct route_table *table = NULL;
	struct kube_services merged;

	kube_services_init(&merged, k->settings->routes.namespace, diag);
	if (merge(k, files, &merged))
		table = identity_make_table(&merged, &k->settings->routes, identities, diag);
	else
		diag_report(diag, DIAG_ERROR, "out of memory");
	kube_services_fini(&merged);
	return table;
}

static void keep_first(struct diag *d, enum diag_level level, const char *text)
{
	if (level == DIAG_ERROR && d->errors == 1)
		error_set(d->context, "%s", text);
}

static void offer(struct kubesource *k)
{
	struct error e;
	struct diag diag = {.emit = keep_first, .context = &e};
	struct route_table *table;
	struct log_line line;

	k->built_ms = loop_now_ms(k->loop);
	table = kubesource_build(k, &k->files, &k->settings->identities, &diag);
	if (table == NULL) {
		log_begin(&line, LOG_ERROR, "no table of the services");
		log_cstr(&line, "error", e.text);
		log_end(&line);
		loop_timer_set(k->loop, &k->timer, 10 * KUBESOURCE_PAUSE_MS);
		return;
	}
	k->builds++;
	k->store.changed = false;
	k->offer(k->context, table);
	k->is_complete = true;
}

static void on_timer(struct timer *t)
{
	struct kubesource *k = LIST_OWNER(t, struct kubesource, timer);

	/* A list that is under way says when it is whole. */
	if (!k->is_listing)
		offer(k);
}

/* Soon, with all that happens until then; but at least KUBESOURCE_PAUSE_MS after the last. */
static void schedule(struct kubesource *k)
{
	uint64_t since = loop_now_ms(k->loop) - k->built_ms;

	if (k->is_listing || timer_is_set(&k->timer) || (k->is_complete && !k->store.changed))
		return;
	loop_timer_set(k->loop, &k->timer,
		       since < KUBESOURCE_PAUSE_MS ? KUBESOURCE_PAUSE_MS - since : 0);
}

/* ---- What the server says ---- */

static void on_list(struct apiwatch *w)
{
	struct kubesource *k = owner_of(w);

	k->is_listing = true;
	servicestore_begin(&k->store);
}

static void on_object(struct apiwatch *w, const struct objstream_object *object)
{
	struct kubesource *k = owner_of(w);
	char storage[SOURCE_MAX];
	struct buf source;

	BUF_INIT_ARRAY(&source, storage);
	buf_printf(&source, "%.*s/%.*s@%.*s", SPAN_ARG(object->namespace), SPAN_ARG(object->name),
		   SPAN_ARG(object->version));
	if (object->type == OBJSTREAM_DELETED)
		servicestore_remove(&k->store, object->namespace, object->name);
	else if (!servicestore_renew(&k->store, object->namespace, object->name, storage))
		put(k, object, storage);
	if (!k->is_listing)
		k->trouble = 0;
	schedule(k);
}

static void on_listed(struct apiwatch *w)
{
	struct kubesource *k = owner_of(w);
	struct log_line line;

	servicestore_sweep(&k->store);
	k->is_listing = false;
	log_begin(&line, LOG_INFO, "listed the services of the API server");
	log_u64(&line, "external_names", k->store.count);
	log_end(&line);
	schedule(k);
}

/* Once as a warning; the same again, until something good comes, is for those who look closer. */
static void on_trouble(struct apiwatch *w, const char *text, uint64_t wait_ms)
{
	struct kubesource *k = owner_of(w);
	uint64_t trouble = hash_span(HASH_INIT, span_from_cstr(text));
	struct log_line line;

	log_begin(&line, trouble == k->trouble ? LOG_DEBUG : LOG_WARN, "API server");
	log_cstr(&line, "error", text);
	log_u64(&line, "retry_ms", wait_ms);
	log_end(&line);
	k->trouble = trouble;
}

static void on_events_refused(struct apievents *a, const char *text)
{
	struct log_line line;

	(void)a;
	log_begin(&line, LOG_INFO, "no event was written");
	log_cstr(&line, "error", text);
	log_end(&line);
}

/* ---- Begin and end ---- */

void kubesource_init(struct kubesource *k, const struct kubesource_settings *settings)
{
	*k = (struct kubesource){.settings = settings};
	timer_init(&k->timer, on_timer);
	kube_services_init(&k->files, settings->routes.namespace, &k->files_diag);
}

void kubesource_take_files(struct kubesource *k, struct kube_services *files)
{
	kube_services_fini(&k->files);
	k->files = *files;
	k->files.diag = &k->files_diag;
	kube_services_init(files, k->settings->routes.namespace, files->diag);
}

bool kubesource_start(struct kubesource *k, struct loop *loop, struct resolver *resolver,
		      struct error *e)
{
	static const struct apiwatch_listener listener = {on_list, on_object, on_listed,
							  on_trouble};
	const struct kubesource_settings *s = k->settings;

	k->loop = loop;
	k->is_listing = true;
	k->watch_settings = (struct apiwatch_settings){
		.resource = RESOURCE,
		.namespace = s->watched,
		.selector = s->selector,
		.first = SPAN("\"apiVersion\":\"v1\",\"kind\":\"Service\""),
	};
	if (!apievents_init(&k->events, &s->client, "Service", COMPONENT, loop, resolver, e))
		return false;
	k->events.on_refused = on_events_refused;
	return apiwatch_start(&k->watch, &k->watch_settings, &s->client, &listener, loop, resolver,
			      e);
}

void kubesource_stop(struct kubesource *k)
{
	if (k->settings == NULL)
		return;
	timer_cancel(&k->timer);
	apiwatch_stop(&k->watch);
	apievents_fini(&k->events);
	servicestore_fini(&k->store);
	kube_services_fini(&k->files);
	k->settings = NULL;
}

const char *kubesource_token_file(const struct kubesource *k)
{
	return k != NULL ? k->settings->client.token_file : NULL;
}

/* ---- For those who look ---- */

void kubesource_print_metrics(const struct kubesource *k, struct buf *out)
{
	const struct apiwatch_stats *stats = &k->watch.stats;

	metrics_print_one("kube_watch_open", "gauge", "1 while changes of Services are heard of.",
			  apiwatch_is_open(&k->watch), out);
	metrics_print_one("kube_services", "gauge", "ExternalName Services of the API server.",
			  k->store.count, out);
	metrics_print_one("kube_services_invalid", "gauge", "Of these, those that are no good.",
			  k->store.unusable, out);
	metrics_print_one("kube_services_shadowed", "gauge",
			  "Of these, those in whose place a file's is routed.", k->conflicts, out);
	metrics_print_one("kube_lists_total", "counter", "Complete lists of Services.",
			  stats->lists, out);
	metrics_print_one("kube_watches_total", "counter", "Watches of Services that ended.",
			  stats->watches, out);
	metrics_print_one("kube_changes_total", "counter", "Events of watches, bookmarks included.",
			  stats->events, out);
	metrics_print_one("kube_failures_total", "counter",
			  "Requests to the API server that failed.", stats->failures, out);
	metrics_print_one("kube_tables_total", "counter", "Route tables built of Services.",
			  k->builds, out);
	metrics_print_one("kube_warnings_total", "counter",
			  "Events written about Services that are no good.", k->events.sent, out);
	metrics_print_one("kube_warnings_dropped_total", "counter", "Those that were not written.",
			  k->events.dropped, out);
}
