/* Colours of u8 images, with Pillow's arithmetic: the same numbers as its ImageEnhance and modes L
 * and HSV. */
#ifndef LPOT_DATA_TRANSFORM_COLOUR_H
#define LPOT_DATA_TRANSFORM_COLOUR_H

#include "base/error.h"
#include "tensor/tensor.h"

/* [height, width, 3] u8 or f32 to [height, width, 1] of the same type: 0.299 red, 0.587 green and
 * 0.114 blue. */
LPOT_MUST_CHECK lpot_status lpot_colour_grey(const lpot_tensor *image, lpot_tensor **ret_output,
                                             lpot_error *err);

/* Each changes count pixels of red, green and blue in place. A factor of 1 changes nothing, 0 gives
 * a black, a grey, a colourless image. */
void lpot_colour_brightness(uint8_t *pixels, int64_t count, double factor);
void lpot_colour_contrast(uint8_t *pixels, int64_t count, double factor);
void lpot_colour_saturation(uint8_t *pixels, int64_t count, double factor);
/* Turns the hue by turn of the circle, -0.5 to 0.5. */
void lpot_colour_hue(uint8_t *pixels, int64_t count, double turn);

#endif
