#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tune/op_times_fixture.h"

static const char *const whole =
    "# What each op costs, in microseconds for one sample; for --cost-table.\n"
    "host: \"node7\"\n"
    "numeric_class: \"cpu | library | isa\"\n"
    "cores: \"0-1\"\n"
    "trusted: false\n"
    "reason: \"why \\\"not\\\"\"\n"
    "batch: 4\n"
    "rounds: 200\n"
    "seconds: 2.5\n"
    "whole_us: {f32: 15.5, int8: 5}\n"
    "rest_us: {f32: 1, int8: 0.3333333333333333}\n"
    "ops:\n"
    "  - name: \"conv1\"\n"
    "    type: Conv\n"
    "    f32_us: 12.5\n"
    "    int8_us: 3.25\n"
    "    bf16_us: 6.1\n"
    "    quantize_us: 1.5\n"
    "    dequantize_us: 0.1\n"
    "    to_bf16_us: 0.75\n"
    "    from_bf16_us: 0.7\n"
    "    spread: 0.02\n"
    "  - name: \"add1\"\n"
    "    type: Add\n"
    "    f32_us: 2\n"
    "    int8_us: 0\n"
    "    quantize_us: 3\n"
    "    dequantize_us: 1\n"
    "    spread: 0.5\n";

static lpot_status read_text(const char *text, lpot_op_times *ret, lpot_error *err) {
  lpot_yaml *yaml = NULL;
  assert_int_equal(lpot_yaml_parse("t.yaml", text, strlen(text), &yaml, NULL), LPOT_OK);
  lpot_status status =
      lpot_op_times_from_yaml(lpot_yaml_root(yaml), op_times_names, op_times_types, 2, ret, err);
  lpot_yaml_free(yaml);
  return status;
}

static void text_reads_back_to_the_same_record(void **state) {
  (void)state;
  lpot_op_cost ops[2];
  lpot_op_times times = make_op_times(ops);
  lpot_op_times back;
  lpot_buffer text;
  lpot_buffer first;
  lpot_buffer second;
  lpot_buffer_init(&text);
  lpot_buffer_init(&first);
  lpot_buffer_init(&second);
  assert_int_equal(lpot_op_times_to_text(&times, op_times_names, op_times_types, &text, NULL),
                   LPOT_OK);
  assert_int_equal(lpot_buffer_terminate(&text, NULL), LPOT_OK);
  assert_string_equal((const char *)text.data, whole);
  assert_int_equal(read_text(whole, &back, NULL), LPOT_OK);
  assert_int_equal(lpot_op_times_write(&times, &first, NULL), LPOT_OK);
  assert_int_equal(lpot_op_times_write(&back, &second, NULL), LPOT_OK);
  assert_int_equal(first.size, second.size);
  assert_memory_equal(first.data, second.data, first.size);
  lpot_op_times_done(&back);
  lpot_buffer_done(&text);
  lpot_buffer_done(&first);
  lpot_buffer_done(&second);
}

static void what_is_left_out_is_not_known(void **state) {
  (void)state;
  lpot_op_times back;
  assert_int_equal(
      read_text("ops: [{name: add1, f32_us: 1}, {name: conv1, f32_us: 2, int8_us: 1e-1}]\n", &back,
                NULL),
      LPOT_OK);
  assert_true(back.ops[0].f32_us == 2 && back.ops[0].int8_us == 0.1);
  assert_true(back.ops[1].f32_us == 1 && isnan(back.ops[1].int8_us));
  assert_true(isnan(back.ops[0].quantize_us) && isnan(back.whole_us[0]));
  assert_true(back.trusted);
  assert_int_equal(back.batch, 1);
  assert_string_equal(back.host, "");
  lpot_op_times_done(&back);
}

static void check_refused(const char *text, const char *message) {
  lpot_op_times back;
  lpot_error error = {0};
  assert_int_equal(read_text(text, &back, &error), LPOT_CONFIG);
  if (strstr(error.message, message) == NULL) {
    fail_msg("got '%s', expected '%s'", error.message, message);
  }
}

#define BOTH "ops: [{name: add1, f32_us: 1}, {name: conv1, f32_us: 2}]\n"

static void bad_tables_are_refused_with_their_place(void **state) {
  (void)state;
  check_refused("host: a\n", "t.yaml:1:1: key 'ops' is missing");
  check_refused("hots: a\n" BOTH, "did you mean 'host'?");
  check_refused("ops: [{name: conv1, f32_us: 2}]\n", "op 'add1' is missing");
  check_refused("ops: [{name: conv, f32_us: 2}]\n", "did you mean 'conv1'?");
  check_refused("ops: [{name: add1, type: Mul, f32_us: 2}]\n", "op 'add1' has the type Add");
  check_refused("ops: [{name: add1, int8_us: 1}]\n", "key 'f32_us' is missing");
  check_refused("ops: [{name: add1, f32_us: 1, int9_us: 1}]\n", "did you mean 'int8_us'?");
  check_refused("ops: [{name: add1, f32_us: -1}]\n",
                "t.yaml:1:28: ops[0].f32_us: expected a number of at least 0, got -1");
  check_refused("ops: [{name: add1, f32_us: .nan}]\n", "expected a number");
  check_refused("ops: [{name: add1, f32_us: fast}]\n", "expected a number");
  check_refused("batch: 0\n" BOTH, "t.yaml:1:8: batch: ");
  check_refused("trusted: perhaps\n" BOTH, "trusted");
  check_refused("rest_us: {fp32: 1}\n" BOTH, "did you mean 'f32'?");
  check_refused("whole_us: 3\n" BOTH, "whole_us");
  check_refused("cores: "
                "0123456789012345678901234567890123456789012345678901234567890123\n" BOTH,
                "expected at most 63 bytes");
  check_refused("[]\n", "");
  check_refused("", "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_reads_back_to_the_same_record),
      cmocka_unit_test(what_is_left_out_is_not_known),
      cmocka_unit_test(bad_tables_are_refused_with_their_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
