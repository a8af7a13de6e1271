#include "engine/engine_fixture.h"

#include "engine/onednn/loops.h"

/* Batch normalization with its activation and roundings, held against the reference engine. */

static lpot_value_id normalization(fixture *f, lpot_value_id x, int64_t channels) {
  lpot_value_id variance = weights(f, 1.0, DIMS(channels));
  lpot_tensor *tensor = lpot_graph_value(f->graph, variance)->constant;
  for (int64_t i = 0; i < channels; ++i) {
    double value = lpot_tensor_get_double(tensor, i);
    lpot_tensor_set_double(tensor, i, value * value + 0.1);
  }
  return output_of(f, LPOT_OP_BATCH_NORMALIZATION,
                   IDS(x, weights(f, 1.0, DIMS(channels)), weights(f, 1.0, DIMS(channels)),
                       weights(f, 1.0, DIMS(channels)), variance));
}

static void normalization_activation_and_roundings_agree(void **state) {
  (void)state;
  static const lpot_dtype types[] = {LPOT_F32, LPOT_U8, LPOT_S8};
  for (uint64_t seed = 0; seed < 72; ++seed) {
    fixture f;
    fixture_begin(&f, seed);
    int64_t channels = pick(&f, 1, 70);
    lpot_dtype in = types[seed % 3];
    lpot_dtype out = types[seed / 3 % 3];
    lpot_value_id x = input(&f, DIMS(2, channels, 3, 5));
    x = seed / 9 % 2 == 0 ? x : channels_last(&f, x);
    x = in == LPOT_F32 ? x : pair(&f, x, in, 0.02, in == LPOT_U8 ? 120 : -3);
    lpot_value_id y = normalization(&f, x, channels);
    if (seed / 18 % 2 == 0) {
      y = output_of(&f, LPOT_OP_RELU, IDS(y));
    } else {
      lpot_value_id low = number(&f, LPOT_F32, -0.5);
      y = output_of(&f, LPOT_OP_CLIP, IDS(y, low, number(&f, LPOT_F32, 1.5)));
    }
    result(&f, out == LPOT_F32 ? y : pair(&f, y, out, 0.03, out == LPOT_U8 ? 20 : 4));
    check_engines_agree(&f, out == LPOT_F32 ? 0.0 : 0.03, "scale and shift");
  }
}

static void an_empty_batch_is_normalized_to_nothing(void **state) {
  (void)state;
  fixture f;
  fixture_begin(&f, 1);
  lpot_value_id x = input(&f, DIMS(0, 4, 3, 5));
  result(&f, normalization(&f, x, 4));
  check_engines_agree(&f, 0.0, NULL);
}

static void nan_passes_through_f32(void **state) {
  (void)state;
  const float scale[2] = {2.0f, 1.0f}, shift[2] = {0.0f, 1.0f};
  const float in[4] = {NAN, 1.0f, 3.0f, NAN};
  for (int inner = 1; inner <= 2; ++inner) {
    float out[4];
    lpot_loop_affine affine = {.outer = inner == 1 ? 2 : 1,
                               .channels = 2,
                               .inner = inner,
                               .in = LPOT_F32,
                               .out = LPOT_F32,
                               .scale = scale,
                               .shift = shift,
                               .low = -INFINITY,
                               .high = INFINITY};
    lpot_loop_affine_run(&affine, in, out);
    assert_true(isnan(out[0]) && isnan(out[3]));
    assert_false(isnan(out[1]) || isnan(out[2]));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nan_passes_through_f32),
      cmocka_unit_test(normalization_activation_and_roundings_agree),
      cmocka_unit_test(an_empty_batch_is_normalized_to_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
