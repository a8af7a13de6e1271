#include "data/squad.h"

#include "base/mapping.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/setting.h"
#include "data/squad_impl.h"

lpot_status lpot_squad_settings_read(const lpot_yaml_node *map, lpot_squad_settings *ret_settings,
                                     lpot_error *err) {
  lpot_squad_settings settings = {384, 64, 128, true};
  LPOT_TRY(lpot_setting_int(map, "max_seq_length", 8, 65536, &settings.max_seq_length, err));
  LPOT_TRY(lpot_setting_int(map, "max_query_length", 1, 65536, &settings.max_query_length, err));
  LPOT_TRY(lpot_setting_int(map, "doc_stride", 1, 65536, &settings.doc_stride, err));
  LPOT_TRY(lpot_setting_bool(map, "do_lower_case", &settings.lower_case, err));
  if (settings.max_query_length + 3 >= settings.max_seq_length) {
    return lpot_setting_fail(map, err,
                             "max_seq_length %lld has no room for a question of max_query_length "
                             "%lld, three marks and a paragraph",
                             (long long)settings.max_seq_length,
                             (long long)settings.max_query_length);
  }
  *ret_settings = settings;
  return LPOT_OK;
}

/* ---- pieces ---- */

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A narrow no-break space separates words, too. */
static size_t blank_length(const char *text) {
  if (is_blank(*text)) {
    return 1;
  }
  return strncmp(text, "\xe2\x80\xaf", 3) == 0 ? 3 : 0;
}

static lpot_status add_word(lpot_squad *squad, lpot_squad_paragraph *paragraph, size_t start,
                            size_t size, lpot_error *err) {
  size_t before = squad->tokens.count;
  const char *text = paragraph->text + start;
  LPOT_TRY(lpot_wordpiece_tokenize(squad->vocabulary, text, size, &squad->tokens, err));
  lpot_squad_word word = {start, size};
  LPOT_TRY(lpot_buffer_append(&squad->words, &word, sizeof word, err));
  for (size_t i = before; i < squad->tokens.count; i++) {
    uint32_t index = (uint32_t)paragraph->num_words;
    LPOT_TRY(lpot_buffer_append(&squad->word_of_token, &index, sizeof index, err));
  }
  paragraph->num_words++;
  return LPOT_OK;
}

static lpot_status add_paragraph(lpot_squad *squad, const char *text,
                                 lpot_squad_paragraph *paragraph, lpot_error *err) {
  paragraph->text = text;
  paragraph->first_word = squad->words.size / sizeof(lpot_squad_word);
  paragraph->first_token = squad->tokens.count;
  size_t at = 0;
  while (text[at] != '\0') {
    size_t blank = blank_length(text + at);
    if (blank > 0) {
      at += blank;
      continue;
    }
    size_t start = at;
    while (text[at] != '\0' && blank_length(text + at) == 0) {
      at++;
    }
    LPOT_TRY(add_word(squad, paragraph, start, at - start, err));
  }
  paragraph->num_tokens = squad->tokens.count - paragraph->first_token;
  return LPOT_OK;
}

static lpot_status add_paragraphs(lpot_squad *squad, lpot_error *err) {
  squad->paragraphs = lpot_calloc(squad->file.num_contexts, sizeof *squad->paragraphs);
  if (squad->paragraphs == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < squad->file.num_contexts; i++) {
    LPOT_TRY(add_paragraph(squad, squad->file.contexts[i], &squad->paragraphs[i], err));
  }
  return LPOT_OK;
}

/* ---- features ---- */

static lpot_status add_feature(lpot_squad *squad, size_t question, size_t start, size_t length,
                               lpot_error *err) {
  lpot_squad_feature feature = {question, start, length};
  return lpot_buffer_append(&squad->features, &feature, sizeof feature, err);
}

/* Windows of the paragraph with one question. */
static lpot_status add_question(lpot_squad *squad, size_t index, lpot_error *err) {
  const lpot_squad_question *question = &squad->file.questions[index];
  const lpot_squad_paragraph *paragraph = &squad->paragraphs[question->paragraph];
  lpot_squad_query_span *query = &squad->queries[index];
  size_t limit = (size_t)squad->settings.max_query_length;
  query->first = squad->query_tokens.count;
  LPOT_TRY(lpot_wordpiece_tokenize(squad->vocabulary, question->text, strlen(question->text),
                                   &squad->query_tokens, err));
  size_t count = squad->query_tokens.count - query->first;
  query->count = count < limit ? count : limit;
  squad->query_tokens.count = query->first + query->count;
  query->first_feature = lpot_squad_num_features(squad);
  if (paragraph->num_tokens == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "question %zu: its paragraph has no words", index);
  }
  size_t room = (size_t)squad->settings.max_seq_length - query->count - 3;
  size_t start = 0;
  while (true) {
    size_t left = paragraph->num_tokens - start;
    size_t length = left < room ? left : room;
    LPOT_TRY(add_feature(squad, index, start, length, err));
    if (length == left) {
      break;
    }
    size_t stride = (size_t)squad->settings.doc_stride;
    start += length < stride ? length : stride;
  }
  query->num_features = lpot_squad_num_features(squad) - query->first_feature;
  return LPOT_OK;
}

static lpot_status add_questions(lpot_squad *squad, lpot_error *err) {
  squad->queries = lpot_calloc(squad->file.num_questions, sizeof *squad->queries);
  if (squad->queries == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < squad->file.num_questions; i++) {
    LPOT_TRY(add_question(squad, i, err));
  }
  return LPOT_OK;
}

/* ---- opening ---- */

static lpot_status read_labels(lpot_squad *squad, const char *path, lpot_digest *ret_digest,
                               lpot_error *err) {
  lpot_mapping *mapping = NULL;
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  lpot_status status = lpot_squad_file_read(lpot_mapping_data(mapping), lpot_mapping_size(mapping),
                                            &squad->file, err);
  *ret_digest = lpot_digest_of(lpot_mapping_data(mapping), lpot_mapping_size(mapping));
  lpot_mapping_unref(mapping);
  if (status == LPOT_OK) {
    status = add_paragraphs(squad, err);
  }
  if (status == LPOT_OK) {
    status = add_questions(squad, err);
  }
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "label_file '%s'", path);
  }
  return status;
}

/* What decides the features. */
static lpot_status digest_all(lpot_squad *squad, lpot_digest labels, lpot_error *err) {
  lpot_buffer text = {0};
  lpot_status status = lpot_buffer_printf(
      &text, err, "%llx%llx %lld %lld %lld %d %zu", (unsigned long long)labels.high,
      (unsigned long long)labels.low, (long long)squad->settings.max_seq_length,
      (long long)squad->settings.max_query_length, (long long)squad->settings.doc_stride,
      (int)squad->settings.lower_case, squad->tokens.count);
  if (status == LPOT_OK) {
    status = lpot_buffer_append(&text, squad->tokens.ids,
                                squad->tokens.count * sizeof *squad->tokens.ids, err);
  }
  if (status == LPOT_OK) {
    squad->check = (int64_t)(lpot_digest_of(text.data, text.size).low & INT64_MAX);
  }
  lpot_buffer_done(&text);
  return status;
}

static lpot_status open_squad(lpot_squad *squad, const char *label_path,
                              const char *vocabulary_path, lpot_error *err) {
  lpot_digest digest = {0};
  LPOT_TRY(
      lpot_wordpiece_load(vocabulary_path, squad->settings.lower_case, &squad->vocabulary, err));
  LPOT_TRY(read_labels(squad, label_path, &digest, err));
  return digest_all(squad, digest, err);
}

lpot_status lpot_squad_open(const char *label_path, const char *vocabulary_path,
                            const lpot_squad_settings *settings, lpot_squad **ret_squad,
                            lpot_error *err) {
  lpot_squad *squad = lpot_calloc(1, sizeof *squad);
  if (squad == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  squad->settings = *settings;
  lpot_status status = open_squad(squad, label_path, vocabulary_path, err);
  if (status != LPOT_OK) {
    lpot_squad_close(squad);
    return status;
  }
  *ret_squad = squad;
  return LPOT_OK;
}

void lpot_squad_close(lpot_squad *squad) {
  if (squad == NULL) {
    return;
  }
  lpot_squad_file_done(&squad->file);
  lpot_wordpiece_free(squad->vocabulary);
  lpot_free(squad->paragraphs);
  lpot_free(squad->queries);
  lpot_tokens_done(&squad->tokens);
  lpot_tokens_done(&squad->query_tokens);
  lpot_buffer_done(&squad->words);
  lpot_buffer_done(&squad->word_of_token);
  lpot_buffer_done(&squad->features);
  lpot_free(squad);
}

const lpot_wordpiece *lpot_squad_vocabulary(const lpot_squad *squad) {
  return squad->vocabulary;
}

const lpot_squad_file *lpot_squad_questions(const lpot_squad *squad) {
  return &squad->file;
}

size_t lpot_squad_num_features(const lpot_squad *squad) {
  return squad->features.size / sizeof(lpot_squad_feature);
}

const lpot_squad_feature *lpot_squad_get(const lpot_squad *squad, size_t feature) {
  return (const lpot_squad_feature *)(const void *)squad->features.data + feature;
}

int64_t lpot_squad_check(const lpot_squad *squad) {
  return squad->check;
}

lpot_tokens lpot_squad_query(const lpot_squad *squad, size_t feature) {
  const lpot_squad_query_span *query = &squad->queries[lpot_squad_get(squad, feature)->question];
  return (lpot_tokens){.ids = squad->query_tokens.ids + query->first, .count = query->count};
}

lpot_tokens lpot_squad_window(const lpot_squad *squad, size_t feature) {
  const lpot_squad_feature *window = lpot_squad_get(squad, feature);
  size_t paragraph = squad->file.questions[window->question].paragraph;
  size_t first = squad->paragraphs[paragraph].first_token + window->start;
  return (lpot_tokens){.ids = squad->tokens.ids + first, .count = window->length};
}
