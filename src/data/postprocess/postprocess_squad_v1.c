/* SquadV1: scores of places become answers as text (data/squad.h), for the metric SquadF1, which
 * says what the outputs and labels then are.
 *
 * The model's outputs are start and end scores [batch, places], or one output [batch, places, 2].
 * Scores with NaN, or without any pair that is an answer, give an empty answer with the score NaN
 * or -infinity. Labels are those of the dataset bert with task squad and the same settings. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/postprocess_class.h"
#include "data/setting.h"
#include "data/squad.h"

#define MAX_TEXT_BYTES ((size_t)1 << 20)

typedef struct squad_v1 {
  lpot_squad *squad; /* owned */
  lpot_squad_search search;
  int64_t start_output, end_output;
} squad_v1;

static lpot_status read_path(const lpot_yaml_node *settings, const char *key, const char **ret,
                             lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  LPOT_TRY(lpot_setting_need(settings, "postprocess SquadV1", key, &node, err));
  LPOT_TRY(lpot_yaml_string(node, ret, err));
  return lpot_path_is_file(*ret) ? LPOT_OK
                                 : lpot_yaml_fail(err, node, "there is no file '%s'", *ret);
}

static lpot_status parse_squad_v1(void *parameters, const lpot_yaml_node *settings,
                                  lpot_error *err) {
  static const char *const names[] = {
      "label_file",       "vocab_file",        "n_best",     "max_seq_length",
      "max_query_length", "max_answer_length", "doc_stride", "do_lower_case",
      "start_output",     "end_output",        NULL};
  squad_v1 *own = parameters;
  int64_t best = 20;
  int64_t length = 30;
  const char *label_file = NULL;
  const char *vocab_file = NULL;
  lpot_squad_settings squad;
  own->end_output = 1;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_squad_settings_read(settings, &squad, err));
  LPOT_TRY(lpot_setting_int(settings, "n_best", 1, 65536, &best, err));
  LPOT_TRY(lpot_setting_int(settings, "max_answer_length", 1, 65536, &length, err));
  LPOT_TRY(lpot_setting_int(settings, "start_output", 0, 1000, &own->start_output, err));
  LPOT_TRY(lpot_setting_int(settings, "end_output", 0, 1000, &own->end_output, err));
  own->search = (lpot_squad_search){(size_t)best, (size_t)length};
  LPOT_TRY(read_path(settings, "label_file", &label_file, err));
  LPOT_TRY(read_path(settings, "vocab_file", &vocab_file, err));
  lpot_status status = lpot_squad_open(label_file, vocab_file, &squad, &own->squad, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "postprocess SquadV1");
  }
  return status;
}

static void done_squad_v1(void *parameters) {
  lpot_squad_close(((squad_v1 *)parameters)->squad);
}

/* Where the two scores of place p of row r are: at (r * places + p) * step + offset. */
typedef struct score_view {
  const lpot_tensor *starts, *ends;
  int64_t places;
  int64_t step;
  int64_t end_offset;
} score_view;

static lpot_status find_scores(const squad_v1 *own, const lpot_answer *answer, score_view *ret,
                               lpot_error *err) {
  const lpot_tensor *first = answer->outputs[0];
  if (answer->num_outputs == 1 && first->shape.rank == 3 && first->shape.dims[2] == 2) {
    *ret = (score_view){first, first, first->shape.dims[1], 2, 1};
  } else {
    int64_t last = own->start_output > own->end_output ? own->start_output : own->end_output;
    if (last >= (int64_t)answer->num_outputs) {
      return LPOT_FAIL(err, LPOT_INVALID,
                       "start_output and end_output are %lld and %lld, the model has %zu outputs",
                       (long long)own->start_output, (long long)own->end_output,
                       answer->num_outputs);
    }
    const lpot_tensor *starts = answer->outputs[own->start_output];
    const lpot_tensor *ends = answer->outputs[own->end_output];
    int rank = starts->shape.rank;
    bool is_flat = rank == 2 || (rank == 3 && starts->shape.dims[2] == 1);
    if (!is_flat || !lpot_shape_equal(&starts->shape, &ends->shape)) {
      char shapes[2][64];
      lpot_shape_text(&starts->shape, shapes[0], sizeof shapes[0]);
      lpot_shape_text(&ends->shape, shapes[1], sizeof shapes[1]);
      return LPOT_FAIL(err, LPOT_INVALID,
                       "outputs of shapes %s and %s, expected two of [batch, places]", shapes[0],
                       shapes[1]);
    }
    *ret = (score_view){starts, ends, starts->shape.dims[1], 1, 0};
  }
  if (ret->starts->shape.dims[0] < answer->batch.num_valid) {
    return LPOT_FAIL(err, LPOT_INVALID, "%lld rows of outputs for %lld samples",
                     (long long)ret->starts->shape.dims[0], (long long)answer->batch.num_valid);
  }
  return LPOT_OK;
}

static lpot_status check_labels(const squad_v1 *own, const lpot_answer *answer,
                                const score_view *scores, lpot_error *err) {
  const lpot_tensor *labels = answer->batch.labels;
  if (labels == NULL || labels->dtype != LPOT_S64 || labels->shape.rank != 2 ||
      labels->shape.dims[1] != 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "expects the labels of dataset bert with task squad");
  }
  for (int64_t row = 0; row < answer->batch.num_valid; row++) {
    int64_t feature = lpot_tensor_get_int(labels, row * 2);
    if (lpot_tensor_get_int(labels, row * 2 + 1) != lpot_squad_check(own->squad) || feature < 0 ||
        feature >= (int64_t)lpot_squad_num_features(own->squad)) {
      return LPOT_FAIL(err, LPOT_INVALID,
                       "label_file, vocab_file, max_seq_length, max_query_length, doc_stride and "
                       "do_lower_case must be those of the dataset");
    }
    size_t used = lpot_squad_query(own->squad, (size_t)feature).count +
                  lpot_squad_window(own->squad, (size_t)feature).count + 3;
    if (used > (size_t)scores->places) {
      return LPOT_FAIL(err, LPOT_INVALID, "outputs have %lld places, feature %lld has %zu",
                       (long long)scores->places, (long long)feature, used);
    }
  }
  return LPOT_OK;
}

/* What becomes of the rows: texts one behind the other, each terminated. */
typedef struct row_texts {
  lpot_buffer bytes;
  size_t longest; /* of them, with its end */
} row_texts;

static lpot_status end_text(row_texts *texts, size_t start, lpot_error *err) {
  size_t size = texts->bytes.size - start + 1;
  if (size > MAX_TEXT_BYTES) {
    return LPOT_FAIL(err, LPOT_FORMAT, "an answer of more than %zu bytes", MAX_TEXT_BYTES);
  }
  texts->longest = size > texts->longest ? size : texts->longest;
  return lpot_buffer_append(&texts->bytes, "", 1, err);
}

/* values: room for twice the places. */
static lpot_status answer_row(const squad_v1 *own, const score_view *scores, int64_t row,
                              size_t feature, double *values, row_texts *texts, double *ret_score,
                              lpot_error *err) {
  size_t start = texts->bytes.size;
  size_t places = (size_t)scores->places;
  bool has_nan = false;
  for (int64_t i = 0; i < scores->places; i++) {
    int64_t at = (row * scores->places + i) * scores->step;
    double first = lpot_tensor_get_double(scores->starts, at);
    double last = lpot_tensor_get_double(scores->ends, at + scores->end_offset);
    values[i] = first;
    values[places + (size_t)i] = last;
    has_nan = has_nan || isnan(first) || isnan(last);
  }
  *ret_score = (double)NAN;
  if (!has_nan) {
    LPOT_TRY(lpot_squad_answer(own->squad, feature, values, values + places, places, &own->search,
                               &texts->bytes, ret_score, err));
  }
  return end_text(texts, start, err);
}

/* Makes texts, count of them, rows of a tensor of that shape, whose last dimension is set here. */
static lpot_status make_texts(lpot_answer *answer, const row_texts *texts, lpot_shape shape,
                              const size_t *per_row, size_t rows, lpot_tensor **ret,
                              lpot_error *err) {
  int last = shape.rank - 1;
  shape.dims[last] = (int64_t)texts->longest;
  LPOT_TRY(lpot_answer_make(answer, LPOT_U8, &shape, ret, err));
  const uint8_t *from = texts->bytes.data;
  LPOT_ASSERT(from != NULL); /* There is at least one row. */
  size_t row_texts_room = shape.rank == 3 ? (size_t)shape.dims[1] : 1;
  for (size_t row = 0; row < rows; row++) {
    for (size_t i = 0; i < (per_row == NULL ? 1 : per_row[row]); i++) {
      size_t size = strlen((const char *)from) + 1;
      uint8_t *to = (uint8_t *)(*ret)->data + (row * row_texts_room + i) * texts->longest;
      memcpy(to, from, size);
      from += size;
    }
  }
  return LPOT_OK;
}

static lpot_status put_answers(const squad_v1 *own, const score_view *scores, lpot_answer *answer,
                               double *values, row_texts *texts, lpot_error *err) {
  int64_t rows = answer->batch.num_valid;
  lpot_shape pairs = lpot_shape_of(2, (const int64_t[]){rows, 2});
  lpot_shape list = lpot_shape_of(1, (const int64_t[]){rows});
  lpot_tensor *made[3] = {NULL};
  LPOT_TRY(lpot_answer_make(answer, LPOT_S64, &pairs, &made[0], err));
  LPOT_TRY(lpot_answer_make(answer, LPOT_F64, &list, &made[1], err));
  for (int64_t row = 0; row < rows; row++) {
    int64_t feature = lpot_tensor_get_int(answer->batch.labels, row * 2);
    double score = 0.0;
    LPOT_TRY(answer_row(own, scores, row, (size_t)feature, values, texts, &score, err));
    lpot_tensor_set_int(made[0], row * 2,
                        (int64_t)lpot_squad_get(own->squad, (size_t)feature)->question);
    lpot_tensor_set_int(made[0], row * 2 + 1, feature);
    lpot_tensor_set_double(made[1], row, score);
  }
  LPOT_TRY(make_texts(answer, texts, pairs, NULL, (size_t)rows, &made[2], err));
  for (size_t i = 0; i < 3; i++) {
    answer->outputs[i] = made[i];
  }
  answer->num_outputs = 3;
  return LPOT_OK;
}

static lpot_status add_truths(const lpot_squad_file *file, const lpot_squad_question *question,
                              row_texts *texts, lpot_error *err) {
  for (size_t i = 0; i < question->num_answers; i++) {
    const char *truth = file->answers[question->first_answer + i];
    size_t start = texts->bytes.size;
    LPOT_TRY(lpot_buffer_append(&texts->bytes, truth, strlen(truth), err));
    LPOT_TRY(end_text(texts, start, err));
  }
  return LPOT_OK;
}

/* counts: room for a number per row. */
static lpot_status put_truths(const squad_v1 *own, lpot_answer *answer, size_t *counts,
                              row_texts *texts, lpot_error *err) {
  const lpot_squad_file *file = lpot_squad_questions(own->squad);
  size_t rows = (size_t)answer->batch.num_valid;
  size_t most = 1;
  for (size_t row = 0; row < rows; row++) {
    int64_t feature = lpot_tensor_get_int(answer->batch.labels, (int64_t)row * 2);
    size_t index = lpot_squad_get(own->squad, (size_t)feature)->question;
    const lpot_squad_question *question = &file->questions[index];
    LPOT_TRY(add_truths(file, question, texts, err));
    counts[row] = question->num_answers;
    most = counts[row] > most ? counts[row] : most;
  }
  lpot_shape shape = lpot_shape_of(3, (const int64_t[]){(int64_t)rows, (int64_t)most, 1});
  lpot_tensor *labels = NULL;
  LPOT_TRY(make_texts(answer, texts, shape, counts, rows, &labels, err));
  answer->batch.labels = labels;
  return LPOT_OK;
}

static lpot_status apply_squad_v1(const void *parameters, lpot_answer *answer, lpot_error *err) {
  const squad_v1 *own = parameters;
  score_view scores = {0};
  LPOT_TRY(find_scores(own, answer, &scores, err));
  LPOT_TRY(check_labels(own, answer, &scores, err));
  row_texts answers = {0};
  row_texts truths = {0};
  double *values = lpot_calloc((size_t)scores.places * 2, sizeof *values);
  size_t *counts = lpot_calloc((size_t)answer->batch.num_valid, sizeof *counts);
  lpot_status status = values == NULL || counts == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
  if (status == LPOT_OK) {
    status = put_answers(own, &scores, answer, values, &answers, err);
  }
  if (status == LPOT_OK) {
    status = put_truths(own, answer, counts, &truths, err);
  }
  lpot_free(values);
  lpot_free(counts);
  lpot_buffer_done(&answers.bytes);
  lpot_buffer_done(&truths.bytes);
  return status;
}

const lpot_postprocess_class lpot_postprocess_class_squad_v1 = {
    .name = "SquadV1",
    .size_bytes = sizeof(squad_v1),
    .reads_files = true,
    .parse = parse_squad_v1,
    .done = done_squad_v1,
    .apply = apply_squad_v1,
};
