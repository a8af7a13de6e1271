/* Rounding to the nearest integer, ties to even, in code that becomes vector code on every machine
 * (rintf does not). For values below 2^22: the sum with 1.5 * 2^23 has the integer in its low bits,
 * in two's complement. */
#ifndef LPOT_ENGINE_ROUNDING_H
#define LPOT_ENGINE_ROUNDING_H

#include <stdint.h>
#include <string.h>

#define LPOT_ROUND_MAGIC 12582912.0f

static inline float lpot_round_half_even(float value) {
  return (value + LPOT_ROUND_MAGIC) - LPOT_ROUND_MAGIC;
}

/* The low 22 bits of the result are those of the integer. */
static inline uint32_t lpot_rounded_bits(float value) {
  float sum = value + LPOT_ROUND_MAGIC;
  uint32_t bits;
  memcpy(&bits, &sum, sizeof bits);
  return bits;
}

#endif
