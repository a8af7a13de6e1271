/* DepthToSpace and SpaceToDepth: blocks of pixels become channels and back. */
#include "base/text.h"
#include "engine/reference/kernel.h"

typedef struct block_axis {
  int64_t count, stride; /* entries along the axis, and their distance in the input */
} block_axis;

/* Copies along six axes that together are the output in its own order. */
static lpot_status copy_blocks(const block_axis axes[6], const lpot_tensor *input,
                               lpot_tensor *output, lpot_error *err) {
  int64_t dims[6];
  lpot_copy_map map;
  for (int i = 0; i < 6; i++) {
    dims[i] = axes[i].count;
  }
  lpot_shape shape = lpot_shape_of(6, dims);
  LPOT_TRY(lpot_copy_map_init(&shape, &map, err));
  for (int i = 0; i < 6; i++) {
    for (int64_t k = 0; k < axes[i].count; k++) {
      map.offsets[i][k] = k * axes[i].stride;
    }
  }
  lpot_copy_map_run(&map, input, NULL, output);
  lpot_copy_map_done(&map);
  return LPOT_OK;
}

/* deep has block * block times the channels of wide, which has block times its rows and columns. */
static lpot_status check_blocks(const lpot_node *node, const lpot_tensor *deep,
                                const lpot_tensor *wide, int64_t *ret_block, lpot_error *err) {
  int64_t block = lpot_node_int(node, "blocksize", 0);
  const int64_t *d = deep->shape.dims;
  const int64_t *w = wide->shape.dims;
  LPOT_TRY(lpot_kernel_check_same_type(deep, wide, err));
  bool fits = deep->shape.rank == 4 && wide->shape.rank == 4 && block >= 1 && block <= (1 << 16) &&
              d[0] == w[0] && d[1] == w[1] * block * block && w[2] == d[2] * block &&
              w[3] == d[3] * block;
  if (!fits) {
    char deep_text[128];
    char wide_text[128];
    lpot_shape_text(&deep->shape, deep_text, sizeof deep_text);
    lpot_shape_text(&wide->shape, wide_text, sizeof wide_text);
    return LPOT_FAIL(err, LPOT_INVALID, "shapes %s and %s do not fit to blocksize %lld", deep_text,
                     wide_text, (long long)block);
  }
  *ret_block = block;
  return LPOT_OK;
}

/* Mode DCR takes the channels as [block row, block column, channel], CRD as [channel, block row,
 * block column]. */
LPOT_KERNEL(lpot_kernel_depth_to_space) {
  const lpot_tensor *input = inputs[0];
  const int64_t *dims = input->shape.dims;
  const char *mode = lpot_node_string(node, "mode", "DCR");
  bool channel_first = lpot_text_equal(mode, "CRD");
  int64_t block = 0;
  if (!channel_first && !lpot_text_equal(mode, "DCR")) {
    return LPOT_FAIL(err, LPOT_INVALID, "mode is '%s', expected DCR or CRD", mode);
  }
  LPOT_TRY(check_blocks(node, input, outputs[0], &block, err));
  int64_t channels = outputs[0]->shape.dims[1];
  int64_t plane = dims[2] * dims[3];
  int64_t row_step = channel_first ? block * plane : block * channels * plane;
  int64_t column_step = channel_first ? plane : channels * plane;
  const block_axis axes[6] = {
      {dims[0], dims[1] * plane},
      {channels, channel_first ? block * block * plane : plane},
      {dims[2], dims[3]},
      {block, row_step},
      {dims[3], 1},
      {block, column_step},
  };
  LPOT_TRY(copy_blocks(axes, input, outputs[0], err));
  return LPOT_OK;
}

LPOT_KERNEL(lpot_kernel_space_to_depth) {
  const lpot_tensor *input = inputs[0];
  const int64_t *dims = input->shape.dims;
  int64_t block = 0;
  LPOT_TRY(check_blocks(node, outputs[0], input, &block, err));
  int64_t plane = dims[2] * dims[3];
  const block_axis axes[6] = {
      {dims[0], dims[1] * plane},         {block, dims[3]},         {block, 1}, {dims[1], plane},
      {dims[2] / block, block * dims[3]}, {dims[3] / block, block},
  };
  LPOT_TRY(copy_blocks(axes, input, outputs[0], err));
  return LPOT_OK;
}
