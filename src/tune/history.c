#include "tune/history.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <hdf5.h>

#include "base/bits.h"
#include "base/memory.h"
#include "base/text.h"
#include "tune/history_parts.h"
#include "tune/history_pieces.h"
#include "tune/pareto.h"

#define FORMAT_VERSION 2
#define NAME_SIZE 128 /* bytes of a name of an op or a value in the file */
#define CAUSE_SIZE 256

#define NUM_SPECS(specs) (sizeof(specs) / sizeof((specs)[0]))

/* ---- /trials ---- */

typedef struct trial_row {
  uint64_t id;
  uint8_t stage;
  uint64_t recipe_hash;
  uint8_t status;
  double accuracy, relative_loss;
  uint64_t samples;
  uint8_t meets;
  double latency_ms, latency_low_ms, latency_high_ms;
  uint64_t size_bytes;
  double seconds;
  int32_t rank;
  char host[LPOT_HOST_SIZE];
  double f32_latency_ms;
  uint8_t latency_trusted;
  double speedup, speedup_low, speedup_high;
  uint64_t reorders;
  int64_t calibration_samples;
  uint8_t scale_propagation_concat;
  uint8_t bias_correction, cross_layer_equalization;
  double accuracy_low, accuracy_high;
  uint64_t footprint_bytes;
  char cause[CAUSE_SIZE];
} trial_row;

static const char *stage_text(int value) {
  return lpot_stage_text((lpot_stage)value);
}

static const char *status_text(int value) {
  return lpot_trial_status_text((lpot_trial_status)value);
}

static const lpot_hdf5_member trial_members[] = {
    {"id", offsetof(trial_row, id), 'u', 0, NULL},
    {"stage", offsetof(trial_row, stage), 'e', LPOT_NUM_STAGES, stage_text},
    {"recipe_hash", offsetof(trial_row, recipe_hash), 'u', 0, NULL},
    {"status", offsetof(trial_row, status), 'e', LPOT_NUM_TRIAL_STATUSES, status_text},
    {"accuracy", offsetof(trial_row, accuracy), 'd', 0, NULL},
    {"relative_loss", offsetof(trial_row, relative_loss), 'd', 0, NULL},
    {"samples", offsetof(trial_row, samples), 'u', 0, NULL},
    {"meets", offsetof(trial_row, meets), 'b', 0, NULL},
    {"latency_ms", offsetof(trial_row, latency_ms), 'd', 0, NULL},
    {"latency_low_ms", offsetof(trial_row, latency_low_ms), 'd', 0, NULL},
    {"latency_high_ms", offsetof(trial_row, latency_high_ms), 'd', 0, NULL},
    {"size_bytes", offsetof(trial_row, size_bytes), 'u', 0, NULL},
    {"seconds", offsetof(trial_row, seconds), 'd', 0, NULL},
    {"rank", offsetof(trial_row, rank), 'r', 0, NULL},
    {"host", offsetof(trial_row, host), 's', LPOT_HOST_SIZE, NULL},
    {"f32_latency_ms", offsetof(trial_row, f32_latency_ms), 'd', 0, NULL},
    {"latency_trusted", offsetof(trial_row, latency_trusted), 'b', 0, NULL},
    {"speedup", offsetof(trial_row, speedup), 'd', 0, NULL},
    {"speedup_low", offsetof(trial_row, speedup_low), 'd', 0, NULL},
    {"speedup_high", offsetof(trial_row, speedup_high), 'd', 0, NULL},
    {"reorders", offsetof(trial_row, reorders), 'u', 0, NULL},
    {"calibration_samples", offsetof(trial_row, calibration_samples), 'i', 0, NULL},
    {"scale_propagation_concat", offsetof(trial_row, scale_propagation_concat), 'b', 0, NULL},
    {"bias_correction", offsetof(trial_row, bias_correction), 'b', 0, NULL},
    {"cross_layer_equalization", offsetof(trial_row, cross_layer_equalization), 'b', 0, NULL},
    {"accuracy_low", offsetof(trial_row, accuracy_low), 'd', 0, NULL},
    {"accuracy_high", offsetof(trial_row, accuracy_high), 'd', 0, NULL},
    {"footprint_bytes", offsetof(trial_row, footprint_bytes), 'u', 0, NULL},
    {"cause", offsetof(trial_row, cause), 's', CAUSE_SIZE, NULL},
};

static void fill_trial(const lpot_ledger *ledger, const lpot_ledger_trial *trial, trial_row *row) {
  const lpot_ledger_result *result = lpot_ledger_result_of(ledger, trial);
  const lpot_corrections *corrections = &result->recipe->corrections;
  const double unknown = (double)NAN;
  *row = (trial_row){.id = trial->id,
                     .stage = (uint8_t)trial->stage,
                     .recipe_hash = result->recipe_hash,
                     .status = (uint8_t)result->status,
                     .accuracy = result->accuracy,
                     .relative_loss = trial->relative_loss,
                     .samples = result->samples,
                     .meets = trial->meets,
                     .latency_ms = trial->measured ? trial->latency.recipe_ms : unknown,
                     .latency_low_ms = trial->measured ? trial->latency.recipe_low_ms : unknown,
                     .latency_high_ms = trial->measured ? trial->latency.recipe_high_ms : unknown,
                     .size_bytes = trial->size_bytes,
                     .seconds = result->seconds,
                     .rank = result->rank,
                     .f32_latency_ms = trial->measured ? trial->latency.f32_ms : unknown,
                     .latency_trusted = trial->measured && trial->latency.trusted,
                     .speedup = trial->measured ? trial->latency.speedup : unknown,
                     .speedup_low = trial->measured ? trial->latency.speedup_low : unknown,
                     .speedup_high = trial->measured ? trial->latency.speedup_high : unknown,
                     .reorders = trial->reorders,
                     .calibration_samples = result->recipe->calibration_samples,
                     .scale_propagation_concat = result->recipe->scale_propagation_concat,
                     .bias_correction = corrections->bias_correction,
                     .cross_layer_equalization = corrections->cross_layer_equalization,
                     .accuracy_low = result->interval.low,
                     .accuracy_high = result->interval.high,
                     .footprint_bytes = trial->footprint.bytes};
  lpot_text_copy(row->host, sizeof row->host, result->host);
  lpot_text_copy(row->cause, sizeof row->cause, result->cause);
}

static lpot_status put_trials(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  trial_row *rows = lpot_calloc(ledger->num_trials, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < ledger->num_trials; i++) {
    fill_trial(ledger, &ledger->trials[i], &rows[i]);
  }
  lpot_status status = lpot_hdf5_put_table(file, "trials", trial_members, NUM_SPECS(trial_members),
                                           sizeof *rows, rows, ledger->num_trials, err);
  lpot_free(rows);
  return status;
}

/* ---- /pareto ---- */

typedef struct pareto_row {
  uint64_t trial;
  double accuracy, latency_ms, speedup, speedup_low, speedup_high;
  uint8_t latency_trusted;
  uint64_t size_bytes, footprint_bytes;
  uint8_t meets;
} pareto_row;

static void fill_pareto(const lpot_ledger *ledger, uint64_t id, pareto_row *row) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, id);
  trial_row all;
  fill_trial(ledger, trial, &all);
  *row = (pareto_row){.trial = id,
                      .accuracy = lpot_ledger_final_of(ledger, trial)->accuracy,
                      .latency_ms = all.latency_ms,
                      .speedup = all.speedup,
                      .speedup_low = all.speedup_low,
                      .speedup_high = all.speedup_high,
                      .latency_trusted = all.latency_trusted,
                      .size_bytes = all.size_bytes,
                      .footprint_bytes = all.footprint_bytes,
                      .meets = all.meets};
}

static lpot_status put_pareto(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"trial", offsetof(pareto_row, trial), 'u', 0, NULL},
      {"accuracy", offsetof(pareto_row, accuracy), 'd', 0, NULL},
      {"latency_ms", offsetof(pareto_row, latency_ms), 'd', 0, NULL},
      {"speedup", offsetof(pareto_row, speedup), 'd', 0, NULL},
      {"speedup_low", offsetof(pareto_row, speedup_low), 'd', 0, NULL},
      {"speedup_high", offsetof(pareto_row, speedup_high), 'd', 0, NULL},
      {"latency_trusted", offsetof(pareto_row, latency_trusted), 'b', 0, NULL},
      {"size_bytes", offsetof(pareto_row, size_bytes), 'u', 0, NULL},
      {"footprint_bytes", offsetof(pareto_row, footprint_bytes), 'u', 0, NULL},
      {"meets", offsetof(pareto_row, meets), 'b', 0, NULL},
  };
  lpot_pareto_row *front = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_pareto_of(ledger, &front, &count, err));
  pareto_row *rows = lpot_calloc(count, sizeof *rows);
  for (size_t i = 0; rows != NULL && i < count; i++) {
    fill_pareto(ledger, front[i].trial, &rows[i]);
  }
  lpot_free(front);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = lpot_hdf5_put_table(file, "pareto", members, NUM_SPECS(members),
                                           sizeof *rows, rows, count, err);
  lpot_free(rows);
  return status;
}

/* ---- /latency ---- */

typedef struct round_row {
  uint32_t round, window;
  double f32_ms, recipe_ms;
  uint32_t switches;
  float cpu_share, steal, neighbours, crowding;
  uint32_t frequency_khz;
  uint8_t kept, switched, stolen, crowded, slow, unsteady, disturbed_window;
} round_row;

static void fill_round(const lpot_latency_round *round, round_row *row) {
  *row = (round_row){.round = round->number,
                     .window = round->window,
                     .f32_ms = round->f32_ms,
                     .recipe_ms = round->recipe_ms,
                     .switches = round->switches,
                     .cpu_share = round->cpu_share,
                     .steal = round->steal,
                     .neighbours = round->neighbours,
                     .crowding = round->crowding,
                     .frequency_khz = round->frequency_khz,
                     .kept = (round->flags & LPOT_ROUND_KEPT) != 0,
                     .switched = (round->flags & LPOT_ROUND_SWITCHED) != 0,
                     .stolen = (round->flags & LPOT_ROUND_STOLEN) != 0,
                     .crowded = (round->flags & LPOT_ROUND_CROWDED) != 0,
                     .slow = (round->flags & LPOT_ROUND_SLOW) != 0,
                     .unsteady = (round->flags & LPOT_ROUND_UNSTEADY) != 0,
                     .disturbed_window = (round->flags & LPOT_ROUND_NEIGHBOURS) != 0};
}

static lpot_status put_rounds(hid_t group, const char *name, const lpot_latency *latency,
                              lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"round", offsetof(round_row, round), 'n', 0, NULL},
      {"window", offsetof(round_row, window), 'n', 0, NULL},
      {"f32_ms", offsetof(round_row, f32_ms), 'd', 0, NULL},
      {"recipe_ms", offsetof(round_row, recipe_ms), 'd', 0, NULL},
      {"involuntary_switches", offsetof(round_row, switches), 'n', 0, NULL},
      {"cpu_share", offsetof(round_row, cpu_share), 'f', 0, NULL},
      {"steal", offsetof(round_row, steal), 'f', 0, NULL},
      {"neighbours", offsetof(round_row, neighbours), 'f', 0, NULL},
      {"crowding", offsetof(round_row, crowding), 'f', 0, NULL},
      {"frequency_khz", offsetof(round_row, frequency_khz), 'n', 0, NULL},
      {"kept", offsetof(round_row, kept), 'b', 0, NULL},
      {"switched", offsetof(round_row, switched), 'b', 0, NULL},
      {"stolen", offsetof(round_row, stolen), 'b', 0, NULL},
      {"crowded", offsetof(round_row, crowded), 'b', 0, NULL},
      {"slow", offsetof(round_row, slow), 'b', 0, NULL},
      {"unsteady_window", offsetof(round_row, unsteady), 'b', 0, NULL},
      {"disturbed_window", offsetof(round_row, disturbed_window), 'b', 0, NULL},
  };
  round_row *rows = lpot_calloc(latency->num_rounds, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < latency->num_rounds; i++) {
    fill_round(&latency->rounds[i], &rows[i]);
  }
  lpot_status status = lpot_hdf5_put_table(group, name, members, NUM_SPECS(members), sizeof *rows,
                                           rows, latency->num_rounds, err);
  lpot_free(rows);
  return status;
}

static lpot_status put_latency_facts(hid_t dataset, const lpot_latency *latency, lpot_error *err) {
  uint8_t trusted = latency->trusted;
  LPOT_TRY(lpot_hdf5_put_attribute(dataset, "trusted", H5T_NATIVE_UINT8, &trusted, err));
  LPOT_TRY(lpot_hdf5_put_text(dataset, "reason", latency->reason, err));
  LPOT_TRY(lpot_hdf5_put_text(dataset, "estimator", latency->estimator, err));
  LPOT_TRY(lpot_hdf5_put_text(dataset, "governor", latency->governor, err));
  LPOT_TRY(lpot_hdf5_put_text(dataset, "cores", latency->cores, err));
  LPOT_TRY(lpot_hdf5_put_double(dataset, "load", latency->load, err));
  LPOT_TRY(lpot_hdf5_put_double(dataset, "seconds", latency->seconds, err));
  LPOT_TRY(lpot_hdf5_put_uint(dataset, "counted_rounds", latency->counted, err));
  LPOT_TRY(lpot_hdf5_put_uint(dataset, "dropped_rounds", latency->dropped, err));
  LPOT_TRY(lpot_hdf5_put_uint(dataset, "attempts", latency->attempts, err));
  return LPOT_OK;
}

static lpot_status put_latency(hid_t group, const lpot_ledger_trial *trial, lpot_error *err) {
  char name[32];
  snprintf(name, sizeof name, "trial_%llu", (unsigned long long)trial->id);
  LPOT_TRY(put_rounds(group, name, &trial->latency, err));
  hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
  LPOT_TRY(lpot_hdf5_check(dataset, name, err));
  lpot_status status = put_latency_facts(dataset, &trial->latency, err);
  H5Dclose(dataset);
  return status;
}

static lpot_status put_latencies(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  hid_t group = H5Gcreate2(file, "latency", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  LPOT_TRY(lpot_hdf5_check(group, "latency", err));
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < ledger->num_trials && status == LPOT_OK; i++) {
    if (ledger->trials[i].measured) {
      status = put_latency(group, &ledger->trials[i], err);
    }
  }
  H5Gclose(group);
  return status;
}

/* ---- /correct ---- */

static void copy_bits(const uint8_t *bits, size_t num_bits, uint8_t *row) {
  if (num_bits > 0) {
    lpot_bits_copy(row, 0, bits, 0, num_bits);
  }
}

/* Row 0: f32, then one for each trial; not there where the metric does not tell right from wrong.
 */
static lpot_status put_correct(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  const lpot_ledger_baseline *baseline = &ledger->baseline;
  size_t width = lpot_bits_size(baseline->num_bits);
  if (width == 0) {
    return LPOT_OK;
  }
  uint8_t *rows = lpot_calloc(ledger->num_trials + 1, width);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  copy_bits(baseline->correct, baseline->num_bits, rows);
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_result *result = lpot_ledger_result_of(ledger, &ledger->trials[i]);
    size_t bits = result->num_bits < baseline->num_bits ? result->num_bits : baseline->num_bits;
    copy_bits(result->correct, bits, rows + (i + 1) * width);
  }
  const uint64_t dims[2] = {ledger->num_trials + 1, width};
  lpot_status status = lpot_hdf5_put_dataset(file, "correct", H5T_NATIVE_UINT8, 2, dims, rows, err);
  lpot_free(rows);
  return status;
}

/* ---- /ops, /recipes, /recipe_legend ---- */

typedef struct op_row {
  char name[NAME_SIZE];
  char type[32];
} op_row;

static lpot_status put_ops(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"name", offsetof(op_row, name), 's', NAME_SIZE, NULL},
      {"type", offsetof(op_row, type), 's', 32, NULL},
  };
  const lpot_ledger_header *header = &ledger->header;
  op_row *rows = lpot_calloc(header->num_ops, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < header->num_ops; i++) {
    lpot_text_copy(rows[i].name, sizeof rows[i].name, header->op_names[i]);
    lpot_text_copy(rows[i].type, sizeof rows[i].type, header->op_types[i]);
  }
  lpot_status status = lpot_hdf5_put_table(file, "ops", members, NUM_SPECS(members), sizeof *rows,
                                           rows, header->num_ops, err);
  lpot_free(rows);
  return status;
}

/* The distinct op configurations in the order of their first use. */
typedef struct op_legend {
  size_t count;
  lpot_op_config *configs; /* [count], room for capacity */
  size_t capacity;
} op_legend;

static lpot_status legend_index(op_legend *legend, const lpot_op_config *config, int32_t *ret_index,
                                lpot_error *err) {
  for (size_t i = 0; i < legend->count; i++) {
    if (lpot_op_config_equal(&legend->configs[i], config)) {
      *ret_index = (int32_t)i;
      return LPOT_OK;
    }
  }
  if (legend->count == legend->capacity) {
    size_t capacity = legend->capacity == 0 ? 16 : 2 * legend->capacity;
    lpot_op_config *grown = lpot_realloc(legend->configs, capacity, sizeof *grown);
    if (grown == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    legend->configs = grown;
    legend->capacity = capacity;
  }
  legend->configs[legend->count] = *config;
  *ret_index = (int32_t)legend->count;
  legend->count++;
  return LPOT_OK;
}

static lpot_status put_legend(hid_t file, const op_legend *legend, lpot_error *err) {
  char(*texts)[NAME_SIZE] = lpot_calloc(legend->count, sizeof *texts);
  if (texts == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < legend->count; i++) {
    lpot_op_config_text(&legend->configs[i], texts[i], sizeof texts[i]);
  }
  const uint64_t dims[1] = {legend->count};
  hid_t type = lpot_hdf5_text_type(NAME_SIZE);
  lpot_status status = lpot_hdf5_put_dataset(file, "recipe_legend", type, 1, dims, texts, err);
  H5Tclose(type);
  lpot_free(texts);
  return status;
}

static lpot_status fill_matrix(const lpot_ledger *ledger, op_legend *legend, int32_t *matrix,
                               lpot_error *err) {
  size_t num_ops = ledger->header.num_ops;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_recipe *recipe = lpot_ledger_result_of(ledger, &ledger->trials[i])->recipe;
    for (size_t op = 0; op < num_ops; op++) {
      LPOT_TRY(legend_index(legend, &recipe->ops[op], &matrix[i * num_ops + op], err));
    }
  }
  return LPOT_OK;
}

static lpot_status put_recipes(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  size_t num_ops = ledger->header.num_ops;
  size_t cells = 0;
  op_legend legend = {0};
  cells = ledger->num_trials * num_ops;
  int32_t *matrix = lpot_calloc(cells, sizeof *matrix);
  if (matrix == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  const uint64_t dims[2] = {ledger->num_trials, num_ops};
  lpot_status status = fill_matrix(ledger, &legend, matrix, err);
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_dataset(file, "recipes", H5T_NATIVE_INT32, 2, dims, matrix, err);
  }
  if (status == LPOT_OK) {
    status = put_legend(file, &legend, err);
  }
  lpot_free(legend.configs);
  lpot_free(matrix);
  return status;
}

/* ---- /calibration ---- */

typedef struct range_row {
  char value[NAME_SIZE];
  float minimum, maximum;
  uint64_t total, bad;
} range_row;

static lpot_status put_ranges(hid_t group, const lpot_ledger_calibration *calibration,
                              lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"value", offsetof(range_row, value), 's', NAME_SIZE, NULL},
      {"minimum", offsetof(range_row, minimum), 'f', 0, NULL},
      {"maximum", offsetof(range_row, maximum), 'f', 0, NULL},
      {"total", offsetof(range_row, total), 'u', 0, NULL},
      {"bad", offsetof(range_row, bad), 'u', 0, NULL},
  };
  range_row *rows = lpot_calloc(calibration->num_ranges, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < calibration->num_ranges; i++) {
    const lpot_ledger_range *range = &calibration->ranges[i];
    lpot_text_copy(rows[i].value, sizeof rows[i].value, range->value);
    rows[i].minimum = range->minimum;
    rows[i].maximum = range->maximum;
    rows[i].total = range->total;
    rows[i].bad = range->bad;
  }
  char name[48];
  snprintf(name, sizeof name, "samples_%lld%s", (long long)calibration->key.samples,
           calibration->key.equalized ? "_equalized" : "");
  lpot_status status = lpot_hdf5_put_table(group, name, members, NUM_SPECS(members), sizeof *rows,
                                           rows, calibration->num_ranges, err);
  lpot_free(rows);
  return status;
}

static lpot_status put_calibrations(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  hid_t group = H5Gcreate2(file, "calibration", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  LPOT_TRY(lpot_hdf5_check(group, "calibration", err));
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < ledger->num_calibrations && status == LPOT_OK; i++) {
    status = put_ranges(group, &ledger->calibrations[i], err);
  }
  H5Gclose(group);
  return status;
}

/* ---- /op_times ---- */

typedef struct op_times_row {
  char name[NAME_SIZE];
  char type[32];
  lpot_op_cost cost;
} op_times_row;

#define COST_MEMBER(column)                                                                        \
  { #column, offsetof(op_times_row, cost.column), 'd', 0, NULL }

static lpot_status put_op_times_facts(hid_t dataset, const lpot_op_times *times, lpot_error *err) {
  char name[32];
  for (int i = 0; i < LPOT_NUM_PRECISIONS; i++) {
    const char *precision = lpot_precision_text((lpot_precision)i);
    snprintf(name, sizeof name, "whole_%s_us", precision);
    LPOT_TRY(lpot_hdf5_put_double(dataset, name, times->whole_us[i], err));
    snprintf(name, sizeof name, "rest_%s_us", precision);
    LPOT_TRY(lpot_hdf5_put_double(dataset, name, times->rest_us[i], err));
  }
  LPOT_TRY(lpot_hdf5_put_uint(dataset, "trusted", times->trusted, err));
  LPOT_TRY(lpot_hdf5_put_text(dataset, "reason", times->reason, err));
  LPOT_TRY(lpot_hdf5_put_text(dataset, "host", times->host, err));
  LPOT_TRY(lpot_hdf5_put_text(dataset, "numeric_class", times->numeric_class, err));
  LPOT_TRY(lpot_hdf5_put_text(dataset, "cores", times->cores, err));
  LPOT_TRY(lpot_hdf5_put_uint(dataset, "batch", (uint64_t)times->batch, err));
  LPOT_TRY(lpot_hdf5_put_uint(dataset, "rounds", times->rounds, err));
  LPOT_TRY(lpot_hdf5_put_double(dataset, "seconds", times->seconds, err));
  return LPOT_OK;
}

static lpot_status put_op_times(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"name", offsetof(op_times_row, name), 's', NAME_SIZE, NULL},
      {"type", offsetof(op_times_row, type), 's', 32, NULL},
      COST_MEMBER(f32_us),
      COST_MEMBER(int8_us),
      COST_MEMBER(bf16_us),
      COST_MEMBER(quantize_us),
      COST_MEMBER(dequantize_us),
      COST_MEMBER(to_bf16_us),
      COST_MEMBER(from_bf16_us),
      COST_MEMBER(spread),
  };
  const lpot_op_times *times = &ledger->op_times;
  if (!ledger->has_op_times) {
    return LPOT_OK;
  }
  op_times_row *rows = lpot_calloc(times->num_ops, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < times->num_ops; i++) {
    lpot_text_copy(rows[i].name, sizeof rows[i].name, ledger->header.op_names[i]);
    lpot_text_copy(rows[i].type, sizeof rows[i].type, ledger->header.op_types[i]);
    rows[i].cost = times->ops[i];
  }
  lpot_status status = lpot_hdf5_put_table(file, "op_times", members, NUM_SPECS(members),
                                           sizeof *rows, rows, times->num_ops, err);
  lpot_free(rows);
  LPOT_TRY(status);
  hid_t dataset = H5Dopen2(file, "op_times", H5P_DEFAULT);
  LPOT_TRY(lpot_hdf5_check(dataset, "op_times", err));
  status = put_op_times_facts(dataset, times, err);
  H5Dclose(dataset);
  return status;
}

/* ---- /ranks ---- */

typedef struct rank_row {
  int32_t session;
  double start;
  int32_t rank;
  char host[LPOT_HOST_SIZE];
  char numeric_class[LPOT_CLASS_SIZE];
} rank_row;

static lpot_status put_ranks(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"session", offsetof(rank_row, session), 'r', 0, NULL},
      {"start", offsetof(rank_row, start), 'd', 0, NULL},
      {"rank", offsetof(rank_row, rank), 'r', 0, NULL},
      {"host", offsetof(rank_row, host), 's', LPOT_HOST_SIZE, NULL},
      {"numeric_class", offsetof(rank_row, numeric_class), 's', LPOT_CLASS_SIZE, NULL},
  };
  size_t count = 0;
  for (size_t i = 0; i < ledger->num_sessions; i++) {
    count += ledger->sessions[i].num_ranks;
  }
  rank_row *rows = lpot_calloc(count, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t next = 0;
  for (size_t i = 0; i < ledger->num_sessions; i++) {
    for (size_t k = 0; k < ledger->sessions[i].num_ranks; k++) {
      const lpot_ledger_rank *rank = &ledger->sessions[i].ranks[k];
      rank_row *row = &rows[next++];
      row->session = (int32_t)i;
      row->start = ledger->sessions[i].start;
      row->rank = rank->rank;
      lpot_text_copy(row->host, sizeof row->host, rank->host);
      lpot_text_copy(row->numeric_class, sizeof row->numeric_class, rank->numeric_class);
    }
  }
  lpot_status status = lpot_hdf5_put_table(file, "ranks", members, NUM_SPECS(members), sizeof *rows,
                                           rows, count, err);
  lpot_free(rows);
  return status;
}

/* ---- /mishaps ---- */

typedef struct mishap_row {
  double time;
  uint8_t kind;
  int32_t rank;
  uint64_t recipe_hash;
  char host[LPOT_HOST_SIZE];
  char cause[CAUSE_SIZE];
} mishap_row;

static const char *mishap_text(int value) {
  return lpot_mishap_text((lpot_mishap)value);
}

static lpot_status put_mishaps(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  static const lpot_hdf5_member members[] = {
      {"time", offsetof(mishap_row, time), 'd', 0, NULL},
      {"kind", offsetof(mishap_row, kind), 'e', LPOT_NUM_MISHAPS, mishap_text},
      {"rank", offsetof(mishap_row, rank), 'r', 0, NULL},
      {"recipe_hash", offsetof(mishap_row, recipe_hash), 'u', 0, NULL},
      {"host", offsetof(mishap_row, host), 's', LPOT_HOST_SIZE, NULL},
      {"cause", offsetof(mishap_row, cause), 's', CAUSE_SIZE, NULL},
  };
  mishap_row *rows = lpot_calloc(ledger->num_mishaps, sizeof *rows);
  if (rows == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < ledger->num_mishaps; i++) {
    const lpot_ledger_mishap *mishap = &ledger->mishaps[i];
    rows[i] = (mishap_row){.time = mishap->time,
                           .kind = (uint8_t)mishap->kind,
                           .rank = mishap->rank,
                           .recipe_hash = mishap->recipe_hash};
    lpot_text_copy(rows[i].host, sizeof rows[i].host, mishap->host);
    lpot_text_copy(rows[i].cause, sizeof rows[i].cause, mishap->cause);
  }
  lpot_status status = lpot_hdf5_put_table(file, "mishaps", members, NUM_SPECS(members),
                                           sizeof *rows, rows, ledger->num_mishaps, err);
  lpot_free(rows);
  return status;
}

/* ---- / and /baseline ---- */

/* NaN unless the chosen trial has bf16 ops. */
static double exported_accuracy(const lpot_ledger *ledger) {
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(ledger, ledger->chosen);
  const lpot_ledger_result *result = trial == NULL ? NULL : lpot_ledger_exported_of(ledger, trial);
  return result == NULL ? (double)NAN : result->accuracy;
}

static lpot_status put_header(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  const lpot_ledger_header *header = &ledger->header;
  char model[33];
  char data[33];
  lpot_digest_text(&header->model, model);
  lpot_digest_text(&header->manifest, data);
  LPOT_TRY(lpot_hdf5_put_uint(file, "format_version", FORMAT_VERSION, err));
  LPOT_TRY(lpot_hdf5_put_text(file, "program_version", header->program_version, err));
  LPOT_TRY(lpot_hdf5_put_text(file, "engine", header->engine, err));
  LPOT_TRY(lpot_hdf5_put_text(file, "numeric_class", header->numeric_class, err));
  LPOT_TRY(lpot_hdf5_put_uint(file, "reduce_range", ledger->reduce_range, err));
  LPOT_TRY(lpot_hdf5_put_uint(file, "bit_equality", lpot_ledger_is_uniform(ledger), err));
  LPOT_TRY(lpot_hdf5_put_text(file, "model", header->model_path, err));
  LPOT_TRY(lpot_hdf5_put_text(file, "model_digest", model, err));
  LPOT_TRY(lpot_hdf5_put_text(file, "data_manifest", data, err));
  LPOT_TRY(lpot_hdf5_put_uint(file, "seed", header->seed, err));
  LPOT_TRY(lpot_hdf5_put_text(file, "verdict", lpot_verdict_text(ledger->verdict), err));
  LPOT_TRY(lpot_hdf5_put_uint(file, "chosen_trial", ledger->chosen, err));
  LPOT_TRY(lpot_hdf5_put_double(file, "exported_accuracy", exported_accuracy(ledger), err));
  LPOT_TRY(
      lpot_hdf5_put_uint(file, "speculative_results", lpot_ledger_num_speculative(ledger), err));
  hid_t type = lpot_hdf5_text_type(strlen(header->config_text) + 1);
  lpot_status status =
      lpot_hdf5_put_dataset(file, "config", type, 0, NULL, header->config_text, err);
  H5Tclose(type);
  return status;
}

/* The f32 latency that was measured beside the chosen trial, or beside the last measured one. */
static double f32_latency(const lpot_ledger *ledger) {
  double latency_ms = (double)NAN;
  for (size_t i = 0; i < ledger->num_trials; i++) {
    const lpot_ledger_trial *trial = &ledger->trials[i];
    if (!trial->measured) {
      continue;
    }
    latency_ms = trial->latency.f32_ms;
    if (trial->id == ledger->chosen) {
      return latency_ms;
    }
  }
  return latency_ms;
}

static lpot_status put_baseline(hid_t file, const lpot_ledger *ledger, lpot_error *err) {
  hid_t group = H5Gcreate2(file, "baseline", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  LPOT_TRY(lpot_hdf5_check(group, "baseline", err));
  const lpot_ledger_baseline *baseline = &ledger->baseline;
  double accuracy = ledger->has_baseline ? baseline->accuracy : (double)NAN;
  lpot_status status = lpot_hdf5_put_double(group, "accuracy", accuracy, err);
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_uint(group, "samples", baseline->state.samples, err);
  }
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_double(group, "latency_ms", f32_latency(ledger), err);
  }
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_double(group, "seconds", baseline->seconds, err);
  }
  if (status == LPOT_OK) {
    status = lpot_hdf5_put_uint(group, "footprint_bytes", ledger->f32_footprint.bytes, err);
  }
  H5Gclose(group);
  return status;
}

/* An lpot_hdf5_fill. */
static lpot_status put_all(int64_t file, const void *context, lpot_error *err) {
  const lpot_ledger *ledger = context;
  LPOT_TRY(put_header(file, ledger, err));
  LPOT_TRY(put_baseline(file, ledger, err));
  LPOT_TRY(put_ops(file, ledger, err));
  LPOT_TRY(put_trials(file, ledger, err));
  LPOT_TRY(put_pareto(file, ledger, err));
  LPOT_TRY(put_latencies(file, ledger, err));
  LPOT_TRY(put_correct(file, ledger, err));
  LPOT_TRY(put_recipes(file, ledger, err));
  LPOT_TRY(put_calibrations(file, ledger, err));
  LPOT_TRY(put_op_times(file, ledger, err));
  LPOT_TRY(lpot_history_put_sensitivity(file, ledger, err));
  LPOT_TRY(lpot_history_put_holdout(file, ledger, err));
  LPOT_TRY(put_ranks(file, ledger, err));
  LPOT_TRY(put_mishaps(file, ledger, err));
  return LPOT_OK;
}

/* ---- the file ---- */

lpot_status lpot_history_write(const lpot_ledger *ledger, const char *path, lpot_error *err) {
  if (!ledger->has_header) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "history of a run without a header");
  }
  LPOT_TRY(lpot_hdf5_write_file(path, put_all, ledger, err));
  return LPOT_OK;
}
