#include "data_fixture.h"

#include <math.h>

/* A sample whose input has the given shape and the values 0, 1, 2, ... */
static void make_sample(lpot_sample *sample, lpot_dtype dtype, int rank, const int64_t *dims) {
  lpot_shape shape = lpot_shape_of(rank, dims);
  lpot_error err = {0};
  lpot_sample_init(sample);
  expect_ok(lpot_tensor_new(dtype, &shape, &sample->inputs[0], &err), &err);
  sample->num_inputs = 1;
  for (int64_t i = 0; i < lpot_tensor_elements(sample->inputs[0]); i++) {
    lpot_tensor_set_double(sample->inputs[0], i, (double)i);
  }
}

#define MAKE(sample, dtype, ...)                                                                   \
  make_sample((sample), (dtype), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),        \
              (const int64_t[]){__VA_ARGS__})

static lpot_status apply(const char *settings, lpot_sample *sample, lpot_error *err) {
  lpot_transforms *chain = NULL;
  expect_ok(make_chain(settings, &chain, err), err);
  lpot_status status = lpot_transforms_apply(chain, sample, err);
  lpot_transforms_free(chain);
  return status;
}

static void apply_ok(const char *settings, lpot_sample *sample) {
  lpot_error err = {0};
  expect_ok(apply(settings, sample, &err), &err);
}

static void expect_bad_settings(const char *settings, const char *part) {
  lpot_transforms *chain = NULL;
  lpot_error err = {0};
  expect_error(make_chain(settings, &chain, &err), LPOT_CONFIG, &err, part);
  assert_null(chain);
}

static void expect_values(const lpot_sample *sample, size_t count, const double *values) {
  const lpot_tensor *tensor = sample->inputs[0];
  assert_int_equal(lpot_tensor_elements(tensor), (int64_t)count);
  for (size_t i = 0; i < count; i++) {
    double value = lpot_tensor_get_double(tensor, (int64_t)i);
    if (fabs(value - values[i]) > 1e-6) {
      fail_msg("element %zu is %g, expected %g", i, value, values[i]);
    }
  }
}

#define EXPECT_VALUES(sample, ...)                                                                 \
  expect_values((sample), sizeof((double[]){__VA_ARGS__}) / sizeof(double),                        \
                (const double[]){__VA_ARGS__})

static void expect_shape(const lpot_sample *sample, const char *text) {
  char found[96];
  lpot_shape_text(&sample->inputs[0]->shape, found, sizeof found);
  assert_string_equal(found, text);
}

static void wrong_settings_are_refused_with_their_place(void **state) {
  (void)state;
  expect_bad_settings("Rezise: {size: 3}", "did you mean 'Resize'?");
  expect_bad_settings("ToTensor: {}", "'ToTensor' is not supported yet");
  expect_bad_settings("qqqqqqq: {}", "conf.yaml:1:");
  expect_bad_settings("qqqqqqq: {}", "known are Resize, CenterCrop, Normalize, Transpose, Cast, "
                                     "Rescale, CropToBoundingBox, ResizeCropImagenet");
  expect_bad_settings("Resize", "expected a map");
  expect_bad_settings("[Resize]", "one key");
  expect_bad_settings("[{Resize: {size: 1}, Cast: {}}]", "one key");
  expect_bad_settings("Resize: {sise: 3}", "did you mean 'size'?");
  expect_bad_settings("Resize: {factor: 3}", "known are size, interpolation");
  expect_bad_settings("Resize: {}", "needs the setting 'size'");
  expect_bad_settings("Resize: {size: 0}", "size 0");
  expect_bad_settings("Resize: {size: [1, 2, 3]}", "size");
  expect_bad_settings("Resize: {size: 4, interpolation: bilinaer}", "bilinear");
  expect_bad_settings("CenterCrop: {}", "size");
  expect_bad_settings("Normalize: {std: [1e-7]}", "std 1e-07");
  expect_bad_settings("Normalize: {mean: [1, 2], std: [1, 2, 3]}", "mean has 2 numbers, std has 3");
  expect_bad_settings("Normalize: {mean: []}", "mean");
  expect_bad_settings("Normalize: {mean: [.nan]}", "mean");
  expect_bad_settings("Transpose: {perm: [0, 2]}", "each of 0 to 1 once");
  expect_bad_settings("Transpose: {perm: [0, 0]}", "each of 0 to 1 once");
  expect_bad_settings("Transpose: {}", "perm");
  expect_bad_settings("Cast: {dtype: float33}", "float33");
  expect_bad_settings("Rescale: {scale: 3}", "scale: unknown key (none is known here)");
  expect_bad_settings("CropToBoundingBox: {offset_height: 1}", "offset_width");
  expect_bad_settings("ResizeCropImagenet: {height: 3}", "width");
  expect_bad_settings("ResizeCropImagenet: {height: 3, width: 3, random_crop: true}", "repeatable");
  expect_bad_settings("ResizeCropImagenet: {height: 3, width: 3, std_value: [1, 2]}", "1 or 3");
  expect_bad_settings("ResizeCropImagenet: {height: 3, width: 3, std_value: 0}", "std 0");
}

static void wrong_inputs_are_told_with_transform_and_shape(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_error err = {0};
  MAKE(&sample, LPOT_F32, 1, 2, 3, 4);
  expect_error(apply("Resize: {size: 3}", &sample, &err), LPOT_INVALID, &err,
               "transform Resize of [1, 2, 3, 4] float32: expected an image");
  expect_error(apply("CenterCrop: {size: 1}", &sample, &err), LPOT_INVALID, &err, "CenterCrop of");
  expect_error(apply("Transpose: {perm: [2, 0, 1]}", &sample, &err), LPOT_INVALID, &err,
               "perm has 3 numbers, expected 4");
  expect_error(apply("Normalize: {mean: [1, 2, 3]}", &sample, &err), LPOT_INVALID, &err,
               "3 means and stds");
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_S32, 4, 4, 3);
  expect_error(apply("Resize: {size: 3}", &sample, &err), LPOT_INVALID, &err, "uint8 or float32");
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_U8, 4, 5, 3);
  expect_error(apply("CenterCrop: {size: 5}", &sample, &err), LPOT_INVALID, &err, "5 x 5");
  expect_error(apply("CropToBoundingBox: {offset_height: 3, offset_width: 0, target_height: 2, "
                     "target_width: 2}",
                     &sample, &err),
               LPOT_INVALID, &err, "not within the image");
  lpot_sample_done(&sample);
  expect_error(apply("Rescale:", &sample, &err), LPOT_INVALID, &err, "without inputs");
}

static void empty_chain_changes_nothing(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_transforms *chain = NULL;
  lpot_error err = {0};
  MAKE(&sample, LPOT_U8, 2, 2);
  apply_ok("~", &sample);
  apply_ok("{}", &sample);
  expect_ok(lpot_transforms_new(NULL, &chain, &err), &err);
  expect_ok(lpot_transforms_apply(chain, &sample, &err), &err);
  lpot_transforms_free(chain);
  EXPECT_VALUES(&sample, 0, 1, 2, 3);
  lpot_sample_done(&sample);
}

static void chain_runs_in_the_order_of_the_text(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 1, 2, 2);
  apply_ok("{Transpose: {perm: [2, 0, 1]}, Cast: {dtype: float32}, Normalize: {mean: 1, std: 2}}",
           &sample);
  expect_shape(&sample, "[2, 1, 2]");
  EXPECT_VALUES(&sample, -0.5, 0.5, 0, 1);
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_F32, 1, 1);
  apply_ok("[{Normalize: {mean: 5}}, {Rescale: ~}, {Normalize: {mean: 5}}]", &sample);
  EXPECT_VALUES(&sample, -5.0 / 255.0 - 5.0);
  lpot_sample_done(&sample);
}

static void transpose_permutes_any_rank_and_type(void **state) {
  (void)state;
  static const lpot_dtype dtypes[] = {LPOT_U8, LPOT_F32, LPOT_S64};
  for (size_t i = 0; i < 3; i++) {
    lpot_sample sample;
    MAKE(&sample, dtypes[i], 2, 1, 3);
    apply_ok("Transpose: {perm: [2, 0, 1]}", &sample);
    expect_shape(&sample, "[3, 2, 1]");
    EXPECT_VALUES(&sample, 0, 3, 1, 4, 2, 5);
    lpot_sample_done(&sample);
    MAKE(&sample, dtypes[i], 2, 3, 2);
    apply_ok("Transpose: {perm: [1, 2, 0]}", &sample);
    expect_shape(&sample, "[3, 2, 2]");
    EXPECT_VALUES(&sample, 0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11);
    lpot_sample_done(&sample);
  }
}

static void cast_cuts_and_stays_in_range(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_F32, 5);
  float *values = sample.inputs[0]->data;
  values[0] = -3.7f;
  values[1] = 2.9f;
  values[2] = 1e30f;
  values[3] = NAN;
  values[4] = -1e30f;
  apply_ok("Cast: {dtype: int8}", &sample);
  assert_int_equal(sample.inputs[0]->dtype, LPOT_S8);
  EXPECT_VALUES(&sample, -3, 2, 127, 0, -128);
  apply_ok("Cast: {dtype: int64}", &sample);
  apply_ok("Cast: {dtype: float64}", &sample);
  apply_ok("Cast:", &sample);
  assert_int_equal(sample.inputs[0]->dtype, LPOT_F32);
  EXPECT_VALUES(&sample, -3, 2, 127, 0, -128);
  lpot_sample_done(&sample);
}

static void rescale_divides_by_255(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 256);
  apply_ok("Rescale: {}", &sample);
  assert_true(lpot_tensor_get_double(sample.inputs[0], 255) == 1.0);
  assert_true(lpot_tensor_get_double(sample.inputs[0], 51) == (double)(51.0f / 255.0f));
  lpot_sample_done(&sample);
}

static void normalize_takes_the_last_axis_before_the_first(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 2, 2);
  apply_ok("Normalize: {mean: [0, 10], std: [1, 2]}", &sample);
  EXPECT_VALUES(&sample, 0, -4.5, 2, -3.5);
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_F32, 2, 3);
  apply_ok("Normalize: {mean: [0, 10], std: 2}", &sample);
  EXPECT_VALUES(&sample, 0, 0.5, 1, -3.5, -3, -2.5);
  lpot_sample_done(&sample);
}

static void centre_crop_rounds_as_torchvision(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 1, 6, 1);
  apply_ok("CenterCrop: {size: [1, 3]}", &sample);
  EXPECT_VALUES(&sample, 2, 3, 4);
  apply_ok("CenterCrop: {size: [1, 2]}", &sample);
  EXPECT_VALUES(&sample, 2, 3);
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_F32, 4, 4, 1);
  apply_ok("CenterCrop: {size: 2}", &sample);
  EXPECT_VALUES(&sample, 5, 6, 9, 10);
  lpot_sample_done(&sample);
}

static void bounding_box_is_cut_out(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 3, 3, 2);
  apply_ok("CropToBoundingBox: {offset_height: 1, offset_width: 2, target_height: 2, "
           "target_width: 1}",
           &sample);
  expect_shape(&sample, "[2, 1, 2]");
  EXPECT_VALUES(&sample, 10, 11, 16, 17);
  lpot_sample_done(&sample);
}

static void imagenet_recipe_keeps_height_and_width_apart(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_sample parts;
  MAKE(&sample, LPOT_U8, 8, 12, 3);
  MAKE(&parts, LPOT_U8, 8, 12, 3);
  apply_ok(
      "ResizeCropImagenet: {height: 4, width: 10, resize_side: 7, mean_value: [0.5, 0.4, 0.3]}",
      &sample);
  expect_shape(&sample, "[3, 4, 10]");
  apply_ok("[{Resize: {size: 7}}, {CenterCrop: {size: [4, 10]}}, {Transpose: {perm: [2, 0, 1]}}, "
           "{Rescale: ~}, {Normalize: {mean: [0.5, 0.4, 0.3], std: [0.229, 0.224, 0.225]}}]",
           &parts);
  assert_true(largest_difference(sample.inputs[0], parts.inputs[0]) == 0.0);
  lpot_sample_done(&sample);
  lpot_sample_done(&parts);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_settings_are_refused_with_their_place),
      cmocka_unit_test(wrong_inputs_are_told_with_transform_and_shape),
      cmocka_unit_test(empty_chain_changes_nothing),
      cmocka_unit_test(chain_runs_in_the_order_of_the_text),
      cmocka_unit_test(transpose_permutes_any_rank_and_type),
      cmocka_unit_test(cast_cuts_and_stays_in_range),
      cmocka_unit_test(rescale_divides_by_255),
      cmocka_unit_test(normalize_takes_the_last_axis_before_the_first),
      cmocka_unit_test(centre_crop_rounds_as_torchvision),
      cmocka_unit_test(bounding_box_is_cut_out),
      cmocka_unit_test(imagenet_recipe_keeps_height_and_width_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
