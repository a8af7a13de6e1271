/* The hold-out: a part of the evaluation set that the search never sees, so that what was chosen
 * can be judged on samples that did not choose it (tuning.holdout). Pure.
 *
 * The evaluation order is a permutation by seed. Its first batches are searched with, its last ones
 * are held out: by the configuration and the model's batch size alone. */
#ifndef LPOT_TUNE_HOLDOUT_H
#define LPOT_TUNE_HOLDOUT_H

#include "tune/evaluation.h"

typedef struct lpot_holdout_cut {
  int64_t num_samples; /* of the evaluation order, >= 1 */
  int64_t batch;       /* samples in a batch */
  int64_t block_batches;
  double part; /* that is held out, in (0, 1); 0: nothing is */
} lpot_holdout_cut;

/* Cuts the order at the border between batches that is next to the part asked for. False where
 * either part has no batch or fewer than two samples; both are set also then. */
bool lpot_holdout_divide(const lpot_holdout_cut *cut, lpot_blocks *ret_search,
                         lpot_blocks *ret_held_out);

/* What f32 and a recipe get right of the same samples. */
typedef struct lpot_paired_loss {
  uint64_t samples;
  uint64_t lost;    /* right in f32, wrong in the recipe */
  uint64_t gained;  /* the other way round */
  double loss;      /* (lost - gained) / samples: share of right samples that quantization costs */
  double low, high; /* 95 % interval of the loss on further samples of the same kind: the adjusted
                       Wald interval of Agresti and Min, "Simple improved confidence intervals for
                       comparing matched proportions", Statistics in Medicine 24, 2005 */
} lpot_paired_loss;

/* False, and *ret untouched, where there are no bits. */
bool lpot_paired_compare(const uint8_t *f32, const uint8_t *recipe, size_t num_bits,
                         lpot_paired_loss *ret);

#endif
