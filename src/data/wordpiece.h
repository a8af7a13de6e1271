/* BERT's tokenizer: words and punctuation, then the longest pieces of a vocabulary that make up
 * each word. Source: Devlin et al. 2019 and its BasicTokenizer and WordPieceTokenizer.
 *
 * Control characters (Cc, Cf, Co) and U+FFFD are dropped, white space separates words, ideographs
 * and punctuation are words of their own. In lower case, text is decomposed first (NFD), marks
 * (Mn) are dropped, and each character becomes lower case by itself. Names such as [CLS] in a text
 * are text. A word of more than 100 characters, or without pieces, is [UNK].
 * Categories are those of the Unicode that utf8proc has; `tokenizers`, whose tables are older,
 * takes marks and punctuation of later versions for letters.
 *
 * vocab.txt: a piece per line, UTF-8, its number counted from 0; pieces within a word begin with
 * "##"; of equal lines the last counts. */
#ifndef LPOT_DATA_WORDPIECE_H
#define LPOT_DATA_WORDPIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define LPOT_MAX_VOCABULARY 4000000 /* pieces */
#define LPOT_MAX_WORD 100           /* characters */

typedef struct lpot_wordpiece lpot_wordpiece;

/* Pieces of a text: numbers in the vocabulary. All zero is empty. */
typedef struct lpot_tokens {
  int32_t *ids; /* [count] owned */
  size_t count;
  size_t capacity;
} lpot_tokens;

void lpot_tokens_done(lpot_tokens *tokens);
LPOT_MUST_CHECK lpot_status lpot_tokens_add(lpot_tokens *tokens, int32_t id, lpot_error *err);

/* text is the contents of a vocab.txt. LPOT_FORMAT where it is not UTF-8 or has not [UNK], [CLS],
 * [SEP] and [PAD]. */
LPOT_MUST_CHECK lpot_status lpot_wordpiece_new(const void *text, size_t size, bool lower_case,
                                               lpot_wordpiece **ret, lpot_error *err);
/* The same from a file, which errors name. */
LPOT_MUST_CHECK lpot_status lpot_wordpiece_load(const char *path, bool lower_case,
                                                lpot_wordpiece **ret, lpot_error *err);
void lpot_wordpiece_free(lpot_wordpiece *vocabulary);

int32_t lpot_wordpiece_cls(const lpot_wordpiece *vocabulary); /* [CLS] */
int32_t lpot_wordpiece_sep(const lpot_wordpiece *vocabulary); /* [SEP] */
int32_t lpot_wordpiece_pad(const lpot_wordpiece *vocabulary); /* [PAD] */
/* The piece of that number; id comes from this vocabulary. */
const char *lpot_wordpiece_text(const lpot_wordpiece *vocabulary, int32_t id);

/* Appends the pieces of text; LPOT_FORMAT where it is not UTF-8. */
LPOT_MUST_CHECK lpot_status lpot_wordpiece_tokenize(const lpot_wordpiece *vocabulary,
                                                    const char *text, size_t size,
                                                    lpot_tokens *tokens, lpot_error *err);
/* Appends the words of text with one blank between any two of them. */
LPOT_MUST_CHECK lpot_status lpot_basic_tokenize(const char *text, size_t size, bool lower_case,
                                                lpot_buffer *words, lpot_error *err);

#endif
