/*
 * peer: a TLS server in memory, by BearSSL, and a client of ours wired to it. Test code only.
 */
#ifndef PEER_H
#define PEER_H

#include "certs.h"

#include "tls/tlsconn.h"

/* Entropy for tests: 32 times the same byte, so that a connection can be had again. */
struct entropy {
	uint8_t bytes[TLSCONN_ENTROPY_SIZE];
};

__attribute__((unused)) static struct entropy entropy_of(unsigned number)
{
	struct entropy e = {{0}};

	memcpy(e.bytes, &number, sizeof number);
	return e;
}

struct peer {
	br_ssl_server_context server;
	br_x509_minimal_context client_verifier;
	struct certs chain;
	br_skey_decoder_context key;
	unsigned char in[BR_SSL_BUFSIZE_INPUT], out[BR_SSL_BUFSIZE_OUTPUT];

	struct anchors *anchors;
	struct tls_profile *profile;
	struct tlsconn_memory memory;
	struct tlsconn *client;
};

/* `cert` names chain and key of the server, `anchors` the bundle of the client. */
__attribute__((unused)) static struct peer *peer_new(const char *cert, const char *anchors)
{
	struct peer *p = calloc(1, sizeof *p);
	char file[64];

	snprintf(file, sizeof file, "%s.pem", cert);
	certs_chain(file, &p->chain);
	snprintf(file, sizeof file, "%s.key", cert);
	certs_key(file, &p->key);
	if (br_skey_decoder_key_type(&p->key) == BR_KEYTYPE_EC)
		br_ssl_server_init_full_ec(&p->server, p->chain.list, p->chain.count, BR_KEYTYPE_EC,
					   br_skey_decoder_get_ec(&p->key));
	else
		br_ssl_server_init_full_rsa(&p->server, p->chain.list, p->chain.count,
					    br_skey_decoder_get_rsa(&p->key));
	br_ssl_engine_set_buffers_bidi(&p->server.eng, p->in, sizeof p->in, p->out, sizeof p->out);
	br_ssl_engine_inject_entropy(&p->server.eng, "a server of the tests", 21);
	br_ssl_server_reset(&p->server);

	snprintf(file, sizeof file, "%s.pem", anchors);
	p->anchors = certs_anchors(file);
	p->profile = tls_profile_new(p->anchors);
	tlsconn_memory_init(&p->memory, 2);
	p->client = tlsconn_new(&p->memory);
	return p;
}

__attribute__((unused)) static void peer_free(struct peer *p)
{
	tls_profile_free(p->profile);
	anchors_free(p->anchors);
	tlsconn_free(p->client);
	tlsconn_memory_fini(&p->memory);
	free(p);
}

__attribute__((unused)) static bool peer_start_with(struct peer *p, const char *name, uint64_t now,
						    unsigned entropy)
{
	struct tlsconn_peer peer = {.profile = p->profile, .server = span_from_cstr(name)};
	struct entropy e = entropy_of(entropy);

	return tlsconn_start(p->client, &peer, now, e.bytes);
}

__attribute__((unused)) static bool peer_start_at(struct peer *p, const char *name, uint64_t now)
{
	return peer_start_with(p, name, now, 1);
}

/* Moves up to `step` bytes of records from client to server; returns how many. */
__attribute__((unused)) static size_t peer_to_server(struct peer *p, size_t step)
{
	size_t len, room;
	const uint8_t *from = tlsconn_records_out(p->client, &len);
	unsigned char *to = br_ssl_engine_recvrec_buf(&p->server.eng, &room);

	if (from == NULL || to == NULL)
		return 0;
	len = len < room ? len : room;
	len = len < step ? len : step;
	memcpy(to, from, len);
	br_ssl_engine_recvrec_ack(&p->server.eng, len);
	tlsconn_records_sent(p->client, len);
	return len;
}

/* The same from server to client. */
__attribute__((unused)) static size_t peer_to_client(struct peer *p, size_t step)
{
	size_t len, room;
	unsigned char *from = br_ssl_engine_sendrec_buf(&p->server.eng, &len);
	uint8_t *to = tlsconn_records_in(p->client, &room);

	if (from == NULL || to == NULL)
		return 0;
	len = len < room ? len : room;
	len = len < step ? len : step;
	memcpy(to, from, len);
	br_ssl_engine_sendrec_ack(&p->server.eng, len);
	tlsconn_records_received(p->client, len);
	return len;
}

/* Moves records until none is left to move. */
__attribute__((unused)) static void peer_settle(struct peer *p, size_t step)
{
	while (peer_to_server(p, step) + peer_to_client(p, step) > 0)
		;
}

/* A finished handshake with "example.test". */
__attribute__((unused)) static struct peer *peer_connected(const char *cert, size_t step)
{
	struct peer *p = peer_new(cert, "bundle");

	CHECK(peer_start_at(p, "example.test", NOW));
	peer_settle(p, step);
	CHECK_TEXT(tls_error_name(tlsconn_error(p->client)), "ok");
	CHECK(tlsconn_is_established(p->client));
	return p;
}

/* Writes as one record of the server's, which has to be ready for it. */
__attribute__((unused)) static void peer_server_says(struct peer *p, const void *bytes, size_t len)
{
	size_t room;
	unsigned char *to = br_ssl_engine_sendapp_buf(&p->server.eng, &room);

	CHECK(to != NULL && len <= room);
	memcpy(to, bytes, len);
	br_ssl_engine_sendapp_ack(&p->server.eng, len);
	br_ssl_engine_flush(&p->server.eng, 0);
}

/* Puts bytes as if received; all must fit. */
__attribute__((unused)) static void peer_receive(struct peer *p, const void *bytes, size_t len)
{
	size_t room;
	uint8_t *to = tlsconn_records_in(p->client, &room);

	CHECK(to != NULL && len <= room);
	memcpy(to, bytes, len);
	tlsconn_records_received(p->client, len);
}

/* Takes all records that the server has to send, at most `size` bytes. */
__attribute__((unused)) static size_t peer_server_records(struct peer *p, uint8_t *out, size_t size)
{
	size_t total = 0, len;
	unsigned char *from;

	while ((from = br_ssl_engine_sendrec_buf(&p->server.eng, &len)) != NULL) {
		CHECK(total + len <= size);
		memcpy(out + total, from, len);
		br_ssl_engine_sendrec_ack(&p->server.eng, len);
		total += len;
	}
	return total;
}

/* Sends `size` bytes to a server that sends them back, and checks that they come, in order. */
__attribute__((unused)) static void peer_echo(struct peer *p, size_t size, size_t step)
{
	size_t written = 0, echoed = 0, read = 0, len, room;
	uint8_t *at, *from;

	while (read < size) {
		if ((at = tlsconn_data_out(p->client, &len)) != NULL && written < size) {
			len = len < size - written ? len : size - written;
			for (size_t i = 0; i < len; i++)
				at[i] = (uint8_t)((written + i) * 7);
			tlsconn_data_written(p->client, len);
			tlsconn_flush(p->client);
			written += len;
		}
		peer_to_server(p, step);
		from = br_ssl_engine_recvapp_buf(&p->server.eng, &len);
		at = br_ssl_engine_sendapp_buf(&p->server.eng, &room);
		if (from != NULL && at != NULL) {
			len = len < room ? len : room;
			memcpy(at, from, len);
			br_ssl_engine_recvapp_ack(&p->server.eng, len);
			br_ssl_engine_sendapp_ack(&p->server.eng, len);
			br_ssl_engine_flush(&p->server.eng, 0);
			echoed += len;
		}
		peer_to_client(p, step);
		if ((at = tlsconn_data_in(p->client, &len)) != NULL) {
			for (size_t i = 0; i < len; i++)
				CHECK_INT(at[i], (uint8_t)((read + i) * 7));
			tlsconn_data_read(p->client, len);
			read += len;
		}
		CHECK((tlsconn_wants(p->client) & TLSCONN_CLOSED) == 0);
	}
	CHECK_INT(read, size);
	CHECK_INT(echoed, size);
}

#define CHECK_ERROR(p, expected)                                                                   \
	CHECK_TEXT(tls_error_name(tlsconn_error((p)->client)), tls_error_name(expected))

#endif
