#include "sys/opt.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/nearest.h"
#include "base/num.h"
#include "base/wrap.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A word of the user's as errors show it: the first so many bytes, at four bytes each at worst. */
#define WORD_SHOWN 60
#define WORD_MAX (WORD_SHOWN * 4 + sizeof "--\"\"...")

struct parser {
	const struct opt *options;
	char *settings;
	struct arena *arena;
	struct error *e;
	bool *given;  /* per row: on the command line */
	size_t words; /* argc: no list from the command line is longer */
};

static bool is_end(const struct opt *o)
{
	return o->name == NULL && o->help == NULL;
}

static bool takes_value(const struct opt *o)
{
	if (o->kind == OPT_OBSOLETE)
		return o->value_name != NULL;
	return o->kind != OPT_FLAG && o->kind != OPT_NO_FLAG;
}

static bool has_range(const struct opt *o)
{
	return (o->kind == OPT_NUMBER || o->kind == OPT_DURATION) && (o->min > 0 || o->max > 0);
}

static void add_bound(struct buf *out, const struct opt *o, uint64_t value)
{
	if (o->kind == OPT_DURATION)
		duration_format(value, out);
	else
		buf_add_u64(out, value);
}

/* "1 to 256", "at least 1"; only for rows with a range. */
static void add_range(struct buf *out, const struct opt *o)
{
	if (o->max == 0)
		buf_add_cstr(out, "at least ");
	add_bound(out, o, o->min);
	if (o->max == 0)
		return;
	buf_add_cstr(out, " to ");
	add_bound(out, o, o->max);
}

static void add_choices(struct buf *out, const struct opt *o)
{
	for (size_t i = 0; o->choices[i] != NULL; i++) {
		buf_add_cstr(out, i > 0 ? ", " : "");
		buf_add_cstr(out, o->choices[i]);
	}
}

static void add_word(struct buf *out, struct span word)
{
	buf_add_escaped(out, word, WORD_SHOWN);
}

static bool fail_memory(const struct parser *p)
{
	return error_set(p->e, "out of memory");
}

/* What the value should have been. */
static bool fail_value(const struct parser *p, const struct opt *o, const char *source,
		       const char *value)
{
	char shown[WORD_MAX], storage[256];
	struct buf word, wanted;

	BUF_INIT_ARRAY(&word, shown);
	add_word(&word, span_from_cstr(value));
	BUF_INIT_ARRAY(&wanted, storage);
	switch (o->kind) {
	case OPT_NUMBER:
		buf_add_cstr(&wanted, "is not a number");
		break;
	case OPT_DURATION:
		buf_add_cstr(&wanted, "is not a duration");
		break;
	case OPT_CHOICE:
		buf_add_cstr(&wanted, "is none of ");
		add_choices(&wanted, o);
		break;
	default:
		buf_add_cstr(&wanted, "is neither true nor false");
	}
	if (has_range(o)) {
		buf_add_cstr(&wanted, o->max > 0 ? " from " : " of ");
		add_range(&wanted, o);
	}
	if (o->kind == OPT_DURATION)
		buf_add_cstr(&wanted, " (such as 250ms, 30s, 5m or 1h)");
	return error_set(p->e, "%s: \"%s\" %s", source, shown, storage);
}

static bool parse_bool(const char *text, bool *out)
{
	static const char *const names[] = {"false", "true", "no", "yes", "0", "1", "off", "on"};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	}
	return false;
}

static bool parse_choice(const char *text, const char *const *choices, int *out)
{
	for (int i = 0; choices[i] != NULL; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* Appends to a list that has room for `capacity` items from its first one on. */
static bool append(const struct parser *p, struct opt_list *list, const char *item, size_t capacity)
{
	if (list->items == NULL) {
		list->items = arena_get_array(p->arena, capacity, sizeof *list->items);
		if (list->items == NULL)
			return fail_memory(p);
	}
	list->items[list->count++] = item;
	return true;
}

/* Replaces a list by the items between commas; blanks around them and empty ones are dropped. */
static bool set_list(const struct parser *p, struct opt_list *list, const char *text)
{
	struct span rest = span_from_cstr(text), item;
	size_t capacity = rest.len / 2 + 1;

	*list = (struct opt_list){0};
	while (span_split(&rest, ',', &item)) {
		item = span_trim(item);
		if (item.len == 0)
			continue;
		if (!arena_copy(p->arena, item, &item))
			return fail_memory(p);
		if (!append(p, list, item.ptr, capacity))
			return false;
	}
	return true;
}

/* Puts a value where the row says. `source` is what it is called in errors: option or variable. */
static bool set_value(const struct parser *p, const struct opt *o, const char *source,
		      const char *text)
{
	void *at = p->settings + o->offset;
	uint64_t max = o->max > 0 ? o->max : UINT64_MAX;
	bool ok = true, on = false;

	switch (o->kind) {
	case OPT_SECTION:
	case OPT_OBSOLETE:
		break;
	case OPT_TEXT:
		*(const char **)at = text;
		break;
	case OPT_LIST:
		return set_list(p, at, text);
	case OPT_NUMBER:
		ok = num_parse_u64(span_from_cstr(text), o->min, max, at);
		break;
	case OPT_DURATION:
		ok = duration_parse(span_from_cstr(text), o->min, max, at);
		break;
	case OPT_CHOICE:
		ok = parse_choice(text, o->choices, at);
		break;
	case OPT_FLAG:
	case OPT_NO_FLAG:
		ok = parse_bool(text, &on);
		if (ok)
			*(bool *)at = on == (o->kind == OPT_FLAG);
		break;
	}
	return ok || fail_value(p, o, source, text);
}

/* Is the row's setting given, by this row or by another for the same (--x and --no-x)? */
static bool is_given(const struct parser *p, const struct opt *row)
{
	for (const struct opt *o = p->options; !is_end(o); o++)
		if (o->kind != OPT_SECTION && o->offset == row->offset && p->given[o - p->options])
			return true;
	return false;
}

/* A value from the command line; NULL for a flag without `=`. */
static bool set_given(const struct parser *p, const struct opt *o, const char *source,
		      const char *text)
{
	void *at = p->settings + o->offset;
	bool is_first = !is_given(p, o);

	p->given[o - p->options] = true;
	if (o->kind == OPT_OBSOLETE)
		return append(p, at, o->name, p->words);
	if (!takes_value(o) && text == NULL) {
		*(bool *)at = o->kind == OPT_FLAG;
		return true;
	}
	if (o->kind != OPT_LIST)
		return set_value(p, o, source, text);
	if (is_first)
		*(struct opt_list *)at = (struct opt_list){0}; /* the default goes */
	return append(p, at, text, p->words);
}

static const struct opt *find_long(const struct opt *options, struct span name)
{
	for (const struct opt *o = options; !is_end(o); o++)
		if (o->kind != OPT_SECTION &&
		    (span_eq(span_from_cstr(o->name), name) ||
		     (o->alias != NULL && span_eq(span_from_cstr(o->alias), name))))
			return o;
	return NULL;
}

static const struct opt *find_short(const struct opt *options, char name)
{
	for (const struct opt *o = options; !is_end(o); o++)
		if (o->kind != OPT_SECTION && o->short_name == name)
			return o;
	return NULL;
}

static bool fail_unknown_long(const struct parser *p, struct span name)
{
	char storage[WORD_MAX];
	struct nearest n;
	struct buf word;

	nearest_init(&n, name);
	for (const struct opt *o = p->options; !is_end(o); o++)
		if (o->kind != OPT_SECTION && o->kind != OPT_OBSOLETE)
			nearest_offer(&n, span_from_cstr(o->name));
	nearest_offer(&n, SPAN("help"));
	BUF_INIT_ARRAY(&word, storage);
	buf_add_cstr(&word, "--");
	add_word(&word, name);
	if (n.best.len == 0)
		return error_set(p->e, "%s: no such option", storage);
	return error_set(p->e, "%s: no such option (did you mean --%.*s?)", storage,
			 SPAN_ARG(n.best));
}

/* `word` is the whole of it: it may be a long name that lacks a hyphen. */
static bool fail_unknown_short(const struct parser *p, const char *word, char name)
{
	char storage[8];
	struct buf shown;

	BUF_INIT_ARRAY(&shown, storage);
	buf_add_byte(&shown, '-');
	add_word(&shown, span_of(&name, 1));
	if (find_long(p->options, span_from_cstr(word + 1)) != NULL)
		return error_set(p->e, "%s: no such option (did you mean -%s?)", storage, word);
	return error_set(p->e, "%s: no such option", storage);
}

static bool fail_no_value(const struct parser *p, const struct opt *o, const char *source)
{
	return error_set(p->e, "%s: needs a value (%s)", source, o->value_name);
}

/*
 * --NAME, --NAME=VALUE or, flags aside, --NAME VALUE; *used says that `next` (may be NULL) was
 * VALUE.
 */
static bool parse_long(const struct parser *p, const char *word, const char *next, bool *used)
{
	const char *equals = strchr(word, '=');
	const char *value = equals != NULL ? equals + 1 : NULL;
	struct span typed = equals != NULL ? span_of(word, (size_t)(equals - word))
					   : span_from_cstr(word);
	const struct opt *o = find_long(p->options, span_from(typed, 2));
	char source[WORD_MAX];
	struct buf b;

	if (o == NULL)
		return fail_unknown_long(p, span_from(typed, 2));
	BUF_INIT_ARRAY(&b, source);
	buf_add(&b, typed);
	if (takes_value(o) && value == NULL) {
		if (next == NULL)
			return fail_no_value(p, o, source);
		value = next;
		*used = true;
	}
	return set_given(p, o, source, value);
}

/* -abc: flags; the last may take a value: the rest of the word or, with none left, `next`. */
static bool parse_short(const struct parser *p, const char *word, const char *next, bool *used)
{
	for (const char *at = word + 1; *at != '\0'; at++) {
		const struct opt *o = find_short(p->options, *at);
		const char source[] = {'-', *at, '\0'};

		if (o == NULL)
			return fail_unknown_short(p, word, *at);
		if (!takes_value(o)) {
			if (!set_given(p, o, source, NULL))
				return false;
			continue;
		}
		if (at[1] != '\0')
			return set_given(p, o, source, at + 1);
		if (next == NULL)
			return fail_no_value(p, o, source);
		*used = true;
		return set_given(p, o, source, next);
	}
	return true;
}

static bool take_operand(const struct parser *p, const char *word, struct opt_list *operands)
{
	char storage[WORD_MAX];
	struct buf shown;

	if (operands != NULL)
		return append(p, operands, word, p->words);
	BUF_INIT_ARRAY(&shown, storage);
	add_word(&shown, span_from_cstr(word));
	return error_set(p->e, "\"%s\" is not an option, and nothing else is expected", storage);
}

static bool parse_words(const struct parser *p, int argc, char **argv, struct opt_list *operands)
{
	bool options_ended = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
		bool ok, used_next = false;

		if (options_ended || word[0] != '-' || word[1] == '\0') {
			ok = take_operand(p, word, operands);
		} else if (strcmp(word, "--") == 0) {
			ok = options_ended = true;
		} else if (word[1] == '-') {
			ok = parse_long(p, word, next, &used_next);
		} else {
			ok = parse_short(p, word, next, &used_next);
		}
		if (!ok)
			return false;
		i += used_next;
	}
	return true;
}

static bool set_defaults(const struct parser *p)
{
	for (const struct opt *o = p->options; !is_end(o); o++)
		if (o->initial != NULL && !set_value(p, o, o->name, o->initial))
			return false;
	return true;
}

static bool read_environment(const struct parser *p)
{
	for (const struct opt *o = p->options; !is_end(o); o++) {
		const char *text = o->env != NULL && !is_given(p, o) ? getenv(o->env) : NULL;

		if (text != NULL && text[0] != '\0' && !set_value(p, o, o->env, text))
			return false;
	}
	return true;
}

bool opt_parse(const struct opt *options, void *settings, int argc, char **argv,
	       struct arena *arena, struct opt_list *operands, struct error *e)
{
	struct parser p = {.options = options, .settings = settings, .arena = arena, .e = e};
	size_t rows = 0;

	while (!is_end(&options[rows]))
		rows++;
	p.words = argc > 0 ? (size_t)argc : 1;
	p.given = arena_get_array(arena, rows, sizeof *p.given);
	if (p.given == NULL)
		return fail_memory(&p);
	if (operands != NULL)
		*operands = (struct opt_list){0};
	return set_defaults(&p) && parse_words(&p, argc, argv, operands) && read_environment(&p);
}

/* Where help texts begin. A name that reaches up to it stands on a line of its own. */
#define HELP_COLUMN 28

/* Begins the next of the facts in brackets. */
static void next_fact(struct buf *out, bool *any)
{
	buf_add_cstr(out, *any ? "; " : " [");
	*any = true;
}

/* " [default: 8080; 1 to 65535; env: X]" */
static void add_facts(struct buf *out, const struct opt *o)
{
	bool any = false;

	if (o->initial != NULL && o->initial[0] != '\0') {
		next_fact(out, &any);
		buf_printf(out, "default: %s", o->initial);
	}
	if (has_range(o)) {
		next_fact(out, &any);
		add_range(out, o);
	}
	if (o->kind == OPT_CHOICE) {
		next_fact(out, &any);
		buf_add_cstr(out, "one of ");
		add_choices(out, o);
	}
	if (o->alias != NULL) {
		next_fact(out, &any);
		buf_printf(out, "also: --%s", o->alias);
	}
	if (o->env != NULL) {
		next_fact(out, &any);
		buf_printf(out, "env: %s", o->env);
	}
	if (any)
		buf_add_byte(out, ']');
}

static void add_option(struct buf *out, const struct opt *o)
{
	char storage[2048];
	struct buf text;
	size_t column;

	BUF_INIT_ARRAY(&text, storage);
	if (o->short_name != '\0')
		buf_printf(&text, "  -%c, --%s", o->short_name, o->name);
	else
		buf_printf(&text, "      --%s", o->name);
	if (o->value_name != NULL)
		buf_printf(&text, " %s", o->value_name);
	buf_add(out, buf_span(&text));
	column = text.len;
	if (column + 2 > HELP_COLUMN) {
		buf_add_byte(out, '\n');
		column = 0;
	}
	buf_clear(&text);
	buf_add_cstr(&text, o->help);
	add_facts(&text, o);
	wrap_text(buf_span(&text), column, HELP_COLUMN, out);
}

/* Lines as they stand under a heading; the last gets its line end when it has none. */
static void add_lines(struct buf *out, const char *heading, const char *lines)
{
	struct span text = span_from_cstr(lines);

	buf_printf(out, "\n%s:\n", heading);
	buf_add(out, text);
	if (!span_ends_with(text, SPAN("\n")))
		buf_add_byte(out, '\n');
}

/* The lines after the first of a form begin behind the name, which each form begins with. */
static void add_usage(struct buf *out, struct span usage, const char *name)
{
	const char *lead = "usage: ";
	struct span form;

	while (span_split(&usage, '\n', &form)) {
		buf_add_cstr(out, lead);
		wrap_line(form, strlen(lead), strlen(lead) + strlen(name) + 1, out);
		lead = "   or: ";
	}
}

void opt_print_manual(const struct opt_manual *m, const char *name, struct buf *out)
{
	/* main.c answers these for every applet. */
	static const struct opt common[] = {
		{.kind = OPT_FLAG,
		 .short_name = 'h',
		 .name = "help",
		 .help = "Print this and exit."},
		{.kind = OPT_FLAG,
		 .name = "version",
		 .help = "Print the versions of what is inside and exit."}};
	const struct opt *o = m->options;

	add_usage(out, span_from_cstr(m->usage), name);
	buf_add_byte(out, '\n');
	wrap_text(span_from_cstr(m->purpose), 0, 0, out);
	if (is_end(o) || o->kind != OPT_SECTION)
		buf_add_cstr(out, "\noptions:\n");
	for (; !is_end(o); o++) {
		if (o->kind == OPT_SECTION)
			buf_printf(out, "\n%s:\n", o->help);
		else if (o->kind != OPT_OBSOLETE)
			add_option(out, o);
	}
	for (size_t i = 0; i < COUNT(common); i++)
		add_option(out, &common[i]);
	if (m->exit_status != NULL)
		add_lines(out, "exit status", m->exit_status);
	if (m->examples != NULL)
		add_lines(out, "examples", m->examples);
}
