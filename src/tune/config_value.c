/* Readers for values of general kinds: texts, numbers, words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tune/config_schema.h"

#define MAX_WORDS 32
#define MAX_SHOWN 96
#define MAX_WARNINGS 100

lpot_status lpot_config_fail_key(lpot_error *err, const lpot_yaml_node *node, const char *format,
                                 ...) {
  char text[320];
  char path[128];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (node->key == NULL) {
    return lpot_yaml_fail(err, node, "%s", text);
  }
  lpot_yaml_path(node, path, sizeof path);
  const char *file = lpot_yaml_node_file(node);
  lpot_status status = LPOT_FAIL(err, LPOT_CONFIG, "%.160s:%d:%d: %s: %s", file, node->key_line,
                                 node->key_column, path, text);
  return lpot_error_at(err, file, node->key_line, node->key_column, status);
}

lpot_config_place lpot_config_place_of(const lpot_yaml_node *node) {
  lpot_config_place place;
  if (lpot_yaml_node_is_set(node)) {
    snprintf(place.text, sizeof place.text, "by %.100s", lpot_yaml_node_file(node));
  } else {
    snprintf(place.text, sizeof place.text, "in line %d", node->key_line);
  }
  return place;
}

lpot_status lpot_config_fail_unsupported(lpot_error *err, const lpot_yaml_node *node,
                                         const char *remark) {
  return lpot_config_fail_key(err, node, "not supported yet%s%s", remark == NULL ? "" : ": ",
                              remark == NULL ? "" : remark);
}

static lpot_status grow_warnings(lpot_config_box *box, lpot_error *err) {
  size_t capacity = box->warnings_capacity == 0 ? 8 : box->warnings_capacity * 2;
  const char **grown = lpot_arena_alloc(box->arena, capacity, sizeof *grown);
  if (grown == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (box->config.num_warnings > 0) {
    memcpy(grown, box->warnings, box->config.num_warnings * sizeof *grown);
  }
  box->warnings = grown;
  box->warnings_capacity = capacity;
  box->config.warnings = grown;
  return LPOT_OK;
}

lpot_status lpot_config_warn(lpot_config_box *box, const lpot_yaml_node *node, lpot_error *err,
                             const char *format, ...) {
  if (box->config.num_warnings == MAX_WARNINGS) {
    return LPOT_OK;
  }
  if (box->config.num_warnings == box->warnings_capacity) {
    LPOT_TRY(grow_warnings(box, err));
  }
  char text[320];
  char path[128];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  lpot_yaml_path(node, path, sizeof path);
  int line = node->key == NULL ? node->line : node->key_line;
  int column = node->key == NULL ? node->column : node->key_column;
  char *warning = lpot_arena_printf(box->arena, "%s:%d:%d: %s: %s", lpot_yaml_node_file(node), line,
                                    column, path, text);
  if (warning == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  box->warnings[box->config.num_warnings] = warning;
  box->config.num_warnings++;
  return LPOT_OK;
}

lpot_status lpot_config_read_section(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  LPOT_TRY(lpot_config_walk(box, row->rows, node, object, err));
  return LPOT_OK;
}

lpot_status lpot_config_read_text(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  const char *text = NULL;
  LPOT_TRY(lpot_yaml_string(node, &text, err));
  if (text[0] == '\0') {
    return lpot_yaml_fail(err, node, "expected a text, got an empty one");
  }
  *(const char **)object = text;
  return LPOT_OK;
}

lpot_status lpot_config_read_bool(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  LPOT_TRY(lpot_yaml_bool(node, object, err));
  return LPOT_OK;
}

lpot_status lpot_config_read_measure_when(lpot_config_box *box, const lpot_config_row *row,
                                          const lpot_yaml_node *node, void *object,
                                          lpot_error *err) {
  bool value = false;
  const char *text = NULL;
  lpot_error unused = {0};
  lpot_measure_when *when = object;
  bool is_text = lpot_yaml_string(node, &text, &unused) == LPOT_OK;
  if (is_text && lpot_text_equal(text, "auto")) {
    *when = LPOT_MEASURE_WHEN_NEEDED;
    return LPOT_OK;
  }
  if (is_text && lpot_config_read_bool(box, row, node, &value, &unused) != LPOT_OK) {
    return lpot_yaml_fail(err, node, "expected auto, true or false, found '%s'", text);
  }
  LPOT_TRY(lpot_config_read_bool(box, row, node, &value, err));
  *when = value ? LPOT_MEASURE_ALWAYS : LPOT_MEASURE_NEVER;
  return LPOT_OK;
}

lpot_status lpot_config_read_not_bool(lpot_config_box *box, const lpot_config_row *row,
                                      const lpot_yaml_node *node, void *object, lpot_error *err) {
  bool value = false;
  LPOT_TRY(lpot_config_read_bool(box, row, node, &value, err));
  *(bool *)object = !value;
  return LPOT_OK;
}

lpot_status lpot_config_read_int(lpot_config_box *box, const lpot_config_row *row,
                                 const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  LPOT_TRY(lpot_yaml_int(node, row->minimum, row->maximum, object, err));
  return LPOT_OK;
}

/* The words that we support, NULL terminated, for messages. */
static void supported_names(const lpot_config_word *words, const char **names) {
  size_t count = 0;
  for (size_t i = 0; words[i].text != NULL; i++) {
    LPOT_ASSERT(i + 1 < MAX_WORDS);
    if (words[i].value != LPOT_WORD_UNSUPPORTED) {
      names[count] = words[i].text;
      count++;
    }
  }
  names[count] = NULL;
}

static lpot_status fail_word(lpot_error *err, const lpot_yaml_node *node,
                             const lpot_config_word *words, const char *text) {
  const char *names[MAX_WORDS];
  supported_names(words, names);
  char list[200] = "";
  size_t used = 0;
  for (size_t i = 0; names[i] != NULL && used < sizeof list; i++) {
    int length = snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    used += length > 0 ? (size_t)length : 0;
  }
  const char *nearest = lpot_text_nearest(text, names);
  return lpot_yaml_fail(err, node, "expected %s%s, got '%s'%s%s%s",
                        names[0] != NULL && names[1] != NULL ? "one of " : "", list, text,
                        nearest == NULL ? "" : " (did you mean '", nearest == NULL ? "" : nearest,
                        nearest == NULL ? "" : "'?)");
}

lpot_status lpot_config_find_word(const lpot_config_word *words, const char *text, size_t length,
                                  const lpot_yaml_node *node, int *ret_value, lpot_error *err) {
  for (size_t i = 0; words[i].text != NULL; i++) {
    if (strlen(words[i].text) != length || memcmp(words[i].text, text, length) != 0) {
      continue;
    }
    if (words[i].value == LPOT_WORD_UNSUPPORTED) {
      return lpot_yaml_fail(err, node, "%s is not supported yet", words[i].text);
    }
    *ret_value = words[i].value;
    return LPOT_OK;
  }
  char cut[MAX_SHOWN];
  char shown[MAX_SHOWN];
  snprintf(cut, sizeof cut, "%.*s", (int)(length < sizeof cut ? length : sizeof cut - 1), text);
  lpot_text_printable(cut, shown, sizeof shown);
  return fail_word(err, node, words, shown);
}

static lpot_status word_of(const lpot_config_row *row, const lpot_yaml_node *node, int *ret_value,
                           lpot_error *err) {
  const char *text = NULL;
  LPOT_TRY(lpot_yaml_string(node, &text, err));
  LPOT_TRY(lpot_config_find_word(row->words, text, strlen(text), node, ret_value, err));
  return LPOT_OK;
}

lpot_status lpot_config_read_word(lpot_config_box *box, const lpot_config_row *row,
                                  const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  LPOT_TRY(word_of(row, node, object, err));
  return LPOT_OK;
}

lpot_status lpot_config_read_flag_word(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  int value = 0;
  LPOT_TRY(word_of(row, node, &value, err));
  *(bool *)object = value != 0;
  return LPOT_OK;
}

lpot_status lpot_config_read_only_word(lpot_config_box *box, const lpot_config_row *row,
                                       const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)object;
  int value = 0;
  LPOT_TRY(word_of(row, node, &value, err));
  return LPOT_OK;
}

void lpot_config_add_choice(lpot_choices *choices, int value) {
  for (size_t i = 0; i < choices->count; i++) {
    if (choices->values[i] == value) {
      return;
    }
  }
  LPOT_ASSERT(choices->count < LPOT_MAX_CHOICES);
  choices->values[choices->count] = value;
  choices->count++;
}

/* LPOT's lists in one text: parted by commas if there is one, else by blanks. */
static lpot_status split_words(const lpot_config_row *row, const lpot_yaml_node *node,
                               lpot_choices *choices, lpot_error *err) {
  static const char separators[] = ", \t\r\n";
  const char *text = node->text;
  for (;;) {
    text += strspn(text, separators);
    if (*text == '\0') {
      break;
    }
    size_t length = strcspn(text, separators);
    int value = 0;
    LPOT_TRY(lpot_config_find_word(row->words, text, length, node, &value, err));
    lpot_config_add_choice(choices, value);
    text += length;
  }
  if (choices->count == 0) {
    return fail_word(err, node, row->words, "");
  }
  return LPOT_OK;
}

static lpot_status collect_words(const lpot_config_row *row, const lpot_yaml_node *node,
                                 lpot_choices *choices, lpot_error *err) {
  if (node->kind != LPOT_YAML_LIST) {
    const char *text = NULL;
    LPOT_TRY(lpot_yaml_string(node, &text, err));
    LPOT_TRY(split_words(row, node, choices, err));
    return LPOT_OK;
  }
  for (size_t i = 0; i < node->num_children; i++) {
    int value = 0;
    LPOT_TRY(word_of(row, node->children[i], &value, err));
    lpot_config_add_choice(choices, value);
  }
  if (choices->count == 0) {
    return lpot_yaml_fail(err, node, "expected at least one word, got an empty list");
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_choices(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  lpot_choices choices = {0};
  (void)box;
  LPOT_TRY(collect_words(row, node, &choices, err));
  *(lpot_choices *)object = choices;
  return LPOT_OK;
}

/* Whether this machine can do bf16 is known once there is an engine. */
lpot_status lpot_config_read_dtypes(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  LPOT_TRY(lpot_config_read_choices(box, row, node, object, err));
  const lpot_choices *dtypes = object;
  for (size_t i = 0; i < dtypes->count && box->config.bf16 == NULL; i++) {
    box->config.bf16 = dtypes->values[i] == LPOT_BF16 ? node : NULL;
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_only_false(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)object;
  bool value = false;
  LPOT_TRY(lpot_yaml_bool(node, &value, err));
  if (value) {
    return lpot_config_fail_key(err, node, "%s", row->remark);
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_fixed_bool(lpot_config_box *box, const lpot_config_row *row,
                                        const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)object;
  bool value = false;
  LPOT_TRY(lpot_yaml_bool(node, &value, err));
  if (value != (row->minimum != 0)) {
    LPOT_TRY(lpot_config_warn(box, node, err, "%s is ignored: %s", value ? "true" : "false",
                              row->remark));
  }
  return LPOT_OK;
}

lpot_status lpot_config_read_ignored(lpot_config_box *box, const lpot_config_row *row,
                                     const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)object;
  LPOT_TRY(lpot_config_warn(box, node, err, "ignored: %s", row->remark));
  return LPOT_OK;
}

lpot_status lpot_config_read_silent(lpot_config_box *box, const lpot_config_row *row,
                                    const lpot_yaml_node *node, void *object, lpot_error *err) {
  (void)box;
  (void)row;
  (void)node;
  (void)object;
  (void)err;
  return LPOT_OK;
}
