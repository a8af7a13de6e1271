/* RandomHorizontalFlip and RandomVerticalFlip: {p: 0.5}, the probability. */
#include "data/setting.h"
#include "data/transform_class.h"

typedef struct flip_parameters {
  double probability;
} flip_parameters;

static lpot_status parse_flip(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"p", NULL};
  flip_parameters *flip = parameters;
  flip->probability = 0.5;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_setting_double(settings, "p", &flip->probability, err));
  if (!(flip->probability >= 0.0 && flip->probability <= 1.0)) {
    return lpot_yaml_fail(err, lpot_setting_get(settings, "p"),
                          "expected a probability, 0 to 1, got %g", flip->probability);
  }
  return LPOT_OK;
}

static lpot_status flip_or_not(const flip_parameters *flip, bool mirrors_columns, lpot_rng *rng,
                               lpot_tensor *input, lpot_tensor **ret_output, lpot_error *err) {
  LPOT_TRY(lpot_transform_need_image(input, err));
  if (lpot_rng_uniform(rng) < flip->probability) {
    return lpot_transform_flip(input, mirrors_columns, ret_output, err);
  }
  *ret_output = lpot_tensor_ref(input);
  return LPOT_OK;
}

static lpot_status apply_horizontal(const void *parameters, lpot_rng *rng, lpot_tensor *input,
                                    lpot_tensor **ret_output, lpot_error *err) {
  return flip_or_not(parameters, true, rng, input, ret_output, err);
}

static lpot_status apply_vertical(const void *parameters, lpot_rng *rng, lpot_tensor *input,
                                  lpot_tensor **ret_output, lpot_error *err) {
  return flip_or_not(parameters, false, rng, input, ret_output, err);
}

const lpot_transform_class lpot_transform_class_random_horizontal_flip = {
    .name = "RandomHorizontalFlip",
    .size_bytes = sizeof(flip_parameters),
    .parse = parse_flip,
    .apply_random = apply_horizontal,
};

const lpot_transform_class lpot_transform_class_random_vertical_flip = {
    .name = "RandomVerticalFlip",
    .size_bytes = sizeof(flip_parameters),
    .parse = parse_flip,
    .apply_random = apply_vertical,
};
