/* Small spaces made by hand, and recipes as short texts, for the tests of this floor. */
#ifndef LPOT_TESTS_STRATEGY_SPACE_FIXTURE_H
#define LPOT_TESTS_STRATEGY_SPACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "strategy/space_build.h"
#include "strategy/strategy.h"

#define MAX_FIXTURE_OPS 8

typedef struct fixture {
  size_t count;
  const char *names[MAX_FIXTURE_OPS];
  const char *types[MAX_FIXTURE_OPS];
  lpot_op_choices capabilities[MAX_FIXTURE_OPS];
  int64_t sampling_sizes[4];
  lpot_wishes wishes; /* one sampling size of 100 until changed */
} fixture;

/* What the engine can do; weights only where the type has one. */
static inline lpot_op_choices full_capability(bool weight) {
  lpot_op_choices choices = {
      .activation = {.dtype = {3, {LPOT_U8, LPOT_S8, LPOT_F32}},
                     .scheme = {2, {LPOT_SCHEME_ASYM, LPOT_SCHEME_SYM}},
                     .granularity = {1, {LPOT_PER_TENSOR}},
                     .algorithm = {4, {LPOT_MINMAX, LPOT_KL, LPOT_PERCENTILE, LPOT_MSE}}}};
  if (weight) {
    choices.weight = (lpot_tensor_choices){.dtype = {2, {LPOT_S8, LPOT_F32}},
                                           .scheme = {1, {LPOT_SCHEME_SYM}},
                                           .granularity = {2, {LPOT_PER_CHANNEL, LPOT_PER_TENSOR}},
                                           .algorithm = {1, {LPOT_MINMAX}}};
  }
  return choices;
}

/* u8 asym minmax beside F32, per-channel weights: two configurations. */
static inline lpot_op_choices small_capability(bool weight) {
  lpot_op_choices choices = full_capability(weight);
  choices.activation.dtype = (lpot_choices){2, {LPOT_U8, LPOT_F32}};
  choices.activation.scheme.count = 1;
  choices.activation.algorithm.count = 1;
  if (weight) {
    choices.weight.granularity.count = 1;
  }
  return choices;
}

/* The same with bf16. */
static inline lpot_op_choices bf16_capability(bool weight) {
  lpot_op_choices choices = small_capability(weight);
  choices.activation.dtype = (lpot_choices){3, {LPOT_U8, LPOT_BF16, LPOT_F32}};
  if (weight) {
    choices.weight.dtype = (lpot_choices){3, {LPOT_S8, LPOT_BF16, LPOT_F32}};
  }
  return choices;
}

static inline fixture fixture_new(void) {
  return (fixture){.sampling_sizes = {100},
                   .wishes = {.num_sampling_sizes = 1,
                              .scale_propagation_concat = true,
                              .first_conv_or_matmul_quantization = true}};
}

/* Bias correction off and on, cross-layer equalization on and off. */
static inline void fixture_add_corrections(fixture *ops) {
  ops->wishes.corrections[LPOT_BIAS_CORRECTION] = (lpot_choices){2, {0, 1}};
  ops->wishes.corrections[LPOT_CROSS_LAYER_EQUALIZATION] = (lpot_choices){2, {1, 0}};
}

static inline void fixture_add(fixture *ops, const char *name, const char *type,
                               lpot_op_choices capability) {
  ops->names[ops->count] = name;
  ops->types[ops->count] = type;
  ops->capabilities[ops->count] = capability;
  ops->count++;
}

static inline lpot_status fixture_try_space(fixture *ops, lpot_space **ret_space, lpot_error *err) {
  const lpot_space_ops plain = {.count = ops->count,
                                .names = ops->names,
                                .types = ops->types,
                                .capabilities = ops->capabilities};
  ops->wishes.sampling_sizes = ops->sampling_sizes;
  return lpot_space_new_from_ops(&plain, &ops->wishes, ret_space, err);
}

static inline lpot_space *fixture_space(fixture *ops) {
  lpot_space *space = NULL;
  lpot_error error = {0};
  if (fixture_try_space(ops, &space, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  return space;
}

/* "u8/asym/minmax+channel", "s8/sym/kl" for an op without a weight, "f32". */
static inline void config_text(const lpot_op_config *config, char *out, size_t out_size) {
  const lpot_tensor_config *activation = &config->activation;
  if (!lpot_op_config_is_quantized(config)) {
    snprintf(out, out_size, lpot_op_config_is_bf16(config) ? "bf16" : "f32");
    return;
  }
  const char *weight = "";
  if (config->weight.dtype == LPOT_S8) {
    weight = config->weight.granularity == LPOT_PER_CHANNEL ? "+channel" : "+tensor";
  }
  snprintf(out, out_size, "%s/%s/%s%s", activation->dtype == LPOT_U8 ? "u8" : "s8",
           lpot_scheme_text(activation->scheme), lpot_algorithm_text(activation->algorithm),
           weight);
}

/* "100: q q f32": for recipes of small_capability, q is the quantized configuration; "100 (bias_
 * correction): q" where there are corrections. */
static inline void recipe_text(const lpot_recipe *recipe, char *out, size_t out_size) {
  char corrections[LPOT_CORRECTIONS_TEXT];
  bool any = lpot_corrections_any(&recipe->corrections);
  lpot_corrections_text(&recipe->corrections, corrections);
  size_t used = (size_t)snprintf(out, out_size, "%d%s%s%s:", (int)recipe->calibration_samples,
                                 any ? " (" : "", any ? corrections : "", any ? ")" : "");
  for (size_t i = 0; i < recipe->num_ops; i++) {
    char config[64];
    config_text(&recipe->ops[i], config, sizeof config);
    bool is_small = strncmp(config, "u8/asym/minmax", 14) == 0;
    used += (size_t)snprintf(out + used, out_size - used, " %s", is_small ? "q" : config);
  }
}

/* The next demand is this text ("" for the end) of this stage, for the purpose that is returned. */
static inline lpot_purpose next_demand(lpot_strategy *strategy, lpot_stage stage,
                                       const char *expected) {
  lpot_demand demand = {0};
  char text[256] = "";
  assert_int_equal(lpot_strategy_next(strategy, &demand, NULL), LPOT_OK);
  if (demand.recipe != NULL) {
    recipe_text(demand.recipe, text, sizeof text);
    assert_int_equal(demand.stage, stage);
  }
  assert_string_equal(text, expected);
  lpot_recipe_free(demand.recipe);
  return demand.purpose;
}

/* The next demand is this; it is answered by accuracy, but for the end. */
static inline void assert_demand(lpot_strategy *strategy, lpot_stage stage, const char *expected,
                                 double accuracy) {
  (void)next_demand(strategy, stage, expected);
  if (expected[0] == '\0') {
    return;
  }
  const lpot_result result = {.valid = true, .accuracy = accuracy, .samples = 1000};
  assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
}

/* The next demand is this trial; it is answered by whether it meets the criterion. */
static inline void assert_answered(lpot_strategy *strategy, lpot_stage stage, lpot_purpose purpose,
                                   const char *expected, double accuracy, bool meets) {
  assert_int_equal(next_demand(strategy, stage, expected), purpose);
  const lpot_result result = {.valid = true, .accuracy = accuracy, .samples = 1000, .meets = meets};
  assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
}

static inline lpot_strategy *fixture_start(const char *name, const lpot_space *space,
                                           bool higher_is_better) {
  const lpot_strategy_options options = {.higher_is_better = higher_is_better, .samples = 1000};
  lpot_strategy *strategy = NULL;
  assert_int_equal(lpot_strategy_new(name, space, &options, &strategy, NULL), LPOT_OK);
  return strategy;
}

/* ---- a strategy on four ops, a to d ---- */

typedef struct quartet {
  fixture ops;
  lpot_space *space;
  lpot_strategy *strategy;
} quartet;

/* Owned by the caller (quartet_free). */
static inline quartet *quartet_new(const char *name, bool higher_is_better) {
  quartet *four = malloc(sizeof *four);
  assert_non_null(four);
  four->ops = fixture_new();
  fixture_add(&four->ops, "a", "Add", small_capability(false));
  fixture_add(&four->ops, "b", "Add", small_capability(false));
  fixture_add(&four->ops, "c", "Add", small_capability(false));
  fixture_add(&four->ops, "d", "Add", small_capability(false));
  four->space = fixture_space(&four->ops);
  four->strategy = fixture_start(name, four->space, higher_is_better);
  return four;
}

static inline void quartet_free(quartet *four) {
  lpot_strategy_free(four->strategy);
  lpot_space_free(four->space);
  free(four);
}

/* The next demand is to sense this recipe; it is answered by error, or as failed where that is
 * negative. */
static inline void assert_sensed(lpot_strategy *strategy, const char *expected, double error) {
  assert_int_equal(next_demand(strategy, LPOT_STAGE_SENSE, expected), LPOT_SENSE);
  const lpot_result result = {.valid = error >= 0, .error = error, .samples = 64};
  assert_int_equal(lpot_strategy_tell(strategy, &result, NULL), LPOT_OK);
}

/* The hints are these texts, parted by '|'. */
static inline void assert_hints(const lpot_strategy *strategy, size_t capacity,
                                const char *expected) {
  lpot_recipe *hints[16] = {0};
  char text[1024] = "";
  size_t used = 0;
  size_t count = 0;
  assert_int_equal(lpot_strategy_hints(strategy, capacity, hints, NULL, &count, NULL), LPOT_OK);
  for (size_t i = 0; i < count; i++) {
    char one[256];
    recipe_text(hints[i], one, sizeof one);
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : "|", one);
    lpot_recipe_free(hints[i]);
  }
  assert_string_equal(text, expected);
}

#endif
