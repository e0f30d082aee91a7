/*
 * resume: TLS sessions with servers, for the next connection to take up (RFC 5246 section 7.3):
 * that costs a tenth of a full handshake or less, and the server's certificate is not sent again.
 *
 * A session was agreed on with one server at one address, verified in one way: it is found by a key
 * that is made of all of these. The table is bounded, any thread may use it, and it allocates
 * nothing once made. Only sessions that the server keeps (session ids) are known to BearSSL, no
 * tickets (RFC 5077).
 */
#ifndef TLS_RESUME_H
#define TLS_RESUME_H

struct resume;

/*
 * An empty table of about a thousand sessions, 140 KB that are touched as they fill. NULL when
 * memory is out.
 */
struct resume *resume_new(void);
/* NULL is fine. No connection may be using it any more. */
void resume_free(struct resume *r);

#endif
