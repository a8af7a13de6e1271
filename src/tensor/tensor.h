/* Dense row-major tensors, shared by reference counting (one thread). Constants are never
 * written after they are made, so graphs and their clones share them. */
#ifndef LPOT_TENSOR_TENSOR_H
#define LPOT_TENSOR_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mapping.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

typedef struct lpot_tensor {
  lpot_dtype dtype;
  lpot_shape shape;      /* always known */
  void *data;            /* row-major; 64-byte aligned when owned; in a view not even aligned for
                            the type: see lpot_tensor_is_aligned */
  size_t size_bytes;     /* elements x element size */
  int references;        /* private to tensor.c */
  int owns_data;         /* private to tensor.c */
  lpot_mapping *mapping; /* private to tensor.c: kept alive by a view into a file */
} lpot_tensor;

/* Zero-filled, owned data. */
LPOT_MUST_CHECK lpot_status lpot_tensor_new(lpot_dtype dtype, const lpot_shape *shape,
                                            lpot_tensor **ret_tensor, lpot_error *err);
/* As new, with the elements copied from data (size_bytes as shape and dtype demand). */
LPOT_MUST_CHECK lpot_status lpot_tensor_copy_of(lpot_dtype dtype, const lpot_shape *shape,
                                                const void *data, lpot_tensor **ret_tensor,
                                                lpot_error *err);
/* A view of borrowed bytes; mapping (may be NULL) is referenced while the view lives.
 * LPOT_FORMAT when size_bytes is not what shape and dtype demand. */
LPOT_MUST_CHECK lpot_status lpot_tensor_view(lpot_dtype dtype, const lpot_shape *shape,
                                             const void *data, size_t size_bytes,
                                             lpot_mapping *mapping, lpot_tensor **ret_tensor,
                                             lpot_error *err);
lpot_tensor *lpot_tensor_ref(lpot_tensor *tensor); /* returns tensor */
void lpot_tensor_unref(lpot_tensor *tensor);       /* NULL is allowed */

/* Lets the pages of a view into a mapped file leave this process's memory, where they have been
 * copied or packed elsewhere. Reading the tensor brings them back; other tensors are not touched.
 */
void lpot_tensor_release_pages(const lpot_tensor *tensor);

/* Moves the data of a large tensor that owns them into memory that is shared with the processes of
 * this user on this node that do the same with equal bytes (base/mapping_shared.h): data changes
 * its place and becomes read-only, so nobody may hold a pointer to it yet. Nothing happens to small
 * tensors and views, nor where there is no such memory. */
void lpot_tensor_share(lpot_tensor *tensor);

/* Whether data may be read through a pointer to the element type. All tensors are, but large
 * constants of more than one axis in a model file that put them at an odd place. */
bool lpot_tensor_is_aligned(const lpot_tensor *tensor);
/* The same values, aligned: the tensor itself, or a copy. The caller owns a reference. */
LPOT_MUST_CHECK lpot_status lpot_tensor_aligned(lpot_tensor *tensor, lpot_tensor **ret_tensor,
                                                lpot_error *err);

/* One element as a number, whatever the type (F16 and BF16 included). index < elements.
 * Floating-point numbers become integers as by a cast in C, towards zero, but saturating and with
 * NaN as 0; integers saturate too. BOOL is 0 or 1 and set by anything but 0. */
double lpot_tensor_get_double(const lpot_tensor *tensor, int64_t index);
int64_t lpot_tensor_get_int(const lpot_tensor *tensor, int64_t index);
/* A number that orders elements of one type as their values do: equal for equal ones (0 and -0
 * are), NaN above all others. */
int64_t lpot_tensor_get_order(const lpot_tensor *tensor, int64_t index);
void lpot_tensor_set_double(lpot_tensor *tensor, int64_t index, double value);
void lpot_tensor_set_int(lpot_tensor *tensor, int64_t index, int64_t value);
int64_t lpot_tensor_elements(const lpot_tensor *tensor);

float lpot_f16_to_f32(uint16_t bits);
uint16_t lpot_f32_to_f16(float value); /* round half to even */
float lpot_bf16_to_f32(uint16_t bits);
uint16_t lpot_f32_to_bf16(float value); /* round half to even */

#endif
