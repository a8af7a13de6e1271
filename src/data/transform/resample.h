/* Resizing of images, with the arithmetic of one of two libraries.
 *
 * Pillow: a separable filter whose support grows with the shrinking factor (so that shrinking does
 * not alias), along rows first, with rounding to u8 after each direction where the image is u8.
 * Versions before 13 always do so; version 13 goes along columns first where the rows lost are more
 * than twice the columns lost, which moves bilinear results by a grey level or two.
 *
 * OpenCV: bilinear and bicubic look at the 2 or 4 pixels per direction that are nearest, also where
 * the image shrinks; pixels beyond the border are those of the border; rounding comes once, at the
 * end. This is TensorFlow's arithmetic too. Area averages what lies under a pixel; where a side
 * grows it is a bilinear filter. */
#ifndef LPOT_DATA_TRANSFORM_RESAMPLE_H
#define LPOT_DATA_TRANSFORM_RESAMPLE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/yaml_tree.h"
#include "tensor/tensor.h"

typedef enum lpot_interpolation {
  LPOT_INTERPOLATION_BILINEAR, /* Pillow's: triangle */
  LPOT_INTERPOLATION_NEAREST,  /* Pillow's: the pixel under the centre */
  LPOT_INTERPOLATION_BICUBIC,  /* Pillow's: Keys' kernel with a = -0.5 */
  LPOT_INTERPOLATION_OPENCV_BILINEAR,
  LPOT_INTERPOLATION_OPENCV_NEAREST, /* the pixel under the upper left corner */
  LPOT_INTERPOLATION_OPENCV_BICUBIC, /* Keys' kernel with a = -0.75 */
  LPOT_INTERPOLATION_OPENCV_AREA,
  LPOT_NUM_INTERPOLATIONS
} lpot_interpolation;

/* Reads the settings "interpolation" (bilinear, nearest, bicubic, area) and "library" (pillow,
 * opencv); *ret holds what is taken where one is missing, but a file for TensorFlow or MXNet means
 * OpenCV's arithmetic. area needs library: opencv. */
LPOT_MUST_CHECK lpot_status lpot_interpolation_read(const lpot_yaml_node *settings,
                                                    lpot_interpolation *ret, lpot_error *err);

/* image is [h, w, channels] u8 or f32; the result is [height, width, channels] of the same type. */
LPOT_MUST_CHECK lpot_status lpot_resample(lpot_tensor *image, int64_t height, int64_t width,
                                          lpot_interpolation interpolation,
                                          lpot_tensor **ret_output, lpot_error *err);
/* The rectangle of image at row top and column left, resized to sizes: height, width. */
LPOT_MUST_CHECK lpot_status lpot_resample_box(const lpot_tensor *image, int64_t top, int64_t left,
                                              int64_t height, int64_t width, const int64_t sizes[2],
                                              lpot_interpolation interpolation,
                                              lpot_tensor **ret_output, lpot_error *err);
/* The whole image to the given short side, the long one rounded to the nearest, or cut to a whole
 * number as torchvision does it. */
LPOT_MUST_CHECK lpot_status lpot_resample_short_side(lpot_tensor *image, int64_t side, bool cuts,
                                                     lpot_interpolation interpolation,
                                                     lpot_tensor **ret_output, lpot_error *err);

#endif
