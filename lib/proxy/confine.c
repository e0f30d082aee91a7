#include "proxy/confine.h"

#include "proxy/reload.h"
#include "sys/landlock.h"
#include "sys/log.h"
#include "sys/sandbox.h"

static void log_unconfined(enum log_level level, const struct error *e)
{
	struct log_line line;

	log_begin(&line, level, "sandbox is not complete");
	log_cstr(&line, "error", e->text);
	log_end(&line);
}

/* A sanitizer's runtime looks at the process from outside, by /proc and ptrace. */
#ifdef __SANITIZE_ADDRESS__
#define IS_LOOKED_AT true
#else
#define IS_LOOKED_AT false
#endif

void confine_files(const struct reload *r, const char *token_file)
{
	static const struct filewatch none = {.fd = -1};
	struct error e;

	if (IS_LOOKED_AT)
		return;
	sandbox_begin();
	/* What is read again can only be left open when it is known where it is. */
	if (r != NULL && r->is_possible && r->files.fd == -1)
		error_set(&e, "files are not restricted: they can't be watched");
	else if (landlock_restrict(r != NULL ? &r->files : &none, token_file, &e))
		return;
	log_unconfined(LOG_DEBUG, &e);
}

void confine_calls(void)
{
	struct error e;

	if (!IS_LOOKED_AT && !sandbox_restrict_calls(&e))
		log_unconfined(LOG_INFO, &e);
}
