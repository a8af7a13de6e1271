#include "data/detection_set.h"

#include <math.h>

#include "data/image.h"

void lpot_detection_set_done(lpot_dataset *dataset) {
  lpot_detection_set *set = (lpot_detection_set *)dataset;
  lpot_buffer_done(&set->truths);
  lpot_buffer_done(&set->ends);
}

lpot_status lpot_detection_set_add(lpot_detection_set *set, lpot_truth truth, double width,
                                   double height, lpot_error *err) {
  lpot_box *box = &truth.box;
  if (truth.class_index < 0 || truth.class_index > LPOT_MAX_DETECTION_CLASS) {
    return LPOT_FAIL(err, LPOT_FORMAT, "class %lld is not within 0 and %d",
                     (long long)truth.class_index, LPOT_MAX_DETECTION_CLASS);
  }
  if (!(width > 0 && height > 0 && isfinite(width) && isfinite(height))) {
    return LPOT_FAIL(err, LPOT_FORMAT, "an image of %g x %g pixels", width, height);
  }
  *box = (lpot_box){box->top / height, box->left / width, box->bottom / height, box->right / width};
  if (!(isfinite(box->top) && isfinite(box->left) && isfinite(box->bottom) &&
        isfinite(box->right))) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a box that is not finite");
  }
  return lpot_buffer_append(&set->truths, &truth, sizeof truth, err);
}

lpot_status lpot_detection_set_end_sample(lpot_detection_set *set, lpot_error *err) {
  size_t end = set->truths.size / sizeof(lpot_truth);
  LPOT_TRY(lpot_buffer_append(&set->ends, &end, sizeof end, err));
  set->base.size++;
  return LPOT_OK;
}

static size_t start_of(const lpot_detection_set *set, int64_t index) {
  const size_t *ends = (const size_t *)(const void *)set->ends.data;
  return index == 0 ? 0 : ends[index - 1];
}

int64_t lpot_detection_set_num_boxes(const lpot_dataset *dataset, int64_t index) {
  const lpot_detection_set *set = (const lpot_detection_set *)dataset;
  return (int64_t)(start_of(set, index + 1) - start_of(set, index));
}

lpot_status lpot_detection_set_label(const lpot_detection_set *set, int64_t index,
                                     lpot_tensor **ret_label, lpot_error *err) {
  const lpot_truth *truths = (const lpot_truth *)(const void *)set->truths.data;
  size_t count = (size_t)lpot_detection_set_num_boxes(&set->base, index);
  return lpot_detection_label(count == 0 ? NULL : truths + start_of(set, index), count, ret_label,
                              err);
}

lpot_status lpot_detection_set_get_image(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                                         lpot_error *err) {
  const lpot_detection_set *set = (const lpot_detection_set *)dataset;
  LPOT_TRY(lpot_image_load(dataset->files.paths[index], set->bgr, &sample->inputs[0], err));
  sample->num_inputs = 1;
  return lpot_detection_set_label(set, index, &sample->label, err);
}
