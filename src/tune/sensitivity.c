#include "tune/sensitivity.h"

#include <math.h>

#include "base/memory.h"

static bool is_float(const lpot_op_config *config) {
  return !lpot_op_config_is_quantized(config) && !lpot_op_config_is_bf16(config);
}

/* The op that is not F32 where there is exactly one; else SIZE_MAX. */
static size_t only_op(const lpot_recipe *recipe) {
  size_t found = SIZE_MAX;
  for (size_t i = 0; i < recipe->num_ops; i++) {
    if (is_float(&recipe->ops[i])) {
      continue;
    }
    if (found != SIZE_MAX) {
      return SIZE_MAX;
    }
    found = i;
  }
  return found;
}

/* The op that base has in int8 or bf16 and recipe in F32 where they differ in nothing else; else
 * SIZE_MAX. */
static size_t fallen_op(const lpot_recipe *base, const lpot_recipe *recipe) {
  size_t found = SIZE_MAX;
  if (base->calibration_samples != recipe->calibration_samples) {
    return SIZE_MAX;
  }
  for (size_t i = 0; i < recipe->num_ops; i++) {
    if (lpot_op_config_equal(&base->ops[i], &recipe->ops[i])) {
      continue;
    }
    if (found != SIZE_MAX || is_float(&base->ops[i]) || !is_float(&recipe->ops[i])) {
      return SIZE_MAX;
    }
    found = i;
  }
  return found;
}

static size_t count_fallen(const lpot_ledger *ledger, const lpot_recipe *base) {
  size_t count = 0;
  for (size_t i = 0; i < ledger->num_senses; i++) {
    const lpot_ledger_sense *sense = &ledger->senses[i];
    count += sense->valid && fallen_op(base, sense->recipe) != SIZE_MAX ? 1 : 0;
  }
  return count;
}

static const lpot_ledger_trial *find_base(const lpot_ledger *ledger) {
  const lpot_ledger_trial *base = NULL;
  size_t most = 0;
  for (size_t i = 0; i < ledger->num_trials && ledger->num_senses > 0; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    if (trial->stage != LPOT_STAGE_UNIFORM) {
      continue;
    }
    size_t count = count_fallen(ledger, lpot_ledger_result_of(ledger, trial)->recipe);
    if (count > most) {
      most = count;
      base = trial;
    }
  }
  return base;
}

static void note(double *value, size_t *count, double error) {
  *count += isnan(*value) ? 1 : 0;
  *value = error;
}

static void fill(const lpot_ledger *ledger, lpot_sensitivities *self) {
  const lpot_ledger_trial *trial = find_base(ledger);
  const lpot_recipe *base = trial == NULL ? NULL : lpot_ledger_result_of(ledger, trial)->recipe;
  if (base != NULL) {
    size_t index = lpot_ledger_find_sense(ledger, lpot_recipe_hash(base));
    self->base_trial = trial->id;
    self->base_error = index == SIZE_MAX ? (double)NAN : ledger->senses[index].error;
  }
  for (size_t i = 0; i < ledger->num_senses; i++) {
    const lpot_ledger_sense *sense = &ledger->senses[i];
    if (!sense->valid) {
      continue;
    }
    size_t alone = only_op(sense->recipe);
    size_t fallen = base == NULL ? SIZE_MAX : fallen_op(base, sense->recipe);
    if (alone != SIZE_MAX) {
      note(&self->ops[alone].alone, &self->num_alone, sense->error);
    }
    if (fallen != SIZE_MAX) {
      note(&self->ops[fallen].without, &self->num_without, sense->error);
    }
  }
}

lpot_status lpot_sensitivities_of(const lpot_ledger *ledger, lpot_sensitivities *ret,
                                  lpot_error *err) {
  *ret = (lpot_sensitivities){.num_ops = ledger->header.num_ops, .base_error = (double)NAN};
  ret->ops = lpot_calloc(ret->num_ops, sizeof *ret->ops);
  if (ret->ops == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < ret->num_ops; i++) {
    ret->ops[i] = (lpot_sensitivity){.alone = (double)NAN, .without = (double)NAN};
  }
  fill(ledger, ret);
  return LPOT_OK;
}

void lpot_sensitivities_done(lpot_sensitivities *self) {
  lpot_free(self->ops);
  *self = (lpot_sensitivities){0};
}
