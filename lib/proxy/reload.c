#include "proxy/reload.h"

#include "proxy/metrics.h"
#include "sys/clock.h"
#include "sys/log.h"

/*
 * Several files are often changed together. So reading waits until all is quiet, though not for
 * ever.
 */
#define QUIET_MS 50
#define PATIENCE_MS 500

/* How often files are read that can't be watched. */
#define POLL_MS 5000

/* Complaints told of one reading; all are counted. */
#define COMPLAINTS_MAX 20

static void complain(struct diag *d, enum diag_level level, const char *text)
{
	struct span rest = span_from_cstr(text), place = rest;
	struct log_line line;

	if (d->errors + d->warnings > COMPLAINTS_MAX)
		return;
	log_begin(&line, level == DIAG_ERROR ? LOG_ERROR : LOG_WARN, "manifest");
	/* "file:line:col: path: text"; one value would be cut. */
	for (size_t i = 0; i + 1 < rest.len && place.len == rest.len; i++)
		if (rest.ptr[i] == ':' && rest.ptr[i + 1] == ' ')
			place = span_first(rest, i);
	log_text(&line, "at", place);
	log_text(&line, "problem", span_from(rest, place.len + 2));
	log_end(&line);
}

static void log_result(const struct reload *r, enum log_level level, const char *message)
{
	struct log_line line;

	log_begin(&line, level, message);
	log_u64(&line, "generation", r->generation);
	log_u64(&line, "routes", r->routes);
	log_end(&line);
}

static bool put_in_force(struct reload *r, struct route_table *table)
{
	uint64_t hash = table->hash;
	size_t routes = table->route_count;
	struct log_line line;
	struct error e;

	if (r->adopt(r->context, table, &e)) {
		r->hash = hash;
		r->routes = routes;
		r->generation++;
		log_result(r, LOG_INFO, "routes changed");
		return true;
	}
	log_begin(&line, LOG_ERROR, "routes cannot be changed");
	log_cstr(&line, "error", e.text);
	log_end(&line);
	return false;
}

static bool read_again(struct reload *r, enum log_level level_when_same)
{
	struct diag diag = {.emit = complain};
	struct route_table *table = manifests_load(&r->manifests, &diag, NULL);

	if (table == NULL) {
		log_result(r, LOG_ERROR, "manifests are bad: the routes stay as they were");
		return false;
	}
	if (table->hash != r->hash)
		return put_in_force(r, table);
	log_result(r, level_when_same, "manifests read again: nothing has changed");
	route_table_free(table);
	return true;
}

static void on_change(struct watch *watch, unsigned events)
{
	struct reload *r = LIST_OWNER(watch, struct reload, watch);
	uint64_t now = loop_now_ms(r->loop), waited;

	(void)events;
	if (!filewatch_has_changed(&r->files))
		return;
	if (r->changed_ms == 0)
		r->changed_ms = now;
	waited = now - r->changed_ms;
	if (waited < PATIENCE_MS)
		loop_timer_set(r->loop, &r->timer, QUIET_MS);
}

static void unwatch(struct reload *r)
{
	loop_remove(r->loop, &r->watch);
	filewatch_close(&r->files);
}

/* In the loop; or, when that can't be, by the timer. */
static void follow(struct reload *r)
{
	struct error e;

	if (r->files.fd != -1 && loop_add_level(r->loop, &r->watch, r->files.fd, on_change, &e))
		return;
	loop_timer_set(r->loop, &r->timer, POLL_MS);
}

static void open_watch(struct reload *r)
{
	struct log_line line;
	struct error e;

	if (filewatch_open(&r->files, &r->manifests.inputs, &e)) {
		r->is_polling = false;
		return;
	}
	/* Tried again with each reading, told once. */
	log_begin(&line, r->is_polling ? LOG_DEBUG : LOG_WARN,
		  "manifests can't be watched, they are read every 5 s instead");
	log_cstr(&line, "error", e.text);
	log_end(&line);
	r->is_polling = true;
}

static void reload(struct reload *r, enum log_level level_when_same)
{
	bool ok;

	timer_cancel(&r->timer);
	r->changed_ms = 0;
	/* Anew, and before the reading: links may lead elsewhere now. */
	unwatch(r);
	open_watch(r);
	ok = read_again(r, level_when_same);
	r->count++;
	r->failures += !ok;
	r->last_failed = !ok;
	if (ok)
		r->good_at_s = clock_realtime_ms() / 1000;
	follow(r);
}

static void on_timer(struct timer *t)
{
	reload(LIST_OWNER(t, struct reload, timer), LOG_DEBUG);
}

/* Services name files of certificates. One that can't be watched is read with the others. */
static void on_file(void *context, const char *path)
{
	struct reload *r = context;
	struct error unused;

	if (r->files.fd != -1)
		filewatch_add(&r->files, path, &unused);
}

static bool can_be_read_again(const struct manifests *m)
{
	struct inputs ca = {&m->identities.ca_file, m->identities.ca_file != NULL, false};

	return inputs_can_be_read_again(&m->inputs) && inputs_can_be_read_again(&ca);
}

void reload_init(struct reload *r, const struct manifests *m)
{
	*r = (struct reload){
		.manifests = *m,
		.is_possible = can_be_read_again(m),
		.files = {.fd = -1},
		.watch = {.fd = -1},
		.generation = 1,
		.good_at_s = clock_realtime_ms() / 1000,
	};
	r->manifests.identities.on_file = on_file;
	r->manifests.identities.context = r;
	timer_init(&r->timer, on_timer);
	if (r->is_possible)
		open_watch(r);
}

void reload_start(struct reload *r, struct loop *loop, const struct route_table *table)
{
	r->loop = loop;
	r->hash = table->hash;
	r->routes = table->route_count;
	if (r->is_possible)
		follow(r);
}

void reload_now(struct reload *r)
{
	if (r->is_possible)
		reload(r, LOG_INFO);
	else
		log_event(LOG_WARN, "standard input and pipes can't be read again: the routes stay "
				    "as they were");
}

void reload_offer(void *reload, struct route_table *table)
{
	struct reload *r = reload;

	if (table->hash != r->hash)
		put_in_force(r, table);
	else
		route_table_free(table);
}

void reload_stop(struct reload *r)
{
	if (r->loop != NULL) {
		timer_cancel(&r->timer);
		loop_remove(r->loop, &r->watch);
	}
	filewatch_close(&r->files);
}

void reload_print_metrics(const struct reload *r, struct buf *out)
{
	metrics_print_one("generation", "gauge", "Route tables put in force, the first included.",
			  r->generation, out);
	metrics_print_one("reloads_total", "counter", "Times the manifests were read again.",
			  r->count, out);
	metrics_print_one("reload_failures_total", "counter",
			  "Of these, how often they were bad: the routes stayed as they were.",
			  r->failures, out);
	metrics_print_one("last_reload_ok", "gauge", "0 when the manifests were last found bad.",
			  !r->last_failed, out);
	metrics_print_one("last_reload_good_timestamp_seconds", "gauge",
			  "When the manifests were last found good.", r->good_at_s, out);
}
