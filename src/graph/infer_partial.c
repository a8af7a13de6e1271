/* Following the integers of shape computations through a graph whose batch size is symbolic:
 * Shape, Gather, Slice, Concat and their like on vectors whose elements are known in part. */
#include "graph/infer_rules.h"

/* Truth values are 0 and 1. */
static bool is_followed(lpot_dtype dtype) {
  return dtype == LPOT_S64 || dtype == LPOT_S32 || dtype == LPOT_BOOL;
}

void lpot_infer_get_ints(const lpot_infer *infer, int index, lpot_partial_ints *ret) {
  ret->count = -1;
  const lpot_value *value = lpot_infer_input(infer, index);
  if (value == NULL) {
    return;
  }
  const lpot_tensor *constant = value->constant;
  if (constant == NULL) {
    if (infer->partial[value->id] != NULL) {
      *ret = *infer->partial[value->id];
    }
    return;
  }
  if (!is_followed(constant->dtype) || constant->shape.rank > 1 ||
      lpot_tensor_elements(constant) > LPOT_MAX_PARTIAL_INTS) {
    return;
  }
  ret->count = (int)lpot_tensor_elements(constant);
  for (int i = 0; i < ret->count; i++) {
    ret->elements[i] = lpot_tensor_get_int(constant, i);
  }
}

static void follow_shape(const lpot_infer *infer, lpot_partial_ints *ret) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  if (input->rank == LPOT_RANK_UNKNOWN) {
    return;
  }
  int start = 0;
  int end = 0;
  lpot_infer_shape_window(infer->node, input->rank, &start, &end);
  ret->count = 0;
  for (int i = start; i < end; i++) {
    bool known = input->dims[i] != LPOT_DIM_UNKNOWN;
    ret->elements[ret->count++] = known ? input->dims[i] : LPOT_INT_UNKNOWN;
  }
}

static void follow_same(const lpot_infer *infer, lpot_partial_ints *ret) {
  lpot_infer_get_ints(infer, 0, ret);
}

static void follow_concat(const lpot_infer *infer, lpot_partial_ints *ret) {
  int total = 0;
  for (int i = 0; i < infer->node->num_inputs; i++) {
    lpot_partial_ints part;
    lpot_infer_get_ints(infer, i, &part);
    if (part.count < 0 || total + part.count > LPOT_MAX_PARTIAL_INTS) {
      return;
    }
    for (int k = 0; k < part.count; k++) {
      ret->elements[total++] = part.elements[k];
    }
  }
  ret->count = total;
}

static void follow_gather(const lpot_infer *infer, lpot_partial_ints *ret) {
  lpot_partial_ints data;
  lpot_partial_ints indices;
  lpot_infer_get_ints(infer, 0, &data);
  lpot_infer_get_ints(infer, 1, &indices);
  if (data.count < 0 || indices.count < 0) {
    return;
  }
  for (int i = 0; i < indices.count; i++) {
    int64_t at = indices.elements[i];
    at = at < 0 && at != LPOT_INT_UNKNOWN ? at + data.count : at;
    if (at < 0 || at >= data.count) {
      return;
    }
    ret->elements[i] = data.elements[at];
  }
  ret->count = indices.count;
}

static void follow_slice(const lpot_infer *infer, lpot_partial_ints *ret) {
  lpot_partial_ints data;
  lpot_partial_ints bounds[2];
  lpot_partial_ints steps = {.count = 1, .elements = {1}};
  lpot_infer_get_ints(infer, 0, &data);
  lpot_infer_get_ints(infer, 1, &bounds[0]);
  lpot_infer_get_ints(infer, 2, &bounds[1]);
  if (lpot_infer_input(infer, 4) != NULL) {
    lpot_infer_get_ints(infer, 4, &steps);
  }
  if (data.count < 0 || bounds[0].count != 1 || bounds[1].count != 1 || steps.count != 1) {
    return;
  }
  int64_t start = bounds[0].elements[0];
  int64_t end = bounds[1].elements[0];
  int64_t step = steps.elements[0];
  if (start == LPOT_INT_UNKNOWN || end == LPOT_INT_UNKNOWN || step == LPOT_INT_UNKNOWN) {
    return;
  }
  lpot_slice_range range = lpot_infer_slice_range(data.count, start, end, step);
  for (int64_t i = 0; i < range.count; i++) {
    ret->elements[i] = data.elements[range.first + i * range.step];
  }
  ret->count = (int)range.count;
}

/* The number of elements, when it is known. */
static void follow_size(const lpot_infer *infer, lpot_partial_ints *ret) {
  const lpot_shape *input = &lpot_infer_input(infer, 0)->shape;
  ret->count = 1;
  ret->elements[0] = lpot_shape_is_known(input) ? lpot_shape_elements(input) : LPOT_INT_UNKNOWN;
}

/* a op b of shape arithmetic; not known when an operand is not or the result would overflow. */
static int64_t combine(lpot_op op, int64_t a, int64_t b) {
  int64_t result = LPOT_INT_UNKNOWN;
  bool overflow = false;
  if (a == LPOT_INT_UNKNOWN || b == LPOT_INT_UNKNOWN) {
    return LPOT_INT_UNKNOWN;
  }
  switch (op) {
  case LPOT_OP_ADD:
    overflow = __builtin_add_overflow(a, b, &result);
    break;
  case LPOT_OP_SUB:
    overflow = __builtin_sub_overflow(a, b, &result);
    break;
  case LPOT_OP_MUL:
    overflow = __builtin_mul_overflow(a, b, &result);
    break;
  case LPOT_OP_DIV:
    result = b == 0 || b == -1 ? LPOT_INT_UNKNOWN : a / b;
    break;
  case LPOT_OP_MAX:
    result = a > b ? a : b;
    break;
  case LPOT_OP_MIN:
    result = a < b ? a : b;
    break;
  case LPOT_OP_EQUAL:
    result = a == b;
    break;
  case LPOT_OP_GREATER:
    result = a > b;
    break;
  case LPOT_OP_LESS:
    result = a < b;
    break;
  default:
    break;
  }
  return overflow ? LPOT_INT_UNKNOWN : result;
}

static void follow_binary(const lpot_infer *infer, lpot_partial_ints *ret) {
  lpot_partial_ints a;
  lpot_partial_ints b;
  lpot_infer_get_ints(infer, 0, &a);
  lpot_infer_get_ints(infer, 1, &b);
  if (infer->node->num_inputs != 2 || a.count < 1 || b.count < 1 ||
      (a.count != b.count && a.count != 1 && b.count != 1)) {
    return;
  }
  ret->count = a.count > b.count ? a.count : b.count;
  for (int i = 0; i < ret->count; i++) {
    ret->elements[i] = combine(infer->node->op, a.elements[a.count == 1 ? 0 : i],
                               b.elements[b.count == 1 ? 0 : i]);
  }
}

/* Where, as exporters replace the -1 of an expanded shape. */
static void follow_where(const lpot_infer *infer, lpot_partial_ints *ret) {
  lpot_partial_ints operands[3];
  int count = 1;
  for (int i = 0; i < 3; i++) {
    lpot_infer_get_ints(infer, i, &operands[i]);
    if (operands[i].count < 1) {
      return;
    }
    count = operands[i].count > count ? operands[i].count : count;
  }
  for (int i = 0; i < count; i++) {
    int64_t at[3];
    for (int k = 0; k < 3; k++) {
      if (operands[k].count != 1 && operands[k].count != count) {
        return;
      }
      at[k] = operands[k].elements[operands[k].count == 1 ? 0 : i];
    }
    int64_t either = at[1] == at[2] ? at[1] : LPOT_INT_UNKNOWN;
    ret->elements[i] = at[0] == LPOT_INT_UNKNOWN ? either : at[at[0] != 0 ? 1 : 2];
  }
  ret->count = count;
}

/* The product of all elements; the result must have one. */
static void follow_product(const lpot_infer *infer, lpot_partial_ints *ret) {
  lpot_partial_ints data;
  lpot_infer_get_ints(infer, 0, &data);
  if (data.count < 0) {
    return;
  }
  ret->count = 1;
  ret->elements[0] = 1;
  for (int i = 0; i < data.count; i++) {
    ret->elements[0] = combine(LPOT_OP_MUL, ret->elements[0], data.elements[i]);
  }
}

typedef void (*follower)(const lpot_infer *infer, lpot_partial_ints *ret);

static const follower followers[LPOT_NUM_OPS] = {
    [LPOT_OP_ADD] = follow_binary,     [LPOT_OP_CAST] = follow_same,
    [LPOT_OP_CAST_LIKE] = follow_same, [LPOT_OP_CONCAT] = follow_concat,
    [LPOT_OP_DIV] = follow_binary,     [LPOT_OP_EQUAL] = follow_binary,
    [LPOT_OP_GATHER] = follow_gather,  [LPOT_OP_GREATER] = follow_binary,
    [LPOT_OP_IDENTITY] = follow_same,  [LPOT_OP_LESS] = follow_binary,
    [LPOT_OP_MAX] = follow_binary,     [LPOT_OP_MIN] = follow_binary,
    [LPOT_OP_MUL] = follow_binary,     [LPOT_OP_REDUCE_PROD] = follow_product,
    [LPOT_OP_RESHAPE] = follow_same,   [LPOT_OP_SHAPE] = follow_shape,
    [LPOT_OP_SIZE] = follow_size,      [LPOT_OP_SLICE] = follow_slice,
    [LPOT_OP_SQUEEZE] = follow_same,   [LPOT_OP_SUB] = follow_binary,
    [LPOT_OP_UNSQUEEZE] = follow_same, [LPOT_OP_WHERE] = follow_where,
};

lpot_status lpot_infer_partial(lpot_infer *infer, lpot_error *err) {
  const lpot_node *node = infer->node;
  if (followers[node->op] == NULL || node->outputs[0] == LPOT_NONE) {
    return LPOT_OK;
  }
  const lpot_value *output = lpot_graph_value(infer->graph, node->outputs[0]);
  bool is_vector = output->shape.rank == 0 || output->shape.rank == 1;
  if (!is_followed(output->dtype) || !is_vector) {
    return LPOT_OK;
  }
  lpot_partial_ints ints = {.count = -1};
  followers[node->op](infer, &ints);
  int64_t expected = output->shape.rank == 0 ? 1 : output->shape.dims[0];
  if (ints.count < 0 || ints.count != expected) {
    return LPOT_OK;
  }
  lpot_partial_ints *kept = lpot_arena_alloc(infer->arena, 1, sizeof *kept);
  if (kept == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *kept = ints;
  for (int i = 0; i < kept->count && output->dtype == LPOT_BOOL; i++) {
    bool known = kept->elements[i] != LPOT_INT_UNKNOWN;
    kept->elements[i] = known ? kept->elements[i] != 0 : LPOT_INT_UNKNOWN;
  }
  infer->partial[output->id] = kept;
  return LPOT_OK;
}
