#include "data_fixture.h"

#include <math.h>

#include "base/checksum.h"

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
  lpot_status status = lpot_transforms_apply(chain, 1, 0, sample, err);
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
  expect_bad_settings("qqqqqqq: {}", "conf.yaml:1:");
  expect_bad_settings("qqqqqqq: {}", "known are AlignImageChannel, BilinearImagenet, Cast, ");
  expect_bad_settings("Resize", "expected a map");
  expect_bad_settings("[Resize]", "one key");
  expect_bad_settings("[{Resize: {size: 1}, Cast: {}}]", "one key");
  expect_bad_settings("Resize: {sise: 3}", "did you mean 'size'?");
  expect_bad_settings("Resize: {factor: 3}", "known are size, interpolation, library");
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
  expect_bad_settings("ResizeCropImagenet: {height: 3, width: 3, std_value: [1, 2]}", "1 or 3");
  expect_bad_settings("ResizeCropImagenet: {height: 3, width: 3, std_value: 0}", "std 0");
}

static void wrong_settings_of_image_transforms_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *settings, *part;
  } cases[] = {
      {"Resize: {size: 4, interpolation: area}", "needs library: opencv"},
      {"Resize: {size: 4, library: pil}", "conf.yaml:1:28"},
      {"ResizeWithAspectRatio: {height: 3, width: 3, library: pillow}", "needs library: opencv"},
      {"ResizeWithAspectRatio: {height: 3, width: 3, scale: 0}", "expected percent"},
      {"ResizeWithAspectRatio: {height: 3}", "width"},
      {"ResizeWithRatio: {padding: true, max_dim: 0}", "needs a max_dim"},
      {"ResizeWithRatio: {min_dim: -1}", "min_dim"},
      {"RandomCrop: {}", "size"},
      {"RandomHorizontalFlip: {p: 1.5}", "0 to 1"},
      {"RandomVerticalFlip: {q: 1}", "did you mean 'p'?"},
      {"RandomResizedCrop: {size: 3, scale: [0.5, 0.2]}", "smallest and a largest"},
      {"RandomResizedCrop: {size: 3, scale: [0.5, 2]}", "at most 1"},
      {"RandomResizedCrop: {size: 3, ratio: 1}", "smallest and a largest"},
      {"CropResize: {x: 1, y: 1, width: 2, size: 3}", "height"},
      {"CropResize: {x: -1, y: 1, width: 2, height: 2, size: 3}", "x"},
      {"AlignImageChannel: {dim: 5}", "dim"},
      {"ToTensor: {x: 1}", "none is known here"},
      {"ToArray: 3", "expected a map"},
      {"Pad: {}", "padding"},
      {"Pad: {padding: [1, 2, 3]}", "expected 1, 2 or 4 numbers, got 3"},
      {"Pad: {padding: -1}", "padding -1"},
      {"Pad: {padding: 1, padding_mode: mirror}", "padding_mode"},
      {"Pad: {padding: 1, fill: [1, 2]}", "1 or 3"},
      {"ColorJitter: {hue: 0.6}", "from -0.5 to 0.5"},
      {"ColorJitter: {contrast: -1}", "a number from 0"},
      {"ColorJitter: {brightness: [2, 1]}", "a number from 0"},
      {"ColorJitter: {saturation: []}", "a number from 0"},
      {"EncodeJpeg: {quality: 0}", "quality"},
      {"QuantizedInput: {dtype: int16}", "dtype"},
      {"QuantizedInput: {dtype: int8, scale: .inf}", "number"},
      {"PaddedCenterCrop: {size: [3, 4]}", "differ"},
      {"BilinearImagenet: {height: 3, width: 3, central_fraction: 0}", "above 0"},
      {"ResizeCropImagenet: {height: 3, width: 3, scale: 1, std_value: 1}", "does not go with"},
      {"ResizeCropImagenet: {height: 3, width: 3, scale: .nan}", "number"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    expect_bad_settings(cases[i].settings, cases[i].part);
  }
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
  expect_ok(lpot_transforms_apply(chain, 1, 0, &sample, &err), &err);
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

/* A chain under the key t of a file whose model.framework is that. */
static void apply_in_file(const char *framework, const char *settings, lpot_sample *sample) {
  char text[512];
  lpot_transforms *chain = NULL;
  lpot_error err = {0};
  snprintf(text, sizeof text, "{model: {framework: %s}, t: {%s}}", framework, settings);
  lpot_yaml *yaml = parse_settings(text);
  expect_ok(lpot_transforms_new(lpot_yaml_get(lpot_yaml_root(yaml), "t"), &chain, &err), &err);
  expect_ok(lpot_transforms_apply(chain, 1, 0, sample, &err), &err);
  lpot_transforms_free(chain);
  lpot_yaml_free(yaml);
}

/* Chain a in a file for framework must do what b does anywhere. */
static void expect_same(const char *framework, const char *a, const char *b) {
  lpot_sample left;
  lpot_sample right;
  MAKE(&left, LPOT_U8, 8, 13, 3);
  MAKE(&right, LPOT_U8, 8, 13, 3);
  apply_in_file(framework, a, &left);
  apply_ok(b, &right);
  assert_int_equal(left.inputs[0]->dtype, right.inputs[0]->dtype);
  assert_true(largest_difference(left.inputs[0], right.inputs[0]) == 0.0);
  lpot_sample_done(&left);
  lpot_sample_done(&right);
}

static void boxes_move_with_a_padded_image(void **state) {
  (void)state;
  static const double boxes[] = {7, 0.25, 0, 0.75, 0.5, 1, /**/ 3, 0, 0, 1, 1, 0};
  lpot_sample sample;
  lpot_error err = {0};
  const lpot_shape shape = lpot_shape_of(2, (const int64_t[]){2, 6});
  for (int padded = 0; padded < 2; padded++) {
    MAKE(&sample, LPOT_U8, 4, 8, 3); /* to 5 x 10, in the middle of 10 x 10 */
    expect_ok(lpot_tensor_copy_of(LPOT_F64, &shape, boxes, &sample.label, &err), &err);
    sample.has_boxes = true;
    apply_ok(padded ? "ResizeWithRatio: {min_dim: 10, max_dim: 10, padding: true}"
                    : "ResizeWithRatio: {min_dim: 10, max_dim: 10}",
             &sample);
    static const double moved[] = {7, 0.325, 0, 0.575, 0.5, 1, /**/ 3, 0.2, 0, 0.7, 1, 0};
    for (int64_t i = 0; i < 12; i++) {
      double expected = padded ? moved[i] : boxes[i];
      assert_true(fabs(lpot_tensor_get_double(sample.label, i) - expected) < 1e-12);
    }
    lpot_sample_done(&sample);
  }
}

static void framework_says_whose_resizing_a_file_means(void **state) {
  (void)state;
  expect_same("tensorflow", "Resize: {size: 5}", "Resize: {size: [5, 5], library: opencv}");
  expect_same("tensorflow_itex", "Resize: {size: [5, 6], library: pillow}",
              "Resize: {size: [5, 6]}");
  expect_same("mxnet", "Resize: {size: 5}", "Resize: {size: [5, 5], library: opencv}");
  expect_same("pytorch", "Resize: {size: 5}", "Resize: {size: [5, 8]}");    /* 8.125 */
  expect_same("pytorch_fx", "Resize: {size: 6}", "Resize: {size: [6, 9]}"); /* 9.75 */
  expect_same("pytorch_ipex", "Resize: {size: 16}", "Resize: {size: [16, 26]}");
  expect_same("onnxrt_qlinearops", "Resize: {size: 6}", "Resize: {size: [6, 10]}");
  expect_same("onnxrt_qdqops", "ResizeCropImagenet: {height: 3, width: 4, resize_side: 5}",
              "ResizeCropImagenet: {height: 3, width: 4, resize_side: 5}");
  expect_same("tensorflow",
              "ResizeCropImagenet: {height: 3, width: 4, resize_side: 5, mean_value: 9}",
              "ResizeCropImagenet: {height: 3, width: 4, resize_side: 5, mean_value: 9, scale: 1, "
              "library: opencv}");
  expect_same(
      "tensorflow",
      "ResizeCropImagenet: {height: 3, width: 4, resize_side: 5, std_value: 1, slice_crop: true}",
      "ResizeCropImagenet: {height: 3, width: 4, resize_side: 5, std_value: 1, "
      "library: opencv}");
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

/* A 2 x 3 image of one channel with the values 0 to 5. */
static void make_small(lpot_sample *sample, lpot_dtype dtype) {
  MAKE(sample, dtype, 2, 3, 1);
}

static void flips_mirror_by_probability(void **state) {
  (void)state;
  lpot_sample sample;
  make_small(&sample, LPOT_U8);
  apply_ok("{RandomHorizontalFlip: {p: 0}, RandomVerticalFlip: {p: 0}}", &sample);
  EXPECT_VALUES(&sample, 0, 1, 2, 3, 4, 5);
  apply_ok("RandomHorizontalFlip: {p: 1}", &sample);
  EXPECT_VALUES(&sample, 2, 1, 0, 5, 4, 3);
  apply_ok("RandomVerticalFlip: {p: 1}", &sample);
  EXPECT_VALUES(&sample, 5, 4, 3, 2, 1, 0);
  lpot_sample_done(&sample);
}

/* What the chain makes of sample index, as one number. */
static uint64_t outcome(const char *settings, uint64_t seed, int64_t index) {
  lpot_sample sample;
  lpot_transforms *chain = NULL;
  lpot_error err = {0};
  MAKE(&sample, LPOT_U8, 13, 17, 3);
  expect_ok(make_chain(settings, &chain, &err), &err);
  expect_ok(lpot_transforms_apply(chain, seed, index, &sample, &err), &err);
  lpot_transforms_free(chain);
  uint64_t hash = lpot_hash64(sample.inputs[0]->data, sample.inputs[0]->size_bytes,
                              (uint64_t)sample.inputs[0]->shape.dims[1]);
  lpot_sample_done(&sample);
  return hash;
}

static void random_transforms_depend_on_seed_and_index_alone(void **state) {
  (void)state;
  static const char *const chains[] = {
      "RandomCrop: {size: 5}",
      "RandomResizedCrop: {size: 5}",
      "{RandomCrop: {size: 9}, RandomHorizontalFlip: {}, RandomVerticalFlip: {}}",
      "ResizeCropImagenet: {height: 5, width: 5, resize_side: 13, random_crop: true}",
  };
  for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
    size_t same_seed = 0;
    size_t same_index = 0;
    for (int64_t index = 0; index < 20; index++) {
      assert_true(outcome(chains[i], 7, index) == outcome(chains[i], 7, index));
      same_index += outcome(chains[i], 7, index) == outcome(chains[i], 8, index) ? 1 : 0;
      same_seed += outcome(chains[i], 7, index) == outcome(chains[i], 7, index + 1) ? 1 : 0;
    }
    assert_true(same_seed < 6);
    assert_true(same_index < 6);
  }
}

static void random_crops_reach_every_place(void **state) {
  (void)state;
  bool seen[5] = {false};
  lpot_error err = {0};
  lpot_transforms *chain = NULL;
  expect_ok(make_chain("RandomCrop: {size: [1, 2]}", &chain, &err), &err);
  for (int64_t index = 0; index < 100; index++) {
    lpot_sample sample;
    MAKE(&sample, LPOT_U8, 1, 6, 1);
    expect_ok(lpot_transforms_apply(chain, 1, index, &sample, &err), &err);
    int64_t left = lpot_tensor_get_int(sample.inputs[0], 0);
    assert_int_equal(lpot_tensor_get_int(sample.inputs[0], 1), left + 1);
    seen[left] = true;
    lpot_sample_done(&sample);
  }
  lpot_transforms_free(chain);
  for (size_t i = 0; i < 5; i++) {
    assert_true(seen[i]);
  }
}

/* A ratio that no draw can have leaves the largest box in the middle. */
static void resized_crop_falls_back_to_the_middle(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 1, 6, 1);
  apply_ok("RandomResizedCrop: {size: [1, 2], ratio: [2, 2], scale: [1, 1]}", &sample);
  EXPECT_VALUES(&sample, 2, 3);
  lpot_sample_done(&sample);
}

static void crop_resize_takes_the_box(void **state) {
  (void)state;
  lpot_sample sample;
  make_small(&sample, LPOT_F32);
  apply_ok("CropResize: {x: 1, y: 0, width: 2, height: 2, size: 2}", &sample);
  EXPECT_VALUES(&sample, 1, 2, 4, 5);
  apply_ok("CropResize: {x: 0, y: 0, width: 2, height: 2, size: [1, 1]}", &sample);
  EXPECT_VALUES(&sample, 3);
  lpot_error err = {0};
  expect_error(apply("CropResize: {x: 1, y: 0, width: 1, height: 1, size: 1}", &sample, &err),
               LPOT_INVALID, &err, "CropResize of [1, 1, 1] float32: the rectangle");
  lpot_sample_done(&sample);
}

static void channels_are_aligned(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_error err = {0};
  MAKE(&sample, LPOT_F32, 1, 2);
  apply_ok("AlignImageChannel: {dim: 2}", &sample);
  expect_shape(&sample, "[1, 2, 2]");
  EXPECT_VALUES(&sample, 0, 0, 1, 1);
  expect_error(apply("AlignImageChannel:", &sample, &err), LPOT_INVALID, &err,
               "cannot make 3 channels of 2");
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_U8, 1, 2, 4);
  apply_ok("AlignImageChannel:", &sample);
  EXPECT_VALUES(&sample, 0, 1, 2, 4, 5, 6);
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_F32, 1, 1, 3);
  apply_ok("AlignImageChannel: {dim: 1}", &sample);
  EXPECT_VALUES(&sample, 0.587 + 2 * 0.114);
  lpot_sample_done(&sample);
}

static void tensors_and_images_are_each_others_inverse(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 2, 2, 3);
  apply_ok("ToTensor:", &sample);
  expect_shape(&sample, "[3, 2, 2]");
  assert_true(fabs(lpot_tensor_get_double(sample.inputs[0], 1) - 3.0 / 255.0) < 1e-9);
  apply_ok("{ToPILImage: {}, ToArray: {}, ToNDArray: {}, ParseDecodeImagenet: {}}", &sample);
  expect_shape(&sample, "[2, 2, 3]");
  EXPECT_VALUES(&sample, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_F32, 1, 1, 3);
  apply_ok("ToTensor:", &sample);
  EXPECT_VALUES(&sample, 0, 1, 2);
  apply_ok("ToPILImage:", &sample);
  EXPECT_VALUES(&sample, 0, 255, 255);
  lpot_sample_done(&sample);
}

/* More bytes than the encoder holds at once; noise, that nothing else would be as large. */
static void large_images_survive_jpeg(void **state) {
  (void)state;
  enum { SIDE = 200 };
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, SIDE, SIDE, 1);
  uint8_t noise[SIDE * SIDE];
  for (uint64_t i = 0; i < SIDE * SIDE; i++) {
    noise[i] = (uint8_t)lpot_hash64(&i, sizeof i, 1);
  }
  memcpy(sample.inputs[0]->data, noise, sizeof noise);
  apply_ok("EncodeJpeg: {quality: 100}", &sample);
  assert_true(sample.inputs[0]->size_bytes > 32768);
  apply_ok("DecodeImage:", &sample);
  expect_shape(&sample, "[200, 200, 3]");
  const uint8_t *pixels = sample.inputs[0]->data;
  for (size_t i = 0; i < sizeof noise; i++) {
    assert_true(abs((int)pixels[3 * i] - (int)noise[i]) <= 2);
  }
  lpot_sample_done(&sample);
}

/* The row of two pixels stays or is mirrored, and both happen. */
static void imagenet_recipe_flips_some_images(void **state) {
  (void)state;
  int flipped = 0;
  for (int64_t index = 0; index < 40; index++) {
    lpot_sample sample;
    lpot_transforms *chain = NULL;
    lpot_error err = {0};
    MAKE(&sample, LPOT_U8, 2, 2, 3);
    expect_ok(make_chain("ResizeCropImagenet: {height: 2, width: 2, resize_side: 2, scale: 1, "
                         "random_flip_left_right: true}",
                         &chain, &err),
              &err);
    expect_ok(lpot_transforms_apply(chain, 1, index, &sample, &err), &err);
    double first = lpot_tensor_get_double(sample.inputs[0], 0);
    assert_true(first == 0 || first == 3);
    assert_true(lpot_tensor_get_double(sample.inputs[0], 3) == 3 - first);
    flipped += first == 3 ? 1 : 0;
    lpot_transforms_free(chain);
    lpot_sample_done(&sample);
  }
  assert_true(flipped > 5 && flipped < 35);
}

static void images_that_do_not_fit_are_refused(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_error err = {0};
  MAKE(&sample, LPOT_U8, 2, 2, 1);
  expect_error(apply("ResizeCropImagenet: {height: 2, width: 2}", &sample, &err), LPOT_INVALID,
               &err, "expected 3 channels");
  expect_error(apply("RandomCrop: {size: 3}", &sample, &err), LPOT_INVALID, &err,
               "the image is smaller than the crop of 3 x 3");
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_F32, 5, 2, 2);
  expect_error(apply("ToPILImage:", &sample, &err), LPOT_INVALID, &err,
               "expected [1 to 4 channels, height, width]");
  lpot_sample_done(&sample);
}

/* 20 / 10 would make the long side 80, which is beyond 50. */
static void ratio_is_bounded_by_the_long_side(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 10, 40, 3);
  apply_ok("ResizeWithRatio: {min_dim: 20, max_dim: 50}", &sample);
  expect_shape(&sample, "[12, 50, 3]");
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_U8, 10, 20, 3);
  apply_ok("ResizeWithRatio: {min_dim: 20, max_dim: 50}", &sample);
  expect_shape(&sample, "[20, 40, 3]");
  lpot_sample_done(&sample);
}

static void what_is_right_already_stays(void **state) {
  (void)state;
  static const char *const chains[] = {"AlignImageChannel: {dim: 3}", "Cast: {dtype: uint8}",
                                       "ToPILImage:"};
  for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
    lpot_sample sample;
    MAKE(&sample, LPOT_U8, 2, 2, 3);
    const lpot_tensor *input = sample.inputs[0];
    apply_ok(chains[i], &sample);
    assert_ptr_equal(sample.inputs[0], input);
    lpot_sample_done(&sample);
  }
}

static void padding_is_mirrored_as_far_as_it_goes(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_error err = {0};
  make_small(&sample, LPOT_F32);
  apply_ok("Pad: {padding: [1, 0], fill: 7.5}", &sample);
  EXPECT_VALUES(&sample, 7.5, 0, 1, 2, 7.5, 7.5, 3, 4, 5, 7.5);
  lpot_sample_done(&sample);
  make_small(&sample, LPOT_U8);
  expect_error(apply("Pad: {padding: 2, mode: reflect}", &sample, &err), LPOT_INVALID, &err,
               "too small to be mirrored");
  expect_error(apply("Pad: {padding: [0, 3], mode: symmetric}", &sample, &err), LPOT_INVALID, &err,
               "too small to be mirrored");
  apply_ok("Pad: {padding: 1, mode: reflect}", &sample);
  EXPECT_VALUES(&sample, 4, 3, 4, 5, 4, 1, 0, 1, 2, 1, 4, 3, 4, 5, 4, 1, 0, 1, 2, 1);
  lpot_sample_done(&sample);
}

static void padded_centre_crop_is_a_share_of_the_short_side(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 4, 6, 1);
  apply_ok("PaddedCenterCrop: {size: 3, crop_padding: 1}", &sample);
  expect_shape(&sample, "[3, 3, 1]");
  EXPECT_VALUES(&sample, 8, 9, 10, 14, 15, 16, 20, 21, 22);
  lpot_sample_done(&sample);
}

static void inputs_are_quantized_to_the_nearest(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_F32, 4);
  apply_ok("QuantizedInput: {dtype: uint8}", &sample);
  assert_int_equal(sample.inputs[0]->dtype, LPOT_F32);
  apply_ok("{Normalize: {mean: 2}, QuantizedInput: {scale: 70.6}}", &sample);
  assert_int_equal(sample.inputs[0]->dtype, LPOT_S8);
  EXPECT_VALUES(&sample, -128, -71, 0, 71);
  apply_ok("QuantizedInput: {dtype: uint8, scale: 0.5}", &sample);
  assert_int_equal(sample.inputs[0]->dtype, LPOT_U8);
  EXPECT_VALUES(&sample, 64, 92, 128, 164);
  lpot_sample_done(&sample);
}

static void imagenet_recipe_of_tensorflow_scales_and_stays_channels_last(void **state) {
  (void)state;
  lpot_sample sample;
  MAKE(&sample, LPOT_U8, 1, 2, 3);
  apply_ok("ResizeCropImagenet: {height: 1, width: 2, resize_side: 1, mean_value: [1, 2, 3], "
           "scale: 0.5}",
           &sample);
  expect_shape(&sample, "[1, 2, 3]");
  EXPECT_VALUES(&sample, -0.5, -0.5, -0.5, 1, 1, 1);
  lpot_sample_done(&sample);
}

static void bytes_that_are_no_image_are_refused(void **state) {
  (void)state;
  lpot_sample sample;
  lpot_error err = {0};
  MAKE(&sample, LPOT_U8, 9);
  expect_error(apply("DecodeImage:", &sample, &err), LPOT_FORMAT, &err, "neither a JPEG nor a PNG");
  expect_error(apply("EncodeJpeg:", &sample, &err), LPOT_INVALID, &err, "expected an image");
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_F32, 9);
  expect_error(apply("ParseDecodeVoc:", &sample, &err), LPOT_INVALID, &err, "the bytes of one");
  lpot_sample_done(&sample);
  MAKE(&sample, LPOT_F32, 1, 1, 3);
  expect_error(apply("EncodeJpeg:", &sample, &err), LPOT_INVALID, &err, "uint8");
  expect_error(apply("ColorJitter: {hue: 0.1}", &sample, &err), LPOT_INVALID, &err, "uint8");
  lpot_sample_done(&sample);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_settings_are_refused_with_their_place),
      cmocka_unit_test(wrong_settings_of_image_transforms_are_refused),
      cmocka_unit_test(wrong_inputs_are_told_with_transform_and_shape),
      cmocka_unit_test(empty_chain_changes_nothing),
      cmocka_unit_test(chain_runs_in_the_order_of_the_text),
      cmocka_unit_test(transpose_permutes_any_rank_and_type),
      cmocka_unit_test(cast_cuts_and_stays_in_range),
      cmocka_unit_test(rescale_divides_by_255),
      cmocka_unit_test(normalize_takes_the_last_axis_before_the_first),
      cmocka_unit_test(centre_crop_rounds_as_torchvision),
      cmocka_unit_test(bounding_box_is_cut_out),
      cmocka_unit_test(boxes_move_with_a_padded_image),
      cmocka_unit_test(framework_says_whose_resizing_a_file_means),
      cmocka_unit_test(imagenet_recipe_keeps_height_and_width_apart),
      cmocka_unit_test(flips_mirror_by_probability),
      cmocka_unit_test(random_transforms_depend_on_seed_and_index_alone),
      cmocka_unit_test(random_crops_reach_every_place),
      cmocka_unit_test(resized_crop_falls_back_to_the_middle),
      cmocka_unit_test(crop_resize_takes_the_box),
      cmocka_unit_test(channels_are_aligned),
      cmocka_unit_test(tensors_and_images_are_each_others_inverse),
      cmocka_unit_test(large_images_survive_jpeg),
      cmocka_unit_test(imagenet_recipe_flips_some_images),
      cmocka_unit_test(images_that_do_not_fit_are_refused),
      cmocka_unit_test(ratio_is_bounded_by_the_long_side),
      cmocka_unit_test(what_is_right_already_stays),
      cmocka_unit_test(padding_is_mirrored_as_far_as_it_goes),
      cmocka_unit_test(padded_centre_crop_is_a_share_of_the_short_side),
      cmocka_unit_test(inputs_are_quantized_to_the_nearest),
      cmocka_unit_test(imagenet_recipe_of_tensorflow_scales_and_stays_channels_last),
      cmocka_unit_test(bytes_that_are_no_image_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
