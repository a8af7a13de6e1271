/* Characters of UTF-8 text and what Unicode says of them. Only this file's source sees the library.
 */
#ifndef LPOT_DATA_UNICODE_H
#define LPOT_DATA_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Reads the character at *position < size and moves behind it. LPOT_FORMAT, naming the byte, where
 * the text is not UTF-8; *position is then unchanged. */
LPOT_MUST_CHECK lpot_status lpot_unicode_next(const char *text, size_t size, size_t *position,
                                              int32_t *ret, lpot_error *err);
/* Appends one character. */
LPOT_MUST_CHECK lpot_status lpot_unicode_put(lpot_buffer *text, int32_t character, lpot_error *err);
/* Number of characters; text is valid UTF-8. */
size_t lpot_unicode_length(const char *text, size_t size);

bool lpot_unicode_is_space(int32_t character); /* the property White_Space */
/* Of the categories Cc, Cf and Co. */
bool lpot_unicode_is_control(int32_t character);
/* Of the categories P*, or one of ASCII's that is neither letter, digit, blank nor control. */
bool lpot_unicode_is_punctuation(int32_t character);
bool lpot_unicode_is_ideograph(int32_t character); /* CJK, without kana and Hangul */

/* Of the categories L* and N*. */
bool lpot_unicode_is_alphanumeric(int32_t character);
/* Appends the character in lower case. */
LPOT_MUST_CHECK lpot_status lpot_unicode_put_lower(lpot_buffer *text, int32_t character,
                                                   lpot_error *err);
/* Appends valid UTF-8 text in lower case, decomposed (NFD) and without nonspacing marks. */
LPOT_MUST_CHECK lpot_status lpot_unicode_fold(const char *text, size_t size, lpot_buffer *out,
                                              lpot_error *err);

#endif
