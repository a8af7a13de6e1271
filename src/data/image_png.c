#include "data/image.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "base/memory.h"
#include "base/reader.h"
#include "base/text.h"

#define MAX_SIDE 65500
#define MAX_CHUNK_BYTES 8000000 /* of one ancillary chunk in memory */

/* Everything that must survive a jump out of the library. */
typedef struct png_decoder {
  png_structp library;
  png_infop info;
  lpot_reader reader;
  jmp_buf failed;
  char message[128];
  lpot_tensor *image; /* owned until it is returned */
  png_bytep *rows;    /* [height] into image */
  lpot_status status;
  lpot_error *err;
} png_decoder;

_Noreturn static void leave_on_error(png_structp library, png_const_charp message) {
  png_decoder *decoder = png_get_error_ptr(library);
  lpot_text_copy(decoder->message, sizeof(decoder->message), message);
  longjmp(decoder->failed, 1);
}

static void ignore_warning(png_structp library, png_const_charp message) {
  (void)library;
  (void)message;
}

static void read_bytes(png_structp library, png_bytep out, size_t size) {
  png_decoder *decoder = png_get_io_ptr(library);
  const uint8_t *bytes = NULL;
  if (lpot_reader_bytes(&decoder->reader, size, &bytes, NULL) != LPOT_OK) {
    leave_on_error(library, "the file ends early");
  }
  memcpy(out, bytes, size);
}

/* Whatever the file holds, rows of 8-bit red, green, blue come out. */
static void ask_for_rgb(png_decoder *decoder) {
  png_set_expand(decoder->library);
  png_set_strip_16(decoder->library);
  png_set_gray_to_rgb(decoder->library);
  png_set_strip_alpha(decoder->library);
  png_set_interlace_handling(decoder->library);
  png_read_update_info(decoder->library, decoder->info);
}

static void make_buffers(png_decoder *decoder) {
  int64_t height = png_get_image_height(decoder->library, decoder->info);
  int64_t width = png_get_image_width(decoder->library, decoder->info);
  decoder->status = lpot_image_new(height, width, &decoder->image, decoder->err);
  if (decoder->status != LPOT_OK) {
    longjmp(decoder->failed, 1);
  }
  if (png_get_rowbytes(decoder->library, decoder->info) != (size_t)width * 3) {
    leave_on_error(decoder->library, "unknown kind of pixels");
  }
  decoder->rows = lpot_calloc((size_t)height, sizeof(*decoder->rows));
  if (decoder->rows == NULL) {
    decoder->status = LPOT_OUT_OF_MEMORY(decoder->err);
    longjmp(decoder->failed, 1);
  }
  for (int64_t i = 0; i < height; i++) {
    decoder->rows[i] = (png_bytep)decoder->image->data + i * width * 3;
  }
}

/* The only function that setjmp returns to: it has no locals. */
static bool decode(png_decoder *decoder) {
  if (setjmp(decoder->failed) != 0) {
    return false;
  }
  png_set_read_fn(decoder->library, decoder, read_bytes);
  png_set_user_limits(decoder->library, MAX_SIDE, MAX_SIDE);
  png_set_chunk_malloc_max(decoder->library, MAX_CHUNK_BYTES);
  png_read_info(decoder->library, decoder->info);
  ask_for_rgb(decoder);
  make_buffers(decoder);
  png_read_image(decoder->library, decoder->rows);
  return true;
}

static bool create(png_decoder *decoder) {
  decoder->library =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, leave_on_error, ignore_warning);
  if (decoder->library != NULL) {
    decoder->info = png_create_info_struct(decoder->library);
  }
  return decoder->info != NULL;
}

lpot_status lpot_image_decode_png(const uint8_t *data, size_t size, lpot_tensor **ret_image,
                                  lpot_error *err) {
  png_decoder decoder = {.err = err};
  lpot_reader_init(&decoder.reader, data, size);
  bool created = create(&decoder);
  bool done = created && decode(&decoder);
  png_destroy_read_struct(&decoder.library, &decoder.info, NULL);
  lpot_free(decoder.rows);
  if (done) {
    *ret_image = decoder.image;
    return LPOT_OK;
  }
  lpot_tensor_unref(decoder.image);
  if (!created) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  return decoder.status != LPOT_OK
             ? decoder.status
             : LPOT_FAIL(err, LPOT_FORMAT, "damaged PNG image: %s", decoder.message);
}
