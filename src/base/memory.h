/* The only place that allocates. Sizes are checked for overflow; tests can make the n-th
 * allocation fail. All functions return NULL when memory or the size range is exhausted; the
 * caller reports LPOT_OUT_OF_MEMORY. Every pointer is released by lpot_free. */
#ifndef LPOT_BASE_MEMORY_H
#define LPOT_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Zero-filled room for count objects of size bytes. A count of 0 gives a valid pointer. */
void *lpot_calloc(size_t count, size_t size);
/* Resizes to count objects of size bytes; new bytes are not initialised. On NULL the old block
 * is untouched. */
void *lpot_realloc(void *pointer, size_t count, size_t size);
/* Uninitialised, 64-byte aligned, padded at the end to a multiple of 64 bytes. */
void *lpot_alloc_aligned(size_t size_bytes);
void lpot_free(void *pointer);
/* Gives what has been freed back to the system, after much of it. */
void lpot_memory_trim(void);

/* Makes the allocation number `countdown` from now on (1 = the next) and all later ones fail;
 * 0 switches injection off. For tests. */
void lpot_memory_fail_after(uint64_t countdown);

#endif
