/*
 * relr: packed relocations, which a start of ours applies before libc's.
 *
 * The program runs at any address, so the pointers in its tables are filled in when it starts. A
 * list of them takes 24 bytes per pointer; packed as DT_RELR the whole list takes two hundred. Musl
 * before 1.2.4 does not know that form: its start code would leave the pointers as they are. Hence
 * relr_start, which the linker makes the program's entry wherever it packs (x86-64 so far), and
 * which goes on to the real one. A libc that knows the form finds nothing left to do.
 */
#ifndef SYS_RELR_H
#define SYS_RELR_H

#include <stddef.h>
#include <stdint.h>

/*
 * Adds `base` to the words that `count` entries name. An even entry is the offset of one word from
 * `base`; each odd one that follows has a bit for each of the next words, from bit 1 on (generic
 * ELF ABI, "Relative Relocation Table").
 */
void relr_apply(char *base, const uintptr_t *entries, size_t count);

#endif
