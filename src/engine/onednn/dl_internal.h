/* What the two oneDNN layers share. Included by dl_*.c only. */
#ifndef LPOT_ENGINE_DL_INTERNAL_H
#define LPOT_ENGINE_DL_INTERNAL_H

#include <oneapi/dnnl/dnnl.h>

#include "engine/onednn/dl.h"
#include "tensor/tensor.h"

struct lpot_dl {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  void *scratchpad; /* shared by all primitives: they run one after another */
  size_t scratchpad_bytes;
  bool shares_weights; /* of the primitives that are made from now on */
};

/* oneDNN's status as ours; what names the thing that was asked for. */
LPOT_MUST_CHECK lpot_status lpot_dl_check(dnnl_status_t status, const char *what, lpot_error *err);
dnnl_data_type_t lpot_dl_data_type(lpot_dtype dtype);
/* Makes room for the largest scratchpad any primitive asks for. */
LPOT_MUST_CHECK lpot_status lpot_dl_grow_scratchpad(lpot_dl *dl, size_t size_bytes,
                                                    lpot_error *err);
/* Makes a primitive. Its own descriptor serves instead of desc from now on: that of a convolution
 * can have 64 KiB. */
LPOT_MUST_CHECK lpot_status lpot_dl_make_primitive(const_dnnl_primitive_desc_t desc,
                                                   const char *what,
                                                   dnnl_primitive_t *ret_primitive,
                                                   const_dnnl_primitive_desc_t *ret_desc,
                                                   lpot_error *err);
/* Packed weights: a tensor of bytes, all 0, for equal weights are to be equal to the last byte of
 * padding. */
LPOT_MUST_CHECK lpot_status lpot_dl_new_weights(size_t size_bytes, lpot_tensor **ret_weights,
                                                lpot_error *err);
/* Lets memory use the bytes of weights. */
LPOT_MUST_CHECK lpot_status lpot_dl_set_weights(dnnl_memory_t memory, const lpot_tensor *weights,
                                                lpot_error *err);
/* Once they are packed: moves them where other processes have them too, if dl shares weights. */
LPOT_MUST_CHECK lpot_status lpot_dl_share_weights(const lpot_dl *dl, dnnl_memory_t memory,
                                                  lpot_tensor *weights, lpot_error *err);

/* What a primitive may not be made of. oneDNN's integer convolutions that random shapes have shown
 * to be wrong on processors with AMX (others than those named were right in tens of thousands of
 * shapes; jit_int8 in all):
 * - tiled ones other than brgemm, in 2.6.3: 1x1 ones write behind their output (160 to 320 channels
 *   of 6x8 pixels), padded ones with a zero point read outside of their input;
 * - tiled ones with groups, strides, dilations, or pads of more than half a window, in 3.7.2: wrong
 *   values, and reads outside of the input;
 * - brgemm ones with pads of more than half a window, in 2.6.3: wrong borders.
 * And tiles do not pay where there is little work, in 2.6.3: to load their configuration takes
 * microseconds, and convolutions of less than about a million multiplications or products of small
 * matrices are up to ten times as fast with VNNI. All this hangs on shapes alone. */
typedef enum lpot_dl_limit {
  LPOT_DL_NO_LIMIT,
  LPOT_DL_TILES_BY_BRGEMM, /* tiles of brgemm only */
  LPOT_DL_NO_TILES,
  LPOT_DL_NO_BRGEMM,      /* neither tiles nor brgemm */
  LPOT_DL_RATHER_NO_TILES /* none where another is at hand: slow, not wrong */
} lpot_dl_limit;

lpot_dl_limit lpot_dl_convolution_limit(const lpot_dl_convolution *convolution);
/* Too little work for the tiles of 2.x. */
bool lpot_dl_convolution_is_small(const lpot_dl_convolution *convolution);
bool lpot_dl_matmul_is_small(const lpot_dl_matmul *matmul);
/* By oneDNN's name of an implementation: whether it may be used, and whether it may be taken in
 * place of one that may not. */
bool lpot_dl_may_use(lpot_dl_limit limit, const char *implementation);
bool lpot_dl_may_stand_in(lpot_dl_limit limit, const char *implementation);

#endif
