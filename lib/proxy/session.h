/*
 * session: one client connection, from accept to close, as a state machine.
 *
 * The state says what is awaited; each has one timer. session_enter is the only way from one to
 * another, session_run does all that can be done now. An idle session holds no buffer and no
 * exchange.
 */
#ifndef PROXY_SESSION_H
#define PROXY_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "ev/loop.h"
#include "net/addr.h"
#include "proxy/stream.h"

struct exchange;
struct worker;

enum session_state {
	SESSION_DETECT,	 /* a redirected client's first bytes; detect_ms, then the policy */
	SESSION_IDLE,	 /* the first byte of a request; idle_ms, then closed */
	SESSION_HEAD,	 /* the rest of its head; header_ms, then 408 */
	SESSION_COLLECT, /* more of a chunked body, not passed on yet; a pause, then it is */
	SESSION_RESOLVE, /* the first answer for the external name; resolve_ms, then 503 */
	SESSION_CONNECT, /* the upstream connection; connect_ms, then tls_ms, then 504 */
	SESSION_FORWARD, /* request and response on their way; response_ms or stream_ms, then 504 */
	SESSION_TUNNEL,	 /* bytes both ways after 101; tunnel_ms, then closed */
	SESSION_REPLY,	 /* the client taking an answer of ours; stream_ms, then closed */
	SESSION_LINGER,	 /* the client's end, what it sends is dropped; linger_ms, then closed */
	SESSION_CLOSED,	 /* nothing: its memory goes at the end of the turn */
	SESSION_STATES,
};

struct session {
	struct stream client;
	struct timer timer;
	struct list node; /* in worker->sessions */
	struct deferred later;
	struct worker *worker;
	struct exchange *exchange; /* NULL in IDLE, LINGER and CLOSED */
	struct addr peer;
	uint8_t state;	    /* enum session_state */
	bool is_redirected; /* a struct session_redirected */
};

/* One whose client wanted to go elsewhere: to the outside. Its own type, so others stay small. */
struct session_redirected {
	struct session session; /* first */
	struct addr original;
};

/* Where that was. It must be redirected. */
static inline const struct addr *session_original(const struct session *s)
{
	return &((const struct session_redirected *)(const void *)s)->original;
}

/* How a connection ends when an exchange is over. */
enum session_end {
	SESSION_KEEP,  /* it carries the next request */
	SESSION_CLOSE, /* the client knows: closed at once */
	SESSION_PART,  /* half-closed: the client may still be sending, and is to get our answer */
	SESSION_RESET, /* what it was sent is not whole, and only a reset says so */
};

/*
 * Takes over an accepted descriptor; without room for it, it is closed. `original`: where the
 * client wanted to go, of a redirected connection to the outside, else NULL.
 */
void session_start(struct worker *w, int fd, const struct addr *peer, const struct addr *original);
/* Its descriptor, for somebody else; still counted as open. The session itself ends. */
int session_detach(struct session *s);

/* Does all that can be done now. */
void session_run(struct session *s);
/* The same in the next turn, after others have had theirs. */
void session_run_later(struct session *s);

/* Moves to a state and sets its timer. */
void session_enter(struct session *s, enum session_state state);
/* The timer anew, `after_ms` from now. */
void session_set_timer(struct session *s, uint64_t after_ms);

/* The exchange is over and logged; its memory goes back, or serves the next request. */
void session_next(struct session *s, enum session_end end);

/* For a worker that stops: those that have been without a request for long, or soon will be; all.
 */
void session_close_idle(struct worker *w);
void session_close_all(struct worker *w);

#endif
