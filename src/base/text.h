/* Text helpers that do not depend on the locale. */
#ifndef LPOT_BASE_TEXT_H
#define LPOT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole string must be the number (surrounding blanks allowed); false otherwise. */
bool lpot_text_to_double(const char *text, double *ret);
/* The least precision from 15 to 17 with which "%.*g" writes a text that reads back as the same
 * number. */
int lpot_text_digits(double value);
bool lpot_text_to_int64(const char *text, int64_t *ret);
bool lpot_text_equal(const char *a, const char *b);
bool lpot_text_equal_ignoring_case(const char *a, const char *b);
/* The next line of text without its end, blanks trimmed; not terminated. False at end, the place
 * behind the last character. */
bool lpot_text_next_line(const char **text, const char *end, const char **line, size_t *length);
/* Copies with truncation, always NUL terminated; false when truncated. */
bool lpot_text_copy(char *out, size_t out_size, const char *text);
/* The name (of a NULL terminated list) nearest to text by edit distance, or NULL when none is
 * within a third of its length (at least 2). */
const char *lpot_text_nearest(const char *text, const char *const *names);
/* Writes "a, b, c" of a NULL terminated list to out; names that do not fit become "...". */
void lpot_text_names(const char *const *names, char *out, size_t out_size);
/* Writes text to out with control characters and invalid UTF-8 replaced by '?', so that a name
 * from a file cannot disturb a terminal. */
void lpot_text_printable(const char *text, char *out, size_t out_size);

#endif
