/*
 * channel: one connection to a server, plain or TLS. For one who has nothing else to do, calls wait
 * until they are done, but not past their deadline (clock_monotonic_ms). With CHANNEL_NOW for a
 * deadline they do what can be done at once: CHANNEL_TIMEOUT then means to call again, with the
 * same, when the descriptor is ready for reading or writing as it was not before.
 */
#ifndef KUBEAPI_CHANNEL_H
#define KUBEAPI_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "net/addr.h"
#include "tls/keypair.h"
#include "tls/tls_profile.h"
#include "tls/tlsconn.h"

#define CHANNEL_NOW ((uint64_t)0)

enum channel_result {
	CHANNEL_OK,
	CHANNEL_EOF, /* the peer has ended the connection in order; for TLS with close_notify */
	CHANNEL_TIMEOUT,
	CHANNEL_FAILED, /* channel_tls_error, or else `error`, says why */
};

struct channel {
	int fd;			      /* -1: not open */
	int error;		      /* errno of the last failure of the transport */
	struct tlsconn *tls;	      /* NULL: plain */
	struct tlsconn_memory memory; /* its own, so a channel must not move once it is secure */
};

/* Not open. */
void channel_init(struct channel *c);
/* A TCP connection; the channel must not be open, and is not when this fails. */
enum channel_result channel_open(struct channel *c, const struct addr *addr, uint64_t deadline_ms);
/*
 * The same in two steps: what was begun is made when channel_finish, once the descriptor can be
 * written to, gives CHANNEL_OK. After a failure of the latter the channel is still to be closed.
 */
enum channel_result channel_begin(struct channel *c, const struct addr *addr);
enum channel_result channel_finish(struct channel *c, uint64_t deadline_ms);
/*
 * TLS over it, for `server`, a DNS name or an IP address, as tlsconn_start. `now_s` is the
 * time for certificates. On failure the channel is still to be closed.
 */
enum channel_result channel_secure(struct channel *c, const struct tls_profile *profile,
				   const char *server, const struct keypair *keypair,
				   uint64_t now_s, uint64_t deadline_ms);
/* In two steps: storage and keys, then the handshake, which may be called again. */
enum channel_result channel_secure_begin(struct channel *c, const struct tls_profile *profile,
					 const char *server, const struct keypair *keypair,
					 uint64_t now_s);
enum channel_result channel_handshake(struct channel *c, uint64_t deadline_ms);
/* All of *bytes, off which is taken what is on its way. */
enum channel_result channel_write(struct channel *c, struct span *bytes, uint64_t deadline_ms);
/* At most `cap` (not 0) bytes; *got > 0 for CHANNEL_OK, but with CHANNEL_NOW it may be 0. */
enum channel_result channel_read(struct channel *c, char *to, size_t cap, size_t *got,
				 uint64_t deadline_ms);
/* Open, and neither bytes nor the end have come since: fit for another request. */
bool channel_is_quiet(const struct channel *c);
/* What TLS has failed with; TLS_OK when it has not, or is not used. */
enum tls_error channel_tls_error(const struct channel *c);
/* With a close_notify, where that can be sent at once. Harmless when not open. */
void channel_close(struct channel *c);

#endif
