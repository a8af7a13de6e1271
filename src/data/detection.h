/* Detection: boxes, what labels and outputs of models hold of them, and suppression.
 *
 * A label of a detection dataset is an f64 tensor [boxes, 6], one row for each object:
 *   class, top, left, bottom, right, kind
 * Places are fractions of the image's height and width, so that resizing leaves them right; kind
 * is an lpot_truth_kind. An image without objects has [0, 6].
 *
 * A model says the same by tensors with one row for each image: boxes [images, n, 4], scores and
 * classes [images, n], and perhaps how many of the n count, [images]. */
#ifndef LPOT_DATA_DETECTION_H
#define LPOT_DATA_DETECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/yaml_tree.h"
#include "tensor/tensor.h"

#define LPOT_DETECTION_LABEL_WIDTH 6
#define LPOT_MAX_DETECTION_CLASS 1000000 /* classes are whole numbers from 0 to this */

typedef enum lpot_truth_kind {
  LPOT_TRUTH_COUNTS,
  /* COCO's iscrowd: need not be found; any number of detections inside may match. */
  LPOT_TRUTH_CROWD,
  LPOT_TRUTH_DIFFICULT /* VOC's difficult: need not be found; detections of it do not count */
} lpot_truth_kind;

typedef struct lpot_box {
  double top, left, bottom, right;
} lpot_box;

typedef struct lpot_truth {
  lpot_box box;
  int64_t class_index;
  lpot_truth_kind kind;
  size_t place; /* set by the sort: which one it was before */
} lpot_truth;

typedef struct lpot_detection {
  lpot_box box;
  float score;
  int64_t class_index;
  size_t place; /* set by the sort: which one it was before */
} lpot_detection;

/* The label of an image with count objects. */
LPOT_MUST_CHECK lpot_status lpot_detection_label(const lpot_truth *truths, size_t count,
                                                 lpot_tensor **ret_label, lpot_error *err);
/* The objects of a label; owned by the caller. LPOT_FORMAT where it is not of the form above. */
LPOT_MUST_CHECK lpot_status lpot_detection_read_label(const lpot_tensor *label,
                                                      lpot_truth **ret_truths, size_t *ret_count,
                                                      lpot_error *err);

/* Area of both over area of either, or over the area of box alone where the other is a crowd; 0
 * where they do not meet. */
double lpot_box_overlap(const lpot_box *box, const lpot_box *other, bool other_is_crowd);

/* How boxes are written: the settings box_order (yxyx, the default, or xyxy) and box_size (height,
 * width: boxes are in pixels of such an image; default: fractions). */
typedef struct lpot_box_form {
  bool x_first;
  double height, width; /* 1 for fractions */
} lpot_box_form;
LPOT_MUST_CHECK lpot_status lpot_box_form_read(const lpot_yaml_node *settings,
                                               lpot_box_form *ret_form, lpot_error *err);
/* Box index of boxes [..., 4]. */
lpot_box lpot_box_form_get(const lpot_box_form *form, const lpot_tensor *boxes, int64_t index);

/* By class; within a class those that count first, else in the given order. */
void lpot_truth_sort(lpot_truth *truths, size_t count);
/* By class (if by_class) and falling score, equal ones in the given order. */
void lpot_detection_sort(lpot_detection *detections, size_t count, bool by_class);
/* Sorts by falling score and keeps those that overlap no kept one of their class by more than
 * overlap, at most limit. Returns how many were kept, at the front. */
size_t lpot_detection_suppress(lpot_detection *detections, size_t count, double overlap,
                               size_t limit);

#endif
