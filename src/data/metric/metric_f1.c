/* F1: for each sample the overlap of the numbers in the output's row with those in its label, both
 * taken as multisets: 2 common / (numbers of the output + numbers of the label), 0 without a common
 * one; the mean over the samples. (LPOT takes a whole batch as one sample, so that the batch size
 * changes the value.) */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/metric_class.h"
#include "data/setting.h"

static lpot_status parse_f1(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const names[] = {NULL};
  (void)metric;
  return lpot_setting_check(node, names, err);
}

static int compare_numbers(const void *a, const void *b) {
  double left = *(const double *)a;
  double right = *(const double *)b;
  return (left > right) - (left < right);
}

/* Copies count elements from first on to out, sorted; false where one is not finite. */
static bool sort_numbers(const lpot_tensor *tensor, int64_t first, int64_t count, double *out) {
  bool is_good = true;
  for (int64_t i = 0; i < count; i++) {
    out[i] = lpot_metric_score(tensor, first + i);
    if (!isfinite(out[i])) {
      is_good = false;
      out[i] = (double)INFINITY; /* NaN has no place in an order. */
    }
  }
  qsort(out, (size_t)count, sizeof *out, compare_numbers);
  return is_good;
}

static int64_t count_common(const double *left, int64_t num_left, const double *right,
                            int64_t num_right) {
  int64_t common = 0;
  int64_t l = 0;
  int64_t r = 0;
  while (l < num_left && r < num_right) {
    bool equal = left[l] == right[r];
    common += equal ? 1 : 0;
    bool take_left = left[l] <= right[r];
    bool take_right = right[r] <= left[l];
    l += take_left ? 1 : 0;
    r += take_right ? 1 : 0;
  }
  return common;
}

/* Where the label of a row stands. */
typedef struct row_label {
  const lpot_tensor *tensor;
  int64_t first, count;
} row_label;

static lpot_status find_label(const lpot_batch *batch, int64_t row, row_label *ret,
                              lpot_error *err) {
  if (batch->labels != NULL) {
    int64_t count = lpot_tensor_elements(batch->labels) / batch->labels->shape.dims[0];
    *ret = (row_label){batch->labels, row * count, count};
    return LPOT_OK;
  }
  const lpot_tensor *label = batch->row_labels[row];
  if (label == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric F1: sample %llu has no label",
                     (unsigned long long)batch->indices[row]);
  }
  *ret = (row_label){label, 0, lpot_tensor_elements(label)};
  return LPOT_OK;
}

static lpot_status update_row(const lpot_tensor *output, int64_t width, const lpot_batch *batch,
                              int64_t row, lpot_metric_state *state, lpot_error *err) {
  row_label label = {0};
  LPOT_TRY(find_label(batch, row, &label, err));
  double *numbers = lpot_calloc((size_t)(width + label.count), sizeof *numbers);
  if (numbers == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  bool is_good = sort_numbers(output, row * width, width, numbers);
  bool is_known = sort_numbers(label.tensor, label.first, label.count, numbers + width);
  int64_t common = count_common(numbers, width, numbers + width, label.count);
  lpot_free(numbers);
  if (!is_known) {
    return LPOT_FAIL(err, LPOT_FORMAT, "label of sample %llu holds a number that is not finite",
                     (unsigned long long)batch->indices[row]);
  }
  state->samples++;
  state->bad += is_good ? 0 : 1;
  state->sum += common == 0 ? 0 : 2.0 * (double)common / (double)(width + label.count);
  return LPOT_OK;
}

static lpot_status update_f1(const lpot_metric *metric, const lpot_tensor *const *outputs,
                             size_t num_outputs, const lpot_batch *batch, lpot_metric_state *state,
                             uint8_t *correct, lpot_error *err) {
  (void)metric;
  (void)num_outputs;
  (void)correct;
  const lpot_tensor *output = outputs[0];
  if (output->shape.rank < 1 || output->shape.dims[0] < batch->num_valid) {
    char shape[96];
    lpot_shape_text(&output->shape, shape, sizeof shape);
    return LPOT_FAIL(err, LPOT_INVALID, "metric F1: output of shape %s, expected %lld rows or more",
                     shape, (long long)batch->num_valid);
  }
  int64_t width = lpot_tensor_elements(output) / output->shape.dims[0];
  for (int64_t row = 0; row < batch->num_valid; row++) {
    LPOT_TRY(update_row(output, width, batch, row, state, err));
  }
  return LPOT_OK;
}

static double mean_f1(const lpot_metric_state *state) {
  return state->sum / (double)state->samples;
}

const lpot_metric_class lpot_metric_class_f1 = {
    .name = "F1",
    .size_bytes = sizeof(lpot_metric),
    .higher_is_better = true,
    .range = 1,
    .reads_row_labels = true,
    .parse = parse_f1,
    .update = update_f1,
    .value = mean_f1,
};
