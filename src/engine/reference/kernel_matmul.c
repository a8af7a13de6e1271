/* MatMul and Gemm: products of stacks of matrices. */
#include "engine/reference/kernel.h"

#include <string.h>

#include "base/memory.h"

/* Rows over the stack dimensions, in matrices: strides are scaled to elements by the caller. */
static lpot_status stack_rows(const lpot_shape *a, const lpot_shape *b, lpot_product *product,
                              lpot_error *err) {
  lpot_shape a_stack = lpot_shape_of(a->rank > 2 ? a->rank - 2 : 0, a->dims);
  lpot_shape b_stack = lpot_shape_of(b->rank > 2 ? b->rank - 2 : 0, b->dims);
  lpot_shape stack;
  LPOT_TRY(lpot_shape_broadcast(&a_stack, &b_stack, &stack, err));
  LPOT_TRY(lpot_kernel_rows_begin(&a_stack, &b_stack, &stack, &product->rows, err));
  product->count = lpot_shape_elements(&stack);
  return LPOT_OK;
}

static lpot_status check_output(const lpot_product *product, const lpot_shape *out_shape,
                                lpot_error *err) {
  int64_t elements = lpot_shape_elements(out_shape);
  if (elements != product->count * product->m * product->n) {
    return LPOT_FAIL(err, LPOT_INVALID, "output has %lld elements, expected %lld x %lld x %lld",
                     (long long)elements, (long long)product->count, (long long)product->m,
                     (long long)product->n);
  }
  return LPOT_OK;
}

static lpot_status check_inner(int64_t a_inner, int64_t b_inner, lpot_error *err) {
  if (a_inner != b_inner) {
    return LPOT_FAIL(err, LPOT_INVALID, "inner dimensions are %lld and %lld, expected equal ones",
                     (long long)a_inner, (long long)b_inner);
  }
  return LPOT_OK;
}

lpot_status lpot_product_of_stacks(const lpot_shape *a, const lpot_shape *b,
                                   const lpot_shape *out_shape, lpot_product *ret_product,
                                   lpot_error *err) {
  if (a->rank < 1 || b->rank < 1) {
    return LPOT_FAIL(err, LPOT_INVALID, "operands have ranks %d and %d, expected at least 1",
                     a->rank, b->rank);
  }
  lpot_product product = {0};
  product.m = a->rank == 1 ? 1 : a->dims[a->rank - 2];
  product.n = b->rank == 1 ? 1 : b->dims[b->rank - 1];
  product.k = a->dims[a->rank - 1];
  LPOT_TRY(check_inner(product.k, b->rank == 1 ? b->dims[0] : b->dims[b->rank - 2], err));
  LPOT_TRY(stack_rows(a, b, &product, err));
  LPOT_TRY(check_output(&product, out_shape, err));
  *ret_product = product;
  return LPOT_OK;
}

lpot_status lpot_product_of_matrices(const lpot_node *node, const lpot_shape *a,
                                     const lpot_shape *b, const lpot_shape *out_shape,
                                     lpot_product *ret_product, lpot_error *err) {
  if (a->rank != 2 || b->rank != 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "operands have ranks %d and %d, expected 2", a->rank,
                     b->rank);
  }
  lpot_product product = {0};
  product.a_transposed = lpot_node_int(node, "transA", 0) != 0;
  product.b_transposed = lpot_node_int(node, "transB", 0) != 0;
  product.m = a->dims[product.a_transposed ? 1 : 0];
  product.k = a->dims[product.a_transposed ? 0 : 1];
  product.n = b->dims[product.b_transposed ? 0 : 1];
  LPOT_TRY(check_inner(product.k, b->dims[product.b_transposed ? 1 : 0], err));
  LPOT_TRY(stack_rows(a, b, &product, err));
  LPOT_TRY(check_output(&product, out_shape, err));
  *ret_product = product;
  return LPOT_OK;
}

typedef struct product_buffers {
  double *b;      /* [k, n], zero points subtracted */
  double *a_row;  /* [k] */
  double *sums;   /* [n] */
  double *b_zero; /* [n] */
  double a_zero;
} product_buffers;

static void pack_b(const lpot_product *p, const lpot_tensor *b, int64_t start,
                   const product_buffers *buffers) {
  for (int64_t k = 0; k < p->k; k++) {
    double *row = buffers->b + k * p->n;
    int64_t first = p->b_transposed ? start + k : start + k * p->n;
    lpot_kernel_load_doubles(b, first, p->b_transposed ? p->k : 1, p->n, row);
    for (int64_t j = 0; j < p->n; j++) {
      row[j] -= buffers->b_zero[j];
    }
  }
}

static void load_a_row(const lpot_product *p, const lpot_tensor *a, int64_t start, int64_t i,
                       const product_buffers *buffers) {
  int64_t first = p->a_transposed ? start + i : start + i * p->k;
  lpot_kernel_load_doubles(a, first, p->a_transposed ? p->m : 1, p->k, buffers->a_row);
  for (int64_t k = 0; k < p->k; k++) {
    buffers->a_row[k] -= buffers->a_zero;
  }
}

static void sum_row(const lpot_product *p, const product_buffers *buffers) {
  double *sums = buffers->sums;
  memset(sums, 0, (size_t)p->n * sizeof *sums);
  for (int64_t k = 0; k < p->k; k++) {
    double factor = buffers->a_row[k];
    const double *row = buffers->b + k * p->n;
    for (int64_t j = 0; j < p->n; j++) {
      sums[j] += factor * row[j];
    }
  }
}

static void run_stack(lpot_product *p, const lpot_tensor *a, const lpot_tensor *b,
                      const product_buffers *buffers, lpot_sums_sink sink, const void *context) {
  int64_t packed = -1;
  int64_t out_start = 0;
  for (; lpot_kernel_rows_more(&p->rows); lpot_kernel_rows_next(&p->rows)) {
    for (int64_t index = 0; index < p->rows.length; index++) {
      int64_t a_start = (p->rows.start[0] + index * p->rows.step[0]) * p->m * p->k;
      int64_t b_start = (p->rows.start[1] + index * p->rows.step[1]) * p->k * p->n;
      if (b_start != packed) {
        pack_b(p, b, b_start, buffers);
        packed = b_start;
      }
      for (int64_t i = 0; i < p->m; i++) {
        load_a_row(p, a, a_start, i, buffers);
        sum_row(p, buffers);
        sink(context, out_start, 0, p->n, buffers->sums);
        out_start += p->n;
      }
    }
  }
}

/* One zero point, or one for each of count columns, spread over out. */
static lpot_status load_zero_points(const lpot_tensor *zero_points, int64_t count, double *out,
                                    lpot_error *err) {
  if (zero_points == NULL) {
    return LPOT_OK;
  }
  if (lpot_shape_elements(&zero_points->shape) == 1) {
    lpot_kernel_load_doubles(zero_points, 0, 0, count, out);
    return LPOT_OK;
  }
  LPOT_TRY(lpot_kernel_check_count("zero point", zero_points, count, err));
  lpot_kernel_load_doubles(zero_points, 0, 1, count, out);
  return LPOT_OK;
}

lpot_status lpot_product_run(lpot_product *product, const lpot_operand *a, const lpot_operand *b,
                             lpot_sums_sink sink, const void *context, lpot_error *err) {
  int64_t k = product->k;
  int64_t n = product->n;
  double *scratch = NULL;
  LPOT_TRY(lpot_kernel_scratch(k * n + k + n + n, &scratch, err));
  product_buffers buffers = {.b = scratch,
                             .a_row = scratch + k * n,
                             .sums = scratch + k * n + k,
                             .b_zero = scratch + k * n + k + n};
  lpot_status status = load_zero_points(a->zero_points, 1, &buffers.a_zero, err);
  if (status == LPOT_OK) {
    status = load_zero_points(b->zero_points, n, buffers.b_zero, err);
  }
  if (status == LPOT_OK) {
    run_stack(product, a->tensor, b->tensor, &buffers, sink, context);
  }
  lpot_free(scratch);
  return status;
}

static void store_sums(const void *context, int64_t out_start, int64_t channel, int64_t count,
                       const double *sums) {
  lpot_tensor *const *out = context;
  (void)channel;
  lpot_kernel_store_doubles(*out, out_start, count, sums);
}

LPOT_KERNEL(lpot_kernel_matmul) {
  (void)node;
  const lpot_operand a = {inputs[0], NULL};
  const lpot_operand b = {inputs[1], NULL};
  LPOT_TRY(lpot_kernel_check_same_type(a.tensor, b.tensor, err));
  LPOT_TRY(lpot_kernel_check_same_type(a.tensor, outputs[0], err));
  lpot_product product;
  LPOT_TRY(lpot_product_of_stacks(&a.tensor->shape, &b.tensor->shape, &outputs[0]->shape, &product,
                                  err));
  LPOT_TRY(lpot_product_run(&product, &a, &b, store_sums, outputs, err));
  return LPOT_OK;
}

typedef struct gemm_sink {
  lpot_tensor *out;
  double alpha, beta;
  const lpot_tensor *c;             /* NULL when left out */
  int64_t c_strides[LPOT_MAX_RANK]; /* of c at the coordinates of out */
  int64_t columns;
} gemm_sink;

static void store_gemm_row(const void *context, int64_t out_start, int64_t channel, int64_t count,
                           const double *sums) {
  const gemm_sink *sink = context;
  (void)channel;
  double values[LPOT_KERNEL_CHUNK];
  double c[LPOT_KERNEL_CHUNK] = {0.0};
  int64_t c_row = out_start / sink->columns * sink->c_strides[0];
  for (int64_t done = 0; done < count; done += LPOT_KERNEL_CHUNK) {
    int64_t length = count - done < LPOT_KERNEL_CHUNK ? count - done : LPOT_KERNEL_CHUNK;
    if (sink->c != NULL) {
      lpot_kernel_load_doubles(sink->c, c_row + done * sink->c_strides[1], sink->c_strides[1],
                               length, c);
    }
    for (int64_t i = 0; i < length; i++) {
      values[i] = sink->alpha * sums[done + i] + (sink->c != NULL ? sink->beta * c[i] : 0.0);
    }
    lpot_kernel_store_doubles(sink->out, out_start + done, length, values);
  }
}

LPOT_KERNEL(lpot_kernel_gemm) {
  const lpot_operand a = {inputs[0], NULL};
  const lpot_operand b = {inputs[1], NULL};
  lpot_tensor *out = outputs[0];
  LPOT_TRY(lpot_kernel_check_same_type(a.tensor, b.tensor, err));
  LPOT_TRY(lpot_kernel_check_same_type(a.tensor, out, err));
  lpot_product product;
  LPOT_TRY(lpot_product_of_matrices(node, &a.tensor->shape, &b.tensor->shape, &out->shape, &product,
                                    err));
  if (out->shape.rank != 2) {
    return LPOT_FAIL(err, LPOT_INVALID, "output has rank %d, expected 2", out->shape.rank);
  }
  gemm_sink sink = {.out = out,
                    .alpha = (double)lpot_node_float(node, "alpha", 1.0f),
                    .beta = (double)lpot_node_float(node, "beta", 1.0f),
                    .c = lpot_kernel_input(node, inputs, 2),
                    .columns = product.n};
  if (sink.c != NULL) {
    LPOT_TRY(lpot_kernel_check_same_type(a.tensor, sink.c, err));
    LPOT_TRY(lpot_kernel_broadcast_strides(&sink.c->shape, &out->shape, sink.c_strides, err));
  }
  LPOT_TRY(lpot_product_run(&product, &a, &b, store_gemm_row, &sink, err));
  return LPOT_OK;
}
