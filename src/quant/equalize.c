#include "quant/equalize.h"

#include <math.h>

#include "base/arena.h"

#define MAX_SWEEPS 10 /* over all pairs: a layer between two others is part of two */

/* A Conv or Gemm whose constants nobody else reads. Element e of its weight is of output channel
 * e / (group_ins * kernel), or e % outs where the weight begins with the inputs. */
typedef struct layer {
  bool usable;
  bool inputs_first;             /* Gemm's weight is [ins, outs]; kernel and groups are then 1 */
  int64_t outs, ins;             /* channels */
  int64_t group_outs, group_ins; /* of one group */
  int64_t kernel;
  int64_t count; /* elements of the weight */
  float *weight; /* [count], the clone's; NULL until the layer is of a pair */
  float *bias;   /* [outs], the clone's; NULL without one */
} layer;

typedef struct pair {
  layer *first;
  layer **readers; /* [num_readers]; arena */
  size_t num_readers;
  int *exponents; /* [first->outs] of the scales so far; arena */
} pair;

typedef struct equalizer {
  const lpot_quant_ops *ops;
  lpot_graph *graph; /* the clone */
  lpot_arena *arena; /* owned */
  layer *layers;     /* [ops]; arena */
  layer **layer_of;  /* [nodes]: of an anchor, else NULL; arena */
  pair *pairs;       /* [ops]; arena */
  size_t num_pairs;
  float *ranges[2]; /* [most output channels] of first and readers; arena */
  int *steps;       /* [most output channels] exponents of this step; arena */
} equalizer;

/* ---- layers ---- */

/* Nobody else reads it. */
static lpot_status is_private(const lpot_graph *graph, lpot_value_id constant, bool *ret,
                              lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  LPOT_TRY(lpot_graph_consumers(graph, constant, &readers, &count, err));
  *ret = count == 1 && !lpot_graph_is_output(graph, constant);
  return LPOT_OK;
}

static void describe(const lpot_node *node, const lpot_shape *shape, layer *out) {
  out->inputs_first = node->op == LPOT_OP_GEMM && lpot_node_int(node, "transB", 0) == 0;
  int64_t groups = node->op == LPOT_OP_CONV ? lpot_node_int(node, "group", 1) : 1;
  out->outs = shape->dims[out->inputs_first ? 1 : 0];
  out->group_ins = shape->dims[out->inputs_first ? 0 : 1];
  out->group_outs = out->outs / groups;
  out->ins = out->group_ins * groups;
  out->count = lpot_shape_elements(shape);
  out->kernel = out->count == 0 ? 1 : out->count / (out->outs * out->group_ins);
}

static lpot_status add_layer(equalizer *self, size_t index, lpot_error *err) {
  const lpot_quant_op *op = lpot_quant_ops_get(self->ops, index);
  const lpot_node *node = lpot_graph_node(self->graph, op->anchor);
  if (op->weight == LPOT_NONE || (node->op != LPOT_OP_CONV && node->op != LPOT_OP_GEMM)) {
    return LPOT_OK;
  }
  layer *added = &self->layers[index];
  describe(node, &lpot_graph_value(self->graph, op->weight)->constant->shape, added);
  LPOT_TRY(is_private(self->graph, op->weight, &added->usable, err));
  if (op->bias != LPOT_NONE && added->usable) {
    LPOT_TRY(is_private(self->graph, op->bias, &added->usable, err));
  }
  self->layer_of[op->anchor] = added->usable ? added : NULL;
  return LPOT_OK;
}

/* ---- pairs ---- */

static bool commutes_with_scales(lpot_op op) {
  return op == LPOT_OP_RELU || op == LPOT_OP_MAX_POOL || op == LPOT_OP_AVERAGE_POOL ||
         op == LPOT_OP_GLOBAL_AVERAGE_POOL;
}

/* What reads the output of a layer, behind the nodes that scales pass; count 0 where another node
 * than a layer does, or the caller of the network. */
static lpot_status find_readers(equalizer *self, lpot_value_id value, const lpot_node_id **ret,
                                size_t *ret_count, lpot_error *err) {
  while (true) {
    *ret_count = 0;
    if (lpot_graph_is_output(self->graph, value)) {
      return LPOT_OK;
    }
    LPOT_TRY(lpot_graph_consumers(self->graph, value, ret, ret_count, err));
    const lpot_node *node = *ret_count == 1 ? lpot_graph_node(self->graph, (*ret)[0]) : NULL;
    if (node == NULL || !commutes_with_scales(node->op)) {
      return LPOT_OK;
    }
    value = node->outputs[0];
  }
}

static lpot_status add_pair(equalizer *self, layer *first, lpot_node_id anchor, lpot_error *err) {
  const lpot_node_id *readers = NULL;
  size_t count = 0;
  LPOT_TRY(
      find_readers(self, lpot_graph_node(self->graph, anchor)->outputs[0], &readers, &count, err));
  pair *added = &self->pairs[self->num_pairs];
  added->first = first;
  added->num_readers = count;
  added->readers = lpot_arena_alloc(self->arena, count + 1, sizeof *added->readers);
  added->exponents = lpot_arena_alloc(self->arena, (size_t)first->outs + 1, sizeof(int));
  if (added->readers == NULL || added->exponents == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  for (size_t i = 0; i < count; i++) {
    added->readers[i] = self->layer_of[readers[i]];
    if (added->readers[i] == NULL || added->readers[i]->ins != first->outs) {
      return LPOT_OK;
    }
  }
  self->num_pairs += count > 0 ? 1 : 0;
  return LPOT_OK;
}

/* ---- constants of their own ---- */

static lpot_status copy_constant(lpot_graph *graph, lpot_value_id value, float **ret_data,
                                 lpot_error *err) {
  const lpot_tensor *old = lpot_graph_value(graph, value)->constant;
  lpot_tensor *copy = NULL;
  LPOT_TRY(lpot_tensor_copy_of(LPOT_F32, &old->shape, old->data, &copy, err));
  *ret_data = copy->data;
  LPOT_TRY(lpot_graph_set_constant(graph, value, &copy, err));
  return LPOT_OK;
}

static lpot_status own(equalizer *self, layer *owned, lpot_error *err) {
  const lpot_quant_op *op = lpot_quant_ops_get(self->ops, (size_t)(owned - self->layers));
  if (owned->weight != NULL) {
    return LPOT_OK;
  }
  LPOT_TRY(copy_constant(self->graph, op->weight, &owned->weight, err));
  if (op->bias != LPOT_NONE) {
    LPOT_TRY(copy_constant(self->graph, op->bias, &owned->bias, err));
  }
  return LPOT_OK;
}

static lpot_status own_constants(equalizer *self, lpot_error *err) {
  for (size_t i = 0; i < self->num_pairs; i++) {
    const pair *owner = &self->pairs[i];
    LPOT_TRY(own(self, owner->first, err));
    for (size_t k = 0; k < owner->num_readers; k++) {
      LPOT_TRY(own(self, owner->readers[k], err));
    }
  }
  return LPOT_OK;
}

/* ---- scales ---- */

static int64_t output_of(const layer *of, int64_t element) {
  return of->inputs_first ? element % of->outs : element / (of->group_ins * of->kernel);
}

static int64_t input_of(const layer *of, int64_t element) {
  if (of->inputs_first) {
    return element / of->outs;
  }
  int64_t group = output_of(of, element) / of->group_outs;
  return group * of->group_ins + element / of->kernel % of->group_ins;
}

static void widen(float *range, float value) {
  float magnitude = isfinite(value) ? fabsf(value) : INFINITY;
  *range = magnitude > *range ? magnitude : *range;
}

/* The power of two next to sqrt(r2 / r1), by its exponent: 0 where they are within a factor of two.
 */
static int wanted_exponent(float r1, float r2) {
  if (!(r1 > 0 && r2 > 0 && isfinite(r1) && isfinite(r2))) {
    return 0;
  }
  int above = 0; /* r2 / r1 is in [2^(above - 1), 2^above) */
  frexp((double)r2 / (double)r1, &above);
  return above >= 0 ? above / 2 : -((1 - above) / 2);
}

static int limited(int exponent) {
  const int most = ilogb(LPOT_EQUALIZE_LIMIT);
  if (exponent > most) {
    return most;
  }
  return exponent < -most ? -most : exponent;
}

static void find_ranges(const equalizer *self, const pair *of) {
  const layer *first = of->first;
  for (int64_t i = 0; i < first->outs; i++) {
    self->ranges[0][i] = 0;
    self->ranges[1][i] = 0;
  }
  for (int64_t i = 0; i < first->count; i++) {
    widen(&self->ranges[0][output_of(first, i)], first->weight[i]);
  }
  for (size_t k = 0; k < of->num_readers; k++) {
    const layer *reader = of->readers[k];
    for (int64_t i = 0; i < reader->count; i++) {
      widen(&self->ranges[1][input_of(reader, i)], reader->weight[i]);
    }
  }
}

/* Multiplies channel c of the pair by 2^steps[c]. */
static void scale(const pair *scaled, const int *steps) {
  const layer *first = scaled->first;
  for (int64_t i = 0; i < first->count; i++) {
    first->weight[i] = ldexpf(first->weight[i], steps[output_of(first, i)]);
  }
  for (int64_t i = 0; i < first->outs && first->bias != NULL; i++) {
    first->bias[i] = ldexpf(first->bias[i], steps[i]);
  }
  for (size_t k = 0; k < scaled->num_readers; k++) {
    const layer *reader = scaled->readers[k];
    for (int64_t i = 0; i < reader->count; i++) {
      reader->weight[i] = ldexpf(reader->weight[i], -steps[input_of(reader, i)]);
    }
  }
}

/* Whether any scale changed. */
static bool equalize_pair(const equalizer *self, pair *at) {
  bool changed = false;
  find_ranges(self, at);
  for (int64_t i = 0; i < at->first->outs; i++) {
    int wanted = wanted_exponent(self->ranges[0][i], self->ranges[1][i]);
    int exponent = limited(at->exponents[i] + wanted);
    self->steps[i] = exponent - at->exponents[i];
    at->exponents[i] = exponent;
    changed = changed || self->steps[i] != 0;
  }
  if (changed) {
    scale(at, self->steps);
  }
  return changed;
}

static void equalize_all(const equalizer *self) {
  bool changed = true;
  for (int sweep = 0; sweep < MAX_SWEEPS && changed; sweep++) {
    changed = false;
    for (size_t i = 0; i < self->num_pairs; i++) {
      changed = equalize_pair(self, &self->pairs[i]) || changed;
    }
  }
}

/* ---- the clone ---- */

static lpot_status allocate(equalizer *self, lpot_error *err) {
  size_t num_ops = lpot_quant_ops_count(self->ops);
  LPOT_TRY(lpot_arena_new(&self->arena, err));
  self->layers = lpot_arena_alloc(self->arena, num_ops + 1, sizeof *self->layers);
  self->pairs = lpot_arena_alloc(self->arena, num_ops + 1, sizeof *self->pairs);
  self->layer_of =
      lpot_arena_alloc(self->arena, lpot_graph_num_nodes(self->graph) + 1, sizeof *self->layer_of);
  if (self->layers == NULL || self->pairs == NULL || self->layer_of == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static lpot_status allocate_scratch(equalizer *self, lpot_error *err) {
  int64_t most = 1;
  for (size_t i = 0; i < self->num_pairs; i++) {
    most = self->pairs[i].first->outs > most ? self->pairs[i].first->outs : most;
  }
  for (int i = 0; i < 2; i++) {
    self->ranges[i] = lpot_arena_alloc(self->arena, (size_t)most, sizeof(float));
  }
  self->steps = lpot_arena_alloc(self->arena, (size_t)most, sizeof *self->steps);
  if (self->ranges[0] == NULL || self->ranges[1] == NULL || self->steps == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return LPOT_OK;
}

static lpot_status equalize(equalizer *self, lpot_error *err) {
  size_t num_ops = lpot_quant_ops_count(self->ops);
  LPOT_TRY(allocate(self, err));
  for (size_t i = 0; i < num_ops; i++) {
    LPOT_TRY(add_layer(self, i, err));
  }
  for (size_t i = 0; i < num_ops; i++) {
    if (self->layers[i].usable) {
      LPOT_TRY(add_pair(self, &self->layers[i], lpot_quant_ops_get(self->ops, i)->anchor, err));
    }
  }
  LPOT_TRY(own_constants(self, err));
  LPOT_TRY(allocate_scratch(self, err));
  equalize_all(self);
  return LPOT_OK;
}

lpot_status lpot_quant_equalize(const lpot_graph *graph, const lpot_quant_ops *ops,
                                lpot_graph **ret_graph, size_t *ret_pairs, lpot_error *err) {
  equalizer self = {.ops = ops};
  LPOT_TRY(lpot_graph_clone(graph, &self.graph, err));
  lpot_status status = equalize(&self, err);
  lpot_arena_free(self.arena);
  if (status != LPOT_OK) {
    lpot_graph_free(self.graph);
    return status;
  }
  *ret_graph = self.graph;
  *ret_pairs = self.num_pairs;
  return LPOT_OK;
}
