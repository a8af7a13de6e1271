#include "engine/engine_fixture.h"

/* Slice, Split and Gather along every axis, in both layouts, f32 and int8: one step each. */

/* The input of a case: its layout and type follow the seed. */
static lpot_value_id source(fixture *f, uint64_t seed) {
  lpot_value_id x = input(f, DIMS(2, 6, 5, 7));
  x = seed / 4 % 2 == 0 ? channels_last(f, x) : x;
  return seed / 8 % 3 == 0 ? x : pair(f, x, seed / 8 % 3 == 1 ? LPOT_U8 : LPOT_S8, 0.02, 5);
}

static lpot_value_id rounded(fixture *f, lpot_value_id y, uint64_t seed) {
  return seed / 8 % 3 == 0 ? y : pair(f, y, seed / 8 % 3 == 1 ? LPOT_U8 : LPOT_S8, 0.02, 5);
}

static const int64_t dims[4] = {2, 6, 5, 7};

static void slices_of_one_axis_are_one_step(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 48; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t axis = (int64_t)(seed % 4);
    int64_t start = pick(&f, 0, dims[axis] - 1);
    int64_t end = pick(&f, start + 1, dims[axis]);
    lpot_value_id x = source(&f, seed);
    /* The second axis is taken whole. */
    lpot_value_id y =
        output_of(&f, LPOT_OP_SLICE,
                  IDS(x, integers(&f, INTS(seed % 2 == 0 ? start : start - dims[axis], 0)),
                      integers(&f, INTS(end, INT64_MAX)),
                      integers(&f, INTS(axis - 4, (axis + 1) % 4)), integers(&f, INTS(1, 1))));
    result(&f, rounded(&f, y, seed));
    check_engines_agree(&f, 0.0, "slice");
  }
}

static void slices_of_more_run_by_reference(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 48; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    lpot_value_id x = source(&f, seed);
    lpot_value_id y =
        output_of(&f, LPOT_OP_SLICE,
                  IDS(x, integers(&f, INTS(1, seed % 2 == 0 ? -1 : 4)),
                      integers(&f, INTS(4, seed % 2 == 0 ? -4 : 5)), integers(&f, INTS(1, 3)),
                      integers(&f, INTS(seed % 3 == 0 ? 2 : 1, seed % 2 == 0 ? -1 : 1))));
    result(&f, rounded(&f, y, seed));
    check_engines_agree(&f, 0.0, NULL);
  }
}

static void parts_of_a_split_are_slices(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 48; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t axis = (int64_t)(seed % 4);
    lpot_value_id x = source(&f, seed);
    int64_t first = pick(&f, 1, dims[axis] - 1);
    lpot_value_id inputs[2] = {x, integers(&f, INTS(first, dims[axis] - first))};
    lpot_value_id outputs[2];
    lpot_shape unknown = lpot_shape_unknown();
    for (int i = 0; i < 2; ++i) {
      CHECK(lpot_graph_add_value(f.graph, NULL, LPOT_DTYPE_UNKNOWN, &unknown, &outputs[i], e));
    }
    CHECK(lpot_graph_add_node(f.graph, LPOT_OP_SPLIT, NULL, inputs, 2, outputs, 2, &f.last, e));
    CHECK(lpot_graph_set_int(f.graph, f.last, "axis", axis - (seed % 3 == 0 ? 4 : 0), e));
    result(&f, rounded(&f, outputs[0], seed));
    result(&f, rounded(&f, outputs[1], seed));
    check_engines_agree(&f, 0.0, "slice");
  }
}

static lpot_value_id index_of(fixture *f, bool scalar, int64_t value) {
  return scalar ? number(f, LPOT_S64, (double)value) : integers(f, INTS(value));
}

static void gathers_of_one_index_are_one_step(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 96; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t axis = (int64_t)(seed % 4);
    lpot_value_id x = source(&f, seed);
    lpot_value_id at = index_of(&f, seed < 48, pick(&f, -dims[axis], dims[axis] - 1));
    lpot_value_id y = output_of(&f, LPOT_OP_GATHER, IDS(x, at));
    CHECK(lpot_graph_set_int(f.graph, f.last, "axis", axis - (seed % 3 == 0 ? 4 : 0), e));
    result(&f, rounded(&f, y, seed));
    check_engines_agree(&f, 0.0, "slice");
  }
}

static void gathers_of_many_run_by_reference(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 48; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t axis = (int64_t)(seed % 4);
    lpot_value_id x = source(&f, seed);
    lpot_value_id y = output_of(&f, LPOT_OP_GATHER, IDS(x, integers(&f, INTS(1, 0, -1))));
    CHECK(lpot_graph_set_int(f.graph, f.last, "axis", axis, e));
    result(&f, rounded(&f, y, seed));
    check_engines_agree(&f, 0.0, NULL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slices_of_one_axis_are_one_step),
      cmocka_unit_test(slices_of_more_run_by_reference),
      cmocka_unit_test(parts_of_a_split_are_slices),
      cmocka_unit_test(gathers_of_one_index_are_one_step),
      cmocka_unit_test(gathers_of_many_run_by_reference),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
