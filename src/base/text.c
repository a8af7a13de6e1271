#include "base/text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_DIGITS 15 /* any decimal of so many survives */
#define MOST_DIGITS 17  /* and so many tell any double from its neighbours */

#define MAX_NEAREST_LENGTH 127

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static char to_lower(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static const char *skip_blanks(const char *text) {
  while (is_blank(*text)) {
    text++;
  }
  return text;
}

/* strtod knows hexadecimal numbers and the locale's decimal point; we want neither. */
static bool starts_decimal(const char *text) {
  if (*text == '+' || *text == '-') {
    text++;
  }
  if (is_digit(text[0])) {
    return to_lower(text[1]) != 'x';
  }
  if (text[0] == '.') {
    return is_digit(text[1]);
  }
  return to_lower(text[0]) == 'i' || to_lower(text[0]) == 'n';
}

bool lpot_text_to_double(const char *text, double *ret) {
  const char *start = skip_blanks(text);
  if (!starts_decimal(start)) {
    return false;
  }
  locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (c_locale == (locale_t)0) {
    return false;
  }
  locale_t old_locale = uselocale(c_locale);
  char *end = NULL;
  errno = 0;
  double value = strtod(start, &end);
  bool overflow = errno == ERANGE && isinf(value);
  uselocale(old_locale);
  freelocale(c_locale);
  if (end == start || overflow || *skip_blanks(end) != '\0') {
    return false;
  }
  *ret = value;
  return true;
}

int lpot_text_digits(double value) {
  int digits = LEAST_DIGITS;
  for (; digits < MOST_DIGITS; digits++) {
    char text[64];
    double back = 0;
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (lpot_text_to_double(text, &back) && back == value) {
      break;
    }
  }
  return digits;
}

bool lpot_text_to_int64(const char *text, int64_t *ret) {
  const char *start = skip_blanks(text);
  const char *digits = *start == '+' || *start == '-' ? start + 1 : start;
  if (!is_digit(*digits)) {
    return false;
  }
  char *end = NULL;
  errno = 0;
  long long value = strtoll(start, &end, 10);
  if (errno == ERANGE || *skip_blanks(end) != '\0') {
    return false;
  }
  *ret = value;
  return true;
}

bool lpot_text_equal(const char *a, const char *b) {
  return strcmp(a, b) == 0;
}

bool lpot_text_equal_ignoring_case(const char *a, const char *b) {
  while (*a != '\0' && to_lower(*a) == to_lower(*b)) {
    a++;
    b++;
  }
  return to_lower(*a) == to_lower(*b);
}

bool lpot_text_next_line(const char **text, const char *end, const char **line, size_t *length) {
  if (*text == end) {
    return false;
  }
  const char *stop = memchr(*text, '\n', (size_t)(end - *text));
  const char *line_end = stop == NULL ? end : stop;
  *line = *text;
  *text = stop == NULL ? end : stop + 1;
  while (line_end > *line && strchr(" \t\r", line_end[-1]) != NULL) {
    line_end--;
  }
  while (*line < line_end && strchr(" \t", **line) != NULL) {
    (*line)++;
  }
  *length = (size_t)(line_end - *line);
  return true;
}

bool lpot_text_copy(char *out, size_t out_size, const char *text) {
  if (out_size == 0) {
    return false;
  }
  size_t length = strlen(text);
  bool fits = length < out_size;
  size_t copied = fits ? length : out_size - 1;
  memcpy(out, text, copied);
  out[copied] = '\0';
  return fits;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Levenshtein's distance; both texts have at most MAX_NEAREST_LENGTH bytes. */
static size_t edit_distance(const char *a, const char *b) {
  size_t length = strlen(b);
  size_t row[MAX_NEAREST_LENGTH + 1];
  for (size_t j = 0; j <= length; j++) {
    row[j] = j;
  }
  for (size_t i = 0; a[i] != '\0'; i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < length; j++) {
      size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = smaller(replaced, smaller(row[j], row[j + 1]) + 1);
    }
  }
  return row[length];
}

const char *lpot_text_nearest(const char *text, const char *const *names) {
  size_t length = strlen(text);
  if (length > MAX_NEAREST_LENGTH) {
    return NULL;
  }
  size_t limit = length / 3 < 2 ? 2 : length / 3;
  const char *nearest = NULL;
  for (size_t i = 0; names[i] != NULL; i++) {
    if (strlen(names[i]) > MAX_NEAREST_LENGTH) {
      continue;
    }
    size_t distance = edit_distance(text, names[i]);
    if (distance < limit || (distance == limit && nearest == NULL)) {
      nearest = names[i];
      limit = distance;
    }
  }
  return nearest;
}

void lpot_text_names(const char *const *names, char *out, size_t out_size) {
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; names[i] != NULL; i++) {
    int length = snprintf(out + used, out_size - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    if (length < 0 || (size_t)length >= out_size - used) {
      lpot_text_copy(out + out_size - sizeof "...", sizeof "...", "...");
      return;
    }
    used += (size_t)length;
  }
}

/* Number of continuation bytes that a UTF-8 lead byte announces, or -1. */
static int continuation_count(unsigned char lead) {
  if (lead < 0x80) {
    return 0;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 1;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 2;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 3 : -1;
}

/* Bytes of the printable character at text, or 0 where there is none. */
static size_t printable_length(const unsigned char *text) {
  int count = continuation_count(text[0]);
  if (count < 0) {
    return 0;
  }
  if (count == 0) {
    return text[0] >= 0x20 && text[0] != 0x7F ? 1 : 0;
  }
  uint32_t code = text[0] & (0x3FU >> count);
  for (int i = 1; i <= count; i++) {
    if ((text[i] & 0xC0U) != 0x80U) {
      return 0;
    }
    code = code << 6 | (text[i] & 0x3FU);
  }
  static const uint32_t smallest[] = {0, 0xA0, 0x800, 0x10000};
  bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  bool direction = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  if (code < smallest[count] || code > 0x10FFFF || surrogate || direction) {
    return 0;
  }
  return (size_t)count + 1;
}

void lpot_text_printable(const char *text, char *out, size_t out_size) {
  if (out_size == 0) {
    return;
  }
  const unsigned char *in = (const unsigned char *)text;
  size_t used = 0;
  while (*in != '\0') {
    size_t length = printable_length(in);
    size_t written = length == 0 ? 1 : length;
    if (used + written >= out_size) {
      break;
    }
    if (length == 0) {
      out[used] = '?';
    } else {
      memcpy(out + used, in, length);
    }
    used += written;
    in += written;
  }
  out[used] = '\0';
}
