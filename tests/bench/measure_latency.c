/* The latency measurement of lpot-tune alone, again and again.
 *
 *   measure_latency CONF MODEL.onnx [RUNS] [KEY.PATH=VALUE ...]
 *
 * Quantizes all ops as the configuration's strategy would first, and measures that against f32.
 * One line for each run: trusted (0 or 1), speedup, its low and high, f32 and recipe ms per sample,
 * rounds that count, rounds dropped, attempts, seconds, cores; then the reason. With RUNS 0 it
 * waits for a line on standard input before each run. LPOT_ROUNDS=FILE appends every round as a
 * line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/calibrate.h"
#include "tune/latency.h"

#include "strategy/strategy.h"

static lpot_status first_recipe(const lpot_job *job, lpot_recipe **ret_recipe, lpot_error *err) {
  lpot_space *space = NULL;
  lpot_strategy *strategy = NULL;
  lpot_demand demand = {0};
  const lpot_strategy_options options = {
      .seed = job->config->seed, .higher_is_better = true, .baseline = 1, .samples = 1000};
  LPOT_TRY(lpot_space_new(job->ops, &job->config->wishes, &space, err));
  lpot_status status = lpot_strategy_new("basic", space, &options, &strategy, err);
  if (status == LPOT_OK) {
    status = lpot_strategy_next(strategy, &demand, err);
  }
  lpot_strategy_free(strategy);
  lpot_space_free(space);
  *ret_recipe = demand.recipe;
  return status;
}

static lpot_status calibrate(lpot_job *job, const lpot_recipe *recipe, lpot_error *err) {
  lpot_calibration *calibration = NULL;
  lpot_calibration_key key = lpot_calibration_key_of(recipe);
  if (recipe->dynamic) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_calibrate(job, key.equalized, 0, key.samples, NULL, &calibration, err));
  LPOT_TRY(lpot_job_add_calibration(job, key, &calibration, err));
  return LPOT_OK;
}

static void print_rounds(const lpot_latency *latency, const char *path) {
  FILE *file = path == NULL ? NULL : fopen(path, "a");
  if (file == NULL) {
    return;
  }
  for (size_t i = 0; i < latency->num_rounds; i++) {
    const lpot_latency_round *round = &latency->rounds[i];
    fprintf(file, "%u %u %.6f %.6f %u %.4f %.4f %.3f %u %u\n", round->number, round->window,
            round->f32_ms, round->recipe_ms, round->switches, (double)round->cpu_share,
            (double)round->steal, (double)round->neighbours, round->frequency_khz, round->flags);
  }
  fprintf(file, "\n");
  fclose(file);
}

static lpot_status measure(lpot_job *job, const lpot_recipe *recipe, lpot_error *err) {
  lpot_latency latency = {0};
  LPOT_TRY(lpot_measure_latency(job, recipe, NULL, &latency, err));
  printf("%d %.5f %.5f %.5f %.6f %.6f %llu %llu %u %.3f %s %s\n", latency.trusted, latency.speedup,
         latency.speedup_low, latency.speedup_high, latency.f32_ms, latency.recipe_ms,
         (unsigned long long)latency.counted, (unsigned long long)latency.dropped, latency.attempts,
         latency.seconds, latency.cores, latency.reason);
  fflush(stdout);
  print_rounds(&latency, getenv("LPOT_ROUNDS"));
  lpot_latency_done(&latency);
  return LPOT_OK;
}

static lpot_status run(lpot_job *job, long runs, lpot_error *err) {
  char line[64];
  lpot_recipe *recipe = NULL;
  LPOT_TRY(first_recipe(job, &recipe, err));
  lpot_status status = calibrate(job, recipe, err);
  printf("ready\n");
  fflush(stdout);
  for (long i = 0; status == LPOT_OK && (runs > 0 ? i < runs : fgets(line, 64, stdin) != NULL);
       i++) {
    status = measure(job, recipe, err);
  }
  lpot_recipe_free(recipe);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s CONF MODEL.onnx [RUNS] [KEY.PATH=VALUE ...]\n", argv[0]);
    return 2;
  }
  long runs = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
  lpot_job_options options = {.config_path = argv[1],
                              .model_path = argv[2],
                              .num_settings = argc > 4 ? (size_t)(argc - 4) : 0,
                              .settings = (const char *const *)argv + (argc > 4 ? 4 : argc),
                              .engine_name = "onednn",
                              .local_ranks = 1,
                              .needs_data = true};
  lpot_job *job = NULL;
  lpot_error error = {0};
  lpot_status status = lpot_job_new(&options, &job, &error);
  if (status == LPOT_OK) {
    status = run(job, runs, &error);
  }
  if (status != LPOT_OK) {
    fprintf(stderr, "measure_latency: %s\n", error.message);
  }
  lpot_job_free(job);
  return status == LPOT_OK ? 0 : 1;
}
