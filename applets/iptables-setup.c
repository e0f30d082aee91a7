/*
 * iptables-setup: from options to rules, and from rules to text or the kernel.
 */
#include <unistd.h>

#include "applet.h"
#include "base/arena.h"
#include "redirect/apply.h"
#include "redirect/hostns.h"
#include "redirect/render.h"
#include "redirect/ruleset.h"
#include "redirect/settings.h"
#include "redirect/verify.h"
#include "sys/fd.h"

#define NAME "iptables-setup"

/* 65,536 ranges of IPv6 as a rule each. */
#define TEXT_MAX (64u << 20)

enum print {
	PRINT_NONE,
	PRINT_IPTABLES,
	PRINT_NFT,
};
static const char *const print_names[] = {"none", "iptables", "nft", NULL};

struct options {
	struct settings_words words;
	int backend, print;
	bool dry_run, verify, verify_only, cleanup, force_host;
	uint64_t timeout_ms;
	const char *ignored;
	bool ignored_flag;
};

#define AT(member) offsetof(struct options, member)

#define FLAG(option, member, variable, text)                                                       \
	{                                                                                          \
		.kind = OPT_FLAG, .name = option, .offset = AT(member),                            \
		.env = "EGRESSBOX_" variable, .help = text                                         \
	}

static const struct opt option_table[] = {
	{.kind = OPT_SECTION, .help = "The proxy"},
	{.kind = OPT_NUMBER,
	 .short_name = 'p',
	 .name = "proxy-port",
	 .alias = "envoy-port",
	 .value_name = "PORT",
	 .offset = AT(words.proxy_port),
	 .env = "EGRESSBOX_PROXY_PORT",
	 .min = 1,
	 .max = 65535,
	 .help = "Where the proxy listens. Needed."},
	{.kind = OPT_LIST,
	 .short_name = 'u',
	 .name = "proxy-uid",
	 .value_name = "UID,...",
	 .offset = AT(words.uids),
	 .env = "EGRESSBOX_PROXY_UID",
	 .help = "Whom the proxy runs as: what these users open is never redirected. Numbers. "
		 "Needed."},
	{.kind = OPT_LIST,
	 .short_name = 'g',
	 .name = "proxy-gid",
	 .value_name = "GID,...",
	 .offset = AT(words.gids),
	 .env = "EGRESSBOX_PROXY_GID",
	 .help = "The same for groups."},
	FLAG("allow-root-uid", words.allow_root, "ALLOW_ROOT_UID",
	     "Take 0 for --proxy-uid, though everything that runs as root then goes past."),
	{.kind = OPT_SECTION, .help = "What leaves"},
	{.kind = OPT_LIST,
	 .short_name = 'i',
	 .name = "include-cidr",
	 .alias = "istio-service-cidr",
	 .value_name = "CIDR,...",
	 .offset = AT(words.include),
	 .env = "EGRESSBOX_INCLUDE_CIDR",
	 .help = "Redirect what goes to these ranges; '' and '*' mean all. [default: all; with "
		 "--include-port none]"},
	{.kind = OPT_LIST,
	 .short_name = 'x',
	 .name = "exclude-cidr",
	 .alias = "istio-service-exclude-cidr",
	 .value_name = "CIDR,...",
	 .offset = AT(words.exclude),
	 .env = "EGRESSBOX_EXCLUDE_CIDR",
	 .help = "Leave these alone, whatever is included. 0.0.0.0/0,::/0: redirect nothing."},
	{.kind = OPT_LIST,
	 .short_name = 'q',
	 .name = "include-port",
	 .alias = "istio-outbound-ports",
	 .value_name = "PORT,...",
	 .offset = AT(words.include_ports),
	 .env = "EGRESSBOX_INCLUDE_PORT",
	 .help = "Redirect what goes to these ports, to any address. PORT or FIRST-LAST."},
	{.kind = OPT_LIST,
	 .short_name = 'o',
	 .name = "exclude-port",
	 .alias = "istio-local-outbound-ports-exclude",
	 .value_name = "PORT,...",
	 .offset = AT(words.exclude_ports),
	 .env = "EGRESSBOX_EXCLUDE_PORT",
	 .help = "Leave these alone, whatever is included."},
	{.kind = OPT_LIST,
	 .short_name = 'c',
	 .name = "exclude-interface",
	 .alias = "istio-exclude-interfaces",
	 .value_name = "NAME,...",
	 .offset = AT(words.interfaces),
	 .env = "EGRESSBOX_EXCLUDE_INTERFACE",
	 .help = "Leave alone what leaves or enters by these."},
	{.kind = OPT_LIST,
	 .name = "loopback-cidr",
	 .value_name = "CIDR,...",
	 .offset = AT(words.loopback),
	 .env = "EGRESSBOX_LOOPBACK_CIDR",
	 .help = "What counts as loopback and is left alone, one range of each family. [default: "
		 "127.0.0.0/8,::1/128]"},
	{.kind = OPT_CHOICE,
	 .name = "ipv6",
	 .value_name = "MODE",
	 .offset = AT(words.ipv6),
	 .initial = "auto",
	 .env = "EGRESSBOX_IPV6",
	 .choices = settings_ipv6_names,
	 .help = "on: redirected as IPv4 is. auto: the same, and left alone with a warning where "
		 "the kernel refuses it. off: left alone. drop: new connections and datagrams are "
		 "refused, but for the proxy's and those inside the pod."},
	{.kind = OPT_NUMBER,
	 .name = "dns-port",
	 .value_name = "PORT",
	 .offset = AT(words.dns_port),
	 .env = "EGRESSBOX_DNS_PORT",
	 .min = 1,
	 .max = 65535,
	 .help = "Redirect DNS, UDP and TCP to port 53 of any address, here. [default: not]"},
	FLAG("block-quic", words.block_quic, "BLOCK_QUIC",
	     "Refuse UDP to port 443 where TCP would be redirected, so that HTTP/3 falls back."),
	{.kind = OPT_SECTION, .help = "What comes in"},
	{.kind = OPT_CHOICE,
	 .name = "inbound",
	 .value_name = "MODE",
	 .offset = AT(words.inbound),
	 .initial = "redirect",
	 .env = "EGRESSBOX_INBOUND",
	 .choices = settings_inbound_names,
	 .help = "redirect: to --inbound-port, as prepare_proxy.sh does. none: left alone, which "
		 "an "
		 "egress proxy wants."},
	{.kind = OPT_NUMBER,
	 .short_name = 'z',
	 .name = "inbound-port",
	 .alias = "inbound-capture-port",
	 .value_name = "PORT",
	 .offset = AT(words.inbound_port),
	 .env = "EGRESSBOX_INBOUND_PORT",
	 .min = 1,
	 .max = 65535,
	 .help = "Where the proxy takes what comes in. [default: --proxy-port]"},
	{.kind = OPT_LIST,
	 .short_name = 'b',
	 .name = "include-inbound-port",
	 .alias = "istio-inbound-ports",
	 .value_name = "PORT,...",
	 .offset = AT(words.include_inbound_ports),
	 .env = "EGRESSBOX_INCLUDE_INBOUND_PORT",
	 .help = "Redirect only these; '*' means all, '' none. [default: all]"},
	{.kind = OPT_LIST,
	 .short_name = 'd',
	 .name = "exclude-inbound-port",
	 .alias = "istio-local-exclude-ports",
	 .value_name = "PORT,...",
	 .offset = AT(words.exclude_inbound_ports),
	 .env = "EGRESSBOX_EXCLUDE_INBOUND_PORT",
	 .help = "Leave these alone: the kubelet's probes, for one."},
	FLAG("drop-invalid", words.drop_invalid, "DROP_INVALID",
	     "Drop incoming packets that belong to no connection; past NAT they would make the "
	     "application reset one."),
	{.kind = OPT_SECTION, .help = "How"},
	{.kind = OPT_CHOICE,
	 .name = "backend",
	 .alias = "force-iptables-binary",
	 .value_name = "BACKEND",
	 .offset = AT(backend),
	 .initial = "auto",
	 .env = "EGRESSBOX_BACKEND",
	 .choices = apply_backend_names,
	 .help = "auto: nf_tables, and legacy tables where the kernel has no nf_tables."},
	FLAG("strict-compat", words.strict, "STRICT_COMPAT",
	     "The order of prepare_proxy.sh: the pod's own addresses are redirected even for the "
	     "proxy, and only 127.0.0.1 is loopback."),
	FLAG("force-host-network", force_host, "FORCE_HOST_NETWORK",
	     "Work in the node's own network namespace too, and redirect the node."),
	{.kind = OPT_DURATION,
	 .name = "timeout",
	 .alias = "probe-timeout",
	 .value_name = "TIME",
	 .offset = AT(timeout_ms),
	 .initial = "5s",
	 .env = "EGRESSBOX_TIMEOUT",
	 .min = 1,
	 .max = 600000,
	 .help = "How long to try again while others change rules, and to wait for a connection "
		 "when verifying."},
	{.kind = OPT_SECTION, .help = "Instead, or besides"},
	{.kind = OPT_CHOICE,
	 .name = "print",
	 .value_name = "FORM",
	 .offset = AT(print),
	 .initial = "none",
	 .env = "EGRESSBOX_PRINT",
	 .choices = print_names,
	 .help = "Print what would be done, for iptables-restore or nft, and touch nothing."},
	{.kind = OPT_FLAG,
	 .short_name = 'n',
	 .name = "dry-run",
	 .offset = AT(dry_run),
	 .env = "EGRESSBOX_DRY_RUN",
	 .help = "--print iptables, unless --print says nft."},
	{.kind = OPT_FLAG,
	 .name = "verify",
	 .alias = "run-validation",
	 .offset = AT(verify),
	 .env = "EGRESSBOX_VERIFY",
	 .help = "Then prove it by connections, while nothing listens on the proxy's port yet."},
	{.kind = OPT_FLAG,
	 .name = "verify-only",
	 .alias = "skip-rule-apply",
	 .offset = AT(verify_only),
	 .env = "EGRESSBOX_VERIFY_ONLY",
	 .help = "Change nothing, and fail unless the rules in force are those of these options "
		 "and connections prove it."},
	{.kind = OPT_FLAG,
	 .name = "cleanup",
	 .alias = "cleanup-only",
	 .offset = AT(cleanup),
	 .env = "EGRESSBOX_CLEANUP",
	 .help = "Remove exactly what an earlier run made, by either backend. No other option is "
		 "needed."},
	{.kind = OPT_SECTION, .help = "Taken for the sake of older command lines"},
	{.kind = OPT_TEXT,
	 .short_name = 'm',
	 .name = "istio-inbound-interception-mode",
	 .value_name = "REDIRECT",
	 .offset = AT(words.mode),
	 .help = "Nothing else is offered."},
	{.kind = OPT_TEXT,
	 .short_name = 'e',
	 .name = "inbound-tunnel-port",
	 .alias = "log_output_level",
	 .value_name = "X",
	 .offset = AT(ignored),
	 .help = "Ignored."},
	{.kind = OPT_FLAG,
	 .name = "reconcile",
	 .alias = "force-apply",
	 .offset = AT(ignored_flag),
	 .help = "Ignored: this is what always happens."},
	{.kind = OPT_FLAG},
};

static const struct opt_manual manual = {
	.usage = NAME " -p PORT -u UID [-i CIDR,...] [OPTION]...\n" NAME " --cleanup",
	.purpose =
		"Redirects the TCP connections of a pod to the proxy in it, as prepare_proxy.sh "
		"and "
		"istio-iptables do, by programming netfilter itself: no iptables, no shell. It "
		"runs "
		"in an init container, with the capability NET_ADMIN and no other.\n\n"
		"Running it again is all there is: with the same options nothing changes, with "
		"others the rules change over in one step. Rules of others stay as they are. IPv4 "
		"and IPv6 are one step with nf_tables; with legacy tables each table is one.\n\n"
		"In this order, what leaves: of the proxy's users and groups, by excluded "
		"interfaces, to excluded ports, to excluded ranges and to loopback goes as it is. "
		"To the pod's own addresses, to included ports and to included ranges it goes to "
		"the "
		"proxy, which finds the first destination by SO_ORIGINAL_DST. UDP and ICMP are not "
		"touched, but for --dns-port, --block-quic and --ipv6 drop.\n\n"
		"An empty list for -i means all, as it did in prepare_proxy.sh; to istio-iptables "
		"it "
		"means none, which is -x 0.0.0.0/0,::/0 here. With neither --inbound nor -b what "
		"comes in is redirected, as by prepare_proxy.sh; an empty list for -b means none, "
		"as "
		"to istio-iptables.",
	.options = option_table,
	.exit_status = "  0  the rules are in force, or printed, or removed\n"
		       "  1  refused by the kernel, not permitted, in the node's network, or not "
		       "verified;\n"
		       "     nothing has changed, but for a failed --verify\n"
		       "  2  wrong usage\n",
	.examples = "  " NAME " -p 15001 -u 1337 --inbound none\n"
		    "  " NAME " -p 15001 -u 1337 -i 10.0.0.0/8,fd00::/8 -o 22 --verify\n"
		    "  " NAME " -p 15001 -u 1337 --print nft\n",
};

/* What is made from the options. */
struct work {
	struct arena arena;
	struct diag diag;
	struct settings settings;
	struct ruleset v4, v6;
};

static void emit(struct diag *d, enum diag_level level, const char *text)
{
	char storage[1200];
	struct buf line;

	BUF_INIT_ARRAY(&line, storage);
	buf_printf(&line, "%s%s", level == DIAG_WARNING ? "warning: " : "", text);
	applet_complain(d->context, buf_cstr(&line));
}

static int fail(const char *text)
{
	applet_complain(NAME, text);
	return APPLET_FAILED;
}

static int print(struct span text)
{
	struct error e;

	return fd_write_all(STDOUT_FILENO, text, &e) ? APPLET_DONE : fail(e.text);
}

static int print_rules(const struct work *w, enum print form)
{
	void (*render)(const struct ruleset *, struct buf *) = form == PRINT_NFT ? render_nft
										 : render_iptables;
	struct buf out;
	int status;

	buf_init_heap(&out, TEXT_MAX);
	render(&w->v4, &out);
	render(&w->v6, &out);
	status = out.truncated ? fail("out of memory") : print(buf_span(&out));
	buf_fini(&out);
	return status;
}

static bool is_allowed_here(const struct options *o, struct error *e)
{
	char storage[128];
	struct buf sign;

	BUF_INIT_ARRAY(&sign, storage);
	if (o->force_host || !hostns_is_here(&sign))
		return true;
	return error_set(e,
			 "this looks like the node's own network namespace: %s; nothing is done "
			 "here without --force-host-network",
			 buf_cstr(&sign));
}

static int clean_up(void)
{
	char storage[128];
	struct error e;
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	buf_add_cstr(&out, "removed ");
	if (!apply_cleanup(&out, &e))
		return fail(e.text);
	buf_add_byte(&out, '\n');
	return print(buf_span(&out));
}

static int report(const struct work *w, const struct apply_report *r,
		  const struct verify_report *verified)
{
	size_t rules = ruleset_rule_count(&w->v4) + (r->has_v6 ? ruleset_rule_count(&w->v6) : 0);
	char storage[256];
	struct buf out;

	BUF_INIT_ARRAY(&out, storage);
	buf_printf(&out, "backend=%s families=%s rules=%zu changed=%s",
		   apply_backend_names[r->backend], r->has_v6 ? "ip,ip6" : "ip", rules,
		   r->changed ? "yes" : "no");
	if (verified != NULL && verified->is_busy)
		buf_add_cstr(&out, " verified=rules");
	else if (verified != NULL)
		buf_printf(&out, " verified=connections redirected=%u direct=%u",
			   verified->redirected, verified->direct);
	buf_add_byte(&out, '\n');
	return print(buf_span(&out));
}

static int put_in_force(const struct options *o, struct work *w)
{
	static const struct ruleset none = {.family = 0};
	struct apply_wish wish = {
		.rules = {.v4 = &w->v4,
			  .v6 = &w->v6,
			  .v6_may_fail = w->settings.ipv6 == SETTINGS_IPV6_AUTO,
			  .timeout_ms = o->timeout_ms},
		.backend = (enum apply_backend)o->backend,
	};
	bool verify = o->verify || o->verify_only;
	struct verify_report verified;
	struct apply_report r;
	struct error e;

	if (!is_allowed_here(o, &e))
		return fail(e.text);
	if (!(o->verify_only ? apply_check(&wish, &r, &e) : apply_run(&wish, &w->diag, &r, &e)))
		return fail(e.text);
	if (verify && !verify_run(&w->settings, &w->v4, r.has_v6 ? &w->v6 : &none, o->timeout_ms,
				  &w->diag, &verified, &e)) {
		error_prefix(&e, "not verified");
		return fail(e.text);
	}
	return report(w, &r, verify ? &verified : NULL);
}

static int set_up(const struct options *o, struct work *w)
{
	struct error e;

	if (!settings_from_words(&o->words, &w->arena, &w->diag, &w->settings))
		return APPLET_USAGE;
	if (!ruleset_build(&w->settings, 4, &w->arena, &w->v4, &e) ||
	    !ruleset_build(&w->settings, 6, &w->arena, &w->v6, &e))
		return fail(e.text);
	if (o->print != PRINT_NONE)
		return print_rules(w, (enum print)o->print);
	return o->dry_run ? print_rules(w, PRINT_IPTABLES) : put_in_force(o, w);
}

static int run(int argc, char **argv)
{
	struct options options = {.backend = APPLY_AUTO};
	struct work work = {.diag = {.emit = emit}};
	char name[] = NAME;
	int status = APPLET_USAGE;
	struct error e;

	work.diag.context = name;
	arena_init(&work.arena, 256u << 20);
	if (!opt_parse(option_table, &options, argc, argv, &work.arena, NULL, &e))
		applet_complain(NAME, e.text);
	else
		status = options.cleanup ? clean_up() : set_up(&options, &work);
	arena_fini(&work.arena);
	return status;
}

const struct applet iptables_setup_applet = {
	.name = NAME,
	.summary = "redirects a pod's connections to its proxy",
	.manual = &manual,
	.run = run,
};
