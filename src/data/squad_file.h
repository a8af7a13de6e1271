/* SQuAD 1.1's JSON: {"data": [{"paragraphs": [{"context": text, "qas": [{"id": text, "question":
 * text, "answers": [{"text": text, ...}, ...]}, ...]}, ...]}, ...]}; other keys do not count. */
#ifndef LPOT_DATA_SQUAD_FILE_H
#define LPOT_DATA_SQUAD_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct lpot_squad_question {
  const char *id; /* arena */
  const char *text;
  size_t paragraph;                 /* index */
  size_t first_answer, num_answers; /* of the file's answers; at least one */
} lpot_squad_question;

/* All zero is empty. */
typedef struct lpot_squad_file {
  lpot_arena *arena;
  const char **contexts; /* [num_contexts] by paragraph */
  size_t num_contexts, contexts_capacity;
  lpot_squad_question *questions; /* [num_questions] in the order of the file */
  size_t num_questions, questions_capacity;
  const char **answers; /* [num_answers] true answers */
  size_t num_answers, answers_capacity;
} lpot_squad_file;

/* LPOT_FORMAT naming the line; *ret_file is then empty. At least one question. */
LPOT_MUST_CHECK lpot_status lpot_squad_file_read(const uint8_t *data, size_t size,
                                                 lpot_squad_file *ret_file, lpot_error *err);
void lpot_squad_file_done(lpot_squad_file *file);

#endif
