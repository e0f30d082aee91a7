#include "sys/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/ascii.h"
#include "sys/clock.h"

/* More of one value is not shown: a long target must not push the rest off the line. */
#define VALUE_SHOWN 256

const char *const log_level_names[] = {
#define X(member, name) name,
	LOG_LEVELS(X)
#undef X
		NULL,
};

static atomic_int max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

bool log_is_on(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

void log_begin(struct log_line *l, enum log_level level, const char *message)
{
	l->on = log_is_on(level);
	if (!l->on)
		return;
	/* One byte is kept back for the line end, which stands in the NUL's place: see log_end. */
	buf_init(&l->buf, l->storage, sizeof l->storage);
	clock_format_rfc3339(clock_realtime_ms(), &l->buf);
	buf_add_byte(&l->buf, ' ');
	buf_add_cstr(&l->buf, log_level_names[level]);
	buf_add_byte(&l->buf, ' ');
	buf_add_cstr(&l->buf, message);
}

static bool needs_quotes(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (!ascii_is_alnum(c) && (c == '\0' || strchr("_./:@%+,-", c) == NULL))
			return true;
	}
	return value.len == 0;
}

void log_text(struct log_line *l, const char *key, struct span value)
{
	bool quoted;

	if (!l->on)
		return;
	quoted = needs_quotes(span_first(value, VALUE_SHOWN));
	buf_add_byte(&l->buf, ' ');
	buf_add_cstr(&l->buf, key);
	buf_add_cstr(&l->buf, quoted ? "=\"" : "=");
	buf_add_escaped(&l->buf, value, VALUE_SHOWN);
	buf_add_cstr(&l->buf, quoted ? "\"" : "");
}

void log_cstr(struct log_line *l, const char *key, const char *value)
{
	log_text(l, key, span_from_cstr(value));
}

void log_u64(struct log_line *l, const char *key, uint64_t value)
{
	if (!l->on)
		return;
	buf_add_byte(&l->buf, ' ');
	buf_add_cstr(&l->buf, key);
	buf_add_byte(&l->buf, '=');
	buf_add_u64(&l->buf, value);
}

void log_end(struct log_line *l)
{
	int error_number = errno;
	ssize_t n;

	if (!l->on)
		return;
	l->on = false;
	l->storage[l->buf.len] = '\n';
	do
		n = write(STDERR_FILENO, l->storage, l->buf.len + 1);
	while (n == -1 && errno == EINTR);
	errno = error_number; /* a log that is lost is lost; nothing can be said about it */
}

void log_event(enum log_level level, const char *message)
{
	struct log_line l;

	log_begin(&l, level, message);
	log_end(&l);
}
