/* lpot-bench: networks side by side, on one or several instances.
 *
 * An instance is a process that is pinned to its own cores (evaluation.performance.configs:
 * num_of_instance, cores_per_instance). Under mpirun every rank brings so many instances. All of
 * them measure one model after the other, and begin each at the same moment; so the throughput of
 * several instances is that of a full machine. */
#ifndef LPOT_TUNE_BENCHMARK_H
#define LPOT_TUNE_BENCHMARK_H

#include <sys/types.h>

#include "tune/benchmark_figures.h"
#include "tune/comm.h"
#include "tune/link.h"
#include "tune/machine.h"

#define LPOT_MAX_BENCHMARK_MODELS 8
#define LPOT_MAX_INSTANCES 1024

typedef struct lpot_benchmark_model {
  const char *path;
  const char *recipe_path; /* run as this recipe says (calibrated first); NULL: as it is */
  bool bf16;               /* run with every op in bf16 that can be */
} lpot_benchmark_model;

typedef struct lpot_benchmark_options {
  const char *config_path; /* the file, or the name of config_text in messages */
  const char *config_text; /* NULL: read config_path */
  size_t num_settings;
  const char *const *settings; /* [num_settings] "KEY.PATH=VALUE" */
  const char *engine_name;
  size_t num_models;
  lpot_benchmark_model models[LPOT_MAX_BENCHMARK_MODELS];
  bool accuracy;         /* the metric on the whole evaluation set, by the first instance alone */
  bool json;             /* print JSON lines instead of the table */
  bool quiet;            /* print no table */
  const char *csv_path;  /* NULL: none */
  const char *hdf5_path; /* NULL: none */
} lpot_benchmark_options;

/* "resnet8.onnx", "resnet8.onnx + best_recipe.yaml", "resnet8.onnx in bf16". */
void lpot_benchmark_label(const lpot_benchmark_model *model, char *out, size_t out_size);

/* What one instance does: for each model it loads and warms up, says so, waits for the word to
 * begin, and sends its measure. link is its parent's. Not collective. */
typedef struct lpot_benchmark_instance {
  const lpot_benchmark_options *options; /* borrowed */
  int number;                            /* over all ranks */
  int rank;
  lpot_cpu_set cpus;
} lpot_benchmark_instance;

LPOT_MUST_CHECK lpot_status lpot_benchmark_work(const lpot_benchmark_instance *instance,
                                                lpot_link *link, lpot_error *err);

/* Forks the process of an instance; what is borrowed for its life. The caller ends it by
 * lpot_benchmark_end and frees the link. It does not outlive its parent. Not collective. */
LPOT_MUST_CHECK lpot_status lpot_benchmark_fork(const lpot_benchmark_instance *what, pid_t *ret_pid,
                                                lpot_link **ret_link, lpot_error *err);
void lpot_benchmark_end(pid_t pid); /* 0: nothing */

/* The instances of this rank. */
typedef struct lpot_instances lpot_instances;

/* Reads the configuration and forks the instances: before MPI starts, and before threads are made.
 * LPOT_CONFIG, LPOT_INVALID where there are fewer cores than asked for, LPOT_IO where what rank 0
 * is to write cannot be written. Not collective. */
LPOT_MUST_CHECK lpot_status lpot_instances_start(const lpot_benchmark_options *options,
                                                 lpot_instances **ret_instances, lpot_error *err);
/* Ends the instances. NULL is allowed. */
void lpot_instances_free(lpot_instances *instances);
/* Leads the instances through all models; rank 0 prints what they bring. status and err (not NULL):
 * how lpot_instances_start ended on this rank; instances is NULL where it failed. Collective. */
LPOT_MUST_CHECK lpot_status lpot_instances_run(lpot_instances *instances, lpot_comm *comm,
                                               lpot_status status, lpot_error *err);
/* What was measured, in order of model and instance, on rank 0; borrowed. */
const lpot_benchmark_measure *lpot_instances_measures(const lpot_instances *instances,
                                                      size_t *ret_count);

/* LPOT_IO where csv_path or hdf5_path cannot be written: to be known before hours are measured.
 * Leaves no file behind, and what is there as it is. */
LPOT_MUST_CHECK lpot_status lpot_benchmark_check_outputs(const lpot_benchmark_options *options,
                                                         lpot_error *err);
/* The table, JSON lines or CSV of measures [count] in order of model and instance (rank 0). */
LPOT_MUST_CHECK lpot_status lpot_benchmark_print(const lpot_benchmark_options *options,
                                                 const lpot_benchmark_measure *measures,
                                                 size_t count, lpot_error *err);
/* options->hdf5_path: /measures, a row for each measure, and its runs in ms in /runs/row_N;
 * /models, a row for all measures of a model. measures as above. */
LPOT_MUST_CHECK lpot_status lpot_benchmark_write_hdf5(const lpot_benchmark_options *options,
                                                      const lpot_benchmark_measure *measures,
                                                      size_t count, lpot_error *err);

#endif
