/* Bump allocator: many small objects that die together. */
#ifndef LPOT_BASE_ARENA_H
#define LPOT_BASE_ARENA_H

#include <stddef.h>

#include "base/error.h"

typedef struct lpot_arena lpot_arena;

LPOT_MUST_CHECK lpot_status lpot_arena_new(lpot_arena **ret_arena, lpot_error *err);
void lpot_arena_free(lpot_arena *arena);  /* NULL is allowed */
void lpot_arena_reset(lpot_arena *arena); /* keeps one block for reuse */

/* Zero-filled, 16-byte aligned; dies with the arena. NULL when memory is exhausted. */
void *lpot_arena_alloc(lpot_arena *arena, size_t count, size_t size);
/* NUL-terminated copies; NULL when memory is exhausted. */
char *lpot_arena_strdup(lpot_arena *arena, const char *text);
char *lpot_arena_strndup(lpot_arena *arena, const char *text, size_t length);
char *lpot_arena_printf(lpot_arena *arena, const char *format, ...) LPOT_PRINTF(2, 3);

#endif
