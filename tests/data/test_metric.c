#include "metric_fixture.h"

/* One update with f32 outputs [rows, columns] and labels [rows, label_columns]; columns 0: [rows].
 */
static lpot_status update_labels(const lpot_metric *metric, int64_t rows, int64_t columns,
                                 const double *outputs, int64_t label_columns, const double *labels,
                                 lpot_metric_state *state, uint8_t *correct, lpot_error *err) {
  lpot_tensor *output = make_tensor(LPOT_F32, rows, columns, outputs);
  lpot_tensor *label =
      make_tensor(label_columns == 0 ? LPOT_S64 : LPOT_F32, rows, label_columns, labels);
  const uint64_t indices[] = {40, 41, 42, 43, 44, 45, 46, 47};
  lpot_batch batch = {.labels = label, .num_valid = rows, .indices = indices};
  const lpot_tensor *all[] = {output};
  lpot_status status = lpot_metric_update(metric, all, 1, &batch, state, correct, err);
  lpot_tensor_unref(output);
  lpot_tensor_unref(label);
  return status;
}

static lpot_status update(const lpot_metric *metric, int64_t rows, int64_t columns,
                          const double *outputs, const double *labels, lpot_metric_state *state,
                          uint8_t *correct, lpot_error *err) {
  return update_labels(metric, rows, columns, outputs, 0, labels, state, correct, err);
}

static void wrong_settings_are_refused(void **state) {
  (void)state;
  expect_bad_metric("topk", "one key");
  expect_bad_metric("{}", "one key");
  expect_bad_metric("{topk: 1, Accuracy: {}}", "one key");
  expect_bad_metric("topl: 1", "did you mean 'topk'?");
  expect_bad_metric("zzzzzz: 1", "known are topk, Accuracy, MSE, MAE, RMSE");
  expect_bad_metric("BLEU: {}", "'BLEU' is not supported yet");
  expect_bad_metric("topk: 0", "topk");
  expect_bad_metric("topk: many", "topk");
  expect_bad_metric("topk: {kk: 1}", "kk");
  expect_bad_metric("Accuracy: {k: 1}", "k");
  expect_bad_metric("MSE: {compare_label: 3}", "compare_label");
  expect_bad_metric("mIOU: {num_classes: 0}", "num_classes");
  expect_bad_metric("Loss: {k: 1}", "k");
  expect_bad_metric("F1: {k: 1}", "k");
  expect_bad_metric("MSE: 3", "expected a map");
}

static void every_name_makes_a_metric_with_its_sense(void **state) {
  (void)state;
  const char *const *names = lpot_metric_names();
  for (size_t i = 0; names[i] != NULL; i++) {
    char text[32];
    bool is_glue = strcmp(names[i], "GLUE") == 0;
    if (strcmp(names[i], "plugin") == 0) {
      continue; /* What it is called and how it counts is its library's matter. */
    }
    snprintf(text, sizeof text, "%s: %s", names[i], is_glue ? "qqp" : "");
    lpot_metric *metric = make_metric(text);
    assert_string_equal(lpot_metric_name(metric), names[i]);
    assert_int_equal(lpot_metric_higher_is_better(metric),
                     (i < 2 || i > 4) && strcmp(names[i], "Loss") != 0);
    assert_int_equal(lpot_metric_is_per_sample(metric), i < 2 || is_glue);
    lpot_metric_state empty;
    lpot_metric_state_init(&empty);
    assert_true(isnan(value_of(metric, &empty)));
    lpot_metric_free(metric);
  }
}

static void topk_counts_with_ties_to_the_lower_index(void **state) {
  (void)state;
  static const double outputs[] = {1, 3, 2, /**/ 5, 5, 1, /**/ 5, 5, 1, /**/ 0, 1, 2};
  static const double labels[] = {1, 0, 1, 0};
  lpot_metric *one = make_metric("topk: 1");
  lpot_metric *two = make_metric("topk: {k: 2}");
  lpot_metric_state counts;
  lpot_error err = {0};
  uint8_t correct[1] = {0xff};
  lpot_metric_state_init(&counts);
  expect_ok(update(one, 4, 3, outputs, labels, &counts, correct, &err), &err);
  assert_int_equal(counts.correct, 2);
  assert_int_equal(counts.samples, 4);
  assert_int_equal(counts.classes, 3);
  assert_int_equal(correct[0], 0xf3);
  assert_true(counts.first_class == UINT64_MAX);
  assert_true(value_of(one, &counts) == 0.5);
  lpot_metric_state_init(&counts);
  expect_ok(update(two, 4, 3, outputs, labels, &counts, correct, &err), &err);
  assert_int_equal(counts.correct, 3);
  assert_true(fabs(lpot_metric_chance_level(two, 10) - 0.2) < 1e-12);
  assert_true(isnan(lpot_metric_chance_level(two, 0)));
  assert_true(lpot_metric_chance_level(two, 2) == 1);
  assert_true(isnan(lpot_metric_chance_level(two, 1)));
  assert_true(lpot_metric_range(two) == 1);
  lpot_metric_free(one);
  lpot_metric_free(two);
}

static void label_outside_the_classes_is_told_with_its_sample(void **state) {
  (void)state;
  static const double outputs[] = {1, 2, 1, 2};
  static const double too_large[] = {0, 2};
  static const double negative[] = {-1, 0};
  static const double fraction[] = {0.5, 0};
  lpot_metric *metric = make_metric("topk: ~");
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_metric_state_init(&counts);
  expect_error(update(metric, 2, 2, outputs, too_large, &counts, NULL, &err), LPOT_FORMAT, &err,
               "label 2 of sample 41 is not one of 0 to 1");
  expect_error(update(metric, 2, 2, outputs, negative, &counts, NULL, &err), LPOT_FORMAT, &err,
               "label -1 of sample 40");
  expect_error(update_labels(metric, 2, 2, outputs, 1, fraction, &counts, NULL, &err), LPOT_FORMAT,
               &err, "label 0.5 of sample 40");
  assert_int_equal(counts.samples, 0);
  lpot_metric_free(metric);
}

static void outputs_that_do_not_fit_are_refused(void **state) {
  (void)state;
  static const double values[8] = {0};
  lpot_metric *metric = make_metric("topk: 3");
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_batch batch = {.num_valid = 2};
  lpot_metric_state_init(&counts);
  expect_error(update(metric, 2, 2, values, values, &counts, NULL, &err), LPOT_INVALID, &err,
               "k is 3, but the output has 2 classes");
  lpot_tensor *output = make_tensor(LPOT_F32, 1, 3, values);
  const lpot_tensor *all[] = {output};
  expect_error(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), LPOT_INVALID, &err,
               "no labels");
  expect_error(lpot_metric_update(metric, all, 0, &batch, &counts, NULL, &err), LPOT_INVALID, &err,
               "no outputs");
  batch.labels = make_tensor(LPOT_S64, 2, 0, values);
  expect_error(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), LPOT_INVALID, &err,
               "expected 2 rows or more");
  output->shape = lpot_shape_of(4, (const int64_t[]){2, 2, 1, 2});
  expect_error(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), LPOT_INVALID, &err,
               "expected [samples, classes]");
  output->shape = lpot_shape_of(2, (const int64_t[]){1, 3});
  lpot_tensor_unref(output);
  lpot_tensor_unref(batch.labels);
  lpot_metric_free(metric);
}

static void nan_counts_as_wrong_and_bad(void **state) {
  (void)state;
  static const double outputs[] = {NAN, 1, /**/ INFINITY, 1, /**/ 2, 1};
  static const double labels[] = {0, 0, 0};
  lpot_metric *metric = make_metric("topk: 1");
  lpot_metric_state counts;
  lpot_error err = {0};
  uint8_t correct[1] = {0};
  lpot_metric_state_init(&counts);
  expect_ok(update(metric, 3, 2, outputs, labels, &counts, correct, &err), &err);
  assert_int_equal(counts.bad, 2);
  assert_int_equal(counts.correct, 2);
  assert_int_equal(counts.first_class, 1);
  assert_int_equal(correct[0], 6);
  lpot_metric_free(metric);
}

static void accuracy_is_binary_for_a_single_score(void **state) {
  (void)state;
  static const double outputs[] = {0.5, 0.51, 0.2, 0.9};
  static const double labels[] = {0, 1, 1, 1};
  lpot_metric *metric = make_metric("Accuracy: {}");
  lpot_error err = {0};
  for (int64_t columns = 0; columns < 2; columns++) {
    lpot_metric_state counts;
    lpot_metric_state_init(&counts);
    expect_ok(update(metric, 4, columns, outputs, labels, &counts, NULL, &err), &err);
    assert_int_equal(counts.correct, 3);
    assert_int_equal(counts.classes, 2);
  }
  assert_true(lpot_metric_chance_level(metric, 2) == 0.5);
  lpot_metric_free(metric);
}

static void accuracy_takes_one_integer_for_the_class(void **state) {
  (void)state;
  static const double outputs[] = {7, 0, 12, 3};
  static const double labels[] = {7, 1, 12, 0};
  lpot_metric *metric = make_metric("Accuracy: {}");
  lpot_error err = {0};
  for (int64_t columns = 0; columns < 2; columns++) {
    lpot_tensor *output = make_tensor(LPOT_S64, 4, columns, outputs);
    lpot_tensor *label = make_tensor(LPOT_S64, 4, 0, labels);
    const uint64_t indices[] = {0, 1, 2, 3};
    const lpot_tensor *all[] = {output};
    lpot_batch batch = {.labels = label, .num_valid = 4, .indices = indices};
    uint8_t correct[1] = {0};
    lpot_metric_state counts;
    lpot_metric_state_init(&counts);
    expect_ok(lpot_metric_update(metric, all, 1, &batch, &counts, correct, &err), &err);
    assert_int_equal(counts.correct, 2);
    assert_int_equal(correct[0], 5);
    assert_int_equal(counts.classes, 0);
    assert_true(counts.first_class == UINT64_MAX);
    lpot_tensor_unref(output);
    lpot_tensor_unref(label);
  }
  lpot_metric_free(metric);
}

static void labels_may_be_one_hot(void **state) {
  (void)state;
  static const double outputs[] = {1, 3, 2, /**/ 4, 3, 2};
  static const double one_hot[] = {0, 1, 0, /**/ 0, 0, 1};
  static const double two_hot[] = {0, 1, 1, /**/ 0, 0, 1};
  static const double none_hot[] = {0, 0, 0, /**/ 0, 0, 1};
  lpot_metric *metric = make_metric("Accuracy: {}");
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_metric_state_init(&counts);
  expect_ok(update_labels(metric, 2, 3, outputs, 3, one_hot, &counts, NULL, &err), &err);
  assert_int_equal(counts.correct, 1);
  expect_error(update_labels(metric, 2, 3, outputs, 3, two_hot, &counts, NULL, &err), LPOT_FORMAT,
               &err, "not a single 1");
  expect_error(update_labels(metric, 2, 3, outputs, 3, none_hot, &counts, NULL, &err), LPOT_FORMAT,
               &err, "names no class");
  expect_error(update_labels(metric, 2, 3, outputs, 2, one_hot, &counts, NULL, &err), LPOT_FORMAT,
               &err, "2 numbers for 3 classes");
  lpot_metric_free(metric);
}

static void errors_are_averaged_over_elements(void **state) {
  (void)state;
  static const double outputs[] = {1, 2, 3, 4};
  static const double labels[] = {1, 4, 3, 0};
  static const double bad[] = {1, 2, NAN, 4};
  static const struct {
    const char *text;
    double expected;
  } cases[] = {{"MSE:", 5.0}, {"MAE: {compare_label: true}", 1.5}, {"RMSE:", 2.2360679774997896}};
  for (size_t i = 0; i < 3; i++) {
    lpot_metric *metric = make_metric(cases[i].text);
    lpot_metric_state sums;
    lpot_error err = {0};
    lpot_metric_state_init(&sums);
    expect_ok(update_labels(metric, 2, 2, outputs, 2, labels, &sums, NULL, &err), &err);
    assert_true(fabs(value_of(metric, &sums) - cases[i].expected) < 1e-12);
    assert_true(isnan(lpot_metric_chance_level(metric, 10)));
    expect_error(update_labels(metric, 2, 2, outputs, 1, labels, &sums, NULL, &err), LPOT_INVALID,
                 &err, "cannot be compared with labels of shape [2, 1]");
    expect_ok(update_labels(metric, 2, 2, bad, 2, labels, &sums, NULL, &err), &err);
    assert_int_equal(sums.bad, 1);
    assert_true(isinf(value_of(metric, &sums)));
    lpot_metric_free(metric);
  }
}

/* One update of a single sample with an f32 output [1, ...] and a label of any type. */
static lpot_status update_one(const lpot_metric *metric, const lpot_tensor *output,
                              lpot_tensor *label, lpot_metric_state *state, lpot_error *err) {
  const uint64_t index = 40;
  const lpot_tensor *all[] = {output};
  lpot_batch batch = {.labels = label, .num_valid = 1, .indices = &index};
  return lpot_metric_update(metric, all, 1, &batch, state, NULL, err);
}

static lpot_tensor *shaped(lpot_dtype dtype, int rank, const int64_t *dims, const double *values) {
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  expect_ok(lpot_tensor_new(dtype, &shape, &tensor, &err), &err);
  for (int64_t i = 0; i < lpot_tensor_elements(tensor); i++) {
    lpot_tensor_set_double(tensor, i, values[i]);
  }
  return tensor;
}

/* Labels 0 0 1 / 2 255 1, predicted 0 1 1 / 2 2 0: class 0 has 1 of 3, class 1 1 of 3, class 2 1 of
 * 1; class 3 is nowhere. The same by scores. */
static void miou_is_the_mean_of_the_classes_that_are_there(void **state) {
  (void)state;
  static const double labels[] = {0, 0, 1, 2, 255, 1};
  static const double classes[] = {0, 1, 1, 2, 2, 0};
  static const int64_t label_dims[] = {1, 2, 3};
  static const int64_t score_dims[] = {1, 4, 2, 3};
  double scores[24] = {0};
  for (int64_t place = 0; place < 6; place++) {
    scores[(int64_t)classes[place] * 6 + place] = 1;
  }
  lpot_tensor *label = shaped(LPOT_U8, 3, label_dims, labels);
  lpot_tensor *outputs[] = {shaped(LPOT_S64, 3, label_dims, classes),
                            shaped(LPOT_F32, 4, score_dims, scores)};
  lpot_metric *metric = make_metric("mIOU: {num_classes: 4}");
  lpot_metric_state parts[2];
  lpot_error err = {0};
  double expected = (1.0 / 3 + 1.0 / 3 + 1) / 3;
  for (size_t i = 0; i < 2; i++) {
    lpot_metric_state_init(&parts[i]);
    expect_ok(update_one(metric, outputs[i], label, &parts[i], &err), &err);
    assert_true(fabs(value_of(metric, &parts[i]) - expected) < 1e-12);
  }
  /* A second sample, all of it right. */
  lpot_tensor_set_double(label, 4, 2);
  expect_ok(update_one(metric, label, label, &parts[1], &err), &err);
  expected = (3.0 / 5 + 3.0 / 5 + 3.0 / 3) / 3;
  assert_true(fabs(value_of(metric, &parts[1]) - expected) < 1e-12);
  expect_ok(lpot_metric_state_merge(metric, &parts[0], &parts[1], &err), &err);
  assert_int_equal(parts[0].samples, 3);
  expected = (4.0 / 8 + 4.0 / 8 + 4.0 / 4) / 3;
  assert_true(fabs(value_of(metric, &parts[0]) - expected) < 1e-12);
  lpot_metric_state empty;
  lpot_metric_state_init(&empty);
  expect_ok(lpot_metric_state_merge(metric, &empty, &parts[0], &err), &err);
  assert_true(fabs(value_of(metric, &empty) - expected) < 1e-12);
  double value = 0;
  parts[0].records.size -= 8;
  assert_int_equal(lpot_metric_value(metric, &parts[0], &value, &err), LPOT_FORMAT);
  lpot_metric_state_done(&parts[1]);
  lpot_metric_state_init(&parts[1]);
  lpot_tensor_set_double(outputs[1], 0, (double)NAN);
  expect_ok(update_one(metric, outputs[1], label, &parts[1], &err), &err);
  assert_int_equal(parts[1].bad, 1);
  lpot_metric *other = make_metric("mIOU: {num_classes: 3}");
  expect_error(update_one(other, outputs[1], label, &parts[1], &err), LPOT_INVALID, &err,
               "output of shape [1, 4, 2, 3] for labels of shape [1, 2, 3]");
  lpot_metric_free(other);
  lpot_metric_free(metric);
  lpot_metric_state_done(&parts[0]);
  lpot_metric_state_done(&parts[1]);
  lpot_metric_state_done(&empty);
  lpot_tensor_unref(label);
  lpot_tensor_unref(outputs[0]);
  lpot_tensor_unref(outputs[1]);
}

static void f1_is_the_overlap_of_multisets_by_sample(void **state) {
  (void)state;
  /* 3 common of 4 + 4; none; all. */
  static const double outputs[] = {5, 7, 7, 1, /**/ 1, 2, 3, 4, /**/ 4, 3, 2, 1};
  static const double labels[] = {7, 5, 7, 7, /**/ 5, 6, 7, 8, /**/ 1, 2, 3, 4};
  lpot_metric *metric = make_metric("F1:");
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_metric_state_init(&counts);
  expect_ok(update_labels(metric, 3, 4, outputs, 4, labels, &counts, NULL, &err), &err);
  assert_true(fabs(value_of(metric, &counts) - (0.75 + 0 + 1) / 3) < 1e-12);
  /* Labels of other lengths. */
  static const double row[] = {5, 7, 7, 1};
  static const double longer[] = {1, 9, 7, 9, 9, 9};
  lpot_tensor *output = make_tensor(LPOT_F32, 1, 4, row);
  lpot_tensor *label = make_tensor(LPOT_F32, 6, 0, longer);
  const lpot_tensor *all[] = {output};
  const uint64_t index = 0;
  lpot_batch batch = {.row_labels = &label, .num_valid = 1, .indices = &index};
  lpot_metric_state_init(&counts);
  expect_ok(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), &err);
  assert_true(fabs(value_of(metric, &counts) - 2.0 * 2 / 10) < 1e-12);
  lpot_tensor_set_double(output, 0, (double)NAN);
  expect_ok(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), &err);
  assert_int_equal(counts.bad, 1);
  lpot_tensor_set_double(label, 0, (double)INFINITY);
  expect_error(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), LPOT_FORMAT, &err,
               "label of sample 0");
  lpot_tensor_unref(output);
  lpot_tensor_unref(label);
  lpot_metric_free(metric);
}

static void f1_needs_a_row_and_a_label_of_each_sample(void **state) {
  (void)state;
  static const double numbers[] = {1, 2};
  lpot_metric *metric = make_metric("F1:");
  lpot_tensor *output = make_tensor(LPOT_F32, 1, 2, numbers);
  lpot_tensor *labels[] = {make_tensor(LPOT_F32, 2, 0, numbers), NULL};
  const lpot_tensor *all[] = {output};
  const uint64_t indices[] = {40, 41};
  lpot_batch batch = {.row_labels = labels, .num_valid = 2, .indices = indices};
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_metric_state_init(&counts);
  expect_error(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), LPOT_INVALID, &err,
               "metric F1: output of shape [1, 2], expected 2 rows or more");
  batch.num_valid = 1;
  batch.row_labels = &labels[1];
  expect_error(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), LPOT_INVALID, &err,
               "metric F1: sample 40 has no label");
  assert_int_equal(counts.samples, 0);
  lpot_tensor_unref(output);
  lpot_tensor_unref(labels[0]);
  lpot_metric_free(metric);
}

static void glue_tells_what_its_task_expects_of_the_model(void **state) {
  (void)state;
  static const double outputs[] = {1, 2, 3, 4, 5, 6};
  static const double labels[] = {0, 1};
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_metric_state_init(&counts);
  lpot_metric *metric = make_metric("GLUE: mrpc");
  expect_error(update(metric, 2, 3, outputs, labels, &counts, NULL, &err), LPOT_INVALID, &err,
               "metric GLUE: the model has 3 classes, the task has 2");
  lpot_metric_free(metric);
  metric = make_metric("GLUE: sts-b");
  expect_error(update(metric, 2, 3, outputs, labels, &counts, NULL, &err), LPOT_INVALID, &err,
               "metric GLUE: task sts-b expects one number of the model and one label");
  lpot_metric_free(metric);
}

static void loss_is_the_mean_over_samples_and_needs_no_labels(void **state) {
  (void)state;
  static const double outputs[] = {1, 2, /**/ 3, 4, /**/ 100, 100};
  lpot_tensor *output = make_tensor(LPOT_F32, 3, 2, outputs);
  const lpot_tensor *all[] = {output};
  lpot_batch batch = {.num_valid = 2};
  lpot_metric *metric = make_metric("Loss:");
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_metric_state_init(&counts);
  expect_ok(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), &err);
  assert_true(value_of(metric, &counts) == 5);
  batch.num_valid = 4;
  expect_error(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), LPOT_INVALID, &err,
               "output of 3 rows for 4 samples");
  lpot_metric_free(metric);
  lpot_tensor_unref(output);
}

static void multilabel_accuracy_counts_every_label(void **state) {
  (void)state;
  static const double outputs[] = {0.9, 0.5, 0.2, /**/ 0.7, 0.6, 0.1};
  static const double labels[] = {1, 0, 1, /**/ 1, 0, 0};
  lpot_metric *metric = make_metric("Accuracy: {multilabel: true}");
  lpot_metric_state counts;
  lpot_error err = {0};
  assert_false(lpot_metric_is_per_sample(metric));
  assert_true(isnan(lpot_metric_chance_level(metric, 3)));
  lpot_metric_state_init(&counts);
  expect_ok(update_labels(metric, 2, 3, outputs, 3, labels, &counts, NULL, &err), &err);
  assert_true(fabs(value_of(metric, &counts) - 4.0 / 6) < 1e-12);
  expect_error(update_labels(metric, 2, 3, outputs, 2, labels, &counts, NULL, &err), LPOT_INVALID,
               &err, "output of shape [2, 3]");
  lpot_metric_free(metric);
  metric = make_metric("Accuracy: {multilabel: false}");
  assert_true(lpot_metric_is_per_sample(metric));
  expect_error(update_labels(metric, 2, 3, outputs, 3, labels, &counts, NULL, &err), LPOT_FORMAT,
               &err, "the setting multilabel of Accuracy");
  lpot_metric_free(metric);
}

static void compare_label_false_wants_the_other_models_outputs(void **state) {
  (void)state;
  lpot_metric *metric = make_metric("MAE: {compare_label: false}");
  assert_true(lpot_metric_compares_models(metric));
  lpot_metric_free(metric);
  metric = make_metric("MAE:");
  assert_false(lpot_metric_compares_models(metric));
  lpot_metric_free(metric);
}

static void ragged_labels_are_for_metrics_that_read_them(void **state) {
  (void)state;
  static const double outputs[] = {1, 2};
  lpot_tensor *output = make_tensor(LPOT_F32, 1, 2, outputs);
  const lpot_tensor *all[] = {output};
  const uint64_t index = 0;
  lpot_batch batch = {.row_labels = &output, .num_valid = 1, .indices = &index};
  for (size_t i = 0; i < 5; i++) {
    char text[32];
    snprintf(text, sizeof text, "%s:", lpot_metric_names()[i]);
    lpot_metric *metric = make_metric(text);
    lpot_metric_state counts;
    lpot_error err = {0};
    lpot_metric_state_init(&counts);
    expect_error(lpot_metric_update(metric, all, 1, &batch, &counts, NULL, &err), LPOT_INVALID,
                 &err, "labels differ in shape from sample to sample");
    lpot_metric_free(metric);
  }
  lpot_tensor_unref(output);
}

static void merged_states_are_as_one(void **state) {
  (void)state;
  lpot_metric_state a = {.samples = 3, .correct = 1, .first_class = 5, .classes = 10, .sum = 0.5};
  lpot_metric_state b = {.samples = 4, .correct = 4, .first_class = 5, .classes = 10, .bad = 1};
  lpot_metric_state empty;
  lpot_metric_state_init(&empty);
  lpot_metric *metric = make_metric("topk: 1");
  lpot_error err = {0};
  expect_ok(lpot_metric_state_merge(metric, &empty, &a, &err), &err);
  assert_memory_equal(&empty, &a, sizeof a);
  expect_ok(lpot_metric_state_merge(metric, &a, &b, &err), &err);
  assert_int_equal(a.samples, 7);
  assert_int_equal(a.correct, 5);
  assert_int_equal(a.bad, 1);
  assert_int_equal(a.first_class, 5);
  b.first_class = 6;
  expect_ok(lpot_metric_state_merge(metric, &a, &b, &err), &err);
  assert_true(a.first_class == UINT64_MAX);
  b.first_class = 0;
  expect_ok(lpot_metric_state_merge(metric, &a, &b, &err), &err);
  assert_true(a.first_class == UINT64_MAX);
  expect_ok(lpot_buffer_append(&a.records, "ab", 2, &err), &err);
  expect_ok(lpot_buffer_append(&b.records, "cd", 2, &err), &err);
  expect_ok(lpot_metric_state_merge(metric, &a, &b, &err), &err);
  assert_int_equal(a.records.size, 4);
  assert_memory_equal(a.records.data, "abcd", 4);
  lpot_metric_state_done(&a);
  lpot_metric_state_done(&b);
  assert_int_equal(a.samples, 0);
  lpot_metric_free(metric);
}

static void state_survives_writing_and_reading(void **state) {
  (void)state;
  lpot_metric_state written = {.samples = 7,
                               .correct = 5,
                               .elements = 70,
                               .sum = 0.1,
                               .bad = 2,
                               .classes = 10,
                               .first_class = UINT64_MAX};
  lpot_metric_state read;
  lpot_buffer buffer;
  lpot_reader reader;
  lpot_error err = {0};
  lpot_buffer_init(&buffer);
  expect_ok(lpot_buffer_append(&written.records, "boxes", 5, &err), &err);
  expect_ok(lpot_metric_state_write(&written, &buffer, &err), &err);
  for (size_t length = 0; length < buffer.size; length++) {
    lpot_reader_init(&reader, buffer.data, length);
    assert_int_equal(lpot_metric_state_read(&reader, &read, &err), LPOT_FORMAT);
  }
  lpot_reader_init(&reader, buffer.data, buffer.size);
  expect_ok(lpot_metric_state_read(&reader, &read, &err), &err);
  expect_ok(lpot_reader_end(&reader, &err), &err);
  assert_memory_equal(&read, &written, offsetof(lpot_metric_state, records));
  assert_int_equal(read.records.size, 5);
  assert_memory_equal(read.records.data, "boxes", 5);
  lpot_metric_state_done(&read);
  written.correct = 8;
  lpot_buffer_clear(&buffer);
  expect_ok(lpot_metric_state_write(&written, &buffer, &err), &err);
  lpot_reader_init(&reader, buffer.data, buffer.size);
  expect_error(lpot_metric_state_read(&reader, &read, &err), LPOT_FORMAT, &err, "8 right");
  lpot_metric_state_done(&written);
  lpot_buffer_done(&buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_settings_are_refused),
      cmocka_unit_test(every_name_makes_a_metric_with_its_sense),
      cmocka_unit_test(topk_counts_with_ties_to_the_lower_index),
      cmocka_unit_test(label_outside_the_classes_is_told_with_its_sample),
      cmocka_unit_test(outputs_that_do_not_fit_are_refused),
      cmocka_unit_test(nan_counts_as_wrong_and_bad),
      cmocka_unit_test(accuracy_is_binary_for_a_single_score),
      cmocka_unit_test(accuracy_takes_one_integer_for_the_class),
      cmocka_unit_test(labels_may_be_one_hot),
      cmocka_unit_test(errors_are_averaged_over_elements),
      cmocka_unit_test(miou_is_the_mean_of_the_classes_that_are_there),
      cmocka_unit_test(f1_is_the_overlap_of_multisets_by_sample),
      cmocka_unit_test(f1_needs_a_row_and_a_label_of_each_sample),
      cmocka_unit_test(glue_tells_what_its_task_expects_of_the_model),
      cmocka_unit_test(loss_is_the_mean_over_samples_and_needs_no_labels),
      cmocka_unit_test(multilabel_accuracy_counts_every_label),
      cmocka_unit_test(compare_label_false_wants_the_other_models_outputs),
      cmocka_unit_test(ragged_labels_are_for_metrics_that_read_them),
      cmocka_unit_test(merged_states_are_as_one),
      cmocka_unit_test(state_survives_writing_and_reading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
