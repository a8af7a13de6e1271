#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tune/calibrate.h"
#include "tune/example_job.h"

#define SAMPLES 20

static uint64_t calibrate(lpot_job *job, bool equalized) {
  const lpot_calibration_key key = {.samples = SAMPLES, .equalized = equalized};
  lpot_calibration *calibration = NULL;
  uint64_t hash = 0;
  assert_null(lpot_job_find_calibration(job, key));
  assert_int_equal(lpot_calibrate(job, equalized, 0, SAMPLES, NULL, &calibration, NULL), LPOT_OK);
  assert_int_equal(lpot_calibrate_hash(calibration, &hash, NULL), LPOT_OK);
  assert_int_equal(lpot_job_add_calibration(job, key, &calibration, NULL), LPOT_OK);
  assert_null(calibration);
  assert_non_null(lpot_job_find_calibration(job, key));
  return hash;
}

/* All int8, one scale for each weight. */
static lpot_graph *rewrite(const lpot_job *job, bool equalized) {
  lpot_graph *qdq = NULL;
  lpot_recipe *recipe = NULL;
  lpot_error error = {0};
  assert_int_equal(lpot_recipe_new(lpot_quant_ops_count(job->ops), &recipe, NULL), LPOT_OK);
  recipe->calibration_samples = SAMPLES;
  recipe->corrections.cross_layer_equalization = equalized;
  for (size_t i = 0; i < recipe->num_ops; i++) {
    bool has_weight = lpot_quant_ops_get(job->ops, i)->weight != LPOT_NONE;
    recipe->ops[i] =
        (lpot_op_config){.activation = {.dtype = LPOT_U8, .scheme = LPOT_SCHEME_ASYM},
                         .weight = {.dtype = has_weight ? LPOT_S8 : LPOT_DTYPE_UNKNOWN}};
  }
  if (lpot_job_rewrite(job, recipe, &qdq, &error) != LPOT_OK) {
    fail_msg("%s", error.message);
  }
  lpot_recipe_free(recipe);
  return qdq;
}

/* The s8 form of an op's weight: an input of the DequantizeLinear that its anchor reads. */
static const lpot_tensor *weight_of(const lpot_job *job, const lpot_graph *qdq, size_t index) {
  const lpot_quant_op *op = lpot_quant_ops_get(job->ops, index);
  const lpot_node *anchor = lpot_graph_node(qdq, lpot_graph_find_node(qdq, op->name));
  lpot_node_id producer = lpot_graph_value(qdq, anchor->inputs[1])->producer;
  return lpot_graph_value(qdq, lpot_graph_node(qdq, producer)->inputs[0])->constant;
}

/* Weights whose bytes differ. */
static size_t differing_weights(const lpot_job *job, const lpot_graph *a, const lpot_graph *b) {
  size_t count = 0;
  for (size_t i = 0; i < lpot_quant_ops_count(job->ops); i++) {
    if (lpot_quant_ops_get(job->ops, i)->weight != LPOT_NONE) {
      const lpot_tensor *one = weight_of(job, a, i);
      const lpot_tensor *other = weight_of(job, b, i);
      assert_int_equal(one->dtype, LPOT_S8);
      assert_int_equal(one->size_bytes, other->size_bytes);
      count += memcmp(one->data, other->data, one->size_bytes) != 0 ? 1 : 0;
    }
  }
  return count;
}

/* Statistics and int8 weights of the two graphs are kept apart, in whatever order they are asked
 * for. */
static void job_keeps_the_variants_apart(void **state) {
  (void)state;
  lpot_job *job = make_example_job(NULL, 0, NULL);
  uint64_t equalized = calibrate(job, true);
  uint64_t plain = calibrate(job, false);
  assert_true(plain != equalized);
  lpot_graph *graphs[4];
  for (int i = 0; i < 4; i++) {
    graphs[i] = rewrite(job, i % 2 == 1);
  }
  assert_int_equal(differing_weights(job, graphs[0], graphs[2]), 0);
  assert_int_equal(differing_weights(job, graphs[1], graphs[3]), 0);
  assert_true(differing_weights(job, graphs[0], graphs[1]) >= 10);
  for (int i = 0; i < 4; i++) {
    lpot_graph_free(graphs[i]);
  }
  lpot_job_free(job);
}

/* A new evaluator gets statistics, and makes the graph of them. */
static void job_makes_the_equalized_graph_for_statistics_from_elsewhere(void **state) {
  (void)state;
  lpot_job *first = make_example_job(NULL, 0, NULL);
  lpot_job *second = make_example_job(NULL, 0, NULL);
  const lpot_calibration_key key = {.samples = SAMPLES, .equalized = true};
  lpot_calibration *calibration = NULL;
  calibrate(first, true);
  assert_int_equal(lpot_calibrate(first, true, 0, SAMPLES, NULL, &calibration, NULL), LPOT_OK);
  assert_int_equal(lpot_job_add_calibration(second, key, &calibration, NULL), LPOT_OK);
  lpot_graph *a = rewrite(first, true);
  lpot_graph *b = rewrite(second, true);
  assert_int_equal(differing_weights(first, a, b), 0);
  lpot_graph_free(a);
  lpot_graph_free(b);
  lpot_job_free(first);
  lpot_job_free(second);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(job_keeps_the_variants_apart),
      cmocka_unit_test(job_makes_the_equalized_graph_for_statistics_from_elsewhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
