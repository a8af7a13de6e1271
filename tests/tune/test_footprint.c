#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "quant/calibration.h"
#include "tune/calibrate.h"
#include "tune/footprint.h"
#include "tune/op_times.h"
#include "tune/ranking.h"

#define EXAMPLE LPOT_SOURCE_DIR "/configs/example/"

/* ---- what the system tells ---- */

static void text_of_the_system_is_read(void **state) {
  (void)state;
  static const char text[] = "5611173c8000-7ffcb78f0000 ---p 00000000 00:00 0       [rollup]\n"
                             "Rss:                1708 kB\n"
                             "Pss_Anon:            112 kB\n"
                             "Anonymous:           100 kB\n"
                             "AnonHugePages:         7 kB\n"
                             "Swap:                 20 kB\n"
                             "SwapPss:               3 kB\n";
  lpot_footprint footprint = {0};
  assert_int_equal(lpot_footprint_parse(text, &footprint, NULL), LPOT_OK);
  assert_int_equal(footprint.bytes, 120 * 1024); /* what was swapped out is needed too */
  assert_int_equal(footprint.resident_bytes, 1728 * 1024);
}

static void text_without_a_figure_is_unsupported(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      "Rss: 1 kB\nAnonymous: 2 kB",
      "Rss: 1 kB\nAnonymous: kB\nSwap: 0 kB\n",
      "Rss: 1 kB\nAnonymous: 99999999999999999999 kB\nSwap: 0 kB\n",
      "Rss 1 kB\nAnonymous: 2 kB\nSwap: 0 kB\n",
  };
  lpot_footprint footprint = {.bytes = 1};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_int_equal(lpot_footprint_parse(texts[i], &footprint, NULL), LPOT_UNSUPPORTED);
    assert_int_equal(footprint.bytes, 1);
  }
}

/* ---- measuring: each in a process of its own ---- */

typedef struct wish {
  const char *batch; /* a setting */
  bool int8;
  bool twice; /* a second time in the same process: that one is told */
} wish;

typedef struct answer {
  lpot_status status;
  lpot_footprint footprint;
  uint64_t plan_bytes; /* activations and packed weights, by the plan itself */
} answer;

static lpot_job *make_job(const char *batch) {
  const char *const settings[] = {batch};
  const lpot_job_options options = {.config_path = EXAMPLE "example.yaml",
                                    .model_path = EXAMPLE "shapes.onnx",
                                    .num_settings = 1,
                                    .settings = settings,
                                    .engine_name = "onednn",
                                    .local_ranks = 1,
                                    .needs_data = true};
  lpot_job *job = NULL;
  lpot_calibration *calibration = NULL;
  if (lpot_job_new(&options, &job, NULL) != LPOT_OK) {
    _exit(2);
  }
  const lpot_calibration_key key = lpot_op_times_calibration(job);
  if (lpot_calibrate(job, false, 0, key.samples, NULL, &calibration, NULL) != LPOT_OK ||
      lpot_job_add_calibration(job, key, &calibration, NULL) != LPOT_OK) {
    _exit(2);
  }
  return job;
}

static lpot_status fill(lpot_job *job, const wish *asked, answer *told, lpot_error *err) {
  lpot_recipe *recipe = NULL;
  lpot_plan *plan = NULL;
  lpot_plan_stats stats;
  size_t count = 0;
  LPOT_TRY(lpot_op_times_recipe(job, asked->int8 ? LPOT_PRECISION_INT8 : LPOT_PRECISION_F32,
                                &recipe, &count, err));
  const lpot_recipe *measured = asked->int8 ? recipe : NULL;
  told->status = lpot_measure_footprint(job, measured, NULL, &told->footprint, err);
  if (asked->twice) {
    told->status = lpot_measure_footprint(job, measured, NULL, &told->footprint, err);
  }
  LPOT_TRY(lpot_job_compile(job, measured, job->config->performance.batch_size, NULL, &plan, err));
  lpot_plan_get_stats(plan, &stats);
  told->plan_bytes = stats.arena_bytes + stats.weight_bytes;
  lpot_plan_free(plan);
  lpot_recipe_free(recipe);
  return LPOT_OK;
}

static answer ask(const wish *asked) {
  int ends[2];
  answer told = {0};
  assert_int_equal(pipe(ends), 0);
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    lpot_job *job = make_job(asked->batch);
    lpot_error error = {0};
    if (fill(job, asked, &told, &error) != LPOT_OK) {
      fprintf(stderr, "%s\n", error.message);
      _exit(3);
    }
    _exit(write(ends[1], &told, sizeof told) != (ssize_t)sizeof told);
  }
  close(ends[1]);
  assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
  close(ends[0]);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
  return told;
}

#define BATCH(n) "evaluation.performance.dataloader.batch_size=" #n

static void footprint_is_at_least_what_the_plan_needs_and_the_same_again(void **state) {
  (void)state;
  for (int int8 = 0; int8 <= 1; int8++) {
    const wish asked = {.batch = BATCH(1), .int8 = int8 == 1};
    answer first = ask(&asked);
    answer second = ask(&asked);
    assert_int_equal(first.status, LPOT_OK);
    assert_in_range(first.footprint.bytes, first.plan_bytes, 16u << 20);
    assert_true(first.footprint.resident_bytes >= first.footprint.bytes);
    double difference = (double)first.footprint.bytes - (double)second.footprint.bytes;
    assert_true(difference < LPOT_FOOTPRINT_NOISE && -difference < LPOT_FOOTPRINT_NOISE);
  }
}

/* The inputs were there before and do not count. */
static void footprint_grows_by_the_activations_of_a_larger_batch(void **state) {
  (void)state;
  const wish small = {.batch = BATCH(1)};
  const wish large = {.batch = BATCH(200)};
  answer one = ask(&small);
  answer many = ask(&large);
  double by_plan = (double)many.plan_bytes - (double)one.plan_bytes;
  double by_system = (double)many.footprint.bytes - (double)one.footprint.bytes;
  assert_true(by_plan > 1e6);
  assert_true(by_system > 0.95 * by_plan && by_system < 1.2 * by_plan);
}

/* The reason why a new process is asked for. */
static void second_measurement_of_a_process_finds_less(void **state) {
  (void)state;
  const wish once = {.batch = BATCH(1), .int8 = true};
  const wish again = {.batch = BATCH(1), .int8 = true, .twice = true};
  answer first = ask(&once);
  answer second = ask(&again);
  assert_int_equal(second.status, LPOT_OK);
  assert_true((double)second.footprint.bytes + 2 * LPOT_FOOTPRINT_NOISE <
              (double)first.footprint.bytes);
}

static bool always(void *context) {
  (void)context;
  return true;
}

static void measuring_can_be_stopped(void **state) {
  (void)state;
  const lpot_stop stop = {.requested = always};
  lpot_footprint footprint = {0};
  lpot_job *job = make_job(BATCH(1));
  assert_int_equal(lpot_measure_footprint(job, NULL, &stop, &footprint, NULL), LPOT_INTERRUPTED);
  assert_int_equal(footprint.bytes, 0);
  lpot_job_free(job);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_of_the_system_is_read),
      cmocka_unit_test(text_without_a_figure_is_unsupported),
      cmocka_unit_test(footprint_is_at_least_what_the_plan_needs_and_the_same_again),
      cmocka_unit_test(footprint_grows_by_the_activations_of_a_larger_batch),
      cmocka_unit_test(second_measurement_of_a_process_finds_less),
      cmocka_unit_test(measuring_can_be_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
