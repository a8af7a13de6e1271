/* The oneDNN engine's plan and its compiler. Internal to engine/onednn.
 *
 * A graph value lives in one or more slots: the same tensor in another memory layout, or
 * dequantized. Slots are made when somebody asks for them (lpot_need), which adds the conversion
 * as a step. The graph is lowered (lower.h), fusions (fusion.h) are found; nodes are then emitted
 * in topological order, a fusion at its last node. At the end the slots get their place in one
 * arena.
 *
 *   onednn_engine.c   compile and run
 *   lower*.c          operators that stand for several become those several
 *   fusion*.c         which nodes run as one primitive
 *   slots.c           slots and conversions
 *   emit_*.c          one step per node or fusion
 *   loops*.c          our own loops: quantize, dequantize, layout changes, concat, averages, sums,
 *                     normalizations
 *   dl_*.c            oneDNN */
#ifndef LPOT_ENGINE_ONEDNN_PLAN_H
#define LPOT_ENGINE_ONEDNN_PLAN_H

#include "engine/engine.h"
#include "engine/onednn/dl.h"
#include "engine/onednn/fusion.h"
#include "graph/graph.h"
#include "tensor/quantize.h"

typedef int32_t lpot_slot_id;

/* How the elements of a slot lie in memory. For fewer than 3 dimensions both are the same. */
typedef enum lpot_layout {
  LPOT_PLAIN,         /* row-major: N, C, spatial */
  LPOT_CHANNELS_LAST, /* N, spatial, C (nhwc) */
  LPOT_NUM_LAYOUTS
} lpot_layout;

typedef enum lpot_slot_home {
  LPOT_HOME_ARENA,
  LPOT_HOME_INPUT,   /* the caller's tensor */
  LPOT_HOME_OUTPUT,  /* the plan's output tensor */
  LPOT_HOME_CONSTANT /* a tensor of the graph, or of the plan */
} lpot_slot_home;

typedef struct lpot_slot {
  lpot_dtype dtype;
  lpot_shape shape; /* logical dimensions, whatever the layout */
  lpot_layout layout;
  lpot_slot_id root;   /* the slot whose memory this one shares; itself if none */
  lpot_slot_home home; /* of a root */
  size_t index;        /* input or output number */
  void *data;          /* of a root, once known */
  size_t size_bytes;
  int first_step, last_step; /* of a root: lifetime; -1 before use */
} lpot_slot;

typedef struct lpot_onednn_plan lpot_onednn_plan;
typedef struct lpot_step lpot_step;
typedef lpot_status (*lpot_step_function)(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err);

struct lpot_step {
  const char *name; /* node name, borrowed from the plan's graph */
  const char *kind; /* static text */
  lpot_step_function run;
  size_t num_inputs, num_outputs;
  lpot_slot_id *slots;          /* [num_inputs + num_outputs] */
  lpot_dl_primitive *primitive; /* owned; NULL for our own kernels */
  void *state;                  /* owned, from lpot_calloc; NULL for none */
  lpot_slot_id accumulator; /* slot that must be in the output before the step runs, or LPOT_NONE */
  bool copy_accumulator;    /* it lies elsewhere: copy it first */
  bool is_reference;        /* runs a reference kernel on a hot operator */
  double seconds, last_seconds; /* of all runs, of the last one */
  uint64_t runs;
};

/* A value to show to the observer after a step has run. */
typedef struct lpot_observation {
  int step; /* -1: before the first step */
  lpot_value_id value;
  lpot_slot_id slot;
} lpot_observation;

struct lpot_onednn_plan {
  lpot_dl *dl;       /* borrowed from the engine */
  lpot_graph *graph; /* clone, owned */
  lpot_plan_options options;
  lpot_slot *slots;
  size_t num_slots, slot_capacity;
  lpot_step *steps;
  size_t num_steps, step_capacity;
  lpot_tensor **tensors; /* constants made at compile time, owned references */
  size_t num_tensors, tensor_capacity;
  lpot_observation *observations; /* in order of steps; room for every value */
  size_t num_observations;
  lpot_tensor **outputs; /* [num_outputs] */
  size_t num_outputs;
  lpot_slot_id *input_slots; /* [num inputs of the graph] */
  void *arena;
  size_t arena_bytes, activation_bytes, weight_bytes;
};

/* Where the values are, while compiling. */
typedef struct lpot_compiler {
  lpot_onednn_plan *plan;
  const lpot_graph *graph;
  lpot_slot_id (*where)[LPOT_NUM_LAYOUTS]; /* [num_values]; LPOT_NONE where not (yet) there */
  lpot_fusions *fusions;
} lpot_compiler;

/* ---- slots.c ---- */
void *lpot_slot_data(const lpot_onednn_plan *plan, lpot_slot_id slot);
LPOT_MUST_CHECK lpot_status lpot_slot_new(lpot_onednn_plan *plan, lpot_dtype dtype,
                                          const lpot_shape *shape, lpot_layout layout,
                                          lpot_slot_id *ret_slot, lpot_error *err);
/* Another view of the same bytes. */
LPOT_MUST_CHECK lpot_status lpot_slot_alias(lpot_onednn_plan *plan, lpot_slot_id slot,
                                            const lpot_shape *shape, lpot_layout layout,
                                            lpot_slot_id *ret_slot, lpot_error *err);
/* References tensor for the plan's life. */
LPOT_MUST_CHECK lpot_status lpot_plan_keep_tensor(lpot_onednn_plan *plan, lpot_tensor *tensor,
                                                  lpot_error *err);
/* A slot over a constant; tensor is referenced by the plan. */
LPOT_MUST_CHECK lpot_status lpot_slot_constant(lpot_onednn_plan *plan, lpot_tensor *tensor,
                                               lpot_slot_id *ret_slot, lpot_error *err);
/* Makes a slot for a value that a step is about to write and notes it. */
LPOT_MUST_CHECK lpot_status lpot_define(lpot_compiler *compiler, lpot_value_id value,
                                        lpot_layout layout, lpot_slot_id *ret_slot,
                                        lpot_error *err);
/* The slot of value in layout; adds conversion steps where needed. */
LPOT_MUST_CHECK lpot_status lpot_need(lpot_compiler *compiler, lpot_value_id value,
                                      lpot_layout layout, lpot_slot_id *ret_slot, lpot_error *err);
/* The layout in which value can be had without a conversion (channels last when both). */
lpot_layout lpot_layout_of(const lpot_compiler *compiler, lpot_value_id value);
/* True when both layouts order the elements alike. */
bool lpot_layouts_agree(const lpot_shape *shape);
/* Elements of a row, and number of rows, when the dimensions from axis on form a row in layout. */
void lpot_layout_rows(const lpot_shape *shape, lpot_layout layout, int axis, int64_t *ret_rows,
                      int64_t *ret_row);
/* Strides of slot in elements, by logical dimension. */
void lpot_slot_desc(const lpot_slot *slot, lpot_dl_desc *ret_desc);
LPOT_MUST_CHECK lpot_status lpot_step_add(lpot_onednn_plan *plan, const char *name,
                                          const char *kind, lpot_step_function run,
                                          const lpot_slot_id *inputs, size_t num_inputs,
                                          const lpot_slot_id *outputs, size_t num_outputs,
                                          lpot_step **ret_step, lpot_error *err);
/* The same with a state of its own (of lpot_calloc, without parts of its own), which is moved, also
 * on failure. */
LPOT_MUST_CHECK lpot_status lpot_step_add_state(lpot_onednn_plan *plan, const char *name,
                                                const char *kind, lpot_step_function run,
                                                const lpot_slot_id *inputs, size_t num_inputs,
                                                const lpot_slot_id *outputs, size_t num_outputs,
                                                void *state, lpot_error *err);
/* Runs step->primitive on its first one or two inputs. */
lpot_status lpot_run_primitive(lpot_onednn_plan *plan, lpot_step *step, lpot_error *err);
/* Constant f32 (or other) tensor of a value that is a constant or DequantizeLinear or Cast of such;
 * the latter is computed and kept by the plan. NULL when the value is not constant. */
LPOT_MUST_CHECK lpot_status lpot_constant_of(lpot_compiler *compiler, lpot_value_id value,
                                             lpot_tensor **ret_tensor, lpot_error *err);

/* ---- emit_*.c: each adds the steps of a node or fusion ---- */
typedef lpot_status (*lpot_emit_function)(lpot_compiler *compiler, const lpot_node *node,
                                          lpot_error *err);

LPOT_MUST_CHECK lpot_status lpot_emit_convolution(lpot_compiler *compiler,
                                                  const lpot_fusion *fusion, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_matmul(lpot_compiler *compiler, const lpot_fusion *fusion,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_int8_binary(lpot_compiler *compiler,
                                                  const lpot_fusion *fusion, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_average(lpot_compiler *compiler, const lpot_fusion *fusion,
                                              lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_concat(lpot_compiler *compiler, const lpot_fusion *fusion,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_affine(lpot_compiler *compiler, const lpot_fusion *fusion,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_lookup(lpot_compiler *compiler, const lpot_fusion *fusion,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_softmax_fusion(lpot_compiler *compiler,
                                                     const lpot_fusion *fusion, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_shuffle(lpot_compiler *compiler, const lpot_fusion *fusion,
                                              lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_conv_integer(lpot_compiler *compiler, const lpot_node *node,
                                                   lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_integer_fusion(lpot_compiler *compiler,
                                                     const lpot_fusion *fusion, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_matmul_integer(lpot_compiler *compiler, const lpot_node *node,
                                                     lpot_error *err);
/* Casts from int32 to float32. */
LPOT_MUST_CHECK lpot_status lpot_emit_cast(lpot_compiler *compiler, const lpot_node *node,
                                           lpot_error *err);
/* emit_bf16.c */
LPOT_MUST_CHECK lpot_status lpot_emit_bf16_cast(lpot_compiler *compiler, const lpot_node *node,
                                                lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_bf16_sum(lpot_compiler *compiler, const lpot_fusion *fusion,
                                               lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_dynamic_quantize(lpot_compiler *compiler,
                                                       const lpot_node *node, lpot_error *err);
/* Concat of values of any one type. */
LPOT_MUST_CHECK lpot_status lpot_emit_plain_concat(lpot_compiler *compiler, const lpot_node *node,
                                                   lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_node(lpot_compiler *compiler, const lpot_node *node,
                                           lpot_error *err);
/* Nodes that move elements: value `from` (of any type) becomes `to` by node's rule. */
LPOT_MUST_CHECK lpot_status lpot_emit_movement(lpot_compiler *compiler, const lpot_node *node,
                                               lpot_value_id from, lpot_value_id to,
                                               lpot_error *err);
/* The same for a Slice or Gather that takes one range of one axis; *ret_done tells whether. */
LPOT_MUST_CHECK lpot_status lpot_emit_part(lpot_compiler *compiler, const lpot_node *node,
                                           lpot_value_id from, lpot_value_id to, bool *ret_done,
                                           lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_max_pool(lpot_compiler *compiler, const lpot_node *node,
                                               lpot_value_id from, lpot_value_id to,
                                               lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_layer_normalization(lpot_compiler *compiler,
                                                          const lpot_node *node, lpot_error *err);
/* GroupNormalization and InstanceNormalization. */
LPOT_MUST_CHECK lpot_status lpot_emit_group_normalization(lpot_compiler *compiler,
                                                          const lpot_node *node, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_lrn(lpot_compiler *compiler, const lpot_node *node,
                                          lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_binary(lpot_compiler *compiler, const lpot_node *node,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_unary(lpot_compiler *compiler, const lpot_node *node,
                                            lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_clip(lpot_compiler *compiler, const lpot_node *node,
                                           lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_bias_gelu(lpot_compiler *compiler, const lpot_node *node,
                                                lpot_error *err);
/* emit_loop.c: f32 nodes by our own loops. */
LPOT_MUST_CHECK lpot_status lpot_emit_unary_loop(lpot_compiler *compiler, const lpot_node *node,
                                                 lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_is_nan(lpot_compiler *compiler, const lpot_node *node,
                                             lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_power(lpot_compiler *compiler, const lpot_node *node,
                                            lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_prelu(lpot_compiler *compiler, const lpot_node *node,
                                            lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_emit_where(lpot_compiler *compiler, const lpot_node *node,
                                            lpot_error *err);
/* LPOT_UNSUPPORTED where the reduced axes do not lie side by side in memory. */
LPOT_MUST_CHECK lpot_status lpot_emit_reduce(lpot_compiler *compiler, const lpot_node *node,
                                             lpot_error *err);
/* Runs the reference kernel on row-major tensors; inputs and outputs are values in place of the
 * node's own. */
LPOT_MUST_CHECK lpot_status lpot_emit_reference(lpot_compiler *compiler, const lpot_node *node,
                                                const lpot_value_id *inputs,
                                                const lpot_value_id *outputs, bool is_hot,
                                                lpot_error *err);

#endif
