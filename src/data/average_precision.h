/* Average precision of detections as COCO's evaluation computes it (pycocotools: bounding boxes,
 * all areas, 100 detections per image and class at most).
 *
 * Images are matched one by one into records, which are plain bytes and may be joined in any
 * order; the value is computed of all of them. Of equal scores the detection of the earlier image
 * (by number) comes first, within an image the earlier detection. */
#ifndef LPOT_DATA_AVERAGE_PRECISION_H
#define LPOT_DATA_AVERAGE_PRECISION_H

#include "base/buffer.h"
#include "data/detection.h"

#define LPOT_MAX_OVERLAP_THRESHOLDS 32
#define LPOT_MAX_DETECTIONS_PER_CLASS 100 /* of an image; those with lower scores do not count */

/* Appends the record of image number `image` to records: detections (reordered) against truths at
 * each of the overlaps. */
LPOT_MUST_CHECK lpot_status lpot_average_precision_match(uint32_t image, lpot_detection *detections,
                                                         size_t num_detections, lpot_truth *truths,
                                                         size_t num_truths, const double *overlaps,
                                                         size_t num_overlaps, lpot_buffer *records,
                                                         lpot_error *err);

/* Mean over overlaps and classes that have an object which counts. points: 101 or 11 evenly spread
 * recalls at which precision is read, or 0 for the area under the curve (VOC 2010). LPOT_FORMAT
 * where records are damaged, or hold no object that counts. */
LPOT_MUST_CHECK lpot_status lpot_average_precision_value(const lpot_buffer *records,
                                                         size_t num_overlaps, int points,
                                                         double *ret_value, lpot_error *err);

#endif
