/* LabelShift: n is taken off the labels, for models whose classes start elsewhere than the
 * dataset's. Written LabelShift: 1 or LabelShift: {label_shift: 1}. */
#include "data/postprocess_class.h"
#include "data/setting.h"

#define MAX_SHIFT 1000000

static lpot_status parse_label_shift(void *parameters, const lpot_yaml_node *settings,
                                     lpot_error *err) {
  static const char *const names[] = {"label_shift", NULL};
  int64_t *shift = parameters;
  if (settings->kind == LPOT_YAML_SCALAR) {
    return lpot_yaml_int(settings, -MAX_SHIFT, MAX_SHIFT, shift, err);
  }
  LPOT_TRY(lpot_setting_check(settings, names, err));
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_setting_need(settings, "postprocess LabelShift", "label_shift", &node, err));
  return lpot_yaml_int(node, -MAX_SHIFT, MAX_SHIFT, shift, err);
}

static lpot_status apply_label_shift(const void *parameters, lpot_answer *answer, lpot_error *err) {
  int64_t shift = *(const int64_t *)parameters;
  const lpot_tensor *labels = answer->batch.labels;
  if (labels == NULL || lpot_dtype_is_float(labels->dtype)) {
    return LPOT_FAIL(err, LPOT_INVALID, "the labels are not classes by number");
  }
  lpot_tensor *shifted = NULL;
  LPOT_TRY(lpot_answer_make(answer, LPOT_S64, &labels->shape, &shifted, err));
  for (int64_t i = 0; i < lpot_tensor_elements(labels); i++) {
    lpot_tensor_set_int(shifted, i, lpot_tensor_get_int(labels, i) - shift);
  }
  answer->batch.labels = shifted;
  return LPOT_OK;
}

const lpot_postprocess_class lpot_postprocess_class_label_shift = {
    .name = "LabelShift",
    .size_bytes = sizeof(int64_t),
    .parse = parse_label_shift,
    .apply = apply_label_shift,
};
