/* What models of the BERT family are given of one or two token lists: [CLS] first [SEP] second
 * [SEP], padded, as several inputs of the same length. */
#ifndef LPOT_DATA_BERT_INPUT_H
#define LPOT_DATA_BERT_INPUT_H

#include "base/yaml_tree.h"
#include "data/sample.h"
#include "data/wordpiece.h"

#define LPOT_MAX_SEQUENCE 65536

typedef enum lpot_bert_input {
  LPOT_BERT_IDS,  /* numbers of pieces, [PAD] behind them */
  LPOT_BERT_MASK, /* 1 where there is a piece */
  LPOT_BERT_TYPES /* 1 in the second list and its [SEP] */
} lpot_bert_input;

typedef struct lpot_bert_form {
  int64_t length; /* of every input */
  lpot_dtype dtype;
  size_t num_inputs;
  lpot_bert_input inputs[LPOT_MAX_SAMPLE_INPUTS]; /* in the order of the model's */
} lpot_bert_form;

/* Reads max_seq_length (default_length), model_type, inputs and dtype of a dataset's settings. */
LPOT_MUST_CHECK lpot_status lpot_bert_form_read(const lpot_yaml_node *settings,
                                                int64_t default_length, lpot_bert_form *ret_form,
                                                lpot_error *err);
/* Drops pieces at the ends, from the longer list first and of equal ones from the second, until
 * both fit into length with their marks. second may be NULL: there is none. */
void lpot_bert_truncate(int64_t length, lpot_tokens *first, lpot_tokens *second);
/* Pieces with their marks. */
int64_t lpot_bert_used(const lpot_tokens *first, const lpot_tokens *second);
/* Fills sample's inputs, each [length]; the lists fit. */
LPOT_MUST_CHECK lpot_status lpot_bert_fill(const lpot_bert_form *form,
                                           const lpot_wordpiece *vocabulary,
                                           const lpot_tokens *first, const lpot_tokens *second,
                                           lpot_sample *sample, lpot_error *err);

#endif
