#include "data/image.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#define CHUNK_BYTES 16384
#define MAX_SIDE 65500

/* Everything that must survive a jump out of the library. */
typedef struct jpeg_encoder {
  struct jpeg_compress_struct library; /* its err and dest point to the next two */
  struct jpeg_error_mgr manager;
  struct jpeg_destination_mgr destination;
  jmp_buf failed;
  char message[JMSG_LENGTH_MAX];
  uint8_t chunk[CHUNK_BYTES]; /* what is not in out yet */
  lpot_buffer *out;
  lpot_status status;
  lpot_error *err;
} jpeg_encoder;

_Noreturn static void leave_on_error(j_common_ptr library) {
  jpeg_encoder *encoder = library->client_data;
  library->err->format_message(library, encoder->message);
  longjmp(encoder->failed, 1);
}

static void print_nothing(j_common_ptr library) {
  (void)library;
}

static void begin(j_compress_ptr library) {
  jpeg_encoder *encoder = library->client_data;
  encoder->destination.next_output_byte = encoder->chunk;
  encoder->destination.free_in_buffer = CHUNK_BYTES;
}

static void flush(jpeg_encoder *encoder, size_t size) {
  encoder->status = lpot_buffer_append(encoder->out, encoder->chunk, size, encoder->err);
  if (encoder->status != LPOT_OK) {
    longjmp(encoder->failed, 1);
  }
}

static boolean flush_full(j_compress_ptr library) {
  flush(library->client_data, CHUNK_BYTES);
  begin(library);
  return TRUE;
}

static void flush_rest(j_compress_ptr library) {
  jpeg_encoder *encoder = library->client_data;
  flush(encoder, CHUNK_BYTES - encoder->destination.free_in_buffer);
}

static void start(jpeg_encoder *encoder, const lpot_tensor *image, int quality) {
  struct jpeg_compress_struct *library = &encoder->library;
  library->err = jpeg_std_error(&encoder->manager);
  library->client_data = encoder;
  encoder->manager.error_exit = leave_on_error;
  encoder->manager.output_message = print_nothing;
  jpeg_create_compress(library);
  encoder->destination.init_destination = begin;
  encoder->destination.empty_output_buffer = flush_full;
  encoder->destination.term_destination = flush_rest;
  library->dest = &encoder->destination;
  library->image_height = (JDIMENSION)image->shape.dims[0];
  library->image_width = (JDIMENSION)image->shape.dims[1];
  library->input_components = (int)image->shape.dims[2];
  library->in_color_space = library->input_components == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(library);
  jpeg_set_quality(library, quality, TRUE);
  jpeg_start_compress(library, TRUE);
}

static void write_rows(jpeg_encoder *encoder, const lpot_tensor *image) {
  struct jpeg_compress_struct *library = &encoder->library;
  size_t row_bytes = (size_t)(image->shape.dims[1] * image->shape.dims[2]);
  while (library->next_scanline < library->image_height) {
    JSAMPROW row = (uint8_t *)image->data + library->next_scanline * row_bytes;
    jpeg_write_scanlines(library, &row, 1);
  }
  jpeg_finish_compress(library);
}

/* The only function that setjmp returns to: it has no locals. */
static bool encode(jpeg_encoder *encoder, const lpot_tensor *image, int quality) {
  if (setjmp(encoder->failed) != 0) {
    return false;
  }
  start(encoder, image, quality);
  write_rows(encoder, image);
  return true;
}

lpot_status lpot_image_encode_jpeg(const lpot_tensor *image, int quality, lpot_buffer *out,
                                   lpot_error *err) {
  const int64_t *dims = image->shape.dims;
  if (image->dtype != LPOT_U8 || (dims[2] != 1 && dims[2] != 3) || dims[0] > MAX_SIDE ||
      dims[1] > MAX_SIDE) {
    return LPOT_FAIL(err, LPOT_INVALID,
                     "expected an image of uint8 with 1 or 3 channels and sides up to %d",
                     MAX_SIDE);
  }
  jpeg_encoder encoder = {.out = out, .err = err};
  bool done = encode(&encoder, image, quality);
  jpeg_destroy_compress(&encoder.library);
  if (!done) {
    return encoder.status != LPOT_OK
               ? encoder.status
               : LPOT_FAIL(err, LPOT_INVALID, "JPEG encoder: %s", encoder.message);
  }
  return LPOT_OK;
}
