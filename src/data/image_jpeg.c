#include "data/image.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

#include "base/text.h"

/* A progressive file may name any number of scans over the whole image; real ones have about ten.
 */
#define MAX_SCANS 200

/* Everything that must survive a jump out of the library. */
typedef struct jpeg_decoder {
  struct jpeg_decompress_struct library; /* its err points to manager */
  struct jpeg_error_mgr manager;
  struct jpeg_progress_mgr progress;
  jmp_buf failed;
  bool ends_early;
  char message[JMSG_LENGTH_MAX];
  lpot_tensor *image; /* owned until it is returned */
  lpot_tensor *row;   /* owned: one row of CMYK */
  lpot_status status;
  lpot_error *err;
} jpeg_decoder;

static jpeg_decoder *decoder_of(j_common_ptr library) {
  return library->client_data;
}

/* The library's own handler would end the process. */
_Noreturn static void leave_on_error(j_common_ptr library) {
  jpeg_decoder *decoder = decoder_of(library);
  library->err->format_message(library, decoder->message);
  longjmp(decoder->failed, 1);
}

/* Warnings are tolerated as other readers do, except for missing data. */
static void note_warning(j_common_ptr library, int level) {
  if (level < 0 && library->err->msg_code == JWRN_JPEG_EOF) {
    decoder_of(library)->ends_early = true;
  }
}

static void print_nothing(j_common_ptr library) {
  (void)library;
}

_Noreturn static void leave_with(jpeg_decoder *decoder, const char *message) {
  lpot_text_copy(decoder->message, sizeof(decoder->message), message);
  longjmp(decoder->failed, 1);
}

static void watch_scans(j_common_ptr library) {
  jpeg_decoder *decoder = decoder_of(library);
  if (decoder->library.input_scan_number > MAX_SCANS || decoder->ends_early) {
    leave_with(decoder, decoder->ends_early ? "the file ends early" : "too many scans");
  }
}

static void start(jpeg_decoder *decoder, const uint8_t *data, size_t size) {
  decoder->library.err = jpeg_std_error(&decoder->manager);
  decoder->library.client_data = decoder;
  decoder->manager.error_exit = leave_on_error;
  decoder->manager.emit_message = note_warning;
  decoder->manager.output_message = print_nothing;
  jpeg_create_decompress(&decoder->library);
  decoder->progress.progress_monitor = watch_scans;
  decoder->library.progress = &decoder->progress;
  jpeg_mem_src(&decoder->library, data, size);
  jpeg_read_header(&decoder->library, TRUE);
}

/* Adobe stores CMYK inverted, so that 255 means no ink. */
static void cmyk_to_rgb(const uint8_t *cmyk, bool inverted, int64_t width, uint8_t *rgb) {
  for (int64_t i = 0; i < width; i++) {
    int black = inverted ? cmyk[i * 4 + 3] : 255 - cmyk[i * 4 + 3];
    for (int c = 0; c < 3; c++) {
      int ink = inverted ? cmyk[i * 4 + c] : 255 - cmyk[i * 4 + c];
      rgb[i * 3 + c] = (uint8_t)((ink * black + 127) / 255);
    }
  }
}

static void make_buffers(jpeg_decoder *decoder, bool is_cmyk) {
  int64_t width = decoder->library.image_width;
  decoder->status =
      lpot_image_new(decoder->library.image_height, width, &decoder->image, decoder->err);
  if (decoder->status == LPOT_OK && is_cmyk) {
    lpot_shape shape = lpot_shape_of(1, (const int64_t[]){width * 4});
    decoder->status = lpot_tensor_new(LPOT_U8, &shape, &decoder->row, decoder->err);
  }
  if (decoder->status != LPOT_OK) {
    longjmp(decoder->failed, 1);
  }
}

static void read_rows(jpeg_decoder *decoder) {
  struct jpeg_decompress_struct *library = &decoder->library;
  bool is_cmyk = library->jpeg_color_space == JCS_CMYK || library->jpeg_color_space == JCS_YCCK;
  library->out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  make_buffers(decoder, is_cmyk);
  jpeg_start_decompress(library);
  int64_t width = library->output_width;
  uint8_t *pixels = decoder->image->data;
  while (library->output_scanline < library->output_height) {
    uint8_t *target = pixels + (size_t)library->output_scanline * (size_t)width * 3;
    JSAMPROW row = is_cmyk ? decoder->row->data : target;
    if (jpeg_read_scanlines(library, &row, 1) != 1) {
      leave_with(decoder, "a row is missing");
    }
    if (is_cmyk) {
      cmyk_to_rgb(row, library->saw_Adobe_marker, width, target);
    }
  }
  if (decoder->ends_early) {
    leave_with(decoder, "the file ends early");
  }
}

/* The only function that setjmp returns to: it has no locals. */
static bool decode(jpeg_decoder *decoder, const uint8_t *data, size_t size) {
  if (setjmp(decoder->failed) != 0) {
    return false;
  }
  start(decoder, data, size);
  read_rows(decoder);
  return true;
}

lpot_status lpot_image_decode_jpeg(const uint8_t *data, size_t size, lpot_tensor **ret_image,
                                   lpot_error *err) {
  jpeg_decoder decoder = {.err = err};
  bool done = decode(&decoder, data, size);
  jpeg_destroy_decompress(&decoder.library);
  lpot_tensor_unref(decoder.row);
  if (!done) {
    lpot_tensor_unref(decoder.image);
    return decoder.status != LPOT_OK
               ? decoder.status
               : LPOT_FAIL(err, LPOT_FORMAT, "damaged JPEG image: %s", decoder.message);
  }
  *ret_image = decoder.image;
  return LPOT_OK;
}
