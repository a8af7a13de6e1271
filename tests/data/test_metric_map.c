#include "metric_fixture.h"

#include "data/detection.h"

#define MAX_BOXES 200
#define GOLDEN_IMAGES 40

/* What one image has; f32 outputs, as models give them. */
typedef struct image_case {
  lpot_truth truths[MAX_BOXES];
  size_t num_truths;
  float boxes[MAX_BOXES * 4];
  float scores[MAX_BOXES];
  float classes[MAX_BOXES];
  size_t num_detections;
} image_case;

static void add_truth(image_case *image, int64_t class_index, double top, double left,
                      double bottom, double right, lpot_truth_kind kind) {
  image->truths[image->num_truths++] =
      (lpot_truth){.box = {top, left, bottom, right}, .class_index = class_index, .kind = kind};
}

static void add_detection(image_case *image, float class_index, float score, float top, float left,
                          float bottom, float right) {
  const float box[] = {top, left, bottom, right};
  memcpy(image->boxes + image->num_detections * 4, box, sizeof box);
  image->scores[image->num_detections] = score;
  image->classes[image->num_detections++] = class_index;
}

static lpot_tensor *floats(const float *values, int rank, int64_t each, int64_t width) {
  lpot_shape shape = lpot_shape_of(rank, (const int64_t[]){1, each, width});
  lpot_tensor *tensor = NULL;
  lpot_error err = {0};
  expect_ok(lpot_tensor_copy_of(LPOT_F32, &shape, values, &tensor, &err), &err);
  return tensor;
}

static lpot_status update_image(const lpot_metric *metric, const image_case *image, uint64_t index,
                                lpot_metric_state *state, lpot_error *err) {
  int64_t count = (int64_t)image->num_detections;
  lpot_tensor *outputs[] = {floats(image->boxes, 3, count, 4), floats(image->scores, 2, count, 0),
                            floats(image->classes, 2, count, 0)};
  lpot_tensor *label = NULL;
  expect_ok(lpot_detection_label(image->truths, image->num_truths, &label, err), err);
  lpot_batch batch = {.row_labels = &label, .num_valid = 1, .indices = &index};
  lpot_status status =
      lpot_metric_update(metric, (const lpot_tensor *const *)outputs, 3, &batch, state, NULL, err);
  for (size_t i = 0; i < 3; i++) {
    lpot_tensor_unref(outputs[i]);
  }
  lpot_tensor_unref(label);
  return status;
}

/* The value of count images as `text`'s metric gives it. */
static double value_of_images(const char *text, const image_case *images, size_t count) {
  lpot_metric *metric = make_metric(text);
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_metric_state_init(&counts);
  for (size_t i = 0; i < count; i++) {
    expect_ok(update_image(metric, &images[i], i, &counts, &err), &err);
  }
  double value = value_of(metric, &counts);
  lpot_metric_state_done(&counts);
  lpot_metric_free(metric);
  return value;
}

static void near(double value, double expected) {
  if (!(fabs(value - expected) <= 1e-12)) {
    fail_msg("got %.17g, expected %.17g", value, expected);
  }
}

/* The made-up detections of golden/make_detection_golden.py; owned by the caller. */
static image_case *golden_images(void) {
  image_case *images = calloc(GOLDEN_IMAGES, sizeof *images);
  assert_non_null(images);
  lpot_tensor *truths = golden_tensor("coco_truths.npy");
  const float *row = truths->data;
  for (int64_t i = 0; i < truths->shape.dims[0]; i++, row += 7) {
    add_truth(&images[(size_t)row[0]], (int64_t)row[1], (double)row[2], (double)row[3],
              (double)row[4], (double)row[5], (lpot_truth_kind)row[6]);
  }
  lpot_tensor *detections = golden_tensor("coco_detections.npy");
  row = detections->data;
  for (int64_t i = 0; i < detections->shape.dims[0]; i++, row += 7) {
    add_detection(&images[(size_t)row[0]], row[1], row[6], row[2], row[3], row[4], row[5]);
  }
  lpot_tensor_unref(truths);
  lpot_tensor_unref(detections);
  return images;
}

static void values_are_those_of_pycocotools(void **state) {
  (void)state;
  static const char *const metrics[] = {"COCOmAP:", "COCOmAP: {iou_thrs: 0.5}",
                                        "mAP: {iou_thrs: 0.75, map_points: 101}",
                                        "mAP: {map_points: 11}", "VOCmAP:"};
  image_case *images = golden_images();
  lpot_tensor *values = golden_tensor("coco_values.npy");
  for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
    near(value_of_images(metrics[i], images, GOLDEN_IMAGES),
         lpot_tensor_get_double(values, (int64_t)i));
  }
  near(value_of_images("COCOmAP: {iou_thrs: '0.5:0.05:0.95'}", images, GOLDEN_IMAGES),
       lpot_tensor_get_double(values, 0));
  near(value_of_images("COCOmAP: {map_key: DetectionBoxes_Precision/mAP}", images, GOLDEN_IMAGES),
       lpot_tensor_get_double(values, 0));
  near(value_of_images("COCOmAP: {map_key: DetectionBoxes_Precision/mAP@.50IOU}", images,
                       GOLDEN_IMAGES),
       lpot_tensor_get_double(values, 1));
  near(value_of_images("COCOmAP: {map_key: DetectionBoxes_Precision/mAP@.75IOU}", images,
                       GOLDEN_IMAGES),
       lpot_tensor_get_double(values, 2));
  lpot_tensor_unref(values);
  free(images);
}

/* However the images are cut into blocks and whatever order they come in. */
static void value_does_not_depend_on_order_or_blocks(void **state) {
  (void)state;
  image_case *images = golden_images();
  lpot_metric *metric = make_metric("COCOmAP:");
  lpot_metric_state parts[3];
  lpot_error err = {0};
  for (size_t i = 0; i < 3; i++) {
    lpot_metric_state_init(&parts[i]);
  }
  for (size_t i = GOLDEN_IMAGES; i > 0; i--) {
    expect_ok(update_image(metric, &images[i - 1], i - 1, &parts[i % 3], &err), &err);
  }
  expect_ok(lpot_metric_state_merge(metric, &parts[0], &parts[2], &err), &err);
  expect_ok(lpot_metric_state_merge(metric, &parts[0], &parts[1], &err), &err);
  assert_int_equal(parts[0].samples, GOLDEN_IMAGES);
  assert_true(value_of(metric, &parts[0]) == value_of_images("COCOmAP:", images, GOLDEN_IMAGES));
  for (size_t i = 0; i < 3; i++) {
    lpot_metric_state_done(&parts[i]);
  }
  lpot_metric_free(metric);
  free(images);
}

static void difficult_objects_need_not_be_found(void **state) {
  (void)state;
  image_case image = {0};
  add_truth(&image, 1, 0, 0, 0.5, 0.5, LPOT_TRUTH_COUNTS);
  add_truth(&image, 1, 0.5, 0.5, 1, 1, LPOT_TRUTH_DIFFICULT);
  /* Two of the difficult one, both leave the value alone; then the right one. */
  add_detection(&image, 1, 0.9F, 0.5F, 0.5F, 1, 1);
  add_detection(&image, 1, 0.8F, 0.5F, 0.5F, 1, 0.9375F);
  add_detection(&image, 1, 0.7F, 0, 0, 0.5F, 0.5F);
  near(value_of_images("VOCmAP:", &image, 1), 1.0);
  /* One inside the difficult one overlaps it too little, unlike inside a crowd: wrong, before the
   * right one. */
  add_detection(&image, 1, 0.75F, 0.5F, 0.5F, 0.625F, 0.625F);
  near(value_of_images("VOCmAP:", &image, 1), 0.5);
  image.truths[1].kind = LPOT_TRUTH_CROWD;
  near(value_of_images("VOCmAP:", &image, 1), 1.0);
}

static void padding_and_foreign_classes_do_not_count(void **state) {
  (void)state;
  char path[] = "/tmp/lpot_classes_XXXXXX";
  int file = mkstemp(path);
  assert_true(file >= 0);
  FILE *stream = fdopen(file, "w");
  fputs("cat: 1\ndog: 3\n", stream);
  fclose(stream);
  image_case image = {0};
  add_truth(&image, 1, 0, 0, 0.5, 0.5, LPOT_TRUTH_COUNTS);
  add_truth(&image, 2, 0, 0, 0.5, 0.5, LPOT_TRUTH_COUNTS);
  add_detection(&image, 1, 0.5F, 0, 0, 0.5F, 0.5F);
  add_detection(&image, -1, 0.9F, 0.5F, 0.5F, 1, 1);
  near(value_of_images("mAP:", &image, 1), 0.5);
  char text[128];
  snprintf(text, sizeof text, "mAP: {anno_path: '%s'}", path);
  near(value_of_images(text, &image, 1), 1.0);
  stream = fopen(path, "w");
  fputs("cat: one\n", stream);
  fclose(stream);
  expect_bad_metric(text, "cat");
  assert_int_equal(remove(path), 0);
  expect_bad_metric(text, "anno_path");
}

static void boxes_may_be_written_in_other_ways(void **state) {
  (void)state;
  image_case image = {0};
  add_truth(&image, 1, 0.25, 0.5, 0.5, 0.75, LPOT_TRUTH_COUNTS);
  add_detection(&image, 1, 0.5F, 100, 25, 150, 50);
  near(value_of_images("mAP:", &image, 1), 0.0);
  near(value_of_images("mAP: {box_order: xyxy, box_size: [100, 200]}", &image, 1), 1.0);
  near(value_of_images("mAP: {box_size: [100, 200]}", &image, 1), 0.0);
}

/* Outputs by shape and type: num_detections first or last, classes before scores. */
static void outputs_are_told_by_shape_type_and_mapping(void **state) {
  (void)state;
  static const float boxes[] = {0, 0, 0.5F, 0.5F, 0.5F, 0.5F, 1, 1};
  static const float scores[] = {0.25F, 0.75F};
  static const int64_t classes[] = {1, 1};
  static const float counts[] = {1};
  lpot_error err = {0};
  lpot_truth truth = {.box = {0, 0, 0.5, 0.5}, .class_index = 1};
  lpot_tensor *label = NULL;
  expect_ok(lpot_detection_label(&truth, 1, &label, &err), &err);
  lpot_shape shape = lpot_shape_of(2, (const int64_t[]){1, 2});
  lpot_tensor *whole = NULL;
  expect_ok(lpot_tensor_copy_of(LPOT_S64, &shape, classes, &whole, &err), &err);
  lpot_tensor *parts[] = {floats(boxes, 3, 2, 4), whole, floats(scores, 2, 2, 0),
                          floats(counts, 1, 0, 0)};
  uint64_t index = 0;
  lpot_batch batch = {.row_labels = &label, .num_valid = 1, .indices = &index};
  /* What the metric's text, the order of the outputs and their number give. */
  static const struct {
    const char *text;
    size_t order[4];
    size_t count;
    double value;
  } cases[] = {
      {"mAP:", {0, 1, 2, 3}, 3, 0.5}, /* The wrong box has the higher score. */
      {"mAP:", {0, 2, 1, 3}, 3, 0.5},
      {"mAP:", {3, 0, 2, 1}, 4, 1.0}, /* Only the first box counts. */
      {"mAP:", {0, 1, 2, 3}, 4, 1.0},
      {"mAP: {output_index_mapping: {boxes: 1, scores: 0, classes: 2}}", {2, 0, 1, 3}, 4, 0.5},
      {"mAP: {output_index_mapping: {num_detections: 3, boxes: 1, scores: 0, classes: 2}}",
       {2, 0, 1, 3},
       4,
       1.0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const lpot_tensor *outputs[4];
    for (size_t k = 0; k < 4; k++) {
      outputs[k] = parts[cases[i].order[k]];
    }
    lpot_metric *metric = make_metric(cases[i].text);
    lpot_metric_state counted;
    lpot_metric_state_init(&counted);
    expect_ok(lpot_metric_update(metric, outputs, cases[i].count, &batch, &counted, NULL, &err),
              &err);
    near(value_of(metric, &counted), cases[i].value);
    expect_error(lpot_metric_update(metric, outputs + 1, 1, &batch, &counted, NULL, &err),
                 LPOT_INVALID, &err, i < 4 ? "no output of the model gives" : "but there are 1");
    lpot_metric_state_done(&counted);
    lpot_metric_free(metric);
  }
  lpot_metric *metric = make_metric("mAP:");
  lpot_metric_state counted;
  lpot_metric_state_init(&counted);
  const lpot_tensor *twice[] = {parts[0], parts[0], parts[1]};
  expect_error(lpot_metric_update(metric, twice, 3, &batch, &counted, NULL, &err), LPOT_INVALID,
               &err, "output 1, float32 [1, 2, 4], cannot be told from the others");
  batch.row_labels = NULL;
  batch.labels = label;
  expect_error(lpot_metric_update(metric, twice, 3, &batch, &counted, NULL, &err), LPOT_INVALID,
               &err, "labels are not boxes");
  lpot_metric_free(metric);
  for (size_t i = 0; i < 4; i++) {
    lpot_tensor_unref(parts[i]);
  }
  lpot_tensor_unref(label);
}

static void numbers_that_are_not_finite_are_bad_samples(void **state) {
  (void)state;
  image_case image = {0};
  add_truth(&image, 1, 0, 0, 0.5, 0.5, LPOT_TRUTH_COUNTS);
  add_detection(&image, 1, (float)NAN, 0, 0, 0.5F, 0.5F);
  add_detection(&image, 1, 0.5F, 0, 0, (float)INFINITY, 0.5F);
  lpot_metric *metric = make_metric("mAP:");
  lpot_metric_state counts;
  lpot_error err = {0};
  lpot_metric_state_init(&counts);
  expect_ok(update_image(metric, &image, 0, &counts, &err), &err);
  assert_int_equal(counts.bad, 1);
  assert_true(value_of(metric, &counts) == 0.0);
  lpot_metric_state_done(&counts);
  lpot_metric_free(metric);
}

static void damaged_records_and_sets_without_objects_are_told(void **state) {
  (void)state;
  image_case image = {0};
  add_truth(&image, 1, 0, 0, 0.5, 0.5, LPOT_TRUTH_CROWD);
  add_detection(&image, 1, 0.5F, 0, 0, 0.5F, 0.5F);
  lpot_metric *metric = make_metric("mAP:");
  lpot_metric_state counts;
  lpot_error err = {0};
  double value = 0;
  lpot_metric_state_init(&counts);
  expect_ok(update_image(metric, &image, 0, &counts, &err), &err);
  expect_error(lpot_metric_value(metric, &counts, &value, &err), LPOT_FORMAT, &err,
               "metric mAP: no image has an object that counts");
  image.truths[0].kind = LPOT_TRUTH_COUNTS;
  expect_ok(update_image(metric, &image, 1, &counts, &err), &err);
  expect_ok(lpot_metric_value(metric, &counts, &value, &err), &err);
  size_t whole = counts.records.size;
  for (size_t size = whole - 1; size > whole / 2 + 8; size--) {
    counts.records.size = size;
    assert_int_equal(lpot_metric_value(metric, &counts, &value, &err), LPOT_FORMAT);
  }
  lpot_metric_state_done(&counts);
  lpot_metric_free(metric);
}

static void wrong_settings_are_refused(void **state) {
  (void)state;
  expect_bad_metric("mAP: {iou_thrs: 0}", "above 0 and up to 1");
  expect_bad_metric("mAP: {iou_thrs: '0.5:0.05'}", "iou_thrs");
  expect_bad_metric("mAP: {iou_thrs: '0.5:0.0001:0.95'}", "iou_thrs");
  expect_bad_metric("mAP: {iou_thrs: []}", "iou_thrs");
  expect_bad_metric("mAP: {map_points: 10}", "expected 0, 11 or 101");
  expect_bad_metric("mAP: {box_order: xywh}", "box_order");
  expect_bad_metric("mAP: {box_size: [0, 10]}", "height and width");
  expect_bad_metric("mAP: {output_index_mapping: {boxes: 0, scores: 1}}", "classes must be");
  expect_bad_metric("mAP: {output_index_mapping: {box: 0}}", "boxes");
  expect_bad_metric("COCOmAP: {points: 1}", "map_points");
  expect_bad_metric("COCOmAP: {map_key: DetectionBoxes_Precision/mAP@.60IOU}",
                    "did you mean 'DetectionBoxes_Precision/mAP@.50IOU'?");
  expect_bad_metric("COCOmAP: {map_key: DetectionBoxes_Precision/mAP, iou_thrs: 0.5}", "got both");
  expect_bad_metric("mAP: {map_key: DetectionBoxes_Precision/mAP}", "unknown key");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_those_of_pycocotools),
      cmocka_unit_test(value_does_not_depend_on_order_or_blocks),
      cmocka_unit_test(difficult_objects_need_not_be_found),
      cmocka_unit_test(padding_and_foreign_classes_do_not_count),
      cmocka_unit_test(boxes_may_be_written_in_other_ways),
      cmocka_unit_test(outputs_are_told_by_shape_type_and_mapping),
      cmocka_unit_test(numbers_that_are_not_finite_are_bad_samples),
      cmocka_unit_test(damaged_records_and_sets_without_objects_are_told),
      cmocka_unit_test(wrong_settings_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
