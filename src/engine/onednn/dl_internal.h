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

/* Which implementations on the tile units of AMX a primitive may have. Where the first choice of
 * oneDNN is none of them, the next one in vector code that may be takes its place.
 * - Loading the tiles' configuration takes microseconds: measured on a Sapphire Rapids with oneDNN
 *   2.6.3, convolutions of less than about a million multiplications, grouped ones and products of
 *   small matrices are up to ten times as fast with VNNI.
 * - oneDNN 2.6.3's tiled convolutions other than brgemm are wrong: 1x1 ones write behind their
 *   output (160 to 320 channels of 6x8 pixels), padded ones with a zero point read outside of their
 *   input.
 * The choice hangs on shapes alone. */
typedef enum lpot_dl_tiles {
  LPOT_DL_TILES,        /* any */
  LPOT_DL_BRGEMM_TILES, /* brgemm alone, or none */
  LPOT_DL_NO_TILES      /* better none */
} lpot_dl_tiles;

/* For oneDNN 2.x. */
lpot_dl_tiles lpot_dl_convolution_tiles(const lpot_dl_convolution *convolution);
lpot_dl_tiles lpot_dl_matmul_tiles(const lpot_dl_matmul *matmul);
/* By oneDNN's name of an implementation: whether it may be used, whether it may stand in. */
bool lpot_dl_may_use(lpot_dl_tiles tiles, const char *implementation);
bool lpot_dl_may_stand_in(lpot_dl_tiles tiles, const char *implementation);

#endif
