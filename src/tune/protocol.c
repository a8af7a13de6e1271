#include "tune/protocol.h"

#include <string.h>

#include "base/bits.h"
#include "base/memory.h"
#include "base/writer.h"

#define MAGIC 0x474d504cu /* "LPMG" */
#define VERSION 5u
#define MAX_STATES (1u << 22)
#define MAX_BITS (UINT64_C(1) << 31)
#define MAX_RANK (1 << 24)

lpot_status lpot_message_begin(lpot_buffer *out, lpot_message_kind kind, uint64_t task_id,
                               lpot_error *err) {
  lpot_buffer_clear(out);
  LPOT_TRY(lpot_writer_u32(out, MAGIC, err));
  LPOT_TRY(lpot_writer_u16(out, VERSION, err));
  LPOT_TRY(lpot_writer_u16(out, (uint16_t)kind, err));
  LPOT_TRY(lpot_writer_u64(out, task_id, err));
  LPOT_TRY(lpot_writer_u64(out, 0, err));
  return LPOT_OK;
}

lpot_status lpot_message_finish(lpot_buffer *out, lpot_error *err) {
  if (out->size > LPOT_MAX_MESSAGE) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "message has %zu bytes, at most %u are allowed",
                     out->size, LPOT_MAX_MESSAGE);
  }
  uint64_t length = out->size - LPOT_MESSAGE_HEAD;
  for (size_t i = 0; i < 8; i++) {
    out->data[LPOT_MESSAGE_HEAD - 8 + i] = (uint8_t)(length >> (8 * i));
  }
  return LPOT_OK;
}

static lpot_status read_head(lpot_reader *reader, lpot_message *message, uint64_t *length,
                             lpot_error *err) {
  uint32_t magic = 0;
  uint16_t version = 0;
  uint16_t kind = 0;
  LPOT_TRY(lpot_reader_u32(reader, &magic, err));
  LPOT_TRY(lpot_reader_u16(reader, &version, err));
  LPOT_TRY(lpot_reader_u16(reader, &kind, err));
  LPOT_TRY(lpot_reader_u64(reader, &message->task_id, err));
  LPOT_TRY(lpot_reader_u64(reader, length, err));
  if (magic != MAGIC || version != VERSION) {
    return LPOT_FAIL(err, LPOT_FORMAT, "message: magic %08x version %u, expected %08x version %u",
                     (unsigned)magic, (unsigned)version, MAGIC, VERSION);
  }
  if (kind >= LPOT_NUM_MESSAGE_KINDS) {
    return LPOT_FAIL(err, LPOT_FORMAT, "message: kind %u, expected less than %d", (unsigned)kind,
                     LPOT_NUM_MESSAGE_KINDS);
  }
  message->kind = (lpot_message_kind)kind;
  return LPOT_OK;
}

lpot_status lpot_message_length(const void *head, size_t *ret_size, lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, head, LPOT_MESSAGE_HEAD);
  lpot_message message = {0};
  uint64_t length = 0;
  LPOT_TRY(read_head(&reader, &message, &length, err));
  if (length > LPOT_MAX_MESSAGE - LPOT_MESSAGE_HEAD) {
    return LPOT_FAIL(err, LPOT_FORMAT, "message: length %llu, at most %u bytes are allowed",
                     (unsigned long long)length, LPOT_MAX_MESSAGE);
  }
  *ret_size = (size_t)length + LPOT_MESSAGE_HEAD;
  return LPOT_OK;
}

lpot_status lpot_message_parse(const void *data, size_t size, lpot_message *ret, lpot_error *err) {
  lpot_reader reader;
  lpot_reader_init(&reader, data, size);
  lpot_message message = {0};
  uint64_t length = 0;
  LPOT_TRY(read_head(&reader, &message, &length, err));
  if (length != lpot_reader_remaining(&reader)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "message: length %llu, but %zu bytes follow",
                     (unsigned long long)length, lpot_reader_remaining(&reader));
  }
  message.size = lpot_reader_remaining(&reader);
  LPOT_TRY(lpot_reader_bytes(&reader, message.size, &message.payload, err));
  *ret = message;
  return LPOT_OK;
}

lpot_status lpot_read_choice(lpot_reader *reader, const char *what, unsigned limit, unsigned *ret,
                             lpot_error *err) {
  uint8_t value = 0;
  LPOT_TRY(lpot_reader_u8(reader, &value, err));
  if (value >= limit) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s is %u, expected less than %u", what, (unsigned)value,
                     limit);
  }
  *ret = value;
  return LPOT_OK;
}

lpot_status lpot_read_bool(lpot_reader *reader, const char *what, bool *ret, lpot_error *err) {
  unsigned value = 0;
  LPOT_TRY(lpot_read_choice(reader, what, 2, &value, err));
  *ret = value == 1;
  return LPOT_OK;
}

lpot_status lpot_digest_write(const lpot_digest *digest, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, digest->low, err));
  LPOT_TRY(lpot_writer_u64(out, digest->high, err));
  return LPOT_OK;
}

lpot_status lpot_digest_read(lpot_reader *reader, lpot_digest *ret, lpot_error *err) {
  LPOT_TRY(lpot_reader_u64(reader, &ret->low, err));
  LPOT_TRY(lpot_reader_u64(reader, &ret->high, err));
  return LPOT_OK;
}

lpot_status lpot_bits_write(const uint8_t *bits, size_t count, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, count, err));
  LPOT_TRY(lpot_writer_bytes(out, bits, lpot_bits_size(count), err));
  return LPOT_OK;
}

lpot_status lpot_bits_read(lpot_reader *reader, uint8_t **ret_bits, size_t *ret_count,
                           lpot_error *err) {
  uint64_t count = 0;
  const uint8_t *bytes = NULL;
  LPOT_TRY(lpot_reader_u64(reader, &count, err));
  if (count > MAX_BITS) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%llu bits, at most %llu are allowed",
                     (unsigned long long)count, (unsigned long long)MAX_BITS);
  }
  size_t size = lpot_bits_size((size_t)count);
  LPOT_TRY(lpot_reader_bytes(reader, size, &bytes, err));
  if (count == 0) {
    return LPOT_OK;
  }
  uint8_t *bits = lpot_calloc(size, 1);
  if (bits == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(bits, bytes, size);
  *ret_bits = bits;
  *ret_count = (size_t)count;
  return LPOT_OK;
}

/* ---- HELLO ---- */

lpot_status lpot_hello_write(const lpot_hello *hello, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_i64(out, hello->rank, err));
  LPOT_TRY(lpot_writer_string(out, hello->host, err));
  LPOT_TRY(lpot_writer_string(out, hello->numeric_class, err));
  LPOT_TRY(lpot_digest_write(&hello->model, out, err));
  LPOT_TRY(lpot_writer_u64(out, hello->config_hash, err));
  LPOT_TRY(lpot_digest_write(&hello->data, out, err));
  LPOT_TRY(lpot_writer_u8(out, hello->saturates, err));
  return LPOT_OK;
}

static lpot_status read_rank(lpot_reader *reader, const char *what, int *ret, lpot_error *err) {
  int64_t rank = 0;
  LPOT_TRY(lpot_reader_i64(reader, &rank, err));
  if (rank < 0 || rank > MAX_RANK) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%s %lld is out of range", what, (long long)rank);
  }
  *ret = (int)rank;
  return LPOT_OK;
}

lpot_status lpot_hello_read(lpot_reader *reader, lpot_hello *ret, lpot_error *err) {
  lpot_hello hello = {0};
  LPOT_TRY(read_rank(reader, "hello: rank", &hello.rank, err));
  LPOT_TRY(lpot_reader_string(reader, hello.host, sizeof hello.host, err));
  LPOT_TRY(lpot_reader_string(reader, hello.numeric_class, sizeof hello.numeric_class, err));
  LPOT_TRY(lpot_digest_read(reader, &hello.model, err));
  LPOT_TRY(lpot_reader_u64(reader, &hello.config_hash, err));
  LPOT_TRY(lpot_digest_read(reader, &hello.data, err));
  LPOT_TRY(lpot_read_bool(reader, "hello: saturates", &hello.saturates, err));
  LPOT_TRY(lpot_reader_end(reader, err));
  *ret = hello;
  return LPOT_OK;
}

/* ---- START ---- */

lpot_status lpot_start_write(const lpot_start_order *start, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_i64(out, start->rank, err));
  LPOT_TRY(lpot_writer_i64(out, start->local_ranks, err));
  LPOT_TRY(lpot_writer_string(out, start->host, err));
  return LPOT_OK;
}

lpot_status lpot_start_read(lpot_reader *reader, lpot_start_order *ret, lpot_error *err) {
  lpot_start_order start = {0};
  LPOT_TRY(read_rank(reader, "start: rank", &start.rank, err));
  LPOT_TRY(read_rank(reader, "start: number of local ranks", &start.local_ranks, err));
  LPOT_TRY(lpot_reader_string(reader, start.host, sizeof start.host, err));
  LPOT_TRY(lpot_reader_end(reader, err));
  *ret = start;
  return LPOT_OK;
}

/* ---- FAILED ---- */

lpot_status lpot_failure_write(lpot_status status, const char *cause, lpot_buffer *out,
                               lpot_error *err) {
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)status, err));
  LPOT_TRY(lpot_writer_string(out, cause, err));
  return LPOT_OK;
}

lpot_status lpot_failure_read(lpot_reader *reader, lpot_status *ret_status, char *cause,
                              lpot_error *err) {
  unsigned status = 0;
  LPOT_TRY(lpot_read_choice(reader, "failure: status", LPOT_NUM_STATUSES, &status, err));
  if (status == LPOT_OK) {
    return LPOT_FAIL(err, LPOT_FORMAT, "failure: its status is success");
  }
  LPOT_TRY(lpot_reader_string(reader, cause, LPOT_CAUSE_SIZE, err));
  LPOT_TRY(lpot_reader_end(reader, err));
  *ret_status = (lpot_status)status;
  return LPOT_OK;
}

/* ---- TASK ---- */

void lpot_task_init(lpot_task *task) {
  *task = (lpot_task){0};
}

void lpot_task_done(lpot_task *task) {
  lpot_recipe_free(task->recipe);
  lpot_free(task->baseline);
  *task = (lpot_task){0};
}

static lpot_status write_race(const lpot_task *task, lpot_buffer *out, lpot_error *err) {
  const int64_t numbers[] = {task->terms.samples, task->terms.baseline_correct, task->terms.needed,
                             task->race.samples,  task->race.correct,           task->race.lost,
                             task->race.gained};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    LPOT_TRY(lpot_writer_i64(out, numbers[i], err));
  }
  for (size_t i = 0; i < LPOT_RACE_NUM_BETS; i++) {
    LPOT_TRY(lpot_writer_f64(out, task->race.capital[i], err));
  }
  LPOT_TRY(lpot_writer_u8(out, task->race.rejected, err));
  return LPOT_OK;
}

lpot_status lpot_task_write(const lpot_task *task, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)task->kind, err));
  LPOT_TRY(lpot_writer_i64(out, task->first, err));
  LPOT_TRY(lpot_writer_i64(out, task->count, err));
  if (task->kind == LPOT_TASK_CALIBRATE) {
    LPOT_TRY(lpot_writer_u8(out, task->equalized, err));
  }
  LPOT_TRY(lpot_writer_u8(out, task->recipe != NULL, err));
  if (task->recipe != NULL) {
    LPOT_TRY(lpot_recipe_write(task->recipe, out, err));
  }
  LPOT_TRY(lpot_writer_u8(out, task->senses, err));
  LPOT_TRY(lpot_writer_u8(out, task->held_out, err));
  LPOT_TRY(lpot_writer_u8(out, task->raced, err));
  if (task->raced) {
    LPOT_TRY(write_race(task, out, err));
    LPOT_TRY(lpot_bits_write(task->baseline, task->num_bits, out, err));
  }
  return LPOT_OK;
}

static lpot_status read_race(lpot_reader *reader, lpot_task *task, lpot_error *err) {
  int64_t *const numbers[] = {&task->terms.samples, &task->terms.baseline_correct,
                              &task->terms.needed,  &task->race.samples,
                              &task->race.correct,  &task->race.lost,
                              &task->race.gained};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    LPOT_TRY(lpot_reader_i64(reader, numbers[i], err));
  }
  for (size_t i = 0; i < LPOT_RACE_NUM_BETS; i++) {
    LPOT_TRY(lpot_reader_f64(reader, &task->race.capital[i], err));
  }
  LPOT_TRY(lpot_read_bool(reader, "task: race", &task->race.rejected, err));
  return LPOT_OK;
}

static lpot_status read_task(lpot_reader *reader, lpot_task *task, lpot_error *err) {
  unsigned kind = 0;
  bool has_recipe = false;
  LPOT_TRY(lpot_read_choice(reader, "task: kind", LPOT_NUM_TASK_KINDS, &kind, err));
  task->kind = (lpot_task_kind)kind;
  LPOT_TRY(lpot_reader_i64(reader, &task->first, err));
  LPOT_TRY(lpot_reader_i64(reader, &task->count, err));
  const int64_t limit = INT64_C(1) << 48;
  if (task->first < 0 || task->count < 0 || task->first > limit || task->count > limit) {
    return LPOT_FAIL(err, LPOT_FORMAT, "task: range %lld + %lld is out of bounds",
                     (long long)task->first, (long long)task->count);
  }
  if (task->kind == LPOT_TASK_CALIBRATE) {
    LPOT_TRY(lpot_read_bool(reader, "task: equalized", &task->equalized, err));
  }
  LPOT_TRY(lpot_read_bool(reader, "task: recipe flag", &has_recipe, err));
  if (has_recipe) {
    LPOT_TRY(lpot_recipe_read(reader, &task->recipe, err));
  }
  LPOT_TRY(lpot_read_bool(reader, "task: senses", &task->senses, err));
  LPOT_TRY(lpot_read_bool(reader, "task: held out", &task->held_out, err));
  LPOT_TRY(lpot_read_bool(reader, "task: raced", &task->raced, err));
  if (task->senses && (task->raced || task->recipe == NULL)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "task: it senses, in a race or without a recipe");
  }
  if (task->held_out && (task->raced || task->senses)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "task: of the part held out, in a race or to be sensed");
  }
  if (task->raced) {
    LPOT_TRY(read_race(reader, task, err));
    LPOT_TRY(lpot_bits_read(reader, &task->baseline, &task->num_bits, err));
  }
  LPOT_TRY(lpot_reader_end(reader, err));
  return LPOT_OK;
}

lpot_status lpot_task_read(lpot_reader *reader, lpot_task *task, lpot_error *err) {
  lpot_task fresh = {0};
  lpot_status status = read_task(reader, &fresh, err);
  if (status != LPOT_OK) {
    lpot_task_done(&fresh);
    return status;
  }
  lpot_task_done(task);
  *task = fresh;
  return LPOT_OK;
}

/* ---- OUTCOME ---- */

void lpot_outcome_init(lpot_outcome *outcome) {
  *outcome = (lpot_outcome){0};
}

void lpot_outcome_done(lpot_outcome *outcome) {
  for (size_t i = 0; i < outcome->num_states; i++) {
    lpot_metric_state_done(&outcome->states[i]);
  }
  lpot_free(outcome->states);
  lpot_free(outcome->correct);
  lpot_calibration_free(outcome->calibration);
  lpot_latency_done(&outcome->latency);
  lpot_op_times_done(&outcome->op_times);
  *outcome = (lpot_outcome){0};
}

static lpot_status write_states(const lpot_outcome *outcome, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, outcome->num_states, err));
  for (size_t i = 0; i < outcome->num_states; i++) {
    LPOT_TRY(lpot_metric_state_write(&outcome->states[i], out, err));
  }
  LPOT_TRY(lpot_bits_write(outcome->correct, outcome->num_bits, out, err));
  return LPOT_OK;
}

lpot_status lpot_outcome_write(const lpot_outcome *outcome, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)outcome->kind, err));
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)outcome->status, err));
  LPOT_TRY(lpot_writer_string(out, outcome->cause, err));
  LPOT_TRY(lpot_writer_f64(out, outcome->seconds, err));
  LPOT_TRY(lpot_writer_u64(out, outcome->recipe_hash, err));
  LPOT_TRY(lpot_writer_i64(out, outcome->first, err));
  LPOT_TRY(write_states(outcome, out, err));
  if (outcome->status == LPOT_OK && outcome->kind == LPOT_TASK_CALIBRATE) {
    LPOT_TRY(lpot_calibration_write(outcome->calibration, out, err));
  }
  if (outcome->status == LPOT_OK && outcome->kind == LPOT_TASK_LATENCY) {
    LPOT_TRY(lpot_latency_write(&outcome->latency, out, err));
  }
  if (outcome->status == LPOT_OK && outcome->kind == LPOT_TASK_OP_TIMES) {
    LPOT_TRY(lpot_op_times_write(&outcome->op_times, out, err));
  }
  if (outcome->status == LPOT_OK && outcome->kind == LPOT_TASK_FOOTPRINT) {
    LPOT_TRY(lpot_footprint_write(&outcome->footprint, out, err));
  }
  return LPOT_OK;
}

static lpot_status read_states(lpot_reader *reader, lpot_outcome *outcome, lpot_error *err) {
  uint64_t count = 0;
  LPOT_TRY(lpot_reader_u64(reader, &count, err));
  /* Each state has at least one byte, so a false count cannot make us allocate much. */
  if (count > MAX_STATES || count > lpot_reader_remaining(reader)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "outcome: %llu states, but %zu bytes follow",
                     (unsigned long long)count, lpot_reader_remaining(reader));
  }
  if (count > 0) {
    outcome->states = lpot_calloc((size_t)count, sizeof *outcome->states);
    if (outcome->states == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
  }
  for (size_t i = 0; i < (size_t)count; i++) {
    LPOT_TRY(lpot_metric_state_read(reader, &outcome->states[i], err));
    outcome->num_states++;
  }
  LPOT_TRY(lpot_bits_read(reader, &outcome->correct, &outcome->num_bits, err));
  return LPOT_OK;
}

static lpot_status read_outcome(lpot_reader *reader, lpot_outcome *outcome, lpot_error *err) {
  unsigned kind = 0;
  unsigned status = 0;
  LPOT_TRY(lpot_read_choice(reader, "outcome: kind", LPOT_NUM_TASK_KINDS, &kind, err));
  LPOT_TRY(lpot_read_choice(reader, "outcome: status", LPOT_NUM_STATUSES, &status, err));
  outcome->kind = (lpot_task_kind)kind;
  outcome->status = (lpot_status)status;
  LPOT_TRY(lpot_reader_string(reader, outcome->cause, sizeof outcome->cause, err));
  LPOT_TRY(lpot_reader_f64(reader, &outcome->seconds, err));
  LPOT_TRY(lpot_reader_u64(reader, &outcome->recipe_hash, err));
  LPOT_TRY(lpot_reader_i64(reader, &outcome->first, err));
  LPOT_TRY(read_states(reader, outcome, err));
  if (outcome->status == LPOT_OK && outcome->kind == LPOT_TASK_CALIBRATE) {
    LPOT_TRY(lpot_calibration_read(reader, &outcome->calibration, err));
  }
  if (outcome->status == LPOT_OK && outcome->kind == LPOT_TASK_LATENCY) {
    LPOT_TRY(lpot_latency_read(reader, &outcome->latency, err));
  }
  if (outcome->status == LPOT_OK && outcome->kind == LPOT_TASK_OP_TIMES) {
    LPOT_TRY(lpot_op_times_read(reader, &outcome->op_times, err));
  }
  if (outcome->status == LPOT_OK && outcome->kind == LPOT_TASK_FOOTPRINT) {
    LPOT_TRY(lpot_footprint_read(reader, &outcome->footprint, err));
  }
  LPOT_TRY(lpot_reader_end(reader, err));
  return LPOT_OK;
}

lpot_status lpot_outcome_read(lpot_reader *reader, lpot_outcome *outcome, lpot_error *err) {
  lpot_outcome fresh = {0};
  lpot_status status = read_outcome(reader, &fresh, err);
  if (status != LPOT_OK) {
    lpot_outcome_done(&fresh);
    return status;
  }
  lpot_outcome_done(outcome);
  *outcome = fresh;
  return LPOT_OK;
}

/* ---- CALIBRATION ---- */

lpot_status lpot_calibration_message_write(lpot_calibration_key key,
                                           const lpot_calibration *calibration, lpot_buffer *out,
                                           lpot_error *err) {
  LPOT_TRY(lpot_writer_i64(out, key.samples, err));
  LPOT_TRY(lpot_writer_u8(out, key.equalized, err));
  LPOT_TRY(lpot_calibration_write(calibration, out, err));
  return LPOT_OK;
}

lpot_status lpot_calibration_message_read(lpot_reader *reader, lpot_calibration_key *ret_key,
                                          lpot_calibration **ret_calibration, lpot_error *err) {
  lpot_calibration_key key = {0};
  LPOT_TRY(lpot_reader_i64(reader, &key.samples, err));
  if (key.samples <= 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "calibration: %lld samples, expected at least 1",
                     (long long)key.samples);
  }
  LPOT_TRY(lpot_read_bool(reader, "calibration: equalized", &key.equalized, err));
  lpot_calibration *calibration = NULL;
  LPOT_TRY(lpot_calibration_read(reader, &calibration, err));
  lpot_status status = lpot_reader_end(reader, err);
  if (status != LPOT_OK) {
    lpot_calibration_free(calibration);
    return status;
  }
  *ret_key = key;
  *ret_calibration = calibration;
  return LPOT_OK;
}
