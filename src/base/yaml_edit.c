/* Setting one value of a tree by its path. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml_node.h"

#define MAX_SHOWN 128

#define EDIT_NAME "--set"

/* One step of a path: a key of a map or, when key is NULL, an index of a list. */
typedef struct path_step {
  const char *key; /* arena */
  size_t index;
} path_step;

typedef struct edit_path {
  const char *text; /* borrowed */
  const char *file; /* arena; "--set KEY.PATH", which stands for a file in messages */
  path_step steps[LPOT_YAML_MAX_DEPTH];
  size_t num_steps;
} edit_path;

static lpot_status fail_path(lpot_error *err, const edit_path *path, const char *problem) {
  char shown[MAX_SHOWN];
  lpot_text_printable(path->text, shown, sizeof shown);
  return LPOT_FAIL(err, LPOT_CONFIG, EDIT_NAME ": path '%s': %s", shown, problem);
}

/* Reads [12] at *position. */
static lpot_status read_index(const char **position, const edit_path *path, path_step *step,
                              lpot_error *err) {
  const char *digits = *position + 1;
  size_t length = strspn(digits, "0123456789");
  char number[16];
  int64_t index = 0;
  if (length == 0 || length >= sizeof number || digits[length] != ']') {
    return fail_path(err, path, "expected an index such as [2]");
  }
  memcpy(number, digits, length);
  number[length] = '\0';
  if (!lpot_text_to_int64(number, &index)) {
    return fail_path(err, path, "expected an index such as [2]");
  }
  step->key = NULL;
  step->index = (size_t)index;
  *position = digits + length + 1;
  return LPOT_OK;
}

/* Reads key or "key" at *position. */
static lpot_status read_key(lpot_yaml *yaml, const char **position, const edit_path *path,
                            path_step *step, lpot_error *err) {
  const char *start = *position;
  bool quoted = *start == '"';
  start += quoted ? 1 : 0;
  size_t length = strcspn(start, quoted ? "\"" : ".[");
  if (length == 0) {
    return fail_path(err, path, "expected a key, got nothing");
  }
  if (quoted && start[length] == '\0') {
    return fail_path(err, path, "expected a closing quote");
  }
  step->key = lpot_arena_strndup(yaml->arena, start, length);
  if (step->key == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *position = start + length + (quoted ? 1 : 0);
  return LPOT_OK;
}

static lpot_status read_path(lpot_yaml *yaml, const char *text, edit_path *path, lpot_error *err) {
  *path = (edit_path){.text = text};
  const char *position = text;
  while (*position != '\0' || path->num_steps == 0) {
    if (path->num_steps == LPOT_YAML_MAX_DEPTH) {
      return fail_path(err, path, "too many levels");
    }
    path_step *step = &path->steps[path->num_steps];
    if (*position == '[') {
      LPOT_TRY(read_index(&position, path, step, err));
    } else {
      LPOT_TRY(read_key(yaml, &position, path, step, err));
    }
    path->num_steps++;
    if (*position != '\0' && *position != '.' && *position != '[') {
      return fail_path(err, path, "expected '.' behind a key");
    }
    if (*position == '.') {
      position++;
      if (*position == '\0' || *position == '[') {
        return fail_path(err, path, "expected a key, got nothing");
      }
    }
  }
  return LPOT_OK;
}

static lpot_yaml_node *find_child(const lpot_yaml_node *node, const path_step *step) {
  if (step->key == NULL) {
    bool exists = node->kind == LPOT_YAML_LIST && step->index < node->num_children;
    return exists ? node->children[step->index] : NULL;
  }
  if (node->kind != LPOT_YAML_MAP) {
    return NULL;
  }
  for (size_t i = 0; i < node->num_children; i++) {
    if (lpot_text_equal(node->children[i]->key, step->key)) {
      return node->children[i];
    }
  }
  return NULL;
}

static void set_key(lpot_yaml_node *node, const char *key) {
  node->key = key;
  node->key_line = 1;
  node->key_column = 1;
}

/* Puts the contents of value in the place of node's; node keeps its key and its parent. */
static void replace_node(lpot_yaml_node *node, const lpot_yaml_node *value) {
  lpot_yaml_item *item = (lpot_yaml_item *)node;
  const lpot_yaml_node old = *node;
  *item = *(const lpot_yaml_item *)value;
  item->node.parent = old.parent;
  set_key(node, old.key);
  for (size_t i = 0; i < node->num_children; i++) {
    node->children[i]->parent = node;
  }
}

/* Hangs value below node under steps[first..], making a map for each but the last. */
static lpot_status add_below(lpot_yaml *yaml, lpot_yaml_node *node, const edit_path *path,
                             size_t first, lpot_yaml_node *value, lpot_error *err) {
  for (size_t i = first; i < path->num_steps; i++) {
    if (path->steps[i].key == NULL) {
      return fail_path(err, path, "there is no list item with this index");
    }
  }
  if (node->kind != LPOT_YAML_MAP && node->kind != LPOT_YAML_NULL) {
    return fail_path(err, path, "a key on the way is not a map");
  }
  lpot_yaml_node *top = value;
  set_key(top, path->steps[path->num_steps - 1].key);
  for (size_t i = path->num_steps - 1; i > first; i--) {
    lpot_yaml_node *map = NULL;
    LPOT_TRY(lpot_yaml_node_new(yaml, path->file, 1, 1, &map, err));
    map->kind = LPOT_YAML_MAP;
    LPOT_TRY(lpot_yaml_node_attach(yaml, map, top, err));
    set_key(map, path->steps[i - 1].key);
    top = map;
  }
  LPOT_TRY(lpot_yaml_node_attach(yaml, node, top, err));
  node->kind = LPOT_YAML_MAP;
  return LPOT_OK;
}

lpot_status lpot_yaml_set(lpot_yaml *yaml, const char *path_text, const char *value,
                          lpot_error *err) {
  edit_path path;
  LPOT_TRY(read_path(yaml, path_text, &path, err));
  char shown[MAX_SHOWN];
  lpot_text_printable(path_text, shown, sizeof shown);
  path.file = lpot_arena_printf(yaml->arena, EDIT_NAME " %s", shown);
  if (path.file == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_yaml_node *parsed = NULL;
  LPOT_TRY(lpot_yaml_parse_into(yaml, path.file, (int)path.num_steps, value, strlen(value), &parsed,
                                err));
  lpot_yaml_node *node = yaml->root;
  size_t found = 0;
  while (found < path.num_steps) {
    lpot_yaml_node *child = find_child(node, &path.steps[found]);
    if (child == NULL) {
      break;
    }
    node = child;
    found++;
  }
  if (found == path.num_steps) {
    replace_node(node, parsed);
    return LPOT_OK;
  }
  LPOT_TRY(add_below(yaml, node, &path, found, parsed, err));
  return LPOT_OK;
}

bool lpot_yaml_node_is_set(const lpot_yaml_node *node) {
  return strncmp(lpot_yaml_node_file(node), EDIT_NAME " ", sizeof EDIT_NAME) == 0;
}
