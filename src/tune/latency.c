#include "tune/latency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/memory.h"

#define BUDGET_SECONDS 2.0
#define MIN_ROUNDS 5u
#define MAX_ROUNDS 4096u
#define ROUNDS_BETWEEN_LOOKS 16u
#define WANTED_HALF_WIDTH 0.01 /* of the median */
#define SHORTEST_TIMING 50e-6  /* seconds: shorter runs are repeated within one timing */
#define MAX_STOLEN 0.02        /* share of a round's time that others may take */
#define MAX_DISTURBED 0.3      /* share of disturbed rounds above which figures are not trusted */

typedef struct input_set {
  size_t num_inputs;
  lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS]; /* owned copies */
} input_set;

typedef struct latency_bench {
  lpot_plan *plans[2]; /* f32, recipe */
  int64_t batch;
  size_t num_sets;
  input_set sets[LPOT_LATENCY_BATCHES];
  int repeats[2]; /* runs in one timing */
  size_t max_rounds;
  double *seconds[2]; /* [2 * max_rounds] per run */
  double *sorted;     /* [2 * max_rounds] scratch */
  size_t rounds;      /* kept rounds: seconds hold two values for each */
  size_t num_run;     /* rounds that were run */
  size_t disturbed;   /* of them disturbed */
} latency_bench;

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

void lpot_median_interval(double *values, size_t count, double *ret_median, double *ret_low,
                          double *ret_high) {
  qsort(values, count, sizeof *values, compare_doubles);
  *ret_median =
      count % 2 == 1 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
  /* How many values lie below the true median is binomial(count, 1/2); this is the 2.5 % quantile
   * by the normal law, and the value of that rank, counted from 1, is the lower end. */
  double rank = floor(0.5 * (double)count - 0.98 * sqrt((double)count));
  size_t below = count >= 6 && rank >= 1 ? (size_t)rank - 1 : 0;
  *ret_low = values[below];
  *ret_high = values[count - 1 - below];
}

static void bench_done(latency_bench *bench) {
  for (size_t i = 0; i < bench->num_sets; i++) {
    for (size_t k = 0; k < bench->sets[i].num_inputs; k++) {
      lpot_tensor_unref(bench->sets[i].inputs[k]);
    }
  }
  for (size_t side = 0; side < 2; side++) {
    lpot_plan_free(bench->plans[side]);
    lpot_free(bench->seconds[side]);
  }
  lpot_free(bench->sorted);
}

/* The loader overwrites its batches, therefore the inputs are copied. */
static lpot_status copy_inputs(const lpot_batch *batch, input_set *set, lpot_error *err) {
  for (size_t k = 0; k < batch->num_inputs; k++) {
    const lpot_tensor *input = batch->inputs[k];
    LPOT_TRY(lpot_tensor_copy_of(input->dtype, &input->shape, input->data, &set->inputs[k], err));
    set->num_inputs++;
  }
  return LPOT_OK;
}

static lpot_status load_inputs(latency_bench *bench, lpot_loader *loader, lpot_error *err) {
  int64_t count = lpot_loader_num_batches(loader);
  count = count < LPOT_LATENCY_BATCHES ? count : LPOT_LATENCY_BATCHES;
  for (int64_t i = 0; i < count; i++) {
    const lpot_batch *batch = NULL;
    LPOT_TRY(lpot_job_batch(loader, i, &batch, err));
    bench->num_sets++;
    LPOT_TRY(copy_inputs(batch, &bench->sets[i], err));
  }
  return LPOT_OK;
}

static lpot_status prepare(latency_bench *bench, lpot_job *job, const lpot_recipe *recipe,
                           lpot_error *err) {
  bench->batch = lpot_job_allowed_batch(job, job->config->performance.batch_size);
  bench->max_rounds = job->config->iteration > 0 ? (size_t)job->config->iteration : MAX_ROUNDS;
  lpot_loader *loader = NULL;
  LPOT_TRY(lpot_job_open_performance(job, &loader, err));
  lpot_status status = load_inputs(bench, loader, err);
  lpot_loader_free(loader);
  LPOT_TRY(status);
  LPOT_TRY(lpot_job_compile(job, NULL, bench->batch, &bench->plans[0], err));
  LPOT_TRY(lpot_job_compile(job, recipe, bench->batch, &bench->plans[1], err));
  bench->seconds[0] = lpot_calloc(2 * bench->max_rounds, sizeof(double));
  bench->seconds[1] = lpot_calloc(2 * bench->max_rounds, sizeof(double));
  bench->sorted = lpot_calloc(2 * bench->max_rounds, sizeof(double));
  if (bench->seconds[0] == NULL || bench->seconds[1] == NULL || bench->sorted == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

static lpot_status time_run(latency_bench *bench, size_t side, size_t set, double *ret_seconds,
                            lpot_error *err) {
  const lpot_tensor *inputs[LPOT_MAX_SAMPLE_INPUTS];
  for (size_t k = 0; k < bench->sets[set].num_inputs; k++) {
    inputs[k] = bench->sets[set].inputs[k];
  }
  double start = now();
  for (int i = 0; i < bench->repeats[side]; i++) {
    LPOT_TRY(lpot_plan_run(bench->plans[side], inputs, err));
  }
  *ret_seconds = (now() - start) / bench->repeats[side];
  return LPOT_OK;
}

static lpot_status check_stop(const lpot_stop *stop, lpot_error *err) {
  if (stop != NULL && stop->requested(stop->context)) {
    return LPOT_FAIL(err, LPOT_INTERRUPTED, "latency measurement was stopped");
  }
  return LPOT_OK;
}

static lpot_status warm_up(latency_bench *bench, int64_t rounds, const lpot_stop *stop,
                           lpot_error *err) {
  for (size_t side = 0; side < 2; side++) {
    double last = 0;
    bench->repeats[side] = 1;
    for (int64_t i = 0; i < rounds + 1; i++) {
      LPOT_TRY(check_stop(stop, err));
      LPOT_TRY(time_run(bench, side, (size_t)i % bench->num_sets, &last, err));
    }
    if (last < SHORTEST_TIMING) {
      bench->repeats[side] = (int)ceil(SHORTEST_TIMING / (last > 1e-7 ? last : 1e-7));
    }
  }
  return LPOT_OK;
}

static long involuntary_switches(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nivcsw : 0;
}

/* One ABBA round. A round that was disturbed is counted and its figures are not kept, unless the
 * machine gives us no better ones. */
static lpot_status run_round(latency_bench *bench, bool keep_disturbed, lpot_error *err) {
  static const size_t order[4] = {0, 1, 1, 0};
  size_t set = bench->num_run % bench->num_sets;
  size_t filled[2] = {2 * bench->rounds, 2 * bench->rounds};
  long before = involuntary_switches();
  double wall = now();
  double cpu = lpot_clock_thread_cpu();
  for (size_t i = 0; i < 4; i++) {
    size_t side = order[i];
    LPOT_TRY(time_run(bench, side, set, &bench->seconds[side][filled[side]], err));
    filled[side]++;
  }
  wall = now() - wall;
  cpu = lpot_clock_thread_cpu() - cpu;
  bool disturbed = involuntary_switches() != before && wall - cpu > MAX_STOLEN * wall;
  bench->num_run++;
  bench->disturbed += disturbed ? 1 : 0;
  bench->rounds += !disturbed || keep_disturbed ? 1 : 0;
  return LPOT_OK;
}

static void summarise(latency_bench *bench, size_t side, double *ret_median, double *ret_low,
                      double *ret_high) {
  size_t count = 2 * bench->rounds;
  memcpy(bench->sorted, bench->seconds[side], count * sizeof *bench->sorted);
  lpot_median_interval(bench->sorted, count, ret_median, ret_low, ret_high);
}

static bool is_narrow(latency_bench *bench) {
  for (size_t side = 0; side < 2; side++) {
    double median = 0;
    double low = 0;
    double high = 0;
    summarise(bench, side, &median, &low, &high);
    if (0.5 * (high - low) > WANTED_HALF_WIDTH * median) {
      return false;
    }
  }
  return true;
}

static lpot_status run_rounds(latency_bench *bench, int64_t iterations, const lpot_stop *stop,
                              lpot_error *err) {
  double start = now();
  bool limited = iterations > 0;
  while (bench->rounds < bench->max_rounds) {
    LPOT_TRY(check_stop(stop, err));
    bool late = now() - start > BUDGET_SECONDS;
    bool enough = bench->rounds >= MIN_ROUNDS;
    bool look = bench->rounds % ROUNDS_BETWEEN_LOOKS == 0;
    if (!limited && enough && (late || (look && is_narrow(bench)))) {
      return LPOT_OK;
    }
    LPOT_TRY(run_round(bench, late, err));
  }
  return LPOT_OK;
}

static void report(latency_bench *bench, lpot_latency *ret) {
  double figures[2][3];
  double to_ms = 1e3 / (double)bench->batch;
  for (size_t side = 0; side < 2; side++) {
    summarise(bench, side, &figures[side][0], &figures[side][1], &figures[side][2]);
  }
  *ret =
      (lpot_latency){.f32_ms = figures[0][0] * to_ms,
                     .f32_low_ms = figures[0][1] * to_ms,
                     .f32_high_ms = figures[0][2] * to_ms,
                     .recipe_ms = figures[1][0] * to_ms,
                     .recipe_low_ms = figures[1][1] * to_ms,
                     .recipe_high_ms = figures[1][2] * to_ms,
                     .rounds = bench->rounds,
                     .dropped = bench->disturbed,
                     .trusted = (double)bench->disturbed <= MAX_DISTURBED * (double)bench->num_run};
}

lpot_status lpot_measure_latency(lpot_job *job, const lpot_recipe *recipe, const lpot_stop *stop,
                                 lpot_latency *ret, lpot_error *err) {
  latency_bench bench = {0};
  lpot_job_drop_plans(job);
  lpot_status status = prepare(&bench, job, recipe, err);
  if (status == LPOT_OK) {
    status = warm_up(&bench, job->config->warmup, stop, err);
  }
  if (status == LPOT_OK) {
    status = run_rounds(&bench, job->config->iteration, stop, err);
  }
  if (status == LPOT_OK) {
    report(&bench, ret);
  }
  bench_done(&bench);
  return status;
}
