/* Private to the graph floor: the rules of inference, one function per operator.
 *
 * A rule reads the types and shapes of the node's inputs and sets those of its outputs. Its errors
 * do not name the node: the driver puts "node 'conv1': " before them. Shapes of inputs are valid:
 * rank at most 8, each dimension unknown or 0 to LPOT_MAX_DIM. */
#ifndef LPOT_GRAPH_INFER_RULES_H
#define LPOT_GRAPH_INFER_RULES_H

#include "graph/graph.h"
#include "graph/graph_storage.h"
#include "graph/window.h"

#define LPOT_MAX_PARTIAL_INTS 16
#define LPOT_INT_UNKNOWN INT64_MIN

/* What is known of a scalar or vector of integers, as the shapes that exporters compute from that
 * of the input. */
typedef struct lpot_partial_ints {
  int count;                               /* -1: nothing is known */
  int64_t elements[LPOT_MAX_PARTIAL_INTS]; /* [count]; LPOT_INT_UNKNOWN where not known */
} lpot_partial_ints;

typedef struct lpot_infer {
  lpot_graph *graph;
  const lpot_node *node;
  lpot_arena *arena;           /* for partial */
  lpot_partial_ints **partial; /* [num_values]; NULL where nothing is known */
} lpot_infer;

typedef lpot_status (*lpot_infer_rule)(lpot_infer *infer, lpot_error *err);

/* Integers that a node takes as an input or as an attribute. */
typedef enum lpot_int_list_state {
  LPOT_INTS_ABSENT,
  LPOT_INTS_CONSTANT,
  LPOT_INTS_COMPUTED /* an input that is not constant */
} lpot_int_list_state;

typedef struct lpot_int_list {
  lpot_int_list_state state;
  size_t count;              /* 0 unless CONSTANT */
  const lpot_tensor *tensor; /* the one or the other, borrowed */
  const int64_t *values;
} lpot_int_list;

/* ---- reading inputs ---- */

/* NULL when left out. */
const lpot_value *lpot_infer_input(const lpot_infer *infer, int index);
/* NULL when left out or not constant. */
const lpot_tensor *lpot_infer_constant_input(const lpot_infer *infer, int index);
/* input_index may be -1 (attribute only), attribute may be NULL (input only). LPOT_FORMAT when a
 * constant is no vector or scalar of integers or an attribute is of another kind. */
LPOT_MUST_CHECK lpot_status lpot_int_list_read(const lpot_graph *graph, const lpot_node *node,
                                               int input_index, const char *attribute,
                                               lpot_int_list *ret_list, lpot_error *err);
int64_t lpot_int_list_at(const lpot_int_list *list, size_t index);
/* Puts axis in 0 .. rank - 1; LPOT_FORMAT when it is not in -rank .. rank - 1. */
LPOT_MUST_CHECK lpot_status lpot_infer_axis(int64_t axis, int rank, int *ret_axis, lpot_error *err);
/* Marks the axes of a constant list in a set; duplicates are LPOT_FORMAT. */
LPOT_MUST_CHECK lpot_status lpot_infer_axes(const lpot_int_list *list, int rank,
                                            bool is_axis[LPOT_MAX_RANK], lpot_error *err);
/* LPOT_FORMAT unless rank is unknown or what is expected. */
LPOT_MUST_CHECK lpot_status lpot_infer_check_rank(const char *what, const lpot_shape *shape,
                                                  int rank, lpot_error *err);
/* LPOT_FORMAT when both types are known and differ. */
LPOT_MUST_CHECK lpot_status lpot_infer_same_dtype(const lpot_infer *infer, int first, int second,
                                                  lpot_error *err);

/* ---- dimensions; results are checked against LPOT_MAX_DIM ---- */

LPOT_MUST_CHECK lpot_status lpot_dim_add(int64_t a, int64_t b, int64_t *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_dim_mul(int64_t a, int64_t b, int64_t *ret, lpot_error *err);
/* The one that is known; LPOT_FORMAT when both are and differ. */
LPOT_MUST_CHECK lpot_status lpot_dim_merge(int64_t a, int64_t b, int64_t *ret, lpot_error *err);
/* A shape of rank with all dimensions unknown; LPOT_UNSUPPORTED beyond LPOT_MAX_RANK. */
LPOT_MUST_CHECK lpot_status lpot_infer_shape_of_rank(int64_t rank, lpot_shape *ret,
                                                     lpot_error *err);
/* Broadcasting that also takes shapes of unknown rank. */
LPOT_MUST_CHECK lpot_status lpot_infer_broadcast(const lpot_shape *a, const lpot_shape *b,
                                                 lpot_shape *ret, lpot_error *err);

/* ---- writing outputs ---- */

/* Ignored when the node leaves the output out. LPOT_FORMAT when shape is out of range. */
LPOT_MUST_CHECK lpot_status lpot_infer_output(const lpot_infer *infer, int index, lpot_dtype dtype,
                                              const lpot_shape *shape, lpot_error *err);

/* ---- shared by several rules ---- */

/* As lpot_window_resolve, errors without the node's name. */
LPOT_MUST_CHECK lpot_status lpot_window_compute(const lpot_node *node,
                                                const lpot_shape *input_shape,
                                                const lpot_shape *weight_shape, lpot_window *ret,
                                                lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_infer_conv_shape(const lpot_infer *infer, const lpot_shape *input,
                                                  const lpot_shape *weights, lpot_shape *ret,
                                                  lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_infer_pool_shape(const lpot_infer *infer, const lpot_shape *input,
                                                  lpot_shape *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_infer_global_pool_shape(const lpot_shape *input, lpot_shape *ret,
                                                         lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_infer_matmul_shape(const lpot_shape *a, const lpot_shape *b,
                                                    lpot_shape *ret, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_infer_gemm_shape(const lpot_infer *infer, const lpot_shape *a,
                                                  const lpot_shape *b, lpot_shape *ret,
                                                  lpot_error *err);
/* shapes[i] of inputs first, first + step, ... */
LPOT_MUST_CHECK lpot_status lpot_infer_concat_shape(const lpot_infer *infer, int first, int step,
                                                    lpot_shape *ret, lpot_error *err);

/* Which dimensions a Shape node shows: those from *ret_start to before *ret_end. */
void lpot_infer_shape_window(const lpot_node *node, int rank, int *ret_start, int *ret_end);
/* The tensor that a Constant node holds, in whichever attribute. */
LPOT_MUST_CHECK lpot_status lpot_infer_constant_value(const lpot_node *node,
                                                      lpot_tensor **ret_tensor, lpot_error *err);

/* What start, end and step of a Slice select of size elements. */
typedef struct lpot_slice_range {
  int64_t first;
  int64_t count;
  int64_t step;
} lpot_slice_range;

lpot_slice_range lpot_infer_slice_range(int64_t size, int64_t start, int64_t end, int64_t step);

/* Whether the shape of op's results depends on the elements of its inputs, so that it is known only
 * when these are constant. */
bool lpot_infer_depends_on_data(lpot_op op);

/* What is known of the integers of an input, by its constant or by following the nodes before. */
void lpot_infer_get_ints(const lpot_infer *infer, int index, lpot_partial_ints *ret);
/* Follows the integers of shape computations through the node; called after its rule. */
LPOT_MUST_CHECK lpot_status lpot_infer_partial(lpot_infer *infer, lpot_error *err);

/* ---- the rules ---- */

#define LPOT_INFER_RULE(name)                                                                      \
  LPOT_MUST_CHECK lpot_status lpot_infer_##name(lpot_infer *infer, lpot_error *err)
/* infer_elementwise.c */
LPOT_INFER_RULE(same);
LPOT_INFER_RULE(binary);
LPOT_INFER_RULE(cast);
LPOT_INFER_RULE(cast_like);
LPOT_INFER_RULE(clip);
LPOT_INFER_RULE(batch_normalization);
LPOT_INFER_RULE(dropout);
LPOT_INFER_RULE(mod);
LPOT_INFER_RULE(softmax);
LPOT_INFER_RULE(variadic);
/* infer_activation.c */
LPOT_INFER_RULE(bias_gelu);
LPOT_INFER_RULE(gelu);
LPOT_INFER_RULE(prelu);
/* infer_logic.c */
LPOT_INFER_RULE(bit_shift);
LPOT_INFER_RULE(compare);
LPOT_INFER_RULE(logical);
LPOT_INFER_RULE(logical_not);
LPOT_INFER_RULE(test_number);
LPOT_INFER_RULE(where);
/* infer_layout.c */
LPOT_INFER_RULE(constant_of_shape);
LPOT_INFER_RULE(expand);
LPOT_INFER_RULE(flatten);
LPOT_INFER_RULE(reshape);
LPOT_INFER_RULE(shape);
LPOT_INFER_RULE(size);
LPOT_INFER_RULE(squeeze);
LPOT_INFER_RULE(transpose);
LPOT_INFER_RULE(unsqueeze);
/* infer_blocks.c */
LPOT_INFER_RULE(depth_to_space);
LPOT_INFER_RULE(space_to_depth);
/* infer_slice.c */
LPOT_INFER_RULE(concat);
LPOT_INFER_RULE(gather);
LPOT_INFER_RULE(pad);
LPOT_INFER_RULE(slice);
LPOT_INFER_RULE(split);
/* infer_math.c */
LPOT_INFER_RULE(conv);
LPOT_INFER_RULE(gemm);
LPOT_INFER_RULE(global_pool);
LPOT_INFER_RULE(matmul);
LPOT_INFER_RULE(pool);
/* infer_einsum.c */
LPOT_INFER_RULE(einsum);
/* infer_reduce.c */
LPOT_INFER_RULE(arg_reduce);
LPOT_INFER_RULE(reduce);
LPOT_INFER_RULE(top_k);
/* infer_index.c */
LPOT_INFER_RULE(gather_elements);
LPOT_INFER_RULE(gather_nd);
LPOT_INFER_RULE(reverse_sequence);
LPOT_INFER_RULE(scatter_elements);
LPOT_INFER_RULE(scatter_nd);
/* infer_generate.c */
LPOT_INFER_RULE(cum_sum);
LPOT_INFER_RULE(eye_like);
LPOT_INFER_RULE(one_hot);
LPOT_INFER_RULE(range);
LPOT_INFER_RULE(tile);
LPOT_INFER_RULE(trilu);
/* infer_data_dependent.c */
LPOT_INFER_RULE(compress);
LPOT_INFER_RULE(non_max_suppression);
LPOT_INFER_RULE(non_zero);
LPOT_INFER_RULE(unique);
/* infer_resize.c */
LPOT_INFER_RULE(resize);
/* infer_normalization.c */
LPOT_INFER_RULE(group_normalization);
LPOT_INFER_RULE(instance_normalization);
LPOT_INFER_RULE(layer_normalization);
LPOT_INFER_RULE(lrn);
LPOT_INFER_RULE(mean_variance);
/* infer_recurrent.c */
LPOT_INFER_RULE(lstm);
/* infer_quantized.c */
LPOT_INFER_RULE(quantize_linear);
LPOT_INFER_RULE(dequantize_linear);
LPOT_INFER_RULE(conv_integer);
LPOT_INFER_RULE(dynamic_quantize_linear);
LPOT_INFER_RULE(dynamic_quantize_matmul);
LPOT_INFER_RULE(matmul_integer);
LPOT_INFER_RULE(matmul_integer_to_float);
LPOT_INFER_RULE(qgemm);
LPOT_INFER_RULE(qlinear_average_pool);
LPOT_INFER_RULE(qlinear_binary);
LPOT_INFER_RULE(qlinear_concat);
LPOT_INFER_RULE(qlinear_conv);
LPOT_INFER_RULE(qlinear_global_average_pool);
LPOT_INFER_RULE(qlinear_matmul);
LPOT_INFER_RULE(qlinear_softmax);
LPOT_INFER_RULE(qlinear_unary);
/* infer_fused.c */
LPOT_INFER_RULE(attention);
LPOT_INFER_RULE(embed_layer_normalization);
LPOT_INFER_RULE(fused_conv);
LPOT_INFER_RULE(fused_gemm);
LPOT_INFER_RULE(fused_matmul);
LPOT_INFER_RULE(simplified_layer_normalization);
LPOT_INFER_RULE(skip_layer_normalization);
#undef LPOT_INFER_RULE

#endif
