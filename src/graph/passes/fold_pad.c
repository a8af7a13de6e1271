#include <string.h>

#include "graph/passes/pass_support.h"
#include "graph/passes/passes.h"

#define MAX_SPATIAL 3
#define MAX_PAD ((int64_t)1 << 20)

typedef struct spatial_pads {
  int num_spatial;
  int64_t values[2 * MAX_SPATIAL]; /* begins, then ends */
} spatial_pads;

static bool pads_with_zero(const lpot_graph *graph, const lpot_node *pad) {
  if (strcmp(lpot_node_string(pad, "mode", "constant"), "constant") != 0) {
    return false;
  }
  lpot_value_id id = lpot_node_input(pad, 2);
  if (id == LPOT_NONE) {
    return true;
  }
  const lpot_tensor *value = lpot_graph_value(graph, id)->constant;
  return value != NULL && lpot_tensor_elements(value) == 1 &&
         !(lpot_tensor_get_double(value, 0) < 0.0) && !(lpot_tensor_get_double(value, 0) > 0.0);
}

/* The integers of a constant input, or false. */
static bool read_ints(const lpot_graph *graph, const lpot_node *node, int index, size_t capacity,
                      int64_t *out, size_t *ret_count) {
  return lpot_node_constant_ints(graph, node, index, NULL, capacity, out, ret_count, NULL) ==
         LPOT_OK;
}

/* Spreads the pads of a Pad over an input of rank num_spatial + 2. False when they are not
 * constant, not only spatial, or negative. */
static bool read_pads(const lpot_graph *graph, const lpot_node *pad, spatial_pads *ret) {
  int64_t pads[2 * LPOT_MAX_RANK] = {0};
  int64_t axes[LPOT_MAX_RANK] = {0};
  size_t num_pads = 0;
  size_t num_axes = 0;
  int rank = ret->num_spatial + 2;
  if (!read_ints(graph, pad, 1, 2 * LPOT_MAX_RANK, pads, &num_pads) ||
      !read_ints(graph, pad, 3, LPOT_MAX_RANK, axes, &num_axes)) {
    return false;
  }
  if (lpot_node_input(pad, 3) == LPOT_NONE) {
    num_axes = (size_t)rank;
    for (int i = 0; i < rank; i++) {
      axes[i] = i;
    }
  }
  if (num_pads != 2 * num_axes) {
    return false;
  }
  for (size_t i = 0; i < num_pads; i++) {
    size_t which = i % num_axes;
    int64_t axis = axes[which] < 0 ? axes[which] + rank : axes[which];
    if (pads[i] == 0) {
      continue;
    }
    if (axis < 2 || axis >= rank || pads[i] < 0 || pads[i] > MAX_PAD) {
      return false;
    }
    ret->values[axis - 2 + (i < num_axes ? 0 : ret->num_spatial)] += pads[i];
  }
  return true;
}

/* Adds the pads that the Conv has already. False when it pads by a rule of its own. */
static bool add_conv_pads(const lpot_node *conv, spatial_pads *pads) {
  const char *auto_pad = lpot_node_string(conv, "auto_pad", "NOTSET");
  const int64_t *own = NULL;
  size_t count = lpot_node_ints(conv, "pads", &own);
  if (strcmp(auto_pad, "VALID") == 0 || count == 0) {
    return strncmp(auto_pad, "SAME", 4) != 0;
  }
  if (strcmp(auto_pad, "NOTSET") != 0 || count != 2 * (size_t)pads->num_spatial) {
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    if (own[i] < 0 || own[i] > MAX_PAD) {
      return false;
    }
    pads->values[i] += own[i];
  }
  return true;
}

/* Whether the Conv can do what pad does, and by which pads. */
static bool combine(const lpot_graph *graph, const lpot_node *pad, const lpot_node *conv,
                    spatial_pads *ret) {
  if (conv->op != LPOT_OP_CONV || conv->inputs[0] != pad->outputs[0]) {
    return false;
  }
  for (int i = 1; i < conv->num_inputs; i++) {
    if (conv->inputs[i] == pad->outputs[0]) {
      return false;
    }
  }
  const lpot_shape *weights = &lpot_graph_value(graph, conv->inputs[1])->shape;
  if (weights->rank < 3 || weights->rank > MAX_SPATIAL + 2) {
    return false;
  }
  *ret = (spatial_pads){.num_spatial = weights->rank - 2};
  return read_pads(graph, pad, ret) && add_conv_pads(conv, ret);
}

static lpot_status rewrite_conv(lpot_graph *graph, const lpot_node *pad, lpot_node_id conv,
                                lpot_error *err) {
  spatial_pads pads;
  if (!combine(graph, pad, lpot_graph_node(graph, conv), &pads)) {
    return LPOT_FAIL(err, LPOT_INTERNAL, "node '%s' cannot take the pads of node '%s'",
                     lpot_graph_node(graph, conv)->name, pad->name);
  }
  LPOT_TRY(
      lpot_graph_set_ints(graph, conv, "pads", pads.values, 2 * (size_t)pads.num_spatial, err));
  lpot_graph_remove_attribute(graph, conv, "auto_pad");
  LPOT_TRY(lpot_graph_set_input(graph, conv, 0, pad->inputs[0], err));
  return LPOT_OK;
}

/* All readers must be able to, else the padded tensor is made anyway. */
static lpot_status fold_one(lpot_graph *graph, const lpot_node *pad, lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  spatial_pads unused;
  LPOT_TRY(lpot_graph_consumers(graph, pad->outputs[0], &readers, &count, err));
  if (count == 0 || lpot_graph_is_output(graph, pad->outputs[0]) || !pads_with_zero(graph, pad)) {
    return LPOT_OK;
  }
  for (size_t i = 0; i < count; i++) {
    if (!combine(graph, pad, lpot_graph_node(graph, readers[i]), &unused)) {
      return LPOT_OK;
    }
  }
  for (size_t i = 0; i < count; i++) {
    LPOT_TRY(rewrite_conv(graph, pad, readers[i], err));
  }
  lpot_graph_remove_node(graph, pad->id);
  return LPOT_OK;
}

lpot_status lpot_pass_fold_pad(lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    if (!node->removed && node->op == LPOT_OP_PAD) {
      LPOT_TRY(fold_one(graph, node, err));
    }
  }
  return LPOT_OK;
}
