#include "sys/relr.h"

#include <elf.h>

/* No canary: what holds it is only set up later, and so is every pointer that is relocated. */
#define BEFORE_START __attribute__((no_stack_protector))

#define WORD_BITS (8 * sizeof(uintptr_t))

BEFORE_START void relr_apply(char *base, const uintptr_t *entries, size_t count)
{
	uintptr_t *next = NULL;

	for (size_t i = 0; i < count; i++) {
		uintptr_t entry = entries[i];

		if ((entry & 1) == 0) {
			next = (uintptr_t *)(void *)(base + entry);
			*next++ += (uintptr_t)base;
			continue;
		}
		for (size_t bit = 1; bit < WORD_BITS; bit++)
			if ((entry >> bit & 1) != 0)
				next[bit - 1] += (uintptr_t)base;
		next += WORD_BITS - 1;
	}
}

#if defined __x86_64__ && defined __LP64__

/* Not in the elf.h of every libc. */
#define TAG_RELRSZ 35
#define TAG_RELR 36

/* From the linker. The file's header lies at its address 0. */
extern char __ehdr_start[] __attribute__((visibility("hidden")));
extern Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

__attribute__((used)) BEFORE_START static void apply_own(void)
{
	const uintptr_t *entries = NULL;

	for (const Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++)
		if (d->d_tag == TAG_RELR)
			entries = (const uintptr_t *)(const void *)(__ehdr_start + d->d_un.d_ptr);
	for (Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL && entries != NULL; d++) {
		if (d->d_tag != TAG_RELRSZ)
			continue;
		relr_apply(__ehdr_start, entries, d->d_un.d_val / sizeof *entries);
		/* Once is enough, should libc know the form as well. */
		d->d_un.d_val = 0;
	}
}

/*
 * The stack holds the arguments and is left as it was. The kernel leaves nothing in rdx, where
 * glibc's start looks for a function to call at exit.
 */
__asm__(".pushsection .text.relr_start, \"ax\", @progbits\n"
	".globl relr_start\n"
	".type relr_start, @function\n"
	"relr_start:\n"
	"	xor %ebp, %ebp\n"
	"	call apply_own\n"
	"	xor %edx, %edx\n"
	"	jmp _start\n"
	".size relr_start, . - relr_start\n"
	".popsection\n");

#endif
