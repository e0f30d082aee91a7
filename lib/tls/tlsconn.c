#include "tls/tlsconn.h"

#include <string.h>

#include <bearssl.h>

#include "base/endian.h"
#include "net/addr.h"
#include "net/hostname.h"
#include "tls/keypair_inner.h"
#include "tls/resume_inner.h"
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
struct tlsconn_buffers {
	struct verify verify; /* until the handshake is over */
	uint8_t in[BR_SSL_BUFSIZE_INPUT];
	uint8_t out[BR_SSL_BUFSIZE_OUTPUT];
};

struct tlsconn {
	br_ssl_client_context client;
	const br_ssl_client_certificate_class *client_cert; /* what the engine calls when asked */
	struct tlsconn_memory *memory;
	struct tlsconn_buffers *buffers; /* NULL while it rests */

	struct resume *sessions; /* NULL: none is resumed or kept */
	uint8_t session_key[RESUME_KEY_SIZE];

	enum tls_error error;
	bool is_over; /* TLSCONN_CLOSED: the engine is not asked any more */
	bool is_established;
	bool is_closing;	/* tlsconn_close was called */
	bool is_eof;		/* tlsconn_eof was called */
	bool wants_client_cert; /* the peer has asked for one */
	bool offers_session;	/* asked the peer to resume one */
	bool is_resumed;	/* and it did */
	uint8_t seen;		/* bytes received so far, up to 2 */

	size_t waiting_at; /* bytes in `in` that the engine has not taken */
	size_t waiting_len;
};

/* Blocks kept for the next connections. Those that hold buffers are fewer than those that idle. */
#define KEEP_CONNS 256
#define KEEP_BUFFERS 64
#define KEEP_CHAINS 2

void tlsconn_memory_init(struct tlsconn_memory *m, size_t max)
{
	slab_init(&m->conns, sizeof(struct tlsconn), max, KEEP_CONNS);
	slab_init(&m->buffers, sizeof(struct tlsconn_buffers), max, KEEP_BUFFERS);
	slab_init(&m->chains, verify_chain_size(), max, KEEP_CHAINS);
}

void tlsconn_memory_fini(struct tlsconn_memory *m)
{
	slab_fini(&m->conns);
	slab_fini(&m->buffers);
	slab_fini(&m->chains);
}

static bool take_buffers(struct tlsconn *c)
{
	c->buffers = slab_get(&c->memory->buffers);
	if (c->buffers == NULL)
		return false;
	memset(&c->buffers->verify, 0, sizeof c->buffers->verify);
	return true;
}

struct tlsconn *tlsconn_new(struct tlsconn_memory *m)
{
	struct tlsconn *c = slab_get(&m->conns);

	if (c == NULL)
		return NULL;
	c->memory = m;
	if (take_buffers(c))
		return c;
	slab_put(&m->conns, c);
	return NULL;
}

void tlsconn_free(struct tlsconn *c)
{
	if (c == NULL)
		return;
	if (c->buffers != NULL)
		verify_fini(&c->buffers->verify);
	slab_put(&c->memory->buffers, c->buffers);
	slab_put(&c->memory->conns, c);
}

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
	if (error != TLS_OK && !c->is_established && c->offers_session)
		resume_drop(c->sessions, c->session_key);
	c->is_over = true;
	c->error = is_for_lack_of_client_cert(c, error) ? TLS_CLIENT_CERT_WANTED : error;
}

/* Why the engine has closed. */
static enum tls_error engine_error(struct tlsconn *c)
{
	if (verify_error(&c->buffers->verify) != TLS_OK)
		return verify_error(&c->buffers->verify);
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

/* The handshake is over: a session that is new and that the server keeps may be resumed. */
static void establish(struct tlsconn *c)
{
	const struct verify *v = &c->buffers->verify;
	br_ssl_session_parameters session;
	int64_t end_s = v->now_s + RESUME_MAX_S;

	c->is_established = true;
	c->is_resumed = c->offers_session && !v->was_given;
	br_ssl_engine_get_session_parameters(engine(c), &session);
	if (c->sessions == NULL || c->is_resumed || session.session_id_len == 0)
		return;
	/* Resumed, the certificate is not looked at again. */
	resume_put(c->sessions, c->session_key, end_s < v->not_after_s ? end_s : v->not_after_s,
		   &session);
}

/* After every step of the engine: is the handshake done, is it all over? */
static void settle(struct tlsconn *c)
{
	unsigned state = br_ssl_engine_current_state(engine(c));

	if (!c->is_established && (state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) != 0)
		establish(c);
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
		if (at != c->buffers->in + c->waiting_at) {
			memmove(at, c->buffers->in + c->waiting_at, c->waiting_len);
			c->waiting_at = (size_t)(at - c->buffers->in);
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

/* The name, without the root's dot, to where the engine will copy it from; "" for an address. */
static bool take_server(struct span server, char name[static HOSTNAME_MAX + 1])
{
	struct span host = hostname_without_root(server);
	struct addr addr;

	name[0] = '\0';
	if (addr_parse_ip(server, &addr))
		return true;
	if (hostname_problem(host) != NULL)
		return false;
	memcpy(name, host.ptr, host.len);
	name[host.len] = '\0';
	return true;
}

static void set_up(struct tlsconn *c, const struct tlsconn_peer *peer, uint64_t now_s)
{
	struct tlsconn_buffers *b = c->buffers;
	struct span names = peer->names.len > 0 ? peer->names : hostname_without_root(peer->server);

	/* Copy first, then reset: resetting makes the context point into itself. */
	c->client = peer->profile->template;
	verify_fini(&b->verify);
	verify_init(&b->verify, peer->profile->anchors, names, now_s, &c->memory->chains);
	verify_remember(&b->verify, peer->profile->signatures);
	if (peer->is_unverified)
		verify_nothing(&b->verify);
	br_ssl_engine_set_x509(engine(c), verify_engine(&b->verify));
	c->client_cert = &cert_none;
	if (peer->keypair != NULL)
		keypair_offer(peer->keypair, &c->client);
	else
		br_ssl_client_set_client_certificate(&c->client, &c->client_cert);
	br_ssl_engine_set_buffers_bidi(engine(c), b->in, sizeof b->in, b->out, sizeof b->out);
}

void tlsconn_identify(const struct span *parts, size_t count,
		      uint8_t identity[static TLSCONN_IDENTITY_SIZE])
{
	br_sha256_context hash;

	br_sha256_init(&hash);
	for (size_t i = 0; i < count; i++) {
		uint8_t len[4];

		endian_put_be32(len, (uint32_t)parts[i].len);
		br_sha256_update(&hash, len, sizeof len);
		br_sha256_update(&hash, parts[i].ptr, parts[i].len);
	}
	br_sha256_out(&hash, identity);
}

/* The key of the session with this peer, and the session itself if there is one. */
static void find_session(struct tlsconn *c, const struct tlsconn_peer *peer, const char *name)
{
	br_ssl_session_parameters session;
	br_sha256_context hash;

	c->sessions = peer->sessions;
	if (c->sessions == NULL)
		return;
	br_sha256_init(&hash);
	br_sha256_update(&hash, peer->identity, sizeof peer->identity);
	br_sha256_update(&hash, &peer->addr.family, sizeof peer->addr.family);
	br_sha256_update(&hash, &peer->addr.port, sizeof peer->addr.port);
	br_sha256_update(&hash, peer->addr.bytes, sizeof peer->addr.bytes);
	br_sha256_update(&hash, name, strlen(name));
	br_sha256_out(&hash, c->session_key);
	c->offers_session = resume_get(c->sessions, c->session_key, c->buffers->verify.now_s,
				       &session);
	if (c->offers_session)
		br_ssl_engine_set_session_parameters(engine(c), &session);
}

bool tlsconn_start(struct tlsconn *c, const struct tlsconn_peer *peer, uint64_t now_s,
		   const uint8_t entropy[static TLSCONN_ENTROPY_SIZE])
{
	char name[HOSTNAME_MAX + 1];

	c->error = TLS_OK;
	c->is_over = c->is_established = c->is_closing = c->is_eof = c->wants_client_cert = false;
	c->offers_session = c->is_resumed = false;
	c->seen = 0;
	c->waiting_at = c->waiting_len = 0;
	if (!take_server(peer->server, name)) {
		finish(c, TLS_BAD_SERVER_NAME);
		return false;
	}
	if (c->buffers == NULL && !take_buffers(c)) {
		finish(c, TLS_NO_MEMORY);
		return false;
	}
	set_up(c, peer, now_s);
	find_session(c, peer, name);
	br_ssl_engine_inject_entropy(engine(c), entropy, TLSCONN_ENTROPY_SIZE);
	if (br_ssl_client_reset(&c->client, name[0] != '\0' ? name : NULL, c->offers_session) ==
	    0) {
		finish(c, tls_error_from_bearssl(br_ssl_engine_last_error(engine(c))));
		return false;
	}
	settle(c);
	return true;
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
	return is_open && !c->is_over && c->buffers != NULL ? ask(&c->client.eng, len) : NULL;
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
		*len = sizeof c->buffers->in - (size_t)(at - c->buffers->in);
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
	c->waiting_at = (size_t)(at - c->buffers->in);
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
	if (!c->is_established || !tlsconn_wake(c)) {
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

/*
 * Between two records the engine has only positions in its buffers, and pointers to their
 * beginnings; there is no call to exchange them, so it is done here. The fields are the same in 0.6
 * and later, and a test holds them to their word.
 */
bool tlsconn_rest(struct tlsconn *c)
{
	const br_ssl_engine_context *e = &c->client.eng;
	bool is_between = e->ixa == 0 && e->ixb == 0 && e->oxa == e->oxc;

	if (!c->is_established || c->is_over || c->is_closing || c->is_eof || !is_between ||
	    c->waiting_len > 0 || tlsconn_closed_cleanly(c))
		return false;
	slab_put(&c->memory->buffers, c->buffers);
	c->buffers = NULL;
	br_ssl_engine_set_x509(engine(c), NULL);
	engine(c)->ibuf = engine(c)->obuf = NULL;
	return true;
}

bool tlsconn_wake(struct tlsconn *c)
{
	if (c->buffers != NULL)
		return true;
	if (!take_buffers(c))
		return false;
	engine(c)->ibuf = c->buffers->in;
	engine(c)->obuf = c->buffers->out;
	return true;
}

bool tlsconn_is_resumed(const struct tlsconn *c)
{
	return c->is_resumed;
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
