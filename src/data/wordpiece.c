#include "data/wordpiece.h"

#include <string.h>

#include "base/arena.h"
#include "base/hash_map.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/unicode.h"

/* Bytes of the longest word that has pieces. */
#define MAX_WORD_BYTES ((size_t)LPOT_MAX_WORD * 4)

struct lpot_wordpiece {
  lpot_arena *arena; /* of the texts */
  lpot_hash_map *ids;
  const char **texts; /* [num_texts] owned array */
  size_t num_texts;
  size_t capacity;
  int32_t unk, cls, sep, pad;
  bool lower_case;
};

/* ---- words ---- */

/* Appends text without what is dropped, white space as ' ', and ideographs between blanks. */
static lpot_status clean(const char *text, size_t size, lpot_buffer *out, lpot_error *err) {
  size_t position = 0;
  while (position < size) {
    int32_t character = 0;
    LPOT_TRY(lpot_unicode_next(text, size, &position, &character, err));
    bool is_blank = character == '\t' || character == '\n' || character == '\r';
    if (!is_blank &&
        (character == 0 || character == 0xfffd || lpot_unicode_is_control(character))) {
      continue;
    }
    if (is_blank || lpot_unicode_is_space(character)) {
      LPOT_TRY(lpot_buffer_append(out, " ", 1, err));
      continue;
    }
    bool is_ideograph = lpot_unicode_is_ideograph(character);
    if (is_ideograph) {
      LPOT_TRY(lpot_buffer_append(out, " ", 1, err));
    }
    LPOT_TRY(lpot_unicode_put(out, character, err));
    if (is_ideograph) {
      LPOT_TRY(lpot_buffer_append(out, " ", 1, err));
    }
  }
  return LPOT_OK;
}

/* Appends the words of clean text, with blanks between them. */
static lpot_status split(const char *text, size_t size, lpot_buffer *words, lpot_error *err) {
  bool in_word = false;
  bool is_first = true;
  size_t position = 0;
  while (position < size) {
    int32_t character = 0;
    LPOT_TRY(lpot_unicode_next(text, size, &position, &character, err));
    if (lpot_unicode_is_space(character)) {
      in_word = false;
      continue;
    }
    bool is_mark = lpot_unicode_is_punctuation(character);
    if (!is_first && (is_mark || !in_word)) {
      LPOT_TRY(lpot_buffer_append(words, " ", 1, err));
    }
    LPOT_TRY(lpot_unicode_put(words, character, err));
    is_first = false;
    in_word = !is_mark;
  }
  return LPOT_OK;
}

static lpot_status tokenize_words(const char *text, size_t size, bool lower_case,
                                  lpot_buffer *cleaned, lpot_buffer *folded, lpot_buffer *words,
                                  lpot_error *err) {
  LPOT_TRY(clean(text, size, cleaned, err));
  if (!lower_case) {
    return split((const char *)cleaned->data, cleaned->size, words, err);
  }
  LPOT_TRY(lpot_unicode_fold((const char *)cleaned->data, cleaned->size, folded, err));
  return split((const char *)folded->data, folded->size, words, err);
}

lpot_status lpot_basic_tokenize(const char *text, size_t size, bool lower_case, lpot_buffer *words,
                                lpot_error *err) {
  lpot_buffer cleaned = {0};
  lpot_buffer folded = {0};
  lpot_status status = tokenize_words(text, size, lower_case, &cleaned, &folded, words, err);
  lpot_buffer_done(&cleaned);
  lpot_buffer_done(&folded);
  return status;
}

/* ---- pieces ---- */

void lpot_tokens_done(lpot_tokens *tokens) {
  lpot_free(tokens->ids);
  *tokens = (lpot_tokens){0};
}

lpot_status lpot_tokens_add(lpot_tokens *tokens, int32_t id, lpot_error *err) {
  if (tokens->count == tokens->capacity) {
    size_t capacity = tokens->capacity < 32 ? 64 : tokens->capacity * 2;
    int32_t *ids = lpot_realloc(tokens->ids, capacity, sizeof *ids);
    if (ids == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    tokens->ids = ids;
    tokens->capacity = capacity;
  }
  tokens->ids[tokens->count++] = id;
  return LPOT_OK;
}

/* The longest piece that word begins with: its number, and the bytes it takes; false: none. */
static bool find_piece(const lpot_wordpiece *vocabulary, const char *word, size_t size,
                       bool is_inner, int64_t *ret_id, size_t *ret_taken) {
  char piece[MAX_WORD_BYTES + 3] = "##";
  char *start = piece + (is_inner ? 2 : 0);
  memcpy(start, word, size);
  for (size_t length = size; length > 0; length--) {
    bool ends_character = length == size || ((uint8_t)word[length] & 0xc0u) != 0x80u;
    start[length] = '\0';
    if (ends_character && lpot_hash_map_get(vocabulary->ids, piece, ret_id)) {
      *ret_taken = length;
      return true;
    }
  }
  return false;
}

/* Appends the pieces of one word, or [UNK]. */
static lpot_status add_word(const lpot_wordpiece *vocabulary, const char *word, size_t size,
                            lpot_tokens *tokens, lpot_error *err) {
  size_t count_before = tokens->count;
  if (lpot_unicode_length(word, size) > LPOT_MAX_WORD) {
    return lpot_tokens_add(tokens, vocabulary->unk, err);
  }
  size_t at = 0;
  while (at < size) {
    int64_t id = 0;
    size_t taken = 0;
    if (!find_piece(vocabulary, word + at, size - at, at > 0, &id, &taken)) {
      tokens->count = count_before;
      return lpot_tokens_add(tokens, vocabulary->unk, err);
    }
    LPOT_TRY(lpot_tokens_add(tokens, (int32_t)id, err));
    at += taken;
  }
  return LPOT_OK;
}

static lpot_status add_words(const lpot_wordpiece *vocabulary, const lpot_buffer *words,
                             lpot_tokens *tokens, lpot_error *err) {
  const char *text = (const char *)words->data;
  size_t at = 0;
  while (at < words->size) {
    const char *blank = memchr(text + at, ' ', words->size - at);
    size_t end = blank == NULL ? words->size : (size_t)(blank - text);
    LPOT_TRY(add_word(vocabulary, text + at, end - at, tokens, err));
    at = end + 1;
  }
  return LPOT_OK;
}

lpot_status lpot_wordpiece_tokenize(const lpot_wordpiece *vocabulary, const char *text, size_t size,
                                    lpot_tokens *tokens, lpot_error *err) {
  lpot_buffer words = {0};
  lpot_status status = lpot_basic_tokenize(text, size, vocabulary->lower_case, &words, err);
  if (status == LPOT_OK) {
    status = add_words(vocabulary, &words, tokens, err);
  }
  lpot_buffer_done(&words);
  return status;
}

/* ---- the vocabulary ---- */

static lpot_status check_line(const char *line, size_t length, size_t number, lpot_error *err) {
  size_t position = 0;
  while (position < length) {
    int32_t character = 0;
    lpot_status status = lpot_unicode_next(line, length, &position, &character, err);
    if (status == LPOT_OK && character == 0) {
      status = LPOT_FAIL(err, LPOT_FORMAT, "a NUL in a text");
    }
    if (status != LPOT_OK) {
      lpot_error_prefix(err, "line %zu", number);
      return status;
    }
  }
  return LPOT_OK;
}

static lpot_status add_text(lpot_wordpiece *vocabulary, const char *line, size_t length,
                            lpot_error *err) {
  size_t id = vocabulary->num_texts;
  LPOT_TRY(check_line(line, length, id + 1, err));
  if (id == LPOT_MAX_VOCABULARY) {
    return LPOT_FAIL(err, LPOT_FORMAT, "more than %d lines", LPOT_MAX_VOCABULARY);
  }
  if (id == vocabulary->capacity) {
    size_t capacity = vocabulary->capacity < 512 ? 1024 : vocabulary->capacity * 2;
    const char **texts = lpot_realloc(vocabulary->texts, capacity, sizeof *texts);
    if (texts == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    vocabulary->texts = texts;
    vocabulary->capacity = capacity;
  }
  const char *text = lpot_arena_strndup(vocabulary->arena, line, length);
  if (text == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  vocabulary->texts[id] = text;
  vocabulary->num_texts++;
  return lpot_hash_map_put(vocabulary->ids, text, (int64_t)id, err);
}

static lpot_status find_special(const lpot_wordpiece *vocabulary, const char *name, int32_t *ret,
                                lpot_error *err) {
  int64_t id = 0;
  if (!lpot_hash_map_get(vocabulary->ids, name, &id)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "none of the %zu lines is %s", vocabulary->num_texts, name);
  }
  *ret = (int32_t)id;
  return LPOT_OK;
}

static lpot_status read_vocabulary(lpot_wordpiece *vocabulary, const char *text, size_t size,
                                   lpot_error *err) {
  LPOT_TRY(lpot_arena_new(&vocabulary->arena, err));
  LPOT_TRY(lpot_hash_map_new(&vocabulary->ids, err));
  const char *line = NULL;
  size_t length = 0;
  const char *end = size == 0 ? text : text + size;
  while (lpot_text_next_line(&text, end, &line, &length)) {
    LPOT_TRY(add_text(vocabulary, line, length, err));
  }
  LPOT_TRY(find_special(vocabulary, "[UNK]", &vocabulary->unk, err));
  LPOT_TRY(find_special(vocabulary, "[CLS]", &vocabulary->cls, err));
  LPOT_TRY(find_special(vocabulary, "[SEP]", &vocabulary->sep, err));
  return find_special(vocabulary, "[PAD]", &vocabulary->pad, err);
}

lpot_status lpot_wordpiece_new(const void *text, size_t size, bool lower_case, lpot_wordpiece **ret,
                               lpot_error *err) {
  lpot_wordpiece *vocabulary = lpot_calloc(1, sizeof *vocabulary);
  if (vocabulary == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  vocabulary->lower_case = lower_case;
  lpot_status status = read_vocabulary(vocabulary, text, size, err);
  if (status != LPOT_OK) {
    lpot_wordpiece_free(vocabulary);
    return status;
  }
  *ret = vocabulary;
  return LPOT_OK;
}

lpot_status lpot_wordpiece_load(const char *path, bool lower_case, lpot_wordpiece **ret,
                                lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  lpot_status status = lpot_wordpiece_new(lpot_mapping_data(mapping), lpot_mapping_size(mapping),
                                          lower_case, ret, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "vocabulary '%s'", path);
  }
  lpot_mapping_unref(mapping);
  return status;
}

void lpot_wordpiece_free(lpot_wordpiece *vocabulary) {
  if (vocabulary == NULL) {
    return;
  }
  lpot_hash_map_free(vocabulary->ids);
  lpot_free(vocabulary->texts);
  lpot_arena_free(vocabulary->arena);
  lpot_free(vocabulary);
}

int32_t lpot_wordpiece_cls(const lpot_wordpiece *vocabulary) {
  return vocabulary->cls;
}

int32_t lpot_wordpiece_sep(const lpot_wordpiece *vocabulary) {
  return vocabulary->sep;
}

int32_t lpot_wordpiece_pad(const lpot_wordpiece *vocabulary) {
  return vocabulary->pad;
}

const char *lpot_wordpiece_text(const lpot_wordpiece *vocabulary, int32_t id) {
  return vocabulary->texts[id];
}
