/* plugin: a metric of a user's shared object; settings as of the dataset of that name. A state's
 * records are the component's sums. */
#include <math.h>
#include <string.h>

#include "base/guard.h"
#include "base/memory.h"
#include "data/metric_class.h"
#include "data/plugin_batch.h"

#define MAX_SUMS 64
#define VALUE_SECONDS 10.0

typedef struct metric_plugin {
  lpot_metric base;
  lpot_plugin plugin;
} metric_plugin;

static const metric_plugin *self_of(const lpot_metric *metric) {
  return (const metric_plugin *)metric;
}

static const lpot_component_metric *functions_of(const metric_plugin *self) {
  return (const lpot_component_metric *)self->plugin.component;
}

static lpot_status plugin_parse(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  metric_plugin *self = (metric_plugin *)metric;
  LPOT_TRY(lpot_plugin_open(&self->plugin, LPOT_PLUGIN_METRIC, node, err));
  metric->is_graded = functions_of(self)->is_right == NULL;
  metric->own_name = self->plugin.component->name;
  metric->lower_is_better = functions_of(self)->lower_is_better != 0;
  metric->evaluates_model = functions_of(self)->evaluate != NULL;
  return LPOT_OK;
}

static void plugin_done(lpot_metric *metric) {
  lpot_plugin_close(&((metric_plugin *)metric)->plugin);
}

/* ---- right or wrong ---- */

static lpot_status count_right(const metric_plugin *self, const lpot_plugin_batch *batch,
                               uint8_t *right, lpot_metric_state *state, uint8_t *correct,
                               lpot_error *err) {
  lpot_plugin_call call;
  lpot_plugin_begin(&call, &self->plugin, 0, NULL, NULL);
  int returned = functions_of(self)->is_right(self->plugin.object, &batch->view, right, call.error);
  LPOT_TRY(lpot_plugin_end(&call, returned, err));
  for (int64_t row = 0; row < batch->view.count; row++) {
    if (right[row] > 1) {
      return lpot_plugin_fail(&self->plugin, err, "right[%lld] is %d, expected 0 or 1",
                              (long long)row, right[row]);
    }
    state->samples++;
    state->correct += right[row];
    lpot_metric_mark(correct, row, right[row] == 1);
  }
  return LPOT_OK;
}

/* ---- sums ---- */

static lpot_status read_sums(const metric_plugin *self, const lpot_buffer *records,
                             double sums[MAX_SUMS], lpot_error *err) {
  size_t size = functions_of(self)->num_sums * sizeof(double);
  memset(sums, 0, MAX_SUMS * sizeof *sums);
  if (records->size != 0 && records->size != size) {
    return LPOT_FAIL(err, LPOT_FORMAT, "metric %s: %zu bytes of sums, expected %zu",
                     self->plugin.component->name, records->size, size);
  }
  if (records->size > 0) {
    memcpy(sums, records->data, size);
  }
  return LPOT_OK;
}

static lpot_status write_sums(const metric_plugin *self, lpot_buffer *records,
                              const double sums[MAX_SUMS], lpot_error *err) {
  size_t size = functions_of(self)->num_sums * sizeof(double);
  if (records->size == 0) {
    return lpot_buffer_append(records, sums, size, err);
  }
  memcpy(records->data, sums, size);
  return LPOT_OK;
}

static lpot_status add_sums(const metric_plugin *self, const lpot_plugin_batch *batch,
                            lpot_metric_state *state, lpot_error *err) {
  double sums[MAX_SUMS];
  lpot_plugin_call call;
  LPOT_TRY(read_sums(self, &state->records, sums, err));
  lpot_plugin_begin(&call, &self->plugin, 0, NULL, NULL);
  int returned = functions_of(self)->add(self->plugin.object, &batch->view, sums, call.error);
  LPOT_TRY(lpot_plugin_end(&call, returned, err));
  state->samples += (uint64_t)batch->view.count;
  return write_sums(self, &state->records, sums, err);
}

static lpot_status plugin_merge(const lpot_metric *metric, lpot_buffer *into,
                                const lpot_buffer *from, lpot_error *err) {
  double sums[MAX_SUMS];
  double more[MAX_SUMS];
  if (metric->is_graded && !metric->evaluates_model) {
    LPOT_TRY(read_sums(self_of(metric), into, sums, err));
    LPOT_TRY(read_sums(self_of(metric), from, more, err));
    for (size_t i = 0; i < MAX_SUMS; i++) {
      sums[i] += more[i];
    }
    LPOT_TRY(write_sums(self_of(metric), into, sums, err));
  }
  return LPOT_OK;
}

/* ---- a whole evaluation ---- */

static lpot_status plugin_evaluate(const lpot_metric *metric, struct lpot_model *model,
                                   double *ret_accuracy, lpot_error *err) {
  const metric_plugin *self = self_of(metric);
  lpot_plugin_call call;
  lpot_plugin_begin(&call, &self->plugin, 0, NULL, NULL);
  int returned = functions_of(self)->evaluate(self->plugin.object, model, ret_accuracy, call.error);
  return lpot_plugin_end(&call, returned, err);
}

/* ---- all ---- */

static lpot_status plugin_update(const lpot_metric *metric, const lpot_tensor *const *outputs,
                                 size_t num_outputs, const lpot_batch *batch,
                                 lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  lpot_plugin_batch view;
  lpot_plugin_batch_init(&view, outputs, num_outputs, batch);
  if (metric->is_graded) {
    return add_sums(self_of(metric), &view, state, err);
  }
  uint8_t *right = lpot_calloc((size_t)batch->num_valid + 1, 1);
  if (right == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = count_right(self_of(metric), &view, right, state, correct, err);
  lpot_free(right);
  return status;
}

typedef struct value_task {
  const metric_plugin *self;
  double sums[MAX_SUMS];
  int64_t samples;
} value_task;

typedef struct value_answer {
  double value;
  int returned;
  lpot_plugin_call call;
} value_answer;

static void compute_value(void *context, void *result) {
  const value_task *task = context;
  value_answer *answer = result;
  answer->returned = functions_of(task->self)
                         ->value(task->self->plugin.object, task->sums, task->samples,
                                 &answer->value, answer->call.error);
}

/* The coordinator asks for values: it must outlive them. */
static lpot_status plugin_value(const lpot_metric *metric, const lpot_metric_state *state,
                                double *ret_value, lpot_error *err) {
  const metric_plugin *self = self_of(metric);
  if (metric->evaluates_model) {
    *ret_value = state->sum;
    return LPOT_OK;
  }
  if (!metric->is_graded) {
    *ret_value = lpot_metric_share(state);
    return LPOT_OK;
  }
  value_task task = {.self = self, .samples = (int64_t)state->samples};
  value_answer answer = {.value = (double)NAN};
  LPOT_TRY(read_sums(self, &state->records, task.sums, err));
  lpot_plugin_begin(&answer.call, &self->plugin, 0, NULL, NULL);
  lpot_error error = {0};
  lpot_status status =
      lpot_guard_run(compute_value, &task, VALUE_SECONDS, &answer, sizeof answer, &error);
  if (status != LPOT_OK) {
    return lpot_plugin_fail(&self->plugin, err, "value %s", error.message);
  }
  *ret_value = answer.value;
  return lpot_plugin_end(&answer.call, answer.returned, err);
}

const lpot_metric_class lpot_metric_class_plugin = {
    .name = "plugin",
    .size_bytes = sizeof(metric_plugin),
    .higher_is_better = true,
    .is_per_sample = true,
    .needs_no_labels = true,
    .reads_row_labels = true,
    .parse = plugin_parse,
    .done = plugin_done,
    .update = plugin_update,
    .evaluate = plugin_evaluate,
    .merge_records = plugin_merge,
    .value_of_records = plugin_value,
};
