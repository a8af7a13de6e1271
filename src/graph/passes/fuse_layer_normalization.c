#include <math.h>

#include "graph/passes/pass_support.h"
#include "graph/passes/passes.h"

#define FIRST_OPSET 17 /* of LayerNormalization */

/* The parts of (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale + shift. */
typedef struct layer {
  const lpot_node *product, *quotient, *difference, *mean;
  const lpot_node *root, *sum, *variance, *square;
  const lpot_node *squared; /* the difference that is squared: often the same node */
  lpot_value_id x, scale, shift;
  float epsilon;
} layer;

/* ---- one node at a place ---- */

/* The node that produces an input of node, if it is an op; NULL otherwise. */
static const lpot_node *producer_of(const lpot_graph *graph, const lpot_node *node, int index,
                                    lpot_op op) {
  lpot_value_id value = lpot_node_input(node, index);
  lpot_node_id producer = value == LPOT_NONE ? LPOT_NONE : lpot_graph_value(graph, value)->producer;
  const lpot_node *found = producer == LPOT_NONE ? NULL : lpot_graph_node(graph, producer);
  return found != NULL && found->op == op ? found : NULL;
}

/* The only number of a constant that leaves the other operand's shape as it is. */
static bool number_at(const lpot_graph *graph, const lpot_node *node, int index, double *ret) {
  const lpot_tensor *constant = lpot_pass_constant_f32(graph, node, index);
  int rank = lpot_graph_value(graph, lpot_node_input(node, 1 - index))->shape.rank;
  if (constant == NULL || lpot_tensor_elements(constant) != 1 ||
      constant->shape.rank > (rank < 0 ? 0 : rank)) {
    return false;
  }
  *ret = lpot_tensor_get_double(constant, 0);
  return true;
}

/* A mean over the last axis alone, which stays as a dimension of 1. */
static bool is_mean_of_rows(const lpot_graph *graph, const lpot_node *node) {
  int rank = lpot_graph_value(graph, node->inputs[0])->shape.rank;
  lpot_value_id value = lpot_node_input(node, 1);
  const lpot_tensor *axes = value == LPOT_NONE ? NULL : lpot_graph_value(graph, value)->constant;
  const int64_t *attribute = NULL;
  int64_t axis = 0;
  if (lpot_node_int(node, "keepdims", 1) == 0 || rank < 1) {
    return false;
  }
  if (axes != NULL && lpot_tensor_elements(axes) == 1) {
    axis = lpot_tensor_get_int(axes, 0);
  } else if (value == LPOT_NONE && lpot_node_ints(node, "axes", &attribute) == 1) {
    axis = attribute[0];
  } else {
    return false;
  }
  return axis == -1 || axis == rank - 1;
}

/* A constant vector, one number for each element of x's rows. */
static bool is_row_of(const lpot_graph *graph, lpot_value_id value, lpot_value_id x) {
  const lpot_tensor *constant = lpot_graph_value(graph, value)->constant;
  const lpot_shape *shape = &lpot_graph_value(graph, x)->shape;
  return constant != NULL && constant->dtype == LPOT_F32 && constant->shape.rank == 1 &&
         shape->rank >= 1 && shape->dims[shape->rank - 1] == constant->shape.dims[0];
}

/* ---- the whole ---- */

/* x - mean(x) at node. */
static bool match_difference(const lpot_graph *graph, const lpot_node *node, layer *found) {
  const lpot_node *mean = producer_of(graph, node, 1, LPOT_OP_REDUCE_MEAN);
  if (mean == NULL || (found->mean != NULL && found->mean != mean) ||
      mean->inputs[0] != node->inputs[0] || !is_mean_of_rows(graph, mean)) {
    return false;
  }
  found->mean = mean;
  found->x = node->inputs[0];
  return true;
}

/* The square, as a power or as a product. */
static bool match_square(const lpot_graph *graph, layer *found) {
  double exponent = 0.0;
  const lpot_node *power = producer_of(graph, found->variance, 0, LPOT_OP_POW);
  const lpot_node *product = producer_of(graph, found->variance, 0, LPOT_OP_MUL);
  if (power != NULL && number_at(graph, power, 1, &exponent) && exponent == 2.0) {
    found->square = power;
  } else if (product != NULL && product->inputs[0] == product->inputs[1]) {
    found->square = product;
  } else {
    return false;
  }
  found->squared = producer_of(graph, found->square, 0, LPOT_OP_SUB);
  return found->squared != NULL && match_difference(graph, found->squared, found);
}

/* sqrt(mean(square) + epsilon), its sum in either order. */
static bool match_deviation(const lpot_graph *graph, layer *found) {
  found->sum = producer_of(graph, found->root, 0, LPOT_OP_ADD);
  for (int k = 0; k < 2 && found->sum != NULL; k++) {
    double epsilon = 0.0;
    found->variance = producer_of(graph, found->sum, k, LPOT_OP_REDUCE_MEAN);
    if (found->variance != NULL && number_at(graph, found->sum, 1 - k, &epsilon) &&
        epsilon >= 0.0 && is_mean_of_rows(graph, found->variance)) {
      found->epsilon = (float)epsilon;
      return match_square(graph, found);
    }
  }
  return false;
}

static bool match(const lpot_graph *graph, const lpot_node *last, int product_index, layer *found) {
  *found = (layer){.x = LPOT_NONE};
  found->product = producer_of(graph, last, product_index, LPOT_OP_MUL);
  for (int k = 0; k < 2 && found->product != NULL && found->quotient == NULL; k++) {
    found->quotient = producer_of(graph, found->product, k, LPOT_OP_DIV);
    found->scale = found->product->inputs[1 - k];
  }
  if (found->quotient == NULL) {
    return false;
  }
  found->shift = last->inputs[1 - product_index];
  found->difference = producer_of(graph, found->quotient, 0, LPOT_OP_SUB);
  found->root = producer_of(graph, found->quotient, 1, LPOT_OP_SQRT);
  return found->difference != NULL && found->root != NULL &&
         match_difference(graph, found->difference, found) && match_deviation(graph, found) &&
         is_row_of(graph, found->scale, found->x) && is_row_of(graph, found->shift, found->x);
}

/* Whether nothing but a and b reads what node produces. */
static lpot_status only_read_by(const lpot_graph *graph, const lpot_node *node, const lpot_node *a,
                                const lpot_node *b, bool *ret, lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_consumers(graph, node->outputs[0], &readers, &count, err));
  *ret = *ret && !lpot_graph_is_output(graph, node->outputs[0]);
  for (size_t i = 0; i < count; i++) {
    *ret = *ret && (readers[i] == a->id || readers[i] == b->id);
  }
  return LPOT_OK;
}

static lpot_status is_private(const lpot_graph *graph, const lpot_node *last, const layer *found,
                              bool *ret, lpot_error *err) {
  const lpot_node *const readers[][3] = {
      {found->product, last, last},
      {found->quotient, found->product, found->product},
      {found->difference, found->quotient, found->square},
      {found->squared, found->quotient, found->square},
      {found->mean, found->difference, found->squared},
      {found->root, found->quotient, found->quotient},
      {found->sum, found->root, found->root},
      {found->variance, found->sum, found->sum},
      {found->square, found->variance, found->variance},
  };
  *ret = true;
  for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
    LPOT_TRY(only_read_by(graph, readers[i][0], readers[i][1], readers[i][2], ret, err));
  }
  return LPOT_OK;
}

static lpot_status fuse(lpot_graph *graph, const lpot_node *last, const layer *found,
                        lpot_error *err) {
  const lpot_value_id inputs[] = {found->x, found->scale, found->shift};
  const lpot_node *node = found->quotient;
  const lpot_node *const others[] = {found->product, found->difference, found->mean,
                                     found->root,    found->sum,        found->variance,
                                     found->square,  found->squared};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (!others[i]->removed) {
      lpot_graph_remove_node(graph, others[i]->id);
    }
  }
  lpot_graph_set_op(graph, node->id, LPOT_OP_LAYER_NORMALIZATION);
  LPOT_TRY(lpot_graph_set_inputs(graph, node->id, inputs, 3, err));
  LPOT_TRY(lpot_graph_set_int(graph, node->id, "axis", -1, err));
  LPOT_TRY(lpot_graph_set_float(graph, node->id, "epsilon", found->epsilon, err));
  LPOT_TRY(lpot_pass_absorb(graph, node, last, err));
  if (lpot_graph_opset(graph) < FIRST_OPSET) {
    lpot_graph_set_opset(graph, FIRST_OPSET);
  }
  return LPOT_OK;
}

lpot_status lpot_pass_fuse_layer_normalization(lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    for (int k = 0; k < 2 && !node->removed && node->op == LPOT_OP_ADD; k++) {
      layer found;
      bool is_alone = false;
      if (match(graph, node, k, &found)) {
        LPOT_TRY(is_private(graph, node, &found, &is_alone, err));
      }
      if (is_alone) {
        LPOT_TRY(fuse(graph, node, &found, err));
      }
    }
  }
  return LPOT_OK;
}
