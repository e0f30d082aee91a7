/*
 * What a server sends, up to its end. The client's entropy and clock are fixed, so that a recorded
 * session goes all the way, with its certificates, keys and data. The first byte says in pieces of
 * what size the rest comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/anchors.h"
#include "tls/tlsconn.h"

/* 2030-01-01 */
#define NOW UINT64_C(1893456000)

static struct tls_profile *make_profile(void)
{
	static char text[8192];
	FILE *f = fopen("tests/data/tls/ca-ec.pem", "rb");
	struct error e;
	struct anchors *a;

	if (f == NULL) {
		perror("tests/data/tls/ca-ec.pem");
		abort();
	}
	a = anchors_from_pem(span_of(text, fread(text, 1, sizeof text, f)), &e);
	fclose(f);
	return a != NULL ? tls_profile_new(a) : NULL;
}

/* Does what the connection wants, but for receiving; then it rests, where it can. */
static void serve(struct tlsconn *c)
{
	size_t len;

	for (;;) {
		if (tlsconn_records_out(c, &len) != NULL)
			tlsconn_records_sent(c, len);
		else if (tlsconn_data_in(c, &len) != NULL)
			tlsconn_data_read(c, len);
		else
			break;
	}
	if (tlsconn_rest(c) && !tlsconn_wake(c))
		abort();
}

static void check_end(const struct tlsconn *c)
{
	size_t len;

	if (tlsconn_wants(c) != TLSCONN_CLOSED || tlsconn_records_in(c, &len) != NULL ||
	    tlsconn_data_in(c, &len) != NULL)
		abort();
	if (tlsconn_error(c) == TLS_OK && !tlsconn_closed_cleanly(c))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t entropy[TLSCONN_ENTROPY_SIZE] = {1};
	static struct tls_profile *profile;
	static struct tlsconn_memory memory;
	static struct tlsconn *c;
	struct tlsconn_peer peer = {.server = SPAN("example.test")};
	size_t step = size > 0 && data[0] > 0 ? data[0] : SIZE_MAX, len, at = 1;
	uint8_t *to;

	if (profile == NULL) {
		profile = make_profile();
		tlsconn_memory_init(&memory, 1);
		c = tlsconn_new(&memory);
	}
	peer.profile = profile;
	if (profile == NULL || c == NULL || !tlsconn_start(c, &peer, NOW, entropy))
		abort();
	for (serve(c); at < size && (to = tlsconn_records_in(c, &len)) != NULL; serve(c)) {
		len = len < step ? len : step;
		len = len < size - at ? len : size - at;
		memcpy(to, data + at, len);
		tlsconn_records_received(c, len);
		at += len;
	}
	tlsconn_eof(c);
	serve(c);
	check_end(c);
	return 0;
}
