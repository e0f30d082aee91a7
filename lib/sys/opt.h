/*
 * opt: options from tables. The same rows parse the command line, print the help and are tested.
 *
 * An applet has one struct of settings, zeroed, and one table of rows that say where in it each
 * value goes. Accepted: -x, -xVALUE, -x VALUE, grouped flags -abc, --name, --name=VALUE, --name
 * VALUE, for flags --name=true and --name=false; "--" ends options. Names are never abbreviated. An
 * option given twice: the last value counts, except for lists. When a row names an environment
 * variable and the option is not given, the variable's value is used, if it is set and not empty;
 * for a flag it is true, yes, 1 or on (do what the option does) or the opposite. Rows of one offset
 * are one setting: --x and --no-x; the last one given counts, and beats --x's variable.
 */
#ifndef SYS_OPT_H
#define SYS_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum opt_kind {
	OPT_SECTION,  /* a heading in the help: `help` is its text */
	OPT_FLAG,     /* bool: set to true */
	OPT_NO_FLAG,  /* bool: set to false */
	OPT_TEXT,     /* const char *, borrowed from argv or the environment */
	OPT_LIST,     /* struct opt_list; in the environment and the default: comma-separated */
	OPT_NUMBER,   /* uint64_t within min..max */
	OPT_DURATION, /* uint64_t in milliseconds: a number with ms, s, m or h; bare: seconds */
	OPT_CHOICE,   /* int: the index in `choices` */
	OPT_OBSOLETE, /* struct opt_list of the names given: taken, with a value if it has a
			 value_name, and not in the help; many may share a list */
};

struct opt_list {
	const char **items;
	size_t count;
};

struct opt {
	enum opt_kind kind;
	char short_name;	    /* 0: none */
	const char *name;	    /* without "--" */
	const char *value_name;	    /* in the help: FILE, ADDR, N ... ; NULL for flags */
	size_t offset;		    /* of the value in the settings */
	const char *initial;	    /* default, parsed like the environment's; NULL: left zero */
	const char *env;	    /* environment variable, or NULL */
	const char *alias;	    /* another long name that others know it by, or NULL */
	uint64_t min, max;	    /* OPT_NUMBER, OPT_DURATION (in ms); max 0: no bound */
	const char *const *choices; /* OPT_CHOICE: NULL-terminated */
	const char *help;	    /* a sentence or two, wrapped by the printer */
};

/*
 * What `--help` says, besides the rows. Usage, purpose and help texts are wrapped line by line: a
 * line end in them stays, and blanks at the start of a line indent all of it.
 */
struct opt_manual {
	const char *usage;	   /* "egress-proxy -f FILE|DIR|- ...", a line per form */
	const char *purpose;	   /* a paragraph or more */
	const struct opt *options; /* ends in a row with name NULL and help NULL */
	const char *exit_status;   /* lines, printed as they stand */
	const char *examples;	   /* lines, printed as they stand */
};

/*
 * Fills `settings` from defaults, environment and argv (argv[0] is skipped). Operands (words that
 * are not options) go to *operands, or are an error when it is NULL. Lists live in the arena. The
 * error says which option and what was expected, with the nearest known name for an unknown one.
 */
bool opt_parse(const struct opt *options, void *settings, int argc, char **argv,
	       struct arena *arena, struct opt_list *operands, struct error *e);

/*
 * The manual of applet `name`, at most 80 columns, with rows for -h, --help and --version behind
 * the table's.
 */
void opt_print_manual(const struct opt_manual *m, const char *name, struct buf *out);

#endif
