#include "data/squad_file.h"

#include "base/json_reader.h"
#include "base/memory.h"
#include "base/text.h"

/* Makes room for one more element of an array. */
static lpot_status grow(void **array, size_t count, size_t *capacity, size_t size,
                        lpot_error *err) {
  if (count < *capacity) {
    return LPOT_OK;
  }
  size_t more = *capacity < 32 ? 64 : *capacity * 2;
  void *larger = lpot_realloc(*array, more, size);
  if (larger == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *array = larger;
  *capacity = more;
  return LPOT_OK;
}

static lpot_status read_text(lpot_json_reader *reader, lpot_squad_file *file, const char **ret,
                             lpot_error *err) {
  const char *text = NULL;
  LPOT_TRY(lpot_json_reader_string(reader, &text, err));
  *ret = lpot_arena_strdup(file->arena, text);
  return *ret == NULL ? LPOT_OUT_OF_MEMORY(err) : LPOT_OK;
}

static lpot_status add_answer(lpot_json_reader *reader, lpot_squad_file *file, lpot_error *err) {
  const char *answer = NULL;
  const char *key = NULL;
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(reader, LPOT_JSON_OBJECT, err));
  LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  while (more) {
    if (lpot_text_equal(key, "text")) {
      LPOT_TRY(read_text(reader, file, &answer, err));
    } else {
      LPOT_TRY(lpot_json_reader_skip(reader, err));
    }
    LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  }
  if (answer == NULL) {
    return lpot_json_reader_fail(reader, err, "an answer without 'text'");
  }
  void *answers = (void *)file->answers;
  lpot_status status =
      grow(&answers, file->num_answers, &file->answers_capacity, sizeof *file->answers, err);
  file->answers = answers;
  LPOT_TRY(status);
  file->answers[file->num_answers++] = answer;
  return LPOT_OK;
}

/* Reads an array whose elements read takes. */
static lpot_status read_array(lpot_json_reader *reader, lpot_squad_file *file,
                              lpot_status (*read)(lpot_json_reader *reader, lpot_squad_file *file,
                                                  lpot_error *err),
                              lpot_error *err) {
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(reader, LPOT_JSON_ARRAY, err));
  LPOT_TRY(lpot_json_reader_next(reader, NULL, &more, err));
  while (more) {
    LPOT_TRY(read(reader, file, err));
    LPOT_TRY(lpot_json_reader_next(reader, NULL, &more, err));
  }
  return LPOT_OK;
}

static lpot_status read_question_keys(lpot_json_reader *reader, lpot_squad_file *file,
                                      lpot_squad_question *question, lpot_error *err) {
  const char *key = NULL;
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(reader, LPOT_JSON_OBJECT, err));
  LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  while (more) {
    if (lpot_text_equal(key, "id")) {
      LPOT_TRY(read_text(reader, file, &question->id, err));
    } else if (lpot_text_equal(key, "question")) {
      LPOT_TRY(read_text(reader, file, &question->text, err));
    } else if (lpot_text_equal(key, "answers")) {
      question->first_answer = file->num_answers;
      LPOT_TRY(read_array(reader, file, add_answer, err));
      question->num_answers = file->num_answers - question->first_answer;
    } else {
      LPOT_TRY(lpot_json_reader_skip(reader, err));
    }
    LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  }
  return LPOT_OK;
}

static lpot_status add_question(lpot_json_reader *reader, lpot_squad_file *file, lpot_error *err) {
  lpot_squad_question question = {.paragraph = file->num_contexts};
  LPOT_TRY(read_question_keys(reader, file, &question, err));
  if (question.id == NULL || question.text == NULL) {
    return lpot_json_reader_fail(reader, err, "a question without '%s'",
                                 question.id == NULL ? "id" : "question");
  }
  if (question.num_answers == 0) {
    char id[64];
    lpot_text_printable(question.id, id, sizeof id);
    return lpot_json_reader_fail(
        reader, err, "question '%s' has no answers, expected the form of SQuAD 1.1", id);
  }
  void *questions = file->questions;
  lpot_status status = grow(&questions, file->num_questions, &file->questions_capacity,
                            sizeof *file->questions, err);
  file->questions = questions;
  LPOT_TRY(status);
  file->questions[file->num_questions++] = question;
  return LPOT_OK;
}

static lpot_status add_paragraph(lpot_json_reader *reader, lpot_squad_file *file, lpot_error *err) {
  const char *context = NULL;
  const char *key = NULL;
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(reader, LPOT_JSON_OBJECT, err));
  LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  while (more) {
    if (lpot_text_equal(key, "context")) {
      LPOT_TRY(read_text(reader, file, &context, err));
    } else if (lpot_text_equal(key, "qas")) {
      LPOT_TRY(read_array(reader, file, add_question, err));
    } else {
      LPOT_TRY(lpot_json_reader_skip(reader, err));
    }
    LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  }
  if (context == NULL) {
    return lpot_json_reader_fail(reader, err, "a paragraph without 'context'");
  }
  void *contexts = (void *)file->contexts;
  lpot_status status =
      grow(&contexts, file->num_contexts, &file->contexts_capacity, sizeof *file->contexts, err);
  file->contexts = contexts;
  LPOT_TRY(status);
  file->contexts[file->num_contexts++] = context;
  return LPOT_OK;
}

/* Reads the object that comes next, of which only the array under name counts. */
static lpot_status read_object(lpot_json_reader *reader, lpot_squad_file *file, const char *name,
                               lpot_status (*read)(lpot_json_reader *reader, lpot_squad_file *file,
                                                   lpot_error *err),
                               lpot_error *err) {
  bool found = false;
  const char *key = NULL;
  bool more = false;
  LPOT_TRY(lpot_json_reader_enter(reader, LPOT_JSON_OBJECT, err));
  LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  while (more) {
    if (lpot_text_equal(key, name)) {
      found = true;
      LPOT_TRY(read_array(reader, file, read, err));
    } else {
      LPOT_TRY(lpot_json_reader_skip(reader, err));
    }
    LPOT_TRY(lpot_json_reader_next(reader, &key, &more, err));
  }
  if (!found) {
    return lpot_json_reader_fail(reader, err, "expected the key '%s'", name);
  }
  return LPOT_OK;
}

static lpot_status add_article(lpot_json_reader *reader, lpot_squad_file *file, lpot_error *err) {
  return read_object(reader, file, "paragraphs", add_paragraph, err);
}

static lpot_status read_all(lpot_json_reader *reader, lpot_squad_file *file, lpot_error *err) {
  LPOT_TRY(lpot_arena_new(&file->arena, err));
  LPOT_TRY(read_object(reader, file, "data", add_article, err));
  LPOT_TRY(lpot_json_reader_end(reader, err));
  if (file->num_questions == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "there are no questions");
  }
  return LPOT_OK;
}

lpot_status lpot_squad_file_read(const uint8_t *data, size_t size, lpot_squad_file *ret_file,
                                 lpot_error *err) {
  lpot_json_reader reader;
  lpot_squad_file file = {0};
  lpot_json_reader_init(&reader, data, size);
  lpot_status status = read_all(&reader, &file, err);
  lpot_json_reader_done(&reader);
  if (status != LPOT_OK) {
    lpot_squad_file_done(&file);
    return status;
  }
  *ret_file = file;
  return LPOT_OK;
}

void lpot_squad_file_done(lpot_squad_file *file) {
  lpot_arena_free(file->arena);
  lpot_free((void *)file->contexts);
  lpot_free(file->questions);
  lpot_free((void *)file->answers);
  *file = (lpot_squad_file){0};
}
