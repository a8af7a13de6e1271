/* The configuration: LPOT's YAML as a typed struct.
 *
 * Read from a YAML tree on every rank alike; errors are "file:line:column: path: text" with the
 * nearest valid name. Keys of LPOT's schema that are not supported yet are known by name and
 * answered "not supported yet" with their line. Semantics that LPOT left open:
 * - timeout 0: stop at the first recipe that meets the criterion (the lowest trial id wins);
 * timeout > 0: go on for so many seconds, the best accepted recipe by the objective wins.
 * - relative / absolute: target = baseline -/+ |baseline| * relative, or -/+ absolute. */
#ifndef LPOT_TUNE_CONFIG_H
#define LPOT_TUNE_CONFIG_H

#include "base/buffer.h"
#include "base/yaml_tree.h"
#include "data/loader.h"
#include "strategy/space.h"
#include "tune/objective.h"

typedef enum lpot_measure_when {
  LPOT_MEASURE_WHEN_NEEDED, /* if the strategy asks for it */
  LPOT_MEASURE_ALWAYS,
  LPOT_MEASURE_NEVER
} lpot_measure_when;
typedef enum lpot_export_format { LPOT_EXPORT_QDQ, LPOT_EXPORT_QOPERATOR } lpot_export_format;

typedef struct lpot_dataloader_config {
  int64_t batch_size;               /* default 1 */
  const lpot_yaml_node *last_batch; /* where the file says discard; NULL: rollover */
  bool keeps_order;                 /* shuffle: false */
  const char *dataset;              /* name; NULL when there is no such section */
  const lpot_yaml_node *dataset_settings;
  const lpot_yaml_node *filter;    /* the map under "filter"; NULL: none */
  const lpot_yaml_node *transform; /* NULL: none */
} lpot_dataloader_config;

typedef struct lpot_config {
  const char *model_name;
  lpot_export_format export_format;
  lpot_dataloader_config calibration; /* taken from evaluation when the file has none */
  const lpot_yaml_node *q_func; /* settings of a calibration of the user's own, in the place of
                                   data; NULL: none */
  lpot_dataloader_config evaluation;
  bool dynamic; /* approach: post_training_dynamic_quant; calibration and sampling sizes are unused
                 */
  bool trains;  /* approach: quant_aware_training */
  const lpot_yaml_node *metric;      /* the map under evaluation.accuracy.metric */
  const lpot_yaml_node *postprocess; /* under evaluation.accuracy.postprocess; NULL: none */
  lpot_wishes wishes; /* sampling sizes, model_wise, op_wise, recipes; arrays owned by the config */
  const char *strategy;                   /* default "auto" */
  double accuracy_weight, latency_weight; /* tpe; default 1 */
  size_t num_command;
  const char *const *command; /* [num_command] external: the program and its arguments */
  double proposal_seconds;    /* external: how long the program may take; default 600 */
  bool absolute;              /* criterion is absolute */
  double tolerance;           /* default 0.01 relative */
  bool higher_is_better;
  bool higher_is_better_given; /* false: the metric's own sense holds */
  lpot_objectives objectives;  /* default performance */
  double timeout_seconds;      /* 0: stop at the first success */
  int64_t max_trials;          /* default 100 */
  bool performance_only;
  double holdout; /* part of the evaluation set that the search does not see; 0: none (default) */
  const lpot_yaml_node *holdout_node; /* where the file says so; NULL: it does not */
  bool racing;    /* recipes that clearly miss the criterion are rejected early; default true */
  bool mixed_isa; /* workers may be of different numeric classes; default false */
  lpot_measure_when op_times; /* when what each op costs is measured, once */
  bool cold_weights;          /* latency: caches are swept before every timing */
  uint64_t seed;              /* default 1978 */
  int64_t lease_seconds;      /* a worker may be silent for so long at least; default 60 */
  const char *workspace;      /* default ./lpot_workspace/<model name> */
  int64_t cores_per_instance; /* latency: cores of the measuring rank; 0: not given, 1 */
  int64_t num_instances;      /* performance.configs.num_of_instance; benchmarks only; default 1 */
  int64_t warmup;             /* evaluation.performance.warmup, default 5 */
  int64_t iteration; /* evaluation.performance.iteration, -1 = until the interval is small */
  lpot_dataloader_config
      performance; /* batch size of the latency measurement; taken from evaluation when absent */
  const lpot_yaml_node *bf16; /* the first dtype that names it; NULL: none does */
  int64_t evaluation_batches; /* evaluation.accuracy.iteration; -1: all */
  const lpot_yaml_node *train, *pruning, *conversion; /* sections that are not run yet, or NULL */
  size_t num_warnings;
  const char *const
      *warnings; /* deprecated, ignored or contradictory keys, "file:line:column: ..." each */
  const lpot_yaml *yaml; /* the tree all pointers above point into; owned */
} lpot_config;

/* What a configuration is read for: which keys must be there, and which have no effect. */
typedef enum lpot_config_purpose {
  LPOT_CONFIG_TUNE,
  LPOT_CONFIG_BENCHMARK /* data of evaluation.performance or evaluation.accuracy are enough */
} lpot_config_purpose;

/* Reads the tree (moved, also on failure) for tuning. LPOT_CONFIG: all errors of the file are
 * found; err has the last of them, and earlier (initialised; may be NULL) gets a line for each of
 * the others, in the order of the file. */
LPOT_MUST_CHECK lpot_status lpot_config_new(lpot_yaml **yaml, lpot_config **ret_config,
                                            lpot_buffer *earlier, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_config_new_for(lpot_config_purpose purpose, lpot_yaml **yaml,
                                                lpot_config **ret_config, lpot_buffer *earlier,
                                                lpot_error *err);
void lpot_config_free(lpot_config *config);
/* Sampling sizes above limit become limit; what is then equal counts once. */
LPOT_MUST_CHECK lpot_status lpot_config_limit_sampling(lpot_config *config, int64_t limit,
                                                       lpot_error *err);

/* LPOT_CONFIG at the place that names bf16, if one does; isa: what this machine has instead. */
LPOT_MUST_CHECK lpot_status lpot_config_refuse_bf16(const lpot_config *config, const char *isa,
                                                    lpot_error *err);

/* LPOT_CONFIG where evaluation.accuracy.metric is missing, which only a benchmark may leave out. */
LPOT_MUST_CHECK lpot_status lpot_config_need_metric(const lpot_config *config, lpot_error *err);

/* LPOT_CONFIG at the place that asks for what is read but not run yet: quantization-aware training,
 * and pruning or model conversion in a file that does not ask for quantization. */
LPOT_MUST_CHECK lpot_status lpot_config_check_supported(const lpot_config *config, lpot_error *err);

/* The objectives in the text or map under tuning.objective. */
LPOT_MUST_CHECK lpot_status lpot_config_objective(const lpot_yaml_node *node,
                                                  lpot_objectives *ret_objectives, lpot_error *err);

/* LPOT_CONFIG where a relative criterion decides and the baseline is 0: no loss can be told. */
LPOT_MUST_CHECK lpot_status lpot_config_check_baseline(const lpot_config *config, double baseline,
                                                       lpot_error *err);
/* True when the search goes on to find the best accepted recipe by the objectives: with a timeout,
 * and for the objective accuracy. Else the first one is taken. */
bool lpot_config_compares(const lpot_config *config);
/* The smallest (largest for lower-is-better) metric value that meets the criterion. */
double lpot_config_target(const lpot_config *config, bool higher_is_better, double baseline);
/* A relative criterion is never met with a baseline of 0. */
bool lpot_config_meets(const lpot_config *config, bool higher_is_better, double baseline,
                       double accuracy);
/* (baseline - accuracy) / |baseline|, sign turned for lower-is-better; NaN for baseline 0. */
double lpot_relative_loss(bool higher_is_better, double baseline, double accuracy);

/* The effective configuration as YAML, defaults filled in; without workspace, limits of time and
 * trials when `identity` is set: two runs may only share a journal when these texts are equal. */
LPOT_MUST_CHECK lpot_status lpot_config_text(const lpot_config *config, bool identity,
                                             lpot_buffer *out, lpot_error *err);

/* LPOT_INVALID: names the key in which the identity text of a journal differs from config's own,
 * both values, and where the new one was written ("conf.yaml:12:5", "--set KEY"). Of several keys
 * the first one that was written by the user is named. */
lpot_status lpot_config_fail_difference(const lpot_config *config, const char *old_identity,
                                        const char *identity, lpot_error *err);

#endif
