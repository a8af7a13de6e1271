#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tensor/quantize.h"

static void nan_becomes_the_zero_point(void **state) {
  (void)state;
  const float values[] = {NAN, -NAN, 1.0F};
  const lpot_quant_params params = {.dtype = LPOT_U8, .scale = 0.5F, .zero_point = 7};
  uint8_t out[3];
  lpot_quantize(values, 3, &params, out);
  assert_int_equal(out[0], 7);
  assert_int_equal(out[1], 7);
  assert_int_equal(out[2], 9);
  assert_int_equal(lpot_quantize_one(NAN, &params), 7);
}

static void results_saturate(void **state) {
  (void)state;
  const float values[] = {INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 1e10F, -1e10F};
  const lpot_quant_params u8 = {.dtype = LPOT_U8, .scale = 1e-3F, .zero_point = 128};
  const lpot_quant_params s8 = {.dtype = LPOT_S8, .scale = FLT_MIN, .zero_point = -5};
  uint8_t unsigned_out[6];
  int8_t signed_out[6];
  lpot_quantize(values, 6, &u8, unsigned_out);
  lpot_quantize(values, 6, &s8, signed_out);
  for (int i = 0; i < 6; i++) {
    assert_int_equal(unsigned_out[i], i % 2 == 0 ? 255 : 0);
    assert_int_equal(signed_out[i], i % 2 == 0 ? 127 : -128);
    assert_int_equal(lpot_quantize_one(values[i], &s8), i % 2 == 0 ? 127 : -128);
  }
  const lpot_quant_params s32 = {.dtype = LPOT_S32, .scale = 1, .zero_point = 0};
  assert_int_equal(lpot_quantize_one(1e20F, &s32), INT32_MAX);
  assert_int_equal(lpot_quantize_one(-1e20F, &s32), INT32_MIN);
  assert_int_equal(lpot_quantize_one(123456.5F, &s32), 123456);
}

static void rounding_is_half_to_even(void **state) {
  (void)state;
  const float values[] = {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 0.49999997F, 126.5F};
  const int expected[] = {0, 2, 2, 0, -2, -2, 0, 126};
  const lpot_quant_params params = {.dtype = LPOT_S8, .scale = 1, .zero_point = 0};
  int8_t out[8];
  lpot_quantize(values, 8, &params, out);
  for (int i = 0; i < 8; i++) {
    assert_int_equal(out[i], expected[i]);
    assert_int_equal(lpot_quantize_one(values[i], &params), expected[i]);
  }
}

static void it_divides_and_does_not_multiply(void **state) {
  (void)state;
  /* Here x * (1 / scale) rounds to 25.5 exactly or beyond and x / scale does not. */
  lpot_rng rng;
  lpot_rng_init(&rng, 11);
  int different = 0;
  for (int i = 0; i < 200000; i++) {
    const lpot_quant_params params = {.dtype = LPOT_S8,
                                      .scale = (float)lpot_rng_uniform(&rng) + 0.01F};
    float value = params.scale * ((float)lpot_rng_below(&rng, 200) - 99.5F);
    float expected = nearbyintf(value / params.scale);
    int8_t out = 0;
    lpot_quantize(&value, 1, &params, &out);
    assert_int_equal(out, (int)expected);
    different += nearbyintf(value * (1.0F / params.scale)) != expected;
  }
  assert_true(different > 0);
}

static void array_and_single_agree_for_all_zero_points(void **state) {
  (void)state;
  enum { COUNT = 997 };
  static float values[COUNT];
  lpot_rng rng;
  lpot_rng_init(&rng, 4);
  for (int i = 0; i < COUNT; i++) {
    values[i] = (float)(40 * lpot_rng_normal(&rng));
  }
  for (int zero_point = -128; zero_point < 256; zero_point++) {
    const lpot_quant_params params = {
        .dtype = zero_point < 0 ? LPOT_S8 : LPOT_U8, .scale = 0.37F, .zero_point = zero_point};
    uint8_t out[COUNT];
    lpot_quantize(values, COUNT, &params, out);
    for (int i = 0; i < COUNT; i++) {
      int32_t got = params.dtype == LPOT_S8 ? (int8_t)out[i] : out[i];
      assert_int_equal(got, lpot_quantize_one(values[i], &params));
    }
  }
}

static void dequantize_is_the_inverse(void **state) {
  (void)state;
  uint8_t codes[256];
  float real[256];
  uint8_t back[256];
  for (int i = 0; i < 256; i++) {
    codes[i] = (uint8_t)i;
  }
  lpot_quant_params params = {.dtype = LPOT_U8, .scale = 0.1F, .zero_point = 100};
  lpot_dequantize(codes, 256, &params, real);
  assert_true(real[100] == 0);
  assert_true(real[0] == -100 * 0.1F);
  assert_true(real[255] == 155 * 0.1F);
  lpot_quantize(real, 256, &params, back);
  assert_memory_equal(back, codes, 256);
  params = (lpot_quant_params){.dtype = LPOT_S8, .scale = 0.7F, .zero_point = -3};
  lpot_dequantize(codes, 256, &params, real);
  assert_true(real[255] == 2 * 0.7F);
  lpot_quantize(real, 256, &params, back);
  assert_memory_equal(back, codes, 256);
  const int32_t wide[] = {INT32_MIN, 0, INT32_MAX};
  params = (lpot_quant_params){.dtype = LPOT_S32, .scale = 2, .zero_point = 1};
  lpot_dequantize(wide, 3, &params, real);
  assert_true(real[0] == -0x1p32F && real[1] == -2 && real[2] == 0x1p32F);
}

static void ranges_of_types(void **state) {
  (void)state;
  assert_int_equal(lpot_quant_min(LPOT_U8), 0);
  assert_int_equal(lpot_quant_max(LPOT_U8), 255);
  assert_int_equal(lpot_quant_min(LPOT_S8), -128);
  assert_int_equal(lpot_quant_max(LPOT_S8), 127);
  assert_int_equal(lpot_quant_max(LPOT_U16), 65535);
  assert_int_equal(lpot_quant_min(LPOT_S16), -32768);
  assert_int_equal(lpot_quant_min(LPOT_S32), INT32_MIN);
  assert_int_equal(lpot_quant_max(LPOT_S32), INT32_MAX);
}

static void check_params(lpot_quant_params params, float scale, int32_t zero_point) {
  assert_true(params.scale == scale);
  assert_int_equal(params.zero_point, zero_point);
}

static void parameters_from_a_range(void **state) {
  (void)state;
  check_params(lpot_quant_params_from_range(LPOT_U8, 0, -1, 4.1F),
               (float)(((double)4.1F + 1.0) / 255), 50);
  check_params(lpot_quant_params_from_range(LPOT_U8, 0, 0, 255), 1, 0);
  check_params(lpot_quant_params_from_range(LPOT_S8, 0, 0, 255), 1, -128);
  check_params(lpot_quant_params_from_range(LPOT_S8, 0, -255, 0), 1, 127);
  check_params(lpot_quant_params_from_range(LPOT_S8, 1, -254, 100), 2, 0);
  check_params(lpot_quant_params_from_range(LPOT_U8, 1, 0, 510), 2, 0);
  check_params(lpot_quant_params_from_range(LPOT_U8, 1, -254, 100), 2, 128);
  /* Ranges without zero are widened to it. */
  check_params(lpot_quant_params_from_range(LPOT_U8, 0, 100, 255), 1, 0);
  check_params(lpot_quant_params_from_range(LPOT_U8, 0, -255, -100), 1, 255);
  /* 127.5 goes to the even neighbour. */
  check_params(lpot_quant_params_from_range(LPOT_U8, 0, -127.5F, 127.5F), 1, 128);
}

static void odd_ranges_give_usable_parameters(void **state) {
  (void)state;
  check_params(lpot_quant_params_from_range(LPOT_U8, 0, 0, 0), 1, 0);
  check_params(lpot_quant_params_from_range(LPOT_S8, 1, 0, 0), 1, 0);
  check_params(lpot_quant_params_from_range(LPOT_U8, 0, NAN, NAN), 1, 0);
  static const float ends[] = {0, 1e-45F, FLT_MIN, 1e-30F, 1, 1e30F, FLT_MAX, INFINITY, NAN};
  static const lpot_dtype dtypes[] = {LPOT_U8, LPOT_S8, LPOT_S32};
  for (size_t i = 0; i < 9; i++) {
    for (size_t j = 0; j < 9; j++) {
      for (size_t k = 0; k < 6; k++) {
        lpot_dtype dtype = dtypes[k % 3];
        lpot_quant_params params = lpot_quant_params_from_range(dtype, k < 3, -ends[i], ends[j]);
        assert_true(params.scale >= FLT_MIN && isfinite(params.scale));
        assert_true(params.zero_point >= lpot_quant_min(dtype));
        assert_true(params.zero_point <= lpot_quant_max(dtype));
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nan_becomes_the_zero_point),
      cmocka_unit_test(results_saturate),
      cmocka_unit_test(rounding_is_half_to_even),
      cmocka_unit_test(it_divides_and_does_not_multiply),
      cmocka_unit_test(array_and_single_agree_for_all_zero_points),
      cmocka_unit_test(dequantize_is_the_inverse),
      cmocka_unit_test(ranges_of_types),
      cmocka_unit_test(parameters_from_a_range),
      cmocka_unit_test(odd_ranges_give_usable_parameters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
