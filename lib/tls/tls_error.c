#include "tls/tls_error.h"

#include <stddef.h>

#include <bearssl.h>

struct row {
	int code;
	enum tls_error error;
};

static const struct row engine_rows[] = {
	{BR_ERR_OK, TLS_OK},
	/* What the engine calls a bad parameter here is a length in a Certificate message. */
	{BR_ERR_BAD_PARAM, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_STATE, TLS_INTERNAL},
	{BR_ERR_UNSUPPORTED_VERSION, TLS_TLS12_REFUSED},
	{BR_ERR_BAD_VERSION, TLS_BAD_RECORD},
	{BR_ERR_BAD_LENGTH, TLS_TOO_LARGE_RECORD},
	{BR_ERR_TOO_LARGE, TLS_TOO_LARGE_RECORD},
	{BR_ERR_BAD_MAC, TLS_BAD_RECORD},
	{BR_ERR_NO_RANDOM, TLS_NO_RANDOM},
	{BR_ERR_UNKNOWN_TYPE, TLS_BAD_RECORD},
	{BR_ERR_UNEXPECTED, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_CCS, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_ALERT, TLS_BAD_RECORD},
	{BR_ERR_BAD_HANDSHAKE, TLS_BAD_HANDSHAKE},
	{BR_ERR_OVERSIZED_ID, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_CIPHER_SUITE, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_COMPRESSION, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_FRAGLEN, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_SECRENEG, TLS_BAD_HANDSHAKE},
	{BR_ERR_EXTRA_EXTENSION, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_SNI, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_HELLO_DONE, TLS_BAD_HANDSHAKE},
	{BR_ERR_LIMIT_EXCEEDED, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_FINISHED, TLS_BAD_HANDSHAKE},
	{BR_ERR_RESUME_MISMATCH, TLS_BAD_HANDSHAKE},
	{BR_ERR_INVALID_ALGORITHM, TLS_BAD_HANDSHAKE},
	{BR_ERR_BAD_SIGNATURE, TLS_BAD_SIGNATURE},
	{BR_ERR_WRONG_KEY_USAGE, TLS_CERT_BAD_USAGE},
	{BR_ERR_NO_CLIENT_AUTH, TLS_CLIENT_CERT_WANTED},
	{BR_ERR_IO, TLS_INTERNAL},
	/* Our own engine for certificates tells its errors itself; this is of what uses the key. */
	{BR_ERR_X509_WEAK_PUBLIC_KEY, TLS_CERT_WEAK_KEY},
};

/* Alerts by their number on the wire: older versions of BearSSL do not name all of them. */
static const struct row alert_rows[] = {
	{10, TLS_ALERT_UNEXPECTED_MESSAGE},
	{20, TLS_ALERT_BAD_RECORD_MAC},
	{21, TLS_ALERT_BAD_RECORD_MAC}, /* decryption_failed, not to be told from the one above */
	{22, TLS_ALERT_RECORD_OVERFLOW},
	{40, TLS_HANDSHAKE_FAILURE},
	{41, TLS_ALERT_CERTIFICATE}, /* no_certificate, SSL 3.0 */
	{42, TLS_ALERT_CERTIFICATE}, /* bad_certificate */
	{43, TLS_ALERT_CERTIFICATE}, /* unsupported_certificate */
	{44, TLS_ALERT_CERTIFICATE}, /* certificate_revoked */
	{45, TLS_ALERT_CERTIFICATE}, /* certificate_expired */
	{46, TLS_ALERT_CERTIFICATE}, /* certificate_unknown */
	{47, TLS_ALERT_ILLEGAL_PARAMETER},
	{48, TLS_ALERT_CERTIFICATE}, /* unknown_ca */
	{49, TLS_ALERT_ACCESS_DENIED},
	{50, TLS_ALERT_DECODE_ERROR},
	{51, TLS_ALERT_DECRYPT_ERROR},
	{70, TLS_TLS13_ONLY}, /* protocol_version, while TLS 1.2 was offered */
	{71, TLS_ALERT_INSUFFICIENT_SECURITY},
	{80, TLS_ALERT_INTERNAL_ERROR},
	{90, TLS_ALERT_USER_CANCELED},
	{100, TLS_ALERT_NO_RENEGOTIATION},
	{110, TLS_ALERT_UNSUPPORTED_EXTENSION},
	{112, TLS_ALERT_UNRECOGNIZED_NAME},
	{116, TLS_CLIENT_CERT_WANTED}, /* certificate_required, RFC 8446 */
	{120, TLS_ALERT_NO_APPLICATION_PROTOCOL},
};

static enum tls_error find(const struct row *rows, size_t count, int code, enum tls_error otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].code == code)
			return rows[i].error;
	return otherwise;
}

const char *tls_error_name(enum tls_error error)
{
#define TLS_ERROR_NAME(member, name, text) name,
	static const char *const names[] = {TLS_ERRORS(TLS_ERROR_NAME)};
#undef TLS_ERROR_NAME

	return (unsigned)error < TLS_ERROR_COUNT ? names[error] : names[TLS_INTERNAL];
}

const char *tls_error_text(enum tls_error error)
{
#define TLS_ERROR_TEXT(member, name, text) text,
	static const char *const texts[] = {TLS_ERRORS(TLS_ERROR_TEXT)};
#undef TLS_ERROR_TEXT

	return (unsigned)error < TLS_ERROR_COUNT ? texts[error] : texts[TLS_INTERNAL];
}

enum tls_error tls_error_from_bearssl(int code)
{
	int received = code - BR_ERR_RECV_FATAL_ALERT, sent = code - BR_ERR_SEND_FATAL_ALERT;

	if (received >= 0 && received <= 255)
		return find(alert_rows, sizeof alert_rows / sizeof alert_rows[0], received,
			    TLS_ALERT_OTHER);
	/* We complain in this way about what the peer sent in the handshake only. */
	if (sent >= 0 && sent <= 255)
		return TLS_BAD_HANDSHAKE;
	return find(engine_rows, sizeof engine_rows / sizeof engine_rows[0], code, TLS_INTERNAL);
}
