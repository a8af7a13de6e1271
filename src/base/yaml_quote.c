#include "base/yaml_tree.h"

/* The code point that begins at text (valid UTF-8, not empty) and its number of bytes. */
static uint32_t decode(const char *text, size_t *ret_length) {
  const unsigned char *in = (const unsigned char *)text;
  if (in[0] < 0x80) {
    *ret_length = 1;
    return in[0];
  }
  size_t length = in[0] >= 0xF0 ? 4 : in[0] >= 0xE0 ? 3 : 2;
  uint32_t code = in[0] & (0x7FU >> length);
  size_t i = 1;
  for (; i < length && (in[i] & 0xC0U) == 0x80U; i++) {
    code = code << 6 | (in[i] & 0x3FU);
  }
  *ret_length = i;
  return code;
}

/* What a double-quoted text may hold as it is; the rest is escaped. Line separators would be
 * folded, control characters and the last two of the plane are refused by YAML. */
static bool is_plain(uint32_t code) {
  if (code < 0xA0) {
    return code >= 0x20 && code < 0x7F && code != '"' && code != '\\';
  }
  return code != 0x2028 && code != 0x2029 && code != 0xFEFF && code != 0xFFFE && code != 0xFFFF;
}

lpot_status lpot_yaml_write_quoted(const char *text, lpot_buffer *out, lpot_error *err) {
  LPOT_TRY(lpot_buffer_append(out, "\"", 1, err));
  while (*text != '\0') {
    size_t length = 0;
    uint32_t code = decode(text, &length);
    if (is_plain(code)) {
      LPOT_TRY(lpot_buffer_append(out, text, length, err));
    } else if (code == '"' || code == '\\') {
      LPOT_TRY(lpot_buffer_printf(out, err, "\\%c", (int)code));
    } else if (code < 0x100) {
      LPOT_TRY(lpot_buffer_printf(out, err, "\\x%02x", code));
    } else {
      LPOT_TRY(lpot_buffer_printf(out, err, "\\u%04x", code));
    }
    text += length;
  }
  LPOT_TRY(lpot_buffer_append(out, "\"", 1, err));
  return LPOT_OK;
}

lpot_status lpot_yaml_write_text(const char *key, const char *text, lpot_buffer *out,
                                 lpot_error *err) {
  LPOT_TRY(lpot_buffer_printf(out, err, "%s: ", key));
  LPOT_TRY(lpot_yaml_write_quoted(text, out, err));
  LPOT_TRY(lpot_buffer_append(out, "\n", 1, err));
  return LPOT_OK;
}
