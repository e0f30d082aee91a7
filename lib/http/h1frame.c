#include "http/h1frame.h"

#include "base/num.h"
#include "http/h1char.h"
#include "net/hostport.h"

/* Content-Length and Max-Forwards: more digits are no number we count with. */
#define DIGITS_MAX 19

/* What Connection fields say: RFC 9110 section 7.6.1. */
struct options {
	bool close;
	bool keep_alive;
	bool upgrade;
};

static bool refuse(enum h1_problem *problem, enum h1_problem because)
{
	*problem = because;
	return false;
}

static struct h1_slice slice_of(const char *bytes, struct span text)
{
	return (struct h1_slice){(uint16_t)(text.ptr - bytes), (uint16_t)text.len};
}

/* Of a field that the head has. */
static struct span first_value(const struct h1_head *head, const char *bytes, enum h1_field_id id)
{
	return h1head_field_value(bytes, &head->fields[head->first[id]]);
}

/* The next field with this id at or behind *index, which is set to the one behind it. */
static const struct h1_field *next_field(const struct h1_head *head, enum h1_field_id id,
					 size_t *index)
{
	if (!h1head_has(head, id))
		return NULL;
	if (*index < head->first[id])
		*index = head->first[id];
	while (*index < head->field_count) {
		const struct h1_field *field = &head->fields[(*index)++];

		if (field->id == id)
			return field;
	}
	return NULL;
}

static bool read_options(const struct h1_head *head, const char *bytes, struct options *out,
			 enum h1_problem *problem)
{
	const struct h1_field *field;
	size_t index = 0;
	size_t count = 0;

	*out = (struct options){false, false, false};
	while ((field = next_field(head, H1_FIELD_CONNECTION, &index)) != NULL) {
		struct span rest = h1head_field_value(bytes, field);
		struct span option;

		while (h1frame_next_element(&rest, &option)) {
			if (++count > H1_OPTIONS_MAX)
				return refuse(problem, H1_PROBLEM_TOO_MANY_OPTIONS);
			out->close |= span_eq_nocase(option, SPAN("close"));
			out->keep_alive |= span_eq_nocase(option, SPAN("keep-alive"));
			out->upgrade |= span_eq_nocase(option, SPAN("upgrade"));
		}
	}
	return true;
}

/* RFC 9112 section 9.3, in its order */
static bool is_persistent(const struct h1_head *head, const struct options *options)
{
	if (options->close)
		return false;
	return head->version_minor == 1 || options->keep_alive;
}

/* Content-Length = 1*DIGIT; lists of equal numbers may be refused, RFC 9110 section 8.6 */
static bool read_length(const struct h1_head *head, const char *bytes, uint64_t *length,
			enum h1_problem *problem)
{
	struct span text = first_value(head, bytes, H1_FIELD_CONTENT_LENGTH);

	if (h1head_is_repeated(head, H1_FIELD_CONTENT_LENGTH))
		return refuse(problem, H1_PROBLEM_LENGTH_REPEATED);
	if (text.len > DIGITS_MAX || !num_parse_u64(text, 0, INT64_MAX, length))
		return refuse(problem, H1_PROBLEM_LENGTH_INVALID);
	return true;
}

/*
 * Why a Transfer-Encoding value is not just `chunked` (in any case). Codings we don't know are told
 * from lists that are wrong, RFC 9112 section 6.1: the first get 501. `identity` is no coding since
 * RFC 7230.
 */
static enum h1_problem coding_problem(struct span value)
{
	enum h1_problem problem = H1_PROBLEM_NONE;
	bool is_chunked = false;
	struct span rest = value;
	struct span coding;

	if (value.len == 0)
		return H1_PROBLEM_CODING_INVALID;
	while (span_split(&rest, ',', &coding)) {
		coding = span_trim(coding);
		if (coding.len == 0 || !h1char_all(coding, H1_CHAR_TOKEN) ||
		    span_eq_nocase(coding, SPAN("identity")))
			return H1_PROBLEM_CODING_INVALID;
		if (!span_eq_nocase(coding, SPAN("chunked"))) {
			if (is_chunked)
				return H1_PROBLEM_CODING_NOT_LAST;
			problem = H1_PROBLEM_CODING_UNKNOWN;
		} else if (is_chunked) {
			return H1_PROBLEM_CODING_REPEATED;
		} else {
			is_chunked = true;
		}
	}
	return problem;
}

static bool read_coding(const struct h1_head *head, const char *bytes, enum h1_problem *problem)
{
	enum h1_problem because;

	if (h1head_has(head, H1_FIELD_CONTENT_LENGTH))
		return refuse(problem, H1_PROBLEM_LENGTH_AND_CODING);
	if (head->version_minor == 0)
		return refuse(problem, H1_PROBLEM_CODING_IN_1_0);
	if (h1head_is_repeated(head, H1_FIELD_TRANSFER_ENCODING))
		return refuse(problem, H1_PROBLEM_CODING_REPEATED);
	because = coding_problem(first_value(head, bytes, H1_FIELD_TRANSFER_ENCODING));
	return because == H1_PROBLEM_NONE || refuse(problem, because);
}

/* RFC 9112 section 6.3, where Content-Length and Transfer-Encoding together are refused */
static bool read_body(const struct h1_head *head, const char *bytes, struct h1_framing *out,
		      enum h1_problem *problem)
{
	if (h1head_has(head, H1_FIELD_TRANSFER_ENCODING)) {
		out->body = H1_BODY_CHUNKED;
		return read_coding(head, bytes, problem);
	}
	if (h1head_has(head, H1_FIELD_CONTENT_LENGTH)) {
		out->body = H1_BODY_LENGTH;
		return read_length(head, bytes, &out->length, problem);
	}
	return true;
}

static bool has_body(const struct h1_framing *framing)
{
	return framing->body != H1_BODY_NONE &&
	       (framing->body != H1_BODY_LENGTH || framing->length > 0);
}

/* The authority of the target decides, but Host must not say otherwise: RFC 9112 section 3.2.2. */
static bool is_same_host(const struct h1_head *head, const struct hostport *target,
			 const struct hostport *host)
{
	uint16_t usual = head->target_is_https ? 443 : 80;

	if (!span_eq_nocase(target->host, host->host))
		return false;
	/* CONNECT always names the port; Host often does not. */
	if (head->target_form == H1_TARGET_AUTHORITY)
		return host->port == 0 || host->port == target->port;
	return (target->port != 0 ? target->port : usual) == (host->port != 0 ? host->port : usual);
}

static bool take_authority(const char *bytes, struct span text, const struct hostport *authority,
			   struct h1_framing *out)
{
	out->authority = slice_of(bytes, text);
	out->host = slice_of(bytes, authority->host);
	out->port = authority->port;
	out->host_is_ipv6 = authority->is_ipv6;
	return true;
}

/* RFC 9112 section 3.2: Host is there once and valid, even where the target overrides it */
static bool read_host(const struct h1_head *head, const char *bytes, struct h1_framing *out,
		      enum h1_problem *problem)
{
	bool in_target = head->target_form == H1_TARGET_ABSOLUTE ||
			 head->target_form == H1_TARGET_AUTHORITY;
	struct span target_text = h1head_text(bytes, head->authority);
	struct hostport target, host;
	struct span host_text;
	const char *ignored;

	if (in_target && !hostport_parse(target_text, &target, &ignored))
		return refuse(problem, H1_PROBLEM_TARGET_AUTHORITY);
	if (head->target_form == H1_TARGET_AUTHORITY && target.port == 0)
		return refuse(problem, H1_PROBLEM_CONNECT_PORT);
	if (!h1head_has(head, H1_FIELD_HOST)) {
		if (head->version_minor == 0 && in_target)
			return take_authority(bytes, target_text, &target, out);
		return refuse(problem, H1_PROBLEM_HOST_MISSING);
	}
	if (h1head_is_repeated(head, H1_FIELD_HOST))
		return refuse(problem, H1_PROBLEM_HOST_REPEATED);
	host_text = first_value(head, bytes, H1_FIELD_HOST);
	if (!hostport_parse(host_text, &host, &ignored))
		return refuse(problem, H1_PROBLEM_HOST_INVALID);
	if (!in_target)
		return take_authority(bytes, host_text, &host, out);
	if (!is_same_host(head, &target, &host))
		return refuse(problem, H1_PROBLEM_HOST_MISMATCH);
	return take_authority(bytes, target_text, &target, out);
}

/* RFC 9110 section 10.1.1: ignored from 1.0; without a body there is nothing to wait for */
static bool read_expect(const struct h1_head *head, const char *bytes, struct h1_framing *out,
			enum h1_problem *problem)
{
	const struct h1_field *field;
	size_t index = 0;

	if (head->version_minor == 0)
		return true;
	while ((field = next_field(head, H1_FIELD_EXPECT, &index)) != NULL) {
		if (!span_eq_nocase(h1head_field_value(bytes, field), SPAN("100-continue")))
			return refuse(problem, H1_PROBLEM_EXPECT_UNKNOWN);
		out->expects_continue = has_body(out);
	}
	return true;
}

/* RFC 9110 section 7.6.2 */
static bool read_max_forwards(const struct h1_head *head, const char *bytes, struct h1_framing *out,
			      enum h1_problem *problem)
{
	struct span text;
	uint64_t count;

	if ((head->method != H1_METHOD_TRACE && head->method != H1_METHOD_OPTIONS) ||
	    !h1head_has(head, H1_FIELD_MAX_FORWARDS))
		return true;
	text = first_value(head, bytes, H1_FIELD_MAX_FORWARDS);
	if (h1head_is_repeated(head, H1_FIELD_MAX_FORWARDS) || text.len > DIGITS_MAX ||
	    !num_parse_u64(text, 0, INT64_MAX, &count))
		return refuse(problem, H1_PROBLEM_MAX_FORWARDS_INVALID);
	out->is_last_hop = count == 0;
	return true;
}

/*
 * RFC 9110 section 7.8: ignored from 1.0 and without the connection option. A second Upgrade field
 * is ignored with the first, which a server may always do.
 */
static void read_upgrade(const struct h1_head *head, const char *bytes,
			 const struct options *options, struct h1_framing *out)
{
	struct span rest, protocol;

	if (!options->upgrade || head->version_minor == 0 || head->method == H1_METHOD_CONNECT ||
	    !h1head_has(head, H1_FIELD_UPGRADE) || h1head_is_repeated(head, H1_FIELD_UPGRADE))
		return;
	out->upgrade_offer = slice_of(bytes, first_value(head, bytes, H1_FIELD_UPGRADE));
	rest = h1head_text(bytes, out->upgrade_offer);
	while (h1frame_next_element(&rest, &protocol))
		out->upgrade |= !h1frame_is_h2(protocol);
}

static bool wants_trailers(const struct h1_head *head, const char *bytes)
{
	const struct h1_field *field;
	size_t index = 0;

	while ((field = next_field(head, H1_FIELD_TE, &index)) != NULL) {
		struct span rest = h1head_field_value(bytes, field);
		struct span coding;

		while (h1frame_next_element(&rest, &coding)) {
			if (span_eq_nocase(coding, SPAN("trailers")))
				return true;
		}
	}
	return false;
}

/*
 * RFC 9110 sections 9.3.6 and 9.3.8: what follows a CONNECT is the tunnel's, a TRACE has no
 * content.
 */
static bool may_have_body(const struct h1_head *head)
{
	return head->method != H1_METHOD_CONNECT && head->method != H1_METHOD_TRACE;
}

bool h1frame_is_h2(struct span protocol)
{
	return span_eq_nocase(protocol, SPAN("h2c")) || span_eq_nocase(protocol, SPAN("h2"));
}

bool h1frame_request(const struct h1_head *head, const char *bytes, struct h1_framing *out,
		     enum h1_problem *problem)
{
	struct options options;

	*out = (struct h1_framing){.body = H1_BODY_NONE};
	if (!read_body(head, bytes, out, problem) || !read_host(head, bytes, out, problem) ||
	    !read_options(head, bytes, &options, problem) ||
	    !read_expect(head, bytes, out, problem) ||
	    !read_max_forwards(head, bytes, out, problem))
		return false;
	if (has_body(out) && !may_have_body(head))
		return refuse(problem, H1_PROBLEM_BODY_FORBIDDEN);
	out->keep_alive = is_persistent(head, &options);
	out->trailers_ok = head->version_minor == 1 && wants_trailers(head, bytes);
	read_upgrade(head, bytes, &options, out);
	return true;
}

/* Framing fields mean nothing here, whatever they say: RFC 9112 section 6.3 items 1 and 2. */
static bool is_without_framing(const struct h1_head *head, enum h1_method request_method)
{
	return head->status < 200 || head->status == 204 ||
	       (request_method == H1_METHOD_CONNECT && head->status < 300);
}

/* A folded value of a field that decides something is not worth guessing at. */
static bool has_folded_framing(const struct h1_head *head)
{
	const uint64_t framing = UINT64_C(1) << H1_FIELD_CONTENT_LENGTH |
				 UINT64_C(1) << H1_FIELD_TRANSFER_ENCODING |
				 UINT64_C(1) << H1_FIELD_CONNECTION |
				 UINT64_C(1) << H1_FIELD_UPGRADE | UINT64_C(1) << H1_FIELD_TRAILER;

	return (head->folded & framing) != 0;
}

/* 101 Switching Protocols names what it switches to: RFC 9110 section 15.2.2 */
static bool read_switch(const struct h1_head *head, const char *bytes,
			const struct options *options, struct h1_framing *out,
			enum h1_problem *problem)
{
	read_upgrade(head, bytes, options, out);
	if (span_find(h1head_text(bytes, out->upgrade_offer), ',') != SIZE_MAX)
		out->upgrade = false;
	return out->upgrade || refuse(problem, H1_PROBLEM_UPGRADE_INVALID);
}

/* 205 Reset Content: what follows its head is never content, RFC 9110 section 15.3.6 */
static void drop_body(struct h1_framing *out)
{
	if (out->body != H1_BODY_LENGTH || out->length > 0)
		out->keep_alive = false;
	out->body = H1_BODY_NONE;
	out->length = 0;
}

bool h1frame_response(const struct h1_head *head, const char *bytes, enum h1_method request_method,
		      struct h1_framing *out, enum h1_problem *problem)
{
	struct options options;

	*out = (struct h1_framing){.body = H1_BODY_NONE};
	if (has_folded_framing(head))
		return refuse(problem, H1_PROBLEM_OBS_FOLD);
	if (!read_options(head, bytes, &options, problem))
		return false;
	out->keep_alive = is_persistent(head, &options);
	if (head->status == 101)
		return read_switch(head, bytes, &options, out, problem);
	if (is_without_framing(head, request_method))
		return true;
	out->body = H1_BODY_UNTIL_CLOSE;
	if (!read_body(head, bytes, out, problem))
		return false;
	if (request_method == H1_METHOD_HEAD || head->status == 304) {
		out->body = H1_BODY_NONE;
		out->length = 0;
	} else if (head->status == 205) {
		drop_body(out);
	} else if (out->body == H1_BODY_UNTIL_CLOSE) {
		out->keep_alive = false;
	}
	return true;
}

bool h1frame_upgrade_was_offered(struct span offered, struct span accepted)
{
	struct span offer;

	if (accepted.len == 0 || h1frame_is_h2(accepted))
		return false;
	while (h1frame_next_element(&offered, &offer)) {
		if (span_eq_nocase(offer, accepted))
			return true;
	}
	return false;
}

/* Via = #( received-protocol RWS received-by [ RWS comment ] ): the second word of each element */
bool h1frame_via_has(const struct h1_head *head, const char *bytes, struct span pseudonym)
{
	const struct h1_field *field;
	size_t index = 0;

	while ((field = next_field(head, H1_FIELD_VIA, &index)) != NULL) {
		struct span rest = h1head_field_value(bytes, field);
		struct span element;

		while (h1frame_next_element(&rest, &element)) {
			size_t at = h1char_skip(element.ptr, 0, element.len, H1_CHAR_TARGET);
			struct span by = span_trim(span_from(element, at));

			by.len = h1char_skip(by.ptr, 0, by.len, H1_CHAR_TARGET);
			if (span_eq_nocase(by, pseudonym))
				return true;
		}
	}
	return false;
}

bool h1frame_next_element(struct span *rest, struct span *element)
{
	while (span_split(rest, ',', element)) {
		*element = span_trim(*element);
		if (element->len > 0)
			return true;
	}
	return false;
}
