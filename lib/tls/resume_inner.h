/*
 * resume_inner: what tlsconn does with the sessions, for lib/tls only.
 */
#ifndef TLS_RESUME_INNER_H
#define TLS_RESUME_INNER_H

#include <stdbool.h>
#include <stdint.h>

#include <bearssl.h>

#include "tls/resume.h"

/* A SHA-256 of all that a session is bound to. */
#define RESUME_KEY_SIZE 32
/* How long a session is good for, at most: the servers' own limits are minutes to hours. */
#define RESUME_MAX_S 3600

/* The session of the key, if there is one at `now_s`. */
bool resume_get(struct resume *r, const uint8_t key[static RESUME_KEY_SIZE], int64_t now_s,
		br_ssl_session_parameters *out);
/* Keeps it until `end_s`, in place of the key's other one or of one of those that end soon. */
void resume_put(struct resume *r, const uint8_t key[static RESUME_KEY_SIZE], int64_t end_s,
		const br_ssl_session_parameters *session);
/* The session was of no use. */
void resume_drop(struct resume *r, const uint8_t key[static RESUME_KEY_SIZE]);

#endif
