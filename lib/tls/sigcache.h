/*
 * sigcache: signatures on certificates that were found good. The same few authorities sign all that
 * a gateway sees, over and over, and a signature by the same key over the same bytes stays good:
 * nothing but that is remembered, so names, dates and who is trusted are judged each time anew.
 *
 * Of a full handshake with a chain of three it leaves one signature to verify, that of the server
 * itself. The table is bounded, any thread may use it, and it allocates nothing once made.
 */
#ifndef TLS_SIGCACHE_H
#define TLS_SIGCACHE_H

#include <stdbool.h>
#include <stdint.h>

struct sigcache;

/* A SHA-256 of algorithm, key, signature and what is signed. */
#define SIGCACHE_KEY_SIZE 32

/* An empty table of 512 signatures, 16 KiB. NULL when memory is out. */
struct sigcache *sigcache_new(void);
/* NULL is fine. */
void sigcache_free(struct sigcache *c);

/* Has it been added, and not given its place to others since? */
bool sigcache_has(struct sigcache *c, const uint8_t key[static SIGCACHE_KEY_SIZE]);
void sigcache_add(struct sigcache *c, const uint8_t key[static SIGCACHE_KEY_SIZE]);

/* How often it had what was asked for. */
uint64_t sigcache_hits(struct sigcache *c);

#endif
