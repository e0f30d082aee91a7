#include "kubeapi/attempt.h"

#include <string.h>

#include "base/num.h"
#include "http/h1body.h"
#include "http/h1char.h"
#include "http/h1frame.h"
#include "kubeapi/apistatus.h"
#include "kubeapi/reach.h"
#include "sys/file.h"

#define PATH_MAX_BYTES (12u << 10)
/* Interim answers (100, 103) before the one that counts. */
#define INTERIM_MAX 8
/* Bytes of the server's words in a message. */
#define WORDS_SHOWN_MAX 200

/* A token is visible ASCII (RFC 6750 section 2.1 has even less); line ends of a file go. */
bool attempt_check_token(struct span *token)
{
	while (token->len > 0 &&
	       (token->ptr[token->len - 1] == '\n' || token->ptr[token->len - 1] == '\r'))
		token->len--;
	for (size_t i = 0; i < token->len; i++)
		if (token->ptr[i] <= ' ' || token->ptr[i] > '~')
			return false;
	return token->len > 0 && token->len <= CLIENT_TOKEN_MAX;
}

static bool take_token(struct client *c, struct span *token, struct error *e)
{
	*token = c->config.token;
	if (c->config.token_file == NULL)
		return true;
	if (!file_read(&c->arena, c->config.token_file, CLIENT_TOKEN_MAX + 2, token, e))
		return false;
	if (attempt_check_token(token))
		return true;
	error_set(e, "no token: expected 1 to %u bytes of visible ASCII", CLIENT_TOKEN_MAX);
	return error_prefix_path(e, c->config.token_file);
}

/* A path from our own program: what it must not have would be its mistake, or its user's. */
static bool path_is_fine(const char *path)
{
	struct span text = span_from_cstr(path);

	return path[0] == '/' && text.len <= PATH_MAX_BYTES && h1char_all(text, H1_CHAR_TARGET);
}

static bool write_head(struct client *c, const struct client_request *r, struct span token)
{
	struct buf *out = &c->request;

	buf_clear(out);
	buf_printf(out, "%s ", h1head_method_name(r->method));
	buf_add(out, c->url.prefix);
	buf_printf(out, "%s HTTP/1.1\r\nHost: ", r->path);
	serverurl_add_authority(&c->url, out);
	buf_printf(out, "\r\nUser-Agent: %s\r\nAccept: application/json\r\n", c->config.user_agent);
	if (token.len > 0) {
		buf_add_cstr(out, "Authorization: Bearer ");
		buf_add(out, token);
		buf_add_cstr(out, "\r\n");
	}
	if (r->method == H1_METHOD_POST)
		buf_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			   r->json.len);
	buf_add_cstr(out, "\r\n");
	return !out->truncated;
}

static enum channel_result fill(struct client *c, const struct client_request *r)
{
	uint64_t deadline = client_deadline(r, c->config.idle_timeout_ms);
	enum channel_result result;
	size_t got;

	if (c->in_at == c->in_len)
		c->in_at = c->in_len = 0;
	result = channel_read(&c->channel, c->in + c->in_len, sizeof c->in - c->in_len, &got,
			      deadline);
	c->in_len += got;
	return result;
}

/* The connection ended before the answer began. */
static enum client_next lost(struct client *c, struct client_request *r, enum channel_result result,
			     const char *doing)
{
	reach_fail(c, r, result, doing);
	if (r->answer->reason != CLIENT_CUT_OFF || r->method != H1_METHOD_GET)
		return CLIENT_DONE;
	return r->is_reused ? CLIENT_AGAIN_AT_ONCE : CLIENT_AGAIN_LATER;
}

/* Reads one head to the front of `in`; it is taken off only when the body is done with it. */
static bool read_one_head(struct client *c, struct client_request *r, enum client_next *next)
{
	struct h1_scan scan;
	enum h1_result parsed;

	memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
	c->in_len -= c->in_at;
	c->in_at = 0;
	h1head_start(&scan, NULL);
	while ((parsed = h1head_parse_response(&scan, span_of(c->in, c->in_len), &c->head)) ==
	       H1_MORE) {
		enum channel_result result;

		result = fill(c, r);
		if (result == CHANNEL_OK)
			continue;
		*next = c->in_len == 0 ? lost(c, r, result, "its answer was awaited")
				       : reach_fail(c, r, result, "its answer was read");
		return false;
	}
	if (parsed == H1_OK)
		return true;
	*next = client_fail(c, r, CLIENT_BAD_RESPONSE, "the answer is not HTTP/1.1: %s",
			    h1problem_text(c->head.problem));
	return false;
}

static bool read_head(struct client *c, struct client_request *r, struct h1_framing *framing,
		      enum client_next *next)
{
	enum h1_problem problem;

	for (unsigned i = 0; i <= INTERIM_MAX; i++) {
		if (!read_one_head(c, r, next))
			return false;
		if (c->head.status >= 200) {
			r->answer->status = c->head.status;
			if (h1frame_response(&c->head, c->in, r->method, framing, &problem))
				return true;
			*next = client_fail(c, r, CLIENT_BAD_RESPONSE,
					    "the answer is not HTTP/1.1: %s",
					    h1problem_text(problem));
			return false;
		}
		c->in_at = c->head.head_len;
		if (c->head.status == 101)
			break;
	}
	*next = client_fail(c, r, CLIENT_BAD_STATUS, "interim answers without end");
	return false;
}

static void note_retry_after(const struct client *c, struct client_request *r)
{
	const struct h1_field *field = h1head_first(&c->head, H1_FIELD_RETRY_AFTER);
	uint64_t seconds;

	r->retry_after_ms = 0;
	/* A date is as good as nothing: the API server sends seconds. */
	if (field != NULL &&
	    num_parse_u64(h1head_field_value(c->in, field), 0, UINT32_MAX / 1000, &seconds))
		r->retry_after_ms = (uint32_t)seconds * 1000;
}

static bool is_success(const struct client_request *r)
{
	return r->answer->status >= 200 && r->answer->status <= 299;
}

/* A piece of the body: to the sink, or, of a refusal, kept. False when the rest is not wanted. */
static bool deliver(struct client *c, struct client_request *r, struct span piece)
{
	static const struct client_sink nobody = {.max_bytes = CLIENT_STATUS_MAX};
	const struct client_sink *sink = r->sink != NULL ? r->sink : &nobody;

	if (!is_success(r)) {
		buf_add(&c->words, piece);
		return !c->words.truncated;
	}
	if (piece.len > sink->max_bytes - r->answer->body_bytes) {
		client_fail(c, r, CLIENT_TOO_LARGE, "the answer has over %llu bytes",
			    (unsigned long long)sink->max_bytes);
		return false;
	}
	r->answer->body_bytes += piece.len;
	if (sink->on_piece == NULL || sink->on_piece(sink->context, piece))
		return true;
	client_fail(c, r, CLIENT_STOPPED, "stopped in the middle of the answer");
	return false;
}

void attempt_begin_body(struct client *c, struct client_request *r,
			const struct h1_framing *framing, struct h1_body *body)
{
	note_retry_after(c, r);
	c->in_at = c->head.head_len;
	buf_clear(&c->words);
	h1body_start(body, framing->body, framing->length, NULL);
}

enum h1_body_event attempt_take_body(struct client *c, struct client_request *r,
				     struct h1_body *body)
{
	struct span input = span_of(c->in + c->in_at, c->in_len - c->in_at), piece;
	enum h1_body_event event;

	while ((event = h1body_next(body, &input, &piece)) == H1_BODY_DATA)
		if (!deliver(c, r, piece))
			return H1_BODY_BAD;
	c->in_at = c->in_len - input.len;
	if (event == H1_BODY_BAD)
		client_fail(c, r, CLIENT_BAD_RESPONSE, "the answer is not HTTP/1.1: %s",
			    h1problem_text((enum h1_problem)body->problem));
	return event;
}

/* False when there is no complete body; then what it says of a failure is already there. */
static bool read_body(struct client *c, struct client_request *r, const struct h1_framing *framing)
{
	struct h1_body body;

	attempt_begin_body(c, r, framing, &body);
	for (;;) {
		enum h1_body_event event = attempt_take_body(c, r, &body);
		enum channel_result result;

		if (event != H1_BODY_MORE)
			return event == H1_BODY_END;
		result = fill(c, r);
		if (result == CHANNEL_EOF && h1body_is_complete_at_eof(&body))
			return true;
		if (result != CHANNEL_OK) {
			reach_fail(c, r, result, "its answer was read");
			return false;
		}
	}
}

static const struct {
	unsigned status;
	enum client_reason reason;
	const char *text;
} refusals[] = {
	{401, CLIENT_UNAUTHORIZED, "the credentials are not accepted"},
	{403, CLIENT_FORBIDDEN, "not allowed"},
	{404, CLIENT_NOT_FOUND, "not there"},
	{410, CLIENT_GONE, "the list has changed too much to be continued"},
	{429, CLIENT_BUSY, "too many requests"},
};

static enum client_next refuse(struct client *c, struct client_request *r)
{
	unsigned status = r->answer->status;
	enum client_reason reason = status >= 500   ? CLIENT_SERVER_ERROR
				    : status >= 400 ? CLIENT_REJECTED
						    : CLIENT_BAD_STATUS;
	const char *text = status >= 500 ? "the server has failed" : "refused";
	struct apistatus said;

	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		if (refusals[i].status == status) {
			reason = refusals[i].reason;
			text = refusals[i].text;
		}
	}
	client_fail(c, r, reason, "%u for %s ", status, h1head_method_name(r->method));
	client_append(r, "", span_from_cstr(r->path), CLIENT_PATH_SHOWN_MAX, ": ");
	if (apistatus_parse(buf_span(&c->words), &c->arena, &said) && said.message.len > 0) {
		client_append(r, "\"", said.message, WORDS_SHOWN_MAX, "\"");
		r->answer->message = said.message;
		r->answer->status_reason = said.reason;
	} else {
		buf_add_cstr(&r->text, text);
	}
	if (status == 429)
		return CLIENT_AGAIN_LATER;
	return status >= 500 && r->method == H1_METHOD_GET ? CLIENT_AGAIN_LATER : CLIENT_DONE;
}

enum client_next attempt_conclude(struct client *c, struct client_request *r, bool is_complete)
{
	/* A refusal is one even when its words are cut off or too many. */
	if (!is_success(r))
		return refuse(c, r);
	if (is_complete)
		r->answer->reason = CLIENT_OK;
	return CLIENT_DONE;
}

static enum client_next receive(struct client *c, struct client_request *r)
{
	struct h1_framing framing;
	bool is_complete;
	enum client_next next;

	if (!read_head(c, r, &framing, &next)) {
		channel_close(&c->channel);
		return next;
	}
	is_complete = read_body(c, r, &framing);
	if (!is_complete || !framing.keep_alive || c->in_at != c->in_len)
		channel_close(&c->channel);
	return attempt_conclude(c, r, is_complete);
}

bool attempt_prepare(struct client *c, struct client_request *r)
{
	struct span token;
	struct error e;

	*r->answer = (struct client_answer){.reason = CLIENT_OK};
	r->retry_after_ms = 0;
	arena_fini(&c->arena);
	if (!take_token(c, &token, &e))
		client_fail(c, r, CLIENT_BAD_CREDENTIALS, "%s", e.text);
	else if (!path_is_fine(r->path))
		client_fail(c, r, CLIENT_REJECTED, "the path is no request target");
	else if (!write_head(c, r, token))
		client_fail(c, r, CLIENT_NO_MEMORY, "out of memory");
	return r->answer->reason == CLIENT_OK;
}

enum client_next attempt_run(struct client *c, struct client_request *r)
{
	enum channel_result result;
	enum client_next next;
	struct span unsent;
	uint64_t deadline;

	if (!attempt_prepare(c, r) || !reach_server(c, r))
		return CLIENT_DONE;
	deadline = client_deadline(r, c->config.idle_timeout_ms);
	unsent = buf_span(&c->request);
	result = channel_write(&c->channel, &unsent, deadline);
	unsent = r->json;
	if (result == CHANNEL_OK)
		result = channel_write(&c->channel, &unsent, deadline);
	if (result == CHANNEL_OK)
		return receive(c, r);
	next = lost(c, r, result, "the request was sent");
	channel_close(&c->channel);
	return next;
}
