#include <math.h>

#include "data/metric_class.h"

lpot_status lpot_metric_num_scores(const char *name, const lpot_tensor *output,
                                   const lpot_batch *batch, int64_t *ret, lpot_error *err) {
  const lpot_shape *shape = &output->shape;
  char text[96];
  lpot_shape_text(shape, text, sizeof(text));
  if (shape->rank < 1 || shape->dims[0] < batch->num_valid) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric %s: output of shape %s, expected %lld rows or more",
                     name, text, (long long)batch->num_valid);
  }
  int64_t scores = 1;
  for (int i = 1; i < shape->rank; i++) {
    if (scores != 1 && shape->dims[i] != 1) {
      return LPOT_FAIL(err, LPOT_INVALID,
                       "metric %s: output of shape %s, expected [samples, classes]", name, text);
    }
    scores *= shape->dims[i];
  }
  if (scores == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric %s: output of shape %s has no scores", name, text);
  }
  *ret = scores;
  return LPOT_OK;
}

/* A number that must be whole. */
static lpot_status whole_label(double value, int64_t sample, int64_t num_classes, int64_t *ret,
                               lpot_error *err) {
  if (!(value >= 0.0 && value < (double)num_classes && floor(value) == value)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "label %.17g of sample %lld is not one of 0 to %lld", value,
                     (long long)sample, (long long)num_classes - 1);
  }
  *ret = (int64_t)value;
  return LPOT_OK;
}

lpot_status lpot_metric_label(const lpot_batch *batch, int64_t row, int64_t num_classes,
                              int64_t *ret, lpot_error *err) {
  int64_t sample = (int64_t)batch->indices[row];
  const lpot_tensor *labels = batch->labels;
  int64_t width = lpot_tensor_elements(labels) / labels->shape.dims[0];
  if (width == 1) {
    return whole_label(lpot_tensor_get_double(labels, row), sample, num_classes, ret, err);
  }
  if (width != num_classes) {
    return LPOT_FAIL(err, LPOT_FORMAT, "label of sample %lld has %lld numbers for %lld classes",
                     (long long)sample, (long long)width, (long long)num_classes);
  }
  int64_t found = -1;
  for (int64_t i = 0; i < width; i++) {
    double value = lpot_tensor_get_double(labels, row * width + i);
    if (value == 1.0 && found < 0) {
      found = i;
    } else if (value != 0.0) {
      return LPOT_FAIL(
          err, LPOT_FORMAT,
          "label of sample %lld is not a single 1 among zeros (the setting multilabel of "
          "Accuracy reads such)",
          (long long)sample);
    }
  }
  if (found < 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "label of sample %lld names no class", (long long)sample);
  }
  *ret = found;
  return LPOT_OK;
}

lpot_status lpot_metric_row_width(const lpot_metric *metric, const lpot_tensor *output,
                                  const lpot_batch *batch, int64_t *ret, lpot_error *err) {
  const lpot_tensor *labels = batch->labels;
  bool has_rows =
      output->shape.rank > 0 && output->shape.dims[0] >= batch->num_valid && labels->shape.rank > 0;
  int64_t width = has_rows ? lpot_tensor_elements(output) / output->shape.dims[0] : -1;
  if (!has_rows || width != lpot_tensor_elements(labels) / labels->shape.dims[0]) {
    char of_output[96];
    char of_labels[96];
    lpot_shape_text(&output->shape, of_output, sizeof(of_output));
    lpot_shape_text(&labels->shape, of_labels, sizeof(of_labels));
    return LPOT_FAIL(err, LPOT_INVALID,
                     "metric %s: output of shape %s cannot be compared with labels of shape %s",
                     metric->class_of->name, of_output, of_labels);
  }
  *ret = width;
  return LPOT_OK;
}

double lpot_metric_score(const lpot_tensor *tensor, int64_t index) {
  if (tensor->dtype == LPOT_F32) {
    return (double)((const float *)tensor->data)[index];
  }
  return lpot_tensor_get_double(tensor, index);
}

lpot_metric_row lpot_metric_look(const lpot_tensor *output, int64_t row, int64_t num_scores) {
  lpot_metric_row result = {0};
  double largest = (double)-INFINITY;
  for (int64_t i = 0; i < num_scores; i++) {
    double score = lpot_metric_score(output, row * num_scores + i);
    if (isnan(score)) {
      return (lpot_metric_row){.has_nan = true};
    }
    result.has_infinity = result.has_infinity || isinf(score);
    if (score > largest) {
      largest = score;
      result.best = i;
    }
  }
  return result;
}

void lpot_metric_count(const lpot_metric_row *row, int64_t predicted, bool is_right,
                       lpot_metric_state *state) {
  state->samples++;
  state->bad += row->has_nan || row->has_infinity ? 1 : 0;
  state->correct += is_right ? 1 : 0;
  if (row->has_nan) {
    return;
  }
  uint64_t seen = (uint64_t)predicted + 1;
  if (state->first_class == 0) {
    state->first_class = seen;
  } else if (state->first_class != seen) {
    state->first_class = UINT64_MAX;
  }
}

void lpot_metric_mark(uint8_t *correct, int64_t row, bool is_right) {
  if (correct == NULL) {
    return;
  }
  uint8_t bit = (uint8_t)(1u << (row % 8));
  if (is_right) {
    correct[row / 8] = (uint8_t)(correct[row / 8] | bit);
  } else {
    correct[row / 8] = (uint8_t)(correct[row / 8] & ~bit);
  }
}

double lpot_metric_share(const lpot_metric_state *state) {
  return (double)state->correct / (double)state->samples;
}
