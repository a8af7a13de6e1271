#include "data/unicode.h"

#include <utf8proc.h>

#include "base/memory.h"

lpot_status lpot_unicode_next(const char *text, size_t size, size_t *position, int32_t *ret,
                              lpot_error *err) {
  utf8proc_int32_t character = -1;
  size_t left = size - *position;
  utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + *position,
                                             left < 4 ? (utf8proc_ssize_t)left : 4, &character);
  if (length <= 0 || character < 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "text is not valid UTF-8 at byte %zu", *position);
  }
  *position += (size_t)length;
  *ret = character;
  return LPOT_OK;
}

lpot_status lpot_unicode_put(lpot_buffer *text, int32_t character, lpot_error *err) {
  utf8proc_uint8_t bytes[4];
  utf8proc_ssize_t length = utf8proc_encode_char(character, bytes);
  return lpot_buffer_append(text, bytes, (size_t)length, err);
}

size_t lpot_unicode_length(const char *text, size_t size) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++) {
    count += ((uint8_t)text[i] & 0xc0u) != 0x80u ? 1 : 0;
  }
  return count;
}

bool lpot_unicode_is_space(int32_t character) {
  if (character < 0x80) {
    return character == ' ' || (character >= '\t' && character <= '\r');
  }
  utf8proc_category_t category = utf8proc_category(character);
  return character == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
         category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

bool lpot_unicode_is_control(int32_t character) {
  utf8proc_category_t category = utf8proc_category(character);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_CO;
}

bool lpot_unicode_is_punctuation(int32_t character) {
  if (character < 0x80) {
    return (character >= 33 && character <= 47) || (character >= 58 && character <= 64) ||
           (character >= 91 && character <= 96) || (character >= 123 && character <= 126);
  }
  utf8proc_category_t category = utf8proc_category(character);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool lpot_unicode_is_ideograph(int32_t character) {
  static const struct {
    int32_t first, last;
  } blocks[] = {
      {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},   {0x20000, 0x2a6df},
      {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b820, 0x2ceaf}, {0x2f800, 0x2fa1f},
  };
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
    if (character >= blocks[i].first && character <= blocks[i].last) {
      return true;
    }
  }
  return false;
}

bool lpot_unicode_is_alphanumeric(int32_t character) {
  utf8proc_category_t category = utf8proc_category(character);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

lpot_status lpot_unicode_put_lower(lpot_buffer *text, int32_t character, lpot_error *err) {
  return lpot_unicode_put(text, utf8proc_tolower(character), err);
}

/* The characters of text, decomposed and in canonical order; owned by the caller. */
static lpot_status decompose(const char *text, size_t size, utf8proc_int32_t **ret_characters,
                             size_t *ret_count, lpot_error *err) {
  const utf8proc_option_t options = UTF8PROC_DECOMPOSE | UTF8PROC_STABLE;
  const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
  utf8proc_ssize_t length = (utf8proc_ssize_t)size;
  utf8proc_ssize_t count = utf8proc_decompose(bytes, length, NULL, 0, options);
  if (count < 0) {
    return LPOT_FAIL(err, LPOT_FORMAT, "text cannot be decomposed: %s", utf8proc_errmsg(count));
  }
  utf8proc_int32_t *characters = lpot_calloc((size_t)count + 1, sizeof *characters);
  if (characters == NULL) {
    return LPOT_OUT_OF_MEMORY(err);
  }
  *ret_count = (size_t)utf8proc_decompose(bytes, length, characters, count, options);
  *ret_characters = characters;
  return LPOT_OK;
}

lpot_status lpot_unicode_fold(const char *text, size_t size, lpot_buffer *out, lpot_error *err) {
  utf8proc_int32_t *characters = NULL;
  size_t count = 0;
  LPOT_TRY(decompose(text, size, &characters, &count, err));
  lpot_status status = LPOT_OK;
  for (size_t i = 0; i < count && status == LPOT_OK; i++) {
    if (utf8proc_category(characters[i]) != UTF8PROC_CATEGORY_MN) {
      status = lpot_unicode_put_lower(out, characters[i], err);
    }
  }
  lpot_free(characters);
  return status;
}
