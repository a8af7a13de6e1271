#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/reference/reference.h"
#include "graph/passes/passes.h"
#include "tune/user_model.h"

#define SHAPES LPOT_SOURCE_DIR "/configs/example/shapes.onnx"

static float image[3 * 32 * 32];
static const lpot_component_tensor input = {.dtype = LPOT_COMPONENT_FLOAT32,
                                            .rank = 4,
                                            .dims = {1, 3, 32, 32},
                                            .data = image,
                                            .size_bytes = sizeof image};

typedef struct candidate {
  lpot_engine *engine;
  lpot_graph *graph;
  lpot_stop stop;
  bool is_unwanted;
  lpot_model *model;
} candidate;

static bool is_unwanted(void *context) {
  return ((const candidate *)context)->is_unwanted;
}

static lpot_status fail_to_observe(void *context, lpot_value_id value, const float *elements,
                                   int64_t count, lpot_error *err) {
  (void)context;
  (void)value;
  (void)elements;
  (void)count;
  return LPOT_FAIL(err, LPOT_ENGINE, "nothing can be seen");
}

static void open(candidate *self, const lpot_plan_options *plans) {
  assert_int_equal(lpot_engine_open("onednn", &self->engine, NULL), LPOT_OK);
  assert_int_equal(lpot_job_load_model(SHAPES, &self->graph, NULL, NULL), LPOT_OK);
  assert_int_equal(lpot_graph_normalise(self->graph, lpot_reference_run, NULL), LPOT_OK);
  self->stop = (lpot_stop){.requested = is_unwanted, .context = self};
  const lpot_user_model_source source = {
      .engine = self->engine, .graph = self->graph, .stop = &self->stop, .plans = plans};
  assert_int_equal(lpot_user_model_new(&source, &self->model, NULL), LPOT_OK);
}

static void close(candidate *self) {
  lpot_model_free(self->model);
  lpot_graph_free(self->graph);
  lpot_engine_close(self->engine);
}

static void what_is_not_wanted_does_not_run(void **state) {
  (void)state;
  candidate self = {0};
  lpot_component_tensor output;
  lpot_error error = {0};
  open(&self, NULL);
  assert_int_equal(lpot_model_run(self.model, &input, &output, NULL), LPOT_OK);
  assert_int_equal(lpot_user_model_check(self.model, NULL), LPOT_OK);
  self.is_unwanted = true;
  assert_int_equal(lpot_model_run(self.model, &input, &output, &error), LPOT_INTERRUPTED);
  assert_int_equal(error.status, LPOT_INTERRUPTED);
  self.is_unwanted = false;
  /* Also where the user goes on as if nothing had been. */
  assert_int_equal(lpot_model_run(self.model, &input, &output, NULL), LPOT_OK);
  assert_int_equal(lpot_user_model_check(self.model, &error), LPOT_INTERRUPTED);
  assert_int_equal(lpot_user_model_num_runs(self.model), 2);
  close(&self);
}

static void failures_stay_but_those_of_the_user(void **state) {
  (void)state;
  candidate self = {0};
  lpot_component_tensor output;
  lpot_component_tensor wrong = input;
  lpot_error error = {0};
  bool observed[1000] = {false};
  const lpot_plan_options plans = {
      .observed = observed, .observe = fail_to_observe, .observe_context = &self};
  open(&self, &plans);
  assert_true(lpot_graph_num_values(self.graph) < 1000);
  observed[lpot_graph_input(self.graph, 0)] = true;
  wrong.dims[2] = 31;
  assert_int_equal(lpot_model_run(self.model, &wrong, &output, NULL), LPOT_INVALID);
  assert_int_equal(lpot_user_model_check(self.model, NULL), LPOT_OK);
  assert_int_equal(lpot_model_run(self.model, &input, &output, NULL), LPOT_ENGINE);
  assert_int_equal(lpot_user_model_check(self.model, &error), LPOT_ENGINE);
  assert_string_equal(error.message, "nothing can be seen");
  assert_int_equal(lpot_user_model_num_runs(self.model), 0);
  close(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_not_wanted_does_not_run),
      cmocka_unit_test(failures_stay_but_those_of_the_user),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
