/* bench_recipes MODEL [COUNT]: what one recipe costs before its first batch, and whether memory
 * stays flat over many.
 *
 * Compiles COUNT (default 200) recipes of one network one after the other, as a tuning worker does:
 * everything int8 but one op, another one each time, with min-max or percentile ranges in turn.
 * Prints the medians of rewriting, binding and compiling in ms, the first recipe's apart, and the
 * resident size after the tenth recipe, half of them, and the last: it grows until every setting
 * has been met once (two for each op), and no more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"
#include "engine/engine.h"
#include "engine/reference/reference.h"
#include "formats/model.h"
#include "graph/passes/passes.h"
#include "quant/calibration.h"
#include "quant/rewrite.h"

#define MAX_RECIPES 100000

typedef struct bench {
  lpot_graph *graph, *bound;
  lpot_quant_ops *ops;
  lpot_calibration *calibration;
  lpot_weight_cache *weights;
  lpot_engine *engine;
  lpot_tensor *input;
  double *times[4]; /* rewrite, bind, compile, run */
} bench;

static double now(void) {
  const lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

static double resident_mib(void) {
  long kib = 0;
  char line[128];
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "VmRSS: %ld", &kib) == 1) {
      break;
    }
  }
  if (file != NULL) {
    (void)fclose(file);
  }
  return (double)kib / 1024.0;
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
    status = lpot_plan_run(plan, (const lpot_tensor *const[]){b->input}, err);
  }
  lpot_plan_free(plan);
  lpot_free(observed);
  return status;
}

static lpot_status prepare(bench *b, const char *path, lpot_error *err) {
  LPOT_TRY(lpot_model_load(path, &b->graph, NULL, err));
  LPOT_TRY(lpot_graph_normalise(b->graph, lpot_reference_run, err));
  LPOT_TRY(lpot_graph_bind(b->graph, 1, lpot_reference_run, &b->bound, err));
  LPOT_TRY(lpot_quant_ops_new(b->graph, b->bound, &b->ops, err));
  LPOT_TRY(lpot_weight_cache_new(&b->weights, err));
  LPOT_TRY(lpot_engine_open("onednn", &b->engine, err));
  const lpot_value *value = lpot_graph_value(b->bound, lpot_graph_input(b->bound, 0));
  lpot_rng rng;
  lpot_rng_init(&rng, 1);
  LPOT_TRY(lpot_tensor_new(value->dtype, &value->shape, &b->input, err));
  for (int64_t i = 0; i < lpot_tensor_elements(b->input); ++i) {
    lpot_tensor_set_double(b->input, i, lpot_rng_normal(&rng));
  }
  LPOT_TRY(calibrate(b, err));
  return LPOT_OK;
}

static lpot_status make_recipe(const bench *b, int number, lpot_recipe **ret, lpot_error *err) {
  LPOT_TRY(lpot_recipe_new(lpot_quant_ops_count(b->ops), ret, err));
  for (size_t i = 0; i < (*ret)->num_ops; ++i) {
    if (i == (size_t)number % (*ret)->num_ops) {
      continue; /* stays f32 */
    }
    lpot_op_config config = {.activation = {LPOT_U8, LPOT_SCHEME_ASYM, LPOT_PER_TENSOR,
                                            number % 2 == 0 ? LPOT_MINMAX : LPOT_PERCENTILE},
                             .weight = {LPOT_S8, LPOT_SCHEME_SYM, LPOT_PER_CHANNEL, LPOT_MINMAX}};
    if (lpot_quant_ops_get(b->ops, i)->weight == LPOT_NONE) {
      config.weight = (lpot_tensor_config){.dtype = LPOT_DTYPE_UNKNOWN};
    }
    (*ret)->ops[i] = config;
  }
  (*ret)->scale_propagation_concat = true;
  return LPOT_OK;
}

static lpot_status time_recipe(bench *b, const lpot_recipe *recipe, int number, lpot_error *err) {
  lpot_graph *quantized = NULL;
  lpot_graph *bound = NULL;
  lpot_plan *plan = NULL;
  double marks[5] = {now(), 0, 0, 0, 0};
  lpot_status status =
      lpot_quant_rewrite(b->graph, b->ops, recipe, b->calibration, b->weights, &quantized, err);
  marks[1] = now();
  if (status == LPOT_OK) {
    status = lpot_graph_bind(quantized, 1, lpot_reference_run, &bound, err);
  }
  marks[2] = now();
  if (status == LPOT_OK) {
    status = lpot_plan_compile(b->engine, bound, NULL, &plan, err);
  }
  marks[3] = now();
  if (status == LPOT_OK) {
    status = lpot_plan_run(plan, (const lpot_tensor *const[]){b->input}, err);
  }
  marks[4] = now();
  for (int i = 0; i < 4; ++i) {
    b->times[i][number] = (marks[i + 1] - marks[i]) * 1e3;
  }
  lpot_plan_free(plan);
  lpot_graph_free(bound);
  lpot_graph_free(quantized);
  return status;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void report(bench *b, int count, const double mib[2]) {
  static const char *const names[4] = {"rewrite", "bind", "compile", "run"};
  for (int i = 0; i < 4; ++i) {
    double first = b->times[i][0];
    qsort(b->times[i], (size_t)count, sizeof(double), by_value);
    printf("  %-8s first %.2f ms, median %.2f ms\n", names[i], first, b->times[i][count / 2]);
  }
  printf("  resident %.1f MiB after 10 recipes, %.1f MiB after %d, %.1f MiB after %d\n", mib[0],
         mib[1], count / 2, resident_mib(), count);
}

static lpot_status run(bench *b, int count, lpot_error *err) {
  double mib[2] = {0, 0};
  for (int i = 0; i < 4; ++i) {
    b->times[i] = lpot_calloc((size_t)count, sizeof(double));
    if (b->times[i] == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
  }
  for (int i = 0; i < count; ++i) {
    lpot_recipe *recipe = NULL;
    LPOT_TRY(make_recipe(b, i, &recipe, err));
    lpot_status status = time_recipe(b, recipe, i, err);
    lpot_recipe_free(recipe);
    LPOT_TRY(status);
    mib[0] = i < 10 ? resident_mib() : mib[0];
    mib[1] = i < count / 2 ? resident_mib() : mib[1];
  }
  report(b, count, mib);
  return LPOT_OK;
}

int main(int argc, char **argv) {
  bench b = {0};
  lpot_error err = {0};
  int count = 200;
  if (argc < 2 || argc > 3 ||
      (argc == 3 && (sscanf(argv[2], "%d", &count) != 1 || count < 1 || count > MAX_RECIPES))) {
    (void)fprintf(stderr, "usage: bench_recipes MODEL [COUNT]\n");
    return 2;
  }
  lpot_status status = prepare(&b, argv[1], &err);
  if (status == LPOT_OK) {
    const char *slash = strrchr(argv[1], '/');
    printf("%s, %d recipes, %s\n", slash != NULL ? slash + 1 : argv[1], count,
           lpot_engine_numeric_class(b.engine));
    status = run(&b, count, &err);
  }
  if (status != LPOT_OK) {
    (void)fprintf(stderr, "bench_recipes: %s\n", err.message);
  }
  return lpot_status_exit_code(status);
}
