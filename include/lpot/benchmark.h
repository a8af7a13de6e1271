/* Benchmark: latency, throughput or accuracy of networks side by side. What lpot-bench does, for
 * programs; evaluation.performance of the configuration says how much is run, on how many instances
 * (processes) of how many cores.
 *
 *   #include <lpot/lpot.h>
 *   #include <stdio.h>
 *
 *   int main(int argc, char **argv) {
 *     lpot_error error = {LPOT_OK};
 *     lpot_session *session = NULL;
 *     lpot_benchmark *benchmark = NULL;
 *     lpot_status status = lpot_start(&argc, &argv, &session, &error);
 *     if (status == LPOT_OK) {
 *       status = lpot_benchmark_from_file(session, "example.yaml", &benchmark, &error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_benchmark_set(benchmark, "evaluation.performance.iteration=20", &error);
 *     }
 *     if (status == LPOT_OK) {
 *       status = lpot_benchmark_add_model(benchmark, "shapes.onnx", NULL, 0, &error);
 *     }
 *     if (status == LPOT_OK) {
 *       lpot_benchmark_set_output(benchmark, LPOT_OUTPUT_NONE);
 *       status = lpot_benchmark_run(benchmark, LPOT_BENCHMARK_PERFORMANCE, &error);
 *     }
 *     if (status != LPOT_OK && lpot_rank() == 0) {
 *       fprintf(stderr, "error: %s\n", error.message);
 *     }
 *     lpot_benchmark_result result;
 *     for (size_t i = 0; lpot_benchmark_get_result(benchmark, i, &result); i++) {
 *       printf("%s: %.3f ms, %.0f samples/s\n", result.label, result.p50_ms, result.throughput);
 *     }
 *     lpot_benchmark_free(benchmark);
 *     lpot_finish(session, lpot_status_exit_code(status));
 *     return lpot_rank() == 0 ? lpot_status_exit_code(status) : 0;
 *   }
 */
#ifndef LPOT_BENCHMARK_H
#define LPOT_BENCHMARK_H

#include <stddef.h>
#include <stdint.h>

#include <lpot/error.h>
#include <lpot/quantization.h>
#include <lpot/session.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lpot_benchmark lpot_benchmark;

typedef enum lpot_benchmark_mode {
  LPOT_BENCHMARK_PERFORMANCE, /* latency and throughput, on all instances */
  LPOT_BENCHMARK_ACCURACY     /* the metric on the whole evaluation set, on one */
} lpot_benchmark_mode;

/* One model on all instances, or on one; what the mode does not measure is NaN. The caller's own
 * struct, therefore no field is ever added. */
typedef struct lpot_benchmark_result {
  const char *label; /* "shapes.onnx", "shapes.onnx + best_recipe.yaml", "shapes.onnx in bf16";
                        borrowed from the benchmark */
  size_t num_instances;
  int64_t batch; /* samples in one run */
  size_t num_runs;
  double mean_ms, minimum_ms, p50_ms, p90_ms, p99_ms, maximum_ms; /* of a run: of a whole batch */
  double throughput;       /* samples per second, summed over the instances */
  double accuracy;         /* the metric's value */
  uint64_t num_samples;    /* that were evaluated; 0 in mode performance */
  uint64_t resident_bytes; /* the most memory that one of the instances had */
} lpot_benchmark_result;

/* As lpot_quantization_from_file and lpot_quantization_from_text. Not collective. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_benchmark_from_file(lpot_session *session,
                                                              const char *path,
                                                              lpot_benchmark **ret_benchmark,
                                                              lpot_error *err);
LPOT_API LPOT_MUST_CHECK lpot_status lpot_benchmark_from_text(lpot_session *session,
                                                              const char *name, const char *text,
                                                              lpot_benchmark **ret_benchmark,
                                                              lpot_error *err);
LPOT_API void lpot_benchmark_free(lpot_benchmark *benchmark);

/* Settings, which all ranks have to make alike. Not collective. */

/* One more model (8 at most): a file in f32, QDQ or QOperator form, as it is; or f32 as a recipe
 * file says (recipe_path, else NULL), or with its ops in bf16 (in_bf16 not 0). LPOT_INVALID. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_benchmark_add_model(lpot_benchmark *benchmark,
                                                              const char *path,
                                                              const char *recipe_path, int in_bf16,
                                                              lpot_error *err);
/* "KEY.PATH=VALUE", as lpot_quantization_set. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_benchmark_set(lpot_benchmark *benchmark,
                                                        const char *setting, lpot_error *err);
/* Also writes the figures into files; NULL: not. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_benchmark_set_csv(lpot_benchmark *benchmark,
                                                            const char *path, lpot_error *err);
LPOT_API LPOT_MUST_CHECK lpot_status lpot_benchmark_set_hdf5(lpot_benchmark *benchmark,
                                                             const char *path, lpot_error *err);
/* "onednn" (the default) or "reference"; LPOT_INVALID else. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_benchmark_set_engine(lpot_benchmark *benchmark,
                                                               const char *name, lpot_error *err);
LPOT_API void lpot_benchmark_set_output(lpot_benchmark *benchmark, lpot_output output);

/* Measures all models; all ranks return the same status. Instances are forked: under a launcher
 * this has to be the first collective call of the session, before MPI runs, and may be made once;
 * else LPOT_INVALID on all ranks, as for a mode that there is not. Collective. */
LPOT_API LPOT_MUST_CHECK lpot_status lpot_benchmark_run(lpot_benchmark *benchmark,
                                                        lpot_benchmark_mode mode, lpot_error *err);
/* Model index of the last run, on rank 0. Returns 1, or 0 and leaves *ret alone where there is none
 * (and for benchmark or ret NULL). Not collective. */
LPOT_API int lpot_benchmark_get_result(const lpot_benchmark *benchmark, size_t index,
                                       lpot_benchmark_result *ret);
/* The same of one of its instances alone, by number over all ranks. */
LPOT_API int lpot_benchmark_get_instance(const lpot_benchmark *benchmark, size_t index,
                                         size_t instance, lpot_benchmark_result *ret);

#ifdef __cplusplus
}
#endif

#endif
