/* Places buffers with known lifetimes into one arena so that those alive at the same time do not
 * overlap: greedy by size, each at the lowest offset that fits (Pisarchyk and Lee, "Efficient
 * memory management for deep neural net inference", 2020). */
#ifndef LPOT_ENGINE_MEMORY_PLANNER_H
#define LPOT_ENGINE_MEMORY_PLANNER_H

#include <stddef.h>

#include "base/error.h"

typedef struct lpot_planned_buffer {
  size_t size_bytes;
  int first_step; /* first step that writes it */
  int last_step;  /* last step that reads it, >= first_step */
  size_t offset;  /* result: bytes from the arena's start, a multiple of 64 */
} lpot_planned_buffer;

/* Fills the offsets; *ret_arena_bytes is the arena's size. Deterministic. */
LPOT_MUST_CHECK lpot_status lpot_memory_plan(lpot_planned_buffer *buffers, size_t count,
                                             size_t *ret_arena_bytes, lpot_error *err);

#endif
