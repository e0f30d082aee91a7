/*
 * pump: moves one message's body from one stream to another, re-framed, with back-pressure.
 *
 * What comes in waits in `in`, what goes out in `out`. When the sink takes no more, the source is
 * not read: a pump holds at most two blocks. Framing that arrives is checked and taken off, framing
 * that leaves is our own. The head of the message is put into `out` by the caller beforehand, and
 * leaves together with the first of the body.
 *
 * Much of a body that needs no framing goes from one plain stream to another by splice, without
 * being looked at.
 */
#ifndef PROXY_PUMP_H
#define PROXY_PUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "http/h1body.h"
#include "proxy/iobuf.h"
#include "proxy/pipepool.h"
#include "proxy/stream.h"

enum pump_result {
	PUMP_AGAIN,	    /* waits for an event of either stream */
	PUMP_YIELD,	    /* could go on, but others have to have their turn: call again soon */
	PUMP_DONE,	    /* all of the message has been taken by the sink */
	PUMP_SOURCE_ENDED,  /* the source ended in the middle */
	PUMP_SOURCE_FAILED, /* reading failed: see the stream */
	PUMP_SINK_FAILED,   /* writing failed: see the stream */
	PUMP_MALFORMED,	    /* the body breaks a rule: see body.problem */
	PUMP_NO_BUFFER,	    /* no block could be had */
};

struct pump {
	struct h1_body body;
	struct iobuf in, out;
	struct pipepool *pipes;	    /* the owner's; NULL: everything is copied */
	struct pipepool_pipe *pipe; /* held while there is something in it */
	uint32_t piped;		    /* bytes in it */
	uint64_t bytes_in;	    /* of the body as it came, framing included */
	uint64_t bytes_out;	    /* taken by the sink so far, head and framing included */
	struct buf *trailers;	    /* what `body` collected, or NULL */
	bool chunked_out;	    /* else the bytes as they are */
	bool ended;		    /* the last of the message is in `out` */
	bool recycled;		    /* `out` no longer holds all that was ever put into it */
};

/*
 * Gets ready for a body that arrives framed as `kind` says and leaves chunked or as it is. Bytes of
 * it may be in p->in already, the head in p->out. `trailers`: see h1body_start.
 */
void pump_start(struct pump *p, enum h1_body_kind kind, uint64_t length, bool chunked_out,
		struct buf *trailers);

/* Moves what can be moved now. */
enum pump_result pump_run(struct pump *p, struct stream *source, struct stream *sink,
			  struct slab *blocks);

/*
 * Only reads and re-frames, until the message is whole (PUMP_DONE) or `out` is full (PUMP_YIELD),
 * for a body that should be seen before anybody is told of it.
 */
enum pump_result pump_collect(struct pump *p, struct stream *source, struct slab *blocks);

/* Gives the pipe back; both blocks as well. */
void pump_release_pipe(struct pump *p);
void pump_release(struct pump *p, struct slab *blocks);

#endif
