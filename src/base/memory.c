#include "base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#define ALIGNMENT 64
/* No object may be larger; allocators differ in what they do when asked for more. */
#define MAX_BYTES ((size_t)PTRDIFF_MAX - ALIGNMENT)

/* Allocations until injected failures begin, counted from 1; 0 while injection is off. The one
 * piece of state here: it serves tests, which cannot hand a parameter through every caller. */
static _Atomic uint64_t fail_countdown;

static bool injected_failure(void) {
  uint64_t countdown = atomic_load(&fail_countdown);
  while (countdown > 1) {
    if (atomic_compare_exchange_weak(&fail_countdown, &countdown, countdown - 1)) {
      return false;
    }
  }
  return countdown == 1;
}

static bool is_too_large(size_t count, size_t size) {
  return size != 0 && count > MAX_BYTES / size;
}

void *lpot_calloc(size_t count, size_t size) {
  if (injected_failure() || is_too_large(count, size)) {
    return NULL;
  }
  if (count == 0 || size == 0) {
    return calloc(1, 1);
  }
  return calloc(count, size);
}

void *lpot_realloc(void *pointer, size_t count, size_t size) {
  if (injected_failure() || is_too_large(count, size)) {
    return NULL;
  }
  size_t size_bytes = count * size;
  return realloc(pointer, size_bytes == 0 ? 1 : size_bytes);
}

void *lpot_alloc_aligned(size_t size_bytes) {
  if (injected_failure() || is_too_large(size_bytes, 1)) {
    return NULL;
  }
  size_t padded = (size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return aligned_alloc(ALIGNMENT, padded == 0 ? ALIGNMENT : padded);
}

void lpot_free(void *pointer) {
  free(pointer);
}

void lpot_memory_trim(void) {
  (void)malloc_trim(0);
}

void lpot_memory_fail_after(uint64_t countdown) {
  atomic_store(&fail_countdown, countdown);
}
