#include "engine/engine_fixture.h"

/* A Sin of an input [2, 3], compiled. */
static lpot_plan *sine(lpot_engine *engine) {
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(2, 3));
  lpot_plan *plan = NULL;
  CHECK(lpot_graph_add_output(f.graph, output_of(&f, LPOT_OP_SIN, &x, 1), e));
  CHECK(lpot_graph_infer(f.graph, NULL, e));
  CHECK(lpot_plan_compile(engine, f.graph, NULL, &plan, e));
  lpot_graph_free(f.graph);
  return plan;
}

static void refuse_run(lpot_plan *plan, const lpot_tensor *given, const char *text) {
  lpot_error err = {0};
  assert_int_equal(lpot_plan_run(plan, &given, &err), LPOT_INVALID);
  assert_string_equal(err.message, text);
}

static void inputs_that_a_plan_is_not_for_are_named(void **state) {
  (void)state;
  static const char *const names[] = {"onednn", "reference"};
  const lpot_shape shapes[] = {lpot_shape_of(DIMS(2, 3)), lpot_shape_of(DIMS(3, 2)),
                               lpot_shape_of(DIMS(6))};
  for (size_t i = 0; i < 2; i++) {
    lpot_engine *engine = NULL;
    lpot_tensor *tensors[4] = {NULL};
    CHECK(lpot_engine_open(names[i], &engine, e));
    lpot_plan *plan = sine(engine);
    for (size_t j = 0; j < 4; j++) {
      CHECK(lpot_tensor_new(j < 3 ? LPOT_F32 : LPOT_F64, &shapes[j % 3], &tensors[j], e));
    }
    refuse_run(plan, NULL, "input 0 is missing, expected float32 [2, 3]");
    refuse_run(plan, tensors[1], "input 0 is float32 [3, 2], expected float32 [2, 3]");
    refuse_run(plan, tensors[2], "input 0 is float32 [6], expected float32 [2, 3]");
    refuse_run(plan, tensors[3], "input 0 is float64 [2, 3], expected float32 [2, 3]");
    const lpot_tensor *right = tensors[0];
    CHECK(lpot_plan_run(plan, &right, e));
    for (size_t j = 0; j < 4; j++) {
      lpot_tensor_unref(tensors[j]);
    }
    lpot_plan_free(plan);
    lpot_engine_close(engine);
  }
}

static void unknown_engine_is_refused_with_what_there_is(void **state) {
  (void)state;
  lpot_engine *engine = NULL;
  lpot_error err = {0};
  assert_int_equal(lpot_engine_open("openvino", &engine, &err), LPOT_INVALID);
  assert_string_equal(err.message, "engine 'openvino' is unknown, expected onednn or reference");
  assert_int_equal(lpot_engine_open("referense", &engine, &err), LPOT_INVALID);
  assert_string_equal(err.message, "engine 'referense' is unknown, expected onednn or reference "
                                   "(did you mean 'reference'?)");
  assert_null(engine);
  lpot_plan_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(inputs_that_a_plan_is_not_for_are_named),
      cmocka_unit_test(unknown_engine_is_refused_with_what_there_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
