#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define BLOCK_SIZE ((size_t)32 * 1024)
#define ALIGNMENT 16

typedef struct arena_block {
  struct arena_block *next; /* owned; the block that was filled before this one */
  size_t size;              /* bytes in data */
  size_t used;
  alignas(ALIGNMENT) unsigned char data[];
} arena_block;

struct lpot_arena {
  arena_block *blocks; /* owned; allocations come from the first one */
};

lpot_status lpot_arena_new(lpot_arena **ret_arena, lpot_error *err) {
  lpot_arena *arena = lpot_calloc(1, sizeof *arena);
  if (arena == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_arena = arena;
  return LPOT_OK;
}

static void free_blocks(arena_block *block) {
  while (block != NULL) {
    arena_block *next = block->next;
    lpot_free(block);
    block = next;
  }
}

void lpot_arena_free(lpot_arena *arena) {
  if (arena == NULL) {
    return;
  }
  free_blocks(arena->blocks);
  lpot_free(arena);
}

void lpot_arena_reset(lpot_arena *arena) {
  arena_block *kept = arena->blocks;
  if (kept == NULL) {
    return;
  }
  free_blocks(kept->next);
  kept->next = NULL;
  kept->used = 0;
  /* A block made for one large object is not worth keeping. */
  if (kept->size > BLOCK_SIZE) {
    lpot_free(kept);
    arena->blocks = NULL;
  }
}

static arena_block *add_block(lpot_arena *arena, size_t data_size) {
  if (data_size > SIZE_MAX - sizeof(arena_block)) {
    return NULL;
  }
  arena_block *block = lpot_alloc_aligned(sizeof *block + data_size);
  if (block == NULL) {
    return NULL;
  }
  block->size = data_size;
  block->used = 0;
  block->next = arena->blocks;
  arena->blocks = block;
  return block;
}

/* A large object gets a block of its own behind the current one, which stays in use. */
static void *alloc_large(lpot_arena *arena, size_t size_bytes) {
  arena_block *current = arena->blocks;
  arena_block *block = add_block(arena, size_bytes);
  if (block == NULL) {
    return NULL;
  }
  block->used = size_bytes;
  if (current != NULL) {
    arena->blocks = current;
    block->next = current->next;
    current->next = block;
  }
  return memset(block->data, 0, size_bytes);
}

void *lpot_arena_alloc(lpot_arena *arena, size_t count, size_t size) {
  if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) {
    return NULL;
  }
  size_t wanted = count * size;
  size_t size_bytes = (wanted + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  size_bytes = size_bytes == 0 ? ALIGNMENT : size_bytes;
  if (size_bytes > BLOCK_SIZE / 4) {
    return alloc_large(arena, size_bytes);
  }
  arena_block *block = arena->blocks;
  if (block == NULL || block->size - block->used < size_bytes) {
    block = add_block(arena, BLOCK_SIZE);
  }
  if (block == NULL) {
    return NULL;
  }
  void *result = block->data + block->used;
  block->used += size_bytes;
  return memset(result, 0, size_bytes);
}

char *lpot_arena_strdup(lpot_arena *arena, const char *text) {
  return lpot_arena_strndup(arena, text, strlen(text));
}

char *lpot_arena_strndup(lpot_arena *arena, const char *text, size_t length) {
  if (length == SIZE_MAX) {
    return NULL;
  }
  char *copy = lpot_arena_alloc(arena, length + 1, 1);
  if (copy == NULL) {
    return NULL;
  }
  memcpy(copy, text, length);
  return copy;
}

char *lpot_arena_printf(lpot_arena *arena, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    return NULL;
  }
  char *text = lpot_arena_alloc(arena, (size_t)length + 1, 1);
  if (text == NULL) {
    return NULL;
  }
  va_start(arguments, format);
  vsnprintf(text, (size_t)length + 1, format, arguments);
  va_end(arguments);
  return text;
}
