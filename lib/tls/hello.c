#include "tls/hello.h"

#include <stdint.h>

#include "base/endian.h"

enum {
	RECORD_HANDSHAKE = 22,
	RECORD_HEADER_SIZE = 5,
	RECORD_MAX = 16384,
	CLIENT_HELLO = 1,
	MESSAGE_HEADER_SIZE = 4,
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	NAME_TYPE_HOST = 0,
	VERSION_TLS13 = 0x0304,
};

/* Takes `len` bytes off the front of *rest. */
static bool take(struct span *rest, size_t len, struct span *part)
{
	if (rest->len < len)
		return false;
	*part = span_first(*rest, len);
	rest->ptr += len;
	rest->len -= len;
	return true;
}

/* Takes a vector: its length in `width` bytes (1 or 2), then as many bytes. */
static bool take_vector(struct span *rest, size_t width, struct span *part)
{
	struct span size;

	if (!take(rest, width, &size))
		return false;
	return take(rest, width == 1 ? (unsigned char)size.ptr[0] : endian_get_be16(size.ptr),
		    part);
}

/* struct { NameType type; HostName name<1..2^16-1> } server_name_list<1..2^16-1> */
static bool read_server_name(struct span content, struct hello *out)
{
	struct span list, type, name;

	if (!take_vector(&content, 2, &list) || list.len == 0 || content.len != 0)
		return false;
	while (list.len > 0) {
		if (!take(&list, 1, &type) || !take_vector(&list, 2, &name) || name.len == 0)
			return false;
		if (type.ptr[0] != NAME_TYPE_HOST)
			continue;
		/* RFC 6066 section 3: no two names of one type. */
		if (out->sni.len > 0 || span_find(name, '\0') != SIZE_MAX)
			return false;
		out->sni = name;
	}
	return true;
}

/* ProtocolVersion versions<2..254> */
static bool read_versions(struct span content, struct hello *out)
{
	struct span list, version;

	if (!take_vector(&content, 1, &list) || content.len != 0)
		return false;
	while (list.len > 0) {
		if (!take(&list, 2, &version))
			return false;
		out->offers_tls13 |= endian_get_be16(version.ptr) == VERSION_TLS13;
	}
	return true;
}

/* struct { ExtensionType type; opaque data<0..2^16-1> } extensions<0..2^16-1> */
static bool read_extensions(struct span list, struct hello *out)
{
	bool has_sni = false, has_alpn = false;
	struct span type, content;

	while (list.len > 0) {
		if (!take(&list, 2, &type) || !take_vector(&list, 2, &content))
			return false;
		switch (endian_get_be16(type.ptr)) {
		case EXTENSION_SERVER_NAME:
			if (has_sni || !read_server_name(content, out))
				return false;
			has_sni = true;
			break;
		case EXTENSION_ALPN:
			if (has_alpn)
				return false;
			has_alpn = true;
			out->alpn = content;
			break;
		case EXTENSION_SUPPORTED_VERSIONS:
			if (!read_versions(content, out))
				return false;
			break;
		}
	}
	return true;
}

/*
 * version, random[32], session_id<0..32>, cipher_suites<2..2^16-2>, compression_methods<1..2^8-1>,
 * extensions, which may be missing altogether
 */
static bool read_client_hello(struct span body, struct hello *out)
{
	struct span part;

	if (!take(&body, 2 + 32, &part) || part.ptr[0] != 3)
		return false;
	if (!take_vector(&body, 1, &part) || part.len > 32)
		return false;
	if (!take_vector(&body, 2, &part) || part.len < 2 || part.len % 2 != 0)
		return false;
	if (!take_vector(&body, 1, &part) || part.len == 0)
		return false;
	if (body.len == 0)
		return true;
	return take_vector(&body, 2, &part) && body.len == 0 && read_extensions(part, out);
}

/* Is byte `at`, if it has come in, what a ClientHello has there? */
static bool byte_fits(struct span bytes, size_t at, unsigned char min, unsigned char max)
{
	unsigned char byte;

	if (at >= bytes.len)
		return true;
	byte = (unsigned char)bytes.ptr[at];
	return byte >= min && byte <= max;
}

enum hello_result hello_parse(struct span bytes, struct hello *out)
{
	struct span record;
	size_t record_len, message_len;

	*out = (struct hello){.is_tls = false};
	/* The record's version is 3.1 or 3.3 in practice (RFC 8446 section 5.1), and frozen. */
	if (!byte_fits(bytes, 0, RECORD_HANDSHAKE, RECORD_HANDSHAKE) ||
	    !byte_fits(bytes, 1, 3, 3) || !byte_fits(bytes, 2, 0, 4))
		return HELLO_BAD;
	out->is_tls = bytes.len >= 3;
	if (bytes.len <= RECORD_HEADER_SIZE)
		return HELLO_MORE;
	record_len = endian_get_be16(bytes.ptr + 3);
	if (!byte_fits(bytes, RECORD_HEADER_SIZE, CLIENT_HELLO, CLIENT_HELLO) ||
	    record_len < MESSAGE_HEADER_SIZE || record_len > RECORD_MAX)
		return HELLO_BAD;
	if (bytes.len < RECORD_HEADER_SIZE + record_len)
		return HELLO_MORE;

	record = span_first(span_from(bytes, RECORD_HEADER_SIZE), record_len);
	message_len = endian_get_be24(record.ptr + 1);
	record = span_from(record, MESSAGE_HEADER_SIZE);
	if (message_len != record.len || !read_client_hello(record, out)) {
		*out = (struct hello){.is_tls = true};
		return HELLO_BAD;
	}
	return HELLO_OK;
}
