#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tune/op_times_fixture.h"
#include "tune/protocol.h"

static void make_task_message(lpot_buffer *out) {
  lpot_recipe *recipe = NULL;
  assert_int_equal(lpot_recipe_new(3, &recipe, NULL), LPOT_OK);
  recipe->calibration_samples = 10;
  lpot_task task = {.kind = LPOT_TASK_EVALUATE, .first = 2, .count = 5, .recipe = recipe};
  assert_int_equal(lpot_message_begin(out, LPOT_MESSAGE_TASK, 77, NULL), LPOT_OK);
  assert_int_equal(lpot_task_write(&task, out, NULL), LPOT_OK);
  assert_int_equal(lpot_message_finish(out, NULL), LPOT_OK);
  lpot_recipe_free(recipe);
}

static void message_is_refused_when_truncated_at_any_byte(void **state) {
  (void)state;
  lpot_buffer bytes;
  lpot_buffer_init(&bytes);
  make_task_message(&bytes);
  for (size_t size = 0; size < bytes.size; size++) {
    lpot_message message;
    assert_int_equal(lpot_message_parse(bytes.data, size, &message, NULL), LPOT_FORMAT);
  }
  lpot_buffer_done(&bytes);
}

static void message_of_another_version_kind_or_length_is_refused(void **state) {
  (void)state;
  lpot_buffer bytes;
  lpot_buffer_init(&bytes);
  make_task_message(&bytes);
  static const size_t places[] = {0, 4, 7, 16};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    lpot_message message;
    bytes.data[places[i]] ^= 0x55;
    assert_int_equal(lpot_message_parse(bytes.data, bytes.size, &message, NULL), LPOT_FORMAT);
    bytes.data[places[i]] ^= 0x55;
  }
  lpot_buffer_done(&bytes);
}

static void task_comes_back_as_it_was_written(void **state) {
  (void)state;
  lpot_buffer bytes;
  lpot_buffer_init(&bytes);
  make_task_message(&bytes);
  lpot_message message;
  lpot_task task;
  lpot_reader reader;
  lpot_task_init(&task);
  assert_int_equal(lpot_message_parse(bytes.data, bytes.size, &message, NULL), LPOT_OK);
  assert_int_equal(message.kind, LPOT_MESSAGE_TASK);
  assert_int_equal(message.task_id, 77);
  lpot_reader_init(&reader, message.payload, message.size);
  assert_int_equal(lpot_task_read(&reader, &task, NULL), LPOT_OK);
  assert_int_equal(task.kind, LPOT_TASK_EVALUATE);
  assert_int_equal(task.first, 2);
  assert_int_equal(task.count, 5);
  assert_int_equal(task.recipe->num_ops, 3);
  assert_int_equal(task.recipe->calibration_samples, 10);
  lpot_task_done(&task);
  lpot_buffer_done(&bytes);
}

static void task_with_a_negative_range_is_refused(void **state) {
  (void)state;
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_task task;
  lpot_buffer_init(&bytes);
  lpot_task_init(&task);
  const lpot_task bad = {.kind = LPOT_TASK_CALIBRATE, .first = -1, .count = 5};
  assert_int_equal(lpot_task_write(&bad, &bytes, NULL), LPOT_OK);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_task_read(&reader, &task, NULL), LPOT_FORMAT);
  lpot_buffer_done(&bytes);
}

static void task_is_refused_when_truncated_at_any_byte(void **state) {
  (void)state;
  lpot_buffer bytes;
  lpot_buffer_init(&bytes);
  make_task_message(&bytes);
  for (size_t size = LPOT_MESSAGE_HEAD; size < bytes.size; size++) {
    lpot_reader reader;
    lpot_task task;
    lpot_task_init(&task);
    lpot_reader_init(&reader, bytes.data + LPOT_MESSAGE_HEAD, size - LPOT_MESSAGE_HEAD);
    assert_int_not_equal(lpot_task_read(&reader, &task, NULL), LPOT_OK);
    lpot_task_done(&task);
  }
  lpot_buffer_done(&bytes);
}

/* What is read of an outcome that was written, and not of its bytes cut off anywhere; the caller is
 * done with it (lpot_outcome_done). */
static lpot_outcome sent(const lpot_outcome *outcome) {
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_outcome back;
  lpot_buffer_init(&bytes);
  lpot_outcome_init(&back);
  assert_int_equal(lpot_outcome_write(outcome, &bytes, NULL), LPOT_OK);
  for (size_t size = 0; size < bytes.size; size++) {
    lpot_reader_init(&reader, bytes.data, size);
    assert_int_not_equal(lpot_outcome_read(&reader, &back, NULL), LPOT_OK);
  }
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_outcome_read(&reader, &back, NULL), LPOT_OK);
  lpot_buffer_done(&bytes);
  return back;
}

static void outcome_keeps_the_states_of_all_blocks(void **state) {
  (void)state;
  lpot_metric_state states[2] = {{.samples = 5, .correct = 3}, {.samples = 6, .sum = 0.25}};
  lpot_outcome outcome = {
      .kind = LPOT_TASK_EVALUATE, .seconds = 1.5, .num_states = 2, .states = states};
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_outcome back;
  lpot_buffer_init(&bytes);
  lpot_outcome_init(&back);
  assert_int_equal(lpot_outcome_write(&outcome, &bytes, NULL), LPOT_OK);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_outcome_read(&reader, &back, NULL), LPOT_OK);
  assert_int_equal(back.num_states, 2);
  assert_int_equal(back.states[0].correct, 3);
  assert_true(back.states[1].sum == 0.25);
  for (size_t size = 0; size < bytes.size; size++) {
    lpot_reader_init(&reader, bytes.data, size);
    assert_int_not_equal(lpot_outcome_read(&reader, &back, NULL), LPOT_OK);
    assert_int_equal(back.num_states, 2); /* A failed read changes nothing. */
  }
  lpot_outcome_done(&back);
  lpot_buffer_done(&bytes);
}

static void outcome_carries_the_times_of_the_ops(void **state) {
  (void)state;
  lpot_op_cost ops[2];
  const lpot_outcome outcome = {.kind = LPOT_TASK_OP_TIMES, .op_times = make_op_times(ops)};
  lpot_outcome back = sent(&outcome);
  assert_int_equal(back.kind, LPOT_TASK_OP_TIMES);
  assert_int_equal(back.op_times.num_ops, 2);
  assert_true(back.op_times.ops[0].int8_us == 3.25);
  lpot_outcome_done(&back);
}

static void outcome_carries_the_footprint(void **state) {
  (void)state;
  const lpot_outcome outcome = {.kind = LPOT_TASK_FOOTPRINT,
                                .footprint = {.bytes = 4096, .resident_bytes = 8192}};
  lpot_outcome back = sent(&outcome);
  assert_int_equal(back.kind, LPOT_TASK_FOOTPRINT);
  assert_int_equal(back.footprint.bytes, 4096);
  assert_int_equal(back.footprint.resident_bytes, 8192);
  lpot_outcome_done(&back);
}

static void outcome_of_a_failed_task_carries_its_cause(void **state) {
  (void)state;
  lpot_outcome outcome = {.kind = LPOT_TASK_LATENCY, .status = LPOT_ENGINE, .cause = "conv1: no"};
  lpot_outcome back = sent(&outcome);
  assert_int_equal(back.status, LPOT_ENGINE);
  assert_string_equal(back.cause, "conv1: no");
  lpot_outcome_done(&back);
}

static void outcome_with_more_states_than_bytes_is_refused(void **state) {
  (void)state;
  const lpot_outcome outcome = {.kind = LPOT_TASK_EVALUATE};
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_outcome back;
  lpot_buffer_init(&bytes);
  lpot_outcome_init(&back);
  assert_int_equal(lpot_outcome_write(&outcome, &bytes, NULL), LPOT_OK);
  bytes.data[bytes.size - 14] = 0x10; /* a million states */
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_outcome_read(&reader, &back, NULL), LPOT_FORMAT);
  bytes.data[bytes.size - 14] = 0;
  bytes.data[bytes.size - 6] = 0x10; /* a million bits */
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_outcome_read(&reader, &back, NULL), LPOT_FORMAT);
  bytes.data[bytes.size - 4] = 0x10; /* more bits than a message may have */
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_outcome_read(&reader, &back, NULL), LPOT_FORMAT);
  lpot_buffer_done(&bytes);
}

static void raced_task_carries_the_race_and_what_f32_gets_right(void **state) {
  (void)state;
  uint8_t baseline[2] = {0xa5, 0x01};
  lpot_task task = {.kind = LPOT_TASK_EVALUATE, .first = 3, .count = 1, .raced = true};
  task.terms = (lpot_race_terms){.samples = 100, .baseline_correct = 80, .needed = 79};
  lpot_race_init(&task.race);
  task.race.samples = 30;
  task.race.lost = 2;
  task.race.capital[1] = 1.5;
  task.num_bits = 10;
  task.baseline = baseline;
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_task back;
  lpot_buffer_init(&bytes);
  lpot_task_init(&back);
  assert_int_equal(lpot_task_write(&task, &bytes, NULL), LPOT_OK);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_task_read(&reader, &back, NULL), LPOT_OK);
  assert_true(back.raced && back.terms.needed == 79 && back.race.lost == 2);
  assert_true(back.race.capital[1] == 1.5 && back.race.capital[0] == 1);
  assert_int_equal(back.num_bits, 10);
  assert_memory_equal(back.baseline, baseline, 2);
  for (size_t size = 0; size < bytes.size; size++) {
    lpot_reader_init(&reader, bytes.data, size);
    assert_int_not_equal(lpot_task_read(&reader, &back, NULL), LPOT_OK);
  }
  lpot_task_done(&back);
  lpot_buffer_done(&bytes);
}

/* The part held out is no race, and not sensed. */
static void task_of_the_part_held_out_comes_back(void **state) {
  (void)state;
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_task back;
  lpot_buffer_init(&bytes);
  lpot_task_init(&back);
  for (int raced = 0; raced <= 1; raced++) {
    const lpot_task task = {.count = 3, .held_out = true, .raced = raced == 1};
    lpot_buffer_clear(&bytes);
    assert_int_equal(lpot_task_write(&task, &bytes, NULL), LPOT_OK);
    lpot_reader_init(&reader, bytes.data, bytes.size);
    assert_int_equal(lpot_task_read(&reader, &back, NULL), raced == 1 ? LPOT_FORMAT : LPOT_OK);
  }
  assert_true(back.held_out && back.count == 3 && !back.senses);
  lpot_task_done(&back);
  lpot_buffer_done(&bytes);
}

/* Sensing is of a recipe, and no race. */
static void task_that_senses_comes_back(void **state) {
  (void)state;
  lpot_recipe *recipe = NULL;
  assert_int_equal(lpot_recipe_new(2, &recipe, NULL), LPOT_OK);
  lpot_task task = {.kind = LPOT_TASK_EVALUATE, .count = 1, .senses = true, .recipe = recipe};
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_task back;
  lpot_buffer_init(&bytes);
  lpot_task_init(&back);
  assert_int_equal(lpot_task_write(&task, &bytes, NULL), LPOT_OK);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_task_read(&reader, &back, NULL), LPOT_OK);
  assert_true(back.senses && !back.raced);
  lpot_task_done(&back);
  task.recipe = NULL;
  lpot_buffer_clear(&bytes);
  assert_int_equal(lpot_task_write(&task, &bytes, NULL), LPOT_OK);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_task_read(&reader, &back, NULL), LPOT_FORMAT);
  lpot_recipe_free(recipe);
  lpot_buffer_done(&bytes);
}

static void hello_comes_back_as_it_was_written(void **state) {
  (void)state;
  const lpot_hello hello = {.rank = 3,
                            .host = "node7",
                            .numeric_class = "x | y | z",
                            .model = {1, 2},
                            .config_hash = 5,
                            .saturates = true};
  lpot_hello back;
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_buffer_init(&bytes);
  assert_int_equal(lpot_hello_write(&hello, &bytes, NULL), LPOT_OK);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_hello_read(&reader, &back, NULL), LPOT_OK);
  assert_int_equal(back.rank, 3);
  assert_string_equal(back.host, "node7");
  assert_string_equal(back.numeric_class, "x | y | z");
  assert_int_equal(back.model.high, 2);
  assert_int_equal(back.config_hash, 5);
  assert_true(back.saturates);
  lpot_buffer_done(&bytes);
}

static void start_and_failure_come_back_as_they_were_written(void **state) {
  (void)state;
  lpot_start_order start = {.rank = 9, .local_ranks = 4, .host = "node7"};
  lpot_start_order back = {0};
  lpot_buffer bytes;
  lpot_reader reader;
  lpot_buffer_init(&bytes);
  assert_int_equal(lpot_start_write(&start, &bytes, NULL), LPOT_OK);
  for (size_t size = 0; size < bytes.size; size++) {
    lpot_reader_init(&reader, bytes.data, size);
    assert_int_equal(lpot_start_read(&reader, &back, NULL), LPOT_FORMAT);
  }
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_start_read(&reader, &back, NULL), LPOT_OK);
  assert_int_equal(back.rank, 9);
  assert_int_equal(back.local_ranks, 4);
  assert_string_equal(back.host, "node7");
  lpot_buffer_clear(&bytes);
  lpot_status status = LPOT_OK;
  char cause[LPOT_CAUSE_SIZE];
  assert_int_equal(lpot_failure_write(LPOT_DATA, "no such file", &bytes, NULL), LPOT_OK);
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_failure_read(&reader, &status, cause, NULL), LPOT_OK);
  assert_int_equal(status, LPOT_DATA);
  assert_string_equal(cause, "no such file");
  bytes.data[0] = LPOT_OK; /* A failure that is none. */
  lpot_reader_init(&reader, bytes.data, bytes.size);
  assert_int_equal(lpot_failure_read(&reader, &status, cause, NULL), LPOT_FORMAT);
  lpot_buffer_done(&bytes);
}

static void length_of_a_message_is_in_its_head_and_has_a_limit(void **state) {
  (void)state;
  lpot_buffer bytes;
  size_t size = 0;
  lpot_buffer_init(&bytes);
  make_task_message(&bytes);
  assert_int_equal(lpot_message_length(bytes.data, &size, NULL), LPOT_OK);
  assert_int_equal(size, bytes.size);
  uint64_t length = LPOT_MAX_MESSAGE - LPOT_MESSAGE_HEAD;
  for (uint64_t more = 0; more < 2; more++) {
    for (size_t i = 0; i < 8; i++) {
      bytes.data[16 + i] = (uint8_t)((length + more) >> (8 * i));
    }
    assert_int_equal(lpot_message_length(bytes.data, &size, NULL), more ? LPOT_FORMAT : LPOT_OK);
  }
  lpot_buffer_done(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(message_is_refused_when_truncated_at_any_byte),
      cmocka_unit_test(message_of_another_version_kind_or_length_is_refused),
      cmocka_unit_test(task_comes_back_as_it_was_written),
      cmocka_unit_test(task_with_a_negative_range_is_refused),
      cmocka_unit_test(task_is_refused_when_truncated_at_any_byte),
      cmocka_unit_test(outcome_keeps_the_states_of_all_blocks),
      cmocka_unit_test(outcome_carries_the_times_of_the_ops),
      cmocka_unit_test(outcome_carries_the_footprint),
      cmocka_unit_test(outcome_of_a_failed_task_carries_its_cause),
      cmocka_unit_test(outcome_with_more_states_than_bytes_is_refused),
      cmocka_unit_test(raced_task_carries_the_race_and_what_f32_gets_right),
      cmocka_unit_test(task_that_senses_comes_back),
      cmocka_unit_test(task_of_the_part_held_out_comes_back),
      cmocka_unit_test(hello_comes_back_as_it_was_written),
      cmocka_unit_test(start_and_failure_come_back_as_they_were_written),
      cmocka_unit_test(length_of_a_message_is_in_its_head_and_has_a_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
