/*
 * rangeinput: ranges as they are given to the verbs: operands, files, standard input.
 *
 * An operand is a list A,B,C of ranges (range.h), also as a flag --NAME=A,B,C, or @FILE, or - for
 * standard input. Files are read as rangescan.h says. Every error names the operand's entry, or
 * FILE:LINE:COL.
 */
#ifndef CIDR_RANGEINPUT_H
#define CIDR_RANGEINPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/rangelist.h"
#include "net/rangescan.h"

struct rangeinput {
	/* False ends the reading; the callback has filled the error. */
	bool (*on_range)(void *context, const struct rangescan_found *found, struct error *e);
	void *context;
	uint8_t family;		  /* ranges of another are passed over; 0: of none */
	size_t count;		  /* ranges that were given to the callback */
	size_t host_bits;	  /* of those, such with bits behind their length */
	char host_bits_note[256]; /* "10.0.0.1/24 is taken as 10.0.0.0/24", of the first */
};

void rangeinput_init(struct rangeinput *in, uint8_t family,
		     bool (*on_range)(void *context, const struct rangescan_found *found,
				      struct error *e),
		     void *context);

/* For on_range: adds to the struct rangelist that is the context. */
bool rangeinput_to_list(void *context, const struct rangescan_found *found, struct error *e);

bool rangeinput_file(struct rangeinput *in, const char *path, struct error *e);
bool rangeinput_operand(struct rangeinput *in, const char *text, struct error *e);

#endif
