/* What every rank has of a job: configuration, graph, engine, data. Built from the command line
 * and the file system alike on every rank, so that only recipes and results travel. */
#ifndef LPOT_TUNE_JOB_H
#define LPOT_TUNE_JOB_H

#include "data/loader.h"
#include "data/metric.h"
#include "data/plugin.h"
#include "data/postprocess.h"
#include "engine/engine.h"
#include "formats/model.h"
#include "quant/calibration.h"
#include "quant/quant_ops.h"
#include "quant/weight_cache.h"
#include "strategy/space.h"
#include "tune/config.h"
#include "tune/evaluation.h"

typedef struct lpot_job_options {
  const char *config_path; /* the file, or the name of config_text in messages */
  const char *config_text; /* NULL: read config_path */
  size_t num_settings;
  const char *const *settings; /* [num_settings] "KEY.PATH=VALUE" */
  const char *model_path;
  const char *folder; /* where relative paths of data start; NULL: the working directory */
  const char *engine_name;
  int local_ranks; /* ranks that share this host's memory */
  bool warns;      /* this rank logs warnings */
  bool needs_data; /* false: datasets are not opened, there is no metric */
  lpot_config_purpose purpose;
} lpot_job_options;

#define LPOT_KEPT_PLANS 2 /* recipes whose compiled plans stay in memory, if they are not large */

/* A compiled plan at batch_size. */
typedef struct lpot_kept_plan {
  lpot_plan *plan; /* owned; NULL: none */
  uint64_t hash;   /* of its recipe; 0 = f32 */
} lpot_kept_plan;

typedef struct lpot_job_calibration {
  lpot_calibration_key key;
  lpot_calibration *calibration; /* owned */
} lpot_job_calibration;

typedef struct lpot_job {
  lpot_config *config;
  const char *folder; /* of the options; borrowed */
  bool higher_is_better;
  lpot_model_info model;
  lpot_graph *graph; /* normalised, symbolic batch */
  lpot_graph *bound; /* the same at batch_size */
  lpot_quant_ops *ops;
  lpot_weight_cache *weights; /* quantized forms of graph's weights */
  lpot_graph *equalized;      /* quant/equalize.h of graph; NULL until somebody calibrates it */
  lpot_weight_cache *equalized_weights; /* of equalized */
  lpot_engine *engine;
  lpot_loader *evaluation;  /* batches of batch_size; NULL without needs_data; where the metric
                               evaluates by itself, samples to compare recipes on */
  lpot_loader *calibration; /* batches of calibration_batch, in calibration order; NULL under
                               dynamic quantization, and where a function calibrates */
  lpot_plugin calibrator;   /* that function; nothing is open where there is none */
  lpot_metric *metric;
  lpot_plan *reference; /* f32, beside the plan that is evaluated, for metrics that compare the two;
                           NULL until it is needed */
  lpot_postprocess *postprocess; /* of the outputs, before the metric; may be an empty chain */
  int64_t batch_size;            /* of evaluations: the configured one, or what the model allows */
  int64_t fixed_batch;           /* the only batch size that the model can run; 0: any */
  int64_t calibration_batch;     /* 1 unless the model's batch is fixed */
  int64_t block_batches;         /* batches in one block */
  lpot_blocks blocks;            /* of the evaluation set, without what is held out */
  lpot_blocks held_out;          /* of that part (holdout.h); no blocks: nothing is held out */
  uint8_t *batch_correct;  /* scratch for the bits of one batch; NULL: the metric knows no right */
  lpot_buffer f32_outputs; /* f32's outputs that recipes are compared with (sense.h); empty: not
                              computed yet */
  lpot_kept_plan plans[LPOT_KEPT_PLANS]; /* of the last evaluations, the latest first */
  double best_f32_ms;    /* per sample: the fastest that a latency measurement of this process has
                            seen; 0: none was made */
  double least_crowding; /* the same of core_probe.h */
  size_t num_calibrations;
  lpot_job_calibration *calibrations; /* [num_calibrations] */
} lpot_job;

/* Asked between two batches: true when the work is not wanted any more. */
typedef struct lpot_stop {
  bool (*requested)(void *context);
  void *context;
} lpot_stop;

/* The configuration alone. LPOT_CONFIG; where options->warns, warnings and all errors but the last
 * are logged. */
LPOT_MUST_CHECK lpot_status lpot_job_read_config(const lpot_job_options *options,
                                                 lpot_config **ret_config, lpot_error *err);
/* Whether the configuration names plug-ins, without opening one, as lpot_job_read_config does. */
LPOT_MUST_CHECK lpot_status lpot_job_find_plugins(const lpot_job_options *options, bool *ret_used,
                                                  lpot_error *err);
/* LPOT_CONFIG, LPOT_NOT_FOUND, LPOT_FORMAT, LPOT_UNSUPPORTED ... naming the place. */
LPOT_MUST_CHECK lpot_status lpot_job_new(const lpot_job_options *options, lpot_job **ret_job,
                                         lpot_error *err);
/* For a process that must outlive the plug-ins of the configuration: where there are any, a job is
 * first built (or, without a model_path, the configuration read) by a child process, and
 * LPOT_CRASHED is all that comes of a plug-in that ends or stops that. */
LPOT_MUST_CHECK lpot_status lpot_job_probe(const lpot_job_options *options, lpot_error *err);
/* lpot_job_new behind lpot_job_probe. What plug-ins print goes to standard error. */
LPOT_MUST_CHECK lpot_status lpot_job_new_guarded(const lpot_job_options *options,
                                                 lpot_job **ret_job, lpot_error *err);
void lpot_job_free(lpot_job *job); /* NULL is allowed */

/* lpot_model_load where a file that cannot be opened is the model's fault (LPOT_FORMAT), not a
 * failure of the run. */
LPOT_MUST_CHECK lpot_status lpot_job_load_model(const char *path, lpot_graph **ret_graph,
                                                lpot_model_info *ret_info, lpot_error *err);

#define LPOT_LATENCY_BATCHES 4 /* different inputs that the measured runs take in turn */
/* The loader of the performance section, its batches checked against the model. */
LPOT_MUST_CHECK lpot_status lpot_job_open_performance(const lpot_job *job, lpot_loader **ret_loader,
                                                      lpot_error *err);
/* Opens a loader as a section of the configuration describes it, with another batch size. */
LPOT_MUST_CHECK lpot_status lpot_job_open_loader(const lpot_job *job,
                                                 const lpot_dataloader_config *section,
                                                 int64_t batch_size, int64_t max_samples,
                                                 uint64_t cache_bytes, lpot_loader **ret_loader,
                                                 lpot_error *err);
/* lpot_loader_batch for the tune floor: see lpot_job_blame_data. */
LPOT_MUST_CHECK lpot_status lpot_job_batch(lpot_loader *loader, int64_t index,
                                           const lpot_batch **ret_batch, lpot_error *err);
/* Of which the calibration takes the first ones; a function has as many as it is asked for.
 * Quantization is not dynamic. */
int64_t lpot_job_calibration_samples(const lpot_job *job);
/* Those of the part held out, or of the rest. */
const lpot_blocks *lpot_job_blocks(const lpot_job *job, bool held_out);
/* What went wrong with a data set, with its samples or labels, is the data's fault (LPOT_DATA) or
 * the configuration's (LPOT_CONFIG), not the model's or the command line's. */
lpot_status lpot_job_blame_data(lpot_status status, lpot_error *err);
/* The batch size that the model lets us use where wanted is asked for. */
int64_t lpot_job_allowed_batch(const lpot_job *job, int64_t wanted);

/* The f32 graph that statistics with this flag are of; borrowed. The equalized one is made when it
 * is first asked for, alike on every rank: it follows from the weights. */
LPOT_MUST_CHECK lpot_status lpot_job_variant(lpot_job *job, bool equalized,
                                             const lpot_graph **ret_graph, lpot_error *err);
/* NULL when there is none. */
const lpot_calibration *lpot_job_find_calibration(const lpot_job *job, lpot_calibration_key key);
/* *calibration is moved, also on failure. One that is there already is replaced. Makes the graph
 * that it is of. */
LPOT_MUST_CHECK lpot_status lpot_job_add_calibration(lpot_job *job, lpot_calibration_key key,
                                                     lpot_calibration **calibration,
                                                     lpot_error *err);

/* The graph of a recipe: QDQ form or dynamic one, symbolic batch. LPOT_INTERNAL without its
 * calibration. */
LPOT_MUST_CHECK lpot_status lpot_job_rewrite(const lpot_job *job, const lpot_recipe *recipe,
                                             lpot_graph **ret_qdq, lpot_error *err);
/* Compiles f32 (recipe NULL) or a recipe at a batch size; options may be NULL. */
LPOT_MUST_CHECK lpot_status lpot_job_compile(const lpot_job *job, const lpot_recipe *recipe,
                                             int64_t batch, const lpot_plan_options *options,
                                             lpot_plan **ret_plan, lpot_error *err);
/* The plan at batch_size of f32 (recipe NULL) or a recipe, compiled unless it is kept; borrowed
 * until the next call. */
LPOT_MUST_CHECK lpot_status lpot_job_plan(lpot_job *job, const lpot_recipe *recipe,
                                          lpot_plan **ret_plan, lpot_error *err);
/* Frees the kept plans, which hold packed weights. */
void lpot_job_drop_plans(lpot_job *job);
/* Hash of the configuration's identity text. */
LPOT_MUST_CHECK lpot_status lpot_job_config_hash(const lpot_job *job, uint64_t *ret_hash,
                                                 lpot_error *err);
/* Digest of evaluation and calibration data. */
LPOT_MUST_CHECK lpot_status lpot_job_manifest(const lpot_job *job, lpot_digest *ret,
                                              lpot_error *err);

#endif
