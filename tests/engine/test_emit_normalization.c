#include "engine/engine_fixture.h"

static void layer_normalization_agrees_over_one_and_several_axes(void **state) {
  (void)state;
  for (int64_t axis = 1; axis < 3; ++axis) {
    for (int bias = 0; bias < 2; ++bias) {
      fixture f;
      fixture_begin(&f, (uint64_t)(axis * 2 + bias));
      lpot_value_id x = input(&f, DIMS(2, 5, 37));
      int rank = axis == 1 ? 2 : 1;
      const int64_t dims[2] = {axis == 1 ? 5 : 37, 37};
      lpot_value_id scale = weights(&f, 1.0, rank, dims);
      lpot_value_id shift = weights(&f, 1.0, rank, dims);
      result(&f, bias == 0 ? output_of(&f, LPOT_OP_LAYER_NORMALIZATION, IDS(x, scale))
                           : output_of(&f, LPOT_OP_LAYER_NORMALIZATION, IDS(x, scale, shift)));
      CHECK(lpot_graph_set_int(f.graph, f.last, "axis", axis, e));
      check_engines_agree(&f, 0.0, "layer normalization");
    }
  }
}

static void layer_normalization_with_a_broadcast_scale_falls_back(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 5, 7));
  result(&f, output_of(&f, LPOT_OP_LAYER_NORMALIZATION, IDS(x, weights(&f, 1.0, DIMS(1)))));
  check_engines_agree(&f, 0.0, "LayerNormalization");
}

static void instance_normalization_agrees_in_both_layouts(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, 6, 5, 7));
    x = seed % 2 == 0 ? x : channels_last(&f, x);
    result(&f, output_of(&f, LPOT_OP_INSTANCE_NORMALIZATION,
                         IDS(x, weights(&f, 1.0, DIMS(6)), weights(&f, 1.0, DIMS(6)))));
    CHECK(lpot_graph_set_float(f.graph, f.last, "epsilon", 1e-3f, e));
    check_engines_agree(&f, 0.0, "group normalization");
  }
}

static void group_normalization_agrees_in_both_layouts(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t groups = seed / 2 % 2 == 0 ? 2 : 3;
    int64_t parameters = seed < 4 ? 6 : groups;
    lpot_value_id x = input(&f, DIMS(2, 6, 5, 7));
    x = seed % 2 == 0 ? x : channels_last(&f, x);
    result(&f,
           output_of(&f, LPOT_OP_GROUP_NORMALIZATION,
                     IDS(x, weights(&f, 1.0, 1, &parameters), weights(&f, 1.0, 1, &parameters))));
    CHECK(lpot_graph_set_int(f.graph, f.last, "num_groups", groups, e));
    check_engines_agree(&f, 0.0, seed < 4 ? "group normalization" : "GroupNormalization");
  }
}

static void local_responses_agree_for_every_window(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = input(&f, DIMS(2, 9, 5, 7));
    x = seed % 2 == 0 ? x : channels_last(&f, x);
    result(&f, output_of(&f, LPOT_OP_LRN, IDS(x)));
    CHECK(lpot_graph_set_int(f.graph, f.last, "size", seed < 14 ? 1 + (int64_t)seed : 1000, e));
    CHECK(lpot_graph_set_float(f.graph, f.last, "alpha", 0.5f, e));
    CHECK(lpot_graph_set_float(f.graph, f.last, "bias", 2.0f, e));
    if (seed % 3 == 0) {
      CHECK(lpot_graph_set_float(f.graph, f.last, "beta", 0.6f, e));
    }
    check_engines_agree(&f, 0.0, "local response");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layer_normalization_agrees_over_one_and_several_axes),
      cmocka_unit_test(layer_normalization_with_a_broadcast_scale_falls_back),
      cmocka_unit_test(instance_normalization_agrees_in_both_layouts),
      cmocka_unit_test(group_normalization_agrees_in_both_layouts),
      cmocka_unit_test(local_responses_agree_for_every_window),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
