#include "tensor/exact_sum.h"

#include <math.h>
#include <string.h>

#define SMALLEST_EXPONENT (-149)
#define MANTISSA_BITS 23
#define EXPONENT_MASK 0xFFu
#define WORD_BITS 64

/* Adds value to the integer that starts at words[index]. */
static void add_at(uint64_t *words, int index, uint64_t value) {
  for (; value != 0 && index < LPOT_EXACT_SUM_WORDS; index++) {
    words[index] += value;
    value = words[index] < value ? 1 : 0; /* the carry */
  }
}

void lpot_exact_sum_add(lpot_exact_sum *sum, float value) {
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  uint32_t exponent = (bits >> MANTISSA_BITS) & EXPONENT_MASK;
  uint64_t mantissa = bits & ((1u << MANTISSA_BITS) - 1);
  if (exponent > 0) { /* a normal number has a hidden bit */
    mantissa |= 1u << MANTISSA_BITS;
    exponent--;
  }
  uint64_t *words = sum->words[bits >> 31];
  int index = (int)exponent / WORD_BITS;
  int shift = (int)exponent % WORD_BITS;
  add_at(words, index, mantissa << shift);
  if (shift > WORD_BITS - MANTISSA_BITS - 1) {
    add_at(words, index + 1, mantissa >> (WORD_BITS - shift));
  }
}

void lpot_exact_sum_merge(lpot_exact_sum *into, const lpot_exact_sum *from) {
  for (int side = 0; side < 2; side++) {
    for (int i = 0; i < LPOT_EXACT_SUM_WORDS; i++) {
      add_at(into->words[side], i, from->words[side][i]);
    }
  }
}

double lpot_exact_sum_value(const lpot_exact_sum *sum) {
  double sides[2] = {0, 0};
  for (int side = 0; side < 2; side++) {
    for (int i = LPOT_EXACT_SUM_WORDS; i > 0; i--) {
      sides[side] +=
          ldexp((double)sum->words[side][i - 1], SMALLEST_EXPONENT + WORD_BITS * (i - 1));
    }
  }
  return sides[0] - sides[1];
}
