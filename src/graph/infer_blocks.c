/* Rules of the operators that move blocks of pixels between the image and its channels. */
#include <inttypes.h>

#include "graph/infer_rules.h"

static lpot_status read_block(const lpot_infer *infer, int64_t *ret_block, lpot_error *err) {
  int64_t block = lpot_node_int(infer->node, "blocksize", 0);
  if (block < 1 || block > (1 << 16)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "blocksize is %" PRId64 ", expected 1 to 65536", block);
  }
  *ret_block = block;
  return LPOT_OK;
}

static lpot_status divide(const char *what, int64_t dim, int64_t divisor, int64_t *ret_dim,
                          lpot_error *err) {
  *ret_dim = LPOT_DIM_UNKNOWN;
  if (dim == LPOT_DIM_UNKNOWN) {
    return LPOT_OK;
  }
  if (dim % divisor != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%" PRId64 " %s cannot be divided by %" PRId64, dim, what,
                     divisor);
  }
  *ret_dim = dim / divisor;
  return LPOT_OK;
}

lpot_status lpot_infer_depth_to_space(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  int64_t block = 0;
  lpot_shape shape;
  LPOT_TRY(lpot_infer_check_rank("the input", &input->shape, 4, err));
  LPOT_TRY(read_block(infer, &block, err));
  LPOT_TRY(lpot_infer_shape_of_rank(4, &shape, err));
  if (input->shape.rank == 4) {
    const int64_t *dims = input->shape.dims;
    shape.dims[0] = dims[0];
    LPOT_TRY(divide("channels", dims[1], block * block, &shape.dims[1], err));
    LPOT_TRY(lpot_dim_mul(dims[2], block, &shape.dims[2], err));
    LPOT_TRY(lpot_dim_mul(dims[3], block, &shape.dims[3], err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}

lpot_status lpot_infer_space_to_depth(lpot_infer *infer, lpot_error *err) {
  const lpot_value *input = lpot_infer_input(infer, 0);
  int64_t block = 0;
  lpot_shape shape;
  LPOT_TRY(lpot_infer_check_rank("the input", &input->shape, 4, err));
  LPOT_TRY(read_block(infer, &block, err));
  LPOT_TRY(lpot_infer_shape_of_rank(4, &shape, err));
  if (input->shape.rank == 4) {
    const int64_t *dims = input->shape.dims;
    shape.dims[0] = dims[0];
    LPOT_TRY(lpot_dim_mul(dims[1], block * block, &shape.dims[1], err));
    LPOT_TRY(divide("rows", dims[2], block, &shape.dims[2], err));
    LPOT_TRY(divide("columns", dims[3], block, &shape.dims[3], err));
  }
  LPOT_TRY(lpot_infer_output(infer, 0, input->dtype, &shape, err));
  return LPOT_OK;
}
