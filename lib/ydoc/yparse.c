#include "ydoc/yparse.h"

#include <string.h>
#include <yaml.h>

#include "base/alloc.h"

struct yparse {
	yaml_parser_t parser;
	struct ycursor begin; /* of the stream: libyaml's marks count from here */
	struct ycursor at;    /* of the newest event */
	size_t fed;	      /* bytes of the text that libyaml was given */
	size_t chunk_size;
};

/*
 * libyaml decodes all it is given at once, so a stream that soon fails, and there may be one per
 * line of a hostile file, is given little. Its own buffer takes no more than CHUNK_MAX.
 */
#define CHUNK_FIRST 512
#define CHUNK_MAX 16384

static int feed(void *context, unsigned char *out, size_t size, size_t *len)
{
	struct yparse *p = context;
	struct span chunk;

	chunk = span_first(span_from(p->begin.text, p->fed),
			   size < p->chunk_size ? size : p->chunk_size);
	if (chunk.len > 0)
		memcpy(out, chunk.ptr, chunk.len);
	*len = chunk.len;
	p->fed += chunk.len;
	if (p->chunk_size < CHUNK_MAX)
		p->chunk_size *= 2;
	return 1;
}

struct yparse *yparse_new(struct ycursor at)
{
	struct yparse *p = alloc_get(sizeof *p);

	if (p == NULL)
		return NULL;
	if (!yaml_parser_initialize(&p->parser)) {
		alloc_put(p);
		return NULL;
	}
	p->begin = p->at = at;
	p->fed = at.pos.offset;
	p->chunk_size = CHUNK_FIRST;
	/*
	 * Without this libyaml would look for UTF-16 as well, where no byte offset of ours is
	 * right.
	 */
	yaml_parser_set_encoding(&p->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input(&p->parser, feed, p);
	return p;
}

void yparse_free(struct yparse *p)
{
	if (p == NULL)
		return;
	yaml_parser_delete(&p->parser);
	alloc_put(p);
}

/*
 * Events come in the order of the text; only a problem may be of a place before the newest event.
 */
static struct ydoc_pos pos_of(struct yparse *p, yaml_mark_t mark)
{
	if (p->begin.index + mark.index < p->at.index)
		p->at = p->begin;
	ycursor_to_index(&p->at, p->begin.index + mark.index);
	return p->at.pos;
}

/*
 * Bytes or characters that YAML does not have, found when the text is decoded, before it is parsed.
 */
static void describe_bad_text(struct yparse *p, struct yproblem *problem)
{
	const yaml_parser_t *y = &p->parser;
	struct ycursor at = p->begin;

	ycursor_to_offset(&at, p->begin.pos.offset + y->problem_offset);
	problem->pos = at.pos;
	if (strcmp(y->problem, "control characters are not allowed") == 0)
		error_set(&problem->error, "control character U+%04X", (unsigned)y->problem_value);
	else
		error_set(&problem->error, "not UTF-8: %s", y->problem);
}

static void describe_bad_syntax(struct yparse *p, struct yproblem *problem)
{
	const yaml_parser_t *y = &p->parser;
	const char *text = y->problem != NULL ? y->problem : "not YAML";

	problem->pos = pos_of(p, y->problem_mark);
	/* The commonest slip, and "cannot start any token" is no help with it. */
	if (ycursor_byte(&p->at) == '\t')
		text = "found a tab where only spaces may indent";
	if (y->context == NULL)
		error_set(&problem->error, "%s", text);
	else
		error_set(&problem->error, "%s %s that starts on line %zu", text, y->context,
			  p->begin.pos.line + y->context_mark.line);
}

static enum yparse_result describe(struct yparse *p, struct yproblem *problem)
{
	switch (p->parser.error) {
	case YAML_READER_ERROR:
		describe_bad_text(p, problem);
		break;
	case YAML_SCANNER_ERROR:
	case YAML_PARSER_ERROR:
		describe_bad_syntax(p, problem);
		break;
	default:
		problem->pos = p->at.pos;
		error_set(&problem->error, "out of memory");
	}
	return YPARSE_BAD;
}

static struct span span_of_yaml(const yaml_char_t *text)
{
	return text != NULL ? span_from_cstr((const char *)text) : (struct span){NULL, 0};
}

/* Most scalars stand in the source as they are: then that is borrowed instead of copied. */
static bool keep_text(struct yparse *p, struct ybuild *b, struct span value, bool is_quoted,
		      struct span *kept)
{
	struct span source = span_from(p->at.text, p->at.pos.offset + is_quoted);

	if (span_starts_with(source, value)) {
		*kept = span_first(source, value.len);
		return true;
	}
	if (arena_copy(b->arena, value, kept))
		return true;
	b->problem->pos = p->at.pos;
	return error_set(&b->problem->error, "document is too large for the memory there is");
}

/*
 * Whether the newest event is the value of a `? key` that has no colon. For libyaml that is where
 * the next token begins, which may be many lines below.
 */
static bool is_missing_value(const struct yparse *p, const struct ybuild *b,
			     const yaml_event_t *event)
{
	const struct ybuild_open *open = ybuild_innermost(b);
	size_t offset = p->at.pos.offset;

	return open != NULL && open->key != NULL && !open->node->is_flow &&
	       event->start_mark.index == event->end_mark.index &&
	       p->at.text.ptr[offset - 1] != ':';
}

static struct ydoc_pos pos_behind_key(const struct yparse *p, const struct ybuild *b)
{
	const struct ybuild_open *open = ybuild_innermost(b);
	struct ycursor at = {.text = p->at.text};

	at.pos = open->key_alias != NULL ? open->key_alias->pos : open->key->pos;
	ycursor_to_offset(&at, b->end);
	return at.pos;
}

static bool add_scalar(struct yparse *p, struct ybuild *b, const yaml_event_t *event)
{
	struct ydoc_node scalar = {.pos = pos_of(p, event->start_mark)};
	struct span value = span_of(event->data.scalar.value, event->data.scalar.length);
	struct span tag = span_of_yaml(event->data.scalar.tag);
	yaml_scalar_style_t style = event->data.scalar.style;
	bool is_quoted = style != YAML_PLAIN_SCALAR_STYLE;
	bool is_text = is_quoted || span_eq(tag, SPAN("!")) || span_eq(tag, SPAN(YAML_STR_TAG));

	if (!keep_text(p, b, value, is_quoted, &scalar.text))
		return false;
	scalar.end = pos_of(p, event->end_mark).offset;
	if (is_missing_value(p, b, event)) {
		scalar.pos = pos_behind_key(p, b);
		scalar.end = scalar.pos.offset;
	}
	scalar.is_plain = !is_text;
	scalar.is_flow = style != YAML_LITERAL_SCALAR_STYLE && style != YAML_FOLDED_SCALAR_STYLE;
	return ybuild_add_scalar(b, &scalar, span_of_yaml(event->data.scalar.anchor));
}

static bool add_alias(struct yparse *p, struct ybuild *b, const yaml_event_t *event)
{
	struct ydoc_pos pos = pos_of(p, event->start_mark);

	return ybuild_add_alias(b, pos, pos_of(p, event->end_mark).offset,
				span_of_yaml(event->data.alias.anchor));
}

/*
 * libyaml's end mark of what opens a collection is behind the bracket; without brackets it is where
 * the first entry begins, or one behind the `-` of a sequence that is not indented.
 */
static bool open_collection(struct yparse *p, struct ybuild *b, const yaml_event_t *event)
{
	bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
	struct ydoc_node collection = {
		.pos = pos_of(p, event->start_mark),
		.kind = is_mapping ? YDOC_MAPPING : YDOC_SEQUENCE,
		.is_flow = is_mapping
				   ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
				   : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
	};
	const yaml_char_t *anchor = is_mapping ? event->data.mapping_start.anchor
					       : event->data.sequence_start.anchor;

	collection.body = pos_of(p, event->end_mark).offset;
	if (!is_mapping && !collection.is_flow && ycursor_byte(&p->at) != '-')
		collection.body--;
	return ybuild_open(b, &collection, span_of_yaml(anchor));
}

/* Adds what an event says to the tree. */
static bool add_event(struct yparse *p, struct ybuild *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return add_scalar(p, b, event);
	case YAML_ALIAS_EVENT:
		return add_alias(p, b, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return open_collection(p, b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		ybuild_close(b, pos_of(p, event->end_mark).offset);
		return true;
	default:
		return true;
	}
}

enum yparse_result yparse_read(struct yparse *p, struct ybuild *b, struct ycursor *at)
{
	for (;;) {
		yaml_event_t event;
		yaml_event_type_t type;
		bool is_added;

		if (!yaml_parser_parse(&p->parser, &event))
			return describe(p, b->problem);
		type = event.type;
		if (type == YAML_DOCUMENT_END_EVENT)
			pos_of(p, event.end_mark);
		is_added = add_event(p, b, &event);
		yaml_event_delete(&event);
		if (!is_added)
			return YPARSE_BAD;
		if (type == YAML_DOCUMENT_END_EVENT) {
			*at = p->at;
			return YPARSE_DOCUMENT;
		}
		/* Asked again behind the end, libyaml succeeds with no event. */
		if (type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT)
			return YPARSE_END;
	}
}
