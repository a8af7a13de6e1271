/* Sums of f32 values without rounding: the same bits for any order and any partition of the values.
 *
 * Positive and negative values are summed apart, each as one integer of LPOT_EXACT_SUM_WORDS words
 * in units of the smallest f32, 2^-149. So many words hold 2^42 values of the largest magnitude. */
#ifndef LPOT_TENSOR_EXACT_SUM_H
#define LPOT_TENSOR_EXACT_SUM_H

#include <stdint.h>

#define LPOT_EXACT_SUM_WORDS 5

typedef struct lpot_exact_sum {
  uint64_t words[2][LPOT_EXACT_SUM_WORDS]; /* of the positive, of the negative values; the lowest
                                              word first; all 0 at the start */
} lpot_exact_sum;

/* value must be finite. */
void lpot_exact_sum_add(lpot_exact_sum *sum, float value);
void lpot_exact_sum_merge(lpot_exact_sum *into, const lpot_exact_sum *from);
/* Rounded: within a few units in the last place of each side's sum. */
double lpot_exact_sum_value(const lpot_exact_sum *sum);

#endif
