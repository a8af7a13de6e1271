#include "simulated_work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/checksum.h"
#include "base/memory.h"
#include "base/rng.h"
#include "tune/sense.h"

typedef struct setting {
  const char *name;
  size_t offset;
  bool is_fault;
} setting;

static const setting settings[] = {
    {"block", offsetof(simulation, block_seconds), false},
    {"compile", offsetof(simulation, compile_seconds), false},
    {"spread", offsetof(simulation, spread), false},
    {"baseline", offsetof(simulation, baseline), false},
    {"discordance", offsetof(simulation, discordance), false},
    {"lowest", offsetof(simulation, lowest), false},
    {"highest", offsetof(simulation, highest), false},
    {"delay", offsetof(simulation, delay_seconds), false},
    {"crash", offsetof(simulation, crash), true},
    {"hang", offsetof(simulation, hang), true},
    {"invalid", offsetof(simulation, invalid), true},
    {"lie", offsetof(simulation, lie), true},
    {"miscount", offsetof(simulation, miscount), true},
};

static bool read_one(const char *text, simulation *ret) {
  size_t length = strcspn(text, "=");
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    const setting *row = &settings[i];
    if (strlen(row->name) != length || strncmp(row->name, text, length) != 0) {
      continue;
    }
    char *place = (char *)ret + row->offset;
    char *end = NULL;
    if (row->is_fault) {
      simulated_fault *fault = (simulated_fault *)(void *)place;
      fault->modulus = strtoull(text + length + 1, &end, 10);
      fault->remainder = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
    } else {
      *(double *)(void *)place = strtod(text + length + 1, &end);
    }
    return true;
  }
  return false;
}

bool simulation_read(const char *text, simulation *ret) {
  *ret = (simulation){.block_seconds = 0.01,
                      .compile_seconds = 0.02,
                      .baseline = 0.76,
                      .discordance = 0.02,
                      .lowest = 0.002,
                      .highest = 0.1};
  while (text != NULL && *text != '\0') {
    if (!read_one(text, ret)) {
      return false;
    }
    text += strcspn(text, ",");
    text += *text == ',';
  }
  return true;
}

bool simulated_fault_hits(const simulated_fault *fault, uint64_t hash) {
  return fault->modulus > 0 && hash % fault->modulus == fault->remainder;
}

/* Uniform in [0, 1), by two numbers. */
static double chance(uint64_t a, uint64_t b) {
  uint64_t pair[2] = {a, b};
  return (double)(lpot_hash64(pair, sizeof pair, 11) >> 11) * 0x1p-53;
}

static bool is_right(const simulation *self, uint64_t hash, double drop, int64_t sample) {
  double share = self->baseline;
  bool baseline = chance(0, (uint64_t)sample) < share;
  if (hash == 0) {
    return baseline;
  }
  double draw = chance(hash, (uint64_t)sample);
  if (baseline) {
    return draw >= (self->discordance + drop) / share;
  }
  return draw < self->discordance / (1 - share);
}

/* Fills one block's state and bits. */
static void fill_block(const simulation *self, const lpot_blocks *blocks, uint64_t hash,
                       int64_t block, lpot_outcome *outcome) {
  double drop = self->lowest + (self->highest - self->lowest) * chance(hash, UINT64_MAX);
  int64_t start = block * blocks->block_samples;
  int64_t end = start + blocks->block_samples;
  end = end < blocks->num_samples ? end : blocks->num_samples;
  lpot_metric_state *state = &outcome->states[outcome->num_states];
  lpot_metric_state_init(state);
  state->first_class = UINT64_MAX;
  for (int64_t sample = start; sample < end; sample++) {
    bool right = is_right(self, hash, drop, sample);
    lpot_bit_set(outcome->correct, outcome->num_bits, right);
    outcome->num_bits++;
    state->samples++;
    state->correct += right ? 1 : 0;
  }
  outcome->num_states++;
}

static void fill_blocks(const simulation *self, const lpot_job *job, const lpot_task *task,
                        uint64_t hash, lpot_outcome *outcome) {
  lpot_race race = task->race;
  for (int64_t i = 0; i < task->count; i++) {
    size_t before = outcome->num_bits;
    fill_block(self, lpot_job_blocks(job, task->held_out), hash, task->first + i, outcome);
    if (task->raced) {
      lpot_race_add(&race, &task->terms, task->baseline, outcome->correct, (int64_t)before,
                    (int64_t)(outcome->num_bits - before));
      if (lpot_race_is_lost(&race, &task->terms)) {
        return;
      }
    }
  }
}

static double pace(const simulation *self, uint64_t hash) {
  lpot_rng rng;
  lpot_rng_init(&rng, hash);
  return self->block_seconds * exp(self->spread * lpot_rng_normal(&rng));
}

/* An error that hangs on the recipe alone. */
static lpot_status simulate_sense(const lpot_job *job, uint64_t hash, lpot_outcome *outcome,
                                  lpot_error *err) {
  outcome->states = lpot_calloc(1, sizeof *outcome->states);
  if (outcome->states == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_metric_state_init(&outcome->states[0]);
  outcome->num_states = 1;
  outcome->states[0].samples = (uint64_t)lpot_sense_blocks(job).num_samples;
  outcome->states[0].elements = outcome->states[0].samples;
  outcome->states[0].sum = chance(hash, UINT64_MAX - 1);
  return LPOT_OK;
}

static lpot_status simulate_op_times(const lpot_job *job, lpot_op_times *times, lpot_error *err) {
  LPOT_TRY(lpot_op_times_init(times, lpot_quant_ops_count(job->ops), err));
  for (size_t i = 0; i < times->num_ops; i++) {
    times->ops[i].f32_us =
        2 + (double)(7 * i % 10); /* so that times and damage differ in their order */
    times->ops[i].int8_us = 1;
  }
  times->trusted = true;
  return LPOT_OK;
}

lpot_status simulate(const simulation *self, const lpot_job *job, const lpot_task *task,
                     uint64_t last_hash, lpot_outcome *outcome, double *ret_seconds,
                     lpot_error *err) {
  uint64_t hash = task->recipe == NULL ? 0 : lpot_recipe_hash(task->recipe);
  outcome->kind = task->kind;
  outcome->first = task->first;
  outcome->recipe_hash = hash;
  *ret_seconds = hash != last_hash ? self->compile_seconds : 0;
  if (task->kind == LPOT_TASK_LATENCY) {
    outcome->latency = (lpot_latency){.recipe_ms = 1,
                                      .f32_ms = 3,
                                      .speedup = 3,
                                      .speedup_low = 2.9,
                                      .speedup_high = 3.1,
                                      .counted = 10,
                                      .attempts = 1,
                                      .trusted = true};
    return LPOT_OK;
  }
  if (task->kind == LPOT_TASK_OP_TIMES) {
    LPOT_TRY(simulate_op_times(job, &outcome->op_times, err));
    return LPOT_OK;
  }
  if (hash != 0 && simulated_fault_hits(&self->invalid, hash)) {
    return LPOT_FAIL(err, LPOT_ENGINE, "simulated: this recipe cannot be compiled");
  }
  if (task->senses) {
    LPOT_TRY(simulate_sense(job, hash, outcome, err));
    *ret_seconds += pace(self, hash);
    return LPOT_OK;
  }
  size_t bits = (size_t)(task->count * job->blocks.block_samples);
  outcome->states = lpot_calloc((size_t)task->count + 1, sizeof *outcome->states);
  outcome->correct = lpot_calloc(lpot_bits_size(bits) + 1, 1);
  if (outcome->states == NULL || outcome->correct == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  fill_blocks(self, job, task, hash, outcome);
  *ret_seconds += (double)outcome->num_states * pace(self, hash);
  return LPOT_OK;
}
