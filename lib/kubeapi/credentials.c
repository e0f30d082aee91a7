#include "kubeapi/credentials.h"

#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/num.h"
#include "kubeapi/kubeconfig.h"
#include "kubeapi/serverurl.h"
#include "net/addr.h"
#include "sys/file.h"

/* Kubeconfigs, certificates and what they decode to. */
#define ARENA_MAX ((size_t)64 << 20)

static void init(struct credentials *c)
{
	*c = (struct credentials){.own_anchors = NULL};
	arena_init(&c->arena, ARENA_MAX);
}

static bool load_anchors(struct credentials *c, const char *path, struct error *e)
{
	struct span text;

	if (!file_read(&c->arena, path, ANCHORS_PEM_MAX, &text, e))
		return false;
	c->own_anchors = anchors_from_pem(text, e);
	c->config.anchors = c->own_anchors;
	return c->own_anchors != NULL || error_prefix_path(e, path);
}

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* "https://HOST:PORT" of the variables; brackets around an IPv6 host. */
static bool set_pod_server(struct credentials *c, const char *host, const char *port,
			   struct error *e)
{
	char storage[512];
	struct buf url;
	struct addr addr;
	bool is_ipv6 = addr_parse_ip(span_from_cstr(host), &addr) && addr.family == 6 &&
		       host[0] != '[';

	BUF_INIT_ARRAY(&url, storage);
	buf_printf(&url, is_ipv6 ? "https://[%s]:%s" : "https://%s:%s", host, port);
	if (!arena_copy(&c->arena, buf_span(&url), &c->config.server))
		return error_set(e, "out of memory");
	return true;
}

static bool check_server(const struct credentials *c, struct error *e)
{
	struct serverurl url;

	return serverurl_parse(c->config.server, &url, e);
}

bool credentials_in_cluster(struct credentials *c, const char *host, const char *port,
			    const char *token_file, const char *ca_file, struct error *e)
{
	init(c);
	if (!is_set(host))
		return error_set(e, "not in a cluster: KUBERNETES_SERVICE_HOST is not set");
	if (!set_pod_server(c, host, is_set(port) ? port : "443", e))
		return false;
	if (!check_server(c, e))
		return error_prefix(e, "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT");
	c->config.token_file = token_file != NULL ? token_file : CREDENTIALS_TOKEN_FILE;
	if (access(c->config.token_file, F_OK) != 0) {
		error_set(e, "no such file: is automountServiceAccountToken false for this pod?");
		return error_prefix_path(e, c->config.token_file);
	}
	return load_anchors(c, ca_file != NULL ? ca_file : CREDENTIALS_CA_FILE, e);
}

bool credentials_from_server(struct credentials *c, const char *server, const char *token_file,
			     const char *ca_file, const struct anchors *otherwise, struct error *e)
{
	init(c);
	c->config.server = span_from_cstr(server);
	if (!check_server(c, e))
		return error_prefix(e, "server");
	c->config.token_file = token_file;
	if (ca_file != NULL)
		return load_anchors(c, ca_file, e);
	c->config.anchors = otherwise;
	return true;
}

static bool is_given(const struct kubeconfig_field *field)
{
	return field->text.ptr != NULL;
}

static bool decode(struct credentials *c, const struct kubeconfig_field *field, struct span *out,
		   struct diag *diag)
{
	size_t size = base64_max(field->text.len), len, bad_at;
	uint8_t *bytes = arena_get(&c->arena, size);

	if (bytes == NULL)
		return kubeconfig_report(diag, field, "out of memory");
	if (base64_decode(field->text, bytes, size, &len, &bad_at) != BASE64_OK)
		return kubeconfig_report(diag, field, "not base64 from byte %zu on", bad_at + 1);
	*out = span_of(bytes, len);
	return true;
}

/* The text of data, or of a file; *field is then the one that it came by. */
static bool load(struct credentials *c, const struct kubeconfig_field *data,
		 const struct kubeconfig_field *file, size_t max_bytes, struct span *out,
		 const struct kubeconfig_field **field, struct diag *diag)
{
	struct error e;

	*field = is_given(data) ? data : file;
	if (is_given(data))
		return decode(c, data, out, diag);
	return file_read(&c->arena, file->text.ptr, max_bytes, out, &e) ||
	       kubeconfig_report(diag, file, "%s", e.text);
}

static void take_authority(struct credentials *c, const struct kubeconfig *k,
			   const struct anchors *otherwise, struct diag *diag)
{
	const struct kubeconfig_field *field;
	struct span text = {NULL, 0};
	struct error e;

	c->config.anchors = otherwise;
	if (!is_given(&k->ca_data) && !is_given(&k->ca_file))
		return;
	if (!load(c, &k->ca_data, &k->ca_file, ANCHORS_PEM_MAX, &text, &field, diag))
		return;
	c->own_anchors = anchors_from_pem(text, &e);
	c->config.anchors = c->own_anchors;
	if (c->own_anchors == NULL)
		kubeconfig_report(diag, field, "%s", e.text);
}

static void take_keypair(struct credentials *c, const struct kubeconfig *k, struct diag *diag)
{
	const struct kubeconfig_field *cert_field, *key_field;
	struct span cert = {NULL, 0}, key = {NULL, 0};
	struct error e;

	if (!is_given(&k->cert_data) && !is_given(&k->cert_file))
		return;
	if (!load(c, &k->cert_data, &k->cert_file, KEYPAIR_PEM_MAX, &cert, &cert_field, diag) ||
	    !load(c, &k->key_data, &k->key_file, KEYPAIR_PEM_MAX, &key, &key_field, diag))
		return;
	c->keypair = keypair_from_pem(cert, key, &e);
	c->config.keypair = c->keypair;
	if (c->keypair == NULL)
		kubeconfig_report(diag, cert_field, "%s", e.text);
}

static void take_all(struct credentials *c, const struct kubeconfig *k,
		     const struct anchors *otherwise, struct diag *diag)
{
	struct serverurl url;
	struct error e;

	c->context = k->context;
	c->config.server = k->server.text;
	c->config.tls_server_name = k->tls_server_name.text;
	if (is_given(&k->token_file))
		c->config.token_file = k->token_file.text.ptr;
	else
		c->config.token = k->token.text;
	take_authority(c, k, otherwise, diag);
	take_keypair(c, k, diag);
	if (!serverurl_parse(k->server.text, &url, &e))
		kubeconfig_report(diag, &k->server, "%s", e.text);
	else if (url.is_https && c->config.anchors == NULL && diag->errors == 0)
		kubeconfig_report(diag, &k->server,
				  "neither certificate-authority nor certificate-authority-data");
}

bool credentials_from_kubeconfig(struct credentials *c, const char *const *files, size_t count,
				 const char *context, const char *instead,
				 const struct anchors *otherwise, struct diag *diag)
{
	struct kubeconfig_file *texts;
	struct kubeconfig k;
	size_t there = 0;
	unsigned errors = diag->errors;
	struct error e;

	init(c);
	texts = arena_get_array(&c->arena, count, sizeof *texts);
	if (texts == NULL)
		return diag_report(diag, DIAG_ERROR, "out of memory");
	for (size_t i = 0; i < count; i++) {
		if (count > 1 && access(files[i], F_OK) != 0 && (there > 0 || i + 1 < count))
			continue;
		texts[there].path = files[i];
		if (!file_read(&c->arena, files[i], KUBECONFIG_MAX_BYTES, &texts[there++].text, &e))
			diag_report(diag, DIAG_ERROR, "%s", e.text);
	}
	if (diag->errors > errors ||
	    !kubeconfig_read(texts, there, context != NULL ? span_from_cstr(context) : SPAN(""),
			     instead, &c->arena, diag, &k))
		return false;
	take_all(c, &k, otherwise, diag);
	return diag->errors == errors;
}

void credentials_fini(struct credentials *c)
{
	anchors_free(c->own_anchors);
	keypair_free(c->keypair);
	arena_fini(&c->arena);
	c->config = (struct client_config){.server = {NULL, 0}};
	c->own_anchors = NULL;
	c->keypair = NULL;
}
