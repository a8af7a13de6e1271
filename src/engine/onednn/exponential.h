/* e^x in code that becomes vector code on every machine. */
#ifndef LPOT_ENGINE_EXPONENTIAL_H
#define LPOT_ENGINE_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

#include "engine/onednn/rounding.h"

/* e^x of numbers that are not positive; 0 below -87, where single precision ends. Cody and Waite's
 * reduction by ln 2 in two parts, then Taylor's series to the sixth power on [-0.347, 0.347]: the
 * relative error is below 3e-7. NaN stays. */
static inline float lpot_exponential(float x) {
  float low = x < -87.0f ? -87.0f : x;
  float n = lpot_round_half_even(low * 1.44269504f);
  float r = (low - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t power = (lpot_rounded_bits(n) + 127) << 23; /* 2^n */
  float scale;
  memcpy(&scale, &power, sizeof scale);
  return x < -87.0f ? 0.0f : p * scale;
}

#endif
