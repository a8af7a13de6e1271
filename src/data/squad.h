/* Questions of SQuAD 1.1 as BERT is asked them, and its answers as text.
 *
 * A paragraph is cut into words at white space and these into pieces; a question is asked of
 * windows of the paragraph that fit into a sequence with it, doc_stride pieces apart: features. The
 * best answer of a question is the best of its features'. Source: run_squad.py of Devlin et al.
 * 2019 (convert_examples_to_features, write_predictions, get_final_text). */
#ifndef LPOT_DATA_SQUAD_H
#define LPOT_DATA_SQUAD_H

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/yaml_tree.h"
#include "data/path_list.h"
#include "data/squad_file.h"
#include "data/wordpiece.h"
#include "tensor/tensor.h"

typedef struct lpot_squad_settings {
  int64_t max_seq_length;
  int64_t max_query_length;
  int64_t doc_stride;
  bool lower_case;
} lpot_squad_settings;

/* A window of a paragraph with a question. */
typedef struct lpot_squad_feature {
  size_t question;
  size_t start;  /* of the window, in pieces of the paragraph */
  size_t length; /* in pieces, at least 1 */
} lpot_squad_feature;

typedef struct lpot_squad lpot_squad;

/* Reads max_seq_length (384), max_query_length (64), doc_stride (128) and do_lower_case (true). */
LPOT_MUST_CHECK lpot_status lpot_squad_settings_read(const lpot_yaml_node *map,
                                                     lpot_squad_settings *ret_settings,
                                                     lpot_error *err);
/* Errors name the files; a paragraph without a word is LPOT_FORMAT. */
LPOT_MUST_CHECK lpot_status lpot_squad_open(const char *label_path, const char *vocabulary_path,
                                            const lpot_squad_settings *settings,
                                            lpot_squad **ret_squad, lpot_error *err);
void lpot_squad_close(lpot_squad *squad);
const lpot_wordpiece *lpot_squad_vocabulary(const lpot_squad *squad);
const lpot_squad_file *lpot_squad_questions(const lpot_squad *squad);
size_t lpot_squad_num_features(const lpot_squad *squad);
const lpot_squad_feature *lpot_squad_get(const lpot_squad *squad, size_t feature);
/* Tells features of other files or settings apart; not negative. */
int64_t lpot_squad_check(const lpot_squad *squad);
/* The pieces of a feature's question and window, borrowed from squad. */
lpot_tokens lpot_squad_query(const lpot_squad *squad, size_t feature);
lpot_tokens lpot_squad_window(const lpot_squad *squad, size_t feature);

typedef struct lpot_squad_search {
  size_t best;   /* n_best: starts and ends looked at, those of the largest scores */
  size_t length; /* max_answer_length: of an answer, in pieces */
} lpot_squad_search;

/* The best answer of a feature by the scores of its places, starts[width] and ends[width], which
 * are not NaN: appends the text to answer and gives start's plus end's score. Where no pair of
 * places is an answer, *ret_score is -infinity and nothing is appended. */
LPOT_MUST_CHECK lpot_status lpot_squad_answer(const lpot_squad *squad, size_t feature,
                                              const double *starts, const double *ends,
                                              size_t width, const lpot_squad_search *search,
                                              lpot_buffer *answer, double *ret_score,
                                              lpot_error *err);

/* F1 of an answer against a true one as evaluate-v1.1.py has it, 0 to 1: lower case, without
 * ASCII punctuation and articles, words in common. Texts are UTF-8 and terminated. */
LPOT_MUST_CHECK lpot_status lpot_squad_f1(const char *answer, const char *truth, double *ret,
                                          lpot_error *err);

#endif
