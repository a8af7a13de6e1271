#include "data/glue_file.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static const lpot_glue_task tasks[] = {
    {"cola", "dev.tsv", 3, -1, 1, false, false, {"0", "1"}, LPOT_GLUE_MATTHEWS},
    {"mnli",
     "dev_matched.tsv",
     8,
     9,
     -1,
     true,
     false,
     {"contradiction", "entailment", "neutral"},
     LPOT_GLUE_ACCURACY},
    {"mnli-mm",
     "dev_mismatched.tsv",
     8,
     9,
     -1,
     true,
     false,
     {"contradiction", "entailment", "neutral"},
     LPOT_GLUE_ACCURACY},
    {"mrpc", "dev.tsv", 3, 4, 0, true, false, {"0", "1"}, LPOT_GLUE_F1},
    {"qnli",
     "dev.tsv",
     1,
     2,
     -1,
     true,
     false,
     {"entailment", "not_entailment"},
     LPOT_GLUE_ACCURACY},
    {"qqp", "dev.tsv", 3, 4, 5, true, true, {"0", "1"}, LPOT_GLUE_ACCURACY},
    {"rte", "dev.tsv", 1, 2, -1, true, false, {"entailment", "not_entailment"}, LPOT_GLUE_ACCURACY},
    {"sst-2", "dev.tsv", 0, -1, 1, true, false, {"0", "1"}, LPOT_GLUE_ACCURACY},
    {"sts-b", "dev.tsv", 7, 8, -1, true, false, {NULL}, LPOT_GLUE_CORRELATION},
    {"wnli", "dev.tsv", 1, 2, -1, true, false, {"0", "1"}, LPOT_GLUE_ACCURACY},
};
#define NUM_TASKS (sizeof tasks / sizeof tasks[0])

lpot_status lpot_glue_task_read(const lpot_yaml_node *node, const lpot_glue_task **ret_task,
                                lpot_error *err) {
  const char *names[NUM_TASKS + 1] = {NULL};
  for (size_t i = 0; i < NUM_TASKS; i++) {
    names[i] = tasks[i].name;
  }
  int index = 0;
  LPOT_TRY(lpot_yaml_choice(node, names, &index, err));
  *ret_task = &tasks[index];
  return LPOT_OK;
}

int64_t lpot_glue_num_classes(const lpot_glue_task *task) {
  int64_t count = 0;
  while (task->labels[count] != NULL) {
    count++;
  }
  return count;
}

typedef struct glue_reader {
  const lpot_glue_task *task;
  const char *text; /* what is left */
  const char *end;
  size_t line;         /* number of the line read last */
  lpot_glue_row *rows; /* [count] */
  size_t count;
  size_t capacity;
  size_t skipped;
} glue_reader;

typedef struct glue_column {
  const char *text;
  size_t size;
} glue_column;

/* The next line without its end; false after the last. */
static bool next_line(glue_reader *reader, glue_column *line) {
  if (reader->text == reader->end) {
    return false;
  }
  size_t left = (size_t)(reader->end - reader->text);
  const char *stop = memchr(reader->text, '\n', left);
  line->text = reader->text;
  line->size = stop == NULL ? left : (size_t)(stop - reader->text);
  reader->text = stop == NULL ? reader->end : stop + 1;
  reader->line++;
  if (line->size > 0 && line->text[line->size - 1] == '\r') {
    line->size--;
  }
  return true;
}

/* Column number index of a line, -1: the last; false where there are not so many. */
static bool find_column(glue_column line, int index, glue_column *ret) {
  for (int i = 0;; i++) {
    const char *tab = line.size == 0 ? NULL : memchr(line.text, '\t', line.size);
    if (i == index || (index < 0 && tab == NULL)) {
      ret->text = line.text;
      ret->size = tab == NULL ? line.size : (size_t)(tab - line.text);
      return true;
    }
    if (tab == NULL) {
      return false;
    }
    size_t taken = (size_t)(tab - line.text) + 1;
    line.text += taken;
    line.size -= taken;
  }
}

static lpot_status read_label(const glue_reader *reader, glue_column column, double *ret,
                              lpot_error *err) {
  char text[64] = "";
  bool fits = column.size < sizeof text && memchr(column.text, 0, column.size) == NULL;
  memcpy(text, column.text, fits ? column.size : 0);
  const char *const *labels = reader->task->labels;
  if (labels[0] == NULL) {
    if (fits && lpot_text_to_double(text, ret) && isfinite(*ret)) {
      return LPOT_OK;
    }
    return LPOT_FAIL(err, LPOT_FORMAT, "line %zu: label '%s', expected a number", reader->line,
                     text);
  }
  for (size_t i = 0; fits && labels[i] != NULL; i++) {
    if (lpot_text_equal(labels[i], text)) {
      *ret = (double)i;
      return LPOT_OK;
    }
  }
  char shown[64];
  char known[96];
  lpot_text_printable(text, shown, sizeof shown);
  lpot_text_names(labels, known, sizeof known);
  return LPOT_FAIL(err, LPOT_FORMAT, "line %zu: label '%s', expected one of %s", reader->line,
                   shown, known);
}

static lpot_status add_row(glue_reader *reader, const lpot_glue_row *row, lpot_error *err) {
  if (reader->count == reader->capacity) {
    size_t capacity = reader->capacity < 128 ? 256 : reader->capacity * 2;
    lpot_glue_row *rows = lpot_realloc(reader->rows, capacity, sizeof *rows);
    if (rows == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    reader->rows = rows;
    reader->capacity = capacity;
  }
  reader->rows[reader->count++] = *row;
  return LPOT_OK;
}

static lpot_status read_line(glue_reader *reader, glue_column line, lpot_error *err) {
  const lpot_glue_task *task = reader->task;
  glue_column first = {0};
  glue_column second = {0};
  glue_column label = {0};
  bool is_whole = find_column(line, task->first, &first) &&
                  (task->second < 0 || find_column(line, task->second, &second)) &&
                  find_column(line, task->label, &label);
  if (!is_whole && task->skips_short) {
    reader->skipped++;
    return LPOT_OK;
  }
  if (!is_whole) {
    int last = task->second > task->first ? task->second : task->first;
    last = task->label > last ? task->label : last;
    return LPOT_FAIL(err, LPOT_FORMAT, "line %zu: expected at least %d columns for task %s",
                     reader->line, last + 1, task->name);
  }
  lpot_glue_row row = {.first = first.text,
                       .second = second.text,
                       .first_size = first.size,
                       .second_size = second.size,
                       .line = reader->line};
  LPOT_TRY(read_label(reader, label, &row.label, err));
  return add_row(reader, &row, err);
}

static lpot_status read_lines(glue_reader *reader, lpot_error *err) {
  static const char mark[] = "\xef\xbb\xbf";
  glue_column line = {0};
  if (reader->end - reader->text >= 3 && memcmp(reader->text, mark, 3) == 0) {
    reader->text += 3;
  }
  if (reader->task->has_names && !next_line(reader, &line)) {
    return LPOT_OK;
  }
  while (next_line(reader, &line)) {
    if (line.size > 0) {
      LPOT_TRY(read_line(reader, line, err));
    }
  }
  return LPOT_OK;
}

lpot_status lpot_glue_file_read(const lpot_glue_task *task, const char *text, size_t size,
                                lpot_glue_row **ret_rows, size_t *ret_count, size_t *ret_skipped,
                                lpot_error *err) {
  glue_reader reader = {.task = task, .text = text, .end = size == 0 ? text : text + size};
  lpot_status status = read_lines(&reader, err);
  if (status != LPOT_OK) {
    lpot_free(reader.rows);
    return status;
  }
  *ret_rows = reader.rows;
  *ret_count = reader.count;
  *ret_skipped = reader.skipped;
  return LPOT_OK;
}
