/*
 * h1problem: every reason for which an HTTP/1 message is refused, each with a name for logs, a
 * status to answer with, and one line of text.
 *
 * The status is for a request. The same problem in an upstream's response is always 502.
 */
#ifndef HTTP_H1PROBLEM_H
#define HTTP_H1PROBLEM_H

/* X(MEMBER, name, status, text); sections in brackets are of RFC 9112 unless said otherwise. */
#define H1_PROBLEMS(X)                                                                             \
	X(NONE, "none", 0, "no problem")                                                           \
	/* start-line [2.2, 3, 4] */                                                               \
	X(TLS_RECORD, "tls_record", 400, "TLS was spoken where plain HTTP is expected")            \
	X(EMPTY_LINES, "empty_lines", 400, "more than two empty lines before the request line")    \
	X(BARE_CR, "bare_cr", 400, "CR without LF")                                                \
	X(BARE_LF, "bare_lf", 400, "LF without CR")                                                \
	X(METHOD_INVALID, "method_invalid", 400, "the method is not a token")                      \
	X(METHOD_TOO_LONG, "method_too_long", 501, "the method has more than 32 bytes")            \
	X(TARGET_INVALID, "target_invalid", 400, "the request target has a byte no target has")    \
	X(TARGET_TOO_LONG, "target_too_long", 414, "the request target is too long")               \
	X(TARGET_FORM, "target_form", 400, "the request target does not fit the method")           \
	X(TARGET_SCHEME, "target_scheme", 400, "the request target is neither http nor https")     \
	X(TARGET_USERINFO, "target_userinfo", 400, "the request target holds user information")    \
	X(TARGET_AUTHORITY, "target_authority", 400,                                               \
	  "the request target has an invalid authority")                                           \
	X(CONNECT_PORT, "connect_port", 400, "CONNECT needs a host and a port")                    \
	X(VERSION_INVALID, "version_invalid", 400, "the HTTP version is malformed")                \
	X(VERSION_MISSING, "version_missing", 400, "HTTP/0.9 is not spoken here")                  \
	X(VERSION_UNSUPPORTED, "version_unsupported", 505,                                         \
	  "only HTTP/1.0 and HTTP/1.1 are spoken here")                                            \
	X(H2_PREFACE, "h2_preface", 505, "HTTP/2 is not spoken here")                              \
	X(STATUS_INVALID, "status_invalid", 502, "the status is not three digits from 100 to 599") \
	X(REASON_INVALID, "reason_invalid", 502, "the reason phrase has a control byte")           \
	/* field lines [5], RFC 9110 5.4, 5.5 */                                                   \
	X(SPACE_BEFORE_FIELDS, "space_before_fields", 400, "white space before the first field")   \
	X(FIELD_NAME_EMPTY, "field_name_empty", 400, "a field has no name")                        \
	X(FIELD_NAME_INVALID, "field_name_invalid", 400, "a field name is not a token")            \
	X(SPACE_BEFORE_COLON, "space_before_colon", 400, "white space in or behind a field name")  \
	X(FIELD_NO_COLON, "field_no_colon", 400, "a field line has no colon")                      \
	X(FIELD_VALUE_INVALID, "field_value_invalid", 400, "a field value has a control byte")     \
	X(OBS_FOLD, "obs_fold", 400, "a field is folded over lines")                               \
	X(HEAD_TOO_LARGE, "head_too_large", 431, "the header section is too large")                \
	X(TOO_MANY_FIELDS, "too_many_fields", 431, "too many fields")                              \
	/* host [3.2], RFC 9110 7.2 */                                                             \
	X(HOST_MISSING, "host_missing", 400, "no Host field")                                      \
	X(HOST_REPEATED, "host_repeated", 400, "more than one Host field")                         \
	X(HOST_INVALID, "host_invalid", 400, "the Host field is not a host with an optional port") \
	X(HOST_MISMATCH, "host_mismatch", 400, "Host and the request target disagree")             \
	/* framing [6] */                                                                          \
	X(LENGTH_INVALID, "length_invalid", 400, "Content-Length is not a decimal number")         \
	X(LENGTH_REPEATED, "length_repeated", 400, "more than one Content-Length field")           \
	X(LENGTH_AND_CODING, "length_and_coding", 400,                                             \
	  "both Content-Length and Transfer-Encoding")                                             \
	X(CODING_REPEATED, "coding_repeated", 400, "chunked is not named exactly once")            \
	X(CODING_INVALID, "coding_invalid", 400, "Transfer-Encoding is malformed")                 \
	X(CODING_NOT_LAST, "coding_not_last", 400, "chunked is not the last transfer coding")      \
	X(CODING_UNKNOWN, "coding_unknown", 501, "a transfer coding other than chunked")           \
	X(CODING_IN_1_0, "coding_in_1_0", 400, "Transfer-Encoding in an HTTP/1.0 message")         \
	X(BODY_FORBIDDEN, "body_forbidden", 400, "a body where the method has none")               \
	X(EXPECT_UNKNOWN, "expect_unknown", 417, "an expectation other than 100-continue")         \
	X(MAX_FORWARDS_INVALID, "max_forwards_invalid", 400, "Max-Forwards is not a number")       \
	X(TOO_MANY_OPTIONS, "too_many_options", 400, "too many connection options")                \
	X(UPGRADE_INVALID, "upgrade_invalid", 502, "101 without naming one protocol")              \
	/* chunked bodies [7.1] */                                                                 \
	X(CHUNK_SIZE_INVALID, "chunk_size_invalid", 400, "a chunk size is not hexadecimal")        \
	X(CHUNK_SIZE_TOO_LARGE, "chunk_size_too_large", 400, "a chunk size has over 13 digits")    \
	X(CHUNK_EXT_INVALID, "chunk_ext_invalid", 400, "a chunk extension is malformed")           \
	X(CHUNK_EXT_TOO_LARGE, "chunk_ext_too_large", 400, "chunk extensions are too long")        \
	X(CHUNK_LINE_END, "chunk_line_end", 400, "a chunk size does not end in CRLF")              \
	X(CHUNK_DATA_END, "chunk_data_end", 400, "chunk data does not end in CRLF")                \
	X(TRAILER_INVALID, "trailer_invalid", 400, "a trailer field is malformed")                 \
	X(TRAILER_REQUEST, "trailer_request", 400, "a trailer field reads like a request line")    \
	X(TRAILERS_TOO_LARGE, "trailers_too_large", 431, "the trailer section is too large")

#define H1_PROBLEM_MEMBER(member, name, status, text) H1_PROBLEM_##member,
enum h1_problem { H1_PROBLEMS(H1_PROBLEM_MEMBER) H1_PROBLEM_COUNT };
#undef H1_PROBLEM_MEMBER

/* Constant texts; any other number than a member gives "unknown". */
const char *h1problem_name(enum h1_problem problem);
const char *h1problem_text(enum h1_problem problem);
/* The status for a request refused so; 0 for NONE. */
unsigned h1problem_status(enum h1_problem problem);

#endif
