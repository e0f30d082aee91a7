/*
 * h1reader: for tests: reads a stream of messages as a connection does, from bytes that arrive in
 * pieces, and writes down what it understood, so that two ways to arrive can be compared as text.
 */
#ifndef TEST_H1READER_H
#define TEST_H1READER_H

#include <stdio.h>

#include "base/buf.h"
#include "http/h1body.h"
#include "http/h1frame.h"
#include "http/h1head.h"

struct h1reader {
	enum h1_kind kind;
	enum h1_method request_method; /* for responses */
	struct buf *out;
	size_t message_at; /* where the message being read starts */
	size_t body_at;	   /* where its body goes on */
	bool in_body;
	bool has_ended; /* nothing more is to be read: an error, or a close */
	enum h1_problem problem;
	unsigned complete; /* messages read to their end */
	struct h1_scan scan;
	struct h1_head head;
	struct h1_framing framing;
	struct h1_body body;
	struct buf trailers;
	char trailer_bytes[H1_TRAILERS_MAX + 1];
};

__attribute__((unused)) static void h1reader_init(struct h1reader *r, enum h1_kind kind,
						  struct buf *out)
{
	r->kind = kind;
	r->request_method = H1_METHOD_GET;
	r->out = out;
	r->message_at = r->body_at = 0;
	r->in_body = r->has_ended = false;
	r->problem = H1_PROBLEM_NONE;
	r->complete = 0;
	h1head_start(&r->scan, NULL);
}

static void h1reader_slice(struct h1reader *r, const char *name, const char *bytes,
			   struct h1_slice text)
{
	buf_printf(r->out, " %s=\"", name);
	buf_add_escaped(r->out, h1head_text(bytes, text), 100000);
	buf_add(r->out, SPAN("\""));
}

/* All that a head says, one line per field. */
__attribute__((unused)) static void h1reader_print_head(struct h1reader *r, const char *bytes)
{
	const struct h1_head *h = &r->head;

	buf_printf(
		r->out,
		"head %u method %u form %u version %u status %u https %d seen %llx repeated %llx",
		h->head_len, h->method, h->target_form, h->version_minor, h->status,
		h->target_is_https, (unsigned long long)h->seen, (unsigned long long)h->repeated);
	h1reader_slice(r, "method", bytes, h->method_text);
	h1reader_slice(r, "target", bytes, h->target);
	h1reader_slice(r, "authority", bytes, h->authority);
	h1reader_slice(r, "path", bytes, h->path);
	h1reader_slice(r, "reason", bytes, h->reason);
	for (size_t i = 0; i < h->field_count; i++) {
		const struct h1_field *f = &h->fields[i];

		buf_printf(r->out, "\n  %u%s", f->id, f->is_folded ? " folded" : "");
		h1reader_slice(r, "name", bytes, (struct h1_slice){f->name_at, f->name_len});
		h1reader_slice(r, "value", bytes, (struct h1_slice){f->value_at, f->value_len});
	}
	buf_add(r->out, SPAN("\n"));
}

static void h1reader_print_framing(struct h1reader *r, const char *bytes)
{
	const struct h1_framing *f = &r->framing;

	buf_printf(r->out,
		   "framing %d %llu keep %d continue %d trailers %d last %d upgrade %d port %u",
		   f->body, (unsigned long long)f->length, f->keep_alive, f->expects_continue,
		   f->trailers_ok, f->is_last_hop, f->upgrade, f->port);
	h1reader_slice(r, "host", bytes, f->host);
	h1reader_slice(r, "offer", bytes, f->upgrade_offer);
	buf_add(r->out, SPAN("\nbody "));
}

static void h1reader_refuse(struct h1reader *r, enum h1_problem problem)
{
	r->problem = problem;
	r->has_ended = true;
	buf_printf(r->out, "refused: %s\n", h1problem_name(problem));
}

/* False when there is nothing more to do with the bytes there are. */
static bool h1reader_read_head(struct h1reader *r, struct span bytes)
{
	struct span rest = span_from(bytes, r->message_at);
	enum h1_problem problem = H1_PROBLEM_NONE;
	enum h1_result result;

	/* The head of the last message stays to be looked at until another one starts. */
	if (rest.len == 0)
		return false;
	result = r->kind == H1_REQUEST ? h1head_parse_request(&r->scan, rest, &r->head)
				       : h1head_parse_response(&r->scan, rest, &r->head);

	if (result == H1_MORE)
		return false;
	if (result == H1_BAD) {
		buf_printf(r->out, "at %u ", r->head.problem_at);
		h1reader_refuse(r, r->head.problem);
		return false;
	}
	h1reader_print_head(r, rest.ptr);
	if (!(r->kind == H1_REQUEST ? h1frame_request(&r->head, rest.ptr, &r->framing, &problem)
				    : h1frame_response(&r->head, rest.ptr, r->request_method,
						       &r->framing, &problem))) {
		h1reader_refuse(r, problem);
		return false;
	}
	h1reader_print_framing(r, rest.ptr);
	BUF_INIT_ARRAY(&r->trailers, r->trailer_bytes);
	h1body_start(&r->body, r->framing.body, r->framing.length, &r->trailers);
	r->body_at = r->message_at + r->head.head_len;
	r->in_body = true;
	return true;
}

static bool h1reader_read_body(struct h1reader *r, struct span bytes)
{
	struct span input = span_of(bytes.ptr + r->body_at, bytes.len - r->body_at);
	struct span piece;
	enum h1_body_event event;

	while ((event = h1body_next(&r->body, &input, &piece)) == H1_BODY_DATA)
		buf_add_escaped(r->out, piece, 100000);
	r->body_at = bytes.len - input.len;
	if (event == H1_BODY_MORE)
		return false;
	buf_add(r->out, SPAN("\n"));
	if (event == H1_BODY_BAD) {
		h1reader_refuse(r, r->body.problem);
		return false;
	}
	buf_add(r->out, SPAN("trailers "));
	buf_add_escaped(r->out, buf_span(&r->trailers), 100000);
	buf_add(r->out, SPAN("\n"));
	r->complete++;
	r->in_body = false;
	/* What follows a final response answers nobody: rule 44. */
	r->has_ended = !r->framing.keep_alive || (r->kind == H1_RESPONSE && r->head.status >= 200);
	r->message_at = r->body_at;
	h1head_start(&r->scan, NULL);
	return true;
}

/* All bytes there are by now, from the first one of the connection on. */
__attribute__((unused)) static void h1reader_read(struct h1reader *r, struct span bytes)
{
	while (!r->has_ended &&
	       (r->in_body ? h1reader_read_body(r, bytes) : h1reader_read_head(r, bytes)))
		continue;
}

/* The same bytes from the beginning: the first `first`, then `step` more at a time. */
__attribute__((unused)) static void h1reader_read_split(struct h1reader *r, struct span bytes,
							size_t first, size_t step)
{
	size_t len = first;

	for (;;) {
		h1reader_read(r, span_first(bytes, len));
		if (len >= bytes.len)
			return;
		len = bytes.len - len > step ? len + step : bytes.len;
	}
}

#endif
