/* The rule of Resize. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "graph/infer_rules.h"

static lpot_status check_scale(double scale, lpot_error *err) {
  if (!(scale > 0.0) || !isfinite(scale)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a scale is %g, expected more than 0", scale);
  }
  return LPOT_OK;
}

/* The part of an axis that tf_crop_and_resize keeps of the whole, which roi gives as all starts and
 * then all ends; 1 for the other modes. */
static double kept_part(const lpot_tensor *roi, int64_t i) {
  if (roi == NULL) {
    return 1.0;
  }
  int64_t count = lpot_tensor_elements(roi) / 2;
  return lpot_tensor_get_double(roi, count + i) - lpot_tensor_get_double(roi, i);
}

static lpot_status resize_by_scales(const lpot_tensor *scales, const lpot_tensor *roi,
                                    const int *axes, lpot_shape *shape, lpot_error *err) {
  for (int64_t i = 0; i < lpot_tensor_elements(scales); i++) {
    double scale = lpot_tensor_get_double(scales, i);
    LPOT_TRY(check_scale(scale, err));
    int64_t *dim = &shape->dims[axes[i]];
    if (*dim == LPOT_DIM_UNKNOWN) {
      continue;
    }
    double size = floor((double)*dim * kept_part(roi, i) * scale);
    if (!(size >= 0.0) || size > (double)LPOT_MAX_DIM) {
      return LPOT_FAIL(err, LPOT_FORMAT, "a dimension of the result is out of range");
    }
    *dim = (int64_t)size;
  }
  return LPOT_OK;
}

/* One scale for all axes, the smallest or the largest of those that the sizes ask for. */
static lpot_status resize_keeping_aspect(const lpot_tensor *sizes, const int *axes, bool larger,
                                         lpot_shape *shape, lpot_error *err) {
  int64_t count = lpot_tensor_elements(sizes);
  double chosen = larger ? 0.0 : (double)INFINITY;
  for (int64_t i = 0; i < count; i++) {
    int64_t dim = shape->dims[axes[i]];
    if (dim < 1) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                       "keep_aspect_ratio_policy needs known dimensions of the input");
    }
    double scale = (double)lpot_tensor_get_int(sizes, i) / (double)dim;
    chosen = larger ? fmax(chosen, scale) : fmin(chosen, scale);
  }
  for (int64_t i = 0; i < count; i++) {
    LPOT_TRY(check_scale(chosen, err));
    double size = floor((double)shape->dims[axes[i]] * chosen + 0.5);
    if (size > (double)LPOT_MAX_DIM) {
      return LPOT_FAIL(err, LPOT_FORMAT, "a dimension of the result is out of range");
    }
    shape->dims[axes[i]] = (int64_t)size;
  }
  return LPOT_OK;
}

static lpot_status resize_by_sizes(const lpot_node *node, const lpot_tensor *sizes, const int *axes,
                                   lpot_shape *shape, lpot_error *err) {
  int64_t count = lpot_tensor_elements(sizes);
  for (int64_t i = 0; i < count; i++) {
    int64_t size = lpot_tensor_get_int(sizes, i);
    if (size < 1 || size > LPOT_MAX_DIM) {
      return LPOT_FAIL(err, LPOT_FORMAT, "sizes has the value %" PRId64, size);
    }
  }
  const char *policy = lpot_node_string(node, "keep_aspect_ratio_policy", "stretch");
  if (strcmp(policy, "stretch") != 0) {
    bool larger = strcmp(policy, "not_smaller") == 0;
    LPOT_TRY(resize_keeping_aspect(sizes, axes, larger, shape, err));
    return LPOT_OK;
  }
  for (int64_t i = 0; i < count; i++) {
    shape->dims[axes[i]] = lpot_tensor_get_int(sizes, i);
  }
  return LPOT_OK;
}

/* The axes that scales and sizes speak of: the attribute axes, else all. */
static lpot_status read_resize_axes(const lpot_node *node, int rank, int *axes, int64_t *ret_count,
                                    lpot_error *err) {
  lpot_int_list list;
  LPOT_TRY(lpot_int_list_read(NULL, node, LPOT_NONE, "axes", &list, err));
  bool is_axis[LPOT_MAX_RANK];
  LPOT_TRY(lpot_infer_axes(&list, rank, is_axis, err));
  *ret_count = list.state == LPOT_INTS_ABSENT ? rank : (int64_t)list.count;
  for (int i = 0; i < *ret_count; i++) {
    axes[i] = i;
    if (list.state != LPOT_INTS_ABSENT) {
      LPOT_TRY(lpot_infer_axis(lpot_int_list_at(&list, (size_t)i), rank, &axes[i], err));
    }
  }
  return LPOT_OK;
}

/* An empty tensor stands for an input left out. */
static bool is_given(const lpot_value *value) {
  return value != NULL && !(value->shape.rank == 1 && value->shape.dims[0] == 0);
}

/* The roi that the mode reads; *ret_known is false when it is computed at run time. */
static lpot_status read_roi(const lpot_infer *infer, int64_t num_axes, const lpot_tensor **ret_roi,
                            bool *ret_known, lpot_error *err) {
  const char *mode = lpot_node_string(infer->node, "coordinate_transformation_mode", "half_pixel");
  *ret_roi = NULL;
  *ret_known = true;
  if (strcmp(mode, "tf_crop_and_resize") != 0) {
    return LPOT_OK;
  }
  const lpot_value *roi = lpot_infer_input(infer, 1);
  if (roi == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "roi is missing, which tf_crop_and_resize reads");
  }
  *ret_roi = roi->constant;
  *ret_known = roi->constant != NULL;
  if (*ret_known && lpot_tensor_elements(roi->constant) != 2 * num_axes) {
    return LPOT_FAIL(err, LPOT_FORMAT, "roi has %" PRId64 " values, expected %" PRId64,
                     lpot_tensor_elements(roi->constant), 2 * num_axes);
  }
  return LPOT_OK;
}

static lpot_status resize_shape(const lpot_infer *infer, const lpot_value *scales,
                                const lpot_value *sizes, lpot_shape *shape, lpot_error *err) {
  const lpot_tensor *given = scales != NULL ? scales->constant : sizes->constant;
  const lpot_tensor *roi = NULL;
  bool roi_known = true;
  if (given == NULL) {
    LPOT_TRY(lpot_infer_shape_of_rank(shape->rank, shape, err));
    return LPOT_OK;
  }
  int axes[LPOT_MAX_RANK] = {0};
  int64_t count = 0;
  LPOT_TRY(read_resize_axes(infer->node, shape->rank, axes, &count, err));
  if (lpot_tensor_elements(given) != count) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s has %" PRId64 " values, expected %" PRId64,
                     scales != NULL ? "scales" : "sizes", lpot_tensor_elements(given), count);
  }
  LPOT_TRY(read_roi(infer, count, &roi, &roi_known, err));
  if (scales != NULL && !roi_known) {
    LPOT_TRY(lpot_infer_shape_of_rank(shape->rank, shape, err));
  } else if (scales != NULL) {
    LPOT_TRY(resize_by_scales(given, roi, axes, shape, err));
  } else {
    LPOT_TRY(resize_by_sizes(infer->node, given, axes, shape, err));
  }
  return LPOT_OK;
}

lpot_status lpot_infer_resize(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  const lpot_value *scales = lpot_infer_input(infer, 2);
  const lpot_value *sizes = lpot_infer_input(infer, 3);
  scales = is_given(scales) ? scales : NULL;
  sizes = is_given(sizes) ? sizes : NULL;
  if ((scales == NULL) == (sizes == NULL)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "exactly one of scales and sizes must be given");
  }
  lpot_shape shape = input->shape;
  if (shape.rank != LPOT_RANK_UNKNOWN) {
    LPOT_TRY(resize_shape(infer, scales, sizes, &shape, err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}
