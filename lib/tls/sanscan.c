#include "tls/sanscan.h"

#include <string.h>

#include "tls/der.h"
#include "tls/oid.h"

/* What is open, by depth; see SANSCAN_DEPTH. */
enum {
	OUTSIDE,
	CERTIFICATE,
	TBS,
	EXTENSIONS_TAG,
	EXTENSIONS,
	EXTENSION,
	VALUE,
	NAMES,
};

#define IP_ADDRESS (DER_CONTEXT_PRIMITIVE + 7)

void sanscan_init(struct sanscan *s, const struct addr *wanted, uint32_t len)
{
	memset(s, 0, sizeof *s);
	s->wanted = *wanted;
	s->end[0] = len;
}

static void open_element(struct sanscan *s, uint32_t end)
{
	s->depth++;
	s->end[s->depth] = end;
	s->children[s->depth] = 0;
	if (s->depth == EXTENSION) {
		s->is_san = false;
		s->has_value = false;
	}
}

static void begin_leaf(struct sanscan *s, uint8_t tag, uint32_t end, bool keeps)
{
	s->in_leaf = true;
	s->keeps_leaf = keeps;
	s->leaf_tag = tag;
	s->leaf_end = end;
	s->content_len = 0;
}

/* The one child that fills the element it is in. */
static bool opens_whole(struct sanscan *s, uint8_t tag, unsigned expected, uint32_t end)
{
	if (tag != expected || end != s->end[s->depth])
		return false;
	open_element(s, end);
	return true;
}

/* Extension ::= SEQUENCE { extnID OID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static bool begin_part(struct sanscan *s, uint8_t tag, uint32_t end)
{
	unsigned index = s->children[EXTENSION];

	if (index == 1 ? tag != DER_OID
		       : tag != DER_OCTET_STRING && (index != 2 || tag != DER_BOOLEAN))
		return false;
	if (tag == DER_OCTET_STRING) {
		s->has_value = true;
		if (end != s->end[EXTENSION])
			return false;
		if (s->is_san) {
			open_element(s, end);
			return true;
		}
	}
	begin_leaf(s, tag, end, tag == DER_OID);
	return true;
}

/* GeneralName ::= CHOICE of [0] to [8]; iPAddress is [7], 4 or 16 bytes. */
static bool begin_name(struct sanscan *s, uint8_t tag, uint32_t end)
{
	uint32_t len = end - s->at;

	if ((tag & 0xc0) != 0x80 || (tag == IP_ADDRESS && len != 4 && len != 16))
		return false;
	begin_leaf(s, tag, end, tag == IP_ADDRESS);
	return true;
}

/* An element whose content is from s->at to `end` begins in what is open. */
static bool begin_element(struct sanscan *s, uint8_t tag, uint32_t end)
{
	if (s->children[s->depth] < UINT8_MAX)
		s->children[s->depth]++;
	switch (s->depth) {
	case OUTSIDE:
	case EXTENSIONS_TAG:
	case VALUE:
		return opens_whole(s, tag, DER_SEQUENCE, end);
	case EXTENSIONS:
		if (tag != DER_SEQUENCE)
			return false;
		open_element(s, end);
		return true;
	case EXTENSION:
		return begin_part(s, tag, end);
	case NAMES:
		return begin_name(s, tag, end);
	case TBS:
		if (tag == DER_CONTEXT + 3)
			return opens_whole(s, tag, tag, end);
		break;
	case CERTIFICATE:
	default:
		if (s->children[CERTIFICATE] == 1 && tag == DER_SEQUENCE) {
			open_element(s, end);
			return true;
		}
		break;
	}
	begin_leaf(s, tag, end, false);
	return true;
}

static bool end_leaf(struct sanscan *s)
{
	s->in_leaf = false;
	if (s->leaf_tag == DER_OID && s->keeps_leaf) {
		s->is_san = span_eq(span_of(s->content, s->content_len),
				    SPAN(OID_SUBJECT_ALT_NAME));
		if (s->is_san && s->has_san)
			return false;
		s->has_san |= s->is_san;
	}
	if (s->leaf_tag == IP_ADDRESS && s->keeps_leaf) {
		size_t len = s->wanted.family == 4 ? 4 : 16;

		s->has_address = true;
		s->has_match |= s->content_len == len &&
				memcmp(s->content, s->wanted.bytes, len) == 0;
	}
	return true;
}

/* Closes what ends here. Nothing on the way to a name may be empty. */
static bool close_elements(struct sanscan *s)
{
	while (s->depth > 0 && s->at == s->end[s->depth]) {
		if (s->children[s->depth] == 0 || (s->depth == EXTENSION && !s->has_value))
			return false;
		s->depth--;
	}
	return true;
}

/* Tag and length (X.690 section 8.1.3): -1 bad, 0 goes on, 1 complete; then *len is set. */
static int header_state(const struct sanscan *s, uint32_t *len)
{
	unsigned count;

	if ((s->header[0] & 0x1f) == 0x1f)
		return -1;
	if (s->header_len < 2)
		return 0;
	*len = s->header[1];
	if (*len < 0x80)
		return 1;
	count = *len & 0x7f;
	if (count == 0 || count > 3)
		return -1;
	if (s->header_len < 2 + count)
		return 0;
	*len = 0;
	for (unsigned i = 0; i < count; i++)
		*len = *len << 8 | s->header[2 + i];
	return s->header[2] == 0 || *len < 0x80 ? -1 : 1;
}

static bool add_header_byte(struct sanscan *s, uint8_t byte)
{
	uint32_t len = 0;
	int state;

	if (s->at >= s->end[s->depth])
		return false;
	s->header[s->header_len++] = byte;
	s->at++;
	state = header_state(s, &len);
	if (state <= 0)
		return state == 0;
	s->header_len = 0;
	if (len > s->end[s->depth] - s->at || !begin_element(s, s->header[0], s->at + len))
		return false;
	if (s->in_leaf && len == 0 && !end_leaf(s))
		return false;
	return s->in_leaf || close_elements(s);
}

static bool add_leaf_bytes(struct sanscan *s, const uint8_t *bytes, size_t len)
{
	size_t room = sizeof s->content - s->content_len;

	if (s->keeps_leaf) {
		size_t kept = len < room ? len : room;

		memcpy(s->content + s->content_len, bytes, kept);
		s->content_len += (uint8_t)kept;
	}
	s->at += (uint32_t)len;
	if (s->at < s->leaf_end)
		return true;
	return end_leaf(s) && close_elements(s);
}

void sanscan_add(struct sanscan *s, const uint8_t *bytes, size_t len)
{
	while (len > 0 && !s->is_malformed) {
		size_t n = 1;

		if (s->in_leaf) {
			n = s->leaf_end - s->at;
			n = n < len ? n : len;
			s->is_malformed = !add_leaf_bytes(s, bytes, n);
		} else {
			s->is_malformed = !add_header_byte(s, *bytes);
		}
		bytes += n;
		len -= n;
	}
}

enum sanscan_result sanscan_result(const struct sanscan *s)
{
	if (s->is_malformed || s->depth > 0 || s->at != s->end[0] || s->children[0] == 0)
		return SANSCAN_MALFORMED;
	if (!s->has_address)
		return SANSCAN_NONE;
	return s->has_match ? SANSCAN_MATCH : SANSCAN_NO_MATCH;
}
