/*
 * tlsconn: the client side of one TLS connection, as buffers: no socket, no clock, no randomness of
 * its own. The caller moves bytes between it and a transport, and plain data between it and itself.
 *
 *	tlsconn_start(c, profile, "example.org", now, entropy);
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
 * The certificate chain and the name are always verified, before the first byte of data is taken.
 */
#ifndef TLS_TLSCONN_H
#define TLS_TLSCONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/keypair.h"
#include "tls/tls_profile.h"
#include "tls/tls_error.h"

struct tlsconn;

#define TLSCONN_ENTROPY_SIZE 32

enum tlsconn_want {
	TLSCONN_SEND_RECORDS = 1 << 0, /* has bytes for the transport */
	TLSCONN_RECV_RECORDS = 1 << 1, /* has room for bytes from the transport */
	TLSCONN_SEND_DATA = 1 << 2,    /* has room for plain data to the peer; handshake is done */
	TLSCONN_RECV_DATA = 1 << 3,    /* has plain data from the peer */
	TLSCONN_CLOSED = 1 << 4,       /* nothing more will happen; never together with another */
};

/* Bytes of storage for one, aligned as malloc does. It holds its record buffers and needs no fini.
 */
size_t tlsconn_size(void);

/*
 * Begins a handshake over new storage or over that of a connection that is over. `server_name` is
 * the DNS name for SNI and verification (one trailing dot is dropped); it is copied. `now_s` is the
 * time against which certificates are checked, in seconds since 1970. `entropy` must come from the
 * system's random generator and be used for this one call: all keys of the connection derive from
 * it.
 *
 * The profile must outlive the connection. False (with tlsconn_error) when the name is no DNS name:
 * empty, too long, or an IP address.
 */
bool tlsconn_start(struct tlsconn *c, const struct tls_profile *profile, const char *server_name,
		   uint64_t now_s, const uint8_t entropy[static TLSCONN_ENTROPY_SIZE]);

/*
 * The same for a `server` that may also be an IP address, IPv6 with or without brackets: then there
 * is no SNI (RFC 6066 section 3), and an iPAddress of the certificate's subjectAltName must be that
 * address. `keypair`, when not NULL, is what a server gets that asks for the client's certificate.
 */
bool tlsconn_start_peer(struct tlsconn *c, const struct tls_profile *profile, const char *server,
			const struct keypair *keypair, uint64_t now_s,
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
