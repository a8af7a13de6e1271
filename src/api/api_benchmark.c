#include <lpot/benchmark.h>

#include "api/api_session.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/engine.h"
#include "tune/benchmark.h"

#define LABEL_BYTES 512

struct lpot_benchmark {
  lpot_session *session; /* borrowed */
  lpot_api_settings settings;
  size_t num_models;
  char *model_paths[LPOT_MAX_BENCHMARK_MODELS];  /* owned */
  char *recipe_paths[LPOT_MAX_BENCHMARK_MODELS]; /* owned; NULL */
  bool in_bf16[LPOT_MAX_BENCHMARK_MODELS];
  char *csv_path, *hdf5_path; /* owned; NULL */
  lpot_output output;
  size_t num_results;
  lpot_benchmark_result results[LPOT_MAX_BENCHMARK_MODELS];
  lpot_benchmark_result *of_instances[LPOT_MAX_BENCHMARK_MODELS]; /* [num_instances], owned */
  char labels[LPOT_MAX_BENCHMARK_MODELS][LABEL_BYTES];
};

/* ---- life and settings ---- */

lpot_status lpot_benchmark_from_file(lpot_session *session, const char *path,
                                     lpot_benchmark **ret_benchmark, lpot_error *err) {
  LPOT_TRY(lpot_api_check(session, "session", err));
  LPOT_TRY(lpot_api_check(ret_benchmark, "ret_benchmark", err));
  lpot_benchmark *benchmark = lpot_calloc(1, sizeof *benchmark);
  if (benchmark == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  benchmark->session = session;
  lpot_status status = lpot_api_settings_init(&benchmark->settings, path, NULL, err);
  if (status != LPOT_OK) {
    lpot_benchmark_free(benchmark);
    return status;
  }
  *ret_benchmark = benchmark;
  return LPOT_OK;
}

lpot_status lpot_benchmark_from_text(lpot_session *session, const char *name, const char *text,
                                     lpot_benchmark **ret_benchmark, lpot_error *err) {
  LPOT_TRY(lpot_api_check(text, "text", err));
  lpot_benchmark *benchmark = NULL;
  LPOT_TRY(lpot_benchmark_from_file(session, name, &benchmark, err));
  lpot_status status = lpot_api_keep(&benchmark->settings.text, text, err);
  if (status != LPOT_OK) {
    lpot_benchmark_free(benchmark);
    return status;
  }
  *ret_benchmark = benchmark;
  return LPOT_OK;
}

static void drop_results(lpot_benchmark *benchmark) {
  benchmark->num_results = 0;
  for (size_t i = 0; i < LPOT_MAX_BENCHMARK_MODELS; i++) {
    lpot_free(benchmark->of_instances[i]);
    benchmark->of_instances[i] = NULL;
  }
}

void lpot_benchmark_free(lpot_benchmark *benchmark) {
  if (benchmark == NULL) {
    return;
  }
  drop_results(benchmark);
  lpot_api_settings_done(&benchmark->settings);
  for (size_t i = 0; i < LPOT_MAX_BENCHMARK_MODELS; i++) {
    lpot_free(benchmark->model_paths[i]);
    lpot_free(benchmark->recipe_paths[i]);
  }
  lpot_free(benchmark->csv_path);
  lpot_free(benchmark->hdf5_path);
  lpot_free(benchmark);
}

lpot_status lpot_benchmark_add_model(lpot_benchmark *benchmark, const char *path,
                                     const char *recipe_path, int in_bf16, lpot_error *err) {
  LPOT_TRY(lpot_api_check(benchmark, "benchmark", err));
  LPOT_TRY(lpot_api_check(path, "path", err));
  size_t index = benchmark->num_models;
  if (recipe_path != NULL && in_bf16 != 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "a model is run by a recipe or in bf16, not both");
  }
  if (index == LPOT_MAX_BENCHMARK_MODELS) {
    return LPOT_FAIL(err, LPOT_INVALID, "at most %d models can be measured side by side",
                     LPOT_MAX_BENCHMARK_MODELS);
  }
  LPOT_TRY(lpot_api_keep(&benchmark->model_paths[index], path, err));
  LPOT_TRY(lpot_api_keep(&benchmark->recipe_paths[index], recipe_path, err));
  benchmark->in_bf16[index] = in_bf16 != 0;
  benchmark->num_models++;
  return LPOT_OK;
}

lpot_status lpot_benchmark_set(lpot_benchmark *benchmark, const char *setting, lpot_error *err) {
  LPOT_TRY(lpot_api_check(benchmark, "benchmark", err));
  return lpot_api_settings_add(&benchmark->settings, setting, err);
}

lpot_status lpot_benchmark_set_csv(lpot_benchmark *benchmark, const char *path, lpot_error *err) {
  LPOT_TRY(lpot_api_check(benchmark, "benchmark", err));
  return lpot_api_keep(&benchmark->csv_path, path, err);
}

lpot_status lpot_benchmark_set_hdf5(lpot_benchmark *benchmark, const char *path, lpot_error *err) {
  LPOT_TRY(lpot_api_check(benchmark, "benchmark", err));
  return lpot_api_keep(&benchmark->hdf5_path, path, err);
}

lpot_status lpot_benchmark_set_engine(lpot_benchmark *benchmark, const char *name,
                                      lpot_error *err) {
  LPOT_TRY(lpot_api_check(benchmark, "benchmark", err));
  LPOT_TRY(lpot_api_check(name, "name", err));
  LPOT_TRY(lpot_engine_check_name(name, err));
  return lpot_api_keep(&benchmark->settings.engine_name, name, err);
}

void lpot_benchmark_set_output(lpot_benchmark *benchmark, lpot_output output) {
  if (benchmark != NULL) {
    benchmark->output = output;
  }
}

/* ---- the run ---- */

static void fill_options(const lpot_benchmark *benchmark, lpot_benchmark_mode mode,
                         lpot_benchmark_options *ret) {
  const lpot_api_settings *settings = &benchmark->settings;
  *ret = (lpot_benchmark_options){.config_path = settings->name,
                                  .config_text = settings->text,
                                  .num_settings = settings->count,
                                  .settings = (const char *const *)settings->list,
                                  .engine_name = settings->engine_name,
                                  .num_models = benchmark->num_models,
                                  .accuracy = mode == LPOT_BENCHMARK_ACCURACY,
                                  .json = benchmark->output == LPOT_OUTPUT_JSON,
                                  .quiet = benchmark->output == LPOT_OUTPUT_NONE,
                                  .csv_path = benchmark->csv_path,
                                  .hdf5_path = benchmark->hdf5_path};
  for (size_t i = 0; i < benchmark->num_models; i++) {
    ret->models[i] = (lpot_benchmark_model){.path = benchmark->model_paths[i],
                                            .recipe_path = benchmark->recipe_paths[i],
                                            .bf16 = benchmark->in_bf16[i]};
  }
}

/* measures [count]: those of one model, at least one. */
static lpot_status fill_result(const lpot_benchmark_measure *const *measures, size_t count,
                               lpot_benchmark_result *result, lpot_error *err) {
  lpot_benchmark_figures figures;
  LPOT_TRY(lpot_benchmark_figures_of(measures, count, &figures, err));
  *result = (lpot_benchmark_result){.label = result->label,
                                    .num_instances = count,
                                    .batch = measures[0]->batch,
                                    .num_runs = figures.num_runs,
                                    .mean_ms = figures.mean_ms,
                                    .minimum_ms = figures.minimum_ms,
                                    .p50_ms = figures.p50_ms,
                                    .p90_ms = figures.p90_ms,
                                    .p99_ms = figures.p99_ms,
                                    .maximum_ms = figures.maximum_ms,
                                    .throughput = figures.throughput,
                                    .accuracy = measures[0]->accuracy,
                                    .num_samples = measures[0]->samples};
  for (size_t i = 0; i < count; i++) {
    if (measures[i]->resident_bytes > result->resident_bytes) {
      result->resident_bytes = measures[i]->resident_bytes;
    }
  }
  return LPOT_OK;
}

/* measures [count], count >= 1: those of this model. */
static lpot_status take_model(lpot_benchmark *benchmark, size_t model,
                              const lpot_benchmark_measure *const *measures, size_t count,
                              lpot_error *err) {
  lpot_benchmark_result *of_instances = lpot_calloc(count, sizeof *of_instances);
  if (of_instances == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  benchmark->of_instances[model] = of_instances;
  for (size_t i = 0; i < count; i++) {
    of_instances[i].label = benchmark->labels[model];
    LPOT_TRY(fill_result(&measures[i], 1, &of_instances[i], err));
  }
  benchmark->results[model].label = benchmark->labels[model];
  LPOT_TRY(fill_result(measures, count, &benchmark->results[model], err));
  benchmark->num_results = model + 1;
  return LPOT_OK;
}

static lpot_status take_results(lpot_benchmark *benchmark, const lpot_benchmark_options *options,
                                const lpot_instances *instances, lpot_error *err) {
  size_t count = 0;
  const lpot_benchmark_measure *measures = lpot_instances_measures(instances, &count);
  const lpot_benchmark_measure **of_model = lpot_calloc(count, sizeof(*of_model));
  if (of_model == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = LPOT_OK;
  for (size_t model = 0; model < benchmark->num_models && status == LPOT_OK; model++) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
      if (measures[i].variant == (int)model) {
        of_model[found++] = &measures[i];
      }
    }
    lpot_benchmark_label(&options->models[model], benchmark->labels[model], LABEL_BYTES);
    if (found > 0) {
      status = take_model(benchmark, model, of_model, found, err);
    }
  }
  lpot_free(of_model);
  return status;
}

static lpot_status start(lpot_benchmark *benchmark, lpot_benchmark_mode mode,
                         const lpot_benchmark_options *options, lpot_instances **ret_instances,
                         lpot_error *err) {
  if (mode != LPOT_BENCHMARK_PERFORMANCE && mode != LPOT_BENCHMARK_ACCURACY) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "benchmark mode %d: expected %d (performance) or %d "
                     "(accuracy)",
                     (int)mode, LPOT_BENCHMARK_PERFORMANCE, LPOT_BENCHMARK_ACCURACY);
  }
  if (benchmark->session->inside) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "a benchmark's instances are processes, which cannot be made since MPI or "
                     "threads were there before lpot_start: call it first in main");
  }
  if (lpot_comm_mpi_runs()) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "MPI runs already: a benchmark must be the first that a session runs");
  }
  if (benchmark->num_models == 0) {
    return LPOT_FAIL(err, LPOT_INVALID, "there is no model: lpot_benchmark_add_model names one");
  }
  LPOT_TRY(lpot_instances_start(options, ret_instances, err));
  return LPOT_OK;
}

lpot_status lpot_benchmark_run(lpot_benchmark *benchmark, lpot_benchmark_mode mode,
                               lpot_error *err) {
  LPOT_TRY(lpot_api_check(benchmark, "benchmark", err));
  lpot_error error = {0};
  lpot_benchmark_options options;
  lpot_instances *instances = NULL;
  lpot_comm *comm = NULL;
  drop_results(benchmark);
  fill_options(benchmark, mode, &options);
  /* The instances are forked before MPI starts; all ranks learn how that went on any. */
  lpot_status started = start(benchmark, mode, &options, &instances, &error);
  lpot_status status = lpot_session_meet(benchmark->session, &comm, err);
  if (status == LPOT_OK) {
    status = lpot_instances_run(instances, comm, started, &error);
    if (status == LPOT_OK && lpot_comm_rank(comm) == 0) {
      status = take_results(benchmark, &options, instances, &error);
    }
    if (status != LPOT_OK && err != NULL) {
      *err = error;
    }
  }
  lpot_instances_free(instances);
  lpot_session_part(benchmark->session, status);
  return status;
}

int lpot_benchmark_get_result(const lpot_benchmark *benchmark, size_t index,
                              lpot_benchmark_result *ret) {
  if (benchmark == NULL || ret == NULL || index >= benchmark->num_results) {
    return 0;
  }
  *ret = benchmark->results[index];
  return 1;
}

int lpot_benchmark_get_instance(const lpot_benchmark *benchmark, size_t index, size_t instance,
                                lpot_benchmark_result *ret) {
  if (benchmark == NULL || ret == NULL || index >= benchmark->num_results ||
      instance >= benchmark->results[index].num_instances) {
    return 0;
  }
  *ret = benchmark->of_instances[index][instance];
  return 1;
}
