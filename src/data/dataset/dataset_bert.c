/* bert and GLUE: texts as models of the BERT family read them (data/bert_input.h).
 *
 *   GLUE: a task's file of the GLUE benchmark (data/glue_file.h). The label is a class, or the f32
 *   number of STS-B.
 *   bert: task classifier is GLUE by another name. Task squad has a sample per feature of SQuAD 1.1
 *   (data/squad.h); the label, s64 [2], is the feature's number and lpot_squad_check, for the
 *   postprocess SquadV1. */
#include "base/mapping.h"
#include "base/memory.h"
#include "data/bert_input.h"
#include "data/dataset_class.h"
#include "data/glue_file.h"
#include "data/setting.h"
#include "data/squad.h"

typedef struct dataset_bert {
  lpot_dataset base;
  lpot_bert_form form;
  lpot_squad *squad;          /* owned; NULL: GLUE */
  lpot_wordpiece *vocabulary; /* owned; NULL: squad's */
  lpot_mapping *mapping;      /* of GLUE's file */
  lpot_glue_row *rows;        /* [size] owned, borrow from mapping */
  const lpot_glue_task *task;
} dataset_bert;

/* ---- GLUE ---- */

/* Where the settings of a class say what. */
typedef struct glue_keys {
  const char *owner;
  const char *folder; /* of the task's file */
  const char *task;
} glue_keys;

static lpot_status read_rows(dataset_bert *set, const char *path, lpot_error *err) {
  size_t count = 0;
  size_t skipped = 0;
  LPOT_TRY(lpot_mapping_open(path, &set->mapping, err));
  lpot_status status =
      lpot_glue_file_read(set->task, (const char *)lpot_mapping_data(set->mapping),
                          lpot_mapping_size(set->mapping), &set->rows, &count, &skipped, err);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "'%s'", path);
    return status;
  }
  set->base.size = (int64_t)count;
  set->base.num_skipped = (int64_t)skipped;
  set->base.num_classes = lpot_glue_num_classes(set->task);
  return LPOT_OK;
}

/* The pieces of a row's texts; the caller frees both. */
static lpot_status tokenize_row(const dataset_bert *set, const lpot_glue_row *row,
                                lpot_tokens *first, lpot_tokens *second, lpot_error *err) {
  lpot_status status =
      lpot_wordpiece_tokenize(set->vocabulary, row->first, row->first_size, first, err);
  if (status == LPOT_OK && row->second != NULL) {
    status = lpot_wordpiece_tokenize(set->vocabulary, row->second, row->second_size, second, err);
  }
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "'%s' line %zu", set->base.files.paths[0], row->line);
    return status;
  }
  lpot_bert_truncate(set->form.length, first, row->second == NULL ? NULL : second);
  return LPOT_OK;
}

static lpot_status longest_row(dataset_bert *set, int64_t *ret_length, lpot_error *err) {
  int64_t longest = 2;
  for (int64_t i = 0; i < set->base.size; i++) {
    lpot_tokens first = {0};
    lpot_tokens second = {0};
    lpot_status status = tokenize_row(set, &set->rows[i], &first, &second, err);
    int64_t used = lpot_bert_used(&first, set->rows[i].second == NULL ? NULL : &second);
    longest = used > longest ? used : longest;
    lpot_tokens_done(&first);
    lpot_tokens_done(&second);
    LPOT_TRY(status);
  }
  *ret_length = longest;
  return LPOT_OK;
}

static lpot_status read_task(dataset_bert *set, const lpot_yaml_node *settings,
                             const glue_keys *keys, const char **ret_file, lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  bool evaluate = true;
  LPOT_TRY(lpot_setting_need(settings, keys->owner, keys->task, &node, err));
  LPOT_TRY(lpot_glue_task_read(node, &set->task, err));
  LPOT_TRY(lpot_setting_bool(settings, "evaluate", &evaluate, err));
  *ret_file = evaluate ? set->task->dev_file : "train.tsv";
  return LPOT_OK;
}

/* The path that a needed setting names, in folder. */
static lpot_status need_path(lpot_dataset *dataset, const lpot_yaml_node *settings,
                             const char *owner, const char *key, const char *folder,
                             const char *name, lpot_error *err) {
  const lpot_yaml_node *node = NULL;
  const char *text = NULL;
  LPOT_TRY(lpot_setting_need(settings, owner, key, &node, err));
  LPOT_TRY(lpot_yaml_string(node, &text, err));
  LPOT_TRY(lpot_path_list_add(&dataset->files, folder, text, err));
  const char *path = lpot_path_list_last(&dataset->files);
  if (name != NULL) {
    dataset->files.count--;
    LPOT_TRY(lpot_path_list_add(&dataset->files, path, name, err));
    path = lpot_path_list_last(&dataset->files);
  }
  if (!lpot_path_is_file(path)) {
    return lpot_yaml_fail(err, node, "there is no file '%s'", path);
  }
  return LPOT_OK;
}

/* files are the task's file and the vocabulary. */
static lpot_status open_rows(dataset_bert *set, const lpot_yaml_node *settings, lpot_error *err) {
  bool lower_case = true;
  bool dynamic = false;
  LPOT_TRY(lpot_setting_bool(settings, "do_lower_case", &lower_case, err));
  LPOT_TRY(lpot_setting_bool(settings, "dynamic_length", &dynamic, err));
  LPOT_TRY(lpot_wordpiece_load(set->base.files.paths[1], lower_case, &set->vocabulary, err));
  LPOT_TRY(read_rows(set, set->base.files.paths[0], err));
  if (dynamic) {
    LPOT_TRY(longest_row(set, &set->form.length, err));
  }
  return lpot_buffer_printf(&set->base.identity, err, "%s %d %lld", set->task->name,
                            (int)lower_case, (long long)set->form.length);
}

static const char *const glue_settings[] = {
    "data_dir", "model_name_or_path", "max_seq_length", "inputs",   "do_lower_case",
    "task",     "model_type",         "dynamic_length", "evaluate", "dtype",
    NULL};

static lpot_status open_glue(lpot_dataset *dataset, const lpot_yaml_node *settings,
                             const char *folder, lpot_error *err) {
  static const glue_keys keys = {"dataset GLUE", "data_dir", "task"};
  dataset_bert *set = (dataset_bert *)dataset;
  const char *file = NULL;
  LPOT_TRY(lpot_bert_form_read(settings, 128, &set->form, err));
  LPOT_TRY(read_task(set, settings, &keys, &file, err));
  LPOT_TRY(need_path(dataset, settings, keys.owner, keys.folder, folder, file, err));
  LPOT_TRY(
      need_path(dataset, settings, keys.owner, "model_name_or_path", folder, "vocab.txt", err));
  return open_rows(set, settings, err);
}

static lpot_status get_row(const dataset_bert *set, int64_t index, lpot_sample *sample,
                           lpot_error *err) {
  const lpot_glue_row *row = &set->rows[index];
  lpot_tokens first = {0};
  lpot_tokens second = {0};
  lpot_status status = tokenize_row(set, row, &first, &second, err);
  if (status == LPOT_OK) {
    status = lpot_bert_fill(&set->form, set->vocabulary, &first,
                            row->second == NULL ? NULL : &second, sample, err);
  }
  lpot_tokens_done(&first);
  lpot_tokens_done(&second);
  LPOT_TRY(status);
  if (set->base.num_classes > 0) {
    return lpot_sample_set_class(sample, (int64_t)row->label, err);
  }
  lpot_shape scalar = lpot_shape_scalar();
  LPOT_TRY(lpot_tensor_new(LPOT_F32, &scalar, &sample->label, err));
  lpot_tensor_set_double(sample->label, 0, row->label);
  return LPOT_OK;
}

/* ---- SQuAD ---- */

static int64_t longest_feature(const dataset_bert *set) {
  int64_t longest = 0;
  for (size_t i = 0; i < lpot_squad_num_features(set->squad); i++) {
    lpot_tokens query = lpot_squad_query(set->squad, i);
    lpot_tokens window = lpot_squad_window(set->squad, i);
    int64_t used = lpot_bert_used(&query, &window);
    longest = used > longest ? used : longest;
  }
  return longest;
}

static lpot_status open_squad(dataset_bert *set, const lpot_yaml_node *settings, const char *folder,
                              lpot_error *err) {
  static const char *const names[] = {
      "root",           "label_file",       "task",   "model_type", "vocab_file",
      "max_seq_length", "doc_stride",       "inputs", "dtype",      "do_lower_case",
      "dynamic_length", "max_query_length", NULL};
  lpot_squad_settings squad;
  bool dynamic = false;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_squad_settings_read(settings, &squad, err));
  LPOT_TRY(lpot_bert_form_read(settings, squad.max_seq_length, &set->form, err));
  LPOT_TRY(lpot_setting_bool(settings, "dynamic_length", &dynamic, err));
  LPOT_TRY(need_path(&set->base, settings, "dataset bert", "label_file", folder, NULL, err));
  LPOT_TRY(need_path(&set->base, settings, "dataset bert", "vocab_file", folder, NULL, err));
  char *const *paths = set->base.files.paths;
  LPOT_TRY(lpot_squad_open(paths[0], paths[1], &squad, &set->squad, err));
  set->base.size = (int64_t)lpot_squad_num_features(set->squad);
  if (dynamic) {
    set->form.length = longest_feature(set);
  }
  return lpot_buffer_printf(&set->base.identity, err, "squad %lld %lld",
                            (long long)lpot_squad_check(set->squad), (long long)set->form.length);
}

static lpot_status get_feature(const dataset_bert *set, int64_t index, lpot_sample *sample,
                               lpot_error *err) {
  const int64_t label[] = {index, lpot_squad_check(set->squad)};
  lpot_shape pair = lpot_shape_of(1, (const int64_t[]){2});
  lpot_tokens query = lpot_squad_query(set->squad, (size_t)index);
  lpot_tokens window = lpot_squad_window(set->squad, (size_t)index);
  LPOT_TRY(
      lpot_bert_fill(&set->form, lpot_squad_vocabulary(set->squad), &query, &window, sample, err));
  return lpot_tensor_copy_of(LPOT_S64, &pair, label, &sample->label, err);
}

/* ---- the classes ---- */

static lpot_status open_classifier(dataset_bert *set, const lpot_yaml_node *settings,
                                   const char *root, lpot_error *err) {
  static const char *const names[] = {
      "root",           "label_file", "task",  "model_type",    "vocab_file",
      "max_seq_length", "inputs",     "dtype", "do_lower_case", "dynamic_length",
      "glue_task",      "evaluate",   NULL};
  static const glue_keys keys = {"dataset bert with task classifier", "root", "glue_task"};
  const char *file = NULL;
  const char *label_file = NULL;
  LPOT_TRY(lpot_setting_check(settings, names, err));
  LPOT_TRY(lpot_bert_form_read(settings, 128, &set->form, err));
  LPOT_TRY(read_task(set, settings, &keys, &file, err));
  LPOT_TRY(lpot_setting_string(settings, "label_file", &label_file, err));
  LPOT_TRY(lpot_path_list_add(&set->base.files, root, label_file == NULL ? file : label_file, err));
  if (!lpot_path_is_file(set->base.files.paths[0])) {
    return lpot_setting_fail(settings, err, "%s: there is no file '%s'", keys.owner,
                             set->base.files.paths[0]);
  }
  LPOT_TRY(need_path(&set->base, settings, keys.owner, "vocab_file", root, NULL, err));
  return open_rows(set, settings, err);
}

static const char *const bert_settings[] = {
    "root",           "label_file", "task",       "model_type",       "vocab_file",
    "max_seq_length", "inputs",     "dtype",      "do_lower_case",    "dynamic_length",
    "glue_task",      "evaluate",   "doc_stride", "max_query_length", NULL};

static lpot_status open_bert(lpot_dataset *dataset, const lpot_yaml_node *settings,
                             const char *folder, lpot_error *err) {
  static const char *const tasks[] = {"squad", "classifier", NULL};
  dataset_bert *set = (dataset_bert *)dataset;
  const lpot_yaml_node *node = NULL;
  const char *root = ".";
  int task = 0;
  LPOT_TRY(lpot_setting_need(settings, "dataset bert", "task", &node, err));
  LPOT_TRY(lpot_yaml_choice(node, tasks, &task, err));
  LPOT_TRY(lpot_setting_string(settings, "root", &root, err));
  lpot_path_list list = {0};
  lpot_status status = lpot_path_list_add(&list, folder, root, err);
  if (status == LPOT_OK) {
    status = task == 0 ? open_squad(set, settings, lpot_path_list_last(&list), err)
                       : open_classifier(set, settings, lpot_path_list_last(&list), err);
  }
  lpot_path_list_done(&list);
  return status;
}

static void close_bert(lpot_dataset *dataset) {
  dataset_bert *set = (dataset_bert *)dataset;
  lpot_squad_close(set->squad);
  lpot_wordpiece_free(set->vocabulary);
  lpot_mapping_unref(set->mapping);
  lpot_free(set->rows);
}

static lpot_status get_bert(lpot_dataset *dataset, int64_t index, lpot_sample *sample,
                            lpot_error *err) {
  const dataset_bert *set = (const dataset_bert *)dataset;
  return set->squad == NULL ? get_row(set, index, sample, err)
                            : get_feature(set, index, sample, err);
}

const lpot_dataset_class lpot_dataset_class_bert = {
    .name = "bert",
    .size_bytes = sizeof(dataset_bert),
    .settings = bert_settings,
    .open = open_bert,
    .close = close_bert,
    .get = get_bert,
};
const lpot_dataset_class lpot_dataset_class_glue = {
    .name = "GLUE",
    .size_bytes = sizeof(dataset_bert),
    .settings = glue_settings,
    .open = open_glue,
    .close = close_bert,
    .get = get_bert,
};
