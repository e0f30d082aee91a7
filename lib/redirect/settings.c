#include "redirect/settings.h"

#include <stdlib.h>

#include "base/ascii.h"
#include "base/num.h"

const char *const settings_ipv6_names[] = {"auto", "on", "off", "drop", NULL};
const char *const settings_inbound_names[] = {"redirect", "none", NULL};

/* The user's words in a message. */
#define SHOWN_MAX 64

/* Reads words into settings; one who fails has reported why. */
struct reader {
	struct arena *arena;
	struct diag *d;
};

/* One item of a list, and where it stands: the second of "a,b" begins in column 3. */
struct item {
	struct span text;
	const char *option;
	const char *whole;
};

/* Goes through the items of all the words of one option, in order; empty ones are left out. */
struct walk {
	const struct opt_list *words;
	const char *option;
	size_t next_word;
	struct span rest;
};

static struct walk walk_from(const struct opt_list *words, const char *option)
{
	return (struct walk){.words = words, .option = option};
}

static bool walk_next(struct walk *w, struct item *item)
{
	for (;;) {
		while (span_split(&w->rest, ',', &item->text)) {
			item->text = span_trim(item->text);
			if (item->text.len == 0)
				continue;
			item->option = w->option;
			item->whole = w->words->items[w->next_word - 1];
			return true;
		}
		if (w->next_word == w->words->count)
			return false;
		w->rest = span_from_cstr(w->words->items[w->next_word++]);
	}
}

static size_t item_count(const struct opt_list *words)
{
	struct walk w = walk_from(words, NULL);
	struct item item;
	size_t count = 0;

	while (walk_next(&w, &item))
		count++;
	return count;
}

/* An error at the item; `problem` quotes it and says what was expected. */
static bool bad_item(struct reader *r, const struct item *item, const char *problem)
{
	size_t column = (size_t)(item->text.ptr - item->whole) + 1;
	char storage[SHOWN_MAX * 4 + 4];
	struct buf shown;

	if (item->text.len == strlen(item->whole))
		return diag_report(r->d, DIAG_ERROR, "%s: %s", item->option, problem);
	BUF_INIT_ARRAY(&shown, storage);
	buf_add_escaped(&shown, span_from_cstr(item->whole), SHOWN_MAX);
	return diag_report(r->d, DIAG_ERROR, "%s: %s (column %zu of \"%s\")", item->option, problem,
			   column, buf_cstr(&shown));
}

/* The same with the item quoted in front. */
static bool bad_text(struct reader *r, const struct item *item, const char *problem)
{
	char storage[SHOWN_MAX * 4 + 4];
	struct buf shown;
	struct error e;

	BUF_INIT_ARRAY(&shown, storage);
	buf_add_escaped(&shown, item->text, SHOWN_MAX);
	error_set(&e, "\"%s\" %s", buf_cstr(&shown), problem);
	return bad_item(r, item, e.text);
}

/* Room for a list's items; NULL was reported. */
static void *room(struct reader *r, const char *option, size_t count, size_t max, size_t size)
{
	void *items;

	if (count > max) {
		diag_report(r->d, DIAG_ERROR, "%s: %zu items, at most %zu", option, count, max);
		return NULL;
	}
	items = arena_get_array(r->arena, count, size);
	if (items == NULL)
		diag_report(r->d, DIAG_ERROR, "out of memory");
	return items;
}

static void note_host_bits(struct reader *r, const struct item *item, const struct cidr *c)
{
	char storage[CIDR_TEXT_MAX];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	cidr_format(c, &b);
	diag_report(r->d, DIAG_NOTE, "%s: \"%.*s\" is taken as %s", item->option,
		    SPAN_ARG(item->text), buf_cstr(&b));
}

/* IPv4 to out[0], IPv6 to out[1], merged. */
static void read_ranges(struct reader *r, const struct opt_list *words, const char *option,
			struct ranges_cidrs out[static 2])
{
	struct walk w = walk_from(words, option);
	size_t count = item_count(words);
	struct item item;
	struct error e;

	for (int i = 0; i < 2; i++) {
		out[i] = (struct ranges_cidrs){0};
		if (count > 0)
			out[i].items = room(r, option, count, SETTINGS_RANGES_MAX,
					    sizeof(struct cidr));
		if (count > 0 && out[i].items == NULL)
			return;
	}
	while (walk_next(&w, &item)) {
		bool had_host_bits;
		struct cidr c;

		if (!cidr_parse(item.text, &c, &had_host_bits, &e)) {
			bad_item(r, &item, e.text);
			continue;
		}
		if (had_host_bits)
			note_host_bits(r, &item, &c);
		out[c.network.family == 6].items[out[c.network.family == 6].count++] = c;
	}
	for (int i = 0; i < 2; i++)
		ranges_merge_cidrs(&out[i]);
}

static void read_ports(struct reader *r, const struct opt_list *words, const char *option,
		       struct ranges_ports *out)
{
	struct walk w = walk_from(words, option);
	size_t count = item_count(words);
	struct item item;
	struct error e;

	*out = (struct ranges_ports){0};
	if (count == 0)
		return;
	out->items = room(r, option, count, SETTINGS_RANGES_MAX, sizeof *out->items);
	while (out->items != NULL && walk_next(&w, &item)) {
		if (portrange_parse(item.text, &out->items[out->count], &e))
			out->count++;
		else
			bad_item(r, &item, e.text);
	}
	ranges_merge_ports(out);
}

static int compare_ids(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Numbers only: a scratch image has no /etc/passwd; elsewhere a name server may be behind it. */
static void read_owners(struct reader *r, const struct opt_list *words, const char *option,
			struct settings_owners *out)
{
	struct walk w = walk_from(words, option);
	size_t count = item_count(words), used = 0;
	struct item item;
	uint64_t id;

	*out = (struct settings_owners){0};
	if (count == 0)
		return;
	out->ids = room(r, option, count, SETTINGS_OWNERS_MAX, sizeof *out->ids);
	while (out->ids != NULL && walk_next(&w, &item)) {
		/* The last is what the kernel takes for none. */
		if (num_parse_u64(item.text, 0, UINT32_MAX - 1, &id))
			out->ids[out->count++] = (uint32_t)id;
		else
			bad_text(r, &item, "is no number from 0 to 4294967294");
	}
	if (out->count > 0)
		qsort(out->ids, out->count, sizeof *out->ids, compare_ids);
	for (size_t i = 0; i < out->count; i++)
		if (used == 0 || out->ids[used - 1] != out->ids[i])
			out->ids[used++] = out->ids[i];
	out->count = used;
}

/*
 * What the kernel takes (dev_valid_name) and all printers show the same: no blank, slash, quote or
 * comma, and no * or + at the end, which the tools read as "begins with".
 */
static bool is_interface_name(struct span name)
{
	if (name.len >= SETTINGS_INTERFACE_SIZE)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_is_alnum(name.ptr[i]) && strchr("-_.:@", name.ptr[i]) == NULL)
			return false;
	return name.ptr[0] != '-' && !span_eq(name, SPAN(".")) && !span_eq(name, SPAN(".."));
}

static void read_interfaces(struct reader *r, const struct opt_list *words, struct settings *s)
{
	const char *option = "--exclude-interface";
	struct walk w = walk_from(words, option);
	size_t count = item_count(words);
	const char **names;
	struct span copy;
	struct item item;

	if (count == 0)
		return;
	names = room(r, option, count, SETTINGS_INTERFACES_MAX, sizeof *names);
	while (names != NULL && walk_next(&w, &item)) {
		if (!is_interface_name(item.text))
			bad_text(
				r, &item,
				"is no name of an interface: at most 15 letters, digits and -_.:@");
		else if (arena_copy(r->arena, item.text, &copy))
			names[s->interface_count++] = copy.ptr;
		else
			diag_report(r->d, DIAG_ERROR, "out of memory");
	}
	s->interfaces = names;
}

/* Is the list one that says "all"? `*`, or given and empty. */
static bool says_all(const struct opt_list *words)
{
	struct walk w = walk_from(words, NULL);
	struct item item;

	if (!walk_next(&w, &item))
		return words->count > 0;
	return span_eq(item.text, SPAN("*")) && !walk_next(&w, &item);
}

/*
 * What is redirected on the way out. Nothing said: everything. Ports alone: those. Ranges: those,
 * and at included ports everything, as with istio-iptables.
 */
static void read_outbound(struct reader *r, const struct settings_words *w, struct settings *s)
{
	read_ports(r, &w->include_ports, "--include-port", &s->include_ports);
	read_ports(r, &w->exclude_ports, "--exclude-port", &s->exclude_ports);
	read_ranges(r, &w->exclude, "--exclude-cidr", s->exclude);
	if (says_all(&w->include))
		s->include_all = true;
	else
		read_ranges(r, &w->include, "--include-cidr", s->include);
	if (w->include.count == 0 && s->include_ports.count == 0)
		s->include_all = true;
	if (s->include_all)
		s->include_ports.count = 0;
}

static void read_loopback(struct reader *r, const struct opt_list *words, struct settings *s)
{
	static const struct cidr v4 = {{.family = 4, .bytes = {127}}, 8};
	static const struct cidr v4_strict = {{.family = 4, .bytes = {127, 0, 0, 1}}, 32};
	static const struct cidr v6 = {{.family = 6, .bytes = {[15] = 1}}, 128};
	struct ranges_cidrs given[2];

	read_ranges(r, words, "--loopback-cidr", given);
	s->loopback[0] = s->strict ? v4_strict : v4;
	s->loopback[1] = v6;
	for (int i = 0; i < 2; i++) {
		if (given[i].count > 1)
			diag_report(r->d, DIAG_ERROR,
				    "--loopback-cidr: more than one range of IPv%d",
				    i == 0 ? 4 : 6);
		if (given[i].count > 0)
			s->loopback[i] = given[i].items[0];
	}
}

/*
 * prepare_proxy.sh redirects what comes in; istio-iptables does what -b says, nothing for an empty
 * list. So that both kinds of command line mean what they meant, -b decides where it is given.
 */
static void read_inbound(struct reader *r, const struct settings_words *w, struct settings *s)
{
	bool all = w->include_inbound_ports.count == 0 ||
		   (item_count(&w->include_inbound_ports) > 0 &&
		    says_all(&w->include_inbound_ports));

	s->inbound_port = w->inbound_port > 0 ? (uint16_t)w->inbound_port : s->proxy_port;
	read_ports(r, &w->exclude_inbound_ports, "--exclude-inbound-port",
		   &s->exclude_inbound_ports);
	if (!all)
		read_ports(r, &w->include_inbound_ports, "--include-inbound-port",
			   &s->include_inbound_ports);
	s->inbound = w->inbound == SETTINGS_INBOUND_REDIRECT &&
		     (all || s->include_inbound_ports.count > 0);
}

static void warn_of_open_families(struct reader *r, const struct settings *s)
{
	bool any = s->include[0].count + s->include[1].count > 0;

	if (!any || s->ipv6 == SETTINGS_IPV6_OFF)
		return;
	if (s->include[1].count == 0 && s->ipv6 != SETTINGS_IPV6_DROP)
		diag_report(r->d, DIAG_WARNING,
			    "--include-cidr names no IPv6 range: IPv6 goes out past the proxy "
			    "(--ipv6 drop refuses it)");
	if (s->include[0].count == 0)
		diag_report(r->d, DIAG_WARNING,
			    "--include-cidr names no IPv4 range: IPv4 goes out past the proxy");
}

/* What is wrong only together. */
static void check(struct reader *r, const struct settings_words *w, const struct settings *s)
{
	if (s->proxy_port == 0)
		diag_report(r->d, DIAG_ERROR,
			    "--proxy-port: needed: the port the proxy listens on");
	if (w->uids.count == 0 || (s->uids.count == 0 && r->d->errors == 0))
		diag_report(r->d, DIAG_ERROR,
			    "--proxy-uid: needed: the user id the proxy runs as, which is never "
			    "redirected");
	for (size_t i = 0; i < s->uids.count && !w->allow_root; i++)
		if (s->uids.ids[i] == 0)
			diag_report(r->d, DIAG_ERROR,
				    "--proxy-uid: \"0\" would let everything that runs as root go "
				    "past the proxy; --allow-root-uid takes it");
	if (w->mode != NULL && w->mode[0] != '\0' && strcmp(w->mode, "REDIRECT") != 0)
		diag_report(
			r->d, DIAG_ERROR,
			"--istio-inbound-interception-mode: \"%.*s\" is not offered, REDIRECT is",
			SHOWN_MAX, w->mode);
	if (s->dns_port > 0 && ranges_has_port(&s->exclude_ports, 53))
		diag_report(r->d, DIAG_ERROR,
			    "--dns-port takes port 53, which --exclude-port leaves alone");
}

bool settings_from_words(const struct settings_words *w, struct arena *arena, struct diag *d,
			 struct settings *s)
{
	struct reader r = {.arena = arena, .d = d};
	unsigned before = d->errors;

	*s = (struct settings){
		.proxy_port = (uint16_t)w->proxy_port,
		.dns_port = (uint16_t)w->dns_port,
		.ipv6 = (enum settings_ipv6)w->ipv6,
		.block_quic = w->block_quic,
		.drop_invalid = w->drop_invalid,
		.strict = w->strict,
	};
	read_owners(&r, &w->uids, "--proxy-uid", &s->uids);
	read_owners(&r, &w->gids, "--proxy-gid", &s->gids);
	read_outbound(&r, w, s);
	read_interfaces(&r, &w->interfaces, s);
	read_loopback(&r, &w->loopback, s);
	read_inbound(&r, w, s);
	check(&r, w, s);
	if (d->errors > before)
		return false;
	warn_of_open_families(&r, s);
	return true;
}
