/* Normalize: (x - mean) / std as f32, {mean: [0.0], std: [1.0]}. The lists hold one number, or one
 * per channel: the last dimension if its length is theirs, else the first. */
#include <math.h>

#include "data/setting.h"
#include "data/transform_class.h"

#define MAX_CHANNELS 256
#define LEAST_STD 1e-6

typedef struct normalize_parameters {
  size_t count; /* of both lists */
  double mean[MAX_CHANNELS];
  double std[MAX_CHANNELS];
} normalize_parameters;

static lpot_status read_list(const lpot_yaml_node *settings, const char *key, double *values,
                             size_t *count, lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(settings, key);
  if (node == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_yaml_doubles(node, MAX_CHANNELS, values, count, err));
  return *count > 0 ? LPOT_OK : lpot_yaml_fail(err, node, "expected at least one number");
}

/* A list of one number stands for a list as long as the other. */
static void stretch(double *values, size_t from, size_t to) {
  for (size_t i = from; i < to; i++) {
    values[i] = values[0];
  }
}

static lpot_status parse_normalize(void *parameters, const lpot_yaml_node *settings,
                                   lpot_error *err) {
  static const char *const names[] = {"mean", "std", NULL};
  normalize_parameters *normalize = parameters;
  size_t num_means = 1;
  size_t num_stds = 1;
  normalize->std[0] = 1.0;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(read_list(settings, "mean", normalize->mean, &num_means, err));
  LPOT_TRY(read_list(settings, "std", normalize->std, &num_stds, err));
  if (num_means != num_stds && num_means != 1 && num_stds != 1) {
    return lpot_setting_fail(settings, err, "mean has %zu numbers, std has %zu", num_means,
                             num_stds);
  }
  for (size_t i = 0; i < num_stds; i++) {
    if (normalize->std[i] < LEAST_STD) {
      return lpot_setting_fail(lpot_setting_get(settings, "std"), err,
                               "std %g is below the least allowed, %g", normalize->std[i],
                               LEAST_STD);
    }
  }
  normalize->count = num_means > num_stds ? num_means : num_stds;
  stretch(normalize->mean, num_means, normalize->count);
  stretch(normalize->std, num_stds, normalize->count);
  return LPOT_OK;
}

/* values is [outer, channels, inner]. */
static void normalize_values(const normalize_parameters *normalize, float *values, int64_t outer,
                             int64_t inner) {
  for (int64_t o = 0; o < outer; o++) {
    for (size_t c = 0; c < normalize->count; c++) {
      float mean = (float)normalize->mean[c];
      float std = (float)normalize->std[c];
      for (int64_t i = 0; i < inner; i++) {
        values[i] = (values[i] - mean) / std;
      }
      values += inner;
    }
  }
}

static lpot_status apply_normalize(const void *parameters, lpot_tensor *input,
                                   lpot_tensor **ret_output, lpot_error *err) {
  const normalize_parameters *normalize = parameters;
  const lpot_shape *shape = &input->shape;
  int64_t count = (int64_t)normalize->count;
  int64_t elements = lpot_shape_elements(shape);
  bool on_last = shape->rank > 0 && shape->dims[shape->rank - 1] == count;
  bool on_first = shape->rank > 0 && shape->dims[0] == count;
  if (count > 1 && !on_last && !on_first) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "%lld means and stds, but neither the last nor the first dimension is as long",
                     (long long)count);
  }
  LPOT_TRY(lpot_transform_to_f32(input, ret_output, err));
  int64_t inner = on_last && count > 1 ? 1 : elements / count;
  normalize_values(normalize, (*ret_output)->data, elements / count / (inner == 0 ? 1 : inner),
                   inner);
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_normalize = {
    .name = "Normalize",
    .size_bytes = sizeof(normalize_parameters),
    .parse = parse_normalize,
    .apply = apply_normalize,
};
