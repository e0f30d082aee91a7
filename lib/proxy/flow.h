/*
 * flow: bytes from one stream to another as they are, with back-pressure: one direction of a relay.
 *
 * They are copied through a block that is held only while there is something in it; once a read has
 * filled a whole block, they are spliced through a pipe instead, as long as they come in bulk. When
 * the sink takes no more, the source is not read.
 */
#ifndef PROXY_FLOW_H
#define PROXY_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/iobuf.h"
#include "proxy/pipepool.h"
#include "proxy/stream.h"

struct worker;

enum flow_result {
	FLOW_AGAIN,	    /* waits for an event of either stream */
	FLOW_YIELD,	    /* could go on, but others have to have their turn: call again soon */
	FLOW_ENDED,	    /* the source has ended, and the sink has taken all */
	FLOW_SOURCE_FAILED, /* after the sink took all that had come before */
	FLOW_SINK_FAILED,
	FLOW_NO_BUFFER,
};

struct flow {
	struct iobuf buf;
	struct pipepool_pipe *pipe; /* NULL: copying */
	uint32_t piped;		    /* bytes in the pipe */
	bool in_bulk;		    /* the last read was a full one */
	uint64_t moved;		    /* bytes taken by the sink */
};

/* Moves what can be moved now. Both streams are plain. */
enum flow_result flow_run(struct flow *f, struct stream *source, struct stream *sink,
			  struct worker *w);

/* Does it wait for the sink? */
static inline bool flow_is_blocked(const struct flow *f)
{
	return f->piped > 0 || !iobuf_is_empty(&f->buf);
}

/* Gives back what it holds. */
void flow_release(struct flow *f, struct worker *w);

#endif
