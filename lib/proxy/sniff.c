#include "proxy/sniff.h"

#include "base/ascii.h"
#include "http/h1char.h"
#include "http/h1head.h"

/* Empty lines that h1head lets pass before a request line. */
#define EMPTY_LINES_MAX 2

static bool is_known_method(struct span token)
{
	for (int m = H1_METHOD_OTHER + 1; m < H1_METHOD_COUNT; m++)
		if (span_eq(token, span_from_cstr(h1head_method_name((enum h1_method)m))))
			return true;
	return false;
}

/* Does what there is agree with the text as far as both go? */
static bool fits(struct span bytes, struct span text)
{
	size_t len = bytes.len < text.len ? bytes.len : text.len;

	return span_eq_nocase(span_first(bytes, len), span_first(text, len));
}

/* origin-form, asterisk-form or an absolute-form of http (RFC 9112 section 3.2) */
static enum sniff_result sniff_target(struct span rest)
{
	struct span scheme = SPAN("http");

	if (rest.len == 0)
		return SNIFF_MORE;
	if (rest.ptr[0] == '/' || rest.ptr[0] == '*')
		return SNIFF_HTTP;
	if (!fits(rest, scheme))
		return SNIFF_OTHER;
	return rest.len >= scheme.len ? SNIFF_HTTP : SNIFF_MORE;
}

static enum sniff_result sniff_request(struct span bytes)
{
	size_t len = h1char_skip(bytes.ptr, 0, bytes.len, H1_CHAR_TOKEN);

	if (len > H1_METHOD_MAX)
		return SNIFF_OTHER;
	if (len == bytes.len)
		return SNIFF_MORE;
	if (len == 0 || bytes.ptr[len] != ' ')
		return SNIFF_OTHER;
	if (is_known_method(span_first(bytes, len)))
		return SNIFF_HTTP;
	return sniff_target(span_from(bytes, len + 1));
}

enum sniff_result sniff_bytes(struct span bytes, struct hello *hello)
{
	switch (hello_parse(bytes, hello)) {
	case HELLO_OK:
		return SNIFF_TLS;
	case HELLO_MORE:
		return SNIFF_MORE;
	case HELLO_BAD:
	default:
		break;
	}
	if (hello->is_tls)
		return SNIFF_OTHER;
	for (int i = 0; i < EMPTY_LINES_MAX && fits(bytes, SPAN("\r\n")); i++) {
		if (bytes.len < 2)
			return SNIFF_MORE;
		bytes = span_from(bytes, 2);
	}
	return sniff_request(bytes);
}
