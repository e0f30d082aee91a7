/*
 * addr: an IPv4 or IPv6 address with a port, as a value. No sockets are opened here.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/span.h"
#include "net/wide.h"

struct addr {
	uint8_t family;	   /* 4 or 6; 0: none */
	uint16_t port;	   /* host byte order; 0 when it has no meaning */
	uint8_t bytes[16]; /* network byte order; 4 used for IPv4, the rest zero */
};

/* Longest text of addr_format with its NUL: "[" 45 "]:65535". */
#define ADDR_TEXT_MAX 56

/*
 * A literal address without port: dotted quad (four decimal numbers, no leading zeroes) or RFC 4291
 * text, with or without brackets. No zone ids. The port is set to 0.
 */
bool addr_parse_ip(struct span text, struct addr *out);
/* ADDR:PORT, [ADDR]:PORT, or ADDR alone with `default_port` (0: then the port is required). */
bool addr_parse(struct span text, uint16_t default_port, struct addr *out);

/* "192.0.2.1:80", "[2001:db8::1]:80" (RFC 5952); without the port and brackets when port is 0. */
void addr_format(const struct addr *a, struct buf *out);

/* Its bytes as a number. The family is 4 or 6. */
struct wide addr_number(const struct addr *a);

bool addr_eq(const struct addr *a, const struct addr *b);
/* To and from the kernel's form; returns the length, and 0 or false for other families. */
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out);
bool addr_from_sockaddr(const struct sockaddr_storage *ss, struct addr *out);
/* An IPv4 client of an IPv6 socket, ::ffff:192.0.2.1, becomes 192.0.2.1 (RFC 4291 2.5.5.2). */
void addr_unmap(struct addr *a);
/* 127.0.0.1; the port stays. */
void addr_set_loopback(struct addr *a);
/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);

#endif
