#include "tune/op_times_record.h"

#include <math.h>

#include "base/memory.h"
#include "base/writer.h"
#include "tune/protocol.h"

#define MAX_OPS (1u << 20)
#define ROW_BYTES (8u * LPOT_NUM_COST_COLUMNS)

const lpot_cost_column lpot_cost_columns[LPOT_NUM_COST_COLUMNS] = {
    {"f32_us", offsetof(lpot_op_cost, f32_us)},
    {"int8_us", offsetof(lpot_op_cost, int8_us)},
    {"bf16_us", offsetof(lpot_op_cost, bf16_us)},
    {"quantize_us", offsetof(lpot_op_cost, quantize_us)},
    {"dequantize_us", offsetof(lpot_op_cost, dequantize_us)},
    {"to_bf16_us", offsetof(lpot_op_cost, to_bf16_us)},
    {"from_bf16_us", offsetof(lpot_op_cost, from_bf16_us)},
    {"spread", offsetof(lpot_op_cost, spread)},
};

const char *lpot_precision_text(lpot_precision precision) {
  static const char *const texts[LPOT_NUM_PRECISIONS] = {
      [LPOT_PRECISION_F32] = "f32", [LPOT_PRECISION_INT8] = "int8", [LPOT_PRECISION_BF16] = "bf16"};
  return texts[precision];
}

static const double unknown = (double)NAN;

lpot_status lpot_op_times_init(lpot_op_times *times, size_t num_ops, lpot_error *err) {
  *times = (lpot_op_times){.ops = lpot_calloc(num_ops, sizeof *times->ops), .batch = 1};
  if (times->ops == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  times->num_ops = num_ops;
  for (size_t i = 0; i < num_ops; i++) {
    times->ops[i] =
        (lpot_op_cost){unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown};
  }
  for (int i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    times->whole_us[i] = unknown;
    times->rest_us[i] = unknown;
  }
  return LPOT_OK;
}

void lpot_op_times_done(lpot_op_times *times) {
  lpot_free(times->ops);
  *times = (lpot_op_times){0};
}

/* ---- writing ---- */

static lpot_status write_ops(const lpot_op_times *times, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)times->num_ops, err));
  for (size_t i = 0; i < times->num_ops; i++) {
    for (size_t k = 0; k < LPOT_NUM_COST_COLUMNS; k++) {
      const char *row = (const char *)&times->ops[i];
      LPOT_TRY(lpot_writer_f64(out, *(const double *)(row + lpot_cost_columns[k].offset), err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_op_times_write(const lpot_op_times *times, lpot_buffer *out, lpot_error *err) {
  const char *const texts[] = {times->reason, times->cores, times->host, times->numeric_class};
  LPOT_TRY(write_ops(times, out, err));
  for (int i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    LPOT_TRY(lpot_writer_f64(out, times->whole_us[i], err));
    LPOT_TRY(lpot_writer_f64(out, times->rest_us[i], err));
  }
  LPOT_TRY(lpot_writer_i64(out, times->batch, err));
  LPOT_TRY(lpot_writer_u64(out, times->rounds, err));
  LPOT_TRY(lpot_writer_f64(out, times->seconds, err));
  LPOT_TRY(lpot_writer_u8(out, times->trusted, err));
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    LPOT_TRY(lpot_writer_string(out, texts[i], err));
  }
  return LPOT_OK;
}

/* ---- reading ---- */

static lpot_status read_time(lpot_reader *reader, double *ret, lpot_error *err) {
  double value = 0;
  LPOT_TRY(lpot_reader_f64(reader, &value, err));
  if (value < 0 || isinf(value)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "op times: %g, expected a time", value);
  }
  *ret = isnan(value) ? unknown : value;
  return LPOT_OK;
}

static lpot_status read_ops(lpot_reader *reader, lpot_op_times *times, lpot_error *err) {
  uint32_t count = 0;
  LPOT_TRY(lpot_reader_u32(reader, &count, err));
  if (count > MAX_OPS || count > lpot_reader_remaining(reader) / ROW_BYTES) {
    return LPOT_FAIL(err, LPOT_FORMAT, "op times: %u ops, but %zu bytes follow", (unsigned)count,
                     lpot_reader_remaining(reader));
  }
  LPOT_TRY(lpot_op_times_init(times, count, err));
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < LPOT_NUM_COST_COLUMNS; k++) {
      char *row = (char *)&times->ops[i];
      LPOT_TRY(read_time(reader, (double *)(row + lpot_cost_columns[k].offset), err));
    }
  }
  return LPOT_OK;
}

static lpot_status read_times(lpot_reader *reader, lpot_op_times *times, lpot_error *err) {
  LPOT_TRY(read_ops(reader, times, err));
  for (int i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    LPOT_TRY(read_time(reader, &times->whole_us[i], err));
    LPOT_TRY(read_time(reader, &times->rest_us[i], err));
  }
  LPOT_TRY(lpot_reader_i64(reader, &times->batch, err));
  if (times->batch < 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "op times: a batch of %lld", (long long)times->batch);
  }
  LPOT_TRY(lpot_reader_u64(reader, &times->rounds, err));
  LPOT_TRY(read_time(reader, &times->seconds, err));
  LPOT_TRY(lpot_read_bool(reader, "op times: trusted", &times->trusted, err));
  LPOT_TRY(lpot_reader_string(reader, times->reason, sizeof times->reason, err));
  LPOT_TRY(lpot_reader_string(reader, times->cores, sizeof times->cores, err));
  LPOT_TRY(lpot_reader_string(reader, times->host, sizeof times->host, err));
  LPOT_TRY(lpot_reader_string(reader, times->numeric_class, sizeof times->numeric_class, err));
  return LPOT_OK;
}

lpot_status lpot_op_times_read(lpot_reader *reader, lpot_op_times *ret, lpot_error *err) {
  lpot_op_times times = {0};
  lpot_status status = read_times(reader, &times, err);
  if (status != LPOT_OK) {
    lpot_op_times_done(&times);
    return status;
  }
  *ret = times;
  return LPOT_OK;
}
