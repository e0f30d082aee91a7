#include "inject/status.h"

#include <string.h>

#include "ydoc/yscalar.h"

const char *status_key_name(unsigned key)
{
	return key == STATUS_METADATA ? "metadata" : template_section_names[key];
}

static struct span text_of(const struct ydoc_node *node)
{
	return node != NULL && node->kind == YDOC_SCALAR ? node->text : SPAN("");
}

static bool has_text(const struct ydoc_node *list, struct span text)
{
	if (list == NULL || list->kind != YDOC_SEQUENCE)
		return false;
	for (const struct ydoc_item *i = list->items; i != NULL; i = i->next)
		if (i->value->kind == YDOC_SCALAR && span_eq(i->value->text, text))
			return true;
	return false;
}

/* What is put back must be what brackets can have been put in the place of. */
static bool is_null_word(struct span word)
{
	struct ydoc_node plain = {.kind = YDOC_SCALAR, .is_plain = true};

	plain.text = word;
	return ydoc_is_absent(&plain);
}

/* Names are looked for one by one, so a list that no template has is refused. */
static bool is_too_long(const struct ydoc_node *list)
{
	size_t count = 0;

	if (list == NULL || list->kind != YDOC_SEQUENCE)
		return false;
	for (const struct ydoc_item *i = list->items; i != NULL; i = i->next)
		count++;
	return count > TEMPLATE_ENTRIES_MAX;
}

bool status_read(struct status *s, struct span text)
{
	struct diag silent = {.emit = NULL};
	const struct ydoc_node *root, *created, *replaced;
	bool is_ours = true;

	*s = (struct status){.version = SPAN("")};
	ydoc_reader_init(&s->reader, "", text, &silent);
	if (!span_starts_with(text, SPAN("{")) || !ydoc_reader_next(&s->reader, &root) ||
	    root->kind != YDOC_MAPPING)
		return false;
	/* The diag ends with this function; what is read further is looked at here only. */
	s->reader.diag = NULL;
	s->version = text_of(ydoc_get(root, SPAN("version")));
	s->hash = text_of(ydoc_get(root, SPAN("hash")));
	created = ydoc_get(root, SPAN("created"));
	replaced = ydoc_get(root, SPAN("replaced"));
	for (unsigned key = 0; key < STATUS_KEY_COUNT; key++) {
		struct span name = span_from_cstr(status_key_name(key));

		if (key < TEMPLATE_SECTION_COUNT) {
			s->names[key] = ydoc_get(root, name);
			is_ours = is_ours && !is_too_long(s->names[key]);
		}
		s->is_created[key] = has_text(created, name);
		s->replaced[key] = text_of(ydoc_get(replaced, name));
		is_ours = is_ours && is_null_word(s->replaced[key]);
	}
	return is_ours && s->version.len > 0 && s->hash.len > 0;
}

void status_fini(struct status *s)
{
	ydoc_reader_fini(&s->reader);
}

bool status_has(const struct status *s, enum template_section section, struct span name)
{
	if (section == TEMPLATE_ANNOTATIONS && span_eq(name, SPAN(STATUS_ANNOTATION)))
		return true;
	return has_text(s->names[section], name);
}

void status_format_hash(uint64_t hash, struct buf *out)
{
	buf_printf(out, "%016llx", (unsigned long long)hash);
}

/* Adds ,"key": before the first of some values; a comma before the others. */
static void begin_value(struct buf *out, const char *key, bool *is_open, char bracket)
{
	if (*is_open) {
		buf_add_byte(out, ',');
		return;
	}
	buf_printf(out, ",\"%s\":%c", key, bracket);
	*is_open = true;
}

static void add_names(const struct ydoc_node *section, const char *key, struct buf *out)
{
	bool is_open = false;

	for (const struct ydoc_item *i = section->items; i != NULL; i = i->next) {
		begin_value(out, key, &is_open, '[');
		yscalar_add_quoted(out, template_entry_name(i));
	}
	if (is_open)
		buf_add_byte(out, ']');
}

static void add_created(const struct status *s, struct buf *out)
{
	bool is_open = false;

	for (unsigned key = 0; key < STATUS_KEY_COUNT; key++)
		if (s->is_created[key]) {
			begin_value(out, "created", &is_open, '[');
			yscalar_add_quoted(out, span_from_cstr(status_key_name(key)));
		}
	if (is_open)
		buf_add_byte(out, ']');
}

static void add_replaced(const struct status *s, struct buf *out)
{
	bool is_open = false;

	for (unsigned key = 0; key < STATUS_KEY_COUNT; key++)
		if (s->replaced[key].len > 0) {
			begin_value(out, "replaced", &is_open, '{');
			buf_printf(out, "\"%s\":", status_key_name(key));
			yscalar_add_quoted(out, s->replaced[key]);
		}
	if (is_open)
		buf_add_byte(out, '}');
}

void status_format(const struct status *s, const struct template_instance *instance,
		   struct buf *out)
{
	buf_add_cstr(out, "{\"version\":");
	yscalar_add_quoted(out, s->version);
	buf_add_cstr(out, ",\"hash\":\"");
	status_format_hash(instance->hash, out);
	buf_add_cstr(out, "\"");
	for (unsigned i = 0; i < TEMPLATE_SECTION_COUNT; i++)
		if (instance->sections[i] != NULL)
			add_names(instance->sections[i], template_section_names[i], out);
	add_created(s, out);
	add_replaced(s, out);
	buf_add_byte(out, '}');
}
