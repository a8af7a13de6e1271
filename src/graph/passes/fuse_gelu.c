#include <math.h>

#include "graph/passes/pass_support.h"
#include "graph/passes/passes.h"

/* One input of a node. */
typedef struct place {
  const lpot_node *node;
  int index;
} place;

/* The parts of x * (1 + erf(x / sqrt(2))) * 0.5, whose three factors stand in any order. */
typedef struct gelu {
  const lpot_node *last, *inner, *sum, *erf, *scaling;
  lpot_value_id x;
} gelu;

static lpot_value_id value_at(place at) {
  return lpot_node_input(at.node, at.index);
}

/* A constant of one element that leaves the other operand's shape as it is. */
static bool is_number(const lpot_graph *graph, place at, double wanted) {
  const lpot_tensor *constant = lpot_pass_constant_f32(graph, at.node, at.index);
  int rank = lpot_graph_value(graph, lpot_node_input(at.node, 1 - at.index))->shape.rank;
  return constant != NULL && constant->shape.rank <= (rank < 0 ? 0 : rank) &&
         lpot_tensor_elements(constant) == 1 &&
         fabs(lpot_tensor_get_double(constant, 0) - wanted) <= 1e-4 * wanted;
}

static lpot_status private_op(const lpot_graph *graph, place at, lpot_op op,
                              const lpot_node **ret_node, lpot_error *err) {
  LPOT_TRY(lpot_pass_private_producer(graph, at.node, at.index, ret_node, err));
  if (*ret_node != NULL && (*ret_node)->op != op) {
    *ret_node = NULL;
  }
  return LPOT_OK;
}

/* erf(x / sqrt(2)) or erf(x * sqrt(0.5)) at a place. */
static lpot_status match_erf(const lpot_graph *graph, place at, gelu *found, bool *ret,
                             lpot_error *err) {
  LPOT_TRY(private_op(graph, at, LPOT_OP_ERF, &found->erf, err));
  if (found->erf == NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(lpot_pass_private_producer(graph, found->erf, 0, &found->scaling, err));
  const lpot_node *node = found->scaling;
  if (node == NULL || (node->op != LPOT_OP_DIV && node->op != LPOT_OP_MUL)) {
    return LPOT_OK;
  }
  double number = node->op == LPOT_OP_DIV ? sqrt(2.0) : sqrt(0.5);
  for (int k = node->op == LPOT_OP_DIV ? 1 : 0; k < 2; k++) {
    *ret = *ret ||
           (lpot_node_input(node, 1 - k) == found->x && is_number(graph, (place){node, k}, number));
  }
  return LPOT_OK;
}

/* 1 + erf(...) at a place. */
static lpot_status match_sum(const lpot_graph *graph, place at, gelu *found, bool *ret,
                             lpot_error *err) {
  LPOT_TRY(private_op(graph, at, LPOT_OP_ADD, &found->sum, err));
  for (int k = 0; k < 2 && found->sum != NULL && !*ret; k++) {
    if (is_number(graph, (place){found->sum, 1 - k}, 1.0)) {
      LPOT_TRY(match_erf(graph, (place){found->sum, k}, found, ret, err));
    }
  }
  return LPOT_OK;
}

/* last is a product of two, one of which is a product: three factors. */
static lpot_status match(const lpot_graph *graph, const lpot_node *last, int inner_index,
                         gelu *found, bool *ret, lpot_error *err) {
  *found = (gelu){.last = last};
  LPOT_TRY(private_op(graph, (place){last, inner_index}, LPOT_OP_MUL, &found->inner, err));
  if (found->inner == NULL) {
    return LPOT_OK;
  }
  const place factors[3] = {{found->inner, 0}, {found->inner, 1}, {last, 1 - inner_index}};
  for (int half = 0; half < 3; half++) {
    if (!is_number(graph, factors[half], 0.5)) {
      continue;
    }
    for (int k = 1; k <= 2 && !*ret; k++) {
      found->x = value_at(factors[(half + k) % 3]);
      LPOT_TRY(match_sum(graph, factors[(half + 3 - k) % 3], found, ret, err));
    }
    return LPOT_OK;
  }
  return LPOT_OK;
}

static lpot_status fuse(lpot_graph *graph, const gelu *found, lpot_error *err) {
  lpot_graph_set_op(graph, found->erf->id, LPOT_OP_MICROSOFT_GELU);
  LPOT_TRY(lpot_graph_set_input(graph, found->erf->id, 0, found->x, err));
  lpot_graph_remove_node(graph, found->scaling->id);
  lpot_graph_remove_node(graph, found->sum->id);
  lpot_graph_remove_node(graph, found->inner->id);
  LPOT_TRY(lpot_pass_absorb(graph, found->erf, found->last, err));
  return LPOT_OK;
}

lpot_status lpot_pass_fuse_gelu(lpot_graph *graph, lpot_error *err) {
  for (size_t i = 0; i < lpot_graph_num_nodes(graph); i++) {
    const lpot_node *node = lpot_graph_node(graph, (lpot_node_id)i);
    for (int k = 0; k < 2 && !node->removed && node->op == LPOT_OP_MUL; k++) {
      gelu found;
      bool is_gelu = false;
      LPOT_TRY(match(graph, node, k, &found, &is_gelu, err));
      if (is_gelu) {
        LPOT_TRY(fuse(graph, &found, err));
      }
    }
  }
  return LPOT_OK;
}
