#include <math.h>

#include "base/memory.h"
#include "data/squad_impl.h"
#include "data/unicode.h"

/* ---- the best pair of places ---- */

/* A feature's places: [CLS] query [SEP] window [SEP]. */
typedef struct feature_view {
  const lpot_squad *squad;
  const lpot_squad_feature *feature;
  const lpot_squad_query_span *query;
  size_t offset; /* place of the window's first piece */
} feature_view;

/* Writes the places of the largest of width scores to out [best], the first of equals first;
 * returns how many. */
static size_t best_places(const double *scores, size_t width, size_t best, size_t *out) {
  size_t count = 0;
  for (size_t i = 0; i < width; i++) {
    if (count == best && !(scores[i] > scores[out[count - 1]])) {
      continue;
    }
    count += count < best ? 1 : 0;
    size_t at = count - 1;
    while (at > 0 && scores[i] > scores[out[at - 1]]) {
      out[at] = out[at - 1];
      at--;
    }
    out[at] = i;
  }
  return count;
}

/* Whether no other window of the question shows more of what is around a piece of the paragraph. */
static bool has_most_context(const feature_view *view, size_t token) {
  const lpot_squad_feature *first = lpot_squad_get(view->squad, view->query->first_feature);
  double best_score = (double)-INFINITY;
  const lpot_squad_feature *best = NULL;
  for (size_t i = 0; i < view->query->num_features; i++) {
    const lpot_squad_feature *other = first + i;
    if (token < other->start || token >= other->start + other->length) {
      continue;
    }
    size_t left = token - other->start;
    size_t right = other->start + other->length - 1 - token;
    double score = (double)(left < right ? left : right) + 0.01 * (double)other->length;
    if (score > best_score) {
      best_score = score;
      best = other;
    }
  }
  return best == view->feature;
}

static bool is_in_window(const feature_view *view, size_t place) {
  return place >= view->offset && place < view->offset + view->feature->length;
}

/* The best pair of places as pieces of the paragraph; false: there is none. */
static bool best_span(const feature_view *view, const double *starts, const double *ends,
                      const size_t *start_places, size_t num_starts, const size_t *end_places,
                      size_t num_ends, size_t max_length, size_t *ret_first, size_t *ret_last,
                      double *ret_score) {
  bool found = false;
  for (size_t i = 0; i < num_starts; i++) {
    size_t start = start_places[i];
    if (!is_in_window(view, start) ||
        !has_most_context(view, view->feature->start + start - view->offset)) {
      continue;
    }
    for (size_t k = 0; k < num_ends; k++) {
      size_t end = end_places[k];
      double score = starts[start] + ends[end];
      bool is_span = is_in_window(view, end) && end >= start && end - start < max_length;
      if (is_span && (!found || score > *ret_score)) {
        found = true;
        *ret_score = score;
        *ret_first = view->feature->start + start - view->offset;
        *ret_last = view->feature->start + end - view->offset;
      }
    }
  }
  return found;
}

/* ---- its text ---- */

/* Appends the pieces put together: what the reference calls tok_text. */
static lpot_status put_pieces(const lpot_squad *squad, const int32_t *ids, size_t count,
                              lpot_buffer *out, lpot_error *err) {
  for (size_t i = 0; i < count; i++) {
    const char *piece = lpot_wordpiece_text(squad->vocabulary, ids[i]);
    bool is_inner = strncmp(piece, "##", 2) == 0;
    if (i > 0 && !is_inner) {
      LPOT_TRY(lpot_buffer_append(out, " ", 1, err));
    }
    while (*piece != '\0') {
      if (strncmp(piece, "##", 2) == 0) {
        piece += 2;
      } else {
        LPOT_TRY(lpot_buffer_append(out, piece, 1, err));
        piece++;
      }
    }
  }
  return LPOT_OK;
}

/* Appends words of a paragraph with one blank between any two. */
static lpot_status put_words(const lpot_squad *squad, const lpot_squad_paragraph *paragraph,
                             size_t first, size_t last, lpot_buffer *out, lpot_error *err) {
  const lpot_squad_word *words =
      (const lpot_squad_word *)(const void *)squad->words.data + paragraph->first_word;
  for (size_t i = first; i <= last; i++) {
    if (i > first) {
      LPOT_TRY(lpot_buffer_append(out, " ", 1, err));
    }
    LPOT_TRY(lpot_buffer_append(out, paragraph->text + words[i].start, words[i].size, err));
  }
  return LPOT_OK;
}

/* Characters of text that are not blanks. */
static size_t count_letters(const char *text, size_t size) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++) {
    count += text[i] != ' ' && ((uint8_t)text[i] & 0xc0u) != 0x80u ? 1 : 0;
  }
  return count;
}

/* Byte at which character number index of those that are not blanks begins; size where there are
 * not so many. */
static size_t letter_at(const char *text, size_t size, size_t index) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++) {
    if (text[i] != ' ' && ((uint8_t)text[i] & 0xc0u) != 0x80u) {
      if (count == index) {
        return i;
      }
      count++;
    }
  }
  return size;
}

static size_t find_bytes(const lpot_buffer *text, const lpot_buffer *part) {
  for (size_t i = 0; part->size > 0 && i + part->size <= text->size; i++) {
    if (memcmp(text->data + i, part->data, part->size) == 0) {
      return i;
    }
  }
  return SIZE_MAX;
}

/* Appends that part of original which becomes pieces when it is tokenized, or all of it where the
 * two cannot be aligned: what the reference calls get_final_text. */
static lpot_status put_aligned(const lpot_buffer *pieces, const lpot_buffer *original,
                               bool lower_case, lpot_buffer *tokenized, lpot_buffer *out,
                               lpot_error *err) {
  const char *text = (const char *)original->data;
  LPOT_TRY(lpot_basic_tokenize(text, original->size, lower_case, tokenized, err));
  const char *words = (const char *)tokenized->data;
  size_t at = find_bytes(tokenized, pieces);
  if (at == SIZE_MAX ||
      count_letters(words, tokenized->size) != count_letters(text, original->size)) {
    return lpot_buffer_append(out, text, original->size, err);
  }
  size_t first = count_letters(words, at);
  size_t after = first + count_letters((const char *)pieces->data, pieces->size);
  size_t start = letter_at(text, original->size, first);
  size_t end = letter_at(text, original->size, after);
  while (end > start && text[end - 1] == ' ') {
    end--;
  }
  return lpot_buffer_append(out, text + start, end - start, err);
}

static lpot_status put_answer(const feature_view *view, size_t first, size_t last,
                              lpot_buffer *scratch, lpot_buffer *out, lpot_error *err) {
  const lpot_squad *squad = view->squad;
  const lpot_squad_question *question = &squad->file.questions[view->feature->question];
  const lpot_squad_paragraph *paragraph = &squad->paragraphs[question->paragraph];
  const int32_t *ids = squad->tokens.ids + paragraph->first_token;
  const uint32_t *word_of =
      (const uint32_t *)(const void *)squad->word_of_token.data + paragraph->first_token;
  LPOT_TRY(put_pieces(squad, ids + first, last - first + 1, &scratch[0], err));
  LPOT_TRY(put_words(squad, paragraph, word_of[first], word_of[last], &scratch[1], err));
  return put_aligned(&scratch[0], &scratch[1], squad->settings.lower_case, &scratch[2], out, err);
}

lpot_status lpot_squad_answer(const lpot_squad *squad, size_t feature, const double *starts,
                              const double *ends, size_t width, const lpot_squad_search *search,
                              lpot_buffer *answer, double *ret_score, lpot_error *err) {
  feature_view view = {.squad = squad, .feature = lpot_squad_get(squad, feature)};
  view.query = &squad->queries[view.feature->question];
  view.offset = view.query->count + 2;
  size_t best = search->best < width ? search->best : width;
  size_t *places = lpot_calloc(2 * best + 1, sizeof *places);
  if (places == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  size_t num_starts = best_places(starts, width, best, places);
  size_t num_ends = best_places(ends, width, best, places + best);
  size_t first = 0;
  size_t last = 0;
  double score = (double)-INFINITY;
  bool found = best_span(&view, starts, ends, places, num_starts, places + best, num_ends,
                         search->length, &first, &last, &score);
  lpot_free(places);
  lpot_buffer scratch[3] = {{0}, {0}, {0}};
  lpot_status status = found ? put_answer(&view, first, last, scratch, answer, err) : LPOT_OK;
  for (size_t i = 0; i < 3; i++) {
    lpot_buffer_done(&scratch[i]);
  }
  LPOT_TRY(status);
  *ret_score = score;
  return LPOT_OK;
}

/* ---- F1 ---- */

/* Whether the letters of text, up to a blank, are an article. */
static bool is_article(const char *word, size_t size) {
  static const char *const articles[] = {"a", "an", "the"};
  for (size_t i = 0; i < sizeof articles / sizeof articles[0]; i++) {
    if (strlen(articles[i]) == size && memcmp(articles[i], word, size) == 0) {
      return true;
    }
  }
  return false;
}

/* Ends the run of letters and digits at the end of words that began at start: an article becomes a
 * blank. */
static void end_run(lpot_buffer *words, size_t start) {
  if (is_article((const char *)words->data + start, words->size - start)) {
    words->size = start;
    words->data[words->size++] = ' ';
  }
}

/* Appends text in lower case, without ASCII punctuation; articles and white space are blanks. */
static lpot_status normalise(const char *text, lpot_buffer *words, lpot_error *err) {
  size_t size = strlen(text);
  size_t position = 0;
  size_t run = 0;
  LPOT_TRY(lpot_buffer_append(words, " ", 1, err));
  run = words->size;
  while (position < size) {
    int32_t character = 0;
    LPOT_TRY(lpot_unicode_next(text, size, &position, &character, err));
    if (character < 0x80 && lpot_unicode_is_punctuation(character)) {
      continue;
    }
    bool is_blank = lpot_unicode_is_space(character) || (character >= 0x1c && character <= 0x1f);
    if (!is_blank && lpot_unicode_is_alphanumeric(character)) {
      LPOT_TRY(lpot_unicode_put_lower(words, character, err));
      continue;
    }
    end_run(words, run);
    LPOT_TRY(lpot_unicode_put(words, is_blank ? ' ' : character, err));
    run = words->size;
  }
  end_run(words, run);
  return LPOT_OK;
}

/* The next word of text at *at: its start and size; false: there is none. */
static bool next_word(const lpot_buffer *words, size_t *at, size_t *ret_start, size_t *ret_size) {
  while (*at < words->size && words->data[*at] == ' ') {
    (*at)++;
  }
  *ret_start = *at;
  while (*at < words->size && words->data[*at] != ' ') {
    (*at)++;
  }
  *ret_size = *at - *ret_start;
  return *ret_size > 0;
}

/* Takes the first word equal to those bytes out of words. */
static bool take_word(lpot_buffer *words, const uint8_t *word, size_t size) {
  size_t at = 0;
  size_t start = 0;
  size_t length = 0;
  while (next_word(words, &at, &start, &length)) {
    if (length == size && memcmp(words->data + start, word, size) == 0) {
      memset(words->data + start, ' ', size);
      return true;
    }
  }
  return false;
}

static size_t count_words(const lpot_buffer *words) {
  size_t at = 0;
  size_t start = 0;
  size_t length = 0;
  size_t count = 0;
  while (next_word(words, &at, &start, &length)) {
    count++;
  }
  return count;
}

static lpot_status compare(const char *answer, const char *truth, lpot_buffer *answer_words,
                           lpot_buffer *truth_words, double *ret, lpot_error *err) {
  LPOT_TRY(normalise(answer, answer_words, err));
  LPOT_TRY(normalise(truth, truth_words, err));
  size_t in_answer = count_words(answer_words);
  size_t in_truth = count_words(truth_words);
  size_t in_common = 0;
  size_t at = 0;
  size_t start = 0;
  size_t length = 0;
  while (next_word(answer_words, &at, &start, &length)) {
    in_common += take_word(truth_words, answer_words->data + start, length) ? 1 : 0;
  }
  if (in_common == 0) {
    *ret = 0.0;
    return LPOT_OK;
  }
  double precision = (double)in_common / (double)in_answer;
  double recall = (double)in_common / (double)in_truth;
  *ret = 2.0 * precision * recall / (precision + recall);
  return LPOT_OK;
}

lpot_status lpot_squad_f1(const char *answer, const char *truth, double *ret, lpot_error *err) {
  lpot_buffer words[2] = {{0}, {0}};
  lpot_status status = compare(answer, truth, &words[0], &words[1], ret, err);
  lpot_buffer_done(&words[0]);
  lpot_buffer_done(&words[1]);
  return status;
}
