/* What a measurement of memory leaves behind. Pure: encoding for messages and the journal. */
#ifndef LPOT_TUNE_FOOTPRINT_RECORD_H
#define LPOT_TUNE_FOOTPRINT_RECORD_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/reader.h"

#define LPOT_MAX_FOOTPRINT (UINT64_C(1) << 50)

/* Pages in memory, or swapped out, that compiling and running a model has added to a process. */
typedef struct lpot_footprint {
  uint64_t bytes; /* of its own: packed weights, activations, generated code, what else the engine
                     keeps. This is the footprint. 0: not measured */
  uint64_t resident_bytes; /* with pages of files and shared memory, from which weights are read:
                              they may be dropped, and other processes have them too */
} lpot_footprint;

LPOT_MUST_CHECK lpot_status lpot_footprint_write(const lpot_footprint *footprint, lpot_buffer *out,
                                                 lpot_error *err);
/* LPOT_FORMAT: no footprint is 0 or above LPOT_MAX_FOOTPRINT. */
LPOT_MUST_CHECK lpot_status lpot_footprint_read(lpot_reader *reader, lpot_footprint *ret,
                                                lpot_error *err);

#endif
