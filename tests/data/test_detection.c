#include "data_fixture.h"

#include <math.h>

#include "data/detection.h"

static void labels_are_read_as_they_were_written(void **state) {
  (void)state;
  const lpot_truth truths[] = {
      {.box = {0.125, 0.25, 0.5, 0.75}, .class_index = 7},
      {.box = {0, 0, 1, 1}, .class_index = 90, .kind = LPOT_TRUTH_DIFFICULT}};
  lpot_tensor *label = NULL;
  lpot_truth *read = NULL;
  size_t count = 0;
  lpot_error err = {0};
  expect_ok(lpot_detection_label(truths, 2, &label, &err), &err);
  assert_int_equal(label->shape.dims[0], 2);
  expect_ok(lpot_detection_read_label(label, &read, &count, &err), &err);
  assert_int_equal(count, 2);
  for (size_t i = 0; i < count; i++) {
    assert_memory_equal(&read[i].box, &truths[i].box, sizeof read[i].box);
    assert_int_equal(read[i].class_index, truths[i].class_index);
    assert_int_equal(read[i].kind, truths[i].kind);
  }
  free(read);
  read = NULL;
  /* Each number may be damaged. */
  static const double wrong[][2] = {{0, -1}, {0, 0.5}, {0, 1e9},
                                    {5, 3},  {5, 0.5}, {2, (double)INFINITY}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    int64_t at = (int64_t)wrong[i][0];
    double before = lpot_tensor_get_double(label, at);
    lpot_tensor_set_double(label, at, wrong[i][1]);
    expect_error(lpot_detection_read_label(label, &read, &count, &err), LPOT_FORMAT, &err,
                 "box 0 of the label");
    lpot_tensor_set_double(label, at, before);
  }
  lpot_tensor_unref(label);
  assert_null(read);
  expect_ok(lpot_detection_label(NULL, 0, &label, &err), &err);
  expect_ok(lpot_detection_read_label(label, &read, &count, &err), &err);
  assert_int_equal(count, 0);
  free(read);
  lpot_tensor_unref(label);
  expect_error(lpot_detection_read_label(NULL, &read, &count, &err), LPOT_FORMAT, &err,
               "not a list of boxes");
}

static void overlap_is_intersection_over_union_or_over_the_box_in_a_crowd(void **state) {
  (void)state;
  const lpot_box left = {0, 0, 1, 0.5};
  const lpot_box whole = {0, 0, 1, 1};
  const lpot_box beside = {0, 0.5, 1, 1};
  const lpot_box inverted = {1, 1, 0, 0};
  assert_true(lpot_box_overlap(&left, &whole, false) == 0.5);
  assert_true(lpot_box_overlap(&left, &whole, true) == 1.0);
  assert_true(lpot_box_overlap(&whole, &left, true) == 0.5);
  assert_true(lpot_box_overlap(&left, &beside, false) == 0.0);
  assert_true(lpot_box_overlap(&left, &inverted, false) == 0.0);
}

static void suppression_keeps_the_best_of_each_class(void **state) {
  (void)state;
  const lpot_box a = {0, 0, 1, 0.5};
  const lpot_box nearly_a = {0, 0, 1, 0.46875}; /* overlap 0.9375 */
  const lpot_box b = {0, 0.5, 1, 1};
  const lpot_detection given[] = {{.box = nearly_a, .score = 0.5F, .class_index = 1},
                                  {.box = b, .score = 0.25F, .class_index = 1},
                                  {.box = a, .score = 0.75F, .class_index = 1},
                                  {.box = a, .score = 0.5F, .class_index = 2}};
  lpot_detection detections[4];
  memcpy(detections, given, sizeof given);
  assert_int_equal(lpot_detection_suppress(detections, 4, 0.5, 100), 3);
  assert_true(detections[0].score == 0.75F && detections[1].class_index == 2 &&
              detections[2].score == 0.25F);
  memcpy(detections, given, sizeof given);
  assert_int_equal(lpot_detection_suppress(detections, 4, 0.9375, 100), 4); /* Not more. */
  assert_int_equal(detections[1].class_index, 1); /* Of equal scores the first given. */
  memcpy(detections, given, sizeof given);
  assert_int_equal(lpot_detection_suppress(detections, 4, 0.5, 2), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(labels_are_read_as_they_were_written),
      cmocka_unit_test(overlap_is_intersection_over_union_or_over_the_box_in_a_crowd),
      cmocka_unit_test(suppression_keeps_the_best_of_each_class),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
