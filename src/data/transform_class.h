/* What a transform class brings to transform_table.c.
 *
 * To add a transform: one file transform/transform_NAME.c that defines its class, one declaration
 * here, one row in each list of transform_table.c, one test. */
#ifndef LPOT_DATA_TRANSFORM_CLASS_H
#define LPOT_DATA_TRANSFORM_CLASS_H

#include "data/transform.h"

typedef struct lpot_transform_class {
  const char *name;  /* as in the YAML */
  size_t size_bytes; /* of the class's parameters */
  /* Fills the zero-filled parameters from settings (NULL, null or a map); they own nothing. */
  lpot_status (*parse)(void *parameters, const lpot_yaml_node *settings, lpot_error *err);
  /* Makes a new tensor of input, or a new reference to it. Errors are prefixed by the caller with
   * the transform's name and the input's shape. */
  lpot_status (*apply)(const void *parameters, lpot_tensor *input, lpot_tensor **ret_output,
                       lpot_error *err);
} lpot_transform_class;

extern const lpot_transform_class lpot_transform_class_cast;
extern const lpot_transform_class lpot_transform_class_center_crop;
extern const lpot_transform_class lpot_transform_class_crop_to_bounding_box;
extern const lpot_transform_class lpot_transform_class_normalize;
extern const lpot_transform_class lpot_transform_class_rescale;
extern const lpot_transform_class lpot_transform_class_resize;
extern const lpot_transform_class lpot_transform_class_resize_crop_imagenet;
extern const lpot_transform_class lpot_transform_class_transpose;

/* Helpers that several transforms share (transform_common.c). */

/* LPOT_INVALID unless tensor is [height, width, channels] of u8 or f32 with no empty side. */
LPOT_MUST_CHECK lpot_status lpot_transform_need_image(const lpot_tensor *tensor, lpot_error *err);
/* A copy of the rectangle of an image. */
LPOT_MUST_CHECK lpot_status lpot_transform_crop(const lpot_tensor *image, int64_t top, int64_t left,
                                                int64_t height, int64_t width,
                                                lpot_tensor **ret_output, lpot_error *err);
/* The rectangle in the middle, placed as Pillow and torchvision round it. */
LPOT_MUST_CHECK lpot_status lpot_transform_crop_centre(const lpot_tensor *image, int64_t height,
                                                       int64_t width, lpot_tensor **ret_output,
                                                       lpot_error *err);
/* A copy as f32 of any tensor. */
LPOT_MUST_CHECK lpot_status lpot_transform_to_f32(const lpot_tensor *tensor,
                                                  lpot_tensor **ret_output, lpot_error *err);
/* The setting "size": one integer (returned with *ret_count 1) or height, width (2), each >= 1. */
LPOT_MUST_CHECK lpot_status lpot_transform_read_size(const lpot_yaml_node *settings,
                                                     const char *owner, int64_t sizes[2],
                                                     size_t *ret_count, lpot_error *err);

#endif
