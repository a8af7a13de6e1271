/* What the sources of yaml_tree.h share. For them only. */
#ifndef LPOT_BASE_YAML_NODE_H
#define LPOT_BASE_YAML_NODE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/yaml_tree.h"

#define LPOT_YAML_MAX_BYTES ((size_t)1 << 20)
#define LPOT_YAML_MAX_DEPTH 64
#define LPOT_YAML_MAX_NODES 100000

struct lpot_yaml {
  lpot_arena *arena;    /* owned; holds all nodes and texts */
  const char *name;     /* arena */
  lpot_yaml_node *root; /* arena */
  size_t num_nodes;
};

/* Every node is the first member of one of these. */
typedef struct lpot_yaml_item {
  lpot_yaml_node node;
  const char *file; /* arena */
  size_t capacity;  /* room in node.children */
} lpot_yaml_item;

/* A node of kind LPOT_YAML_NULL at line and column of file (which must live in the arena), not
 * yet the child of any. Fails at the limit of nodes. */
LPOT_MUST_CHECK lpot_status lpot_yaml_node_new(lpot_yaml *yaml, const char *file, int line,
                                               int column, lpot_yaml_node **ret_node,
                                               lpot_error *err);
/* Puts child at the end of the list or map parent. */
LPOT_MUST_CHECK lpot_status lpot_yaml_node_attach(lpot_yaml *yaml, lpot_yaml_node *parent,
                                                  lpot_yaml_node *child, lpot_error *err);
/* Parses one document into nodes of yaml, whose root hangs depth levels below the tree's. */
LPOT_MUST_CHECK lpot_status lpot_yaml_parse_into(lpot_yaml *yaml, const char *file, int depth,
                                                 const char *text, size_t size,
                                                 lpot_yaml_node **ret_node, lpot_error *err);
/* As lpot_yaml_fail, at another place than the node's value. */
lpot_status lpot_yaml_fail_at(lpot_error *err, const lpot_yaml_node *node, int line, int column,
                              const char *format, ...) LPOT_PRINTF(5, 6);

#endif
