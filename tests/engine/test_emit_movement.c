#include "engine/engine_fixture.h"

static void concat_agrees_on_every_axis_and_layout(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 32; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t axis = (int64_t)(seed % 4);
    lpot_value_id parts[3];
    for (int i = 0; i < 3; ++i) {
      int64_t dims[4] = {2, 3, 4, 5};
      dims[axis] = pick(&f, 1, 4);
      parts[i] = input(&f, 4, dims);
      if (seed / 4 % 2 == 1 && i != 1) {
        parts[i] = channels_last(&f, parts[i]);
      }
      if (seed / 8 % 2 == 1) {
        parts[i] = pair(&f, parts[i], LPOT_U8, 0.02 + 0.01 * i * (int)(seed / 16), 100 + i);
      }
    }
    lpot_value_id y = output_of(&f, LPOT_OP_CONCAT, parts, 3);
    CHECK(lpot_graph_set_int(f.graph, f.last, "axis", axis - (seed % 3 == 0 ? 4 : 0), e));
    result(&f, seed / 8 % 2 == 1 ? pair(&f, y, LPOT_U8, 0.03, 101) : y);
    check_engines_agree(&f, 0.03, "concat");
  }
}

static void transparent_nodes_agree_in_f32_and_int8(void **state) {
  (void)state;
  static const int64_t perms[][4] = {{0, 2, 3, 1}, {0, 3, 1, 2}, {1, 0, 2, 3}, {3, 2, 1, 0}};
  for (uint64_t seed = 0; seed < 32; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, 3, 4, 5));
    bool int8 = seed / 4 % 2 == 1;
    if (seed / 8 % 2 == 1) {
      x = channels_last(&f, x);
    }
    lpot_value_id y = int8 ? pair(&f, x, LPOT_S8, 0.02, 3) : x;
    if (seed / 16 == 0) {
      y = output_of(&f, LPOT_OP_TRANSPOSE, IDS(y));
      CHECK(lpot_graph_set_ints(f.graph, f.last, "perm", perms[seed % 4], 4, e));
    } else {
      y = output_of(&f, LPOT_OP_RESHAPE, IDS(y, integers(&f, INTS(2, -1))));
    }
    y = int8 ? pair(&f, y, LPOT_S8, 0.02, 3) : y;
    lpot_value_id more = output_of(&f, LPOT_OP_RELU, IDS(y));
    result(&f, more);
    result(&f, y);
    check_engines_agree(&f, 0.02, NULL);
  }
}

/* Reshape -> Transpose -> Reshape, as ShuffleNet has it; a pair between all of them in int8. */
static void channel_shuffles_are_one_step(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 24; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    bool int8 = seed % 2 == 1;
    int64_t groups = pick(&f, 2, 4), per_group = pick(&f, 1, 100);
    int64_t channels = groups * per_group;
    lpot_value_id x = input(&f, DIMS(2, channels, 3, 5));
    x = seed / 2 % 2 == 0 ? channels_last(&f, x) : x;
    x = int8 ? pair(&f, x, LPOT_U8, 0.02, 7) : x;
    lpot_value_id y =
        output_of(&f, LPOT_OP_RESHAPE, IDS(x, integers(&f, INTS(0, groups, per_group, 3, 5))));
    y = int8 ? pair(&f, y, LPOT_U8, 0.02, 7) : y;
    y = output_of(&f, LPOT_OP_TRANSPOSE, IDS(y));
    CHECK(lpot_graph_set_ints(f.graph, f.last, "perm", (int64_t[]){0, 2, 1, 3, 4}, 5, e));
    y = int8 ? pair(&f, y, LPOT_U8, 0.02, 7) : y;
    y = output_of(&f, LPOT_OP_RESHAPE, IDS(y, integers(&f, INTS(0, channels, 3, 5))));
    result(&f, int8 ? pair(&f, y, LPOT_U8, 0.02, 7) : y);
    check_engines_agree(&f, 0.02, "shuffle");
  }
}

/* Batch normalization in a transformer: [N, L, C] -> [N, C, L] and back costs nothing. */
static void three_dimensions_are_transposed_by_view(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 4);
  lpot_value_id x = output_of(&f, LPOT_OP_RELU, IDS(input(&f, DIMS(2, 5, 6))));
  lpot_value_id y = output_of(&f, LPOT_OP_TRANSPOSE, IDS(x));
  CHECK(lpot_graph_set_ints(f.graph, f.last, "perm", (int64_t[]){0, 2, 1}, 3, e));
  y = output_of(&f, LPOT_OP_TANH, IDS(y));
  result(&f, y);
  y = output_of(&f, LPOT_OP_TRANSPOSE, IDS(y));
  CHECK(lpot_graph_set_ints(f.graph, f.last, "perm", (int64_t[]){0, 2, 1}, 3, e));
  result(&f, y);
  check_engines_agree(&f, 0.0, NULL);
}

static void an_input_may_be_an_output(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 3));
  result(&f, x);
  result(&f, output_of(&f, LPOT_OP_FLATTEN, IDS(x)));
  result(&f, output_of(&f, LPOT_OP_RELU, IDS(x)));
  check_engines_agree(&f, 0.0, "copy");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(concat_agrees_on_every_axis_and_layout),
      cmocka_unit_test(transparent_nodes_agree_in_f32_and_int8),
      cmocka_unit_test(channel_shuffles_are_one_step),
      cmocka_unit_test(three_dimensions_are_transposed_by_view),
      cmocka_unit_test(an_input_may_be_an_output),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
