/*
 * nlmsg: netlink messages of nfnetlink as bytes, written and read (RFC 3549, <linux/netlink.h>).
 * Pure.
 */
#ifndef REDIRECT_NLMSG_H
#define REDIRECT_NLMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Messages one after the other. `bytes` must be initialized; look at its `truncated` at the end. */
struct nlmsg {
	struct buf bytes;
	size_t start; /* where the message that is being written begins */
	uint32_t seq; /* of that message; each begun message counts it up */
};

/* Begins a message with its nfgenmsg; everything put until the next one is part of it. */
void nlmsg_begin(struct nlmsg *m, uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id);

/* Attributes of the message begun last. */
void nlmsg_put(struct nlmsg *m, uint16_t type, const void *value, size_t size);
void nlmsg_put_text(struct nlmsg *m, uint16_t type, const char *text); /* with its NUL */
void nlmsg_put_u32(struct nlmsg *m, uint16_t type, uint32_t value);    /* big-endian */
/* What is put between the two is inside; give nlmsg_end what nlmsg_nest gave. */
size_t nlmsg_nest(struct nlmsg *m, uint16_t type);
void nlmsg_end(struct nlmsg *m, size_t nest);

/*
 * Reading, as the kernel or anybody else wrote it. Takes a message, or an attribute, off the front;
 * false at the end and where what follows is none.
 */
struct nlmsg_header {
	uint16_t type, flags;
	uint32_t seq;
	struct span payload;
};
struct nlmsg_attr {
	uint16_t type; /* without NLA_F_NESTED, which the kernel does not always set */
	bool is_nested;
	struct span value;
};
bool nlmsg_next(struct span *rest, struct nlmsg_header *out);
bool nlmsg_next_attr(struct span *rest, struct nlmsg_attr *out);
/* The attribute of the type, of length 0 when there is none. */
struct span nlmsg_find_attr(struct span attrs, uint16_t type);
/* The attributes of a message with nfgenmsg, and its family. */
struct span nlmsg_attrs(const struct nlmsg_header *h, uint8_t *family);

#endif
