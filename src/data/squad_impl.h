/* What squad.c and squad_answer.c share. For them only. */
#ifndef LPOT_DATA_SQUAD_IMPL_H
#define LPOT_DATA_SQUAD_IMPL_H

#include <string.h>

#include "data/squad.h"

/* A word of a paragraph. */
typedef struct lpot_squad_word {
  size_t start, size; /* bytes of the paragraph's text */
} lpot_squad_word;

typedef struct lpot_squad_paragraph {
  const char *text; /* the file's */
  size_t first_word, num_words;
  size_t first_token, num_tokens;
} lpot_squad_paragraph;

/* What belongs to a question. */
typedef struct lpot_squad_query_span {
  size_t first, count; /* pieces among query_tokens */
  size_t first_feature, num_features;
} lpot_squad_query_span;

struct lpot_squad {
  lpot_squad_settings settings;
  lpot_squad_file file;
  lpot_wordpiece *vocabulary;
  lpot_squad_paragraph *paragraphs; /* [file.num_contexts] */
  lpot_squad_query_span *queries;   /* [file.num_questions] */
  lpot_tokens tokens;               /* of all paragraphs */
  lpot_tokens query_tokens;         /* of all questions */
  lpot_buffer words;                /* lpot_squad_word, of all paragraphs */
  lpot_buffer word_of_token;        /* uint32_t per piece of tokens: word within its paragraph */
  lpot_buffer features;             /* lpot_squad_feature */
  int64_t check;
};

#endif
