#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tune/latency_record.h"

static void write_record(lpot_buffer *bytes, size_t num_rounds) {
  static lpot_latency_round rounds[LPOT_MAX_LATENCY_ROUNDS + 1];
  rounds[1] = (lpot_latency_round){.number = 7,
                                   .window = 2,
                                   .f32_ms = 1.5,
                                   .recipe_ms = 0.5,
                                   .switches = 3,
                                   .cpu_share = 0.75F,
                                   .steal = 0.25F,
                                   .neighbours = 1.5F,
                                   .crowding = 1.25F,
                                   .frequency_khz = 2100000,
                                   .flags = LPOT_ROUND_SWITCHED};
  const lpot_latency latency = {.recipe_ms = 1,
                                .speedup = 1.5,
                                .speedup_low = 1.25,
                                .speedup_high = 1.75,
                                .counted = 9,
                                .dropped = 4,
                                .attempts = 3,
                                .cold = true,
                                .reason = "why",
                                .estimator = "how",
                                .governor = "performance",
                                .cores = "0-1",
                                .load = 0.5,
                                .num_rounds = num_rounds,
                                .rounds = rounds};
  lpot_buffer_init(bytes);
  assert_int_equal(lpot_latency_write(&latency, bytes, NULL), LPOT_OK);
}

static void record_comes_back_as_it_was_written(void **state) {
  (void)state;
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_latency back;
  write_record(&bytes, 2);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_latency_read(&reader, &back, NULL), LPOT_OK);
  assert_int_equal(lpot_reader_remaining(&reader), 0);
  assert_true(back.speedup_low == 1.25 && back.load == 0.5 && back.cold && !back.trusted);
  assert_int_equal(back.counted, 9);
  assert_int_equal(back.attempts, 3);
  assert_string_equal(back.reason, "why");
  assert_string_equal(back.governor, "performance");
  assert_int_equal(back.num_rounds, 2);
  const lpot_latency_round *round = &back.rounds[1];
  assert_int_equal(round->number, 7);
  assert_int_equal(round->switches, 3);
  assert_true(round->f32_ms == 1.5 && round->cpu_share == 0.75F && round->neighbours == 1.5F);
  assert_true(round->crowding == 1.25F);
  assert_int_equal(round->frequency_khz, 2100000);
  assert_int_equal(round->flags, LPOT_ROUND_SWITCHED);
  lpot_latency_done(&back);
  assert_null(back.rounds);
  lpot_buffer_done(&bytes);
}

static void record_is_refused_when_truncated_at_any_byte(void **state) {
  (void)state;
  lpot_buffer bytes;
  write_record(&bytes, 2);
  for (size_t size = 0; size < bytes.size; size++) {
    lpot_reader reader;
    lpot_latency back;
    lpot_reader_init(&reader, bytes.data, size);
    assert_int_not_equal(lpot_latency_read(&reader, &back, NULL), LPOT_OK);
  }
  lpot_buffer_done(&bytes);
}

static void record_with_too_many_rounds_is_refused(void **state) {
  (void)state;
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_latency back;
  write_record(&bytes, LPOT_MAX_LATENCY_ROUNDS + 1);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_latency_read(&reader, &back, NULL), LPOT_FORMAT);
  lpot_buffer_done(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(record_comes_back_as_it_was_written),
      cmocka_unit_test(record_is_refused_when_truncated_at_any_byte),
      cmocka_unit_test(record_with_too_many_rounds_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
