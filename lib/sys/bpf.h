/*
 * bpf: classic BPF programs, as a socket's filter and seccomp take them: the kernel's
 * linux/filter.h, of which a libc knows nothing.
 */
#ifndef SYS_BPF_H
#define SYS_BPF_H

#include <stdint.h>

enum {
	BPF_LOAD_WORD = 0x20,	/* of the data at offset k */
	BPF_LOAD_BYTE = 0x30,	/* the same */
	BPF_IF_EQUAL = 0x15,	/* to k: skips jt steps, else jf */
	BPF_IF_AT_LEAST = 0x35, /* k */
	BPF_IF_ANY_BIT = 0x45,	/* of k */
	BPF_RETURN = 0x06,	/* k */
};

struct bpf_step {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

struct bpf_program {
	unsigned short count;
	const struct bpf_step *steps;
};

#endif
