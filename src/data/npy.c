#include "data/npy.h"

#include <stdbool.h>
#include <string.h>

#include "base/mapping.h"
#include "base/reader.h"
#include "base/size.h"
#include "base/text.h"

#define MAX_HEADER 65536
#define MAX_WORD 32

/* What the header's text says. */
typedef struct npy_text {
  char descr[MAX_WORD];
  char fortran_order[MAX_WORD];
  lpot_shape shape;
  bool has_descr, has_order, has_shape;
} npy_text;

static void skip_blanks(lpot_reader *text) {
  while (text->position < text->size) {
    uint8_t c = text->data[text->position];
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
      return;
    }
    text->position++;
  }
}

/* Takes the character c where it comes next, after blanks. */
static bool accept(lpot_reader *text, char c) {
  skip_blanks(text);
  if (text->position < text->size && text->data[text->position] == (uint8_t)c) {
    text->position++;
    return true;
  }
  return false;
}

static lpot_status expect(lpot_reader *text, char c, lpot_error *err) {
  if (!accept(text, c)) {
    return LPOT_FAIL(err, LPOT_FORMAT, "npy header: expected '%c' at character %zu", c,
                     text->position);
  }
  return LPOT_OK;
}

static bool is_word_character(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A bare word or number into out. */
static lpot_status read_word(lpot_reader *text, char out[MAX_WORD], lpot_error *err) {
  size_t length = 0;
  skip_blanks(text);
  while (text->position < text->size && is_word_character(text->data[text->position])) {
    if (length + 1 == MAX_WORD) {
      return LPOT_FAIL(err, LPOT_FORMAT, "npy header: word too long at character %zu",
                       text->position);
    }
    out[length++] = (char)text->data[text->position++];
  }
  out[length] = '\0';
  if (length == 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "npy header: expected a word or a number at character %zu",
                     text->position);
  }
  return LPOT_OK;
}

/* A string in single or double quotes into out. */
static lpot_status read_quoted(lpot_reader *text, char out[MAX_WORD], lpot_error *err) {
  char quote = accept(text, '\'') ? '\'' : '"';
  if (quote == '"') {
    LPOT_TRY(expect(text, '"', err));
  }
  for (size_t length = 0; length + 1 < MAX_WORD && text->position < text->size; length++) {
    char c = (char)text->data[text->position++];
    if (c == quote) {
      out[length] = '\0';
      return LPOT_OK;
    }
    out[length] = c;
  }
  return LPOT_FAIL(err, LPOT_FORMAT, "npy header: string too long or not closed at character %zu",
                   text->position);
}

/* (), (5,) or (5, 3) */
static lpot_status read_shape(lpot_reader *text, lpot_shape *shape, lpot_error *err) {
  *shape = lpot_shape_scalar();
  LPOT_TRY(expect(text, '(', err));
  while (!accept(text, ')')) {
    char word[MAX_WORD];
    int64_t dimension = 0;
    LPOT_TRY(read_word(text, word, err));
    if (!lpot_text_to_int64(word, &dimension) || dimension < 0) {
      return LPOT_FAIL(err, LPOT_FORMAT, "npy header: expected a dimension, got '%s'", word);
    }
    if (shape->rank == LPOT_MAX_RANK) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "npy array of more than %d dimensions",
                       LPOT_MAX_RANK);
    }
    shape->dims[shape->rank++] = dimension;
    if (!accept(text, ',')) {
      LPOT_TRY(expect(text, ')', err));
      break;
    }
  }
  return LPOT_OK;
}

static lpot_status read_value(lpot_reader *text, const char *key, npy_text *found,
                              lpot_error *err) {
  if (lpot_text_equal(key, "descr")) {
    found->has_descr = true;
    if (accept(text, '[')) {
      return LPOT_FAIL(err, LPOT_UNSUPPORTED, "npy array of a structured type");
    }
    return read_quoted(text, found->descr, err);
  }
  if (lpot_text_equal(key, "fortran_order")) {
    found->has_order = true;
    return read_word(text, found->fortran_order, err);
  }
  if (lpot_text_equal(key, "shape")) {
    found->has_shape = true;
    return read_shape(text, &found->shape, err);
  }
  return LPOT_FAIL(err, LPOT_FORMAT, "npy header: unknown key '%s'", key);
}

static lpot_status read_text(lpot_reader *text, npy_text *found, lpot_error *err) {
  LPOT_TRY(expect(text, '{', err));
  while (!accept(text, '}')) {
    char key[MAX_WORD];
    LPOT_TRY(read_quoted(text, key, err));
    LPOT_TRY(expect(text, ':', err));
    LPOT_TRY(read_value(text, key, found, err));
    if (!accept(text, ',')) {
      LPOT_TRY(expect(text, '}', err));
      break;
    }
  }
  if (!found->has_descr || !found->has_order || !found->has_shape) {
    return LPOT_FAIL(err, LPOT_FORMAT,
                     "npy header: one of the keys descr, fortran_order and shape is missing");
  }
  skip_blanks(text);
  return lpot_reader_end(text, err);
}

static const struct {
  const char *descr; /* behind the byte order */
  lpot_dtype dtype;
} descr_table[] = {
    {"f4", LPOT_F32}, {"f8", LPOT_F64}, {"f2", LPOT_F16}, {"i1", LPOT_S8},
    {"u1", LPOT_U8},  {"i2", LPOT_S16}, {"u2", LPOT_U16}, {"i4", LPOT_S32},
    {"u4", LPOT_U32}, {"i8", LPOT_S64}, {"u8", LPOT_U64}, {"b1", LPOT_BOOL},
};

static lpot_status find_dtype(const char *descr, lpot_dtype *ret, lpot_error *err) {
  char order = descr[0];
  if (order == '<' || order == '|' || order == '>') {
    for (size_t i = 0; i < sizeof(descr_table) / sizeof(descr_table[0]); i++) {
      bool known = lpot_text_equal(descr + 1, descr_table[i].descr);
      if (known && (order == '<' || lpot_dtype_size(descr_table[i].dtype) == 1)) {
        *ret = descr_table[i].dtype;
        return LPOT_OK;
      }
    }
  }
  char printable[MAX_WORD];
  lpot_text_printable(descr, printable, sizeof(printable));
  return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                   "npy array of type '%s', expected little-endian numbers such as <f4 or <i8",
                   printable);
}

/* The text of the header, and where the data begin. */
static lpot_status read_frame(lpot_reader *file, lpot_reader *text, lpot_error *err) {
  const uint8_t *magic = NULL;
  if (lpot_reader_bytes(file, 6, &magic, NULL) != LPOT_OK || memcmp(magic, "\x93NUMPY", 6) != 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "not an npy file: the magic bytes are missing");
  }
  uint8_t major = 0;
  uint8_t minor = 0;
  LPOT_TRY(lpot_reader_u8(file, &major, err));
  LPOT_TRY(lpot_reader_u8(file, &minor, err));
  if (major < 1 || major > 3) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED, "npy version %u.%u, expected 1.0, 2.0 or 3.0",
                     (unsigned)major, (unsigned)minor);
  }
  uint16_t short_length = 0;
  uint32_t length = 0;
  if (major == 1) {
    LPOT_TRY(lpot_reader_u16(file, &short_length, err));
    length = short_length;
  } else {
    LPOT_TRY(lpot_reader_u32(file, &length, err));
  }
  if (length > MAX_HEADER) {
    return LPOT_FAIL(err, LPOT_FORMAT, "npy header of %u bytes, expected at most %d",
                     (unsigned)length, MAX_HEADER);
  }
  const uint8_t *bytes = NULL;
  LPOT_TRY(lpot_reader_bytes(file, length, &bytes, err));
  lpot_reader_init(text, bytes, length);
  return LPOT_OK;
}

lpot_status lpot_npy_parse(const uint8_t *data, size_t size, lpot_npy_header *ret_header,
                           lpot_error *err) {
  lpot_reader file;
  lpot_reader text;
  npy_text found = {0};
  lpot_npy_header header = {0};
  lpot_reader_init(&file, data, size);
  LPOT_TRY(read_frame(&file, &text, err));
  LPOT_TRY(read_text(&text, &found, err));
  LPOT_TRY(find_dtype(found.descr, &header.dtype, err));
  if (lpot_text_equal(found.fortran_order, "True")) {
    return LPOT_FAIL(err, LPOT_UNSUPPORTED,
                     "npy array in Fortran order; save numpy.ascontiguousarray(array) instead");
  }
  if (!lpot_text_equal(found.fortran_order, "False")) {
    return LPOT_FAIL(err, LPOT_FORMAT, "npy header: fortran_order is neither True nor False");
  }
  header.shape = found.shape;
  header.data_offset = file.position;
  int64_t count = 0;
  size_t expected = 0;
  if (lpot_shape_count(&header.shape, &count, NULL) != LPOT_OK ||
      lpot_size_mul((size_t)count, lpot_dtype_size(header.dtype), &expected, NULL) != LPOT_OK ||
      expected != lpot_reader_remaining(&file)) {
    char shape[96];
    lpot_shape_text(&header.shape, shape, sizeof(shape));
    return LPOT_FAIL(err, LPOT_FORMAT, "npy array of shape %s and type %s has %zu bytes of data",
                     shape, lpot_dtype_text(header.dtype), lpot_reader_remaining(&file));
  }
  *ret_header = header;
  return LPOT_OK;
}

lpot_status lpot_npy_load(const char *path, lpot_tensor **ret_tensor, lpot_error *err) {
  lpot_mapping *mapping = NULL;
  lpot_npy_header header = {0};
  LPOT_TRY(lpot_mapping_open(path, &mapping, err));
  const uint8_t *data = lpot_mapping_data(mapping);
  lpot_status status = lpot_npy_parse(data, lpot_mapping_size(mapping), &header, err);
  if (status == LPOT_OK) {
    status = lpot_tensor_copy_of(header.dtype, &header.shape, data + header.data_offset, ret_tensor,
                                 err);
  }
  lpot_mapping_unref(mapping);
  if (status != LPOT_OK) {
    lpot_error_prefix(err, "'%s'", path);
  }
  return status;
}
