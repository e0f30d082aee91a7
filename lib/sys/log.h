/*
 * log: events of the process on standard error, one line and one write each.
 *
 *   2026-11-23T14:05:09.123Z warn manifest changed file="services.yaml" services=12
 *
 * Level, then a short constant message, then key=value pairs. Values from outside are escaped by
 * log_text. Safe from any thread. What has no pairs reads like a sentence.
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

#define LOG_LEVELS(X)                                                                              \
	X(LOG_ERROR, "error")                                                                      \
	X(LOG_WARN, "warn")                                                                        \
	X(LOG_INFO, "info")                                                                        \
	X(LOG_DEBUG, "debug")

enum log_level {
#define X(member, name) member,
	LOG_LEVELS(X)
#undef X
};

/* The names, in order, NULL-terminated: for the option table. */
extern const char *const log_level_names[];

/* Nothing above `level` is written. Starts at LOG_INFO. */
void log_set_level(enum log_level level);
bool log_is_on(enum log_level level);

struct log_line {
	struct buf buf;
	bool on;
	char storage[1024];
};

/* Begins a line; does nothing further when the level is off. `message` is a constant text. */
void log_begin(struct log_line *l, enum log_level level, const char *message);
/* key=value with the value quoted and escaped when it needs it. */
void log_text(struct log_line *l, const char *key, struct span value);
void log_cstr(struct log_line *l, const char *key, const char *value);
void log_u64(struct log_line *l, const char *key, uint64_t value);
/* Writes the line in one write(2). */
void log_end(struct log_line *l);

/* A line without pairs. */
void log_event(enum log_level level, const char *message);

#endif
