#include "tune/latency_record.h"

#include "base/memory.h"
#include "base/writer.h"
#include "tune/protocol.h"

void lpot_latency_done(lpot_latency *latency) {
  lpot_free(latency->rounds);
  *latency = (lpot_latency){0};
}

/* ---- writing ---- */

static lpot_status write_round(const lpot_latency_round *round, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u32(out, round->number, err));
  LPOT_TRY(lpot_writer_u32(out, round->window, err));
  LPOT_TRY(lpot_writer_f64(out, round->f32_ms, err));
  LPOT_TRY(lpot_writer_f64(out, round->recipe_ms, err));
  LPOT_TRY(lpot_writer_u32(out, round->switches, err));
  LPOT_TRY(lpot_writer_f32(out, round->cpu_share, err));
  LPOT_TRY(lpot_writer_f32(out, round->steal, err));
  LPOT_TRY(lpot_writer_f32(out, round->neighbours, err));
  LPOT_TRY(lpot_writer_f32(out, round->crowding, err));
  LPOT_TRY(lpot_writer_u32(out, round->frequency_khz, err));
  LPOT_TRY(lpot_writer_u8(out, round->flags, err));
  return LPOT_OK;
}

lpot_status lpot_latency_write(const lpot_latency *latency, lpot_buffer *out, lpot_error *err) {
  const double values[] = {latency->recipe_ms, latency->recipe_low_ms, latency->recipe_high_ms,
                           latency->f32_ms,    latency->f32_low_ms,    latency->f32_high_ms,
                           latency->speedup,   latency->speedup_low,   latency->speedup_high,
                           latency->load,      latency->seconds};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    LPOT_TRY(lpot_writer_f64(out, values[i], err));
  }
  LPOT_TRY(lpot_writer_u64(out, latency->counted, err));
  LPOT_TRY(lpot_writer_u64(out, latency->dropped, err));
  LPOT_TRY(lpot_writer_u32(out, latency->attempts, err));
  LPOT_TRY(lpot_writer_u8(out, latency->trusted, err));
  LPOT_TRY(lpot_writer_u8(out, latency->cold, err));
  LPOT_TRY(lpot_writer_string(out, latency->reason, err));
  LPOT_TRY(lpot_writer_string(out, latency->estimator, err));
  LPOT_TRY(lpot_writer_string(out, latency->governor, err));
  LPOT_TRY(lpot_writer_string(out, latency->cores, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)latency->num_rounds, err));
  for (size_t i = 0; i < latency->num_rounds; i++) {
    LPOT_TRY(write_round(&latency->rounds[i], out, err));
  }
  return LPOT_OK;
}

/* ---- reading ---- */

static lpot_status read_round(lpot_reader *reader, lpot_latency_round *round, lpot_error *err) {
  LPOT_TRY(lpot_reader_u32(reader, &round->number, err));
  LPOT_TRY(lpot_reader_u32(reader, &round->window, err));
  LPOT_TRY(lpot_reader_f64(reader, &round->f32_ms, err));
  LPOT_TRY(lpot_reader_f64(reader, &round->recipe_ms, err));
  LPOT_TRY(lpot_reader_u32(reader, &round->switches, err));
  LPOT_TRY(lpot_reader_f32(reader, &round->cpu_share, err));
  LPOT_TRY(lpot_reader_f32(reader, &round->steal, err));
  LPOT_TRY(lpot_reader_f32(reader, &round->neighbours, err));
  LPOT_TRY(lpot_reader_f32(reader, &round->crowding, err));
  LPOT_TRY(lpot_reader_u32(reader, &round->frequency_khz, err));
  LPOT_TRY(lpot_reader_u8(reader, &round->flags, err));
  return LPOT_OK;
}

static lpot_status read_rounds(lpot_reader *reader, lpot_latency *latency, lpot_error *err) {
  uint32_t count = 0;
  LPOT_TRY(lpot_reader_u32(reader, &count, err));
  if (count > LPOT_MAX_LATENCY_ROUNDS) {
    return LPOT_FAIL(err, LPOT_FORMAT, "latency: %u rounds, expected at most %d", (unsigned)count,
                     LPOT_MAX_LATENCY_ROUNDS);
  }
  latency->rounds = lpot_calloc(count, sizeof *latency->rounds);
  if (latency->rounds == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  latency->num_rounds = count;
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(read_round(reader, &latency->rounds[i], err));
  }
  return LPOT_OK;
}

static lpot_status read_latency(lpot_reader *reader, lpot_latency *latency, lpot_error *err) {
  double *const values[] = {&latency->recipe_ms, &latency->recipe_low_ms, &latency->recipe_high_ms,
                            &latency->f32_ms,    &latency->f32_low_ms,    &latency->f32_high_ms,
                            &latency->speedup,   &latency->speedup_low,   &latency->speedup_high,
                            &latency->load,      &latency->seconds};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    LPOT_TRY(lpot_reader_f64(reader, values[i], err));
  }
  LPOT_TRY(lpot_reader_u64(reader, &latency->counted, err));
  LPOT_TRY(lpot_reader_u64(reader, &latency->dropped, err));
  LPOT_TRY(lpot_reader_u32(reader, &latency->attempts, err));
  LPOT_TRY(lpot_read_bool(reader, "latency: trusted", &latency->trusted, err));
  LPOT_TRY(lpot_read_bool(reader, "latency: cold", &latency->cold, err));
  LPOT_TRY(lpot_reader_string(reader, latency->reason, sizeof latency->reason, err));
  LPOT_TRY(lpot_reader_string(reader, latency->estimator, sizeof latency->estimator, err));
  LPOT_TRY(lpot_reader_string(reader, latency->governor, sizeof latency->governor, err));
  LPOT_TRY(lpot_reader_string(reader, latency->cores, sizeof latency->cores, err));
  LPOT_TRY(read_rounds(reader, latency, err));
  return LPOT_OK;
}

lpot_status lpot_latency_read(lpot_reader *reader, lpot_latency *ret, lpot_error *err) {
  lpot_latency latency = {0};
  lpot_status status = read_latency(reader, &latency, err);
  if (status != LPOT_OK) {
    lpot_latency_done(&latency);
    return status;
  }
  *ret = latency;
  return LPOT_OK;
}
