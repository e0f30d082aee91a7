#include "kube/tls.h"

#include "net/addr.h"
#include "net/hostname.h"

enum { CA_FILE, CERT_FILE, KEY_FILE, SNI, NAMES, MIN_VERSION, VERIFY, TLS_KEYS };

static const struct ykey keys[TLS_KEYS] = {
	[CA_FILE] = {KUBE_TLS_PREFIX "ca-file", YKEY_TEXT},
	[CERT_FILE] = {KUBE_TLS_PREFIX "cert-file", YKEY_TEXT},
	[KEY_FILE] = {KUBE_TLS_PREFIX "key-file", YKEY_TEXT},
	[SNI] = {KUBE_TLS_PREFIX "sni", YKEY_TEXT},
	[NAMES] = {KUBE_TLS_PREFIX "names", YKEY_TEXT},
	[MIN_VERSION] = {KUBE_TLS_PREFIX "min-version", YKEY_TEXT},
	[VERIFY] = {KUBE_TLS_PREFIX "verify", YKEY_TEXT},
};

/* The annotations under way. */
struct reading {
	const struct ykeys_context *context;
	struct arena *arena;
	struct kube_tls *tls;
	bool is_out_of_memory;
};

static void complain(const struct reading *r, int key, const struct ydoc_node *value,
		     const char *problem)
{
	char shown[YDOC_ESCAPED_MAX];

	ykeys_report(r->context, DIAG_ERROR, value->pos, keys[key].name, "\"%s\": %s",
		     ydoc_escape(value->text, shown), problem);
}

static struct kube_pos pos_of(const struct reading *r, const struct ydoc_node *value)
{
	return (struct kube_pos){r->context->file, value->pos.line, value->pos.col};
}

static void copy(struct reading *r, struct span text, struct span *out)
{
	if (!arena_copy(r->arena, text, out))
		r->is_out_of_memory = true;
}

static void read_file(struct reading *r, int key, const struct ydoc_node *value,
		      struct kube_tls_file *out)
{
	if (value == NULL)
		return;
	out->pos = pos_of(r, value);
	if (span_starts_with(value->text, SPAN("/")) && span_find(value->text, '\0') == SIZE_MAX)
		copy(r, value->text, &out->path);
	else
		complain(r, key, value, "expected an absolute path");
}

static void read_sni(struct reading *r, const struct ydoc_node *value)
{
	const char *problem;

	if (value == NULL)
		return;
	problem = hostname_problem(hostname_without_root(value->text));
	if (problem != NULL)
		complain(r, SNI, value, problem);
	else
		copy(r, hostname_without_root(value->text), &r->tls->sni);
}

/* The names, each without the blanks around it and the root's dot, at `at`. */
static const char *join_names(struct span list, char *at, size_t *len)
{
	struct span name;
	struct addr addr;

	for (*len = 0; span_split(&list, ',', &name);) {
		name = hostname_without_root(span_trim(name));
		if (!addr_parse_ip(name, &addr) && hostname_problem(name) != NULL)
			return "expected DNS names and IP addresses, separated by commas";
		if (*len > 0)
			at[(*len)++] = ',';
		memcpy(at + *len, name.ptr, name.len);
		*len += name.len;
	}
	at[*len] = '\0';
	return NULL;
}

static void read_names(struct reading *r, const struct ydoc_node *value)
{
	const char *problem;
	size_t len;
	char *at;

	if (value == NULL)
		return;
	at = arena_get(r->arena, value->text.len + 1);
	if (at == NULL) {
		r->is_out_of_memory = true;
		return;
	}
	problem = join_names(value->text, at, &len);
	if (problem != NULL)
		complain(r, NAMES, value, problem);
	else
		r->tls->names = span_of(at, len);
}

/* What asks for less than is done is granted; what asks for more must not pass for it. */
static void check_version(struct reading *r, const struct ydoc_node *value)
{
	if (value == NULL || span_eq(value->text, SPAN("1.2")))
		return;
	if (span_eq(value->text, SPAN("1.0")) || span_eq(value->text, SPAN("1.1")))
		ykeys_report(r->context, DIAG_WARNING, value->pos, keys[MIN_VERSION].name,
			     "is taken as 1.2: nothing older is spoken");
	else
		complain(r, MIN_VERSION, value,
			 span_eq(value->text, SPAN("1.3")) ? "TLS 1.2 is the newest that is spoken"
							   : "expected 1.2");
}

static void read_verify(struct reading *r, const struct ydoc_node *value)
{
	if (value == NULL || span_eq(value->text, SPAN("true")))
		return;
	if (!span_eq(value->text, SPAN("false"))) {
		complain(r, VERIFY, value, "expected true or false");
		return;
	}
	r->tls->is_unverified = true;
	ykeys_report(r->context, DIAG_WARNING, value->pos, keys[VERIFY].name,
		     "the host is NOT verified: anybody on the way can read and change everything");
}

static bool is_known(struct span name)
{
	for (size_t i = 0; i < TLS_KEYS; i++)
		if (span_eq(name, span_from_cstr(keys[i].name)))
			return true;
	return false;
}

static void refuse_unknown(const struct ykeys_context *context, const struct ydoc_node *annotations)
{
	char shown[YDOC_ESCAPED_MAX];

	for (const struct ydoc_item *i = annotations->items; i != NULL; i = i->next)
		if (i->key->kind == YDOC_SCALAR &&
		    span_starts_with(i->key->text, SPAN(KUBE_TLS_PREFIX)) &&
		    !is_known(i->key->text))
			ykeys_report(context, DIAG_ERROR, i->key->pos, NULL,
				     "\"%s\" is not known: expected ca-file, cert-file, key-file, "
				     "sni, names, min-version or verify behind " KUBE_TLS_PREFIX,
				     ydoc_escape(i->key->text, shown));
}

static void check_pair(const struct reading *r)
{
	const struct kube_tls *tls = r->tls;
	bool has_cert = tls->cert.path.ptr != NULL, has_key = tls->key.path.ptr != NULL;
	const struct kube_pos *pos = has_cert ? &tls->cert.pos : &tls->key.pos;
	struct ydoc_pos at = {.line = pos->line, .col = pos->col};

	if (has_cert != has_key)
		ykeys_report(r->context, DIAG_ERROR, at, keys[has_cert ? CERT_FILE : KEY_FILE].name,
			     "needs %s as well", keys[has_cert ? KEY_FILE : CERT_FILE].name);
}

bool kube_tls_read(const struct ykeys_context *context, const struct ydoc_node *annotations,
		   struct arena *arena, const struct kube_tls **out)
{
	const struct ydoc_node *values[TLS_KEYS];
	struct reading r = {.context = context, .arena = arena};
	size_t first = 0;

	*out = NULL;
	refuse_unknown(context, annotations);
	ykeys_read(context, annotations, keys, TLS_KEYS, values);
	while (first < TLS_KEYS && values[first] == NULL)
		first++;
	if (first == TLS_KEYS)
		return true;
	r.tls = arena_get(arena, sizeof *r.tls);
	if (r.tls == NULL)
		return false;
	r.tls->pos = pos_of(&r, values[first]);
	read_file(&r, CA_FILE, values[CA_FILE], &r.tls->ca);
	read_file(&r, CERT_FILE, values[CERT_FILE], &r.tls->cert);
	read_file(&r, KEY_FILE, values[KEY_FILE], &r.tls->key);
	read_sni(&r, values[SNI]);
	read_names(&r, values[NAMES]);
	check_version(&r, values[MIN_VERSION]);
	read_verify(&r, values[VERIFY]);
	check_pair(&r);
	*out = r.tls;
	return !r.is_out_of_memory;
}
