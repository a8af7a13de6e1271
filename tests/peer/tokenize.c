/* tokenize VOCABULARY TEXTS [--cased]: the numbers of the pieces of each line of a file, for
 * comparing with other tokenizers. A line ends at a line feed and may have any other characters. */
#include <stdio.h>
#include <string.h>

#include "base/mapping.h"
#include "data/wordpiece.h"

static lpot_status print_line(const lpot_wordpiece *vocabulary, const char *text, size_t size,
                              lpot_error *err) {
  lpot_tokens tokens = {0};
  lpot_status status = lpot_wordpiece_tokenize(vocabulary, text, size, &tokens, err);
  for (size_t i = 0; i < tokens.count && status == LPOT_OK; ++i) {
    printf("%s%d", i == 0 ? "" : " ", tokens.ids[i]);
  }
  printf("\n");
  lpot_tokens_done(&tokens);
  return status;
}

static lpot_status print_lines(const lpot_wordpiece *vocabulary, const char *text, size_t size,
                               lpot_error *err) {
  while (size > 0) {
    const char *end = memchr(text, '\n', size);
    size_t length = end == NULL ? size : (size_t)(end - text);
    LPOT_TRY(print_line(vocabulary, text, length, err));
    size -= end == NULL ? length : length + 1;
    text += length + 1;
  }
  return LPOT_OK;
}

int main(int argc, char **argv) {
  lpot_error err = {0};
  lpot_wordpiece *vocabulary = NULL;
  lpot_mapping *texts = NULL;
  if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "--cased") != 0)) {
    (void)fprintf(stderr, "usage: tokenize VOCABULARY TEXTS [--cased]\n");
    return 2;
  }
  lpot_status status = lpot_wordpiece_load(argv[1], argc == 3, &vocabulary, &err);
  if (status == LPOT_OK) {
    status = lpot_mapping_open(argv[2], &texts, &err);
  }
  if (status == LPOT_OK) {
    status = print_lines(vocabulary, (const char *)lpot_mapping_data(texts),
                         lpot_mapping_size(texts), &err);
  }
  lpot_mapping_unref(texts);
  lpot_wordpiece_free(vocabulary);
  if (status != LPOT_OK) {
    (void)fprintf(stderr, "tokenize: %s\n", err.message);
  }
  return lpot_status_exit_code(status);
}
