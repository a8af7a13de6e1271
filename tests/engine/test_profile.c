#include "engine/engine_fixture.h"

/* Runs a Sin of an Exp so many times. */
static lpot_plan *run_plan(lpot_engine *engine, bool profile, int runs) {
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(1, 1 << 16));
  lpot_value_id y = output_of(&f, LPOT_OP_EXP, &x, 1);
  lpot_value_id z = output_of(&f, LPOT_OP_SIN, &y, 1);
  lpot_plan *plan = NULL;
  lpot_tensor *tensor = NULL;
  const lpot_plan_options options = {.profile = profile};
  CHECK(lpot_graph_add_output(f.graph, z, e));
  CHECK(lpot_graph_infer(f.graph, NULL, e));
  CHECK(lpot_plan_compile(engine, f.graph, &options, &plan, e));
  const lpot_shape shape = lpot_shape_of(DIMS(1, 1 << 16));
  CHECK(lpot_tensor_new(LPOT_F32, &shape, &tensor, e));
  const lpot_tensor *inputs[1] = {tensor};
  for (int i = 0; i < runs; i++) {
    CHECK(lpot_plan_run(plan, inputs, e));
  }
  lpot_tensor_unref(tensor);
  lpot_graph_free(f.graph);
  return plan;
}

static void check_engine(const char *name) {
  lpot_engine *engine = NULL;
  lpot_plan_stats stats;
  CHECK(lpot_engine_open(name, &engine, e));
  lpot_plan *plan = run_plan(engine, true, 1);
  lpot_plan_get_stats(plan, &stats);
  assert_true(stats.num_steps >= 2);
  for (size_t i = 0; i < stats.num_steps; i++) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    assert_true(step.last_seconds > 0 && step.seconds == step.last_seconds);
  }
  lpot_plan_free(plan);
  plan = run_plan(engine, true, 3);
  for (size_t i = 0; i < stats.num_steps; i++) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    assert_true(3 * step.seconds > step.last_seconds); /* The mean has the other runs in it. */
  }
  lpot_plan_free(plan);
  plan = run_plan(engine, false, 2);
  for (size_t i = 0; i < stats.num_steps; i++) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    assert_true(step.last_seconds == 0 && step.seconds == 0);
  }
  lpot_plan_free(plan);
  lpot_engine_close(engine);
}

static void profile_tells_the_mean_and_the_last_time_of_each_step(void **state) {
  (void)state;
  check_engine("onednn");
  check_engine("reference");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(profile_tells_the_mean_and_the_last_time_of_each_step),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
