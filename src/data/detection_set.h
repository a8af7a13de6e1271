/* What datasets of detection share: the objects of all samples, read when the dataset is opened,
 * and the labels made of them. */
#ifndef LPOT_DATA_DETECTION_SET_H
#define LPOT_DATA_DETECTION_SET_H

#include "data/dataset_class.h"
#include "data/detection.h"

/* The beginning of such a dataset's struct. */
typedef struct lpot_detection_set {
  lpot_dataset base;
  bool bgr;           /* channel_order */
  lpot_buffer truths; /* owned: lpot_truth, of all samples in their order */
  lpot_buffer ends;   /* owned: size_t per sample, where its truths end */
} lpot_detection_set;

void lpot_detection_set_done(lpot_dataset *dataset); /* serves as a class's close */
/* Appends an object of the sample at hand, in pixels of an image of width x height. LPOT_FORMAT
 * where its class is not in [0, LPOT_MAX_DETECTION_CLASS] or a number is not finite. */
LPOT_MUST_CHECK lpot_status lpot_detection_set_add(lpot_detection_set *set, lpot_truth truth,
                                                   double width, double height, lpot_error *err);
/* The sample at hand has no more objects; it becomes number base.size. */
LPOT_MUST_CHECK lpot_status lpot_detection_set_end_sample(lpot_detection_set *set, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_detection_set_label(const lpot_detection_set *set, int64_t index,
                                                     lpot_tensor **ret_label, lpot_error *err);
int64_t lpot_detection_set_num_boxes(const lpot_dataset *dataset, int64_t index);
/* Serves as a class's get: the image file of the sample and its label. */
LPOT_MUST_CHECK lpot_status lpot_detection_set_get_image(lpot_dataset *dataset, int64_t index,
                                                         lpot_sample *sample, lpot_error *err);

#endif
