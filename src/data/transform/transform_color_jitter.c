/* ColorJitter: {brightness: 0, contrast: 0, saturation: 0, hue: 0}, in random order, each by a
 * random factor. A number x means a factor between max(0, 1 - x) and 1 + x, of hue a turn between
 * -x and x; a list gives the ends. 0 leaves the image as it is. */
#include <math.h>

#include "data/setting.h"
#include "data/transform/colour.h"
#include "data/transform_class.h"

typedef struct jitter_range {
  double low, high;
} jitter_range;

typedef struct jitter_parameters {
  jitter_range ranges[4]; /* as kinds */
} jitter_parameters;

static const struct {
  const char *name;
  double centre, lowest, highest; /* centre: what changes nothing */
  void (*change)(uint8_t *pixels, int64_t count, double amount);
} kinds[] = {
    {"brightness", 1.0, 0.0, 1e6, lpot_colour_brightness},
    {"contrast", 1.0, 0.0, 1e6, lpot_colour_contrast},
    {"saturation", 1.0, 0.0, 1e6, lpot_colour_saturation},
    {"hue", 0.0, -0.5, 0.5, lpot_colour_hue},
};
#define NUM_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static lpot_status read_kind(const lpot_yaml_node *settings, size_t kind, jitter_range *range,
                             lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(settings, kinds[kind].name);
  double numbers[2];
  size_t count = 0;
  *range = (jitter_range){kinds[kind].centre, kinds[kind].centre};
  if (node == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_yaml_doubles(node, 2, numbers, &count, err));
  if (count == 1 && numbers[0] >= 0.0) {
    range->low = fmax(kinds[kind].centre - numbers[0], kind == NUM_KINDS - 1 ? -1.0 : 0.0);
    range->high = kinds[kind].centre + numbers[0];
  } else if (count == 2) {
    *range = (jitter_range){numbers[0], numbers[1]};
  }
  bool fits = count > 0 && range->low >= kinds[kind].lowest && range->low <= range->high &&
              range->high <= kinds[kind].highest && (count == 2 || numbers[0] >= 0.0);
  return fits ? LPOT_OK
              : lpot_yaml_fail(err, node, "expected a number from 0, or a range from %g to %g",
                               kinds[kind].lowest, kinds[kind].highest);
}

static lpot_status parse_jitter(void *parameters, const lpot_yaml_node *settings, lpot_error *err) {
  static const char *const names[] = {"brightness", "contrast", "saturation", "hue", NULL};
  jitter_parameters *jitter = parameters;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  for (size_t i = 0; i < NUM_KINDS; i++) {
    LPOT_TRY(read_kind(settings, i, &jitter->ranges[i], err));
  }
  return LPOT_OK;
}

static lpot_status apply_jitter(const void *parameters, lpot_rng *rng, lpot_tensor *input,
                                lpot_tensor **ret_output, lpot_error *err) {
  const jitter_parameters *jitter = parameters;
  LPOT_TRY(lpot_transform_need_image(input, err));
  if (input->dtype != LPOT_U8 || input->shape.dims[2] != 3) {
    return LPOT_FAIL(err, LPOT_INVALID, "expected a colour image of uint8");
  }
  LPOT_TRY(lpot_tensor_copy_of(LPOT_U8, &input->shape, input->data, ret_output, err));
  uint64_t order[NUM_KINDS];
  lpot_rng_permutation(rng, NUM_KINDS, order);
  int64_t pixels = lpot_tensor_elements(input) / 3;
  for (size_t i = 0; i < NUM_KINDS; i++) {
    jitter_range range = jitter->ranges[order[i]];
    double amount = range.low + (range.high - range.low) * lpot_rng_uniform(rng);
    if (range.low < range.high || amount != kinds[order[i]].centre) {
      kinds[order[i]].change((*ret_output)->data, pixels, amount);
    }
  }
  return LPOT_OK;
}

const lpot_transform_class lpot_transform_class_color_jitter = {
    .name = "ColorJitter",
    .size_bytes = sizeof(jitter_parameters),
    .parse = parse_jitter,
    .apply_random = apply_jitter,
};
