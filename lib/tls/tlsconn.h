/*
 * tlsconn: the client side of one TLS connection, as buffers: no socket, no clock, no randomness of
 * its own. The caller moves bytes between it and a transport, and plain data between it and itself.
 *
 *	tlsconn_memory_init(&memory, 1000, 100);
 *	c = tlsconn_new(&memory);
 *	tlsconn_start(c, &peer, now, entropy);
 *	until tlsconn_wants(c) has
 *	TLSCONN_CLOSED		see tlsconn_error, drop the transport
 *	TLSCONN_SEND_RECORDS	send from tlsconn_records_out; tell tlsconn_records_sent
 *	TLSCONN_RECV_DATA	take from tlsconn_data_in; tell tlsconn_data_read
 *	TLSCONN_SEND_DATA	put into tlsconn_data_out; tell tlsconn_data_written
 *	TLSCONN_RECV_RECORDS	receive to tlsconn_records_in; tell tlsconn_records_received
 *
 * Every call may change what is wanted: ask again after each. Records to send go before everything
 * else. A pointer that a call returned is good until the next call that is not a question.
 *
 * The certificate chain and the name are verified before the first byte of data is taken, unless
 * the peer is one that is_unverified.
 */
#ifndef TLS_TLSCONN_H
#define TLS_TLSCONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slab.h"
#include "base/span.h"
#include "net/addr.h"
#include "tls/keypair.h"
#include "tls/resume.h"
#include "tls/tls_profile.h"
#include "tls/tls_error.h"

struct tlsconn;

#define TLSCONN_ENTROPY_SIZE 32
#define TLSCONN_IDENTITY_SIZE 32

enum tlsconn_want {
	TLSCONN_SEND_RECORDS = 1 << 0, /* has bytes for the transport */
	TLSCONN_RECV_RECORDS = 1 << 1, /* has room for bytes from the transport */
	TLSCONN_SEND_DATA = 1 << 2,    /* has room for plain data to the peer; handshake is done */
	TLSCONN_RECV_DATA = 1 << 3,    /* has plain data from the peer */
	TLSCONN_CLOSED = 1 << 4,       /* nothing more will happen; never together with another */
};

/*
 * Memory for connections: what each needs always, 4 KiB; its record buffers, 33 KiB; and, while the
 * certificates of a server come in, 25 KiB more. For one thread.
 */
struct tlsconn_memory {
	struct slab conns, buffers, chains;
};

/* For at most `max` connections; what some of them need is kept for the next. */
void tlsconn_memory_init(struct tlsconn_memory *m, size_t max);
/* All connections must have been freed. */
void tlsconn_memory_fini(struct tlsconn_memory *m);

/* Whom to call, and what to take for him. Borrowed until the handshake is over. */
struct tlsconn_peer {
	const struct tls_profile *profile;
	/*
	 * A DNS name, which is asked for (SNI), or an IP address, with or without brackets, for
	 * which there is no SNI (RFC 6066 section 3). One trailing dot is dropped.
	 */
	struct span server;
	/*
	 * What the certificate must be for: one or more of DNS names and addresses, separated by
	 * commas. Empty: the server.
	 */
	struct span names;
	const struct keypair *keypair; /* for a peer that asks for one; NULL: none */
	bool is_unverified;	       /* takes whatever certificate there is */
	/*
	 * Sessions that may be resumed, NULL: none; where the transport leads to; and what stands
	 * for all of the above but the server. A session is resumed where both are the same, and
	 * the server.
	 */
	struct resume *sessions;
	struct addr addr;
	uint8_t identity[TLSCONN_IDENTITY_SIZE];
};

/* Makes an identity of all that it stands for: the same of the same parts, and of no others. */
void tlsconn_identify(const struct span *parts, size_t count,
		      uint8_t identity[static TLSCONN_IDENTITY_SIZE]);

/* NULL without memory. It must be started before anything else. */
struct tlsconn *tlsconn_new(struct tlsconn_memory *m);
/* NULL is fine. */
void tlsconn_free(struct tlsconn *c);

/*
 * Begins a handshake, on a connection that is new or over. `now_s` is the time against which
 * certificates are checked, in seconds since 1970. `entropy` must come from the system's random
 * generator and be used for this one call: all keys of the connection derive from it.
 *
 * False (with tlsconn_error) when the server is neither a DNS name nor an address, or without
 * memory.
 */
bool tlsconn_start(struct tlsconn *c, const struct tlsconn_peer *peer, uint64_t now_s,
		   const uint8_t entropy[static TLSCONN_ENTROPY_SIZE]);

/* What the connection can do now: a set of enum tlsconn_want. */
unsigned tlsconn_wants(const struct tlsconn *c);

/* Bytes for the transport; NULL and *len 0 when there are none. _sent: the first n have gone out.
 */
const uint8_t *tlsconn_records_out(const struct tlsconn *c, size_t *len);
void tlsconn_records_sent(struct tlsconn *c, size_t n);

/*
 * Room for bytes from the transport; NULL and *len 0 when there is none now. More than one record
 * fits, so one receive call takes what has arrived, up to 16 KiB. _received: n have been put there.
 */
uint8_t *tlsconn_records_in(const struct tlsconn *c, size_t *len);
void tlsconn_records_received(struct tlsconn *c, size_t n);

/*
 * Room for data to the peer. _written: n bytes have been put there. Data waits for a full record
 * (16 KiB) or for tlsconn_flush, so flush after what should leave now. While a record is being sent
 * there is no room.
 */
uint8_t *tlsconn_data_out(const struct tlsconn *c, size_t *len);
void tlsconn_data_written(struct tlsconn *c, size_t n);
void tlsconn_flush(struct tlsconn *c);

/* Data from the peer, verified and decrypted. _read: the first n are done with. */
uint8_t *tlsconn_data_in(const struct tlsconn *c, size_t *len);
void tlsconn_data_read(struct tlsconn *c, size_t n);

/*
 * The transport will bring no more. What was received before it is still given out; then the
 * connection is TLSCONN_CLOSED: cleanly when a close_notify had come, else with TLS_TRUNCATED, or
 * TLS_HANDSHAKE_CLOSED when the handshake was not over.
 */
void tlsconn_eof(struct tlsconn *c);

/*
 * Ends the connection in both directions: data written before it is flushed, data not yet read is
 * dropped, a close_notify goes out (nothing does when the handshake is not over). Send while
 * TLSCONN_SEND_RECORDS is wanted, then drop the transport; there is no need to wait for the peer's.
 */
void tlsconn_close(struct tlsconn *c);

/*
 * While nothing is under way, gives the buffers back, until tlsconn_wake takes others. In between,
 * only tlsconn_wake, _close, _free and those questions may be asked that need no bytes: nothing is
 * wanted. _rest: false when it cannot, because there are bytes that have not been dealt with or the
 * connection is not established. _wake: false without memory; harmless when awake.
 */
bool tlsconn_rest(struct tlsconn *c);
bool tlsconn_wake(struct tlsconn *c);

/* The handshake took up an earlier session, in which the peer had been verified. */
bool tlsconn_is_resumed(const struct tlsconn *c);
/* The handshake is over and the peer is verified. Stays true afterwards, also when closed. */
bool tlsconn_is_established(const struct tlsconn *c);
/* Why it is TLSCONN_CLOSED; TLS_OK before that and after a clean close from either side. */
enum tls_error tlsconn_error(const struct tlsconn *c);
/* The peer has sent its close_notify: what was read is all it had to say (RFC 5246, 7.2.1). */
bool tlsconn_closed_cleanly(const struct tlsconn *c);

/*
 * For logs, once established: "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", "http/1.1" (or "" when the
 * peer chose no protocol). All "" before.
 */
const char *tlsconn_version(const struct tlsconn *c);
const char *tlsconn_cipher(const struct tlsconn *c);
const char *tlsconn_alpn(struct tlsconn *c);

#endif
