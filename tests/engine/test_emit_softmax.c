#include "engine/engine_fixture.h"

#define SCORES(f) input(f, DIMS(2, 3, 5, 40))

static lpot_value_id softmax(fixture *f, lpot_value_id x) {
  return output_of(f, LPOT_OP_SOFTMAX, IDS(x));
}

/* Masks of every shape that repeats, and one of all rows: a second input. */
static void masks_of_all_shapes_are_added(void **state) {
  (void)state;
  static const int64_t masks[][4] = {{2, 1, 1, 40}, {1, 3, 1, 40}, {1, 1, 5, 40},
                                     {2, 3, 1, 40}, {2, 1, 5, 40}, {2, 3, 5, 40}};
  for (size_t i = 0; i < 2 * (sizeof masks / sizeof masks[0]); ++i) {
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = SCORES(&f);
    lpot_value_id mask = i % 4 < 2 ? input(&f, 4, masks[i / 2]) : weights(&f, 3.0, 4, masks[i / 2]);
    lpot_value_id sum = i % 2 == 0 ? output_of(&f, LPOT_OP_ADD, IDS(x, mask))
                                   : output_of(&f, LPOT_OP_ADD, IDS(mask, x));
    result(&f, softmax(&f, sum));
    check_engines_agree(&f, 0.0, "fused softmax");
  }
}

static void masks_of_fewer_dimensions_are_added(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 3);
  lpot_value_id mask = weights(&f, 3.0, DIMS(5, 40));
  result(&f, softmax(&f, output_of(&f, LPOT_OP_ADD, IDS(SCORES(&f), mask))));
  check_engines_agree(&f, 0.0, "fused softmax");
}

static void scores_are_multiplied_or_divided(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 3; ++i) {
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id factor = number(&f, LPOT_F32, 5.5);
    lpot_value_id x = SCORES(&f);
    x = i == 0 ? output_of(&f, LPOT_OP_DIV, IDS(x, factor))
               : (i == 1 ? output_of(&f, LPOT_OP_MUL, IDS(x, factor))
                         : output_of(&f, LPOT_OP_MUL, IDS(factor, x)));
    lpot_value_id mask = input(&f, DIMS(2, 1, 1, 40));
    result(&f, softmax(&f, output_of(&f, LPOT_OP_ADD, IDS(x, mask))));
    check_engines_agree(&f, 0.0, "fused softmax");
  }
}

/* A number over the scores is not the scores over a number. */
static void a_quotient_by_the_scores_is_no_scaling(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = output_of(&f, LPOT_OP_EXP, IDS(SCORES(&f)));
  lpot_value_id y = output_of(&f, LPOT_OP_DIV, IDS(number(&f, LPOT_F32, 2.0), x));
  result(&f, softmax(&f, y));
  check_engines_agree(&f, 0.0, "softmax");
}

static void bytes_are_read_and_written(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 12; ++i) {
    lpot_dtype dtype = i % 2 == 0 ? LPOT_U8 : LPOT_S8;
    bool reads = i % 3 != 0;
    bool writes = i % 3 != 1;
    fixture f;
    fixture_begin(&f, i);
    lpot_value_id x = i < 6 ? SCORES(&f) : input(&f, DIMS(2, 3, 5, 130));
    lpot_value_id mask = i < 6 ? input(&f, DIMS(2, 1, 1, 40)) : input(&f, DIMS(2, 1, 1, 130));
    x = reads ? pair(&f, x, dtype, 0.03, dtype == LPOT_U8 ? 120 : -5) : x;
    x = output_of(&f, LPOT_OP_MUL, IDS(x, number(&f, LPOT_F32, 1.5)));
    lpot_value_id y = softmax(&f, output_of(&f, LPOT_OP_ADD, IDS(x, mask)));
    result(&f, writes ? pair(&f, y, LPOT_U8, 1.0 / 255, 0) : y);
    check_engines_agree(&f, writes ? 1.0 / 255 : 0.0, "fused softmax");
  }
}

/* What others read has to be there. */
static void sums_that_others_read_are_computed(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 2);
  lpot_value_id scaled = output_of(&f, LPOT_OP_MUL, IDS(SCORES(&f), number(&f, LPOT_F32, 2.0)));
  lpot_value_id sum = output_of(&f, LPOT_OP_ADD, IDS(scaled, input(&f, DIMS(2, 1, 1, 40))));
  result(&f, sum);
  result(&f, softmax(&f, sum));
  check_engines_agree(&f, 0.0, "binary");
}

/* One number for a whole row is no mask of ours. */
static void a_mask_without_columns_is_a_sum(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 4);
  result(&f, softmax(&f, output_of(&f, LPOT_OP_ADD, IDS(SCORES(&f), input(&f, DIMS(2, 3, 5, 1))))));
  check_engines_agree(&f, 0.0, "softmax");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(masks_of_all_shapes_are_added),
      cmocka_unit_test(masks_of_fewer_dimensions_are_added),
      cmocka_unit_test(scores_are_multiplied_or_divided),
      cmocka_unit_test(a_quotient_by_the_scores_is_no_scaling),
      cmocka_unit_test(bytes_are_read_and_written),
      cmocka_unit_test(sums_that_others_read_are_computed),
      cmocka_unit_test(a_mask_without_columns_is_a_sum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
