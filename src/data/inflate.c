#include "data/inflate.h"

#include <limits.h>

#include <zlib.h>

#define GZIP_WINDOW (16 + MAX_WBITS)
#define RAW_WINDOW (-MAX_WBITS)
#define GZIP_MAGIC 0x1f /* the first byte of a member */
#define STEP_BYTES ((size_t)1 << 20)

/* zlib counts in unsigned int: hand over the next piece where the last is used up. */
static void refill(z_stream *stream, const uint8_t **data, size_t *size) {
  if (stream->avail_in > 0 || *size == 0) {
    return;
  }
  size_t piece = *size < STEP_BYTES ? *size : STEP_BYTES;
  stream->next_in = (Bytef *)*data;
  stream->avail_in = (uInt)piece;
  *data += piece;
  *size -= piece;
}

static lpot_status fail_damaged(const z_stream *stream, lpot_error *err) {
  return LPOT_FAIL(err, LPOT_FORMAT, "damaged compressed data: %s",
                   stream->msg != NULL ? stream->msg : "the data end early or hold too much");
}

/* One step: LPOT_OK with *ended set at the end of the stream. */
static lpot_status step(z_stream *stream, int *ended, lpot_error *err) {
  int code = inflate(stream, Z_NO_FLUSH);
  if (code == Z_MEM_ERROR) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  if (code != Z_OK && code != Z_STREAM_END) {
    return fail_damaged(stream, err);
  }
  *ended = code == Z_STREAM_END;
  return LPOT_OK;
}

/* Begins the next member where another one follows, as gzip joins files: *ended is 0 then. */
static lpot_status begin_next(z_stream *stream, const uint8_t **data, size_t *size, int *ended,
                              lpot_error *err) {
  refill(stream, data, size);
  if (stream->avail_in > 0 && stream->next_in[0] == GZIP_MAGIC) {
    if (inflateReset(stream) != Z_OK) {
      return fail_damaged(stream, err);
    }
    *ended = 0;
  }
  return LPOT_OK;
}

static lpot_status inflate_all(z_stream *stream, const uint8_t *data, size_t size,
                               size_t limit_bytes, lpot_buffer *out, lpot_error *err) {
  int ended = 0;
  size_t start = out->size;
  while (!ended) {
    refill(stream, &data, &size);
    LPOT_TRY(lpot_buffer_reserve(out, STEP_BYTES, err));
    stream->next_out = out->data + out->size;
    stream->avail_out = (uInt)STEP_BYTES;
    LPOT_TRY(step(stream, &ended, err));
    out->size += STEP_BYTES - stream->avail_out;
    if (ended) {
      LPOT_TRY(begin_next(stream, &data, &size, &ended, err));
    }
    if (out->size - start > limit_bytes) {
      return LPOT_FAIL(err, LPOT_FORMAT, "compressed data hold more than %zu bytes", limit_bytes);
    }
  }
  if (stream->avail_in > 0 || size > 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "%zu bytes follow the compressed data",
                     size + stream->avail_in);
  }
  return LPOT_OK;
}

lpot_status lpot_inflate_gzip(const uint8_t *data, size_t size, size_t limit_bytes,
                              lpot_buffer *out, lpot_error *err) {
  z_stream stream = {0};
  if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  lpot_status status = inflate_all(&stream, data, size, limit_bytes, out, err);
  inflateEnd(&stream);
  return status;
}

static lpot_status inflate_exactly(z_stream *stream, const uint8_t *data, size_t size, uint8_t *out,
                                   size_t out_size, lpot_error *err) {
  int ended = 0;
  while (!ended) {
    refill(stream, &data, &size);
    size_t piece = out_size < STEP_BYTES ? out_size : STEP_BYTES;
    stream->next_out = out;
    stream->avail_out = (uInt)piece;
    LPOT_TRY(step(stream, &ended, err));
    out += piece - stream->avail_out;
    out_size -= piece - stream->avail_out;
  }
  if (out_size > 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "compressed data hold %zu bytes too few", out_size);
  }
  return LPOT_OK;
}

lpot_status lpot_inflate_raw(const uint8_t *data, size_t size, uint8_t *out, size_t out_size,
                             lpot_error *err) {
  z_stream stream = {0};
  if (inflateInit2(&stream, RAW_WINDOW) != Z_OK) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  uint8_t nothing = 0;
  lpot_status status =
      inflate_exactly(&stream, data, size, out_size > 0 ? out : &nothing, out_size, err);
  inflateEnd(&stream);
  return status;
}

uint32_t lpot_inflate_crc32(const uint8_t *data, size_t size) {
  return (uint32_t)crc32_z(crc32_z(0, NULL, 0), data, size);
}
