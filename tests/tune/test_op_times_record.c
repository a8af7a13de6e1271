#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tune/op_times_fixture.h"

static void write_record(const lpot_op_times *times, lpot_buffer *bytes) {
  lpot_buffer_init(bytes);
  assert_int_equal(lpot_op_times_write(times, bytes, NULL), LPOT_OK);
}

static lpot_status read_record(const lpot_buffer *bytes, size_t size, lpot_op_times *ret) {
  lpot_reader reader;
  lpot_reader_init(&reader, bytes->data, size);
  lpot_status status = lpot_op_times_read(&reader, ret, NULL);
  assert_true(status != LPOT_OK || lpot_reader_remaining(&reader) == 0);
  return status;
}

static void record_comes_back_as_it_was_written(void **state) {
  (void)state;
  lpot_op_cost ops[2];
  lpot_op_times times = make_op_times(ops);
  lpot_op_times back;
  lpot_buffer bytes;
  lpot_buffer again;
  write_record(&times, &bytes);
  assert_int_equal(read_record(&bytes, bytes.size, &back), LPOT_OK);
  assert_int_equal(back.num_ops, 2);
  assert_true(back.ops[0].f32_us == 12.5 && back.ops[0].spread == 0.02);
  assert_true(back.ops[0].int8_us == 3.25 && back.ops[0].bf16_us == 6.1);
  assert_true(back.ops[0].quantize_us == 1.5 && back.ops[0].dequantize_us == 0.1);
  assert_true(back.ops[0].to_bf16_us == 0.75 && back.ops[0].from_bf16_us == 0.7);
  assert_true(back.ops[1].int8_us == 0 && isnan(back.ops[1].bf16_us));
  assert_true(back.whole_us[LPOT_PRECISION_INT8] == 5);
  assert_true(back.rest_us[LPOT_PRECISION_F32] == 1);
  assert_true(isnan(back.rest_us[LPOT_PRECISION_BF16]));
  assert_int_equal(back.batch, 4);
  assert_int_equal(back.rounds, 200);
  assert_false(back.trusted);
  assert_string_equal(back.reason, "why \"not\"");
  assert_string_equal(back.cores, "0-1");
  assert_string_equal(back.host, "node7");
  assert_string_equal(back.numeric_class, "cpu | library | isa");
  write_record(&back, &again);
  assert_int_equal(again.size, bytes.size);
  assert_memory_equal(again.data, bytes.data, bytes.size);
  lpot_op_times_done(&back);
  assert_null(back.ops);
  lpot_buffer_done(&again);
  lpot_buffer_done(&bytes);
}

static void record_is_refused_when_truncated_at_any_byte(void **state) {
  (void)state;
  lpot_op_cost ops[2];
  lpot_op_times times = make_op_times(ops);
  lpot_op_times back;
  lpot_buffer bytes;
  write_record(&times, &bytes);
  for (size_t size = 0; size < bytes.size; size++) {
    assert_int_not_equal(read_record(&bytes, size, &back), LPOT_OK);
  }
  lpot_buffer_done(&bytes);
}

static void check_refused(const lpot_op_times *times) {
  lpot_op_times back;
  lpot_buffer bytes;
  write_record(times, &bytes);
  assert_int_equal(read_record(&bytes, bytes.size, &back), LPOT_FORMAT);
  lpot_buffer_done(&bytes);
}

static void what_is_no_time_is_refused(void **state) {
  (void)state;
  lpot_op_cost ops[2];
  lpot_op_times times = make_op_times(ops);
  times.ops[1].dequantize_us = -1;
  check_refused(&times);
  times = make_op_times(ops);
  times.ops[0].f32_us = (double)INFINITY;
  check_refused(&times);
  times = make_op_times(ops);
  times.rest_us[0] = -0.5;
  check_refused(&times);
  times = make_op_times(ops);
  times.batch = 0;
  check_refused(&times);
}

static void more_ops_than_bytes_are_refused(void **state) {
  (void)state;
  lpot_op_cost ops[2];
  lpot_op_times times = make_op_times(ops);
  lpot_op_times back;
  lpot_buffer bytes;
  write_record(&times, &bytes);
  bytes.data[1] = 0x10; /* 4,098 ops */
  assert_int_equal(read_record(&bytes, bytes.size, &back), LPOT_FORMAT);
  bytes.data[3] = 0xFF;
  assert_int_equal(read_record(&bytes, bytes.size, &back), LPOT_FORMAT);
  lpot_buffer_done(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(record_comes_back_as_it_was_written),
      cmocka_unit_test(record_is_refused_when_truncated_at_any_byte),
      cmocka_unit_test(what_is_no_time_is_refused),
      cmocka_unit_test(more_ops_than_bytes_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
