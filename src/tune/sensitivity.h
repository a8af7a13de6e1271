/* How much the ops change the network's outputs, from what a strategy has sensed (sense.h). Pure.
 *
 * Two kinds of recipes tell of a single op: those that have it alone in int8 or bf16, and those in
 * which it alone falls back from a uniform trial, the base. Other recipes that were sensed (later
 * rounds of a strategy) tell of several ops at once and are left out. The base is the uniform trial
 * from which most of them fall back, of equals the first. */
#ifndef LPOT_TUNE_SENSITIVITY_H
#define LPOT_TUNE_SENSITIVITY_H

#include "tune/ledger.h"

/* Relative squared errors of the outputs against f32's; NaN: not known. */
typedef struct lpot_sensitivity {
  double alone;   /* with this op alone in int8 or bf16 */
  double without; /* of the base, with this op alone fallen back */
} lpot_sensitivity;

typedef struct lpot_sensitivities {
  size_t num_ops;
  lpot_sensitivity *ops; /* [num_ops] of the header; owned */
  size_t num_alone;      /* ops of which that is known */
  size_t num_without;
  uint64_t base_trial; /* LPOT_NO_TRIAL: none */
  double base_error;   /* of the base itself; NaN: not sensed */
} lpot_sensitivities;

/* *ret is the caller's, to be released by lpot_sensitivities_done. */
LPOT_MUST_CHECK lpot_status lpot_sensitivities_of(const lpot_ledger *ledger,
                                                  lpot_sensitivities *ret, lpot_error *err);
void lpot_sensitivities_done(lpot_sensitivities *self);

#endif
