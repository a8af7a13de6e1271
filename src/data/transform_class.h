/* What a transform class brings to transform_table.c.
 *
 * To add a transform: one file transform/transform_NAME.c that defines its class, one declaration
 * here, one row in each list of transform_table.c, one test. */
#ifndef LPOT_DATA_TRANSFORM_CLASS_H
#define LPOT_DATA_TRANSFORM_CLASS_H

#include "base/rng.h"
#include "data/transform.h"

typedef struct lpot_transform_class {
  const char *name;  /* as in the YAML */
  size_t size_bytes; /* of the class's parameters */
  /* Fills the zero-filled parameters from settings (NULL, null or a map). */
  lpot_status (*parse)(void *parameters, const lpot_yaml_node *settings, lpot_error *err);
  void (*done)(void *parameters); /* frees what parse made, also where that failed; (optional) */
  /* Makes a new tensor of input, or a new reference to it. Errors are prefixed by the caller with
   * the transform's name and the input's shape. */
  lpot_status (*apply)(const void *parameters, lpot_tensor *input, lpot_tensor **ret_output,
                       lpot_error *err);
  /* The same for a random transform, which has this one instead. */
  lpot_status (*apply_random)(const void *parameters, lpot_rng *rng, lpot_tensor *input,
                              lpot_tensor **ret_output, lpot_error *err);
  /* What becomes of the boxes of input's image in output's: fractions top and left become shift[0]
   * + stretch[0] * top, shift[1] + stretch[1] * left. (optional: they stay) */
  void (*place)(const void *parameters, const lpot_tensor *input, const lpot_tensor *output,
                double shift[2], double stretch[2]);
} lpot_transform_class;

extern const lpot_transform_class lpot_transform_class_align_image_channel;
extern const lpot_transform_class lpot_transform_class_bilinear_imagenet;
extern const lpot_transform_class lpot_transform_class_cast;
extern const lpot_transform_class lpot_transform_class_center_crop;
extern const lpot_transform_class lpot_transform_class_color_jitter;
extern const lpot_transform_class lpot_transform_class_crop_resize;
extern const lpot_transform_class lpot_transform_class_crop_to_bounding_box;
extern const lpot_transform_class lpot_transform_class_decode_image;
extern const lpot_transform_class lpot_transform_class_encode_jpeg;
extern const lpot_transform_class lpot_transform_class_normalize;
extern const lpot_transform_class lpot_transform_class_pad;
extern const lpot_transform_class lpot_transform_class_padded_center_crop;
extern const lpot_transform_class lpot_transform_class_parse_decode_coco;
extern const lpot_transform_class lpot_transform_class_parse_decode_imagenet;
extern const lpot_transform_class lpot_transform_class_parse_decode_voc;
extern const lpot_transform_class lpot_transform_class_plugin;
extern const lpot_transform_class lpot_transform_class_quantized_input;
extern const lpot_transform_class lpot_transform_class_random_crop;
extern const lpot_transform_class lpot_transform_class_random_horizontal_flip;
extern const lpot_transform_class lpot_transform_class_random_resized_crop;
extern const lpot_transform_class lpot_transform_class_random_vertical_flip;
extern const lpot_transform_class lpot_transform_class_rescale;
extern const lpot_transform_class lpot_transform_class_resize;
extern const lpot_transform_class lpot_transform_class_resize_crop_imagenet;
extern const lpot_transform_class lpot_transform_class_resize_with_aspect_ratio;
extern const lpot_transform_class lpot_transform_class_resize_with_ratio;
extern const lpot_transform_class lpot_transform_class_to_array;
extern const lpot_transform_class lpot_transform_class_to_nd_array;
extern const lpot_transform_class lpot_transform_class_to_pil_image;
extern const lpot_transform_class lpot_transform_class_to_tensor;
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
/* The random rectangle of that size. */
LPOT_MUST_CHECK lpot_status lpot_transform_crop_random(const lpot_tensor *image, int64_t height,
                                                       int64_t width, lpot_rng *rng,
                                                       lpot_tensor **ret_output, lpot_error *err);
/* A copy, mirrored left to right (mirrors_columns) or upside down. */
LPOT_MUST_CHECK lpot_status lpot_transform_flip(const lpot_tensor *image, bool mirrors_columns,
                                                lpot_tensor **ret_output, lpot_error *err);
typedef enum lpot_padding_mode {
  LPOT_PADDING_CONSTANT,
  LPOT_PADDING_EDGE,     /* the nearest pixel of the image */
  LPOT_PADDING_REFLECT,  /* mirrored at the middle of the border's pixels */
  LPOT_PADDING_SYMMETRIC /* mirrored at their outer edges */
} lpot_padding_mode;
typedef struct lpot_padding {
  int64_t left, top, right, bottom; /* >= 0 */
  lpot_padding_mode mode;
  double value[3]; /* of CONSTANT, by channel (the last for all others); u8 images take it rounded
                      and kept within 0 to 255 */
} lpot_padding;
/* A copy with padding around it. LPOT_INVALID where an image is too small to be mirrored so. */
LPOT_MUST_CHECK lpot_status lpot_transform_pad(const lpot_tensor *image,
                                               const lpot_padding *padding,
                                               lpot_tensor **ret_output, lpot_error *err);
/* A copy as f32 of any tensor. */
LPOT_MUST_CHECK lpot_status lpot_transform_to_f32(const lpot_tensor *tensor,
                                                  lpot_tensor **ret_output, lpot_error *err);
/* The setting "size": one integer (returned with *ret_count 1) or height, width (2), each >= 1. */
LPOT_MUST_CHECK lpot_status lpot_transform_read_size(const lpot_yaml_node *settings,
                                                     const char *owner, int64_t sizes[2],
                                                     size_t *ret_count, lpot_error *err);
/* The same, where one integer stands for both sides. */
LPOT_MUST_CHECK lpot_status lpot_transform_read_sides(const lpot_yaml_node *settings,
                                                      const char *owner, int64_t sizes[2],
                                                      lpot_error *err);
/* A mandatory integer setting of at least minimum. */
LPOT_MUST_CHECK lpot_status lpot_transform_need_int(const lpot_yaml_node *settings,
                                                    const char *owner, const char *key,
                                                    int64_t minimum, int64_t *ret, lpot_error *err);
/* The setting key: one number for all channels, or three. values are unchanged without it.
 */
LPOT_MUST_CHECK lpot_status lpot_transform_read_channels(const lpot_yaml_node *settings,
                                                         const char *key, double values[3],
                                                         lpot_error *err);

#endif
