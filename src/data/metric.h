/* Metrics with mergeable state. One class per file, registered in metric_table.c.
 *
 * A state is kept per block; states are merged in block order (counts as integers, sums in
 * double), so that sharding changes no bit of the result. */
#ifndef LPOT_DATA_METRIC_H
#define LPOT_DATA_METRIC_H

#include "base/buffer.h"
#include "base/reader.h"
#include "base/yaml_tree.h"
#include "data/loader.h"
#include "tensor/tensor.h"

#define LPOT_MAX_METRIC_RECORDS (256u << 20) /* bytes of one state's records */

typedef struct lpot_metric lpot_metric;
typedef struct lpot_metric_state {
  uint64_t samples;  /* samples seen */
  uint64_t correct;  /* counting metrics: right answers */
  uint64_t elements; /* averaging metrics: numbers compared */
  double sum;        /* averaging metrics: sum of errors */
  uint64_t bad;      /* predictions that were NaN or infinite */
  uint64_t classes;  /* counting metrics: classes of the outputs, 0 before the first sample */
  /* Index + 1 of the class predicted so far, 0 before the first sample; UINT64_MAX once two were
   * seen. */
  uint64_t first_class;
  lpot_buffer records; /* what the metric's class keeps beside: bytes of its own form; owned */
} lpot_metric_state;

const char *const *lpot_metric_names(void);
/* node: the map under "metric" with exactly one key (its value may be null, a number or a map of
 * settings). */
LPOT_MUST_CHECK lpot_status lpot_metric_new(const lpot_yaml_node *node, lpot_metric **ret_metric,
                                            lpot_error *err);
void lpot_metric_free(lpot_metric *metric);
const char *lpot_metric_name(const lpot_metric *metric);
/* The metric's own sense: topk true, MSE false. */
bool lpot_metric_higher_is_better(const lpot_metric *metric);
/* Largest less smallest possible value: 1 of a share, 100 of a percentage; 0 without bound. */
double lpot_metric_range(const lpot_metric *metric);
bool lpot_metric_is_per_sample(const lpot_metric *metric);
/* True where labels are the first output of the f32 model on the same samples, not the dataset's:
 * the caller puts it into batch->labels. */
bool lpot_metric_compares_models(const lpot_metric *metric);
/* True where the metric does a whole evaluation by itself, on data of its own
 * (include/lpot/component.h: evaluate): it is never updated. */
bool lpot_metric_evaluates(const lpot_metric *metric);
struct lpot_model; /* as code of users knows it: include/lpot/model.h */
/* Its evaluation of model, as the only sample of state (initialised). LPOT_INVALID where the number
 * is NaN or infinite. */
LPOT_MUST_CHECK lpot_status lpot_metric_evaluate(const lpot_metric *metric,
                                                 struct lpot_model *model, lpot_metric_state *state,
                                                 lpot_error *err);
/* Share of right answers of a constant guess, given num_classes (of the dataset, or state.classes
 * where it does not know); NaN when meaningless or num_classes is 0. 1: every answer is right. */
double lpot_metric_chance_level(const lpot_metric *metric, int64_t num_classes);

void lpot_metric_state_init(lpot_metric_state *state);
void lpot_metric_state_done(lpot_metric_state *state); /* empty again */
/* Adds the first batch->num_valid rows of outputs [num_outputs] (outputs[0] [batch, classes] for
 * topk and Accuracy, further dimensions of 1 allowed). NaN outputs count as wrong and in
 * state->bad; in MSE, MAE and RMSE an output that is not finite makes the value infinite. correct
 * (may be NULL): bit i set when row i is right, else cleared, for per-sample metrics. A label
 * outside [0, classes) is LPOT_FORMAT naming sample and label, and state is unchanged; ties in
 * topk: the lower index wins, as ONNX Runtime's argmax. */
LPOT_MUST_CHECK lpot_status lpot_metric_update(const lpot_metric *metric,
                                               const lpot_tensor *const *outputs,
                                               size_t num_outputs, const lpot_batch *batch,
                                               lpot_metric_state *state, uint8_t *correct,
                                               lpot_error *err);
/* from follows into in the order of the samples. */
LPOT_MUST_CHECK lpot_status lpot_metric_state_merge(const lpot_metric *metric,
                                                    lpot_metric_state *into,
                                                    const lpot_metric_state *from, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_metric_state_write(const lpot_metric_state *state,
                                                    lpot_buffer *out, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_metric_state_read(lpot_reader *reader,
                                                   lpot_metric_state *ret_state, lpot_error *err);
/* NaN of no samples. LPOT_FORMAT when the records are not of the metric's form. */
LPOT_MUST_CHECK lpot_status lpot_metric_value(const lpot_metric *metric,
                                              const lpot_metric_state *state, double *ret_value,
                                              lpot_error *err);

#endif
