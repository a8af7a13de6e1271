/* Fuzz target: bytes as all that a user's program writes for the strategy external. The program is
 * cat, which writes them from a file; every recipe that is taken from it must be one of the
 * space. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "strategy/space_build.h"
#include "tune/proposer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_PROPOSALS 4

static const char *const names[] = {"conv1", "add"};
static const char *const types[] = {"Conv", "Add"};

/* ---- the file ---- */

static char path[] = "/tmp/fuzz_program_XXXXXX";

static void remove_file(void) {
  (void)remove(path);
}

static void write_file(const uint8_t *data, size_t size) {
  static int file = -1;
  if (file < 0) {
    file = mkstemp(path);
    LPOT_ASSERT(file >= 0);
    (void)atexit(remove_file);
  }
  int cut = ftruncate(file, 0);
  ssize_t written = size == 0 ? 0 : pwrite(file, data, size, 0);
  LPOT_ASSERT(cut == 0 && written == (ssize_t)size);
}

/* ---- what proposes, and for what ---- */

static lpot_config *make_config(lpot_error *err) {
  char text[256];
  lpot_yaml *yaml = NULL;
  lpot_config *config = NULL;
  int length =
      snprintf(text, sizeof text,
               "model: {name: net, framework: onnxrt_qdqops}\n"
               "evaluation: {accuracy: {metric: {topk: 1}, dataloader: {dataset: {CIFAR10: "
               "{root: .}}}}}\n"
               "tuning: {strategy: {name: external, command: [cat, %s]}}\n",
               path);
  lpot_status status = lpot_yaml_parse("conf.yaml", text, (size_t)length, &yaml, err);
  LPOT_ASSERT(status == LPOT_OK);
  status = lpot_config_new(&yaml, &config, NULL, err);
  LPOT_ASSERT(status == LPOT_OK);
  return config;
}

/* Two ops of two configurations each, two sampling sizes, two corrections. */
static lpot_space *make_space(lpot_error *err) {
  static const int64_t sampling_sizes[] = {10, 100};
  const lpot_tensor_choices activation = {.dtype = {2, {LPOT_U8, LPOT_F32}},
                                          .scheme = {1, {LPOT_SCHEME_ASYM}},
                                          .granularity = {1, {LPOT_PER_TENSOR}},
                                          .algorithm = {1, {LPOT_MINMAX}}};
  const lpot_tensor_choices weight = {.dtype = {2, {LPOT_S8, LPOT_F32}},
                                      .scheme = {1, {LPOT_SCHEME_SYM}},
                                      .granularity = {1, {LPOT_PER_CHANNEL}},
                                      .algorithm = {1, {LPOT_MINMAX}}};
  const lpot_op_choices capabilities[] = {{.activation = activation, .weight = weight},
                                          {.activation = activation}};
  const lpot_space_ops ops = {
      .count = 2, .names = names, .types = types, .capabilities = capabilities};
  const lpot_wishes wishes = {.num_sampling_sizes = 2,
                              .sampling_sizes = sampling_sizes,
                              .corrections = {[LPOT_BIAS_CORRECTION] = {2, {0, 1}}},
                              .first_conv_or_matmul_quantization = true};
  lpot_space *space = NULL;
  lpot_status status = lpot_space_new_from_ops(&ops, &wishes, &space, err);
  LPOT_ASSERT(status == LPOT_OK);
  return space;
}

/* ---- talking ---- */

static void check_recipe(const lpot_recipe *recipe) {
  LPOT_ASSERT(recipe->num_ops == 2);
  LPOT_ASSERT(recipe->calibration_samples == 10 || recipe->calibration_samples == 100);
  for (size_t i = 0; i < recipe->num_ops; i++) {
    LPOT_ASSERT(lpot_op_config_problem_for(types[i], false, &recipe->ops[i]) == NULL);
  }
}

static lpot_status look_ahead(const lpot_proposer *proposer, lpot_error *err) {
  lpot_recipe *recipes[2] = {NULL, NULL};
  size_t count = 0;
  LPOT_TRY(proposer->peek(proposer->context, 2, recipes, &count, err));
  for (size_t i = 0; i < count; i++) {
    check_recipe(recipes[i]);
    lpot_recipe_free(recipes[i]);
  }
  return LPOT_OK;
}

static lpot_status take_proposals(const lpot_proposer *proposer, lpot_error *err) {
  const lpot_result result = {.valid = true, .accuracy = 0.5, .samples = 10};
  for (int i = 0; i < MAX_PROPOSALS; i++) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(proposer->propose(proposer->context, &recipe, err));
    if (recipe == NULL) {
      break;
    }
    check_recipe(recipe);
    lpot_recipe_free(recipe);
    LPOT_TRY(look_ahead(proposer, err));
    LPOT_TRY(proposer->answer(proposer->context, &result, err));
  }
  return LPOT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const lpot_strategy_options options = {.baseline = 0.5, .samples = 10};
  lpot_error error = {0};
  lpot_program_proposer *proposer = NULL;
  write_file(data, size);
  lpot_config *config = make_config(&error);
  lpot_space *space = make_space(&error);
  lpot_status status =
      lpot_program_proposer_new(config, space, &options, NULL, NULL, &proposer, &error);
  LPOT_ASSERT(status == LPOT_OK);
  status = take_proposals(lpot_program_proposer_interface(proposer), &error);
  LPOT_ASSERT(status == LPOT_OK || (status == LPOT_IO && error.message[0] != '\0'));
  lpot_program_proposer_free(proposer);
  lpot_space_free(space);
  lpot_config_free(config);
  return 0;
}
