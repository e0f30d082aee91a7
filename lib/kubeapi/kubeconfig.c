#include "kubeapi/kubeconfig.h"

#include <string.h>

#include "base/buf.h"
#include "ydoc/ykeys.h"

#define PATH_TEXT_MAX 128
#define FILE_PATH_MAX 4096
/* Names listed in a message. */
#define NAMES_SHOWN_MAX 8

struct file {
	const char *path;
	struct ydoc_reader reader;
	const struct ydoc_node *root; /* NULL when there is none that could be read */
};

struct reading {
	struct file *files;
	size_t count;
	const char *instead;
	struct arena *arena;
	struct diag *diag;
	bool is_out_of_memory;
};

/* clusters[INDEX].cluster */
struct entry {
	const struct file *file;
	const char *list, *body_key;
	size_t index;
	const struct ydoc_node *body;
};

enum { ROOT_CURRENT_CONTEXT, ROOT_CONTEXTS, ROOT_CLUSTERS, ROOT_USERS, ROOT_KEYS };
enum { CONTEXT_CLUSTER, CONTEXT_USER, CONTEXT_KEYS };
enum {
	CLUSTER_SERVER,
	CLUSTER_TLS_SERVER_NAME,
	CLUSTER_INSECURE,
	CLUSTER_CA,
	CLUSTER_CA_DATA,
	CLUSTER_PROXY,
	CLUSTER_KEYS,
};
enum {
	USER_CERT,
	USER_CERT_DATA,
	USER_KEY,
	USER_KEY_DATA,
	USER_TOKEN,
	USER_TOKEN_FILE,
	USER_AS,
	USER_AS_UID,
	USER_AS_GROUPS,
	USER_NAME,
	USER_PASSWORD,
	USER_AUTH_PROVIDER,
	USER_EXEC,
	USER_KEYS,
};

static const struct ykey root_keys[ROOT_KEYS] = {
	[ROOT_CURRENT_CONTEXT] = {"current-context", YKEY_SCALAR},
	[ROOT_CONTEXTS] = {"contexts", YKEY_SEQUENCE},
	[ROOT_CLUSTERS] = {"clusters", YKEY_SEQUENCE},
	[ROOT_USERS] = {"users", YKEY_SEQUENCE},
};

static const struct ykey context_keys[CONTEXT_KEYS] = {
	[CONTEXT_CLUSTER] = {"cluster", YKEY_SCALAR},
	[CONTEXT_USER] = {"user", YKEY_SCALAR},
};

static const struct ykey cluster_keys[CLUSTER_KEYS] = {
	[CLUSTER_SERVER] = {"server", YKEY_TEXT},
	[CLUSTER_TLS_SERVER_NAME] = {"tls-server-name", YKEY_SCALAR},
	[CLUSTER_INSECURE] = {"insecure-skip-tls-verify", YKEY_SCALAR},
	[CLUSTER_CA] = {"certificate-authority", YKEY_TEXT},
	[CLUSTER_CA_DATA] = {"certificate-authority-data", YKEY_SCALAR},
	[CLUSTER_PROXY] = {"proxy-url", YKEY_TEXT},
};

static const struct ykey user_keys[USER_KEYS] = {
	[USER_CERT] = {"client-certificate", YKEY_TEXT},
	[USER_CERT_DATA] = {"client-certificate-data", YKEY_SCALAR},
	[USER_KEY] = {"client-key", YKEY_TEXT},
	[USER_KEY_DATA] = {"client-key-data", YKEY_SCALAR},
	[USER_TOKEN] = {"token", YKEY_SCALAR},
	[USER_TOKEN_FILE] = {"tokenFile", YKEY_TEXT},
	[USER_AS] = {"as", YKEY_ANY},
	[USER_AS_UID] = {"as-uid", YKEY_ANY},
	[USER_AS_GROUPS] = {"as-groups", YKEY_ANY},
	[USER_NAME] = {"username", YKEY_SCALAR},
	[USER_PASSWORD] = {"password", YKEY_SCALAR},
	[USER_AUTH_PROVIDER] = {"auth-provider", YKEY_MAPPING},
	[USER_EXEC] = {"exec", YKEY_MAPPING},
};

__attribute__((format(printf, 5, 6))) static bool complain(const struct reading *r,
							   const struct entry *entry,
							   struct ydoc_pos pos, const char *key,
							   const char *format, ...)
{
	const struct ydoc_path list = {.key = entry->list};
	const struct ydoc_path item = {.parent = &list, .index = entry->index};
	const struct ydoc_path body = {.parent = &item, .key = entry->body_key};
	const struct ydoc_path last = {.parent = &body, .key = key};
	va_list args;

	va_start(args, format);
	ydoc_vreport(r->diag, DIAG_ERROR, entry->file->path, pos, key != NULL ? &last : &body,
		     format, args);
	va_end(args);
	return false;
}

static void read_body(const struct reading *r, const struct entry *entry, const struct ykey *keys,
		      size_t count, const struct ydoc_node **values)
{
	const struct ydoc_path list = {.key = entry->list};
	const struct ydoc_path item = {.parent = &list, .index = entry->index};
	const struct ydoc_path body = {.parent = &item, .key = entry->body_key};
	const struct ykeys_context context = {r->diag, entry->file->path, &body};

	ykeys_read(&context, entry->body, keys, count, values);
}

static bool is_text(const struct ydoc_node *node, struct span text)
{
	return node != NULL && node->kind == YDOC_SCALAR && span_eq(node->text, text);
}

static bool is_empty(const struct ydoc_node *scalar)
{
	return ydoc_is_absent(scalar) || (scalar->kind == YDOC_SCALAR && scalar->text.len == 0);
}

static const struct ydoc_node *list_of(const struct file *file, const char *name)
{
	const struct ydoc_node *list = ydoc_get(file->root, span_from_cstr(name));

	return list != NULL && list->kind == YDOC_SEQUENCE ? list : NULL;
}

/* In one file: the first entry of the name, NULL when there is none. */
static const struct ydoc_node *find_in(const struct file *file, const char *list_name,
				       struct span name, size_t *index)
{
	const struct ydoc_node *list = list_of(file, list_name);

	*index = 0;
	if (list == NULL)
		return NULL;
	for (const struct ydoc_item *i = list->items; i != NULL; i = i->next, ++*index)
		if (is_text(ydoc_get(i->value, SPAN("name")), name))
			return i->value;
	return NULL;
}

/* "there are: a, b" for those who mistyped. */
static void add_names(const struct reading *r, const char *list_name, struct buf *out)
{
	unsigned shown = 0;

	for (size_t f = 0; f < r->count; f++) {
		const struct ydoc_node *list = list_of(&r->files[f], list_name);

		for (const struct ydoc_item *i = list != NULL ? list->items : NULL; i != NULL;
		     i = i->next) {
			const struct ydoc_node *name = ydoc_get(i->value, SPAN("name"));

			if (name == NULL || name->kind != YDOC_SCALAR || shown > NAMES_SHOWN_MAX)
				continue;
			buf_add_cstr(out, shown == 0 ? "; there are: " : ", ");
			if (shown++ == NAMES_SHOWN_MAX)
				buf_add_cstr(out, "...");
			else
				buf_add_escaped(out, name->text, 40);
		}
	}
}

/*
 * Finds LIST[i] of this name; `from`, `pos` and `key` are where the name was said, for the
 * complaint. `from` NULL: by the caller.
 */
static bool find_entry(const struct reading *r, struct span name, const struct entry *from,
		       const struct ydoc_node *said, const char *key, struct entry *out)
{
	char names[512], shown[YDOC_ESCAPED_MAX];
	struct buf others;

	for (size_t f = 0; f < r->count; f++) {
		const struct ydoc_node *item = find_in(&r->files[f], out->list, name, &out->index);

		if (item == NULL)
			continue;
		out->file = &r->files[f];
		out->body = ydoc_get(item, span_from_cstr(out->body_key));
		if (out->body != NULL && out->body->kind == YDOC_MAPPING)
			return true;
		return complain(r, out, item->pos, NULL, "expected a mapping");
	}
	BUF_INIT_ARRAY(&others, names);
	add_names(r, out->list, &others);
	if (from != NULL)
		return complain(r, from, said->pos, key, "no entry \"%s\" in %s%s",
				ydoc_escape(name, shown), out->list, buf_cstr(&others));
	return diag_report(r->diag, DIAG_ERROR, "%s: no entry \"%s\" in %s%s", r->files[0].path,
			   ydoc_escape(name, shown), out->list, buf_cstr(&others));
}

static const char *path_text(struct reading *r, const struct entry *entry, const char *key)
{
	char storage[PATH_TEXT_MAX];
	struct span copy;
	struct buf text;

	BUF_INIT_ARRAY(&text, storage);
	buf_printf(&text, "%s[%zu].%s.%s", entry->list, entry->index, entry->body_key, key);
	if (!arena_copy(r->arena, buf_span(&text), &copy)) {
		r->is_out_of_memory = true;
		return "";
	}
	return copy.ptr;
}

static void take_text(struct reading *r, const struct entry *entry, const char *key,
		      const struct ydoc_node *node, struct span text, struct kubeconfig_field *out)
{
	out->file = entry->file->path;
	out->pos = node->pos;
	out->path = path_text(r, entry, key);
	if (!arena_copy(r->arena, text, &out->text))
		r->is_out_of_memory = true;
}

static void take(struct reading *r, const struct entry *entry, const struct ykey *key,
		 const struct ydoc_node *node, struct kubeconfig_field *out)
{
	if (is_empty(node))
		return;
	/* What goes on as a C string must be all of one. */
	if (span_find(node->text, '\0') != SIZE_MAX)
		complain(r, entry, node->pos, key->name, "a NUL in a text");
	else
		take_text(r, entry, key->name, node, node->text, out);
}

/* A path that is not absolute begins where the kubeconfig is. */
static void take_path(struct reading *r, const struct entry *entry, const struct ykey *key,
		      const struct ydoc_node *node, struct kubeconfig_field *out)
{
	struct span file = span_from_cstr(entry->file->path);
	size_t slash = span_rfind(file, '/');
	char storage[FILE_PATH_MAX];
	struct buf path;

	if (is_empty(node) || node->text.ptr[0] == '/' || slash == SIZE_MAX) {
		take(r, entry, key, node, out);
		return;
	}
	BUF_INIT_ARRAY(&path, storage);
	buf_add(&path, span_first(file, slash + 1));
	buf_add(&path, node->text);
	if (path.truncated || span_find(node->text, '\0') != SIZE_MAX)
		complain(r, entry, node->pos, key->name, "no path of a file");
	else
		take_text(r, entry, key->name, node, buf_span(&path), out);
}

static void read_cluster(struct reading *r, const struct entry *entry, struct kubeconfig *out)
{
	const struct ydoc_node *v[CLUSTER_KEYS];

	read_body(r, entry, cluster_keys, CLUSTER_KEYS, v);
	if (is_empty(v[CLUSTER_SERVER]))
		complain(r, entry, entry->body->pos, "server", "missing");
	if (v[CLUSTER_INSECURE] != NULL && (ydoc_scalar_type(v[CLUSTER_INSECURE]) != YDOC_BOOL ||
					    ydoc_is_true(v[CLUSTER_INSECURE])))
		complain(r, entry, v[CLUSTER_INSECURE]->pos, "insecure-skip-tls-verify",
			 "the server is always verified here; give its certificate-authority, and "
			 "tls-server-name where it has another name");
	if (!is_empty(v[CLUSTER_PROXY]))
		complain(r, entry, v[CLUSTER_PROXY]->pos, "proxy-url",
			 "proxies are not used here; where kubectl works, pipe its output to here: "
			 "%s",
			 r->instead);
	take(r, entry, &cluster_keys[CLUSTER_SERVER], v[CLUSTER_SERVER], &out->server);
	take(r, entry, &cluster_keys[CLUSTER_TLS_SERVER_NAME], v[CLUSTER_TLS_SERVER_NAME],
	     &out->tls_server_name);
	take_path(r, entry, &cluster_keys[CLUSTER_CA], v[CLUSTER_CA], &out->ca_file);
	take(r, entry, &cluster_keys[CLUSTER_CA_DATA], v[CLUSTER_CA_DATA], &out->ca_data);
}

/* A mapping begins with its first key; what is meant is the key before it. */
static struct ydoc_pos key_pos(const struct entry *entry, const char *key,
			       const struct ydoc_node *value)
{
	const struct ydoc_item *item = ydoc_find(entry->body, span_from_cstr(key));

	return item != NULL ? item->key->pos : value->pos;
}

static void refuse_plugin(const struct reading *r, const struct entry *entry, const char *key,
			  const struct ydoc_node *plugin, const char *name_key, const char *why)
{
	const struct ydoc_node *name = ydoc_get(plugin, span_from_cstr(name_key));
	char shown[YDOC_ESCAPED_MAX] = "";

	if (name != NULL && name->kind == YDOC_SCALAR)
		ydoc_escape(name->text, shown);
	complain(r, entry, key_pos(entry, key, plugin), key,
		 "\"%s\" %s; where kubectl works, pipe its output to here: %s", shown, why,
		 r->instead);
}

/* With a token at hand, kubectl does not run them either. */
static void refuse_plugins(const struct reading *r, const struct entry *entry,
			   const struct ydoc_node **v)
{
	if (!is_empty(v[USER_TOKEN]) || !is_empty(v[USER_TOKEN_FILE]))
		return;
	if (v[USER_EXEC] != NULL)
		refuse_plugin(r, entry, "exec", v[USER_EXEC], "command",
			      "would have to be run for a token, which is not done here");
	if (v[USER_AUTH_PROVIDER] != NULL)
		refuse_plugin(r, entry, "auth-provider", v[USER_AUTH_PROVIDER], "name",
			      "is not known here");
}

static void refuse_other_identities(struct reading *r, const struct entry *entry,
				    const struct ydoc_node **v)
{
	static const int keys[] = {USER_AS, USER_AS_UID, USER_AS_GROUPS};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (v[keys[i]] != NULL && !is_empty(v[keys[i]]))
			complain(r, entry, v[keys[i]]->pos, user_keys[keys[i]].name,
				 "impersonation is not done here");
	if (!is_empty(v[USER_NAME]) || !is_empty(v[USER_PASSWORD]))
		complain(r, entry,
			 is_empty(v[USER_NAME]) ? v[USER_PASSWORD]->pos : v[USER_NAME]->pos,
			 is_empty(v[USER_NAME]) ? "password" : "username",
			 "passwords are not used here, nor by API servers since 1.19; expected a "
			 "token or a client-certificate");
}

static void read_user(struct reading *r, const struct entry *entry, struct kubeconfig *out)
{
	const struct ydoc_node *v[USER_KEYS];

	read_body(r, entry, user_keys, USER_KEYS, v);
	refuse_plugins(r, entry, v);
	refuse_other_identities(r, entry, v);
	take(r, entry, &user_keys[USER_TOKEN], v[USER_TOKEN], &out->token);
	take_path(r, entry, &user_keys[USER_TOKEN_FILE], v[USER_TOKEN_FILE], &out->token_file);
	take_path(r, entry, &user_keys[USER_CERT], v[USER_CERT], &out->cert_file);
	take(r, entry, &user_keys[USER_CERT_DATA], v[USER_CERT_DATA], &out->cert_data);
	take_path(r, entry, &user_keys[USER_KEY], v[USER_KEY], &out->key_file);
	take(r, entry, &user_keys[USER_KEY_DATA], v[USER_KEY_DATA], &out->key_data);
	if ((out->cert_file.text.ptr != NULL || out->cert_data.text.ptr != NULL) !=
	    (out->key_file.text.ptr != NULL || out->key_data.text.ptr != NULL))
		complain(r, entry, entry->body->pos, NULL,
			 "expected both a client-certificate and a client-key, or neither");
}

static void read_root(struct reading *r, struct file *file, struct span *current)
{
	const struct ydoc_node *v[ROOT_KEYS];
	const struct ykeys_context context = {r->diag, file->path, NULL};

	if (file->root == NULL)
		return;
	if (file->root->kind != YDOC_MAPPING) {
		ydoc_report(r->diag, DIAG_ERROR, file->path, file->root->pos, NULL,
			    "expected a kubeconfig, a mapping with contexts, clusters and users");
		file->root = NULL;
		return;
	}
	ykeys_read(&context, file->root, root_keys, ROOT_KEYS, v);
	if (current->len == 0 && !is_empty(v[ROOT_CURRENT_CONTEXT]))
		*current = v[ROOT_CURRENT_CONTEXT]->text;
}

static void read_context(struct reading *r, struct span name, struct kubeconfig *out)
{
	struct entry context = {.list = "contexts", .body_key = "context"};
	struct entry cluster = {.list = "clusters", .body_key = "cluster"};
	struct entry user = {.list = "users", .body_key = "user"};
	const struct ydoc_node *v[CONTEXT_KEYS];

	if (!arena_copy(r->arena, name, &out->context))
		r->is_out_of_memory = true;
	if (!find_entry(r, name, NULL, NULL, NULL, &context))
		return;
	read_body(r, &context, context_keys, CONTEXT_KEYS, v);
	if (is_empty(v[CONTEXT_CLUSTER]))
		complain(r, &context, context.body->pos, "cluster", "missing");
	else if (find_entry(r, v[CONTEXT_CLUSTER]->text, &context, v[CONTEXT_CLUSTER], "cluster",
			    &cluster))
		read_cluster(r, &cluster, out);
	/* Without a user, one calls as nobody. */
	if (!is_empty(v[CONTEXT_USER]) &&
	    find_entry(r, v[CONTEXT_USER]->text, &context, v[CONTEXT_USER], "user", &user))
		read_user(r, &user, out);
}

static void read_all(struct reading *r, const struct kubeconfig_file *files, struct span context,
		     struct kubeconfig *out)
{
	struct span current = context;

	for (size_t f = 0; f < r->count; f++) {
		struct file *file = &r->files[f];

		file->path = files[f].path;
		ydoc_reader_init(&file->reader, file->path, files[f].text, r->diag);
		if (!ydoc_reader_next(&file->reader, &file->root))
			file->root = NULL;
		read_root(r, file, &current);
	}
	if (current.len > 0)
		read_context(r, current, out);
	else if (r->diag->errors == 0)
		diag_report(r->diag, DIAG_ERROR,
			    "%s: current-context: not set; expected the name of a context",
			    files[0].path);
	for (size_t f = 0; f < r->count; f++)
		ydoc_reader_fini(&r->files[f].reader);
}

bool kubeconfig_read(const struct kubeconfig_file *files, size_t count, struct span context,
		     const char *instead, struct arena *arena, struct diag *diag,
		     struct kubeconfig *out)
{
	struct reading r = {.count = count, .arena = arena, .diag = diag};
	unsigned errors = diag->errors;

	*out = (struct kubeconfig){.context = {NULL, 0}};
	r.instead = instead != NULL ? instead : "kubectl get nodes -o json";
	if (count == 0 || count > KUBECONFIG_MAX_FILES)
		return diag_report(diag, DIAG_ERROR, "expected 1 to %d kubeconfig files",
				   KUBECONFIG_MAX_FILES);
	r.files = arena_get_array(arena, count, sizeof *r.files);
	if (r.files == NULL)
		return diag_report(diag, DIAG_ERROR, "%s: out of memory", files[0].path);
	read_all(&r, files, context, out);
	if (r.is_out_of_memory)
		diag_report(diag, DIAG_ERROR, "%s: out of memory", files[0].path);
	return diag->errors == errors;
}

bool kubeconfig_report(struct diag *diag, const struct kubeconfig_field *field, const char *format,
		       ...)
{
	const struct ydoc_path path = {.key = field->path};
	va_list args;

	va_start(args, format);
	ydoc_vreport(diag, DIAG_ERROR, field->file, field->pos, &path, format, args);
	va_end(args);
	return false;
}
