#include "data/bert_input.h"

#include "data/setting.h"

/* Names of Hugging Face's models and of the first BERT. */
static const char *const input_names[] = {"input_ids",  "attention_mask", "token_type_ids",
                                          "input_mask", "segment_ids",    NULL};
static const lpot_bert_input inputs_by_name[] = {LPOT_BERT_IDS, LPOT_BERT_MASK, LPOT_BERT_TYPES,
                                                 LPOT_BERT_MASK, LPOT_BERT_TYPES};

static lpot_status read_model_type(const lpot_yaml_node *settings, lpot_bert_form *form,
                                   lpot_error *err) {
  static const char *const names[] = {"bert", "distilbert", "mobilebert", NULL};
  static const char *const later_names[] = {"albert",     "electra", "roberta", "xlm",
                                            "xlmroberta", "xlnet",   NULL};
  static const size_t num_inputs[] = {3, 2, 3}; /* DistilBERT has no types */
  const lpot_yaml_node *node = lpot_setting_get(settings, "model_type");
  size_t index = 0;
  if (node != NULL) {
    const char *text = NULL;
    LPOT_TRY(lpot_yaml_string(node, &text, err));
    LPOT_TRY(lpot_setting_find_name(node, "model type", text, names, later_names, &index, err));
  }
  form->num_inputs = num_inputs[index];
  for (size_t i = 0; i < form->num_inputs; i++) {
    form->inputs[i] = inputs_by_name[i];
  }
  return LPOT_OK;
}

static lpot_status read_inputs(const lpot_yaml_node *settings, lpot_bert_form *form,
                               lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(settings, "inputs");
  if (node == NULL) {
    return LPOT_OK;
  }
  if (node->kind != LPOT_YAML_LIST || node->num_children < 1 ||
      node->num_children > LPOT_MAX_SAMPLE_INPUTS) {
    return lpot_yaml_fail(err, node, "expected a list such as [input_ids, attention_mask]");
  }
  form->num_inputs = node->num_children;
  for (size_t i = 0; i < node->num_children; i++) {
    int index = 0;
    LPOT_TRY(lpot_yaml_choice(node->children[i], input_names, &index, err));
    form->inputs[i] = inputs_by_name[index];
  }
  return LPOT_OK;
}

lpot_status lpot_bert_form_read(const lpot_yaml_node *settings, int64_t default_length,
                                lpot_bert_form *ret_form, lpot_error *err) {
  static const char *const dtypes[] = {"int64", "int32", NULL};
  lpot_bert_form form = {.length = default_length, .dtype = LPOT_S64};
  LPOT_TRY(lpot_setting_int(settings, "max_seq_length", 8, LPOT_MAX_SEQUENCE, &form.length, err));
  LPOT_TRY(read_model_type(settings, &form, err));
  LPOT_TRY(read_inputs(settings, &form, err));
  const lpot_yaml_node *node = lpot_setting_get(settings, "dtype");
  if (node != NULL) {
    int index = 0;
    LPOT_TRY(lpot_yaml_choice(node, dtypes, &index, err));
    form.dtype = index == 0 ? LPOT_S64 : LPOT_S32;
  }
  *ret_form = form;
  return LPOT_OK;
}

int64_t lpot_bert_used(const lpot_tokens *first, const lpot_tokens *second) {
  return (int64_t)first->count + 2 + (second == NULL ? 0 : (int64_t)second->count + 1);
}

void lpot_bert_truncate(int64_t length, lpot_tokens *first, lpot_tokens *second) {
  while (lpot_bert_used(first, second) > length) {
    if (second != NULL && second->count >= first->count && second->count > 0) {
      second->count--;
    } else if (first->count > 0) {
      first->count--;
    } else {
      return;
    }
  }
}

/* What stands at place i. */
static int64_t value_at(lpot_bert_input input, int64_t i, const lpot_wordpiece *vocabulary,
                        const lpot_tokens *first, const lpot_tokens *second) {
  int64_t used = lpot_bert_used(first, second);
  int64_t start = (int64_t)first->count + 2; /* of the second list */
  if (i >= used) {
    return input == LPOT_BERT_IDS ? lpot_wordpiece_pad(vocabulary) : 0;
  }
  if (input == LPOT_BERT_MASK) {
    return 1;
  }
  if (input == LPOT_BERT_TYPES) {
    return i >= start ? 1 : 0;
  }
  if (i == 0) {
    return lpot_wordpiece_cls(vocabulary);
  }
  if (i < start - 1) {
    return first->ids[i - 1];
  }
  bool is_mark = i == start - 1 || i == used - 1;
  return is_mark ? lpot_wordpiece_sep(vocabulary) : second->ids[i - start];
}

lpot_status lpot_bert_fill(const lpot_bert_form *form, const lpot_wordpiece *vocabulary,
                           const lpot_tokens *first, const lpot_tokens *second, lpot_sample *sample,
                           lpot_error *err) {
  lpot_shape shape = lpot_shape_of(1, &form->length);
  for (size_t k = 0; k < form->num_inputs; k++) {
    LPOT_TRY(lpot_tensor_new(form->dtype, &shape, &sample->inputs[k], err));
    sample->num_inputs++;
    for (int64_t i = 0; i < form->length; i++) {
      lpot_tensor_set_int(sample->inputs[k], i,
                          value_at(form->inputs[k], i, vocabulary, first, second));
    }
  }
  return LPOT_OK;
}
