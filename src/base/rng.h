/* Seeded pseudo-random numbers: xoshiro256** (Blackman and Vigna, 2018) seeded by splitmix64.
 * The same seed gives the same numbers on every machine. */
#ifndef LPOT_BASE_RNG_H
#define LPOT_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct lpot_rng {
  uint64_t state[4];
} lpot_rng;

void lpot_rng_init(lpot_rng *rng, uint64_t seed);
uint64_t lpot_rng_next(lpot_rng *rng);
/* Uniform in [0, bound), without bias; bound > 0. */
uint64_t lpot_rng_below(lpot_rng *rng, uint64_t bound);
double lpot_rng_uniform(lpot_rng *rng); /* [0, 1), 53 bits */
double lpot_rng_normal(lpot_rng *rng);  /* mean 0, variance 1 */
/* Fills order with a random permutation of 0 .. count-1 (Fisher-Yates). */
void lpot_rng_permutation(lpot_rng *rng, size_t count, uint64_t *order);

#endif
