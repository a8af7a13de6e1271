#include "base/rng.h"

#include <math.h>

#include "base/error.h"

static uint64_t splitmix64(uint64_t *state) {
  *state += UINT64_C(0x9E3779B97F4A7C15);
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t value, int bits) {
  return value << bits | value >> (64 - bits);
}

void lpot_rng_init(lpot_rng *rng, uint64_t seed) {
  for (int i = 0; i < 4; i++) {
    rng->state[i] = splitmix64(&seed);
  }
}

uint64_t lpot_rng_next(lpot_rng *rng) {
  uint64_t *state = rng->state;
  uint64_t result = rotate_left(state[1] * 5, 7) * 9;
  uint64_t shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = rotate_left(state[3], 45);
  return result;
}

uint64_t lpot_rng_below(lpot_rng *rng, uint64_t bound) {
  LPOT_ASSERT(bound > 0);
  /* The lowest 2^64 mod bound numbers are refused, so that every rest is equally likely. */
  uint64_t refused = (UINT64_MAX - bound + 1) % bound;
  uint64_t value = lpot_rng_next(rng);
  while (value < refused) {
    value = lpot_rng_next(rng);
  }
  return value % bound;
}

double lpot_rng_uniform(lpot_rng *rng) {
  return (double)(lpot_rng_next(rng) >> 11) * 0x1p-53;
}

/* The natural logarithm of x in (0, 1] by additions, multiplications and divisions only: the
 * library's may differ in the last bit between machines, and the promise is equal numbers. */
static double portable_log(double x) {
  int exponent = 0;
  double mantissa = frexp(x, &exponent);
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    exponent--;
  }
  /* log(m) = 2 artanh(s), where |s| < 0.172. */
  double s = (mantissa - 1) / (mantissa + 1);
  double square = s * s;
  double sum = 0;
  for (int power = 23; power >= 1; power -= 2) {
    sum = sum * square + 1.0 / power;
  }
  return 2 * s * sum + exponent * 0.69314718055994531;
}

/* Marsaglia's polar method. The second number of each pair is dropped: no hidden state. */
double lpot_rng_normal(lpot_rng *rng) {
  double x = 0;
  double radius = 0;
  while (radius >= 1 || radius == 0) {
    x = 2 * lpot_rng_uniform(rng) - 1;
    double y = 2 * lpot_rng_uniform(rng) - 1;
    radius = x * x + y * y;
  }
  return x * sqrt(-2 * portable_log(radius) / radius);
}

void lpot_rng_permutation(lpot_rng *rng, size_t count, uint64_t *order) {
  for (size_t i = 0; i < count; i++) {
    order[i] = i;
  }
  for (size_t i = count; i > 1; i--) {
    size_t other = (size_t)lpot_rng_below(rng, i);
    uint64_t swapped = order[i - 1];
    order[i - 1] = order[other];
    order[other] = swapped;
  }
}
