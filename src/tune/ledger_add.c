/* New facts: records that go into the journal, and from there into the ledger. */
#include "tune/ledger.h"

#include "base/writer.h"

/* Appends and applies what a writer has put into out, and releases it. */
static lpot_status enter(lpot_ledger *ledger, lpot_journal *journal, lpot_record_type type,
                         lpot_buffer *out, lpot_status written, bool durable, lpot_error *err) {
  lpot_status status = written;
  if (status == LPOT_OK) {
    status = lpot_journal_append(journal, (unsigned)type, out->data, out->size, err);
  }
  if (status == LPOT_OK && durable) {
    status = lpot_journal_sync(journal, err);
  }
  if (status == LPOT_OK) {
    status = lpot_ledger_apply(ledger, (unsigned)type, out->data, out->size, err);
  }
  lpot_buffer_done(out);
  return status;
}

static lpot_status write_header(const lpot_ledger_header *header, lpot_buffer *out,
                                lpot_error *err) {
  LPOT_TRY(lpot_writer_u32(out, LPOT_JOURNAL_FORMAT, err));
  const char *const texts[] = {header->program_version, header->engine,      header->numeric_class,
                               header->model_path,      header->config_name, header->folder,
                               header->config_text,     header->identity};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    LPOT_TRY(lpot_writer_string(out, texts[i], err));
  }
  LPOT_TRY(lpot_digest_write(&header->model, out, err));
  LPOT_TRY(lpot_digest_write(&header->manifest, out, err));
  LPOT_TRY(lpot_writer_u64(out, header->seed, err));
  LPOT_TRY(lpot_writer_u64(out, header->given_recipe, err));
  LPOT_TRY(lpot_writer_u8(out, header->higher_is_better, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)header->num_ops, err));
  for (size_t i = 0; i < header->num_ops; i++) {
    LPOT_TRY(lpot_writer_string(out, header->op_names[i], err));
    LPOT_TRY(lpot_writer_string(out, header->op_types[i], err));
  }
  return LPOT_OK;
}

lpot_status lpot_ledger_add_header(lpot_ledger *ledger, lpot_journal *journal,
                                   const lpot_ledger_header *header, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_header(header, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_HEADER, &out, written, false, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_weights(lpot_ledger *ledger, lpot_journal *journal, bool reduce_range,
                                    lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = lpot_writer_u8(&out, reduce_range, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_WEIGHTS, &out, written, false, err));
  return LPOT_OK;
}

static lpot_status write_session(const lpot_ledger_session *session, lpot_buffer *out,
                                 lpot_error *err) {
  LPOT_TRY(lpot_writer_f64(out, session->start, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)session->num_ranks, err));
  for (size_t i = 0; i < session->num_ranks; i++) {
    LPOT_TRY(lpot_writer_u32(out, (uint32_t)session->ranks[i].rank, err));
    LPOT_TRY(lpot_writer_string(out, session->ranks[i].host, err));
    LPOT_TRY(lpot_writer_string(out, session->ranks[i].numeric_class, err));
  }
  if (session->max_trials > 0) {
    LPOT_TRY(lpot_writer_i64(out, session->max_trials, err));
    LPOT_TRY(lpot_writer_f64(out, session->timeout_seconds, err));
  }
  return LPOT_OK;
}

lpot_status lpot_ledger_add_session(lpot_ledger *ledger, lpot_journal *journal,
                                    const lpot_ledger_session *session, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_session(session, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_SESSION, &out, written, true, err));
  return LPOT_OK;
}

static lpot_status write_baseline(const lpot_ledger_baseline *baseline, lpot_buffer *out,
                                  lpot_error *err) {
  LPOT_TRY(lpot_writer_f64(out, baseline->accuracy, err));
  LPOT_TRY(lpot_metric_state_write(&baseline->state, out, err));
  LPOT_TRY(lpot_writer_f64(out, baseline->seconds, err));
  LPOT_TRY(lpot_bits_write(baseline->correct, baseline->num_bits, out, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_baseline(lpot_ledger *ledger, lpot_journal *journal,
                                     const lpot_ledger_baseline *baseline, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_baseline(baseline, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_BASELINE, &out, written, true, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_op_times(lpot_ledger *ledger, lpot_journal *journal,
                                     const lpot_op_times *times, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = lpot_op_times_write(times, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_OP_TIMES, &out, written, true, err));
  return LPOT_OK;
}

static lpot_status write_calibration(const lpot_ledger_calibration *calibration, lpot_buffer *out,
                                     lpot_error *err) {
  LPOT_TRY(lpot_writer_i64(out, calibration->key.samples, err));
  LPOT_TRY(lpot_writer_u64(out, calibration->hash, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)calibration->num_ranges, err));
  for (size_t i = 0; i < calibration->num_ranges; i++) {
    const lpot_ledger_range *range = &calibration->ranges[i];
    LPOT_TRY(lpot_writer_string(out, range->value, err));
    LPOT_TRY(lpot_writer_f32(out, range->minimum, err));
    LPOT_TRY(lpot_writer_f32(out, range->maximum, err));
    LPOT_TRY(lpot_writer_u64(out, range->total, err));
    LPOT_TRY(lpot_writer_u64(out, range->bad, err));
  }
  if (calibration->key.equalized) {
    LPOT_TRY(lpot_writer_u8(out, 1, err));
  }
  return LPOT_OK;
}

lpot_status lpot_ledger_add_calibration(lpot_ledger *ledger, lpot_journal *journal,
                                        const lpot_ledger_calibration *calibration,
                                        lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_calibration(calibration, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_CALIBRATION, &out, written, false, err));
  return LPOT_OK;
}

static lpot_status write_result(const lpot_ledger_result *result, lpot_buffer *out,
                                lpot_error *err) {
  LPOT_TRY(lpot_recipe_write(result->recipe, out, err));
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)result->status, err));
  LPOT_TRY(lpot_writer_f64(out, result->accuracy, err));
  LPOT_TRY(lpot_writer_f64(out, result->interval.low, err));
  LPOT_TRY(lpot_writer_f64(out, result->interval.high, err));
  LPOT_TRY(lpot_writer_u64(out, result->samples, err));
  LPOT_TRY(lpot_writer_f64(out, result->seconds, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)result->rank, err));
  LPOT_TRY(lpot_writer_string(out, result->host, err));
  LPOT_TRY(lpot_writer_string(out, result->cause, err));
  LPOT_TRY(lpot_bits_write(result->correct, result->num_bits, out, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_result(lpot_ledger *ledger, lpot_journal *journal,
                                   const lpot_ledger_result *result, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_result(result, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_RESULT, &out, written, false, err));
  return LPOT_OK;
}

static lpot_status write_commit(const lpot_ledger *ledger, const lpot_ledger_trial *trial,
                                lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, trial->id, err));
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)trial->stage, err));
  LPOT_TRY(lpot_writer_u64(out, ledger->results[trial->result].recipe_hash, err));
  LPOT_TRY(lpot_writer_u8(out, ledger->results[trial->result].status == LPOT_TRIAL_PRUNED, err));
  LPOT_TRY(lpot_writer_u8(out, trial->meets, err));
  LPOT_TRY(lpot_writer_f64(out, trial->relative_loss, err));
  LPOT_TRY(lpot_writer_f64(out, trial->elapsed, err));
  LPOT_TRY(lpot_writer_u64(out, trial->size_bytes, err));
  LPOT_TRY(lpot_writer_u64(out, trial->reorders, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_commit(lpot_ledger *ledger, lpot_journal *journal,
                                   const lpot_ledger_trial *trial, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_commit(ledger, trial, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_COMMIT, &out, written, false, err));
  return LPOT_OK;
}

static lpot_status write_measure(uint64_t id, const lpot_latency *latency, lpot_buffer *out,
                                 lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, id, err));
  LPOT_TRY(lpot_latency_write(latency, out, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_measure(lpot_ledger *ledger, lpot_journal *journal, uint64_t id,
                                    const lpot_latency *latency, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_measure(id, latency, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_MEASURE, &out, written, true, err));
  return LPOT_OK;
}

static lpot_status write_footprint(uint64_t id, const lpot_footprint *footprint, lpot_buffer *out,
                                   lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, id, err));
  LPOT_TRY(lpot_footprint_write(footprint, out, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_footprint(lpot_ledger *ledger, lpot_journal *journal, uint64_t id,
                                      const lpot_footprint *footprint, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_footprint(id, footprint, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_FOOTPRINT, &out, written, true, err));
  return LPOT_OK;
}

static lpot_status write_mishap(const lpot_ledger_mishap *mishap, lpot_buffer *out,
                                lpot_error *err) {
  LPOT_TRY(lpot_writer_f64(out, mishap->time, err));
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)mishap->kind, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)mishap->rank, err));
  LPOT_TRY(lpot_writer_string(out, mishap->host, err));
  LPOT_TRY(lpot_writer_u64(out, mishap->recipe_hash, err));
  LPOT_TRY(lpot_writer_string(out, mishap->cause, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_mishap(lpot_ledger *ledger, lpot_journal *journal,
                                   const lpot_ledger_mishap *mishap, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_mishap(mishap, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_MISHAP, &out, written, false, err));
  return LPOT_OK;
}

static lpot_status write_sense(const lpot_ledger_sense *sense, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_recipe_write(sense->recipe, out, err));
  LPOT_TRY(lpot_writer_u8(out, sense->valid, err));
  LPOT_TRY(lpot_writer_f64(out, sense->error, err));
  LPOT_TRY(lpot_writer_u64(out, sense->samples, err));
  LPOT_TRY(lpot_writer_f64(out, sense->seconds, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)sense->rank, err));
  LPOT_TRY(lpot_writer_string(out, sense->host, err));
  LPOT_TRY(lpot_writer_string(out, sense->cause, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_sense(lpot_ledger *ledger, lpot_journal *journal,
                                  const lpot_ledger_sense *sense, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_sense(sense, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_SENSE, &out, written, false, err));
  return LPOT_OK;
}

static lpot_status write_holdout(const lpot_ledger_holdout *holdout, lpot_buffer *out,
                                 lpot_error *err) {
  LPOT_TRY(lpot_writer_u64(out, holdout->recipe_hash, err));
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)holdout->status, err));
  LPOT_TRY(lpot_writer_f64(out, holdout->accuracy, err));
  LPOT_TRY(lpot_writer_f64(out, holdout->relative_loss, err));
  LPOT_TRY(lpot_writer_u8(out, holdout->meets, err));
  LPOT_TRY(lpot_writer_u64(out, holdout->samples, err));
  LPOT_TRY(lpot_writer_f64(out, holdout->seconds, err));
  LPOT_TRY(lpot_writer_u32(out, (uint32_t)holdout->rank, err));
  LPOT_TRY(lpot_writer_string(out, holdout->host, err));
  LPOT_TRY(lpot_writer_string(out, holdout->cause, err));
  LPOT_TRY(lpot_bits_write(holdout->correct, holdout->num_bits, out, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_holdout(lpot_ledger *ledger, lpot_journal *journal,
                                    const lpot_ledger_holdout *holdout, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_holdout(holdout, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_HOLDOUT, &out, written, true, err));
  return LPOT_OK;
}

static lpot_status write_verdict(lpot_verdict verdict, uint64_t chosen, lpot_buffer *out,
                                 lpot_error *err) {
  LPOT_TRY(lpot_writer_u8(out, (uint8_t)verdict, err));
  LPOT_TRY(lpot_writer_u64(out, chosen, err));
  return LPOT_OK;
}

lpot_status lpot_ledger_add_verdict(lpot_ledger *ledger, lpot_journal *journal,
                                    lpot_verdict verdict, uint64_t chosen, lpot_error *err) {
  lpot_buffer out;
  lpot_buffer_init(&out);
  lpot_status written = write_verdict(verdict, chosen, &out, err);
  LPOT_TRY(enter(ledger, journal, LPOT_RECORD_VERDICT, &out, written, true, err));
  return LPOT_OK;
}
