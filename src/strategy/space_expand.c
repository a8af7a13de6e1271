/* Choices to a list of configurations, in LPOT's order. */
#include "base/size.h"
#include "strategy/space_build.h"

/* A field that the capability does not have still takes part in the product, with nothing set. */
static size_t choices_count(const lpot_choices *choices) {
  return choices->count == 0 ? 1 : choices->count;
}

static int choice_at(const lpot_choices *choices, size_t index) {
  return choices->count == 0 ? 0 : choices->values[index];
}

static size_t tensor_count(const lpot_tensor_choices *choices) {
  return choices_count(&choices->dtype) * choices_count(&choices->scheme) *
         choices_count(&choices->granularity) * choices_count(&choices->algorithm);
}

/* The last field of the remaining number, which loses it. */
static int take(const lpot_choices *choices, size_t *number) {
  size_t count = choices_count(choices);
  int value = choice_at(choices, *number % count);
  *number /= count;
  return value;
}

/* Number index of the product, the first field being the slowest. */
static lpot_tensor_config tensor_at(const lpot_tensor_choices *choices, size_t index) {
  lpot_tensor_config config = {.dtype = LPOT_DTYPE_UNKNOWN};
  if (choices->dtype.count == 0) {
    return config;
  }
  config.algorithm = (lpot_algorithm)take(&choices->algorithm, &index);
  config.granularity = (lpot_granularity)take(&choices->granularity, &index);
  config.scheme = (lpot_scheme)take(&choices->scheme, &index);
  config.dtype = (lpot_dtype)take(&choices->dtype, &index);
  if (lpot_dtype_is_float(config.dtype)) {
    config = (lpot_tensor_config){.dtype = config.dtype};
  }
  return config;
}

/* A float tensor beside a quantized one. An op without a constant weight is never mixed. */
static bool is_mixed(const lpot_op_config *config) {
  lpot_dtype weight = config->weight.dtype;
  lpot_dtype activation = config->activation.dtype;
  return weight != LPOT_DTYPE_UNKNOWN && weight != activation &&
         (lpot_dtype_is_float(weight) || lpot_dtype_is_float(activation));
}

lpot_status lpot_space_expand(const lpot_op_choices *choices, lpot_arena *arena,
                              lpot_op_config **ret_configs, size_t *ret_count, lpot_error *err) {
  size_t num_weights = choices->weight.dtype.count == 0 ? 1 : tensor_count(&choices->weight);
  size_t num_activations = tensor_count(&choices->activation);
  size_t product = 0;
  LPOT_TRY(lpot_size_mul(num_weights, num_activations, &product, err));
  lpot_op_config *configs = lpot_arena_alloc(arena, product, sizeof *configs);
  if (configs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t count = 0;
  for (size_t i = 0; i < product; i++) {
    const lpot_op_config config = {.activation =
                                       tensor_at(&choices->activation, i % num_activations),
                                   .weight = tensor_at(&choices->weight, i / num_activations)};
    bool again = count > 0 && lpot_op_config_equal(&configs[count - 1], &config);
    if (!is_mixed(&config) && !again) {
      configs[count] = config;
      count++;
    }
  }
  *ret_configs = configs;
  *ret_count = count;
  return LPOT_OK;
}
