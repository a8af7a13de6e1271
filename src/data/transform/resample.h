/* Resizing of images as Pillow does it: a separable filter whose support grows with the shrinking
 * factor (so that shrinking does not alias), along rows first, with rounding to u8 after each
 * direction where the image is u8. Where the two sides change by very different factors, recent
 * versions of Pillow go along columns first: results then differ by up to two grey levels. */
#ifndef LPOT_DATA_TRANSFORM_RESAMPLE_H
#define LPOT_DATA_TRANSFORM_RESAMPLE_H

#include "base/error.h"
#include "tensor/tensor.h"

typedef enum lpot_interpolation {
  LPOT_INTERPOLATION_BILINEAR, /* triangle */
  LPOT_INTERPOLATION_NEAREST,  /* the pixel under the centre */
  LPOT_INTERPOLATION_BICUBIC   /* Keys' kernel with a = -0.5 */
} lpot_interpolation;

/* "bilinear", "nearest", "bicubic" in the order of the enum, NULL terminated. */
const char *const *lpot_interpolation_names(void);

/* image is [h, w, channels] u8 or f32; the result is [height, width, channels] of the same type. */
LPOT_MUST_CHECK lpot_status lpot_resample(lpot_tensor *image, int64_t height, int64_t width,
                                          lpot_interpolation interpolation,
                                          lpot_tensor **ret_output, lpot_error *err);
/* The same to the given short side, the long one rounded to the nearest. */
LPOT_MUST_CHECK lpot_status lpot_resample_short_side(lpot_tensor *image, int64_t side,
                                                     lpot_interpolation interpolation,
                                                     lpot_tensor **ret_output, lpot_error *err);

#endif
