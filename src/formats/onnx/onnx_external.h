/* External data files of an ONNX model: found in the model's folder and nowhere else, mapped once
 * each. A location must be relative, without "..", and no part of it may be a symbolic link. */
#ifndef LPOT_FORMATS_ONNX_ONNX_EXTERNAL_H
#define LPOT_FORMATS_ONNX_ONNX_EXTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/mapping.h"

typedef struct lpot_onnx_external lpot_onnx_external;

/* folder is copied; NULL refuses external data. */
LPOT_MUST_CHECK lpot_status lpot_onnx_external_new(const char *folder,
                                                   lpot_onnx_external **ret_external,
                                                   lpot_error *err);
void lpot_onnx_external_free(lpot_onnx_external *external); /* NULL is allowed */
/* The file at location, borrowed. LPOT_FORMAT: the location is not allowed; LPOT_UNSUPPORTED: no
 * folder; LPOT_NOT_FOUND, LPOT_IO. */
LPOT_MUST_CHECK lpot_status lpot_onnx_external_get(lpot_onnx_external *external,
                                                   const char *location, lpot_mapping **ret_mapping,
                                                   lpot_error *err);
/* Files in the order in which they were first named. */
size_t lpot_onnx_external_count(const lpot_onnx_external *external);
lpot_mapping *lpot_onnx_external_mapping(const lpot_onnx_external *external, size_t index);

#endif
