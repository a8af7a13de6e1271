#include "tune/ledger.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/memory.h"
#include "base/writer.h"
#include "tune/config.h"

#define MAX_TEXT (4u << 20)  /* bytes of one text in a record */
#define MAX_ITEMS (1u << 20) /* ops, ranks or ranges in a record */

const char *lpot_trial_status_text(lpot_trial_status status) {
  static const char *const texts[] = {
#define X(name, text) text,
      LPOT_TRIAL_STATUS_LIST(X)
#undef X
  };
  return texts[status];
}

const char *lpot_verdict_text(lpot_verdict verdict) {
  static const char *const texts[] = {
#define X(name, text) text,
      LPOT_VERDICT_LIST(X)
#undef X
  };
  return texts[verdict];
}

const char *lpot_mishap_text(lpot_mishap mishap) {
  static const char *const texts[] = {
#define X(name, text) text,
      LPOT_MISHAP_LIST(X)
#undef X
  };
  return texts[mishap];
}

/* ---- life ---- */

static void header_done(lpot_ledger_header *header) {
  lpot_free(header->program_version);
  lpot_free(header->engine);
  lpot_free(header->numeric_class);
  lpot_free(header->model_path);
  lpot_free(header->config_name);
  lpot_free(header->folder);
  lpot_free(header->config_text);
  lpot_free(header->identity);
  for (size_t i = 0; i < header->num_ops; i++) {
    lpot_free(header->op_names != NULL ? header->op_names[i] : NULL);
    lpot_free(header->op_types != NULL ? header->op_types[i] : NULL);
  }
  lpot_free(header->op_names);
  lpot_free(header->op_types);
}

static void calibration_done(lpot_ledger_calibration *calibration) {
  for (size_t i = 0; i < calibration->num_ranges; i++) {
    lpot_free(calibration->ranges[i].value);
  }
  lpot_free(calibration->ranges);
}

void lpot_ledger_init(lpot_ledger *ledger) {
  *ledger = (lpot_ledger){0};
}

void lpot_ledger_done(lpot_ledger *ledger) {
  header_done(&ledger->header);
  for (size_t i = 0; i < ledger->num_sessions; i++) {
    lpot_free(ledger->sessions[i].ranks);
  }
  for (size_t i = 0; i < ledger->num_calibrations; i++) {
    calibration_done(&ledger->calibrations[i]);
  }
  for (size_t i = 0; i < ledger->num_results; i++) {
    lpot_recipe_free(ledger->results[i].recipe);
    lpot_free(ledger->results[i].correct);
  }
  for (size_t i = 0; i < ledger->num_trials; i++) {
    lpot_latency_done(&ledger->trials[i].latency);
  }
  lpot_op_times_done(&ledger->op_times);
  lpot_metric_state_done(&ledger->baseline.state);
  lpot_free(ledger->baseline.correct);
  lpot_hash_map_free(ledger->result_index);
  lpot_free(ledger->sessions);
  lpot_free(ledger->calibrations);
  lpot_free(ledger->results);
  lpot_free(ledger->trials);
  lpot_free(ledger->mishaps);
  for (size_t i = 0; i < ledger->num_senses; i++) {
    lpot_recipe_free(ledger->senses[i].recipe);
  }
  lpot_free(ledger->senses);
  for (size_t i = 0; i < ledger->num_holdouts; i++) {
    lpot_free(ledger->holdouts[i].correct);
  }
  lpot_free(ledger->holdouts);
  *ledger = (lpot_ledger){0};
}

/* ---- looking up ---- */

static bool is_pruned(const lpot_ledger_result *result) {
  return result->status == LPOT_TRIAL_PRUNED;
}

/* kind: "" for a whole result, "p" for one that is PRUNED, "s" for what was sensed, "h" for one on
 * the part held out. */
static void result_key(uint64_t recipe_hash, const char *kind, char key[24]) {
  snprintf(key, 24, "%016" PRIx64 "%s", recipe_hash, kind);
}

static size_t find(const lpot_ledger *ledger, uint64_t recipe_hash, const char *kind) {
  char key[24];
  int64_t index = 0;
  result_key(recipe_hash, kind, key);
  bool found = ledger->result_index != NULL && lpot_hash_map_get(ledger->result_index, key, &index);
  return found ? (size_t)index : SIZE_MAX;
}

static lpot_status index_result(lpot_ledger *ledger, uint64_t recipe_hash, const char *kind,
                                size_t index, lpot_error *err) {
  char key[24];
  result_key(recipe_hash, kind, key);
  if (ledger->result_index == NULL) {
    LPOT_TRY(lpot_hash_map_new(&ledger->result_index, err));
  }
  LPOT_TRY(lpot_hash_map_put(ledger->result_index, key, (int64_t)index, err));
  return LPOT_OK;
}

size_t lpot_ledger_find_result(const lpot_ledger *ledger, uint64_t recipe_hash, bool pruned) {
  return find(ledger, recipe_hash, pruned ? "p" : "");
}

size_t lpot_ledger_find_sense(const lpot_ledger *ledger, uint64_t recipe_hash) {
  return find(ledger, recipe_hash, "s");
}

const lpot_ledger_holdout *lpot_ledger_find_holdout(const lpot_ledger *ledger,
                                                    uint64_t recipe_hash) {
  size_t index = find(ledger, recipe_hash, "h");
  return index == SIZE_MAX ? NULL : &ledger->holdouts[index];
}

const lpot_ledger_holdout *lpot_ledger_chosen_holdout(const lpot_ledger *ledger) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, ledger->chosen);
  return trial == NULL
             ? NULL
             : lpot_ledger_find_holdout(ledger, lpot_ledger_result_of(ledger, trial)->recipe_hash);
}

bool lpot_ledger_holdout_loss(const lpot_ledger *ledger, const lpot_ledger_holdout *holdout,
                              lpot_paired_loss *ret) {
  const lpot_ledger_holdout *f32 = lpot_ledger_find_holdout(ledger, 0);
  return f32 != NULL && f32 != holdout && f32->num_bits == holdout->num_bits &&
         lpot_paired_compare(f32->correct, holdout->correct, f32->num_bits, ret);
}

const lpot_ledger_result *lpot_ledger_final_of(const lpot_ledger *ledger,
                                               const lpot_ledger_trial *trial) {
  const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
  size_t whole = lpot_ledger_find_result(ledger, result->recipe_hash, false);
  return whole == SIZE_MAX ? result : &ledger->results[whole];
}

double lpot_ledger_final_loss(const lpot_ledger *ledger, const lpot_ledger_trial *trial) {
  return lpot_relative_loss(ledger->header.higher_is_better, ledger->baseline.accuracy,
                            lpot_ledger_final_of(ledger, trial)->accuracy);
}

bool lpot_ledger_chosen_meets(const lpot_ledger *ledger) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, ledger->chosen);
  if (trial == NULL) {
    return false;
  }
  bool completed = lpot_ledger_result_of(ledger, trial)->status == LPOT_TRIAL_PRUNED;
  return trial->meets || (completed && ledger->verdict == LPOT_VERDICT_MET);
}

const lpot_ledger_trial *lpot_ledger_find_trial(const lpot_ledger *ledger, uint64_t id) {
  return id >= 1 && id <= ledger->num_trials ? &ledger->trials[id - 1] : NULL;
}

const lpot_ledger_result *lpot_ledger_result_of(const lpot_ledger *ledger,
                                                const lpot_ledger_trial *trial) {
  return &ledger->results[trial->result];
}

const lpot_ledger_result *lpot_ledger_exported_of(const lpot_ledger *ledger,
                                                  const lpot_ledger_trial *trial) {
  const lpot_recipe *recipe = lpot_ledger_result_of(ledger, trial)->recipe;
  if (lpot_recipe_num_bf16(recipe) == 0) {
    return NULL;
  }
  size_t index = lpot_ledger_find_result(ledger, lpot_recipe_exported_hash(recipe), false);
  return index == SIZE_MAX ? NULL : &ledger->results[index];
}

size_t lpot_ledger_num_speculative(const lpot_ledger *ledger) {
  const lpot_ledger_trial *chosen = lpot_ledger_find_trial(ledger, ledger->chosen);
  const lpot_ledger_result *exported =
      chosen == NULL ? NULL : lpot_ledger_exported_of(ledger, chosen);
  size_t count = 0;
  for (size_t i = 0; i < ledger->num_results; i++) {
    const lpot_ledger_result *result = &ledger->results[i];
    /* The other one of a recipe with two results completes or replays a trial. */
    size_t other = lpot_ledger_find_result(ledger, result->recipe_hash, !is_pruned(result));
    bool twin = other != SIZE_MAX && ledger->results[other].committed;
    count += result->committed || twin || result == exported ? 0 : 1;
  }
  return count;
}

/* ---- reading records ---- */

static lpot_status read_text(lpot_reader *reader, char **ret_text, lpot_error *err) {
  uint32_t length = 0;
  const uint8_t *bytes = NULL;
  LPOT_TRY(lpot_reader_u32(reader, &length, err));
  if (length > MAX_TEXT) {
    return LPOT_FAIL(err, LPOT_FORMAT, "text has %u bytes, at most %u are allowed",
                     (unsigned)length, MAX_TEXT);
  }
  LPOT_TRY(lpot_reader_bytes(reader, length, &bytes, err));
  char *text = lpot_calloc((size_t)length + 1, 1);
  if (text == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  memcpy(text, bytes, length);
  lpot_free(*ret_text);
  *ret_text = text;
  return LPOT_OK;
}

/* A count of items that have at least one byte each. */
static lpot_status read_count(lpot_reader *reader, const char *what, size_t *ret_count,
                              lpot_error *err) {
  uint32_t count = 0;
  LPOT_TRY(lpot_reader_u32(reader, &count, err));
  if (count > MAX_ITEMS || count > lpot_reader_remaining(reader)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%u %s, but %zu bytes follow", (unsigned)count, what,
                     lpot_reader_remaining(reader));
  }
  *ret_count = count;
  return LPOT_OK;
}

/* Room for one more item behind the count items of array; NULL when there is none. */
static void *grow(void *array, size_t count, size_t item_size) {
  bool full = count == 0 || (count & (count - 1)) == 0;
  return full ? lpot_realloc(array, count == 0 ? 1 : 2 * count, item_size) : array;
}

static lpot_status read_ops(lpot_reader *reader, lpot_ledger_header *header, lpot_error *err) {
  size_t count = 0;
  LPOT_TRY(read_count(reader, "ops", &count, err));
  header->op_names = lpot_calloc(count, sizeof *header->op_names);
  header->op_types = lpot_calloc(count, sizeof *header->op_types);
  if (header->op_names == NULL || header->op_types == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  header->num_ops = count;
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(read_text(reader, &header->op_names[i], err));
    LPOT_TRY(read_text(reader, &header->op_types[i], err));
  }
  return LPOT_OK;
}

static lpot_status apply_header(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  lpot_ledger_header *header = &ledger->header;
  uint32_t format = 0;
  if (ledger->has_header) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a second header");
  }
  LPOT_TRY(lpot_reader_u32(reader, &format, err));
  if (format != LPOT_JOURNAL_FORMAT) {
    return LPOT_FAIL(
        err, LPOT_FORMAT,
        "journal is of format %u, this program writes format %d: finish it with the program "
        "that began it, or choose another --workspace",
        (unsigned)format, LPOT_JOURNAL_FORMAT);
  }
  char **const texts[] = {&header->program_version, &header->engine,      &header->numeric_class,
                          &header->model_path,      &header->config_name, &header->folder,
                          &header->config_text,     &header->identity};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    LPOT_TRY(read_text(reader, texts[i], err));
  }
  LPOT_TRY(lpot_digest_read(reader, &header->model, err));
  LPOT_TRY(lpot_digest_read(reader, &header->manifest, err));
  LPOT_TRY(lpot_reader_u64(reader, &header->seed, err));
  LPOT_TRY(lpot_reader_u64(reader, &header->given_recipe, err));
  LPOT_TRY(lpot_read_bool(reader, "header: higher is better", &header->higher_is_better, err));
  LPOT_TRY(read_ops(reader, header, err));
  ledger->has_header = true;
  return LPOT_OK;
}

static lpot_status read_rank(lpot_reader *reader, int *ret_rank, lpot_error *err) {
  uint32_t rank = 0;
  LPOT_TRY(lpot_reader_u32(reader, &rank, err));
  if (rank > INT32_MAX) {
    return LPOT_FAIL(err, LPOT_FORMAT, "rank %u is out of range", (unsigned)rank);
  }
  *ret_rank = (int)rank;
  return LPOT_OK;
}

static lpot_status read_limits(lpot_reader *reader, lpot_ledger_session *session, lpot_error *err) {
  LPOT_TRY(lpot_reader_i64(reader, &session->max_trials, err));
  LPOT_TRY(lpot_reader_f64(reader, &session->timeout_seconds, err));
  if (session->max_trials < 1 || !(session->timeout_seconds >= 0)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "session: %" PRId64 " trials in %g s cannot be its limits",
                     session->max_trials, session->timeout_seconds);
  }
  return LPOT_OK;
}

static lpot_status apply_session(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  lpot_ledger_session *sessions =
      grow(ledger->sessions, ledger->num_sessions, sizeof *ledger->sessions);
  if (sessions == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  ledger->sessions = sessions;
  lpot_ledger_session *session = &sessions[ledger->num_sessions];
  *session = (lpot_ledger_session){0};
  ledger->num_sessions++;
  size_t count = 0;
  LPOT_TRY(lpot_reader_f64(reader, &session->start, err));
  LPOT_TRY(read_count(reader, "ranks", &count, err));
  session->ranks = lpot_calloc(count, sizeof *session->ranks);
  if (session->ranks == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  session->num_ranks = count;
  for (size_t i = 0; i < count; i++) {
    lpot_ledger_rank *rank = &session->ranks[i];
    LPOT_TRY(read_rank(reader, &rank->rank, err));
    LPOT_TRY(lpot_reader_string(reader, rank->host, sizeof rank->host, err));
    LPOT_TRY(lpot_reader_string(reader, rank->numeric_class, sizeof rank->numeric_class, err));
  }
  if (lpot_reader_remaining(reader) > 0) {
    LPOT_TRY(read_limits(reader, session, err));
  }
  return LPOT_OK;
}

static lpot_status apply_baseline(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  if (ledger->has_baseline) {
    return LPOT_FAIL(err, LPOT_FORMAT, "a second baseline");
  }
  LPOT_TRY(lpot_reader_f64(reader, &ledger->baseline.accuracy, err));
  LPOT_TRY(lpot_metric_state_read(reader, &ledger->baseline.state, err));
  LPOT_TRY(lpot_reader_f64(reader, &ledger->baseline.seconds, err));
  LPOT_TRY(lpot_bits_read(reader, &ledger->baseline.correct, &ledger->baseline.num_bits, err));
  ledger->has_baseline = true;
  return LPOT_OK;
}

static lpot_status apply_op_times(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  if (ledger->has_op_times) {
    return LPOT_FAIL(err, LPOT_FORMAT, "op times: a second record");
  }
  LPOT_TRY(lpot_op_times_read(reader, &ledger->op_times, err));
  ledger->has_op_times = true;
  ledger->op_times_trials = ledger->num_trials;
  if (ledger->op_times.num_ops != ledger->header.num_ops) {
    return LPOT_FAIL(err, LPOT_FORMAT, "op times: of %zu ops, the model has %zu",
                     ledger->op_times.num_ops, ledger->header.num_ops);
  }
  return LPOT_OK;
}

static lpot_status apply_calibration(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  lpot_ledger_calibration *calibrations =
      grow(ledger->calibrations, ledger->num_calibrations, sizeof *ledger->calibrations);
  if (calibrations == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  ledger->calibrations = calibrations;
  lpot_ledger_calibration *calibration = &calibrations[ledger->num_calibrations];
  *calibration = (lpot_ledger_calibration){0};
  ledger->num_calibrations++;
  size_t count = 0;
  LPOT_TRY(lpot_reader_i64(reader, &calibration->key.samples, err));
  LPOT_TRY(lpot_reader_u64(reader, &calibration->hash, err));
  LPOT_TRY(read_count(reader, "ranges", &count, err));
  calibration->ranges = lpot_calloc(count, sizeof *calibration->ranges);
  if (calibration->ranges == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  calibration->num_ranges = count;
  for (size_t i = 0; i < count; i++) {
    lpot_ledger_range *range = &calibration->ranges[i];
    LPOT_TRY(read_text(reader, &range->value, err));
    LPOT_TRY(lpot_reader_f32(reader, &range->minimum, err));
    LPOT_TRY(lpot_reader_f32(reader, &range->maximum, err));
    LPOT_TRY(lpot_reader_u64(reader, &range->total, err));
    LPOT_TRY(lpot_reader_u64(reader, &range->bad, err));
  }
  if (lpot_reader_remaining(reader) > 0) {
    LPOT_TRY(lpot_read_bool(reader, "calibration: equalized", &calibration->key.equalized, err));
  }
  return LPOT_OK;
}

static lpot_status read_result(lpot_reader *reader, lpot_ledger_result *result, lpot_error *err) {
  unsigned status = 0;
  LPOT_TRY(lpot_recipe_read(reader, &result->recipe, err));
  LPOT_TRY(lpot_read_choice(reader, "result: status", LPOT_NUM_TRIAL_STATUSES, &status, err));
  LPOT_TRY(lpot_reader_f64(reader, &result->accuracy, err));
  LPOT_TRY(lpot_reader_f64(reader, &result->interval.low, err));
  LPOT_TRY(lpot_reader_f64(reader, &result->interval.high, err));
  LPOT_TRY(lpot_reader_u64(reader, &result->samples, err));
  LPOT_TRY(lpot_reader_f64(reader, &result->seconds, err));
  LPOT_TRY(read_rank(reader, &result->rank, err));
  LPOT_TRY(lpot_reader_string(reader, result->host, sizeof result->host, err));
  LPOT_TRY(lpot_reader_string(reader, result->cause, sizeof result->cause, err));
  LPOT_TRY(lpot_bits_read(reader, &result->correct, &result->num_bits, err));
  result->status = (lpot_trial_status)status;
  return LPOT_OK;
}

static lpot_status apply_result(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  lpot_ledger_result *results = grow(ledger->results, ledger->num_results, sizeof *ledger->results);
  if (results == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  ledger->results = results;
  lpot_ledger_result *result = &results[ledger->num_results];
  *result = (lpot_ledger_result){0};
  ledger->num_results++;
  LPOT_TRY(read_result(reader, result, err));
  if (!ledger->has_header || result->recipe->num_ops != ledger->header.num_ops) {
    return LPOT_FAIL(err, LPOT_FORMAT, "result: its recipe has %zu ops, the model has %zu",
                     result->recipe->num_ops, ledger->header.num_ops);
  }
  uint64_t hash = lpot_recipe_hash(result->recipe);
  if (lpot_ledger_find_result(ledger, hash, is_pruned(result)) != SIZE_MAX) {
    return LPOT_FAIL(err, LPOT_FORMAT, "result: recipe %016llx has a result already",
                     (unsigned long long)hash);
  }
  result->recipe_hash = hash;
  const char *kind = is_pruned(result) ? "p" : "";
  LPOT_TRY(index_result(ledger, hash, kind, ledger->num_results - 1, err));
  return LPOT_OK;
}

static lpot_status read_trial(lpot_ledger *ledger, lpot_reader *reader, lpot_ledger_trial *trial,
                              lpot_error *err) {
  unsigned stage = 0;
  uint64_t hash = 0;
  bool pruned = false;
  LPOT_TRY(lpot_reader_u64(reader, &trial->id, err));
  LPOT_TRY(lpot_read_choice(reader, "commit: stage", LPOT_NUM_STAGES, &stage, err));
  LPOT_TRY(lpot_reader_u64(reader, &hash, err));
  LPOT_TRY(lpot_read_bool(reader, "commit: pruned", &pruned, err));
  LPOT_TRY(lpot_read_bool(reader, "commit: meets", &trial->meets, err));
  LPOT_TRY(lpot_reader_f64(reader, &trial->relative_loss, err));
  LPOT_TRY(lpot_reader_f64(reader, &trial->elapsed, err));
  LPOT_TRY(lpot_reader_u64(reader, &trial->size_bytes, err));
  LPOT_TRY(lpot_reader_u64(reader, &trial->reorders, err));
  trial->stage = (lpot_stage)stage;
  trial->result = lpot_ledger_find_result(ledger, hash, pruned);
  if (trial->result == SIZE_MAX || ledger->results[trial->result].committed) {
    return LPOT_FAIL(err, LPOT_FORMAT, "commit: recipe %016llx has no free result",
                     (unsigned long long)hash);
  }
  if (trial->id != ledger->num_trials + 1) {
    return LPOT_FAIL(err, LPOT_FORMAT, "commit: trial %llu, expected %zu",
                     (unsigned long long)trial->id, ledger->num_trials + 1);
  }
  return LPOT_OK;
}

static lpot_status apply_commit(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  lpot_ledger_trial trial = {0};
  LPOT_TRY(read_trial(ledger, reader, &trial, err));
  lpot_ledger_trial *trials = grow(ledger->trials, ledger->num_trials, sizeof *ledger->trials);
  if (trials == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  ledger->trials = trials;
  trials[ledger->num_trials] = trial;
  ledger->num_trials++;
  ledger->results[trial.result].committed = true;
  ledger->results[trial.result].trial = ledger->num_trials - 1;
  return LPOT_OK;
}

static lpot_status apply_measure(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  uint64_t id = 0;
  lpot_latency latency;
  LPOT_TRY(lpot_reader_u64(reader, &id, err));
  if (lpot_ledger_find_trial(ledger, id) == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "measure: there is no trial %llu", (unsigned long long)id);
  }
  LPOT_TRY(lpot_latency_read(reader, &latency, err));
  lpot_ledger_trial *trial = &ledger->trials[id - 1];
  lpot_latency_done(&trial->latency);
  trial->measured = true;
  trial->latency = latency;
  return LPOT_OK;
}

static lpot_status apply_footprint(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  uint64_t id = 0;
  lpot_footprint footprint;
  LPOT_TRY(lpot_reader_u64(reader, &id, err));
  LPOT_TRY(lpot_footprint_read(reader, &footprint, err));
  if (id == LPOT_NO_TRIAL) {
    ledger->f32_footprint = footprint;
    return LPOT_OK;
  }
  if (lpot_ledger_find_trial(ledger, id) == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "footprint: there is no trial %llu", (unsigned long long)id);
  }
  ledger->trials[id - 1].footprint = footprint;
  return LPOT_OK;
}

static lpot_status apply_mishap(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  lpot_ledger_mishap mishap = {0};
  unsigned kind = 0;
  LPOT_TRY(lpot_reader_f64(reader, &mishap.time, err));
  LPOT_TRY(lpot_read_choice(reader, "mishap: kind", LPOT_NUM_MISHAPS, &kind, err));
  LPOT_TRY(read_rank(reader, &mishap.rank, err));
  LPOT_TRY(lpot_reader_string(reader, mishap.host, sizeof mishap.host, err));
  LPOT_TRY(lpot_reader_u64(reader, &mishap.recipe_hash, err));
  LPOT_TRY(lpot_reader_string(reader, mishap.cause, sizeof mishap.cause, err));
  mishap.kind = (lpot_mishap)kind;
  lpot_ledger_mishap *mishaps = grow(ledger->mishaps, ledger->num_mishaps, sizeof *mishaps);
  if (mishaps == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  ledger->mishaps = mishaps;
  mishaps[ledger->num_mishaps] = mishap;
  ledger->num_mishaps++;
  return LPOT_OK;
}

size_t lpot_ledger_num_lost(const lpot_ledger *ledger) {
  double start = ledger->num_sessions > 0 ? ledger->sessions[ledger->num_sessions - 1].start : 0;
  size_t lost = 0;
  for (size_t i = 0; i < ledger->num_mishaps; i++) {
    const lpot_ledger_mishap *mishap = &ledger->mishaps[i];
    if (mishap->time >= start) {
      lost += mishap->kind == LPOT_MISHAP_LOSS ? 1 : 0;
      lost -= mishap->kind == LPOT_MISHAP_RETURN && lost > 0 ? 1 : 0;
    }
  }
  return lost;
}

bool lpot_ledger_is_uniform(const lpot_ledger *ledger) {
  for (size_t i = 0; i < ledger->num_sessions; i++) {
    const lpot_ledger_session *session = &ledger->sessions[i];
    for (size_t k = 0; k < session->num_ranks; k++) {
      if (strcmp(session->ranks[k].numeric_class, ledger->header.numeric_class) != 0) {
        return false;
      }
    }
  }
  return true;
}

static lpot_status apply_weights(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  if (ledger->num_sessions > 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "the range of weights changes behind the first start");
  }
  LPOT_TRY(lpot_read_bool(reader, "weights: reduced range", &ledger->reduce_range, err));
  return LPOT_OK;
}

static lpot_status read_sense(lpot_reader *reader, lpot_ledger_sense *sense, lpot_error *err) {
  LPOT_TRY(lpot_recipe_read(reader, &sense->recipe, err));
  LPOT_TRY(lpot_read_bool(reader, "sense: valid", &sense->valid, err));
  LPOT_TRY(lpot_reader_f64(reader, &sense->error, err));
  LPOT_TRY(lpot_reader_u64(reader, &sense->samples, err));
  LPOT_TRY(lpot_reader_f64(reader, &sense->seconds, err));
  LPOT_TRY(read_rank(reader, &sense->rank, err));
  LPOT_TRY(lpot_reader_string(reader, sense->host, sizeof sense->host, err));
  LPOT_TRY(lpot_reader_string(reader, sense->cause, sizeof sense->cause, err));
  sense->recipe_hash = lpot_recipe_hash(sense->recipe);
  return LPOT_OK;
}

static lpot_status check_sense(const lpot_ledger *ledger, const lpot_ledger_sense *sense,
                               lpot_error *err) {
  if (sense->recipe->num_ops != ledger->header.num_ops) {
    return LPOT_FAIL(err, LPOT_FORMAT, "sense: its recipe has %zu ops, the model has %zu",
                     sense->recipe->num_ops, ledger->header.num_ops);
  }
  if (sense->valid && !isfinite(sense->error)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "sense: its error is not a number");
  }
  if (lpot_ledger_find_sense(ledger, sense->recipe_hash) != SIZE_MAX) {
    return LPOT_FAIL(err, LPOT_FORMAT, "sense: recipe %016" PRIx64 " was sensed before",
                     sense->recipe_hash);
  }
  return LPOT_OK;
}

static lpot_status apply_sense(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  lpot_ledger_sense *senses = grow(ledger->senses, ledger->num_senses, sizeof *senses);
  if (senses == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  ledger->senses = senses;
  lpot_ledger_sense sense = {0};
  lpot_status status = read_sense(reader, &sense, err);
  if (status == LPOT_OK) {
    status = check_sense(ledger, &sense, err);
  }
  if (status == LPOT_OK) {
    status = index_result(ledger, sense.recipe_hash, "s", ledger->num_senses, err);
  }
  if (status != LPOT_OK) {
    lpot_recipe_free(sense.recipe);
    return status;
  }
  senses[ledger->num_senses] = sense;
  ledger->num_senses++;
  return LPOT_OK;
}

static lpot_status read_holdout(lpot_reader *reader, lpot_ledger_holdout *holdout,
                                lpot_error *err) {
  unsigned status = 0;
  LPOT_TRY(lpot_reader_u64(reader, &holdout->recipe_hash, err));
  LPOT_TRY(lpot_read_choice(reader, "holdout: status", LPOT_NUM_TRIAL_STATUSES, &status, err));
  holdout->status = (lpot_trial_status)status;
  LPOT_TRY(lpot_reader_f64(reader, &holdout->accuracy, err));
  LPOT_TRY(lpot_reader_f64(reader, &holdout->relative_loss, err));
  LPOT_TRY(lpot_read_bool(reader, "holdout: meets", &holdout->meets, err));
  LPOT_TRY(lpot_reader_u64(reader, &holdout->samples, err));
  LPOT_TRY(lpot_reader_f64(reader, &holdout->seconds, err));
  LPOT_TRY(read_rank(reader, &holdout->rank, err));
  LPOT_TRY(lpot_reader_string(reader, holdout->host, sizeof holdout->host, err));
  LPOT_TRY(lpot_reader_string(reader, holdout->cause, sizeof holdout->cause, err));
  LPOT_TRY(lpot_bits_read(reader, &holdout->correct, &holdout->num_bits, err));
  return LPOT_OK;
}

static lpot_status check_holdout(const lpot_ledger *ledger, const lpot_ledger_holdout *holdout,
                                 lpot_error *err) {
  if ((ledger->num_holdouts == 0) != (holdout->recipe_hash == 0)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "holdout: f32 is to be the first, and once");
  }
  if (lpot_ledger_find_holdout(ledger, holdout->recipe_hash) != NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "holdout: recipe %016" PRIx64 " has one already",
                     holdout->recipe_hash);
  }
  if (holdout->num_bits != 0 && holdout->num_bits != holdout->samples) {
    return LPOT_FAIL(err, LPOT_FORMAT, "holdout: %zu bits for %" PRIu64 " samples",
                     holdout->num_bits, holdout->samples);
  }
  return LPOT_OK;
}

static lpot_status apply_holdout(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  lpot_ledger_holdout *holdouts =
      grow(ledger->holdouts, ledger->num_holdouts, sizeof *ledger->holdouts);
  if (holdouts == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  ledger->holdouts = holdouts;
  lpot_ledger_holdout holdout = {0};
  lpot_status status = read_holdout(reader, &holdout, err);
  if (status == LPOT_OK) {
    status = check_holdout(ledger, &holdout, err);
  }
  if (status == LPOT_OK) {
    status = index_result(ledger, holdout.recipe_hash, "h", ledger->num_holdouts, err);
  }
  if (status != LPOT_OK) {
    lpot_free(holdout.correct);
    return status;
  }
  holdouts[ledger->num_holdouts] = holdout;
  ledger->num_holdouts++;
  return LPOT_OK;
}

static lpot_status apply_verdict(lpot_ledger *ledger, lpot_reader *reader, lpot_error *err) {
  unsigned verdict = 0;
  uint64_t chosen = 0;
  LPOT_TRY(lpot_read_choice(reader, "verdict", LPOT_NUM_VERDICTS, &verdict, err));
  LPOT_TRY(lpot_reader_u64(reader, &chosen, err));
  if (chosen != LPOT_NO_TRIAL && lpot_ledger_find_trial(ledger, chosen) == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "verdict: there is no trial %llu",
                     (unsigned long long)chosen);
  }
  ledger->verdict = (lpot_verdict)verdict;
  ledger->chosen = chosen;
  return LPOT_OK;
}

lpot_status lpot_ledger_apply(void *context, unsigned type, const uint8_t *payload, size_t size,
                              lpot_error *err) {
  static lpot_status (*const functions[LPOT_NUM_RECORDS])(lpot_ledger *, lpot_reader *,
                                                          lpot_error *) = {
      [LPOT_RECORD_HEADER] = apply_header,       [LPOT_RECORD_SESSION] = apply_session,
      [LPOT_RECORD_BASELINE] = apply_baseline,   [LPOT_RECORD_CALIBRATION] = apply_calibration,
      [LPOT_RECORD_RESULT] = apply_result,       [LPOT_RECORD_COMMIT] = apply_commit,
      [LPOT_RECORD_MEASURE] = apply_measure,     [LPOT_RECORD_VERDICT] = apply_verdict,
      [LPOT_RECORD_MISHAP] = apply_mishap,       [LPOT_RECORD_WEIGHTS] = apply_weights,
      [LPOT_RECORD_OP_TIMES] = apply_op_times,   [LPOT_RECORD_SENSE] = apply_sense,
      [LPOT_RECORD_FOOTPRINT] = apply_footprint, [LPOT_RECORD_HOLDOUT] = apply_holdout,
  };
  lpot_ledger *ledger = context;
  if (type >= LPOT_NUM_RECORDS || functions[type] == NULL) {
    return LPOT_FAIL(err, LPOT_FORMAT, "unknown record type %u", type);
  }
  if (type != LPOT_RECORD_HEADER && !ledger->has_header) {
    return LPOT_FAIL(err, LPOT_FORMAT, "record of type %u before the header", type);
  }
  lpot_reader reader;
  lpot_reader_init(&reader, payload, size);
  LPOT_TRY(functions[type](ledger, &reader, err));
  LPOT_TRY(lpot_reader_end(&reader, err));
  return LPOT_OK;
}
