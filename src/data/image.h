/* Decoding of image files to [height, width, 3] u8, and encoding of JPEG.
 *
 * The bytes may be anything: a damaged or hostile file gives LPOT_FORMAT, never a crash, an exit
 * or a huge allocation. Grey images get three equal channels, transparency is dropped, 16 bits are
 * cut to 8, CMYK becomes RGB. */
#ifndef LPOT_DATA_IMAGE_H
#define LPOT_DATA_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "tensor/tensor.h"

#define LPOT_IMAGE_MAX_PIXELS ((int64_t)1 << 26)

/* JPEG or PNG by their first bytes. bgr: the channels in the order blue, green, red. */
LPOT_MUST_CHECK lpot_status lpot_image_decode(const uint8_t *data, size_t size, bool bgr,
                                              lpot_tensor **ret_image, lpot_error *err);
/* The same for a file; errors name it. */
LPOT_MUST_CHECK lpot_status lpot_image_load(const char *path, bool bgr, lpot_tensor **ret_image,
                                            lpot_error *err);

/* The decoders behind lpot_image_decode; channels are red, green, blue. */
LPOT_MUST_CHECK lpot_status lpot_image_decode_jpeg(const uint8_t *data, size_t size,
                                                   lpot_tensor **ret_image, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_image_decode_png(const uint8_t *data, size_t size,
                                                  lpot_tensor **ret_image, lpot_error *err);
/* Appends the JPEG file of an image, [height, width, 1 or 3] u8, to out; quality is 1 to 100. */
LPOT_MUST_CHECK lpot_status lpot_image_encode_jpeg(const lpot_tensor *image, int quality,
                                                   lpot_buffer *out, lpot_error *err);
/* A zero-filled image, for decoders: LPOT_FORMAT when a side is 0 or there are too many pixels. */
LPOT_MUST_CHECK lpot_status lpot_image_new(int64_t height, int64_t width, lpot_tensor **ret_image,
                                           lpot_error *err);
/* Exchanges the first and third of count pixels' three channels. */
void lpot_image_swap_channels(uint8_t *pixels, int64_t count);

#endif
