/* Typed access to the scalars and lists of yaml_tree.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml_node.h"

#define MAX_SHOWN 96
#define MAX_NUMBER_TEXT 128
#define MAX_NAMES 256

/* What a message says that it found: "a list", "'text'". */
static void found_text(const lpot_yaml_node *node, char *out, size_t out_size) {
  static const char *const kinds[] = {
      [LPOT_YAML_NULL] = "nothing",
      [LPOT_YAML_SCALAR] = "text",
      [LPOT_YAML_LIST] = "a list",
      [LPOT_YAML_MAP] = "a map",
  };
  if (node->kind != LPOT_YAML_SCALAR) {
    lpot_text_copy(out, out_size, kinds[node->kind]);
    return;
  }
  char shown[MAX_SHOWN];
  lpot_text_printable(node->text, shown, sizeof shown);
  snprintf(out, out_size, "'%s'", shown);
}

static lpot_status fail_expected(lpot_error *err, const lpot_yaml_node *node,
                                 const char *expected) {
  char found[MAX_SHOWN + 8];
  found_text(node, found, sizeof found);
  return lpot_yaml_fail(err, node, "expected %s, got %s", expected, found);
}

lpot_status lpot_yaml_string(const lpot_yaml_node *node, const char **ret, lpot_error *err) {
  if (node->kind != LPOT_YAML_SCALAR) {
    return fail_expected(err, node, "a text");
  }
  *ret = node->text;
  return LPOT_OK;
}

typedef struct bool_word {
  const char *text;
  bool value;
} bool_word;

static const bool_word bool_words[] = {
    {"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false},
};

lpot_status lpot_yaml_bool(const lpot_yaml_node *node, bool *ret, lpot_error *err) {
  const char *text = node->kind == LPOT_YAML_SCALAR ? node->text : "";
  for (size_t i = 0; i < sizeof bool_words / sizeof bool_words[0]; i++) {
    if (lpot_text_equal_ignoring_case(text, bool_words[i].text)) {
      *ret = bool_words[i].value;
      return LPOT_OK;
    }
  }
  return fail_expected(err, node, "true or false");
}

lpot_status lpot_yaml_int(const lpot_yaml_node *node, int64_t minimum, int64_t maximum,
                          int64_t *ret, lpot_error *err) {
  int64_t value = 0;
  if (node->kind != LPOT_YAML_SCALAR || !lpot_text_to_int64(node->text, &value)) {
    return fail_expected(err, node, "an integer");
  }
  if (value < minimum && maximum == INT64_MAX) {
    return lpot_yaml_fail(err, node, "expected an integer of at least %" PRId64 ", got %" PRId64,
                          minimum, value);
  }
  if (value < minimum || value > maximum) {
    return lpot_yaml_fail(err, node,
                          "expected an integer from %" PRId64 " to %" PRId64 ", got %" PRId64,
                          minimum, maximum, value);
  }
  *ret = value;
  return LPOT_OK;
}

lpot_status lpot_yaml_double(const lpot_yaml_node *node, double *ret, lpot_error *err) {
  double value = 0;
  bool is_number = node->kind == LPOT_YAML_SCALAR && lpot_text_to_double(node->text, &value);
  if (!is_number || !isfinite(value)) {
    return fail_expected(err, node, "a number");
  }
  *ret = value;
  return LPOT_OK;
}

/* Reads "1%" or "1 %" as 0.01. */
static bool percent_text(const char *text, double *ret) {
  size_t length = strlen(text);
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) {
    length--;
  }
  char number[MAX_NUMBER_TEXT];
  if (length == 0 || text[length - 1] != '%' || length > sizeof number) {
    return false;
  }
  memcpy(number, text, length - 1);
  number[length - 1] = '\0';
  double value = 0;
  if (!lpot_text_to_double(number, &value) || !isfinite(value)) {
    return false;
  }
  *ret = value / 100;
  return true;
}

lpot_status lpot_yaml_percent(const lpot_yaml_node *node, double *ret, lpot_error *err) {
  double value = 0;
  bool is_scalar = node->kind == LPOT_YAML_SCALAR;
  if (is_scalar && percent_text(node->text, ret)) {
    return LPOT_OK;
  }
  if (!is_scalar || !lpot_text_to_double(node->text, &value) || !isfinite(value)) {
    return fail_expected(err, node, "a number or a percentage such as 1%");
  }
  *ret = value;
  return LPOT_OK;
}

/* One number of a list, from a scalar's text, into out[index]. */
typedef bool (*number_parser)(const char *text, void *out, size_t index);

static bool parse_int_item(const char *text, void *out, size_t index) {
  return lpot_text_to_int64(text, (int64_t *)out + index);
}

static bool parse_double_item(const char *text, void *out, size_t index) {
  double value = 0;
  if (!lpot_text_to_double(text, &value) || !isfinite(value)) {
    return false;
  }
  ((double *)out)[index] = value;
  return true;
}

typedef struct number_list {
  number_parser parse;
  const char *expected; /* "a list of integers" */
  size_t capacity;
  void *out; /* [capacity] numbers; borrowed */
} number_list;

static lpot_status fail_capacity(lpot_error *err, const lpot_yaml_node *node,
                                 const number_list *list) {
  return lpot_yaml_fail(err, node, "expected at most %zu values, got more", list->capacity);
}

/* Items of "1, 2, 3" or "1 2 3": numbers between blanks, with at most one comma between two. */
static lpot_status split_text(const lpot_yaml_node *node, const number_list *list,
                              size_t *ret_count, lpot_error *err) {
  static const char separators[] = " \t\r\n,";
  const char *text = node->text;
  size_t count = 0;
  for (;;) {
    size_t gap = strspn(text, separators);
    size_t commas = 0;
    for (size_t i = 0; i < gap; i++) {
      commas += text[i] == ',' ? 1 : 0;
    }
    text += gap;
    bool end = *text == '\0';
    if (commas > (count > 0 && !end ? 1U : 0U) || (end && count == 0)) {
      return fail_expected(err, node, list->expected);
    }
    if (end) {
      *ret_count = count;
      return LPOT_OK;
    }
    char number[MAX_NUMBER_TEXT];
    size_t length = strcspn(text, separators);
    if (count == list->capacity) {
      return fail_capacity(err, node, list);
    }
    if (length >= sizeof number) {
      return fail_expected(err, node, list->expected);
    }
    memcpy(number, text, length);
    number[length] = '\0';
    if (!list->parse(number, list->out, count)) {
      return fail_expected(err, node, list->expected);
    }
    text += length;
    count++;
  }
}

static lpot_status read_numbers(const lpot_yaml_node *node, const number_list *list,
                                size_t *ret_count, lpot_error *err) {
  if (node->kind == LPOT_YAML_SCALAR) {
    LPOT_TRY(split_text(node, list, ret_count, err));
    return LPOT_OK;
  }
  if (node->kind != LPOT_YAML_LIST) {
    return fail_expected(err, node, list->expected);
  }
  if (node->num_children > list->capacity) {
    return fail_capacity(err, node, list);
  }
  for (size_t i = 0; i < node->num_children; i++) {
    const lpot_yaml_node *item = node->children[i];
    if (item->kind != LPOT_YAML_SCALAR || !list->parse(item->text, list->out, i)) {
      return fail_expected(err, item, list->expected);
    }
  }
  *ret_count = node->num_children;
  return LPOT_OK;
}

lpot_status lpot_yaml_ints(const lpot_yaml_node *node, size_t capacity, int64_t *out,
                           size_t *ret_count, lpot_error *err) {
  const number_list list = {parse_int_item, "a list of integers", capacity, out};
  LPOT_TRY(read_numbers(node, &list, ret_count, err));
  return LPOT_OK;
}

lpot_status lpot_yaml_doubles(const lpot_yaml_node *node, size_t capacity, double *out,
                              size_t *ret_count, lpot_error *err) {
  const number_list list = {parse_double_item, "a list of numbers", capacity, out};
  LPOT_TRY(read_numbers(node, &list, ret_count, err));
  return LPOT_OK;
}

/* " (did you mean 'x'?)" or nothing. */
static void hint_text(const char *text, const char *const *names, char *out, size_t out_size) {
  const char *nearest = lpot_text_nearest(text, names);
  out[0] = '\0';
  if (nearest != NULL) {
    snprintf(out, out_size, " (did you mean '%s'?)", nearest);
  }
}

lpot_status lpot_yaml_choice(const lpot_yaml_node *node, const char *const *names, int *ret_index,
                             lpot_error *err) {
  const char *text = node->kind == LPOT_YAML_SCALAR ? node->text : "";
  for (int i = 0; names[i] != NULL; i++) {
    if (lpot_text_equal(text, names[i])) {
      *ret_index = i;
      return LPOT_OK;
    }
  }
  char list[MAX_NAMES];
  char found[MAX_SHOWN + 8];
  char hint[MAX_SHOWN];
  lpot_text_names(names, list, sizeof list);
  found_text(node, found, sizeof found);
  hint_text(text, names, hint, sizeof hint);
  return lpot_yaml_fail(err, node, "expected one of %s, got %s%s", list, found,
                        text[0] == '\0' ? "" : hint);
}

/* " (known are a, b, c)". */
static void known_text(const char *const *names, char *out, size_t out_size) {
  char list[MAX_NAMES];
  lpot_text_names(names, list, sizeof list);
  snprintf(out, out_size, names[0] == NULL ? " (none is known here)" : " (known are %s)", list);
}

static bool is_among(const char *text, const char *const *names) {
  for (size_t i = 0; names[i] != NULL; i++) {
    if (lpot_text_equal(text, names[i])) {
      return true;
    }
  }
  return false;
}

lpot_status lpot_yaml_check_key(const lpot_yaml_node *child, const char *const *names,
                                lpot_error *err) {
  if (is_among(child->key, names)) {
    return LPOT_OK;
  }
  char hint[MAX_NAMES + 16];
  hint_text(child->key, names, hint, sizeof hint);
  if (hint[0] == '\0') {
    known_text(names, hint, sizeof hint);
  }
  return lpot_yaml_fail_at(err, child, child->key_line, child->key_column, "unknown key%s", hint);
}

lpot_status lpot_yaml_check_keys(const lpot_yaml_node *map, const char *const *names,
                                 lpot_error *err) {
  /* A section without anything in it is an empty map. */
  if (map->kind == LPOT_YAML_NULL) {
    return LPOT_OK;
  }
  if (map->kind != LPOT_YAML_MAP) {
    return fail_expected(err, map, "a map");
  }
  for (size_t i = 0; i < map->num_children; i++) {
    LPOT_TRY(lpot_yaml_check_key(map->children[i], names, err));
  }
  return LPOT_OK;
}

lpot_status lpot_yaml_require(const lpot_yaml_node *map, const char *key,
                              const lpot_yaml_node **ret_node, lpot_error *err) {
  const lpot_yaml_node *node = lpot_yaml_get(map, key);
  if (node == NULL) {
    return lpot_yaml_fail(err, map, "key '%s' is missing", key);
  }
  *ret_node = node;
  return LPOT_OK;
}
