#include "tune/proposer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "strategy/points.h"
#include "tune/proposal.h"

#define PROTOCOL 1

struct lpot_program_proposer {
  lpot_proposer interface;
  const lpot_config *config;
  const lpot_space *space;
  lpot_strategy_options options;
  lpot_point_space points;
  lpot_program_idle idle;
  void *context;
  lpot_program *program; /* NULL: not started yet */
  lpot_json *opening;    /* the first line, until it is sent */
  int64_t *indices;      /* [num_dims], scratch */
  uint16_t *point;       /* [num_dims], scratch */
  int64_t num_answered;
};

/* ---- the first line ---- */

/* The configurations of an op as texts, by their indices. */
static lpot_status put_configs(const lpot_program_proposer *self, size_t op, lpot_json *json,
                               lpot_error *err) {
  size_t count = lpot_point_num_options(&self->points, op);
  char(*texts)[LPOT_CONFIG_TEXT] = lpot_calloc(count, sizeof *texts);
  const char **pointers = lpot_calloc(count, sizeof(char *));
  lpot_status status = LPOT_OK;
  if (texts == NULL || pointers == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count && status == LPOT_OK; i++) {
    lpot_op_config_text(lpot_point_option(&self->points, op, i), texts[i], sizeof texts[i]);
    pointers[i] = texts[i];
  }
  if (status == LPOT_OK) {
    status = lpot_json_set_strings(json, "configs", pointers, count, err);
  }
  lpot_free(pointers);
  lpot_free(texts);
  return status;
}

static lpot_status fill_op(const lpot_program_proposer *self, size_t op, lpot_json *json,
                           lpot_error *err) {
  const lpot_space_op *entry = lpot_space_get(self->space, op);
  LPOT_TRY(lpot_json_set_string(json, "name", entry->name, err));
  LPOT_TRY(lpot_json_set_string(json, "type", entry->type, err));
  LPOT_TRY(put_configs(self, op, json, err));
  return LPOT_OK;
}

static lpot_status append_op(lpot_program_proposer *self, size_t op, lpot_error *err) {
  lpot_json *json = NULL;
  LPOT_TRY(lpot_json_new(&json, err));
  lpot_status status = fill_op(self, op, json, err);
  if (status != LPOT_OK) {
    lpot_json_free(json);
    return status;
  }
  LPOT_TRY(lpot_json_append(self->opening, "ops", &json, err));
  return LPOT_OK;
}

static lpot_status put_sampling_sizes(lpot_program_proposer *self, lpot_error *err) {
  size_t count = lpot_space_num_sampling_sizes(self->space);
  int64_t *sizes = lpot_calloc(count, sizeof *sizes);
  if (sizes == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    sizes[i] = lpot_space_sampling_size(self->space, i);
  }
  lpot_status status = lpot_json_set_ints(self->opening, "sampling_sizes", sizes, count, err);
  lpot_free(sizes);
  return status;
}

static lpot_status put_corrections(lpot_program_proposer *self, lpot_error *err) {
  size_t count = lpot_space_num_corrections(self->space);
  char(*texts)[LPOT_CORRECTIONS_TEXT] = lpot_calloc(count, sizeof *texts);
  const char **pointers = lpot_calloc(count, sizeof(char *));
  lpot_status status = LPOT_OK;
  if (texts == NULL || pointers == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count && status == LPOT_OK; i++) {
    lpot_corrections_text(lpot_space_corrections(self->space, i), texts[i]);
    pointers[i] = texts[i];
  }
  if (status == LPOT_OK) {
    status = lpot_json_set_strings(self->opening, "corrections", pointers, count, err);
  }
  lpot_free(pointers);
  lpot_free(texts);
  return status;
}

static lpot_status make_opening(lpot_program_proposer *self, lpot_error *err) {
  const lpot_strategy_options *options = &self->options;
  LPOT_TRY(lpot_json_new(&self->opening, err));
  lpot_json *json = self->opening;
  LPOT_TRY(lpot_json_set_int(json, "lpot", PROTOCOL, err));
  LPOT_TRY(lpot_json_set_int(json, "seed", (int64_t)options->seed, err));
  LPOT_TRY(lpot_json_set_bool(json, "higher_is_better", options->higher_is_better, err));
  LPOT_TRY(lpot_json_set_double(json, "baseline", options->baseline, err));
  double target = lpot_config_target(self->config, options->higher_is_better, options->baseline);
  LPOT_TRY(lpot_json_set_double(json, "target", target, err));
  LPOT_TRY(lpot_json_set_int(json, "samples", options->samples, err));
  LPOT_TRY(lpot_json_set_int(json, "max_trials", self->config->max_trials, err));
  LPOT_TRY(put_sampling_sizes(self, err));
  LPOT_TRY(put_corrections(self, err));
  LPOT_TRY(lpot_json_set_list(json, "ops", err));
  for (size_t i = 0; i < lpot_space_num_ops(self->space); i++) {
    LPOT_TRY(append_op(self, i, err));
  }
  LPOT_TRY(lpot_json_set_list(json, "trials", err));
  return LPOT_OK;
}

/* ---- results ---- */

static lpot_status put_result(lpot_json *json, const lpot_result *result, lpot_error *err) {
  double accuracy = result->valid ? result->accuracy : (double)NAN;
  double speedup = result->speedup > 0 ? result->speedup : (double)NAN;
  LPOT_TRY(lpot_json_set_bool(json, "valid", result->valid, err));
  LPOT_TRY(lpot_json_set_double(json, "accuracy", accuracy, err));
  LPOT_TRY(lpot_json_set_int(json, "samples", result->samples, err));
  LPOT_TRY(lpot_json_set_bool(json, "meets", result->valid && result->meets, err));
  LPOT_TRY(lpot_json_set_double(json, "speedup", speedup, err));
  return LPOT_OK;
}

/* Indices of the recipe's configurations; one that the space has not is -1. */
static void indices_of(lpot_program_proposer *self, const lpot_recipe *recipe) {
  for (size_t op = 0; op < recipe->num_ops; op++) {
    self->indices[op] = -1;
    for (size_t i = lpot_point_num_options(&self->points, op); i > 0; i--) {
      if (lpot_op_config_equal(lpot_point_option(&self->points, op, i - 1), &recipe->ops[op])) {
        self->indices[op] = (int64_t)i - 1;
      }
    }
  }
}

static int64_t sampling_of(const lpot_program_proposer *self, const lpot_recipe *recipe) {
  int64_t index = 0;
  for (size_t i = 0; i < lpot_space_num_sampling_sizes(self->space); i++) {
    if (lpot_space_sampling_size(self->space, i) == recipe->calibration_samples) {
      index = (int64_t)i;
    }
  }
  return index;
}

static int64_t corrections_of(const lpot_program_proposer *self, const lpot_recipe *recipe) {
  int64_t index = 0;
  for (size_t i = 0; i < lpot_space_num_corrections(self->space); i++) {
    if (lpot_corrections_equal(lpot_space_corrections(self->space, i), &recipe->corrections)) {
      index = (int64_t)i;
    }
  }
  return index;
}

static lpot_status fill_trial(lpot_program_proposer *self, const lpot_recipe *recipe,
                              const lpot_result *result, lpot_json *json, lpot_error *err) {
  indices_of(self, recipe);
  LPOT_TRY(lpot_json_set_ints(json, "recipe", self->indices, recipe->num_ops, err));
  LPOT_TRY(lpot_json_set_int(json, "sampling", sampling_of(self, recipe), err));
  LPOT_TRY(lpot_json_set_int(json, "corrections", corrections_of(self, recipe), err));
  LPOT_TRY(put_result(json, result, err));
  return LPOT_OK;
}

static lpot_status recall(void *context, const lpot_recipe *recipe, const lpot_result *result,
                          lpot_error *err) {
  lpot_program_proposer *self = context;
  lpot_json *json = NULL;
  LPOT_TRY(lpot_json_new(&json, err));
  lpot_status status = fill_trial(self, recipe, result, json, err);
  if (status != LPOT_OK) {
    lpot_json_free(json);
    return status;
  }
  LPOT_TRY(lpot_json_append(self->opening, "trials", &json, err));
  return LPOT_OK;
}

/* ---- talking ---- */

static lpot_status send_object(lpot_program_proposer *self, const lpot_json *json,
                               lpot_error *err) {
  char *text = NULL;
  LPOT_TRY(lpot_json_text(json, &text, err));
  lpot_status status = lpot_program_send(self->program, text, err);
  lpot_free(text);
  return status;
}

static lpot_status start(lpot_program_proposer *self, lpot_error *err) {
  const lpot_config *config = self->config;
  LPOT_TRY(lpot_program_start(config->command, config->num_command, config->proposal_seconds,
                              self->idle, self->context, &self->program, err));
  LPOT_TRY(send_object(self, self->opening, err));
  lpot_json_free(self->opening);
  self->opening = NULL;
  return LPOT_OK;
}

static lpot_status check_index(const char *key, int64_t index, size_t count, lpot_error *err) {
  if (index < 0 || index >= (int64_t)count) {
    return LPOT_FAIL(err, LPOT_FORMAT, "key '%s': expected 0 to %zu, got %" PRId64, key, count - 1,
                     index);
  }
  return LPOT_OK;
}

/* The recipe of self's indices. */
static lpot_status make_recipe(lpot_program_proposer *self, const lpot_proposal *proposal,
                               lpot_recipe **ret_recipe, lpot_error *err) {
  size_t num_ops = lpot_space_num_ops(self->space);
  size_t num_sizes = lpot_space_num_sampling_sizes(self->space);
  size_t num_corrections = lpot_space_num_corrections(self->space);
  LPOT_TRY(check_index("sampling", proposal->sampling, num_sizes, err));
  LPOT_TRY(check_index("corrections", proposal->corrections, num_corrections, err));
  for (size_t i = 0; i < num_ops; i++) {
    int64_t count = (int64_t)lpot_point_num_options(&self->points, i);
    if (self->indices[i] < 0 || self->indices[i] >= count) {
      return LPOT_FAIL(err, LPOT_FORMAT,
                       "key 'recipe': op '%s' has the configurations 0 to %" PRId64
                       ", got %" PRId64,
                       lpot_space_get(self->space, i)->name, count - 1, self->indices[i]);
    }
    self->point[i] = (uint16_t)self->indices[i];
  }
  self->point[num_ops] =
      (uint16_t)(proposal->sampling * (int64_t)num_corrections + proposal->corrections);
  LPOT_TRY(lpot_point_recipe(&self->points, self->point, ret_recipe, err));
  return LPOT_OK;
}

/* *ret_recipe stays NULL for a stop. */
static lpot_status read_line(lpot_program_proposer *self, const char *text, size_t size,
                             lpot_recipe **ret_recipe, lpot_error *err) {
  lpot_proposal proposal;
  size_t num_ops = lpot_space_num_ops(self->space);
  LPOT_TRY(lpot_proposal_read(text, size, num_ops, self->indices, &proposal, err));
  if (!proposal.stop) {
    LPOT_TRY(make_recipe(self, &proposal, ret_recipe, err));
  }
  return LPOT_OK;
}

static lpot_status receive(lpot_program_proposer *self, lpot_recipe **ret_recipe, lpot_error *err) {
  char *line = NULL;
  LPOT_TRY(lpot_program_receive(self->program, &line, err));
  if (line == NULL) {
    *ret_recipe = NULL;
    return LPOT_OK;
  }
  lpot_status status = read_line(self, line, strlen(line), ret_recipe, err);
  if (status != LPOT_OK) {
    char shown[64];
    lpot_text_printable(line, shown, sizeof shown - 3);
    lpot_error_prefix(err, "line '%s%s'", shown, strlen(line) > strlen(shown) ? "..." : "");
    status = status == LPOT_FORMAT &&err != NULL ? err->status = LPOT_IO : status;
  }
  lpot_free(line);
  return status;
}

static lpot_status propose_next(lpot_program_proposer *self, lpot_recipe **ret_recipe,
                                lpot_error *err) {
  if (self->program == NULL) {
    LPOT_TRY(start(self, err));
  }
  LPOT_TRY(receive(self, ret_recipe, err));
  return LPOT_OK;
}

static lpot_status blame(const lpot_program_proposer *self, lpot_status status, lpot_error *err) {
  if (status == LPOT_IO || status == LPOT_CONFIG) {
    lpot_error_prefix(err, "tuning.strategy.command '%s'", self->config->command[0]);
  }
  return status;
}

static lpot_status propose(void *context, lpot_recipe **ret_recipe, lpot_error *err) {
  lpot_program_proposer *self = context;
  lpot_recipe *recipe = NULL;
  lpot_status status = propose_next(self, &recipe, err);
  if (status != LPOT_OK) {
    return blame(self, status, err);
  }
  *ret_recipe = recipe;
  return LPOT_OK;
}

static lpot_status send_answer(lpot_program_proposer *self, const lpot_result *result,
                               lpot_json *json, lpot_error *err) {
  LPOT_TRY(lpot_json_set_int(json, "id", self->num_answered + 1, err));
  LPOT_TRY(put_result(json, result, err));
  LPOT_TRY(send_object(self, json, err));
  self->num_answered++;
  return LPOT_OK;
}

static lpot_status answer(void *context, const lpot_result *result, lpot_error *err) {
  lpot_program_proposer *self = context;
  lpot_json *json = NULL;
  LPOT_TRY(lpot_json_new(&json, err));
  lpot_status status = send_answer(self, result, json, err);
  lpot_json_free(json);
  return status == LPOT_OK ? status : blame(self, status, err);
}

/* What cannot be read is told when it is its turn. */
static lpot_status peek(void *context, size_t capacity, lpot_recipe **out, size_t *ret_count,
                        lpot_error *err) {
  (void)err;
  lpot_program_proposer *self = context;
  size_t count = 0;
  while (count < capacity && self->program != NULL) {
    size_t size = 0;
    lpot_recipe *recipe = NULL;
    const char *text = lpot_program_peek(self->program, count, &size);
    if (text == NULL || read_line(self, text, size, &recipe, NULL) != LPOT_OK || recipe == NULL) {
      break;
    }
    out[count++] = recipe;
  }
  *ret_count = count;
  return LPOT_OK;
}

/* ---- life ---- */

lpot_status lpot_program_proposer_new(const lpot_config *config, const lpot_space *space,
                                      const lpot_strategy_options *options, lpot_program_idle idle,
                                      void *context, lpot_program_proposer **ret_proposer,
                                      lpot_error *err) {
  lpot_program_proposer *self = lpot_calloc(1, sizeof *self);
  if (self == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  self->interface = (lpot_proposer){
      .context = self, .propose = propose, .answer = answer, .recall = recall, .peek = peek};
  self->config = config;
  self->space = space;
  self->options = *options;
  self->points = lpot_point_space_of(space, true);
  self->idle = idle;
  self->context = context;
  self->indices = lpot_calloc(self->points.num_dims, sizeof *self->indices);
  self->point = lpot_calloc(self->points.num_dims, sizeof *self->point);
  lpot_status status = LPOT_OK;
  if (self->indices == NULL || self->point == NULL) {
    status = LPOT_OUT_OF_MEMORY(err);
  } else {
    status = make_opening(self, err);
  }
  if (status != LPOT_OK) {
    lpot_program_proposer_free(self);
    return status;
  }
  *ret_proposer = self;
  return LPOT_OK;
}

void lpot_program_proposer_free(lpot_program_proposer *proposer) {
  if (proposer == NULL) {
    return;
  }
  lpot_program_stop(proposer->program);
  lpot_json_free(proposer->opening);
  lpot_free(proposer->indices);
  lpot_free(proposer->point);
  lpot_free(proposer);
}

const lpot_proposer *lpot_program_proposer_interface(const lpot_program_proposer *proposer) {
  return &proposer->interface;
}
