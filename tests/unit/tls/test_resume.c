#include "peer.h"

#include <pthread.h>

#include "base/alloc.h"
#include "tls/cert.h"
#include "tls/resume_inner.h"

/* Keys that differ only behind the first byte have to share the few places there are for it. */
static const uint8_t *key_of(unsigned place, unsigned number)
{
	static uint8_t key[RESUME_KEY_SIZE];

	memset(key, 0, sizeof key);
	key[0] = (uint8_t)place;
	memcpy(key + 1, &number, sizeof number);
	return key;
}

static br_ssl_session_parameters session_of(unsigned number)
{
	br_ssl_session_parameters session = {.session_id_len = 32, .version = BR_TLS12};

	memset(session.session_id, (int)number, sizeof session.session_id);
	memset(session.master_secret, (int)number, sizeof session.master_secret);
	return session;
}

static void put(struct resume *r, unsigned place, unsigned number, int64_t end_s)
{
	br_ssl_session_parameters session = session_of(number);

	resume_put(r, key_of(place, number), end_s, &session);
}

static bool has(struct resume *r, unsigned place, unsigned number, int64_t now_s)
{
	br_ssl_session_parameters session, expected = session_of(number);

	if (!resume_get(r, key_of(place, number), now_s, &session))
		return false;
	CHECK_INT(session.version, expected.version);
	CHECK(memcmp(session.session_id, expected.session_id, 32) == 0);
	CHECK(memcmp(session.master_secret, expected.master_secret, 48) == 0);
	return true;
}

static void finds_what_was_put(void)
{
	struct resume *r = resume_new();

	CHECK(!has(r, 1, 1, 0));
	put(r, 1, 1, 100);
	put(r, 1, 2, 100);
	put(r, 2, 1, 100);
	CHECK(has(r, 1, 1, 0) && has(r, 1, 2, 0) && has(r, 2, 1, 0));
	CHECK(!has(r, 2, 2, 0) && !has(r, 1, 3, 0));
	resume_drop(r, key_of(1, 1));
	resume_drop(r, key_of(7, 7));
	CHECK(!has(r, 1, 1, 0) && has(r, 1, 2, 0) && has(r, 2, 1, 0));
	resume_free(r);
}

static void forgets_in_time(void)
{
	struct resume *r = resume_new();

	put(r, 1, 1, 100);
	CHECK(has(r, 1, 1, 99));
	CHECK(!has(r, 1, 1, 100));
	put(r, 1, 1, 200);
	CHECK(has(r, 1, 1, 199));
	resume_free(r);
}

static void gives_up_the_one_that_ends_first(void)
{
	struct resume *r = resume_new();

	put(r, 9, 1, 104);
	put(r, 9, 2, 101);
	put(r, 9, 3, 103);
	put(r, 9, 4, 102);
	CHECK(has(r, 9, 1, 0) && has(r, 9, 2, 0) && has(r, 9, 3, 0) && has(r, 9, 4, 0));
	put(r, 9, 5, 200);
	CHECK(has(r, 9, 1, 0) && !has(r, 9, 2, 0) && has(r, 9, 3, 0) && has(r, 9, 4, 0));
	CHECK(has(r, 9, 5, 0));
	/* One that is there already takes no other's place. */
	put(r, 9, 5, 300);
	CHECK(has(r, 9, 1, 0) && has(r, 9, 3, 0) && has(r, 9, 4, 0));
	resume_free(r);
}

static void *hammer(void *context)
{
	struct resume *r = context;

	for (unsigned i = 0; i < 20000; i++) {
		br_ssl_session_parameters session = session_of(i % 7);
		uint8_t key[RESUME_KEY_SIZE] = {(uint8_t)(i % 3), (uint8_t)(i % 7)};

		resume_put(r, key, 1 + i, &session);
		if (resume_get(r, key, 0, &session) &&
		    memcmp(session.session_id, session.master_secret, 32) != 0)
			return context;
		if (i % 5 == 0)
			resume_drop(r, key);
	}
	return NULL;
}

static void is_shared_by_threads(void)
{
	struct resume *r = resume_new();
	pthread_t threads[4];
	uint64_t count = alloc_count();
	void *torn;

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, hammer, r) == 0);
	for (int i = 0; i < 4; i++) {
		CHECK(pthread_join(threads[i], &torn) == 0);
		CHECK(torn == NULL);
	}
	CHECK_INT(alloc_count(), count);
	resume_free(r);
}

/* A server that keeps sessions, and a client that may resume them. */
struct pair {
	struct peer *peer;
	br_ssl_session_cache_lru cache;
	unsigned char storage[4096];
	struct resume *sessions;
	struct tlsconn_peer who;
	uint64_t now;
};

static void pair_init(struct pair *p)
{
	memset(p, 0, sizeof *p);
	p->peer = peer_new("good", "ca-ec");
	p->sessions = resume_new();
	br_ssl_session_cache_lru_init(&p->cache, p->storage, sizeof p->storage);
	br_ssl_server_set_cache(&p->peer->server, &p->cache.vtable);
	p->who = (struct tlsconn_peer){.profile = p->peer->profile,
				       .server = SPAN("example.test"),
				       .sessions = p->sessions,
				       .addr = {.family = 4, .port = 443, .bytes = {192, 0, 2, 1}}};
	p->now = NOW;
}

static void pair_fini(struct pair *p)
{
	peer_free(p->peer);
	resume_free(p->sessions);
}

/* A handshake: was it a short one? */
static bool resumes(struct pair *p)
{
	static unsigned number;
	struct entropy e = entropy_of(++number);

	br_ssl_engine_inject_entropy(&p->peer->server.eng, &number, sizeof number);
	CHECK(br_ssl_server_reset(&p->peer->server));
	CHECK(tlsconn_start(p->peer->client, &p->who, p->now, e.bytes));
	peer_settle(p->peer, SIZE_MAX);
	CHECK_TEXT(tls_error_name(tlsconn_error(p->peer->client)), "ok");
	CHECK(tlsconn_is_established(p->peer->client));
	peer_echo(p->peer, 20000, SIZE_MAX);
	return tlsconn_is_resumed(p->peer->client);
}

static void a_second_connection_resumes_the_session_of_the_first(void)
{
	struct pair p;

	pair_init(&p);
	CHECK(!resumes(&p));
	for (int i = 0; i < 5; i++)
		CHECK(resumes(&p));
	pair_fini(&p);
}

static void one_to_another_address_name_or_identity_does_not(void)
{
	struct tlsconn_peer who;
	struct pair p;

	pair_init(&p);
	CHECK(!resumes(&p));
	who = p.who;
	p.who.addr.bytes[3] = 2;
	CHECK(!resumes(&p));
	p.who = who;
	p.who.addr.port = 444;
	CHECK(!resumes(&p));
	p.who = who;
	p.who.server = SPAN("www.example.test");
	CHECK(!resumes(&p));
	p.who = who;
	p.who.identity[31] = 1;
	CHECK(!resumes(&p));
	p.who = who;
	CHECK(resumes(&p));
	p.who.sessions = NULL;
	CHECK(!resumes(&p));
	pair_fini(&p);
}

static void nor_does_one_an_hour_later(void)
{
	struct pair p;

	pair_init(&p);
	CHECK(!resumes(&p));
	p.now = NOW + RESUME_MAX_S - 1;
	CHECK(resumes(&p));
	p.now = NOW + RESUME_MAX_S;
	CHECK(!resumes(&p));
	CHECK(resumes(&p));
	pair_fini(&p);
}

static uint64_t end_of(const struct certs *chain)
{
	uint64_t end = UINT64_MAX;
	struct cert cert;

	for (size_t i = 0; i < chain->count; i++) {
		const br_x509_certificate *der = &chain->list[i];

		CHECK_INT(cert_parse(span_of(der->data, der->data_len), &cert), CERT_OK);
		if ((uint64_t)cert.not_after_s < end)
			end = (uint64_t)cert.not_after_s;
	}
	return end;
}

static void a_session_ends_with_the_certificate(void)
{
	struct entropy e = entropy_of(1);
	struct pair p;
	uint64_t end;

	pair_init(&p);
	end = end_of(&p.peer->chain);
	p.now = end - 1800;
	CHECK(!resumes(&p));
	p.now = end - 1;
	CHECK(resumes(&p));
	br_ssl_server_reset(&p.peer->server);
	CHECK(tlsconn_start(p.peer->client, &p.who, end + 1, e.bytes));
	peer_settle(p.peer, SIZE_MAX);
	CHECK_ERROR(p.peer, TLS_CERT_EXPIRED);
	pair_fini(&p);
}

static void a_server_that_has_forgotten_it_gets_a_full_handshake(void)
{
	struct pair p;

	pair_init(&p);
	CHECK(!resumes(&p));
	br_ssl_session_cache_lru_init(&p.cache, p.storage, sizeof p.storage);
	CHECK(!resumes(&p));
	CHECK(resumes(&p));
	pair_fini(&p);
}

static void a_server_that_keeps_none_is_not_asked(void)
{
	struct pair p;
	size_t len;

	pair_init(&p);
	br_ssl_server_set_cache(&p.peer->server, NULL);
	CHECK(!resumes(&p));
	CHECK(!resumes(&p));
	/* The ClientHello has the length of a session's id behind the random. */
	CHECK(peer_start_with(p.peer, "example.test", NOW, 1));
	CHECK_INT(tlsconn_records_out(p.peer->client, &len)[43], 0);
	pair_fini(&p);
}

static void a_session_that_fails_is_not_tried_again(void)
{
	static const char alert[] = "\x15\x03\x03\x00\x02\x02\x28";
	struct entropy e = entropy_of(1);
	struct pair p;

	pair_init(&p);
	CHECK(!resumes(&p));
	CHECK(tlsconn_start(p.peer->client, &p.who, NOW, e.bytes));
	peer_receive(p.peer, alert, sizeof alert - 1);
	CHECK_ERROR(p.peer, TLS_HANDSHAKE_FAILURE);
	CHECK(!resumes(&p));
	CHECK(resumes(&p));
	pair_fini(&p);
}

UNIT_TESTS(TEST(finds_what_was_put), TEST(forgets_in_time), TEST(gives_up_the_one_that_ends_first),
	   TEST(is_shared_by_threads), TEST(a_second_connection_resumes_the_session_of_the_first),
	   TEST(one_to_another_address_name_or_identity_does_not), TEST(nor_does_one_an_hour_later),
	   TEST(a_session_ends_with_the_certificate),
	   TEST(a_server_that_has_forgotten_it_gets_a_full_handshake),
	   TEST(a_server_that_keeps_none_is_not_asked),
	   TEST(a_session_that_fails_is_not_tried_again))
