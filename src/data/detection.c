#include "data/detection.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/setting.h"

lpot_status lpot_detection_label(const lpot_truth *truths, size_t count, lpot_tensor **ret_label,
                                 lpot_error *err) {
  lpot_shape shape =
      lpot_shape_of(2, (const int64_t[]){(int64_t)count, LPOT_DETECTION_LABEL_WIDTH});
  lpot_tensor *label = NULL;
  LPOT_TRY(lpot_tensor_new(LPOT_F64, &shape, &label, err));
  double *row = label->data;
  for (size_t i = 0; i < count; i++) {
    const lpot_box *box = &truths[i].box;
    *row++ = (double)truths[i].class_index;
    *row++ = box->top;
    *row++ = box->left;
    *row++ = box->bottom;
    *row++ = box->right;
    *row++ = (double)truths[i].kind;
  }
  *ret_label = label;
  return LPOT_OK;
}

static bool read_truth(const double *row, lpot_truth *truth) {
  for (int i = 0; i < LPOT_DETECTION_LABEL_WIDTH; i++) {
    if (!isfinite(row[i])) {
      return false;
    }
  }
  double kind = row[5];
  if (row[0] < 0 || row[0] > LPOT_MAX_DETECTION_CLASS || floor(row[0]) != row[0] ||
      (kind != LPOT_TRUTH_COUNTS && kind != LPOT_TRUTH_CROWD && kind != LPOT_TRUTH_DIFFICULT)) {
    return false;
  }
  *truth = (lpot_truth){.box = {row[1], row[2], row[3], row[4]},
                        .class_index = (int64_t)row[0],
                        .kind = (lpot_truth_kind)kind};
  return true;
}

lpot_status lpot_detection_read_label(const lpot_tensor *label, lpot_truth **ret_truths,
                                      size_t *ret_count, lpot_error *err) {
  if (label == NULL || label->dtype != LPOT_F64 || label->shape.rank != 2 ||
      label->shape.dims[1] != LPOT_DETECTION_LABEL_WIDTH) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "the label is not a list of boxes, as detection datasets give it");
  }
  size_t count = (size_t)label->shape.dims[0];
  lpot_truth *truths = lpot_calloc(count, sizeof *truths);
  if (truths == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const double *rows = label->data;
  for (size_t i = 0; i < count; i++) {
    if (!read_truth(rows + i * LPOT_DETECTION_LABEL_WIDTH, &truths[i])) {
      lpot_free(truths);
      return LPOT_FAIL(err, LPOT_FORMAT, "box %zu of the label has no class, place or kind", i);
    }
  }
  *ret_truths = truths;
  *ret_count = count;
  return LPOT_OK;
}

/* The arithmetic is pycocotools' (left, top, width, height), so that borderline cases agree. */
double lpot_box_overlap(const lpot_box *box, const lpot_box *other, bool other_is_crowd) {
  double width = fmin(box->right, other->right) - fmax(box->left, other->left);
  double height = fmin(box->bottom, other->bottom) - fmax(box->top, other->top);
  if (!(width > 0 && height > 0)) {
    return 0;
  }
  double own = (box->right - box->left) * (box->bottom - box->top);
  double others = (other->right - other->left) * (other->bottom - other->top);
  double both = width * height;
  return both / (other_is_crowd ? own : own + others - both);
}

lpot_status lpot_box_form_read(const lpot_yaml_node *settings, lpot_box_form *ret_form,
                               lpot_error *err) {
  static const char *const orders[] = {"yxyx", "xyxy", NULL};
  int order = 0;
  double size[2] = {1, 1};
  size_t count = 2;
  const lpot_yaml_node *node = lpot_setting_get(settings, "box_order");
  if (node != NULL) {
    LPOT_TRY(lpot_yaml_choice(node, orders, &order, err));
  }
  node = lpot_setting_get(settings, "box_size");
  if (node != NULL) {
    LPOT_TRY(lpot_yaml_doubles(node, 2, size, &count, err));
    if (count != 2 || !(size[0] > 0 && size[1] > 0)) {
      return lpot_yaml_fail(err, node, "expected the height and width in pixels");
    }
  }
  *ret_form = (lpot_box_form){.x_first = order == 1, .height = size[0], .width = size[1]};
  return LPOT_OK;
}

static double number_at(const lpot_tensor *tensor, int64_t index) {
  bool is_f32 = tensor->dtype == LPOT_F32;
  return is_f32 ? (double)((const float *)tensor->data)[index]
                : lpot_tensor_get_double(tensor, index);
}

lpot_box lpot_box_form_get(const lpot_box_form *form, const lpot_tensor *boxes, int64_t index) {
  double at[4];
  for (int i = 0; i < 4; i++) {
    bool is_x = (i % 2 == 0) == form->x_first;
    at[i] = number_at(boxes, index * 4 + i) / (is_x ? form->width : form->height);
  }
  return form->x_first ? (lpot_box){at[1], at[0], at[3], at[2]}
                       : (lpot_box){at[0], at[1], at[2], at[3]};
}

static int compare_sizes(size_t left, size_t right) {
  return (left > right) - (left < right);
}

static int compare_classes(int64_t left, int64_t right) {
  return (left > right) - (left < right);
}

static int compare_truths(const void *a, const void *b) {
  const lpot_truth *left = a;
  const lpot_truth *right = b;
  int by_class = compare_classes(left->class_index, right->class_index);
  if (by_class != 0) {
    return by_class;
  }
  bool left_counts = left->kind == LPOT_TRUTH_COUNTS;
  if (left_counts != (right->kind == LPOT_TRUTH_COUNTS)) {
    return left_counts ? -1 : 1;
  }
  return compare_sizes(left->place, right->place);
}

void lpot_truth_sort(lpot_truth *truths, size_t count) {
  for (size_t i = 0; i < count; i++) {
    truths[i].place = i;
  }
  qsort(truths, count, sizeof *truths, compare_truths);
}

static int compare_scores(const void *a, const void *b) {
  const lpot_detection *left = a;
  const lpot_detection *right = b;
  if (left->score != right->score) {
    return left->score > right->score ? -1 : 1;
  }
  return compare_sizes(left->place, right->place);
}

static int compare_detections(const void *a, const void *b) {
  const lpot_detection *left = a;
  const lpot_detection *right = b;
  int by_class = compare_classes(left->class_index, right->class_index);
  return by_class != 0 ? by_class : compare_scores(a, b);
}

void lpot_detection_sort(lpot_detection *detections, size_t count, bool by_class) {
  for (size_t i = 0; i < count; i++) {
    detections[i].place = i;
  }
  qsort(detections, count, sizeof *detections, by_class ? compare_detections : compare_scores);
}

static bool is_covered(const lpot_detection *kept, size_t num_kept, const lpot_detection *candidate,
                       double overlap) {
  for (size_t i = 0; i < num_kept; i++) {
    if (kept[i].class_index == candidate->class_index &&
        lpot_box_overlap(&kept[i].box, &candidate->box, false) > overlap) {
      return true;
    }
  }
  return false;
}

size_t lpot_detection_suppress(lpot_detection *detections, size_t count, double overlap,
                               size_t limit) {
  lpot_detection_sort(detections, count, false);
  size_t kept = 0;
  for (size_t i = 0; i < count && kept < limit; i++) {
    if (!is_covered(detections, kept, &detections[i], overlap)) {
      detections[kept] = detections[i];
      kept++;
    }
  }
  return kept;
}
