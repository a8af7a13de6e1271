/* Lists of ops in a YAML file, one item for each op of the model, in any order:
 *
 *   - name: "conv1"
 *     type: Conv
 *     ... */
#ifndef LPOT_QUANT_OP_ITEMS_H
#define LPOT_QUANT_OP_ITEMS_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/yaml_tree.h"

/* Reads one item: that of op index. name and type have been checked, but not what other keys there
 * are. */
typedef lpot_status (*lpot_op_item_reader)(void *context, size_t index, const lpot_yaml_node *item,
                                           lpot_error *err);

/* Shows each item of list to read. names and types [num_ops]; type may be left out in an item.
 * LPOT_CONFIG with its place for what is no list, a name that is unknown (with the nearest one) or
 * stands twice, another type, or an op that is missing. */
LPOT_MUST_CHECK lpot_status lpot_op_items_read(const lpot_yaml_node *list, const char *const *names,
                                               const char *const *types, size_t num_ops,
                                               lpot_op_item_reader read, void *context,
                                               lpot_error *err);
/* The first two lines of an item, indented by two. */
LPOT_MUST_CHECK lpot_status lpot_op_item_write(const char *name, const char *type, lpot_buffer *out,
                                               lpot_error *err);

#endif
