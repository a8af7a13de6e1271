#include "data/transform/colour.h"

#include <math.h>

static uint8_t grey_of(const uint8_t *pixel) {
  return (uint8_t)((19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2] + 0x8000u) >> 16);
}

lpot_status lpot_colour_grey(const lpot_tensor *image, lpot_tensor **ret_output, lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){dims[0], dims[1], 1});
  LPOT_TRY(lpot_tensor_new(image->dtype, &shape, ret_output, err));
  int64_t pixels = dims[0] * dims[1];
  if (image->dtype == LPOT_U8) {
    const uint8_t *in = image->data;
    uint8_t *out = (*ret_output)->data;
    for (int64_t i = 0; i < pixels; i++) {
      out[i] = grey_of(in + 3 * i);
    }
    return LPOT_OK;
  }
  const float *in = image->data;
  float *out = (*ret_output)->data;
  for (int64_t i = 0; i < pixels; i++) {
    out[i] = 0.299f * in[3 * i] + 0.587f * in[3 * i + 1] + 0.114f * in[3 * i + 2];
  }
  return LPOT_OK;
}

/* From plain (factor 0) over value (factor 1) on, cut towards zero. */
static uint8_t blend(int plain, int value, float factor) {
  float mixed = (float)plain + factor * (float)(value - plain);
  return (uint8_t)fminf(fmaxf(mixed, 0.0f), 255.0f);
}

void lpot_colour_brightness(uint8_t *pixels, int64_t count, double factor) {
  for (int64_t i = 0; i < 3 * count; i++) {
    pixels[i] = blend(0, pixels[i], (float)factor);
  }
}

void lpot_colour_contrast(uint8_t *pixels, int64_t count, double factor) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) {
    sum += grey_of(pixels + 3 * i);
  }
  int mean = (int)(sum / (double)count + 0.5);
  for (int64_t i = 0; i < 3 * count; i++) {
    pixels[i] = blend(mean, pixels[i], (float)factor);
  }
}

void lpot_colour_saturation(uint8_t *pixels, int64_t count, double factor) {
  for (int64_t i = 0; i < count; i++) {
    uint8_t *pixel = pixels + 3 * i;
    int grey = grey_of(pixel);
    for (int c = 0; c < 3; c++) {
      pixel[c] = blend(grey, pixel[c], (float)factor);
    }
  }
}

static int largest_of(const uint8_t *pixel) {
  int largest = pixel[0] > pixel[1] ? pixel[0] : pixel[1];
  return largest > pixel[2] ? largest : pixel[2];
}

static int smallest_of(const uint8_t *pixel) {
  int smallest = pixel[0] < pixel[1] ? pixel[0] : pixel[1];
  return smallest < pixel[2] ? smallest : pixel[2];
}

/* Hue and saturation as bytes; the pixel is not grey. */
static void to_hue(const uint8_t *pixel, int largest, int smallest, uint8_t *hue,
                   uint8_t *saturation) {
  float range = (float)(largest - smallest);
  float red = (float)(largest - pixel[0]) / range;
  float green = (float)(largest - pixel[1]) / range;
  float blue = (float)(largest - pixel[2]) / range;
  float sector = 0.0f;
  if (pixel[0] == largest) {
    sector = blue - green;
  } else if (pixel[1] == largest) {
    sector = (float)(2.0 + (double)red - (double)blue);
  } else {
    sector = (float)(4.0 + (double)green - (double)red);
  }
  float turn = (float)fmod((double)sector / 6.0 + 1.0, 1.0);
  *hue = (uint8_t)((double)turn * 255.0);
  *saturation = (uint8_t)((double)(range / (float)largest) * 255.0);
}

/* The colour of a hue, saturation and largest channel. */
static void from_hue(uint8_t hue, uint8_t saturation, uint8_t value, uint8_t *pixel) {
  /* Which of value, p, q and t is red, green and blue in each sixth of the circle. */
  static const uint8_t sectors[6][3] = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3},
                                        {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};
  double sixths = (double)hue * 6.0 / 255.0;
  float share = (float)((double)saturation / 255.0);
  int sector = (int)sixths;
  float rest = (float)(sixths - (double)sector);
  const double levels[4] = {
      value,
      round((double)value * (1.0 - (double)share)),
      round((double)value * (1.0 - (double)(share * rest))),
      round((double)value * (1.0 - (double)share * (1.0 - (double)rest))),
  };
  for (int c = 0; c < 3; c++) {
    pixel[c] = (uint8_t)fmin(fmax(levels[sectors[sector % 6][c]], 0.0), 255.0);
  }
}

void lpot_colour_hue(uint8_t *pixels, int64_t count, double turn) {
  int shift = (int)(turn * 255.0);
  for (int64_t i = 0; i < count; i++) {
    uint8_t *pixel = pixels + 3 * i;
    int largest = largest_of(pixel);
    int smallest = smallest_of(pixel);
    uint8_t hue = 0;
    uint8_t saturation = 0;
    if (largest != smallest) {
      to_hue(pixel, largest, smallest, &hue, &saturation);
    }
    if (saturation > 0) {
      from_hue((uint8_t)(hue + shift), saturation, (uint8_t)largest, pixel);
    } else {
      pixel[0] = pixel[1] = pixel[2] = (uint8_t)largest;
    }
  }
}
