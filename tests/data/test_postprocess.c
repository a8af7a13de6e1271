#include "data_fixture.h"

#include <math.h>

#include "data/postprocess.h"

static lpot_status new_chain(const char *text, lpot_postprocess **ret, lpot_error *err) {
  lpot_yaml *yaml = parse_settings(text);
  lpot_status status = lpot_postprocess_new(lpot_yaml_root(yaml), ret, err);
  lpot_yaml_free(yaml);
  return status;
}

static lpot_postprocess *make_postprocess(const char *text) {
  lpot_postprocess *chain = NULL;
  lpot_error err = {0};
  expect_ok(new_chain(text, &chain, &err), &err);
  return chain;
}

static void expect_bad(const char *text, const char *part) {
  lpot_postprocess *chain = NULL;
  lpot_error err = {0};
  expect_error(new_chain(text, &chain, &err), LPOT_CONFIG, &err, part);
  assert_null(chain);
}

static lpot_tensor *numbers(lpot_dtype dtype, int rank, const int64_t *dims, const double *values) {
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  expect_ok(lpot_tensor_new(dtype, &shape, &tensor, &err), &err);
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    lpot_tensor_set_double(tensor, i, values[i]);
  }
  return tensor;
}

static void wrong_settings_are_refused(void **state) {
  (void)state;
  expect_bad("LabelShift", "expected a map of postprocesses");
  expect_bad("{LabelShft: 1}", "did you mean 'LabelShift'?");
  expect_bad("{zzzzzzzzzz: 1}", "known are LabelShift, NonMaximumSuppression");
  expect_bad("{LabelShift: {}}", "label_shift");
  expect_bad("{LabelShift: x}", "LabelShift");
  expect_bad("[{LabelShift: 1, A: 2}]", "one key");
  expect_bad("{NonMaximumSuppression: {iou_threshold: 2}}", "0 to 1");
  expect_bad("{NonMaximumSuppression: {max_detections: 0}}", "max_detections");
  expect_bad("{NonMaximumSuppression: {iou: 0.5}}", "iou");
  expect_bad("[{LabelShift: 1}, {LabelShift: 1}, {LabelShift: 1}, {LabelShift: 1}, "
             "{LabelShift: 1}, {LabelShift: 1}, {LabelShift: 1}, {LabelShift: 1}, "
             "{LabelShift: 1}]",
             "more than 8");
}

static void label_shift_takes_n_off_each_label(void **state) {
  (void)state;
  static const char *const texts[] = {"{LabelShift: 1}", "{LabelShift: {label_shift: 1}}",
                                      "[{LabelShift: 3}, {LabelShift: -2}]"};
  static const double labels[] = {1, 5};
  lpot_error err = {0};
  lpot_tensor *given = numbers(LPOT_S64, 1, (const int64_t[]){2}, labels);
  for (size_t i = 0; i < 3; i++) {
    lpot_postprocess *chain = make_postprocess(texts[i]);
    assert_false(lpot_postprocess_is_empty(chain));
    lpot_answer answer = {.batch = {.labels = given, .num_valid = 2}};
    expect_ok(lpot_postprocess_apply(chain, &answer, &err), &err);
    assert_int_equal(lpot_tensor_get_int(answer.batch.labels, 0), 0);
    assert_int_equal(lpot_tensor_get_int(answer.batch.labels, 1), 4);
    lpot_answer_done(&answer);
    answer = (lpot_answer){.batch = {.num_valid = 2}};
    expect_error(lpot_postprocess_apply(chain, &answer, &err), LPOT_INVALID, &err,
                 "postprocess LabelShift: the labels are not classes by number");
    lpot_answer_done(&answer);
    lpot_postprocess_free(chain);
  }
  assert_int_equal(lpot_tensor_get_int(given, 1), 5);
  lpot_tensor_unref(given);
  lpot_postprocess *empty = NULL;
  expect_ok(lpot_postprocess_new(NULL, &empty, &err), &err);
  assert_true(lpot_postprocess_is_empty(empty));
  lpot_postprocess_free(empty);
}

/* Two images of three boxes; x first, in pixels of 10 x 20; class 0 is the background. */
static void suppression_makes_detections_of_raw_outputs(void **state) {
  (void)state;
  static const double boxes[] = {0, 0, 10, 10, 0, 0, 9, 10, 10, 0, 20, 10,
                                 0, 0, 10, 10, 0, 0, 9, 10, 10, 0, 20, 10};
  static const double scores[] = {0.25, 0.75, 0.125, 0.875, 0.5,    0.5,
                                  0.75, 0.25, 0.75,  0.25,  0.9375, 0.0625};
  lpot_error err = {0};
  lpot_tensor *outputs[] = {numbers(LPOT_F32, 3, (const int64_t[]){2, 3, 2}, scores),
                            numbers(LPOT_F32, 3, (const int64_t[]){2, 3, 4}, boxes)};
  lpot_postprocess *chain =
      make_postprocess("{NonMaximumSuppression: {score_threshold: 0.25, max_detections: 4, "
                       "background_class: 0, box_order: xyxy, box_size: [10, 20]}}");
  lpot_answer answer = {.num_outputs = 2, .outputs = {outputs[0], outputs[1]}};
  expect_ok(lpot_postprocess_apply(chain, &answer, &err), &err);
  assert_int_equal(answer.num_outputs, 4);
  assert_true(lpot_tensor_get_double(answer.outputs[0], 0) == 2.0);
  assert_true(lpot_tensor_get_double(answer.outputs[0], 1) == 0.0); /* 0.25 is not above it. */
  static const float kept[] = {0, 0, 1, 0.45F, 0, 0.5F, 1, 1};
  assert_memory_equal(answer.outputs[1]->data, kept, sizeof kept);
  assert_true(lpot_tensor_get_double(answer.outputs[2], 0) == 0.875);
  assert_true(lpot_tensor_get_double(answer.outputs[2], 1) == 0.5);
  static const int64_t classes[] = {1, 1, -1, -1, -1, -1, -1, -1};
  assert_memory_equal(answer.outputs[3]->data, classes, sizeof classes);
  lpot_answer_done(&answer);
  lpot_tensor_set_double(outputs[0], 10, (double)NAN);
  answer = (lpot_answer){.num_outputs = 2, .outputs = {outputs[0], outputs[1]}};
  expect_ok(lpot_postprocess_apply(chain, &answer, &err), &err);
  assert_true(lpot_tensor_get_double(answer.outputs[0], 0) == 2.0);
  assert_true(isnan(lpot_tensor_get_double(answer.outputs[0], 1)));
  lpot_answer_done(&answer);
  answer = (lpot_answer){.num_outputs = 1, .outputs = {outputs[0]}};
  expect_error(lpot_postprocess_apply(chain, &answer, &err), LPOT_INVALID, &err,
               "no output of boxes [images, n, 4]");
  lpot_answer_done(&answer);
  lpot_postprocess_free(chain);
  chain = make_postprocess("{NonMaximumSuppression: {boxes: 0, scores: 1}}");
  answer = (lpot_answer){.num_outputs = 2, .outputs = {outputs[0], outputs[1]}};
  expect_error(lpot_postprocess_apply(chain, &answer, &err), LPOT_INVALID, &err,
               "boxes [2, 3, 2] and scores [2, 3, 4]");
  lpot_answer_done(&answer);
  lpot_postprocess_free(chain);
  lpot_tensor_unref(outputs[0]);
  lpot_tensor_unref(outputs[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_settings_are_refused),
      cmocka_unit_test(label_shift_takes_n_off_each_label),
      cmocka_unit_test(suppression_makes_detections_of_raw_outputs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
