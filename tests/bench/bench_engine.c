/* Times of one network, one thread.
 *
 *   bench_engine MODEL BATCH [ROUNDS]          f32 against int8
 *   bench_engine --bf16 MODEL BATCH [ROUNDS]   f32 against bf16, where the operator has it
 *   bench_engine --serve MODEL BATCH [EXPORT]  the same on demand, for compare_onnxruntime.py:
 * reads "f32 N" or "int8 N" from standard input, answers with the wall and thread CPU seconds of N
 *       runs; EXPORT is where the int8 model is written first
 *   bench_engine --memory MODEL BATCH          loads, compiles and runs MODEL as it is (quantized
 *       or not); prints load and compile milliseconds and the growth of the peak resident size in
 *       MiB over what the program and its libraries take
 *   bench_engine --steps MODEL BATCH           the same, run 50 times: what each kind of step
 * takes; of each step the fastest run counts, which other work on the machine hardly changes
 *
 * Rounds run f32, int8, int8, f32 (ABBA) on the same seeded inputs (integers are 1); prints the
 * median time per sample of both with the 5 % and 95 % quantiles, the median ratio of pairs, what
 * is spent outside oneDNN's primitives, compile times, and the peak resident size. The recipe is u8
 * asymmetric min-max with weights per channel for every op, calibrated on the inputs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"
#include "engine/engine.h"
#include "engine/reference/reference.h"
#include "formats/model.h"
#include "formats/onnx/onnx.h"
#include "graph/passes/passes.h"
#include "quant/calibration.h"
#include "quant/capability.h"
#include "quant/rewrite.h"

#define MAX_ROUNDS 20000

typedef struct bench {
  lpot_graph *graph, *bound, *quantized, *quantized_bound;
  lpot_quant_ops *ops;
  lpot_calibration *calibration;
  lpot_recipe *recipe;
  lpot_engine *engine;
  lpot_plan *plans[2]; /* f32, int8 */
  double compile_seconds[2];
  lpot_tensor *inputs[8];
  int64_t batch;
  bool bf16; /* what stands for int8 */
} bench;

static lpot_status make_inputs(bench *b, lpot_error *err) {
  lpot_rng rng;
  lpot_rng_init(&rng, 1);
  for (size_t i = 0; i < lpot_graph_num_inputs(b->bound) && i < 8; ++i) {
    const lpot_value *value = lpot_graph_value(b->bound, lpot_graph_input(b->bound, i));
    LPOT_TRY(lpot_tensor_new(value->dtype, &value->shape, &b->inputs[i], err));
    b->batch = value->shape.rank > 0 ? value->shape.dims[0] : 1;
    for (int64_t k = 0; k < lpot_tensor_elements(b->inputs[i]); ++k) {
      bool is_real = lpot_dtype_is_float(value->dtype);
      lpot_tensor_set_double(b->inputs[i], k, is_real ? lpot_rng_normal(&rng) : 1.0);
    }
  }
  return LPOT_OK;
}

static lpot_status calibrate(bench *b, lpot_error *err) {
  size_t num_values = lpot_graph_num_values(b->bound);
  bool *observed = lpot_calloc(num_values, sizeof *observed);
  if (observed == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_plan *plan = NULL;
  lpot_quant_ops_observed(b->ops, observed);
  lpot_status status = lpot_calibration_new(observed, num_values, &b->calibration, err);
  if (status == LPOT_OK) {
    lpot_plan_options options = {.observed = observed,
                                 .observe = lpot_calibration_observe,
                                 .observe_context = b->calibration};
    status = lpot_plan_compile(b->engine, b->bound, &options, &plan, err);
  }
  if (status == LPOT_OK) {
    status = lpot_plan_run(plan, (const lpot_tensor *const *)b->inputs, err);
  }
  lpot_plan_free(plan);
  lpot_free(observed);
  return status;
}

static bool has_bf16(const lpot_quant_op *op) {
  const lpot_op_choices choices = lpot_capability(op);
  for (size_t i = 0; i < choices.activation.dtype.count; ++i) {
    if (choices.activation.dtype.values[i] == LPOT_BF16) {
      return true;
    }
  }
  return false;
}

static lpot_status quantize(bench *b, lpot_error *err) {
  LPOT_TRY(lpot_recipe_new(lpot_quant_ops_count(b->ops), &b->recipe, err));
  for (size_t i = 0; i < b->recipe->num_ops; ++i) {
    const lpot_quant_op *op = lpot_quant_ops_get(b->ops, i);
    lpot_op_config config = {
        .activation = {LPOT_U8, LPOT_SCHEME_ASYM, LPOT_PER_TENSOR, LPOT_MINMAX},
        .weight = {LPOT_S8, LPOT_SCHEME_SYM, LPOT_PER_CHANNEL, LPOT_MINMAX}};
    if (b->bf16) {
      lpot_dtype dtype = has_bf16(op) ? LPOT_BF16 : LPOT_F32;
      config = (lpot_op_config){.activation = {.dtype = dtype}, .weight = {.dtype = dtype}};
    }
    if (op->weight == LPOT_NONE) {
      config.weight = (lpot_tensor_config){.dtype = LPOT_DTYPE_UNKNOWN};
    }
    b->recipe->ops[i] = config;
  }
  b->recipe->scale_propagation_concat = true;
  LPOT_TRY(
      lpot_quant_rewrite(b->graph, b->ops, b->recipe, b->calibration, NULL, &b->quantized, err));
  lpot_status status =
      lpot_graph_bind(b->quantized, b->batch, lpot_reference_run, &b->quantized_bound, err);
  return status;
}

static lpot_status compile(bench *b, int which, bool profile, lpot_plan **ret, lpot_error *err) {
  const lpot_clock clock = lpot_clock_monotonic();
  lpot_plan_options options = {.profile = profile};
  double start = lpot_clock_now(&clock);
  LPOT_TRY(
      lpot_plan_compile(b->engine, which == 0 ? b->bound : b->quantized_bound, &options, ret, err));
  b->compile_seconds[which] = lpot_clock_now(&clock) - start;
  return LPOT_OK;
}

static lpot_status prepare(bench *b, const char *path, int64_t batch, lpot_error *err) {
  LPOT_TRY(lpot_model_load(path, &b->graph, NULL, err));
  LPOT_TRY(lpot_graph_normalise(b->graph, lpot_reference_run, err));
  LPOT_TRY(lpot_graph_bind(b->graph, batch, lpot_reference_run, &b->bound, err));
  LPOT_TRY(lpot_quant_ops_new(b->graph, b->bound, &b->ops, err));
  LPOT_TRY(lpot_engine_open("onednn", &b->engine, err));
  LPOT_TRY(make_inputs(b, err));
  LPOT_TRY(calibrate(b, err));
  LPOT_TRY(quantize(b, err));
  LPOT_TRY(compile(b, 0, false, &b->plans[0], err));
  lpot_status status = compile(b, 1, false, &b->plans[1], err);
  return status;
}

/* Peak resident size of this program alone: getrusage also knows the shell it was forked from. */
static double peak_mib(void) {
  long kib = 0;
  char line[128];
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "VmHWM: %ld", &kib) == 1) {
      break;
    }
  }
  if (file != NULL) {
    (void)fclose(file);
  }
  return (double)kib / 1024.0;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double quantile(double *values, int count, double q) {
  qsort(values, (size_t)count, sizeof *values, by_value);
  int index = (int)(q * (double)(count - 1) + 0.5);
  return values[index];
}

static lpot_status time_rounds(bench *b, int rounds, double *times[2], double *ratios,
                               lpot_error *err) {
  static const int order[4] = {0, 1, 1, 0};
  const lpot_clock clock = lpot_clock_monotonic();
  for (int round = -rounds / 10 - 1; round < rounds; ++round) {
    double spent[2] = {0.0, 0.0};
    for (int i = 0; i < 4; ++i) {
      double start = lpot_clock_now(&clock);
      LPOT_TRY(lpot_plan_run(b->plans[order[i]], (const lpot_tensor *const *)b->inputs, err));
      spent[order[i]] += (lpot_clock_now(&clock) - start) / 2.0;
    }
    if (round >= 0) { /* before: warm-up */
      times[0][round] = spent[0];
      times[1][round] = spent[1];
      ratios[round] = spent[0] / spent[1];
    }
  }
  return LPOT_OK;
}

/* Share of a plan's time that is not spent in oneDNN's primitives. */
static lpot_status outside_primitives(bench *b, int which, int runs, double *ret_share,
                                      lpot_error *err) {
  lpot_plan *plan = NULL;
  lpot_plan_stats stats;
  const lpot_clock clock = lpot_clock_monotonic();
  double best = 1e30;
  double inside = 0.0;
  LPOT_TRY(compile(b, which, true, &plan, err));
  for (int i = 0; i < runs; ++i) {
    double start = lpot_clock_now(&clock);
    lpot_status status = lpot_plan_run(plan, (const lpot_tensor *const *)b->inputs, err);
    if (status != LPOT_OK) {
      lpot_plan_free(plan);
      return status;
    }
    best += i == 0 ? -best : 0.0;
    best += lpot_clock_now(&clock) - start;
  }
  lpot_plan_get_stats(plan, &stats);
  for (size_t i = 0; i < stats.num_steps; ++i) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    bool ours = strcmp(step.implementation, "lpot") == 0;
    inside += ours ? 0.0 : step.seconds;
  }
  *ret_share = 1.0 - inside * (double)runs / best;
  lpot_plan_free(plan);
  return LPOT_OK;
}

static lpot_status report(bench *b, const char *path, int rounds, lpot_error *err) {
  double *times[2] = {lpot_calloc((size_t)rounds, sizeof(double)),
                      lpot_calloc((size_t)rounds, sizeof(double))};
  double *ratios = lpot_calloc((size_t)rounds, sizeof *ratios);
  const char *const names[2] = {"f32", b->bf16 ? "bf16" : "int8"};
  if (times[0] == NULL || times[1] == NULL || ratios == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const char *slash = strrchr(path, '/');
  printf("%s, batch %d, %s, %d rounds\n", slash != NULL ? slash + 1 : path, (int)b->batch,
         lpot_engine_numeric_class(b->engine), rounds);
  LPOT_TRY(time_rounds(b, rounds, times, ratios, err));
  for (int i = 0; i < 2; ++i) {
    double per_sample = 1e3 / (double)b->batch;
    double share = 0.0;
    LPOT_TRY(outside_primitives(b, i, rounds / 4 + 1, &share, err));
    printf("  %-5s median %.4f ms/sample [%.4f, %.4f], %.0f samples/s, outside oneDNN %.1f %%, "
           "compile %.1f ms\n",
           names[i], quantile(times[i], rounds, 0.5) * per_sample,
           quantile(times[i], rounds, 0.05) * per_sample,
           quantile(times[i], rounds, 0.95) * per_sample,
           (double)b->batch / quantile(times[i], rounds, 0.5), share * 100.0,
           b->compile_seconds[i] * 1e3);
  }
  printf("  f32/%s %.2f [%.2f, %.2f], peak resident %.1f MiB\n", names[1],
         quantile(ratios, rounds, 0.5), quantile(ratios, rounds, 0.05),
         quantile(ratios, rounds, 0.95), peak_mib());
  lpot_free(times[0]);
  lpot_free(times[1]);
  lpot_free(ratios);
  return LPOT_OK;
}

/* ---- on demand ---- */

static lpot_status serve(bench *b, const char *export_path, lpot_error *err) {
  const lpot_clock clock = lpot_clock_monotonic();
  char line[64];
  if (export_path != NULL) {
    LPOT_TRY(lpot_onnx_save(b->quantized, export_path, NULL, err));
  }
  printf("ready %s, compile f32 %.1f ms, int8 %.1f ms\n", lpot_engine_numeric_class(b->engine),
         b->compile_seconds[0] * 1e3, b->compile_seconds[1] * 1e3);
  (void)fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    char side[8];
    int runs = 0;
    if (sscanf(line, "%7s %d", side, &runs) != 2 || runs < 1) {
      return LPOT_FAIL(err, LPOT_INVALID, "expected 'f32 N' or 'int8 N', got '%s'", line);
    }
    lpot_plan *plan = b->plans[strcmp(side, "int8") == 0 ? 1 : 0];
    double wall = lpot_clock_now(&clock);
    double cpu = lpot_clock_thread_cpu();
    for (int i = 0; i < runs; ++i) {
      LPOT_TRY(lpot_plan_run(plan, (const lpot_tensor *const *)b->inputs, err));
    }
    printf("%.9f %.9f\n", lpot_clock_now(&clock) - wall, lpot_clock_thread_cpu() - cpu);
    (void)fflush(stdout);
  }
  return LPOT_OK;
}

static lpot_status load(bench *b, const char *path, lpot_error *err) {
  LPOT_TRY(lpot_model_load(path, &b->graph, NULL, err));
  LPOT_TRY(lpot_graph_normalise(b->graph, lpot_reference_run, err));
  return LPOT_OK;
}

static lpot_status show_memory(bench *b, const char *path, int64_t batch, lpot_error *err) {
  const lpot_clock clock = lpot_clock_monotonic();
  double start = lpot_clock_now(&clock);
  LPOT_TRY(lpot_engine_open("onednn", &b->engine, err));
  double base = peak_mib(); /* what the libraries take */
  LPOT_TRY(load(b, path, err));
  double loaded = lpot_clock_now(&clock);
  LPOT_TRY(lpot_graph_bind(b->graph, batch, lpot_reference_run, &b->bound, err));
  LPOT_TRY(make_inputs(b, err));
  LPOT_TRY(lpot_plan_compile(b->engine, b->bound, NULL, &b->plans[0], err));
  double compiled = lpot_clock_now(&clock);
  for (int i = 0; i < 3; ++i) {
    LPOT_TRY(lpot_plan_run(b->plans[0], (const lpot_tensor *const *)b->inputs, err));
  }
  printf("%.3f %.3f %.1f\n", (loaded - start) * 1e3, (compiled - loaded) * 1e3, peak_mib() - base);
  return LPOT_OK;
}

/* ---- steps ---- */

/* Steps of one kind that run alike. */
typedef struct step_group {
  lpot_plan_step first;
  size_t count;
  double seconds; /* of one run */
} step_group;

static int by_seconds(const void *a, const void *b) {
  double x = ((const step_group *)a)->seconds;
  double y = ((const step_group *)b)->seconds;
  return x > y ? -1 : x < y;
}

static size_t group_steps(const lpot_plan *plan, size_t num_steps, const double *seconds,
                          step_group *groups) {
  size_t count = 0;
  for (size_t i = 0; i < num_steps; ++i) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    size_t k = 0;
    while (k < count && (strcmp(groups[k].first.kind, step.kind) != 0 ||
                         strcmp(groups[k].first.implementation, step.implementation) != 0)) {
      ++k;
    }
    if (k == count) {
      groups[count++] = (step_group){.first = step};
    }
    groups[k].seconds += seconds[i];
    ++groups[k].count;
  }
  return count;
}

static lpot_status run_and_note(const bench *b, lpot_plan *plan, size_t num_steps, double *seconds,
                                lpot_error *err) {
  for (int run = 0; run < 50; ++run) {
    LPOT_TRY(lpot_plan_run(plan, (const lpot_tensor *const *)b->inputs, err));
    for (size_t i = 0; i < num_steps; ++i) {
      double last = lpot_plan_get_step(plan, i).last_seconds;
      seconds[i] = run == 0 || last < seconds[i] ? last : seconds[i];
    }
  }
  return LPOT_OK;
}

static lpot_status print_steps(const bench *b, lpot_plan *plan, lpot_error *err) {
  lpot_plan_stats stats;
  double whole = 0.0;
  lpot_plan_get_stats(plan, &stats);
  step_group *groups = lpot_calloc(stats.num_steps, sizeof *groups);
  double *seconds = lpot_calloc(stats.num_steps, sizeof *seconds);
  if (groups == NULL || seconds == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(run_and_note(b, plan, stats.num_steps, seconds, err));
  size_t count = group_steps(plan, stats.num_steps, seconds, groups);
  for (size_t k = 0; k < count; ++k) {
    whole += groups[k].seconds;
  }
  qsort(groups, count, sizeof *groups, by_seconds);
  printf("%zu steps, %.3f ms a run\n", stats.num_steps, whole * 1e3);
  for (size_t k = 0; k < count; ++k) {
    const step_group *group = &groups[k];
    printf("  %-22s %4zu %9.3f ms %5.1f %%  %s, first: %s\n", group->first.kind, group->count,
           group->seconds * 1e3, group->seconds / whole * 100.0, group->first.implementation,
           group->first.name);
  }
  lpot_free(seconds);
  lpot_free(groups);
  return LPOT_OK;
}

static lpot_status show_steps(bench *b, const char *path, int64_t batch, lpot_error *err) {
  const lpot_plan_options options = {.profile = true};
  LPOT_TRY(lpot_engine_open("onednn", &b->engine, err));
  LPOT_TRY(load(b, path, err));
  LPOT_TRY(lpot_graph_bind(b->graph, batch, lpot_reference_run, &b->bound, err));
  LPOT_TRY(make_inputs(b, err));
  LPOT_TRY(lpot_plan_compile(b->engine, b->bound, &options, &b->plans[0], err));
  LPOT_TRY(print_steps(b, b->plans[0], err));
  return LPOT_OK;
}

static int usage(void) {
  (void)fprintf(stderr, "usage: bench_engine [--bf16] MODEL BATCH [ROUNDS]\n"
                        "       bench_engine --serve MODEL BATCH [EXPORT]\n"
                        "       bench_engine --memory MODEL BATCH\n"
                        "       bench_engine --steps MODEL BATCH\n");
  return 2;
}

int main(int argc, char **argv) {
  bench b = {0};
  lpot_error err = {0};
  int batch = 1;
  int rounds = 200;
  bool serves = argc > 1 && strcmp(argv[1], "--serve") == 0;
  bool memory = argc > 1 && strcmp(argv[1], "--memory") == 0;
  bool steps = argc > 1 && strcmp(argv[1], "--steps") == 0;
  b.bf16 = argc > 1 && strcmp(argv[1], "--bf16") == 0;
  argc -= serves || memory || steps || b.bf16 ? 1 : 0;
  argv += serves || memory || steps || b.bf16 ? 1 : 0;
  if (argc < 3 || sscanf(argv[2], "%d", &batch) != 1 || batch < 1 ||
      (!serves && argc > 3 &&
       (sscanf(argv[3], "%d", &rounds) != 1 || rounds < 1 || rounds > MAX_ROUNDS))) {
    return usage();
  }
  lpot_status status = LPOT_OK;
  if (memory) {
    status = show_memory(&b, argv[1], batch, &err);
  } else if (steps) {
    status = show_steps(&b, argv[1], batch, &err);
  } else {
    status = prepare(&b, argv[1], batch, &err);
  }
  if (status == LPOT_OK && serves) {
    status = serve(&b, argc > 3 ? argv[3] : NULL, &err);
  } else if (status == LPOT_OK && !memory && !steps) {
    status = report(&b, argv[1], rounds, &err);
  }
  if (status != LPOT_OK) {
    (void)fprintf(stderr, "bench_engine: %s\n", err.message);
  }
  return lpot_status_exit_code(status);
}
