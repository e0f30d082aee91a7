#include "kubeapi/serverurl.h"

#include "http/h1char.h"
#include "net/hostname.h"
#include "net/hostport.h"

static bool refuse(struct span text, const char *problem, struct error *e)
{
	return error_quote(e, text, ": %s; expected https://HOST:PORT", problem);
}

/* Takes "https://" or "http://" off the front. */
static bool take_scheme(struct span *rest, struct serverurl *out)
{
	static const struct span https = {"https://", 8}, http = {"http://", 7};

	out->is_https = span_eq_nocase(span_first(*rest, https.len), https);
	if (!out->is_https && !span_eq_nocase(span_first(*rest, http.len), http))
		return false;
	*rest = span_from(*rest, out->is_https ? https.len : http.len);
	return true;
}

static const char *host_problem(const struct serverurl *url)
{
	struct addr addr;

	if (addr_parse_ip(url->host, &addr))
		return NULL;
	return hostname_problem(hostname_without_root(url->host));
}

/* The path without slashes at its end; false when it has what no target has, or a query. */
static bool take_prefix(struct span path, struct serverurl *out)
{
	if (!h1char_all(path, H1_CHAR_TARGET) || span_find(path, '?') != SIZE_MAX)
		return false;
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	out->prefix = path;
	return true;
}

bool serverurl_parse(struct span text, struct serverurl *out, struct error *e)
{
	struct serverurl url = {.is_https = false};
	struct span rest = text;
	struct hostport hp;
	const char *problem;
	size_t authority_len;

	if (!take_scheme(&rest, &url))
		return refuse(text, "neither https:// nor http:// in front", e);
	authority_len = span_find(rest, '/');
	if (!hostport_parse(span_first(rest, authority_len), &hp, &problem))
		return refuse(text, problem, e);
	url.host = hp.host;
	url.is_ipv6 = hp.is_ipv6;
	url.has_port = hp.port != 0;
	url.port = hp.port != 0 ? hp.port : url.is_https ? 443 : 80;
	problem = host_problem(&url);
	if (problem != NULL)
		return refuse(text, problem, e);
	if (addr_parse_ip(url.host, &url.addr))
		url.addr.port = url.port;
	else
		url.addr.family = 0;
	if (!take_prefix(span_from(rest, authority_len), &url))
		return refuse(text, "a path with a query, or with a byte that no URL has", e);
	*out = url;
	return true;
}

void serverurl_add_authority(const struct serverurl *url, struct buf *out)
{
	buf_add_cstr(out, url->is_ipv6 ? "[" : "");
	buf_add(out, url->host);
	buf_add_cstr(out, url->is_ipv6 ? "]" : "");
	if (url->has_port)
		buf_printf(out, ":%u", (unsigned)url->port);
}

void serverurl_format(const struct serverurl *url, struct buf *out)
{
	buf_add_cstr(out, url->is_https ? "https://" : "http://");
	serverurl_add_authority(url, out);
	buf_add(out, url->prefix);
}
