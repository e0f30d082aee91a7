#include "kubeapi/client.h"

#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/alloc.h"
#include "http/h1char.h"
#include "kubeapi/attempt.h"
#include "kubeapi/client_inner.h"
#include "sys/clock.h"
#include "tls/tls_profile.h"

#define REQUEST_MAX (32u << 10)
#define ARENA_MAX (1u << 20)

const char *client_reason_name(enum client_reason reason)
{
#define CLIENT_REASON_NAME(member, name) [member] = name,
	static const char *const names[] = {CLIENT_REASONS(CLIENT_REASON_NAME)};
#undef CLIENT_REASON_NAME

	return (unsigned)reason < CLIENT_REASON_COUNT ? names[reason] : "unknown";
}

enum client_next client_fail(const struct client *c, struct client_request *r,
			     enum client_reason reason, const char *format, ...)
{
	va_list args;

	r->answer->reason = reason;
	BUF_INIT_ARRAY(&r->text, r->answer->error.text);
	serverurl_format(&c->url, &r->text);
	buf_add_cstr(&r->text, ": ");
	va_start(args, format);
	buf_vprintf(&r->text, format, args);
	va_end(args);
	return CLIENT_DONE;
}

void client_append(struct client_request *r, const char *before, struct span words, size_t max,
		   const char *after)
{
	buf_add_cstr(&r->text, before);
	buf_add_escaped(&r->text, words, max);
	buf_add_cstr(&r->text, after);
}

uint64_t client_deadline(const struct client_request *r, uint32_t after_ms)
{
	uint64_t deadline_ms = clock_monotonic_ms() + after_ms;

	return deadline_ms < r->deadline_ms ? deadline_ms : r->deadline_ms;
}

/* Waits before another try; false when there is no time left for one. */
static bool pause_before(const struct client *c, const struct client_request *r, unsigned tries)
{
	uint64_t wait = c->config.retry_min_ms, now = clock_monotonic_ms();

	for (unsigned i = 1; i < tries && wait < c->config.retry_max_ms; i++)
		wait *= 2;
	if (wait < r->retry_after_ms)
		wait = r->retry_after_ms;
	wait = wait < c->config.retry_max_ms ? wait : c->config.retry_max_ms;
	if (now + wait >= r->deadline_ms)
		return false;
	/* Woken early by a signal, it is the server that waits less. */
	poll(NULL, 0, wait > INT_MAX ? INT_MAX : (int)wait);
	return true;
}

static bool run(struct client *c, struct client_request *r)
{
	unsigned tries = 0;
	enum client_next next;

	r->deadline_ms = clock_monotonic_ms() + c->config.total_timeout_ms;
	do {
		next = attempt_run(c, r);
		tries += next != CLIENT_AGAIN_AT_ONCE;
	} while (next == CLIENT_AGAIN_AT_ONCE ||
		 (next == CLIENT_AGAIN_LATER && tries < c->config.tries &&
		  pause_before(c, r, tries)));
	if (r->answer->reason != CLIENT_OK)
		return false;
	r->answer->error.text[0] = '\0';
	return true;
}

bool client_get(struct client *c, const char *path, const struct client_sink *sink,
		struct client_answer *answer)
{
	struct client_request r = {
		.method = H1_METHOD_GET, .path = path, .sink = sink, .answer = answer};

	return run(c, &r);
}

bool client_post(struct client *c, const char *path, struct span json,
		 const struct client_sink *sink, struct client_answer *answer)
{
	struct client_request r = {.method = H1_METHOD_POST,
				   .path = path,
				   .json = json,
				   .sink = sink,
				   .answer = answer};

	return run(c, &r);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value != 0 ? value : otherwise;
}

static void fill_defaults(struct client_config *config)
{
	if (config->user_agent == NULL)
		config->user_agent = "egressbox";
	config->connect_timeout_ms = or_default(config->connect_timeout_ms, 10000);
	config->idle_timeout_ms = or_default(config->idle_timeout_ms, 30000);
	config->total_timeout_ms = or_default(config->total_timeout_ms, 120000);
	config->tries = or_default(config->tries, 4);
	config->retry_min_ms = or_default(config->retry_min_ms, 250);
	config->retry_max_ms = or_default(config->retry_max_ms, 10000);
}

/* What goes into the TLS handshake: the host of the URL, or the name given instead. */
static bool set_tls_name(struct client *c, struct error *e)
{
	struct span name = c->config.tls_server_name.len > 0 ? c->config.tls_server_name
							     : c->url.host;
	struct addr addr;
	const char *problem = NULL;

	if (!addr_parse_ip(name, &addr))
		problem = hostname_problem(hostname_without_root(name));
	if (problem == NULL && name.len > HOSTNAME_MAX)
		name = hostname_without_root(name);
	if (problem != NULL) {
		char shown[64];
		struct buf quoted;

		BUF_INIT_ARRAY(&quoted, shown);
		buf_add_escaped(&quoted, name, 40);
		return error_set(e, "TLS server name \"%s\": %s", buf_cstr(&quoted), problem);
	}
	memcpy(c->tls_name, name.ptr, name.len);
	c->tls_name[name.len] = '\0';
	return true;
}

/* Credentials are for the server alone, so without TLS none are sent. */
static bool check_config(struct client *c, struct error *e)
{
	struct client_config *config = &c->config;

	if (!serverurl_parse(config->server, &c->url, e))
		return error_prefix(e, "server");
	if (!set_tls_name(c, e))
		return false;
	if (!c->url.is_https && (config->token.len > 0 || config->token_file != NULL))
		return error_set(e, "a token is not sent over http; expected https://");
	if (c->url.is_https && config->anchors == NULL)
		return error_set(e, "no certificate authority to trust");
	if (config->token.len > 0 && !attempt_check_token(&config->token))
		return error_set(e, "token: expected up to %u bytes of visible ASCII",
				 CLIENT_TOKEN_MAX);
	if (!h1char_all(span_from_cstr(config->user_agent), H1_CHAR_VALUE))
		return error_set(e, "user agent: not the value of a field");
	if (!c->url.is_https)
		return true;
	c->profile = tls_profile_new(config->anchors);
	return c->profile != NULL || error_set(e, "out of memory");
}

struct client *client_new(const struct client_config *config, struct error *e)
{
	struct client *c = alloc_get_zeroed(sizeof *c);

	if (c == NULL) {
		error_set(e, "out of memory");
		return NULL;
	}
	c->config = *config;
	fill_defaults(&c->config);
	channel_init(&c->channel);
	arena_init(&c->arena, ARENA_MAX);
	buf_init_heap(&c->request, REQUEST_MAX);
	buf_init_heap(&c->words, CLIENT_STATUS_MAX);
	if (check_config(c, e))
		return c;
	client_free(c);
	return NULL;
}

void client_free(struct client *c)
{
	if (c == NULL)
		return;
	channel_close(&c->channel);
	tls_profile_free(c->profile);
	arena_fini(&c->arena);
	buf_fini(&c->request);
	buf_fini(&c->words);
	alloc_put(c);
}

/* Unreserved characters (RFC 3986 section 2.3) stand for themselves. */
void client_add_query_value(struct buf *out, struct span text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		bool is_alnum = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
				(byte >= 'a' && byte <= 'z');

		if (is_alnum || byte == '-' || byte == '.' || byte == '_' || byte == '~') {
			buf_add_byte(out, (char)byte);
			continue;
		}
		buf_add_byte(out, '%');
		buf_add_byte(out, digits[byte >> 4]);
		buf_add_byte(out, digits[byte & 15]);
	}
}

bool client_page_path(struct buf *out, const char *path, unsigned limit, struct span token)
{
	buf_printf(out, "%s%climit=%u", path, strchr(path, '?') != NULL ? '&' : '?', limit);
	if (token.len > 0) {
		buf_add_cstr(out, "&continue=");
		client_add_query_value(out, token);
	}
	return !out->truncated;
}
