#include "tune/tune_fixture.h"

#include <math.h>

#include "base/memory.h"
#include "tune/benchmark_figures.h"

static void percentiles_are_by_nearest_rank(void **state) {
  (void)state;
  double times[100];
  for (int i = 0; i < 100; i++) {
    times[i] = 100 - i; /* 1 to 100, not in order */
  }
  lpot_benchmark_measure measure = {.batch = 2, .num_runs = 100, .run_ms = times};
  const lpot_benchmark_measure *all[] = {&measure};
  lpot_benchmark_figures figures;
  assert_int_equal(lpot_benchmark_figures_of(all, 1, &figures, NULL), LPOT_OK);
  assert_int_equal(figures.num_runs, 100);
  assert_true(figures.p50_ms == 50 && figures.p90_ms == 90 && figures.p99_ms == 99);
  assert_true(figures.minimum_ms == 1 && figures.maximum_ms == 100 && figures.mean_ms == 50.5);
  assert_true(fabs(figures.throughput - 200 / 5.05) < 1e-9);
}

static void instances_add_up(void **state) {
  (void)state;
  double slow[] = {4, 4};
  double fast[] = {1};
  lpot_benchmark_measure measures[] = {
      {.batch = 1, .num_runs = 2, .run_ms = slow, .crowded = 0.5},
      {.batch = 1, .num_runs = 1, .run_ms = fast, .crowded = 0.125}};
  const lpot_benchmark_measure *all[] = {&measures[0], &measures[1]};
  lpot_benchmark_figures figures;
  assert_int_equal(lpot_benchmark_figures_of(all, 2, &figures, NULL), LPOT_OK);
  assert_true(fabs(figures.throughput - 1250) < 1e-9);
  assert_true(figures.mean_ms == 3 && figures.p50_ms == 4 && figures.p90_ms == 4);
  assert_true(figures.crowded == 0.375);
  measures[1].crowded = (double)NAN;
  assert_int_equal(lpot_benchmark_figures_of(all, 2, &figures, NULL), LPOT_OK);
  assert_true(isnan(figures.crowded));
}

static void no_runs_have_no_figures(void **state) {
  (void)state;
  lpot_benchmark_measure measure = {.batch = 1};
  const lpot_benchmark_measure *all[] = {&measure};
  lpot_benchmark_figures figures;
  assert_int_equal(lpot_benchmark_figures_of(all, 1, &figures, NULL), LPOT_OK);
  assert_true(figures.num_runs == 0 && isnan(figures.mean_ms) && isnan(figures.minimum_ms) &&
              isnan(figures.p50_ms) && isnan(figures.p90_ms) && isnan(figures.p99_ms) &&
              isnan(figures.maximum_ms) && isnan(figures.throughput) && isnan(figures.crowded));
}

static void measure_survives_writing_and_reading(void **state) {
  (void)state;
  double times[] = {1.5, 2.5};
  lpot_benchmark_measure measure = {.variant = 1,
                                    .instance = 7,
                                    .rank = 3,
                                    .host = "node",
                                    .cores = "2-3",
                                    .batch = 8,
                                    .resident_bytes = 12345,
                                    .num_runs = 2,
                                    .run_ms = times,
                                    .accuracy = 0.5,
                                    .samples = 99,
                                    .seconds = 0.25,
                                    .crowded = 0.125};
  lpot_buffer out;
  lpot_buffer_init(&out);
  assert_int_equal(lpot_benchmark_measure_write(&measure, &out, NULL), LPOT_OK);
  lpot_benchmark_measure back = {0};
  lpot_reader reader;
  for (size_t size = 0; size < out.size; size++) {
    lpot_reader_init(&reader, out.data, size);
    assert_int_equal(lpot_benchmark_measure_read(&reader, 2, &back, NULL), LPOT_FORMAT);
  }
  lpot_reader_init(&reader, out.data, out.size);
  assert_int_equal(lpot_benchmark_measure_read(&reader, 2, &back, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_end(&reader, NULL), LPOT_OK);
  assert_int_equal(back.instance, 7);
  assert_string_equal(back.cores, "2-3");
  assert_int_equal(back.num_runs, 2);
  assert_true(back.run_ms[1] == 2.5 && back.accuracy == 0.5 && back.seconds == 0.25 &&
              back.crowded == 0.125);
  lpot_benchmark_measure_done(&back);
  assert_null(back.run_ms);
  lpot_error error = {0};
  lpot_reader_init(&reader, out.data, out.size);
  assert_int_equal(lpot_benchmark_measure_read(&reader, 1, &back, &error), LPOT_FORMAT);
  assert_string_equal(error.message, "benchmark: figures of model number 1, there are 1");
  times[1] = -1;
  lpot_buffer_clear(&out);
  assert_int_equal(lpot_benchmark_measure_write(&measure, &out, NULL), LPOT_OK);
  lpot_reader_init(&reader, out.data, out.size);
  assert_int_equal(lpot_benchmark_measure_read(&reader, 2, &back, NULL), LPOT_FORMAT);
  lpot_buffer_done(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(percentiles_are_by_nearest_rank),
      cmocka_unit_test(instances_add_up),
      cmocka_unit_test(no_runs_have_no_figures),
      cmocka_unit_test(measure_survives_writing_and_reading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
