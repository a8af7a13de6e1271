#include "tune/tune_fixture.h"

#include "base/bits.h"
#include "base/memory.h"
#include "base/rng.h"
#include "tune/evaluation.h"

#define SAMPLES 95
#define BLOCK 10
#define BLOCKS 10

static const lpot_blocks blocks = {
    .num_samples = SAMPLES, .block_samples = BLOCK, .num_blocks = BLOCKS};

/* What a recipe does to the samples; workers read it off here. */
typedef struct truth {
  uint8_t baseline[SAMPLES / 8 + 1];
  uint8_t correct[SAMPLES / 8 + 1];
  int64_t failing_block; /* BLOCKS: none */
  int64_t bad_block;     /* with NaN predictions */
  lpot_race_terms terms;
} truth;

static truth make_truth(uint64_t seed, double baseline_share, double share) {
  truth set = {.failing_block = BLOCKS, .bad_block = BLOCKS};
  lpot_rng rng;
  lpot_rng_init(&rng, seed);
  for (size_t i = 0; i < SAMPLES; i++) {
    bool right = lpot_rng_uniform(&rng) < baseline_share;
    lpot_bit_set(set.baseline, i, right);
    lpot_bit_set(set.correct, i, lpot_rng_uniform(&rng) < share);
    set.terms.baseline_correct += right ? 1 : 0;
  }
  set.terms.samples = SAMPLES;
  set.terms.needed = set.terms.baseline_correct - 2;
  return set;
}

/* What a worker would bring for a task: it sees by itself when a race is lost. */
static void work(const truth *set, const lpot_task *task, lpot_outcome *outcome) {
  lpot_race race = task->race;
  *outcome = (lpot_outcome){.kind = LPOT_TASK_EVALUATE, .first = task->first, .seconds = 1};
  outcome->states = lpot_calloc((size_t)task->count + 1, sizeof *outcome->states);
  outcome->correct = lpot_calloc(SAMPLES / 8 + 1, 1);
  for (int64_t i = 0; i < task->count; i++) {
    int64_t block = task->first + i;
    if (block == set->failing_block) {
      outcome->status = LPOT_ENGINE;
      return;
    }
    int64_t start = block * BLOCK;
    int64_t count = start + BLOCK < SAMPLES ? BLOCK : SAMPLES - start;
    lpot_bits_copy(outcome->correct, outcome->num_bits, set->correct, (size_t)start, (size_t)count);
    lpot_metric_state *state = &outcome->states[outcome->num_states];
    state->samples = (uint64_t)count;
    state->bad = block == set->bad_block ? 1 : 0;
    outcome->num_states++;
    if (task->raced) {
      lpot_race_add(&race, &task->terms, task->baseline, outcome->correct,
                    (int64_t)outcome->num_bits, count);
    }
    outcome->num_bits += (size_t)count;
    if (task->raced && (state->bad > 0 || lpot_race_is_lost(&race, &task->terms))) {
      return;
    }
  }
}

typedef struct answer {
  lpot_ending ending;
  int64_t prefix;
  lpot_race race;
  uint64_t samples;
} answer;

#define MAX_HANDS 6

/* A piece that a worker has. */
typedef struct hand {
  lpot_task task;
  bool busy;
} hand;

/* Evaluates with so many workers, pieces and orders of arrival drawn by seed, some of which get
 * lost on the way. */
static answer evaluate(const truth *set, bool raced, size_t workers, uint64_t seed) {
  lpot_evaluation *evaluation = NULL;
  hand hands[MAX_HANDS] = {{{0}, false}};
  lpot_rng rng;
  lpot_rng_init(&rng, seed);
  assert_int_equal(lpot_evaluation_new(NULL, &blocks, &evaluation, NULL), LPOT_OK);
  if (raced) {
    lpot_evaluation_race(evaluation, &set->terms, set->baseline);
  }
  for (int steps = 0; evaluation->ending == LPOT_ENDING_OPEN; steps++) {
    assert_true(steps < 10000);
    hand *one = &hands[lpot_rng_below(&rng, workers)];
    if (!one->busy) {
      int64_t size = 1 + (int64_t)lpot_rng_below(&rng, 4);
      assert_int_equal(lpot_evaluation_deal(evaluation, size, &one->task, NULL), LPOT_OK);
      one->busy = one->task.count > 0;
      continue;
    }
    if (lpot_rng_below(&rng, 5) > 0) {
      lpot_outcome outcome;
      work(set, &one->task, &outcome);
      assert_int_equal(lpot_evaluation_add(evaluation, 0, &outcome, NULL), LPOT_OK);
      lpot_outcome_done(&outcome);
    }
    lpot_evaluation_return(evaluation, one->task.first, one->task.count);
    lpot_task_done(&one->task);
    one->busy = false;
  }
  for (size_t i = 0; i < MAX_HANDS; i++) {
    lpot_task_done(&hands[i].task);
  }
  lpot_metric_state total;
  lpot_metric *metric = make_metric("topk: 1");
  assert_int_equal(lpot_evaluation_total(evaluation, metric, &total, NULL), LPOT_OK);
  lpot_metric_free(metric);
  answer result = {.ending = evaluation->ending,
                   .prefix = evaluation->prefix,
                   .race = evaluation->race,
                   .samples = total.samples};
  lpot_evaluation_free(evaluation);
  return result;
}

static void assert_same_race(const lpot_race *a, const lpot_race *b) {
  assert_true(a->samples == b->samples && a->correct == b->correct && a->lost == b->lost &&
              a->gained == b->gained && a->rejected == b->rejected);
  assert_memory_equal(a->capital, b->capital, sizeof a->capital);
}

static void assert_same_however_dealt(const truth *set, bool raced, lpot_ending ending) {
  answer first = evaluate(set, raced, 1, 1);
  assert_int_equal(first.ending, ending);
  for (uint64_t seed = 2; seed < 200; seed++) {
    answer other = evaluate(set, raced, 1 + seed % MAX_HANDS, seed);
    assert_int_equal(other.ending, first.ending);
    assert_int_equal(other.prefix, first.prefix);
    assert_int_equal(other.samples, first.samples);
    assert_same_race(&other.race, &first.race);
  }
}

static void whole_evaluation_is_the_same_however_it_is_dealt(void **state) {
  (void)state;
  truth set = make_truth(1, 0.9, 0.9);
  assert_same_however_dealt(&set, false, LPOT_ENDING_WHOLE);
  assert_int_equal(evaluate(&set, false, 3, 5).samples, SAMPLES);
}

static void lost_race_ends_at_the_same_block_however_it_is_dealt(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed < 6; seed++) {
    truth set = make_truth(seed, 1, 0.6);
    assert_same_however_dealt(&set, true, LPOT_ENDING_LOST);
    assert_true(evaluate(&set, true, 2, seed).samples < SAMPLES);
  }
}

static void race_that_is_not_lost_sees_all_samples(void **state) {
  (void)state;
  truth set = make_truth(4, 0.9, 1);
  assert_same_however_dealt(&set, true, LPOT_ENDING_WHOLE);
}

static void failure_counts_only_where_it_is_reached(void **state) {
  (void)state;
  truth set = make_truth(6, 1, 1);
  set.failing_block = 7;
  assert_same_however_dealt(&set, false, LPOT_ENDING_FAILED);
  assert_same_however_dealt(&set, true, LPOT_ENDING_FAILED);
  truth lost = make_truth(6, 1, 0.2); /* lost long before */
  lost.failing_block = 8;
  assert_same_however_dealt(&lost, true, LPOT_ENDING_LOST);
}

static void bad_predictions_end_a_race_at_their_block(void **state) {
  (void)state;
  truth set = make_truth(7, 1, 1);
  set.bad_block = 4;
  assert_same_however_dealt(&set, true, LPOT_ENDING_BAD);
  assert_int_equal(evaluate(&set, true, 4, 9).prefix, 5);
  assert_same_however_dealt(&set, false, LPOT_ENDING_WHOLE);
}

static void replay_of_a_whole_evaluation_is_the_race(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed < 40; seed++) {
    truth set = make_truth(seed, 0.9, 0.8 + 0.005 * (double)seed);
    answer raced = evaluate(&set, true, 1 + seed % 3, seed);
    int64_t after = 0;
    lpot_race race;
    lpot_race_replay(&blocks, &set.terms, set.baseline, set.correct, SAMPLES, &after, &race);
    if (raced.ending == LPOT_ENDING_LOST) {
      assert_int_equal(after, raced.prefix);
      assert_same_race(&race, &raced.race);
    } else {
      assert_int_equal(after, BLOCKS + 1);
    }
  }
}

static void outcome_that_does_not_fit_is_refused(void **state) {
  (void)state;
  lpot_evaluation *evaluation = NULL;
  lpot_metric_state states[3] = {{0}};
  uint8_t bits[8] = {0};
  assert_int_equal(lpot_evaluation_new(NULL, &blocks, &evaluation, NULL), LPOT_OK);
  lpot_outcome outcome = {.first = 8, .num_states = 3, .states = states};
  assert_int_equal(lpot_evaluation_add(evaluation, 0, &outcome, NULL), LPOT_FORMAT);
  outcome.first = -1;
  assert_int_equal(lpot_evaluation_add(evaluation, 0, &outcome, NULL), LPOT_FORMAT);
  outcome = (lpot_outcome){
      .first = 8, .num_states = 2, .states = states, .num_bits = 20, .correct = bits};
  assert_int_equal(lpot_evaluation_add(evaluation, 0, &outcome, NULL), LPOT_FORMAT);
  outcome.num_bits = 15; /* the last block has 5 samples */
  assert_int_equal(lpot_evaluation_add(evaluation, 0, &outcome, NULL), LPOT_FORMAT);
  states[0].samples = 10;
  states[1].samples = 10; /* too many */
  assert_int_equal(lpot_evaluation_add(evaluation, 0, &outcome, NULL), LPOT_FORMAT);
  states[1].samples = 5;
  assert_int_equal(lpot_evaluation_add(evaluation, 0, &outcome, NULL), LPOT_OK);
  lpot_evaluation_free(evaluation);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_evaluation_is_the_same_however_it_is_dealt),
      cmocka_unit_test(lost_race_ends_at_the_same_block_however_it_is_dealt),
      cmocka_unit_test(race_that_is_not_lost_sees_all_samples),
      cmocka_unit_test(failure_counts_only_where_it_is_reached),
      cmocka_unit_test(bad_predictions_end_a_race_at_their_block),
      cmocka_unit_test(replay_of_a_whole_evaluation_is_the_race),
      cmocka_unit_test(outcome_that_does_not_fit_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
