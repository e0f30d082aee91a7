#include "base/slab.h"

#include "base/alloc.h"

struct slab_block {
	struct slab_block *next;
};

void slab_init(struct slab *s, size_t block_size, size_t max_in_use, size_t max_kept)
{
	*s = (struct slab){.max_in_use = max_in_use, .max_kept = max_kept};
	s->block_size = block_size;
	/* A free block holds the link to the next. */
	if (block_size < sizeof(struct slab_block))
		s->block_size = sizeof(struct slab_block);
}

void slab_fini(struct slab *s)
{
	while (s->free != NULL) {
		struct slab_block *block = s->free;

		s->free = block->next;
		alloc_put(block);
	}
	s->kept = 0;
}

void *slab_get(struct slab *s)
{
	struct slab_block *block = s->free;

	if (s->in_use >= s->max_in_use)
		return NULL;
	if (block != NULL) {
		s->free = block->next;
		s->kept--;
	} else {
		block = alloc_get(s->block_size);
		if (block == NULL)
			return NULL;
	}
	s->in_use++;
	return block;
}

void slab_put(struct slab *s, void *memory)
{
	struct slab_block *block = memory;

	if (block == NULL)
		return;
	s->in_use--;
	if (s->kept >= s->max_kept) {
		alloc_put(block);
		return;
	}
	block->next = s->free;
	s->free = block;
	s->kept++;
}
