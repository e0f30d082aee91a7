#include "cidr/verb.h"

#include <string.h>

#include "base/nearest.h"
#include "base/num.h"
#include "cidr/rangeinput.h"
#include "net/cidrset.h"
#include "net/rangelist.h"

const char *const verb_names[VERB_COUNT] = {
#define X(member, name) [member] = name,
	VERBS(X)
#undef X
};

enum verb verb_find(const char *word)
{
	size_t i = 0;

	while (i < VERB_COUNT && strcmp(word, verb_names[i]) != 0)
		i++;
	return (enum verb)i;
}

/* A word of letters is a verb that was mistyped rather than an address. */
bool verb_suggest(const char *word, struct error *e)
{
	struct nearest n;

	if (word[0] < 'a' || word[0] > 'z' || strpbrk(word, ".:/") != NULL)
		return false;
	nearest_init(&n, span_from_cstr(word));
	for (size_t i = 0; i < VERB_COUNT; i++)
		nearest_offer(&n, span_from_cstr(verb_names[i]));
	if (n.best.len == 0)
		return false;
	error_set(e, "\"%s\" is neither a verb nor a range: did you mean %.*s?", word,
		  SPAN_ARG(n.best));
	return true;
}

struct run {
	const struct verb_job *job;
	struct error *e;
	struct rangewriter writer;
	struct cidrset a, b, result;
	struct rangelist list; /* what is looked at one by one */
	size_t results;
	unsigned length; /* of the parts of split */
	bool is_no;
};

static enum verb_answer out_of_memory(struct run *r)
{
	error_set(r->e, "out of memory");
	return VERB_FAILED;
}

/* ---- Input ---- */

static bool add_to_set(void *context, const struct rangescan_found *found, struct error *e)
{
	return cidrset_add(context, &found->range) || error_set(e, "out of memory");
}

static void note_host_bits(const struct run *r, const struct rangeinput *in)
{
	if (in->host_bits == 1)
		diag_report(r->job->diag, DIAG_NOTE, "%s", in->host_bits_note);
	else if (in->host_bits > 1)
		diag_report(r->job->diag, DIAG_NOTE, "%s, and %zu more like it", in->host_bits_note,
			    in->host_bits - 1);
}

/* Operands from `from` to `to`, then files, then standard input when there is none of both. */
static bool read_all(struct run *r, struct rangeinput *in, size_t from, size_t to, bool with_files)
{
	const struct verb_job *job = r->job;
	size_t files = with_files ? job->files.count : 0;

	for (size_t i = from; i < to; i++)
		if (!rangeinput_operand(in, job->operands.items[i], r->e))
			return false;
	for (size_t i = 0; i < files; i++)
		if (!rangeinput_file(in, job->files.items[i], r->e))
			return false;
	if (from == to && with_files && files == 0) {
		if (!job->may_read_stdin)
			return error_set(r->e,
					 "%s: no ranges: give some, -f FILE, or standard input",
					 verb_names[job->verb]);
		if (!rangeinput_file(in, "-", r->e))
			return false;
	}
	note_host_bits(r, in);
	return true;
}

static bool read_one_set(struct run *r,
			 bool (*take)(void *, const struct rangescan_found *, struct error *),
			 void *target)
{
	struct rangeinput in;

	rangeinput_init(&in, r->job->family, take, target);
	return read_all(r, &in, 0, r->job->operands.count, true);
}

/* How many operands belong to the first set. */
static size_t first_operands(const struct verb_job *job)
{
	return job->files.count > 0 || job->operands.count < 2 ? 0 : 1;
}

static bool read_two_sets(struct run *r,
			  bool (*take)(void *, const struct rangescan_found *, struct error *),
			  void *others)
{
	size_t first = first_operands(r->job), count = r->job->operands.count;
	struct rangeinput in;

	if (count == 0)
		return error_set(r->e, "%s: expected ranges behind the first, or beside -f",
				 verb_names[r->job->verb]);
	rangeinput_init(&in, r->job->family, add_to_set, &r->a);
	if (!read_all(r, &in, 0, first, first == 0))
		return false;
	rangeinput_init(&in, r->job->family, take, others);
	return read_all(r, &in, first, count, false);
}

/* ---- Output ---- */

static bool add_prefix(void *context, const struct range *prefix)
{
	struct run *r = context;

	rangewriter_add(&r->writer, prefix);
	return !r->writer.has_failed;
}

static bool refuse_many(struct run *r)
{
	return error_set(r->e, "%s: more than %llu results (--max-results)",
			 verb_names[r->job->verb], (unsigned long long)r->job->max_results);
}

static enum verb_answer end(struct run *r)
{
	if (!rangewriter_end(&r->writer, r->e))
		return VERB_FAILED;
	return r->is_no ? VERB_NO : VERB_DONE;
}

static enum verb_answer print_set(struct run *r, const struct cidrset *set)
{
	size_t max = (size_t)r->job->max_results;

	if (cidrset_count(set) > max / 254 && cidrset_prefix_count(set, max + 1) > max) {
		refuse_many(r);
		return VERB_REFUSED;
	}
	cidrset_prefixes(set, add_prefix, r);
	return end(r);
}

/* ---- The verbs ---- */

static void print_prefixes_of(struct run *r, const struct range *range)
{
	struct range rest = *range;

	for (;;) {
		struct range prefix = range_first_prefix(&rest);

		rangewriter_add(&r->writer, &prefix);
		if (wide_eq(prefix.last, rest.last))
			return;
		rest.first = wide_next(prefix.last);
	}
}

static enum verb_answer run_normalize(struct run *r)
{
	if (!read_one_set(r, rangeinput_to_list, &r->list))
		return VERB_REFUSED;
	for (size_t i = 0; i < r->list.count; i++)
		print_prefixes_of(r, &r->list.list[i]);
	return end(r);
}

static enum verb_answer run_range(struct run *r)
{
	if (!read_one_set(r, rangeinput_to_list, &r->list))
		return VERB_REFUSED;
	for (size_t i = 0; i < r->list.count; i++) {
		r->writer.has_ends = range_length(&r->list.list[i]) >= 0;
		if (r->writer.has_ends)
			rangewriter_add(&r->writer, &r->list.list[i]);
		else
			print_prefixes_of(r, &r->list.list[i]);
	}
	return end(r);
}

static enum verb_answer run_aggregate(struct run *r)
{
	if (!read_one_set(r, add_to_set, &r->a))
		return VERB_REFUSED;
	if (!cidrset_merge(&r->a))
		return out_of_memory(r);
	/* Never more than what came, but for FIRST-LAST. */
	cidrset_prefixes(&r->a, add_prefix, r);
	return end(r);
}

static void note_foreign(struct run *r, const struct range *cover)
{
	struct wide own, foreign;
	char storage[64];
	struct buf b;

	cidrset_size(&r->a, cover->family, &own);
	foreign = wide_sub(wide_sub(cover->last, cover->first), own);
	BUF_INIT_ARRAY(&b, storage);
	if (foreign.high == 0 && foreign.low == 0)
		buf_add_byte(&b, '0');
	else
		wide_format_count(wide_prev(foreign), &b);
	diag_report(r->job->diag, DIAG_NOTE,
		    "of IPv%u, the cover adds %s addresses that are in none of the ranges",
		    cover->family, buf_cstr(&b));
}

static enum verb_answer run_cover(struct run *r)
{
	static const uint8_t families[] = {4, 6};

	if (!read_one_set(r, add_to_set, &r->a))
		return VERB_REFUSED;
	if (!cidrset_merge(&r->a))
		return out_of_memory(r);
	for (size_t i = 0; i < 2; i++) {
		struct range cover;

		if (!cidrset_cover(&r->a, families[i], &cover))
			continue;
		rangewriter_add(&r->writer, &cover);
		note_foreign(r, &cover);
	}
	return end(r);
}

static enum verb_answer run_two_sets(struct run *r)
{
	bool ok;

	if (!read_two_sets(r, add_to_set, &r->b))
		return VERB_REFUSED;
	if (!cidrset_merge(&r->a) || !cidrset_merge(&r->b))
		return out_of_memory(r);
	ok = r->job->verb == VERB_EXCLUDE ? cidrset_exclude(&r->a, &r->b, &r->result)
					  : cidrset_intersect(&r->a, &r->b, &r->result);
	return ok ? print_set(r, &r->result) : out_of_memory(r);
}

/* An answer of `contains` or a pair of `overlaps`, a line each; for YAML as for JSON. */
static void add_line(struct run *r, const struct range *a, const struct range *b, const char *word)
{
	bool is_json = r->job->format == RANGEWRITER_JSON || r->job->format == RANGEWRITER_YAML;
	char storage[3 * RANGE_TEXT_MAX];
	struct buf line;

	BUF_INIT_ARRAY(&line, storage);
	if (is_json)
		buf_add_cstr(&line, r->results > 0 ? ",\n [\"" : "[\n [\"");
	range_format(a, &line);
	buf_add_cstr(&line, is_json ? "\", \"" : r->job->format == RANGEWRITER_CSV ? "," : " ");
	if (b != NULL)
		range_format(b, &line);
	buf_add_cstr(&line, word);
	buf_add_cstr(&line, is_json ? "\"]" : "\n");
	rangewriter_text(&r->writer, buf_span(&line));
	r->results++;
}

static enum verb_answer end_lines(struct run *r)
{
	if (r->job->format == RANGEWRITER_JSON || r->job->format == RANGEWRITER_YAML)
		rangewriter_text(&r->writer, r->results > 0 ? SPAN("\n]\n") : SPAN("[]\n"));
	if (!rangewriter_flush(&r->writer, r->e))
		return VERB_FAILED;
	return r->is_no ? VERB_NO : VERB_DONE;
}

static enum verb_answer run_contains(struct run *r)
{
	if (!read_two_sets(r, rangeinput_to_list, &r->list))
		return VERB_REFUSED;
	if (!cidrset_merge(&r->a))
		return out_of_memory(r);
	for (size_t i = 0; i < r->list.count; i++) {
		bool is_inside = cidrset_contains(&r->a, &r->list.list[i]);

		add_line(r, &r->list.list[i], NULL, is_inside ? "yes" : "no");
		r->is_no = r->is_no || !is_inside;
	}
	return end_lines(r);
}

static bool count_pair(void *context, const struct range *a, const struct range *b)
{
	struct run *r = context;

	(void)a;
	(void)b;
	return ++r->results <= r->job->max_results;
}

static bool add_pair(void *context, const struct range *a, const struct range *b)
{
	add_line(context, a, b, "");
	return true;
}

static enum verb_answer run_overlaps(struct run *r)
{
	if (!read_one_set(r, rangeinput_to_list, &r->list))
		return VERB_REFUSED;
	rangelist_sort(&r->list);
	if (!rangelist_overlaps(&r->list, count_pair, r)) {
		refuse_many(r);
		return VERB_REFUSED;
	}
	r->is_no = r->results == 0;
	r->results = 0;
	rangelist_overlaps(&r->list, add_pair, r);
	return end_lines(r);
}

/* ---- Splitting ---- */

/* How many parts a range has, less one; UINT64_MAX for more than that. */
static uint64_t part_count(const struct range *range, unsigned bits)
{
	struct wide size = wide_sub(range->last, range->first);

	if (bits >= 64)
		return bits >= 128 ? 0 : size.high >> (bits - 64);
	if (size.high >> bits > 0)
		return UINT64_MAX;
	return bits == 0 ? size.low : size.high << (64 - bits) | size.low >> bits;
}

/* Refuses what can't be split or makes too many parts, before anything is printed. */
static bool add_to_split(void *context, const struct rangescan_found *found, struct error *e)
{
	struct run *r = context;
	const struct range *range = &found->range;
	unsigned width = range_width(range), bits = width - r->length;
	char storage[RANGE_TEXT_MAX];
	uint64_t count;
	struct buf b;

	if (r->length > width || wide_trailing_zeros(range->first) < bits ||
	    (wide_trailing_zeros(wide_next(range->last)) < bits)) {
		BUF_INIT_ARRAY(&b, storage);
		range_format(range, &b);
		return error_set(e, "split: %s is not made of parts of /%u", buf_cstr(&b),
				 r->length);
	}
	count = part_count(range, bits);
	if (count >= r->job->max_results - r->results)
		return refuse_many(r);
	r->results += (size_t)count + 1;
	return rangeinput_to_list(&r->list, found, e);
}

static bool read_split(struct run *r)
{
	const struct verb_job *job = r->job;
	struct rangeinput in;
	bool has_length = false, has_ranges = job->files.count > 0;
	uint64_t length;

	rangeinput_init(&in, job->family, add_to_split, r);
	for (size_t i = 0; i < job->operands.count; i++) {
		struct span word = span_from_cstr(job->operands.items[i]);

		if (!span_starts_with(word, SPAN("/"))) {
			has_ranges = true;
			continue;
		}
		if (has_length || !num_parse_u64(span_from(word, 1), 0, 128, &length))
			return error_set(r->e, "split: expected one /LENGTH, from /0 to /128");
		has_length = true;
		r->length = (unsigned)length;
	}
	if (!has_length)
		return error_set(r->e, "split: expected /LENGTH, of the parts, and ranges");
	for (size_t i = 0; i < job->operands.count; i++)
		if (job->operands.items[i][0] != '/' &&
		    !rangeinput_operand(&in, job->operands.items[i], r->e))
			return false;
	if (has_ranges || !job->may_read_stdin) {
		for (size_t i = 0; i < job->files.count; i++)
			if (!rangeinput_file(&in, job->files.items[i], r->e))
				return false;
	} else if (!rangeinput_file(&in, "-", r->e)) {
		return false;
	}
	note_host_bits(r, &in);
	return true;
}

static enum verb_answer run_split(struct run *r)
{
	if (!read_split(r))
		return VERB_REFUSED;
	for (size_t i = 0; i < r->list.count; i++) {
		const struct range *whole = &r->list.list[i];
		struct wide ones = wide_ones(range_width(whole) - r->length);
		struct range part = {whole->first, wide_add(whole->first, ones), whole->family};

		for (;;) {
			rangewriter_add(&r->writer, &part);
			if (wide_eq(part.last, whole->last))
				break;
			part.first = wide_next(part.last);
			part.last = wide_add(part.first, ones);
		}
	}
	return end(r);
}

static enum verb_answer run_verb(struct run *r)
{
	switch (r->job->verb) {
	case VERB_NORMALIZE:
		return run_normalize(r);
	case VERB_AGGREGATE:
		return run_aggregate(r);
	case VERB_COVER:
		return run_cover(r);
	case VERB_CONTAINS:
		return run_contains(r);
	case VERB_OVERLAPS:
		return run_overlaps(r);
	case VERB_SPLIT:
		return run_split(r);
	case VERB_RANGE:
		return run_range(r);
	default:
		return run_two_sets(r);
	}
}

enum verb_answer verb_run(const struct verb_job *job, struct error *e)
{
	struct run r = {.job = job, .e = e};
	enum verb_answer answer;

	cidrset_init(&r.a);
	cidrset_init(&r.b);
	cidrset_init(&r.result);
	rangelist_init(&r.list);
	rangewriter_init(&r.writer, job->out, job->format);
	answer = run_verb(&r);
	cidrset_fini(&r.a);
	cidrset_fini(&r.b);
	cidrset_fini(&r.result);
	rangelist_fini(&r.list);
	return answer;
}
