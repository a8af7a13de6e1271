#include "engine/engine_fixture.h"

static const lpot_op reductions[] = {LPOT_OP_REDUCE_MAX, LPOT_OP_REDUCE_MEAN, LPOT_OP_REDUCE_MIN,
                                     LPOT_OP_REDUCE_SUM};

static lpot_value_id reduce(fixture *f, lpot_op op, lpot_value_id x, size_t num_axes,
                            const int64_t *axes, int64_t keep_dims) {
  lpot_value_id y = output_of(f, op, IDS(x));
  CHECK(lpot_graph_set_ints(f->graph, f->last, "axes", axes, num_axes, e));
  CHECK(lpot_graph_set_int(f->graph, f->last, "keepdims", keep_dims, e));
  return y;
}

/* Channels last in memory. */
static lpot_value_id image(fixture *f) {
  lpot_value_id x = input(f, DIMS(2, pick(f, 1, 40), pick(f, 1, 9), pick(f, 1, 9)));
  lpot_value_id y = output_of(f, LPOT_OP_MAX_POOL, IDS(x));
  CHECK(lpot_graph_set_ints(f->graph, f->last, "kernel_shape", (int64_t[]){1, 1}, 2, e));
  return y;
}

static void spatial_axes_of_images_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 64; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = seed / 8 % 2 == 0 ? image(&f) : input(&f, DIMS(2, 5, 7, 6));
    result(&f, reduce(&f, reductions[seed % 4], x, INTS(2, -1), (int64_t)(seed / 4 % 2)));
    check_engines_agree(&f, 0.0, "reduce");
  }
}

static void last_axes_agree_at_any_length(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 80; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(3, pick(&f, 1, 4), pick(&f, 1, 130)));
    result(&f, reduce(&f, reductions[seed % 4], x, INTS(-1), (int64_t)(seed / 4 % 2)));
    check_engines_agree(&f, 0.0, "reduce");
  }
}

static void long_rows_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    result(&f, reduce(&f, reductions[seed], input(&f, DIMS(2, 3, 101, 103)), INTS(1, 2, 3), 1));
    check_engines_agree(&f, 0.0, "reduce");
  }
}

/* Every choice of axes: those that do not lie side by side run by reference, all with one result.
 */
static void any_axes_agree(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 16 * 16; ++seed) {
    fixture f;
    int64_t axes[4];
    size_t count = 0;
    fixture_begin(&f, seed);
    for (int i = 0; i < 4; ++i) {
      if ((seed >> i & 1) != 0) {
        axes[count++] = i;
      }
    }
    lpot_value_id x = seed / 16 % 2 == 0 ? image(&f) : input(&f, DIMS(2, 5, 3, 4));
    result(&f, reduce(&f, reductions[seed / 64], x, count, axes, (int64_t)(seed / 32 % 2)));
    check_engines_agree(&f, 0.0, NULL);
  }
}

static void a_reduced_image_can_scale_its_channels(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = image(&f);
  lpot_value_id mean = reduce(&f, LPOT_OP_REDUCE_MEAN, x, INTS(2, 3), 1);
  result(&f, output_of(&f, LPOT_OP_MUL, IDS(x, output_of(&f, LPOT_OP_SIGMOID, IDS(mean)))));
  check_engines_agree(&f, 0.0, "reduce");
}

static void axes_may_be_a_constant_input(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 5, 7));
  result(&f, output_of(&f, LPOT_OP_REDUCE_SUM, IDS(x, integers(&f, INTS(-1)))));
  result(&f, output_of(&f, LPOT_OP_REDUCE_SUM, IDS(x)));
  check_engines_agree(&f, 0.0, "reduce");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spatial_axes_of_images_agree),
      cmocka_unit_test(last_axes_agree_at_any_length),
      cmocka_unit_test(long_rows_agree),
      cmocka_unit_test(any_axes_agree),
      cmocka_unit_test(a_reduced_image_can_scale_its_channels),
      cmocka_unit_test(axes_may_be_a_constant_input),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
