#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <lpot/model.h>

#include "data/plugin.h"
#include "tune/evaluate.h"
#include "tune/example_job.h"
#include "tune/sense.h"

static const char configuration[] =
    "model: {name: shapes, framework: onnxrt_qdqops}\n"
    "quantization:\n"
    "  calibration:\n"
    "    sampling_size: 10\n"
    "    dataloader:\n"
    "      batch_size: 4\n"
    "      dataset: {shapes: {samples: 1000}}\n"
    "      transform: {Rescale: {}, Normalize: {mean: 0.5, std: 0.25},\n"
    "                  Transpose: {perm: [2, 0, 1]}}\n"
    "evaluation: {accuracy: {metric: {plugin: {library: program, name: careless}}}}\n";

static int num_runs; /* of the last evaluation that were fine */

/* Makes nothing of failures. */
static int careless_evaluate(void *object, struct lpot_model *model, double *ret_accuracy,
                             char *text) {
  static float image[3 * 32 * 32];
  const lpot_component_tensor input = {.dtype = LPOT_COMPONENT_FLOAT32,
                                       .rank = 4,
                                       .dims = {1, 3, 32, 32},
                                       .data = image,
                                       .size_bytes = sizeof image};
  lpot_component_tensor output;
  (void)object;
  (void)text;
  num_runs = 0;
  for (int i = 0; i < 10; i++) {
    num_runs += lpot_model_run(model, &input, &output, NULL) == LPOT_OK ? 1 : 0;
  }
  *ret_accuracy = 0.75;
  return 0;
}

static const lpot_component_metric careless = {
    {sizeof(lpot_component_metric), "careless", NULL, NULL}, .evaluate = careless_evaluate};
static const lpot_component_metric *const metrics[] = {&careless, NULL};
static const lpot_component_list components = {.struct_size = sizeof(lpot_component_list),
                                               .version = LPOT_COMPONENT_VERSION,
                                               .metrics = metrics};

/* What stop says after so many questions. */
static bool countdown(void *context) {
  int *left = context;
  return (*left)-- <= 0;
}

static lpot_status evaluate(lpot_job *job, const lpot_stop *stop, lpot_outcome *outcome) {
  lpot_task task;
  lpot_task_init(&task);
  lpot_outcome_init(outcome);
  task.kind = LPOT_TASK_EVALUATE;
  task.count = job->blocks.num_blocks;
  return lpot_evaluate(job, &task, stop, outcome, NULL);
}

static void a_metric_evaluates_in_one_piece(void **state) {
  (void)state;
  lpot_job *job = make_example_job(configuration, 0, NULL);
  lpot_outcome outcome;
  double value = 0;
  assert_int_equal(job->blocks.num_blocks, 1);
  assert_int_equal(evaluate(job, NULL, &outcome), LPOT_OK);
  assert_int_equal(num_runs, 10);
  assert_int_equal(outcome.num_states, 1);
  assert_int_equal(outcome.states[0].samples, 1);
  assert_int_equal(lpot_metric_value(job->metric, &outcome.states[0], &value, NULL), LPOT_OK);
  assert_float_equal(value, 0.75, 0);
  lpot_outcome_done(&outcome);
  lpot_job_free(job);
}

static void what_it_makes_of_a_model_that_was_stopped_does_not_count(void **state) {
  (void)state;
  lpot_job *job = make_example_job(configuration, 0, NULL);
  lpot_outcome outcome;
  int left = 3;
  const lpot_stop stop = {.requested = countdown, .context = &left};
  assert_int_equal(evaluate(job, &stop, &outcome), LPOT_INTERRUPTED);
  assert_int_equal(num_runs, 3);
  assert_int_equal(outcome.num_states, 0);
  lpot_outcome_done(&outcome);
  lpot_job_free(job);
}

/* Of the calibration: a 64th of 1000, in whole batches of 4. */
static void recipes_are_compared_on_other_samples(void **state) {
  (void)state;
  lpot_job *job = make_example_job(configuration, 0, NULL);
  assert_int_equal(job->batch_size, 4);
  assert_int_equal(lpot_sense_blocks(job).num_samples, 16);
  assert_int_equal(lpot_sense_blocks(job).num_blocks, 1);
  lpot_job_free(job);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_metric_evaluates_in_one_piece),
      cmocka_unit_test(what_it_makes_of_a_model_that_was_stopped_does_not_count),
      cmocka_unit_test(recipes_are_compared_on_other_samples),
  };
  lpot_plugin_use_program(&components);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
