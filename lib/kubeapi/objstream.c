#include "kubeapi/objstream.h"

#include <string.h>

#include "base/num.h"
#include "json/jsonw.h"

/* Keys that mean something somewhere; those that hold texts come first. */
enum word {
	NAME,
	NAMESPACE,
	UID,
	VERSION,
	MESSAGE,
	TEXT_WORDS,
	TYPE = TEXT_WORDS,
	CODE,
	TOKEN,
	METADATA,
	OBJECT,
	ITEMS,
	FIRST_LEFT_OUT,
	STATUS = FIRST_LEFT_OUT,
	API_VERSION,
	KIND,
	MANAGED_FIELDS,
	OTHER,
};

static const char *const words[OTHER] = {
	[NAME] = "name",
	[NAMESPACE] = "namespace",
	[UID] = "uid",
	[VERSION] = "resourceVersion",
	[MESSAGE] = "message",
	[TYPE] = "type",
	[CODE] = "code",
	[TOKEN] = "continue",
	[METADATA] = "metadata",
	[OBJECT] = "object",
	[ITEMS] = "items",
	[STATUS] = "status",
	[API_VERSION] = "apiVersion",
	[KIND] = "kind",
	[MANAGED_FIELDS] = "managedFields",
};

_Static_assert((int)TEXT_WORDS == OBJSTREAM_TEXTS, "a text for each word that has one");

static const char *const types[] = {
	[OBJSTREAM_ADDED] = "ADDED",	 [OBJSTREAM_MODIFIED] = "MODIFIED",
	[OBJSTREAM_DELETED] = "DELETED", [OBJSTREAM_BOOKMARK] = "BOOKMARK",
	[OBJSTREAM_ERROR] = "ERROR",
};

static enum word word_of(struct span key)
{
	size_t i = 0;

	while (i < OTHER && !span_eq(key, span_from_cstr(words[i])))
		i++;
	return (enum word)i;
}

static enum word key_at(const struct objstream *s, unsigned depth)
{
	return depth < sizeof s->keys ? (enum word)s->keys[depth] : OTHER;
}

/* The depth around an object: in the items of a list, or in an event. */
static unsigned depth_around(const struct objstream *s)
{
	return s->is_list ? 2 : 1;
}

/* Inside an object: at the depth of its own keys, or of those of its metadata. */
static bool is_top(const struct objstream *s)
{
	return s->is_in_object && s->depth == depth_around(s) + 1;
}

static bool is_metadata(const struct objstream *s)
{
	return s->is_in_object && s->depth == depth_around(s) + 2 &&
	       key_at(s, s->depth - 1) == METADATA;
}

/* ---- One object ---- */

static void begin_object(struct objstream *s)
{
	s->is_in_object = s->has_object = true;
	for (size_t i = 0; i < TEXT_WORDS; i++)
		s->texts[i][0] = '\0';
	s->code = 0;
	buf_clear(&s->kept);
	buf_add_byte(&s->kept, '{');
	buf_add(&s->kept, s->first);
	s->needs_comma = s->first.len > 0;
}

static bool tell(struct objstream *s, struct error *e)
{
	struct objstream_object object = {
		.type = s->is_list ? OBJSTREAM_LISTED : s->type,
		.json = s->kept.truncated ? SPAN("") : buf_span(&s->kept),
		.name = span_from_cstr(s->texts[NAME]),
		.namespace = span_from_cstr(s->texts[NAMESPACE]),
		.uid = span_from_cstr(s->texts[UID]),
		.version = span_from_cstr(s->texts[VERSION]),
		.code = s->code,
		.message = span_from_cstr(s->texts[MESSAGE]),
	};

	s->raw = 0;
	return s->on_object(s->context, &object, e);
}

static bool leaves_out(const struct objstream *s, enum word word)
{
	if (is_top(s))
		return word == STATUS || word == API_VERSION || word == KIND;
	return is_metadata(s) && word == MANAGED_FIELDS;
}

/* A key, a value, or the beginning of a collection is about to be written. */
static void separate(struct objstream *s)
{
	if (s->needs_comma)
		buf_add_byte(&s->kept, ',');
	s->needs_comma = false;
}

static void write_token(struct objstream *s, const struct jsonr_token *token)
{
	static const char *const plain[] = {
		[JSONR_OBJECT] = "{",	 [JSONR_OBJECT_END] = "}", [JSONR_ARRAY] = "[",
		[JSONR_ARRAY_END] = "]", [JSONR_TRUE] = "true",	   [JSONR_FALSE] = "false",
		[JSONR_NULL] = "null",
	};
	bool is_end = token->event == JSONR_OBJECT_END || token->event == JSONR_ARRAY_END;

	if (!is_end)
		separate(s);
	if (token->event == JSONR_KEY || token->event == JSONR_STRING)
		jsonw_string(&s->kept, token->text);
	else if (token->event == JSONR_NUMBER)
		buf_add(&s->kept, token->text);
	else
		buf_add_cstr(&s->kept, plain[token->event]);
	if (token->event == JSONR_KEY)
		buf_add_byte(&s->kept, ':');
	else
		s->needs_comma = token->event != JSONR_OBJECT && token->event != JSONR_ARRAY;
	if (token->is_cut)
		s->kept.truncated = true;
}

/* ---- What the words say ---- */

static void keep_text(struct span text, char to[static OBJSTREAM_TEXT_MAX])
{
	struct buf out;

	buf_init(&out, to, OBJSTREAM_TEXT_MAX);
	buf_add(&out, text);
}

static void take_type(struct objstream *s, struct span text)
{
	s->type = OBJSTREAM_NONE;
	for (size_t i = OBJSTREAM_ADDED; i < sizeof types / sizeof types[0]; i++)
		if (span_eq(text, span_from_cstr(types[i])))
			s->type = (enum objstream_type)i;
}

static void take_text(struct objstream *s, struct span text)
{
	enum word word = key_at(s, s->depth);

	if ((is_metadata(s) && word <= VERSION) || (is_top(s) && word == MESSAGE))
		keep_text(text, s->texts[word]);
	else if (!s->is_list && s->depth == 1 && word == TYPE)
		take_type(s, text);
	else if (s->is_list && s->depth == 2 && key_at(s, 1) == METADATA && word == VERSION)
		keep_text(text, s->version);
	else if (s->is_list && s->depth == 2 && key_at(s, 1) == METADATA && word == TOKEN)
		buf_add(&s->token, text);
}

static bool is_expected(const struct objstream *s, enum jsonr_event event)
{
	unsigned around = depth_around(s);

	if (s->is_in_object || event == JSONR_KEY || event == JSONR_OBJECT_END ||
	    event == JSONR_ARRAY_END)
		return true;
	if (s->depth == 0)
		return event == JSONR_OBJECT;
	if (s->depth == 1 && key_at(s, 1) == (s->is_list ? ITEMS : OBJECT))
		return event == (s->is_list ? JSONR_ARRAY : JSONR_OBJECT) ||
		       (s->is_list && event == JSONR_NULL);
	return !s->is_list || s->depth != around || key_at(s, 1) != ITEMS || event == JSONR_OBJECT;
}

static bool begins_object(const struct objstream *s, enum jsonr_event event)
{
	return !s->is_in_object && event == JSONR_OBJECT && s->depth == depth_around(s) &&
	       key_at(s, 1) == (s->is_list ? ITEMS : OBJECT);
}

static bool document_done(struct objstream *s, struct error *e)
{
	s->needs_comma = false;
	if (s->is_list) {
		s->is_done = true;
		return true;
	}
	if (s->type == OBJSTREAM_NONE || !s->has_object)
		return error_set(e, "an event without its type or its object");
	s->has_object = false;
	if (!tell(s, e))
		return false;
	s->type = OBJSTREAM_NONE;
	return true;
}

/* ---- Tokens ---- */

static bool open_collection(struct objstream *s, const struct jsonr_token *token)
{
	bool begins = begins_object(s, token->event);

	if (s->is_list && s->depth == 1 && key_at(s, 1) == ITEMS)
		s->has_items = true;
	if (s->skips_next) {
		s->skips_next = false;
		s->skip = s->depth;
	}
	if (begins)
		begin_object(s);
	else if (s->is_in_object && s->skip == 0)
		write_token(s, token);
	s->depth++;
	if (s->depth < sizeof s->keys)
		s->keys[s->depth] = OTHER;
	return true;
}

static bool close_collection(struct objstream *s, const struct jsonr_token *token, struct error *e)
{
	s->depth--;
	if (s->skip > 0) {
		if (s->depth == s->skip)
			s->skip = 0;
		return true;
	}
	if (!s->is_in_object)
		return true;
	write_token(s, token);
	if (s->depth > depth_around(s))
		return true;
	s->is_in_object = false;
	return !s->is_list || tell(s, e);
}

static void take_key(struct objstream *s, const struct jsonr_token *token)
{
	enum word word = s->depth < sizeof s->keys ? word_of(token->text) : OTHER;

	if (s->depth < sizeof s->keys)
		s->keys[s->depth] = (uint8_t)word;
	if (s->skip > 0 || !s->is_in_object)
		return;
	s->skips_next = leaves_out(s, word);
	if (!s->skips_next)
		write_token(s, token);
}

static void take_scalar(struct objstream *s, const struct jsonr_token *token)
{
	if (s->skip > 0)
		return;
	if (s->is_list && s->depth == 1 && key_at(s, 1) == ITEMS)
		s->has_items = true;
	if (token->event == JSONR_STRING)
		take_text(s, token->text);
	if (token->event == JSONR_NUMBER && is_top(s) && key_at(s, s->depth) == CODE)
		(void)num_parse_u64(token->text, 0, 999, &s->code);
	if (s->is_in_object && !s->skips_next)
		write_token(s, token);
	s->skips_next = false;
}

static bool on_token(void *context, const struct jsonr_token *token, struct error *e)
{
	struct objstream *s = context;

	if (s->is_done)
		return error_set(e, "%u:%u: more than a list", token->line, token->col);
	if (token->event == JSONR_DOCUMENT_END)
		return document_done(s, e);
	if (!is_expected(s, token->event))
		return error_set(e, "%u:%u: expected %s", token->line, token->col,
				 s->depth == 0 ? "an object"
				 : s->is_list  ? "a list of objects under items"
					       : "an object under object");
	switch (token->event) {
	case JSONR_OBJECT:
	case JSONR_ARRAY:
		return open_collection(s, token);
	case JSONR_OBJECT_END:
	case JSONR_ARRAY_END:
		return close_collection(s, token, e);
	case JSONR_KEY:
		take_key(s, token);
		return true;
	default:
		take_scalar(s, token);
		return true;
	}
}

void objstream_init(struct objstream *s, bool is_list, struct span first,
		    bool (*on_object)(void *context, const struct objstream_object *object,
				      struct error *e),
		    void *context)
{
	*s = (struct objstream){
		.is_list = is_list, .first = first, .on_object = on_object, .context = context};
	jsonr_init(&s->json, on_token, s);
	buf_init_heap(&s->kept, OBJSTREAM_KEPT_MAX);
	buf_init_heap(&s->token, OBJSTREAM_TOKEN_MAX);
}

void objstream_fini(struct objstream *s)
{
	jsonr_fini(&s->json);
	buf_fini(&s->kept);
	buf_fini(&s->token);
}

/* Pieces come from a buffer of some KiB, so one that is over the bound is so by little. */
bool objstream_feed(struct objstream *s, struct span bytes, struct error *e)
{
	s->raw += bytes.len;
	if (!jsonr_feed(&s->json, bytes, e))
		return false;
	return s->raw <= OBJSTREAM_RAW_MAX ||
	       error_set(e, "over %zu bytes without a whole object", OBJSTREAM_RAW_MAX);
}

bool objstream_end(struct objstream *s, struct error *e)
{
	if (!jsonr_end(&s->json, e))
		return false;
	if (!s->is_list)
		return true;
	if (!s->is_done || !s->has_items || s->version[0] == '\0')
		return error_set(e, "no list: expected metadata.resourceVersion and items");
	return !s->token.truncated ||
	       error_set(e, "a continue token of over %zu bytes", OBJSTREAM_TOKEN_MAX);
}

struct span objstream_version(const struct objstream *s)
{
	return span_from_cstr(s->version);
}

struct span objstream_token(const struct objstream *s)
{
	return buf_span(&s->token);
}
