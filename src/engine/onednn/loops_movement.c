#include <string.h>

#include "engine/onednn/loops.h"
#include "engine/onednn/simd_clones.h"

/* Element moves. The core is a transposition of rows and columns with strides:
 *   out[column * out_stride + row] = in[row * in_stride + column]
 * by square tiles that fit into registers, with loops of their own for few rows or few columns
 * (images of 3 channels), which the compiler turns into shuffles. */

typedef struct lpot_tile {
  int64_t rows, columns, in_stride, out_stride; /* elements */
} lpot_tile;

/* ---- tiles in registers ---- */

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint32_t words4 __attribute__((vector_size(16)));

static inline bytes16 low_bytes(bytes16 a, bytes16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline bytes16 high_bytes(bytes16 a, bytes16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
}

/* Interleaving row i with row i + 8 four times brings every byte of a 16 x 16 tile to its place. */
static void transpose_16_bytes(const uint8_t *in, int64_t in_stride, uint8_t *out,
                               int64_t out_stride) {
  bytes16 a[16];
  bytes16 b[16];
  for (int i = 0; i < 16; ++i) {
    memcpy(&a[i], in + i * in_stride, sizeof a[i]);
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 8; ++i) {
      b[2 * i] = low_bytes(a[i], a[i + 8]);
      b[2 * i + 1] = high_bytes(a[i], a[i + 8]);
    }
    for (int i = 0; i < 8; ++i) {
      a[2 * i] = low_bytes(b[i], b[i + 8]);
      a[2 * i + 1] = high_bytes(b[i], b[i + 8]);
    }
  }
  for (int i = 0; i < 16; ++i) {
    memcpy(out + i * out_stride, &a[i], sizeof a[i]);
  }
}

static void transpose_4_words(const uint32_t *in, int64_t in_stride, uint32_t *out,
                              int64_t out_stride) {
  words4 a[4];
  words4 b[4];
  for (int i = 0; i < 4; ++i) {
    memcpy(&a[i], in + i * in_stride, sizeof a[i]);
  }
  for (int i = 0; i < 2; ++i) {
    b[2 * i] = __builtin_shufflevector(a[i], a[i + 2], 0, 4, 1, 5);
    b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 2], 2, 6, 3, 7);
  }
  for (int i = 0; i < 2; ++i) {
    a[2 * i] = __builtin_shufflevector(b[i], b[i + 2], 0, 4, 1, 5);
    a[2 * i + 1] = __builtin_shufflevector(b[i], b[i + 2], 2, 6, 3, 7);
  }
  for (int i = 0; i < 4; ++i) {
    memcpy(out + i * out_stride, &a[i], sizeof a[i]);
  }
}

/* ---- any number of rows and columns ---- */

/* few: rows (or columns) known to the compiler, so that it can unroll. */
#define FEW_LOOPS(type)                                                                            \
  static inline void few_rows_##type(const type *in, const lpot_tile *tile, int few,               \
                                     type *restrict out) {                                         \
    const int64_t columns = tile->columns, in_stride = tile->in_stride;                            \
    for (int64_t column = 0; column < columns; ++column) {                                         \
      for (int row = 0; row < few; ++row) {                                                        \
        out[column * few + row] = in[row * in_stride + column];                                    \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  static inline void few_columns_##type(const type *in, const lpot_tile *tile, int few,            \
                                        type *restrict out) {                                      \
    const int64_t rows = tile->rows, out_stride = tile->out_stride;                                \
    for (int64_t row = 0; row < rows; ++row) {                                                     \
      for (int column = 0; column < few; ++column) {                                               \
        out[column * out_stride + row] = in[row * few + column];                                   \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void rows_2_##type(const type *in, const lpot_tile *tile, type *out) {                    \
    few_rows_##type(in, tile, 2, out);                                                             \
  }                                                                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void rows_3_##type(const type *in, const lpot_tile *tile, type *out) {                    \
    few_rows_##type(in, tile, 3, out);                                                             \
  }                                                                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void rows_4_##type(const type *in, const lpot_tile *tile, type *out) {                    \
    few_rows_##type(in, tile, 4, out);                                                             \
  }                                                                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void columns_2_##type(const type *in, const lpot_tile *tile, type *out) {                 \
    few_columns_##type(in, tile, 2, out);                                                          \
  }                                                                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void columns_3_##type(const type *in, const lpot_tile *tile, type *out) {                 \
    few_columns_##type(in, tile, 3, out);                                                          \
  }                                                                                                \
  LPOT_SIMD_CLONES                                                                                 \
  static void columns_4_##type(const type *in, const lpot_tile *tile, type *out) {                 \
    few_columns_##type(in, tile, 4, out);                                                          \
  }                                                                                                \
  typedef void (*few_##type)(const type *in, const lpot_tile *tile, type *out);                    \
  /* True when one of the above has done it. */                                                    \
  static bool try_few_##type(const type *in, const lpot_tile *tile, type *out) {                   \
    static const few_##type by_rows[5] = {NULL, NULL, rows_2_##type, rows_3_##type,                \
                                          rows_4_##type};                                          \
    static const few_##type by_columns[5] = {NULL, NULL, columns_2_##type, columns_3_##type,       \
                                             columns_4_##type};                                    \
    if (tile->rows >= 2 && tile->rows <= 4 && tile->out_stride == tile->rows) {                    \
      by_rows[tile->rows](in, tile, out);                                                          \
      return true;                                                                                 \
    }                                                                                              \
    if (tile->columns >= 2 && tile->columns <= 4 && tile->in_stride == tile->columns) {            \
      by_columns[tile->columns](in, tile, out);                                                    \
      return true;                                                                                 \
    }                                                                                              \
    return false;                                                                                  \
  }                                                                                                \
  static void transpose_rest_##type(const type *in, const lpot_tile *tile, int64_t first_row,      \
                                    int64_t first_column, type *restrict out) {                    \
    for (int64_t row = first_row; row < tile->rows; ++row) {                                       \
      for (int64_t column = first_column; column < tile->columns; ++column) {                      \
        out[column * tile->out_stride + row] = in[row * tile->in_stride + column];                 \
      }                                                                                            \
    }                                                                                              \
  }

FEW_LOOPS(uint8_t)
FEW_LOOPS(uint16_t)
FEW_LOOPS(uint32_t)
FEW_LOOPS(uint64_t)

#define TRANSPOSE_TILES(type, size, whole_tile)                                                    \
  static void transpose_##type(const type *in, const lpot_tile *tile, type *out) {                 \
    if (try_few_##type(in, tile, out)) {                                                           \
      return;                                                                                      \
    }                                                                                              \
    int64_t rows = tile->rows - tile->rows % (size);                                               \
    int64_t columns = tile->columns - tile->columns % (size);                                      \
    for (int64_t row = 0; row < rows; row += (size)) {                                             \
      for (int64_t column = 0; column < columns; column += (size)) {                               \
        whole_tile(in + row * tile->in_stride + column, tile->in_stride,                           \
                   out + column * tile->out_stride + row, tile->out_stride);                       \
      }                                                                                            \
    }                                                                                              \
    lpot_tile top = *tile;                                                                         \
    top.rows = rows;                                                                               \
    transpose_rest_##type(in, &top, 0, columns, out);                                              \
    transpose_rest_##type(in, tile, rows, 0, out);                                                 \
  }

TRANSPOSE_TILES(uint8_t, 16, transpose_16_bytes)
TRANSPOSE_TILES(uint32_t, 4, transpose_4_words)

static void transpose_tile(const void *in, const lpot_tile *tile, size_t element_size, void *out) {
  switch (element_size) {
  case 1:
    transpose_uint8_t(in, tile, out);
    break;
  case 2:
    if (!try_few_uint16_t(in, tile, out)) {
      transpose_rest_uint16_t(in, tile, 0, 0, out);
    }
    break;
  case 4:
    transpose_uint32_t(in, tile, out);
    break;
  default:
    if (!try_few_uint64_t(in, tile, out)) {
      transpose_rest_uint64_t(in, tile, 0, 0, out);
    }
    break;
  }
}

void lpot_loop_transpose(const void *in, void *out, int64_t batch, int64_t rows, int64_t columns,
                         size_t element_size) {
  const lpot_tile tile = {rows, columns, columns, rows};
  size_t size = (size_t)(rows * columns) * element_size;
  for (int64_t n = 0; n < batch; ++n) {
    transpose_tile((const uint8_t *)in + (size_t)n * size, &tile, element_size,
                   (uint8_t *)out + (size_t)n * size);
  }
}

/* ---- permutation of dimensions ---- */

/* Dimensions that stay neighbours in both orders become one. */
static void merge_dimensions(lpot_loop_permute *permute) {
  int kept = 0;
  for (int i = 1; i < permute->rank; ++i) {
    int64_t joined = permute->in_strides[i] * permute->dims[i];
    if (permute->dims[i] == 1) {
      continue;
    }
    if (permute->dims[kept] == 1) {
      permute->dims[kept] = permute->dims[i];
      permute->in_strides[kept] = permute->in_strides[i];
    } else if (permute->in_strides[kept] == joined) {
      permute->dims[kept] *= permute->dims[i];
      permute->in_strides[kept] = permute->in_strides[i];
    } else {
      kept++;
      permute->dims[kept] = permute->dims[i];
      permute->in_strides[kept] = permute->in_strides[i];
    }
  }
  permute->rank = kept + 1;
}

void lpot_loop_permute_init(const int64_t *in_dims, const int64_t *perm, int rank,
                            size_t element_size, lpot_loop_permute *ret) {
  int64_t strides[LPOT_MAX_RANK];
  int64_t stride = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= in_dims[i];
  }
  *ret = (lpot_loop_permute){.rank = rank, .element_size = element_size};
  for (int i = 0; i < rank; ++i) {
    ret->dims[i] = in_dims[perm[i]];
    ret->in_strides[i] = strides[perm[i]];
  }
  merge_dimensions(ret);
}

/* The innermost work of one position of the outer dimensions: a run of bytes, or a tile. */
static void permute_inner(const lpot_loop_permute *permute, int tile_axis, int64_t out_stride,
                          const uint8_t *in, uint8_t *out) {
  int last = permute->rank - 1;
  if (permute->in_strides[last] == 1) {
    memcpy(out, in, (size_t)permute->dims[last] * permute->element_size);
    return;
  }
  const lpot_tile tile = {permute->dims[last], permute->dims[tile_axis], permute->in_strides[last],
                          out_stride};
  transpose_tile(in, &tile, permute->element_size, out);
}

void lpot_loop_permute_run(const lpot_loop_permute *permute, const void *in, void *out) {
  int rank = permute->rank;
  int last = rank - 1;
  int tile_axis = last;
  int64_t out_strides[LPOT_MAX_RANK];
  int64_t stride = 1;
  for (int i = last; i >= 0; --i) {
    out_strides[i] = stride;
    stride *= permute->dims[i];
    tile_axis = permute->in_strides[i] == 1 ? i : tile_axis;
  }
  int64_t index[LPOT_MAX_RANK] = {0};
  int64_t in_offset = 0;
  int64_t out_offset = 0;
  for (;;) {
    permute_inner(permute, tile_axis, out_strides[tile_axis],
                  (const uint8_t *)in + (size_t)in_offset * permute->element_size,
                  (uint8_t *)out + (size_t)out_offset * permute->element_size);
    int axis = last - 1;
    for (; axis >= 0; --axis) {
      if (axis == tile_axis) {
        continue;
      }
      in_offset += permute->in_strides[axis];
      out_offset += out_strides[axis];
      if (++index[axis] < permute->dims[axis]) {
        break;
      }
      in_offset -= permute->in_strides[axis] * permute->dims[axis];
      out_offset -= out_strides[axis] * permute->dims[axis];
      index[axis] = 0;
    }
    if (axis < 0) {
      return;
    }
  }
}

/* ---- channels of channels-last data in another order ---- */

#define SHUFFLE_LOOP(type)                                                                         \
  static void shuffle_##type(const type *in, int64_t pixels, const int32_t *order, int64_t count,  \
                             type *restrict out) {                                                 \
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {                                             \
      for (int64_t c = 0; c < count; ++c) {                                                        \
        out[c] = in[order[c]];                                                                     \
      }                                                                                            \
      in += count;                                                                                 \
      out += count;                                                                                \
    }                                                                                              \
  }

SHUFFLE_LOOP(uint8_t)
SHUFFLE_LOOP(uint32_t)

void lpot_loop_shuffle(const void *in, int64_t pixels, const int32_t *order, int64_t channels,
                       size_t element_size, void *out) {
  if (element_size == 4) {
    shuffle_uint32_t(in, pixels, order, channels, out);
  } else if (!lpot_loop_shuffle_bytes(in, pixels, order, channels, out)) {
    shuffle_uint8_t(in, pixels, order, channels, out);
  }
}

/* ---- small changes on the way ---- */

void lpot_loop_lookup(const uint8_t *in, int64_t count, const uint8_t table[256], uint8_t *out) {
  if (lpot_loop_lookup_bytes(in, count, table, out)) {
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    out[i] = table[in[i]];
  }
}

LPOT_SIMD_CLONES
static void flip_top_bit(const uint8_t *in, int64_t count, uint8_t *restrict out) {
  for (int64_t i = 0; i < count; ++i) {
    out[i] = in[i] ^ 0x80u;
  }
}

void lpot_loop_shift_sign(const void *in, int64_t count, void *out) {
  flip_top_bit(in, count, out);
}

void lpot_loop_copy_rows(const uint8_t *in, int64_t rows, size_t row_bytes, size_t in_stride,
                         uint8_t *out, size_t out_stride) {
  for (int64_t i = 0; i < rows; ++i) {
    memcpy(out + (size_t)i * out_stride, in + (size_t)i * in_stride, row_bytes);
  }
}
