#include "tune/op_times.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hash_map.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/core_probe.h"
#include "tune/latency_stats.h"
#include "tune/machine.h"
#include "tune/op_borders.h"
#include "tune/timed_inputs.h"

#define MAX_ROUNDS 2000u
#define BUDGET_SECONDS 3.0 /* of one attempt */
#define FEW_ROUNDS 200u    /* are enough after some time */
#define FEW_SECONDS 0.6    /* so long a look at the neighbours is needed */
#define WARM_UP_SECONDS 0.3
#define ATTEMPTS 3u
#define PAUSE_SECONDS 0.3 /* between attempts */
#define LAST_BEGIN 8.0    /* seconds after which no attempt is begun: what does without goes on */
#define RUNS_IN_ROW 2     /* of a plan: the last one is timed */

/* One plan, and what was timed of it. */
typedef struct timed_plan {
  lpot_plan *plan; /* NULL: this precision is not measured */
  size_t num_steps;
  size_t *owners;   /* [num_steps] op, or SIZE_MAX */
  double *steps;    /* [MAX_ROUNDS, num_steps] seconds */
  double *seconds;  /* [MAX_ROUNDS] of the whole run */
  double low, high; /* quartiles of seconds */
} timed_plan;

typedef struct op_bench {
  lpot_job *job;
  int64_t batch;
  lpot_pinning pinning;
  lpot_timed_inputs inputs;
  timed_plan plans[LPOT_NUM_PRECISIONS];
  size_t num_rounds;
  lpot_latency_round rounds[MAX_ROUNDS]; /* [num_rounds] of this attempt */
  double scratch[MAX_ROUNDS];
  double best_f32_ms; /* fastest round of all attempts */
  lpot_core_watch core;
  lpot_window_fault fault; /* of the last attempt */
} op_bench;

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

static void bench_done(op_bench *bench) {
  for (size_t i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    lpot_plan_free(bench->plans[i].plan);
    lpot_free(bench->plans[i].owners);
    lpot_free(bench->plans[i].steps);
    lpot_free(bench->plans[i].seconds);
    bench->plans[i] = (timed_plan){0};
  }
  lpot_timed_inputs_done(&bench->inputs);
  lpot_machine_unpin(&bench->pinning);
}

/* ---- recipes ---- */

lpot_calibration_key lpot_op_times_calibration(const lpot_job *job) {
  const lpot_wishes *wishes = &job->config->wishes;
  const lpot_choices *equalized = &wishes->corrections[LPOT_CROSS_LAYER_EQUALIZATION];
  if (lpot_quant_ops_is_dynamic(job->ops)) {
    return (lpot_calibration_key){.samples = 0};
  }
  return (lpot_calibration_key){.samples = wishes->sampling_sizes[0],
                                .equalized = equalized->count > 0 && equalized->values[0] != 0};
}

/* The first choice of each field, except that of the type. */
static lpot_tensor_config first_choice(const lpot_tensor_choices *choices, lpot_dtype dtype) {
  if (choices->dtype.count == 0) {
    return (lpot_tensor_config){.dtype = LPOT_DTYPE_UNKNOWN};
  }
  if (lpot_dtype_is_float(dtype)) {
    return (lpot_tensor_config){.dtype = dtype};
  }
  return (lpot_tensor_config){.dtype = (lpot_dtype)choices->dtype.values[0],
                              .scheme = (lpot_scheme)choices->scheme.values[0],
                              .granularity = (lpot_granularity)choices->granularity.values[0],
                              .algorithm = (lpot_algorithm)choices->algorithm.values[0]};
}

static bool has_dtype(const lpot_choices *choices, lpot_dtype dtype) {
  for (size_t i = 0; i < choices->count; i++) {
    if (choices->values[i] == (int)dtype) {
      return true;
    }
  }
  return false;
}

lpot_status lpot_op_times_recipe(const lpot_job *job, lpot_precision precision,
                                 lpot_recipe **ret_recipe, size_t *ret_count, lpot_error *err) {
  static const lpot_dtype dtypes[LPOT_NUM_PRECISIONS] = {[LPOT_PRECISION_F32] = LPOT_F32,
                                                         [LPOT_PRECISION_INT8] = LPOT_U8,
                                                         [LPOT_PRECISION_BF16] = LPOT_BF16};
  lpot_dtype dtype = dtypes[precision];
  lpot_recipe *recipe = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_recipe_new(lpot_quant_ops_count(job->ops), &recipe, err));
  for (size_t i = 0; i < recipe->num_ops; i++) {
    lpot_op_choices choices = lpot_capability(lpot_quant_ops_get(job->ops, i));
    bool able = has_dtype(&choices.activation.dtype, dtype);
    lpot_dtype used = able ? dtype : LPOT_F32;
    recipe->ops[i] = (lpot_op_config){.activation = first_choice(&choices.activation, used),
                                      .weight = first_choice(&choices.weight, used)};
    count += able ? 1 : 0;
  }
  recipe->dynamic = lpot_quant_ops_is_dynamic(job->ops);
  lpot_calibration_key calibration = lpot_op_times_calibration(job);
  recipe->calibration_samples = calibration.samples;
  recipe->corrections.cross_layer_equalization = calibration.equalized;
  recipe->scale_propagation_concat =
      !recipe->dynamic && job->config->wishes.scale_propagation_concat;
  *ret_recipe = recipe;
  *ret_count = count;
  return LPOT_OK;
}

/* ---- whose step is it ---- */

/* Nodes that the rewriting makes of a dynamic op, after its name (quant/rewrite_dynamic.c). */
static const char *const dynamic_suffixes[] = {"_MatMulInteger", "_Cast", "_scales_Mul", "_Mul",
                                               "_Add"};

static lpot_status add_node(const lpot_job *job, lpot_node_id node, size_t index,
                            lpot_hash_map *owners, lpot_error *err) {
  if (node != LPOT_NONE) {
    LPOT_TRY(
        lpot_hash_map_put(owners, lpot_graph_node(job->graph, node)->name, (int64_t)index, err));
  }
  return LPOT_OK;
}

static lpot_status add_dynamic(const char *name, size_t index, lpot_hash_map *owners,
                               lpot_error *err) {
  lpot_buffer text;
  lpot_buffer_init(&text);
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < sizeof dynamic_suffixes / sizeof dynamic_suffixes[0]; i++) {
    lpot_buffer_clear(&text);
    if (status == LPOT_OK) {
      status = lpot_buffer_printf(&text, err, "%s%s", name, dynamic_suffixes[i]);
    }
    if (status == LPOT_OK) {
      status = lpot_buffer_terminate(&text, err);
    }
    if (status == LPOT_OK) {
      status = lpot_hash_map_put(owners, (const char *)text.data, (int64_t)index, err);
    }
  }
  lpot_buffer_done(&text);
  return status;
}

static lpot_status map_nodes(const lpot_job *job, lpot_hash_map *owners, lpot_error *err) {
  for (size_t i = 0; i < lpot_quant_ops_count(job->ops); i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(job->ops, i);
    LPOT_TRY(add_node(job, op->anchor, i, owners, err));
    LPOT_TRY(add_node(job, op->bias_add, i, owners, err));
    LPOT_TRY(add_node(job, op->activation, i, owners, err));
    if (op->dynamic) {
      LPOT_TRY(add_dynamic(op->name, i, owners, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_op_times_owners(const lpot_job *job, const lpot_plan *plan, size_t *ret_owners,
                                 lpot_error *err) {
  lpot_hash_map *owners = NULL;
  lpot_plan_stats stats;
  lpot_plan_get_stats(plan, &stats);
  LPOT_TRY(lpot_hash_map_new(&owners, err));
  lpot_status status = map_nodes(job, owners, err);
  for (size_t i = 0; i < stats.num_steps && status == LPOT_OK; i++) {
    int64_t index = 0;
    bool found = lpot_hash_map_get(owners, lpot_plan_get_step(plan, i).name, &index);
    ret_owners[i] = found ? (size_t)index : SIZE_MAX;
  }
  lpot_hash_map_free(owners);
  return status;
}

/* ---- preparing ---- */

static lpot_status compile(op_bench *bench, lpot_precision precision, lpot_error *err) {
  const lpot_plan_options options = {.profile = true};
  timed_plan *timed = &bench->plans[precision];
  lpot_recipe *recipe = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_op_times_recipe(bench->job, precision, &recipe, &count, err));
  bool wanted = count > 0 || precision == LPOT_PRECISION_F32;
  lpot_status status = LPOT_OK;
  if (wanted) {
    status = lpot_job_compile(bench->job, precision == LPOT_PRECISION_F32 ? NULL : recipe,
                              bench->batch, &options, &timed->plan, err);
  }
  lpot_recipe_free(recipe);
  LPOT_TRY(status);
  if (!wanted) {
    return LPOT_OK;
  }
  lpot_plan_stats stats;
  lpot_plan_get_stats(timed->plan, &stats);
  timed->num_steps = stats.num_steps;
  timed->owners = lpot_calloc(stats.num_steps, sizeof *timed->owners);
  timed->steps = lpot_calloc(stats.num_steps, MAX_ROUNDS * sizeof *timed->steps);
  timed->seconds = lpot_calloc(MAX_ROUNDS, sizeof *timed->seconds);
  if (timed->owners == NULL || timed->steps == NULL || timed->seconds == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  LPOT_TRY(lpot_op_times_owners(bench->job, timed->plan, timed->owners, err));
  for (size_t i = 0; i < timed->num_steps && precision == LPOT_PRECISION_BF16; i++) {
    size_t op = timed->owners[i];
    bool able =
        op != SIZE_MAX && lpot_op_type_has_bf16(lpot_quant_ops_get(bench->job->ops, op)->type);
    timed->owners[i] = able ? op : SIZE_MAX; /* What stays f32 there is the rest. */
  }
  return LPOT_OK;
}

/* The thread is pinned first: all that is made behind it lies in the memory of its core. */
static lpot_status prepare(op_bench *bench, lpot_error *err) {
  const lpot_config *config = bench->job->config;
  int64_t cores = config->cores_per_instance;
  LPOT_TRY(lpot_machine_pin(cores > 0 ? cores : 1, &bench->pinning, err));
  bench->batch = lpot_job_allowed_batch(bench->job, config->performance.batch_size);
  LPOT_TRY(lpot_timed_inputs_load(bench->job, &bench->inputs, err));
  LPOT_TRY(compile(bench, LPOT_PRECISION_F32, err));
  LPOT_TRY(compile(bench, LPOT_PRECISION_INT8, err));
  if (lpot_engine_has_bf16(bench->job->engine)) {
    LPOT_TRY(compile(bench, LPOT_PRECISION_BF16, err));
  }
  return LPOT_OK;
}

/* ---- rounds ---- */

static lpot_status time_plan(op_bench *bench, timed_plan *timed, size_t round, lpot_error *err) {
  const lpot_tensor *const *inputs = lpot_timed_inputs_get(&bench->inputs, round);
  double start = 0;
  for (int i = 0; i < RUNS_IN_ROW; i++) {
    start = now();
    LPOT_TRY(lpot_plan_run(timed->plan, inputs, err));
  }
  timed->seconds[round] = now() - start;
  for (size_t i = 0; i < timed->num_steps; i++) {
    timed->steps[round * timed->num_steps + i] = lpot_plan_get_step(timed->plan, i).last_seconds;
  }
  return LPOT_OK;
}

/* Every other round goes backwards, so that each precision comes first and last equally often. */
static lpot_status run_round(op_bench *bench, size_t round, const lpot_stop *stop,
                             lpot_error *err) {
  lpot_core_watch_reset(&bench->core);
  uint32_t switches = lpot_machine_switches();
  double cpu = lpot_clock_thread_cpu();
  double wall = now();
  if (stop != NULL && stop->requested(stop->context)) {
    return LPOT_FAIL(err, LPOT_INTERRUPTED, "measuring the times of the ops was stopped");
  }
  lpot_core_watch_look(&bench->core);
  for (size_t i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    timed_plan *timed = &bench->plans[round % 2 == 0 ? i : LPOT_NUM_PRECISIONS - 1 - i];
    if (timed->plan != NULL) {
      LPOT_TRY(time_plan(bench, timed, round, err));
      lpot_core_watch_look(&bench->core);
    }
  }
  wall = now() - wall;
  cpu = lpot_clock_thread_cpu() - cpu;
  double f32 = bench->plans[LPOT_PRECISION_F32].seconds[round];
  bench->rounds[round] = (lpot_latency_round){.number = (uint32_t)round,
                                              .f32_ms = 1e3 * f32 / (double)bench->batch,
                                              .switches = lpot_machine_switches() - switches,
                                              .cpu_share = wall > 0 ? (float)(cpu / wall) : 0,
                                              .crowding = (float)bench->core.second.crowding};
  return LPOT_OK;
}

static lpot_status warm_up(op_bench *bench, int64_t rounds, const lpot_stop *stop,
                           lpot_error *err) {
  double start = now();
  for (int64_t i = 0; i < rounds || now() - start < WARM_UP_SECONDS; i++) {
    LPOT_TRY(run_round(bench, (size_t)i % MAX_ROUNDS, stop, err));
  }
  return LPOT_OK;
}

static bool is_enough(const op_bench *bench, double seconds, int64_t iterations) {
  if (iterations > 0 && (int64_t)bench->num_rounds >= iterations) {
    return true;
  }
  return bench->num_rounds == MAX_ROUNDS ||
         (bench->num_rounds >= FEW_ROUNDS && seconds >= FEW_SECONDS) ||
         (bench->num_rounds >= LPOT_MIN_ROUNDS && seconds >= BUDGET_SECONDS);
}

/* ---- attempts ---- */

static size_t count_clean(const op_bench *bench) {
  size_t clean = 0;
  for (size_t i = 0; i < bench->num_rounds; i++) {
    clean += lpot_round_is_clean(&bench->rounds[i]) ? 1 : 0;
  }
  return clean;
}

/* Notes what the machine did meanwhile, and says what is wrong with the attempt. */
static void judge(op_bench *bench, const lpot_watch *watch, const lpot_watch_report *report,
                  char *reason, size_t reason_size) {
  size_t count = bench->num_rounds;
  double median_ms = 0;
  double figure = 0;
  for (size_t i = 0; i < count; i++) {
    bench->rounds[i].steal = (float)report->steal;
    bench->rounds[i].neighbours = (float)report->neighbours;
    bench->rounds[i].flags = lpot_round_judge(&bench->rounds[i], bench->core.least);
  }
  lpot_rounds_update_best(bench->rounds, count, &bench->best_f32_ms);
  lpot_rounds_mark_slow(bench->rounds, count, bench->best_f32_ms);
  bench->fault = lpot_window_judge(bench->rounds, count, 0, lpot_watch_allowed(watch->num_package),
                                   bench->scratch, &median_ms, &figure);
  size_t clean = count_clean(bench);
  reason[0] = '\0';
  if (bench->fault != LPOT_WINDOW_FINE) {
    lpot_window_fault_text(bench->fault, figure, watch->num_package, reason, reason_size);
  } else if (clean < LPOT_MIN_ROUNDS) {
    snprintf(reason, reason_size, "only %zu rounds count, at least %d are needed", clean,
             LPOT_MIN_ROUNDS);
  }
}

static lpot_status run_attempt(op_bench *bench, const lpot_stop *stop, lpot_op_times *times,
                               lpot_error *err) {
  const lpot_config *config = bench->job->config;
  lpot_watch watch;
  lpot_watch_report report;
  LPOT_TRY(warm_up(bench, config->warmup, stop, err));
  lpot_watch_begin(&watch, &bench->pinning);
  double start = now();
  bench->num_rounds = 0;
  do {
    LPOT_TRY(run_round(bench, bench->num_rounds, stop, err));
    bench->num_rounds++;
  } while (!is_enough(bench, now() - start, config->iteration));
  bool bf16 = bench->plans[LPOT_PRECISION_BF16].plan != NULL;
  LPOT_TRY(lpot_measure_op_borders(bench->job, bench->batch, bf16, times->ops, err));
  lpot_watch_look(&watch, &report);
  judge(bench, &watch, &report, times->reason, sizeof times->reason);
  times->trusted = times->reason[0] == '\0';
  return LPOT_OK;
}

static lpot_status run_attempts(op_bench *bench, const lpot_stop *stop, lpot_op_times *times,
                                lpot_error *err) {
  unsigned attempts = bench->job->config->iteration > 0 ? 1 : ATTEMPTS;
  double start = now();
  LPOT_TRY(run_attempt(bench, stop, times, err));
  for (unsigned i = 1; i < attempts && !times->trusted && now() - start < LAST_BEGIN; i++) {
    lpot_clock_sleep(PAUSE_SECONDS);
    if (bench->fault == LPOT_WINDOW_CROWDED) { /* On another core, perhaps. */
      bench_done(bench);
      LPOT_TRY(prepare(bench, err));
    }
    LPOT_TRY(run_attempt(bench, stop, times, err));
  }
  return LPOT_OK;
}

/* ---- the table ---- */

/* Leaves the rounds that are clean, or all where those are too few. */
static void drop_disturbed(op_bench *bench) {
  size_t kept = 0;
  if (count_clean(bench) < LPOT_MIN_ROUNDS) {
    return;
  }
  for (size_t i = 0; i < bench->num_rounds; i++) {
    if (!lpot_round_is_clean(&bench->rounds[i])) {
      continue;
    }
    for (size_t k = 0; k < LPOT_NUM_PRECISIONS; k++) {
      timed_plan *timed = &bench->plans[k];
      for (size_t step = 0; step < timed->num_steps && timed->plan != NULL; step++) {
        timed->steps[kept * timed->num_steps + step] = timed->steps[i * timed->num_steps + step];
      }
      if (timed->plan != NULL) {
        timed->seconds[kept] = timed->seconds[i];
      }
    }
    kept++;
  }
  bench->num_rounds = kept;
}

static void find_quartiles(op_bench *bench, timed_plan *timed) {
  size_t quarter = bench->num_rounds / 4;
  double ignored[3];
  for (size_t round = 0; round < bench->num_rounds; round++) {
    bench->scratch[round] = timed->seconds[round];
  }
  lpot_median_interval(bench->scratch, bench->num_rounds, &ignored[0], &ignored[1], &ignored[2]);
  timed->low = bench->scratch[quarter]; /* They are sorted now. */
  timed->high = bench->scratch[bench->num_rounds - 1 - quarter];
}

/* Mean of scratch over the rounds whose run is between the quartiles, in microseconds for one
 * sample: the same rounds for all ops, so that their times add up. */
static double mean_us(const op_bench *bench, const timed_plan *timed) {
  double sum = 0;
  size_t count = 0;
  for (size_t round = 0; round < bench->num_rounds; round++) {
    if (timed->seconds[round] >= timed->low && timed->seconds[round] <= timed->high) {
      sum += bench->scratch[round];
      count++;
    }
  }
  return sum / (double)count * 1e6 / (double)bench->batch;
}

/* Half of the interval of scratch's median over the median; sorts scratch. */
static double spread_of(op_bench *bench) {
  double median = 0;
  double low = 0;
  double high = 0;
  lpot_median_interval(bench->scratch, bench->num_rounds, &median, &low, &high);
  return median > 0 ? 0.5 * (high - low) / median : 0;
}

/* Puts the time that owner's steps take in each round into scratch. */
static void sum_steps(op_bench *bench, const timed_plan *timed, size_t owner) {
  for (size_t round = 0; round < bench->num_rounds; round++) {
    const double *steps = &timed->steps[round * timed->num_steps];
    bench->scratch[round] = 0;
    for (size_t i = 0; i < timed->num_steps; i++) {
      bench->scratch[round] += timed->owners[i] == owner ? steps[i] : 0;
    }
  }
}

static void fill_precision(op_bench *bench, lpot_precision precision, lpot_op_times *times) {
  timed_plan *timed = &bench->plans[precision];
  find_quartiles(bench, timed);
  for (size_t i = 0; i < times->num_ops; i++) {
    lpot_op_cost *cost = &times->ops[i];
    double *const columns[LPOT_NUM_PRECISIONS] = {&cost->f32_us, &cost->int8_us, &cost->bf16_us};
    bool able =
        precision != LPOT_PRECISION_BF16 || !isnan(cost->to_bf16_us); /* by lpot_op_type_has_bf16 */
    if (able) {
      sum_steps(bench, timed, i);
      *columns[precision] = mean_us(bench, timed);
      cost->spread = fmax(cost->spread, spread_of(bench));
    }
  }
  sum_steps(bench, timed, SIZE_MAX);
  times->rest_us[precision] = mean_us(bench, timed);
  for (size_t round = 0; round < bench->num_rounds; round++) {
    bench->scratch[round] = timed->seconds[round];
  }
  times->whole_us[precision] = mean_us(bench, timed);
}

static void fill_table(op_bench *bench, lpot_op_times *times) {
  drop_disturbed(bench);
  for (size_t i = 0; i < times->num_ops; i++) {
    times->ops[i].spread = 0;
  }
  for (int i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    if (bench->plans[i].plan != NULL) {
      fill_precision(bench, (lpot_precision)i, times);
    }
  }
  times->batch = bench->batch;
  times->rounds = bench->num_rounds;
  lpot_cpu_set_text(&bench->pinning.pinned, times->cores, sizeof times->cores);
  lpot_text_copy(times->numeric_class, sizeof times->numeric_class,
                 lpot_engine_numeric_class(bench->job->engine));
}

static lpot_status measure(op_bench *bench, const lpot_stop *stop, lpot_op_times *times,
                           lpot_error *err) {
  double start = now();
  LPOT_TRY(prepare(bench, err));
  LPOT_TRY(run_attempts(bench, stop, times, err));
  fill_table(bench, times);
  times->seconds = now() - start;
  return LPOT_OK;
}

lpot_status lpot_measure_op_times(lpot_job *job, const lpot_stop *stop, lpot_op_times *ret,
                                  lpot_error *err) {
  lpot_op_times times;
  LPOT_TRY(lpot_op_times_init(&times, lpot_quant_ops_count(job->ops), err));
  op_bench *bench = lpot_calloc(1, sizeof *bench);
  if (bench == NULL) {
    lpot_op_times_done(&times);
    return LPOT_OUT_OF_MEMORY(err);
  }
  bench->job = job;
  lpot_core_watch_begin(job->least_crowding, &bench->core);
  lpot_job_drop_plans(job);
  lpot_status status = measure(bench, stop, &times, err);
  bench_done(bench);
  job->least_crowding = bench->core.least;
  lpot_free(bench);
  if (status != LPOT_OK) {
    lpot_op_times_done(&times);
    return status;
  }
  *ret = times;
  return LPOT_OK;
}
