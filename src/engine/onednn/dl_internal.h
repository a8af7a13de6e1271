/* What the two oneDNN layers share. Included by dl_*.c only. */
#ifndef LPOT_ENGINE_DL_INTERNAL_H
#define LPOT_ENGINE_DL_INTERNAL_H

#include <oneapi/dnnl/dnnl.h>

#include "engine/onednn/dl.h"

struct lpot_dl {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  void *scratchpad; /* shared by all primitives: they run one after another */
  size_t scratchpad_bytes;
};

/* oneDNN's status as ours; what names the thing that was asked for. */
LPOT_MUST_CHECK lpot_status lpot_dl_check(dnnl_status_t status, const char *what, lpot_error *err);
dnnl_data_type_t lpot_dl_data_type(lpot_dtype dtype);
/* Makes room for the largest scratchpad any primitive asks for. */
LPOT_MUST_CHECK lpot_status lpot_dl_grow_scratchpad(lpot_dl *dl, size_t size_bytes,
                                                    lpot_error *err);

/* Whether work of this size gains from the tile units of AMX. Loading their configuration takes
 * microseconds: measured on a Sapphire Rapids with oneDNN 2.6.3, convolutions of less than about a
 * million multiplications, grouped ones and products of small matrices are up to ten times as fast
 * with VNNI. The choice hangs on shapes alone. */
bool lpot_dl_convolution_wants_tiles(const lpot_dl_convolution *convolution);
bool lpot_dl_matmul_wants_tiles(const lpot_dl_matmul *matmul);
/* By oneDNN's name of an implementation. */
bool lpot_dl_is_tiled(const char *implementation);
/* One that may stand in for a tiled one: vector code, neither tiled nor plain C. */
bool lpot_dl_is_vector_code(const char *implementation);

#endif
