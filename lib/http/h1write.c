#include "http/h1write.h"

#include "base/num.h"
#include "http/h1char.h"

#define BIT(id) (UINT64_C(1) << H1_FIELD_##id)

/* Ids by trait, as bits. */
#define HOP_BIT(member, name, first, last, traits) | ((traits)&H1_TRAIT_HOP ? BIT(member) : 0)
#define INTERNAL_BIT(member, name, first, last, traits)                                            \
	| ((traits)&H1_TRAIT_INTERNAL ? BIT(member) : 0)
static const uint64_t hop_bits = 0 H1_FIELDS(HOP_BIT);
static const uint64_t internal_bits = BIT(INTERNAL) H1_FIELDS(INTERNAL_BIT);

/* Which fields of a head are not copied. */
struct filter {
	uint64_t dropped; /* bit per enum h1_field_id */
	struct span nominated
		[H1_OPTIONS_MAX]; /* by Connection; only names that `dropped` does not cover */
	size_t nominated_count;
};

/*
 * RFC 9110 section 7.6.1: what Connection names goes no further; but a field that is for all
 * recipients can't be taken out of the message that way.
 */
static void nominate(struct filter *f, struct span name)
{
	enum h1_field_id id = h1field_lookup(name);
	unsigned traits = h1field_traits(id);

	if ((traits & (H1_TRAIT_END_TO_END | H1_TRAIT_HOP)) != 0 ||
	    f->nominated_count == H1_OPTIONS_MAX)
		return;
	f->nominated[f->nominated_count++] = name;
}

static void filter_init(struct filter *f, const struct h1_head *head, const char *bytes,
			bool keep_internal)
{
	f->dropped = hop_bits | (keep_internal ? 0 : internal_bits);
	f->nominated_count = 0;
	if (!h1head_has(head, H1_FIELD_CONNECTION))
		return;
	for (size_t i = head->first[H1_FIELD_CONNECTION]; i < head->field_count; i++) {
		struct span rest = h1head_field_value(bytes, &head->fields[i]);
		struct span option;

		if (head->fields[i].id != H1_FIELD_CONNECTION)
			continue;
		while (h1frame_next_element(&rest, &option))
			nominate(f, option);
	}
}

static bool is_dropped(const struct filter *f, const struct h1_field *field, struct span name)
{
	if ((f->dropped >> field->id & 1) != 0)
		return true;
	for (size_t i = 0; i < f->nominated_count; i++) {
		if (span_eq_nocase(f->nominated[i], name))
			return true;
	}
	return false;
}

static void add_field(struct buf *out, struct span name, struct span value)
{
	buf_add(out, name);
	buf_add(out, SPAN(": "));
	buf_add(out, value);
	buf_add(out, SPAN("\r\n"));
}

static void add_number_field(struct buf *out, struct span name, uint64_t value)
{
	buf_add(out, name);
	buf_add(out, SPAN(": "));
	buf_add_u64(out, value);
	buf_add(out, SPAN("\r\n"));
}

/* obs-fold becomes white space: RFC 9112 section 5.2. */
static void add_folded_field(struct buf *out, struct span name, struct span value)
{
	buf_add(out, name);
	buf_add(out, SPAN(": "));
	for (size_t i = 0; i < value.len; i++)
		buf_add_byte(out, h1char_is(value.ptr[i], H1_CHAR_VALUE) ? value.ptr[i] : ' ');
	buf_add(out, SPAN("\r\n"));
}

/*
 * The field line, when it is written as we would write it: one blank behind the colon, none at the
 * end. Nearly all are, and go in one piece. Empty otherwise.
 */
static struct span whole_line(const char *bytes, const struct h1_field *field)
{
	size_t colon = (size_t)field->name_at + field->name_len;
	size_t end = (size_t)field->value_at + field->value_len;

	if (field->is_folded || field->value_at != colon + 2 || bytes[colon + 1] != ' ' ||
	    bytes[end] != '\r')
		return SPAN("");
	return span_of(bytes + field->name_at, end + 2 - field->name_at);
}

/*
 * Those that are for the next recipient too, in their order, byte for byte. Lines that stand side
 * by side and need no change are copied together.
 */
static void add_fields(struct buf *out, const struct h1_head *head, const char *bytes,
		       const struct filter *f)
{
	struct span run = SPAN("");

	for (size_t i = 0; i < head->field_count; i++) {
		const struct h1_field *field = &head->fields[i];
		struct span name = h1head_field_name(bytes, field);
		struct span value = h1head_field_value(bytes, field);
		struct span line;

		if (is_dropped(f, field, name))
			continue;
		line = whole_line(bytes, field);
		if (line.len > 0 && line.ptr == run.ptr + run.len) {
			run.len += line.len;
			continue;
		}
		buf_add(out, run);
		run = line;
		if (line.len > 0)
			continue;
		if (field->is_folded)
			add_folded_field(out, name, value);
		else
			add_field(out, name, value);
	}
	buf_add(out, run);
}

static void add_framing(struct buf *out, enum h1_body_kind body, uint64_t length)
{
	if (body == H1_BODY_LENGTH)
		add_number_field(out, SPAN("Content-Length"), length);
	else if (body == H1_BODY_CHUNKED)
		add_field(out, SPAN("Transfer-Encoding"), SPAN("chunked"));
}

/*
 * The elements of an Upgrade value but for HTTP/2, which goes no further than us. Not longer than
 * it.
 */
static void add_upgrade(struct buf *out, struct span offer)
{
	struct span before = SPAN("Upgrade: ");
	struct span protocol;

	while (h1frame_next_element(&offer, &protocol)) {
		if (h1frame_is_h2(protocol))
			continue;
		buf_add(out, before);
		buf_add(out, protocol);
		before = SPAN(",");
	}
	if (before.len == 1)
		buf_add(out, SPAN("\r\n"));
}

static bool is_sendable(struct span text)
{
	return h1char_skip_value(text.ptr, 0, text.len) == text.len;
}

/* request-target in the form that an origin server wants: RFC 9112 section 3.2.1, 3.2.4 */
static void add_target(struct buf *out, const struct h1_head *head, const char *bytes,
		       struct span host)
{
	struct span path = h1head_text(bytes, head->path);

	switch ((enum h1_target_form)head->target_form) {
	case H1_TARGET_ORIGIN:
		buf_add(out, path);
		break;
	case H1_TARGET_ABSOLUTE:
		if (path.len == 0 && head->method == H1_METHOD_OPTIONS)
			buf_add(out, SPAN("*"));
		else if (path.len == 0 || path.ptr[0] != '/')
			buf_add(out, SPAN("/"));
		buf_add(out, path);
		break;
	case H1_TARGET_AUTHORITY:
		buf_add(out, host);
		break;
	case H1_TARGET_ASTERISK:
		buf_add(out, SPAN("*"));
		break;
	}
}

/* RFC 9110 section 7.6.2; h1frame has seen to it that it is a number, and not 0. */
static void add_max_forwards(struct buf *out, const struct h1_head *head, const char *bytes)
{
	const struct h1_field *field = h1head_first(head, H1_FIELD_MAX_FORWARDS);
	uint64_t count;

	if (field != NULL && num_parse_u64(h1head_field_value(bytes, field), 1, INT64_MAX, &count))
		add_number_field(out, SPAN("Max-Forwards"), count - 1);
}

/* What is between this connection's ends: RFC 9110 sections 10.1.4 and 7.8 */
static void add_request_hop_fields(struct buf *out, const char *bytes,
				   const struct h1_framing *framing)
{
	if (framing->trailers_ok && framing->upgrade)
		add_field(out, SPAN("Connection"), SPAN("TE, upgrade"));
	else if (framing->trailers_ok)
		add_field(out, SPAN("Connection"), SPAN("TE"));
	else if (framing->upgrade)
		add_field(out, SPAN("Connection"), SPAN("upgrade"));
	if (framing->trailers_ok)
		add_field(out, SPAN("TE"), SPAN("trailers"));
	if (framing->upgrade)
		add_upgrade(out, h1head_text(bytes, framing->upgrade_offer));
}

/* RFC 9110 section 7.6.3: the version that the message came with, and who we are */
static void add_via(struct buf *out, const struct h1_head *head, struct span pseudonym)
{
	buf_add(out, head->version_minor == 0 ? SPAN("Via: 1.0 ") : SPAN("Via: 1.1 "));
	buf_add(out, pseudonym);
	buf_add(out, SPAN("\r\n"));
}

bool h1write_request(const struct h1_head *head, const char *bytes,
		     const struct h1_framing *framing, const struct h1_request_rewrite *rewrite,
		     struct buf *out)
{
	bool counts_down = head->method == H1_METHOD_TRACE || head->method == H1_METHOD_OPTIONS;
	struct filter f;

	if (rewrite->host.len == 0 || !is_sendable(rewrite->host) || !is_sendable(rewrite->via))
		return false;
	filter_init(&f, head, bytes, rewrite->keep_internal);
	f.dropped |= BIT(HOST) | BIT(CONTENT_LENGTH);
	if (!framing->expects_continue)
		f.dropped |= BIT(EXPECT);
	if (counts_down)
		f.dropped |= BIT(MAX_FORWARDS);
	if (rewrite->keep_trailers && framing->body == H1_BODY_CHUNKED)
		f.dropped &= ~BIT(TRAILER);

	buf_add(out, h1head_text(bytes, head->method_text));
	buf_add(out, SPAN(" "));
	add_target(out, head, bytes, rewrite->host);
	buf_add(out, SPAN(" HTTP/1.1\r\n"));
	add_field(out, SPAN("Host"), rewrite->host);
	add_fields(out, head, bytes, &f);
	if (counts_down)
		add_max_forwards(out, head, bytes);
	if (rewrite->via.len > 0)
		add_via(out, head, rewrite->via);
	add_request_hop_fields(out, bytes, framing);
	add_framing(out, framing->body, framing->length);
	buf_add(out, SPAN("\r\n"));
	return !out->truncated;
}

static void add_status_line(struct buf *out, unsigned status, struct span reason)
{
	buf_add(out, SPAN("HTTP/1.1 "));
	buf_add_u64(out, status);
	buf_add(out, SPAN(" "));
	buf_add(out, reason);
	buf_add(out, SPAN("\r\n"));
}

static void add_connection(struct buf *out, enum h1_connection connection)
{
	if (connection == H1_CONNECTION_CLOSE)
		add_field(out, SPAN("Connection"), SPAN("close"));
	else if (connection == H1_CONNECTION_KEEP_ALIVE)
		add_field(out, SPAN("Connection"), SPAN("keep-alive"));
}

/*
 * 101 says what is spoken from here on, 426 what should have been (RFC 9110 sections 15.2.2,
 * 15.5.22): the client asked upstream through us, so the answer goes back the same way.
 */
static void add_response_connection(struct buf *out, const struct h1_head *head, const char *bytes,
				    enum h1_connection connection)
{
	const struct h1_field *upgrade = h1head_first(head, H1_FIELD_UPGRADE);

	if (upgrade == NULL || upgrade->is_folded || (head->status != 101 && head->status != 426)) {
		add_connection(out, connection);
		return;
	}
	if (head->status == 426 && connection == H1_CONNECTION_CLOSE)
		add_field(out, SPAN("Connection"), SPAN("upgrade, close"));
	else
		add_field(out, SPAN("Connection"), SPAN("upgrade"));
	add_upgrade(out, h1head_field_value(bytes, upgrade));
}

/*
 * RFC 9110 section 8.6: neither in 1xx nor in 204; in 304 and for HEAD it is the length of a 200.
 */
static void add_response_framing(struct buf *out, const struct h1_head *head, const char *bytes,
				 const struct h1_response_rewrite *rewrite)
{
	const struct h1_field *length = h1head_first(head, H1_FIELD_CONTENT_LENGTH);

	if (head->status < 200 || head->status == 204)
		return;
	if (!rewrite->is_head && head->status != 304)
		add_framing(out, rewrite->body, rewrite->length);
	else if (length != NULL)
		add_field(out, SPAN("Content-Length"), h1head_field_value(bytes, length));
}

bool h1write_response(const struct h1_head *head, const char *bytes,
		      const struct h1_response_rewrite *rewrite, struct buf *out)
{
	struct filter f;

	if (!is_sendable(rewrite->date))
		return false;
	filter_init(&f, head, bytes, rewrite->keep_internal);
	f.dropped |= BIT(CONTENT_LENGTH);
	if (rewrite->keep_trailers && rewrite->body == H1_BODY_CHUNKED)
		f.dropped &= ~BIT(TRAILER);

	add_status_line(out, head->status, h1head_text(bytes, head->reason));
	add_fields(out, head, bytes, &f);
	if (head->status >= 200 && rewrite->date.len > 0 && !h1head_has(head, H1_FIELD_DATE))
		add_field(out, SPAN("Date"), rewrite->date);
	add_response_connection(out, head, bytes, rewrite->connection);
	add_response_framing(out, head, bytes, rewrite);
	buf_add(out, SPAN("\r\n"));
	return !out->truncated;
}

/* A line of text that quotes what a peer sent: one line it stays, whatever that was. */
static void add_line(struct buf *out, struct span line)
{
	for (size_t i = 0; i < line.len; i++)
		buf_add_byte(out, h1char_is(line.ptr[i], H1_CHAR_VALUE) ? line.ptr[i] : '?');
	buf_add(out, SPAN("\n"));
}

bool h1write_error(unsigned status, const struct h1_error_reply *reply, struct buf *out)
{
	if (!is_sendable(reply->date) || !h1char_all(reply->extra_name, H1_CHAR_TOKEN) ||
	    !is_sendable(reply->extra_value))
		return false;
	add_status_line(out, status, span_from_cstr(h1write_reason(status)));
	if (reply->date.len > 0)
		add_field(out, SPAN("Date"), reply->date);
	add_field(out, SPAN("Content-Type"), SPAN("text/plain; charset=utf-8"));
	if (reply->extra_name.len > 0)
		add_field(out, reply->extra_name, reply->extra_value);
	add_connection(out, reply->connection);
	add_number_field(out, SPAN("Content-Length"), reply->line.len + 1);
	buf_add(out, SPAN("\r\n"));
	if (!reply->is_head)
		add_line(out, reply->line);
	return !out->truncated;
}

void h1write_continue(struct buf *out)
{
	buf_add(out, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
}

struct status {
	unsigned code;
	const char *reason;
};

/* The ones of RFC 9110 section 15, and 431 of RFC 6585, 508 of RFC 5842. */
static const struct status statuses[] = {
	{100, "Continue"},
	{101, "Switching Protocols"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{203, "Non-Authoritative Information"},
	{204, "No Content"},
	{205, "Reset Content"},
	{206, "Partial Content"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"},
	{417, "Expectation Failed"},
	{421, "Misdirected Request"},
	{422, "Unprocessable Content"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
	{508, "Loop Detected"},
};

const char *h1write_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		if (statuses[i].code == status)
			return statuses[i].reason;
	}
	return "Unknown";
}

void h1write_chunk_start(uint64_t size, struct buf *out)
{
	buf_add_hex(out, size);
	buf_add(out, SPAN("\r\n"));
}

void h1write_chunk_end(struct buf *out)
{
	buf_add(out, SPAN("\r\n"));
}

void h1write_last_chunk(struct span trailers, struct buf *out)
{
	buf_add(out, SPAN("0\r\n"));
	buf_add(out, trailers);
	buf_add(out, SPAN("\r\n"));
}
