/*
 * pages: what the operator's port shows: /healthz, /readyz, /metrics, /routes.
 */
#ifndef PROXY_PAGES_H
#define PROXY_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "proxy/admin.h"
#include "proxy/kubesource.h"
#include "proxy/logwriter.h"
#include "proxy/namespage.h"
#include "proxy/reload.h"
#include "proxy/tally.h"

/* What they are made of, as it is now. */
struct pages {
	struct namespage names;
	const struct tally *tally;
	const struct logwriter *log_writer; /* NULL: no access log */
	const struct reload *reload;	    /* NULL: none */
	const struct kubesource *kube;	    /* NULL: none */
	bool is_ready;
	bool is_stopping;
	uint64_t up_s;
};

/* For struct admin. */
struct admin_page pages_render(const struct pages *p, struct span target, struct buf *body);

#endif
