#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "quant/calibration.h"
#include "tune/calibrate.h"
#include "tune/example_job.h"
#include "tune/op_times.h"

/* The embedded example, calibrated. */
static lpot_job *make_job(const char *setting) {
  const char *const settings[] = {"evaluation.performance.iteration=6",
                                  "evaluation.performance.warmup=1",
                                  "evaluation.performance.dataloader.batch_size=2", setting};
  lpot_job *job = make_example_job(NULL, setting == NULL ? 3 : 4, settings);
  lpot_calibration *calibration = NULL;
  lpot_calibration_key key = lpot_op_times_calibration(job);
  if (key.samples > 0) {
    assert_int_equal(lpot_calibrate(job, key.equalized, 0, key.samples, NULL, &calibration, NULL),
                     LPOT_OK);
    assert_int_equal(lpot_job_add_calibration(job, key, &calibration, NULL), LPOT_OK);
  }
  return job;
}

/* What the steps that belong to no op may be. */
static bool is_overhead(const char *kind) {
  static const char *const kinds[] = {
      "quantize", "dequantize", "dynamic quantize", "to bf16", "from bf16", "layout", "copy"};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (strcmp(kind, kinds[i]) == 0) {
      return true;
    }
  }
  return false;
}

/* Every step of a plan that computes belongs to the op of its node, and those with a weight have
 * one. */
static void check_owners(lpot_job *job, lpot_precision precision) {
  lpot_recipe *recipe = NULL;
  lpot_plan *plan = NULL;
  lpot_plan_stats stats;
  size_t count = 0;
  size_t owners[64];
  size_t steps_of[64] = {0};
  assert_int_equal(lpot_op_times_recipe(job, precision, &recipe, &count, NULL), LPOT_OK);
  assert_int_equal(lpot_job_compile(job, recipe, 2, NULL, &plan, NULL), LPOT_OK);
  lpot_plan_get_stats(plan, &stats);
  assert_true(stats.num_steps <= 64);
  assert_int_equal(lpot_op_times_owners(job, plan, owners, NULL), LPOT_OK);
  for (size_t i = 0; i < stats.num_steps; i++) {
    lpot_plan_step step = lpot_plan_get_step(plan, i);
    bool is_quantizable = owners[i] != SIZE_MAX;
    if (!is_quantizable && !is_overhead(step.kind) && !recipe->dynamic) {
      fail_msg("step '%s' (%s) belongs to no op", step.name, step.kind);
    }
    if (is_quantizable) {
      assert_false(is_overhead(step.kind));
      steps_of[owners[i]]++;
    }
  }
  for (size_t i = 0; i < lpot_quant_ops_count(job->ops); i++) {
    assert_true(lpot_quant_ops_get(job->ops, i)->weight == LPOT_NONE || steps_of[i] > 0);
  }
  lpot_plan_free(plan);
  lpot_recipe_free(recipe);
}

static void steps_that_compute_belong_to_their_op(void **state) {
  (void)state;
  lpot_job *job = make_job(NULL);
  check_owners(job, LPOT_PRECISION_F32);
  check_owners(job, LPOT_PRECISION_INT8);
  check_owners(job, LPOT_PRECISION_BF16);
  lpot_job_free(job);
}

/* Of the plain and the equalized graph that one is calibrated which the first recipes need too. */
static void calibration_is_that_of_the_first_variant(void **state) {
  (void)state;
  const struct {
    const char *setting;
    lpot_calibration_key key;
  } cases[] = {
      {NULL, {200, false}},
      {"quantization.recipes.cross_layer_equalization=true", {200, true}},
      {"quantization.recipes.cross_layer_equalization=[true, false]", {200, true}},
      {"quantization.recipes.cross_layer_equalization=[false, true]", {200, false}},
      {"quantization.approach=post_training_dynamic_quant", {0, false}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    lpot_job *job = make_job(cases[i].setting);
    assert_true(lpot_calibration_key_equal(lpot_op_times_calibration(job), cases[i].key));
    check_owners(job, LPOT_PRECISION_INT8);
    lpot_job_free(job);
  }
}

static void recipes_have_all_that_can_in_one_precision(void **state) {
  (void)state;
  lpot_job *job = make_job(NULL);
  lpot_recipe *recipe = NULL;
  size_t count = 0;
  size_t num_ops = lpot_quant_ops_count(job->ops);
  assert_int_equal(lpot_op_times_recipe(job, LPOT_PRECISION_INT8, &recipe, &count, NULL), LPOT_OK);
  assert_int_equal(count, num_ops);
  assert_int_equal(lpot_recipe_num_quantized(recipe), num_ops);
  assert_int_equal(recipe->calibration_samples, 200);
  lpot_recipe_free(recipe);
  assert_int_equal(lpot_op_times_recipe(job, LPOT_PRECISION_BF16, &recipe, &count, NULL), LPOT_OK);
  assert_true(count > 0 && count < num_ops);
  assert_int_equal(lpot_recipe_num_bf16(recipe), count);
  assert_int_equal(lpot_recipe_num_quantized(recipe), 0);
  lpot_recipe_free(recipe);
  lpot_job_free(job);
}

static bool is_time(double value) {
  return isfinite(value) && value >= 0;
}

/* Every step's clock runs inside of that of its plan, in the same rounds. */
static void check_sum(const lpot_op_times *times, lpot_precision precision) {
  double sum = times->rest_us[precision];
  for (size_t i = 0; i < times->num_ops; i++) {
    const lpot_op_cost *cost = &times->ops[i];
    const double columns[LPOT_NUM_PRECISIONS] = {cost->f32_us, cost->int8_us, cost->bf16_us};
    sum += isnan(columns[precision]) ? 0 : columns[precision];
  }
  assert_true(sum > 0 && sum <= times->whole_us[precision] * (1 + 1e-9));
}

/* Which cells of the table are filled; how long things take is not for a test to say. */
static void check_table(lpot_job *job) {
  lpot_op_times times;
  lpot_error error = {0};
  bool bf16 = lpot_engine_has_bf16(job->engine) && !lpot_quant_ops_is_dynamic(job->ops);
  if (lpot_measure_op_times(job, NULL, &times, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  assert_int_equal(times.num_ops, lpot_quant_ops_count(job->ops));
  assert_int_equal(times.batch, 2);
  assert_in_range(times.rounds, 1, 6);
  assert_true(times.trusted == (times.reason[0] == '\0'));
  for (size_t i = 0; i < times.num_ops; i++) {
    const lpot_quant_op *op = lpot_quant_ops_get(job->ops, i);
    const lpot_op_cost *cost = &times.ops[i];
    bool can = bf16 && lpot_op_type_has_bf16(op->type);
    assert_true(is_time(cost->f32_us) && is_time(cost->int8_us) && is_time(cost->spread));
    assert_true(op->weight == LPOT_NONE || (cost->f32_us > 0 && cost->int8_us > 0));
    assert_true(cost->quantize_us > 0);
    assert_true(op->dynamic ? cost->dequantize_us == 0 : cost->dequantize_us > 0);
    assert_true(can ? cost->bf16_us > 0 : isnan(cost->bf16_us));
    assert_true(can ? cost->to_bf16_us > 0 && cost->from_bf16_us > 0
                    : isnan(cost->to_bf16_us) && isnan(cost->from_bf16_us));
  }
  for (int i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    bool measured = i != LPOT_PRECISION_BF16 || bf16;
    assert_true(measured ? times.whole_us[i] > 0 && is_time(times.rest_us[i])
                         : isnan(times.whole_us[i]) && isnan(times.rest_us[i]));
    if (measured) {
      check_sum(&times, (lpot_precision)i);
    }
  }
  lpot_op_times_done(&times);
}

static void measuring_fills_the_table(void **state) {
  (void)state;
  lpot_job *job = make_job(NULL);
  check_table(job);
  lpot_job_free(job);
  job = make_job("quantization.approach=post_training_dynamic_quant");
  check_table(job);
  lpot_job_free(job);
}

static bool at_once(void *context) {
  (void)context;
  return true;
}

static void measuring_stops_when_asked_to(void **state) {
  (void)state;
  lpot_job *job = make_job(NULL);
  const lpot_stop stop = {.requested = at_once};
  lpot_op_times times;
  assert_int_equal(lpot_measure_op_times(job, &stop, &times, NULL), LPOT_INTERRUPTED);
  lpot_job_free(job);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_that_compute_belong_to_their_op),
      cmocka_unit_test(calibration_is_that_of_the_first_variant),
      cmocka_unit_test(recipes_have_all_that_can_in_one_precision),
      cmocka_unit_test(measuring_fills_the_table),
      cmocka_unit_test(measuring_stops_when_asked_to),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
