#include "data/setting.h"

#include <stdio.h>

#include "base/text.h"

static bool is_empty(const lpot_yaml_node *map) {
  return map == NULL || map->kind == LPOT_YAML_NULL;
}

lpot_status lpot_setting_check(const lpot_yaml_node *map, const char *const *names,
                               lpot_error *err) {
  if (is_empty(map)) {
    return LPOT_OK;
  }
  if (map->kind != LPOT_YAML_MAP) {
    return lpot_yaml_fail(err, map, "expected a map of settings, got a %s",
                          map->kind == LPOT_YAML_LIST ? "list" : "single value");
  }
  return lpot_yaml_check_keys(map, names, err);
}

const lpot_yaml_node *lpot_setting_get(const lpot_yaml_node *map, const char *key) {
  if (is_empty(map) || map->kind != LPOT_YAML_MAP) {
    return NULL;
  }
  const lpot_yaml_node *node = lpot_yaml_get(map, key);
  return node == NULL || node->kind == LPOT_YAML_NULL ? NULL : node;
}

lpot_status lpot_setting_need(const lpot_yaml_node *map, const char *owner, const char *key,
                              const lpot_yaml_node **ret, lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(map, key);
  if (node == NULL) {
    return lpot_setting_fail(map, err, "%s needs the setting '%s'", owner, key);
  }
  *ret = node;
  return LPOT_OK;
}

lpot_status lpot_setting_bool(const lpot_yaml_node *map, const char *key, bool *ret,
                              lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(map, key);
  return node == NULL ? LPOT_OK : lpot_yaml_bool(node, ret, err);
}

lpot_status lpot_setting_int(const lpot_yaml_node *map, const char *key, int64_t minimum,
                             int64_t maximum, int64_t *ret, lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(map, key);
  return node == NULL ? LPOT_OK : lpot_yaml_int(node, minimum, maximum, ret, err);
}

lpot_status lpot_setting_double(const lpot_yaml_node *map, const char *key, double *ret,
                                lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(map, key);
  return node == NULL ? LPOT_OK : lpot_yaml_double(node, ret, err);
}

lpot_status lpot_setting_string(const lpot_yaml_node *map, const char *key, const char **ret,
                                lpot_error *err) {
  const lpot_yaml_node *node = lpot_setting_get(map, key);
  return node == NULL ? LPOT_OK : lpot_yaml_string(node, ret, err);
}

lpot_status lpot_setting_bgr(const lpot_yaml_node *map, bool *ret, lpot_error *err) {
  static const char *const names[] = {"rgb", "bgr", NULL};
  const lpot_yaml_node *node = lpot_setting_get(map, "channel_order");
  if (node == NULL) {
    return LPOT_OK;
  }
  int choice = 0;
  LPOT_TRY(lpot_yaml_choice(node, names, &choice, err));
  *ret = choice == 1;
  return LPOT_OK;
}

static bool find_name(const char *name, const char *const *names, size_t *ret_index) {
  for (size_t i = 0; names[i] != NULL; i++) {
    if (lpot_text_equal(names[i], name)) {
      *ret_index = i;
      return true;
    }
  }
  return false;
}

lpot_status lpot_setting_find_name(const lpot_yaml_node *node, const char *kind, const char *name,
                                   const char *const *names, const char *const *later_names,
                                   size_t *ret_index, lpot_error *err) {
  size_t later = 0;
  if (find_name(name, names, ret_index)) {
    return LPOT_OK;
  }
  if (find_name(name, later_names, &later)) {
    return lpot_setting_fail(node, err, "%s '%s' is not supported yet", kind, name);
  }
  const char *nearest = lpot_text_nearest(name, names);
  if (nearest != NULL) {
    return lpot_setting_fail(node, err, "unknown %s '%s'; did you mean '%s'?", kind, name, nearest);
  }
  char known[256];
  lpot_text_names(names, known, sizeof known);
  return lpot_setting_fail(node, err, "unknown %s '%s'; known are %s", kind, name, known);
}

lpot_status lpot_setting_item(const lpot_yaml_node *chain, size_t index, const lpot_yaml_node **ret,
                              lpot_error *err) {
  const lpot_yaml_node *node = chain->children[index];
  if (chain->kind == LPOT_YAML_MAP) {
    *ret = node;
    return LPOT_OK;
  }
  if (node->kind != LPOT_YAML_MAP || node->num_children != 1) {
    return lpot_yaml_fail(err, node, "expected a map with one key, the transform's name");
  }
  *ret = node->children[0];
  return LPOT_OK;
}

lpot_status lpot_setting_fail(const lpot_yaml_node *node, lpot_error *err, const char *format,
                              ...) {
  char text[384];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  if (node == NULL) {
    return LPOT_FAIL(err, LPOT_CONFIG, "%s", text);
  }
  return lpot_yaml_fail(err, node, "%s", text);
}
