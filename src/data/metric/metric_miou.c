/* mIOU: mean over the classes of intersection over union, of segmentations. The output is
 * [samples, ...] of classes as the label has them, or [samples, num_classes, ...] of scores. Labels
 * outside of [0, num_classes) do not count (often 255). Classes that neither side has do not enter
 * the mean. Records: u64 common, labelled and predicted elements of each class. */
#include <math.h>

#include "base/memory.h"
#include "base/reader.h"
#include "base/writer.h"
#include "data/metric_class.h"
#include "data/setting.h"

#define MAX_CLASSES 65536

/* Elements of one class. */
typedef struct class_area {
  uint64_t common; /* labelled and predicted so */
  uint64_t labelled;
  uint64_t predicted; /* where the label counts */
} class_area;

typedef struct miou_metric {
  lpot_metric base;
  int64_t num_classes;
} miou_metric;

static lpot_status parse_miou(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const names[] = {"num_classes", NULL};
  miou_metric *self = (miou_metric *)metric;
  self->num_classes = 21; /* As in LPOT: VOC's 20 and the background. */
  LPOT_TRY(lpot_setting_check(node, names, err));
  return lpot_setting_int(node, "num_classes", 1, MAX_CLASSES, &self->num_classes, err);
}

/* How an output is laid out. */
typedef struct segmentation {
  const lpot_tensor *output;
  int64_t places;  /* elements of a label */
  int64_t classes; /* scores of each place; 1: the class itself */
} segmentation;

static lpot_status lay_out(const miou_metric *self, const lpot_tensor *output,
                           const lpot_batch *batch, segmentation *ret, lpot_error *err) {
  const lpot_tensor *labels = batch->labels;
  int64_t places = lpot_tensor_elements(labels) / labels->shape.dims[0];
  bool has_rows = output->shape.rank > 0 && output->shape.dims[0] >= batch->num_valid;
  int64_t width = has_rows ? lpot_tensor_elements(output) / output->shape.dims[0] : -1;
  bool has_scores = output->shape.rank >= 2 && output->shape.dims[1] == self->num_classes &&
                    width == places * self->num_classes;
  if (width != places && !has_scores) {
    char of_output[96];
    char of_labels[96];
    lpot_shape_text(&output->shape, of_output, sizeof of_output);
    lpot_shape_text(&labels->shape, of_labels, sizeof of_labels);
    return LPOT_FAIL(err, LPOT_INVALID,
                     "metric mIOU: output of shape %s for labels of shape %s, expected the same or "
                     "[samples, %lld, ...]",
                     of_output, of_labels, (long long)self->num_classes);
  }
  *ret = (segmentation){
      .output = output, .places = places, .classes = width == places ? 1 : self->num_classes};
  return LPOT_OK;
}

/* The predicted class of a place; -1: none. Sets *bad where a number is not finite. */
static int64_t predict(const segmentation *s, int64_t row, int64_t place, bool *bad) {
  if (s->classes == 1) {
    double value = lpot_metric_score(s->output, row * s->places + place);
    *bad = *bad || !isfinite(value);
    return value >= 0 && value < MAX_CLASSES ? (int64_t)value : -1;
  }
  int64_t best = -1;
  double largest = (double)-INFINITY;
  for (int64_t c = 0; c < s->classes; c++) {
    double score = lpot_metric_score(s->output, (row * s->classes + c) * s->places + place);
    *bad = *bad || !isfinite(score);
    if (score > largest) {
      largest = score;
      best = c;
    }
  }
  return best;
}

static bool count_row(const miou_metric *self, const segmentation *s, const lpot_batch *batch,
                      int64_t row, class_area *areas) {
  bool bad = false;
  for (int64_t place = 0; place < s->places; place++) {
    double label = lpot_metric_score(batch->labels, row * s->places + place);
    int64_t predicted = predict(s, row, place, &bad);
    if (!(label >= 0 && label < (double)self->num_classes)) {
      continue;
    }
    areas[(int64_t)label].labelled++;
    if (predicted >= 0 && predicted < self->num_classes) {
      areas[predicted].predicted++;
      areas[predicted].common += predicted == (int64_t)label ? 1 : 0;
    }
  }
  return bad;
}

static lpot_status write_areas(const class_area *areas, int64_t num_classes, lpot_buffer *records,
                               lpot_error *err) {
  for (int64_t c = 0; c < num_classes; c++) {
    LPOT_TRY(lpot_writer_u64(records, areas[c].common, err));
    LPOT_TRY(lpot_writer_u64(records, areas[c].labelled, err));
    LPOT_TRY(lpot_writer_u64(records, areas[c].predicted, err));
  }
  return LPOT_OK;
}

/* Adds what records (perhaps none) hold to areas. */
static lpot_status add_areas(const miou_metric *self, const lpot_buffer *records, class_area *areas,
                             lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, records->data, records->size);
  for (int64_t c = 0; c < self->num_classes && records->size > 0; c++) {
    class_area area = {0};
    LPOT_TRY(lpot_reader_u64(&reader, &area.common, err));
    LPOT_TRY(lpot_reader_u64(&reader, &area.labelled, err));
    LPOT_TRY(lpot_reader_u64(&reader, &area.predicted, err));
    areas[c].common += area.common;
    areas[c].labelled += area.labelled;
    areas[c].predicted += area.predicted;
  }
  return lpot_reader_end(&reader, err);
}

static class_area *new_areas(const miou_metric *self) {
  return lpot_calloc((size_t)self->num_classes, sizeof(class_area));
}

/* Sets records to those of areas. On failure they may be cut short. */
static lpot_status replace_records(const miou_metric *self, const class_area *areas,
                                   lpot_buffer *records, lpot_error *err) {
  lpot_buffer_clear(records);
  return write_areas(areas, self->num_classes, records, err);
}

static lpot_status update_areas(const miou_metric *self, const segmentation *s,
                                const lpot_batch *batch, lpot_metric_state *state,
                                class_area *areas, lpot_error *err) {
  LPOT_TRY(add_areas(self, &state->records, areas, err));
  for (int64_t row = 0; row < batch->num_valid; row++) {
    bool bad = count_row(self, s, batch, row, areas);
    state->samples++;
    state->bad += bad ? 1 : 0;
  }
  return replace_records(self, areas, &state->records, err);
}

static lpot_status update_miou(const lpot_metric *metric, const lpot_tensor *const *outputs,
                               size_t num_outputs, const lpot_batch *batch,
                               lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  (void)num_outputs;
  (void)correct;
  const miou_metric *self = (const miou_metric *)metric;
  segmentation s = {0};
  LPOT_TRY(lay_out(self, outputs[0], batch, &s, err));
  class_area *areas = new_areas(self);
  if (areas == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = update_areas(self, &s, batch, state, areas, err);
  lpot_free(areas);
  return status;
}

static lpot_status merge_areas(const lpot_metric *metric, lpot_buffer *into,
                               const lpot_buffer *from, lpot_error *err) {
  const miou_metric *self = (const miou_metric *)metric;
  class_area *areas = new_areas(self);
  if (areas == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = add_areas(self, into, areas, err);
  if (status == LPOT_OK) {
    status = add_areas(self, from, areas, err);
  }
  if (status == LPOT_OK) {
    status = replace_records(self, areas, into, err);
  }
  lpot_free(areas);
  return status;
}

static double mean_of_areas(const class_area *areas, int64_t num_classes) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t c = 0; c < num_classes; c++) {
    uint64_t either = areas[c].labelled + areas[c].predicted - areas[c].common;
    if (either > 0) {
      sum += (double)areas[c].common / (double)either;
      count++;
    }
  }
  return sum / (double)count;
}

static lpot_status value_of_areas(const lpot_metric *metric, const lpot_metric_state *state,
                                  double *ret_value, lpot_error *err) {
  const miou_metric *self = (const miou_metric *)metric;
  class_area *areas = new_areas(self);
  if (areas == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = add_areas(self, &state->records, areas, err);
  double value = mean_of_areas(areas, self->num_classes);
  lpot_free(areas);
  LPOT_TRY(status);
  if (isnan(value)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric mIOU: no label is within 0 and %lld",
                     (long long)self->num_classes - 1);
  }
  *ret_value = value;
  return LPOT_OK;
}

const lpot_metric_class lpot_metric_class_miou = {
    .name = "mIOU",
    .size_bytes = sizeof(miou_metric),
    .higher_is_better = true,
    .range = 1,
    .parse = parse_miou,
    .update = update_miou,
    .merge_records = merge_areas,
    .value_of_records = value_of_areas,
};
