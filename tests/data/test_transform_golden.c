/* Transforms against Pillow, OpenCV and numpy: golden/make_transforms.py made the files. */
#include "data_fixture.h"

#include "data/image.h"
#include "data/zip_archive.h"

typedef struct golden_case {
  const char *key;      /* in transforms.npz */
  const char *settings; /* of the chain that is applied to photo.jpg */
  double tolerance;     /* grey levels; for floating-point results their unit */
} golden_case;

/* Pillow 13 takes columns first for 33 x 70; OpenCV rounds weights of u8 images to 11 bits. */
static const golden_case cases[] = {
    {"pillow_bilinear_20x28", "Resize: {size: [20, 28]}", 0},
    {"pillow_bilinear_27x15", "Resize: {size: [27, 15]}", 0},
    {"pillow_bilinear_50x75", "Resize: {size: [50, 75]}", 0},
    {"pillow_bilinear_33x70", "Resize: {size: [33, 70]}", 1},
    {"pillow_bicubic_20x28", "Resize: {size: [20, 28], interpolation: bicubic}", 0},
    {"pillow_bicubic_27x15", "Resize: {size: [27, 15], interpolation: bicubic}", 0},
    {"pillow_bicubic_50x75", "Resize: {size: [50, 75], interpolation: bicubic}", 0},
    {"pillow_nearest_20x28", "Resize: {size: [20, 28], interpolation: nearest}", 0},
    {"pillow_nearest_27x15", "Resize: {size: [27, 15], interpolation: nearest}", 0},
    {"pillow_nearest_50x75", "Resize: {size: [50, 75], interpolation: nearest}", 0},
#define OPENCV(kind, height, width, tolerance)                                                     \
  {                                                                                                \
    "opencv_" #kind "_" #height "x" #width,                                                        \
        "Resize: {size: [" #height ", " #width "], interpolation: " #kind ", library: opencv}",    \
        tolerance                                                                                  \
  }
    OPENCV(bilinear, 20, 28, 1),
    OPENCV(bilinear, 27, 15, 1),
    OPENCV(bilinear, 50, 75, 1),
    OPENCV(bilinear, 33, 70, 1),
    OPENCV(bicubic, 20, 28, 1),
    OPENCV(bicubic, 27, 15, 1),
    OPENCV(bicubic, 50, 75, 1),
    OPENCV(bicubic, 33, 70, 1),
    OPENCV(nearest, 20, 28, 0),
    OPENCV(nearest, 27, 15, 0),
    OPENCV(nearest, 50, 75, 0),
    OPENCV(nearest, 33, 70, 0),
    OPENCV(area, 20, 28, 1),
    OPENCV(area, 27, 15, 1),
    OPENCV(area, 50, 75, 1),
    OPENCV(area, 33, 70, 1),
    OPENCV(area, 104, 72, 1),
#undef OPENCV
#define OPENCV_FLOAT(kind, tolerance)                                                              \
  {                                                                                                \
    "opencv_" #kind "_float",                                                                      \
        "{Cast: {}, Resize: {size: [31, 23], interpolation: " #kind ", library: opencv}}",         \
        tolerance                                                                                  \
  }
    OPENCV_FLOAT(bilinear, 1e-3),
    OPENCV_FLOAT(bicubic, 1e-3),
    OPENCV_FLOAT(nearest, 0),
    OPENCV_FLOAT(area, 1e-3),
#undef OPENCV_FLOAT
    {"pillow_grey", "AlignImageChannel: {dim: 1}", 0},
    {"opencv_grey", "AlignImageChannel: {dim: 1}", 1},
    {"brightness_0.6", "ColorJitter: {brightness: [0.6, 0.6]}", 0},
    {"brightness_1.7", "ColorJitter: {brightness: [1.7, 1.7]}", 0},
    {"contrast_0.6", "ColorJitter: {contrast: [0.6, 0.6]}", 0},
    {"contrast_1.7", "ColorJitter: {contrast: [1.7, 1.7]}", 0},
    {"saturation_0.6", "ColorJitter: {saturation: [0.6, 0.6]}", 0},
    {"saturation_1.7", "ColorJitter: {saturation: [1.7, 1.7]}", 0},
    {"hue_0.2", "ColorJitter: {hue: [0.2, 0.2]}", 0},
    {"hue_-0.3", "ColorJitter: {hue: [-0.3, -0.3]}", 0},
    {"hue_0.45", "ColorJitter: {hue: [0.45, 0.45]}", 0},
    {"pad_edge", "Pad: {padding: [3, 4, 5, 6], padding_mode: edge}", 0},
    {"pad_reflect", "Pad: {padding: [3, 4, 5, 6], mode: reflect}", 0},
    {"pad_symmetric", "Pad: {padding: [3, 4, 5, 6], padding_mode: symmetric}", 0},
    {"pad_constant", "Pad: {padding: [3, 4, 5, 6], fill: 9}", 0},
    {"jpeg_70", "{EncodeJpeg: {quality: 70}, DecodeImage: {}}", 0},
    {"aspect_ratio", "ResizeWithAspectRatio: {height: 28, width: 28}", 1},
    {"ratio", "ResizeWithRatio: {min_dim: 50, max_dim: 75, padding: true, constant_value: 7}", 1},
    {"bilinear_imagenet",
     "BilinearImagenet: {height: 32, width: 24, mean_value: [0.1, 0.2, 0.3], scale: 1.5}", 1e-5},
    /* One grey level is 1 / 255 / 0.224. */
    {"crop_imagenet",
     "ResizeCropImagenet: {height: 24, width: 20, resize_side: 30, library: opencv, "
     "mean_value: [0.5, 0.4, 0.3]}",
     0.0176},
};

static void load_photo(lpot_sample *sample) {
  char path[FIXTURE_PATH];
  lpot_error err = {0};
  golden_path("photo.jpg", path);
  lpot_sample_init(sample);
  expect_ok(lpot_image_load(path, false, &sample->inputs[0], &err), &err);
  sample->num_inputs = 1;
}

static lpot_tensor *find_golden(const lpot_zip_archive *archive, const char *key) {
  char name[64];
  lpot_error err = {0};
  snprintf(name, sizeof name, "%s.npy", key);
  for (size_t i = 0; i < archive->num_entries; i++) {
    if (strcmp(archive->entries[i].name, name) != 0) {
      continue;
    }
    lpot_buffer content;
    lpot_npy_header header;
    lpot_tensor *tensor = NULL;
    lpot_buffer_init(&content);
    expect_ok(lpot_zip_archive_read(&archive->entries[i], &content, &err), &err);
    expect_ok(lpot_npy_parse(content.data, content.size, &header, &err), &err);
    const uint8_t *elements = content.data + header.data_offset;
    expect_ok(lpot_tensor_copy_of(header.dtype, &header.shape, elements, &tensor, &err), &err);
    lpot_buffer_done(&content);
    return tensor;
  }
  fail_msg("no '%s' in transforms.npz", key);
  return NULL;
}

/* True when the case's result is near enough; prints how near. */
static bool agrees(const lpot_zip_archive *archive, const golden_case *golden) {
  lpot_sample sample;
  lpot_transforms *chain = NULL;
  lpot_error err = {0};
  load_photo(&sample);
  lpot_tensor *expected = find_golden(archive, golden->key);
  expect_ok(make_chain(golden->settings, &chain, &err), &err);
  expect_ok(lpot_transforms_apply(chain, 1, 0, &sample, &err), &err);
  lpot_transforms_free(chain);
  assert_int_equal(sample.inputs[0]->dtype, expected->dtype);
  double difference = largest_difference(sample.inputs[0], expected);
  printf("%-24s differs by %.6g at most (%g allowed)\n", golden->key, difference,
         golden->tolerance);
  lpot_tensor_unref(expected);
  lpot_sample_done(&sample);
  return difference <= golden->tolerance;
}

static void transforms_agree_with_pillow_and_opencv(void **state) {
  (void)state;
  lpot_mapping *mapping = golden_map("transforms.npz");
  lpot_zip_archive archive = {0};
  lpot_error err = {0};
  bool all = true;
  expect_ok(
      lpot_zip_archive_open(lpot_mapping_data(mapping), lpot_mapping_size(mapping), &archive, &err),
      &err);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    all = agrees(&archive, &cases[i]) && all;
  }
  lpot_zip_archive_done(&archive);
  lpot_mapping_unref(mapping);
  assert_true(all);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transforms_agree_with_pillow_and_opencv),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
