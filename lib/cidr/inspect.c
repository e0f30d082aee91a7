#include "cidr/inspect.h"

#include <string.h>
#include <unistd.h>

#include "cidr/rangeinput.h"
#include "dns/resolvconf.h"
#include "sys/file.h"

void inspect_init(struct inspect *in, struct arena *arena, struct diag *diag, struct buf *out)
{
	memset(in, 0, sizeof *in);
	in->arena = arena;
	in->diag = diag;
	in->check.out = out;
	rangelist_init(&in->in_use);
	rangelist_init(&in->servers);
}

void inspect_fini(struct inspect *in)
{
	rangelist_fini(&in->in_use);
	rangelist_fini(&in->servers);
}

bool inspect_servers(struct inspect *in, const char *path, struct error *e)
{
	struct resolvconf conf;
	struct span text;

	if (!file_read(in->arena, path, 65536, &text, &(struct error){0}))
		return true;
	resolvconf_parse(text, &conf);
	for (unsigned i = 0; i < conf.server_count; i++) {
		char storage[ADDR_TEXT_MAX];
		struct rangescan_found server;
		struct buf b;

		conf.servers[i].port = 0;
		BUF_INIT_ARRAY(&b, storage);
		addr_format(&conf.servers[i], &b);
		if (range_parse(buf_span(&b), &server.range, NULL, e) &&
		    !rangeinput_to_list(&in->servers, &server, e))
			return false;
	}
	return true;
}

bool inspect_against(struct inspect *in, const char *list, struct error *e)
{
	struct rangeinput input;

	in->has_in_use = true;
	rangeinput_init(&input, 0, rangeinput_to_list, &in->in_use);
	return rangeinput_operand(&input, list, e) || error_prefix(e, "--against");
}

static bool add_cluster(struct inspect *in, const char *name, const struct clusterinfo_range *list,
			size_t count, bool has_roles, struct error *e)
{
	if (in->count == INSPECT_MAX)
		return error_set(e, "check: at most %d clusters", INSPECT_MAX);
	in->clusters[in->count++] = (struct check_cluster){name, list, count, has_roles};
	return true;
}

bool inspect_discovered(struct inspect *in, struct discover *d, const char *name, struct error *e)
{
	struct clusterinfo_choice choice = {
		.min_confidence = CLUSTERKEYS_ASSUMED, .guess = in->guess, .roles = {true, true}};
	struct clusterinfo_answer answer;

	clusterfind_finish(&d->find);
	return (discover_choose(d, &choice, &answer) || error_set(e, "out of memory")) &&
	       add_cluster(in, name, answer.list, answer.count, true, e);
}

bool inspect_file(struct inspect *in, const char *path, struct error *e)
{
	struct discover *d = arena_get(in->arena, sizeof *d);
	bool ok;

	if (d == NULL)
		return error_set(e, "out of memory");
	discover_init(d, in->arena, in->diag);
	d->find.allows_any = true; /* a finding here, not bad input */
	ok = discover_file(d, path, e) && inspect_discovered(in, d, d->name, e);
	discover_fini(d);
	return ok;
}

/* A list, unless there is a file of that name. */
static bool is_file(const char *text)
{
	return strcmp(text, "-") == 0 || access(text, F_OK) == 0;
}

static bool add_to_list(void *context, const struct rangescan_found *found, struct error *e)
{
	struct clusterinfo_range one = {.range = found->range,
					.had_host_bits = found->had_host_bits};

	buf_add(context, span_of(&one, sizeof one));
	return !((struct buf *)context)->truncated || error_set(e, "out of memory");
}

static bool add_list(struct inspect *in, const char *text, struct error *e)
{
	struct clusterinfo_range *list = NULL;
	struct rangeinput input;
	struct buf found;
	bool ok;

	buf_init_heap(&found, CLUSTERINFO_RANGES_MAX * sizeof *list);
	rangeinput_init(&input, 0, add_to_list, &found);
	ok = rangeinput_operand(&input, text, e);
	if (ok)
		list = arena_get_array(in->arena, input.count + 1, sizeof *list);
	if (list != NULL && found.len > 0)
		memcpy(list, found.ptr, found.len);
	buf_fini(&found);
	if (ok && list == NULL)
		ok = error_set(e, "out of memory");
	return ok && add_cluster(in, text, list, input.count, false, e);
}

bool inspect_operand(struct inspect *in, const char *text, struct error *e)
{
	return is_file(text) ? inspect_file(in, text, e) : add_list(in, text, e);
}

enum verb_answer inspect_run(struct inspect *in, struct error *e)
{
	e->text[0] = '\0';
	if (in->diag->errors > 0)
		return VERB_REFUSED;
	for (size_t i = 0; i < in->count; i++) {
		check_cluster(&in->check, &in->clusters[i], &in->servers);
		for (size_t k = i + 1; k < in->count; k++)
			check_pair(&in->check, &in->clusters[i], &in->clusters[k]);
		if (in->has_in_use && !check_drift(&in->check, &in->clusters[i], &in->in_use)) {
			error_set(e, "out of memory");
			return VERB_FAILED;
		}
	}
	return in->check.problems > 0 ? VERB_NO : VERB_DONE;
}
