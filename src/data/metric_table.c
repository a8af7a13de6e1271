#include "data/metric.h"

#include <math.h>

#include "base/memory.h"
#include "base/writer.h"
#include "data/metric_class.h"
#include "data/setting.h"

static const lpot_metric_class *const classes[] = {
    &lpot_metric_class_topk,     &lpot_metric_class_accuracy, &lpot_metric_class_mse,
    &lpot_metric_class_mae,      &lpot_metric_class_rmse,     &lpot_metric_class_map,
    &lpot_metric_class_coco_map, &lpot_metric_class_voc_map,  &lpot_metric_class_miou,
    &lpot_metric_class_f1,       &lpot_metric_class_loss,     &lpot_metric_class_squad_f1,
    &lpot_metric_class_glue,     &lpot_metric_class_plugin,
};
#define NUM_CLASSES (sizeof(classes) / sizeof(classes[0]))

static const char *const names[NUM_CLASSES + 1] = {
    "topk", "Accuracy", "MSE",  "MAE",     "RMSE", "mAP",    "COCOmAP", "VOCmAP",
    "mIOU", "F1",       "Loss", "SquadF1", "GLUE", "plugin", NULL,
};

/* Names of LPOT's schema that this version answers by saying so. */
static const char *const later_names[] = {
    "BLEU",
    NULL,
};

const char *const *lpot_metric_names(void) {
  return names;
}

lpot_status lpot_metric_new(const lpot_yaml_node *node, lpot_metric **ret_metric, lpot_error *err) {
  if (node->kind != LPOT_YAML_MAP || node->num_children != 1) {
    return lpot_yaml_fail(err, node, "expected a map with one key, the metric's name");
  }
  const lpot_yaml_node *settings = node->children[0];
  size_t index = 0;
  LPOT_TRY(
      lpot_setting_find_name(settings, "metric", settings->key, names, later_names, &index, err));
  const lpot_metric_class *class_of = classes[index];
  lpot_metric *metric = lpot_calloc(1, class_of->size_bytes);
  if (metric == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  metric->class_of = class_of;
  lpot_status status = class_of->parse(metric, settings, err);
  if (status != LPOT_OK) {
    lpot_metric_free(metric);
    return status;
  }
  *ret_metric = metric;
  return LPOT_OK;
}

void lpot_metric_free(lpot_metric *metric) {
  if (metric != NULL && metric->class_of->done != NULL) {
    metric->class_of->done(metric);
  }
  lpot_free(metric);
}

const char *lpot_metric_name(const lpot_metric *metric) {
  return metric->own_name != NULL ? metric->own_name : metric->class_of->name;
}

bool lpot_metric_higher_is_better(const lpot_metric *metric) {
  return metric->class_of->higher_is_better && !metric->lower_is_better;
}

double lpot_metric_range(const lpot_metric *metric) {
  return lpot_metric_is_per_sample(metric) ? 1 : metric->class_of->range;
}

bool lpot_metric_is_per_sample(const lpot_metric *metric) {
  return metric->class_of->is_per_sample && !metric->is_graded;
}

bool lpot_metric_compares_models(const lpot_metric *metric) {
  return metric->compares_models;
}

bool lpot_metric_evaluates(const lpot_metric *metric) {
  return metric->evaluates_model;
}

lpot_status lpot_metric_evaluate(const lpot_metric *metric, struct lpot_model *model,
                                 lpot_metric_state *state, lpot_error *err) {
  double accuracy = (double)NAN;
  LPOT_TRY(metric->class_of->evaluate(metric, model, &accuracy, err));
  if (!isfinite(accuracy)) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric %s: its accuracy is NaN or infinite",
                     lpot_metric_name(metric));
  }
  state->samples = 1;
  state->sum = accuracy;
  return LPOT_OK;
}

double lpot_metric_chance_level(const lpot_metric *metric, int64_t num_classes) {
  bool known = num_classes > 0 && metric->class_of->chance_level != NULL;
  return known ? metric->class_of->chance_level(metric, num_classes) : (double)NAN;
}

void lpot_metric_state_init(lpot_metric_state *state) {
  *state = (lpot_metric_state){0};
}

void lpot_metric_state_done(lpot_metric_state *state) {
  lpot_buffer_done(&state->records);
  *state = (lpot_metric_state){0};
}

lpot_status lpot_metric_update(const lpot_metric *metric, const lpot_tensor *const *outputs,
                               size_t num_outputs, const lpot_batch *batch,
                               lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  if (num_outputs == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric %s: the model has no outputs",
                     metric->class_of->name);
  }
  bool needs_labels = !metric->class_of->needs_no_labels;
  if (needs_labels && batch->labels == NULL && batch->row_labels == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID, "metric %s: the dataset has no labels",
                     metric->class_of->name);
  }
  if (needs_labels && batch->labels == NULL && !metric->class_of->reads_row_labels) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "metric %s: labels differ in shape from sample to sample, such as lists of "
                     "boxes: it cannot read them",
                     metric->class_of->name);
  }
  lpot_metric_state before = *state;
  size_t size_before = state->records.size;
  lpot_status status =
      metric->class_of->update(metric, outputs, num_outputs, batch, state, correct, err);
  if (status != LPOT_OK) {
    before.records = state->records; /* It may have been moved; what was appended is cut off. */
    before.records.size = size_before;
    *state = before;
  }
  return status;
}

static void merge_counts(lpot_metric_state *into, const lpot_metric_state *from) {
  into->samples += from->samples;
  into->correct += from->correct;
  into->elements += from->elements;
  into->sum += from->sum;
  into->bad += from->bad;
  into->classes = from->classes > into->classes ? from->classes : into->classes;
  if (into->first_class == 0) {
    into->first_class = from->first_class;
  } else if (from->first_class != 0 && from->first_class != into->first_class) {
    into->first_class = UINT64_MAX;
  }
}

lpot_status lpot_metric_state_merge(const lpot_metric *metric, lpot_metric_state *into,
                                    const lpot_metric_state *from, lpot_error *err) {
  if (metric->class_of->merge_records != NULL) {
    LPOT_TRY(metric->class_of->merge_records(metric, &into->records, &from->records, err));
  } else if (from->records.size > 0) {
    LPOT_TRY(lpot_buffer_append(&into->records, from->records.data, from->records.size, err));
  }
  merge_counts(into, from);
  return LPOT_OK;
}

lpot_status lpot_metric_state_write(const lpot_metric_state *state, lpot_buffer *out,
                                    lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, state->samples, err));
  LPOT_TRY(lpot_writer_u64(out, state->correct, err));
  LPOT_TRY(lpot_writer_u64(out, state->elements, err));
  LPOT_TRY(lpot_writer_f64(out, state->sum, err));
  LPOT_TRY(lpot_writer_u64(out, state->bad, err));
  LPOT_TRY(lpot_writer_u64(out, state->classes, err));
  LPOT_TRY(lpot_writer_u64(out, state->first_class, err));
  LPOT_TRY(lpot_writer_u64(out, state->records.size, err));
  if (state->records.size > 0) {
    LPOT_TRY(lpot_writer_bytes(out, state->records.data, state->records.size, err));
  }
  return LPOT_OK;
}

static lpot_status read_records(lpot_reader *reader, lpot_buffer *records, lpot_error *err) {
  uint64_t size = 0;
  const uint8_t *bytes = NULL;
  LPOT_TRY(lpot_reader_u64(reader, &size, err));
  if (size > LPOT_MAX_METRIC_RECORDS || size > lpot_reader_remaining(reader)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric state with %llu bytes of records, but %zu follow",
                     (unsigned long long)size, lpot_reader_remaining(reader));
  }
  if (size > 0) {
    LPOT_TRY(lpot_reader_bytes(reader, (size_t)size, &bytes, err));
    LPOT_TRY(lpot_buffer_append(records, bytes, (size_t)size, err));
  }
  return LPOT_OK;
}

lpot_status lpot_metric_state_read(lpot_reader *reader, lpot_metric_state *ret_state,
                                   lpot_error *err) {
  lpot_metric_state state = {0};
  LPOT_TRY(lpot_reader_u64(reader, &state.samples, err));
  LPOT_TRY(lpot_reader_u64(reader, &state.correct, err));
  LPOT_TRY(lpot_reader_u64(reader, &state.elements, err));
  LPOT_TRY(lpot_reader_f64(reader, &state.sum, err));
  LPOT_TRY(lpot_reader_u64(reader, &state.bad, err));
  LPOT_TRY(lpot_reader_u64(reader, &state.classes, err));
  LPOT_TRY(lpot_reader_u64(reader, &state.first_class, err));
  if (state.correct > state.samples || state.bad > state.samples) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric state with %llu right and %llu bad of %llu samples",
                     (unsigned long long)state.correct, (unsigned long long)state.bad,
                     (unsigned long long)state.samples);
  }
  LPOT_TRY(read_records(reader, &state.records, err));
  *ret_state = state;
  return LPOT_OK;
}

lpot_status lpot_metric_value(const lpot_metric *metric, const lpot_metric_state *state,
                              double *ret_value, lpot_error *err) {
  if (state->samples == 0) {
    *ret_value = (double)NAN;
    return LPOT_OK;
  }
  if (metric->class_of->value_of_records == NULL) {
    *ret_value = metric->class_of->value(state);
    return LPOT_OK;
  }
  return metric->class_of->value_of_records(metric, state, ret_value, err);
}
