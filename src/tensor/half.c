/* The 16-bit floating-point types of tensor.h. */
#include <math.h>
#include <string.h>

#include "tensor/tensor.h"

static uint32_t bits_of(float value) {
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static float float_of(uint32_t bits) {
  float value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

float lpot_f16_to_f32(uint16_t bits) {
  uint32_t sign = (uint32_t)(bits & 0x8000U) << 16;
  uint32_t exponent = bits >> 10 & 0x1FU;
  uint32_t mantissa = bits & 0x3FFU;
  if (exponent == 0x1F) {
    return float_of(sign | 0x7F800000U | mantissa << 13);
  }
  if (exponent == 0) {
    /* Zero or denormal: mantissa * 2^-24, exact in f32. */
    return float_of(sign | bits_of((float)mantissa * 0x1p-24F));
  }
  return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t lpot_f32_to_f16(float value) {
  uint32_t bits = bits_of(value);
  uint32_t sign = bits >> 16 & 0x8000U;
  uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {
    return (uint16_t)(sign | 0x7E00U);
  }
  /* From 65520 on the nearest f16 is infinity. */
  if (magnitude >= 0x477FF000U) {
    return (uint16_t)(sign | 0x7C00U);
  }
  if (magnitude < 0x38800000U) {
    /* Below 2^-14: a denormal, whose unit is that of floats in [0.5, 1) * 2^0 x 2^-24: adding
     * 0.5 lets the hardware round half to even at that place. */
    float shifted = float_of(magnitude) + 0.5F;
    return (uint16_t)(sign | (bits_of(shifted) - bits_of(0.5F)));
  }
  uint32_t odd = magnitude >> 13 & 1U;
  uint32_t rounded = magnitude + 0xFFFU + odd;
  return (uint16_t)(sign | ((rounded - 0x38000000U) >> 13));
}

float lpot_bf16_to_f32(uint16_t bits) {
  return float_of((uint32_t)bits << 16);
}

uint16_t lpot_f32_to_bf16(float value) {
  uint32_t bits = bits_of(value);
  if (isnan(value)) {
    return (uint16_t)(bits >> 16 | 0x40U);
  }
  uint32_t odd = bits >> 16 & 1U;
  return (uint16_t)((bits + 0x7FFFU + odd) >> 16);
}
