#include "tune/tune_fixture.h"

#include <math.h>

#include "base/buffer.h"
#include "base/writer.h"

/* Payloads of a journal, to try damaged ones. */
typedef struct payloads {
  size_t count;
  unsigned types[32];
  lpot_buffer bytes[32];
} payloads;

static lpot_status keep(void *context, unsigned type, const uint8_t *payload, size_t size,
                        lpot_error *err) {
  payloads *list = context;
  assert_true(list->count < 32);
  list->types[list->count] = type;
  lpot_buffer_init(&list->bytes[list->count]);
  lpot_status status = lpot_buffer_append(&list->bytes[list->count], payload, size, err);
  list->count++;
  return status;
}

static void write_run(const char *path, lpot_ledger *ledger) {
  lpot_journal *journal = NULL;
  lpot_ledger_init(ledger);
  assert_int_equal(lpot_journal_open(path, true, lpot_ledger_apply, ledger, &journal, NULL),
                   LPOT_OK);
  fill_run(ledger, journal);
  lpot_journal_close(journal);
}

static void ledger_read_back_is_the_one_that_was_written(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_ledger back;
  write_run(temp_path(*state, "same", path), &ledger);
  lpot_ledger_init(&back);
  assert_int_equal(lpot_journal_read(path, lpot_ledger_apply, &back, NULL), LPOT_OK);
  assert_int_equal(back.num_trials, 2);
  assert_int_equal(back.num_results, 3);
  assert_int_equal(back.num_sessions, 1);
  assert_string_equal(back.sessions[0].ranks[1].host, "b");
  assert_true(back.reduce_range);
  assert_true(lpot_ledger_is_uniform(&back));
  back.sessions[0].ranks[1].numeric_class[0] = 'b';
  assert_false(lpot_ledger_is_uniform(&back));
  assert_true(back.baseline.accuracy == 0.875);
  assert_true(back.has_op_times && back.op_times.ops[0].f32_us == 12.5);
  assert_string_equal(back.op_times.host, "node7");
  assert_string_equal(back.calibrations[0].ranges[0].value, "x");
  assert_string_equal(back.header.op_names[1], "add1");
  assert_int_equal(back.verdict, LPOT_VERDICT_MET);
  assert_int_equal(back.chosen, 1);
  assert_int_equal(back.num_mishaps, 1);
  assert_string_equal(back.mishaps[0].host, "b");
  assert_int_equal(lpot_ledger_num_lost(&back), 1);
  assert_int_equal(back.senses[0].recipe->calibration_samples, 77);
  assert_int_equal(lpot_ledger_find_sense(&back, lpot_recipe_hash(back.senses[0].recipe)), 0);
  assert_int_equal(lpot_ledger_find_sense(&back, 78), SIZE_MAX);
  assert_true(back.senses[0].valid && back.senses[0].error == 0.25);
  assert_int_equal(back.senses[0].samples, 64);
  const lpot_ledger_holdout *held_out = lpot_ledger_chosen_holdout(&back);
  assert_int_equal(back.num_holdouts, 2);
  assert_true(held_out == &back.holdouts[1]);
  assert_true(held_out->accuracy == 0.25 && held_out->relative_loss == 0.5 && !held_out->meets);
  assert_true(held_out->samples == 8 && held_out->seconds == 0.5 && held_out->rank == 1);
  assert_string_equal(held_out->host, "a");
  lpot_paired_loss loss;
  assert_true(lpot_ledger_holdout_loss(&back, held_out, &loss));
  assert_true(loss.lost == 1 && loss.gained == 1);
  assert_false(lpot_ledger_holdout_loss(&back, &back.holdouts[0], &loss));
  const lpot_ledger_trial *trial = lpot_ledger_find_trial(&back, 1);
  assert_true(trial->meets && trial->measured);
  assert_true(trial->latency.f32_ms == 1.5 && trial->latency.speedup_low == 2.75);
  assert_int_equal(trial->latency.num_rounds, 2);
  assert_int_equal(trial->footprint.bytes, 4096);
  assert_int_equal(back.f32_footprint.bytes, 8192);
  assert_int_equal(back.f32_footprint.resident_bytes, 12288);
  assert_true(trial->latency.rounds[1].f32_ms == 1.75);
  assert_int_equal(lpot_ledger_result_of(&back, trial)->recipe_hash,
                   lpot_ledger_result_of(&ledger, lpot_ledger_find_trial(&ledger, 1))->recipe_hash);
  assert_int_equal(lpot_ledger_result_of(&back, lpot_ledger_find_trial(&back, 2))->status,
                   LPOT_TRIAL_INVALID);
  assert_false(back.results[2].committed);
  assert_null(lpot_ledger_find_trial(&back, 0));
  assert_null(lpot_ledger_find_trial(&back, 3));
  lpot_ledger_done(&ledger);
  lpot_ledger_done(&back);
}

static void a_journal_of_another_format_is_refused(void **state) {
  (void)state;
  lpot_ledger ledger;
  lpot_error error = {0};
  lpot_buffer payload;
  lpot_ledger_init(&ledger);
  lpot_buffer_init(&payload);
  assert_int_equal(lpot_writer_u32(&payload, 4, NULL), LPOT_OK);
  assert_int_equal(
      lpot_ledger_apply(&ledger, LPOT_RECORD_HEADER, payload.data, payload.size, &error),
      LPOT_FORMAT);
  assert_string_equal(error.message,
                      "journal is of format 4, this program writes format 5: finish it with the "
                      "program that began it, or choose another --workspace");
  lpot_buffer_done(&payload);
  lpot_ledger_done(&ledger);
}

static void op_times_come_once_and_fit_the_model(void **state) {
  (void)state;
  lpot_op_cost ops[2];
  lpot_op_times times = make_op_times(ops);
  lpot_ledger_header header = make_header();
  char path[PATH_SIZE];
  lpot_journal *journal = NULL;
  lpot_ledger ledger;
  lpot_error error = {0};
  lpot_ledger_init(&ledger);
  assert_int_equal(lpot_journal_open(temp_path(*state, "op_times", path), true, lpot_ledger_apply,
                                     &ledger, &journal, NULL),
                   LPOT_OK);
  assert_int_equal(lpot_ledger_add_header(&ledger, journal, &header, NULL), LPOT_OK);
  times.num_ops = 1;
  assert_int_equal(lpot_ledger_add_op_times(&ledger, journal, &times, &error), LPOT_FORMAT);
  assert_non_null(strstr(error.message, "op times: of 1 ops, the model has 2"));
  lpot_ledger_done(&ledger);
  lpot_ledger_init(&ledger);
  times.num_ops = 2;
  assert_int_equal(lpot_ledger_add_header(&ledger, journal, &header, NULL), LPOT_OK);
  assert_int_equal(lpot_ledger_add_op_times(&ledger, journal, &times, NULL), LPOT_OK);
  assert_int_equal(lpot_ledger_add_op_times(&ledger, journal, &times, &error), LPOT_FORMAT);
  assert_non_null(strstr(error.message, "a second record"));
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

static void record_truncated_at_any_byte_is_refused(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  payloads list = {0};
  write_run(temp_path(*state, "cut", path), &ledger);
  lpot_ledger_done(&ledger);
  assert_int_equal(lpot_journal_read(path, keep, &list, NULL), LPOT_OK);
  for (size_t i = 0; i < list.count; i++) {
    for (size_t size = 0; size < list.bytes[i].size; size++) {
      lpot_ledger_init(&ledger);
      for (size_t k = 0; k < i; k++) {
        assert_int_equal(
            lpot_ledger_apply(&ledger, list.types[k], list.bytes[k].data, list.bytes[k].size, NULL),
            LPOT_OK);
      }
      assert_int_not_equal(
          lpot_ledger_apply(&ledger, list.types[i], list.bytes[i].data, size, NULL), LPOT_OK);
      lpot_ledger_done(&ledger);
    }
  }
  for (size_t i = 0; i < list.count; i++) {
    lpot_buffer_done(&list.bytes[i]);
  }
}

/* A record as it stands in the file, marks included. */
typedef struct place {
  size_t start, end;
  uint64_t durable; /* what it says was on disk */
  bool shown;       /* it is no mark */
} place;

/* A journal as bytes, and what its undamaged records are. */
typedef struct journal_bytes {
  size_t size;
  uint8_t *bytes; /* [size] */
  payloads truth;
  size_t count;
  place places[48]; /* [count] */
} journal_bytes;

static uint64_t number_at(const uint8_t *bytes, size_t size) {
  uint64_t number = 0;
  for (size_t i = size; i-- > 0;) {
    number = number << 8 | bytes[i];
  }
  return number;
}

static void journal_bytes_make(const temp_folder *folder, const char *name, journal_bytes *out) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  *out = (journal_bytes){0};
  write_run(temp_path(folder, name, path), &ledger);
  lpot_ledger_done(&ledger);
  assert_int_equal(lpot_journal_read(path, keep, &out->truth, NULL), LPOT_OK);
  out->size = (size_t)temp_size(folder, name);
  out->bytes = malloc(out->size);
  FILE *file = fopen(path, "rb");
  assert_int_equal(fread(out->bytes, 1, out->size, file), out->size);
  fclose(file);
  size_t shown = 0;
  for (size_t at = 0; at < out->size; at = out->places[out->count++].end) {
    assert_true(out->count < sizeof out->places / sizeof out->places[0]);
    const uint8_t *head = out->bytes + at;
    place *one = &out->places[out->count];
    *one = (place){.start = at,
                   .end = at + LPOT_JOURNAL_RECORD_HEAD + number_at(head + 8, 4),
                   .durable = number_at(head + 12, 8),
                   .shown = number_at(head + 4, 2) != 0};
    shown += one->shown ? 1 : 0;
  }
  const place *last = &out->places[out->count - 1];
  assert_int_equal(last->end, out->size);
  assert_false(last->shown);
  assert_int_equal(last->durable, last->start);
  assert_int_equal(shown, out->truth.count);
}

static void journal_bytes_done(journal_bytes *journal) {
  for (size_t i = 0; i < journal->truth.count; i++) {
    lpot_buffer_done(&journal->truth.bytes[i]);
  }
  free(journal->bytes);
}

/* Applies records and compares each with the true one at its place. */
typedef struct comparison {
  const payloads *truth;
  size_t seen;
  lpot_ledger ledger;
} comparison;

static lpot_status compare(void *context, unsigned type, const uint8_t *payload, size_t size,
                           lpot_error *err) {
  comparison *self = context;
  assert_true(self->seen < self->truth->count);
  assert_int_equal(type, self->truth->types[self->seen]);
  assert_int_equal(size, self->truth->bytes[self->seen].size);
  assert_memory_equal(payload, self->truth->bytes[self->seen].data, size);
  self->seen++;
  return lpot_ledger_apply(&self->ledger, type, payload, size, err);
}

static bool is_intact(const journal_bytes *journal, const uint8_t *bytes, size_t size,
                      const place *one) {
  return one->end <= size &&
         memcmp(bytes + one->start, journal->bytes + one->start, one->end - one->start) == 0;
}

/* Scans a damaged copy: exactly the records before the first damage are accepted, and it is an
 * error when what is intact tells that more was durable. Returns whether it was one. */
static bool check_damaged(const journal_bytes *journal, const uint8_t *bytes, size_t size) {
  size_t end = 0;
  size_t shown = 0;
  uint64_t durable = 0;
  for (size_t i = 0; i < journal->count; i++) {
    const place *one = &journal->places[i];
    if (is_intact(journal, bytes, size, one)) {
      durable = one->durable > durable ? one->durable : durable;
      shown += one->start == end && one->shown ? 1 : 0;
      end = one->start == end ? one->end : end;
    }
  }
  /* A copy, so that a read behind the end is seen by the sanitizer. */
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  memcpy(copy, bytes, size);
  comparison found = {.truth = &journal->truth};
  size_t valid = 0;
  lpot_ledger_init(&found.ledger);
  lpot_status status = lpot_journal_scan(copy, size, compare, &found, &valid, NULL);
  assert_int_equal(found.seen, shown);
  bool other_version = end == 0 && size >= LPOT_JOURNAL_RECORD_HEAD &&
                       memcmp(bytes, journal->bytes, 4) == 0 &&
                       memcmp(bytes + 6, journal->bytes + 6, 2) != 0;
  lpot_status otherwise = other_version ? LPOT_UNSUPPORTED : LPOT_OK;
  assert_int_equal(status, durable > end ? LPOT_FORMAT : otherwise);
  if (status == LPOT_OK) {
    assert_int_equal(valid, end);
  }
  lpot_ledger_done(&found.ledger);
  free(copy);
  return status != LPOT_OK;
}

/* All records were durable, and the last mark says so: no changed byte before it goes unseen. */
static void journal_with_any_byte_changed_keeps_what_is_before(void **state) {
  journal_bytes journal;
  journal_bytes_make(*state, "flipped", &journal);
  size_t durable = journal.places[journal.count - 1].start;
  for (size_t i = 0; i < journal.size; i++) {
    const uint8_t old = journal.bytes[i];
    uint8_t *copy = malloc(journal.size);
    memcpy(copy, journal.bytes, journal.size);
    for (unsigned bit = 0; bit < 8; bit++) {
      copy[i] = (uint8_t)(old ^ (1U << bit));
      assert_int_equal(check_damaged(&journal, copy, journal.size), i < durable);
    }
    const uint8_t values[] = {0, 0xFF, (uint8_t)~old, (uint8_t)(old + 1), (uint8_t)(old - 1)};
    for (size_t k = 0; k < sizeof values; k++) {
      copy[i] = values[k];
      bool seen = check_damaged(&journal, copy, journal.size);
      assert_int_equal(seen, i < durable && values[k] != old);
    }
    free(copy);
  }
  journal_bytes_done(&journal);
}

/* Cut, or with zeros in place of the tail or of a hole, as after a power cut. */
static void journal_cut_or_zeroed_anywhere_keeps_what_is_before(void **state) {
  static const size_t holes[] = {1, 2, 16, 64, 512};
  journal_bytes journal;
  journal_bytes_make(*state, "zeroed", &journal);
  uint8_t *copy = malloc(journal.size);
  for (size_t at = 0; at <= journal.size; at++) {
    check_damaged(&journal, journal.bytes, at);
    memcpy(copy, journal.bytes, journal.size);
    memset(copy + at, 0, journal.size - at);
    check_damaged(&journal, copy, journal.size);
    for (size_t k = 0; k < sizeof holes / sizeof holes[0]; k++) {
      size_t length = holes[k] < journal.size - at ? holes[k] : journal.size - at;
      memcpy(copy, journal.bytes, journal.size);
      memset(copy + at, 0, length);
      check_damaged(&journal, copy, journal.size);
    }
  }
  free(copy);
  journal_bytes_done(&journal);
}

/* Payloads whose checksum is right but whose content is not: any answer, but no crash. */
static void ledger_survives_any_changed_byte_of_a_payload(void **state) {
  static const uint8_t patterns[] = {0x01, 0x80, 0xFF};
  journal_bytes journal;
  journal_bytes_make(*state, "payloads", &journal);
  const payloads *truth = &journal.truth;
  for (size_t i = 0; i < truth->count; i++) {
    for (size_t at = 0; at < truth->bytes[i].size * sizeof patterns; at++) {
      uint8_t *byte = &truth->bytes[i].data[at / sizeof patterns];
      uint8_t old = *byte;
      *byte ^= patterns[at % sizeof patterns];
      lpot_ledger ledger;
      lpot_ledger_init(&ledger);
      for (size_t k = 0; k < truth->count; k++) {
        const lpot_buffer *payload = &truth->bytes[k];
        lpot_status status =
            lpot_ledger_apply(&ledger, truth->types[k], payload->data, payload->size, NULL);
        assert_true(k >= i || status == LPOT_OK);
        if (status != LPOT_OK) {
          break; /* The ledger is then only good to be released. */
        }
      }
      lpot_ledger_done(&ledger);
      *byte = old;
    }
  }
  journal_bytes_done(&journal);
}

static void record_before_the_header_is_refused(void **state) {
  (void)state;
  lpot_ledger ledger;
  lpot_ledger_init(&ledger);
  uint8_t bytes[64] = {0};
  for (unsigned type = LPOT_RECORD_SESSION; type < LPOT_NUM_RECORDS + 2; type++) {
    assert_int_equal(lpot_ledger_apply(&ledger, type, bytes, sizeof bytes, NULL), LPOT_FORMAT);
  }
  lpot_ledger_done(&ledger);
}

static void weights_are_decided_before_the_first_session(void **state) {
  char path[PATH_SIZE];
  const uint8_t payload[] = {0};
  lpot_ledger ledger;
  write_run(temp_path(*state, "weights", path), &ledger);
  assert_int_equal(lpot_ledger_apply(&ledger, LPOT_RECORD_WEIGHTS, payload, sizeof payload, NULL),
                   LPOT_FORMAT);
  assert_true(ledger.reduce_range);
  lpot_ledger_done(&ledger);
}

static void result_of_the_same_recipe_is_refused_a_second_time(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  lpot_error error = {0};
  write_run(temp_path(*state, "twice", path), &ledger);
  lpot_ledger_done(&ledger);
  lpot_ledger_init(&ledger);
  assert_int_equal(lpot_journal_open(path, true, lpot_ledger_apply, &ledger, &journal, NULL),
                   LPOT_OK);
  lpot_ledger_result result = {.recipe = make_recipe(2, 4)};
  assert_int_equal(lpot_ledger_add_result(&ledger, journal, &result, &error), LPOT_FORMAT);
  assert_non_null(strstr(error.message, "already"));
  lpot_recipe_free(result.recipe);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

static void part_held_out_is_f32_first_and_each_once(void **state) {
  static const uint64_t hashes[] = {0, 5};
  static const lpot_status wanted[2] = {LPOT_FORMAT, LPOT_OK};
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  write_run(temp_path(*state, "holdouts", path), &ledger);
  lpot_ledger_done(&ledger);
  assert_int_equal(lpot_journal_open(path, true, lpot_ledger_apply, &ledger, &journal, NULL),
                   LPOT_OK);
  lpot_ledger_holdout again = ledger.holdouts[1];
  assert_int_equal(lpot_ledger_add_holdout(&ledger, journal, &again, NULL), LPOT_FORMAT);
  for (size_t i = 0; i < 2; i++) {
    again.recipe_hash = hashes[i];
    assert_int_equal(lpot_ledger_add_holdout(&ledger, journal, &again, NULL), wanted[i]);
  }
  again.recipe_hash = 6;
  again.samples = 9; /* of 8 bits */
  assert_int_equal(lpot_ledger_add_holdout(&ledger, journal, &again, NULL), LPOT_FORMAT);
  assert_int_equal(ledger.num_holdouts, 3);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

static void part_held_out_does_not_begin_with_a_recipe(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  lpot_ledger_header header = make_header();
  lpot_ledger_holdout recipe = {.recipe_hash = 5, .samples = 8};
  lpot_ledger_init(&ledger);
  temp_path(*state, "first", path);
  assert_int_equal(lpot_journal_open(path, true, lpot_ledger_apply, &ledger, &journal, NULL),
                   LPOT_OK);
  assert_int_equal(lpot_ledger_add_header(&ledger, journal, &header, NULL), LPOT_OK);
  assert_int_equal(lpot_ledger_add_holdout(&ledger, journal, &recipe, NULL), LPOT_FORMAT);
  recipe.recipe_hash = 0;
  assert_int_equal(lpot_ledger_add_holdout(&ledger, journal, &recipe, NULL), LPOT_OK);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

/* Neither a second answer for a recipe nor an error that is no number is taken. */
static void senses_are_taken_once_and_finite(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  write_run(temp_path(*state, "senses", path), &ledger);
  assert_int_equal(lpot_journal_open(temp_path(*state, "more", path), true, lpot_ledger_apply,
                                     &ledger, &journal, NULL),
                   LPOT_OK);
  lpot_ledger_sense sense = {.recipe = make_recipe(2, 77), .valid = true, .error = 0.5};
  assert_int_equal(lpot_ledger_add_sense(&ledger, journal, &sense, NULL), LPOT_FORMAT);
  lpot_recipe_free(sense.recipe);
  sense.recipe = make_recipe(3, 78); /* of another model */
  assert_int_equal(lpot_ledger_add_sense(&ledger, journal, &sense, NULL), LPOT_FORMAT);
  lpot_recipe_free(sense.recipe);
  sense.recipe = make_recipe(2, 78);
  sense.error = (double)NAN;
  assert_int_equal(lpot_ledger_add_sense(&ledger, journal, &sense, NULL), LPOT_FORMAT);
  sense.valid = false;
  assert_int_equal(lpot_ledger_add_sense(&ledger, journal, &sense, NULL), LPOT_OK);
  assert_int_equal(lpot_ledger_find_sense(&ledger, lpot_recipe_hash(sense.recipe)), 2);
  lpot_recipe_free(sense.recipe);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

static void footprint_is_of_f32_or_a_trial(void **state) {
  char path[PATH_SIZE];
  lpot_ledger ledger;
  lpot_journal *journal = NULL;
  write_run(temp_path(*state, "footprints", path), &ledger);
  assert_int_equal(lpot_journal_open(temp_path(*state, "others", path), true, lpot_ledger_apply,
                                     &ledger, &journal, NULL),
                   LPOT_OK);
  lpot_footprint footprint = {.bytes = 77};
  assert_int_equal(lpot_ledger_add_footprint(&ledger, journal, 3, &footprint, NULL), LPOT_FORMAT);
  assert_int_equal(lpot_ledger_add_footprint(&ledger, journal, 2, &footprint, NULL), LPOT_OK);
  assert_int_equal(ledger.trials[1].footprint.bytes, 77);
  footprint.bytes = 0;
  assert_int_equal(lpot_ledger_add_footprint(&ledger, journal, 2, &footprint, NULL), LPOT_FORMAT);
  assert_int_equal(ledger.trials[1].footprint.bytes, 77);
  lpot_journal_close(journal);
  lpot_ledger_done(&ledger);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ledger_read_back_is_the_one_that_was_written),
      cmocka_unit_test(a_journal_of_another_format_is_refused),
      cmocka_unit_test(op_times_come_once_and_fit_the_model),
      cmocka_unit_test(senses_are_taken_once_and_finite),
      cmocka_unit_test(footprint_is_of_f32_or_a_trial),
      cmocka_unit_test(part_held_out_is_f32_first_and_each_once),
      cmocka_unit_test(part_held_out_does_not_begin_with_a_recipe),
      cmocka_unit_test(record_truncated_at_any_byte_is_refused),
      cmocka_unit_test(journal_with_any_byte_changed_keeps_what_is_before),
      cmocka_unit_test(journal_cut_or_zeroed_anywhere_keeps_what_is_before),
      cmocka_unit_test(ledger_survives_any_changed_byte_of_a_payload),
      cmocka_unit_test(record_before_the_header_is_refused),
      cmocka_unit_test(weights_are_decided_before_the_first_session),
      cmocka_unit_test(result_of_the_same_recipe_is_refused_a_second_time),
  };
  return cmocka_run_group_tests(tests, temp_folder_set_up, temp_folder_tear_down);
}
