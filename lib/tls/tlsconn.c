#include "tls/tlsconn.h"

#include <string.h>

#include <bearssl.h>

#include "net/addr.h"
#include "net/hostname.h"
#include "tls/keypair_inner.h"
#include "tls/tls_profile_inner.h"
#include "tls/verify.h"

/*
 * Records come in by the handful, but the engine wants to be given five bytes of header and then
 * that record's bytes, which would cost two receive calls per record. So we let the transport fill
 * all of the input buffer behind the place that the engine points at, and pass the bytes on piece
 * by piece: for nothing while a record lasts, since its next piece is wanted where it already lies.
 * What follows the record waits behind it, out of the engine's reach, and is moved up to the front
 * when the engine is done with the record. All this is between us and a buffer that we own.
 */
struct tlsconn {
	br_ssl_client_context client;
	const br_ssl_client_certificate_class *client_cert; /* what the engine calls when asked */
	struct verify verify;

	enum tls_error error;
	bool is_over; /* TLSCONN_CLOSED: the engine is not asked any more */
	bool is_established;
	bool is_closing;	/* tlsconn_close was called */
	bool is_eof;		/* tlsconn_eof was called */
	bool wants_client_cert; /* the peer has asked for one */
	uint8_t seen;		/* bytes received so far, up to 2 */

	size_t waiting_at; /* bytes in `in` that the engine has not taken */
	size_t waiting_len;
	uint8_t in[BR_SSL_BUFSIZE_INPUT];
	uint8_t out[BR_SSL_BUFSIZE_OUTPUT];
};

static struct tlsconn *owner(const br_ssl_client_certificate_class **ctx)
{
	return (struct tlsconn *)(void *)((char *)(void *)ctx -
					  offsetof(struct tlsconn, client_cert));
}

static void cert_ignore_list(const br_ssl_client_certificate_class **ctx)
{
	(void)ctx;
}

static void cert_ignore_name(const br_ssl_client_certificate_class **ctx, size_t len)
{
	(void)ctx;
	(void)len;
}

static void cert_ignore_bytes(const br_ssl_client_certificate_class **ctx,
			      const unsigned char *bytes, size_t len)
{
	(void)ctx;
	(void)bytes;
	(void)len;
}

/* We have none to offer; a server that can do without goes on (RFC 5246 section 7.4.6). */
static void cert_choose(const br_ssl_client_certificate_class **ctx,
			const br_ssl_client_context *cc, uint32_t auth_types,
			br_ssl_client_certificate *choice)
{
	(void)cc;
	(void)auth_types;
	owner(ctx)->wants_client_cert = true;
	memset(choice, 0, sizeof *choice);
}

static const br_ssl_client_certificate_class cert_none = {
	.context_size = sizeof(struct tlsconn),
	.start_name_list = cert_ignore_list,
	.start_name = cert_ignore_name,
	.append_name = cert_ignore_bytes,
	.end_name = cert_ignore_list,
	.end_name_list = cert_ignore_list,
	.choose = cert_choose,
	/* No key exchange and no signature without a certificate. */
};

static br_ssl_engine_context *engine(struct tlsconn *c)
{
	return &c->client.eng;
}

/* Did the peer refuse us after we had answered its request for a certificate with none? */
static bool is_for_lack_of_client_cert(const struct tlsconn *c, enum tls_error error)
{
	return c->wants_client_cert && !c->is_established &&
	       (error == TLS_HANDSHAKE_FAILURE || error == TLS_ALERT_CERTIFICATE ||
		error == TLS_ALERT_ACCESS_DENIED || error == TLS_HANDSHAKE_CLOSED);
}

static void finish(struct tlsconn *c, enum tls_error error)
{
	c->is_over = true;
	c->error = is_for_lack_of_client_cert(c, error) ? TLS_CLIENT_CERT_WANTED : error;
}

/* Why the engine has closed. */
static enum tls_error engine_error(struct tlsconn *c)
{
	if (verify_error(&c->verify) != TLS_OK)
		return verify_error(&c->verify);
	if (br_ssl_engine_last_error(engine(c)) == BR_ERR_OK && !c->is_established)
		return TLS_HANDSHAKE_CLOSED;
	return tls_error_from_bearssl(br_ssl_engine_last_error(engine(c)));
}

/* The transport has ended, and all that it brought has been dealt with. */
static enum tls_error eof_error(const struct tlsconn *c)
{
	if (c->is_closing || tlsconn_closed_cleanly(c))
		return TLS_OK;
	return c->is_established ? TLS_TRUNCATED : TLS_HANDSHAKE_CLOSED;
}

/* After every step of the engine: is the handshake done, is it all over? */
static void settle(struct tlsconn *c)
{
	unsigned state = br_ssl_engine_current_state(engine(c));

	if ((state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) != 0)
		c->is_established = true;
	if (c->is_over)
		return;
	if (state == BR_SSL_CLOSED)
		finish(c, engine_error(c));
	else if (c->is_closing && (state & BR_SSL_SENDREC) == 0)
		finish(c, TLS_OK);
}

/* Passes on what waits in the input buffer, as far as the engine takes it. */
static void feed(struct tlsconn *c)
{
	size_t len;
	uint8_t *at;

	settle(c);
	while (c->waiting_len > 0 && !c->is_closing &&
	       (at = br_ssl_engine_recvrec_buf(engine(c), &len)) != NULL) {
		if (len > c->waiting_len)
			len = c->waiting_len;
		if (at != c->in + c->waiting_at) {
			memmove(at, c->in + c->waiting_at, c->waiting_len);
			c->waiting_at = (size_t)(at - c->in);
		}
		br_ssl_engine_recvrec_ack(engine(c), len);
		c->waiting_at += len;
		c->waiting_len -= len;
		/* At once: the next piece may close what this one has established. */
		settle(c);
	}
	if (c->is_eof && !c->is_over && br_ssl_engine_recvapp_buf(engine(c), &len) == NULL)
		finish(c, eof_error(c));
}

size_t tlsconn_size(void)
{
	return sizeof(struct tlsconn);
}

/* Copies the name, without the root's dot, to where the engine will copy it from. */
static bool take_name(const char *name, char copy[static HOSTNAME_MAX + 1])
{
	struct span host = hostname_without_root(span_from_cstr(name));
	struct addr addr;

	if (hostname_problem(host) != NULL || addr_parse_ip(host, &addr))
		return false;
	memcpy(copy, host.ptr, host.len);
	copy[host.len] = '\0';
	return true;
}

static const struct addr no_addr = {.family = 0};

/* Begins with the name, or, when that is NULL, with the address; its family is 0 otherwise. */
static bool start(struct tlsconn *c, const struct tls_profile *profile, const char *name,
		  const struct addr *addr, const struct keypair *keypair, uint64_t now_s,
		  const uint8_t entropy[static TLSCONN_ENTROPY_SIZE])
{
	/* Copy first, then reset: resetting makes the context point into itself. */
	c->client = profile->template;
	verify_init(&c->verify, profile->anchors, now_s);
	verify_expect_addr(&c->verify, addr);
	c->client_cert = &cert_none;
	br_ssl_engine_set_x509(engine(c), verify_engine(&c->verify));
	if (keypair != NULL)
		keypair_offer(keypair, &c->client);
	else
		br_ssl_client_set_client_certificate(&c->client, &c->client_cert);
	br_ssl_engine_set_buffers_bidi(engine(c), c->in, sizeof c->in, c->out, sizeof c->out);
	br_ssl_engine_inject_entropy(engine(c), entropy, TLSCONN_ENTROPY_SIZE);
	if (br_ssl_client_reset(&c->client, name, 0) == 0) {
		finish(c, tls_error_from_bearssl(br_ssl_engine_last_error(engine(c))));
		return false;
	}
	settle(c);
	return true;
}

static void clear(struct tlsconn *c)
{
	memset(c, 0, offsetof(struct tlsconn, in));
}

bool tlsconn_start(struct tlsconn *c, const struct tls_profile *profile, const char *server_name,
		   uint64_t now_s, const uint8_t entropy[static TLSCONN_ENTROPY_SIZE])
{
	char name[HOSTNAME_MAX + 1];

	clear(c);
	if (!take_name(server_name, name)) {
		finish(c, TLS_BAD_SERVER_NAME);
		return false;
	}
	return start(c, profile, name, &no_addr, NULL, now_s, entropy);
}

bool tlsconn_start_peer(struct tlsconn *c, const struct tls_profile *profile, const char *server,
			const struct keypair *keypair, uint64_t now_s,
			const uint8_t entropy[static TLSCONN_ENTROPY_SIZE])
{
	char name[HOSTNAME_MAX + 1];
	struct addr addr;

	clear(c);
	if (addr_parse_ip(span_from_cstr(server), &addr))
		return start(c, profile, NULL, &addr, keypair, now_s, entropy);
	if (!take_name(server, name)) {
		finish(c, TLS_BAD_SERVER_NAME);
		return false;
	}
	return start(c, profile, name, &no_addr, keypair, now_s, entropy);
}

unsigned tlsconn_wants(const struct tlsconn *c)
{
	unsigned wants = 0;
	size_t len;

	if (c->is_over)
		return TLSCONN_CLOSED;
	if (tlsconn_records_out(c, &len) != NULL)
		wants |= TLSCONN_SEND_RECORDS;
	if (tlsconn_records_in(c, &len) != NULL)
		wants |= TLSCONN_RECV_RECORDS;
	if (tlsconn_data_out(c, &len) != NULL)
		wants |= TLSCONN_SEND_DATA;
	if (tlsconn_data_in(c, &len) != NULL)
		wants |= TLSCONN_RECV_DATA;
	return wants;
}

/* BearSSL's buffers for one of its four directions; none when there is no room or no data. */
static uint8_t *channel(unsigned char *(*ask)(const br_ssl_engine_context *, size_t *),
			const struct tlsconn *c, bool is_open, size_t *len)
{
	*len = 0;
	return is_open && !c->is_over ? ask(&c->client.eng, len) : NULL;
}

const uint8_t *tlsconn_records_out(const struct tlsconn *c, size_t *len)
{
	return channel(br_ssl_engine_sendrec_buf, c, true, len);
}

void tlsconn_records_sent(struct tlsconn *c, size_t n)
{
	br_ssl_engine_sendrec_ack(engine(c), n);
	feed(c);
}

uint8_t *tlsconn_records_in(const struct tlsconn *c, size_t *len)
{
	bool is_open = !c->is_closing && !c->is_eof && c->waiting_len == 0;
	uint8_t *at = channel(br_ssl_engine_recvrec_buf, c, is_open, len);

	if (at != NULL)
		*len = sizeof c->in - (size_t)(at - c->in);
	return at;
}

/*
 * The very first bytes must be a record with a handshake message or an alert, of version 3.x. A
 * server of something else answers our ClientHello with words of its own, or greets unasked.
 */
static bool begins_like_tls(struct tlsconn *c, const uint8_t *bytes, size_t n)
{
	for (; c->seen < 2 && n > 0; c->seen++, bytes++, n--)
		if (c->seen == 0 ? *bytes != 22 && *bytes != 21 : *bytes != 3)
			return false;
	return true;
}

void tlsconn_records_received(struct tlsconn *c, size_t n)
{
	size_t room;
	uint8_t *at = tlsconn_records_in(c, &room);

	if (at == NULL || n == 0)
		return;
	if (!begins_like_tls(c, at, n)) {
		finish(c, TLS_NOT_TLS);
		return;
	}
	c->waiting_at = (size_t)(at - c->in);
	c->waiting_len = n < room ? n : room;
	feed(c);
}

uint8_t *tlsconn_data_out(const struct tlsconn *c, size_t *len)
{
	return channel(br_ssl_engine_sendapp_buf, c, !c->is_closing, len);
}

void tlsconn_data_written(struct tlsconn *c, size_t n)
{
	br_ssl_engine_sendapp_ack(engine(c), n);
}

void tlsconn_flush(struct tlsconn *c)
{
	br_ssl_engine_flush(engine(c), 0);
}

uint8_t *tlsconn_data_in(const struct tlsconn *c, size_t *len)
{
	return channel(br_ssl_engine_recvapp_buf, c, !c->is_closing, len);
}

void tlsconn_data_read(struct tlsconn *c, size_t n)
{
	br_ssl_engine_recvapp_ack(engine(c), n);
	feed(c);
}

void tlsconn_eof(struct tlsconn *c)
{
	c->is_eof = true;
	feed(c);
}

void tlsconn_close(struct tlsconn *c)
{
	size_t len;

	if (c->is_over || c->is_closing)
		return;
	if (!c->is_established) {
		finish(c, TLS_CLOSED);
		return;
	}
	/* BearSSL 0.6 would wait for what was not read to be read, and no longer give it out. */
	if (br_ssl_engine_recvapp_buf(engine(c), &len) != NULL)
		br_ssl_engine_recvapp_ack(engine(c), len);
	c->is_closing = true;
	br_ssl_engine_flush(engine(c), 0);
	br_ssl_engine_close(engine(c));
	settle(c);
}

bool tlsconn_is_established(const struct tlsconn *c)
{
	return c->is_established;
}

enum tls_error tlsconn_error(const struct tlsconn *c)
{
	return c->error;
}

bool tlsconn_closed_cleanly(const struct tlsconn *c)
{
	/* Set when a close_notify is read and at no other time, in 0.6 and later. */
	return c->is_established && c->client.eng.shutdown_recv != 0;
}

const char *tlsconn_version(const struct tlsconn *c)
{
	return c->is_established ? "TLSv1.2" : "";
}

const char *tlsconn_cipher(const struct tlsconn *c)
{
	static const struct {
		uint16_t suite;
		const char *name;
	} rows[] = {
		{BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256"},
		{BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256"},
		{BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384"},
		{BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384"},
		{BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305"},
		{BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305"},
	};
	br_ssl_session_parameters session;

	if (!c->is_established)
		return "";
	br_ssl_engine_get_session_parameters(&c->client.eng, &session);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].suite == session.cipher_suite)
			return rows[i].name;
	return "";
}

const char *tlsconn_alpn(struct tlsconn *c)
{
	const char *name = NULL;

	if (c->is_established)
		name = br_ssl_engine_get_selected_protocol(engine(c));
	return name != NULL ? name : "";
}
