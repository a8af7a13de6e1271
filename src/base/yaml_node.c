#include "base/yaml_node.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MAX_SHOWN_KEY 128

lpot_status lpot_yaml_node_new(lpot_yaml *yaml, const char *file, int line, int column,
                               lpot_yaml_node **ret_node, lpot_error *err) {
  if (yaml->num_nodes >= LPOT_YAML_MAX_NODES) {
    lpot_status status =
        LPOT_FAIL(err, LPOT_CONFIG, "%s:%d:%d: expected at most %d values, got more", file, line,
                  column, LPOT_YAML_MAX_NODES);
    return lpot_error_at(err, file, line, column, status);
  }
  lpot_yaml_item *item = lpot_arena_alloc(yaml->arena, 1, sizeof *item);
  if (item == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  item->file = file;
  item->node.line = line;
  item->node.column = column;
  yaml->num_nodes++;
  *ret_node = &item->node;
  return LPOT_OK;
}

lpot_status lpot_yaml_node_attach(lpot_yaml *yaml, lpot_yaml_node *parent, lpot_yaml_node *child,
                                  lpot_error *err) {
  lpot_yaml_item *item = (lpot_yaml_item *)parent;
  if (parent->num_children == item->capacity) {
    /* The old array stays in the arena: with doubling that is less than the new one's size. */
    size_t capacity = item->capacity == 0 ? 4 : item->capacity * 2;
    lpot_yaml_node **children = lpot_arena_alloc(yaml->arena, capacity, sizeof *children);
    if (children == NULL) {
      return LPOT_OUT_OF_MEMORY(err);
    }
    if (parent->num_children > 0) {
      memcpy(children, parent->children, parent->num_children * sizeof *children);
    }
    parent->children = children;
    item->capacity = capacity;
  }
  parent->children[parent->num_children] = child;
  parent->num_children++;
  child->parent = parent;
  return LPOT_OK;
}

const char *lpot_yaml_node_file(const lpot_yaml_node *node) {
  return ((const lpot_yaml_item *)node)->file;
}

const lpot_yaml_node *lpot_yaml_get(const lpot_yaml_node *map, const char *key) {
  if (map == NULL || map->kind != LPOT_YAML_MAP) {
    return NULL;
  }
  for (size_t i = 0; i < map->num_children; i++) {
    if (lpot_text_equal(map->children[i]->key, key)) {
      return map->children[i];
    }
  }
  return NULL;
}

static size_t index_of(const lpot_yaml_node *node) {
  const lpot_yaml_node *parent = node->parent;
  size_t index = 0;
  while (index < parent->num_children && parent->children[index] != node) {
    index++;
  }
  return index;
}

/* The part of a path that names node below its parent. */
static void step_text(const lpot_yaml_node *node, bool first, char *out, size_t out_size) {
  if (node->key == NULL) {
    snprintf(out, out_size, "[%zu]", index_of(node));
    return;
  }
  char key[MAX_SHOWN_KEY];
  lpot_text_printable(node->key, key, sizeof key);
  const char *quote = strpbrk(key, ".[]\"") == NULL ? "" : "\"";
  snprintf(out, out_size, "%s%s%s%s", first ? "" : ".", quote, key, quote);
}

void lpot_yaml_path(const lpot_yaml_node *node, char *out, size_t out_size) {
  if (out_size == 0) {
    return;
  }
  const lpot_yaml_node *chain[LPOT_YAML_MAX_DEPTH + 1];
  size_t length = 0;
  while (node->parent != NULL && length <= LPOT_YAML_MAX_DEPTH) {
    chain[length] = node;
    length++;
    node = node->parent;
  }
  out[0] = '\0';
  size_t used = 0;
  for (size_t i = length; i > 0; i--) {
    char step[MAX_SHOWN_KEY + 8];
    step_text(chain[i - 1], i == length, step, sizeof step);
    if (!lpot_text_copy(out + used, out_size - used, step)) {
      return;
    }
    used += strlen(step);
  }
}

static lpot_status fail_with(lpot_error *err, const lpot_yaml_node *node, int line, int column,
                             const char *message) {
  char path[256];
  lpot_yaml_path(node, path, sizeof path);
  const char *file = lpot_yaml_node_file(node);
  lpot_status status = LPOT_FAIL(err, LPOT_CONFIG, "%s:%d:%d: %s%s%s", file, line, column, path,
                                 path[0] == '\0' ? "" : ": ", message);
  return lpot_error_at(err, file, line, column, status);
}

lpot_status lpot_yaml_fail_at(lpot_error *err, const lpot_yaml_node *node, int line, int column,
                              const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return fail_with(err, node, line, column, message);
}

lpot_status lpot_yaml_fail(lpot_error *err, const lpot_yaml_node *node, const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return fail_with(err, node, node->line, node->column, message);
}
