/* The datasets on the real files in the folder that LPOT_TEST_DATA names. */
#include "data_fixture.h"

#include "data/loader.h"

/* Opens the dataset in the folder and reads all batches; returns the number of samples. */
static int64_t read_all(const char *name, const char *settings, const char *folder,
                        const char *transforms, int64_t channels, double *means) {
  lpot_dataset *dataset = open_dataset(name, settings, folder);
  lpot_transforms *chain = NULL;
  lpot_loader *loader = NULL;
  lpot_error err = {0};
  lpot_loader_options options = {.batch_size = 50};
  expect_ok(make_chain(transforms, &chain, &err), &err);
  expect_ok(lpot_loader_new(&dataset, &chain, &options, &loader, &err), &err);
  memset(means, 0, (size_t)channels * sizeof *means);
  int64_t count = lpot_loader_num_samples(loader);
  for (int64_t b = 0; b < lpot_loader_num_batches(loader); b++) {
    const lpot_batch *batch = NULL;
    expect_ok(lpot_loader_batch(loader, b, &batch, &err), &err);
    int64_t row = lpot_tensor_elements(batch->inputs[0]) / 50;
    const float *values = batch->inputs[0]->data;
    for (int64_t i = 0; i < row * batch->num_valid; i++) {
      means[i % row / (row / channels)] += (double)values[i];
    }
    means[channels] = (double)(row / channels);
  }
  for (int64_t c = 0; c < channels; c++) {
    means[c] /= means[channels] * (double)count;
  }
  lpot_loader_free(loader);
  return count;
}

static const char *const channels_first = "{Transpose: {perm: [2, 0, 1]}, Cast: {dtype: float32}}";

static void cifar10_test_set_has_its_known_means(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  double means[4];
  if (!real_data(__func__, "cifar10", folder)) {
    skip();
  }
  assert_int_equal(read_all("CIFAR10", "{root: .}", folder, channels_first, 3, means), 10000);
  assert_true(means[0] > 126.0 && means[0] < 126.1);
  assert_true(means[1] > 123.6 && means[1] < 123.8);
  assert_true(means[2] > 114.8 && means[2] < 115.0);
}

static void mnist_test_set_has_its_known_mean(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  double means[2];
  if (!real_data(__func__, "mnist", folder)) {
    skip();
  }
  assert_int_equal(read_all("MNIST", "{root: .}", folder, channels_first, 1, means), 10000);
  assert_true(means[0] > 33.78 && means[0] < 33.80);
}

static void features_of_an_npy_file_are_read(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  double means[2];
  if (!real_data(__func__, "kws", folder)) {
    skip();
  }
  assert_int_equal(
      read_all("npy", "{inputs: features.npy, labels: labels.npy}", folder, "~", 1, means), 1000);
}

static void photographs_are_decoded_resized_and_cropped(void **state) {
  (void)state;
  char folder[FIXTURE_PATH];
  double means[4];
  if (!real_data(__func__, "imagenet-sample", folder)) {
    skip();
  }
  int64_t count = read_all(
      "ImagenetRaw", "{data_path: val, channel_order: bgr}", folder,
      "{Resize: {size: 256}, CenterCrop: {size: 227}, Transpose: {perm: [2, 0, 1]}, Cast: {}}", 3,
      means);
  assert_int_equal(count, 100);
  assert_true(means[0] > 102.163 - 0.2 && means[0] < 102.163 + 0.2);
  assert_true(means[1] > 114.047 - 0.2 && means[1] < 114.047 + 0.2);
  assert_true(means[2] > 121.816 - 0.2 && means[2] < 121.816 + 0.2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cifar10_test_set_has_its_known_means),
      cmocka_unit_test(mnist_test_set_has_its_known_mean),
      cmocka_unit_test(features_of_an_npy_file_are_read),
      cmocka_unit_test(photographs_are_decoded_resized_and_cropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
