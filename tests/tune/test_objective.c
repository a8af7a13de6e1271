#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tune/objective.h"

static void each_objective_has_its_own_name(void **state) {
  (void)state;
  assert_string_equal(lpot_objective_text(LPOT_OBJECTIVE_PERFORMANCE), "performance");
  assert_string_equal(lpot_objective_text(LPOT_OBJECTIVE_MODELSIZE), "modelsize");
  assert_string_equal(lpot_objective_text(LPOT_OBJECTIVE_FOOTPRINT), "footprint");
  assert_string_equal(lpot_objective_text(LPOT_OBJECTIVE_ACCURACY), "accuracy");
}

static void single_one_has_the_only_weight(void **state) {
  (void)state;
  lpot_objectives objectives = lpot_objectives_of(LPOT_OBJECTIVE_MODELSIZE);
  assert_true(lpot_objectives_are(&objectives, LPOT_OBJECTIVE_MODELSIZE));
  assert_false(lpot_objectives_are(&objectives, LPOT_OBJECTIVE_ACCURACY));
  objectives.weights[LPOT_OBJECTIVE_ACCURACY] = 1e-9;
  assert_false(lpot_objectives_are(&objectives, LPOT_OBJECTIVE_MODELSIZE));
}

static void figure_is_known_when_both_ends_are(void **state) {
  (void)state;
  lpot_figure figure = lpot_figure_exact(0.5);
  assert_true(figure.low == 0.5 && figure.high == 0.5);
  assert_true(lpot_figure_is_known(&figure));
  figure.high = (double)NAN;
  assert_false(lpot_figure_is_known(&figure));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_objective_has_its_own_name),
      cmocka_unit_test(single_one_has_the_only_weight),
      cmocka_unit_test(figure_is_known_when_both_ends_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
