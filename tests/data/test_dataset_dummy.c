#include "data_fixture.h"

static void wrong_settings_are_refused(void **state) {
  (void)state;
  expect_refused("dummy", "{}", NULL, LPOT_CONFIG, "needs the setting 'shape'");
  expect_refused("dummy", "{shape: []}", NULL, LPOT_CONFIG, "shape");
  expect_refused("dummy", "{shape: [4, 0]}", NULL, LPOT_CONFIG, "dimension 1 is 0");
  expect_refused("dummy", "{shape: '(4, x)'}", NULL, LPOT_CONFIG, "expected a shape");
  expect_refused("dummy", "{shape: (}", NULL, LPOT_CONFIG, "expected a shape");
  expect_refused("dummy", "{shape: '(1,2'}", NULL, LPOT_CONFIG, "expected a shape");
  expect_refused("dummy", "{shape: '(1,1,1,1,1,1,1,1,1,1)'}", NULL, LPOT_CONFIG, "shape");
  expect_refused("dummy", "{shape: [1, 100000, 100000]}", NULL, LPOT_CONFIG, "2^28");
  expect_refused("dummy", "{shape: [[4, 1], [5, 1]]}", NULL, LPOT_CONFIG, "5 samples");
  expect_refused("dummy", "{shape: [4, 1], dtype: floating}", NULL, LPOT_CONFIG, "unknown type");
  expect_refused("dummy", "{shape: [4, 1], low: 2, high: 1}", NULL, LPOT_CONFIG, "above high");
  expect_refused("dummy", "{shape: [4, 1], low: [1, 2]}", NULL, LPOT_CONFIG, "1 or 1 numbers");
  expect_refused("dummy", "{shape: [4, 1], low: .inf}", NULL, LPOT_CONFIG, "low");
  expect_refused("dummy", "{shape: [4, 1], dtype: [uint8, int8]}", NULL, LPOT_CONFIG,
                 "expected 1 or 1 types, got 2");
  expect_refused("dummy", "{shape: [[1], [1], [1], [1], [1], [1], [1], [1], [1]]}", NULL,
                 LPOT_CONFIG, "expected at most 8 shapes, got 9");
}

static void values_lie_within_their_bounds(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_dataset *dataset = open_dataset(
      "dummy",
      "{shape: [[10, 3, 5], [10, 4]], low: [-1, 0], high: [1, 300], dtype: [float32, uint8]}",
      NULL);
  assert_int_equal(lpot_dataset_size(dataset), 10);
  lpot_sample_init(&sample);
  get_sample(dataset, 9, &sample);
  assert_int_equal(sample.num_inputs, 2);
  assert_null(sample.label);
  assert_int_equal(sample.inputs[0]->shape.rank, 2);
  assert_int_equal(sample.inputs[1]->dtype, LPOT_U8);
  double largest = 0.0;
  for (int64_t i = 0; i < 15; i++) {
    double value = lpot_tensor_get_double(sample.inputs[0], i);
    assert_true(value >= -1.0 && value < 1.0);
    largest = value > largest ? value : largest;
  }
  assert_true(largest > 0.1);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
}

static void samples_depend_on_seed_and_index_alone(void **state) {
  (void)state;
  lpot_sample a;
  lpot_sample b;
  lpot_dataset *dataset = open_dataset("dummy", "{shape: '(4, 8)', label: true}", NULL);
  lpot_dataset *other = open_dataset("dummy", "{shape: '(4, 8)', seed: 3}", NULL);
  lpot_sample_init(&a);
  lpot_sample_init(&b);
  get_sample(dataset, 3, &a);
  get_sample(dataset, 1, &b);
  assert_memory_not_equal(a.inputs[0]->data, b.inputs[0]->data, 32);
  get_sample(dataset, 3, &b);
  assert_memory_equal(a.inputs[0]->data, b.inputs[0]->data, 32);
  assert_int_equal(lpot_tensor_get_int(a.label, 0), 0);
  get_sample(other, 3, &b);
  assert_memory_not_equal(a.inputs[0]->data, b.inputs[0]->data, 32);
  lpot_sample_done(&a);
  lpot_sample_done(&b);
  lpot_dataset_close(dataset);
  lpot_dataset_close(other);
  assert_false(same_digest(manifest_of("dummy", "{shape: [4, 8]}", NULL),
                           manifest_of("dummy", "{shape: [4, 8], seed: 3}", NULL)));
}

static void version_two_has_shapes_of_samples_and_draws_labels(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_dataset *dataset = open_dataset("dummy_v2",
                                       "{input_shape: [[3, 5], [4]], label_shape: [2], low: 1, "
                                       "high: [2, 3, 9], dtype: [float32, int8, int64]}",
                                       NULL);
  assert_int_equal(lpot_dataset_size(dataset), 1000);
  lpot_sample_init(&sample);
  get_sample(dataset, 999, &sample);
  assert_int_equal(sample.num_inputs, 2);
  assert_int_equal(sample.inputs[0]->shape.rank, 2);
  assert_int_equal(sample.inputs[0]->shape.dims[1], 5);
  assert_int_equal(sample.inputs[1]->dtype, LPOT_S8);
  assert_int_equal(sample.label->dtype, LPOT_S64);
  assert_int_equal(lpot_tensor_elements(sample.label), 2);
  int64_t label = lpot_tensor_get_int(sample.label, 0);
  assert_true(label >= 1 && label <= 9);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
  dataset = open_dataset("dummy_v2", "{input_shape: '(3, 5)', samples: 7}", NULL);
  assert_int_equal(lpot_dataset_size(dataset), 7);
  get_sample(dataset, 0, &sample);
  assert_null(sample.label);
  assert_int_equal(sample.inputs[0]->shape.dims[0], 3);
  lpot_sample_done(&sample);
  lpot_dataset_close(dataset);
}

static void wrong_settings_of_version_two_are_refused(void **state) {
  (void)state;
  expect_refused("dummy_v2", "{}", NULL, LPOT_CONFIG, "needs the setting 'input_shape'");
  expect_refused("dummy_v2", "{input_shape: [0]}", NULL, LPOT_CONFIG, "dimension 0 is 0");
  expect_refused("dummy_v2", "{input_shape: [3], label_shape: []}", NULL, LPOT_CONFIG, "empty");
  expect_refused("dummy_v2", "{input_shape: [3], samples: 0}", NULL, LPOT_CONFIG, "samples");
  expect_refused("dummy_v2", "{input_shape: [3], low: [1, 2]}", NULL, LPOT_CONFIG,
                 "1 or 1 numbers");
  expect_refused("dummy_v2", "{input_shape: [3], low: 2, high: 1}", NULL, LPOT_CONFIG,
                 "dataset dummy_v2: low 2 is above high 1");
  expect_refused("dummy_v2", "{input_shape: [1,1,1,1,1,1,1,1]}", NULL, LPOT_CONFIG,
                 "at most 7 dimensions");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_settings_are_refused),
      cmocka_unit_test(values_lie_within_their_bounds),
      cmocka_unit_test(samples_depend_on_seed_and_index_alone),
      cmocka_unit_test(version_two_has_shapes_of_samples_and_draws_labels),
      cmocka_unit_test(wrong_settings_of_version_two_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
