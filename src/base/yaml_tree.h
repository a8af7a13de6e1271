/* A YAML file as a tree of nodes that remember where they stand. Only this floor sees libyaml.
 *
 * Limits: 1 MiB of text, depth 64, 100,000 nodes, one document. Anchors and aliases are resolved
 * within these limits; tags other than the core ones, !Pruner and python/tuple are refused. A
 * duplicate key is an error. */
#ifndef LPOT_BASE_YAML_TREE_H
#define LPOT_BASE_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

typedef enum lpot_yaml_kind {
  LPOT_YAML_NULL,
  LPOT_YAML_SCALAR,
  LPOT_YAML_LIST,
  LPOT_YAML_MAP
} lpot_yaml_kind;

typedef struct lpot_yaml_node {
  lpot_yaml_kind kind;
  int line;                            /* from 1 */
  int column;                          /* from 1 */
  const char *key;                     /* key under which a map holds this node, else NULL */
  int key_line, key_column;            /* where that key stands, from 1 */
  const char *text;                    /* scalar text, else NULL */
  bool quoted;                         /* scalar was written in quotes */
  size_t num_children;                 /* list items or map values, in file order */
  struct lpot_yaml_node **children;    /* [num_children] */
  const struct lpot_yaml_node *parent; /* NULL at the root */
} lpot_yaml_node;

typedef struct lpot_yaml lpot_yaml;

/* Parse text; name is used in messages ("conf.yaml:3:5: ..."). LPOT_CONFIG on any error. */
LPOT_MUST_CHECK lpot_status lpot_yaml_parse(const char *name, const char *text, size_t size,
                                            lpot_yaml **ret_yaml, lpot_error *err);
/* The same for a file; LPOT_CONFIG also when it cannot be read. */
LPOT_MUST_CHECK lpot_status lpot_yaml_load(const char *path, lpot_yaml **ret_yaml, lpot_error *err);
void lpot_yaml_free(lpot_yaml *yaml);

const lpot_yaml_node *lpot_yaml_root(const lpot_yaml *yaml);
const char *lpot_yaml_name(const lpot_yaml *yaml);
/* The file name that node came from; borrowed from the tree. */
const char *lpot_yaml_node_file(const lpot_yaml_node *node);

/* The child of a map under key, or NULL. */
const lpot_yaml_node *lpot_yaml_get(const lpot_yaml_node *map, const char *key);

/* Sets the value at a dotted path ("tuning.exit_policy.max_trials") to the YAML text value,
 * making maps on the way (command line overrides; "--set PATH" is the file of what they make). A
 * key that holds a dot is written with quotes: a."b.c".d; an existing list item by its index:
 * a.b[2].c. On failure the tree is unchanged. Nodes that were replaced keep their address. */
LPOT_MUST_CHECK lpot_status lpot_yaml_set(lpot_yaml *yaml, const char *path, const char *value,
                                          lpot_error *err);

/* True where node was made by lpot_yaml_set. */
bool lpot_yaml_node_is_set(const lpot_yaml_node *node);

/* Writes "a.b[2].c" for node into out, truncated to out_size. */
void lpot_yaml_path(const lpot_yaml_node *node, char *out, size_t out_size);

/* Fails with "file:line:column: path: text" and LPOT_CONFIG. */
lpot_status lpot_yaml_fail(lpot_error *err, const lpot_yaml_node *node, const char *format, ...)
    LPOT_PRINTF(3, 4);

/* Typed access. Each fails through lpot_yaml_fail, naming what was expected and found. Booleans
 * are true|false|yes|no|on|off in any case. Numbers are parsed whatever the locale. A percent is
 * "1%" or a number (0.01). */
LPOT_MUST_CHECK lpot_status lpot_yaml_string(const lpot_yaml_node *node, const char **ret,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_yaml_bool(const lpot_yaml_node *node, bool *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_yaml_int(const lpot_yaml_node *node, int64_t minimum,
                                          int64_t maximum, int64_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_yaml_double(const lpot_yaml_node *node, double *ret,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_yaml_percent(const lpot_yaml_node *node, double *ret,
                                              lpot_error *err);
/* Lists: a YAML list, or LPOT's strings "1, 2, 3" or "1 2 3", or one number. At most capacity
 * items are stored, more is an error. */
LPOT_MUST_CHECK lpot_status lpot_yaml_ints(const lpot_yaml_node *node, size_t capacity,
                                           int64_t *out, size_t *ret_count, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_yaml_doubles(const lpot_yaml_node *node, size_t capacity,
                                              double *out, size_t *ret_count, lpot_error *err);
/* Index of the scalar's text in names (NULL terminated); the message lists the nearest name. */
LPOT_MUST_CHECK lpot_status lpot_yaml_choice(const lpot_yaml_node *node, const char *const *names,
                                             int *ret_index, lpot_error *err);
/* Fails unless the key of child, of a map, is in names, as below. */
LPOT_MUST_CHECK lpot_status lpot_yaml_check_key(const lpot_yaml_node *child,
                                                const char *const *names, lpot_error *err);
/* Fails at the first key of map that is not in names (NULL terminated), naming the nearest, or all
 * of them where none is near. */
LPOT_MUST_CHECK lpot_status lpot_yaml_check_keys(const lpot_yaml_node *map,
                                                 const char *const *names, lpot_error *err);
/* The child of map under a key that must be there. */
LPOT_MUST_CHECK lpot_status lpot_yaml_require(const lpot_yaml_node *map, const char *key,
                                              const lpot_yaml_node **ret_node, lpot_error *err);

/* Appends text (UTF-8) in double quotes, so that it reads back as it is. */
LPOT_MUST_CHECK lpot_status lpot_yaml_write_quoted(const char *text, lpot_buffer *out,
                                                   lpot_error *err);
/* Appends one line: key as it is, and text in quotes. */
LPOT_MUST_CHECK lpot_status lpot_yaml_write_text(const char *key, const char *text,
                                                 lpot_buffer *out, lpot_error *err);

#endif
