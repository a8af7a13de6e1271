#include "tune/latency.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/core_probe.h"
#include "tune/machine.h"
#include "tune/timed_inputs.h"

#define BUDGET_SECONDS 3.0 /* of one attempt */
#define ATTEMPTS 5u
#define PAUSE_SECONDS 0.3 /* between attempts */
#define WINDOW_SECONDS 0.3
#define WINDOW_ROUNDS 8u /* at least */
#define LONG_WINDOW_SECONDS 2.0
#define LONG_WINDOW_ROUNDS 4u /* at least where they take long */
#define SLICE_SECONDS 0.05    /* between two looks at what the hypervisor took */
#define MIN_WINDOWS 2u
#define MAX_FAULTS 2u          /* windows to be repeated with which an attempt fails */
#define WANTED_HALF_WIDTH 0.01 /* of the log-ratio */
#define SHORTEST_TIMING 50e-6  /* seconds: shorter runs are repeated within one timing */
#define MAX_WARM_UP_SECONDS 1.0
#define WARM_UP_STEADY 0.02
#define BLOCK_SECONDS 0.02
#define MAX_BLOCK 50u
#define MAX_SWEEP_BYTES ((size_t)512 << 20)
#define LINE_BYTES 64u

/* One timing of one plan. */
typedef struct timing {
  double wall, cpu; /* seconds of all its runs */
  double run;       /* seconds of one run */
} timing;

typedef struct latency_bench {
  lpot_plan *plans[2]; /* f32, recipe */
  int64_t batch;
  lpot_timed_inputs inputs;
  int repeats[2]; /* runs in one timing */
  uint8_t *sweep; /* [sweep_bytes] that fill the caches; NULL: they stay warm */
  size_t sweep_bytes;
  uint64_t swept; /* what was read, so that it is */
  lpot_pinning pinning;
  lpot_watch slice, window; /* since the last slice, since the window's begin */
  size_t num_rounds, capacity;
  lpot_latency_round *rounds; /* [num_rounds], room for capacity */
  double *scratch;            /* [capacity] */
  uint32_t num_windows;
  size_t attempt_first; /* first round of this attempt */
  size_t window_first, slice_first;
  size_t fine_windows, faults; /* of this attempt */
  double reference_ms;         /* f32 in its first fine window */
  double best_f32_ms;          /* fastest round of this job */
  lpot_core_watch core;        /* least: of this job */
  lpot_window_fault last_fault;
} latency_bench;

static double now(void) {
  lpot_clock clock = lpot_clock_monotonic();
  return lpot_clock_now(&clock);
}

/* What prepare made. */
static void unprepare(latency_bench *bench) {
  lpot_timed_inputs_done(&bench->inputs);
  for (size_t side = 0; side < 2; side++) {
    lpot_plan_free(bench->plans[side]);
    bench->plans[side] = NULL;
  }
  lpot_free(bench->sweep);
  bench->sweep = NULL;
  lpot_machine_unpin(&bench->pinning);
}

static void bench_done(latency_bench *bench) {
  unprepare(bench);
  lpot_free(bench->rounds);
  lpot_free(bench->scratch);
}

/* ---- preparing ---- */

static lpot_status make_sweep(latency_bench *bench, lpot_error *err) {
  size_t bytes = lpot_machine_cache_bytes(&bench->pinning);
  bytes = bytes == 0 ? MAX_SWEEP_BYTES : bytes + bytes / 4;
  bench->sweep_bytes = bytes > MAX_SWEEP_BYTES ? MAX_SWEEP_BYTES : bytes;
  bench->sweep = lpot_alloc_aligned(bench->sweep_bytes);
  if (bench->sweep == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memset(bench->sweep, 1, bench->sweep_bytes);
  return LPOT_OK;
}

/* The thread is pinned first: all that is made behind it lies in the memory of its core. */
static lpot_status prepare(latency_bench *bench, lpot_job *job, const lpot_recipe *recipe,
                           lpot_error *err) {
  int64_t cores = job->config->cores_per_instance;
  LPOT_TRY(lpot_machine_pin(cores > 0 ? cores : 1, &bench->pinning, err));
  bench->batch = lpot_job_allowed_batch(job, job->config->performance.batch_size);
  LPOT_TRY(lpot_timed_inputs_load(job, &bench->inputs, err));
  LPOT_TRY(lpot_job_compile(job, NULL, bench->batch, NULL, &bench->plans[0], err));
  LPOT_TRY(lpot_job_compile(job, recipe, bench->batch, NULL, &bench->plans[1], err));
  if (job->config->cold_weights) {
    LPOT_TRY(make_sweep(bench, err));
  }
  return LPOT_OK;
}

/* ---- timing ---- */

static void sweep_caches(latency_bench *bench) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bench->sweep_bytes; i += LINE_BYTES) {
    sum += bench->sweep[i];
  }
  bench->swept += sum;
}

static lpot_status time_run(latency_bench *bench, size_t side, size_t set, timing *ret,
                            lpot_error *err) {
  const lpot_tensor *const *inputs = lpot_timed_inputs_get(&bench->inputs, set);
  sweep_caches(bench);
  double cpu = lpot_clock_thread_cpu();
  double wall = now();
  for (int i = 0; i < bench->repeats[side]; i++) {
    LPOT_TRY(lpot_plan_run(bench->plans[side], inputs, err));
  }
  ret->wall = now() - wall;
  ret->cpu = lpot_clock_thread_cpu() - cpu;
  ret->run = ret->wall / bench->repeats[side];
  return LPOT_OK;
}

static lpot_status check_stop(const lpot_stop *stop, lpot_error *err) {
  if (stop != NULL && stop->requested(stop->context)) {
    return LPOT_FAIL(err, LPOT_INTERRUPTED, "latency measurement was stopped");
  }
  return LPOT_OK;
}

/* ---- warm-up ---- */

/* Median time of one block of timings. */
static lpot_status run_block(latency_bench *bench, size_t side, size_t size, double *ret_seconds,
                             lpot_error *err) {
  double seconds[MAX_BLOCK];
  double low = 0;
  double high = 0;
  for (size_t i = 0; i < size; i++) {
    timing one;
    LPOT_TRY(time_run(bench, side, i % bench->inputs.num_sets, &one, err));
    seconds[i] = one.run;
  }
  lpot_median_interval(seconds, size, ret_seconds, &low, &high);
  return LPOT_OK;
}

static lpot_status warm_side(latency_bench *bench, size_t side, int64_t rounds,
                             const lpot_stop *stop, lpot_error *err) {
  timing last = {0};
  bench->repeats[side] = 1;
  for (int64_t i = 0; i < rounds + 1; i++) {
    LPOT_TRY(check_stop(stop, err));
    LPOT_TRY(time_run(bench, side, (size_t)i % bench->inputs.num_sets, &last, err));
  }
  if (bench->sweep == NULL && last.run < SHORTEST_TIMING) {
    bench->repeats[side] = (int)ceil(SHORTEST_TIMING / (last.run > 1e-7 ? last.run : 1e-7));
  }
  /* With swept caches only the length of the sweeps would count. */
  double size =
      bench->sweep != NULL ? 0 : ceil(BLOCK_SECONDS / (last.wall > 1e-6 ? last.wall : 1e-6));
  size_t block = size > MAX_BLOCK ? MAX_BLOCK : size < 3 ? 3 : (size_t)size;
  double start = now();
  double before = 0;
  double median = 0;
  LPOT_TRY(run_block(bench, side, block, &median, err));
  while (fabs(median - before) > WARM_UP_STEADY * median && now() - start < MAX_WARM_UP_SECONDS) {
    LPOT_TRY(check_stop(stop, err));
    before = median;
    LPOT_TRY(run_block(bench, side, block, &median, err));
  }
  return LPOT_OK;
}

/* ---- rounds ---- */

static lpot_status make_room(latency_bench *bench, lpot_error *err) {
  if (bench->num_rounds < bench->capacity) {
    return LPOT_OK;
  }
  size_t capacity = bench->capacity == 0 ? 4096 : 2 * bench->capacity;
  lpot_latency_round *rounds = lpot_realloc(bench->rounds, capacity, sizeof *rounds);
  bench->rounds = rounds != NULL ? rounds : bench->rounds;
  double *scratch = lpot_realloc(bench->scratch, capacity, sizeof *scratch);
  bench->scratch = scratch != NULL ? scratch : bench->scratch;
  if (rounds == NULL || scratch == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  bench->capacity = capacity;
  return LPOT_OK;
}

static lpot_status run_round(latency_bench *bench, lpot_error *err) {
  static const size_t order[4] = {0, 1, 1, 0};
  LPOT_TRY(make_room(bench, err));
  size_t set = bench->num_rounds % bench->inputs.num_sets;
  double run[2] = {0, 0};
  double wall = 0;
  double cpu = 0;
  lpot_core_watch_reset(&bench->core);
  uint32_t switches = lpot_machine_switches();
  lpot_core_watch_look(&bench->core);
  for (size_t i = 0; i < 4; i++) {
    timing one;
    LPOT_TRY(time_run(bench, order[i], set, &one, err));
    lpot_core_watch_look(&bench->core);
    run[order[i]] += one.run;
    wall += one.wall;
    cpu += one.cpu;
  }
  double to_ms = 0.5 * 1e3 / (double)bench->batch;
  bench->rounds[bench->num_rounds] =
      (lpot_latency_round){.number = (uint32_t)bench->num_rounds,
                           .window = bench->num_windows,
                           .f32_ms = run[0] * to_ms,
                           .recipe_ms = run[1] * to_ms,
                           .switches = lpot_machine_switches() - switches,
                           .cpu_share = wall > 0 ? (float)(cpu / wall) : 0,
                           .crowding = (float)bench->core.second.crowding,
                           .frequency_khz = bench->core.second.frequency_khz};
  bench->num_rounds++;
  return LPOT_OK;
}

/* Tells the rounds of the slice what the hypervisor took meanwhile, and the clock rate. */
static void end_slice(latency_bench *bench) {
  lpot_watch_report report;
  lpot_watch_look(&bench->slice, &report);
  uint32_t frequency_khz = lpot_machine_frequency_khz(&bench->pinning);
  for (size_t i = bench->slice_first; i < bench->num_rounds; i++) {
    lpot_latency_round *round = &bench->rounds[i];
    round->steal = (float)report.steal;
    round->frequency_khz = frequency_khz > 0 ? frequency_khz : round->frequency_khz;
    round->flags = lpot_round_judge(round, bench->core.least);
  }
  bench->slice_first = bench->num_rounds;
}

/* ---- windows ---- */

static bool window_is_full(const latency_bench *bench, double seconds, int64_t iterations) {
  size_t rounds = bench->num_rounds - bench->window_first;
  if (iterations > 0 && (int64_t)rounds >= iterations) {
    return true;
  }
  return (rounds >= WINDOW_ROUNDS && seconds >= WINDOW_SECONDS) ||
         (rounds >= LONG_WINDOW_ROUNDS && seconds >= LONG_WINDOW_SECONDS);
}

static lpot_status run_window(latency_bench *bench, int64_t iterations, const lpot_stop *stop,
                              lpot_error *err) {
  double start = now();
  double slice = start;
  bench->window_first = bench->num_rounds;
  bench->slice_first = bench->num_rounds;
  lpot_watch_begin(&bench->window, &bench->pinning);
  bench->slice = bench->window;
  while (!window_is_full(bench, now() - start, iterations)) {
    LPOT_TRY(check_stop(stop, err));
    LPOT_TRY(run_round(bench, err));
    if (now() - slice > SLICE_SECONDS) {
      end_slice(bench);
      slice = now();
    }
  }
  end_slice(bench);
  return LPOT_OK;
}

/* Marks the rounds of the window that has ended, and says what is wrong with it. */
static void end_window(latency_bench *bench, char *reason, size_t reason_size) {
  lpot_latency_round *rounds = &bench->rounds[bench->window_first];
  size_t count = bench->num_rounds - bench->window_first;
  lpot_watch_report report;
  lpot_watch_look(&bench->window, &report);
  for (size_t i = 0; i < count; i++) {
    rounds[i].neighbours = (float)report.neighbours;
  }
  double median_ms = 0;
  double figure = 0;
  lpot_rounds_update_best(rounds, count, &bench->best_f32_ms);
  lpot_rounds_mark_slow(rounds, count, bench->best_f32_ms);
  size_t num_package = bench->window.num_package;
  lpot_window_fault fault =
      lpot_window_judge(rounds, count, bench->reference_ms, lpot_watch_allowed(num_package),
                        bench->scratch, &median_ms, &figure);
  unsigned mark = fault == LPOT_WINDOW_FINE         ? LPOT_ROUND_KEPT
                  : fault == LPOT_WINDOW_NEIGHBOURS ? LPOT_ROUND_NEIGHBOURS
                                                    : LPOT_ROUND_UNSTEADY;
  for (size_t i = 0; i < count; i++) {
    bool marked = fault != LPOT_WINDOW_FINE || lpot_round_is_clean(&rounds[i]);
    rounds[i].flags = (uint8_t)(rounds[i].flags | (marked ? mark : 0));
  }
  if (fault == LPOT_WINDOW_FINE) {
    bench->reference_ms = bench->reference_ms > 0 ? bench->reference_ms : median_ms;
    bench->fine_windows++;
  } else {
    bench->faults++;
    lpot_window_fault_text(fault, figure, num_package, reason, reason_size);
  }
  bench->last_fault = fault;
  bench->num_windows++;
}

/* ---- attempts ---- */

static size_t count_kept(const latency_bench *bench) {
  size_t kept = 0;
  for (size_t i = bench->attempt_first; i < bench->num_rounds; i++) {
    kept += (bench->rounds[i].flags & LPOT_ROUND_KEPT) != 0 ? 1 : 0;
  }
  return kept;
}

static bool is_enough(const latency_bench *bench, double seconds, int64_t iterations) {
  size_t kept = count_kept(bench);
  if (iterations > 0) {
    return (int64_t)kept >= iterations ||
           bench->num_rounds - bench->attempt_first >= 2 * (size_t)iterations;
  }
  if (bench->fine_windows < MIN_WINDOWS || kept < LPOT_MIN_ROUNDS) {
    return false;
  }
  return seconds > BUDGET_SECONDS ||
         lpot_rounds_half_width(&bench->rounds[bench->attempt_first],
                                bench->num_rounds - bench->attempt_first,
                                bench->scratch) < WANTED_HALF_WIDTH;
}

/* Once more with the fastest time that is known now: a quiet moment may have come late. */
static void drop_slow(latency_bench *bench) {
  lpot_latency_round *rounds = &bench->rounds[bench->attempt_first];
  size_t count = bench->num_rounds - bench->attempt_first;
  lpot_rounds_mark_slow(rounds, count, bench->best_f32_ms);
  for (size_t i = 0; i < count; i++) {
    if ((rounds[i].flags & LPOT_ROUND_SLOW) != 0) {
      rounds[i].flags = (uint8_t)(rounds[i].flags & ~(unsigned)LPOT_ROUND_KEPT);
    }
  }
}

/* Leaves an empty reason when the attempt has succeeded. */
static lpot_status run_attempt(latency_bench *bench, int64_t iterations, const lpot_stop *stop,
                               char *reason, size_t reason_size, lpot_error *err) {
  double start = now();
  bench->attempt_first = bench->num_rounds;
  bench->fine_windows = 0;
  bench->faults = 0;
  bench->reference_ms = 0;
  do {
    LPOT_TRY(run_window(bench, iterations, stop, err));
    end_window(bench, reason, reason_size);
    if (bench->faults >= MAX_FAULTS) {
      return LPOT_OK;
    }
  } while (!is_enough(bench, now() - start, iterations));
  reason[0] = '\0';
  drop_slow(bench);
  size_t rounds = bench->num_rounds - bench->attempt_first;
  size_t kept = count_kept(bench);
  if (kept < LPOT_MIN_ROUNDS) {
    snprintf(reason, reason_size, "only %zu rounds count, at least %d are needed", kept,
             LPOT_MIN_ROUNDS);
  } else if (10 * kept < 3 * rounds) {
    snprintf(reason, reason_size, "only %zu of %zu rounds were undisturbed", kept, rounds);
  }
  return LPOT_OK;
}

/* The figures of an attempt that failed are those of its clean rounds, or of all when there is
 * none, if it is the last; else it has none. */
static void settle_failure(latency_bench *bench, bool last) {
  bool any_clean = false;
  for (size_t i = bench->attempt_first; i < bench->num_rounds; i++) {
    any_clean = any_clean || lpot_round_is_clean(&bench->rounds[i]);
  }
  for (size_t i = bench->attempt_first; i < bench->num_rounds; i++) {
    lpot_latency_round *round = &bench->rounds[i];
    bool keep = last && (!any_clean || lpot_round_is_clean(round));
    round->flags = (uint8_t)(keep ? round->flags | LPOT_ROUND_KEPT
                                  : round->flags & ~(unsigned)LPOT_ROUND_KEPT);
  }
}

static lpot_status run_attempts(latency_bench *bench, lpot_job *job, const lpot_recipe *recipe,
                                const lpot_stop *stop, lpot_latency *latency, lpot_error *err) {
  const lpot_config *config = job->config;
  uint32_t attempts = config->iteration > 0 ? 1 : ATTEMPTS;
  for (uint32_t i = 1; i <= attempts; i++) {
    for (size_t side = 0; side < 2; side++) {
      LPOT_TRY(warm_side(bench, side, config->warmup, stop, err));
    }
    latency->attempts = i;
    LPOT_TRY(
        run_attempt(bench, config->iteration, stop, latency->reason, sizeof latency->reason, err));
    latency->trusted = latency->reason[0] == '\0';
    if (latency->trusted) {
      return LPOT_OK;
    }
    settle_failure(bench, i == attempts);
    if (i < attempts) {
      lpot_clock_sleep(PAUSE_SECONDS);
    }
    if (i < attempts && bench->last_fault == LPOT_WINDOW_CROWDED) { /* On another core, perhaps. */
      unprepare(bench);
      LPOT_TRY(prepare(bench, job, recipe, err));
    }
  }
  return LPOT_OK;
}

/* ---- the record ---- */

static lpot_status keep_rounds(const latency_bench *bench, lpot_latency *latency, lpot_error *err) {
  size_t stride = (bench->num_rounds + LPOT_MAX_LATENCY_ROUNDS - 1) / LPOT_MAX_LATENCY_ROUNDS;
  stride = stride == 0 ? 1 : stride;
  size_t count = (bench->num_rounds + stride - 1) / stride;
  latency->rounds = lpot_calloc(count, sizeof *latency->rounds);
  if (latency->rounds == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    latency->rounds[i] = bench->rounds[i * stride];
  }
  latency->num_rounds = count;
  return LPOT_OK;
}

static void note_machine(const latency_bench *bench, lpot_latency *latency) {
  latency->cold = bench->sweep != NULL;
  lpot_text_copy(latency->estimator, sizeof latency->estimator,
                 latency->cold ? "ABBA median log-ratio, swept caches" : "ABBA median log-ratio");
  lpot_machine_governor(&bench->pinning, latency->governor, sizeof latency->governor);
  lpot_cpu_set_text(&bench->pinning.pinned, latency->cores, sizeof latency->cores);
}

static lpot_status measure(latency_bench *bench, lpot_job *job, const lpot_recipe *recipe,
                           const lpot_stop *stop, lpot_latency *latency, lpot_error *err) {
  double start = now();
  latency->load = lpot_machine_load();
  bench->best_f32_ms = job->best_f32_ms;
  lpot_core_watch_begin(job->least_crowding, &bench->core);
  LPOT_TRY(prepare(bench, job, recipe, err));
  LPOT_TRY(run_attempts(bench, job, recipe, stop, latency, err));
  note_machine(bench, latency);
  job->best_f32_ms = bench->best_f32_ms;
  job->least_crowding = bench->core.least;
  lpot_rounds_summarise(bench->rounds, bench->num_rounds, bench->scratch, latency);
  LPOT_TRY(keep_rounds(bench, latency, err));
  latency->seconds = now() - start;
  return LPOT_OK;
}

lpot_status lpot_measure_latency(lpot_job *job, const lpot_recipe *recipe, const lpot_stop *stop,
                                 lpot_latency *ret, lpot_error *err) {
  lpot_latency latency = {0};
  latency_bench *bench = lpot_calloc(1, sizeof *bench);
  if (bench == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_job_drop_plans(job);
  lpot_status status = measure(bench, job, recipe, stop, &latency, err);
  bench_done(bench);
  lpot_free(bench);
  if (status != LPOT_OK) {
    lpot_latency_done(&latency);
    return status;
  }
  *ret = latency;
  return LPOT_OK;
}
