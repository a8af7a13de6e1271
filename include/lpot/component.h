/* Components of your own: datasets, transforms, metrics, postprocesses and calibrations in a shared
 * object, or in the program itself (session.h).
 *
 *   cc -shared -fPIC -o my.so my.c          (this header is all it needs, but model.h for what is
 *                                            given a model to run)
 *
 * and in the YAML, in the place of a component's name:
 *
 *   dataset:
 *     plugin: {library: my.so, name: readings, path: data.csv}
 *
 * library is looked for beside the configuration and then in the working directory (in the latter
 * alone where it is given by --set or lpot_quantization_set); name is one of the library's
 * components of that kind, and may be left out where there is only one. All other keys are the
 * component's own settings.
 *
 * The library exports one function, lpot_component_library, which returns what it has. Every
 * function below that returns an int returns 0, or anything else after it has written one line of
 * text into error (LPOT_COMPONENT_TEXT bytes, zero at first). Pointers that are handed in are valid
 * during the call only. lpot never calls two functions of one object at the same time, but
 * not always on the same thread. Each evaluator is a process of its own and opens the component for
 * itself, and so does the coordinator, which reads a sample or two to learn their shapes: the
 * same index must give the same sample in all of them, in any order. A component that crashes,
 * never returns or answers nonsense in an evaluator costs the trial at hand, not the job. (Where
 * lpot_start did not come first evaluators are threads of the program: session.h.)
 *
 * Compatible with C99 and C++. The list and the structs that begin with an lpot_component may grow
 * at their ends: fill in struct_size. All others stay as they are. */
#ifndef LPOT_COMPONENT_H
#define LPOT_COMPONENT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LPOT_COMPONENT_VERSION 1
#define LPOT_COMPONENT_TEXT 512
#define LPOT_COMPONENT_MAX_RANK 8

/* Element types, by ONNX's numbers (TensorProto.DataType). */
enum {
  LPOT_COMPONENT_FLOAT32 = 1,
  LPOT_COMPONENT_UINT8 = 2,
  LPOT_COMPONENT_INT8 = 3,
  LPOT_COMPONENT_INT32 = 6,
  LPOT_COMPONENT_INT64 = 7,
  LPOT_COMPONENT_BOOL = 9,
  LPOT_COMPONENT_FLOAT64 = 11
};

/* A dense array, row-major; read only. */
typedef struct lpot_component_tensor {
  int32_t dtype;
  int32_t rank; /* 0: a scalar */
  int64_t dims[LPOT_COMPONENT_MAX_RANK];
  const void *data;
  size_t size_bytes;
} lpot_component_tensor;

/* Where a function puts what it makes. make returns room for a new tensor, all zero, to be filled;
 * NULL where dtype, rank or dims cannot be, or memory is short: return 1 then, the text is written.
 * slot: the number of the input or output, or LPOT_COMPONENT_LABEL. */
#define LPOT_COMPONENT_LABEL (-1)
typedef struct lpot_component_output {
  void *(*make)(struct lpot_component_output *output, int32_t slot, int32_t dtype, int32_t rank,
                const int64_t *dims);
} lpot_component_output;

/* The settings from the YAML, as texts: "key", "key.inner" of a map, "key[0]" of a list. */
typedef struct lpot_component_settings {
  size_t count;
  const char *const *keys;   /* [count] */
  const char *const *values; /* [count] */
  const char *folder;        /* of the configuration file, for relative paths */
} lpot_component_settings;

/* The value under key, or fallback. */
static inline const char *lpot_component_setting(const lpot_component_settings *settings,
                                                 const char *key, const char *fallback) {
  size_t i;
  for (i = 0; i < settings->count; i++) {
    if (strcmp(settings->keys[i], key) == 0) {
      return settings->values[i];
    }
  }
  return fallback;
}

/* What all kinds begin with. open makes an object (ret_object may stay NULL where there is nothing
 * to keep), close frees it, also what ret_object was set to by an open that failed; both may be
 * NULL. close is not called for NULL. */
typedef struct lpot_component {
  size_t struct_size; /* sizeof of the whole struct, such as lpot_component_dataset */
  const char *name;   /* [A-Za-z0-9_]+ */
  int (*open)(const lpot_component_settings *settings, void **ret_object, char *error);
  void (*close)(void *object);
} lpot_component;

typedef struct lpot_component_dataset {
  lpot_component base;
  int64_t (*size)(void *object); /* samples, at least 1; always the same */
  /* Sample index in [0, size): makes inputs 0, 1, ... (at most 8) without a batch dimension, and
   * the label: an int64 scalar for classes; none at all is allowed where the metric needs none. All
   * samples have the same shapes and types. */
  int (*get)(void *object, int64_t index, lpot_component_output *output, char *error);
  int64_t num_classes; /* 0: not known */
  /* In the place of size and get, where samples only come one after the other: makes the next one
   * as get does, or sets *ret_end to 1 behind the last. It is called behind open until then, once
   * for each object, and all samples are kept in memory (1 GiB at most): from there on the dataset
   * is like any other, its samples drawn by seed and cut into the same blocks in every process. So
   * each process must get the same samples in the same order; each section of the configuration
   * that names the dataset opens it for itself. */
  int (*next)(void *object, lpot_component_output *output, int32_t *ret_end, char *error);
} lpot_component_dataset;

typedef struct lpot_component_transform {
  lpot_component base;
  /* Makes tensor 0 of a sample's first input. */
  int (*apply)(void *object, const lpot_component_tensor *input, lpot_component_output *output,
               char *error);
} lpot_component_transform;

/* One batch as a metric or a postprocess sees it. */
typedef struct lpot_component_batch {
  int64_t count; /* rows that count, the first ones; outputs and labels may have more */
  size_t num_outputs;
  const lpot_component_tensor *outputs; /* [num_outputs] of the model, [batch, ...] */
  const lpot_component_tensor *labels;  /* [batch, ...]; NULL: none, or of unequal shapes */
} lpot_component_batch;

/* A metric adds up over batches, in any division of the samples among processes: either it says of
 * each sample whether the answer is right (is_right; the metric is their share), or it keeps
 * num_sums sums, to which each batch adds, and makes its value of them at the end. Or it evaluates
 * by itself. One of the three. */
struct lpot_model;
typedef struct lpot_component_metric {
  lpot_component base;
  int32_t lower_is_better;
  /* right [count], all 0: 1 for each right answer. Such a metric can be raced. */
  int (*is_right)(void *object, const lpot_component_batch *batch, uint8_t *right, char *error);
  /* The same for sums [num_sums], which come with what the batches before have added. */
  size_t num_sums; /* 1 to 64 */
  int (*add)(void *object, const lpot_component_batch *batch, double *sums, char *error);
  int (*value)(void *object, const double *sums, int64_t count, double *ret_value, char *error);
  /* All of an evaluation, eval_func of LPOT: runs model, f32 or a candidate, with lpot_model_run
   * (model.h) on whatever data the function has, and gives one number, the same for the same model
   * in every process. No dataset of evaluation.accuracy is needed: the first samples of
   * evaluation.performance, or else of the calibration, are what latencies are measured with and
   * recipes compared on. Such an evaluation is not raced, not divided among ranks, and no part of
   * it can be held out: it is one piece of work, and its trial counts as one sample. */
  int (*evaluate)(void *object, struct lpot_model *model, double *ret_accuracy, char *error);
} lpot_component_metric;

/* Stands between the model and the metric: makes outputs (slot: number) and labels anew. What it
 * does not make stays as it is. */
typedef struct lpot_component_postprocess {
  lpot_component base;
  int (*apply)(void *object, const lpot_component_batch *batch, lpot_component_output *output,
               char *error);
} lpot_component_postprocess;

/* A calibration, q_func of LPOT's post-training quantization, in the place of a calibration set:
 * quantization.calibration.q_func: {plugin: {library: my.so}}. calibrate runs model, f32, with
 * lpot_model_run (model.h) on the first `samples` samples of whatever data it has, in batches as it
 * likes; all values that come by are taken. It is called for each sampling_size, in one process,
 * and again where that dies: the same samples each time. Training, which q_func does elsewhere, is
 * not supported. */
typedef struct lpot_component_calibration {
  lpot_component base;
  int (*calibrate)(void *object, struct lpot_model *model, int64_t samples, char *error);
} lpot_component_calibration;

typedef struct lpot_component_list {
  size_t struct_size;                            /* sizeof(lpot_component_list) */
  int32_t version;                               /* LPOT_COMPONENT_VERSION */
  const lpot_component_dataset *const *datasets; /* each NULL terminated, or NULL */
  const lpot_component_transform *const *transforms;
  const lpot_component_metric *const *metrics;
  const lpot_component_postprocess *const *postprocesses;
  const lpot_component_calibration *const *calibrations;
} lpot_component_list;

#if defined(__GNUC__)
#define LPOT_COMPONENT_EXPORT __attribute__((visibility("default")))
#else
#define LPOT_COMPONENT_EXPORT
#endif

/* To be defined by the library. */
LPOT_COMPONENT_EXPORT const lpot_component_list *lpot_component_library(void);

#ifdef __cplusplus
}
#endif

#endif
