/* Internal to Resize's two files. */
#ifndef LPOT_ENGINE_REFERENCE_KERNEL_RESIZE_H
#define LPOT_ENGINE_REFERENCE_KERNEL_RESIZE_H

#include "engine/reference/kernel.h"

typedef struct lpot_resize_axis {
  int64_t in, out;
  float scale;
  float begin, end; /* of the crop, 0 and 1 without one */
  bool same;        /* nothing to do along this axis */
} lpot_resize_axis;

/* Where output coordinate x lies in the input. */
typedef float (*lpot_resize_coordinate)(float x, const lpot_resize_axis *axis);

typedef struct lpot_resize {
  lpot_resize_axis axes[LPOT_MAX_RANK];
  lpot_resize_coordinate coordinate;
  bool crops; /* what lies outside the input takes the extrapolation value */
  double extrapolation;
} lpot_resize;

bool lpot_resize_is_outside(const lpot_resize *resize, float x, const lpot_resize_axis *axis);

/* Linear and cubic interpolation (kernel_resize_smooth.c). */
LPOT_MUST_CHECK lpot_status lpot_resize_smoothly(const lpot_node *node, bool cubic,
                                                 const lpot_resize *resize,
                                                 const lpot_tensor *input, lpot_tensor *output,
                                                 lpot_error *err);

#endif
