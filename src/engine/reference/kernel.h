/* Internal to the reference engine: what its kernels share.
 *
 * A kernel computes one node of one operator. Before it runs, lpot_reference_run has checked that
 * the required inputs are there and that at least one output has elements; a kernel checks every
 * size it relies on, since shapes come from files. Error messages need not name the node:
 * lpot_reference_run prefixes it.
 *
 * Most kernels load their operands as double (exact for every type but 64-bit integers), compute
 * in double and store with one rounding. */
#ifndef LPOT_ENGINE_REFERENCE_KERNEL_H
#define LPOT_ENGINE_REFERENCE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "graph/graph.h"
#include "graph/infer.h"
#include "graph/window.h"
#include "tensor/quantize.h"
#include "tensor/tensor.h"

/* Elements that are converted at a time, in buffers on the stack. */
#define LPOT_KERNEL_CHUNK 256

/* Declares or defines a kernel: the type lpot_node_evaluator. */
#define LPOT_KERNEL(name)                                                                          \
  lpot_status name(const lpot_node *node, const lpot_tensor *const *inputs,                        \
                   lpot_tensor *const *outputs, lpot_error *err)

/* ---- kernels, by file ---- */
LPOT_KERNEL(lpot_kernel_binary);    /* Add Sub Mul Div Mod Pow PRelu */
LPOT_KERNEL(lpot_kernel_unary);     /* Relu Exp ... */
LPOT_KERNEL(lpot_kernel_bias_gelu); /* BiasGelu FastGelu */
LPOT_KERNEL(lpot_kernel_clip);
LPOT_KERNEL(lpot_kernel_cast);    /* Cast CastLike */
LPOT_KERNEL(lpot_kernel_compare); /* Equal Less ... */
LPOT_KERNEL(lpot_kernel_logic);   /* And Or Xor BitwiseAnd ... */
LPOT_KERNEL(lpot_kernel_bit_shift);
LPOT_KERNEL(lpot_kernel_test_number); /* IsInf IsNaN */
LPOT_KERNEL(lpot_kernel_where);
LPOT_KERNEL(lpot_kernel_variadic); /* Max Min */
LPOT_KERNEL(lpot_kernel_mean);
LPOT_KERNEL(lpot_kernel_convolution); /* Conv ConvTranspose */
LPOT_KERNEL(lpot_kernel_qlinear_convolution);
LPOT_KERNEL(lpot_kernel_max_pool);
LPOT_KERNEL(lpot_kernel_average_pool);
LPOT_KERNEL(lpot_kernel_qlinear_average_pool);
LPOT_KERNEL(lpot_kernel_global_max_pool);
LPOT_KERNEL(lpot_kernel_global_average_pool);
LPOT_KERNEL(lpot_kernel_qlinear_global_average_pool);
LPOT_KERNEL(lpot_kernel_lp_pool);
LPOT_KERNEL(lpot_kernel_global_lp_pool);
LPOT_KERNEL(lpot_kernel_matmul);
LPOT_KERNEL(lpot_kernel_gemm);
LPOT_KERNEL(lpot_kernel_einsum);
LPOT_KERNEL(lpot_kernel_qlinear_matmul);
LPOT_KERNEL(lpot_kernel_qgemm);
LPOT_KERNEL(lpot_kernel_matmul_integer_to_float);
LPOT_KERNEL(lpot_kernel_transpose);
LPOT_KERNEL(lpot_kernel_slice);
LPOT_KERNEL(lpot_kernel_expand);
LPOT_KERNEL(lpot_kernel_depth_to_space);
LPOT_KERNEL(lpot_kernel_space_to_depth);
LPOT_KERNEL(lpot_kernel_gather);
LPOT_KERNEL(lpot_kernel_pad);
LPOT_KERNEL(lpot_kernel_copy); /* Reshape Flatten Squeeze Identity ... */
LPOT_KERNEL(lpot_kernel_dropout);
LPOT_KERNEL(lpot_kernel_concat);
LPOT_KERNEL(lpot_kernel_split);
LPOT_KERNEL(lpot_kernel_shape);
LPOT_KERNEL(lpot_kernel_size);
LPOT_KERNEL(lpot_kernel_constant);
LPOT_KERNEL(lpot_kernel_constant_of_shape);
LPOT_KERNEL(lpot_kernel_resize);
LPOT_KERNEL(lpot_kernel_softmax); /* Softmax LogSoftmax */
LPOT_KERNEL(lpot_kernel_batch_normalization);
LPOT_KERNEL(lpot_kernel_lp_normalization);
LPOT_KERNEL(lpot_kernel_reduce);     /* ReduceSum and its kin */
LPOT_KERNEL(lpot_kernel_arg_reduce); /* ArgMax ArgMin */
LPOT_KERNEL(lpot_kernel_top_k);
LPOT_KERNEL(lpot_kernel_hardmax);
LPOT_KERNEL(lpot_kernel_gather_elements);
LPOT_KERNEL(lpot_kernel_gather_nd);
LPOT_KERNEL(lpot_kernel_scatter_elements);
LPOT_KERNEL(lpot_kernel_scatter_nd);
LPOT_KERNEL(lpot_kernel_reverse_sequence);
LPOT_KERNEL(lpot_kernel_cum_sum);
LPOT_KERNEL(lpot_kernel_eye_like);
LPOT_KERNEL(lpot_kernel_one_hot);
LPOT_KERNEL(lpot_kernel_range);
LPOT_KERNEL(lpot_kernel_tile);
LPOT_KERNEL(lpot_kernel_trilu);
LPOT_KERNEL(lpot_kernel_compress);
LPOT_KERNEL(lpot_kernel_non_max_suppression);
LPOT_KERNEL(lpot_kernel_non_zero);
LPOT_KERNEL(lpot_kernel_unique);
LPOT_KERNEL(lpot_kernel_group_normalization);
LPOT_KERNEL(lpot_kernel_instance_normalization);
LPOT_KERNEL(lpot_kernel_layer_normalization);
LPOT_KERNEL(lpot_kernel_mean_variance);
LPOT_KERNEL(lpot_kernel_lrn);
LPOT_KERNEL(lpot_kernel_lstm);
LPOT_KERNEL(lpot_kernel_quantize_linear);
LPOT_KERNEL(lpot_kernel_dequantize_linear);
LPOT_KERNEL(lpot_kernel_qlinear_binary); /* QLinearAdd QLinearMul */
LPOT_KERNEL(lpot_kernel_qlinear_concat);
LPOT_KERNEL(lpot_kernel_qlinear_unary); /* QLinearLeakyRelu QLinearSigmoid */
LPOT_KERNEL(lpot_kernel_qlinear_softmax);
LPOT_KERNEL(lpot_kernel_dynamic_quantize_linear);
LPOT_KERNEL(lpot_kernel_conv_integer);
LPOT_KERNEL(lpot_kernel_matmul_integer);
LPOT_KERNEL(lpot_kernel_dynamic_quantize_matmul);
LPOT_KERNEL(lpot_kernel_fused_conv);
LPOT_KERNEL(lpot_kernel_fused_gemm);
LPOT_KERNEL(lpot_kernel_fused_matmul);
LPOT_KERNEL(lpot_kernel_simplified_layer_normalization);
LPOT_KERNEL(lpot_kernel_skip_layer_normalization); /* and its simplified form */
LPOT_KERNEL(lpot_kernel_embed_layer_normalization);
LPOT_KERNEL(lpot_kernel_attention);

/* ---- elements as numbers (kernel_values.c) ---- */
/* out[i] = element start + i * step, for count elements; any type. */
void lpot_kernel_load_doubles(const lpot_tensor *tensor, int64_t start, int64_t step, int64_t count,
                              double *out);
/* Integers saturate and drop the fraction, NaN becomes 0; bool is value != 0. */
void lpot_kernel_store_doubles(lpot_tensor *tensor, int64_t start, int64_t count,
                               const double *values);
/* For integer types and bool; uint64 keeps its bits. */
void lpot_kernel_load_ints(const lpot_tensor *tensor, int64_t start, int64_t step, int64_t count,
                           int64_t *out);
/* Any type; narrower integers wrap. */
void lpot_kernel_store_ints(lpot_tensor *tensor, int64_t start, int64_t count,
                            const int64_t *values);
/* x rounded half to even plus zero_point, saturated to dtype (U8 or S8); NaN gives zero_point. */
int32_t lpot_kernel_round_to(lpot_dtype dtype, float x, int32_t zero_point);

/* ---- checks (kernel_support.c) ---- */
LPOT_MUST_CHECK lpot_status lpot_kernel_unsupported_type(const lpot_tensor *tensor,
                                                         lpot_error *err);
/* LPOT_INVALID unless b has a's element type. */
LPOT_MUST_CHECK lpot_status lpot_kernel_check_same_type(const lpot_tensor *a, const lpot_tensor *b,
                                                        lpot_error *err);
/* LPOT_INVALID unless the shapes are the same; what names the tensors in the message. */
LPOT_MUST_CHECK lpot_status lpot_kernel_check_same_shape(const char *what, const lpot_shape *a,
                                                         const lpot_shape *b, lpot_error *err);
/* LPOT_INVALID unless tensor has count elements. */
LPOT_MUST_CHECK lpot_status lpot_kernel_check_count(const char *what, const lpot_tensor *tensor,
                                                    int64_t count, lpot_error *err);
/* Wraps a negative axis; LPOT_INVALID outside [-rank, rank). */
LPOT_MUST_CHECK lpot_status lpot_kernel_axis(int64_t axis, int rank, int *ret_axis,
                                             lpot_error *err);
/* NULL when the node has fewer inputs or leaves it out. */
const lpot_tensor *lpot_kernel_input(const lpot_node *node, const lpot_tensor *const *inputs,
                                     int index);
/* The integers of input `index`, or of the attribute where that input is left out (attribute may
 * be NULL). *ret_count is 0 when both are absent. LPOT_INVALID beyond LPOT_MAX_RANK * 2. */
typedef struct lpot_kernel_ints {
  size_t count;
  int64_t values[LPOT_MAX_RANK * 2];
} lpot_kernel_ints;
LPOT_MUST_CHECK lpot_status lpot_kernel_read_ints(const lpot_node *node,
                                                  const lpot_tensor *const *inputs, int index,
                                                  const char *attribute, lpot_kernel_ints *ret,
                                                  lpot_error *err);
/* A wrapped axis list; an empty one stands for all axes in order. */
LPOT_MUST_CHECK lpot_status lpot_kernel_read_axes(const lpot_node *node,
                                                  const lpot_tensor *const *inputs, int index,
                                                  const char *attribute, int rank,
                                                  lpot_kernel_ints *ret, lpot_error *err);
/* Scratch of count doubles, zero-filled, released by lpot_free. */
LPOT_MUST_CHECK lpot_status lpot_kernel_scratch(int64_t count, double **ret_scratch,
                                                lpot_error *err);
/* Elements of dims[first .. last). */
int64_t lpot_kernel_span(const lpot_shape *shape, int first, int last);

/* Element type `expected`, or LPOT_INVALID. */
LPOT_MUST_CHECK lpot_status lpot_kernel_check_type(const char *what, const lpot_tensor *tensor,
                                                   lpot_dtype expected, lpot_error *err);

/* The lines of a tensor along one axis. */
typedef struct lpot_kernel_lines {
  int64_t count;  /* of lines */
  int64_t length; /* elements of a line */
  int64_t step;   /* from one element of a line to the next */
} lpot_kernel_lines;
/* LPOT_INVALID when axis is out of range. */
LPOT_MUST_CHECK lpot_status lpot_kernel_lines_of(const lpot_shape *shape, int64_t axis,
                                                 lpot_kernel_lines *ret, lpot_error *err);
/* Where line i begins. */
int64_t lpot_kernel_line_start(const lpot_kernel_lines *lines, int64_t i);

/* ---- broadcasting (kernel_support.c) ---- */
/* Strides, in elements, to read a tensor of shape `from` at the coordinates of `to` (numpy rules);
 * LPOT_INVALID when it does not broadcast to it. */
LPOT_MUST_CHECK lpot_status lpot_kernel_broadcast_strides(const lpot_shape *from,
                                                          const lpot_shape *to,
                                                          int64_t strides[LPOT_MAX_RANK],
                                                          lpot_error *err);

/* Walks the rows (last dimension) of a dense output and two operands that broadcast to it.
 * Adjacent dimensions are merged where all three allow it, so that rows are as long as can be. */
typedef struct lpot_kernel_rows {
  int rank;
  int64_t dims[LPOT_MAX_RANK];
  int64_t strides[2][LPOT_MAX_RANK];
  int64_t index[LPOT_MAX_RANK];
  int64_t length;    /* elements of a row */
  int64_t step[2];   /* strides within a row */
  int64_t start[2];  /* where the row begins in each operand */
  int64_t out_start; /* where it begins in the output */
  int64_t total;     /* elements of the output */
} lpot_kernel_rows;
LPOT_MUST_CHECK lpot_status lpot_kernel_rows_begin(const lpot_shape *a, const lpot_shape *b,
                                                   const lpot_shape *out, lpot_kernel_rows *ret,
                                                   lpot_error *err);
bool lpot_kernel_rows_more(const lpot_kernel_rows *rows);
void lpot_kernel_rows_next(lpot_kernel_rows *rows);

/* ---- functions of two operands (kernel_elementwise.c) ---- */
typedef void (*lpot_double_operator)(int64_t count, const double *a, const double *b, double *out);
typedef lpot_status (*lpot_int_operator)(int64_t count, const int64_t *a, const int64_t *b,
                                         int64_t *out, lpot_error *err);
typedef struct lpot_binary_operator {
  lpot_op op;
  lpot_double_operator on_doubles; /* NULL: not for floating-point types */
  lpot_int_operator on_ints;       /* NULL: not for integer types and bool */
  lpot_int_operator on_u64; /* the same for uint64, given as its bits; NULL: on_ints will do */
} lpot_binary_operator;
/* out = a op b, both broadcast to out's shape; out may be a or b. In double when one of them is of
 * a floating-point type, in 64-bit integers otherwise. */
LPOT_MUST_CHECK lpot_status lpot_kernel_apply_binary(const lpot_binary_operator *function,
                                                     const lpot_tensor *a, const lpot_tensor *b,
                                                     lpot_tensor *out, lpot_error *err);
/* The row of op; NULL when the table has none. */
const lpot_binary_operator *lpot_binary_operator_find(const lpot_binary_operator *rows,
                                                      size_t num_rows, lpot_op op);

/* ---- functions of one floating-point operand ---- */
typedef struct lpot_unary_parameters {
  double first, second; /* the node's attributes that the row names */
} lpot_unary_parameters;
typedef double (*lpot_unary_apply)(double x, const lpot_unary_parameters *parameters);
typedef struct lpot_unary_function {
  lpot_op op;
  lpot_unary_apply apply;
  const char *attributes[2]; /* NULL: none */
  float defaults[2];         /* ONNX's */
} lpot_unary_function;
/* NULL for other operators. */
const lpot_unary_function *lpot_activation_find(lpot_op op);    /* kernel_activation.c */
const lpot_unary_function *lpot_math_function_find(lpot_op op); /* kernel_math.c */

/* ---- gathering copies (kernel_movement.c) ---- */
/* out[i0, i1, ...] = in[offsets[0][i0] + offsets[1][i1] + ...]; a negative offset on any axis
 * stands for the fill element. */
typedef struct lpot_copy_map {
  lpot_shape shape;                /* of the output */
  int64_t *offsets[LPOT_MAX_RANK]; /* [shape.dims[axis]] each, in elements; zero at first */
  int64_t *storage;                /* owned */
} lpot_copy_map;
LPOT_MUST_CHECK lpot_status lpot_copy_map_init(const lpot_shape *shape, lpot_copy_map *ret_map,
                                               lpot_error *err);
void lpot_copy_map_done(lpot_copy_map *map);
/* fill (one element) may be NULL where no offset is negative. */
void lpot_copy_map_run(const lpot_copy_map *map, const lpot_tensor *input, const void *fill,
                       lpot_tensor *output);

/* ---- elements and slices by indices (kernel_index.c) ---- */
/* Wraps a negative index; LPOT_INVALID outside [-dim, dim). */
LPOT_MUST_CHECK lpot_status lpot_kernel_wrap_index(int64_t index, int64_t dim, int64_t *ret_index,
                                                   lpot_error *err);
/* LPOT_UNSUPPORTED unless int64 or int32. */
LPOT_MUST_CHECK lpot_status lpot_kernel_check_index_type(const lpot_tensor *indices,
                                                         lpot_error *err);

/* The element of data that each index names along the attribute axis, in the order of the indices:
 * GatherElements and ScatterElements. */
typedef struct lpot_element_walk {
  const lpot_tensor *indices;
  int axis;
  int64_t dim; /* of data along the axis */
  int64_t next, total;
  int64_t position[LPOT_MAX_RANK]; /* of the next index */
  int64_t strides[LPOT_MAX_RANK];  /* of data */
} lpot_element_walk;
/* LPOT_INVALID when the indices do not fit the data. */
LPOT_MUST_CHECK lpot_status lpot_element_walk_begin(const lpot_node *node, const lpot_shape *data,
                                                    const lpot_tensor *indices,
                                                    lpot_element_walk *ret, lpot_error *err);
/* While walk->next < walk->total. LPOT_INVALID when the index is outside. */
LPOT_MUST_CHECK lpot_status lpot_element_walk_next(lpot_element_walk *walk, int64_t *ret_offset,
                                                   lpot_error *err);

/* The slice of data that each tuple (the last dimension of the indices) names: GatherND and
 * ScatterND. */
typedef struct lpot_slice_walk {
  const lpot_tensor *indices;
  lpot_shape data;
  int64_t strides[LPOT_MAX_RANK]; /* of data */
  int batch_dims;
  int length;         /* of a tuple */
  int64_t total;      /* tuples */
  int64_t per_batch;  /* tuples of one batch */
  int64_t batch_size; /* elements of data of one batch */
  int64_t slice_size; /* elements of a slice */
} lpot_slice_walk;
/* LPOT_INVALID when the indices do not fit the data. */
LPOT_MUST_CHECK lpot_status lpot_slice_walk_begin(const lpot_shape *data,
                                                  const lpot_tensor *indices, int64_t batch_dims,
                                                  lpot_slice_walk *ret, lpot_error *err);
/* Where the slice of a tuple begins. LPOT_INVALID when an index is outside. */
LPOT_MUST_CHECK lpot_status lpot_slice_walk_at(const lpot_slice_walk *walk, int64_t tuple,
                                               int64_t *ret_offset, lpot_error *err);

/* ---- planes of convolutions and pools (kernel_convolution.c) ---- */
/* Always three spatial dimensions, leading ones of size 1. */
typedef struct lpot_plane {
  int64_t input[LPOT_MAX_SPATIAL];
  int64_t output[LPOT_MAX_SPATIAL];
  int64_t kernel[LPOT_MAX_SPATIAL];
  int64_t stride[LPOT_MAX_SPATIAL];
  int64_t dilation[LPOT_MAX_SPATIAL];
  int64_t pad_begin[LPOT_MAX_SPATIAL];
  int64_t pad_end[LPOT_MAX_SPATIAL];
  int64_t input_size, output_size, kernel_size; /* products */
  int64_t group;
} lpot_plane;
/* Checks that out has the spatial sizes that the window gives. weights may be NULL (pools). */
LPOT_MUST_CHECK lpot_status lpot_plane_resolve(const lpot_node *node, const lpot_shape *input,
                                               const lpot_shape *weights, const lpot_shape *output,
                                               lpot_plane *ret_plane, lpot_error *err);
/* The outputs o of [0, count) with 0 <= o * stride + offset < limit: [*ret_low, *ret_high). */
void lpot_plane_range(int64_t offset, int64_t stride, int64_t limit, int64_t count,
                      int64_t *ret_low, int64_t *ret_high);

/* ---- sums of products, for float and quantized kernels alike ---- */
/* An operand of which zero_points are subtracted while it is loaded. */
typedef struct lpot_operand {
  const lpot_tensor *tensor;
  const lpot_tensor *zero_points; /* NULL: none; one element, or one per output channel or column */
} lpot_operand;
/* Takes `count` finished sums for the output elements from out_start on. channel is the output
 * channel of a convolution, 0 for matrix products, whose sums are one row of all columns. */
typedef void (*lpot_sums_sink)(const void *context, int64_t out_start, int64_t channel,
                               int64_t count, const double *sums);

/* x [N, C, spatial], w as Conv or ConvTranspose (by node->op) want it. Zero points of w are per
 * output channel. */
LPOT_MUST_CHECK lpot_status lpot_convolve(const lpot_node *node, const lpot_operand *x,
                                          const lpot_operand *w, const lpot_shape *out_shape,
                                          lpot_sums_sink sink, const void *context,
                                          lpot_error *err);

/* Matrix product of two stacks of matrices. */
typedef struct lpot_product {
  int64_t m, n, k;
  bool a_transposed, b_transposed; /* a is stored [k, m], b is stored [n, k] */
  int64_t count;                   /* matrices */
  lpot_kernel_rows rows;           /* over the stack: one "element" is one matrix */
} lpot_product;
/* numpy's matmul; LPOT_INVALID unless out_shape has the elements of the result. */
LPOT_MUST_CHECK lpot_status lpot_product_of_stacks(const lpot_shape *a, const lpot_shape *b,
                                                   const lpot_shape *out_shape,
                                                   lpot_product *ret_product, lpot_error *err);
/* One product of two matrices. */
LPOT_MUST_CHECK lpot_status lpot_product_of_matrices(const lpot_node *node, const lpot_shape *a,
                                                     const lpot_shape *b,
                                                     const lpot_shape *out_shape,
                                                     lpot_product *ret_product, lpot_error *err);
/* Zero points of b are per column. */
LPOT_MUST_CHECK lpot_status lpot_product_run(lpot_product *product, const lpot_operand *a,
                                             const lpot_operand *b, lpot_sums_sink sink,
                                             const void *context, lpot_error *err);

/* ---- quantized operators (kernel_qlinear.c) ---- */
/* Parameters of an int8 tensor with one scale; zero_point may be NULL and must else be of its
 * type. */
LPOT_MUST_CHECK lpot_status lpot_kernel_quant_params(const lpot_tensor *tensor,
                                                     const lpot_tensor *scale,
                                                     const lpot_tensor *zero_point,
                                                     lpot_quant_params *ret, lpot_error *err);

/* ---- functions of one element (kernel_unary.c) ---- */
/* Applies an activation without inputs of its own (Relu, Sigmoid ...) to values. */
void lpot_kernel_activate(lpot_op op, float alpha, float beta, int64_t count, double *values);

/* ---- pools (kernel_pool.c) ---- */
/* values has the sums of a window's average; out_start as in lpot_sums_sink. */
LPOT_MUST_CHECK lpot_status lpot_average_pool(const lpot_node *node, const lpot_tensor *input,
                                              const lpot_shape *out_shape, lpot_sums_sink sink,
                                              const void *context, lpot_error *err);
LPOT_MUST_CHECK lpot_status lpot_global_average(const lpot_tensor *input, const lpot_tensor *output,
                                                lpot_sums_sink sink, const void *context,
                                                lpot_error *err);

/* ---- shapes (kernel_shape.c) ---- */
/* Checks that the inputs (every `stride`-th from `first` on) line up along axis to output. */
LPOT_MUST_CHECK lpot_status lpot_concat_check(const lpot_node *node,
                                              const lpot_tensor *const *inputs, int first,
                                              int stride, const lpot_tensor *output, int *ret_axis,
                                              lpot_error *err);

#endif
