#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"

/*
 * Texts are built beside *e and copied, since an argument may well be e->text, as in
 * error_set(e, "%s: %s", path, e->text).
 */
static void keep(struct error *e, const struct buf *b)
{
	memcpy(e->text, b->ptr, b->len + 1);
}

bool error_set(struct error *e, const char *format, ...)
{
	char storage[ERROR_TEXT_MAX];
	struct buf b;
	va_list args;

	BUF_INIT_ARRAY(&b, storage);
	va_start(args, format);
	buf_vprintf(&b, format, args);
	va_end(args);
	keep(e, &b);
	return false;
}

bool error_set_sys(struct error *e, const char *format, ...)
{
	int error_number = errno;
	char storage[ERROR_TEXT_MAX];
	struct buf b;
	va_list args;

	BUF_INIT_ARRAY(&b, storage);
	va_start(args, format);
	buf_vprintf(&b, format, args);
	va_end(args);
	buf_printf(&b, ": %s", strerror(error_number));
	keep(e, &b);
	errno = error_number;
	return false;
}

/* Two addresses of IPv6 and a hyphen are shown whole. */
#define QUOTED_MAX 80

bool error_quote(struct error *e, struct span text, const char *format, ...)
{
	char storage[ERROR_TEXT_MAX];
	struct buf b;
	va_list args;

	BUF_INIT_ARRAY(&b, storage);
	buf_add_byte(&b, '"');
	buf_add_escaped(&b, text, QUOTED_MAX);
	buf_add_byte(&b, '"');
	va_start(args, format);
	buf_vprintf(&b, format, args);
	va_end(args);
	keep(e, &b);
	return false;
}

bool error_prefix(struct error *e, const char *format, ...)
{
	char storage[ERROR_TEXT_MAX];
	struct buf b;
	va_list args;

	BUF_INIT_ARRAY(&b, storage);
	va_start(args, format);
	buf_vprintf(&b, format, args);
	va_end(args);
	buf_printf(&b, ": %s", e->text);
	keep(e, &b);
	return false;
}

bool error_prefix_path(struct error *e, const char *path)
{
	char storage[256];
	struct buf b;

	BUF_INIT_ARRAY(&b, storage);
	buf_add_escaped(&b, span_from_cstr(path), sizeof storage - 4);
	return error_prefix(e, "%s", storage);
}
