#include "proxy/reason.h"

static const struct {
	const char *name;
	int status;
	const char *text;
} rows[] = {
#define X(member, name, status, text) {name, status, text},
	PROXY_REASONS(X)
#undef X
};

const char *reason_name(enum reason r)
{
	return rows[r].name;
}

int reason_status(enum reason r)
{
	return rows[r].status;
}

const char *reason_text(enum reason r)
{
	return rows[r].text;
}
