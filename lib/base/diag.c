#include "base/diag.h"

#include <stdarg.h>

#include "base/buf.h"

bool diag_report(struct diag *d, enum diag_level level, const char *format, ...)
{
	char storage[1024];
	struct buf b;
	va_list args;

	if (level == DIAG_ERROR)
		d->errors++;
	else if (level == DIAG_WARNING)
		d->warnings++;
	if (d->emit != NULL) {
		BUF_INIT_ARRAY(&b, storage);
		va_start(args, format);
		buf_vprintf(&b, format, args);
		va_end(args);
		d->emit(d, level, storage);
	}
	return level != DIAG_ERROR;
}
