#include "http/h1problem.h"

struct problem {
	const char *name;
	const char *text;
	unsigned status;
};

#define PROBLEM(member, name, status, text) [H1_PROBLEM_##member] = {name, text, status},
static const struct problem problems[H1_PROBLEM_COUNT] = {H1_PROBLEMS(PROBLEM)};
static const struct problem unknown = {"unknown", "unknown", 400};

static const struct problem *find(enum h1_problem problem)
{
	return (unsigned)problem < H1_PROBLEM_COUNT ? &problems[problem] : &unknown;
}

const char *h1problem_name(enum h1_problem problem)
{
	return find(problem)->name;
}

const char *h1problem_text(enum h1_problem problem)
{
	return find(problem)->text;
}

unsigned h1problem_status(enum h1_problem problem)
{
	return find(problem)->status;
}
