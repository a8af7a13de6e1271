#include <math.h>
#include <string.h>

#include "engine/onednn/loops.h"
#include "engine/onednn/simd_clones.h"

#define BLOCK 1024 /* elements of a sum that are f32 at a time: they stay in the first cache */

LPOT_SIMD_CLONES
void lpot_loop_to_bf16(const float *values, int64_t count, uint16_t *out) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = 0;
    memcpy(&bits, &values[i], sizeof bits);
    uint32_t rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
    uint32_t kept = (bits & 0x7FFFFFFFU) > 0x7F800000U ? bits | 0x400000U : rounded;
    out[i] = (uint16_t)(kept >> 16);
  }
}

LPOT_SIMD_CLONES
void lpot_loop_from_bf16(const uint16_t *values, int64_t count, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = (uint32_t)values[i] << 16;
    memcpy(&out[i], &bits, sizeof bits);
  }
}

LPOT_SIMD_CLONES
static void add(const float *a, const float *b, int64_t count, float floor, float *out) {
  for (int64_t i = 0; i < count; ++i) {
    float sum = a[i] + b[i];
    out[i] = sum < floor ? floor : sum;
  }
}

static const float *as_f32(const void *values, bool is_bf16, int64_t start, int64_t count,
                           float *room) {
  if (!is_bf16) {
    return (const float *)values + start;
  }
  lpot_loop_from_bf16((const uint16_t *)values + start, count, room);
  return room;
}

void lpot_loop_bf16_sum_run(const lpot_loop_bf16_sum *sum, const void *a, const void *b,
                            int64_t count, void *out) {
  float rooms[3][BLOCK];
  float floor = sum->relu ? 0.0f : -INFINITY;
  for (int64_t start = 0; start < count; start += BLOCK) {
    int64_t length = count - start < BLOCK ? count - start : BLOCK;
    float *result = sum->out_is_bf16 ? rooms[2] : (float *)out + start;
    add(as_f32(a, sum->a_is_bf16, start, length, rooms[0]),
        as_f32(b, sum->b_is_bf16, start, length, rooms[1]), length, floor, result);
    if (sum->out_is_bf16) {
      lpot_loop_to_bf16(result, length, (uint16_t *)out + start);
    }
  }
}
