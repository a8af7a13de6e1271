/* Racing: stopping the evaluation of a recipe as soon as it is clear that it will miss the
 * accuracy criterion. Pure: no files, no MPI, no clock, and only IEEE additions, multiplications
 * and divisions, so that every rank comes to the same answer.
 *
 * Both models have seen the same samples in the same random order. With x = 1 where f32 is right
 * and the recipe is wrong, -1 where it is the other way round and 0 elsewhere, the recipe meets the
 * criterion exactly when the sum of x over the whole set is at most `allowed` = right answers of
 * f32 - right answers that the criterion needs. That is tested by betting against it (Waudby-Smith
 * and Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020, and
 * "Estimating means of bounded random variables by betting", JRSSB 2024): if the hypothesis is
 * true, the mean of the samples that are still to come is at most m = (allowed - sum so far) /
 * (samples left), so a capital that is multiplied by 1 + bet (x - m) for each sample is a
 * non-negative supermartingale, and by Ville's inequality it ever reaches 1 / rate with a
 * probability of at most rate. This holds for every set, at every moment and for any number of
 * looks, without any law of large numbers. The capital is spread over bets of several sizes.
 *
 * Beside that there is exact curtailment: right answers so far + samples left < needed. */
#ifndef LPOT_TUNE_RACE_H
#define LPOT_TUNE_RACE_H

#include <stdbool.h>
#include <stdint.h>

#define LPOT_RACE_NUM_BETS 7
/* At most this share of the recipes that would meet the criterion are rejected. */
#define LPOT_RACE_ERROR_RATE 0.001

/* What a race is about: fixed for all recipes of a job. */
typedef struct lpot_race_terms {
  int64_t samples;          /* of the whole evaluation set */
  int64_t baseline_correct; /* of them that f32 gets right */
  int64_t needed;           /* right answers with which the criterion is met; samples + 1: never */
} lpot_race_terms;

typedef struct lpot_race {
  int64_t samples; /* seen so far */
  int64_t correct; /* of them that the recipe gets right */
  int64_t lost;    /* of them that f32 gets right and the recipe wrong */
  int64_t gained;  /* and the other way round */
  double capital[LPOT_RACE_NUM_BETS];
  bool rejected; /* the capital has once reached 1 / LPOT_RACE_ERROR_RATE */
} lpot_race;

typedef struct lpot_interval {
  double low, high;
} lpot_interval;

void lpot_race_init(lpot_race *race);
/* Adds count samples: bits [first, first + count) of both arrays. */
void lpot_race_add(lpot_race *race, const lpot_race_terms *terms, const uint8_t *baseline,
                   const uint8_t *correct, int64_t first, int64_t count);
/* True when the recipe is rejected, by the test or because it cannot reach the needed number. */
bool lpot_race_is_lost(const lpot_race *race, const lpot_race_terms *terms);

/* The estimate of the right answers' share on the whole set: f32's share less the mean loss seen.
 */
double lpot_race_estimate(const lpot_race *race, const lpot_race_terms *terms);
/* Its 95 % interval from the first `samples` bits of both arrays, by the same bets, and never wider
 * than what the samples left make possible. */
lpot_interval lpot_race_interval(const lpot_race_terms *terms, const uint8_t *baseline,
                                 const uint8_t *correct, int64_t samples);

#endif
