#include "ydoc/ykeys.h"

#include "base/nearest.h"

/* Farther than this a key is likelier another one of Kubernetes' than a slip. */
#define MAX_SLIPS 2

/* No more unknown keys of one mapping are compared: no object of Kubernetes has as many. */
#define MAX_UNKNOWN 100

/* Without strlen first: every key of every document comes by here. */
static bool is_name(struct span text, const char *name)
{
	size_t i = 0;

	while (i < text.len && name[i] != '\0' && name[i] == text.ptr[i])
		i++;
	return i == text.len && name[i] == '\0';
}

static size_t find(const struct ykey *keys, size_t count, const struct ydoc_node *key)
{
	size_t i = 0;

	if (key->kind != YDOC_SCALAR)
		return count;
	while (i < count && !is_name(key->text, keys[i].name))
		i++;
	return i;
}

static bool is_of_kind(const struct ydoc_node *value, enum ykey_kind kind)
{
	switch (kind) {
	case YKEY_TEXT:
		return value->kind == YDOC_SCALAR && ydoc_scalar_type(value) == YDOC_TEXT;
	case YKEY_SCALAR:
		return value->kind == YDOC_SCALAR;
	case YKEY_MAPPING:
		return value->kind == YDOC_MAPPING;
	case YKEY_SEQUENCE:
		return value->kind == YDOC_SEQUENCE;
	default:
		return true;
	}
}

bool ykeys_report(const struct ykeys_context *context, enum diag_level level, struct ydoc_pos pos,
		  const char *key, const char *format, ...)
{
	struct ydoc_path path = {.parent = context->path, .key = key};
	va_list args;
	bool ok;

	va_start(args, format);
	ok = ydoc_vreport(context->diag, level, context->file, pos,
			  key != NULL ? &path : context->path, format, args);
	va_end(args);
	return ok;
}

/* The value if it is there and what it should be. */
static const struct ydoc_node *check_kind(const struct ykeys_context *context,
					  const struct ykey *key, const struct ydoc_node *value)
{
	static const char *const expected[] = {
		[YKEY_TEXT] = "text",
		[YKEY_SCALAR] = "a single value",
		[YKEY_MAPPING] = "a mapping",
		[YKEY_SEQUENCE] = "a list",
	};
	bool needs_quotes = key->kind == YKEY_TEXT && value != NULL && value->kind == YDOC_SCALAR;

	if (ydoc_is_absent(value))
		return NULL;
	if (is_of_kind(value, key->kind))
		return value;
	ykeys_report(context, DIAG_ERROR, value->pos, key->name, "expected %s, found %s%s",
		     expected[key->kind], ydoc_describe(value),
		     needs_quotes ? ": put it in quotes" : "");
	return NULL;
}

static void report_repeated(const struct ykeys_context *context, const struct ykey *key,
			    const struct ydoc_node *mapping, const struct ydoc_node *again)
{
	const struct ydoc_item *first = mapping->items;

	while (first->key->kind != YDOC_SCALAR || !span_eq(first->key->text, again->text))
		first = first->next;
	ykeys_report(context, DIAG_ERROR, again->pos, key->name,
		     "key is given twice, first on line %u", first->key->pos.line);
}

/* A key that is not in the table: perhaps one that is missing was meant. */
static void warn_of_slip(const struct ykeys_context *context, const struct ydoc_node *key,
			 const struct ykey *keys, size_t count,
			 const struct ydoc_node *const *values)
{
	char word[YDOC_ESCAPED_MAX];
	struct nearest nearest;

	if (key->kind != YDOC_SCALAR)
		return;
	nearest_init(&nearest, key->text);
	for (size_t i = 0; i < count; i++)
		if (values[i] == NULL)
			nearest_offer(&nearest, span_from_cstr(keys[i].name));
	if (nearest.best.len > 0 && nearest.distance <= MAX_SLIPS)
		ykeys_report(context, DIAG_WARNING, key->pos, NULL,
			     "unknown key \"%s\": did you mean %.*s", ydoc_escape(key->text, word),
			     SPAN_ARG(nearest.best));
}

void ykeys_read(const struct ykeys_context *context, const struct ydoc_node *mapping,
		const struct ykey *keys, size_t count, const struct ydoc_node **values)
{
	unsigned unknown = 0;

	for (size_t i = 0; i < count; i++)
		values[i] = NULL;
	/* Keys of the mapping's own, then values: of repeated keys the first stays. */
	for (const struct ydoc_item *item = mapping->items; item != NULL; item = item->next) {
		size_t i = find(keys, count, item->key);

		if (i < count && values[i] != NULL)
			report_repeated(context, &keys[i], mapping, item->key);
		else if (i < count)
			values[i] = item->value;
	}
	for (size_t i = 0; i < count; i++)
		if (values[i] == NULL)
			values[i] = ydoc_get(mapping, span_from_cstr(keys[i].name));
	for (const struct ydoc_item *item = mapping->items; item != NULL; item = item->next)
		if (find(keys, count, item->key) == count && unknown++ < MAX_UNKNOWN)
			warn_of_slip(context, item->key, keys, count, values);
	for (size_t i = 0; i < count; i++)
		values[i] = check_kind(context, &keys[i], values[i]);
}
