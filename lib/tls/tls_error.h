/*
 * tls_error: every way in which a TLS connection can fail, with the name used in logs and answers.
 *
 * The names are stable: dashboards and alerts count them. A name that starts with `cert_` or is one
 * of `name_mismatch` and `unknown_issuer` means that the peer's certificate was refused by us;
 * `alert_` means that the peer refused us with that alert (RFC 5246 section 7.2) and no better name
 * was found.
 */
#ifndef TLS_TLS_ERROR_H
#define TLS_TLS_ERROR_H

#include <stdbool.h>

/* X(member, name in logs, what it means in one line). */
#define TLS_ERRORS(X)                                                                              \
	X(TLS_OK, "ok", "no error")                                                                \
	/* The certificates of the peer, judged by us. */                                          \
	X(TLS_CERT_EXPIRED, "cert_expired", "a certificate of the peer has expired")               \
	X(TLS_CERT_NOT_YET_VALID, "cert_not_yet_valid",                                            \
	  "a certificate of the peer is not valid yet")                                            \
	X(TLS_NAME_MISMATCH, "name_mismatch",                                                      \
	  "the certificate is not for the name that was asked")                                    \
	X(TLS_CERT_NO_NAME, "cert_no_name",                                                        \
	  "the certificate has no DNS name in its subjectAltName; the common name does not count") \
	X(TLS_UNKNOWN_ISSUER, "unknown_issuer",                                                    \
	  "the certificate chain does not lead to a trusted authority")                            \
	X(TLS_CERT_WEAK_SIGNATURE, "cert_weak_signature",                                          \
	  "a certificate is signed with SHA-1 or MD5")                                             \
	X(TLS_CERT_WEAK_KEY, "cert_weak_key", "a certificate has an RSA key below 2048 bits")      \
	X(TLS_CERT_BAD_SIGNATURE, "cert_bad_signature",                                            \
	  "the signature on a certificate does not verify")                                        \
	X(TLS_CERT_BAD_CHAIN, "cert_bad_chain", "the certificates are not in issuing order")       \
	X(TLS_CERT_NOT_CA, "cert_not_ca", "a certificate was issued by one that is no authority")  \
	X(TLS_CERT_PATH_TOO_LONG, "cert_path_too_long",                                            \
	  "there are more authorities in the chain than one of them allows, or than eight")        \
	X(TLS_CERT_NAME_NOT_PERMITTED, "cert_name_not_permitted",                                  \
	  "an authority has issued for a name that its name constraints forbid")                   \
	X(TLS_CERT_BAD_USAGE, "cert_bad_usage",                                                    \
	  "the key usage of a certificate does not allow what it is used for")                     \
	X(TLS_CERT_WRONG_PURPOSE, "cert_wrong_purpose",                                            \
	  "the extended key usage of a certificate says that it is not for servers")               \
	X(TLS_CERT_BAD_CONSTRAINT, "cert_bad_constraint",                                          \
	  "a certificate has a critical extension or a name constraint that is not understood")    \
	X(TLS_CERT_TOO_LARGE, "cert_too_large", "a certificate of the peer is over 24 KiB")        \
	X(TLS_CERT_UNSUPPORTED, "cert_unsupported",                                                \
	  "a certificate uses an algorithm, key size or feature that is not supported")            \
	X(TLS_CERT_MALFORMED, "cert_malformed", "a certificate of the peer is malformed")          \
	X(TLS_CERT_MISSING, "cert_missing", "the peer sent no certificate")                        \
	/* No common ground. */                                                                    \
	X(TLS_TLS13_ONLY, "tls13_only",                                                            \
	  "the peer refuses TLS 1.2, the highest version spoken here")                             \
	X(TLS_TLS12_REFUSED, "tls12_refused", "the peer answered with a version below TLS 1.2")    \
	X(TLS_HANDSHAKE_FAILURE, "handshake_failure",                                              \
	  "the peer found no cipher, curve, signature or version in common")                       \
	X(TLS_CLIENT_CERT_WANTED, "client_cert_wanted", "the peer wants a client certificate")     \
	X(TLS_BAD_SERVER_NAME, "bad_server_name", "the name to ask for is not a DNS name")         \
	/* The bytes of the peer. */                                                               \
	X(TLS_NOT_TLS, "not_tls", "the peer does not speak TLS on this port")                      \
	X(TLS_HANDSHAKE_CLOSED, "handshake_closed",                                                \
	  "the peer closed the connection during the handshake")                                   \
	X(TLS_TRUNCATED, "truncated", "the peer closed the connection without close_notify")       \
	X(TLS_CLOSED, "closed", "the connection is closed")                                        \
	X(TLS_BAD_RECORD, "bad_record", "the peer sent a record that is broken or was changed")    \
	X(TLS_TOO_LARGE_RECORD, "too_large_record",                                                \
	  "the peer sent a record beyond the size limit")                                          \
	X(TLS_BAD_HANDSHAKE, "bad_handshake",                                                      \
	  "the peer sent a handshake message that is wrong or was not asked for")                  \
	X(TLS_BAD_SIGNATURE, "bad_signature",                                                      \
	  "the peer's signature on the key exchange does not verify")                              \
	/* Alerts of the peer, where nothing above fits. */                                        \
	X(TLS_ALERT_UNEXPECTED_MESSAGE, "alert_unexpected_message",                                \
	  "the peer sent the alert unexpected_message")                                            \
	X(TLS_ALERT_BAD_RECORD_MAC, "alert_bad_record_mac",                                        \
	  "the peer sent the alert bad_record_mac")                                                \
	X(TLS_ALERT_RECORD_OVERFLOW, "alert_record_overflow",                                      \
	  "the peer sent the alert record_overflow")                                               \
	X(TLS_ALERT_CERTIFICATE, "alert_certificate",                                              \
	  "the peer sent an alert that complains about a certificate of ours")                     \
	X(TLS_ALERT_ILLEGAL_PARAMETER, "alert_illegal_parameter",                                  \
	  "the peer sent the alert illegal_parameter")                                             \
	X(TLS_ALERT_ACCESS_DENIED, "alert_access_denied", "the peer sent the alert access_denied") \
	X(TLS_ALERT_DECODE_ERROR, "alert_decode_error", "the peer sent the alert decode_error")    \
	X(TLS_ALERT_DECRYPT_ERROR, "alert_decrypt_error", "the peer sent the alert decrypt_error") \
	X(TLS_ALERT_INSUFFICIENT_SECURITY, "alert_insufficient_security",                          \
	  "the peer sent the alert insufficient_security")                                         \
	X(TLS_ALERT_INTERNAL_ERROR, "alert_internal_error",                                        \
	  "the peer sent the alert internal_error")                                                \
	X(TLS_ALERT_USER_CANCELED, "alert_user_canceled", "the peer sent the alert user_canceled") \
	X(TLS_ALERT_NO_RENEGOTIATION, "alert_no_renegotiation",                                    \
	  "the peer sent the alert no_renegotiation")                                              \
	X(TLS_ALERT_UNSUPPORTED_EXTENSION, "alert_unsupported_extension",                          \
	  "the peer sent the alert unsupported_extension")                                         \
	X(TLS_ALERT_UNRECOGNIZED_NAME, "alert_unrecognized_name",                                  \
	  "the peer does not know the server name")                                                \
	X(TLS_ALERT_NO_APPLICATION_PROTOCOL, "alert_no_application_protocol",                      \
	  "the peer does not offer http/1.1")                                                      \
	X(TLS_ALERT_OTHER, "alert_other", "the peer sent an alert that has no name here")          \
	/* Ourselves. */                                                                           \
	X(TLS_NO_RANDOM, "no_random", "no randomness for the connection")                          \
	X(TLS_NO_MEMORY, "no_memory", "no memory for the certificates of the peer")                \
	X(TLS_INTERNAL, "internal", "an internal error of the TLS engine")

#define TLS_ERROR_MEMBER(member, name, text) member,
enum tls_error { TLS_ERRORS(TLS_ERROR_MEMBER) TLS_ERROR_COUNT };
#undef TLS_ERROR_MEMBER

/* The name in logs, "cert_expired", and the meaning: lower case, no full stop. Never NULL. */
const char *tls_error_name(enum tls_error error);
const char *tls_error_text(enum tls_error error);

/*
 * The error for a number of BearSSL's: 0, BR_ERR_*, BR_ERR_X509_*, 256 + an alert received, 512 +
 * an alert sent. Total: a number that no version of it is known to give is TLS_INTERNAL.
 */
enum tls_error tls_error_from_bearssl(int code);

#endif
