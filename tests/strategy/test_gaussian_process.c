#include "space_fixture.h"

#include <math.h>

#include "strategy/gaussian_process.h"

/* Made by tests/data/golden/gaussian_process.py. */
static const uint16_t points[5][3] = {{0, 0, 0}, {1, 0, 0}, {1, 2, 0}, {1, 2, 1}, {0, 1, 1}};
static const double values[5] = {0.90, 0.85, 0.70, 0.72, 0.60};
static const double noise[5] = {0, 0, 0, 1e-3, 0};
static const uint16_t asked[4][3] = {{0, 0, 0}, {0, 2, 0}, {1, 1, 1}, {2, 2, 1}};
static const double golden[4][2] = {{0.899999857629, 0.000107999945},
                                    {0.761099146732, 0.105914943376},
                                    {0.731509792063, 0.105992629153},
                                    {0.745473748001, 0.106957310668}};

static void means_and_deviations_are_those_of_the_textbook(void **state) {
  (void)state;
  lpot_observations seen = {.num_dims = 3};
  assert_int_equal(lpot_observations_reserve(&seen, 5, NULL), LPOT_OK);
  for (size_t i = 0; i < 5; i++) {
    lpot_observations_add(&seen, points[i], values[i], noise[i]);
  }
  lpot_gaussian_process *process = NULL;
  assert_int_equal(lpot_gaussian_process_new(&seen, &process, NULL), LPOT_OK);
  assert_true(fabs(lpot_gaussian_process_length(process) - sqrt(0.5)) < 1e-15);
  for (size_t i = 0; i < 4; i++) {
    double mean = 0;
    double deviation = 0;
    lpot_gaussian_process_predict(process, asked[i], &mean, &deviation);
    assert_true(fabs(mean - golden[i][0]) < 1e-10);
    assert_true(fabs(deviation - golden[i][1]) < 1e-8);
  }
  lpot_gaussian_process_free(process);
  lpot_observations_done(&seen);
}

/* Equal values have no variance to be scaled by; equal points are no singular matrix. */
static void degenerate_observations_are_survived(void **state) {
  (void)state;
  lpot_observations seen = {.num_dims = 3};
  assert_int_equal(lpot_observations_reserve(&seen, 1000, NULL), LPOT_OK);
  for (size_t i = 0; i < 1000; i++) {
    lpot_observations_add(&seen, points[0], 0.5, 0);
  }
  lpot_gaussian_process *process = NULL;
  double mean = 0;
  double deviation = 0;
  assert_int_equal(lpot_gaussian_process_new(&seen, &process, NULL), LPOT_OK);
  lpot_gaussian_process_predict(process, points[3], &mean, &deviation);
  assert_true(fabs(mean - 0.5) < 1e-9 && isfinite(deviation));
  lpot_gaussian_process_free(process);
  lpot_gaussian_process_free(NULL);
  lpot_observations_done(&seen);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(means_and_deviations_are_those_of_the_textbook),
      cmocka_unit_test(degenerate_observations_are_survived),
  };
  return cmocka_run_group_tests_name("gaussian_process", tests, NULL, NULL);
}
