#include "peer.h"
#include "s_server.h"

#include "base/alloc.h"
#include "tls/hello.h"

static void carries_data_both_ways_in_steps_of_any_size(void)
{
	static const char *const certs[] = {"good", "rsa"};
	static const size_t steps[] = {1, 5, 7, 1000, 100000};

	for (size_t c = 0; c < 2; c++)
		for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
			struct peer *p = peer_connected(certs[c], steps[s]);

			peer_echo(p, 1, steps[s]);
			peer_echo(p, 16384, steps[s]);
			peer_echo(p, 16385, steps[s]);
			if (steps[s] > 7)
				peer_echo(p, 300000, steps[s]);
			peer_free(p);
		}
}

static void says_what_was_negotiated(void)
{
	static const char *const protocols[] = {"h2", "http/1.1"};
	struct peer *p = peer_new("good", "bundle");

	br_ssl_engine_set_protocol_names(&p->server.eng, (const char **)(uintptr_t)protocols, 2);
	CHECK(peer_start_at(p, "example.test", NOW));
	CHECK_TEXT(tlsconn_version(p->client), "");
	CHECK_TEXT(tlsconn_cipher(p->client), "");
	CHECK_TEXT(tlsconn_alpn(p->client), "");
	peer_settle(p, SIZE_MAX);
	CHECK_TEXT(tlsconn_version(p->client), "TLSv1.2");
	CHECK(strncmp(tlsconn_cipher(p->client), "ECDHE-ECDSA-", 12) == 0);
	CHECK_TEXT(tlsconn_alpn(p->client), "http/1.1");
	peer_free(p);

	p = peer_connected("rsa", SIZE_MAX);
	CHECK(strncmp(tlsconn_cipher(p->client), "ECDHE-RSA-", 10) == 0);
	CHECK_TEXT(tlsconn_alpn(p->client), "");
	peer_free(p);
}

static void names_what_is_wrong_with_the_certificate(void)
{
	static const struct {
		const char *cert, *anchors, *name;
		uint64_t now;
		enum tls_error expected;
	} rows[] = {
		{"good", "ca-ec", "example.test", NOW, TLS_OK},
		{"good", "ca-ec", "example.test.", NOW, TLS_OK},
		{"good", "ca-ec", "other.test", NOW, TLS_NAME_MISMATCH},
		{"good", "ca-ec", "example.test", TOO_LATE, TLS_CERT_EXPIRED},
		{"good", "ca-ec", "example.test", TOO_EARLY, TLS_CERT_NOT_YET_VALID},
		{"good", "ca-other", "example.test", NOW, TLS_UNKNOWN_ISSUER},
		{"usage", "ca-ec", "example.test", NOW, TLS_CERT_BAD_USAGE},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t step = 1; step <= 100000; step *= 10) {
			struct peer *p = peer_new(rows[i].cert, rows[i].anchors);

			CHECK(peer_start_at(p, rows[i].name, rows[i].now));
			peer_settle(p, step);
			CHECK_ERROR(p, rows[i].expected);
			CHECK(tlsconn_is_established(p->client) == (rows[i].expected == TLS_OK));
			if (rows[i].expected != TLS_OK)
				CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
			peer_free(p);
		}
}

static void refuses_names_that_are_none(void)
{
	static const char *const names[] = {
		"",
		".",
		"127.0.0.256",
		"[::1",
		"a b",
		"a..b",
		"example.test:443",
		"ex\xc3\xa4mple",
		"a23456789012345678901234567890123456789012345678901234567890123456789.test",
	};
	struct peer *p = peer_new("good", "ca-ec");

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		CHECK_ROW(names[i], !peer_start_at(p, names[i], NOW));
		CHECK_ERROR(p, TLS_BAD_SERVER_NAME);
		CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	}
	/* The storage is as good as new. */
	CHECK(peer_start_at(p, "example.test", NOW));
	peer_settle(p, SIZE_MAX);
	CHECK(tlsconn_is_established(p->client));
	peer_free(p);
}

static bool start_peer(struct peer *p, const char *server, const struct keypair *keypair)
{
	struct tlsconn_peer peer = {
		.profile = p->profile, .server = span_from_cstr(server), .keypair = keypair};
	struct entropy e = entropy_of(1);

	return tlsconn_start(p->client, &peer, NOW, e.bytes);
}

static void calls_a_server_by_its_address(void)
{
	static const struct {
		const char *cert, *server;
		enum tls_error expected;
	} rows[] = {
		{"addr", "127.0.0.1", TLS_OK},
		{"addr", "::1", TLS_OK},
		{"addr", "[2001:db8::1]", TLS_OK},
		{"addr", "api.test", TLS_OK},
		{"addr", "api.test.", TLS_OK},
		{"addr", "127.0.0.2", TLS_NAME_MISMATCH},
		{"addr", "other.test", TLS_NAME_MISMATCH},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t step = 1; step <= 100000; step *= 100) {
			struct peer *p = peer_new(rows[i].cert, "ca-addr");

			CHECK(start_peer(p, rows[i].server, NULL));
			peer_settle(p, step);
			CHECK_ERROR(p, rows[i].expected);
			CHECK(tlsconn_is_established(p->client) == (rows[i].expected == TLS_OK));
			peer_free(p);
		}
}

/* RFC 6066 section 3: literal addresses are not permitted in SNI. */
static void asks_for_a_name_but_not_for_an_address(void)
{
	static const char *const rows[][2] = {
		{"127.0.0.1", ""}, {"::1", ""}, {"api.test", "api.test"}};
	struct peer *p = peer_new("addr", "ca-addr");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hello hello;
		const uint8_t *records;
		size_t len;

		CHECK(start_peer(p, rows[i][0], NULL));
		records = tlsconn_records_out(p->client, &len);
		CHECK_INT(hello_parse(span_of(records, len), &hello), HELLO_OK);
		CHECK_SPAN(hello.sni, rows[i][1]);
	}
	peer_free(p);
}

/* With a name, both ways of starting send the same bytes; what is no name is refused by both. */
static void starts_with_a_name_as_ever(void)
{
	static const char *const bad[] = {"", ".", "a b", "a..b", "1.2.3", "fe80::1%eth0", "[::1"};
	struct peer *p = peer_new("addr", "ca-addr");
	uint8_t first[1024];
	size_t first_len, len;
	const uint8_t *records;

	CHECK(peer_start_at(p, "api.test", NOW));
	records = tlsconn_records_out(p->client, &first_len);
	CHECK(first_len < sizeof first);
	memcpy(first, records, first_len);
	CHECK(start_peer(p, "api.test", NULL));
	records = tlsconn_records_out(p->client, &len);
	CHECK(len == first_len && memcmp(records, first, len) == 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK_ROW(bad[i], !start_peer(p, bad[i], NULL));
		CHECK_ERROR(p, TLS_BAD_SERVER_NAME);
	}
	peer_free(p);
}

static void recognises_peers_that_do_not_speak_tls(void)
{
	static const char *const answers[] = {
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"SSH-2.0-OpenSSH_9\r\n",
		"220 mail ESMTP\r\n",
		"\x16GET /",
		"\x15\x02\x00\x00\x02\x02\x28",
		"x",
	};

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		for (size_t step = 1; step <= 100; step += 33) {
			struct peer *p = peer_new("good", "ca-ec");
			size_t len = strlen(answers[i]) + (answers[i][0] == '\x15' ? 4 : 0);

			CHECK(peer_start_at(p, "example.test", NOW));
			for (size_t at = 0; at < len && tlsconn_error(p->client) == TLS_OK;
			     at += step)
				peer_receive(p, answers[i] + at, len - at < step ? len - at : step);
			CHECK_ERROR(p, TLS_NOT_TLS);
			CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
			peer_free(p);
		}
}

static void names_the_alerts_of_the_peer(void)
{
	static const struct {
		uint8_t alert;
		enum tls_error expected;
	} rows[] = {
		{70, TLS_TLS13_ONLY},		{40, TLS_HANDSHAKE_FAILURE},
		{80, TLS_ALERT_INTERNAL_ERROR}, {112, TLS_ALERT_UNRECOGNIZED_NAME},
		{116, TLS_CLIENT_CERT_WANTED},	{120, TLS_ALERT_NO_APPLICATION_PROTOCOL},
		{199, TLS_ALERT_OTHER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const uint8_t record[] = {21, 3, 3, 0, 2, 2, rows[i].alert};
		struct peer *p = peer_new("good", "ca-ec");

		CHECK(peer_start_at(p, "example.test", NOW));
		peer_receive(p, record, sizeof record);
		CHECK_ERROR(p, rows[i].expected);
		CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
		peer_free(p);
	}
}

static void goes_on_after_a_warning_about_the_name(void)
{
	static const uint8_t record[] = {21, 3, 3, 0, 2, 1, 112};
	struct peer *p = peer_new("good", "ca-ec");

	CHECK(peer_start_at(p, "example.test", NOW));
	peer_receive(p, record, sizeof record);
	peer_settle(p, SIZE_MAX);
	CHECK(tlsconn_is_established(p->client));
	peer_free(p);
}

static void refuses_a_protocol_it_did_not_offer(void)
{
	/* ServerHello: version, random, no session, suite, no compression, ALPN "h2". */
	static const char hello[] = "\x16\x03\x03\x00\x35\x02\x00\x00\x31\x03\x03"
				    "randomrandomrandomrandomrandomra"
				    "\x00\xc0\x2b\x00\x00\x09\x00\x10\x00\x05\x00\x03\x02h2";
	struct peer *p = peer_new("good", "ca-ec");

	CHECK(peer_start_at(p, "example.test", NOW));
	while (peer_to_server(p, SIZE_MAX) > 0)
		;
	peer_receive(p, hello, sizeof hello - 1);
	CHECK_ERROR(p, TLS_BAD_HANDSHAKE);
	peer_free(p);
}

/* A BearSSL server that insists closes without an alert; openssl's is in test_tlsconn_openssl.c. */
static void says_that_a_client_certificate_is_wanted(void)
{
	static const br_x500_name issuer = {(unsigned char *)(uintptr_t) "\x30\x00", 2};
	struct peer *p = peer_new("good", "ca-ec");

	br_ssl_server_set_trust_anchor_names(&p->server, &issuer, 1);
	br_x509_minimal_init_full(&p->client_verifier, NULL, 0);
	br_ssl_engine_set_x509(&p->server.eng, &p->client_verifier.vtable);
	CHECK(peer_start_at(p, "example.test", NOW));
	peer_settle(p, SIZE_MAX);
	tlsconn_eof(p->client);
	CHECK_ERROR(p, TLS_CLIENT_CERT_WANTED);
	peer_free(p);
}

static void does_without_a_client_certificate_when_the_peer_does(void)
{
	static const br_x500_name issuer = {(unsigned char *)(uintptr_t) "\x30\x00", 2};
	struct peer *p = peer_new("good", "ca-ec");

	br_ssl_server_set_trust_anchor_names(&p->server, &issuer, 1);
	br_x509_minimal_init_full(&p->client_verifier, NULL, 0);
	br_ssl_engine_set_x509(&p->server.eng, &p->client_verifier.vtable);
	br_ssl_engine_add_flags(&p->server.eng, BR_OPT_TOLERATE_NO_CLIENT_AUTH);
	CHECK(peer_start_at(p, "example.test", NOW));
	peer_settle(p, 1);
	CHECK(tlsconn_is_established(p->client));
	peer_echo(p, 1000, SIZE_MAX);
	peer_free(p);
}

/* Many records and the close_notify in one receive: all is found, and data comes before the end. */
static void takes_many_records_at_once(void)
{
	struct peer *p = peer_connected("good", SIZE_MAX);
	uint8_t records[8192];
	size_t total = 0, len, read = 0;
	uint8_t *data;

	for (int i = 0; i < 100; i++) {
		peer_server_says(p, "0123456789", 10);
		total += peer_server_records(p, records + total, sizeof records - total);
	}
	br_ssl_engine_close(&p->server.eng);
	total += peer_server_records(p, records + total, sizeof records - total);
	peer_receive(p, records, total);
	tlsconn_eof(p->client);
	while ((data = tlsconn_data_in(p->client, &len)) != NULL) {
		CHECK(tlsconn_error(p->client) == TLS_OK);
		CHECK((tlsconn_wants(p->client) & (TLSCONN_RECV_RECORDS | TLSCONN_CLOSED)) == 0);
		for (size_t i = 0; i < len; i++, read++)
			CHECK_INT(data[i], '0' + (int)(read % 10));
		tlsconn_data_read(p->client, len);
	}
	CHECK_INT(read, 1000);
	CHECK(tlsconn_closed_cleanly(p->client));
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	CHECK_ERROR(p, TLS_OK);
	peer_free(p);
}

static void answers_a_close_notify_and_is_over(void)
{
	struct peer *p = peer_connected("good", SIZE_MAX);

	br_ssl_engine_close(&p->server.eng);
	while (peer_to_client(p, SIZE_MAX) > 0)
		;
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_SEND_RECORDS);
	CHECK(tlsconn_closed_cleanly(p->client));
	peer_settle(p, SIZE_MAX);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	CHECK_ERROR(p, TLS_OK);
	CHECK_INT(br_ssl_engine_current_state(&p->server.eng), BR_SSL_CLOSED);
	CHECK_INT(br_ssl_engine_last_error(&p->server.eng), BR_ERR_OK);
	peer_free(p);
}

static void calls_an_end_without_close_notify_truncated(void)
{
	struct peer *p = peer_connected("good", SIZE_MAX);
	uint8_t records[256];
	size_t len, total;

	peer_server_says(p, "half of it", 10);
	total = peer_server_records(p, records, sizeof records);
	peer_receive(p, records, total);
	tlsconn_eof(p->client);
	/* What came before the end is still given out. */
	CHECK_INT(tlsconn_wants(p->client) & TLSCONN_CLOSED, 0);
	CHECK(tlsconn_data_in(p->client, &len) != NULL && len == 10);
	tlsconn_data_read(p->client, 10);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	CHECK_ERROR(p, TLS_TRUNCATED);
	CHECK(!tlsconn_closed_cleanly(p->client));
	peer_free(p);
}

/* The end may come within a record, and within the one that would have been the close_notify. */
static void calls_an_end_within_a_record_truncated(void)
{
	uint8_t records[256];
	size_t total = 1;

	for (size_t cut = 0; cut < total; cut++) {
		struct peer *p = peer_connected("good", SIZE_MAX);

		br_ssl_engine_close(&p->server.eng);
		total = peer_server_records(p, records, sizeof records);
		if (cut > 0)
			peer_receive(p, records, cut);
		tlsconn_eof(p->client);
		CHECK_ERROR(p, TLS_TRUNCATED);
		CHECK(!tlsconn_closed_cleanly(p->client));
		peer_free(p);
	}
}

static void tells_an_end_during_the_handshake(void)
{
	struct peer *p = peer_new("good", "ca-ec");

	CHECK(peer_start_at(p, "example.test", NOW));
	tlsconn_eof(p->client);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	CHECK_ERROR(p, TLS_HANDSHAKE_CLOSED);

	CHECK(peer_start_at(p, "example.test", NOW));
	while (peer_to_server(p, SIZE_MAX) > 0)
		;
	peer_to_client(p, 700);
	tlsconn_eof(p->client);
	CHECK_ERROR(p, TLS_HANDSHAKE_CLOSED);
	CHECK(!tlsconn_closed_cleanly(p->client));
	peer_free(p);
}

static void closes_with_a_close_notify_after_what_was_written(void)
{
	struct peer *p = peer_connected("good", SIZE_MAX);
	const struct span bye = SPAN("goodbye");
	size_t len;
	uint8_t *at = tlsconn_data_out(p->client, &len);
	unsigned char *data;

	memcpy(at, bye.ptr, bye.len);
	tlsconn_data_written(p->client, bye.len);
	tlsconn_close(p->client);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_SEND_RECORDS);
	while (peer_to_server(p, 1) > 0) {
		data = br_ssl_engine_recvapp_buf(&p->server.eng, &len);
		if (data == NULL)
			continue;
		CHECK(span_eq(span_of(data, len), bye));
		br_ssl_engine_recvapp_ack(&p->server.eng, len);
		at = NULL;
	}
	CHECK(at == NULL);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	CHECK_ERROR(p, TLS_OK);
	/* The server has seen a clean end and has its answer ready. */
	while (br_ssl_engine_sendrec_buf(&p->server.eng, &len) != NULL)
		br_ssl_engine_sendrec_ack(&p->server.eng, len);
	CHECK_INT(br_ssl_engine_current_state(&p->server.eng), BR_SSL_CLOSED);
	CHECK_INT(br_ssl_engine_last_error(&p->server.eng), BR_ERR_OK);
	peer_free(p);
}

static void closes_although_data_was_not_read(void)
{
	struct peer *p = peer_connected("good", SIZE_MAX);
	uint8_t records[256];
	size_t total = 0, len;

	for (int i = 0; i < 3; i++) {
		peer_server_says(p, "not wanted", 10);
		total += peer_server_records(p, records + total, sizeof records - total);
	}
	peer_receive(p, records, total);
	CHECK((tlsconn_wants(p->client) & TLSCONN_RECV_DATA) != 0);
	tlsconn_close(p->client);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_SEND_RECORDS);
	CHECK(tlsconn_data_in(p->client, &len) == NULL);
	peer_settle(p, SIZE_MAX);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	CHECK_ERROR(p, TLS_OK);
	CHECK_INT(br_ssl_engine_last_error(&p->server.eng), BR_ERR_OK);
	peer_free(p);
}

static void closes_at_once_during_the_handshake(void)
{
	struct peer *p = peer_new("good", "ca-ec");

	CHECK(peer_start_at(p, "example.test", NOW));
	tlsconn_close(p->client);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	CHECK_ERROR(p, TLS_CLOSED);
	peer_free(p);
}

/* The byte at `i` of the record of ten bytes of data; false when there is none. */
static bool notices_changed_byte(size_t i)
{
	struct peer *p = peer_connected("good", SIZE_MAX);
	uint8_t records[256];
	size_t total, len;

	peer_server_says(p, "0123456789", 10);
	total = peer_server_records(p, records, sizeof records);
	if (i < total) {
		records[i] ^= 0x80;
		peer_receive(p, records, total);
		CHECK(tlsconn_data_in(p->client, &len) == NULL);
		/* A longer length leaves it waiting. */
		if (tlsconn_error(p->client) == TLS_OK)
			tlsconn_eof(p->client);
		CHECK(tlsconn_error(p->client) == TLS_BAD_RECORD ||
		      tlsconn_error(p->client) == TLS_TLS12_REFUSED ||
		      tlsconn_error(p->client) == TLS_TOO_LARGE_RECORD ||
		      tlsconn_error(p->client) == TLS_TRUNCATED);
	} else {
		peer_receive(p, records, total);
		CHECK(tlsconn_data_in(p->client, &len) != NULL && len == 10);
	}
	peer_free(p);
	return i < total;
}

static void notices_every_changed_byte_of_a_record(void)
{
	size_t i = 0;

	while (notices_changed_byte(i))
		i++;
	CHECK(i > 10);
}

static void allocates_nothing_once_it_has_storage(void)
{
	struct peer *p = peer_new("good", "ca-ec");
	uint64_t count = 0;

	/* The first time it takes what it needs for the certificates. */
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			count = alloc_count();
		CHECK(peer_start_at(p, "example.test", NOW));
		br_ssl_server_reset(&p->server);
		peer_settle(p, SIZE_MAX);
		CHECK(tlsconn_is_established(p->client));
		peer_echo(p, 100000, SIZE_MAX);
		tlsconn_close(p->client);
		peer_settle(p, SIZE_MAX);
	}
	CHECK_INT(alloc_count(), count);
	peer_free(p);
}

/* Rests, and wakes over other memory than before, whose bytes are not what they were. */
static void change_buffers(struct peer *p)
{
	void *before;

	CHECK(tlsconn_rest(p->client));
	CHECK_INT(p->memory.buffers.in_use, 0);
	CHECK_INT(tlsconn_wants(p->client), 0);
	before = slab_get(&p->memory.buffers);
	memset(before, 0xee, p->memory.buffers.block_size);
	CHECK(tlsconn_wake(p->client));
	slab_put(&p->memory.buffers, before);
}

static void holds_no_buffers_while_it_rests(void)
{
	static const size_t sizes[] = {1, 100, 16383, 16384, 16385, 100000};
	struct peer *p = peer_connected("good", SIZE_MAX);

	CHECK_INT(p->memory.chains.in_use, 0);
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			change_buffers(p);
			peer_echo(p, sizes[i], SIZE_MAX);
		}
	change_buffers(p);
	br_ssl_engine_close(&p->server.eng);
	peer_settle(p, SIZE_MAX);
	CHECK(tlsconn_closed_cleanly(p->client));
	CHECK(!tlsconn_rest(p->client));
	peer_free(p);
}

static void closes_out_of_its_rest(void)
{
	struct peer *p = peer_connected("good", SIZE_MAX);

	CHECK(tlsconn_rest(p->client));
	tlsconn_close(p->client);
	CHECK_INT(p->memory.buffers.in_use, 1);
	while (peer_to_server(p, SIZE_MAX) > 0)
		;
	CHECK(p->server.eng.shutdown_recv != 0);
	peer_free(p);
}

static void ends_in_its_rest_without_memory(void)
{
	struct peer *p = peer_connected("good", SIZE_MAX);

	CHECK(tlsconn_rest(p->client));
	p->memory.buffers.max_in_use = 0;
	CHECK(!tlsconn_wake(p->client));
	tlsconn_close(p->client);
	CHECK_INT(tlsconn_wants(p->client), TLSCONN_CLOSED);
	CHECK(!peer_start_at(p, "example.test", NOW));
	CHECK_ERROR(p, TLS_NO_MEMORY);
	peer_free(p);
}

static void does_not_rest_while_something_is_under_way(void)
{
	struct peer *p = peer_new("good", "ca-ec");
	uint8_t records[256];
	size_t total, len;

	CHECK(peer_start_at(p, "example.test", NOW));
	CHECK(!tlsconn_rest(p->client));
	peer_settle(p, SIZE_MAX);
	/* Written, not flushed; flushed, not sent. */
	*tlsconn_data_out(p->client, &len) = 'x';
	tlsconn_data_written(p->client, 1);
	CHECK(!tlsconn_rest(p->client));
	tlsconn_flush(p->client);
	CHECK(!tlsconn_rest(p->client));
	peer_settle(p, SIZE_MAX);
	/* Part of a header, all of it, part of a record. */
	peer_server_says(p, "0123456789", 10);
	total = peer_server_records(p, records, sizeof records);
	peer_receive(p, records, 3);
	CHECK(!tlsconn_rest(p->client));
	peer_receive(p, records + 3, 2);
	CHECK(!tlsconn_rest(p->client));
	peer_receive(p, records + 5, 7);
	CHECK(!tlsconn_rest(p->client));
	/* All of it, not read; part of it read; all of it. */
	peer_receive(p, records + 12, total - 12);
	CHECK(!tlsconn_rest(p->client));
	tlsconn_data_read(p->client, 9);
	CHECK(!tlsconn_rest(p->client));
	tlsconn_data_read(p->client, 1);
	CHECK(tlsconn_rest(p->client) && tlsconn_wake(p->client));
	tlsconn_eof(p->client);
	CHECK(!tlsconn_rest(p->client));
	peer_free(p);
}

static void check_outcome(const char *cert, const char *const *options, enum tls_error expected)
{
	struct session *s = session_new(cert, options);

	run_until(s, TLSCONN_SEND_DATA);
	if (tlsconn_error(s->c) != expected)
		unit_fail(__FILE__, __LINE__, "%s: %s, expected %s", options[0],
			  tls_error_name(tlsconn_error(s->c)), tls_error_name(expected));
	CHECK(tlsconn_is_established(s->c) == (expected == TLS_OK));
	session_free(s);
}

static void names_a_peer_that_insists_on_tls_1_3(void)
{
	check_outcome("good", OPTIONS("-tls1_3"), TLS_TLS13_ONLY);
}

static void names_a_peer_without_a_common_cipher(void)
{
	check_outcome("rsa", OPTIONS("-cipher", "AES128-SHA"), TLS_HANDSHAKE_FAILURE);
}

static void names_a_peer_that_wants_a_client_certificate(void)
{
	check_outcome("good",
		      OPTIONS("-Verify", "1", "-verify_return_error", "-CAfile",
			      "tests/data/tls/ca-ec.pem"),
		      TLS_CLIENT_CERT_WANTED);
}

static void does_without_when_the_peer_only_asks(void)
{
	check_outcome("good", OPTIONS("-verify", "1"), TLS_OK);
}

static void names_a_peer_without_a_common_protocol(void)
{
	check_outcome("good", OPTIONS("-alpn", "h2"), TLS_ALERT_NO_APPLICATION_PROTOCOL);
}

static void agrees_on_each_curve(void)
{
	check_outcome("good", OPTIONS("-curves", "X25519"), TLS_OK);
	check_outcome("good", OPTIONS("-curves", "P-256"), TLS_OK);
	check_outcome("good", OPTIONS("-curves", "P-384"), TLS_OK);
	check_outcome("rsa", OPTIONS("-curves", "P-521"), TLS_OK);
	check_outcome("rsa", OPTIONS("-curves", "X448"), TLS_HANDSHAKE_FAILURE);
}

static void asks_for_a_page_and_reads_it_to_its_clean_end(void)
{
	struct session *s = session_new("rsa", OPTIONS("-www", "-alpn", "http/1.1,h2"));

	say(s, "GET / HTTP/1.0\r\n\r\n");
	run_until(s, TLSCONN_CLOSED);
	CHECK(s->data_len > 1000 && memcmp(s->data, "HTTP/1.0 200 ok\r\n", 17) == 0);
	CHECK(memmem(s->data, s->data_len, tlsconn_cipher(s->c), strlen(tlsconn_cipher(s->c))) !=
	      NULL);
	CHECK_TEXT(tlsconn_alpn(s->c), "http/1.1");
	CHECK_TEXT(tls_error_name(tlsconn_error(s->c)), "ok");
	CHECK(tlsconn_closed_cleanly(s->c));
	session_free(s);
}

static void notices_that_a_peer_was_cut_off(void)
{
	struct session *s = session_new("good", OPTIONS("-www"));

	run_until(s, TLSCONN_SEND_DATA);
	kill(s->server, SIGKILL);
	run_until(s, TLSCONN_CLOSED);
	CHECK_TEXT(tls_error_name(tlsconn_error(s->c)), "truncated");
	CHECK(!tlsconn_closed_cleanly(s->c));
	session_free(s);
}

static void reads_records_of_every_size(void)
{
	struct session *s = session_new("good",
					OPTIONS("-rev", "-max_send_frag", "512", "-no_ticket"));
	static char line[4096];
	static const size_t sizes[] = {2, 3, 511, 512, 513, 1024, 4000};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t len = sizes[i];

		for (size_t j = 0; j < len - 1; j++)
			line[j] = (char)('a' + j % 26);
		line[len - 1] = '\n';
		line[len] = '\0';
		s->data_len = 0;
		say(s, line);
		while (s->data_len < len) {
			run_until(s, TLSCONN_RECV_DATA);
			CHECK(tlsconn_error(s->c) == TLS_OK);
			keep_data(s);
		}
		for (size_t j = 0; j < len - 1; j++)
			CHECK(s->data[j] == line[len - 2 - j]);
	}
	session_free(s);
}

UNIT_TESTS(TEST(carries_data_both_ways_in_steps_of_any_size), TEST(says_what_was_negotiated),
	   TEST(names_what_is_wrong_with_the_certificate), TEST(refuses_names_that_are_none),
	   TEST(calls_a_server_by_its_address), TEST(asks_for_a_name_but_not_for_an_address),
	   TEST(starts_with_a_name_as_ever), TEST(recognises_peers_that_do_not_speak_tls),
	   TEST(names_the_alerts_of_the_peer), TEST(goes_on_after_a_warning_about_the_name),
	   TEST(refuses_a_protocol_it_did_not_offer),
	   TEST(says_that_a_client_certificate_is_wanted),
	   TEST(does_without_a_client_certificate_when_the_peer_does),
	   TEST(takes_many_records_at_once), TEST(answers_a_close_notify_and_is_over),
	   TEST(calls_an_end_without_close_notify_truncated),
	   TEST(calls_an_end_within_a_record_truncated), TEST(tells_an_end_during_the_handshake),
	   TEST(closes_with_a_close_notify_after_what_was_written),
	   TEST(closes_although_data_was_not_read), TEST(closes_at_once_during_the_handshake),
	   TEST(notices_every_changed_byte_of_a_record),
	   TEST(allocates_nothing_once_it_has_storage), TEST(holds_no_buffers_while_it_rests),
	   TEST(closes_out_of_its_rest), TEST(ends_in_its_rest_without_memory),
	   TEST(does_not_rest_while_something_is_under_way),
	   TEST(names_a_peer_that_insists_on_tls_1_3), TEST(names_a_peer_without_a_common_cipher),
	   TEST(names_a_peer_that_wants_a_client_certificate),
	   TEST(does_without_when_the_peer_only_asks), TEST(names_a_peer_without_a_common_protocol),
	   TEST(agrees_on_each_curve), TEST(asks_for_a_page_and_reads_it_to_its_clean_end),
	   TEST(notices_that_a_peer_was_cut_off), TEST(reads_records_of_every_size))
