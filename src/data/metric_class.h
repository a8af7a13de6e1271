/* What a metric class brings to metric_table.c.
 *
 * To add a metric: one file metric/metric_NAME.c that defines its class, one declaration here, one
 * row in each list of metric_table.c, one test. */
#ifndef LPOT_DATA_METRIC_CLASS_H
#define LPOT_DATA_METRIC_CLASS_H

#include "data/metric.h"

typedef struct lpot_metric_class {
  const char *name;  /* as in the YAML */
  size_t size_bytes; /* of the class's own struct, which begins with lpot_metric */
  bool higher_is_better;
  double range;          /* largest less smallest possible value; 0: without bound */
  bool is_per_sample;    /* a sample is right or wrong */
  bool needs_no_labels;  /* samples need not have any */
  bool reads_row_labels; /* of the two, false: update is never given a batch without labels */
  /* Fills the zero-filled object. On failure it is only done. */
  lpot_status (*parse)(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err);
  void (*done)(lpot_metric *metric); /* frees what parse made, not the object; (optional) */
  /* At least one output; on failure the caller restores the state. */
  lpot_status (*update)(const lpot_metric *metric, const lpot_tensor *const *outputs,
                        size_t num_outputs, const lpot_batch *batch, lpot_metric_state *state,
                        uint8_t *correct, lpot_error *err);
  /* (optional) Instead of update, where the metric evaluates_model: see lpot_metric_evaluate. */
  lpot_status (*evaluate)(const lpot_metric *metric, struct lpot_model *model, double *ret_accuracy,
                          lpot_error *err);
  /* Joins the records, the counts are joined by the caller; (optional: from's are appended). */
  lpot_status (*merge_records)(const lpot_metric *metric, lpot_buffer *into,
                               const lpot_buffer *from, lpot_error *err);
  /* Of at least one sample; one of the two. */
  double (*value)(const lpot_metric_state *state);
  lpot_status (*value_of_records)(const lpot_metric *metric, const lpot_metric_state *state,
                                  double *ret_value, lpot_error *err);
  /* num_classes > 0; (optional: no level). */
  double (*chance_level)(const lpot_metric *metric, int64_t num_classes);
} lpot_metric_class;

struct lpot_metric {
  const lpot_metric_class *class_of;
  /* Set by parse: */
  bool is_graded;       /* samples are not right or wrong, whatever the class says */
  bool lower_is_better; /* whatever the class says */
  const char *own_name; /* NULL: the class's */
  bool compares_models; /* the labels are the f32 model's outputs */
  bool evaluates_model; /* see lpot_metric_evaluates */
};

extern const lpot_metric_class lpot_metric_class_accuracy;
extern const lpot_metric_class lpot_metric_class_coco_map;
extern const lpot_metric_class lpot_metric_class_f1;
extern const lpot_metric_class lpot_metric_class_glue;
extern const lpot_metric_class lpot_metric_class_loss;
extern const lpot_metric_class lpot_metric_class_mae;
extern const lpot_metric_class lpot_metric_class_map;
extern const lpot_metric_class lpot_metric_class_miou;
extern const lpot_metric_class lpot_metric_class_mse;
extern const lpot_metric_class lpot_metric_class_plugin;
extern const lpot_metric_class lpot_metric_class_rmse;
extern const lpot_metric_class lpot_metric_class_squad_f1;
extern const lpot_metric_class lpot_metric_class_topk;
extern const lpot_metric_class lpot_metric_class_voc_map;

/* Helpers that several metrics share (metric_common.c). */

/* Number of scores per sample of output [batch, ...] where all but one of the other dimensions are
 * 1; LPOT_INVALID where more are not, or where output has fewer rows than samples count. */
LPOT_MUST_CHECK lpot_status lpot_metric_num_scores(const char *name, const lpot_tensor *output,
                                                   const lpot_batch *batch, int64_t *ret,
                                                   lpot_error *err);
/* The class of a row: a whole number, or the place of the 1 in a row of num_classes zeros (a row
 * of one number is a whole number). LPOT_FORMAT naming the sample where it is not in
 * [0, num_classes). */
LPOT_MUST_CHECK lpot_status lpot_metric_label(const lpot_batch *batch, int64_t row,
                                              int64_t num_classes, int64_t *ret, lpot_error *err);
/* Numbers per sample, which output and labels must agree on, else LPOT_INVALID. */
LPOT_MUST_CHECK lpot_status lpot_metric_row_width(const lpot_metric *metric,
                                                  const lpot_tensor *output,
                                                  const lpot_batch *batch, int64_t *ret,
                                                  lpot_error *err);
/* Score of element index of a tensor, fast where it is f32. */
double lpot_metric_score(const lpot_tensor *tensor, int64_t index);
/* How a row of num_scores scores looks. */
typedef struct lpot_metric_row {
  bool has_nan;
  bool has_infinity;
  int64_t best; /* index of the largest score, the first of equals; 0 where there is NaN */
} lpot_metric_row;
lpot_metric_row lpot_metric_look(const lpot_tensor *output, int64_t row, int64_t num_scores);
/* Counts one answer: sample, bad, right, and the class predicted (not where row has NaN). */
void lpot_metric_count(const lpot_metric_row *row, int64_t predicted, bool is_right,
                       lpot_metric_state *state);
/* Sets or clears bit row of correct (may be NULL). */
void lpot_metric_mark(uint8_t *correct, int64_t row, bool is_right);
/* Share of right answers, for classes that count. */
double lpot_metric_share(const lpot_metric_state *state);

#endif
