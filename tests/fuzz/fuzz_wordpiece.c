/* Fuzz target: bytes as a vocabulary and, after the first empty line, as a text to tokenize. */
#include <stdint.h>
#include <string.h>

#include "data/wordpiece.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t split = 0;
  while (split < size && !(data[split] == '\n' && split + 1 < size && data[split + 1] == '\n')) {
    split++;
  }
  lpot_wordpiece *vocabulary = NULL;
  lpot_tokens tokens = {0};
  lpot_error err = {0};
  if (lpot_wordpiece_new(data, split, size % 2 == 0, &vocabulary, &err) == LPOT_OK) {
    lpot_status status = lpot_wordpiece_tokenize(vocabulary, (const char *)data + split,
                                                 size - split, &tokens, &err);
    (void)status;
  }
  lpot_tokens_done(&tokens);
  lpot_wordpiece_free(vocabulary);
  return 0;
}
