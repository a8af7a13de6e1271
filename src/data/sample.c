#include "data/sample.h"

void lpot_sample_init(lpot_sample *sample) {
  *sample = (lpot_sample){0};
}

void lpot_sample_done(lpot_sample *sample) {
  for (size_t i = 0; i < sample->num_inputs; i++) {
    lpot_tensor_unref(sample->inputs[i]);
  }
  lpot_tensor_unref(sample->label);
  *sample = (lpot_sample){0};
}

lpot_status lpot_sample_set_class(lpot_sample *sample, int64_t class_index, lpot_error *err) {
  lpot_shape scalar = lpot_shape_scalar();
  LPOT_TRY(lpot_tensor_new(LPOT_S64, &scalar, &sample->label, err));
  lpot_tensor_set_int(sample->label, 0, class_index);
  return LPOT_OK;
}
