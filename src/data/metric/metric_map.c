/* mAP, COCOmAP and VOCmAP: mean average precision of detections (data/average_precision.h). The
 * three differ in their defaults only. Per image a record is kept. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "data/average_precision.h"
#include "data/metric_class.h"
#include "data/setting.h"

enum { OUTPUT_COUNTS, OUTPUT_BOXES, OUTPUT_SCORES, OUTPUT_CLASSES, NUM_OUTPUT_KINDS };
static const char *const output_names[NUM_OUTPUT_KINDS + 1] = {"num_detections", "boxes", "scores",
                                                               "classes", NULL};

typedef struct map_metric {
  lpot_metric base;
  size_t num_overlaps;
  double overlaps[LPOT_MAX_OVERLAP_THRESHOLDS];
  int points;
  lpot_box_form form;
  bool has_mapping;
  int64_t mapping[NUM_OUTPUT_KINDS]; /* index of the output; -1: there is none */
  size_t num_classes;                /* 0: all count */
  int64_t *classes;                  /* [num_classes] owned, rising: of anno_path */
} map_metric;

/* ---- settings ---- */

#define MAP_KEYS                                                                                   \
  "anno_path", "iou_thrs", "map_points", "output_index_mapping", "box_order", "box_size"

/* "first:step:last" as numpy.linspace spreads it. */
static bool parse_range(map_metric *metric, const char *text) {
  char part[3][32] = {{0}};
  double number[3];
  size_t at = 0;
  size_t length = 0;
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == ':') {
      at++;
      length = 0;
    } else if (at < 3 && length + 1 < sizeof part[0]) {
      part[at][length++] = *c;
    } else {
      return false;
    }
  }
  for (size_t i = 0; i < 3; i++) {
    if (at != 2 || !lpot_text_to_double(part[i], &number[i])) {
      return false;
    }
  }
  double steps = round((number[2] - number[0]) / number[1]);
  if (!(steps >= 0 && steps < LPOT_MAX_OVERLAP_THRESHOLDS)) {
    return false;
  }
  double step = steps > 0 ? (number[2] - number[0]) / steps : 0;
  metric->num_overlaps = (size_t)steps + 1;
  for (size_t i = 0; i < metric->num_overlaps; i++) {
    metric->overlaps[i] = (double)i * step + number[0];
  }
  return true;
}

static lpot_status parse_overlaps(map_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  bool is_range = node->kind == LPOT_YAML_SCALAR && parse_range(metric, node->text);
  if (!is_range) {
    LPOT_TRY(lpot_yaml_doubles(node, LPOT_MAX_OVERLAP_THRESHOLDS, metric->overlaps,
                               &metric->num_overlaps, err));
  }
  for (size_t i = 0; i < metric->num_overlaps; i++) {
    if (!(metric->overlaps[i] > 0 && metric->overlaps[i] <= 1)) {
      return lpot_yaml_fail(err, node, "expected overlaps above 0 and up to 1, got %g",
                            metric->overlaps[i]);
    }
  }
  if (metric->num_overlaps == 0) {
    return lpot_yaml_fail(err, node, "expected at least one overlap");
  }
  return LPOT_OK;
}

static lpot_status parse_mapping(map_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  LPOT_TRY(lpot_setting_check(node, output_names, err));
  for (size_t i = 0; i < NUM_OUTPUT_KINDS; i++) {
    metric->mapping[i] = -1;
    LPOT_TRY(lpot_setting_int(node, output_names[i], -1, 1000, &metric->mapping[i], err));
    if (i != OUTPUT_COUNTS && metric->mapping[i] < 0) {
      return lpot_yaml_fail(err, node, "%s must be the index of an output", output_names[i]);
    }
  }
  metric->has_mapping = true;
  return LPOT_OK;
}

static int compare_classes(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a;
  int64_t right = *(const int64_t *)b;
  return (left > right) - (left < right);
}

static lpot_status take_classes(map_metric *metric, const lpot_yaml_node *root, lpot_error *err) {
  if (root == NULL || root->kind != LPOT_YAML_MAP || root->num_children == 0) {
    return LPOT_FAIL(err, LPOT_CONFIG, "expected lines 'name: class'");
  }
  metric->classes = lpot_calloc(root->num_children, sizeof *metric->classes);
  if (metric->classes == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < root->num_children; i++) {
    LPOT_TRY(
        lpot_yaml_int(root->children[i], 0, LPOT_MAX_DETECTION_CLASS, &metric->classes[i], err));
    metric->num_classes++;
  }
  qsort(metric->classes, metric->num_classes, sizeof *metric->classes, compare_classes);
  return LPOT_OK;
}

static lpot_status parse_classes(map_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  const char *path = NULL;
  lpot_yaml *yaml = NULL;
  LPOT_TRY(lpot_yaml_string(node, &path, err));
  lpot_status status = lpot_yaml_load(path, &yaml, err);
  if (status == LPOT_OK) {
    status = take_classes(metric, lpot_yaml_root(yaml), err);
  }
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "%s:%d:%d: anno_path '%s'", lpot_yaml_node_file(node), node->line,
                      node->column, path);
  }
  lpot_yaml_free(yaml);
  return status;
}

/* Which of COCO's figures LPOT's COCOmAP gives, by the names of TensorFlow's evaluation. */
static lpot_status parse_key(map_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const keys[] = {"DetectionBoxes_Precision/mAP",
                                     "DetectionBoxes_Precision/mAP@.50IOU",
                                     "DetectionBoxes_Precision/mAP@.75IOU", NULL};
  static const char *const overlaps[] = {"0.5:0.05:0.95", "0.5:1:0.5", "0.75:1:0.75"};
  const lpot_yaml_node *key = lpot_setting_get(node, "map_key");
  int index = 0;
  if (key == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_yaml_choice(key, keys, &index, err));
  if (lpot_setting_get(node, "iou_thrs") != NULL) {
    return lpot_yaml_fail(err, key, "expected map_key or iou_thrs, got both");
  }
  bool is_known = parse_range(metric, overlaps[index]);
  LPOT_ASSERT(is_known);
  return LPOT_OK;
}

/* names: the keys that node may have, NULL terminated. */
static lpot_status parse_map(map_metric *metric, const lpot_yaml_node *node,
                             const char *const *names, const char *overlaps, int64_t points,
                             lpot_error *err) {
  LPOT_TRY(lpot_setting_check(node, names, err));
  LPOT_TRY(lpot_box_form_read(node, &metric->form, err));
  bool is_known = parse_range(metric, overlaps);
  LPOT_ASSERT(is_known);
  LPOT_TRY(parse_key(metric, node, err));
  const lpot_yaml_node *setting = lpot_setting_get(node, "iou_thrs");
  if (setting != NULL) {
    LPOT_TRY(parse_overlaps(metric, setting, err));
  }
  LPOT_TRY(lpot_setting_int(node, "map_points", 0, 101, &points, err));
  if (points != 0 && points != 11 && points != 101) {
    return lpot_yaml_fail(err, lpot_setting_get(node, "map_points"), "expected 0, 11 or 101");
  }
  metric->points = (int)points;
  setting = lpot_setting_get(node, "output_index_mapping");
  if (setting != NULL) {
    LPOT_TRY(parse_mapping(metric, setting, err));
  }
  setting = lpot_setting_get(node, "anno_path");
  return setting == NULL ? LPOT_OK : parse_classes(metric, setting, err);
}

static lpot_status parse_mean(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const names[] = {MAP_KEYS, NULL};
  return parse_map((map_metric *)metric, node, names, "0.5:1:0.5", 0, err);
}

static lpot_status parse_coco(lpot_metric *metric, const lpot_yaml_node *node, lpot_error *err) {
  static const char *const names[] = {MAP_KEYS, "map_key", NULL};
  return parse_map((map_metric *)metric, node, names, "0.5:0.05:0.95", 101, err);
}

static void done_map(lpot_metric *metric) {
  lpot_free(((map_metric *)metric)->classes);
}

/* ---- outputs ---- */

typedef struct detection_outputs {
  const lpot_tensor *kinds[NUM_OUTPUT_KINDS]; /* counts may be NULL */
  int64_t per_image;                          /* n of boxes [images, n, 4] */
} detection_outputs;

static bool is_whole(lpot_dtype dtype) {
  return !lpot_dtype_is_float(dtype) && dtype != LPOT_BOOL;
}

/* What an output without a name is, by its shape and type; NUM_OUTPUT_KINDS: cannot be told. */
static int kind_of(const lpot_tensor *output, const detection_outputs *found) {
  if (output->shape.rank == 3 && output->shape.dims[2] == 4) {
    return OUTPUT_BOXES;
  }
  if (output->shape.rank == 1) {
    return OUTPUT_COUNTS;
  }
  if (output->shape.rank == 2 && is_whole(output->dtype)) {
    return OUTPUT_CLASSES;
  }
  if (output->shape.rank == 2) {
    return found->kinds[OUTPUT_SCORES] == NULL ? OUTPUT_SCORES : OUTPUT_CLASSES;
  }
  return NUM_OUTPUT_KINDS;
}

static lpot_status find_outputs(const map_metric *metric, const lpot_tensor *const *outputs,
                                size_t num_outputs, detection_outputs *found, lpot_error *err) {
  const char *name = metric->base.class_of->name;
  *found = (detection_outputs){0};
  for (size_t i = 0; i < num_outputs && !metric->has_mapping; i++) {
    int kind = kind_of(outputs[i], found);
    if (kind == NUM_OUTPUT_KINDS || found->kinds[kind] != NULL) {
      char shape[96];
      lpot_shape_text(&outputs[i]->shape, shape, sizeof shape);
      return LPOT_FAIL(err, LPOT_INVALID,
                       "metric %s: output %zu, %s %s, cannot be told from the others: "
                       "output_index_mapping says which output is what, and the postprocess "
                       "NonMaximumSuppression makes detections of boxes and scores",
                       name, i, lpot_dtype_text(outputs[i]->dtype), shape);
    }
    found->kinds[kind] = outputs[i];
  }
  for (size_t i = 0; i < NUM_OUTPUT_KINDS && metric->has_mapping; i++) {
    if (metric->mapping[i] >= (int64_t)num_outputs) {
      return LPOT_FAIL(err, LPOT_INVALID,
                       "metric %s: output_index_mapping: %s is output %lld, but there are %zu",
                       name, output_names[i], (long long)metric->mapping[i], num_outputs);
    }
    found->kinds[i] = metric->mapping[i] < 0 ? NULL : outputs[metric->mapping[i]];
  }
  for (size_t i = OUTPUT_BOXES; i < NUM_OUTPUT_KINDS; i++) {
    if (found->kinds[i] == NULL) {
      return LPOT_FAIL(err, LPOT_INVALID, "metric %s: no output of the model gives %s", name,
                       output_names[i]);
    }
  }
  return LPOT_OK;
}

static lpot_status check_outputs(const map_metric *metric, detection_outputs *found,
                                 const lpot_batch *batch, lpot_error *err) {
  LPOT_ASSERT(found->kinds[OUTPUT_BOXES] != NULL);
  const lpot_shape *boxes = &found->kinds[OUTPUT_BOXES]->shape;
  bool fits = boxes->rank == 3 && boxes->dims[2] == 4 && boxes->dims[0] >= batch->num_valid;
  found->per_image = fits ? boxes->dims[1] : 0;
  for (int i = 0; i < NUM_OUTPUT_KINDS && fits; i++) {
    const lpot_tensor *output = found->kinds[i];
    if (output != NULL && i != OUTPUT_BOXES) {
      int64_t each = i == OUTPUT_COUNTS ? 1 : found->per_image;
      fits = output->shape.rank >= 1 && lpot_tensor_elements(output) == boxes->dims[0] * each;
    }
  }
  if (!fits) {
    char text[NUM_OUTPUT_KINDS][96] = {""};
    for (int i = OUTPUT_BOXES; i < NUM_OUTPUT_KINDS; i++) {
      lpot_shape_text(&found->kinds[i]->shape, text[i], sizeof text[i]);
    }
    return LPOT_FAIL(
        err, LPOT_INVALID,
        "metric %s: boxes %s, scores %s, classes %s; expected [images, n, 4] and twice "
        "[images, n] for %lld images",
        metric->base.class_of->name, text[OUTPUT_BOXES], text[OUTPUT_SCORES], text[OUTPUT_CLASSES],
        (long long)batch->num_valid);
  }
  return LPOT_OK;
}

static bool class_counts(const map_metric *metric, int64_t class_index) {
  return metric->num_classes == 0 || bsearch(&class_index, metric->classes, metric->num_classes,
                                             sizeof *metric->classes, compare_classes) != NULL;
}

static bool box_is_finite(const lpot_box *box) {
  return isfinite(box->top) && isfinite(box->left) && isfinite(box->bottom) && isfinite(box->right);
}

/* Reads one image's detections; those of no class (padding below 0) are left out. Returns false
 * where a number is NaN or infinite: such a detection is left out too. */
static bool read_detections(const map_metric *metric, const detection_outputs *found, int64_t row,
                            lpot_detection *detections, size_t *ret_count) {
  const lpot_tensor *counts = found->kinds[OUTPUT_COUNTS];
  double valid = counts == NULL ? (double)found->per_image : lpot_metric_score(counts, row);
  bool is_good = isfinite(valid);
  size_t count = 0;
  for (int64_t i = 0; i < found->per_image && (double)i < valid; i++) {
    int64_t at = row * found->per_image + i;
    double score = lpot_metric_score(found->kinds[OUTPUT_SCORES], at);
    double class_index = lpot_metric_score(found->kinds[OUTPUT_CLASSES], at);
    lpot_box box = lpot_box_form_get(&metric->form, found->kinds[OUTPUT_BOXES], at);
    if (!isfinite(score) || isnan(class_index) || !box_is_finite(&box)) {
      is_good = false;
    } else if (class_index >= 0 && class_index <= LPOT_MAX_DETECTION_CLASS &&
               class_counts(metric, (int64_t)class_index)) {
      detections[count++] =
          (lpot_detection){.box = box, .score = (float)score, .class_index = (int64_t)class_index};
    }
  }
  *ret_count = count;
  return is_good;
}

static void keep_counting_truths(const map_metric *metric, lpot_truth *truths, size_t *count) {
  size_t kept = 0;
  for (size_t i = 0; i < *count; i++) {
    if (class_counts(metric, truths[i].class_index)) {
      truths[kept++] = truths[i];
    }
  }
  *count = kept;
}

static lpot_status update_image(const map_metric *metric, const detection_outputs *found,
                                const lpot_batch *batch, int64_t row, lpot_detection *scratch,
                                lpot_metric_state *state, lpot_error *err) {
  lpot_truth *truths = NULL;
  size_t num_truths = 0;
  size_t num_detections = 0;
  if (batch->indices[row] > UINT32_MAX) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "sample %llu: too many samples",
                     (unsigned long long)batch->indices[row]);
  }
  lpot_status status = lpot_detection_read_label(batch->row_labels[row], &truths, &num_truths, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "sample %llu", (unsigned long long)batch->indices[row]);
    return status;
  }
  keep_counting_truths(metric, truths, &num_truths);
  bool is_good = read_detections(metric, found, row, scratch, &num_detections);
  status = lpot_average_precision_match((uint32_t)batch->indices[row], scratch, num_detections,
                                        truths, num_truths, metric->overlaps, metric->num_overlaps,
                                        &state->records, err);
  lpot_free(truths);
  LPOT_TRY(status);
  state->samples++;
  state->bad += is_good ? 0 : 1;
  return LPOT_OK;
}

static lpot_status update_map(const lpot_metric *metric, const lpot_tensor *const *outputs,
                              size_t num_outputs, const lpot_batch *batch, lpot_metric_state *state,
                              uint8_t *correct, lpot_error *err) {
  (void)correct;
  const map_metric *map = (const map_metric *)metric;
  detection_outputs found;
  if (batch->row_labels == NULL) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "metric %s: the dataset's labels are not boxes; COCORaw, COCONpy and VOCRaw "
                     "give such",
                     metric->class_of->name);
  }
  LPOT_TRY(find_outputs(map, outputs, num_outputs, &found, err));
  LPOT_TRY(check_outputs(map, &found, batch, err));
  lpot_detection *scratch = lpot_calloc((size_t)found.per_image, sizeof *scratch);
  if (scratch == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = LPOT_OK;
  for (int64_t row = 0; row < batch->num_valid && status == LPOT_OK; row++) {
    status = update_image(map, &found, batch, row, scratch, state, err);
  }
  lpot_free(scratch);
  return status;
}

static lpot_status value_of_map(const lpot_metric *metric, const lpot_metric_state *state,
                                double *ret_value, lpot_error *err) {
  const map_metric *map = (const map_metric *)metric;
  lpot_status status =
      lpot_average_precision_value(&state->records, map->num_overlaps, map->points, ret_value, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "metric %s", metric->class_of->name);
  }
  return status;
}

const lpot_metric_class lpot_metric_class_map = {
    .name = "mAP",
    .size_bytes = sizeof(map_metric),
    .higher_is_better = true,
    .range = 1,
    .reads_row_labels = true,
    .parse = parse_mean,
    .done = done_map,
    .update = update_map,
    .value_of_records = value_of_map,
};
const lpot_metric_class lpot_metric_class_coco_map = {
    .name = "COCOmAP",
    .size_bytes = sizeof(map_metric),
    .higher_is_better = true,
    .range = 1,
    .reads_row_labels = true,
    .parse = parse_coco,
    .done = done_map,
    .update = update_map,
    .value_of_records = value_of_map,
};
const lpot_metric_class lpot_metric_class_voc_map = {
    .name = "VOCmAP",
    .size_bytes = sizeof(map_metric),
    .higher_is_better = true,
    .range = 1,
    .reads_row_labels = true,
    .parse = parse_mean,
    .done = done_map,
    .update = update_map,
    .value_of_records = value_of_map,
};
