#include "engine/memory_planner.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

#define ALIGNMENT 64

typedef struct entry {
  lpot_planned_buffer *buffer;
  size_t index;
} entry;

static int by_size_then_index(const void *a, const void *b) {
  const entry *x = a;
  const entry *y = b;
  if (x->buffer->size_bytes != y->buffer->size_bytes) {
    return x->buffer->size_bytes > y->buffer->size_bytes ? -1 : 1;
  }
  return x->index < y->index ? -1 : x->index > y->index;
}

static int by_offset(const void *a, const void *b) {
  const lpot_planned_buffer *x = *(lpot_planned_buffer *const *)a;
  const lpot_planned_buffer *y = *(lpot_planned_buffer *const *)b;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool alive_together(const lpot_planned_buffer *a, const lpot_planned_buffer *b) {
  return a->first_step <= b->last_step && b->first_step <= a->last_step;
}

static size_t padded(size_t size_bytes) {
  return (size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The lowest gap between the neighbours (sorted by offset) that holds size_bytes. */
static size_t lowest_offset(lpot_planned_buffer *const *neighbours, size_t count,
                            size_t size_bytes) {
  size_t offset = 0;
  for (size_t i = 0; i < count; ++i) {
    if (neighbours[i]->offset >= offset + size_bytes) {
      break;
    }
    size_t end = neighbours[i]->offset + padded(neighbours[i]->size_bytes);
    offset = end > offset ? end : offset;
  }
  return offset;
}

static void place_all(entry *entries, lpot_planned_buffer **neighbours, size_t count,
                      size_t *ret_arena_bytes) {
  size_t arena_bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    lpot_planned_buffer *buffer = entries[i].buffer;
    size_t num_neighbours = 0;
    for (size_t j = 0; j < i; ++j) {
      if (alive_together(buffer, entries[j].buffer)) {
        neighbours[num_neighbours++] = entries[j].buffer;
      }
    }
    qsort(neighbours, num_neighbours, sizeof *neighbours, by_offset);
    size_t size_bytes = padded(buffer->size_bytes);
    buffer->offset = lowest_offset(neighbours, num_neighbours, size_bytes);
    if (buffer->offset + size_bytes > arena_bytes) {
      arena_bytes = buffer->offset + size_bytes;
    }
  }
  *ret_arena_bytes = arena_bytes;
}

lpot_status lpot_memory_plan(lpot_planned_buffer *buffers, size_t count, size_t *ret_arena_bytes,
                             lpot_error *err) {
  entry *entries = lpot_calloc(count, sizeof *entries);
  lpot_planned_buffer **neighbours = lpot_calloc(count, sizeof *neighbours);
  if (entries == NULL || neighbours == NULL) {
    lpot_free(entries);
    lpot_free(neighbours);
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; ++i) {
    entries[i].buffer = &buffers[i];
    entries[i].index = i;
  }
  qsort(entries, count, sizeof *entries, by_size_then_index);
  place_all(entries, neighbours, count, ret_arena_bytes);
  lpot_free(entries);
  lpot_free(neighbours);
  return LPOT_OK;
}
